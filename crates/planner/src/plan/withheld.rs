//! What is not changed, and why.

use std::collections::BTreeMap;

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::ActionSet;
use secateur_analyzer::graph::{Entity, PolicyId, PrincipalId};
use secateur_analyzer::rules::Force;
use secateur_analyzer::verdict::{ExpiredRule, SetAside, Verdict};

use super::{Change, Limits, Withheld};

/// Returns the policies that are withheld whole, AWS-managed ones aside: left alone or ignored, held by nobody, or held by
/// somebody who blocks.
pub(super) fn policies(analysis: &Analysis<'_>) -> Vec<Withheld> {
    let graph = analysis.graph();
    graph
        .policies()
        .filter(|id| {
            graph.policy(*id).and_then(|policy| policy.managed()).is_none_or(|managed| !managed.is_aws_managed())
        })
        .filter_map(|id| {
            let (reason, detail) = of(analysis, id)?;
            Some(Withheld { address: graph.address(id).to_owned(), reason: reason.to_owned(), detail })
        })
        .collect()
}

/// Returns why a policy is withheld whole, if it is: the reason, and in words.
pub(super) fn of(analysis: &Analysis<'_>, id: PolicyId) -> Option<(&'static str, String)> {
    let judged = analysis.policy(id)?;
    if let Some(why) = &judged.set_aside {
        return Some((why.as_str(), describe(analysis, why)));
    }
    if judged.holders.is_empty() {
        return Some(("no-holder", "nobody holds it, so nothing shows that it is unused".to_owned()));
    }
    let principals =
        || judged.holders.iter().filter_map(|holder| Some((holder.principal, analysis.principal(holder.principal)?)));
    let set_aside: Vec<(PrincipalId, &SetAside)> =
        principals().filter_map(|(id, principal)| Some((id, principal.evidence.set_aside.as_ref()?))).collect();
    if let [(holder, why), others @ ..] = set_aside.as_slice() {
        let is_own = judged.holders.len() == 1 && graph_owner(analysis, id) == Some(*holder);
        let who = names(analysis, std::iter::once(*holder));
        let more = and_more(others.len());
        return Some(if is_own {
            (why.as_str(), format!("{who}: {}", describe(analysis, why)))
        } else {
            ("holder-left-alone", format!("{who} holds it{more}: {}", describe(analysis, why)))
        });
    }
    let without: Vec<(PrincipalId, String)> =
        principals().filter_map(|(id, principal)| Some((id, principal.evidence.report().err()?.to_string()))).collect();
    if let [(holder, why), others @ ..] = without.as_slice() {
        let who = names(analysis, std::iter::once(*holder));
        return Some(("no-evidence", format!("{who}: {why}{}", and_more(others.len()))));
    }
    None
}

/// Returns what is kept only by `[[keep]]` rules that have just expired, by policy and rule.
pub(super) fn expired_keep_rules(analysis: &Analysis<'_>) -> Vec<Withheld> {
    let inputs = analysis.inputs();
    if !inputs.rules.keep.iter().any(|rule| rule.force(inputs.now) == Force::Grace) {
        return Vec::new();
    }
    let graph = analysis.graph();
    let mut withheld = Vec::new();
    for id in graph.policies() {
        let Some(judged) = analysis.policy(id).filter(|judged| judged.set_aside.is_none()) else { continue };
        let mut by_rule: BTreeMap<usize, ActionSet> = BTreeMap::new();
        for holder in &judged.holders {
            analysis.verdicts(id, holder, judged.granted.iter(), |action, verdict| {
                if let Verdict::RuleExpired(ExpiredRule::Keep(rule)) = *verdict {
                    by_rule.entry(rule).or_insert_with(|| analysis.catalog().empty_set()).insert(action);
                }
            });
        }
        for (rule, actions) in by_rule {
            let reason = inputs.rules.keep.get(rule).map_or("", |rule| rule.reason.as_str());
            let names: Vec<String> = actions.iter().take(5).map(|id| analysis.catalog().full_name(id)).collect();
            let more = and_more(actions.len().saturating_sub(names.len()));
            withheld.push(Withheld {
                address: graph.address(id).to_owned(),
                reason: "rule-expired".to_owned(),
                detail: format!("keep[{rule}] ({reason}) has just expired; it kept {}{more}", names.join(", ")),
            });
        }
    }
    withheld
}

/// The principal that an inline policy is embedded in.
fn graph_owner(analysis: &Analysis<'_>, id: PolicyId) -> Option<PrincipalId> {
    match analysis.graph().policy(id)? {
        secateur_analyzer::graph::PolicyRef::Inline(Entity::Principal(principal), _) => Some(principal),
        _ => None,
    }
}

fn and_more(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (and 1 other)".to_owned(),
        more => format!(" (and {more} others)"),
    }
}

pub(super) fn describe(analysis: &Analysis<'_>, why: &SetAside) -> String {
    let reason = |at: &usize| analysis.inputs().rules.ignore.get(*at).map_or("", |rule| rule.reason.as_str());
    match why {
        SetAside::LeftAlone(why) => why.to_string(),
        SetAside::Ignored(at) => format!("ignored: {}", reason(at)),
        SetAside::RuleExpired(at) => format!("an ignore rule has just expired: {}", reason(at)),
    }
}

/// Returns the addresses of principals, in order, with commas.
pub(super) fn names(analysis: &Analysis<'_>, principals: impl Iterator<Item = PrincipalId>) -> String {
    let addresses: Vec<String> = principals.map(|id| analysis.graph().entity_address(Entity::Principal(id))).collect();
    addresses.join(", ")
}

/// Takes out what exceeds the limits of the configuration; groups of changes go whole.
pub(super) fn limits(changes: &mut Vec<Change>, limits: &Limits) -> Vec<Withheld> {
    let mut withheld = Vec::new();
    if let Some(max) = limits.max_removed_per_policy {
        let why = |change: &Change| format!("removes {}, more than max_removed_per_policy ({max})", actions(change));
        // By unit, the first of its changes that is over the limit, and what is said of it.
        let mut over: BTreeMap<String, String> = BTreeMap::new();
        for change in changes.iter().filter(|change| change.removed_actions() > max) {
            let why = format!("made together with {}, which {}", change.address, why(change));
            over.entry(change.unit().to_owned()).or_insert(why);
        }
        let detail = |change: &Change| match over.get(change.unit()) {
            Some(with) if change.removed_actions() <= max => with.clone(),
            _ => why(change),
        };
        withheld.extend(take(changes, |change| over.contains_key(change.unit()), detail));
    }
    if let Some(max) = limits.max_changes {
        let mut taken = 0;
        let mut kept: Vec<String> = Vec::new();
        for change in changes.iter() {
            let unit = change.unit();
            let size = changes.iter().filter(|other| other.unit() == unit).count();
            if !kept.iter().any(|kept| kept == unit) && taken + size <= max {
                taken += size;
                kept.push(unit.to_owned());
            }
        }
        let detail = |_: &Change| format!("beyond max_changes ({max})");
        withheld.extend(take(changes, |change| !kept.iter().any(|unit| unit == change.unit()), detail));
    }
    withheld
}

/// `3 actions`, or how many of them go with their KMS keys.
fn actions(change: &Change) -> String {
    let all = change.removed_actions();
    let with_keys: usize = change.statements.iter().map(|statement| statement.count).sum();
    let noun = if all == 1 { "action" } else { "actions" };
    match with_keys {
        0 => format!("{all} {noun}"),
        more => format!("{all} {noun}, {more} of them with KMS keys"),
    }
}

fn take(
    changes: &mut Vec<Change>,
    goes: impl Fn(&Change) -> bool,
    detail: impl Fn(&Change) -> String,
) -> Vec<Withheld> {
    let (gone, kept) = std::mem::take(changes).into_iter().partition(|change| goes(change));
    *changes = kept;
    let gone: Vec<Change> = gone;
    gone.iter()
        .map(|change| Withheld { address: change.address.clone(), reason: "limit".to_owned(), detail: detail(change) })
        .collect()
}

#[cfg(test)]
mod tests;
