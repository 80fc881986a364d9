//! A snapshot whose files are changing places just now, or whose collection was killed while they did.
//!
//! `collect` makes a new snapshot in `.collecting`, and writes its manifest last of all. From that moment on it is the snapshot:
//! each file that the manifest lists stands in `.collecting` or, when it has been moved, in its place. Readers take it from
//! there, so no mixture of two snapshots is ever read, and nothing has to be finished first.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use secateur_analyzer::document::{Sha256, sha256_of};

use super::inventory::Inventory;
use super::place;
use super::{Manifest, SnapshotError};

/// Where a collection grows, below the snapshot's directory.
pub(crate) const STAGE: &str = ".collecting";

/// How often a snapshot is read that changes meanwhile.
const READINGS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(50);

/// Returns whether the files of the snapshot are on their way into their places.
pub(super) fn is_under_way(dir: &Path) -> bool {
    dir.join(STAGE).join(place::MANIFEST).is_file()
}

/// Lists the files of the snapshot in force.
pub(super) fn inventory(dir: &Path) -> Result<Inventory, SnapshotError> {
    let mut there = Inventory::of(dir)?;
    if !is_under_way(dir) {
        return Ok(there);
    }
    let staged = Inventory::of(&dir.join(STAGE))?;
    let listed: BTreeMap<String, Sha256> = match super::manifest::read(&staged)? {
        Some((Manifest { files, .. }, _)) => files,
        None => return Ok(there),
    };
    // What is not listed is of the old snapshot, and about to go.
    there.files.retain(|name, _| listed.contains_key(name));
    there.files.extend(staged.files);
    Ok(there)
}

/// What tells one state of a directory from another: its manifest, and that of the snapshot on its way.
fn state(dir: &Path) -> [Option<Sha256>; 2] {
    [dir.join(place::MANIFEST), dir.join(STAGE).join(place::MANIFEST)]
        .map(|path| fs::read(path).ok().map(|bytes| sha256_of(&bytes)))
}

/// Reads until the snapshot stays the same from beginning to end; what moves under way moves on quickly.
pub(super) fn undisturbed<T>(dir: &Path, read: impl Fn() -> Result<T, SnapshotError>) -> Result<T, SnapshotError> {
    for _ in 1..READINGS {
        let before = state(dir);
        let result = read();
        if before == state(dir) && (result.is_ok() || !is_under_way(dir)) {
            return result;
        }
        std::thread::sleep(PAUSE);
    }
    read()
}
