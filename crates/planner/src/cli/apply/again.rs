//! The checks before an open journal is gone on with: those of a new apply, for what is left.

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::account::{Account, Report};
use secateur_analyzer::arn::Arn;

use super::{Whose, check_age, check_endpoint, destination, fresh_account, fresh_analysis, line, room, tell_withheld};
use crate::apply::aws::Cloud;
use crate::apply::journal::History;
use crate::apply::{CallError, Effect, Left, Version};
use crate::cli::apply::Wall;
use crate::cli::failure::Failure;
use crate::cli::flags::{ApplyArgs, Globals};
use crate::cli::journals::{self, Found};
use crate::cli::reproof::Reproof;
use crate::cli::ways;
use crate::plan::{Change, ChangeAction, Plan, Refusal, drift, is_gone, recheck, without_gone};
use crate::render::{count, visible};

/// What ends a help about what can be mended.
const ONCE: &str = "`secateur apply --resume` goes on once that is mended";

/// Checks what is left of a journal; returns what is to be left as it is, by unit.
pub(super) fn check(
    globals: &Globals,
    args: &ApplyArgs,
    (cloud, wall): (&Cloud, &Wall),
    reproof: &Reproof,
    (found, left): (&Found, &Left),
) -> Result<BTreeMap<String, Refusal>, Failure> {
    let plan = &reproof.plan;
    // What refuses to go on refuses it until that is mended: no way out of here.
    let ways = ways::but_on(&found.id);
    let of = |units: &BTreeSet<String>| -> Vec<&Change> {
        plan.changes.iter().filter(|change| units.contains(change.unit())).collect()
    };
    let (untouched, begun) = (of(&left.untouched), of(&left.begun));
    let all: Vec<&Change> = untouched.iter().chain(&begun).copied().collect();
    if all.is_empty() {
        return Ok(BTreeMap::new());
    }
    let whose = if args.no_recheck { Whose::Keys } else { Whose::Affected };
    let live = fresh_account(globals, &args.access, (cloud, wall), reproof, &all, whose)?;
    check_endpoint(live.endpoint.as_deref(), &destination(plan))?;
    check_age(plan, &reproof.workspace, live.finished_at.unwrap_or_else(journals::now))
        .map_err(|failure| failure.help(&ways))?;
    let judged = fresh_analysis(reproof, &live)?;
    // Who is gone needs nothing, and gets nothing.
    let there = |changes: &[&Change]| without_gone(changes, &live);
    let (untouched, begun) = (there(&untouched), there(&begun));
    let (untouched, begun): (Vec<&Change>, Vec<&Change>) = (untouched.iter().collect(), begun.iter().collect());
    let all: Vec<&Change> = untouched.iter().chain(&begun).copied().collect();
    let to_begin: Vec<&Change> = all.iter().copied().filter(|change| !left.touched.contains(&change.address)).collect();
    let mut moved = drift(&to_begin, &judged);
    moved.retain(|refusal| {
        !is_own(refusal, plan.changes.iter().filter(|own| left.touched.contains(&own.address)), &all)
    });
    if !moved.is_empty() {
        let lines: Vec<String> = moved.iter().map(line).collect();
        let message = format!(
            "what is left no longer matches what was planned at {}. Nothing more was changed.{}",
            plan.window.now,
            lines.concat()
        );
        return Err(Failure::refused("drifted", message).help(format!("{ways}; {ONCE}")));
    }
    let options = reproof.options()?;
    let mut withheld = for_nobody(plan, &left.untouched, &untouched);
    let untouched: Vec<&Change> =
        untouched.into_iter().filter(|change| !withheld.contains_key(change.unit())).collect();
    if !args.no_recheck {
        withheld.extend(recheck(plan, &untouched, &judged, &options));
        let touched: Vec<&Change> =
            plan.changes.iter().filter(|change| left.touched.contains(&change.address)).collect();
        let as_planned = as_planned(reproof, &live, &touched);
        let judged = fresh_analysis(reproof, &as_planned)?;
        // What this journal wrote makes the grants of all whom it reached look new: there the grants of the plan count.
        let reached: BTreeSet<&Arn> = touched.iter().flat_map(|change| holders(change)).collect();
        let owners: BTreeSet<&String> = touched.iter().filter_map(|change| change.target.owner.as_ref()).collect();
        let is_touched = |own: &&Change| {
            own.target.owner.as_ref().is_some_and(|owner| owners.contains(owner))
                || holders(own).any(|holder| reached.contains(holder))
        };
        // A group is judged as a whole.
        let units: BTreeSet<&str> = untouched.iter().copied().filter(is_touched).map(|change| change.unit()).collect();
        let beside: Vec<&Change> = untouched.iter().copied().filter(|own| units.contains(own.unit())).collect();
        let still = recheck(plan, &beside, &judged, &options);
        let is_beside = |unit: &String| beside.iter().any(|change| change.unit() == unit);
        withheld.retain(|unit, _| !is_beside(unit) || still.contains_key(unit));
        if let Some((unit, refusal)) = recheck(plan, &begun, &judged, &options).into_iter().next() {
            let is_clear = || left.is_clear(cloud, &found.history, |own| own == unit);
            return Err(not_finished(&unit, &refusal, &ways, is_clear));
        }
    }
    tell_withheld(&withheld);
    let to_begin: Vec<&Change> = to_begin.into_iter().filter(|change| !withheld.contains_key(change.unit())).collect();
    let evict = room(reproof, &to_begin, &live).map_err(|failure| failure.help(format!("{ways}; {ONCE}")))?;
    check_limits(reproof, &found.history, &ways)?;
    check_evictions(&found.history, &to_begin, &evict, &ways)?;
    Ok(withheld)
}

/// What nobody is there for any more: of a group whose holders are all gone nothing is left but a policy that nobody would have.
fn for_nobody(plan: &Plan, units: &BTreeSet<String>, there: &[&Change]) -> BTreeMap<String, Refusal> {
    let is_for_somebody =
        |unit: &str| there.iter().any(|change| change.unit() == unit && change.action != ChangeAction::Create);
    let nobody = units.iter().filter(|unit| !is_for_somebody(unit));
    let first = |unit: &&String| plan.changes.iter().find(|change| change.unit() == unit.as_str());
    let refusal = |unit: &String, change: &Change| {
        let (name, detail) = ("gone".to_owned(), "all whom it is of are gone".to_owned());
        (unit.clone(), Refusal { address: change.address.clone(), name, detail })
    };
    nobody.filter_map(|unit| Some(refusal(unit, first(&unit)?))).collect()
}

/// Refuses to finish what is done in part. `is_clear` is whether nothing but what was used since stands in its way: then it can be
/// finished all the same.
pub(super) fn not_finished(
    unit: &str,
    refusal: &Refusal,
    ways: &str,
    is_clear: impl FnOnce() -> Result<bool, CallError>,
) -> Failure {
    let message = format!(
        "{} is done in part, and may no longer be finished: {}. Nothing more was changed",
        visible(unit),
        visible(&refusal.detail)
    );
    // Where nobody can tell, nothing is promised.
    Failure::refused("withheld", message).help(match is_clear() {
        Ok(true) => format!("{ways}; `secateur apply --resume --no-recheck` finishes it all the same"),
        Ok(false) | Err(_) => ways.to_owned(),
    })
}

/// Those who held what a change is about.
fn holders(change: &Change) -> impl Iterator<Item = &Arn> {
    change.expects.holders.iter().map(|holder| &holder.arn)
}

/// Whether a difference is this journal's own doing: it has changed other inline policies of the entity.
fn is_own<'a>(refusal: &Refusal, mut touched: impl Iterator<Item = &'a Change>, all: &[&Change]) -> bool {
    let owner =
        all.iter().find(|change| change.address == refusal.address).and_then(|change| change.target.owner.as_ref());
    refusal.name == "inline-size" && owner.is_some() && touched.any(|own| own.target.owner.as_ref() == owner)
}

/// What was planned upon, with the evidence of now: what is done in part cannot be proved on what it has become. AWS reports
/// on what is granted, so of those from whom this journal has taken something, what the plan's reports list counts on; a use
/// that is listed since counts all the same.
pub(super) fn as_planned(reproof: &Reproof, live: &Account, touched: &[&Change]) -> Account {
    let mut reports = live.reports.clone();
    for arn in touched.iter().flat_map(|change| holders(change)).collect::<BTreeSet<_>>() {
        let (Some(now), Some(then)) = (live.reports.get(arn), reproof.account.reports.get(arn)) else { continue };
        let rows = now.services.iter().chain(&then.services).cloned().collect();
        let both = Report { services: Vec::new(), ..now.clone() }.with_services(rows);
        reports.insert(arn.clone(), both);
    }
    let then = &reproof.account;
    let (groups, gone_groups): (Vec<_>, Vec<_>) =
        then.groups.iter().cloned().partition(|own| !is_gone(live, &own.arn, &own.unique_id));
    let (mut principals, gone): (Vec<_>, Vec<_>) =
        then.principals.iter().cloned().partition(|own| !is_gone(live, &own.arn, &own.unique_id));
    for own in &mut principals {
        own.groups.retain(|name| groups.iter().any(|group| group.name == *name));
    }
    // Nor does AWS count them among those who have a policy attached.
    let lost: Vec<&Arn> =
        (gone.iter().flat_map(|own| &own.attached)).chain(gone_groups.iter().flat_map(|own| &own.attached)).collect();
    let mut policies = then.policies.clone();
    for policy in &mut policies {
        let fewer = lost.iter().filter(|arn| ***arn == policy.arn).count();
        policy.attachment_count = policy.attachment_count.map(|count| count - i64::try_from(fewer).unwrap_or_default());
    }
    Account { reports, principals, groups, policies, grants: then.grants.clone(), ..live.clone() }
}

fn check_limits(reproof: &Reproof, history: &History, ways: &str) -> Result<(), Failure> {
    let addresses: BTreeSet<&str> = history.steps().iter().map(|step| step.address.as_str()).collect();
    if reproof.workspace.config.limits.max_changes.is_some_and(|most| addresses.len() > most) {
        let message = format!("{} are more than max_changes", count(addresses.len(), "change"));
        return Err(Failure::refused("limits", message).help(format!("{ways}; {ONCE}")));
    }
    Ok(())
}

/// Refuses a journal that makes room where none is needed, or by another version than the oldest.
fn check_evictions(
    history: &History,
    to_begin: &[&Change],
    evict: &BTreeMap<Arn, Version>,
    ways: &str,
) -> Result<(), Failure> {
    let is_to_begin = |address: &str| to_begin.iter().any(|change| change.address == address);
    let own: BTreeMap<Arn, Version> = (history.steps().iter())
        .filter(|step| is_to_begin(&step.address))
        .filter_map(|step| match &step.effect {
            Effect::DeleteVersion { policy, version } => Some((policy.clone(), version.clone())),
            _ => None,
        })
        .collect();
    if own == *evict {
        return Ok(());
    }
    let message = "the versions that have to make room are not those of the journal";
    Err(Failure::refused("version-slots", message).help(ways))
}
