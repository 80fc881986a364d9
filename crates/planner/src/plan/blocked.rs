//! Shared policies: who keeps what others do not need, and what a policy of its own would gain.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::{ActionId, ActionSet};
use secateur_analyzer::graph::{Entity, PolicyId, PrincipalId};
use secateur_analyzer::risk::{Risk, risk, riskiest_first, total};
use secateur_analyzer::rules::Dormant;

use super::build::Numbering;
use super::removed::names;
use super::{Advice, Blocked};

/// Of one policy, the actions that some of its holders could lose, by those who keep them.
#[derive(Debug)]
pub(super) struct BlockedPolicy {
    policy: PolicyId,
    holders: Vec<PrincipalId>,
    /// Those who keep, by principal; riskiest actions first.
    by_blockers: Vec<(Vec<PrincipalId>, ActionSet)>,
}

/// More advice than this on one policy is left out: the plan has all blockers.
const MAX_ADVICE: usize = 3;

/// Finds who blocks what in a policy of several holders; nothing when nobody does.
pub(super) fn of(analysis: &Analysis<'_>, policy: PolicyId) -> Option<BlockedPolicy> {
    let judged = analysis.policy(policy).filter(|judged| judged.set_aside.is_none() && judged.holders.len() > 1)?;
    let catalog = analysis.catalog();
    let mut open = judged.granted.clone();
    open.difference_with(&judged.removable);
    let actions: Vec<ActionId> = open.iter().collect();
    // Most actions have the blockers of many others: each such list stands once, and an action has its place.
    let mut lists: Vec<Vec<PrincipalId>> = vec![Vec::new()];
    let mut blockers: Vec<usize> = vec![0; actions.len()];
    for holder in &judged.holders {
        let mut longer: HashMap<usize, usize> = HashMap::new();
        let mut block = |blockers: &mut [usize]| {
            for blockers in blockers {
                *blockers = *longer.entry(*blockers).or_insert_with(|| {
                    let known = lists.get(*blockers).into_iter().flatten().copied();
                    lists.push(known.chain([holder.principal]).collect());
                    lists.len() - 1
                });
            }
        };
        // Whoever was not judged keeps all of it.
        let Some(kept) = analysis.kept(policy, holder) else {
            block(&mut blockers);
            continue;
        };
        for run in kept.runs() {
            let from = actions.partition_point(|action| action < run.start());
            let to = actions.partition_point(|action| action <= run.end());
            block(blockers.get_mut(from..to).unwrap_or_default());
        }
    }
    let mut sets: Vec<Option<ActionSet>> = vec![None; lists.len()];
    for (action, blockers) in actions.into_iter().zip(blockers) {
        if let Some(set) = sets.get_mut(blockers) {
            set.get_or_insert_with(|| catalog.empty_set()).insert(action);
        }
    }
    let blocked_by = lists.into_iter().zip(sets).filter(|(list, _)| list.len() < judged.holders.len());
    let grouped: BTreeMap<Vec<PrincipalId>, ActionSet> =
        blocked_by.filter_map(|(list, set)| Some((list, set?))).collect();
    if grouped.is_empty() {
        return None;
    }
    let riskiest = |set: &ActionSet| -> Option<Risk> { set.iter().map(|id| risk(catalog, id)).max() };
    let mut by_blockers: Vec<_> = grouped.into_iter().collect();
    by_blockers.sort_by_cached_key(|(_, set)| (Reverse(riskiest(set)), Reverse(set.len())));
    let holders = judged.holders.iter().map(|holder| holder.principal).collect();
    Some(BlockedPolicy { policy, holders, by_blockers })
}

impl BlockedPolicy {
    /// Returns those who block.
    pub fn principals(&self) -> impl Iterator<Item = PrincipalId> + '_ {
        self.by_blockers.iter().flat_map(|(blockers, _)| blockers.iter().copied())
    }

    /// Whether all but these are dormant, so that what they could lose would be withheld.
    fn is_dormant(&self, analysis: &Analysis<'_>, blockers: &[PrincipalId]) -> bool {
        let is_dormant = |id: &PrincipalId| analysis.principal(*id).is_some_and(|principal| principal.is_dormant);
        analysis.inputs().settings.dormant == Dormant::Advise
            && self.holders.iter().filter(|id| !blockers.contains(id)).all(is_dormant)
    }

    /// Returns the entries of the plan.
    pub fn entries(&self, analysis: &Analysis<'_>, numbering: &Numbering) -> Vec<Blocked> {
        (self.by_blockers.iter())
            .map(|(blockers, actions)| Blocked {
                address: analysis.graph().address(self.policy).to_owned(),
                actions: names(analysis.catalog(), actions, &[]),
                count: actions.len(),
                blockers: blockers.iter().filter_map(|id| numbering.principal(*id)).collect(),
                others: self.holders.len() - blockers.len(),
                dormant: self.is_dormant(analysis, blockers),
            })
            .collect()
    }

    /// Returns what would be gained if one who keeps something alone had a policy of its own, riskiest first.
    pub fn advice(&self, analysis: &Analysis<'_>) -> Vec<Advice> {
        let catalog = analysis.catalog();
        let mut alone: BTreeMap<PrincipalId, ActionSet> = BTreeMap::new();
        for (blockers, actions) in &self.by_blockers {
            if let [only] = blockers.as_slice() {
                alone.entry(*only).or_insert_with(|| catalog.empty_set()).union_with(actions);
            }
        }
        let mut alone: Vec<(PrincipalId, ActionSet)> = alone.into_iter().collect();
        alone.sort_by_cached_key(|(id, actions)| (Reverse(total(catalog, actions)), *id));
        (alone.iter().take(MAX_ADVICE))
            .map(|(id, actions)| {
                let worst: Vec<String> =
                    riskiest_first(catalog, actions).into_iter().take(3).map(|id| catalog.full_name(id)).collect();
                let them = if actions.len() == 1 { "it" } else { "them" };
                let more = actions.len().saturating_sub(worst.len());
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let others = match self.holders.len() - 1 {
                    1 => "the other holder".to_owned(),
                    others => format!("the {others} other holders"),
                };
                let end = if self.is_dormant(analysis, &[*id]) { " by dormant = \"prune\" only" } else { "" };
                Advice {
                    kind: "own-copy".to_owned(),
                    subject: analysis.graph().address(self.policy).to_owned(),
                    detail: format!(
                        "{} alone keeps {}{more}: with a policy of its own, {others} could lose {them}{end}",
                        analysis.graph().entity_address(Entity::Principal(*id)),
                        worst.join(", ")
                    ),
                }
            })
            .collect()
    }
}
