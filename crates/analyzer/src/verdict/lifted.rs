//! A Deny that a policy has let go: until then, what other policies allow could not be used.

use serde_json::Value;

use super::grant::{UNDATED, document_of};
use super::terms;
use crate::account::{ManagedPolicy, PolicyVersion};
use crate::document::PolicyDocument;
use crate::time::UnixTime;

/// Returns when a policy last let go a Deny, at the latest, as far as its versions tell: one of them has a Deny that the version
/// in force has not. A Deny that was written in another way is another one.
pub(super) fn deny_lifted(policy: &ManagedPolicy) -> Option<UnixTime> {
    let may_deny = |version: &&PolicyVersion| {
        version.id != policy.default_version && document_of(version).is_some_and(PolicyDocument::has_deny)
    };
    if !policy.versions.iter().any(|version| may_deny(&version)) {
        return None;
    }
    let current = policy.default()?;
    let in_force = denies(current);
    let mut by_date: Vec<&PolicyVersion> = policy.versions.iter().collect();
    by_date.sort_by_key(|version| date(version));
    let lifted = |version: &PolicyVersion| {
        let gone: Vec<(Option<Value>, Value)> = match denies(version) {
            Some(own) => own.into_iter().filter(|deny| !in_force.iter().flatten().any(|now| now == deny)).collect(),
            // What cannot be compared may all be gone.
            None => return Some(date(current).max(date(version))),
        };
        if gone.is_empty() {
            return None;
        }
        if date(version) >= date(current) {
            return Some(date(version));
        }
        // It went with the first version after that lacks it.
        let lacks = |next: &&&PolicyVersion| {
            let has = denies(next).unwrap_or_default();
            date(next) > date(version) && gone.iter().any(|deny| !has.contains(deny))
        };
        let last_with = by_date.iter().rev().find(|next| !lacks(next) && date(next) < date(current));
        let after = last_with.map_or(date(version), |last| date(last).max(date(version)));
        Some(by_date.iter().map(|next| date(next)).find(|next| *next > after).unwrap_or(date(current)))
    };
    policy.versions.iter().filter(may_deny).filter_map(lifted).max()
}

/// When a version was made; without its date it may be of today.
fn date(version: &PolicyVersion) -> UnixTime {
    version.created.unwrap_or(UNDATED)
}

/// The Deny statements of a version; none where they cannot be compared.
fn denies(version: &PolicyVersion) -> Option<Vec<(Option<Value>, Value)>> {
    document_of(version).filter(|document| document.irregularities.is_empty()).and_then(terms::denies)
}
