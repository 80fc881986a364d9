//! What a change removes, by reason and evidence.

use std::cmp::Reverse;
use std::collections::HashMap;

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::{ActionId, ActionSet, Catalog};
use secateur_analyzer::document::PolicyDocument;
use secateur_analyzer::graph::Holder;
use secateur_analyzer::risk::{Risk, risk};
use secateur_analyzer::verdict::{Removal, RemovalReason};

use super::build::Numbering;
use super::{Evidence, Removed};
use crate::proof::Claim;

/// The entries, and how many of the actions rest on an assumed date of grant.
pub(super) struct RemovedActions {
    pub entries: Vec<Removed>,
    pub assumed_grant_dates: usize,
}

/// Actions with the same reason and the same evidence.
type Group = (RemovalReason, Vec<Evidence>);

pub(super) fn removed(
    analysis: &Analysis<'_>,
    claim: &Claim<'_>,
    holders: &[Holder],
    lost: &ActionSet,
    numbering: &Numbering,
) -> RemovedActions {
    let catalog = analysis.catalog();
    let actions: Vec<ActionId> = lost.iter().collect();
    let mut removals: Vec<Vec<Option<Removal>>> = Vec::with_capacity(holders.len());
    for holder in holders {
        let mut own = Vec::with_capacity(actions.len());
        analysis.verdicts(claim.policy, holder, actions.iter().copied(), |_, verdict| own.push(verdict.removal()));
        removals.push(own);
    }
    let mut groups: HashMap<Group, ActionSet> = HashMap::new();
    let mut assumed_grant_dates = 0;
    for (at, action) in actions.iter().enumerate() {
        let mut evidence = Vec::with_capacity(holders.len());
        let mut weakest = RemovalReason::UnusedService;
        let mut assumed = false;
        for (holder, own) in holders.iter().zip(&removals) {
            let (Some(Some(removal)), Some(principal)) = (own.get(at), numbering.principal(holder.principal)) else {
                continue;
            };
            weakest = weakest.max(removal.reason);
            assumed |= removal.assumed_grant;
            let (last_accessed, since) = (removal.last_accessed, removal.since);
            let reason = removal.reason.as_str().to_owned();
            evidence.push(Evidence { principal, report: principal, last_accessed, since, reason });
        }
        assumed_grant_dates += usize::from(assumed);
        groups.entry((weakest, evidence)).or_insert_with(|| catalog.empty_set()).insert(*action);
    }
    let patterns = gone_patterns(claim);
    let mut entries: Vec<(Order, Removed)> = groups
        .into_iter()
        .map(|((reason, evidence), set)| {
            let names = names(catalog, &set, &patterns);
            let riskiest = set.iter().map(|id| risk(catalog, id)).max();
            let order = (Reverse(riskiest), Reverse(set.len()), names.clone(), reason);
            (order, Removed { reason: reason.as_str().to_owned(), actions: names, count: set.len(), evidence })
        })
        .collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.evidence.cmp(&b.1.evidence)));
    RemovedActions { entries: entries.into_iter().map(|(_, entry)| entry).collect(), assumed_grant_dates }
}

/// Riskiest first, then the larger, then by name.
type Order = (Reverse<Option<Risk>>, Reverse<usize>, Vec<String>, RemovalReason);

/// The patterns with wildcards that the author wrote and that are gone.
fn gone_patterns(claim: &Claim<'_>) -> Vec<ActionPattern> {
    let patterns = |text: &str| -> Vec<ActionPattern> {
        let Ok(document) = PolicyDocument::parse(text) else { return Vec::new() };
        let entries = document.statements.iter().flat_map(|statement| statement.actions.list().entries.iter());
        entries.map(|entry| entry.pattern.clone()).filter(ActionPattern::has_wildcard).collect()
    };
    let after: Vec<ActionPattern> = claim.after.iter().flat_map(|text| patterns(text)).collect();
    let mut gone = patterns(claim.before);
    gone.retain(|pattern| !after.contains(pattern));
    gone
}

/// The names of a set: the author's own pattern where it matches nothing else, `service:*` where the whole service is in
/// the set, else the actions.
pub(super) fn names(catalog: &Catalog, set: &ActionSet, patterns: &[ActionPattern]) -> Vec<String> {
    let mut rest = set.clone();
    let mut names = Vec::new();
    for pattern in patterns {
        let matched = catalog.matches(pattern);
        let mut outside = matched.clone();
        outside.difference_with(set);
        if !matched.is_empty() && outside.is_empty() {
            names.push(pattern.as_str().to_owned());
            rest.difference_with(&matched);
        }
    }
    names.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    for service in catalog.services() {
        if !catalog.actions_of(service).any(|id| rest.contains(id)) {
            continue;
        }
        if catalog.actions_of(service).all(|id| rest.contains(id)) {
            names.push(format!("{}:*", catalog.service_prefix(service)));
        } else {
            names.extend(catalog.actions_of(service).filter(|id| rest.contains(*id)).map(|id| catalog.full_name(id)));
        }
    }
    names
}
