//! The evidence for what is lost, read from the reports row by row.
//!
//! The table of verdicts has already been asked. This is a second reading, in other words, of the rules that a wrong removal
//! would break: that the report is whole and about this principal, that it lists the service, that it shows no use, and that
//! enough time has passed to see some.

use secateur_analyzer::account::{Account, Granularity, ManagedPolicy, Principal, Report, ReportStatus, ServiceRow};
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::{ActionId, ActionSet, ServiceId, Tracked};
use secateur_analyzer::graph::Holder;
use secateur_analyzer::time::{DAY, UnixTime};
use secateur_analyzer::verdict::REPORTING_DELAY;

use super::ProofError;
use super::key_use::Uses;

pub(super) fn check(holders: &[Holder], lost: &ActionSet, analysis: &Analysis<'_>) -> Result<(), ProofError> {
    let pass_role = analysis.catalog().parse_action("iam:PassRole");
    for holder in holders {
        let account = analysis.inputs().account;
        let principal = account.principals.get(holder.principal.0);
        let name = principal.map_or("an unknown principal", |principal| principal.arn.as_str());
        let refuse = |action: ActionId, detail: String| ProofError::NoEvidence {
            action: analysis.catalog().full_name(action),
            principal: name.to_owned(),
            detail,
        };
        let Some(first) = lost.iter().next() else { continue };
        let Some(principal) = principal else { return Err(refuse(first, "not in the snapshot".to_owned())) };
        let report =
            account.reports.get(&principal.arn).ok_or_else(|| refuse(first, "there is no report".to_owned()))?;
        let seen_to = whole(report, analysis).map_err(|detail| refuse(first, detail))?;
        let window_start = seen_to.plus(-analysis.inputs().settings.min_idle());
        if principal.created.is_none_or(|created| created > window_start) {
            return Err(refuse(first, "the principal is younger than min_idle_days".to_owned()));
        }
        if boundary(principal, account).is_some_and(|since| since.is_none_or(|since| since > window_start)) {
            return Err(refuse(first, "the permissions boundary is younger than min_idle_days, or unknown".to_owned()));
        }
        let sees_actions = report.granularity == Granularity::Action;
        let uses = Uses::of(principal, report, seen_to, analysis);
        if let Some(region) = uses.blind_region(analysis) {
            return Err(refuse(first, format!("it was used in {region}, of which AWS reports nothing")));
        }
        let mut current: Option<(ServiceId, Option<Row<'_>>)> = None;
        for action in lost.iter() {
            let service = analysis.catalog().service_of(action);
            let row = match current {
                Some((of, row)) if of == service => row,
                _ => report.service(service).map(|row| Row {
                    row,
                    in_use: in_use(row, window_start),
                    is_hidden: uses.are_hidden(service, analysis),
                }),
            };
            current = Some((service, row));
            if !sees_actions && row.is_some_and(|row| row.in_use) {
                return Err(refuse(
                    action,
                    "the service is in use, and the report was not asked for actions".to_owned(),
                ));
            }
            unused(row, action, window_start, analysis).map_err(|detail| refuse(action, detail))?;
            if row.is_some_and(|row| row.is_hidden) {
                return Err(refuse(action, "an access key was used for the service, or may have been".to_owned()));
            }
            if Some(action) == pass_role {
                return Err(refuse(action, "the use of iam:PassRole is never recorded".to_owned()));
            }
        }
    }
    Ok(())
}

/// Since when the principal's permissions boundary is as it is, if it has one.
pub(super) fn boundary(principal: &Principal, account: &Account) -> Option<Option<UnixTime>> {
    let version = |arn| account.policy(arn).and_then(ManagedPolicy::default).and_then(|version| version.created);
    principal.boundary.as_ref().map(version)
}

/// Up to when a report sees use, if it is whole and counts.
fn whole(report: &Report, analysis: &Analysis<'_>) -> Result<UnixTime, String> {
    let inputs = analysis.inputs();
    if report.status != ReportStatus::Completed || report.truncated {
        return Err("the report is not complete".to_owned());
    }
    if !matches!(report.granularity, Granularity::Action | Granularity::Service) {
        return Err("the report does not say its granularity".to_owned());
    }
    if report.arn.account() != inputs.account.id {
        return Err("the report is of another account".to_owned());
    }
    let generated_at = report.generated_at.ok_or("the report has no date")?;
    let age = inputs.now.since(generated_at);
    if !(0..=i64::from(inputs.settings.max_report_age_days) * DAY).contains(&age) {
        return Err("the report is too old, or of the future".to_owned());
    }
    Ok(generated_at.plus(-REPORTING_DELAY))
}

pub(super) fn in_use(row: &ServiceRow, window_start: UnixTime) -> bool {
    let recent = |time: Option<UnixTime>| time.is_some_and(|time| time > window_start);
    recent(row.last_authenticated)
        || row.actions.iter().any(|listed| recent(listed.last_accessed()))
        || row.unknown_actions.iter().any(|(_, last)| recent(*last))
}

/// A service's row.
#[derive(Clone, Copy)]
struct Row<'a> {
    row: &'a ServiceRow,
    /// Whether it tells of use within the window.
    in_use: bool,
    /// Whether an access key tells of use that it does not.
    is_hidden: bool,
}

fn unused(
    row: Option<Row<'_>>,
    action: ActionId,
    window_start: UnixTime,
    analysis: &Analysis<'_>,
) -> Result<(), String> {
    let Row { row, in_use: service_in_use, .. } = row.ok_or("the report does not list the service")?;
    let recent = |time: Option<UnixTime>| time.is_some_and(|time| time > window_start);
    // Sorted by action, none twice.
    let listed = row.actions.binary_search_by_key(&action, |listed| listed.action).ok();
    let listed = listed.and_then(|at| row.actions.get(at));
    if listed.is_some_and(|listed| recent(listed.last_accessed())) {
        return Err("the report shows that it was used".to_owned());
    }
    if service_in_use && !matches!(analysis.catalog().tracked(action), Tracked::Yes { .. }) {
        return Err("the service is in use, and AWS does not report the action's use".to_owned());
    }
    if service_in_use && listed.is_none() {
        return Err("the service is in use, and the report does not list the action".to_owned());
    }
    Ok(())
}
