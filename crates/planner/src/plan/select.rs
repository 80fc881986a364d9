//! Which changes are wanted: `--target`, `--exclude`, `--only`.

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::verdict::RemovalReason;
use secateur_analyzer::wildcard;

use super::{Advice, Change};

/// More addresses than this are counted only, where a line is all there is.
const MAX_ADDRESSES: usize = 5;

/// Which changes are wanted. Groups of changes are taken or left whole.
///
/// A glob means an address and all that is below it: `role/ci` means all of that role's own changes too. The address of a
/// managed policy, written out, means its attachments too, and so does what begins with `policy/aws:`, since nothing else of
/// AWS's policies ever changes. IAM tells no two names apart by case, and neither do globs.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Globs of addresses; empty means all.
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
        (self.target.is_empty() || naming(&self.target, address).is_some()) && naming(&self.exclude, address).is_none()
    }

    /// Returns whether removals for that reason are wanted.
    pub fn wants_reason(&self, reason: RemovalReason) -> bool {
        self.only.is_empty() || self.only.contains(&reason)
    }

    /// Keeps the changes that are wanted, groups whole: a group is left when any of it is excluded, and taken when any of
    /// it is a target.
    pub fn keep(&self, changes: &mut Vec<Change>) {
        let group = |change: &Change| change.unit().to_owned();
        let is_target = |change: &&Change| self.target.is_empty() || naming(&self.target, &change.address).is_some();
        let targeted: BTreeSet<String> = changes.iter().filter(is_target).map(group).collect();
        let is_excluded = |change: &&Change| naming(&self.exclude, &change.address).is_some();
        let excluded: BTreeSet<String> = changes.iter().filter(is_excluded).map(group).collect();
        changes.retain(|change| targeted.contains(change.unit()) && !excluded.contains(change.unit()));
    }

    /// Returns what is to be said of the choice among all changes: which groups are taken or left whole although some of
    /// them are not named, and which globs name neither a change nor any of the other addresses.
    pub(super) fn advice(&self, all: &[Change], others: &BTreeSet<String>) -> Vec<Advice> {
        let mut found = Vec::new();
        for (flag, globs) in [("--target", &self.target), ("--exclude", &self.exclude)] {
            let addresses =
                || all.iter().map(|change| change.address.as_str()).chain(others.iter().map(String::as_str));
            for glob in globs.iter().filter(|glob| !addresses().any(|address| is_named(glob, address))) {
                found.push(Advice {
                    kind: "glob-matches-nothing".to_owned(),
                    subject: flag.to_owned(),
                    detail: format!("`{glob}` names no change, and no user, role, group or policy of the account"),
                });
            }
        }
        let mut units: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for change in all {
            units.entry(change.unit()).or_default().push(&change.address);
        }
        found.extend(units.into_iter().filter_map(|(unit, addresses)| self.whole_group(unit, &addresses)));
        found
    }

    /// Why a group is taken or left whole, where not all of it is named.
    fn whole_group(&self, unit: &str, addresses: &[&str]) -> Option<Advice> {
        let by = |globs: &[String]| {
            let named = |address: &&str| naming(globs, address).map(|glob| (glob.to_owned(), (*address).to_owned()));
            let (glob, address) = addresses.iter().find_map(named)?;
            let rest: Vec<&str> =
                addresses.iter().filter(|address| naming(globs, address).is_none()).copied().collect();
            Some((glob, address, rest))
        };
        let target = by(&self.target);
        if target.is_none() && !self.target.is_empty() {
            return None;
        }
        let (kind, flag, done, (glob, address, rest)) = match by(&self.exclude) {
            Some(excluded) => ("group-left", "--exclude", "left out", excluded),
            None => ("group-taken", "--target", "taken", target?),
        };
        let more = rest.len().saturating_sub(MAX_ADDRESSES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let some: Vec<&str> = rest.iter().take(MAX_ADDRESSES).copied().collect();
        (!rest.is_empty()).then(|| Advice {
            kind: kind.to_owned(),
            subject: unit.to_owned(),
            detail: format!(
                "{flag} `{glob}` names {address}; groups go whole, so these are {done} too: {}{more}",
                some.join(", ")
            ),
        })
    }
}

/// The first of the globs that names the address.
fn naming<'g>(globs: &'g [String], address: &str) -> Option<&'g str> {
    globs.iter().map(String::as_str).find(|glob| is_named(glob, address))
}

fn is_named(glob: &str, address: &str) -> bool {
    let matches = |glob: &str, address: &str| wildcard::matches_ignore_case(glob, address);
    let below = format!("{}/*", glob.trim_end_matches('/'));
    // `policy/*` means documents, as `role/*` does not mean who holds them.
    let is_one = !glob.contains(['*', '?']) || glob.to_ascii_lowercase().starts_with("policy/aws:");
    matches(glob, address)
        || matches(&below, address)
        || (is_one && attached(address).is_some_and(|policy| matches(glob, &policy)))
}

/// The address of the policy whose attachment this is.
fn attached(address: &str) -> Option<String> {
    match address.split('/').collect::<Vec<_>>().as_slice() {
        [_, _, "attached", policy] => Some(format!("policy/{policy}")),
        _ => None,
    }
}
