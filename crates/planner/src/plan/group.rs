//! Groups of changes: a policy that becomes several, or a copy in the place of what AWS owns.
//!
//! The new is created and attached before the old shrinks or goes, so that nobody is without what stays.

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::fingerprint;
use secateur_analyzer::graph::{Entity, Graph, Holder, Path, PolicyId};

use super::attachments::{NewPolicy, existing};
use super::derive::{self, ProvedChange};
use super::draft::Draft;
use super::numbering::Numbering;
use super::subject::{self, Subject};
use super::traces::Documents;
use super::{Change, ChangeAction, Expects, PlanOptions, Target, calls, expects, removed, traces};
use crate::proof::{Claim, ProofError, prove};
use crate::rewrite::Outcome;

/// Proves a draft with further policies as one, and returns its changes in the order in which they are made.
pub(super) fn derive(
    analysis: &Analysis<'_>,
    draft: &Draft<'_>,
    options: &PlanOptions,
    numbering: &Numbering,
) -> Result<Vec<ProvedChange>, ProofError> {
    let Outcome::Changed(text) = &draft.rewritten.outcome else { return Ok(Vec::new()) };
    match &draft.through {
        Some(through) => match draft.parts.first() {
            Some(copy) => replace(analysis, draft.policy, through, draft.document.text(), copy, options, numbering),
            None => Ok(Vec::new()),
        },
        None => {
            let parts = Parts { before: draft.document.text(), first: text, further: &draft.parts };
            split(analysis, draft.policy, parts, options, numbering)
        }
    }
}

/// A copy takes the place of an AWS-managed policy for these entities. What is removed stands at its first change.
pub(super) fn replace(
    analysis: &Analysis<'_>,
    policy: PolicyId,
    through: &[Entity],
    before: &str,
    copy: &NewPolicy,
    options: &PlanOptions,
    numbering: &Numbering,
) -> Result<Vec<ProvedChange>, ProofError> {
    let graph = analysis.graph();
    let after = [copy.text.as_str()];
    let claim = Claim { policy, through: Some(through), before, after: &after };
    let proof = prove(&claim, analysis)?;
    let no_target = || ProofError::ChangedBefore { address: graph.address(policy).to_owned() };
    let arn = subject::root_arn(graph, &copy.name).ok_or_else(no_target)?;
    let id = format!("{} -> policy/{}", graph.address(policy), copy.name);
    let slim = |change: Change| slim(change, policy, &id, analysis);
    let mut changes = Vec::new();
    if copy.is_new {
        changes.push(slim(create(analysis, copy, &arn, through, proof.holders(), numbering)));
    }
    for entity in through {
        let mut change = attach(analysis, copy, &arn, *entity, policy, numbering).ok_or_else(no_target)?;
        if copy.is_new {
            change.depends_on = vec![format!("policy/{}", copy.name)];
        }
        changes.push(slim(change));
    }
    for entity in through {
        let subject = Subject { policy, action: ChangeAction::Detach, entity: Some(*entity), before, after: None };
        let target = subject::target(graph, &subject).ok_or_else(no_target)?;
        let (calls, inverse) = calls::calls(graph, &subject, &target);
        let holders = subject::reached(graph, policy, *entity);
        changes.push(slim(Change {
            address: subject::address(graph, &subject),
            depends_on: vec![attached_address(graph, *entity, &copy.name)],
            holders: holders.iter().filter_map(|holder| numbering.principal(holder.principal)).collect(),
            expects: expects::expects(graph, &subject),
            calls,
            inverse,
            ..Change::new(ChangeAction::Detach, target)
        }));
    }
    if let Some(first) = changes.first_mut() {
        let documents = Documents::of(analysis, &claim);
        let lineages = documents.lineages();
        let removed = removed::removed(analysis, &documents, &proof, numbering);
        first.change.before = Some(before.to_owned());
        first.change.after = Some(copy.text.clone());
        first.change.holders =
            proof.holders().iter().filter_map(|holder| numbering.principal(holder.principal)).collect();
        first.change.removed = removed.entries;
        first.change.readmitted = traces::readmitted(analysis, &claim, &lineages, &proof, options);
        first.change.frozen = traces::frozen(analysis, &lineages);
        first.change.risk = derive::risk(analysis, proof.lost());
        first.change.proof = derive::plan_proof(&proof);
        first.through = Some(through.to_vec());
        first.lost = proof.lost().clone();
        first.still = proof.still().cloned();
        first.assumed_grant_dates = removed.assumed_grant_dates;
    }
    Ok(changes)
}

/// The texts of a policy that becomes several.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    pub before: &'a str,
    pub first: &'a str,
    pub further: &'a [NewPolicy],
}

/// A customer-managed policy becomes several, attached to the same entities.
pub(super) fn split(
    analysis: &Analysis<'_>,
    policy: PolicyId,
    parts: Parts<'_>,
    options: &PlanOptions,
    numbering: &Numbering,
) -> Result<Vec<ProvedChange>, ProofError> {
    let graph = analysis.graph();
    let entities = graph.attached_to(policy);
    let texts: Vec<&str> = parts.further.iter().map(|part| part.text.as_str()).collect();
    let (before, after) = (parts.before, Some(parts.first));
    let subject = Subject { policy, action: ChangeAction::Update, entity: None, before, after };
    let mut update = derive::derive(analysis, &subject, &texts, options, numbering)?;
    let id = graph.address(policy).to_owned();
    let holders = graph.holders(policy);
    let no_target = || ProofError::ChangedBefore { address: id.clone() };
    let mut changes = Vec::new();
    let mut attached = Vec::new();
    for part in parts.further {
        let arn = subject::root_arn(graph, &part.name).ok_or_else(no_target)?;
        if part.is_new {
            let change = create(analysis, part, &arn, &entities, &holders, numbering);
            changes.push(slim(change, policy, &id, analysis));
        }
        for entity in &entities {
            let mut change = attach(analysis, part, &arn, *entity, policy, numbering).ok_or_else(no_target)?;
            if part.is_new {
                change.depends_on = vec![format!("policy/{}", part.name)];
            }
            attached.push(change.address.clone());
            changes.push(slim(change, policy, &id, analysis));
        }
    }
    update.change.group = Some(id);
    update.change.depends_on = attached;
    changes.push(update);
    Ok(changes)
}

/// A change that takes nothing away by itself: its proof is that of its group.
fn slim(mut change: Change, policy: PolicyId, id: &str, analysis: &Analysis<'_>) -> ProvedChange {
    change.group = Some(id.to_owned());
    ProvedChange {
        change,
        policy,
        through: Some(Vec::new()),
        lost: analysis.catalog().empty_set(),
        still: None,
        assumed_grant_dates: 0,
    }
}

fn create(
    analysis: &Analysis<'_>,
    new: &NewPolicy,
    arn: &Arn,
    entities: &[Entity],
    holders: &[Holder],
    numbering: &Numbering,
) -> Change {
    let (calls, inverse) = calls::create(&new.name, arn);
    let expects = expects_nothing(analysis, holders, entities);
    Change {
        address: format!("policy/{}", new.name),
        holders: holders.iter().filter_map(|holder| numbering.principal(holder.principal)).collect(),
        after: Some(new.text.clone()),
        expects,
        calls,
        inverse,
        ..Change::new(ChangeAction::Create, new_target("aws_iam_policy", arn, &new.name, None))
    }
}

fn attach(
    analysis: &Analysis<'_>,
    new: &NewPolicy,
    arn: &Arn,
    entity: Entity,
    policy: PolicyId,
    numbering: &Numbering,
) -> Option<Change> {
    let graph = analysis.graph();
    let is_there = |id| graph.policy(id).and_then(|own| own.document()).map(|own| fingerprint(own.text()));
    if !new.is_new && existing(graph, &new.name).and_then(is_there) != Some(fingerprint(&new.text)) {
        return None;
    }
    let holders = subject::reached(graph, policy, entity);
    let kind = subject::bearer(graph, entity)?.2;
    let (calls, inverse) = calls::attach(graph, entity, arn);
    let mut expects = expects_nothing(analysis, &holders, &[entity]);
    // A policy that is there already must still be what it was.
    expects.document = (!new.is_new).then(|| fingerprint(&new.text));
    expects.group_id = expects::group_id(graph, entity);
    let kind = format!("aws_iam_{kind}_policy_attachment");
    let target = new_target(&kind, arn, &new.name, Some(graph.entity_address(entity)));
    Some(Change {
        address: attached_address(graph, entity, &new.name),
        holders: holders.iter().filter_map(|holder| numbering.principal(holder.principal)).collect(),
        expects,
        calls,
        inverse,
        ..Change::new(ChangeAction::Attach, target)
    })
}

fn attached_address(graph: &Graph<'_>, entity: Entity, name: &str) -> String {
    format!("{}/attached/{name}", graph.entity_address(entity))
}

fn new_target(kind: &str, arn: &Arn, name: &str, owner: Option<String>) -> Target {
    Target {
        kind: kind.to_owned(),
        arn: arn.clone(),
        name: name.to_owned(),
        unique_id: String::new(),
        owner,
        default_version: None,
        versions: Vec::new(),
    }
}

/// What must be found where something new is made: those who get it.
fn expects_nothing(analysis: &Analysis<'_>, holders: &[Holder], entities: &[Entity]) -> Expects {
    let graph = analysis.graph();
    let by_entity = |holder: &Holder, path: &Path| entities.contains(&subject::entity_of(holder, path));
    let (holders, memberships) = expects::holders(graph, holders, by_entity);
    Expects { holders, memberships, ..Expects::default() }
}
