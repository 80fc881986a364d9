//! From one policy to its changes.

use std::collections::BTreeMap;

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::arn::Arn;
use secateur_analyzer::catalog::{AccessLevel, ActionSet};
use secateur_analyzer::document::{Effect, PolicyDocument, Statement};
use secateur_analyzer::graph::{Entity, Graph, Holder, Path, PolicyId, PolicyRef};
use secateur_analyzer::verdict::{LeftAlone, Owner, owner_by_tags};

use super::draft::Draft;
use super::{Change, ChangeAction, Frozen, PlanProof, StillGranted, Target, Withheld, calls, expects, removed};
use crate::proof::{Claim, Proof, ProofError, prove};
use crate::rewrite::Outcome;

/// What one change is about.
#[derive(Clone, Debug)]
pub(super) struct Subject<'a> {
    pub policy: PolicyId,
    pub action: ChangeAction,
    /// The entity that a managed policy is detached from.
    pub entity: Option<Entity>,
    pub before: &'a str,
    pub after: Option<&'a str>,
}

/// A change and what its proof found; the only way into a plan.
pub(super) struct ProvedChange {
    pub change: Change,
    pub lost: ActionSet,
    pub assumed_grant_dates: usize,
}

/// Returns the subjects of a draft's changes: one document, or the attachments of a policy of which nothing is left.
pub(super) fn subjects<'d>(graph: &Graph<'_>, draft: &'d Draft<'_>) -> Vec<Subject<'d>> {
    let subject =
        |action, entity, after| Subject { policy: draft.policy, action, entity, before: draft.document.text(), after };
    let is_managed = graph.policy(draft.policy).is_some_and(|policy| policy.managed().is_some());
    match &draft.rewritten.outcome {
        Outcome::Unchanged => Vec::new(),
        Outcome::Changed(text) => vec![subject(ChangeAction::Update, None, Some(text.as_str()))],
        Outcome::Empty if is_managed => graph
            .attached_to(draft.policy)
            .into_iter()
            // Nobody loses anything by an empty group, and nothing shows that its members-to-be would not.
            .filter(|entity| !reached(graph, draft.policy, *entity).is_empty())
            .filter(|entity| owner(graph, *entity).is_none())
            .map(|entity| subject(ChangeAction::Detach, Some(entity), None))
            .collect(),
        Outcome::Empty => vec![subject(ChangeAction::Delete, None, None)],
    }
}

/// Who writes down what is attached to the entity, if its tags say so: the attachment is changed there.
pub(super) fn owner(graph: &Graph<'_>, entity: Entity) -> Option<Owner> {
    match entity {
        Entity::Principal(id) => {
            graph.account().principals.get(id.0).and_then(|principal| owner_by_tags(&principal.tags))
        }
        Entity::Group(_) => None,
    }
}

/// The attachments of a policy of which nothing is left that somebody else writes down.
pub(super) fn owned_attachments(graph: &Graph<'_>, draft: &Draft<'_>) -> Vec<Withheld> {
    if draft.rewritten.outcome != Outcome::Empty
        || graph.policy(draft.policy).is_none_or(|policy| policy.managed().is_none())
    {
        return Vec::new();
    }
    let attached = graph.attached_to(draft.policy).into_iter();
    attached
        .filter_map(|entity| {
            let name = graph.address(draft.policy).trim_start_matches("policy/");
            Some(Withheld {
                address: format!("{}/attached/{name}", graph.entity_address(entity)),
                reason: "left-alone".to_owned(),
                detail: LeftAlone::Owned(owner(graph, entity)?).to_string(),
            })
        })
        .collect()
}

/// The holders that have the policy by this attachment.
pub(super) fn reached(graph: &Graph<'_>, policy: PolicyId, entity: Entity) -> Vec<Holder> {
    let by_entity = |holder: &Holder| match entity {
        Entity::Principal(principal) => holder.principal == principal && holder.paths.contains(&Path::Direct),
        Entity::Group(group) => holder.paths.contains(&Path::Group(group)),
    };
    graph.holders(policy).into_iter().filter(by_entity).collect()
}

/// Proves a change and derives all that the plan says of it.
pub(super) fn derive(
    analysis: &Analysis<'_>,
    subject: &Subject<'_>,
    numbering: &super::build::Numbering,
) -> Result<ProvedChange, ProofError> {
    let graph = analysis.graph();
    let holders = match subject.entity {
        None => graph.holders(subject.policy),
        Some(entity) => reached(graph, subject.policy, entity),
    };
    let claim = Claim { policy: subject.policy, holders: &holders, before: subject.before, after: subject.after };
    let proof = prove(&claim, analysis)?;
    // The proof has seen that the text before is the snapshot's, which has been parsed already.
    let before =
        graph.policy(subject.policy).and_then(|policy| policy.document()).and_then(|document| document.policy());
    let after = subject.after.and_then(|text| PolicyDocument::parse(text).ok());
    let removed =
        removed::removed(analysis, subject.policy, (before, after.as_ref()), &holders, proof.lost(), numbering);
    let target = target(graph, subject)
        .ok_or_else(|| ProofError::ChangedBefore { address: graph.address(subject.policy).to_owned() })?;
    let (calls, inverse) = calls::calls(graph, subject, &target);
    let change = Change {
        address: address(graph, subject),
        action: subject.action,
        group: None,
        depends_on: Vec::new(),
        holders: holders.iter().filter_map(|holder| numbering.principal(holder.principal)).collect(),
        expects: expects::expects(analysis, subject),
        before: Some(subject.before.to_owned()),
        after: subject.after.map(str::to_owned),
        removed: removed.entries,
        readmitted: Vec::new(),
        frozen: frozen(analysis, before, after.as_ref()),
        still_granted_by: Vec::new(),
        risk: risk(analysis, proof.lost()),
        proof: plan_proof(&proof),
        target,
        calls,
        inverse,
    };
    Ok(ProvedChange { change, lost: proof.lost().clone(), assumed_grant_dates: removed.assumed_grant_dates })
}

fn plan_proof(proof: &Proof) -> PlanProof {
    let facts = proof.facts();
    PlanProof {
        statements: facts.statements,
        patterns: facts.patterns,
        kept: facts.kept,
        lost: facts.lost,
        holders: facts.holders,
    }
}

/// The patterns of Allow statements that became names: gone, with a name that was not listed before and that they match.
fn frozen(analysis: &Analysis<'_>, before: Option<&PolicyDocument>, after: Option<&PolicyDocument>) -> Vec<Frozen> {
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    let mut frozen = Vec::new();
    let mut heirs = after.statements.iter();
    for statement in before.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        let skeleton = skeleton(before.text(), statement);
        let rest = heirs.clone();
        let is_heir = |heir: &&Statement| self::skeleton(after.text(), heir) == skeleton;
        let Some(heir) = heirs.by_ref().find(is_heir) else {
            heirs = rest;
            continue;
        };
        let listed = |statement: &Statement, text: &str| {
            statement.actions.list().entries.iter().any(|entry| entry.pattern.as_str() == text)
        };
        let names: Vec<_> = heir.actions.list().entries.iter().map(|entry| &entry.pattern).collect();
        for entry in &statement.actions.list().entries {
            let pattern = &entry.pattern;
            let became = |name: &&secateur_analyzer::action::ActionPattern| {
                pattern.matches(name.as_str()) && !listed(statement, name.as_str())
            };
            if pattern.has_wildcard()
                && !listed(heir, pattern.as_str())
                && names.iter().copied().any(|name| became(&name))
            {
                frozen.push(Frozen { pattern: pattern.as_str().to_owned(), at: analysis.catalog().dates().names });
            }
        }
    }
    frozen
}

/// A statement's text without its list of actions: a rewrite leaves it as it is.
fn skeleton(text: &str, statement: &Statement) -> String {
    let list = &statement.actions.list().span;
    let head = text.get(statement.span.start..list.start).unwrap_or_default();
    let tail = text.get(list.end..statement.span.end).unwrap_or_default();
    format!("{head}\0{tail}")
}

fn risk(analysis: &Analysis<'_>, lost: &ActionSet) -> BTreeMap<String, usize> {
    let mut risk = BTreeMap::new();
    for id in lost.iter() {
        let level: AccessLevel = analysis.catalog().access_level(id);
        *risk.entry(level.as_str().to_owned()).or_default() += 1;
    }
    risk
}

pub(super) fn address(graph: &Graph<'_>, subject: &Subject<'_>) -> String {
    let policy = graph.address(subject.policy);
    match subject.entity {
        None => policy.to_owned(),
        Some(entity) => {
            let name = policy.strip_prefix("policy/").unwrap_or(policy);
            format!("{}/attached/{name}", graph.entity_address(entity))
        }
    }
}

/// Finds what a plan's address is about.
pub(super) fn find(graph: &Graph<'_>, address: &str) -> Option<(PolicyId, Option<Entity>)> {
    let policy_at = |address: &str| graph.policies().find(|id| graph.address(*id) == address);
    match address.split_once("/attached/") {
        Some((owner, name)) => {
            let policy = policy_at(&format!("policy/{name}"))?;
            let entity = graph.attached_to(policy).into_iter().find(|entity| graph.entity_address(*entity) == owner)?;
            Some((policy, Some(entity)))
        }
        None => policy_at(address).map(|policy| (policy, None)),
    }
}

fn target(graph: &Graph<'_>, subject: &Subject<'_>) -> Option<Target> {
    let account = graph.account();
    let bearer = |entity: Entity| -> Option<(Arn, String, &'static str)> {
        Some(match entity {
            Entity::Principal(id) => {
                let principal = account.principals.get(id.0)?;
                (principal.arn.clone(), principal.unique_id.clone(), principal.kind.as_str())
            }
            Entity::Group(at) => {
                let group = account.groups.get(at)?;
                (group.arn.clone(), group.unique_id.clone(), "group")
            }
        })
    };
    match graph.policy(subject.policy)? {
        PolicyRef::Inline(entity, policy) => {
            let (arn, unique_id, kind) = bearer(entity)?;
            Some(Target {
                kind: format!("aws_iam_{kind}_policy"),
                arn,
                name: policy.name.clone(),
                unique_id,
                owner: Some(graph.entity_address(entity)),
                default_version: None,
                versions: Vec::new(),
            })
        }
        PolicyRef::Managed(policy) => {
            let kind = match subject.entity {
                None => "aws_iam_policy".to_owned(),
                Some(entity) => format!("aws_iam_{}_policy_attachment", bearer(entity)?.2),
            };
            Some(Target {
                kind,
                arn: policy.arn.clone(),
                name: policy.name.clone(),
                unique_id: policy.unique_id.clone(),
                owner: subject.entity.map(|entity| graph.entity_address(entity)),
                default_version: Some(policy.default_version.clone()),
                versions: policy.versions.iter().map(|version| version.id.clone()).collect(),
            })
        }
    }
}

/// Fills in, for every change, which other policies of the holders go on granting what it removes.
pub(super) fn still_granted(
    analysis: &Analysis<'_>,
    changes: &mut [(PolicyId, Option<Entity>, ProvedChange)],
    numbering: &super::build::Numbering,
) {
    let mut lost_by_policy: BTreeMap<PolicyId, ActionSet> = BTreeMap::new();
    for (policy, entity, proved) in changes.iter() {
        // What one attachment loses another may keep.
        if entity.is_none() {
            lost_by_policy.insert(*policy, proved.lost.clone());
        }
    }
    let detached: Vec<(PolicyId, Entity)> =
        changes.iter().filter_map(|(policy, entity, _)| entity.map(|entity| (*policy, entity))).collect();
    let graph = analysis.graph();
    for (own, entity, proved) in changes.iter_mut() {
        let holders = match entity {
            None => graph.holders(*own),
            Some(entity) => reached(graph, *own, *entity),
        };
        let mut found = Vec::new();
        for holder in holders {
            let Some(principal) = numbering.principal(holder.principal) else { continue };
            for other in graph.policies_of(holder.principal).into_iter().filter(|other| other != own) {
                let Some(judged) = analysis.policy(other) else { continue };
                let is_detached = |path: &Path| {
                    let entity = match path {
                        Path::Direct => Entity::Principal(holder.principal),
                        Path::Group(group) => Entity::Group(*group),
                    };
                    detached.contains(&(other, entity))
                };
                let paths =
                    judged.holders.iter().find(|held| held.principal == holder.principal).map(|held| &held.paths);
                if paths.is_some_and(|paths| paths.iter().all(is_detached)) {
                    continue;
                }
                let mut still = judged.granted.clone();
                if let Some(lost) = lost_by_policy.get(&other) {
                    still.difference_with(lost);
                }
                still.union_with(&judged.left_alone);
                still.intersect_with(&proved.lost);
                if !still.is_empty() {
                    found.push(StillGranted { policy: graph.address(other).to_owned(), principal, count: still.len() });
                }
            }
        }
        found.sort_by(|a, b| (&a.policy, a.principal).cmp(&(&b.policy, b.principal)));
        proved.change.still_granted_by = found;
    }
}
