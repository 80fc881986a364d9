//! `secateur history`

use serde::Serialize;

#[cfg(feature = "aws")]
use super::failure::Failure;
use super::flags::{Format, Globals, HistoryArgs};
use super::inputs::Workspace;
use super::journals::{self, Found, Unusable};
use super::{Exit, Outcome, output, overtaken};
use crate::apply::journal::State;
use crate::render::visible;

#[derive(Serialize)]
struct Row {
    id: String,
    kind: &'static str,
    state: &'static str,
    detail: Option<String>,
    began_at: String,
    /// The one that was the last when it began.
    after: Option<String>,
    /// One that began before it, and is of a later time.
    #[serde(skip)]
    later: Option<String>,
    caller_arn: String,
    approved_by: String,
    digest: String,
    of: Option<String>,
    steps: usize,
    done: usize,
    in_doubt: usize,
    taken_back: usize,
    head: String,
}

pub(super) fn run(globals: &Globals, args: &HistoryArgs) -> Outcome {
    let workspace = Workspace::find(globals)?;
    let folder = journals::folder(&workspace);
    #[cfg(feature = "aws")]
    if let (Some(id), Some(reason)) = (&args.abandon, &args.reason) {
        return abandon(&folder, id, reason);
    }
    let listed = journals::listed(&folder)?;
    let rows: Vec<Line> = listed
        .iter()
        .map(|own| match own {
            Ok(found) => Line::Read(Box::new(row(found, &listed))),
            Err(unusable) => Line::Unusable {
                id: unusable.id.clone(),
                state: unusable.failure.reason(),
                detail: unusable.failure.message().to_owned(),
            },
        })
        .collect();
    output::print(&match args.format {
        Format::Text => text(&rows),
        Format::Json => output::json(&rows)?,
    })?;
    // It blocks the next apply, as an open one does.
    let unusable = listed.iter().filter_map(|own| own.as_ref().err());
    Ok(unusable.fold(Exit::Done, |_, own| own.failure.report(false)))
}

#[derive(Serialize)]
#[serde(untagged)]
enum Line {
    Read(Box<Row>),
    /// One that cannot be read: whether it is open is not known.
    Unusable {
        id: String,
        state: &'static str,
        detail: String,
    },
}

fn row(found: &Found, listed: &[Result<Found, Unusable>]) -> Row {
    let (history, begin) = (&found.history, found.history.begin());
    let all: Vec<&Found> = listed.iter().flatten().collect();
    let detail = match history.state() {
        State::RolledBack(by) => Some(format!("by {by}")),
        State::Abandoned(reason) => Some(reason.clone()),
        State::Open => history.stopped().map(|(reason, detail)| format!("{reason}: {detail}")),
        State::Done => overtaken::whole(&all, found).map(|other| format!("overtaken by {}", other.id)),
        State::NothingDone => None,
    };
    let before = found.before().filter_map(|id| listed.iter().flatten().find(|own| own.id == id));
    let later = before.into_iter().find(|own| own.history.began_at() > history.began_at());
    Row {
        id: found.id.clone(),
        kind: found.kind(),
        state: history.state().as_str(),
        detail,
        began_at: history.began_at().to_string(),
        after: begin.after.clone(),
        later: later.map(|own| format!("{}, which is of {}", own.id, own.history.began_at())),
        caller_arn: begin.caller_arn.clone(),
        approved_by: begin.approved_by.clone(),
        digest: begin.digest.to_string(),
        of: begin.origin.takes_back().map(str::to_owned),
        steps: history.steps().len(),
        done: history.done(),
        in_doubt: history.in_doubt(),
        taken_back: history.taken_back(),
        head: history.head().to_string(),
    }
}

fn text(rows: &[Line]) -> String {
    if rows.is_empty() {
        return "Nothing was applied from here.\n".to_owned();
    }
    let mut lines = Vec::new();
    for row in rows {
        let row = match row {
            Line::Read(row) => row,
            Line::Unusable { id, state, .. } => {
                lines.push(visible(id).into_owned());
                lines.push(format!("  {state}: whether it is open is not known"));
                continue;
            }
        };
        let of = row.of.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
        let detail = row.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
        lines.push(visible(&row.id).into_owned());
        lines.push(format!("  {}{of}, {}{}", row.kind, row.state, visible(&detail)));
        let back = match row.taken_back {
            0 => String::new(),
            more => format!(", {more} taken back"),
        };
        let in_doubt = journals::in_doubt(row.in_doubt);
        lines.push(format!("  {} of {} writes done{in_doubt}{back}, begun {}", row.done, row.steps, row.began_at));
        if let Some(later) = &row.later {
            lines.push(format!("  one clock was wrong: it began after {}", visible(later)));
        }
        lines.push(format!("  by {}, approved by {}", visible(&row.caller_arn), visible(&row.approved_by)));
        lines.push(format!("  digest {}", row.digest));
        lines.push(format!("  head   {}", row.head));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Closes an open journal as it is.
#[cfg(feature = "aws")]
fn abandon(folder: &crate::apply::journal::Folder, id: &str, reason: &str) -> Outcome {
    use crate::apply::journal::{FileStore, Record, close};

    if reason.trim().is_empty() {
        return Err(Failure::usage("--reason says nothing").help("say why nothing more is to be done about it"));
    }
    let _lock = super::apply::lock(folder)?;
    let mut found = journals::find(folder, id)?;
    if !found.is_open() {
        let message = format!("the journal `{}` is not open: it is {}", found.id, found.history.state().as_str());
        return Err(Failure::refused("not-open", message).help("`secateur history` shows which is open"));
    }
    let store = FileStore::open(&found.path).map_err(|error| Failure::io("write", &found.path, &error))?;
    let record = Record::Abandoned { reason: reason.to_owned() };
    close(store, &mut found.history, record, journals::now())
        .map_err(|error| Failure::error("journal", error.to_string()).help("make room on the disk, and try again"))?;
    // What a rollback took back before it was given up is not in force any more.
    super::rollback::note_above(folder, &found.id, super::rollback::Known::Written).map_err(|error| {
        Failure::error("journal", error).help("make room on the disk, and look who may write there")
    })?;
    let history = &found.history;
    output::print(&format!(
        "Abandoned {}: {} of {} writes are done{}, and stay so.\n",
        visible(&found.id),
        history.done(),
        history.steps().len(),
        journals::in_doubt(history.in_doubt())
    ))?;
    if history.is_halved() {
        output::note(&format!(
            "It is exchanged in part, and stays so: whoever has both the old and the new keeps both, as far as a new plan goes. \
             `secateur rollback {}` takes it back.",
            visible(&found.id)
        ));
    }
    Ok(Exit::Done)
}
