//! `secateur verify`

use std::path::{Path, PathBuf};

use secateur_analyzer::account::Account;
use secateur_analyzer::analysis::{Analysis, Inputs};
use serde::Serialize;

use super::config::Config;
use super::failure::Failure;
use super::flags::{Format, Globals, VerifyArgs};
use super::inputs::{self, Workspace};
use super::show::read_plan;
use super::{Exit, Outcome, output};
use crate::plan::{InputFile, Plan, verify};

pub(super) fn run(globals: &Globals, args: &VerifyArgs) -> Outcome {
    let plan = read_plan(&args.plan)?;
    let config = config(globals, &plan)?;
    let threads = inputs::cores(args.threads);
    let dir = args.snapshot.clone().unwrap_or_else(|| PathBuf::from(&plan.inputs.snapshot.path));
    let read = |dir: &Path| inputs::read_snapshot(dir, Some(&plan.account.id), threads);
    let account = unchanged(read(&dir), &dir, &plan.inputs.snapshot)?;
    let older = match &plan.inputs.older_snapshot {
        Some(file) => Some(unchanged(read(Path::new(&file.path)), Path::new(&file.path), file)?),
        None => None,
    };
    check_window(&plan, &config)?;
    let analysis = Analysis::new(Inputs {
        account: &account,
        older: older.as_ref(),
        settings: &config.settings,
        rules: &config.rules,
        now: plan.window.now,
        threads,
    })
    .map_err(|error| Failure::analysis(&error))?;
    verify(&plan, &analysis).map_err(|refusals| Failure::refusals(&args.plan, &refusals))?;
    report(&plan, args.format)?;
    Ok(Exit::Done)
}

/// The configuration that the plan names, unchanged.
fn config(globals: &Globals, plan: &Plan) -> Result<Config, Failure> {
    let path = match (&globals.config, &plan.inputs.config) {
        (Some(path), _) => path.clone(),
        (None, Some(file)) => PathBuf::from(&file.path),
        (None, None) => return Ok(Config::default()),
    };
    let workspace = Workspace::at(&path)?;
    let (found, expected) =
        (workspace.config_file.map(|file| file.sha256), plan.inputs.config.as_ref().map(|file| file.sha256));
    if found == expected {
        return Ok(workspace.config);
    }
    let message = format!("`{}` is not the configuration that the plan was made with", path.display());
    Err(Failure::refused("edited-config", message).help("make a new plan with `secateur plan`, and review it again"))
}

/// A snapshot, if it is still the one that the plan names. One that can no longer be read has changed too.
fn unchanged(read: Result<Account, Failure>, dir: &Path, expected: &InputFile) -> Result<Account, Failure> {
    let account = read.map_err(Failure::into_refusal)?;
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

/// The window that the plan shows must be the one that the configuration sets.
fn check_window(plan: &Plan, config: &Config) -> Result<(), Failure> {
    let (window, settings) = (&plan.window, &config.settings);
    let same = window.min_idle_days == settings.min_idle_days
        && window.max_report_age_days == settings.max_report_age_days
        && window.max_catalog_age_days == settings.max_catalog_age_days
        && window.max_key_idle_days == settings.max_key_idle_days;
    if same {
        return Ok(());
    }
    Err(Failure::refused("edited-window", "the plan's `window` is not what its configuration sets")
        .help("make a new plan with `secateur plan`, and review it again"))
}

fn report(plan: &Plan, format: Format) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Verified<'a> {
        verified: bool,
        digest: &'a secateur_analyzer::document::Sha256,
        changes: usize,
    }
    let changes = plan.changes.len();
    match format {
        Format::Text => {
            let noun = if changes == 1 { "change is" } else { "changes are" };
            output::print(&format!(
                "Verified: {changes} {noun} proved again from the snapshot.\nDigest: {}\n",
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
