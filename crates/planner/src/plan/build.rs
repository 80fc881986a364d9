//! From an analysis to a plan.

use std::collections::BTreeSet;

use secateur_analyzer::analysis::{Analysis, is_kept_by_sid};
use secateur_analyzer::arn::Arn;
use secateur_analyzer::catalog::ActionSet;
use secateur_analyzer::document::{Effect, Sha256};
use secateur_analyzer::graph::{Entity, PolicyId, PrincipalId};
use secateur_analyzer::parallel;
use secateur_analyzer::rules::Dormant;
use secateur_analyzer::time::DAY;

use super::change::{self, ProvedChange, Subject};
use super::draft::Draft;
use super::{
    Change, ChangeAction, FORMAT_VERSION, Plan, PlanAccount, PlanCatalog, PlanGap, PlanInputs, PlanOptions, PlanReport,
    PlanSelection, Summary, Tool, Window, Withheld, advice, changes_digest, digest, fit, withheld,
};
use crate::proof::ProofError;
use crate::rewrite::{Outcome, Rewriting, Splitting};

/// A plan, and what went wrong in making it.
#[derive(Debug)]
pub struct Built {
    /// The plan.
    pub plan: Plan,
    /// Rewrites that could not be proved, with their policies. They are not in the plan; each is a bug of secateur.
    pub unproved: Vec<(String, ProofError)>,
}

/// The principals of a plan, numbered in the order of their ARNs.
#[derive(Debug)]
pub(super) struct Numbering {
    principals: Vec<PrincipalId>,
}

impl Numbering {
    pub fn new(principals: BTreeSet<PrincipalId>) -> Numbering {
        Numbering { principals: principals.into_iter().collect() }
    }

    /// Returns the principal's place in the plan.
    pub fn principal(&self, id: PrincipalId) -> Option<usize> {
        self.principals.binary_search(&id).ok()
    }

    pub fn arns(&self, analysis: &Analysis<'_>) -> Vec<Arn> {
        let principals = &analysis.inputs().account.principals;
        self.principals.iter().filter_map(|id| principals.get(id.0)).map(|principal| principal.arn.clone()).collect()
    }

    pub fn reports(&self, analysis: &Analysis<'_>) -> Vec<PlanReport> {
        let report = |(at, id): (usize, &PrincipalId)| {
            let (report, times) = analysis.principal(*id)?.evidence.report().ok()?;
            Some(PlanReport { principal: at, sha256: report.sha256, generated_at: times.generated_at })
        };
        self.principals.iter().enumerate().filter_map(report).collect()
    }
}

/// Makes a plan.
pub fn build(analysis: &Analysis<'_>, options: &PlanOptions) -> Built {
    let graph = analysis.graph();
    let mut withheld = withheld::policies(analysis);
    let is_withheld: BTreeSet<&str> = withheld.iter().map(|withheld| withheld.address.as_str()).collect();
    let policies: Vec<PolicyId> =
        graph.policies().filter(|policy| !is_withheld.contains(graph.address(*policy))).collect();
    let threads = analysis.inputs().threads;
    let mut drafts = Vec::new();
    for (more, of_policy) in parallel::map(threads, &policies, |policy| draft(analysis, *policy, options)) {
        withheld.extend(more);
        drafts.extend(of_policy);
    }
    withheld.extend(withheld::expired_keep_rules(analysis));
    withheld.extend(fit::fit(graph, &mut drafts));
    drafts.retain(|draft| draft.rewritten.outcome != Outcome::Unchanged);

    let holders = drafts.iter().flat_map(|draft| graph.holders(draft.policy)).map(|holder| holder.principal);
    let numbering = Numbering::new(holders.collect());
    let mut proved: Vec<(PolicyId, Option<Entity>, ProvedChange)> = Vec::new();
    let mut unproved = Vec::new();
    let subjects: Vec<Subject<'_>> = drafts.iter().flat_map(|draft| change::subjects(graph, draft)).collect();
    let derived = parallel::map(threads, &subjects, |subject| change::derive(analysis, subject, &numbering));
    for (subject, derived) in subjects.iter().zip(derived) {
        match derived {
            Ok(change) => proved.push((subject.policy, subject.entity, change)),
            Err(error) => {
                let address = change::address(graph, subject);
                // Legal, and beyond what can be compared exactly: a number that is no integer, say.
                let is_beyond = matches!(error, ProofError::Unreadable { which: "before", .. });
                let why = if is_beyond { "left as written" } else { "which is a bug of secateur" };
                let detail = format!("the rewrite could not be proved, {why}: {error}");
                withheld.push(Withheld { address: address.clone(), reason: "unproved".to_owned(), detail });
                if !is_beyond {
                    unproved.push((address, error));
                }
            }
        }
    }
    change::still_granted(analysis, &mut proved, &numbering);
    let assumed =
        proved.iter().map(|(.., proved)| (proved.change.address.clone(), proved.assumed_grant_dates)).collect();
    let changes = proved.into_iter().map(|(.., proved)| proved.change).collect();
    let plan = assemble(analysis, options, &numbering, changes, withheld, assumed);
    Built { plan, unproved }
}

/// Rewrites one policy; returns what is withheld of it, and what is not.
fn draft<'s>(
    analysis: &'s Analysis<'_>,
    policy: PolicyId,
    options: &PlanOptions,
) -> (Vec<Withheld>, Option<Draft<'s>>) {
    let graph = analysis.graph();
    let (Some(judged), Some(reference)) = (analysis.policy(policy), graph.policy(policy)) else {
        return (Vec::new(), None);
    };
    if reference.managed().is_some_and(|managed| managed.is_aws_managed()) {
        return (Vec::new(), None);
    }
    let Some(document) = reference.document().and_then(|document| document.policy()) else {
        return (Vec::new(), None);
    };
    let removable = wanted(analysis, policy, &judged.removable, options);
    if removable.is_empty() {
        return (Vec::new(), None);
    }
    let unknown = analysis.unknown_names(policy, document).names;
    let inputs = analysis.inputs();
    let catalog_age = inputs.now.since(analysis.catalog().dates().names);
    let is_fresh = catalog_age <= i64::from(inputs.settings.max_catalog_age_days) * DAY;
    let rewriting = Rewriting {
        catalog: analysis.catalog(),
        removable: &removable,
        unknown: &unknown,
        not_action: options.rewrite.not_action,
        splitting: if is_fresh { Splitting::Names } else { Splitting::Never },
    };
    let mut draft = Draft::new(policy, document, &rewriting);
    let advised = !draft.rewritten.advised.is_empty();
    // What does not even fit alone is dropped at once: names for `*` are most of a megabyte.
    let mut withheld = draft.fit_alone(graph, fit::Quotas::of(inputs.account).of_policy(inputs.account, reference));
    withheld.extend(change::owned_attachments(graph, &draft));
    let mut withhold = |reason: &str, detail: String| {
        withheld.push(Withheld { address: graph.address(policy).to_owned(), reason: reason.to_owned(), detail });
    };
    if !is_fresh && !draft.rewritten.unsplit.is_empty() {
        let patterns = draft.rewritten.unsplit.join("`, `");
        let days = inputs.settings.max_catalog_age_days;
        withhold(
            "catalog-too-old",
            format!(
                "`{patterns}` is left as written: the catalogue is of {}, older than max_catalog_age_days ({days})",
                analysis.catalog().dates().names.date()
            ),
        );
    }
    if advised {
        withhold("not-action", "a NotAction could exempt more: not_action = \"advise\"".to_owned());
    }
    let is_dormant = |id: PrincipalId| analysis.principal(id).is_some_and(|principal| principal.is_dormant);
    let all_dormant = judged.holders.iter().all(|holder| is_dormant(holder.principal));
    if draft.rewritten.outcome == Outcome::Unchanged {
        return (withheld, None);
    }
    if all_dormant && inputs.settings.dormant == Dormant::Advise {
        let who = withheld::names(analysis, judged.holders.iter().map(|holder| holder.principal));
        withhold(
            "dormant",
            format!(
                "{who} used nothing within {} days: delete what is not needed, or set dormant = \"prune\"",
                inputs.settings.min_idle_days
            ),
        );
        return (withheld, None);
    }
    (withheld, Some(draft))
}

/// The removable actions whose reason is wanted; where holders differ, the weakest reason counts.
fn wanted(analysis: &Analysis<'_>, policy: PolicyId, removable: &ActionSet, options: &PlanOptions) -> ActionSet {
    let mut wanted = removable.clone();
    if options.selection.only.is_empty() {
        return wanted;
    }
    let mut weakest = std::collections::BTreeMap::new();
    for holder in analysis.policy(policy).into_iter().flat_map(|policy| &policy.holders) {
        analysis.verdicts(policy, holder, removable.iter(), |id, verdict| {
            if let Some(removal) = verdict.removal() {
                let reason = weakest.entry(id).or_insert(removal.reason);
                *reason = removal.reason.max(*reason);
            }
        });
    }
    for id in removable.iter() {
        if !weakest.get(&id).is_some_and(|reason| options.selection.wants_reason(*reason)) {
            wanted.remove(id);
        }
    }
    wanted
}

/// Puts proved changes, and all that is to be said beside them, into a plan.
fn assemble(
    analysis: &Analysis<'_>,
    options: &PlanOptions,
    numbering: &Numbering,
    mut changes: Vec<Change>,
    mut withheld: Vec<Withheld>,
    assumed: std::collections::BTreeMap<String, usize>,
) -> Plan {
    changes.sort_by(|a, b| a.address.cmp(&b.address));
    fit::group_inline(analysis.graph(), &mut changes);
    options.selection.keep(&mut changes);
    if !options.selection.is_everything() {
        withheld.retain(|withheld| options.selection.wants(&withheld.address));
    }
    withheld.extend(withheld::limits(&mut changes, &options.limits));
    withheld.sort();
    withheld.dedup();
    let assumed_grant_dates = changes.iter().filter_map(|change| assumed.get(&change.address)).sum();
    let gaps: Vec<PlanGap> = (analysis.gaps().iter())
        .map(|gap| PlanGap { subject: gap.subject.clone(), kind: gap.kind.clone(), detail: gap.detail.clone() })
        .collect();
    let summary = Summary { assumed_grant_dates, ..summary(analysis, &changes, &withheld, &gaps) };
    let inputs = analysis.inputs();
    let settings = inputs.settings;
    let mut plan = Plan {
        format_version: FORMAT_VERSION.to_owned(),
        tool: Tool { name: "secateur".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        digest: Sha256([0; 32]),
        changes_digest: changes_digest(&changes),
        account: PlanAccount {
            id: inputs.account.id.clone(),
            partition: inputs.account.partition.clone(),
            caller_arn: inputs.account.caller_arn.clone(),
            endpoint: inputs.account.endpoint.clone(),
        },
        window: Window {
            now: inputs.now,
            min_idle_days: settings.min_idle_days,
            max_report_age_days: settings.max_report_age_days,
            max_catalog_age_days: settings.max_catalog_age_days,
            max_key_idle_days: settings.max_key_idle_days,
            unknown_grant_date: settings.unknown_grant_date.as_str().to_owned(),
            kms_via_service: settings.kms_via_service.as_str().to_owned(),
            dormant: settings.dormant.as_str().to_owned(),
            regions: regions(analysis),
        },
        complete: inputs.account.complete,
        inputs: PlanInputs {
            snapshot: options.snapshot.clone(),
            older_snapshot: options.older_snapshot.clone(),
            config: options.config.clone(),
            selection: PlanSelection {
                target: options.selection.target.clone(),
                exclude: options.selection.exclude.clone(),
                only: options.selection.only.iter().map(|reason| reason.as_str().to_owned()).collect(),
            },
            catalog: PlanCatalog { sha256: analysis.catalog().sha256(), date: analysis.catalog().dates().names },
        },
        principals: numbering.arns(analysis),
        reports: numbering.reports(analysis),
        advice: advice::advice(analysis, options),
        changes,
        withheld,
        gaps,
        summary,
    };
    plan.digest = digest(&plan);
    plan
}

fn regions(analysis: &Analysis<'_>) -> Vec<String> {
    let inputs = analysis.inputs();
    let all: BTreeSet<&String> =
        inputs.account.regions.iter().flatten().chain(&inputs.settings.regions_in_use).collect();
    all.into_iter().cloned().collect()
}

fn summary(analysis: &Analysis<'_>, changes: &[Change], withheld: &[Withheld], gaps: &[PlanGap]) -> Summary {
    let count = |actions: &[ChangeAction]| changes.iter().filter(|change| actions.contains(&change.action)).count();
    let graph = analysis.graph();
    let documents = graph.policies().filter_map(|id| graph.policy(id)).filter_map(|policy| policy.document()?.policy());
    let kept = documents.flat_map(|document| &document.statements);
    Summary {
        add: count(&[ChangeAction::Create, ChangeAction::Attach]),
        change: count(&[ChangeAction::Update, ChangeAction::Deactivate]),
        destroy: count(&[ChangeAction::Delete, ChangeAction::Detach]),
        removed_actions: changes.iter().flat_map(|change| &change.removed).map(|removed| removed.count).sum(),
        assumed_grant_dates: 0,
        frozen: changes.iter().map(|change| change.frozen.len()).sum(),
        kept_statements: kept
            .filter(|statement| statement.effect == Effect::Allow && is_kept_by_sid(statement))
            .count(),
        withheld: withheld.len(),
        gaps: gaps.len(),
    }
}
