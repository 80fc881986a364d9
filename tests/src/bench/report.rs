//! Last-accessed reports, as `aws iam get-service-last-accessed-details` prints them, plus `Arn`.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::account::{Account, NOW, Principal};
use super::text;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    job_status: &'static str,
    job_type: &'static str,
    job_creation_date: String,
    services_last_accessed: Vec<Service>,
    job_completion_date: String,
    is_truncated: bool,
    arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    service_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated: Option<String>,
    service_namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated_entity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated_region: Option<&'static str>,
    total_authenticated_entities: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tracked_actions_last_accessed: Vec<Action>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Action {
    action_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_entity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_region: Option<&'static str>,
}

/// What a report has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rows {
    pub(super) services: usize,
    pub(super) services_used: usize,
    pub(super) actions: usize,
    pub(super) actions_used: usize,
}

const REGION: &str = "eu-west-1";

/// Returns a principal's report and what it has.
pub(super) fn report(account: &Account, number: usize, principal: &Principal) -> io::Result<(Vec<u8>, Rows)> {
    let arn = principal.arn();
    let mut by_service: BTreeMap<usize, Vec<(usize, Option<i64>)>> = BTreeMap::new();
    for (action, last) in account.usage(number, principal) {
        by_service.entry(account.catalogue.service_of(action)).or_default().push((action, last));
    }
    let mut rows = Rows::default();
    let services = by_service.into_iter().map(|(place, actions)| {
        let service = service(account, &arn, place, &actions);
        rows.services += 1;
        rows.services_used += usize::from(service.last_authenticated.is_some());
        rows.actions += service.tracked_actions_last_accessed.len();
        let used = |action: &&Action| action.last_accessed_time.is_some();
        rows.actions_used += service.tracked_actions_last_accessed.iter().filter(used).count();
        service
    });
    let services_last_accessed = services.collect();
    let second = i64::try_from(number % 3_000).unwrap_or(0);
    let answer = Answer {
        job_status: "COMPLETED",
        job_type: "ACTION_LEVEL",
        job_creation_date: text::time(NOW - 3_600 + second),
        services_last_accessed,
        job_completion_date: text::time(NOW - 3_595 + second),
        is_truncated: false,
        arn,
    };
    Ok((text::printed(&answer)?, rows))
}

fn service(account: &Account, arn: &str, place: usize, actions: &[(usize, Option<i64>)]) -> Service {
    let prefix = account.catalogue.prefix(place);
    let last = actions.iter().filter_map(|(_, last)| *last).max();
    let tracked = actions.iter().filter(|(action, _)| account.catalogue.is_tracked(*action));
    let row = |(action, last): &(usize, Option<i64>)| Action {
        action_name: account.catalogue.name(*action).to_owned(),
        last_accessed_entity: last.map(|_| arn.to_owned()),
        last_accessed_time: last.map(text::time),
        last_accessed_region: last.map(|_| REGION),
    };
    Service {
        service_name: format!("Amazon {}", prefix.to_ascii_uppercase()),
        last_authenticated: last.map(text::time),
        service_namespace: prefix.to_owned(),
        last_authenticated_entity: last.map(|_| arn.to_owned()),
        last_authenticated_region: last.map(|_| REGION),
        total_authenticated_entities: u32::from(last.is_some()),
        tracked_actions_last_accessed: tracked.map(row).collect(),
    }
}
