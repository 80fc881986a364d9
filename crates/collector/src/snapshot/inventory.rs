//! Which files a snapshot has.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use secateur_analyzer::account::Gap;

use super::SnapshotError;
use super::place::{self, Place};

/// A file of the snapshot, not read yet.
#[derive(Debug)]
pub(super) struct SnapshotFile {
    /// The path from the snapshot's root, with `/` on every platform.
    pub(super) name: String,
    /// The path as the user would name it.
    pub(super) path: PathBuf,
    pub(super) place: Place,
}

/// The files of a snapshot, by name.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// The snapshot's root, as the caller named it.
    pub(super) dir: PathBuf,
    pub(super) files: BTreeMap<String, SnapshotFile>,
    /// What was there and not looked at, though it could hold evidence.
    pub(super) gaps: Vec<Gap>,
    folders: Vec<(String, PathBuf)>,
}

impl Inventory {
    /// Lists the files; hidden ones, and those at no place of a snapshot, are passed over.
    pub(super) fn of(dir: &Path) -> Result<Inventory, SnapshotError> {
        if !dir.is_dir() {
            return Err(SnapshotError::NotADirectory { path: dir.to_owned() });
        }
        let mut inventory = Inventory { dir: dir.to_owned(), ..Inventory::default() };
        inventory.folders.push((String::new(), dir.to_owned()));
        while let Some((prefix, folder)) = inventory.folders.pop() {
            let entries = fs::read_dir(&folder).map_err(|source| SnapshotError::reading(&folder, source))?;
            for entry in entries {
                inventory.add(&prefix, &entry.map_err(|source| SnapshotError::reading(&folder, source))?)?;
            }
        }
        inventory.gaps.sort();
        Ok(inventory)
    }

    fn add(&mut self, prefix: &str, entry: &DirEntry) -> Result<(), SnapshotError> {
        let path = entry.path();
        let file_name = entry.file_name();
        let name = format!("{prefix}{}", file_name.to_string_lossy());
        let root = name.split('/').next().unwrap_or_default();
        if !place::is_visible(&file_name.to_string_lossy()) || (prefix.is_empty() && !is_known(root)) {
            return Ok(());
        }
        // A name goes into the manifest as text, and into the snapshot's hash as a line.
        if file_name.to_str().is_none_or(|name| name.contains(char::is_control)) {
            return Err(SnapshotError::FileName { path });
        }
        let kind = entry.file_type().map_err(|source| SnapshotError::reading(&path, source))?;
        let is_folder = !prefix.is_empty() || Place::of_folder(root).is_some();
        if kind.is_dir() && is_folder {
            self.folders.push((format!("{name}/"), path));
        } else if kind.is_symlink() && is_folder && path.is_dir() {
            // Links may form a loop, or lead out of the snapshot into anything.
            let detail = "a symbolic link to a directory is not followed".to_owned();
            self.gaps.push(Gap { subject: name, kind: "link-not-followed".to_owned(), detail });
        } else if let Some(place) = Place::of(&name) {
            // Only of a link is more to be asked than what the folder says.
            let is_link_to_file = || fs::metadata(&path).map(|metadata| metadata.is_file());
            let is_file =
                kind.is_file() || is_link_to_file().map_err(|source| SnapshotError::reading(&path, source))?;
            if !is_file {
                return Err(SnapshotError::NotAFile { path });
            }
            self.files.insert(name.clone(), SnapshotFile { name, path, place });
        }
        Ok(())
    }
}

fn is_known(root: &str) -> bool {
    Place::of(root).is_some() || Place::of_folder(root).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn only_visible_json_files_at_known_places_are_listed() {
        let snapshot = Fixture::new();
        for name in [
            "last-accessed/b.json",
            "last-accessed/x/y/a.json",
            "last-accessed/readme.txt",
            "last-accessed/.tmp1.json",
            "last-accessed/.old/c.json",
            ".git/d.json",
            "notes.json",
            "other/e.json",
            "kms",
        ] {
            snapshot.put(name, "{}");
        }
        let inventory = Inventory::of(snapshot.dir()).unwrap();
        let names: Vec<&str> = inventory.files.keys().map(String::as_str).collect();
        assert_eq!(names, ["last-accessed/b.json", "last-accessed/x/y/a.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_to_files_are_read_and_loops_are_not_followed() {
        let snapshot = Fixture::new();
        snapshot.put("last-accessed/a.json", "{}");
        snapshot.put("elsewhere.json", "{}");
        std::os::unix::fs::symlink("..", snapshot.dir().join("last-accessed/loop")).unwrap();
        std::os::unix::fs::symlink("../elsewhere.json", snapshot.dir().join("last-accessed/link.json")).unwrap();
        let inventory = Inventory::of(snapshot.dir()).unwrap();
        let names: Vec<&str> = inventory.files.keys().map(String::as_str).collect();
        assert_eq!(names, ["last-accessed/a.json", "last-accessed/link.json"]);
        let gaps: Vec<String> = inventory.gaps.iter().map(|gap| format!("{}: {}", gap.subject, gap.detail)).collect();
        assert_eq!(gaps, ["last-accessed/loop: a symbolic link to a directory is not followed"]);
    }
}
