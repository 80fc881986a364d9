//! Running the steps: progress, and what is said at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::wall::Wall;
use crate::apply::aws::Cloud;
use crate::apply::journal::{FileStore, History, Journal, Progress, State};
use crate::apply::{CallError, EntityRef, Patience, Run, Stop};
use crate::cli::failure::Failure;
use crate::cli::flags::{Format, Globals};
use crate::cli::ways::Ways;
use crate::cli::{Exit, Outcome, output};
use crate::plan::Refusal;
use crate::render::{count, visible};

/// Makes the steps of a journal, but for those that were found done and are not its own, and those of whoever was found gone. `below` is
/// the journal that a rollback takes back, as it stood when that was planned.
pub(in crate::cli) fn drive(
    globals: &Globals,
    (cloud, wall): (&Cloud, &Wall),
    journal: &mut Journal<FileStore>,
    settle: i64,
    (theirs, gone, below): (&BTreeSet<usize>, &BTreeSet<EntityRef>, Option<&History>),
    finish: impl FnOnce() -> Result<(), String>,
) -> Vec<Stop> {
    wall.writes();
    let steps = journal.history().steps().to_vec();
    let tell_as = |at: usize, how: &str| {
        if let (false, Some(step)) = (globals.quiet, steps.get(at)) {
            output::note(&format!("[{}/{}] {how}{}", at + 1, steps.len(), visible(&step.effect.to_string())));
        }
    };
    let is_gone = |at: usize| steps.get(at).is_some_and(|step| step.is_of(gone));
    let tell = |at: usize| {
        if !theirs.contains(&at) && !is_gone(at) {
            tell_as(at, "");
        }
    };
    let pass = |at: usize| {
        let why = match theirs.contains(&at) {
            true => "done by somebody else",
            false if is_gone(at) => "who it is of is gone",
            false => "it is gone",
        };
        tell_as(at, &format!("passed over, {why}: "));
    };
    let patience = Patience { settle, ..Patience::default() };
    let mut run = Run { journal, cloud, clock: wall, patience, on_step: &tell, on_passed: &pass, theirs, gone, below };
    let ended = run.run().and_then(|()| {
        finish().map_err(|error| vec![Stop::Journal(error)])?;
        run.finish().map_err(|stop| vec![stop])
    });
    ended.err().unwrap_or_default()
}

/// What is said at the end.
pub(in crate::cli) struct Closing<'a> {
    /// `Apply` or `Rollback`.
    pub verb: &'static str,
    /// Whether it gave back what an apply took away: to undo that is to apply again.
    pub gives_back: bool,
    pub format: Format,
    pub journal: &'a Path,
    pub id: &'a str,
    pub history: &'a History,
    /// Why it stopped: what counts first.
    pub stops: &'a [Stop],
    pub withheld: &'a BTreeMap<String, Refusal>,
    /// The steps that were done before, and that somebody else has changed since: what is there.
    pub changed: &'a BTreeMap<usize, String>,
}

#[derive(Serialize)]
struct Summary<'a> {
    outcome: &'static str,
    reason: Option<&'static str>,
    detail: Option<String>,
    /// Writes that failed at the same time.
    also: Vec<Also<'a>>,
    journal: String,
    id: &'a str,
    head: String,
    writes: usize,
    writes_done: usize,
    changes: Vec<ChangeState<'a>>,
    withheld: Vec<WithheldNow<'a>>,
    /// What was done before, and somebody else has changed since.
    changed_since: Vec<ChangedSince<'a>>,
    /// The commands that go on, back, or leave it.
    commands: Vec<String>,
}

#[derive(Serialize)]
struct Also<'a> {
    address: Option<&'a str>,
    reason: &'static str,
    detail: String,
}

impl Also<'_> {
    fn line(&self) -> String {
        let address = self.address.map(|address| format!("{}: ", visible(address))).unwrap_or_default();
        format!("Stopped too: {address}{}", visible(&self.detail))
    }
}

#[derive(Serialize)]
struct ChangeState<'a> {
    address: &'a str,
    state: &'static str,
}

#[derive(Serialize)]
struct WithheldNow<'a> {
    unit: &'a str,
    address: &'a str,
    reason: &'a str,
    detail: &'a str,
}

#[derive(Serialize)]
struct ChangedSince<'a> {
    address: &'a str,
    detail: String,
}

impl ChangedSince<'_> {
    fn line(&self) -> String {
        format!(
            "  {}: done before, since then changed by somebody else: left as it is ({})",
            visible(self.address),
            visible(&self.detail)
        )
    }
}

/// What somebody else has changed since it was done: for each change, the first that is not as it was left.
fn changed_since<'a>(closing: &Closing<'a>) -> Vec<ChangedSince<'a>> {
    let mut all: Vec<ChangedSince<'a>> = Vec::new();
    for (at, detail) in closing.changed {
        let Some(step) = closing.history.steps().get(*at) else { continue };
        if all.iter().all(|own| own.address != step.address) {
            let detail = format!("{}: {detail}", step.effect);
            all.push(ChangedSince { address: &step.address, detail });
        }
    }
    all
}

/// How far each change is, in the order of the steps.
fn states(history: &History) -> Vec<ChangeState<'_>> {
    let mut order: Vec<&str> = Vec::new();
    let mut by: BTreeMap<&str, Vec<&Progress>> = BTreeMap::new();
    for (at, step) in history.steps().iter().enumerate() {
        let own = by.entry(&step.address).or_insert_with(|| {
            order.push(&step.address);
            Vec::new()
        });
        own.push(history.progress(at));
    }
    let state = |progress: &Vec<&Progress>| {
        let is_done = |progress: &&&Progress| matches!(progress, Progress::Done { .. } | Progress::Skipped { .. });
        let is_unknown = |progress: &&Progress| matches!(progress, Progress::Intended { .. });
        match progress.iter().filter(is_done).count() {
            _ if progress.iter().all(|progress| matches!(progress, Progress::Skipped { .. })) => "skipped",
            _ if progress.iter().any(is_unknown) => "unknown",
            0 => "left",
            all if all == progress.len() => "done",
            _ => "in-part",
        }
    };
    let of = |address: &'_ str| by.get(address).map_or("left", state);
    order.iter().map(|address| ChangeState { address, state: of(address) }).collect()
}

fn also<'a>(history: &'a History, stop: &Stop) -> Also<'a> {
    let step = stop.step().and_then(|at| history.steps().get(at));
    let detail = match step {
        Some(step) => format!("{}: {}", step.effect, stop.detail()),
        None => stop.detail(),
    };
    Also { address: step.map(|step| step.address.as_str()), reason: stop.reason(), detail }
}

/// Says what was done and what is left, and returns the exit code.
pub(in crate::cli) fn close(closing: &Closing<'_>) -> Outcome {
    let Closing { verb, history, stops, .. } = closing;
    let stop = stops.first();
    let states = states(history);
    // As long as it is open, it blocks the next apply, whatever was done.
    let is_nothing = *history.state() == State::NothingDone;
    let outcome = match stop {
        None => "complete",
        Some(_) if is_nothing => "nothing-done",
        Some(_) => "incomplete",
    };
    let withheld = closing.withheld.iter().map(|(unit, refusal)| WithheldNow {
        unit,
        address: &refusal.address,
        reason: &refusal.name,
        detail: &refusal.detail,
    });
    let summary = Summary {
        outcome,
        reason: stop.map(Stop::reason),
        detail: stop.map(Stop::detail),
        also: stops.iter().skip(1).map(|stop| also(history, stop)).collect(),
        journal: closing.journal.display().to_string(),
        id: closing.id,
        head: history.head().to_string(),
        writes: history.steps().len(),
        writes_done: history.done(),
        withheld: withheld.collect(),
        changed_since: changed_since(closing),
        commands: commands(outcome, closing),
        changes: states,
    };
    let page = match closing.format {
        Format::Json => output::json(&summary)?,
        Format::Text => {
            let number = |state: &str| summary.changes.iter().filter(|own| own.state == state).count();
            let mut lines = vec![String::new()];
            let (begun, left_out) = withheld_changes(closing);
            let skipped = match number("skipped").saturating_sub(begun) {
                0 => String::new(),
                more => format!(", {more} passed over"),
            };
            let withheld = match begun + left_out {
                0 => String::new(),
                more => format!(", {more} withheld"),
            };
            match outcome {
                "complete" => {
                    lines.push(format!("{verb} complete! {} made{skipped}{withheld}.", count(number("done"), "change")))
                }
                "nothing-done" => {
                    lines.push(format!("{verb} stopped before anything was changed."));
                    lines.extend(summary.also.iter().map(Also::line));
                }
                _ => {
                    lines.push(format!(
                        "{verb} incomplete! {} made, {} in part, {} not known, {} left{skipped}{withheld}.",
                        count(number("done"), "change"),
                        number("in-part"),
                        number("unknown"),
                        number("left")
                    ));
                    let rest = summary.changes.iter().filter(|own| !matches!(own.state, "done" | "skipped"));
                    lines.extend(rest.map(|own| format!("  {} {}", own.state, visible(own.address))));
                    lines.extend(summary.also.iter().map(Also::line));
                }
            }
            lines.extend(summary.changed_since.iter().map(ChangedSince::line));
            lines.push(format!("Journal: {}", visible(&summary.journal)));
            lines.push(format!("Head:    {}", summary.head));
            if outcome == "complete" {
                let what = if closing.gives_back { "To do it again: " } else { "To take it back:" };
                lines.push(format!("{what} secateur rollback {}", visible(closing.id)));
            }
            lines.push(String::new());
            lines.join("\n")
        }
    };
    output::print(&page)?;
    let Some(stop) = stop else { return Ok(Exit::Done) };
    Ok(failure(closing, stop, outcome).report(false))
}

/// How many changes are withheld: those that the journal is about, groups whole; and how many units are that it is not.
fn withheld_changes(closing: &Closing<'_>) -> (usize, usize) {
    let units: BTreeSet<&str> = closing.withheld.keys().map(String::as_str).collect();
    let steps = closing.history.steps().iter().filter(|step| units.contains(step.unit.as_str()));
    let changes: BTreeSet<&str> = steps.map(|step| step.address.as_str()).collect();
    let with_steps: BTreeSet<&str> = closing.history.steps().iter().map(|step| step.unit.as_str()).collect();
    (changes.len(), units.iter().filter(|unit| !with_steps.contains(*unit)).count())
}

fn commands(outcome: &str, closing: &Closing<'_>) -> Vec<String> {
    match outcome {
        "complete" => vec![format!("secateur rollback {}", closing.id)],
        "nothing-done" => once_more(closing).into_iter().collect(),
        _ => ways(closing).commands,
    }
}

/// The ways out, where it did not end: what else is open, it takes back.
fn ways(closing: &Closing<'_>) -> Ways {
    let other = closing.history.begin().origin.takes_back();
    let has_other = other.is_some_and(|other| closing.journal.with_file_name(format!("{other}.jsonl")).is_file());
    Ways::of(closing.id, closing.history, has_other)
}

/// The command that tries a rollback once more; an apply wants a new plan.
fn once_more(closing: &Closing<'_>) -> Option<String> {
    closing.history.begin().origin.takes_back().map(|journal| format!("secateur rollback {journal}"))
}

/// Why it stopped, and what to do.
fn failure(closing: &Closing<'_>, stop: &Stop, outcome: &str) -> Failure {
    let at = stop.step().and_then(|at| closing.history.steps().get(at));
    let message = match at {
        Some(step) => format!("{}: {}: {}", step.address, step.effect, stop.detail()),
        None => stop.detail(),
    };
    if outcome == "nothing-done" {
        let failure = match stop {
            Stop::Drifted { .. } | Stop::DoneByOthers { .. } => Failure::refused(stop.reason(), message),
            _ => Failure::error(stop.reason(), message),
        };
        let ways = match once_more(closing) {
            Some(again) => format!("`{again}` looks at it anew, and tries again"),
            None => "make a new plan with `secateur plan`, and review it again".to_owned(),
        };
        return failure.help(advice(stop, &ways));
    }
    Failure::partly(stop.reason(), message).help(advice(stop, &ways(closing).text))
}

fn advice(stop: &Stop, ways: &str) -> String {
    let first = match stop {
        Stop::Call { error: CallError::Refused { permission: Some(permission), .. }, .. } => {
            format!("allow `{permission}` for the caller: {}; ", where_it_stands(permission))
        }
        Stop::Call { error: CallError::Refused { code, .. }, .. } => match code.as_str() {
            "ExpiredToken" | "ExpiredTokenException" | "InvalidClientTokenId" => "renew the credentials; ",
            "LimitExceeded" => "make room within the quota that AWS names; ",
            "UnmodifiableEntity" => "leave this entity out: only AWS changes it; ",
            _ => "",
        }
        .to_owned(),
        Stop::Call { .. } => "look whether AWS can be reached; ".to_owned(),
        Stop::Journal(_) => "make room on the disk; ".to_owned(),
        Stop::Drifted { .. } | Stop::DoneByOthers { .. } | Stop::NotSeen { .. } | Stop::Interrupted => String::new(),
    };
    format!("{first}{ways}")
}

/// Which policy of docs/permissions.md has a permission.
fn where_it_stands(permission: &str) -> &'static str {
    let name = permission.strip_prefix("iam:").unwrap_or_default();
    if name.is_empty() {
        "docs/permissions.md has the policies"
    } else if name == "ListAccessKeys" {
        // The keys of a user are read as they are collected.
        "docs/permissions.md has it in the policy to collect"
    } else if name.starts_with("Get") || name.starts_with("List") {
        "docs/permissions.md has it in the policy to apply, under `ReadJustBefore`"
    } else {
        "docs/permissions.md has it in the policy to apply, under `WriteWhatWasReviewed`"
    }
}
