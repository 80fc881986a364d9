//! Which changes are wanted: `--target`, `--exclude`, `--only`.

use std::collections::BTreeSet;

use secateur_analyzer::verdict::RemovalReason;
use secateur_analyzer::wildcard;

use super::Change;

/// Which changes are wanted. Groups of changes are taken or left whole.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Globs of addresses; empty means all. `role/ci` means all of that role's own changes too.
    pub target: Vec<String>,
    /// Globs of addresses that are not wanted.
    pub exclude: Vec<String>,
    /// The reasons for which actions may be removed; empty means all.
    pub only: Vec<RemovalReason>,
}

impl Selection {
    /// Returns whether everything is wanted.
    pub fn is_everything(&self) -> bool {
        self.target.is_empty() && self.exclude.is_empty() && self.only.is_empty()
    }

    /// Returns whether the address is wanted.
    pub fn wants(&self, address: &str) -> bool {
        let any = |globs: &[String]| globs.iter().any(|glob| is_named(glob, address));
        (self.target.is_empty() || any(&self.target)) && !any(&self.exclude)
    }

    /// Returns whether removals for that reason are wanted.
    pub fn wants_reason(&self, reason: RemovalReason) -> bool {
        self.only.is_empty() || self.only.contains(&reason)
    }

    /// Keeps the changes that are wanted, groups whole: a group is left when any of it is excluded, and taken when any of
    /// it is a target.
    pub fn keep(&self, changes: &mut Vec<Change>) {
        let any = |globs: &[String], change: &Change| globs.iter().any(|glob| is_named(glob, &change.address));
        let group = |change: &Change| change.unit().to_owned();
        let targeted: BTreeSet<String> =
            changes.iter().filter(|change| self.target.is_empty() || any(&self.target, change)).map(group).collect();
        let excluded: BTreeSet<String> =
            changes.iter().filter(|change| any(&self.exclude, change)).map(group).collect();
        changes.retain(|change| targeted.contains(&group(change)) && !excluded.contains(&group(change)));
    }
}

fn is_named(glob: &str, address: &str) -> bool {
    let below = format!("{}/*", glob.trim_end_matches('/'));
    wildcard::matches(glob.as_bytes(), address.as_bytes()) || wildcard::matches(below.as_bytes(), address.as_bytes())
}
