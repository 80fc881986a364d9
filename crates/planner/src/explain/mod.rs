//! Why a permission is kept or removed.

mod advice;
mod statements;

use std::collections::BTreeMap;

use secateur_analyzer::account::ServiceKey;
use secateur_analyzer::analysis::{Analysis, PolicyAnalysis};
use secateur_analyzer::catalog::{ActionId, Tracked};
use secateur_analyzer::graph::{Entity, Holder, Path, PolicyId, PrincipalId};
use secateur_analyzer::rules::Dormant;
use secateur_analyzer::time::UnixTime;
use secateur_analyzer::verdict::Verdict;
use serde::Serialize;

pub use statements::StatementGrant;

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
    /// Why the policy is not changed, whatever the verdicts.
    pub note: Option<&'static str>,
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

/// Explains a principal, or one action of it.
pub fn explain(analysis: &Analysis<'_>, id: PrincipalId, action: Option<ActionId>) -> Explanation {
    let graph = analysis.graph();
    let report = analysis.principal(id).map(|principal| principal.evidence.report());
    let report = match report {
        Some(Ok((_, times))) => ReportWord { generated_at: Some(times.generated_at), problem: None },
        Some(Err(why)) => ReportWord { generated_at: None, problem: Some(why.to_string()) },
        None => ReportWord { generated_at: None, problem: Some("not in the snapshot".to_owned()) },
    };
    let policies =
        graph.policies_of(id).into_iter().filter_map(|policy| policy_explanation(analysis, id, policy, action));
    Explanation {
        principal: graph.entity_address(Entity::Principal(id)),
        now: analysis.inputs().now,
        report,
        policies: policies.collect(),
        action: action.map(|action| action_explanation(analysis, id, action)),
    }
}

fn policy_explanation(
    analysis: &Analysis<'_>,
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
        note: note(analysis, policy, judged),
    };
    match action {
        None => {
            analysis.verdicts(policy, holder, judged.granted.iter(), |_, verdict| {
                *explanation.verdicts.entry(verdict.as_str()).or_default() += 1;
            });
            if !judged.left_alone.is_empty() {
                *explanation.verdicts.entry("left-alone").or_default() += judged.left_alone.len();
            }
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
            explanation.blocked_by = blockers(analysis, policy, id, action);
        }
    }
    Some(explanation)
}

fn note(analysis: &Analysis<'_>, policy: PolicyId, judged: &PolicyAnalysis) -> Option<&'static str> {
    let managed = analysis.graph().policy(policy).and_then(|policy| policy.managed());
    if managed.is_some_and(|managed| managed.is_aws_managed()) {
        return Some("AWS owns the policy: it is not changed");
    }
    let mut holders = judged.holders.iter().filter_map(|holder| analysis.principal(holder.principal));
    let withholds = analysis.inputs().settings.dormant == Dormant::Advise;
    let all_dormant = withholds && holders.all(|principal| principal.is_dormant);
    all_dormant.then_some("changes are withheld: whoever holds the policy is dormant")
}

fn verdict_word(analysis: &Analysis<'_>, policy: PolicyId, holder: &Holder, action: ActionId) -> VerdictWord {
    let only_kept = analysis.policy(policy).is_some_and(|judged| !judged.granted.contains(action));
    let facts = analysis.facts(policy, holder, action);
    match facts {
        Some(_) if only_kept => advice::left_alone_statement(),
        Some(facts) => advice::word(analysis, &facts),
        None => advice::left_alone_statement(),
    }
}

fn blockers(analysis: &Analysis<'_>, policy: PolicyId, own: PrincipalId, action: ActionId) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    for holder in analysis.policy(policy).into_iter().flat_map(|judged| &judged.holders) {
        if holder.principal == own {
            continue;
        }
        analysis.verdicts(policy, holder, [action], |_, verdict| {
            if !matches!(verdict, Verdict::Removable(_)) {
                let principal = analysis.graph().entity_address(Entity::Principal(holder.principal));
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
    }
}
