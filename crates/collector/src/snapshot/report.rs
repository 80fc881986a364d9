//! `last-accessed/`: what `aws iam get-service-last-accessed-details` prints, plus `Arn`.
//!
//! Nearly all of a snapshot's bytes are here. Reports as AWS's tools print them are read by `quick`; what that does not take
//! is read by serde, with the same result.
//! See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html>.

mod layout;
mod names;
mod quick;
mod scan;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::PathBuf;

use secateur_analyzer::account::{Granularity, RegionUses, Report, ReportStatus, ServiceRow};
use secateur_analyzer::arn::Arn;
use secateur_analyzer::catalog::Catalog;
use secateur_analyzer::document::Sha256;
use secateur_analyzer::time::UnixTime;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::SnapshotError;
use super::inventory::SnapshotFile;
use super::json;
pub(super) use quick::QuickReader;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, the answer for one ARN")]
struct Answer<'a> {
    arn: Option<Arn>,
    #[serde(borrow)]
    job_status: Option<Text<'a>>,
    job_type: Option<Text<'a>>,
    job_completion_date: Option<UnixTime>,
    services_last_accessed: Option<Vec<Service<'a>>>,
    is_truncated: Option<bool>,
    marker: Option<IgnoredAny>,
    // What the AWS CLI writes instead of `Marker` under `--max-items`.
    next_token: Option<IgnoredAny>,
    error: Option<ErrorDetails<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, the row of a service")]
struct Service<'a> {
    #[serde(borrow)]
    service_namespace: Option<Text<'a>>,
    last_authenticated: Option<UnixTime>,
    last_authenticated_entity: Option<Value>,
    last_authenticated_region: Option<Value>,
    total_authenticated_entities: Option<Value>,
    tracked_actions_last_accessed: Option<Vec<Action<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, the row of an action")]
struct Action<'a> {
    #[serde(borrow)]
    action_name: Option<Text<'a>>,
    last_accessed_time: Option<UnixTime>,
    last_accessed_entity: Option<Value>,
    last_accessed_region: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `Code` and `Message`")]
struct ErrorDetails<'a> {
    #[serde(borrow)]
    code: Option<Text<'a>>,
    message: Option<Text<'a>>,
}

/// A text that is borrowed where it has no escapes. Within an `Option`, serde borrows a `Cow` only through a type of its own.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Returns the text; absent and null are the empty one, which the catalogue knows no service or action by.
fn text<'a>(text: &'a Option<Text<'_>>) -> &'a str {
    text.as_ref().map_or("", |text| &text.0)
}

pub(super) fn read(
    file: &SnapshotFile,
    bytes: &[u8],
    sha256: Sha256,
    quick: &mut QuickReader<'_>,
) -> Result<Report, SnapshotError> {
    match json::text(bytes).and_then(|text| quick.read(text, sha256)) {
        Some(report) => Ok(report),
        None => read_any(file, bytes, sha256, quick.catalog()),
    }
}

/// Reads a report in any form.
fn read_any(file: &SnapshotFile, bytes: &[u8], sha256: Sha256, catalog: &Catalog) -> Result<Report, SnapshotError> {
    let answer: Answer<'_> = json::parse(file, bytes)?;
    let report = Report {
        status: status(&answer),
        regions: regions(&answer),
        granularity: granularity(text(&answer.job_type)),
        arn: answer.arn.ok_or_else(|| SnapshotError::NoArn { path: file.path.clone() })?,
        sha256,
        generated_at: answer.job_completion_date,
        truncated: answer.is_truncated == Some(true) || answer.marker.is_some() || answer.next_token.is_some(),
        services: Vec::new(),
    };
    let rows = answer.services_last_accessed.unwrap_or_default();
    Ok(report.with_services(rows.iter().map(|service| row(service, catalog)).collect()))
}

/// The Regions of what has a date: AWS names none for what was never used, and what has none says nothing of when.
fn regions(answer: &Answer<'_>) -> RegionUses {
    let mut uses = RegionUses::default();
    let mut add = |region: &Option<Value>, last: Option<UnixTime>| {
        if let (Some(region), Some(last)) = (region.as_ref().and_then(Value::as_str), last) {
            uses.add(region, last);
        }
    };
    for service in answer.services_last_accessed.iter().flatten() {
        add(&service.last_authenticated_region, service.last_authenticated);
        for action in service.tracked_actions_last_accessed.iter().flatten() {
            add(&action.last_accessed_region, action.last_accessed_time);
        }
    }
    uses
}

fn granularity(job_type: &str) -> Granularity {
    match job_type {
        "ACTION_LEVEL" => Granularity::Action,
        "SERVICE_LEVEL" => Granularity::Service,
        _ => Granularity::Unknown,
    }
}

fn status(answer: &Answer<'_>) -> ReportStatus {
    match text(&answer.job_status) {
        "COMPLETED" => contradiction(answer).map_or(ReportStatus::Completed, ReportStatus::Contradictory),
        "IN_PROGRESS" => ReportStatus::InProgress,
        "FAILED" => ReportStatus::Failed(match &answer.error {
            Some(error) => format!("{}: {}", text(&error.code), text(&error.message)),
            None => "no reason given".to_owned(),
        }),
        other => ReportStatus::Unknown(other.to_owned()),
    }
}

/// Returns who was used without a time, or at an impossible one: AWS gives all of these or none.
fn contradiction(answer: &Answer<'_>) -> Option<String> {
    let says = |member: &Option<Value>| match member {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(number)) => number.as_u64() != Some(0),
        _ => false,
    };
    answer.services_last_accessed.iter().flatten().find_map(|service| {
        let name = text(&service.service_namespace);
        let members = [
            ("LastAuthenticatedEntity", &service.last_authenticated_entity),
            ("TotalAuthenticatedEntities", &service.total_authenticated_entities),
        ];
        let said = members.into_iter().find(|(_, member)| service.last_authenticated.is_none() && says(member));
        if let Some((member, _)) = said {
            return Some(format!("{name} has {member}, and no LastAuthenticated"));
        }
        let is_impossible = |time: &UnixTime| !time.is_possible();
        if let Some(time) = service.last_authenticated.filter(is_impossible) {
            return Some(format!("{name} has {time} as LastAuthenticated"));
        }
        let actions = service.tracked_actions_last_accessed.iter().flatten();
        let mut timed = actions.filter_map(|action| Some((text(&action.action_name), action.last_accessed_time?)));
        if let Some((action, time)) = timed.find(|(_, time)| is_impossible(time)) {
            return Some(format!("{name}:{} has {time} as LastAccessedTime", bare(action)));
        }
        let is_odd = |action: &&Action<'_>| action.last_accessed_time.is_none() && says(&action.last_accessed_entity);
        let odd = service.tracked_actions_last_accessed.iter().flatten().find(is_odd)?;
        Some(format!("{name}:{} has LastAccessedEntity, and no LastAccessedTime", bare(text(&odd.action_name))))
    })
}

/// The name of an action without its service's prefix.
fn bare(action: &str) -> &str {
    action.split_once(':').map_or(action, |(_, bare)| bare)
}

fn row(service: &Service<'_>, catalog: &Catalog) -> ServiceRow {
    let mut row = ServiceRow::new(catalog, text(&service.service_namespace), service.last_authenticated);
    if let Some(actions) = &service.tracked_actions_last_accessed {
        row.lists_actions = true;
        row.actions.reserve_exact(actions.len());
        for action in actions {
            row.push(catalog, text(&action.action_name), action.last_accessed_time);
        }
    }
    row
}

/// Returns the newest report of each ARN, whatever the order of the files.
pub(super) fn newest(mut reports: Vec<(PathBuf, Report)>) -> Result<BTreeMap<Arn, Report>, SnapshotError> {
    // Newest first within an ARN; a report without a time is older than any other.
    reports.sort_by(|(a_path, a), (b_path, b)| {
        let by_age = || b.generated_at.cmp(&a.generated_at);
        a.arn.cmp(&b.arn).then_with(by_age).then_with(|| a_path.cmp(b_path))
    });
    let mut newest: BTreeMap<Arn, Report> = BTreeMap::new();
    let mut first_path = PathBuf::new();
    for (path, report) in reports {
        match newest.get(&report.arn) {
            None => {
                newest.insert(report.arn.clone(), report);
                first_path = path;
            }
            Some(kept)
                if kept.generated_at.cmp(&report.generated_at) == Ordering::Equal && kept.sha256 != report.sha256 =>
            {
                return Err(SnapshotError::ReportsDisagree { arn: report.arn, first: first_path, second: path });
            }
            Some(_) => {}
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests;
