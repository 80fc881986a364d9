//! `secateur verify`

use std::path::Path;

use serde::Serialize;

use super::failure::Failure;
use super::flags::{Format, Globals, VerifyArgs};
use super::inputs::Workspace;
use super::reproof::Reproof;
use super::{Exit, Outcome, output};
use crate::plan::{Plan, verify};
use crate::render::visible;

pub(super) fn run(globals: &Globals, args: &VerifyArgs) -> Outcome {
    let reproof = Reproof::read(globals, &args.plan, &args.sources)?;
    let analysis = reproof.analysis()?;
    let options = reproof.options()?;
    verify(&reproof.plan, &analysis, &options).map_err(|refusals| Failure::refusals(&args.plan, &refusals))?;
    #[cfg(feature = "aws")]
    if args.live {
        return live(globals, args, &reproof);
    }
    report(&reproof.plan, &reproof.dir, &reproof.workspace, args.format)?;
    Ok(Exit::Done)
}

/// Says what is no longer as the plan expects.
#[cfg(feature = "aws")]
fn live(globals: &Globals, args: &VerifyArgs, reproof: &Reproof) -> Outcome {
    #[derive(Serialize)]
    struct Drift<'a> {
        address: &'a str,
        what: &'a str,
        detail: &'a str,
    }
    #[derive(Serialize)]
    struct Live<'a> {
        verified: bool,
        digest: &'a secateur_analyzer::document::Sha256,
        changes: usize,
        drift: Vec<Drift<'a>>,
    }
    let refusals = super::apply::compare(globals, &args.access, reproof)?;
    let drift =
        refusals.iter().map(|drift| Drift { address: &drift.address, what: &drift.name, detail: &drift.detail });
    let changes = reproof.plan.changes.len();
    let live = Live { verified: true, digest: &reproof.plan.digest, changes, drift: drift.collect() };
    match args.format {
        Format::Json => output::print(&output::json(&live)?)?,
        Format::Text if live.drift.is_empty() => {
            report(&reproof.plan, &reproof.dir, &reproof.workspace, args.format)?;
            output::print("No drift. AWS has all that the plan expects.\n")?;
        }
        Format::Text => {
            report(&reproof.plan, &reproof.dir, &reproof.workspace, args.format)?;
            let line = |drift: &Drift<'_>| {
                format!("  {}: {}: {}\n", visible(drift.address), drift.what, visible(drift.detail))
            };
            let lines: Vec<String> = live.drift.iter().map(line).collect();
            output::print(&format!("Drift: these are no longer as the plan expects.\n{}", lines.concat()))?;
        }
    }
    let is_changed = args.detailed_exitcode && !refusals.is_empty();
    Ok(if is_changed { Exit::Changes } else { Exit::Done })
}

fn report(plan: &Plan, snapshot: &Path, workspace: &Workspace, format: Format) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Verified<'a> {
        verified: bool,
        digest: &'a secateur_analyzer::document::Sha256,
        changes: usize,
    }
    let changes = plan.changes.len();
    match format {
        Format::Text => {
            let configuration = match &workspace.config_file {
                Some(file) => format!("{} ({})", file.path, file.sha256),
                None => "none: the defaults".to_owned(),
            };
            let noun = if changes == 1 { "change is" } else { "changes are" };
            output::print(&format!(
                "Verified: {changes} {noun} proved again, judged at {}.\nSnapshot: {} ({})\nConfiguration: {}\nDigest: {}\n",
                plan.window.now,
                visible(&snapshot.display().to_string()),
                plan.inputs.snapshot.sha256,
                visible(&configuration),
                plan.digest
            ))
        }
        Format::Json => {
            let verified = Verified { verified: true, digest: &plan.digest, changes };
            let json =
                serde_json::to_string_pretty(&verified).map_err(|error| Failure::error("io", error.to_string()))?;
            output::print(&format!("{json}\n"))
        }
    }
}
