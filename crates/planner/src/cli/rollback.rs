//! `secateur rollback`

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::document::Sha256;
use similar::TextDiff;

use super::apply::{
    Closing, Instead, Wall, Way, approve, check_account, check_endpoint_now, close, direction, drive, in_part, lock,
    new_journal, open, refuse_open, reproof, tell_withheld, used_since, way,
};
use super::bearing::check_bearing;
use super::failure::Failure;
use super::flags::{Format, Globals, RollbackArgs};
use super::inputs::Workspace;
use super::journals::{self, Found};
use super::overtaken::{self, By};
use super::{Exit, Outcome, output};
use crate::apply::journal::{FileStore, Folder, History, State, close as close_journal};
use crate::apply::{
    CallError, DeriveError, Direction, Effect, Kept, Reads, Rollback, RollbackError, Step, Unseen, is_as_left, rollback,
};
use crate::plan::Selection;
use crate::render::{count, visible};

pub(super) fn run(globals: &Globals, args: &RollbackArgs) -> Outcome {
    let wall = Wall::listen();
    let workspace = Workspace::find(globals)?;
    let folder = journals::folder(&workspace);
    let _lock = lock(&folder)?;
    let found = journals::find(&folder, &args.journal)?;
    wall.is_about(journals::earlier(&folder, &found));
    check_head(&found, args.expect_head)?;
    // What it took back may be open too: it goes on from where this one leaves it.
    let above = journals::above(&folder, &found)?;
    let direction = direction(&found.history, &above);
    let takes_away = direction != Direction::Gives;
    let passed: Vec<&str> =
        above.iter().map(|history| history.begin().id.as_str()).chain([found.id.as_str()]).collect();
    refuse_open(&folder, &passed)?;
    match found.history.state() {
        State::RolledBack(by) => return nothing(args.format, &format!("{} was rolled back by {by}", found.id), &[]),
        State::NothingDone => {
            return nothing(args.format, &format!("{} stopped before anything was done", found.id), &[]);
        }
        State::Open | State::Done | State::Abandoned(_) => {}
    }
    let selection = Selection { target: args.target.clone(), ..Selection::default() };
    let wants = |step: &Step| selection.wants(&step.address);
    if !found.history.steps().iter().any(wants) {
        let message = format!("--target names nothing that `{}` is about", found.id);
        return Err(Failure::usage(message).help("`secateur show PLAN` shows the addresses; so does a rollback of all"));
    }
    let instead = instead(&folder, &found, args, direction);
    let reproof = match takes_away && !args.no_recheck {
        true => Some(reproof(globals, &workspace, (None, &args.sources), &above, &instead)?),
        false => None,
    };
    let cloud = open(globals, &args.access)?;
    let destination = found.history.begin().destination.clone();
    check_account(&cloud, &destination)?;
    check_endpoint_now(&cloud, &destination)?;
    check_bearing(globals, &workspace, &found, &args.sources, (&args.approval, args.expect_head))?;
    journals::tell_ahead(&found, args.approval.settle);
    let settle = args.approval.settle;
    let plan = |wants: &dyn Fn(&Step) -> bool| {
        let back = rollback(&cloud, &wall, settle, &found.history, wants);
        let back = back.and_then(|back| back.directed(&cloud, &found.history, direction));
        back.map_err(|error| refused(&cloud, &folder, &found, &error))
    };
    let mut back = plan(&wants)?;
    let mut withheld = BTreeMap::new();
    if let Some(reproof) = reproof.filter(|_| !back.proposal.steps().is_empty()) {
        let touched = in_part(above.iter().chain([&found.history]));
        let units = back.proposal.steps().iter().map(|step| step.unit.as_str()).collect();
        withheld = used_since(globals, &args.access, (&cloud, &wall), &reproof, (&units, &touched), &instead)?;
        tell_withheld(&withheld);
        back = plan(&|step| wants(step) && !withheld.contains_key(&step.unit))?;
        if back.proposal.steps().is_empty() {
            let message = "nothing of what was given back may be removed any more";
            return Err(Failure::refused("withheld", message).help(instead.after("")));
        }
    }
    let is_checked = !args.no_recheck;
    match args.format {
        Format::Text => output::print(&page(&found, &back, direction, is_checked))?,
        // What is to be approved is shown; stdout has the result alone.
        Format::Json if !globals.quiet => output::note(&page(&found, &back, direction, is_checked)),
        Format::Json => {}
    }
    if back.proposal.steps().is_empty() {
        let why = match back.standing.is_empty() {
            true => "all is as it was before".to_owned(),
            false => format!("`{}` has done nothing that it can still take back", found.id),
        };
        if found.is_open() && back.is_all {
            close_empty(&folder, found, &back)?;
        }
        return nothing(args.format, &why, &back.standing);
    }
    let way = way(&args.approval, Some(back.proposal.digest()))?;
    let seen = (back.widened.as_slice(), back.proposal.digest());
    refuse_widening(seen, way, direction, "; or leave these out with --target")?;
    let question = format!("Do you want to take back {}?", visible(&found.id));
    let digest = back.proposal.digest();
    let approved = approve(way, (back.proposal, digest), &question)?;
    wall.writes();
    let (id, mut journal) = new_journal(&cloud, &folder, approved, "rollback", (None, args.approval.parallelism))?;
    let finish = || note_above(&folder, &id, Known::Shown);
    let passed = (&BTreeSet::new(), &BTreeSet::new(), Some(&back.known));
    let stops = drive(globals, (&cloud, &wall), &mut journal, args.approval.settle, passed, finish);
    close(&Closing {
        verb: "Rollback",
        gives_back: !takes_away,
        format: args.format,
        journal: &folder.file(&id),
        id: &id,
        history: journal.history(),
        stops: &stops,
        withheld: &withheld,
        changed: &BTreeMap::new(),
    })
}

/// What else there is to do than to take a rollback back.
fn instead(folder: &Folder, found: &Found, args: &RollbackArgs, direction: Direction) -> Instead {
    let has_drifted = found.history.stopped().is_some_and(|(reason, _)| reason == "drifted");
    let goes_on = found.is_open() && found.history.taken_back() == 0 && !has_drifted;
    let goes = match direction {
        Direction::Gives | Direction::TakesAway => "`secateur apply --resume` goes on giving back".to_owned(),
        // Where a journal is gone, nobody can tell which way it leads, nor look at what was used.
        Direction::Unknown => "`secateur apply --resume --no-recheck` shows what is left of it, and goes on".to_owned(),
    };
    let leave = format!("`secateur history --abandon {} --reason TEXT`", found.id);
    let other = found.history.begin().origin.takes_back().unwrap_or_default();
    let ways = match found.is_open() && found.history.is_halved() {
        // A new plan ends nothing that is exchanged in part.
        true if goes_on => goes,
        true if folder.file(other).is_file() => {
            format!("{leave}, then `secateur rollback {other}` takes back what is left of that")
        }
        true => format!("{leave} leaves it as it is"),
        false if goes_on => format!("{goes}; or {}", journals::to_a_plan(folder)),
        false => journals::to_a_plan(folder),
    };
    let targets: Vec<String> = args.target.iter().map(|target| format!(" --target {}", visible(target))).collect();
    let does = if direction == Direction::TakesAway { "takes it away" } else { "does it all the same" };
    let unlooked_at =
        format!("`secateur rollback {}{} --no-recheck` does not look, and {does}", found.id, targets.concat());
    Instead { ways, unlooked_at: Some(unlooked_at) }
}

fn nothing(format: Format, why: &str, standing: &[Kept]) -> Outcome {
    let standing: Vec<_> =
        (standing.iter()).map(|kept| serde_json::json!({ "address": kept.address, "detail": kept.detail })).collect();
    output::print(&match format {
        Format::Json => {
            output::json(&serde_json::json!({ "outcome": "no-changes", "detail": why, "standing": standing }))?
        }
        Format::Text => format!("No changes. There is nothing to take back: {}.\n", visible(why)),
    })?;
    Ok(Exit::Done)
}

/// Nothing of an open journal was done, or it is all as before: it need not be open. Where that is not all that there is to
/// say, it says so.
fn close_empty(folder: &Folder, mut found: Found, back: &Rollback) -> Result<(), Failure> {
    let store = FileStore::open(&found.path).map_err(|error| Failure::io("write", &found.path, &error))?;
    let failed = |error: String| Failure::error("journal", error).help("make room on the disk, and try again");
    close_journal(store, &mut found.history, back.closing(), journals::now())
        .map_err(|error| failed(error.to_string()))?;
    // What it did and somebody else has undone is theirs: what it took back is not in force by the journals above.
    note_above(folder, &found.id, Known::Read(&back.known)).map_err(failed)
}

/// What is known of a rollback beside what its journal says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known<'a> {
    /// Nothing more.
    Written,
    /// Its last write is made, and reads have shown all of them.
    Shown,
    /// This was read since.
    Read(&'a History),
}

/// Writes into the journals above a rollback what became of their steps: those of the one that it took back are taken back;
/// those of the one that this had taken back are done again; and so on. A journal that is gone is left out.
pub(super) fn note_above(folder: &Folder, id: &str, known: Known<'_>) -> Result<(), String> {
    let failed = |failure: Failure| failure.message().to_owned();
    let Some(mut own) = journals::with_id(folder, id).map_err(failed)? else { return Ok(()) };
    match known {
        Known::Written => {}
        Known::Shown => own.history.show_all(),
        Known::Read(history) => own.history = history.clone(),
    }
    let mut seen = vec![id.to_owned()];
    let mut next = own.history.begin().origin.takes_back().map(str::to_owned);
    let mut is_back = true;
    while let Some(journal) = next {
        if seen.contains(&journal) {
            break;
        }
        let Some(mut above) = journals::with_id(folder, &journal).map_err(failed)? else { break };
        if let Some(record) = above.history.note(&own.history, is_back) {
            let store = FileStore::open(&above.path).map_err(|error| format!("`{}`: {error}", above.path.display()))?;
            close_journal(store, &mut above.history, record, journals::now()).map_err(|error| error.to_string())?;
        }
        next = above.history.begin().origin.takes_back().map(str::to_owned);
        is_back = !is_back;
        seen.push(journal);
    }
    Ok(())
}

/// Who came since gets what they never had, or loses what nobody judged: somebody has to have seen who that is. The digest covers
/// their names. `leave` is what else there is to do.
pub(super) fn refuse_widening(
    (widened, digest): (&[Kept], Sha256),
    way: Way,
    direction: Direction,
    leave: &str,
) -> Result<(), Failure> {
    if widened.is_empty() || way != Way::Auto {
        return Ok(());
    }
    let lines: Vec<String> = widened.iter().map(line).collect();
    let what = match direction {
        Direction::Gives => "gets what they did not have",
        Direction::TakesAway => "loses what they came to have since",
        Direction::Unknown => "gets what they did not have, or loses what they came to have since",
    };
    let message = format!("by this rollback somebody {what}:{}", lines.concat());
    Err(Failure::refused("unapproved", message)
        .help(format!("--auto-approve does not cover that: look at the page above, and say --approve {digest}{leave}")))
}

fn refused(reads: &impl Reads, folder: &Folder, found: &Found, error: &RollbackError) -> Failure {
    match error {
        RollbackError::Drifted { drifted, rest } => {
            drifted_since(reads, folder, found, (drifted, rest)).unwrap_or_else(|error| unanswered(&error))
        }
        RollbackError::NotSeen { unseen, rest } => {
            let lines: Vec<String> = unseen.steps.iter().map(line).collect();
            let message = format!(
                "what `{}` wrote does not show yet, and is not taken back before it does. Nothing was changed.{}",
                found.id,
                lines.concat()
            );
            let wait = wait(&format!("secateur rollback {}", found.id), unseen);
            Failure::refused("not-seen", message).help(without(found, rest, &wait, "or"))
        }
        RollbackError::TakenNoMore { refused, rest } => {
            let lines: Vec<String> = refused.iter().map(line).collect();
            let message = format!(
                "AWS would not take back all that `{}` replaced or removed. Nothing was changed.{}",
                found.id,
                lines.concat()
            );
            let by_hand =
                "write these by hand, with `*` or SERVICE:ACTION and each key once: the journal has the documents";
            Failure::refused("refused-document", message).help(without(found, rest, by_hand, "then"))
        }
        RollbackError::Edited(error) => edited(found, error),
        RollbackError::Call(error) => unanswered(error),
    }
}

/// What there is to do where something does not show yet: the same command.
pub(super) fn wait(command: &str, unseen: &Unseen) -> String {
    let undone =
        unseen.until().map(|until| format!("; what somebody has undone by hand counts as that from {until} on"));
    format!("wait a minute, then `{command}` looks again{}", undone.unwrap_or_default())
}

fn unanswered(error: &CallError) -> Failure {
    Failure::error("aws", error.to_string())
        .help("give the caller the permissions of docs/permissions.md, or look whether AWS can be reached")
}

/// What has changed since, and by whom: by another journal of ours, or by somebody else.
fn drifted_since(
    reads: &impl Reads,
    folder: &Folder,
    found: &Found,
    (drifted, rest): (&[Kept], &[String]),
) -> Result<Failure, CallError> {
    // Where these cannot be listed, they are told of by whoever needs them.
    let listed = journals::listed(folder).unwrap_or_default();
    let all: Vec<&Found> = listed.iter().flatten().collect();
    let mut others: Vec<Option<By>> = Vec::new();
    let mut looked: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for kept in drifted {
        let Some((other, step)) = overtaken::by(&all, found, &kept.address) else {
            others.push(None);
            continue;
        };
        // Where it is not as that left it, somebody else was there after it.
        let key = (other.id.as_str(), step.address.as_str());
        let is_so = match looked.get(&key) {
            Some(is_so) => *is_so,
            None => is_as_left(reads, &other.history, &step.address)?,
        };
        looked.insert(key, is_so);
        others.push(is_so.then_some((other, step)));
    }
    let told = |(kept, other): (&Kept, &Option<By>)| match other {
        Some((found, step)) if step.address == kept.address => {
            format!("{}: so left by {}, after this one", line(kept), visible(&found.id))
        }
        // What mends it by hand would take back for all what that journal did: that command is not named.
        Some((found, step)) => {
            let why = kept.detail.split(": `aws iam ").next().unwrap_or_default().to_owned();
            let (why, other) = (line(&Kept { detail: why, ..(*kept).clone() }), visible(&step.address));
            format!("{why}: {other} is so left by {}, after this one", visible(&found.id))
        }
        None => line(kept),
    };
    let lines: Vec<String> = drifted.iter().zip(&others).map(told).collect();
    let who = match others.iter().all(Option::is_some) {
        true => "what another journal did since is in the way of",
        false => "somebody else has changed",
    };
    let message = format!("{who} what `{}` left. Nothing was changed.{}", found.id, lines.concat());
    let last = all.iter().rev().find(|own| others.iter().flatten().any(|(other, _)| other.id == own.id));
    let by_hand = match drifted.iter().any(|kept| has_document(found, &kept.address)) {
        true => "mend these by hand: the journal has the documents",
        false => "mend these by hand",
    };
    let by_hand = match last {
        Some(last) => format!("`secateur rollback {}` takes back what that did, or {by_hand}", last.id),
        None => by_hand.to_owned(),
    };
    let by_hand = format!("{by_hand}; then `secateur rollback {}` looks again", found.id);
    Ok(Failure::refused("drifted", message).help(without(found, rest, &by_hand, "or")))
}

/// What there is to do when something cannot be taken back: of the rest, if there is any. `word` is how an open journal is left: `then`,
/// or instead.
fn without(found: &Found, rest: &[String], by_hand: &str, word: &str) -> String {
    let id = &found.id;
    let leave = match found.is_open() {
        true => format!("; {word} `secateur history --abandon {id} --reason TEXT` leaves it as it is"),
        false => String::new(),
    };
    let targets: Vec<String> = rest.iter().map(|address| format!(" --target {}", visible(address))).collect();
    match targets.is_empty() {
        true => format!("{by_hand}{leave}"),
        false => format!("`secateur rollback {id}{}` takes back the rest; {by_hand}{leave}", targets.concat()),
    }
}

/// Whether the journal has a document of a change: a key, or an attachment, has none.
fn has_document(found: &Found, address: &str) -> bool {
    found.history.steps().iter().filter(|step| step.address == address).any(|step| match &step.effect {
        Effect::PutInline { .. }
        | Effect::DeleteInline { .. }
        | Effect::CreateVersion { .. }
        | Effect::DeleteVersion { .. }
        | Effect::SetDefault { .. }
        | Effect::CreatePolicy { .. }
        | Effect::DeletePolicy { .. } => true,
        Effect::Attach { .. } | Effect::Detach { .. } | Effect::SetKey { .. } => false,
    })
}

pub(super) fn edited(found: &Found, error: &DeriveError) -> Failure {
    Failure::refused("edited-journal", format!("`{}`: {error}", found.path.display()))
        .help("nothing is written on its word: put the journal back from a copy, or mend by hand")
}

/// Refuses a journal whose head is not the one that was pinned.
pub(super) fn check_head(found: &Found, expected: Option<Sha256>) -> Result<(), Failure> {
    match expected.filter(|expected| *expected != found.history.head()) {
        None => Ok(()),
        Some(expected) => {
            let message = format!("the head of `{}` is {}, and {expected} is expected", found.id, found.history.head());
            Err(Failure::refused("other-head", message).help("`secateur history` shows the heads"))
        }
    }
}

fn line(kept: &Kept) -> String {
    format!("\n{}: {}", visible(&kept.address), visible(&kept.detail))
}

/// A write of a rollback, and how the document changes.
pub(super) fn written(step: &Step) -> Vec<String> {
    let sign = match step.effect {
        Effect::DeleteInline { .. }
        | Effect::DeleteVersion { .. }
        | Effect::DeletePolicy { .. }
        | Effect::Detach { .. } => '-',
        Effect::CreateVersion { .. } | Effect::CreatePolicy { .. } | Effect::Attach { .. } => '+',
        Effect::PutInline { before: None, .. } => '+',
        Effect::PutInline { .. } | Effect::SetDefault { .. } | Effect::SetKey { .. } => '~',
    };
    let mut lines = vec![format!("  {sign} {}: {}", visible(&step.address), visible(&step.effect.to_string()))];
    let (before, after) = step.effect.documents();
    if before.is_some() || after.is_some() {
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let diff = TextDiff::from_lines(before, after);
        let unified = diff.unified_diff().context_radius(2).missing_newline_hint(false).to_string();
        lines.extend(unified.lines().map(|line| format!("      {}", visible(line))));
    }
    lines
}

/// Who gets or loses by a rollback what they did not have then, or came to have since: in a page.
pub(super) fn marked(widened: &[Kept], direction: Direction) -> Vec<String> {
    if widened.is_empty() {
        return Vec::new();
    }
    let who = match direction {
        Direction::Gives => "These get what they did not have before:",
        Direction::TakesAway => "These lose what they came to have since:",
        Direction::Unknown => "These get what they did not have before, or lose what they came to have since:",
    };
    let mut lines = vec![String::new(), who.to_owned()];
    let line = |own: &Kept| format!("  ! {}: {}", visible(&own.address), visible(&own.detail));
    lines.extend(widened.iter().map(line));
    lines
}

/// The plan of a rollback: each write, and how documents change. Where it takes away, `is_checked` is whether it was looked at
/// what was used since.
fn page(found: &Found, back: &Rollback, direction: Direction, is_checked: bool) -> String {
    let mut lines = vec![format!("Rollback of {}", visible(&found.id)), String::new()];
    let used = match is_checked {
        // Where nothing is to be taken away, there is nothing to look at.
        _ if back.proposal.steps().is_empty() => "",
        true => " It was looked at what was used since.",
        false => " Whether it was used since is not looked at.",
    };
    match direction {
        Direction::Gives => {}
        Direction::TakesAway => {
            lines.push(format!("It was a rollback itself: this does again what that one took back.{used}"));
        }
        Direction::Unknown => lines.push(format!(
            "It was a rollback itself, and a journal that it goes back to is gone: nobody can tell whether this gives or \
             takes away.{used}"
        )),
    }
    lines.extend(back.proposal.steps().iter().flat_map(written));
    for kept in &back.kept {
        lines.push(format!("  = {}: {}", visible(&kept.address), visible(&kept.detail)));
    }
    if !back.standing.is_empty() {
        lines.push(String::new());
        lines.push("These are not as they were before, and this rollback leaves them so:".to_owned());
    }
    for kept in &back.standing {
        lines.push(format!("  = {}: {}", visible(&kept.address), visible(&kept.detail)));
    }
    lines.extend(marked(&back.widened, direction));
    lines.push(String::new());
    lines.push(format!("Rollback: {} to make.", count(back.proposal.steps().len(), "write")));
    lines.push(format!("Digest: {}", back.proposal.digest()));
    lines.push(String::new());
    lines.join("\n")
}
