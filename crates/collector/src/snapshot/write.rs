//! Writing a snapshot, so that it can be read whenever the writer is killed.
//!
//! Every file appears whole or not at all, and the manifest, which lists them all, is last.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use secateur_analyzer::document::{Sha256, Sha256Writer, sha256_of};

use super::inventory::Inventory;
use super::manifest::{FORMAT_VERSION, Manifest};
use super::place::{self, Place};
use super::{SnapshotError, json};

/// How the names of files begin that are not whole yet. Readers pass over them.
const ASIDE: &str = ".aside-";

/// A snapshot in the making. Only its owner may read its files: they say who may do what in an account.
#[derive(Debug)]
pub struct SnapshotWriter {
    dir: PathBuf,
    files: BTreeMap<String, Sha256>,
    /// Whether each file is synced when it is written; else all are before the manifest.
    syncs: bool,
}

impl SnapshotWriter {
    /// Begins a snapshot in a directory that holds none; the directory is made if need be.
    ///
    /// # Errors
    /// When files of a snapshot are there already: old evidence must not pass for new. When the directory cannot be made.
    pub fn create(dir: &Path) -> Result<SnapshotWriter, SnapshotError> {
        make_dirs(dir)?;
        let inventory = Inventory::of(dir)?;
        match inventory.files.into_keys().next() {
            Some(name) => Err(SnapshotError::NotEmpty { dir: dir.to_owned(), name }),
            None => Ok(SnapshotWriter { dir: dir.to_owned(), files: BTreeMap::new(), syncs: true }),
        }
    }

    /// Goes on with a snapshot that was begun: files without a manifest. None of them counts unless it is [kept](Self::keep).
    ///
    /// # Errors
    /// When the directory cannot be made or has a manifest.
    pub fn resume(dir: &Path) -> Result<SnapshotWriter, SnapshotError> {
        make_dirs(dir)?;
        let inventory = Inventory::of(dir)?;
        match inventory.files.contains_key(place::MANIFEST) {
            true => Err(SnapshotError::NotEmpty { dir: dir.to_owned(), name: place::MANIFEST.to_owned() }),
            false => Ok(SnapshotWriter { dir: dir.to_owned(), files: BTreeMap::new(), syncs: false }),
        }
    }

    /// Takes a file into the snapshot that is there already.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn keep(&mut self, relative_path: &str) -> Result<(), SnapshotError> {
        self.check(relative_path)?;
        let path = self.dir.join(relative_path);
        let content = fs::read(&path).map_err(|source| SnapshotError::reading(&path, source))?;
        self.files.insert(relative_path.to_owned(), sha256_of(&content));
        Ok(())
    }

    /// Takes a file into the snapshot that stands elsewhere with this content, which no one changes: both names may be of one.
    ///
    /// # Errors
    /// When it can be neither linked nor written.
    pub fn adopt(&mut self, relative_path: &str, from: &Path, content: &[u8]) -> Result<(), SnapshotError> {
        self.check(relative_path)?;
        let path = self.dir.join(relative_path);
        make_dirs(path.parent().unwrap_or(&self.dir))?;
        // A file system without links, or another name of that file, gets a copy.
        if path.exists() || fs::hard_link(from, &path).is_err() {
            return self.put(relative_path, content);
        }
        self.files.insert(relative_path.to_owned(), sha256_of(content));
        Ok(())
    }

    /// Returns whether a file was written or kept.
    pub fn has(&self, relative_path: &str) -> bool {
        self.files.contains_key(relative_path)
    }

    /// Removes all files that were neither written nor kept, those among them that a writer left when it was killed.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn drop_the_rest(&self) -> Result<(), SnapshotError> {
        remove_asides(&self.dir)?;
        for (name, file) in Inventory::of(&self.dir)?.files {
            if !self.has(&name) {
                let failed = |source| SnapshotError::Io { doing: "remove", path: file.path.clone(), source };
                fs::remove_file(&file.path).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Writes a file, `/` between the parts of its path; a file of that path is replaced.
    ///
    /// # Errors
    /// When a snapshot has no such place, or the file cannot be written.
    pub fn put(&mut self, relative_path: &str, content: &[u8]) -> Result<(), SnapshotError> {
        self.put_with(relative_path, |file| file.write_all(content))
    }

    /// Writes a file as [`put`](Self::put) does, piece by piece: the whole never stands in memory.
    ///
    /// # Errors
    /// When a snapshot has no such place, or the file cannot be written.
    pub fn put_with(
        &mut self,
        relative_path: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), SnapshotError> {
        self.check(relative_path)?;
        let sha256 = self.write(relative_path, write)?;
        self.files.insert(relative_path.to_owned(), sha256);
        Ok(())
    }

    fn check(&self, relative_path: &str) -> Result<(), SnapshotError> {
        let is_place = matches!(Place::of(relative_path), Some(place) if place != Place::Manifest);
        if is_place && !relative_path.contains(|part: char| part.is_control() || part == '\\') {
            return Ok(());
        }
        Err(SnapshotError::NotAPlace { dir: self.dir.clone(), name: relative_path.to_owned() })
    }

    /// Writes the manifest, with the SHA-256 of each file and the version of the format filled in.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub fn finish(mut self, manifest: Manifest) -> Result<(), SnapshotError> {
        if !self.syncs {
            self.sync()?;
        }
        let files = std::mem::take(&mut self.files);
        let manifest = Manifest { format_version: FORMAT_VERSION, files, ..manifest };
        self.write(place::MANIFEST, |file| json::print(file, &manifest)).map(|_| ())
    }

    fn write(&self, name: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Sha256, SnapshotError> {
        let path = self.dir.join(name);
        let folder = path.parent().unwrap_or(&self.dir);
        make_dirs(folder)?;
        let syncs = self.syncs || name == place::MANIFEST;
        replace(&path, folder, syncs, write).map_err(|source| SnapshotError::writing(&path, source))
    }

    /// Makes all files last, and their names.
    fn sync(&self) -> Result<(), SnapshotError> {
        let mut folders = BTreeSet::from([self.dir.clone()]);
        for name in self.files.keys() {
            let path = self.dir.join(name);
            fs::File::open(&path)
                .and_then(|file| file.sync_all())
                .map_err(|source| SnapshotError::writing(&path, source))?;
            folders.extend(path.ancestors().skip(1).take_while(|folder| *folder != self.dir).map(Path::to_owned));
        }
        folders.iter().try_for_each(|dir| sync_dir(dir).map_err(|source| SnapshotError::writing(dir, source)))
    }
}

/// Hashes what goes by.
struct Hashed<W> {
    inner: W,
    sha256: Sha256Writer,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sha256.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes aside, under a hidden name that readers pass over, and renames. `tempfile` makes files of mode 0600.
fn replace(
    path: &Path,
    folder: &Path,
    syncs: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Sha256> {
    let mut aside = tempfile::Builder::new().prefix(ASIDE).tempfile_in(folder)?;
    let sha256 = fill(aside.as_file_mut(), write)?;
    if syncs {
        aside.as_file().sync_all()?;
    }
    aside.persist(path).map_err(|error| error.error)?;
    if syncs {
        sync_dir(folder)?;
    }
    Ok(sha256)
}

fn fill(file: &mut fs::File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Sha256> {
    // Whoever prints JSON writes a few bytes at a time: neither the file nor the digest takes them one by one.
    let mut buffered = io::BufWriter::new(Hashed { inner: file, sha256: Sha256Writer::new() });
    write(&mut buffered)?;
    let hashed = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(hashed.sha256.finish())
}

fn remove_asides(dir: &Path) -> Result<(), SnapshotError> {
    let reading = |source| SnapshotError::reading(dir, source);
    for entry in fs::read_dir(dir).map_err(reading)? {
        let entry = entry.map_err(reading)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(reading)?);
        if kind.is_dir() {
            remove_asides(&path)?;
        } else if entry.file_name().to_string_lossy().starts_with(ASIDE) {
            fs::remove_file(&path).map_err(|source| SnapshotError::Io { doing: "remove", path, source })?;
        }
    }
    Ok(())
}

/// Makes the missing ones of `dir` and its parents, each of mode 0700, and makes their names last.
pub(crate) fn make_dirs(dir: &Path) -> Result<(), SnapshotError> {
    if dir.is_dir() || dir.as_os_str().is_empty() {
        return Ok(());
    }
    let parent = dir.parent().unwrap_or(Path::new(""));
    make_dirs(parent)?;
    make_dir(dir, parent).map_err(|source| SnapshotError::Io { doing: "create", path: dir.to_owned(), source })
}

fn make_dir(dir: &Path, parent: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    sync_dir(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

/// A new name in a directory outlasts a crash only once the directory is synced. Windows neither needs nor allows it.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(dir)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests;
