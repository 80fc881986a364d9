//! What is missing. Absence of data means keep; every gap is counted in every summary.

use super::Analysis;
use crate::account::{Gap, ReportStatus};
use crate::graph::Entity;
use crate::rules::KmsPruning;
use crate::verdict::{RegionProblem, details_at, is_dated, region_use_days};

/// The collection's own gaps, then what the analysis missed, each in order.
pub(super) fn gaps(analysis: &Analysis<'_>) -> Vec<Gap> {
    let account = analysis.inputs.account;
    let mut gaps = account.gaps.clone();
    gaps.sort();
    let mut add = |subject: &str, kind: &str, detail: String| {
        gaps.push(Gap { subject: subject.to_owned(), kind: kind.to_owned(), detail });
    };
    if account.finished_at.is_none() {
        let detail = "there is no manifest: nothing shows that the files belong together and are whole".to_owned();
        add("manifest.json", "no-manifest", detail);
    }
    if let Err(problem) = &analysis.regions.problem {
        let help = match problem {
            RegionProblem::Unknown => {
                "run `aws account list-regions > regions.json` in the snapshot, or set regions_in_use".to_owned()
            }
            RegionProblem::Untracked(regions) if regions.iter().all(|region| region.used_by.is_some()) => {
                let days = region_use_days(analysis.inputs.settings);
                format!("such a use counts for {days} days; or wait for a catalogue that lists the Region")
            }
            RegionProblem::Untracked(_) => {
                "leave the Region and disable it, or wait for a catalogue that lists it".to_owned()
            }
        };
        add("regions.json", problem_kind(problem), format!("{problem}, so nothing can be shown to be unused: {help}"));
    }
    if account.summary.is_none() {
        let detail = "the account's quotas are not known: AWS's documented defaults are used".to_owned();
        add("account-summary.json", "no-summary", detail);
    }
    if account.grants.is_none() {
        let detail = "nothing tells when permissions were granted: unknown_grant_date decides".to_owned();
        add("grants.json", "no-grants", detail);
    }
    if let Some(history) = account.grants.as_ref().filter(|history| !is_dated(history, analysis.inputs.now)) {
        let detail = format!(
            "the event history is of {} to {}, which is no span of the past: what it has counts, and where it has nothing, \
             unknown_grant_date decides",
            history.from, history.to
        );
        add("grants.json", "grants-misdated", detail);
    }
    if let (Some(history), None) = (&account.grants, details_at(account)) {
        let detail = format!(
            "nothing says when the authorization details were read, which may be after the end of the event history at {}: \
             what it has counts, and where it has nothing, unknown_grant_date decides",
            history.to
        );
        add("grants.json", "grants-unplaced", detail);
    }
    let reports = account.reports.values().filter(|report| report.status == ReportStatus::Completed);
    let newest = reports.filter_map(|report| report.generated_at).chain(details_at(account)).max();
    if let (Some(history), Some(newest)) = (&account.grants, newest)
        && history.to < newest
    {
        let detail = format!(
            "the event history ends at {}, and what it is asked about is of up to {newest}: for whatever is younger than its \
             end, unknown_grant_date decides",
            history.to
        );
        add("grants.json", "grants-end-early", detail);
    }
    let untagged = account.policies.iter().filter(|policy| !policy.is_aws_managed() && policy.tags.is_none()).count();
    if untagged > 0 {
        let (which, them) = if untagged == 1 {
            ("1 managed policy".to_owned(), "it")
        } else {
            (format!("{untagged} managed policies"), "them")
        };
        let detail = format!("the tags of {which} are not known, nor whether CloudFormation or Terraform owns {them}");
        add("policy-tags", "no-policy-tags", detail);
    }
    let users = analysis.users_without_keys().count();
    if users > 0 {
        let who = if users == 1 { "1 user".to_owned() } else { format!("{users} users") };
        add("access-keys", "no-access-keys", format!("the access keys of {who} are not known: they are kept"));
    }
    if analysis.inputs.settings.kms != KmsPruning::Off && account.kms_keys.is_empty() {
        let detail = "the use of KMS keys is not known: they stay in every policy".to_owned();
        add("kms", "no-kms", detail);
    }
    for (principal, missing) in analysis.graph.dangling() {
        let holder = analysis.graph.entity_address(Entity::Principal(*principal));
        add(missing, "not-collected", format!("{holder} has it, but the authorization details do not contain it"));
    }
    for principal in &account.principals {
        if let Some(boundary) = principal.boundary.as_ref().filter(|arn| account.policy(arn).is_none()) {
            let detail = "has it as permissions boundary, but the authorization details do not contain it: nothing tells since when";
            add(boundary.as_str(), "not-collected", format!("{} {detail}", principal.address()));
        }
    }
    for principal in &analysis.principals {
        let arn = principal.evidence.principal().arn.as_str();
        // What the collection says of it is the cause; saying so twice would count it twice.
        let is_told = account.gaps.iter().any(|gap| gap.subject == arn);
        if let (Err(why), None, false) = (principal.evidence.report(), &principal.evidence.set_aside, is_told) {
            add(arn, why.kind(), why.to_string());
        }
    }
    gaps
}

fn problem_kind(problem: &RegionProblem) -> &'static str {
    match problem {
        RegionProblem::Unknown => "no-regions",
        RegionProblem::Untracked(_) => "region-untracked",
    }
}
