//! The journals of this directory: which there are, and which is open.

use std::path::{Path, PathBuf};

#[cfg(feature = "aws")]
use secateur_analyzer::time::UnixTime;

use super::failure::Failure;
use super::inputs::Workspace;
use crate::apply::Origin;
use crate::apply::journal::{Folder, History, HistoryError, State};

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

/// Reads all journals, the oldest first. One that never began has written nothing and is passed over.
pub(super) fn all(folder: &Folder) -> Result<Vec<Found>, Failure> {
    let ids = folder.ids().map_err(|error| unreadable(folder.path(), &error.to_string()))?;
    let mut found = Vec::new();
    for id in ids {
        let path = folder.file(&id);
        found.extend(read(&id, path)?);
    }
    Ok(found)
}

/// Reads one journal.
pub(super) fn read(id: &str, path: PathBuf) -> Result<Option<Found>, Failure> {
    let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error.to_string()))?;
    match History::read(&bytes) {
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
            Err(Failure::refused("other-format", message).help("use the secateur that wrote it"))
        }
    }
}

fn unreadable(path: &Path, error: &str) -> Failure {
    let message = format!("cannot read `{}`: {error}: whether an apply is open is not known", path.display());
    Failure::refused("journal-unreadable", message).help("check who may read there, or put it back from a copy")
}

/// Finds a journal by id, by the beginning of its id, or by its file.
#[cfg(feature = "aws")]
pub(super) fn find(folder: &Folder, name: &str) -> Result<Found, Failure> {
    let path = Path::new(name);
    let none =
        || Failure::error("no-journal", format!("there is no journal `{name}`")).help("`secateur history` lists them");
    if path.extension().is_some_and(|extension| extension == "jsonl") && path.is_file() {
        let id = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        return read(&id, path.to_owned())?.ok_or_else(none);
    }
    let ids = folder.ids().map_err(|error| unreadable(folder.path(), &error.to_string()))?;
    let matching: Vec<&String> = ids.iter().filter(|id| id.starts_with(name)).collect();
    match matching.as_slice() {
        [only] => read(only, folder.file(only))?.ok_or_else(none),
        [] => Err(none()),
        several => {
            let ids: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
            Err(Failure::usage(format!("`{name}` may be any of {}", ids.join(", "))).help("give more of its id"))
        }
    }
}

/// The commands that go on, go back, or leave an open journal.
pub(super) fn ways_out(found: &Found) -> String {
    let id = &found.id;
    format!(
        "`secateur apply --resume` goes on, `secateur rollback {id}` goes back, `secateur history --abandon {id} --reason \
         TEXT` leaves it as it is"
    )
}

/// What time it is on this machine.
#[cfg(feature = "aws")]
pub(super) fn now() -> UnixTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
