//! Writing a snapshot, so that it can be read whenever the writer is killed.
//!
//! Every file appears whole or not at all, and the manifest, which lists them all, is last.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use secateur_analyzer::document::{Sha256, sha256_of};

use super::inventory::Inventory;
use super::manifest::{FORMAT_VERSION, Manifest};
use super::place::{self, Place};
use super::{SnapshotError, json};

/// A snapshot in the making. Only its owner may read its files: they say who may do what in an account.
#[derive(Debug)]
pub struct SnapshotWriter {
    dir: PathBuf,
    files: BTreeMap<String, Sha256>,
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
            None => Ok(SnapshotWriter { dir: dir.to_owned(), files: BTreeMap::new() }),
        }
    }

    /// Writes a file, `/` between the parts of its path; a file of that path is replaced.
    ///
    /// # Errors
    /// When a snapshot has no such place, or the file cannot be written.
    pub fn put(&mut self, relative_path: &str, content: &[u8]) -> Result<(), SnapshotError> {
        let is_place = matches!(Place::of(relative_path), Some(place) if place != Place::Manifest);
        if !is_place || relative_path.contains(|part: char| part.is_control() || part == '\\') {
            return Err(SnapshotError::NotAPlace { dir: self.dir.clone(), name: relative_path.to_owned() });
        }
        self.write(relative_path, content)?;
        self.files.insert(relative_path.to_owned(), sha256_of(content));
        Ok(())
    }

    /// Writes the manifest, with the SHA-256 of each file and the version of the format filled in.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub fn finish(self, manifest: Manifest) -> Result<(), SnapshotError> {
        let manifest = Manifest { format_version: FORMAT_VERSION, files: self.files.clone(), ..manifest };
        let path = self.dir.join(place::MANIFEST);
        let content = json::printed(&manifest).map_err(|source| SnapshotError::writing(&path, source))?;
        self.write(place::MANIFEST, &content)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), SnapshotError> {
        let path = self.dir.join(name);
        let folder = path.parent().unwrap_or(&self.dir);
        make_dirs(folder)?;
        replace(&path, folder, content).map_err(|source| SnapshotError::writing(&path, source))
    }
}

/// Writes aside, under a hidden name that readers pass over, and renames. `tempfile` makes files of mode 0600.
fn replace(path: &Path, folder: &Path, content: &[u8]) -> io::Result<()> {
    let mut aside = tempfile::Builder::new().prefix(".aside-").tempfile_in(folder)?;
    aside.write_all(content)?;
    aside.as_file().sync_all()?;
    aside.persist(path).map_err(|error| error.error)?;
    sync_dir(folder)
}

/// Makes the missing ones of `dir` and its parents, each of mode 0700, and makes their names last.
fn make_dirs(dir: &Path) -> Result<(), SnapshotError> {
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
fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(dir)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests;
