//! Row 1 of the table: what is left alone or ignored as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::Inputs;
use crate::account::Principal;
use crate::graph::{Entity, Graph, PolicyId, PolicyRef, PrincipalId};
use crate::rules::{PolicyFacts, PrincipalFacts};
use crate::verdict::{SetAside, left_alone_policy, left_alone_principal};

/// The managed policies that some principal has as permissions boundary.
pub(super) fn boundaries(graph: &Graph<'_>) -> Vec<PolicyId> {
    let managed = |id: &PolicyId| graph.policy(*id).and_then(|policy| policy.managed());
    graph.policies().filter(|id| managed(id).is_some_and(|managed| graph.is_boundary(&managed.arn))).collect()
}

/// The policies whose address does not tell them from another one, or whose name IAM would not take
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names>): a change could
/// hit the wrong one.
pub(super) fn ambiguous(graph: &Graph<'_>) -> BTreeSet<PolicyId> {
    let mut by_address: BTreeMap<String, Vec<PolicyId>> = BTreeMap::new();
    let mut ambiguous = BTreeSet::new();
    for id in graph.policies() {
        let address = graph.address(id);
        by_address.entry(address.to_ascii_lowercase()).or_default().push(id);
        let parts = match graph.policy(id) {
            Some(PolicyRef::Inline(..)) => 4,
            _ => 2,
        };
        let names = address.strip_prefix("policy/aws:").map_or(address, |name| name);
        let is_legal = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c);
        if address.split('/').count() != parts || !names.chars().all(is_legal) {
            ambiguous.insert(id);
        }
    }
    ambiguous.extend(by_address.into_values().filter(|ids| ids.len() > 1).flatten());
    ambiguous
}

/// Why the principal, with all its own policies, is set aside.
pub(super) fn principal(inputs: &Inputs<'_>, principal: &Principal) -> Option<SetAside> {
    if let Some(why) = left_alone_principal(inputs.account, principal) {
        return Some(SetAside::LeftAlone(why));
    }
    with_facts(principal, |facts| inputs.rules.set_aside(inputs.now, |rule| rule.ignores_principal(facts)))
}

/// Why the policy is set aside, whoever holds it.
pub(super) fn policy(
    graph: &Graph<'_>,
    id: PolicyId,
    boundaries: &[PolicyId],
    inputs: &Inputs<'_>,
) -> Option<SetAside> {
    if let Some(why) = left_alone_policy(graph, id, boundaries, inputs.rules) {
        return Some(SetAside::LeftAlone(why));
    }
    let policy = graph.policy(id)?;
    let mut facts = PolicyFacts::of(policy, graph.address(id));
    if let PolicyRef::Inline(Entity::Group(at), _) = policy {
        facts.path = graph.account().groups.get(at).map(|group| group.path.as_str());
    }
    let by_rules = |owner: Option<&PrincipalFacts<'_>>| {
        inputs.rules.set_aside(inputs.now, |rule| rule.ignores_policy(&facts, owner))
    };
    match policy {
        PolicyRef::Inline(Entity::Principal(PrincipalId(at)), _) => {
            let owner = graph.account().principals.get(at)?;
            with_facts(owner, |owner| by_rules(Some(owner)))
        }
        _ => by_rules(None),
    }
}

fn with_facts<T>(principal: &Principal, then: impl FnOnce(&PrincipalFacts<'_>) -> T) -> T {
    let address = principal.address();
    then(&PrincipalFacts::of(principal, &address))
}
