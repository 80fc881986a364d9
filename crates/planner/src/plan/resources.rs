//! KMS keys that leave `Resource` lists, or could: `kms = "prune"`, `kms = "advise"`.

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::arn::Arn;
use secateur_analyzer::catalog::ActionSet;
use secateur_analyzer::document::PolicyDocument;
use secateur_analyzer::graph::{Entity, PolicyId};
use secateur_analyzer::rules::{Force, KeepRule, KmsPruning, PolicyFacts, PrincipalFacts};
use secateur_analyzer::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::build::is_withheld_as_dormant;
use super::derive::risk;
use super::removed::names;
use super::staying_keys::Staying;
use super::traces::Documents;
use super::{Advice, PlanOptions, Withheld, withheld};
use crate::proof::{CutResource, Proof};
use crate::rewrite::{KeyCut, KeyPruning, Outcome, prune_resources};

/// KMS keys that leave the `Resource` list of a statement, or leave with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemovedResource {
    /// The statement of the document before, from 1.
    pub statement: usize,
    /// Its Sid.
    pub sid: Option<String>,
    /// The key.
    pub arn: Arn,
    /// The last use of the key by anybody, in any Region; none if never since its creation.
    pub last_used: Option<UnixTime>,
    /// Since when it is unused: its last use, or its creation.
    pub since: UnixTime,
}

/// A statement that goes whole, since all its KMS keys go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemovedStatement {
    /// The statement of the document before, from 1.
    pub statement: usize,
    /// Its Sid.
    pub sid: Option<String>,
    /// The actions that nothing else in the documents after allows, and that `removed` does not name.
    pub actions: Vec<String>,
    /// How many those are.
    pub count: usize,
    /// How many of them there are of each access level.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub risk: BTreeMap<String, usize>,
}

/// What becomes of the keys of a policy.
pub(super) struct Pruned {
    /// What is left of the document.
    pub outcome: Outcome,
    cuts: Vec<KeyCut>,
    /// The unused keys that stay, and why.
    pub withheld: Vec<Withheld>,
}

const UNTOUCHED: Pruned = Pruned { outcome: Outcome::Unchanged, cuts: Vec::new(), withheld: Vec::new() };

/// Cuts unused keys out of the document of a policy. `--only` asks for reasons of actions.
pub(super) fn prune(analysis: &Analysis<'_>, policy: PolicyId, options: &PlanOptions) -> Pruned {
    if analysis.inputs().settings.kms != KmsPruning::Prune || !options.selection.only.is_empty() {
        return UNTOUCHED;
    }
    document(analysis, policy).map_or(UNTOUCHED, |document| cut(analysis, policy, document))
}

/// The document of a policy that secateur may rewrite.
fn document<'a>(analysis: &Analysis<'a>, policy: PolicyId) -> Option<&'a PolicyDocument> {
    let reference = analysis.graph().policy(policy)?;
    if reference.managed().is_some_and(|managed| managed.is_aws_managed()) {
        return None;
    }
    reference.document()?.policy()
}

fn cut(analysis: &Analysis<'_>, policy: PolicyId, document: &PolicyDocument) -> Pruned {
    if !analysis.kms().has_unused() {
        return UNTOUCHED;
    }
    let unknown = analysis.unknown_names(policy, document).names;
    let about = rules_about(analysis, policy);
    let kept = kept(analysis, &about);
    let is_unused = |_, resource: &str| analysis.kms().unused(resource).is_some();
    let by = KeyPruning { catalog: analysis.catalog(), unknown: &unknown, kept: &kept, is_unused: &is_unused };
    let (outcome, cuts) = prune_resources(document, &by);
    let expired = kept_by_expired(analysis, (policy, document), &about, by, &cuts);
    let mut staying = Staying { analysis, policy, document, keys: BTreeSet::new(), withheld: expired };
    cuts.iter().for_each(|cut| staying.keep_recent(cut));
    staying.keep_contradicted(&cuts);
    if staying.keys.is_empty() {
        return Pruned { outcome, cuts, withheld: staying.withheld };
    }
    let Staying { keys, withheld, .. } = staying;
    let is_unused = |at, arn: &str| is_unused(at, arn) && !keys.contains(&(at, arn.to_owned()));
    let (outcome, cuts) = prune_resources(document, &KeyPruning { is_unused: &is_unused, ..by });
    Pruned { outcome, cuts, withheld }
}

/// The places of the `[[keep]]` rules, of those that have not run out, that are about the policy and some holder.
fn rules_about(analysis: &Analysis<'_>, policy: PolicyId) -> Vec<usize> {
    let (inputs, graph) = (analysis.inputs(), analysis.graph());
    let (Some(judged), Some(reference)) = (analysis.policy(policy), graph.policy(policy)) else { return Vec::new() };
    let facts = PolicyFacts::of(reference, graph.address(policy));
    let is_about = |rule: &KeepRule| {
        judged.holders.iter().any(|holder| {
            let address = graph.entity_address(Entity::Principal(holder.principal));
            let principal = inputs.account.principals.get(holder.principal.0);
            principal.is_some_and(|principal| rule.is_about(&PrincipalFacts::of(principal, &address), &facts))
        })
    };
    let rules = inputs.rules.keep.iter().enumerate();
    let about = rules.filter(|(_, rule)| rule.force(inputs.now) != Force::Expired && is_about(rule));
    about.map(|(at, _)| at).collect()
}

/// The actions that these rules keep.
fn kept(analysis: &Analysis<'_>, rules: &[usize]) -> ActionSet {
    let catalog = analysis.catalog();
    let mut kept = catalog.empty_set();
    for rule in rules.iter().filter_map(|at| analysis.inputs().rules.keep.get(*at)) {
        if rule.actions.is_empty() {
            return catalog.full_set();
        }
        rule.actions.iter().for_each(|pattern| kept.union_with(&catalog.matches(pattern)));
    }
    kept
}

/// Returns what is kept by each rule that has just expired: the keys that leave without it. `cuts` are those that leave with all
/// `rules`.
fn kept_by_expired(
    analysis: &Analysis<'_>,
    (policy, document): (PolicyId, &PolicyDocument),
    rules: &[usize],
    by: KeyPruning<'_>,
    cuts: &[KeyCut],
) -> Vec<Withheld> {
    let inputs = analysis.inputs();
    let is_in_grace =
        |at: &usize| inputs.rules.keep.get(*at).is_some_and(|rule| rule.force(inputs.now) == Force::Grace);
    let in_force: Vec<usize> = rules.iter().copied().filter(|at| !is_in_grace(at)).collect();
    if in_force.len() == rules.len() {
        return Vec::new();
    }
    fn keys(cuts: &[KeyCut]) -> BTreeSet<(usize, &str)> {
        cuts.iter().flat_map(|cut| cut.arns.iter().map(|arn| (cut.statement, arn.as_str()))).collect()
    }
    let (_, more) = prune_resources(document, &KeyPruning { kept: &kept(analysis, &in_force), ..by });
    let staying: BTreeSet<&str> = keys(&more).difference(&keys(cuts)).map(|(_, arn)| *arn).collect();
    let Some(first) = staying.first() else { return Vec::new() };
    let others = match staying.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let said = |at: usize| Withheld {
        address: analysis.graph().address(policy).to_owned(),
        reason: "rule-expired".to_owned(),
        detail: format!(
            "keep[{at}] ({}) has just expired; it kept the KMS key {first}{others}",
            inputs.rules.keep.get(at).map_or("", |rule| rule.reason.as_str())
        ),
    };
    rules.iter().copied().filter(is_in_grace).map(said).collect()
}

/// Returns the keys that leave, with what shows that they are unused.
pub(super) fn removed(analysis: &Analysis<'_>, cut: &[CutResource]) -> Vec<RemovedResource> {
    let entry = |cut: &CutResource| {
        let unused = analysis.kms().unused(&cut.arn)?;
        Some(RemovedResource {
            statement: cut.statement,
            sid: cut.sid.clone(),
            arn: cut.arn.parse().ok()?,
            last_used: unused.last_used,
            since: unused.since,
        })
    };
    cut.iter().filter_map(entry).collect()
}

/// Returns the statements of which all keys leave, with what is lost by that beside what `proof` lists as lost.
pub(super) fn statements(analysis: &Analysis<'_>, documents: &Documents<'_>, proof: &Proof) -> Vec<RemovedStatement> {
    let catalog = analysis.catalog();
    let mut statements: Vec<RemovedStatement> = Vec::new();
    if proof.resources().is_empty() {
        return statements;
    }
    let mut named = documents.allowed_after(catalog);
    named.union_with(proof.lost());
    let numbers: BTreeSet<usize> = proof.resources().iter().map(|cut| cut.statement).collect();
    for number in numbers {
        let Some(statement) = documents.statement_before(number) else { continue };
        if proof.resources().iter().filter(|cut| cut.statement == number).count() < statement.resources.len() {
            continue;
        }
        let mut lost = catalog.covered(&statement.actions);
        lost.difference_with(&named);
        named.union_with(&lost);
        statements.push(RemovedStatement {
            statement: number,
            sid: statement.sid.clone(),
            actions: names(catalog, &lost, &[]),
            count: lost.len(),
            risk: risk(analysis, &lost),
        });
    }
    statements
}

/// One line a policy that names unused keys, when `kms` is `advise`.
pub(super) fn advice(analysis: &Analysis<'_>) -> Vec<Advice> {
    if analysis.inputs().settings.kms != KmsPruning::Advise {
        return Vec::new();
    }
    let graph = analysis.graph();
    let of_policy = |policy: PolicyId| {
        let judged = analysis.policy(policy)?;
        let document = document(analysis, policy)?;
        if judged.set_aside.is_some() || judged.holders.is_empty() {
            return None;
        }
        let lines: Vec<String> =
            cut(analysis, policy, document).cuts.iter().map(|cut| describe(analysis, cut)).collect();
        // What would be withheld is no advice.
        let is_open =
            || withheld::of(analysis, policy).is_none() && is_withheld_as_dormant(analysis, &judged.holders).is_none();
        (!lines.is_empty() && is_open()).then(|| Advice {
            kind: "kms-keys".to_owned(),
            subject: graph.address(policy).to_owned(),
            detail: format!("{}; kms = \"prune\" takes them out", lines.join("; ")),
        })
    };
    graph.policies().filter_map(of_policy).collect()
}

fn describe(analysis: &Analysis<'_>, cut: &KeyCut) -> String {
    let key = |arn: &String| {
        let unused = analysis.kms().unused(arn).map(|unused| unused.to_string()).unwrap_or_default();
        format!("{arn} ({unused})")
    };
    let keys: Vec<String> = cut.arns.iter().map(key).collect();
    let sid = cut.sid.as_ref().map(|sid| format!(" \"{sid}\"")).unwrap_or_default();
    let end = if cut.is_whole { ", and with them the statement" } else { "" };
    format!("{} could leave statement {}{sid}{end}", keys.join(", "), cut.statement)
}

#[cfg(test)]
mod tests;
