//! `secateur status`

use secateur_analyzer::analysis::default_now;
use serde::Serialize;

use super::flags::{Format, Globals, StatusArgs};
use super::inputs::{self, Workspace};
use super::show::read_plan;
use super::{Exit, Outcome, journals, output, ways};
use crate::render::{count, visible};

#[derive(Serialize)]
struct Status {
    config: Option<String>,
    snapshot: Option<SnapshotStatus>,
    plan: Option<PlanStatus>,
    /// In the order in which they are to be ended.
    open_journals: Vec<JournalStatus>,
    unusable_journals: Vec<UnusableStatus>,
}

/// A journal that cannot be used: whether it is open is not known, so it blocks the next apply too.
#[derive(Serialize)]
struct UnusableStatus {
    id: String,
    reason: &'static str,
    detail: String,
}

/// An apply, or a rollback, that did not end: it blocks the next.
#[derive(Serialize)]
struct JournalStatus {
    id: String,
    kind: &'static str,
    done: usize,
    in_doubt: usize,
    steps: usize,
    path: String,
    ways_out: String,
}

#[derive(Serialize)]
struct SnapshotStatus {
    path: String,
    account: String,
    as_of: String,
    principals: usize,
    reports: usize,
    gaps: usize,
    complete: bool,
    sha256: String,
}

#[derive(Serialize)]
struct PlanStatus {
    path: String,
    account: String,
    digest: String,
    changes_digest: String,
    changes: usize,
    removed_actions: usize,
    gaps: usize,
    /// Whether it was made from the snapshot above; none when there is no snapshot.
    of_this_snapshot: Option<bool>,
}

pub(super) fn run(globals: &Globals, args: &StatusArgs) -> Outcome {
    let workspace = Workspace::find(globals)?;
    let threads = inputs::cores(args.snapshot.threads);
    let has_snapshot = args.snapshot.snapshot.is_some() || workspace.state("snapshot").exists();
    let snapshot = match has_snapshot {
        true => {
            let dir = workspace.snapshot_dir(&args.snapshot)?;
            let account = inputs::read_snapshot(&dir, args.snapshot.account.as_deref(), threads)?;
            Some(SnapshotStatus {
                path: dir.display().to_string(),
                account: account.id.clone(),
                as_of: default_now(&account).to_string(),
                principals: account.principals.len(),
                reports: account.reports.len(),
                gaps: account.gaps.len(),
                complete: account.complete,
                sha256: account.snapshot_sha256.to_string(),
            })
        }
        false => None,
    };
    let path = args.plan.clone().unwrap_or_else(|| workspace.state("plan.json"));
    let plan = match args.plan.is_some() || path.exists() {
        true => {
            let plan = read_plan(&path)?;
            let made_from = plan.inputs.snapshot.sha256.to_string();
            Some(PlanStatus {
                path: path.display().to_string(),
                account: plan.account.id.clone(),
                digest: plan.digest.to_string(),
                changes_digest: plan.changes_digest.to_string(),
                changes: plan.changes.len(),
                removed_actions: plan.summary.removed_actions,
                gaps: plan.gaps.len(),
                of_this_snapshot: snapshot.as_ref().map(|snapshot| snapshot.sha256 == made_from),
            })
        }
        false => None,
    };
    let journals = journals::listed(&journals::folder(&workspace))?;
    let unusable: Vec<_> = journals.iter().filter_map(|own| own.as_ref().err()).collect();
    let open_journals = ways::in_order(&journals).into_iter().map(|found| JournalStatus {
        id: found.id.clone(),
        kind: found.kind(),
        done: found.history.done(),
        in_doubt: found.history.in_doubt(),
        steps: found.history.steps().len(),
        path: found.path.display().to_string(),
        ways_out: ways::out_of(&journals, found),
    });
    let open_journals = open_journals.collect();
    let unusable_journals = unusable.iter().map(|own| UnusableStatus {
        id: own.id.clone(),
        reason: own.failure.reason(),
        detail: own.failure.message().to_owned(),
    });
    let unusable_journals = unusable_journals.collect();
    let config = workspace.config_file.map(|file| file.path);
    let status = Status { config, snapshot, plan, open_journals, unusable_journals };
    output::print(&match args.format {
        Format::Text => text(&status),
        Format::Json => output::json(&status)?,
    })?;
    Ok(unusable.iter().fold(Exit::Done, |_, own| own.failure.report(false)))
}

fn text(status: &Status) -> String {
    let config = status.config.as_deref().unwrap_or("none: the defaults hold");
    let mut lines = vec![format!("configuration  {}", visible(config))];
    match &status.snapshot {
        None => lines.push("snapshot       none: name one with --snapshot DIR".to_owned()),
        Some(snapshot) => {
            let whole = if snapshot.complete { "" } else { ", INCOMPLETE" };
            lines.push(format!("snapshot       {}", visible(&snapshot.path)));
            lines.push(format!(
                "               account {}, as of {}{whole}",
                visible(&snapshot.account),
                snapshot.as_of
            ));
            lines.push(format!(
                "               {}, {}, {} in its manifest",
                count(snapshot.principals, "principal"),
                count(snapshot.reports, "report"),
                count(snapshot.gaps, "gap")
            ));
        }
    }
    match &status.plan {
        None => lines.push("plan           none: make one with `secateur plan`".to_owned()),
        Some(plan) => {
            lines.push(format!("plan           {}", visible(&plan.path)));
            lines.push(format!(
                "               {}, removing {}; {}",
                count(plan.changes, "change"),
                count(plan.removed_actions, "action"),
                count(plan.gaps, "gap")
            ));
            lines.push(format!("               digest {}", plan.digest));
            if plan.of_this_snapshot == Some(false) {
                lines.push("               made from another snapshot: plan again with `secateur plan`".to_owned());
            }
        }
    }
    for journal in &status.open_journals {
        lines.push(format!("open journal   {}", visible(&journal.id)));
        lines.push(format!(
            "               {} that did not end: {} of {} writes done{}",
            journal.kind,
            journal.done,
            journal.steps,
            journals::in_doubt(journal.in_doubt)
        ));
        lines.push(format!("               {}", visible(&journal.ways_out)));
    }
    for journal in &status.unusable_journals {
        lines.push(format!("{:<14} {}", "journal", visible(&journal.id)));
        lines.push(format!("               {}: whether it is open is not known", journal.reason));
    }
    lines.push(String::new());
    lines.join("\n")
}
