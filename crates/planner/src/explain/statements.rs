//! The statements that are about an action.

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::{ActionId, Catalog};
use secateur_analyzer::document::{ActionBlock, Effect, PolicyDocument, Statement};
use secateur_analyzer::graph::{PolicyId, PrincipalId};
use serde::Serialize;

/// A statement that is about the action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementGrant {
    /// The policy's address.
    pub policy: String,
    /// The statement's place in the document, from 1.
    pub statement: usize,
    /// Its Sid.
    pub sid: Option<String>,
    /// The patterns of `Action` that match; for `NotAction`, the list that does not hold the action.
    pub patterns: Vec<String>,
    /// Whether the list is a `NotAction`.
    pub not_action: bool,
    /// Its resources.
    pub resources: Vec<String>,
    /// Whether it has a condition.
    pub conditional: bool,
}

impl StatementGrant {
    /// Returns whether this pattern, or `NotAction`, is what matches.
    pub(super) fn is_by(&self, pattern: &str) -> bool {
        if self.not_action { pattern == "NotAction" } else { self.patterns.iter().any(|own| own == pattern) }
    }
}

/// The Allow statements of a policy that are about the action.
pub(super) fn grants(analysis: &Analysis<'_>, policy: PolicyId, action: ActionId) -> Vec<StatementGrant> {
    matching(analysis, policy, action, Effect::Allow)
}

/// The Deny statements of all of a principal's policies that are about the action.
pub(super) fn denies(analysis: &Analysis<'_>, id: PrincipalId, action: ActionId) -> Vec<StatementGrant> {
    let policies = analysis.graph().policies_of(id);
    policies.into_iter().flat_map(|policy| matching(analysis, policy, action, Effect::Deny)).collect()
}

/// The Allow statements of a document, which is or will be that of this policy, that are about the action.
pub(super) fn granting(
    document: &PolicyDocument,
    policy: &str,
    catalog: &Catalog,
    action: ActionId,
) -> Vec<StatementGrant> {
    in_document(document, policy, catalog, action, Effect::Allow)
}

fn matching(analysis: &Analysis<'_>, policy: PolicyId, action: ActionId, effect: Effect) -> Vec<StatementGrant> {
    let graph = analysis.graph();
    let document = graph.policy(policy).and_then(|policy| policy.document()).and_then(|document| document.policy());
    let found = |document| in_document(document, graph.address(policy), analysis.catalog(), action, effect);
    document.map(found).unwrap_or_default()
}

fn in_document(
    document: &PolicyDocument,
    policy: &str,
    catalog: &Catalog,
    action: ActionId,
    effect: Effect,
) -> Vec<StatementGrant> {
    let service = catalog.service_prefix(catalog.service_of(action)).to_ascii_lowercase();
    let name = catalog.folded_name(action);
    let is_about =
        |statement: &Statement| statement.effect == effect && statement.actions.covers_folded(&service, name);
    document
        .statements
        .iter()
        .enumerate()
        .filter(|(_, statement)| is_about(statement))
        .map(|(at, statement)| {
            let not_action = matches!(statement.actions, ActionBlock::NotAction(_));
            let entries = statement.actions.list().entries.iter();
            let patterns = entries
                .filter(|entry| not_action || entry.pattern.matches_folded(&service, name))
                .map(|entry| entry.pattern.as_str().to_owned());
            StatementGrant {
                policy: policy.to_owned(),
                statement: at + 1,
                sid: statement.sid.clone(),
                patterns: patterns.collect(),
                not_action,
                resources: statement.resources.iter().map(|resource| resource.text.clone()).collect(),
                conditional: statement.has_condition,
            }
        })
        .collect()
}
