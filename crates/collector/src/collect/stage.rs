//! Where a collection grows, beside the snapshot that it will replace.
//!
//! Everything is written below `.collecting` in the snapshot's directory, which readers pass over. The snapshot that is there
//! stays whole and valid until the new one is; then the files change places. The manifest of the stage is written when all else
//! is, and from then on readers follow it; whoever is killed before it has moved leaves a stage with a manifest, and the next
//! collection finishes the exchange before anything else. Only files that a manifest lists are ever replaced or removed.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use secateur_analyzer::time::UnixTime;

use super::CollectError;
use super::earlier::{Earlier, Existing, MANIFEST, STATE, Staged, State, manifest_of};
use crate::snapshot::{STAGE, files, make_dirs, sync_dir};
use crate::{Manifest, SnapshotWriter};

const LOCK: &str = ".lock";
/// The manifest of the snapshot that is being replaced: which files go.
const REPLACED: &str = ".replaced.json";

/// The lock of a snapshot's directory. Whoever may write there holds it; it goes with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

#[expect(clippy::incompatible_msrv, reason = "the feature `aws` asks for a newer compiler: that of the SDK")]
impl Lock {
    /// Takes the lock.
    pub fn take(dir: &Path) -> Result<Lock, CollectError> {
        make_dirs(dir)?;
        let path = dir.join(LOCK);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(io_error("lock", &path))?;
        let mut lock = Lock::hold(dir, file, File::try_lock)?;
        // For the message of whoever comes next; the lock holds without it.
        let _ = lock
            .file
            .set_len(0)
            .and_then(|()| lock.file.rewind())
            .and_then(|()| write!(lock.file, "process {}", std::process::id()));
        Ok(lock)
    }

    /// Refuses what [`Lock::take`] would refuse, and makes nothing.
    pub fn probe(dir: &Path) -> Result<(), CollectError> {
        if !dir.is_dir() {
            // What cannot become a folder is told as it would be then.
            let above = dir.ancestors().find(|path| path.symlink_metadata().is_ok()).filter(|path| !path.is_dir());
            return Ok(above.map_or(Ok(()), make_dirs)?);
        }
        let path = dir.join(LOCK);
        match OpenOptions::new().read(true).write(true).open(&path) {
            // Two who only look are not in each other's way.
            Ok(file) => Lock::hold(dir, file, File::try_lock_shared).map(drop),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(io_error("lock", &path)(error)),
        }
    }

    fn hold(
        dir: &Path,
        mut file: File,
        lock: impl FnOnce(&File) -> Result<(), TryLockError>,
    ) -> Result<Lock, CollectError> {
        match lock(&file) {
            Ok(()) => Ok(Lock { file }),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Whoever holds it may be writing its name just now.
                let _ = file.read_to_string(&mut holder);
                Err(CollectError::Locked { dir: dir.to_owned(), holder: holder.trim().to_owned() })
            }
            Err(TryLockError::Error(source)) => Err(io_error("lock", &dir.join(LOCK))(source)),
        }
    }
}

/// Returns whether a directory has a snapshot, one among them whose files are changing places.
#[must_use]
pub fn is_snapshot(dir: &Path) -> bool {
    [dir.to_owned(), dir.join(STAGE)].iter().any(|dir| dir.join(MANIFEST).is_file())
}

/// Returns whether something is there that a collection has read which did not come to its end.
#[must_use]
pub fn has_begun(dir: &Path) -> bool {
    files(&dir.join(STAGE)).is_ok_and(|files| !files.is_empty() && !files.contains_key(MANIFEST))
}

/// A collection in the making.
#[derive(Debug)]
pub(super) struct Stage {
    dir: PathBuf,
    stage: PathBuf,
    writer: SnapshotWriter,
    state: State,
    earlier: Earlier,
    /// Free when whoever writes last is done, also when the collection has ended before.
    _lock: Lock,
}

impl Stage {
    /// Opens the stage of a directory, or begins one. `limited` says that principals out of scope keep what they have,
    /// however old it is.
    pub fn open(lock: Lock, dir: &Path, this: State, max_age: i64, limited: bool) -> Result<Stage, CollectError> {
        let stage = dir.join(STAGE);
        finish_exchange(dir, &stage)?;
        let mut earlier = Earlier::look(dir, &this, max_age)?;
        make_dirs(&stage)?;
        let mut state = this;
        match earlier.staged {
            Some(staged) if staged.is_fresh => state.started_at = staged.since,
            Some(_) => forget_what_has_no_time(&stage)?,
            None => empty(&stage)?,
        }
        if let Some(published) = &earlier.published
            && (limited || earlier.is_fresh(published.started_at))
        {
            state.started_at = state.started_at.min(published.started_at);
        }
        // What was too old is gone.
        earlier.staged = Some(Staged { since: state.started_at, is_fresh: true });
        write_state(&stage, &state)?;
        let writer = SnapshotWriter::resume(&stage)?;
        Ok(Stage { dir: dir.to_owned(), stage, writer, state, earlier, _lock: lock })
    }

    /// Returns the time from which on the files without a time of their own are.
    pub fn started_at(&self) -> UnixTime {
        self.state.started_at
    }

    /// Returns what there is already.
    pub fn earlier(&self) -> &Earlier {
        &self.earlier
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

    /// Returns the folder where it grows.
    pub fn folder(&self) -> &Path {
        &self.stage
    }

    /// Returns a file without a name, for what is put together later; it goes with the process.
    pub fn scratch(&self) -> Result<File, CollectError> {
        tempfile::tempfile_in(&self.stage).map_err(io_error("write", &self.stage))
    }

    /// Makes the stage the snapshot.
    pub fn publish(self, manifest: Manifest) -> Result<(), CollectError> {
        self.writer.drop_the_rest()?;
        self.writer.finish(manifest)?;
        exchange(&self.dir, &self.stage)
    }
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CollectError {
    move |source| CollectError::Io { doing, path: path.to_owned(), source }
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
    if stage.join(MANIFEST).is_file() {
        return exchange(dir, stage);
    }
    // One that was finished, but for the removal of its stage: what it replaced is no concern of the next.
    match fs::remove_file(stage.join(REPLACED)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", &stage.join(REPLACED))(error)),
        _ => Ok(()),
    }
}

/// Puts the files of the stage into the places of the snapshot's, one by one. Readers follow the stage's manifest as long as it
/// is there; it goes last.
///
/// What goes is what the old manifest lists and the new one does not. Nothing else in the directory is touched: it is not ours.
fn exchange(dir: &Path, stage: &Path) -> Result<(), CollectError> {
    let from = stage.join(MANIFEST);
    let new = manifest_of(&from)?;
    let to: Vec<(&String, PathBuf)> = new.files.keys().map(|name| (name, dir.join(name))).collect();
    let mut folders = BTreeSet::from([dir.to_owned()]);
    // Whatever is in the way is told of before anything moves.
    for (_, path) in &to {
        folders.extend(folders_of(path, dir));
        if path.is_dir() {
            let source = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(io_error("replace", path)(source));
        }
    }
    for folder in &folders {
        make_dirs(folder)?;
    }
    let (manifest, replaced) = (dir.join(MANIFEST), stage.join(REPLACED));
    if !replaced.is_file() && manifest.is_file() {
        fs::rename(&manifest, &replaced).map_err(io_error("rename", &manifest))?;
        sync_dir(stage).and_then(|()| sync_dir(dir)).map_err(io_error("write", dir))?;
    }
    for (name, path) in &to {
        let from = stage.join(name);
        match fs::rename(&from, path) {
            // An earlier attempt moved it.
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_file() => {}
            result => result.map_err(io_error("rename", &from))?,
        }
    }
    if replaced.is_file() {
        let old = manifest_of(&replaced)?;
        for name in old.files.keys().filter(|name| !new.files.contains_key(*name)) {
            remove_replaced(dir, name)?;
        }
    }
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        sync_dir(folder).map_err(io_error("write", folder))?;
    }
    fs::rename(&from, &manifest).map_err(io_error("rename", &from))?;
    sync_dir(dir).map_err(io_error("write", dir))?;
    fs::remove_dir_all(stage).map_err(io_error("remove", stage))
}

/// The folders between a file and the snapshot's directory.
fn folders_of(path: &Path, dir: &Path) -> Vec<PathBuf> {
    path.ancestors().skip(1).take_while(|folder| *folder != dir).map(Path::to_owned).collect()
}

/// Removes a file of the old snapshot, and the folders that are empty without it.
fn remove_replaced(dir: &Path, name: &str) -> Result<(), CollectError> {
    let path = dir.join(name);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error("remove", &path)(error)),
        _ => {}
    }
    // One that is not empty stays.
    let _ = folders_of(&path, dir).iter().try_for_each(fs::remove_dir);
    Ok(())
}

#[cfg(test)]
mod tests;
