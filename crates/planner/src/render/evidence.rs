//! What a removal rests on, in words.

use secateur_analyzer::time::UnixTime;

use super::words::{count, visible};
use crate::plan::{Evidence, Plan, Removed};

/// More holders than this are summed up: the plan file has them all.
const MAX_HOLDERS: usize = 3;

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
