//! The rollback of a rollback takes away again: what an apply looks at before it does is looked at here too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::again::as_planned;
use super::{Wall, Whose, check_age, check_endpoint, destination, fresh_account, fresh_analysis, plan_of};
use crate::apply::aws::Cloud;
use crate::apply::journal::{History, Progress};
use crate::apply::{Direction, Origin};
use crate::cli::failure::Failure;
use crate::cli::flags::{AccessArgs, Globals, SourceArgs};
use crate::cli::inputs::Workspace;
use crate::cli::journals;
use crate::cli::reproof::Reproof;
use crate::plan::{Change, Refusal, drift, is_of_own_change, recheck, without_gone};

/// What else there is to do where it cannot be looked at what was used since, or too late.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Instead {
    /// The ways out of an open journal, and to a new plan.
    pub ways: String,
    /// What `--no-recheck` does, where it would do that.
    pub unlooked_at: Option<String>,
}

impl Instead {
    /// A help line: what comes first, and these.
    pub fn after(&self, first: &str) -> String {
        let more = self.unlooked_at.as_ref().map(|more| format!("; {more}")).unwrap_or_default();
        format!("{first}{}{more}", self.ways)
    }
}

/// Whether taking a journal back gives permissions or takes them away. `taken_back` are the journals from the one that it took
/// back to the first; where that is not an apply, one is gone, and it may have been anything.
pub(in crate::cli) fn direction(history: &History, taken_back: &[History]) -> Direction {
    match taken_back.last().unwrap_or(history).begin().origin {
        Origin::Plan { .. } if taken_back.len().is_multiple_of(2) => Direction::Gives,
        Origin::Plan { .. } => Direction::TakesAway,
        Origin::Rollback { .. } => Direction::Unknown,
    }
}

/// Reads what the apply was made from, which is what its removals are judged by, as far as the command line names it.
/// `taken_back` is as of [`direction`].
pub(in crate::cli) fn reproof(
    globals: &Globals,
    workspace: &Workspace,
    (plan, sources): (Option<&Path>, &SourceArgs),
    taken_back: &[History],
    instead: &Instead,
) -> Result<Reproof, Failure> {
    let is_known = taken_back.last().is_some_and(|first| first.begin().origin.takes_back().is_none());
    let what = if is_known { "it takes away" } else { "it may take away" };
    let not_looked_at = |why: &str| not_looked_at(what, why, instead);
    let begin = taken_back.last().map(History::begin);
    let plan = begin.and_then(|begin| plan_of(workspace, plan, begin.plan.as_deref()));
    let (Some(begin), Some(plan)) = (begin, plan) else {
        return Err(not_looked_at("the journal of the apply is gone, or does not say where its plan is"));
    };
    let reproof = Reproof::read(globals, &plan, sources).map_err(|failure| not_looked_at(failure.message()))?;
    match begin.origin {
        Origin::Plan { digest } if digest == reproof.plan.digest => Ok(reproof),
        _ => Err(not_looked_at("the plan there is another one")),
    }
}

/// Refuses: it takes away, and nobody can tell what was used since.
fn not_looked_at(what: &str, why: &str, instead: &Instead) -> Failure {
    let message =
        format!("{what} again what was given back, and whether that was used since cannot be looked at: {why}");
    Failure::refused("not-rechecked", message).help(instead.after(
        "put the plan of the apply, its snapshot and the configuration back, or name the snapshots with --snapshot and \
         --older-snapshot; or ",
    ))
}

/// The addresses of what some journals have done in part, groups whole: they may be neither what they were nor what they are to
/// be. What one of a chain of rollbacks left in part, those after it find so.
pub(in crate::cli) fn in_part<'a>(histories: impl IntoIterator<Item = &'a History>) -> BTreeSet<String> {
    let of_one = |history: &'a History| {
        let steps = || history.steps().iter().enumerate();
        let is_done = |at: usize| matches!(history.progress(at), Progress::Done { .. });
        let units: BTreeSet<&str> =
            steps().filter(|(at, _)| !is_done(*at)).map(|(_, step)| step.unit.as_str()).collect();
        steps().filter(|(_, step)| units.contains(step.unit.as_str())).map(|(_, step)| step.address.clone()).collect()
    };
    histories.into_iter().flat_map(|history| -> BTreeSet<String> { of_one(history) }).collect()
}

/// Returns what of some units may not be taken away again: by unit, what was used since the plan, or who holds it now. `touched`
/// are the addresses of those that are done, or done in part: their documents, versions and attachments are not as they were by
/// our own doing. Who holds them is not: whoever came since was judged by nobody there too.
pub(in crate::cli) fn used_since(
    globals: &Globals,
    access: &AccessArgs,
    (cloud, wall): (&Cloud, &Wall),
    reproof: &Reproof,
    (units, touched): (&BTreeSet<&str>, &BTreeSet<String>),
    instead: &Instead,
) -> Result<BTreeMap<String, Refusal>, Failure> {
    let plan = &reproof.plan;
    let changes: Vec<&Change> = plan.changes.iter().filter(|change| units.contains(change.unit())).collect();
    let live = fresh_account(globals, access, (cloud, wall), reproof, &changes, Whose::Affected)?;
    check_endpoint(live.endpoint.as_deref(), &destination(plan))?;
    check_age(plan, &reproof.workspace, live.finished_at.unwrap_or_else(journals::now))
        .map_err(|failure| failure.help(instead.after("")))?;
    // Who holds it now was judged for the plan, or by nobody. Versions that came and went, and the sizes of what lies beside, are
    // the journals' own doing.
    let is_own = |refusal: &Refusal| matches!(refusal.name.as_str(), "version" | "versions" | "inline-size");
    // Who is gone needs nothing, and nothing can be taken from them.
    let there = without_gone(&changes, &live);
    let changes: Vec<&Change> = there.iter().collect();
    let moved = drift(&changes, &fresh_analysis(reproof, &live)?);
    let mut withheld = BTreeMap::new();
    for refusal in moved.into_iter().filter(|refusal| !is_own(refusal)) {
        let change = changes.iter().find(|change| change.address == refusal.address);
        if change.is_some_and(|own| touched.contains(&own.address) && is_of_own_change(own, &refusal)) {
            continue;
        }
        let unit = change.map(|change| change.unit());
        withheld.entry(unit.unwrap_or(&refusal.address).to_owned()).or_insert(refusal);
    }
    // What was given back looks new: the grants of the plan count, and every use that is listed by now.
    let judged = as_planned(reproof, &live, &changes);
    for (unit, refusal) in recheck(plan, &changes, &fresh_analysis(reproof, &judged)?, &reproof.options()?) {
        withheld.entry(unit).or_insert(refusal);
    }
    Ok(withheld)
}
