//! Where a collection grows, beside the snapshot that it will replace.
//!
//! Everything is written below `.collecting` in the snapshot's directory, which readers pass over. The snapshot that is there
//! stays whole and valid until the new one is; then the files change places, the manifest first and last. Whoever is killed
//! in between leaves a stage with a manifest, and the next collection finishes the exchange before anything else.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use secateur_analyzer::account::Gap;
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::time::UnixTime;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::CollectError;
use crate::snapshot::{files, make_dirs, sync_dir};
use crate::{Manifest, SnapshotWriter};

const STAGE: &str = ".collecting";
const STATE: &str = ".state.json";
const LOCK: &str = ".lock";
const MANIFEST: &str = "manifest.json";
/// Beginning of the names under which folders of the old snapshot wait for their removal.
const OLD: &str = ".old-";

/// What a stage says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    pub account_id: String,
    pub partition: String,
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The time from which on the files without a time of their own are.
    pub started_at: UnixTime,
}

impl State {
    fn is_of(&self, other: &State) -> bool {
        (&self.account_id, &self.partition, &self.endpoint) == (&other.account_id, &other.partition, &other.endpoint)
    }
}

/// The lock of a snapshot's directory. It goes with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock.
    #[expect(clippy::incompatible_msrv, reason = "the feature `aws` asks for a newer compiler: that of the SDK")]
    pub fn take(dir: &Path) -> Result<Lock, CollectError> {
        make_dirs(dir)?;
        let path = dir.join(LOCK);
        let failed = |source| CollectError::Io { doing: "lock", path: path.clone(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Whoever holds it may be writing its name just now.
                let _ = file.read_to_string(&mut holder);
                return Err(CollectError::Locked { dir: dir.to_owned(), holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // For the message above; the lock holds without it.
        let _ =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "process {}", std::process::id()));
        Ok(Lock { _file: file })
    }
}

/// A collection in the making.
#[derive(Debug)]
pub(super) struct Stage {
    dir: PathBuf,
    stage: PathBuf,
    writer: SnapshotWriter,
    state: State,
    /// The snapshot that is to be replaced, if it is secateur's and of this account.
    published: Option<Manifest>,
    max_age: i64,
    now: UnixTime,
}

impl Stage {
    /// Opens the stage of a directory, or begins one. `limited` says that principals out of scope keep what they have,
    /// however old it is.
    pub fn open(dir: &Path, this: State, max_age: i64, limited: bool) -> Result<Stage, CollectError> {
        let stage = dir.join(STAGE);
        finish_exchange(dir, &stage)?;
        let published = published(dir, &this)?;
        let now = this.started_at;
        let is_fresh = |time: UnixTime| max_age > 0 && now.since(time) <= max_age;
        make_dirs(&stage)?;
        let mut state = this;
        match read_state(&stage) {
            Some(found) if found.is_of(&state) && is_fresh(found.started_at) => state.started_at = found.started_at,
            Some(found) if found.is_of(&state) => forget_what_has_no_time(&stage)?,
            Some(_) => empty(&stage)?,
            None => empty(&stage)?,
        }
        if let Some(published) = &published
            && (limited || is_fresh(published.started_at))
        {
            state.started_at = state.started_at.min(published.started_at);
        }
        write_state(&stage, &state)?;
        let writer = SnapshotWriter::resume(&stage)?;
        Ok(Stage { dir: dir.to_owned(), stage, writer, state, published, max_age, now })
    }

    /// Returns the time from which on the files without a time of their own are.
    pub fn started_at(&self) -> UnixTime {
        self.state.started_at
    }

    /// Returns what there is of a file already: in the stage, or else in the snapshot that is to be replaced.
    pub fn existing(&self, name: &str) -> Option<Existing> {
        // Nothing of a stage is synced: what a crash of the machine has left of a file may be half of it.
        let is_json = |content: &Vec<u8>| serde_json::from_slice::<IgnoredAny>(content).is_ok();
        if let Some(content) = fs::read(self.stage.join(name)).ok().filter(is_json) {
            return Some(Existing { content, is_staged: true, is_fresh: true });
        }
        let published = self.published.as_ref()?;
        let expected = published.files.get(name)?;
        let content = fs::read(self.dir.join(name)).ok()?;
        let is_fresh = self.is_fresh(published.started_at);
        (sha256_of(&content) == *expected).then_some(Existing { content, is_staged: false, is_fresh })
    }

    /// Returns the names of the files below a folder in the snapshot that is to be replaced, if it is young enough.
    pub fn published_below(&self, folder: &str) -> Vec<String> {
        let published = self.published.iter().filter(|published| self.is_fresh(published.started_at));
        let names = published.flat_map(|published| published.files.keys());
        names.filter(|name| name.starts_with(folder)).cloned().collect()
    }

    /// Returns what the snapshot that is to be replaced says is missing of somebody.
    pub fn published_gaps(&self, arn: &str) -> Vec<Gap> {
        let gaps = self.published.iter().flat_map(|published| &published.gaps);
        gaps.filter(|gap| gap.subject == arn).cloned().collect()
    }

    /// Returns whether something of that time need not be read again.
    pub fn is_fresh(&self, time: UnixTime) -> bool {
        self.max_age > 0 && self.now.since(time) <= self.max_age
    }

    /// Takes a file that there is into the new snapshot.
    pub fn keep(&mut self, name: &str, existing: &Existing) -> Result<(), CollectError> {
        match existing.is_staged {
            true => self.writer.keep(name)?,
            false => self.writer.adopt(name, &self.dir.join(name), &existing.content)?,
        }
        Ok(())
    }

    /// Writes a file.
    pub fn put(&mut self, name: &str, content: &[u8]) -> Result<(), CollectError> {
        Ok(self.writer.put(name, content)?)
    }

    /// Writes a file piece by piece.
    pub fn put_with(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CollectError> {
        Ok(self.writer.put_with(name, write)?)
    }

    /// Returns a file without a name, for what is put together later; it goes with the process.
    pub fn scratch(&self) -> Result<File, CollectError> {
        let failed = |source| CollectError::Io { doing: "write", path: self.stage.clone(), source };
        tempfile::tempfile_in(&self.stage).map_err(failed)
    }

    /// Makes the stage the snapshot.
    pub fn publish(self, manifest: Manifest) -> Result<(), CollectError> {
        self.writer.drop_the_rest()?;
        self.writer.finish(manifest)?;
        exchange(&self.dir, &self.stage)
    }
}

/// A file that there is already.
#[derive(Debug)]
pub(super) struct Existing {
    pub content: Vec<u8>,
    is_staged: bool,
    /// Whether it is young enough, if it has no time of its own.
    pub is_fresh: bool,
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CollectError {
    move |source| CollectError::Io { doing, path: path.to_owned(), source }
}

fn read_state(stage: &Path) -> Option<State> {
    serde_json::from_slice(&fs::read(stage.join(STATE)).ok()?).ok()
}

fn write_state(stage: &Path, state: &State) -> Result<(), CollectError> {
    let path = stage.join(STATE);
    let write = || {
        let mut aside = tempfile::Builder::new().prefix(".aside-").tempfile_in(stage)?;
        aside.write_all(&serde_json::to_vec(state)?)?;
        aside.as_file().sync_all()?;
        aside.persist(&path).map_err(|error| error.error)?;
        sync_dir(stage)
    };
    write().map_err(io_error("write", &path))
}

/// Returns the manifest of the snapshot that is there; refuses to replace what is of another account, or made by hand.
fn published(dir: &Path, this: &State) -> Result<Option<Manifest>, CollectError> {
    let present = files(dir)?;
    let Some(first) = present.keys().next() else { return Ok(None) };
    let path = dir.join(MANIFEST);
    let Ok(bytes) = fs::read(&path) else {
        return Err(CollectError::MadeByHand { dir: dir.to_owned(), name: first.clone() });
    };
    // What cannot be read is of no use for this one, and is replaced.
    let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else { return Ok(None) };
    if (&manifest.account_id, &manifest.endpoint) != (&this.account_id, &this.endpoint) {
        let of = |account: &str, endpoint: &Option<String>| match endpoint {
            Some(endpoint) => format!("account {account} at {endpoint}"),
            None => format!("account {account}"),
        };
        return Err(CollectError::OtherAccount {
            dir: dir.to_owned(),
            there: of(&manifest.account_id, &manifest.endpoint),
            here: of(&this.account_id, &this.endpoint),
        });
    }
    Ok(Some(manifest))
}

/// Removes the staged files that are as old as the stage. Reports bear their own time, and stay.
fn forget_what_has_no_time(stage: &Path) -> Result<(), CollectError> {
    for (name, path) in files(stage)? {
        if !name.starts_with("last-accessed/") {
            fs::remove_file(&path).map_err(io_error("remove", &path))?;
        }
    }
    Ok(())
}

fn empty(stage: &Path) -> Result<(), CollectError> {
    fs::remove_dir_all(stage).map_err(io_error("remove", stage))?;
    Ok(make_dirs(stage)?)
}

/// Finishes what a collection that was killed had begun.
fn finish_exchange(dir: &Path, stage: &Path) -> Result<(), CollectError> {
    remove_old(dir)?;
    if stage.join(MANIFEST).is_file() { exchange(dir, stage) } else { Ok(()) }
}

/// Puts the files of the stage into the places of the snapshot's.
///
/// Without its manifest the old snapshot is one of files made by hand, which may be of any mixture; with the new manifest it
/// is the new one. The stage's manifest is what says that the exchange must be finished, so it goes last.
fn exchange(dir: &Path, stage: &Path) -> Result<(), CollectError> {
    let manifest = dir.join(MANIFEST);
    match fs::remove_file(&manifest) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error("remove", &manifest)(error)),
        _ => sync_dir(dir).map_err(io_error("write", dir))?,
    }
    let roots = |of: &Path| -> Result<Vec<String>, CollectError> {
        let present = files(of)?;
        let mut roots: Vec<String> =
            present.keys().map(|name| name.split('/').next().unwrap_or(name).to_owned()).collect();
        roots.dedup();
        Ok(roots)
    };
    let new = roots(stage)?;
    // What an earlier attempt moved is not in the stage any more, and is in its manifest.
    let staged: Option<Manifest> =
        fs::read(stage.join(MANIFEST)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let moved = |root: &String| {
        let is_below =
            |name: &String| name == root || name.strip_prefix(root.as_str()).is_some_and(|rest| rest.starts_with('/'));
        staged.as_ref().is_some_and(|manifest| manifest.files.keys().any(is_below))
    };
    for root in roots(dir)? {
        if new.contains(&root) || !moved(&root) {
            let path = dir.join(&root);
            // A file is replaced by the rename below; a folder has to make room.
            if path.is_dir() {
                let old = dir.join(format!("{OLD}{root}"));
                fs::rename(&path, &old).map_err(io_error("rename", &path))?;
            } else if !new.contains(&root) {
                fs::remove_file(&path).map_err(io_error("remove", &path))?;
            }
        }
    }
    for root in new.iter().filter(|root| *root != MANIFEST) {
        let (from, to) = (stage.join(root), dir.join(root));
        fs::rename(&from, &to).map_err(io_error("rename", &from))?;
    }
    sync_dir(dir).map_err(io_error("write", dir))?;
    let from = stage.join(MANIFEST);
    fs::rename(&from, &manifest).map_err(io_error("rename", &from))?;
    sync_dir(dir).map_err(io_error("write", dir))?;
    remove_old(dir)?;
    fs::remove_dir_all(stage).map_err(io_error("remove", stage))
}

fn remove_old(dir: &Path) -> Result<(), CollectError> {
    let entries = fs::read_dir(dir).map_err(io_error("read", dir))?;
    for entry in entries.filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with(OLD) {
            let path = entry.path();
            fs::remove_dir_all(&path).map_err(io_error("remove", &path))?;
        }
    }
    Ok(())
}
