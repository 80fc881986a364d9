//! What a removal rests on, in words.

use secateur_analyzer::time::UnixTime;

use std::collections::BTreeMap;

use super::words::{count, visible};
use crate::plan::characters;
use crate::plan::{
    Blocked, Change, ChangeAction, ChangeSize, Evidence, Frozen, Plan, Readmitted, Removed, StillGranted, Summary,
};

/// More holders than this are summed up: the plan file has them all.
const MAX_HOLDERS: usize = 3;

/// The access levels, worst first.
const LEVELS: [&str; 6] = ["permissions", "write", "tagging", "read", "list", "unknown"];

/// More names than these are counted only, where a line is all there is.
const MAX_NAMES: usize = 5;

/// Returns whether a change has documents to compare.
pub(super) fn shows_diff(change: &Change) -> bool {
    match change.action {
        ChangeAction::Detach | ChangeAction::Deactivate => false,
        ChangeAction::Attach => change.before.is_some() && change.after.is_some(),
        ChangeAction::Create | ChangeAction::Update | ChangeAction::Delete => true,
    }
}

/// Returns `3 write, 1 list`.
pub(super) fn levels(risk: &BTreeMap<String, usize>) -> String {
    let some = LEVELS.iter().filter_map(|level| risk.get(*level).map(|number| format!("{number} {level}")));
    some.collect::<Vec<_>>().join(", ")
}

/// Returns the levels of what a change removes but for what goes with KMS keys, which is said with its statement.
pub(super) fn own_levels(change: &Change) -> String {
    let mut own = change.risk.clone();
    for (level, number) in change.statements.iter().flat_map(|statement| &statement.risk) {
        if let Some(left) = own.get_mut(level) {
            *left = left.saturating_sub(*number);
        }
    }
    own.retain(|_, number| *number > 0);
    levels(&own)
}

/// Returns how much of what is removed rests on an assumed date of grant, without the full stop.
pub(super) fn assumed(summary: &Summary) -> Option<String> {
    let actions = summary.assumed_grant_dates.saturating_sub(summary.assumed_kms_keys);
    let numbers = [(actions, "action"), (summary.assumed_kms_keys, "KMS key")];
    let numbers: Vec<String> =
        numbers.into_iter().filter(|(number, _)| *number > 0).map(|(number, noun)| count(number, noun)).collect();
    let verb = if summary.assumed_grant_dates == 1 { "rests" } else { "rest" };
    (!numbers.is_empty()).then(|| format!("Of this, {} {verb} on an assumed date of grant", numbers.join(" and ")))
}

/// Returns why a document was written with wildcards, or split.
pub(super) fn size(size: &ChangeSize) -> String {
    let (own, after, quota) = (characters(size.by_names), size.after, size.quota);
    match size.others {
        0 => format!("does not fit by names ({own} of {quota}); written in {after}"),
        others => {
            let others = characters(others);
            format!(
                "does not fit by names ({own}, and {others} of the entity's other inline policies, of {quota} for all); \
                 written in {after}"
            )
        }
    }
}

/// Returns what a wildcard admits again.
pub(super) fn readmitted(readmitted: &Readmitted) -> String {
    format!(
        "{} by \"{}\" ({}), which could go but for the quota",
        count(readmitted.count, "action"),
        visible(&readmitted.by),
        levels(&readmitted.risk)
    )
}

/// Returns what became of a pattern that no longer follows AWS.
pub(super) fn frozen(frozen: &Frozen) -> String {
    let (pattern, date) = (visible(&frozen.pattern), frozen.at.date());
    if frozen.wildcards.is_empty() {
        return format!(
            "frozen: \"{pattern}\" becomes the names of {date}; actions that AWS adds later are not in them"
        );
    }
    let some: Vec<String> =
        frozen.wildcards.iter().take(MAX_NAMES).map(|wildcard| format!("\"{}\"", visible(wildcard))).collect();
    let more = frozen.wildcards.len().saturating_sub(some.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(
        "frozen: \"{pattern}\" becomes the names of {date} and {}{more}, which go on following AWS",
        some.join(", ")
    )
}

/// Returns what goes on granting what is removed.
pub(super) fn still_granted(plan: &Plan, change: &Change, still: &StillGranted) -> String {
    let policy = visible(&still.policy);
    let by = match (still.policy.strip_prefix("policy/"), change.address.split_once("/attached/")) {
        (Some(policy), Some((_, own))) if policy == own => {
            format!("policy/{} through another attachment", visible(own))
        }
        _ if still.policy == change.address => format!("another statement of {policy}"),
        _ => policy.into_owned(),
    };
    format!("still granted: {} of them to {} by {by}", still.count, principal(plan, still.principal))
}

/// Returns who keeps what of a shared policy.
pub(super) fn blocked(plan: &Plan, blocked: &Blocked) -> String {
    let few = |names: Vec<String>, all: usize| {
        let more = all.saturating_sub(MAX_NAMES);
        let some = names.into_iter().take(MAX_NAMES).collect::<Vec<_>>().join(", ");
        if more > 0 { format!("{some} and {more} more") } else { some }
    };
    let who = blocked.blockers.iter().take(MAX_NAMES).map(|at| principal(plan, *at)).collect();
    let what = blocked.actions.iter().take(MAX_NAMES).map(|name| visible(name).into_owned()).collect();
    format!(
        "{}: kept by {}; {} could lose {}{}",
        few(what, blocked.actions.len()),
        few(who, blocked.blockers.len()),
        count(blocked.others, "other holder"),
        if blocked.count == 1 { "it" } else { "them" },
        if blocked.dormant { " by dormant = \"prune\" only" } else { "" }
    )
}

/// Returns one line a holder, or one line for many.
pub(super) fn lines(plan: &Plan, removed: &Removed) -> Vec<String> {
    if removed.evidence.len() <= MAX_HOLDERS {
        return removed.evidence.iter().map(|evidence| line(plan, evidence)).collect();
    }
    let last = removed
        .evidence
        .iter()
        .filter_map(|evidence| Some((evidence.last_accessed?, evidence)))
        .max_by_key(|(time, _)| *time);
    let since = removed.evidence.iter().map(|evidence| evidence.since).max().unwrap_or(UnixTime(0));
    let holders = count(removed.evidence.len(), "holder");
    vec![match last {
        None => format!("none of {holders} used {} since {}", what(&removed.reason), since.date()),
        Some((time, evidence)) => {
            let what = what(&evidence.reason);
            format!("the last of {holders} to use {what} was {} on {}", name(plan, evidence), time.date())
        }
    }]
}

fn line(plan: &Plan, evidence: &Evidence) -> String {
    let what = what(&evidence.reason);
    let who = name(plan, evidence);
    match evidence.last_accessed {
        None => format!("{who} did not use {what} since {}", evidence.since.date()),
        Some(time) => format!("{who} last used {what} on {}", time.date()),
    }
}

/// What a reason is about.
fn what(reason: &str) -> &'static str {
    if reason.ends_with("-service") { "the service" } else { "the action" }
}

fn name(plan: &Plan, evidence: &Evidence) -> String {
    principal(plan, evidence.principal)
}

/// Returns `role/NAME` or `user/NAME`.
pub(super) fn principal(plan: &Plan, at: usize) -> String {
    plan.principals.get(at).map_or_else(
        || "unknown".to_owned(),
        |arn| visible(&format!("{}/{}", arn.resource_type(), arn.name())).into_owned(),
    )
}
