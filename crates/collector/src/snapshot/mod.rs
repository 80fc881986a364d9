//! The snapshot: a directory of JSON files, format 1.
//!
//! Reading goes in three steps: list the files and compare the list with the manifest; read, hash and parse every file, on
//! several threads; put the parts together in an order that depends on nothing but the content.

mod access_keys;
mod catalog;
mod content;
mod dates;
mod details;
mod document;
mod error;
mod exchange;
#[cfg(test)]
mod fixture;
mod grants;
mod identity;
mod inventory;
mod json;
mod kms;
mod manifest;
mod place;
mod policy_tags;
mod regions;
mod report;
mod summary;
#[cfg(test)]
mod tests;
mod write;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

#[cfg(feature = "aws")]
pub(crate) use document::decoded;
pub use error::SnapshotError;
#[cfg(feature = "aws")]
pub(crate) use exchange::STAGE;
#[cfg(feature = "aws")]
pub(crate) use json::print;
#[cfg(feature = "aws")]
pub(crate) use manifest::Unknown;
pub use manifest::{FORMAT_VERSION, Manifest};
pub use write::SnapshotWriter;
#[cfg(feature = "aws")]
pub(crate) use write::{make_dirs, sync_dir};

use content::{Parts, Reader};
#[cfg(feature = "aws")]
use inventory::Inventory;
use inventory::SnapshotFile;
use place::Place;
use secateur_analyzer::account::Account;
use secateur_analyzer::catalog::Catalog;
use secateur_analyzer::parallel;

/// How a snapshot is read; nothing in here changes the result.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    /// How many files are read at a time.
    pub threads: NonZeroUsize,
}

/// Reads a snapshot. One that is just being replaced is read whole: the old one, or the new one.
///
/// # Errors
/// When a file cannot be read or is not what its place says, when the manifest and the files contradict each other, or when
/// it is not clear which account this is.
pub fn read(dir: &Path, options: &ReadOptions) -> Result<Account, SnapshotError> {
    read_by(dir, options, None)
}

/// Reads a snapshot with another one's catalogue, so that both can be compared name by name.
///
/// # Errors
/// As [`read`].
pub fn read_with(dir: &Path, options: &ReadOptions, catalog: Arc<Catalog>) -> Result<Account, SnapshotError> {
    read_by(dir, options, Some(catalog))
}

fn read_by(dir: &Path, options: &ReadOptions, other: Option<Arc<Catalog>>) -> Result<Account, SnapshotError> {
    exchange::undisturbed(dir, || read_once(dir, options, other.clone()))
}

fn read_once(dir: &Path, options: &ReadOptions, other: Option<Arc<Catalog>>) -> Result<Account, SnapshotError> {
    let (mut inventory, manifest) = thread::scope(|scope| {
        if options.threads.get() > 1 && other.is_none() {
            // It is the same for everybody, takes a while to load, and is asked for next.
            let _ = thread::Builder::new().spawn_scoped(scope, Catalog::embedded);
        }
        let inventory = exchange::inventory(dir)?;
        let manifest = manifest::read(&inventory)?;
        Ok::<_, SnapshotError>((inventory, manifest))
    })?;
    if let Some((manifest, _)) = &manifest {
        manifest.check_listing(&inventory)?;
    }
    if !inventory.files.contains_key(place::DETAILS) {
        return Err(SnapshotError::NoDetails { path: dir.join(place::DETAILS) });
    }
    let catalog = match other {
        Some(catalog) => catalog,
        None => catalog::read(&mut inventory, manifest.as_ref().map(|(manifest, _)| manifest))?,
    };
    let files: Vec<&SnapshotFile> = inventory.files.values().filter(|file| file.place != Place::Manifest).collect();
    let contents = parallel::map_with(
        options.threads,
        &files,
        || Reader::new(&catalog),
        |reader, file| {
            let expected = manifest.as_ref().and_then(|(manifest, _)| manifest.files.get(&file.name));
            content::read(file, expected, reader)
        },
    );
    let mut parts = Parts::default();
    for (file, content) in files.into_iter().zip(contents) {
        parts.add(file, content?);
    }
    parts.gaps.extend(inventory.gaps);
    parts.into_account(dir, manifest, catalog)
}

/// Returns the files that stand at places of a snapshot: their paths by their names.
#[cfg(feature = "aws")]
pub(crate) fn files(dir: &Path) -> Result<std::collections::BTreeMap<String, PathBuf>, SnapshotError> {
    Ok(Inventory::of(dir)?.files.into_iter().map(|(name, file)| (name, file.path)).collect())
}

/// Returns the snapshots in `dir`: itself, or its directories named after an account id, sorted.
///
/// # Errors
/// When there is no snapshot, or `dir` cannot be read.
pub fn account_dirs(dir: &Path) -> Result<Vec<PathBuf>, SnapshotError> {
    if !dir.is_dir() {
        return Err(SnapshotError::NotADirectory { path: dir.to_owned() });
    }
    if [place::DETAILS, place::MANIFEST].iter().any(|name| dir.join(name).exists()) || exchange::is_under_way(dir) {
        return Ok(vec![dir.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|source| SnapshotError::reading(dir, source))? {
        let entry = entry.map_err(|source| SnapshotError::reading(dir, source))?;
        let named_after_an_account = entry.file_name().to_str().is_some_and(identity::is_account_id);
        if named_after_an_account && entry.path().is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    if found.is_empty() { Err(SnapshotError::NoSnapshot { dir: dir.to_owned() }) } else { Ok(found) }
}
