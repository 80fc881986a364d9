//! `secateur apply --resume`: on with the open journal.
//!
//! What was not begun is looked at and judged anew, as `apply` does; what may no longer be made is left, and told. A group
//! that was begun is finished while its evidence holds; else it is refused, with the ways back.

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::document::{Sha256, sha256_of};

use super::{
    Closing, Instead, Wall, Way, again, approve, check_account, check_endpoint, close, direction, drive, final_line,
    in_part, lock, open, plan_of, reproof, tell_withheld, used_since, way,
};
use crate::apply::aws::Cloud;
use crate::apply::journal::{FileStore, Folder, History, Journal, Progress};
use crate::apply::{
    CallError, Destination, Direction, Kept, Left, Origin, Proposal, Proved, Reads, ResumeError, Step, final_writes,
    marks, resume_plan, resume_rollback, surroundings,
};
use crate::cli::bearing::check_bearing;
use crate::cli::failure::Failure;
use crate::cli::flags::{ApplyArgs, Format, Globals};
use crate::cli::inputs::Workspace;
use crate::cli::journals::{self, Found};
use crate::cli::reproof::Reproof;
use crate::cli::{Outcome, output, rollback, ways};
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
    wall.is_about(journals::earlier(&folder, &found));
    rollback::check_head(&found, args.expect_head)?;
    let (proposal, reproof) = proposal(globals, args, &workspace, &found)?;
    let above = journals::above(&folder, &found)?;
    let digest = Some(proposal.digest());
    // The plan was reviewed; what a rollback is going to write is shown before somebody has to approve.
    let early = match reproof.is_some() {
        true => Some(way(&args.approval, digest)?),
        false => None,
    };
    let borne = match reproof.is_none() {
        true => check_bearing(globals, &workspace, &found, &args.sources, (&args.approval, args.expect_head)),
        false => Ok(()),
    };
    // What was edited is refused at once; where nobody can tell, the page comes first.
    let borne = match borne {
        Err(failure) if failure.reason() == "edited-journal" => return Err(failure),
        borne => borne,
    };
    let cloud = open(globals, &args.access)?;
    check_account(&cloud, proposal.destination())?;
    check_endpoint_now(&cloud, proposal.destination())?;
    journals::tell_ahead(&found, args.approval.settle);
    let left = Left::read(&cloud, &wall, args.approval.settle, &found.history)
        .map_err(|error| Failure::error("aws", error.to_string()).help(journals::ways_out(&folder, &found)))?;
    refuse_taken_back(&found, &left)?;
    refuse_unseen(&found, &left)?;
    let then = journals::above_then(&folder, &found)?;
    refuse_broken(&cloud, &found, &left, then.first())?;
    let withheld = match &reproof {
        Some(reproof) => again::check(globals, args, (&cloud, &wall), reproof, (&found, &left))?,
        None => taken_away_again(globals, args, (&cloud, &wall), (&workspace, &folder), (&found, &left, &above))?,
    };
    let origin = found.history.begin().origin.clone();
    let marked = marked(&cloud, &found, &left, &above)?;
    let again = done_again(&cloud, &found, &left, then.first())?;
    let seen = seen(proposal.digest(), &again);
    let mut more = documents(&found, &left, &marked);
    more.extend(kept_lines(&again));
    let to_make: Vec<Step> = left.to_make.iter().filter_map(|at| found.history.steps().get(*at)).cloned().collect();
    let finals: Vec<String> = final_writes(&to_make).iter().map(final_line).collect();
    more.extend_from_slice(&finals);
    if reproof.is_none() {
        more.extend([String::new(), format!("Digest: {seen}")]);
    }
    let page = page(&found, &left, &more);
    match args.format {
        Format::Text => output::print(&page)?,
        // What is to be approved is shown; stdout has the result alone.
        Format::Json if !globals.quiet => output::note(&page),
        Format::Json => finals.iter().for_each(|line| output::note(line)),
    }
    borne?;
    let way = early.map_or_else(|| way(&args.approval, Some(seen)), Ok)?;
    refuse_done_again(&again, seen, way)?;
    rollback::refuse_widening((&marked.unseen, seen), way, marked.direction, "")?;
    let gives_back = origin.takes_back().is_some() && is_giving(&found, &above);
    let question = format!("Do you want to go on with {}?", visible(&found.id));
    let approved = approve(way, (proposal, seen), &question)?;
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
    let finish = || rollback::note_above(&folder, &found.id, rollback::Known::Shown);
    let passed = (&left.theirs, &left.gone, then.first());
    let stops = drive(globals, (&cloud, &wall), &mut journal, args.approval.settle, passed, finish);
    close(&Closing {
        verb: if matches!(origin, Origin::Plan { .. }) { "Apply" } else { "Rollback" },
        gives_back,
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
    (found, left, above): (&Found, &Left, &[History]),
) -> Result<BTreeMap<String, Refusal>, Failure> {
    let units: BTreeSet<&str> = left.untouched.iter().chain(&left.begun).map(String::as_str).collect();
    if args.no_recheck || units.is_empty() || is_giving(found, above) {
        return Ok(BTreeMap::new());
    }
    let mut ways = ways::but_on(&found.id);
    // A new plan ends nothing that is exchanged in part.
    if !found.history.is_halved() {
        ways = format!("{ways}; or {}", journals::to_a_plan(folder));
    }
    // Where nobody can tell, nothing is promised.
    let is_clear = left.is_clear(aws.0, &found.history, |unit| units.contains(unit)).unwrap_or(false);
    let unlooked_at = "`secateur apply --resume --no-recheck` takes it away all the same";
    let instead = Instead { ways: ways.clone(), unlooked_at: is_clear.then(|| unlooked_at.to_owned()) };
    let reproof = reproof(globals, workspace, (args.plan.as_deref(), &args.sources), above, &instead)?;
    let touched = left.touched.iter().cloned().chain(in_part(above)).collect();
    let withheld = used_since(globals, &args.access, aws, &reproof, (&units, &touched), &instead)?;
    if let Some((unit, refusal)) = withheld.iter().find(|(unit, _)| left.begun.contains(*unit)) {
        let is_clear = || left.is_clear(aws.0, &found.history, |own| own == unit);
        return Err(again::not_finished(unit, refusal, &ways, is_clear));
    }
    tell_withheld(&withheld);
    Ok(withheld)
}

/// Refuses where a rollback that was given up did take something back: going on would do that again.
fn refuse_taken_back(found: &Found, left: &Left) -> Result<(), Failure> {
    match left.taken_back.len() {
        0 => Ok(()),
        steps => Err(journals::not_resumed(found, &ResumeError::TakenBack(steps))),
    }
}

/// Refuses while something that the journal wrote does not show: what is read beside it says nothing of anybody.
fn refuse_unseen(found: &Found, left: &Left) -> Result<(), Failure> {
    if left.unseen.steps.is_empty() {
        return Ok(());
    }
    let id = &found.id;
    let line = |kept: &Kept| format!("\n{}: {}", visible(&kept.address), visible(&kept.detail));
    let lines: Vec<String> = left.unseen.steps.iter().map(line).collect();
    let lines = lines.concat();
    let message = format!(
        "what `{id}` wrote does not show yet, and is not gone on with before it does. Nothing more was changed.{lines}"
    );
    let wait = rollback::wait("secateur apply --resume", &left.unseen);
    Err(Failure::refused("not-seen", message)
        .help(format!("{wait}; or `secateur history --abandon {id} --reason TEXT` leaves it as it is")))
}

/// Refuses what would give somebody more than they have by now, or leave them with neither the old nor the new.
fn refuse_broken(cloud: &Cloud, found: &Found, left: &Left, below: Option<&History>) -> Result<(), Failure> {
    let failed = |error: CallError| Failure::error("aws", error.to_string()).help("look whether AWS can be reached");
    let mut broken = left.broken(cloud, &found.history).map_err(failed)?;
    if let Some(below) = below {
        broken.extend(left.moved(cloud, &found.history, below).map_err(failed)?);
    }
    if broken.is_empty() {
        return Ok(());
    }
    let line = |kept: &Kept| format!("\n{}: {}", visible(&kept.address), visible(&kept.detail));
    let lines: Vec<String> = broken.iter().map(line).collect();
    let message =
        format!("somebody else has changed what the rest rests on. Nothing more was changed.{}", lines.concat());
    let id = &found.id;
    Err(Failure::refused("drifted", message).help(format!(
        "`secateur rollback {id}` goes back, `secateur history --abandon {id} --reason TEXT` leaves it as it is; \
         once it is as it was, where a line ends with a command by that, `secateur apply --resume` goes on"
    )))
}

/// Reads what a rollback kept, and is done all the same, where nothing rests on it.
fn done_again(cloud: &Cloud, found: &Found, left: &Left, below: Option<&History>) -> Result<Vec<Kept>, Failure> {
    let Some(below) = below else { return Ok(Vec::new()) };
    left.done_again(cloud, &found.history, below)
        .map_err(|error| Failure::error("aws", error.to_string()).help("look whether AWS can be reached"))
}

/// What a rollback kept and is done all the same: in a page.
fn kept_lines(again: &[Kept]) -> Vec<String> {
    if again.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![
        String::new(),
        "These were kept, and are done: somebody has done them again, or they were never as before. This rollback leaves them so, \
         and what it takes back counts as rolled back:"
            .to_owned(),
    ];
    lines.extend(again.iter().map(|kept| format!("  = {}: {}", visible(&kept.address), visible(&kept.detail))));
    lines
}

/// Returns what is approved of: what is written, and with it what was done again, where something was. Whoever approved of the rest
/// before that has not seen it.
fn seen(digest: Sha256, again: &[Kept]) -> Sha256 {
    if again.is_empty() {
        return digest;
    }
    let lines = again.iter().map(|kept| format!("{}\n{}\n", kept.address, kept.detail));
    sha256_of(std::iter::once(format!("{digest}\n")).chain(lines).collect::<String>().as_bytes())
}

/// Refuses to end a rollback as if it had taken back what is done: somebody has to have seen that.
fn refuse_done_again(again: &[Kept], digest: Sha256, way: Way) -> Result<(), Failure> {
    if again.is_empty() || way != Way::Auto {
        return Ok(());
    }
    let lines: Vec<String> =
        again.iter().map(|kept| format!("\n{}: {}", visible(&kept.address), visible(&kept.detail))).collect();
    let message = format!("what this rollback kept is done. Nothing more was changed.{}", lines.concat());
    Err(Failure::refused("unapproved", message).help(format!(
        "--auto-approve does not cover that: look at the page above, and say --approve {digest}, or put it back by hand first"
    )))
}

/// Who gets or loses by the rest of a rollback what they did not have then, or came to have since.
struct Marked {
    direction: Direction,
    all: Vec<Kept>,
    /// Those whom nothing but somebody's eye keeps from it: of the others the write itself stops, since they came after it was
    /// approved.
    unseen: Vec<Kept>,
}

/// Reads who gets or loses by the rest of a rollback. That of a plan was reviewed with it.
fn marked(cloud: &Cloud, found: &Found, left: &Left, above: &[History]) -> Result<Marked, Failure> {
    let failed = |error: CallError| Failure::error("aws", error.to_string()).help("look whether AWS can be reached");
    let mut marked = Marked { direction: Direction::Unknown, all: Vec::new(), unseen: Vec::new() };
    let Some((first, rest)) = above.split_first() else { return Ok(marked) };
    // What this one does is what taking back the one above does.
    marked.direction = direction(first, rest);
    for step in left.to_make.iter().filter_map(|at| found.history.steps().get(*at)) {
        let own = marks(cloud, std::iter::once(step), first, marked.direction).map_err(failed)?;
        let is_as_approved = step.expects.is_some() && surroundings(cloud, step, &left.gone).map_err(failed)?.is_none();
        if !own.is_empty() && is_as_approved {
            marked.unseen.extend_from_slice(&own);
        }
        marked.all.extend(own);
    }
    Ok(marked)
}

/// What the rest of a rollback is going to write, and who came since. That of a plan was reviewed with it.
fn documents(found: &Found, left: &Left, marked: &Marked) -> Vec<String> {
    if found.history.begin().origin.takes_back().is_none() {
        return Vec::new();
    }
    let steps = left.to_make.iter().filter_map(|at| found.history.steps().get(*at));
    let mut lines = vec![String::new(), "What is left writes:".to_owned()];
    lines.extend(steps.flat_map(rollback::written));
    lines.extend(rollback::marked(&marked.all, marked.direction));
    lines
}

/// Whether a rollback gives: it takes away where the journal that it takes back had given. That is the last one above.
fn is_giving(found: &Found, above: &[History]) -> bool {
    match above.split_first() {
        Some((last, rest)) => direction(last, rest) == Direction::Gives,
        // It is gone; its name says what it was.
        None => found.history.begin().origin.takes_back().is_some_and(|journal| journal.contains("-apply-")),
    }
}

/// What is to be gone on with: of a plan, derived from it anew; of a rollback, what its digest covers.
fn proposal(
    globals: &Globals,
    args: &ApplyArgs,
    workspace: &Workspace,
    found: &Found,
) -> Result<(Proposal, Option<Reproof>), Failure> {
    let edited = |error: ResumeError| journals::not_resumed(found, &error);
    let begin = found.history.begin();
    if begin.origin.takes_back().is_some() {
        return Ok((resume_rollback(&found.history).map_err(edited)?, None));
    }
    let path = plan_of(workspace, args.plan.as_deref(), begin.plan.as_deref()).ok_or_else(|| {
        Failure::usage("the journal does not say where its plan is").help("name it: `secateur apply PLAN --resume`")
    })?;
    let lost = |failure: Failure| journals::needs_its_plan(found, failure);
    let reproof = Reproof::read(globals, &path, &args.sources).map_err(lost)?;
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
fn page(found: &Found, left: &Left, documents: &[String]) -> String {
    let mut lines = vec![format!("Journal {}", visible(&found.id))];
    for (at, step) in found.history.steps().iter().enumerate() {
        let word = match found.history.progress(at) {
            _ if left.theirs.contains(&at) => "not ours",
            _ if left.passed.contains_key(&at) => "gone",
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
    for detail in left.passed.values().collect::<BTreeSet<_>>() {
        lines.push(format!("{}: nothing is given to it, or taken from it. It is passed over.", visible(detail)));
    }
    lines.extend_from_slice(documents);
    lines.push(String::new());
    lines.join("\n")
}
