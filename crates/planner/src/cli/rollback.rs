//! `secateur rollback`

use std::collections::BTreeMap;

use similar::TextDiff;

use super::apply::{
    Closing, Wall, approve, check_account, check_endpoint_now, close, drive, lock, new_journal, open, refuse_open, way,
};
use super::failure::Failure;
use super::flags::{Format, Globals, RollbackArgs};
use super::inputs::Workspace;
use super::journals::{self, Found};
use super::{Exit, Outcome, output};
use crate::apply::journal::{Ending, FileStore, Folder, Record, State, close as close_journal};
use crate::apply::{Effect, Kept, Origin, Rollback, RollbackError, Step, rollback};
use crate::plan::Selection;
use crate::render::{count, visible};

pub(super) fn run(globals: &Globals, args: &RollbackArgs) -> Outcome {
    let workspace = Workspace::find(globals)?;
    let folder = journals::folder(&workspace);
    let found = journals::find(&folder, &args.journal)?;
    if let Some(expected) = args.expect_head.filter(|expected| *expected != found.history.head()) {
        let message = format!("the head of `{}` is {}, and {expected} is expected", found.id, found.history.head());
        return Err(Failure::refused("other-head", message).help("`secateur history` shows the heads"));
    }
    match found.history.state() {
        State::RolledBack(by) => return nothing(args.format, &format!("{} was rolled back by {by}", found.id)),
        State::NothingDone => return nothing(args.format, &format!("{} stopped before anything was done", found.id)),
        State::Open | State::Done | State::Abandoned(_) => {}
    }
    let way = way(&args.approval, None)?;
    let _lock = lock(&folder)?;
    refuse_open(&folder, Some(&found.id))?;
    let cloud = open(globals, &args.access)?;
    let destination = found.history.begin().destination.clone();
    check_account(&cloud, &destination)?;
    check_endpoint_now(&cloud, &destination)?;
    let wall = Wall::default();
    let selection = Selection { target: args.target.clone(), ..Selection::default() };
    let wants = |step: &Step| selection.wants(&step.address);
    let back = rollback(&cloud, &wall, args.approval.settle, &found.history, wants)
        .map_err(|error| refused(&found, &error))?;
    if args.format == Format::Text {
        output::print(&page(&found, &back))?;
    }
    if back.proposal.steps().is_empty() {
        if found.is_open() && back.is_whole {
            close_empty(found)?;
        }
        return nothing(args.format, "all is as it was before");
    }
    let question = format!("Do you want to take back {}?", visible(&found.id));
    let approved = approve(way, back.proposal, &question)?;
    let (id, mut journal) = new_journal(&cloud, &folder, approved, "rollback", None)?;
    let wall = Wall::listen(&cloud);
    let finish = || match back.is_whole {
        true => close_original(&folder, &found.id, &id),
        false => Ok(()),
    };
    let stop = drive(globals, &cloud, &wall, &mut journal, args.approval.settle, finish).err();
    close(&Closing {
        verb: "Rollback",
        format: args.format,
        journal: &folder.file(&id),
        id: &id,
        history: journal.history(),
        stop: stop.as_ref(),
        withheld: &BTreeMap::new(),
    })
}

fn nothing(format: Format, why: &str) -> Outcome {
    output::print(&match format {
        Format::Json => output::json(&serde_json::json!({ "outcome": "no-changes", "detail": why }))?,
        Format::Text => format!("No changes. There is nothing to take back: {}.\n", visible(why)),
    })?;
    Ok(Exit::Done)
}

/// Nothing of an open journal was done, or it is all as before: it need not be open.
fn close_empty(mut found: Found) -> Result<(), Failure> {
    let store = FileStore::open(&found.path).map_err(|error| Failure::io("write", &found.path, &error))?;
    close_journal(store, &mut found.history, Record::End { outcome: Ending::NothingDone }, journals::now())
        .map_err(|error| Failure::error("journal", error.to_string()).help("make room on the disk, and try again"))
}

/// Writes into a journal that it was rolled back; one that says so already, or is gone, is left. Only a rollback of all that
/// it did says so.
pub(super) fn close_original(folder: &Folder, id: &str, by: &str) -> Result<(), String> {
    let Ok(mut found) = journals::find(folder, id) else { return Ok(()) };
    if matches!(found.history.state(), State::RolledBack(_) | State::Abandoned(_)) {
        return Ok(());
    }
    let store = FileStore::open(&found.path).map_err(|error| error.to_string())?;
    let record = Record::RolledBack { journal: by.to_owned() };
    close_journal(store, &mut found.history, record, journals::now()).map_err(|error| error.to_string())
}

fn refused(found: &Found, error: &RollbackError) -> Failure {
    match error {
        RollbackError::Drifted(drifted) => {
            let lines: Vec<String> = drifted.iter().map(line).collect();
            let message =
                format!("somebody else has changed what `{}` left. Nothing was changed.{}", found.id, lines.concat());
            Failure::refused("drifted", message)
                .help("take back the rest with --target ADDRESS, and mend these by hand")
        }
        RollbackError::Call(error) => Failure::error("aws", error.to_string())
            .help("give the caller the permissions of docs/permissions.md, or look whether AWS can be reached"),
    }
}

fn line(kept: &Kept) -> String {
    format!("\n{}: {}", visible(&kept.address), visible(&kept.detail))
}

/// The plan of a rollback: each write, and how documents change.
fn page(found: &Found, back: &Rollback) -> String {
    let mut lines = vec![format!("Rollback of {}", visible(&found.id)), String::new()];
    if let Origin::Rollback { .. } = found.history.begin().origin {
        lines.push("It was a rollback itself: this does again what that one took back.".to_owned());
    }
    for step in back.proposal.steps() {
        let sign = match step.effect {
            Effect::DeleteInline { .. }
            | Effect::DeleteVersion { .. }
            | Effect::DeletePolicy { .. }
            | Effect::Detach { .. } => '-',
            Effect::CreateVersion { .. } | Effect::CreatePolicy { .. } | Effect::Attach { .. } => '+',
            Effect::PutInline { before: None, .. } => '+',
            Effect::PutInline { .. } | Effect::SetDefault { .. } | Effect::SetKey { .. } => '~',
        };
        lines.push(format!("  {sign} {}: {}", visible(&step.address), visible(&step.effect.to_string())));
        let (before, after) = step.effect.documents();
        if before.is_some() || after.is_some() {
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            let diff = TextDiff::from_lines(before, after);
            let unified = diff.unified_diff().context_radius(2).missing_newline_hint(false).to_string();
            lines.extend(unified.lines().map(|line| format!("      {}", visible(line))));
        }
    }
    for kept in &back.kept {
        lines.push(format!("  = {}: {}", visible(&kept.address), visible(&kept.detail)));
    }
    lines.push(String::new());
    lines.push(format!("Rollback: {} to make.", count(back.proposal.steps().len(), "write")));
    lines.push(format!("Digest: {}", back.proposal.digest()));
    lines.push(String::new());
    lines.join("\n")
}
