//! What goes on granting what a change removes.

use std::collections::BTreeMap;

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::ActionSet;
use secateur_analyzer::graph::{Entity, Graph, PolicyId, PrincipalId};
use secateur_analyzer::parallel;

use super::derive::ProvedChange;
use super::numbering::Numbering;
use super::subject::entity_of;
use super::{Change, ChangeAction, StillGranted};

/// What a change takes away: of a document, or of what some entities have of one.
pub(super) struct Loss {
    /// Of which policy.
    pub policy: PolicyId,
    through: Option<Vec<Entity>>,
    lost: ActionSet,
    /// What of it another statement still allows.
    still: Option<ActionSet>,
    pub assumed_grant_dates: usize,
}

impl Loss {
    /// Takes a proved change apart.
    pub fn of(proved: ProvedChange) -> (Change, Loss) {
        let ProvedChange { change, policy, through, lost, still, assumed_grant_dates } = proved;
        (change, Loss { policy, through, lost, still, assumed_grant_dates })
    }
}

/// What becomes of the policies when all changes of the plan are made.
#[derive(Default)]
struct Outcome<'a> {
    documents: BTreeMap<PolicyId, &'a Loss>,
    /// What becomes of attachments; where a copy takes the policy's place, its address.
    attachments: BTreeMap<(PolicyId, Entity), (&'a Loss, Option<String>)>,
}

impl<'a> Outcome<'a> {
    fn of(changes: &[Change], losses: &'a BTreeMap<String, Loss>) -> Outcome<'a> {
        let mut outcome = Outcome::default();
        for (change, loss) in with_losses(changes, losses) {
            let Some(through) = &loss.through else {
                outcome.documents.insert(loss.policy, loss);
                continue;
            };
            let is_replaced = matches!(change.action, ChangeAction::Create | ChangeAction::Attach);
            let copy = is_replaced.then(|| format!("policy/{}", change.target.name));
            for entity in through {
                outcome.attachments.insert((loss.policy, *entity), (loss, copy.clone()));
            }
        }
        outcome
    }

    /// The addresses under which the holder goes on having a policy or what takes its place, each with what is gone of it.
    fn held(&self, graph: &Graph<'_>, policy: PolicyId, principal: PrincipalId) -> BTreeMap<String, Option<&'a Loss>> {
        let own = || graph.address(policy).to_owned();
        if let Some(loss) = self.documents.get(&policy) {
            return BTreeMap::from([(own(), Some(*loss))]);
        }
        let holder = graph.holder(policy, principal);
        let paths = holder.iter().flat_map(|holder| holder.paths.iter().map(|path| entity_of(holder, path)));
        paths
            .filter_map(|entity| match self.attachments.get(&(policy, entity)) {
                None => Some((own(), None)),
                Some((loss, copy)) => copy.clone().map(|copy| (copy, Some(*loss))),
            })
            .collect()
    }
}

fn with_losses<'c, 'l>(
    changes: &'c [Change],
    losses: &'l BTreeMap<String, Loss>,
) -> impl Iterator<Item = (&'c Change, &'l Loss)> {
    let with_loss = |change: &'c Change| losses.get(&change.address).map(|loss| (change, loss));
    changes.iter().filter_map(with_loss).filter(|(_, loss)| !loss.lost.is_empty())
}

/// Fills in, for every change, what goes on granting its holders what it removes, when these changes are made and no others.
pub(super) fn still_granted(
    analysis: &Analysis<'_>,
    changes: &mut [Change],
    losses: &BTreeMap<String, Loss>,
    numbering: &Numbering,
) {
    let graph = analysis.graph();
    let outcome = Outcome::of(changes, losses);
    let all = parallel::map(analysis.inputs().threads, &*changes, |change| {
        let mut found = Vec::new();
        if let Some(loss) = losses.get(&change.address).filter(|loss| !loss.lost.is_empty()) {
            for number in &change.holders {
                let Some(principal) = numbering.id(*number) else { continue };
                for (policy, count) in grants(analysis, graph, &outcome, &loss.lost, principal) {
                    found.push(StillGranted { policy, principal: *number, count });
                }
            }
        }
        found.sort_by(|a, b| (&a.policy, a.principal).cmp(&(&b.policy, b.principal)));
        found
    });
    for (change, found) in changes.iter_mut().zip(all) {
        change.still_granted_by = found;
    }
}

/// What grants the principal some of these actions in the end, and how many.
fn grants(
    analysis: &Analysis<'_>,
    graph: &Graph<'_>,
    outcome: &Outcome<'_>,
    lost: &ActionSet,
    principal: PrincipalId,
) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for policy in graph.policies_of(principal) {
        let Some(judged) = analysis.policy(policy) else { continue };
        if judged.granted.is_disjoint(lost) && judged.left_alone.is_disjoint(lost) {
            continue;
        }
        let mut granted = judged.granted.clone();
        granted.intersect_with(lost);
        let mut kept = judged.left_alone.clone();
        kept.intersect_with(lost);
        granted.union_with(&kept);
        for (address, gone) in outcome.held(graph, policy, principal) {
            let mut own = granted.clone();
            if let Some(gone) = gone {
                own.difference_with(&gone.lost);
                if let Some(still) = &gone.still {
                    let mut still = still.clone();
                    still.intersect_with(&granted);
                    own.union_with(&still);
                }
            }
            let count = found.entry(address).or_insert(0);
            *count = own.len().max(*count);
        }
    }
    found.retain(|_, count| *count > 0);
    found
}
