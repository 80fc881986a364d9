//! Whether what a journal would write was reviewed, as far as what lies beside it tells: its plan, and what that was made from.

use std::path::Path;

use secateur_analyzer::document::{Sha256, fingerprint};

use super::apply::plan_of;
use super::failure::Failure;
use super::flags::{ApprovalArgs, Globals, SourceArgs};
use super::inputs::Workspace;
use super::journals::{self, Found};
use super::reproof::Reproof;
use super::rollback::edited;
use super::show::read_plan;
use crate::apply::journal::History;
use crate::apply::{Bearing, Effect, Proved, Step, VersionRef, bearing};

/// Refuses a journal whose steps are not those of its plan. Where that cannot be told any more, somebody has to look: at the
/// page, whose digest is approved, or at the journal, whose head was pinned when it was written.
pub(super) fn check_bearing(
    globals: &Globals,
    workspace: &Workspace,
    found: &Found,
    sources: &SourceArgs,
    (approval, expect_head): (&ApprovalArgs, Option<Sha256>),
) -> Result<(), Failure> {
    let taken_back = journals::above_then(&journals::folder(workspace), found)?;
    let first = taken_back.last().unwrap_or(&found.history);
    let path = plan_of(workspace, None, first.begin().plan.as_deref());
    let plan = path.as_deref().and_then(|path| read_plan(path).ok());
    let said = bearing(&found.history, plan.as_ref(), &taken_back).map_err(|error| edited(found, &error))?;
    if !approval.auto_approve || expect_head.is_some() {
        return Ok(());
    }
    // A plan and a journal that were forged together bear each other out: what the plan was made from has to bear both.
    let borne = match (said, path) {
        (Bearing::Borne, Some(path)) => proves(globals, (workspace, &path), sources, first),
        (Bearing::Borne, None) => Err("it does not say where its plan is".to_owned()),
        (Bearing::Unknown(why), _) => Err(why),
    };
    let Err(why) = borne else { return Ok(()) };
    let message = format!("nobody can tell whether `{}` says what was reviewed: {why}", found.id);
    Err(Failure::refused("unapproved", message).help(
        "review what it would write, and approve of that by --approve DIGEST; or say by --expect-head HASH which head it \
         had when it was written; or put back its plan, the snapshot and the configuration of that, or name the snapshots with \
         --snapshot and --older-snapshot",
    ))
}

/// Proves the plan of an apply once more, as `apply` did before it began, and that the versions that made room said what the
/// journal says. Fails with what keeps it from that: most often that a newer snapshot lies where the plan's was.
///
/// Whoever writes a plan chooses what it names: a snapshot is believed where `collect` puts it, or where who rolls back says.
fn proves(
    globals: &Globals,
    (workspace, path): (&Workspace, &Path),
    sources: &SourceArgs,
    first: &History,
) -> Result<(), String> {
    let why = |failure: &Failure| format!("its plan cannot be proved again: {}", failure.message());
    let sources = SourceArgs {
        snapshot: Some(sources.snapshot.clone().unwrap_or_else(|| workspace.state("snapshot"))),
        older_snapshot: sources.older_snapshot.clone(),
        threads: sources.threads,
    };
    let reproof = Reproof::read(globals, path, &sources).map_err(|failure| why(&failure))?;
    let analysis = reproof.analysis().map_err(|failure| why(&failure))?;
    let options = reproof.options().map_err(|failure| why(&failure))?;
    Proved::new(&reproof.plan, &analysis, &options).map_err(|refusals| why(&Failure::refusals(path, &refusals)))?;
    match first.steps().iter().find(|step| is_other_version(step, &reproof)) {
        None => Ok(()),
        Some(step) => Err(format!("{}: the snapshot does not say that of it: {}", step.address, step.effect)),
    }
}

/// Whether a step deletes a version that says something else in the snapshot. The plan has no documents of these.
fn is_other_version(step: &Step, reproof: &Reproof) -> bool {
    let Effect::DeleteVersion { policy, version } = &step.effect else { return false };
    let policies = reproof.account.policies.iter().filter(|own| own.arn == *policy);
    let mut versions = policies.flat_map(|own| &own.versions);
    !versions.any(|own| {
        VersionRef::Id(own.id.clone()) == version.version
            && own.document.as_ref().is_some_and(|own| fingerprint(own.text()) == fingerprint(&version.document))
    })
}
