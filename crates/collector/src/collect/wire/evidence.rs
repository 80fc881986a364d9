//! Reports, keys, tags and counts.

use std::collections::BTreeMap;

use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types;
use serde::Serialize;

use super::{Tag, some_time, time};
use crate::aws::kms;

/// `get-account-summary`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct Summary<'a> {
    pub summary_map: BTreeMap<&'a str, i32>,
}

/// `get-service-last-accessed-details`, pages merged.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct Report<'a> {
    pub job_status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_type: Option<&'a str>,
    pub job_creation_date: String,
    pub services_last_accessed: &'a [Service],
    pub job_completion_date: String,
    pub is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorDetails<'a>>,
    pub arn: &'a str,
}

/// Why a job failed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct ErrorDetails<'a> {
    message: &'a str,
    code: &'a str,
}

impl<'a> From<&'a types::ErrorDetails> for ErrorDetails<'a> {
    fn from(error: &'a types::ErrorDetails) -> ErrorDetails<'a> {
        ErrorDetails { message: error.message(), code: error.code() }
    }
}

/// The row of a service.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct Service {
    service_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated: Option<String>,
    pub service_namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated_entity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated_region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_authenticated_entities: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracked_actions_last_accessed: Option<Vec<Action>>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Action {
    action_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_entity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_region: Option<String>,
}

impl Service {
    /// Takes a row over; none when it lacks what every row has.
    pub fn of(row: types::ServiceLastAccessed) -> Option<Service> {
        let action = |action: types::TrackedActionLastAccessed| {
            Some(Action {
                action_name: action.action_name.filter(|name| !name.is_empty())?,
                last_accessed_entity: action.last_accessed_entity,
                last_accessed_time: some_time(action.last_accessed_time.as_ref()),
                last_accessed_region: action.last_accessed_region,
            })
        };
        let actions = match row.tracked_actions_last_accessed {
            Some(actions) => Some(actions.into_iter().map(action).collect::<Option<Vec<Action>>>()?),
            None => None,
        };
        // The SDK fills in an empty text for what is missing.
        (!row.service_namespace.is_empty()).then_some(Service {
            service_name: row.service_name,
            last_authenticated: some_time(row.last_authenticated.as_ref()),
            service_namespace: row.service_namespace,
            last_authenticated_entity: row.last_authenticated_entity,
            last_authenticated_region: row.last_authenticated_region,
            total_authenticated_entities: row.total_authenticated_entities,
            tracked_actions_last_accessed: actions,
        })
    }

    /// Returns who used the service or one of its actions last.
    pub fn last_entities(&self) -> impl Iterator<Item = &str> {
        let actions = self.tracked_actions_last_accessed.iter().flatten();
        let of_actions = actions.filter_map(|action| action.last_accessed_entity.as_deref());
        self.last_authenticated_entity.as_deref().into_iter().chain(of_actions)
    }

    /// Returns whether anybody used the service.
    pub fn is_used(&self) -> bool {
        self.last_authenticated.is_some()
    }
}

/// `get-service-last-accessed-details-with-entities`, pages merged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct Entities<'a> {
    pub job_status: &'a str,
    pub job_creation_date: String,
    pub job_completion_date: String,
    pub entity_details_list: &'a [EntityDetails],
    pub is_truncated: bool,
    pub arn: &'a str,
    pub service_namespace: &'a str,
}

/// Who used a service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct EntityDetails {
    entity_info: EntityInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EntityInfo {
    arn: String,
    name: String,
    #[serde(rename = "Type")]
    kind: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl EntityDetails {
    /// Takes a row over; none when it does not say who.
    pub fn of(row: types::EntityDetails) -> Option<EntityDetails> {
        let info = row.entity_info.filter(|info| !info.arn.is_empty())?;
        let kind = info.r#type().as_str().to_owned();
        Some(EntityDetails {
            entity_info: EntityInfo { arn: info.arn, name: info.name, kind, id: info.id, path: info.path },
            last_authenticated: some_time(row.last_authenticated.as_ref()),
        })
    }
}

/// `list-policies-granting-service-access`, pages merged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct Granting<'a> {
    pub policies_granting_service_access: &'a [GrantingEntry],
    pub is_truncated: bool,
    pub arn: &'a str,
}

/// The policies that grant a service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct GrantingEntry {
    service_namespace: String,
    policies: Vec<GrantingPolicy>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GrantingPolicy {
    policy_name: String,
    policy_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_name: Option<String>,
}

impl GrantingEntry {
    /// Takes an entry over; none when it does not say of which service.
    pub fn of(entry: types::ListPoliciesGrantingServiceAccessEntry) -> Option<GrantingEntry> {
        let policy = |policy: types::PolicyGrantingServiceAccess| GrantingPolicy {
            policy_type: policy.policy_type.as_str().to_owned(),
            entity_type: policy.entity_type.as_ref().map(|kind| kind.as_str().to_owned()),
            policy_name: policy.policy_name,
            policy_arn: policy.policy_arn,
            entity_name: policy.entity_name,
        };
        Some(GrantingEntry {
            service_namespace: entry.service_namespace?,
            policies: entry.policies.unwrap_or_default().into_iter().map(policy).collect(),
        })
    }
}

/// `list-access-keys`, each with its `AccessKeyLastUsed`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct AccessKeys<'a> {
    pub access_key_metadata: &'a [AccessKey],
    pub is_truncated: bool,
    pub arn: &'a str,
}

/// An access key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct AccessKey {
    user_name: String,
    pub access_key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_last_used: Option<LastUsed>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastUsed {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_date: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    service_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    region: String,
}

impl AccessKey {
    /// Takes a key over; none when it has no id.
    pub fn of(key: types::AccessKeyMetadata) -> Option<AccessKey> {
        Some(AccessKey {
            user_name: key.user_name?,
            access_key_id: key.access_key_id?,
            status: key.status.as_ref().map(|status| status.as_str().to_owned()),
            create_date: some_time(key.create_date.as_ref()),
            access_key_last_used: None,
        })
    }

    /// Adds when the key was last used. What the SDK filled in for a missing member is left out.
    pub fn set_last_used(&mut self, last: &types::AccessKeyLastUsed) {
        self.access_key_last_used = Some(LastUsed {
            last_used_date: some_time(last.last_used_date()),
            service_name: last.service_name().to_owned(),
            region: last.region().to_owned(),
        });
    }
}

/// `list-policy-tags`, pages merged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct Tags<'a> {
    pub tags: Vec<Tag<'a>>,
    pub is_truncated: bool,
    pub arn: &'a str,
}

/// `get-key-last-usage`, with what `describe-key` says of other Regions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct KeyUsage<'a> {
    key_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_creation_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_last_usage: Option<LastUsage<'a>>,
    arn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_region: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_region_configuration: Option<MultiRegion<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastUsage<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_trail_event_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_request_id: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MultiRegion<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_region_key_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_key: Option<Relative<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replica_keys: Option<Vec<Relative<'a>>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Relative<'a> {
    arn: Option<&'a str>,
    region: Option<&'a str>,
}

impl<'a> From<&'a kms::Relative> for Relative<'a> {
    fn from(key: &'a kms::Relative) -> Relative<'a> {
        Relative { arn: key.arn.as_deref(), region: key.region.as_deref() }
    }
}

/// Returns a time of a service that speaks JSON as the AWS CLI prints it: to the microsecond, which the nearest number with a
/// point may miss by one.
#[expect(clippy::cast_possible_truncation, reason = "of a time before the year 10000, see `aws::json::seconds`")]
fn of_seconds(seconds: f64) -> String {
    const MICROS: i64 = 1_000_000;
    let micros = (seconds * 1e6).round() as i64;
    let whole = time(&DateTime::from_secs(micros.div_euclid(MICROS)));
    match (micros.rem_euclid(MICROS), whole.split_once('+')) {
        (0, _) | (_, None) => whole,
        (micros, Some((whole, zone))) => format!("{whole}.{micros:06}+{zone}"),
    }
}

impl<'a> KeyUsage<'a> {
    /// Puts both answers together. An empty `KeyLastUsage` says that there is no use on record; a missing one says nothing.
    pub fn new(arn: &'a str, metadata: &'a kms::KeyMetadata, usage: &'a kms::KeyUsage) -> KeyUsage<'a> {
        let configuration = metadata.multi_region_configuration.as_ref().map(|configuration| MultiRegion {
            multi_region_key_type: configuration.multi_region_key_type.as_deref(),
            primary_key: configuration.primary_key.as_ref().map(Relative::from),
            replica_keys: configuration.replica_keys.as_ref().map(|keys| keys.iter().map(Relative::from).collect()),
        });
        KeyUsage {
            key_id: usage.key_id.as_deref().unwrap_or_default(),
            key_creation_date: usage.key_creation_date.map(of_seconds),
            tracking_start_date: usage.tracking_start_date.map(of_seconds),
            key_last_usage: usage.key_last_usage.as_ref().map(|last| LastUsage {
                operation: last.operation.as_deref(),
                timestamp: last.timestamp.map(of_seconds),
                cloud_trail_event_id: last.cloud_trail_event_id.as_deref(),
                kms_request_id: last.kms_request_id.as_deref(),
            }),
            arn,
            multi_region: metadata.multi_region,
            multi_region_configuration: configuration,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_that_aws_sent() {
        for (seconds, expected) in [
            (1_765_432_101.987, "2025-12-11T05:48:21.987000+00:00"),
            (1_790_000_000.123, "2026-09-21T14:13:20.123000+00:00"),
            (1_790_000_000.999_999_9, "2026-09-21T14:13:21+00:00"),
            (1_790_000_000.0, "2026-09-21T14:13:20+00:00"),
            (0.5, "1970-01-01T00:00:00.500000+00:00"),
        ] {
            assert_eq!(of_seconds(seconds), expected);
            assert!(expected.parse::<secateur_analyzer::time::UnixTime>().is_ok());
        }
    }
}
