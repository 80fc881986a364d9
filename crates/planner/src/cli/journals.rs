//! The journals of this directory: which there are, and which is open.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use secateur_analyzer::document::Sha256;
#[cfg(feature = "aws")]
use secateur_analyzer::time::UnixTime;

use super::failure::Failure;
use super::inputs::Workspace;
#[cfg(feature = "aws")]
use super::ways;
use crate::apply::Origin;
#[cfg(feature = "aws")]
use crate::apply::ResumeError;
use crate::apply::journal::{Folder, History, HistoryError, State};
#[cfg(feature = "aws")]
use crate::render::count;

/// A journal on disk.
pub(super) struct Found {
    pub id: String,
    pub path: PathBuf,
    pub history: History,
}

impl Found {
    /// Whether it blocks the next apply.
    pub fn is_open(&self) -> bool {
        *self.history.state() == State::Open
    }

    /// The ids of those that began before it, as far as it names them.
    pub fn before(&self) -> impl Iterator<Item = &str> {
        let begin = self.history.begin();
        begin.after.as_deref().into_iter().chain(begin.origin.takes_back())
    }

    /// `apply` or `rollback`.
    pub fn kind(&self) -> &'static str {
        match self.history.begin().origin {
            Origin::Plan { .. } => "apply",
            Origin::Rollback { .. } => "rollback",
        }
    }
}

/// The folder of journals.
pub(super) fn folder(workspace: &Workspace) -> Folder {
    Folder::new(workspace.state("journal"))
}

/// Reads all journals, in the order in which they began, and fails where one cannot be used: it may be open.
#[cfg(feature = "aws")]
pub(super) fn all(folder: &Folder) -> Result<Vec<Found>, Failure> {
    listed(folder)?.into_iter().collect::<Result<_, Unusable>>().map_err(|unusable| unusable.failure)
}

/// Finds the open journal that is to be gone on with: the one that no other open one takes back. A clock that was wrong says
/// nothing about which that is.
#[cfg(feature = "aws")]
pub(super) fn open_one(folder: &Folder) -> Result<Option<Found>, Failure> {
    let all = all(folder)?;
    let open = || all.iter().filter(|found| found.is_open());
    let each: Vec<&Found> = all.iter().collect();
    let below: BTreeSet<&str> = open().flat_map(|found| ways::taken_back(&each, found)).collect();
    let tops: Vec<&str> = open().map(|found| found.id.as_str()).filter(|id| !below.contains(id)).collect();
    match (tops.as_slice(), open().next()) {
        (_, None) => Ok(None),
        ([top], _) => {
            let top = (*top).to_owned();
            Ok(all.into_iter().find(|found| found.id == top))
        }
        _ => {
            let open: Vec<&str> = open().map(|found| found.id.as_str()).collect();
            let message =
                format!("several journals are open, and none of them takes all others back: {}", open.join(", "));
            Err(Failure::refused("journal-open", message).help(
                "`secateur history --abandon ID --reason TEXT` leaves one as it is; when one is left, it can be gone on with or \
                 taken back",
            ))
        }
    }
}

/// A journal that cannot be used: whether it is open is not known.
pub(super) struct Unusable {
    pub id: String,
    pub failure: Failure,
}

/// Lists all journals, in the order in which they began, those that cannot be used among them. One that never began has written nothing and
/// is passed over.
pub(super) fn listed(folder: &Folder) -> Result<Vec<Result<Found, Unusable>>, Failure> {
    let ids = folder.ids().map_err(|error| unreadable(folder.path(), &error.to_string()))?;
    let mut found = Vec::new();
    for id in ids {
        let path = folder.file(&id);
        found.extend(read(&id, path).map_err(|failure| Unusable { id, failure }).transpose());
    }
    Ok(in_order(found))
}

/// Puts journals that are in the order of their ids into the order in which they began: each comes after the one that was the last
/// when it began, and after the one that it takes back, whatever the clocks said. Of others their ids tell, which bear the time.
fn in_order(found: Vec<Result<Found, Unusable>>) -> Vec<Result<Found, Unusable>> {
    let id = |own: &Result<Found, Unusable>| match own {
        Ok(found) => found.id.clone(),
        Err(unusable) => unusable.id.clone(),
    };
    let mut waiting: BTreeSet<String> = found.iter().map(id).collect();
    let mut left = found;
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_ready = |own: &Result<Found, Unusable>| {
            own.as_ref().ok().is_none_or(|own| own.before().all(|id| id == own.id || !waiting.contains(id)))
        };
        // Journals that say that each came after the other were forged: they stay as they are.
        let next = left.remove(left.iter().position(is_ready).unwrap_or(0));
        waiting.remove(&id(&next));
        ordered.push(next);
    }
    ordered
}

/// Returns the id of the journal that began last.
#[cfg(feature = "aws")]
pub(super) fn last(folder: &Folder) -> Result<Option<String>, Failure> {
    Ok(all(folder)?.pop().map(|found| found.id))
}

/// Reads one journal.
pub(super) fn read(id: &str, path: PathBuf) -> Result<Option<Found>, Failure> {
    read_to(id, path, None)
}

/// Reads one journal, as it was when the record of that hash was its last, where it has one.
fn read_to(id: &str, path: PathBuf, head: Option<Sha256>) -> Result<Option<Found>, Failure> {
    let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error.to_string()))?;
    match History::read_to(&bytes, head) {
        Ok(history) => Ok(Some(Found { id: id.to_owned(), path, history })),
        Err(HistoryError::NeverBegan) => Ok(None),
        Err(error @ HistoryError::Tampered(_)) => {
            let message = format!("`{}`: {error}", path.display());
            Err(Failure::refused("edited-journal", message).help(
                "nothing is written on its word: compare the account with the plan by `secateur verify PLAN --live`, put \
                 the journal back from a copy, or move it away and mend by hand",
            ))
        }
        Err(error @ HistoryError::OtherFormat(_)) => {
            let message = format!("`{}`: {error}", path.display());
            Err(Failure::refused("other-format", message).help(
                "end it with the secateur that wrote it; where that is done, or nothing more is to be done about it, move the \
                 file out of the folder: nothing can be applied while it is there",
            ))
        }
    }
}

fn unreadable(path: &Path, error: &str) -> Failure {
    let message = format!("cannot read `{}`: {error}: whether an apply is open is not known", path.display());
    Failure::refused("journal-unreadable", message).help("check who may read there, or put it back from a copy")
}

/// Finds a journal by id, by the beginning of its id, or by its file in the folder. What is written into it must be found
/// by whoever looks for open journals: a copy elsewhere, or under another name, is refused.
#[cfg(feature = "aws")]
pub(super) fn find(folder: &Folder, name: &str) -> Result<Found, Failure> {
    let path = Path::new(name);
    let none =
        || Failure::error("no-journal", format!("there is no journal `{name}`")).help("`secateur history` lists them");
    let is_file = path.extension().is_some_and(|extension| extension == "jsonl") && path.is_file();
    let id = if is_file {
        let id = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if folder.file(&id).canonicalize().ok() != path.canonicalize().ok() {
            let message = format!("`{name}` is not in the folder of journals, `{}`", folder.path().display());
            return Err(Failure::refused("other-folder", message).help(
                "name a journal that `secateur history` lists; one of another machine is put into that folder first",
            ));
        }
        id
    } else {
        let ids = folder.ids().map_err(|error| unreadable(folder.path(), &error.to_string()))?;
        let exact = ids.iter().filter(|id| *id == name);
        let matching: Vec<&String> = match ids.iter().any(|id| id == name) {
            true => exact.collect(),
            false => ids.iter().filter(|id| id.starts_with(name)).collect(),
        };
        match matching.as_slice() {
            [only] => (*only).clone(),
            [] => return Err(none()),
            several => {
                let ids: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                let message = format!("`{name}` may be any of {}", ids.join(", "));
                return Err(Failure::usage(message).help("give more of its id"));
            }
        }
    };
    let found = with_id(folder, &id)?.ok_or_else(none)?;
    let own = &found.history.begin().id;
    if *own != id {
        let message = format!("`{}` is the journal `{own}` under another name", found.path.display());
        return Err(Failure::refused("other-name", message).help("give the file its own name back"));
    }
    Ok(found)
}

/// Why an open journal cannot be gone on with.
#[cfg(feature = "aws")]
pub(super) fn not_resumed(found: &Found, error: &ResumeError) -> Failure {
    let id = &found.id;
    let out = format!(
        "`secateur rollback {id}` takes the rest back, `secateur history --abandon {id} --reason TEXT` leaves it as it is"
    );
    match error {
        ResumeError::OtherPlan(_) => {
            let message = format!("the journal `{id}` cannot be gone on with by this plan: {error}");
            Failure::refused("other-plan", message)
                .help(format!("name its plan: `secateur apply PLAN --resume`; or {out}"))
        }
        ResumeError::TakenBack(_) => {
            let message = format!("the journal `{id}` cannot be gone on with: {error}");
            Failure::refused("taken-back", message).help(format!("going on would do that again: {out}"))
        }
        ResumeError::Edited(error) => {
            Failure::refused("edited-journal", format!("`{}`: {error}", found.path.display()))
                .help("nothing is written on its word; `secateur rollback` shows what it would take back")
        }
    }
}

/// Says that a journal is open where something that its plan rests on is about to be replaced.
#[cfg(feature = "aws")]
pub(super) fn warn_open(workspace: &Workspace, what: &str) {
    // One that cannot be read is told of by whoever needs it.
    let listed = listed(&folder(workspace)).unwrap_or_default();
    let all: Vec<&Found> = listed.iter().filter_map(|own| own.as_ref().ok()).collect();
    // What gives back what an apply took needs no more than its journal.
    let gives = |open: &&Found| open.kind() == "rollback" && ways::taken_back(&all, open).len() % 2 == 1;
    for open in ways::in_order(&listed).into_iter().filter(|open| !gives(open)) {
        super::output::note(&format!(
            "The journal {} is open, and can only be gone on with as long as {what} is what it was: {}",
            open.id,
            ways::out_of(&listed, open)
        ));
    }
}

/// What to do about an open journal whose plan cannot be proved again.
#[cfg(feature = "aws")]
pub(super) fn needs_its_plan(found: &Found, failure: Failure) -> Failure {
    let id = &found.id;
    failure.help(format!(
        "to go on with `{id}`, its plan, its snapshot and the configuration must be what they were: put them back; or \
         `secateur rollback {id}` goes back, `secateur history --abandon {id} --reason TEXT` leaves it as it is"
    ))
}

/// Finds the journal with that very id, if it is still there.
#[cfg(feature = "aws")]
pub(super) fn with_id(folder: &Folder, id: &str) -> Result<Option<Found>, Failure> {
    with_id_at(folder, id, None)
}

#[cfg(feature = "aws")]
fn with_id_at(folder: &Folder, id: &str, head: Option<Sha256>) -> Result<Option<Found>, Failure> {
    let path = folder.file(id);
    match !id.contains(['/', '\\']) && path.is_file() {
        true => read_to(id, path, head),
        false => Ok(None),
    }
}

/// The journals that one took back, and those that these did: the apply is the last.
#[cfg(feature = "aws")]
pub(super) fn above(folder: &Folder, found: &Found) -> Result<Vec<History>, Failure> {
    chain(found, |id, _| with_id(folder, id))
}

/// As [`above`], each as it stood when the rollback of it was planned.
#[cfg(feature = "aws")]
pub(super) fn above_then(folder: &Folder, found: &Found) -> Result<Vec<History>, Failure> {
    chain(found, |id, head| with_id_at(folder, id, Some(head)))
}

#[cfg(feature = "aws")]
fn chain(
    found: &Found,
    read: impl Fn(&str, Sha256) -> Result<Option<Found>, Failure>,
) -> Result<Vec<History>, Failure> {
    let mut all: Vec<History> = Vec::new();
    while let Origin::Rollback { journal, head, .. } = &all.last().unwrap_or(&found.history).begin().origin {
        let is_new = all.iter().all(|history| history.begin().id != *journal);
        let Some(next) = read(journal, *head)?.filter(|_| is_new) else { break };
        all.push(next.history);
    }
    Ok(all)
}

/// The commands that lead out of an open journal now. Where the others cannot be listed, they are told of by whoever needs them.
#[cfg(feature = "aws")]
pub(super) fn ways_out(folder: &Folder, found: &Found) -> String {
    ways::out_of(&listed(folder).unwrap_or_default(), found)
}

/// The way to a new plan from here.
#[cfg(feature = "aws")]
pub(super) fn to_a_plan(folder: &Folder) -> String {
    ways::to_a_plan(&listed(folder).unwrap_or_default())
}

/// What a journal has done, for whoever ends a command that is about it before its first write.
#[cfg(feature = "aws")]
pub(super) fn earlier(folder: &Folder, found: &Found) -> super::apply::Earlier {
    let (id, history) = (&found.id, &found.history);
    let in_doubt = in_doubt(history.in_doubt());
    let taken_back = match history.taken_back() {
        0 => String::new(),
        count => format!(", {count} taken back"),
    };
    let is_open = found.is_open();
    let done = format!(
        "The journal {id} is {}: {} of {} writes of that {} are done{in_doubt}{taken_back}.",
        if is_open { "still open" } else { "what it was" },
        history.done(),
        history.steps().len(),
        found.kind(),
    );
    super::apply::Earlier { done, ways: is_open.then(|| ways_out(folder, found)) }
}

/// Says that what a journal wrote counts as just made, where it is of a time that has not come: that is waited for.
#[cfg(feature = "aws")]
pub(super) fn tell_ahead(found: &Found, settle: i64) {
    let (latest, now) = (found.history.latest(), now());
    if latest > now {
        super::output::note(&format!(
            "The journal {} is of {latest}, and here it is {now}: one clock was wrong. What it wrote counts as written now: up \
             to {} are waited for it to show.",
            found.id,
            count(usize::try_from(settle).unwrap_or_default(), "second")
        ));
    }
}

/// What is to be said of writes of which nobody has heard, behind the number of those that are done.
pub(super) fn in_doubt(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(", {count} may be or not"),
    }
}

/// What time it is on this machine.
#[cfg(feature = "aws")]
pub(super) fn now() -> UnixTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
