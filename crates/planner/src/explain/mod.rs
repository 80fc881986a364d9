//! Why a permission is kept or removed.

mod advice;
mod planned;
mod statements;
mod young;

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::account::{ManagedPolicy, ServiceKey};
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::{ActionId, Tracked};
use secateur_analyzer::graph::{Entity, Holder, Path, PolicyId, PrincipalId};
use secateur_analyzer::time::UnixTime;
use secateur_analyzer::verdict::Verdict;
use serde::Serialize;

pub use planned::{Planned, PlannedChange, PlannedKey, StillGrants};
pub use statements::StatementGrant;

use planned::Held;

use crate::plan::Plan;

/// All that is known about a principal, and about one action of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// `role/NAME`, `user/NAME`
    pub principal: String,
    /// When it was judged.
    pub now: UnixTime,
    /// When its report was completed, or why there is none that counts.
    pub report: ReportWord,
    /// What it holds: without an action all its policies, else those that grant the action.
    pub policies: Vec<PolicyExplanation>,
    /// What the plan makes of its access keys; without an action only.
    pub access_keys: Vec<PlannedKey>,
    /// About the action, if one was asked for.
    pub action: Option<ActionExplanation>,
}

/// The state of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportWord {
    /// When it was completed; none when none counts.
    pub generated_at: Option<UnixTime>,
    /// Why none counts.
    pub problem: Option<String>,
}

/// A policy that the principal holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyExplanation {
    /// The policy's address.
    pub policy: String,
    /// How the principal has it: `direct`, `group/NAME`.
    pub paths: Vec<String>,
    /// The verdicts on its actions, counted; without an action only.
    pub verdicts: BTreeMap<&'static str, usize>,
    /// The statements that grant the action.
    pub grants: Vec<StatementGrant>,
    /// The verdict on the action in this policy.
    pub verdict: Option<VerdictWord>,
    /// Other holders of the policy who keep the action, and why.
    pub blocked_by: Vec<Blocker>,
    /// What the plan makes of it.
    pub planned: Planned,
}

/// A verdict, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerdictWord {
    /// The verdict.
    pub verdict: &'static str,
    /// The row of the table that decided.
    pub row: u8,
    /// What it rests on.
    pub because: String,
    /// What would change it.
    pub unless: String,
}

/// A holder who keeps an action of a shared policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// `role/NAME`, `user/NAME`
    pub principal: String,
    /// Its verdict.
    pub verdict: &'static str,
}

/// What is known about an action of the principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionExplanation {
    /// `service:Name`
    pub action: String,
    /// Its access level.
    pub access_level: &'static str,
    /// Whether IAM reports its last use: `yes`, `no`, `unknown`.
    pub tracked: &'static str,
    /// Its risk score.
    pub risk: u32,
    /// The service's last use; none if never, or not listed.
    pub service_last_used: Option<UnixTime>,
    /// Whether the report lists the service.
    pub service_listed: bool,
    /// The action's last use.
    pub last_used: Option<UnixTime>,
    /// Whether the report lists the action.
    pub listed: bool,
    /// The Deny statements that are about it.
    pub denies: Vec<StatementGrant>,
    /// Where the plan takes it out of something: the policies that grant it in the end. Not known where a document cannot be
    /// read.
    pub granted_after: Option<Vec<String>>,
}

/// Finds a user or role by address, name or ARN; several may have one name.
pub fn find(analysis: &Analysis<'_>, text: &str) -> Vec<PrincipalId> {
    let principals = &analysis.inputs().account.principals;
    let by = |matches: &dyn Fn(usize) -> bool| -> Vec<PrincipalId> {
        (0..principals.len()).filter(|at| matches(*at)).map(PrincipalId).collect()
    };
    let exact = by(&|at| {
        let address = analysis.graph().entity_address(Entity::Principal(PrincipalId(at)));
        principals.get(at).is_some_and(|principal| principal.arn.as_str() == text) || address.eq_ignore_ascii_case(text)
    });
    if exact.is_empty() {
        by(&|at| principals.get(at).is_some_and(|principal| principal.name.eq_ignore_ascii_case(text)))
    } else {
        exact
    }
}

/// Explains a principal, or one action of it, by the plan that is made of the whole account.
pub fn explain(analysis: &Analysis<'_>, plan: &Plan, id: PrincipalId, action: Option<ActionId>) -> Explanation {
    let graph = analysis.graph();
    let report = analysis.principal(id).map(|principal| principal.evidence.report());
    let report = match report {
        Some(Ok((_, times))) => ReportWord { generated_at: Some(times.generated_at), problem: None },
        Some(Err(why)) => ReportWord { generated_at: None, problem: Some(why.to_string()) },
        None => ReportWord { generated_at: None, problem: Some("not in the snapshot".to_owned()) },
    };
    let policies = graph.policies_of(id).into_iter();
    let policies: Vec<PolicyExplanation> =
        policies.filter_map(|policy| policy_explanation(analysis, plan, id, policy, action)).collect();
    let principal = graph.entity_address(Entity::Principal(id));
    let access_keys = if action.is_none() { planned::access_keys(plan, &principal) } else { Vec::new() };
    let action = action.map(|action| ActionExplanation {
        granted_after: granted_after(&policies),
        ..action_explanation(analysis, id, action)
    });
    Explanation { principal, now: analysis.inputs().now, report, policies, access_keys, action }
}

/// The policies that grant the action in the end, where the plan takes it out of one.
fn granted_after(policies: &[PolicyExplanation]) -> Option<Vec<String>> {
    let is_removed = policies.iter().any(|policy| policy.planned.action == Some("removed"));
    let is_known = policies.iter().all(|policy| policy.planned.action.is_some());
    let grants = policies.iter().flat_map(|policy| &policy.planned.granted_after);
    let granted: BTreeSet<String> = grants.map(|grant| grant.policy.clone()).collect();
    (is_removed && is_known).then(|| granted.into_iter().collect())
}

fn policy_explanation(
    analysis: &Analysis<'_>,
    plan: &Plan,
    id: PrincipalId,
    policy: PolicyId,
    action: Option<ActionId>,
) -> Option<PolicyExplanation> {
    let graph = analysis.graph();
    let judged = analysis.policy(policy)?;
    let holder = judged.holders.iter().find(|holder| holder.principal == id)?;
    let paths = holder.paths.iter().map(|path| match path {
        Path::Direct => "direct".to_owned(),
        Path::Group(group) => graph.entity_address(Entity::Group(*group)),
    });
    let mut explanation = PolicyExplanation {
        policy: graph.address(policy).to_owned(),
        paths: paths.collect(),
        verdicts: BTreeMap::new(),
        grants: Vec::new(),
        verdict: None,
        blocked_by: Vec::new(),
        planned: Planned::default(),
    };
    let held = Held { analysis, plan, policy, holder };
    match action {
        None => {
            let mut may_go = false;
            analysis.verdicts(policy, holder, judged.granted.iter(), |_, verdict| {
                may_go |= matches!(verdict, Verdict::Removable(_));
                *explanation.verdicts.entry(verdict.as_str()).or_default() += 1;
            });
            if !judged.left_alone.is_empty() {
                *explanation.verdicts.entry("left-alone").or_default() += judged.left_alone.len();
            }
            explanation.planned = held.summary(may_go);
        }
        Some(action) => {
            let document = graph.policy(policy).and_then(|policy| policy.document());
            if document.is_none_or(|document| document.policy().is_none()) {
                explanation.verdict = Some(verdict_word(analysis, policy, holder, action));
                return Some(explanation);
            }
            explanation.grants = statements::grants(analysis, policy, action);
            if explanation.grants.is_empty() {
                return None;
            }
            explanation.verdict = Some(verdict_word(analysis, policy, holder, action));
            explanation.blocked_by = blockers(analysis, policy, holder, action);
            // What only statements that are left alone grant may not go, whatever its use.
            let may_go = explanation.blocked_by.is_empty()
                && judged.granted.contains(action)
                && is_removable(analysis, policy, holder, action);
            explanation.planned = held.action(action, &explanation.grants, may_go);
        }
    }
    Some(explanation)
}

fn is_removable(analysis: &Analysis<'_>, policy: PolicyId, holder: &Holder, action: ActionId) -> bool {
    let mut is_removable = false;
    analysis.verdicts(policy, holder, [action], |_, verdict| is_removable = matches!(verdict, Verdict::Removable(_)));
    is_removable
}

fn verdict_word(analysis: &Analysis<'_>, policy: PolicyId, holder: &Holder, action: ActionId) -> VerdictWord {
    let only_kept = analysis.policy(policy).is_some_and(|judged| !judged.granted.contains(action));
    let facts = analysis.facts(policy, holder, action);
    match facts {
        Some(_) if only_kept => advice::left_alone_statement(),
        Some(facts) => advice::word(analysis, (policy, holder), &facts),
        None => advice::left_alone_statement(),
    }
}

fn blockers(analysis: &Analysis<'_>, policy: PolicyId, own: &Holder, action: ActionId) -> Vec<Blocker> {
    let graph = analysis.graph();
    let is_of_aws = graph.policy(policy).and_then(|policy| policy.managed()).is_some_and(ManagedPolicy::is_aws_managed);
    // What AWS owns goes by attachment: only who has it by the same one is in the way.
    let shares =
        |holder: &Holder| holder.paths.iter().any(|path| matches!(path, Path::Group(_)) && own.paths.contains(path));
    let mut blockers = Vec::new();
    for holder in analysis.policy(policy).into_iter().flat_map(|judged| &judged.holders) {
        if holder.principal == own.principal || (is_of_aws && !shares(holder)) {
            continue;
        }
        analysis.verdicts(policy, holder, [action], |_, verdict| {
            if !matches!(verdict, Verdict::Removable(_)) {
                let principal = graph.entity_address(Entity::Principal(holder.principal));
                blockers.push(Blocker { principal, verdict: verdict.as_str() });
            }
        });
    }
    blockers
}

fn action_explanation(analysis: &Analysis<'_>, id: PrincipalId, action: ActionId) -> ActionExplanation {
    let catalog = analysis.catalog();
    let service = catalog.service_of(action);
    let report = analysis.principal(id).and_then(|principal| principal.evidence.report().ok());
    let row =
        report.and_then(|(report, _)| report.services.iter().find(|row| row.service == ServiceKey::Known(service)));
    let listed = row.and_then(|row| row.action(action));
    ActionExplanation {
        action: catalog.full_name(action),
        access_level: catalog.access_level(action).as_str(),
        tracked: match catalog.tracked(action) {
            Tracked::Yes { .. } => "yes",
            Tracked::No => "no",
            Tracked::Unknown => "unknown",
        },
        risk: secateur_analyzer::risk::risk(catalog, action).0,
        service_last_used: row.and_then(|row| row.last_use()),
        service_listed: row.is_some(),
        last_used: listed.and_then(|row| row.last_accessed()),
        listed: listed.is_some(),
        denies: statements::denies(analysis, id, action),
        granted_after: None,
    }
}

#[cfg(test)]
mod tests;
