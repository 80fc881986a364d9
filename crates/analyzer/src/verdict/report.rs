//! Whether a report counts.

use std::fmt;

use crate::account::{Account, Granularity, Principal, Report, ReportStatus};
use crate::rules::Settings;
use crate::time::{DAY, UnixTime};

/// AWS shows use within about four hours: a report sees what happened up to four hours before it.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html#last-accessed_know>.
pub const REPORTING_DELAY: i64 = 4 * 3_600;

/// Service data goes back at least 400 days.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html#last-accessed_tracking-period>.
pub const SERVICE_TRACKING_PERIOD: i64 = 400 * DAY;

/// Why there is no report that says anything about a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoEvidence {
    /// There is none.
    NoReport,
    /// Its job failed, with AWS's code and message.
    Failed(String),
    /// Its job had not finished, or its state is not known.
    Unfinished(String),
    /// It says of some service or action that it was used, and not when.
    Contradictory(String),
    /// Pages are missing.
    Truncated,
    /// It does not say when it was generated.
    NoDate,
    /// It is of another account.
    OtherAccount,
    /// It is older than `max_report_age_days`.
    TooOld {
        /// When it was generated.
        generated_at: UnixTime,
    },
    /// The principal was created after it.
    OlderThanPrincipal {
        /// When it was generated.
        generated_at: UnixTime,
    },
}

impl NoEvidence {
    /// Returns a word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            NoEvidence::NoReport => "no-report",
            NoEvidence::Failed(_) => "report-failed",
            NoEvidence::Unfinished(_) => "report-unfinished",
            NoEvidence::Contradictory(_) => "report-contradictory",
            NoEvidence::Truncated => "report-truncated",
            NoEvidence::NoDate => "report-without-date",
            NoEvidence::OtherAccount => "report-of-other-account",
            NoEvidence::TooOld { .. } => "report-too-old",
            NoEvidence::OlderThanPrincipal { .. } => "report-older-than-principal",
        }
    }
}

impl fmt::Display for NoEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoEvidence::NoReport => f.write_str("there is no last-accessed report"),
            NoEvidence::Failed(detail) => write!(f, "the last-accessed report failed: {detail}"),
            NoEvidence::Unfinished(state) => write!(f, "the last-accessed report is not finished: {state}"),
            NoEvidence::Contradictory(detail) => write!(f, "the last-accessed report contradicts itself: {detail}"),
            NoEvidence::Truncated => f.write_str("the last-accessed report lacks pages"),
            NoEvidence::NoDate => f.write_str("the last-accessed report does not say when it was completed"),
            NoEvidence::OtherAccount => f.write_str("the last-accessed report is of another account"),
            NoEvidence::TooOld { generated_at } => {
                write!(f, "the last-accessed report of {generated_at} is older than max_report_age_days")
            }
            NoEvidence::OlderThanPrincipal { generated_at } => {
                write!(f, "the last-accessed report of {generated_at} is older than the principal")
            }
        }
    }
}

/// The times of a report that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportTimes {
    /// When it was generated.
    pub generated_at: UnixTime,
    /// Up to when it sees use.
    pub observed: UnixTime,
}

/// Returns the principal's report, if it counts at `now`.
pub(super) fn usable<'a>(
    account: &'a Account,
    principal: &Principal,
    settings: &Settings,
    now: UnixTime,
) -> Result<(&'a Report, ReportTimes), NoEvidence> {
    let report = account.reports.get(&principal.arn).ok_or(NoEvidence::NoReport)?;
    if report.arn.account() != account.id || principal.arn.account() != account.id {
        return Err(NoEvidence::OtherAccount);
    }
    match &report.status {
        ReportStatus::Completed => {}
        ReportStatus::Failed(detail) => return Err(NoEvidence::Failed(detail.clone())),
        ReportStatus::Contradictory(detail) => return Err(NoEvidence::Contradictory(detail.clone())),
        ReportStatus::InProgress => return Err(NoEvidence::Unfinished("IN_PROGRESS".to_owned())),
        ReportStatus::Unknown(state) if state.is_empty() => {
            return Err(NoEvidence::Unfinished("its JobStatus is missing".to_owned()));
        }
        ReportStatus::Unknown(state) => return Err(NoEvidence::Unfinished(state.clone())),
    }
    // An unfinished job of the Rust SDK looks finished but for its type, and dates itself at 1970.
    if report.granularity == Granularity::Unknown {
        return Err(NoEvidence::Unfinished("its JobType is missing or unknown".to_owned()));
    }
    if report.truncated {
        return Err(NoEvidence::Truncated);
    }
    let generated_at = report.generated_at.ok_or(NoEvidence::NoDate)?;
    if now.since(generated_at) > i64::from(settings.max_report_age_days) * DAY {
        return Err(NoEvidence::TooOld { generated_at });
    }
    if principal.created.is_some_and(|created| created > generated_at) {
        return Err(NoEvidence::OlderThanPrincipal { generated_at });
    }
    Ok((report, ReportTimes { generated_at, observed: generated_at.plus(-REPORTING_DELAY) }))
}
