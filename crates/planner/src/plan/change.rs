//! From one policy to its changes.

use std::collections::BTreeMap;

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::arn::Arn;
use secateur_analyzer::catalog::{AccessLevel, ActionSet};
use secateur_analyzer::document::{PolicyDocument, counted_characters};
use secateur_analyzer::graph::{Entity, Graph, Holder, Path, PolicyId, PolicyRef};

use super::{Change, ChangeAction, Frozen, PlanProof, StillGranted, Target, Withheld, calls, expects, removed};
use crate::proof::{Claim, Proof, ProofError, prove};
use crate::rewrite::{Outcome, Rewriting, Rewritten, Splitting, rewrite};

/// What is to become of one policy's document, before it is proved.
pub(super) struct Draft<'a> {
    pub policy: PolicyId,
    pub document: &'a PolicyDocument,
    pub rewritten: Rewritten,
    /// The rewrite without names in the place of patterns, if that is another.
    fallback: Option<Rewritten>,
}

impl<'a> Draft<'a> {
    /// Rewrites a document, with and without names in the place of patterns.
    pub fn new(policy: PolicyId, document: &'a PolicyDocument, by: &Rewriting<'_>) -> Draft<'a> {
        let rewritten = rewrite(document, by);
        let fallback =
            (!rewritten.split.is_empty()).then(|| rewrite(document, &Rewriting { splitting: Splitting::Never, ..*by }));
        Draft { policy, document, rewritten, fallback }
    }

    /// Returns the characters that count of the text after.
    pub fn size_after(&self) -> usize {
        match &self.rewritten.outcome {
            Outcome::Unchanged => counted_characters(self.document.text()),
            Outcome::Changed(text) => counted_characters(text),
            Outcome::Empty => 0,
        }
    }

    /// Returns by how much the text grows.
    pub fn growth(&self) -> i64 {
        let size = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
        size(self.size_after()) - size(counted_characters(self.document.text()))
    }

    /// Returns whether something in the draft can stay as written instead.
    pub fn can_fall_back(&self) -> bool {
        self.fallback.is_some() || self.grows_by_not_action()
    }

    /// A `NotAction` that was extended is the only thing that grows a document without splitting a pattern.
    fn grows_by_not_action(&self) -> bool {
        self.growth() > 0 && self.rewritten.split.is_empty() && self.rewritten.outcome != Outcome::Unchanged
    }

    /// Leaves patterns as written, since their names do not fit; returns what is withheld for that.
    pub fn fall_back(&mut self, graph: &Graph<'_>, excess: usize, quota: usize) -> Option<Withheld> {
        let detail = if let Some(fallback) = self.fallback.take() {
            let patterns = self.rewritten.split.join("`, `");
            self.rewritten = fallback;
            format!(
                "the names that must stay of `{patterns}` do not fit: {excess} characters over the quota of {quota}; left as written"
            )
        } else {
            self.rewritten.outcome = Outcome::Unchanged;
            format!(
                "the rewritten document does not fit: {excess} characters over the quota of {quota}; left as written"
            )
        };
        let address = graph.address(self.policy).to_owned();
        Some(Withheld { address, reason: "does-not-fit".to_owned(), detail })
    }
}

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
            .map(|entity| subject(ChangeAction::Detach, Some(entity), None))
            .collect(),
        Outcome::Empty => vec![subject(ChangeAction::Delete, None, None)],
    }
}

/// The holders that have the policy by this attachment.
fn reached(graph: &Graph<'_>, policy: PolicyId, entity: Entity) -> Vec<Holder> {
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
    let removed = removed::removed(analysis, subject, &holders, proof.lost(), numbering);
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
        frozen: frozen(analysis, subject),
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

/// The patterns of the old text that are gone from the new one, although something that they matched has stayed.
fn frozen(analysis: &Analysis<'_>, subject: &Subject<'_>) -> Vec<Frozen> {
    let Some(after) = subject.after else { return Vec::new() };
    let (Ok(before), Ok(after)) = (PolicyDocument::parse(subject.before), PolicyDocument::parse(after)) else {
        return Vec::new();
    };
    let patterns = |document: &PolicyDocument| -> Vec<secateur_analyzer::action::ActionPattern> {
        let entries = document.statements.iter().flat_map(|statement| statement.actions.list().entries.clone());
        entries.map(|entry| entry.pattern).collect()
    };
    let stays = patterns(&after);
    let mut frozen: Vec<Frozen> = patterns(&before)
        .into_iter()
        .filter(|pattern| pattern.has_wildcard() && !stays.contains(pattern))
        .filter(|pattern| stays.iter().any(|stay| !stay.has_wildcard() && pattern.matches(stay.as_str())))
        .map(|pattern| Frozen { pattern: pattern.as_str().to_owned(), at: analysis.catalog().dates().names })
        .collect();
    frozen.dedup();
    frozen
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
