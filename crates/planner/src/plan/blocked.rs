//! Shared policies: who keeps what others do not need, and what a policy of its own would gain.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use secateur_analyzer::analysis::{Analysis, is_kept_by_sid};
use secateur_analyzer::catalog::{ActionId, ActionSet, Catalog};
use secateur_analyzer::document::{ActionBlock, Effect, PolicyDocument};
use secateur_analyzer::graph::{Entity, Holder, PolicyId, PrincipalId};
use secateur_analyzer::risk::{Risk, risk, riskiest_first, total};
use secateur_analyzer::rules::Dormant;

use super::config::AwsManaged;
use super::numbering::Numbering;
use super::{Advice, Blocked, PlanOptions, Withheld, subject, unwritable};
use crate::proof::is_taken;
use crate::rewrite::NotActionRewrite;

/// Of one policy, the actions that some of its holders could lose, by those who keep them.
#[derive(Debug)]
pub(super) struct BlockedPolicy {
    policy: PolicyId,
    /// The group that has it attached, where AWS owns it: what replaces it there has one text for all members.
    group: Option<Entity>,
    holders: Vec<PrincipalId>,
    /// Those who keep, by principal; riskiest actions first.
    by_blockers: Vec<(Vec<PrincipalId>, ActionSet)>,
}

/// More advice than this on one policy is left out: the plan has all blockers.
const MAX_ADVICE: usize = 3;

/// Finds who blocks what in a policy of several holders; nothing when nobody does.
pub(super) fn of(analysis: &Analysis<'_>, policy: PolicyId, options: &PlanOptions) -> Option<BlockedPolicy> {
    let judged = analysis.policy(policy)?;
    among(analysis, (policy, None), &judged.holders, &judged.removable, options)
}

/// Finds who blocks what in a policy of AWS, by each group that has it attached: a copy in its place is one for all members.
pub(super) fn of_groups(analysis: &Analysis<'_>, policy: PolicyId, options: &PlanOptions) -> Vec<BlockedPolicy> {
    if options.rewrite.aws_managed != AwsManaged::Replace {
        return Vec::new();
    }
    let graph = analysis.graph();
    let groups = graph.attached_to(policy).into_iter().filter(|entity| matches!(entity, Entity::Group(_)));
    let of_group = |group: Entity| {
        let holders = subject::reached(graph, policy, group);
        among(analysis, (policy, Some(group)), &holders, &analysis.removable_for(policy, &holders), options)
    };
    groups.filter_map(of_group).collect()
}

fn among(
    analysis: &Analysis<'_>,
    (policy, group): (PolicyId, Option<Entity>),
    holders: &[Holder],
    removable: &ActionSet,
    options: &PlanOptions,
) -> Option<BlockedPolicy> {
    let judged = analysis.policy(policy).filter(|judged| judged.set_aside.is_none() && holders.len() > 1)?;
    let catalog = analysis.catalog();
    let mut open = judged.granted.clone();
    open.difference_with(removable);
    if options.rewrite.not_action == NotActionRewrite::Advise {
        // Nobody loses any of it by a policy of their own either.
        open.difference_with(&by_not_action(analysis, policy));
    }
    let actions: Vec<ActionId> = open.iter().collect();
    // Most actions have the blockers of many others: each such list stands once, and an action has its place.
    let mut lists: Vec<Vec<PrincipalId>> = vec![Vec::new()];
    let mut blockers: Vec<usize> = vec![0; actions.len()];
    for holder in holders {
        let mut longer: HashMap<usize, usize> = HashMap::new();
        let mut block = |blockers: &mut [usize]| {
            for alike in blockers.chunk_by_mut(|a, b| a == b) {
                let Some(known) = alike.first().copied() else { continue };
                let with_this = *longer.entry(known).or_insert_with(|| {
                    let known = lists.get(known).into_iter().flatten().copied();
                    lists.push(known.chain([holder.principal]).collect());
                    lists.len() - 1
                });
                alike.fill(with_this);
            }
        };
        if let Some(kept) = analysis.kept(policy, holder) {
            for run in kept.runs() {
                let from = actions.partition_point(|action| action < run.start());
                let to = actions.partition_point(|action| action <= run.end());
                block(blockers.get_mut(from..to).unwrap_or_default());
            }
            continue;
        }
        let may_go = analysis.removable_for(policy, std::slice::from_ref(holder));
        let of_action = actions.iter().zip(blockers.chunks_mut(1));
        of_action.filter(|(action, _)| !may_go.contains(**action)).for_each(|(_, own)| block(own));
    }
    let mut sets: Vec<Option<ActionSet>> = vec![None; lists.len()];
    for (action, blockers) in actions.into_iter().zip(blockers) {
        if let Some(set) = sets.get_mut(blockers) {
            set.get_or_insert_with(|| catalog.empty_set()).insert(action);
        }
    }
    let blocked_by = lists.into_iter().zip(sets).filter(|(list, _)| list.len() < holders.len());
    let grouped: BTreeMap<Vec<PrincipalId>, ActionSet> =
        blocked_by.filter_map(|(list, set)| Some((list, set?))).collect();
    if grouped.is_empty() {
        return None;
    }
    let riskiest = |set: &ActionSet| -> Option<Risk> { set.iter().map(|id| risk(catalog, id)).max() };
    let mut by_blockers: Vec<_> = grouped.into_iter().collect();
    by_blockers.sort_by_cached_key(|(_, set)| (Reverse(riskiest(set)), Reverse(set.len())));
    let holders = holders.iter().map(|holder| holder.principal).collect();
    Some(BlockedPolicy { policy, group, holders, by_blockers })
}

/// What the policy's Allow statements with `NotAction` allow.
fn by_not_action(analysis: &Analysis<'_>, policy: PolicyId) -> ActionSet {
    let catalog = analysis.catalog();
    let mut all = catalog.empty_set();
    for statement in document(analysis, policy).into_iter().flat_map(|document| &document.statements) {
        let is_it = matches!(statement.actions, ActionBlock::NotAction(_)) && statement.effect == Effect::Allow;
        if is_it && !is_kept_by_sid(statement) {
            all.union_with(&catalog.covered(&statement.actions));
        }
    }
    all
}

fn document<'a>(analysis: &Analysis<'a>, policy: PolicyId) -> Option<&'a PolicyDocument> {
    analysis.graph().policy(policy)?.document()?.policy()
}

/// The names of a set: `service:*` where the whole service is in it, else the actions; the riskiest first.
fn names(catalog: &Catalog, set: &ActionSet) -> Vec<String> {
    let all: Vec<ActionId> = set.iter().collect();
    let mut named: Vec<(Option<Risk>, String)> = Vec::new();
    for of_service in all.chunk_by(|a, b| catalog.service_of(*a) == catalog.service_of(*b)) {
        let Some(service) = of_service.first().map(|id| catalog.service_of(*id)) else { continue };
        if of_service.len() == catalog.actions_of(service).count() {
            let riskiest = of_service.iter().map(|id| risk(catalog, *id)).max();
            named.push((riskiest, format!("{}:*", catalog.service_prefix(service))));
        } else {
            named.extend(of_service.iter().map(|id| (Some(risk(catalog, *id)), catalog.full_name(*id))));
        }
    }
    // The sort is stable: of equals the catalogue's order stays.
    named.sort_by_key(|(risk, _)| Reverse(*risk));
    named.into_iter().map(|(_, name)| name).collect()
}

/// Withholds policies in which something is blocked, and of which AWS takes no changed document: nobody could lose that by a policy of
/// their own either.
pub(super) fn writable(
    analysis: &Analysis<'_>,
    blocked: Vec<BlockedPolicy>,
    withheld: &mut Vec<Withheld>,
    options: &PlanOptions,
) -> Vec<BlockedPolicy> {
    let mut left = Vec::new();
    for own in blocked {
        let Some(pattern) = own.refused_pattern(analysis) else {
            left.push(own);
            continue;
        };
        let address = analysis.graph().address(own.policy).to_owned();
        let entry = unwritable::withheld(analysis, own.policy, address, pattern, options);
        if !withheld.iter().any(|other| other.address == entry.address && other.reason == entry.reason) {
            withheld.push(entry);
        }
    }
    left
}

impl BlockedPolicy {
    /// Returns those who block.
    pub fn principals(&self) -> impl Iterator<Item = PrincipalId> + '_ {
        self.by_blockers.iter().flat_map(|(blockers, _)| blockers.iter().copied())
    }

    /// Returns a pattern of the policy for which AWS takes no new document of its kind: a policy of somebody's own could not have it
    /// either.
    pub fn refused_pattern<'a>(&self, analysis: &Analysis<'a>) -> Option<&'a str> {
        let statements = document(analysis, self.policy).into_iter().flat_map(|document| &document.statements);
        let patterns = statements.flat_map(|statement| &statement.actions.list().entries);
        patterns.map(|entry| entry.pattern.as_str()).find(|pattern| !is_taken(pattern))
    }

    fn address(&self, analysis: &Analysis<'_>) -> String {
        let graph = analysis.graph();
        match self.group {
            Some(group) => subject::attachment_address(graph, self.policy, group),
            None => graph.address(self.policy).to_owned(),
        }
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
                address: self.address(analysis),
                actions: names(analysis.catalog(), actions),
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
                    subject: self.address(analysis),
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
