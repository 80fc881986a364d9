//! Since when a managed policy has allowed the use of a KMS key: a key that was added to a statement yesterday has had no time to
//! be used by it.
//!
//! [`PolicyGrants`](super::PolicyGrants) tells the same of actions, on whatever resource. Here a version counts only if it allows
//! the same actions on the same key under the same condition, in the same language, and denies none of them.

use serde_json::Value;

use super::grant::{UNDATED, document_of, is_without_gap, number};
use super::history::GrantIndex;
use super::terms;
use crate::account::{ManagedPolicy, PolicyVersion};
use crate::catalog::{ActionSet, Catalog};
use crate::document::{Effect, PolicyDocument, Statement};
use crate::time::UnixTime;

/// What a version must allow to count.
pub(crate) struct KeyGrant<'a> {
    catalog: &'a Catalog,
    arn: &'a str,
    actions: ActionSet,
    condition: Option<Value>,
    language: Option<Value>,
}

impl<'a> KeyGrant<'a> {
    /// Takes what a statement of a document allows on one of its resources.
    pub fn new(catalog: &'a Catalog, document: &PolicyDocument, statement: &Statement, arn: &'a str) -> KeyGrant<'a> {
        let (actions, condition) = (catalog.covered(&statement.actions), condition(document, statement));
        KeyGrant { catalog, arn, actions, condition, language: terms::language(document) }
    }

    /// Returns since when the policy has allowed it without a break, as far as its versions and the calls about them tell.
    pub fn allowed_since(&self, policy: &ManagedPolicy, history: &GrantIndex<'_>) -> Option<UnixTime> {
        // Without its date the version in force may be of today.
        let Some(mut since) = policy.default().and_then(|version| version.created) else {
            return Some(UNDATED);
        };
        let current = policy.default()?;
        let in_force = since;
        let mut others: Vec<(UnixTime, &PolicyVersion)> = (policy.versions.iter())
            .filter(|version| version.id != current.id)
            .map(|version| (version.created.unwrap_or(UNDATED), version))
            .collect();
        others.sort_by_key(|(created, _)| std::cmp::Reverse(*created));
        let mut last = number(current);
        for (created, version) in others.iter().filter(|(created, _)| *created < in_force) {
            // A version that is gone may have lacked what those around it have.
            let next = number(version);
            if last.zip(next).is_none_or(|(last, next)| next + 1 != last) || !self.is_in(version) {
                break;
            }
            (since, last) = (*created, next);
        }
        // A younger version that lacks it may have been in force since.
        let younger = others.iter().filter(|(created, version)| *created >= in_force && !self.is_in(version));
        let back = younger.map(|(created, _)| *created).max();
        let events = history.version_events(&policy.arn);
        let latest = if events.has_deleted { events.chosen.max(events.made) } else { events.chosen };
        let is_steady = !events.has_deleted
            && is_without_gap(policy)
            && policy.versions.iter().all(|version| version.id == current.id || self.is_in(version));
        let chosen = latest.filter(|_| !is_steady);
        Some(back.max(chosen).map_or(since, |later| later.max(since)))
    }

    fn is_in(&self, version: &PolicyVersion) -> bool {
        let is_plain = |document: &&PolicyDocument| document.irregularities.is_empty() && is_exact(document);
        let Some(document) = document_of(version).filter(is_plain) else { return false };
        let is_denied = |statement: &Statement| {
            let mut common = self.catalog.covered(&statement.actions);
            common.intersect_with(&self.actions);
            statement.effect == Effect::Deny && !common.is_empty()
        };
        let allows = |statement: &Statement| {
            let covered = self.catalog.covered(&statement.actions);
            statement.effect == Effect::Allow
                && !statement.has_not_resource
                && statement.resources.iter().any(|resource| resource.text == self.arn)
                && self.actions.iter().all(|id| covered.contains(id))
                && condition(document, statement) == self.condition
        };
        terms::language(document) == self.language
            && document.statements.iter().any(allows)
            && !document.statements.iter().any(is_denied)
    }
}

/// Whether all numbers of a document can be compared exactly.
fn is_exact(document: &PolicyDocument) -> bool {
    serde_json::from_str(document.text()).is_ok_and(|value| terms::is_exact(&value))
}

/// The `Condition` element.
fn condition(document: &PolicyDocument, statement: &Statement) -> Option<Value> {
    let text = document.text().get(statement.span.clone()).filter(|_| statement.has_condition)?;
    let value: Value = serde_json::from_str(text).ok()?;
    value.get("Condition").cloned()
}

#[cfg(test)]
mod tests;
