//! `secateur verify`

use std::path::Path;

use secateur_analyzer::account::Account;
use secateur_analyzer::analysis::{Analysis, Inputs};
use secateur_analyzer::verdict::RemovalReason;
use serde::Serialize;

use super::failure::Failure;
use super::flags::{Format, Globals, VerifyArgs};
use super::inputs::{self, Workspace};
use super::show::read_plan;
use super::{Exit, Outcome, output};
use crate::plan::{InputFile, Plan, PlanOptions, Selection, verify};
use crate::render::visible;

pub(super) fn run(globals: &Globals, args: &VerifyArgs) -> Outcome {
    let plan = read_plan(&args.plan)?;
    let workspace = workspace(globals, &plan)?;
    let config = &workspace.config;
    let threads = inputs::cores(args.threads);
    let dir = args.snapshot.clone().unwrap_or_else(|| workspace.find_input(&plan.inputs.snapshot));
    let read = |dir: &Path| inputs::read_snapshot(dir, Some(&plan.account.id), threads);
    let account = unchanged(read(&dir), &dir, &plan.inputs.snapshot)?;
    let older = match (&plan.inputs.older_snapshot, &args.older_snapshot) {
        (Some(file), Some(dir)) => Some(unchanged(read(dir), dir, file)?),
        (None, None) => None,
        // Whoever writes a plan chooses what it names; a witness is believed when who verifies names it too.
        (Some(file), None) => {
            let message = format!("the plan rests on the older snapshot `{}`", file.path);
            let help = "name it with --older-snapshot DIR, if you trust it as a witness of older grants";
            return Err(Failure::refused("older-snapshot", message).help(help));
        }
        (None, Some(_)) => {
            let message = "the plan was made without an older snapshot";
            return Err(Failure::usage(message).help("leave --older-snapshot out"));
        }
    };
    let analysis = Analysis::new(Inputs {
        account: &account,
        older: older.as_ref(),
        settings: &config.settings,
        rules: &config.rules,
        now: plan.window.now,
        threads,
    })
    .map_err(|error| Failure::analysis(&error).into_refusal())?;
    let options = PlanOptions {
        rewrite: config.rewrite,
        limits: config.limits,
        selection: selection(&plan)?,
        snapshot: plan.inputs.snapshot.clone(),
        older_snapshot: plan.inputs.older_snapshot.clone(),
        config: plan.inputs.config.clone(),
    };
    verify(&plan, &analysis, &options).map_err(|refusals| Failure::refusals(&args.plan, &refusals))?;
    report(&plan, &dir, &workspace, args.format)?;
    Ok(Exit::Done)
}

/// What `--target`, `--exclude` and `--only` were.
fn selection(plan: &Plan) -> Result<Selection, Failure> {
    let said = &plan.inputs.selection;
    let only = said.only.iter().map(|word| RemovalReason::ALL.into_iter().find(|reason| reason.as_str() == word));
    let only = only.collect::<Option<Vec<_>>>();
    let only =
        only.ok_or_else(|| Failure::refused("edited-inputs", "`inputs.selection.only` has an unknown reason"))?;
    Ok(Selection { target: said.target.clone(), exclude: said.exclude.clone(), only })
}

/// The configuration that holds here: it must be the one that the plan was made with. Neither a plan that was made without
/// one, nor one that was made with another, gets past the rules of this directory.
fn workspace(globals: &Globals, plan: &Plan) -> Result<Workspace, Failure> {
    let workspace = Workspace::find(globals).map_err(Failure::into_refusal)?;
    let (found, expected) = (workspace.config_file.as_ref(), plan.inputs.config.as_ref());
    if found.map(|file| file.sha256) == expected.map(|file| file.sha256) {
        return Ok(workspace);
    }
    if let (None, Some(file)) = (found, expected) {
        let message = format!("the plan was made with the configuration `{}`, and there is none here", file.path);
        return Err(
            Failure::refused("edited-config", message).help("name it with --config FILE, or go to its directory")
        );
    }
    let path = found.map_or("none", |file| file.path.as_str());
    let made_with = expected.map_or("none", |file| file.path.as_str());
    let message = if path == made_with {
        format!("the configuration `{path}` was edited since the plan was made")
    } else {
        format!("the configuration here is `{path}`, and the plan was made with another: `{made_with}`")
    };
    Err(Failure::refused("edited-config", message).help("make a new plan with `secateur plan`, and review it again"))
}

/// A snapshot, if it is still the one that the plan names. One that can no longer be read has changed too.
fn unchanged(read: Result<Account, Failure>, dir: &Path, expected: &InputFile) -> Result<Account, Failure> {
    let account = read.map_err(|failure| failure.into_refusal_named("edited-snapshot"))?;
    if account.snapshot_sha256 == expected.sha256 {
        return Ok(account);
    }
    let message = format!(
        "`{}` is not the snapshot that the plan was made from: its digest is {}, and the plan names {}",
        dir.display(),
        account.snapshot_sha256,
        expected.sha256
    );
    Err(Failure::refused("edited-snapshot", message)
        .help("name the plan's own snapshot with --snapshot DIR, or make a new plan with `secateur plan`"))
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
