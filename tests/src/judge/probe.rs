//! Concrete requests, answered by the documents before and after: a second way to the same judgement, through the evaluator.

use std::collections::BTreeSet;

use super::actions::{ActionSet, Catalogue};
use super::document::{Effect, Listed, Policy};
use super::{Condition, Context, Decision, Request, decide};
use crate::random::Random;

/// How many actions, resources and contexts are tried at most, each with each.
const ACTIONS: usize = 40;
const RESOURCES: usize = 6;
const CONTEXTS: usize = 3;

/// Asks the same of the documents before and after. Returns how many requests were tried.
///
/// # Errors
/// When something is allowed or denied that was not, or not allowed any more although `may_go` does not have it; says what.
pub fn probe(
    catalogue: &Catalogue,
    before: &[&Policy],
    after: &[&Policy],
    may_go: &ActionSet,
    seed: u64,
) -> Result<usize, String> {
    let mut random = Random::new(seed);
    let actions = actions(catalogue, before, &mut random);
    let (resources, contexts) = (resources(before, &mut random), contexts(before, &mut random));
    let mut tried = 0;
    for action in &actions {
        for resource in &resources {
            for context in &contexts {
                let request = Request { action: action.clone(), resource: resource.clone(), context: context.clone() };
                let was = decide(before.iter().copied(), &request);
                let is = decide(after.iter().copied(), &request);
                let is_wider = is == Decision::Allowed && was != Decision::Allowed
                    || is == Decision::Undecided && !matches!(was, Decision::Allowed | Decision::Undecided);
                let is_denied_otherwise = (was == Decision::ExplicitDeny) != (is == Decision::ExplicitDeny);
                let stays = catalogue.find(action).is_some_and(|at| !may_go.contains(at));
                let is_lost = stays && was == Decision::Allowed && is != Decision::Allowed;
                if is_wider || is_denied_otherwise || is_lost {
                    return Err(format!("{request:?} was {was:?} and is {is:?}"));
                }
                tried += 1;
            }
        }
    }
    Ok(tried)
}

/// Actions that the documents allow, and a few others.
fn actions(catalogue: &Catalogue, policies: &[&Policy], random: &mut Random) -> BTreeSet<String> {
    let mut lists = Vec::new();
    for statement in policies.iter().flat_map(|policy| &policy.statements) {
        let (Listed::These(list) | Listed::AllBut(list)) = &statement.actions;
        lists.extend(list);
    }
    let mut found = BTreeSet::new();
    for _ in 0..ACTIONS {
        let everything = "*".to_owned();
        let pattern = random.pick(&lists).copied().unwrap_or(&everything);
        let matched: Vec<usize> = catalogue.matches(if random.percent(10) { "*" } else { pattern }).iter().collect();
        match random.pick(&matched).and_then(|at| catalogue.action(*at)) {
            Some(action) => found.insert(action.name.clone()),
            None => found.insert(pattern.replace('*', "Any")),
        };
    }
    found
}

/// Resources such as the documents name, and one that none names.
fn resources(policies: &[&Policy], random: &mut Random) -> Vec<String> {
    let mut patterns = BTreeSet::new();
    for statement in policies.iter().flat_map(|policy| &policy.statements) {
        let (Listed::These(list) | Listed::AllBut(list)) = &statement.resources;
        patterns.extend(list.iter().map(|pattern| concrete(pattern)));
    }
    let patterns: Vec<String> = patterns.into_iter().collect();
    let mut found = vec!["arn:aws:none:eu-west-1:111122223333:nothing".to_owned()];
    found.extend((1..RESOURCES).filter_map(|_| random.pick(&patterns).cloned()));
    found.sort();
    found.dedup();
    found
}

/// No keys at all, and what satisfies the conditions of some statement.
fn contexts(policies: &[&Policy], random: &mut Random) -> Vec<Context> {
    let blocks: Vec<&Vec<Condition>> = (policies.iter().flat_map(|policy| &policy.statements))
        .filter(|statement| !statement.conditions.is_empty() && statement.effect == Effect::Allow || random.percent(50))
        .map(|statement| &statement.conditions)
        .collect();
    let mut found = vec![Context::new()];
    for _ in 1..CONTEXTS {
        let mut context = Context::new();
        for condition in random.pick(&blocks).into_iter().flat_map(|block| block.iter()) {
            if let Some(value) = condition.values.first() {
                let address = value.split('/').next().filter(|_| condition.key.eq_ignore_ascii_case("aws:SourceIp"));
                context.set(&condition.key, vec![concrete(address.unwrap_or(value))]);
            }
        }
        found.push(context);
    }
    found
}

/// Something that a pattern matches.
fn concrete(pattern: &str) -> String {
    if pattern == "*" {
        return "arn:aws:any:eu-west-1:111122223333:thing/x".to_owned();
    }
    pattern.replace('*', "x").replace('?', "q")
}
