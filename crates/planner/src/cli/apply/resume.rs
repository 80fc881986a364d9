//! `secateur apply --resume`: on with the open journal.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Closing, Wall, Whose, approve, check_account, check_age, check_endpoint, close, drive, fresh_account,
    fresh_analysis, lock, open, plan_of, tell_withheld, way,
};
use crate::apply::aws::Cloud;
use crate::apply::journal::{FileStore, History, Journal, Progress};
use crate::apply::{Destination, Origin, Proposal, Proved, Reads, resume_plan, resume_rollback};
use crate::cli::failure::Failure;
use crate::cli::flags::{ApplyArgs, Format, Globals};
use crate::cli::inputs::Workspace;
use crate::cli::journals::{self, Found};
use crate::cli::reproof::{Reproof, Sources};
use crate::cli::{Outcome, output, rollback};
use crate::plan::{Change, Refusal, drift, recheck};
use crate::render::visible;

pub(super) fn run(globals: &Globals, args: &ApplyArgs) -> Outcome {
    let workspace = Workspace::find(globals)?;
    let folder = journals::folder(&workspace);
    let _lock = lock(&folder)?;
    let open_one = journals::all(&folder)?.into_iter().rev().find(Found::is_open);
    let Some(found) = open_one else {
        return Err(Failure::refused("not-open", "no journal is open: there is nothing to go on with")
            .help("`secateur history` shows what was applied"));
    };
    let (proposal, reproof) = proposal(globals, args, &workspace, &found)?;
    let way = way(&args.approval, Some(proposal.digest()))?;
    let cloud = open(globals, &args.access)?;
    check_account(&cloud, proposal.destination())?;
    check_endpoint_now(&cloud, proposal.destination())?;
    let withheld = match &reproof {
        Some(reproof) => {
            check_age(&reproof.plan, &workspace, cloud.session().now())
                .map_err(|failure| journals::needs_its_plan(&found, failure))?;
            recheck_left(globals, args, &cloud, reproof, &found.history)?
        }
        None => BTreeMap::new(),
    };
    tell_withheld(&withheld);
    if args.format == Format::Text {
        output::print(&left(&found))?;
    }
    let question = format!("Do you want to go on with {}?", visible(&found.id));
    let approved = approve(way, proposal, &question)?;
    let store = FileStore::open(&found.path).map_err(|error| Failure::io("write", &found.path, &error))?;
    let caller = cloud.session().identity().arn.to_string();
    let mut journal = Journal::resume(store, found.history.clone(), approved, caller, journals::now())
        .map_err(|error| Failure::error("journal", error.to_string()).help("make room on the disk, and try again"))?;
    for (at, step) in found.history.steps().iter().enumerate() {
        if let Some(refusal) = withheld.get(&step.unit) {
            let skipped = journal.skipped(at, &refusal.detail, journals::now());
            skipped.map_err(|error| Failure::error("journal", error.to_string()).help("make room on the disk"))?;
        }
    }
    let wall = Wall::listen(&cloud);
    let origin = found.history.begin().origin.clone();
    let finish = || rollback::note_above(&folder, &found.id);
    let stop = drive(globals, &cloud, &wall, &mut journal, args.approval.settle, finish).err();
    close(&Closing {
        verb: if matches!(origin, Origin::Plan { .. }) { "Apply" } else { "Rollback" },
        format: args.format,
        journal: &found.path,
        id: &found.id,
        history: journal.history(),
        stop: stop.as_ref(),
        withheld: &withheld,
    })
}

/// What is to be gone on with: of a plan, derived from it anew; of a rollback, what its digest covers.
fn proposal(
    globals: &Globals,
    args: &ApplyArgs,
    workspace: &Workspace,
    found: &Found,
) -> Result<(Proposal, Option<Reproof>), Failure> {
    let edited = |error: crate::apply::ResumeError| journals::not_resumed(found, &error);
    let begin = found.history.begin();
    if let Origin::Rollback { .. } = begin.origin {
        return Ok((resume_rollback(&found.history).map_err(edited)?, None));
    }
    let path = plan_of(workspace, args.plan.as_deref(), begin.plan.as_deref()).ok_or_else(|| {
        Failure::usage("the journal does not say where its plan is").help("name it: `secateur apply PLAN --resume`")
    })?;
    let sources = Sources {
        plan: &path,
        snapshot: args.snapshot.as_deref(),
        older_snapshot: args.older_snapshot.as_deref(),
        threads: args.threads,
    };
    let lost = |failure: Failure| journals::needs_its_plan(found, failure);
    let reproof = Reproof::read(globals, &sources).map_err(lost)?;
    let analysis = reproof.analysis().map_err(lost)?;
    let options = reproof.options().map_err(lost)?;
    let proved = Proved::new(&reproof.plan, &analysis, &options)
        .map_err(|refusals| lost(Failure::refusals(&path, &refusals)))?;
    let proposal = resume_plan(&found.history, &proved, workspace.config.apply.evict_oldest_version).map_err(edited)?;
    drop(analysis);
    Ok((proposal, Some(reproof)))
}

/// Judges anew what is left whole: by fresh reports it may no longer be made. What was begun is ended.
fn recheck_left(
    globals: &Globals,
    args: &ApplyArgs,
    cloud: &Cloud,
    reproof: &Reproof,
    history: &History,
) -> Result<BTreeMap<String, Refusal>, Failure> {
    let begun: BTreeSet<&str> = (history.steps().iter().enumerate())
        .filter(|(at, _)| *history.progress(*at) != Progress::Open || history.may_have_begun() == Some(*at))
        .map(|(_, step)| step.unit.as_str())
        .collect();
    let is_left = |unit: &str| !begun.contains(unit) && history.steps().iter().any(|step| step.unit == unit);
    let left: Vec<&Change> = reproof.plan.changes.iter().filter(|change| is_left(change.unit())).collect();
    if args.no_recheck || left.is_empty() {
        return Ok(BTreeMap::new());
    }
    let live = fresh_account(globals, &args.access, cloud, reproof, &left, Whose::Affected)?;
    let judged = fresh_analysis(reproof, &live)?;
    // What has another document by now is drift, and stops it at its step.
    let drifted = drift(&left, &judged);
    let is_moved = |change: &&Change| drifted.iter().any(|drift| drift.address == change.address);
    let moved: BTreeSet<&str> = left.iter().copied().filter(is_moved).map(Change::unit).collect();
    let same: Vec<&Change> = left.iter().copied().filter(|change| !moved.contains(change.unit())).collect();
    Ok(recheck(&reproof.plan, &same, &judged, &reproof.options()?))
}

/// The endpoint is known after the first call to IAM.
pub(in crate::cli) fn check_endpoint_now(cloud: &Cloud, to: &Destination) -> Result<(), Failure> {
    let nobody = crate::apply::EntityRef { kind: crate::apply::EntityKind::Role, name: "secateur-nobody".to_owned() };
    cloud.entity(&nobody).map_err(|error| {
        Failure::error("aws", error.to_string()).help("give the caller the permissions of docs/permissions.md")
    })?;
    check_endpoint(cloud.session().endpoint().as_deref(), to)
}

fn left(found: &Found) -> String {
    let mut lines = vec![format!("Journal {}", visible(&found.id))];
    for (at, step) in found.history.steps().iter().enumerate() {
        let word = match found.history.progress(at) {
            Progress::Done { .. } => "done",
            Progress::Skipped => "skipped",
            Progress::Intended { .. } => "not known",
            Progress::Open => "left",
        };
        lines.push(format!("  {word:<9} {}", visible(&step.effect.to_string())));
    }
    lines.push(String::new());
    lines.join("\n")
}
