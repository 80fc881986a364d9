//! What other policies of the holders go on granting.

use std::collections::BTreeMap;

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::ActionSet;
use secateur_analyzer::graph::{Entity, PolicyId, PolicyRef};
use secateur_analyzer::parallel;

use super::StillGranted;
use super::build::Numbering;
use super::derive::ProvedChange;
use super::subject::entity_of;

/// Fills in, for every change, which other policies of the holders go on granting what it removes.
pub(super) fn still_granted(analysis: &Analysis<'_>, changes: &mut [ProvedChange], numbering: &Numbering) {
    let mut lost: BTreeMap<(PolicyId, Option<Entity>), ActionSet> = BTreeMap::new();
    for change in changes.iter().filter(|change| !change.lost.is_empty()) {
        match &change.through {
            None => {
                lost.insert((change.policy, None), change.lost.clone());
            }
            Some(through) => {
                through.iter().for_each(|entity| {
                    lost.insert((change.policy, Some(*entity)), change.lost.clone());
                });
            }
        }
    }
    let graph = analysis.graph();
    let still = parallel::map(analysis.inputs().threads, changes, |change| {
        if change.lost.is_empty() {
            return Vec::new();
        }
        let principals = change.change.holders.iter().filter_map(|at| Some((*at, numbering.id(*at)?)));
        let mut found = Vec::new();
        for (number, principal) in principals {
            for other in graph.policies_of(principal).into_iter().filter(|other| *other != change.policy) {
                let Some(judged) = analysis.policy(other) else { continue };
                let mut still = judged.granted.clone();
                still.intersect_with(&change.lost);
                let mut kept = judged.left_alone.clone();
                kept.intersect_with(&change.lost);
                if still.is_empty() && kept.is_empty() {
                    continue;
                }
                if let Some(holder) = judged.holders.iter().find(|holder| holder.principal == principal) {
                    still.difference_with(&lost_of(analysis, &lost, other, holder));
                }
                still.union_with(&kept);
                if !still.is_empty() {
                    let policy = graph.address(other).to_owned();
                    found.push(StillGranted { policy, principal: number, count: still.len() });
                }
            }
        }
        found.sort_by(|a, b| (&a.policy, a.principal).cmp(&(&b.policy, b.principal)));
        found
    });
    for (change, still) in changes.iter_mut().zip(still) {
        if !change.lost.is_empty() {
            change.change.still_granted_by = still;
        }
    }
}

/// What the holder loses of a policy: of its document, or by every attachment through which it has the policy.
fn lost_of(
    analysis: &Analysis<'_>,
    lost: &BTreeMap<(PolicyId, Option<Entity>), ActionSet>,
    policy: PolicyId,
    holder: &secateur_analyzer::graph::Holder,
) -> ActionSet {
    if let Some(lost) = lost.get(&(policy, None)) {
        return lost.clone();
    }
    let mut all = analysis.catalog().empty_set();
    if matches!(analysis.graph().policy(policy), Some(PolicyRef::Inline(..)) | None) {
        return all;
    }
    let mut paths = holder.paths.iter().map(|path| lost.get(&(policy, Some(entity_of(holder, path)))));
    if let Some(Some(first)) = paths.next() {
        all.union_with(first);
        for other in paths {
            match other {
                Some(other) => all.intersect_with(other),
                None => return analysis.catalog().empty_set(),
            }
        }
    }
    all
}
