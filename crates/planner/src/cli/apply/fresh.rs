//! The account as it is now: collected anew, for those whom the changes concern.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use secateur_analyzer::account::Account;
use secateur_analyzer::analysis::{Analysis, Inputs, default_now};
use secateur_analyzer::arn::Arn;
use secateur_analyzer::rules::KmsPruning;
use secateur_collector::ReadOptions;
use secateur_collector::aws::{CallEvent, Watch};
use secateur_collector::collect::{self as collecting, Granularity, Include, Options, Phase, Progress};

use super::wall::Wall;
use crate::apply::aws::Cloud;
use crate::cli::failure::Failure;
use crate::cli::flags::{AccessArgs, Globals};
use crate::cli::progress::Shown;
use crate::cli::reproof::Reproof;
use crate::cli::{collect, output};
use crate::plan::{Change, ChangeAction, keys_at_stake};
use crate::render::visible;

/// Whose evidence is read anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Whose {
    /// That of everybody whom the changes concern.
    Affected,
    /// Only the keys of those who lose one: enough to compare, not to judge.
    Keys,
}

struct Quiet {
    calls: Shown,
    tells: bool,
    whose: Whose,
}

impl Watch for Quiet {
    fn call(&self, event: &CallEvent<'_>) {
        self.calls.call(event);
    }
}

impl Progress for Quiet {
    fn phase(&self, phase: Phase) {
        let words = match phase {
            Phase::Details => "Reading the account as it is now",
            Phase::Evidence if self.whose == Whose::Affected => {
                "Reading fresh reports of those whom the changes concern"
            }
            Phase::Evidence | Phase::Grants => return,
        };
        if self.tells {
            output::note(words);
        }
    }
    fn reports(&self, _: usize, _: usize) {}
}

/// Reads the account as it is now.
pub(in crate::cli) fn account(
    globals: &Globals,
    access: &AccessArgs,
    (cloud, wall): (&Cloud, &Wall),
    reproof: &Reproof,
    changes: &[&Change],
    whose: Whose,
) -> Result<Account, Failure> {
    let state = reproof.workspace.state("fresh");
    let folder = state.parent().unwrap_or(Path::new("."));
    output::prepare_state(&state)?;
    sweep(folder);
    let temporary = tempfile::Builder::new().prefix("fresh-").tempdir_in(folder);
    let temporary = temporary.map_err(|error| Failure::io("write", folder, &error))?;
    wall.reads_into(temporary.path());
    let dir = temporary.path().join("snapshot");
    let asked = principals(reproof, changes, whose);
    let options = Options {
        principals: asked.clone(),
        include: Include::default(),
        granularity: Granularity::Action,
        max_age: 0,
        reference: None,
        reference_is_asked_for: false,
        may_name_nobody: true,
    };
    let progress: Arc<dyn Progress> =
        Arc::new(Quiet { calls: Shown::new(true, access.verbose), tells: !globals.quiet, whose });
    let watch: Arc<dyn Watch> = progress.clone();
    let collected = cloud.wait(async {
        let hushed = Globals { quiet: true, ..globals.clone() };
        let session = collect::open(&hushed, access, watch).await?;
        collecting::collect(session, &dir, options, progress).await.map_err(|error| collect::failure(&error))
    });
    collected?;
    let options = ReadOptions { threads: reproof.threads };
    let catalog = Arc::clone(&reproof.account.catalog);
    let mut account =
        secateur_collector::read_with(&dir, &options, catalog).map_err(|error| Failure::snapshot(&error))?;
    drop(temporary);
    wall.has_read();
    if !account.complete {
        let message = "the authorization details cannot be read whole, so what the plan expects cannot be looked at";
        return Err(Failure::refused("incomplete", message).help("run the same command again"));
    }
    // What was said when the plan was made, and cannot be read now, still holds: of the same grants and Regions.
    if account.grants.is_none() && reproof.account.grants.is_some() && whose == Whose::Affected && !globals.quiet {
        output::note("Warning: CloudTrail cannot be read now: what was granted since the plan was made is not seen");
    }
    if whose == Whose::Affected && !globals.quiet {
        tell_gaps(&account, "report", |subject| asked.iter().any(|own| own == subject));
        if reproof.workspace.config.settings.kms == KmsPruning::Prune {
            let keys = keys_at_stake(changes);
            tell_gaps(&account, "record of use", |subject| {
                // A key that is in several Regions is unused where it is so in all.
                let arn = subject.parse::<Arn>().ok().filter(|arn| arn.service() == "kms");
                arn.is_some_and(|arn| keys.iter().any(|key| key.resource() == arn.resource()))
            });
        }
    }
    account.grants = account.grants.or_else(|| reproof.account.grants.clone());
    account.regions = account.regions.or_else(|| reproof.account.regions.clone());
    account.summary = account.summary.or_else(|| reproof.account.summary.clone());
    Ok(account)
}

/// How many gaps are named.
const NAMED_GAPS: usize = 3;

/// Says of whom AWS did not give what is fresh, and why: what has no evidence looks as if it was used.
fn tell_gaps(account: &Account, what: &str, is_asked: impl Fn(&str) -> bool) {
    let gaps: Vec<_> = account.gaps.iter().filter(|gap| is_asked(&gap.subject)).collect();
    for gap in gaps.iter().take(NAMED_GAPS) {
        output::note(&format!("Warning: no fresh {what} of {}: {}", visible(&gap.subject), visible(&gap.detail)));
    }
    if gaps.len() > NAMED_GAPS {
        output::note(&format!("Warning: no fresh {what} of {} more", gaps.len() - NAMED_GAPS));
    }
}

/// Removes what a command that was ended while it read has left behind, a day ago or more: nobody reads it any more.
fn sweep(folder: &Path) {
    let is_old = |entry: &std::fs::DirEntry| {
        let age =
            entry.metadata().and_then(|metadata| metadata.modified()).map(|time| time.elapsed().unwrap_or_default());
        entry.file_name().to_string_lossy().starts_with("fresh-") && age.is_ok_and(|age| age.as_secs() >= 86_400)
    };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().filter(is_old) {
        // What cannot be removed does no harm.
        let _ = std::fs::remove_dir_all(entry.path());
    }
}

/// Judges the account as it is now by the rules of the plan.
pub(in crate::cli) fn analysis<'a>(reproof: &'a Reproof, live: &'a Account) -> Result<Analysis<'a>, Failure> {
    let config = &reproof.workspace.config;
    Analysis::new(Inputs {
        account: live,
        older: reproof.older.as_ref(),
        settings: &config.settings,
        rules: &config.rules,
        now: default_now(live),
        threads: reproof.threads,
    })
    .map_err(|error| Failure::analysis(&error).into_refusal())
}

fn principals(reproof: &Reproof, changes: &[&Change], whose: Whose) -> Vec<String> {
    let mut all: BTreeSet<String> = BTreeSet::new();
    for change in changes {
        if change.action == ChangeAction::Deactivate {
            all.insert(change.target.arn.to_string());
        } else if whose == Whose::Affected {
            all.extend(change.expects.holders.iter().map(|holder| holder.arn.to_string()));
            all.extend(
                change.holders.iter().filter_map(|at| reproof.plan.principals.get(*at)).map(|arn| arn.to_string()),
            );
        }
    }
    if all.is_empty() {
        // Nobody is named so: an empty list would be everybody.
        all.insert("none/none".to_owned());
    }
    all.into_iter().collect()
}
