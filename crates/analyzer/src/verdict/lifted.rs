//! A Deny that a policy has let go: until then, what other policies allow could not be used.

use serde_json::Value;

use super::grant::document_of;
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
    by_date.sort_by_key(|version| version.created);
    let lifted = |version: &PolicyVersion| {
        let gone: Vec<Value> = match denies(version) {
            Some(own) => own.into_iter().filter(|deny| !in_force.iter().flatten().any(|now| now == deny)).collect(),
            // What cannot be compared may all be gone.
            None => return current.created.max(version.created),
        };
        if gone.is_empty() {
            return None;
        }
        if version.created >= current.created {
            return version.created;
        }
        // It went with the first version after that lacks it.
        let lacks = |next: &&&PolicyVersion| {
            let has = denies(next).unwrap_or_default();
            next.created > version.created && gone.iter().any(|deny| !has.contains(deny))
        };
        let last_with = by_date.iter().rev().find(|next| !lacks(next) && next.created < current.created);
        let after = last_with.map_or(version.created, |last| last.created.max(version.created));
        by_date.iter().find(|next| next.created > after).and_then(|next| next.created).or(current.created)
    };
    policy.versions.iter().filter(may_deny).filter_map(lifted).max()
}

/// The Deny statements of a version; none where they cannot be compared.
fn denies(version: &PolicyVersion) -> Option<Vec<Value>> {
    document_of(version).filter(|document| document.irregularities.is_empty()).and_then(terms::denies)
}
