//! From one subject to its change, proved.

use std::collections::BTreeMap;

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::{AccessLevel, ActionSet};
use secateur_analyzer::graph::{Entity, PolicyId};

use super::numbering::Numbering;
use super::subject::{self, Subject};
use super::traces::Documents;
use super::{Change, PlanOptions, PlanProof, calls, expects, removed, resources, traces};
use crate::proof::{Claim, Proof, ProofError, prove};

/// A change and what its proof found; the only way into a plan.
pub(super) struct ProvedChange {
    pub change: Change,
    /// The policy that loses something, and the attachments by which; none when it is one for all its holders.
    pub policy: PolicyId,
    pub through: Option<Vec<Entity>>,
    pub lost: ActionSet,
    /// What of it the new documents go on allowing by other statements, if anything.
    pub still: Option<ActionSet>,
    pub assumed_grant_dates: usize,
}

/// Proves a change and derives all that the plan says of it. `parts` are the texts of further policies that take the
/// document's place together with it.
pub(super) fn derive(
    analysis: &Analysis<'_>,
    subject: &Subject<'_>,
    parts: &[&str],
    options: &PlanOptions,
    numbering: &Numbering,
) -> Result<ProvedChange, ProofError> {
    let graph = analysis.graph();
    let after: Vec<&str> = subject.after.into_iter().chain(parts.iter().copied()).collect();
    let through = subject.entity.map(|entity| vec![entity]);
    let claim = Claim { policy: subject.policy, through: through.as_deref(), before: subject.before, after: &after };
    let proof = prove(&claim, analysis)?;
    let documents = Documents::of(analysis, &claim);
    let lineages = documents.lineages();
    let removed = removed::removed(analysis, &documents, &proof, numbering);
    let target = subject::target(graph, subject)
        .ok_or_else(|| ProofError::ChangedBefore { address: graph.address(subject.policy).to_owned() })?;
    let keys = resources::removed(analysis, proof.resources());
    let statements = resources::statements(analysis, &documents, &proof);
    // What goes with its keys is gone as well.
    let mut risk = risk(analysis, proof.lost());
    for (level, number) in statements.iter().flat_map(|statement| &statement.risk) {
        *risk.entry(level.clone()).or_default() += number;
    }
    let (calls, inverse) = calls::calls(graph, subject, &target);
    let change = Change {
        address: subject::address(graph, subject),
        action: subject.action,
        group: None,
        depends_on: Vec::new(),
        holders: proof.holders().iter().filter_map(|holder| numbering.principal(holder.principal)).collect(),
        expects: expects::expects(graph, subject),
        before: Some(subject.before.to_owned()),
        after: subject.after.map(str::to_owned),
        size: None,
        removed: removed.entries,
        resources: keys,
        statements,
        key: None,
        readmitted: traces::readmitted(analysis, &claim, &lineages, &proof, options),
        frozen: traces::frozen(analysis, &lineages),
        still_granted_by: Vec::new(),
        risk,
        proof: plan_proof(&proof),
        target,
        calls,
        inverse,
    };
    Ok(ProvedChange {
        change,
        policy: subject.policy,
        through,
        lost: proof.lost().clone(),
        still: proof.still().cloned(),
        assumed_grant_dates: removed.assumed_grant_dates,
    })
}

pub(super) fn plan_proof(proof: &Proof) -> PlanProof {
    let facts = proof.facts();
    PlanProof {
        statements: facts.statements,
        patterns: facts.patterns,
        kept: facts.kept,
        lost: facts.lost,
        holders: facts.holders,
        resources: facts.resources,
    }
}

/// How many actions there are of each access level.
pub(super) fn risk(analysis: &Analysis<'_>, actions: &ActionSet) -> BTreeMap<String, usize> {
    let mut risk: BTreeMap<AccessLevel, usize> = BTreeMap::new();
    for id in actions.iter() {
        *risk.entry(analysis.catalog().access_level(id)).or_default() += 1;
    }
    risk.into_iter().map(|(level, count)| (level.as_str().to_owned(), count)).collect()
}
