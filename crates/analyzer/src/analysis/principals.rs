//! The verdicts on all that each principal holds, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::kept::Kept;
use super::{Analysis, PolicyAnalysis, PrincipalAnalysis, names, set_aside};
use crate::account::Principal;
use crate::catalog::ActionSet;
use crate::graph::{PolicyId, PrincipalId};
use crate::verdict::HolderEvidence;

/// What one thread found.
struct Share<'a> {
    principals: Vec<(usize, PrincipalAnalysis<'a>)>,
    /// By policy, what is removable for all holders that this thread has seen; none before the first.
    removable: Vec<Option<ActionSet>>,
}

pub(super) fn judge(analysis: &mut Analysis<'_>) {
    let account = analysis.inputs.account;
    let next = AtomicUsize::new(0);
    let shared = &*analysis;
    let work = || {
        let mut share = Share { principals: Vec::new(), removable: vec![None; shared.policies.len()] };
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(principal) = account.principals.get(at) else { return share };
            let judged = judge_one(shared, PrincipalId(at), principal, &mut share.removable);
            share.principals.push((at, judged));
        }
    };
    let shares: Vec<Share<'_>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..analysis.inputs.threads.get()).map(|_| scope.spawn(work)).collect();
        let mut shares = vec![work()];
        for other in others {
            match other.join() {
                Ok(share) => shares.push(share),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        shares
    });
    merge(analysis, shares);
}

/// An intersection over all holders and a sort by place: the same whoever did which part.
fn merge<'a>(analysis: &mut Analysis<'a>, shares: Vec<Share<'a>>) {
    let mut principals: Vec<(usize, PrincipalAnalysis<'a>)> = Vec::new();
    let mut removable: Vec<Option<ActionSet>> = vec![None; analysis.policies.len()];
    for share in shares {
        principals.extend(share.principals);
        for (merged, part) in removable.iter_mut().zip(share.removable) {
            match (merged.as_mut(), part) {
                (Some(merged), Some(part)) => merged.intersect_with(&part),
                (None, part) => *merged = part,
                (Some(_), None) => {}
            }
        }
    }
    principals.sort_by_key(|(at, _)| *at);
    analysis.principals = principals.into_iter().map(|(_, principal)| principal).collect();
    for (policy, removable) in analysis.policies.iter_mut().zip(removable) {
        policy.removable = removable.unwrap_or_else(|| analysis.inputs.account.catalog.empty_set());
    }
}

fn judge_one<'a>(
    analysis: &Analysis<'a>,
    id: PrincipalId,
    principal: &'a Principal,
    removable: &mut [Option<ActionSet>],
) -> PrincipalAnalysis<'a> {
    let inputs = &analysis.inputs;
    let catalog = &inputs.account.catalog;
    let set_aside = set_aside::principal(inputs, principal);
    let evidence =
        HolderEvidence::new(inputs.account, principal, inputs.settings, &analysis.regions, set_aside, inputs.now);

    // What may go by the table alone, by policy; and what stays in some policy.
    let mut kept = catalog.empty_set();
    if analysis.graph.is_dangling(id) {
        kept = catalog.full_set();
    }
    let mut candidates: Vec<(PolicyId, &PolicyAnalysis, ActionSet)> = Vec::new();
    for policy in analysis.graph.policies_of(id) {
        let Some(judged) = analysis.policy(policy) else { continue };
        kept.union_with(&judged.left_alone);
        let mut may_go = catalog.empty_set();
        let holder = judged.holders.binary_search_by_key(&id, |holder| holder.principal).ok();
        if let Some(holder) = holder.and_then(|at| judged.holders.get(at))
            && judged.set_aside.is_none()
            && evidence.set_aside.is_none()
            && evidence.report().is_ok()
        {
            let held = evidence.policy(holder, &analysis.about(policy, judged));
            evidence.verdicts(&held, judged.granted.iter(), None, |actions, verdict| {
                if verdict.removal().is_some() {
                    may_go.insert_all(actions);
                }
            });
        }
        let mut stays = judged.granted.clone();
        stays.difference_with(&may_go);
        kept.union_with(&stays);
        candidates.push((policy, judged, may_go));
    }

    // AWS checks some actions on the way of others: what stays keeps them.
    let related = evidence.related(&kept);
    let mut kept_of = Vec::new();
    for (policy, judged, mut may_go) in candidates {
        related.iter().for_each(|action| may_go.remove(action));
        // Where there is one holder, what it keeps is what the policy keeps.
        if judged.holders.len() > 1 {
            kept_of.push((policy, Kept::of(&judged.granted, &may_go)));
        }
        if let Some(slot) = removable.get_mut(policy.index()) {
            match slot {
                Some(common) => common.intersect_with(&may_go),
                None => *slot = Some(may_go),
            }
        }
    }
    let is_dormant = evidence.is_dormant();
    let unknown = names::of_report(catalog, &evidence);
    kept_of.sort_unstable_by_key(|(policy, _)| *policy);
    PrincipalAnalysis { evidence, related, is_dormant, unknown, kept: kept_of }
}
