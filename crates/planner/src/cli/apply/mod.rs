//! `secateur apply`

mod again;
mod approve;
mod drive;
mod fresh;
mod link;
mod removal;
mod resume;
mod wall;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use secateur_analyzer::account::Account;
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::arn::Arn;
use secateur_analyzer::time::{DAY, UnixTime};

use super::failure::Failure;
use super::flags::{ApplyArgs, Format, Globals};
use super::inputs::Workspace;
use super::journals;
use super::reproof::Reproof;
use super::{Exit, Outcome, output, ways};
use crate::apply::aws::Cloud;
use crate::apply::journal::{Author, FileStore, Folder, Journal, Lock};
use crate::apply::{Approved, Destination, Kept, Proposal, Proved, Version, VersionRef, final_writes};
use crate::plan::{Change, Plan, Refusal, Selection, drift, headroom, recheck};
use crate::render::{count, visible};

pub(super) use approve::{Way, approve, way};
pub(super) use drive::{Closing, close, drive};
pub(super) use fresh::{Whose, account as fresh_account, analysis as fresh_analysis};
pub(super) use link::{check_account, check_endpoint, open};
pub(super) use removal::{Instead, direction, in_part, reproof, used_since};
pub(super) use resume::check_endpoint_now;
pub(super) use wall::{Earlier, Wall};

/// How far the time of a plan may be ahead of AWS's, in seconds: clocks differ.
const MAX_AHEAD: i64 = 300;

/// How long a question may go without an answer, in seconds: what was looked at may have moved.
const MAX_ANSWER: i64 = 3_600;

pub(super) fn run(globals: &Globals, args: &ApplyArgs) -> Outcome {
    if args.resume {
        return resume::run(globals, args);
    }
    let Some(path) = &args.plan else { return Err(Failure::usage("no plan").help("name the plan file")) };
    let wall = Wall::listen();
    let reproof = Reproof::read(globals, path, &args.sources)?;
    let plan = &reproof.plan;
    let way = way(&args.approval, Some(plan.digest))?;
    let analysis = reproof.analysis()?;
    let options = reproof.options()?;
    let proved = Proved::new(plan, &analysis, &options).map_err(|refusals| Failure::refusals(path, &refusals))?;
    let chosen = chosen(plan, args)?;
    if chosen.is_empty() {
        output::print(&match args.format {
            Format::Json => output::json(&serde_json::json!({ "outcome": "no-changes" }))?,
            Format::Text => "No changes. There is nothing to apply.\n".to_owned(),
        })?;
        return Ok(Exit::Done);
    }
    let folder = journals::folder(&reproof.workspace);
    let _lock = lock(&folder)?;
    refuse_open(&folder, &[])?;

    let cloud = open(globals, &args.access)?;
    let destination = destination(plan);
    check_account(&cloud, &destination)?;
    let whose = if args.no_recheck { Whose::Keys } else { Whose::Affected };
    let live = fresh_account(globals, &args.access, (&cloud, &wall), &reproof, &chosen, whose)?;
    check_endpoint(live.endpoint.as_deref(), &destination)?;
    check_age(plan, &reproof.workspace, live.finished_at.unwrap_or_else(journals::now))?;
    let judged = fresh_analysis(&reproof, &live)?;
    refuse_drift(path, plan, &drift(&chosen, &judged), chosen.len())?;
    let withheld = if args.no_recheck { BTreeMap::new() } else { recheck(plan, &chosen, &judged, &options) };
    let left: Vec<&Change> = chosen.iter().copied().filter(|change| !withheld.contains_key(change.unit())).collect();
    tell_withheld(&withheld);
    if left.is_empty() {
        let message = "nothing of what was planned may be removed any more";
        return Err(Failure::refused("withheld", message).help("make a new plan with `secateur plan`"));
    }
    let evict = room(&reproof, &left, &live)?;
    let proposal = Proposal::of_plan(&proved, &left, &evict)
        .map_err(|error| Failure::refused("edited-changes", error.to_string()).help("make a new plan"))?;
    let finals = final_writes(proposal.steps());
    match args.format {
        Format::Text => output::print(&overview(&reproof, &left, &evict, &finals))?,
        Format::Json => finals.iter().for_each(|kept| output::note(&final_line(kept))),
    }
    let question = format!(
        "Do you want to make {} in account {}?",
        if left.len() == 1 { "this change".to_owned() } else { format!("these {} changes", left.len()) },
        plan.account.id
    );
    let asked_at = journals::now();
    let digest = proposal.digest();
    let approved = approve(way, (proposal, digest), &question)?;
    if journals::now().since(asked_at) > MAX_ANSWER {
        let message = "the answer came an hour after the account was looked at";
        return Err(Failure::refused("stale", message).help("run the same command again, and answer sooner"));
    }
    let seen = reproof.workspace.seen(path);
    begin(globals, args, (&cloud, &wall), &folder, approved, seen, &withheld)
}

fn begin(
    globals: &Globals,
    args: &ApplyArgs,
    (cloud, wall): (&Cloud, &Wall),
    folder: &Folder,
    approved: Approved,
    plan: Option<String>,
    withheld: &BTreeMap<String, Refusal>,
) -> Outcome {
    wall.writes();
    let (id, mut journal) = new_journal(cloud, folder, approved, "apply", (plan, args.approval.parallelism))?;
    let passed = (&BTreeSet::new(), &BTreeSet::new(), None);
    let stops = drive(globals, (cloud, wall), &mut journal, args.approval.settle, passed, || Ok(()));
    let history = journal.history();
    close(&Closing {
        verb: "Apply",
        gives_back: false,
        format: args.format,
        journal: &folder.file(&id),
        id: &id,
        history,
        stops: &stops,
        withheld,
        changed: &BTreeMap::new(),
    })
}

/// Creates the file of a journal, and begins it.
pub(super) fn new_journal(
    cloud: &Cloud,
    folder: &Folder,
    approved: Approved,
    kind: &str,
    (plan, parallelism): (Option<String>, u8),
) -> Result<(String, Journal<FileStore>), Failure> {
    let now = own_second(folder);
    let id = unused_id(folder, kind, now, &approved);
    let path = folder.file(&id);
    let cannot = |error: &dyn std::fmt::Display| {
        let message = format!("cannot write `{}`: {error}: nothing was changed", path.display());
        Failure::error("journal", message).help("make room on the disk, and look who may write there")
    };
    let store = FileStore::create(&path).map_err(|error| cannot(&error))?;
    let author = Author {
        id: id.clone(),
        caller_arn: cloud.session().identity().arn.to_string(),
        user: std::env::var("USER").ok().filter(|user| !user.is_empty()),
        plan,
        parallelism: parallelism.into(),
        after: journals::last(folder)?,
    };
    match Journal::begin(store, approved, author, now) {
        Ok(journal) => Ok((id, journal)),
        Err(error) => {
            let failure = cannot(&error);
            // It never began; an empty file is passed over by whoever reads it.
            let _ = std::fs::remove_file(&path);
            Err(failure)
        }
    }
}

/// Waits until no journal bears the time of now: as long as the clock is right, their ids are in the order in which they began.
fn own_second(folder: &Folder) -> UnixTime {
    // A clock that was set back is not waited for.
    for _ in 0..20 {
        let now = journals::now();
        let ids = folder.ids().unwrap_or_default();
        if !ids.iter().any(|id| id.starts_with(&stamp(now))) {
            return now;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    journals::now()
}

fn stamp(now: UnixTime) -> String {
    now.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect()
}

/// An id that no journal has: the time, the kind, and a label of the digest.
fn unused_id(folder: &Folder, kind: &str, now: UnixTime, approved: &Approved) -> String {
    let label: String = approved.proposal().digest().to_string().chars().take(12).collect();
    let base = format!("{}-{kind}-{label}", stamp(now));
    let mut id = base.clone();
    let mut number = 1;
    while folder.file(&id).exists() {
        number += 1;
        id = format!("{base}-{number}");
    }
    id
}

/// Keeps everybody else out.
pub(super) fn lock(folder: &Folder) -> Result<Lock, Failure> {
    match folder.lock() {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(Failure::refused("locked", "somebody else is applying, or rolling back, from this directory")
            .help("wait until it has ended")),
        Err(error) => Err(Failure::io("lock", folder.path(), &error)),
    }
}

/// Refuses while another journal is open.
pub(super) fn refuse_open(folder: &Folder, but: &[&str]) -> Result<(), Failure> {
    journals::all(folder)?;
    let listed = journals::listed(folder)?;
    let open = ways::in_order(&listed).into_iter().find(|found| !but.contains(&found.id.as_str()));
    match open {
        None => Ok(()),
        Some(open) => {
            let message = format!("the journal `{}` is open: its {} did not end", open.id, open.kind());
            Err(Failure::refused("journal-open", message).help(ways::out_of(&listed, open)))
        }
    }
}

pub(super) fn destination(plan: &Plan) -> Destination {
    Destination {
        account: plan.account.id.clone(),
        partition: plan.account.partition.clone(),
        endpoint: plan.account.endpoint.clone(),
    }
}

/// Refuses a plan that is too old: its evidence is.
pub(super) fn check_age(plan: &Plan, workspace: &Workspace, now: UnixTime) -> Result<(), Failure> {
    let most = workspace.config.apply.max_plan_age_days;
    let age = now.since(plan.window.now);
    if age < -MAX_AHEAD {
        let message =
            format!("the plan is of {}, and at AWS it is {now}: it would never grow too old", plan.window.now);
        return Err(Failure::refused("stale", message).help("plan without --now, or with a time that has come"));
    }
    if age <= i64::from(most) * DAY {
        return Ok(());
    }
    let message =
        format!("the plan is of {}, {} days ago: older than max_plan_age_days ({most})", plan.window.now, age / DAY);
    Err(Failure::refused("stale", message).help("`secateur collect`, `secateur plan`, and review it again"))
}

/// The changes that are wanted, groups whole.
fn chosen<'a>(plan: &'a Plan, args: &ApplyArgs) -> Result<Vec<&'a Change>, Failure> {
    let selection = Selection { target: args.target.clone(), exclude: args.exclude.clone(), only: Vec::new() };
    let mut wanted = plan.changes.clone();
    selection.keep(&mut wanted);
    if wanted.is_empty() && !plan.changes.is_empty() {
        let message = "--target and --exclude leave no change of the plan";
        return Err(Failure::usage(message).help("`secateur show PLAN` shows the addresses"));
    }
    let is_wanted = |change: &&Change| wanted.iter().any(|own| own.address == change.address);
    Ok(plan.changes.iter().filter(is_wanted).collect())
}

fn refuse_drift(path: &Path, plan: &Plan, drift: &[Refusal], changes: usize) -> Result<(), Failure> {
    if drift.is_empty() {
        return Ok(());
    }
    let mut addresses: Vec<&str> = drift.iter().map(|refusal| refusal.address.as_str()).collect();
    addresses.dedup();
    let lines: Vec<String> = drift.iter().map(line).collect();
    let message = format!(
        "{} of {} no longer match what was planned at {}. Nothing was changed.{}",
        addresses.len(),
        count(changes, "change"),
        plan.window.now,
        lines.concat()
    );
    Err(Failure::refused("drifted", message).help(format!(
        "make a new plan with `secateur collect` and `secateur plan`, or leave these out: `secateur apply {} --exclude \
         ADDRESS`",
        path.display()
    )))
}

fn line(refusal: &Refusal) -> String {
    format!("\n{}: {}: {}", visible(&refusal.address), refusal.name, visible(&refusal.detail))
}

pub(super) fn tell_withheld(withheld: &BTreeMap<String, Refusal>) {
    for (unit, refusal) in withheld {
        output::note(&format!(
            "\u{1b}[1;33mWithheld:\u{1b}[0m {} may no longer be made: {}",
            visible(unit),
            visible(&refusal.detail)
        ));
    }
}

/// Refuses what there is no room for; finds the versions that make room, where the configuration lets them.
fn room(reproof: &Reproof, changes: &[&Change], live: &Account) -> Result<BTreeMap<Arn, Version>, Failure> {
    let room = headroom(changes, live);
    if !room.refusals.is_empty() {
        let lines: Vec<String> = room.refusals.iter().map(line).collect();
        let message = format!("there is no room for all changes:{}", lines.concat());
        return Err(Failure::refused("quota", message).help("leave these out with --exclude ADDRESS"));
    }
    let config = &reproof.workspace.config;
    if config.limits.max_changes.is_some_and(|most| changes.len() > most) {
        let message = format!("{} are more than max_changes", count(changes.len(), "change"));
        return Err(Failure::refused("limits", message).help("choose some with --target"));
    }
    if !room.full.is_empty() && !config.apply.evict_oldest_version {
        let arns: Vec<String> = room.full.keys().map(|arn| format!("\n{arn}")).collect();
        let message = format!("all slots for versions are taken:{}", arns.concat());
        return Err(Failure::refused("version-slots", message).help(
            "delete a version, leave these policies out with --exclude, or set evict_oldest_version = true in [apply] and \
             plan again: the oldest version then goes, and its document into the journal",
        ));
    }
    let version =
        |oldest: crate::plan::OldestVersion| Version { version: VersionRef::Id(oldest.id), document: oldest.document };
    Ok(room.full.into_iter().map(|(arn, oldest)| (arn, version(oldest))).collect())
}

/// What is about to be done, once more: the plan itself was reviewed.
fn overview(reproof: &Reproof, changes: &[&Change], evict: &BTreeMap<Arn, Version>, finals: &[Kept]) -> String {
    let plan = &reproof.plan;
    let mut lines = vec![format!("Plan {} of {}", plan.digest, plan.window.now)];
    for change in changes {
        let removed: usize = change.removed.iter().map(|removed| removed.count).sum();
        let word = format!("{:?}", change.action).to_lowercase();
        let removed = if removed == 0 { String::new() } else { format!(", {} removed", count(removed, "action")) };
        lines.push(format!("  {word:<10} {}{removed}", visible(&change.address)));
    }
    for (arn, version) in evict {
        lines.push(format!("  {} of {arn} goes, to make room; its document is kept in the journal", version.version));
    }
    lines.extend(finals.iter().map(final_line));
    if changes.len() < plan.changes.len() {
        lines.push(format!("  {} of {} changes of the plan", changes.len(), plan.changes.len()));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// What no rollback can take back has to be seen before it is done.
fn final_line(kept: &Kept) -> String {
    format!("  ! {}: {}", visible(&kept.address), visible(&kept.detail))
}

/// Where the plan of a journal is, if it is still there.
pub(super) fn plan_of(workspace: &Workspace, named: Option<&Path>, kept: Option<&str>) -> Option<PathBuf> {
    named.map(Path::to_owned).or_else(|| kept.map(|kept| workspace.root.join(kept)))
}

/// Compares the account with a plan, for `verify --live`.
pub(super) fn compare(
    globals: &Globals,
    access: &super::flags::AccessArgs,
    reproof: &Reproof,
) -> Result<Vec<Refusal>, Failure> {
    let changes: Vec<&Change> = reproof.plan.changes.iter().collect();
    let wall = Wall::listen();
    let cloud = open(globals, access)?;
    check_account(&cloud, &destination(&reproof.plan))?;
    let live = fresh_account(globals, access, (&cloud, &wall), reproof, &changes, Whose::Keys)?;
    check_endpoint(live.endpoint.as_deref(), &destination(&reproof.plan))?;
    let judged: Analysis<'_> = fresh_analysis(reproof, &live)?;
    Ok(drift(&changes, &judged))
}
