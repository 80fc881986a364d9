//! A plan and all that it was made from, read again and unchanged: what `verify` and `apply` start from.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use secateur_analyzer::account::Account;
use secateur_analyzer::analysis::{Analysis, Inputs};
use secateur_analyzer::verdict::RemovalReason;

use super::failure::Failure;
use super::flags::{Globals, SourceArgs};
use super::inputs::{self, Workspace};
use super::show::read_plan;
use crate::plan::{InputFile, Plan, PlanOptions, Selection};

/// A plan and what it was made from.
pub(super) struct Reproof {
    pub plan: Plan,
    pub workspace: Workspace,
    pub dir: PathBuf,
    pub account: Account,
    pub older: Option<Account>,
    pub threads: NonZeroUsize,
}

impl Reproof {
    /// Reads a plan, and its inputs, which must be those that it names.
    pub fn read(globals: &Globals, plan: &Path, sources: &SourceArgs) -> Result<Reproof, Failure> {
        let plan = read_plan(plan)?;
        let workspace = workspace(globals, &plan)?;
        let threads = inputs::cores(sources.threads);
        let dir = sources.snapshot.clone().unwrap_or_else(|| workspace.find_input(&plan.inputs.snapshot));
        let read = |dir: &Path| inputs::read_snapshot(dir, Some(&plan.account.id), threads);
        let account = unchanged(read(&dir), &dir, &plan.inputs.snapshot)?;
        let older = match (&plan.inputs.older_snapshot, &sources.older_snapshot) {
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
        Ok(Reproof { plan, workspace, dir, account, older, threads })
    }

    /// Judges the snapshot as it was judged for the plan.
    pub fn analysis(&self) -> Result<Analysis<'_>, Failure> {
        let config = &self.workspace.config;
        Analysis::new(Inputs {
            account: &self.account,
            older: self.older.as_ref(),
            settings: &config.settings,
            rules: &config.rules,
            now: self.plan.window.now,
            threads: self.threads,
        })
        .map_err(|error| Failure::analysis(&error).into_refusal())
    }

    /// Returns what the plan was made by.
    pub fn options(&self) -> Result<PlanOptions, Failure> {
        let config = &self.workspace.config;
        Ok(PlanOptions {
            rewrite: config.rewrite,
            limits: config.limits,
            selection: selection(&self.plan)?,
            snapshot: self.plan.inputs.snapshot.clone(),
            older_snapshot: self.plan.inputs.older_snapshot.clone(),
            config: self.plan.inputs.config.clone(),
        })
    }
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
