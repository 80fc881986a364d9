//! Row 1 of the table: what is left alone or ignored as a whole.

use super::Inputs;
use crate::account::Principal;
use crate::graph::{Entity, Graph, PolicyId, PolicyRef, PrincipalId};
use crate::rules::{Force, IgnoreRule, PolicyFacts, PrincipalFacts};
use crate::verdict::{SetAside, left_alone_policy, left_alone_principal};

/// The managed policies that some principal has as permissions boundary.
pub(super) fn boundaries(graph: &Graph<'_>) -> Vec<PolicyId> {
    let used: std::collections::BTreeSet<_> =
        graph.account().principals.iter().filter_map(|principal| principal.boundary.as_ref()).collect();
    graph
        .policies()
        .filter(|id| {
            graph.policy(*id).and_then(|policy| policy.managed()).is_some_and(|managed| used.contains(&managed.arn))
        })
        .collect()
}

/// Why the principal, with all its own policies, is set aside.
pub(super) fn principal(inputs: &Inputs<'_>, principal: &Principal) -> Option<SetAside> {
    if let Some(why) = left_alone_principal(inputs.account, principal) {
        return Some(SetAside::LeftAlone(why));
    }
    with_facts(principal, |facts| by_rules(inputs, |rule| rule.ignores_principal(facts)))
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
    let managed = policy.managed();
    let facts = PolicyFacts {
        arn: managed.map(|managed| managed.arn.as_str()),
        name: policy.name(),
        address: graph.address(id),
        path: managed.map(|managed| managed.path.as_str()),
        tags: managed.and_then(|managed| managed.tags.as_deref()).unwrap_or_default(),
    };
    match policy {
        PolicyRef::Inline(Entity::Principal(PrincipalId(at)), _) => {
            let owner = graph.account().principals.get(at)?;
            with_facts(owner, |owner| by_rules(inputs, |rule| rule.ignores_policy(&facts, Some(owner))))
        }
        _ => by_rules(inputs, |rule| rule.ignores_policy(&facts, None)),
    }
}

fn with_facts<T>(principal: &Principal, then: impl FnOnce(&PrincipalFacts<'_>) -> T) -> T {
    let address = format!("{}/{}", principal.kind.as_str(), principal.name);
    then(&PrincipalFacts {
        arn: principal.arn.as_str(),
        name: &principal.name,
        address: &address,
        path: &principal.path,
        tags: &principal.tags,
    })
}

/// The first rule in force, else the first that has just expired.
fn by_rules(inputs: &Inputs<'_>, is_about: impl Fn(&IgnoreRule) -> bool) -> Option<SetAside> {
    let mut grace = None;
    for (at, rule) in inputs.rules.ignore.iter().enumerate().filter(|(_, rule)| is_about(rule)) {
        match rule.force(inputs.now) {
            Force::InForce => return Some(SetAside::Ignored(at)),
            Force::Grace => grace = grace.or(Some(SetAside::RuleExpired(at))),
            Force::Expired => {}
        }
    }
    grace
}
