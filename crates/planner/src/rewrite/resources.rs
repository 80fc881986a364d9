//! Cutting unused KMS keys out of `Resource` lists.
//!
//! Only literal ARNs leave, only from Allow statements that list nothing but cryptographic actions, whose use KMS records on
//! the key. What remains stays as its author wrote it. Keys leave before actions do: a statement must list nothing else as its
//! author wrote it.

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::analysis::{UnknownName, is_kept_by_sid};
use secateur_analyzer::catalog::{ActionSet, Catalog};
use secateur_analyzer::document::{ActionBlock, Effect, PolicyDocument, Statement};
use secateur_analyzer::verdict::CRYPTOGRAPHIC_ACTIONS;

use super::Outcome;
use super::splice;

/// What keys are cut by.
#[derive(Clone, Copy)]
pub struct KeyPruning<'a> {
    /// The catalogue.
    pub catalog: &'a Catalog,
    /// Names that the catalogue does not know: nobody can tell whether they are cryptographic.
    pub unknown: &'a [UnknownName],
    /// The actions that a rule keeps for some holder, on whatever key.
    pub kept: &'a ActionSet,
    /// Whether a resource of a statement, from 1, is, letter by letter, the ARN of an unused key.
    pub is_unused: &'a dyn Fn(usize, &str) -> bool,
}

/// The keys that leave one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCut {
    /// The statement, from 1.
    pub statement: usize,
    /// Its Sid.
    pub sid: Option<String>,
    /// The keys' ARNs, in the statement's order.
    pub arns: Vec<String>,
    /// Whether the statement goes, since no resource is left.
    pub is_whole: bool,
}

/// Cuts unused keys out of a document: the new text, and what leaves which statement.
pub fn prune_resources(document: &PolicyDocument, by: &KeyPruning<'_>) -> (Outcome, Vec<KeyCut>) {
    let mut cuts = Vec::new();
    if !document.irregularities.is_empty() {
        return (Outcome::Unchanged, cuts);
    }
    let mut edits = Vec::new();
    let mut stays = Vec::with_capacity(document.statements.len());
    for (at, statement) in document.statements.iter().enumerate() {
        let keeps: Vec<bool> = match is_eligible(statement, by) {
            true => statement.resources.iter().map(|resource| !(by.is_unused)(at + 1, &resource.text)).collect(),
            false => Vec::new(),
        };
        let gone = statement.resources.iter().zip(&keeps).filter(|(_, keeps)| !**keeps);
        let arns: Vec<String> = gone.map(|(resource, _)| resource.text.clone()).collect();
        let is_whole = !arns.is_empty() && arns.len() == statement.resources.len();
        stays.push(!is_whole);
        if arns.is_empty() {
            continue;
        }
        if !is_whole {
            let spans: Vec<_> = statement.resources.iter().map(|resource| resource.span.clone()).collect();
            edits.extend(splice::cut(document.text(), &spans, &keeps));
        }
        cuts.push(KeyCut { statement: at + 1, sid: statement.sid.clone(), arns, is_whole });
    }
    if cuts.is_empty() {
        return (Outcome::Unchanged, cuts);
    }
    if stays.iter().all(|stays| !stays) {
        return (Outcome::Empty, cuts);
    }
    let spans: Vec<_> = document.statements.iter().map(|statement| statement.span.clone()).collect();
    edits.extend(splice::cut(document.text(), &spans, &stays));
    (Outcome::Changed(splice::apply(document.text(), edits)), cuts)
}

fn is_eligible(statement: &Statement, by: &KeyPruning<'_>) -> bool {
    if statement.effect != Effect::Allow
        || statement.has_not_resource
        || is_kept_by_sid(statement)
        || !is_cryptographic(statement, by)
    {
        return false;
    }
    let mut covered = by.catalog.covered(&statement.actions);
    covered.intersect_with(by.kept);
    covered.is_empty()
}

/// Whether the statement lists cryptographic actions and no others.
fn is_cryptographic(statement: &Statement, by: &KeyPruning<'_>) -> bool {
    let ActionBlock::Action(list) = &statement.actions else { return false };
    !list.entries.is_empty() && list.entries.iter().all(|entry| is_cryptographic_pattern(&entry.pattern, by))
}

/// Whether all that the pattern matches is known, and cryptographic.
fn is_cryptographic_pattern(pattern: &ActionPattern, by: &KeyPruning<'_>) -> bool {
    let is_listed = |name: &str| CRYPTOGRAPHIC_ACTIONS.iter().any(|listed| listed.eq_ignore_ascii_case(name));
    let is_unknown = |name: &UnknownName| match name {
        UnknownName::Action { service, name } => pattern.matches(&format!("{service}:{name}")),
        UnknownName::Service(service) => service.eq_ignore_ascii_case("kms"),
    };
    let matched = by.catalog.matches(pattern);
    pattern.service().eq_ignore_ascii_case("kms")
        && !matched.is_empty()
        && matched.iter().all(|id| is_listed(&by.catalog.full_name(id)))
        && !by.unknown.iter().any(is_unknown)
}

#[cfg(test)]
mod tests;
