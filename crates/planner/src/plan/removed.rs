//! What a change removes, by reason and evidence.

use std::cmp::Reverse;
use std::collections::HashMap;

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::{ActionId, ActionSet, Catalog};
use secateur_analyzer::graph::Holder;
use secateur_analyzer::risk::{Risk, risk};
use secateur_analyzer::time::UnixTime;
use secateur_analyzer::verdict::{Removal, RemovalReason};

use super::numbering::Numbering;
use super::traces::Documents;
use super::{Evidence, Removed};
use crate::proof::{Grounds, Proof};

/// The entries, and how many of the actions rest on an assumed date of grant.
pub(super) struct RemovedActions {
    pub entries: Vec<Removed>,
    pub assumed_grant_dates: usize,
}

/// Actions with the same reasons and the same evidence.
struct Group {
    /// One of them: what holds for it holds for all.
    first: usize,
    reason: RemovalReason,
    actions: ActionSet,
}

pub(super) fn removed(
    analysis: &Analysis<'_>,
    documents: &Documents<'_>,
    proof: &Proof,
    numbering: &Numbering,
) -> RemovedActions {
    let catalog = analysis.catalog();
    let numbered = |holder: &Holder| numbering.principal(holder.principal);
    let removals: Vec<(usize, &Grounds)> = (proof.holders().iter().zip(proof.grounds()))
        .filter_map(|(holder, grounds)| Some((numbered(holder)?, grounds)))
        .collect();
    let count = proof.lost().len();
    let removal_of = |at: usize| {
        let of_holder = move |(principal, own): &(usize, &Grounds)| Some((*principal, own.of(at)?));
        removals.iter().filter_map(of_holder)
    };
    let mut groups: Vec<Group> = Vec::new();
    for (at, (action, class)) in proof.lost().iter().zip(classes(count, &removals)).enumerate() {
        match groups.get_mut(class) {
            Some(group) => group.actions.insert(action),
            None => {
                let reason = removal_of(at).map(|(_, removal)| removal.reason).max();
                let reason = reason.unwrap_or(RemovalReason::UnusedService);
                groups.push(Group { first: at, reason, actions: catalog.empty_set() });
                groups.last_mut().is_some_and(|group| group.actions.insert(action))
            }
        };
    }
    let patterns: Vec<GonePattern> = gone_patterns(analysis, documents);
    let mut entries: Vec<(Order, Removed)> = groups
        .into_iter()
        .map(|Group { first, reason, actions }| {
            let names = names(catalog, &actions, &patterns);
            let riskiest = actions.iter().map(|id| risk(catalog, id)).max();
            let count = actions.len();
            let evidence = removal_of(first).map(|(principal, removal)| evidence(principal, &removal)).collect();
            let order = (Reverse(riskiest), Reverse(count), reason);
            (order, Removed { reason: reason.as_str().to_owned(), actions: names, count, evidence })
        })
        .collect();
    entries.sort_by(|((risk_a, count_a, reason_a), a), ((risk_b, count_b, reason_b), b)| {
        let by_names = (risk_a, count_a, &a.actions).cmp(&(risk_b, count_b, &b.actions));
        by_names.then_with(|| (reason_a, &a.evidence).cmp(&(reason_b, &b.evidence)))
    });
    let entries = entries.into_iter().map(|(_, entry)| entry).collect();
    RemovedActions { entries, assumed_grant_dates: assumed(count, &removals) }
}

/// How many of the actions rest on an assumed date of grant, for some holder.
fn assumed(len: usize, removals: &[(usize, &Grounds)]) -> usize {
    let mut assumed = vec![false; len];
    for (places, removal) in removals.iter().flat_map(|(_, own)| own.runs()) {
        if removal.assumed_grant {
            assumed.get_mut(places).unwrap_or_default().fill(true);
        }
    }
    assumed.into_iter().filter(|assumed| *assumed).count()
}

fn evidence(principal: usize, removal: &Removal) -> Evidence {
    let (last_accessed, since) = (removal.last_accessed, removal.since);
    Evidence { principal, report: principal, last_accessed, since, reason: removal.reason.as_str().to_owned() }
}

/// What evidence says of one holder.
type Says = (RemovalReason, Option<UnixTime>, UnixTime);

/// Returns the class of each action, numbered in the order of their first action: those of one class have the same evidence
/// for every holder. Classes are split holder by holder, since a policy may have hundreds.
fn classes(len: usize, removals: &[(usize, &Grounds)]) -> Vec<usize> {
    let mut classes = vec![0; len];
    for (_, own) in removals {
        let mut split: HashMap<(usize, Says), usize> = HashMap::new();
        // Neighbours are mostly of one class.
        let mut last: Option<((usize, Says), usize)> = None;
        for (places, removal) in own.runs() {
            let says = (removal.reason, removal.last_accessed, removal.since);
            for class in classes.get_mut(places).unwrap_or_default() {
                let key = (*class, says);
                *class = match last {
                    Some((same, number)) if same == key => number,
                    _ => {
                        let next = split.len();
                        *split.entry(key).or_insert(next)
                    }
                };
                last = Some((key, *class));
            }
        }
    }
    classes
}

/// Riskiest first, then the larger, then by name and by reason.
type Order = (Reverse<Option<Risk>>, Reverse<usize>, RemovalReason);

/// A pattern with wildcards that the author wrote and that is gone, and what it matches.
pub(super) struct GonePattern {
    pattern: ActionPattern,
    matched: ActionSet,
}

/// The patterns with wildcards that the author wrote and that are gone.
fn gone_patterns(analysis: &Analysis<'_>, documents: &Documents<'_>) -> Vec<GonePattern> {
    let (before, after) = documents.wildcards();
    let is_gone = |pattern: &&ActionPattern| !after.contains(pattern);
    let with_matches = |pattern: &ActionPattern| GonePattern {
        matched: analysis.catalog().matches(pattern),
        pattern: pattern.clone(),
    };
    before.into_iter().filter(is_gone).map(with_matches).filter(|gone| !gone.matched.is_empty()).collect()
}

/// The names of a set: the author's own pattern where it matches nothing else, `service:*` where the whole service is in
/// the set, else the actions.
pub(super) fn names(catalog: &Catalog, set: &ActionSet, patterns: &[GonePattern]) -> Vec<String> {
    let mut rest = set.clone();
    let mut names = Vec::new();
    for GonePattern { pattern, matched } in patterns.iter().filter(|gone| gone.matched.is_subset(set)) {
        names.push(pattern.as_str().to_owned());
        rest.difference_with(matched);
    }
    names.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    let rest: Vec<ActionId> = rest.iter().collect();
    for of_service in rest.chunk_by(|a, b| catalog.service_of(*a) == catalog.service_of(*b)) {
        let Some(service) = of_service.first().map(|id| catalog.service_of(*id)) else { continue };
        if of_service.len() == catalog.actions_of(service).count() {
            names.push(format!("{}:*", catalog.service_prefix(service)));
        } else {
            names.extend(of_service.iter().map(|id| catalog.full_name(*id)));
        }
    }
    names
}
