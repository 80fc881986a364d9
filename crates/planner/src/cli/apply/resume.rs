//! `secateur apply --resume`: on with the open journal.
//!
//! What was not begun is looked at and judged anew, as `apply` does; what may no longer be made is left, and told. A group
//! that was begun is finished while its evidence holds; else it is refused, with the ways back.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Closing, Named, Wall, again, approve, check_account, check_endpoint, close, drive, in_part, lock, open, plan_of,
    reproof, takes_away, tell_withheld, used_since, way,
};
use crate::apply::aws::Cloud;
use crate::apply::journal::{FileStore, Folder, Journal, Progress};
use crate::apply::{Destination, Left, Origin, Proposal, Proved, Reads, resume_plan, resume_rollback};
use crate::cli::failure::Failure;
use crate::cli::flags::{ApplyArgs, Format, Globals};
use crate::cli::inputs::Workspace;
use crate::cli::journals::{self, Found};
use crate::cli::reproof::{Reproof, Sources};
use crate::cli::{Outcome, output, rollback};
use crate::plan::Refusal;
use crate::render::visible;

pub(super) fn run(globals: &Globals, args: &ApplyArgs) -> Outcome {
    let wall = Wall::listen();
    let workspace = Workspace::find(globals)?;
    let folder = journals::folder(&workspace);
    let _lock = lock(&folder)?;
    let Some(found) = journals::open_one(&folder)? else {
        return Err(Failure::refused("not-open", "no journal is open: there is nothing to go on with")
            .help("`secateur history` shows what was applied"));
    };
    wall.is_about(journals::earlier(&found));
    let (proposal, reproof) = proposal(globals, args, &workspace, &found)?;
    let way = way(&args.approval, Some(proposal.digest()))?;
    let cloud = open(globals, &args.access)?;
    check_account(&cloud, proposal.destination())?;
    check_endpoint_now(&cloud, proposal.destination())?;
    journals::tell_ahead(&found, args.approval.settle);
    let left = Left::read(&cloud, &wall, args.approval.settle, &found.history)
        .map_err(|error| Failure::error("aws", error.to_string()).help(journals::ways_out(&found)))?;
    let withheld = match &reproof {
        Some(reproof) => again::check(globals, args, (&cloud, &wall), reproof, (&found, &left))?,
        None => taken_away_again(globals, args, (&cloud, &wall), (&workspace, &folder), (&found, &left))?,
    };
    match args.format {
        Format::Text => output::print(&page(&found, &left))?,
        // What is to be approved is shown; stdout has the result alone.
        Format::Json if !globals.quiet => output::note(&page(&found, &left)),
        Format::Json => {}
    }
    let question = format!("Do you want to go on with {}?", visible(&found.id));
    let approved = approve(way, proposal, &question)?;
    wall.writes();
    let store = FileStore::open(&found.path).map_err(|error| Failure::io("write", &found.path, &error))?;
    let caller = cloud.session().identity().arn.to_string();
    let mut journal = Journal::resume(
        store,
        found.history.clone(),
        approved,
        (caller, usize::from(args.approval.parallelism)),
        journals::now(),
    )
    .map_err(|error| Failure::error("journal", error.to_string()).help("make room on the disk, and try again"))?;
    for (at, step) in found.history.steps().iter().enumerate() {
        if let Some(refusal) = withheld.get(&step.unit) {
            let skipped = journal.withheld(at, &refusal.detail, journals::now());
            skipped.map_err(|error| Failure::error("journal", error.to_string()).help("make room on the disk"))?;
        }
    }
    let origin = found.history.begin().origin.clone();
    let finish = || rollback::note_above(&folder, &found.id);
    let stops = drive(globals, (&cloud, &wall), &mut journal, args.approval.settle, &left.theirs, finish);
    close(&Closing {
        verb: if matches!(origin, Origin::Plan { .. }) { "Apply" } else { "Rollback" },
        format: args.format,
        journal: &found.path,
        id: &found.id,
        history: journal.history(),
        stops: &stops,
        withheld: &withheld,
        changed: &left.changed,
    })
}

/// What of the rollback of a rollback may no longer be made: it takes away, and what was used since stays.
fn taken_away_again(
    globals: &Globals,
    args: &ApplyArgs,
    aws: (&Cloud, &Wall),
    (workspace, folder): (&Workspace, &Folder),
    (found, left): (&Found, &Left),
) -> Result<BTreeMap<String, Refusal>, Failure> {
    let above = rollback::above(folder, found)?;
    let units: BTreeSet<&str> = left.untouched.iter().chain(&left.begun).map(String::as_str).collect();
    // It takes away where the journal that it takes back had given: that is the last one above.
    let is_giving = match above.split_first() {
        Some((last, rest)) => !takes_away(last, rest),
        // It is gone; its name says what it was.
        None => taken_back(found).is_some_and(|journal| journal.contains("-apply-")),
    };
    if args.no_recheck || units.is_empty() || is_giving {
        return Ok(BTreeMap::new());
    }
    let named = Named {
        plan: args.plan.as_deref(),
        snapshot: args.snapshot.as_deref(),
        older_snapshot: args.older_snapshot.as_deref(),
        threads: args.threads,
    };
    let reproof = reproof(globals, workspace, named, &above)?;
    let touched = left.touched.iter().cloned().chain(in_part(&above)).collect();
    let withheld = used_since(globals, &args.access, aws, &reproof, (&units, &touched))?;
    if let Some((unit, refusal)) = withheld.iter().find(|(unit, _)| left.begun.contains(*unit)) {
        return Err(again::not_finished(unit, refusal, &journals::ways_out(found)));
    }
    tell_withheld(&withheld);
    Ok(withheld)
}

/// The id of the journal that one takes back.
fn taken_back(found: &Found) -> Option<&str> {
    match &found.history.begin().origin {
        Origin::Rollback { journal, .. } => Some(journal),
        Origin::Plan { .. } => None,
    }
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

/// The endpoint is known after the first call to IAM.
pub(in crate::cli) fn check_endpoint_now(cloud: &Cloud, to: &Destination) -> Result<(), Failure> {
    let nobody = crate::apply::EntityRef { kind: crate::apply::EntityKind::Role, name: "secateur-nobody".to_owned() };
    cloud.entity(&nobody).map_err(|error| {
        Failure::error("aws", error.to_string()).help("give the caller the permissions of docs/permissions.md")
    })?;
    check_endpoint(cloud.session().endpoint().as_deref(), to)
}

/// How far the journal is, and what of it somebody else has done.
fn page(found: &Found, left: &Left) -> String {
    let mut lines = vec![format!("Journal {}", visible(&found.id))];
    for (at, step) in found.history.steps().iter().enumerate() {
        let word = match found.history.progress(at) {
            _ if left.theirs.contains(&at) => "not ours",
            _ if left.changed.contains_key(&at) => "changed",
            Progress::Done { .. } => "done",
            Progress::Skipped { .. } => "skipped",
            Progress::Intended { .. } => "not known",
            Progress::Open => "left",
        };
        lines.push(format!("  {word:<9} {}", visible(&step.effect.to_string())));
    }
    if !left.changed.is_empty() {
        lines.push(
            "What is `changed` was done by this journal, and somebody else has changed it since: their work stands."
                .to_owned(),
        );
    }
    if !left.theirs.is_empty() {
        lines.push(
            "What is `not ours` is done, and this journal never began it: somebody else did it, or the disk lost its record. \
             It is passed over, and no rollback of this journal takes it back."
                .to_owned(),
        );
    }
    lines.push(String::new());
    lines.join("\n")
}
