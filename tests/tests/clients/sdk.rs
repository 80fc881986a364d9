//! The Rust SDK.

use std::collections::BTreeMap;

use aws_credential_types::Credentials;
use aws_sdk_iam::config::{BehaviorVersion, Region};
use aws_sdk_iam::types::{AccessAdvisorUsageGranularityType, JobStatusType, ServiceLastAccessed};
use percent_encoding::percent_decode_str;
use secateur_tests::emulator::{OPERATOR_KEY, OPERATOR_SECRET};
use serde_json::{Map, Value, json};

/// Clients of all services, in one Region.
pub struct Clients {
    pub iam: aws_sdk_iam::Client,
    pub sts: aws_sdk_sts::Client,
    pub kms: aws_sdk_kms::Client,
    pub account: aws_sdk_account::Client,
    pub cloudtrail: aws_sdk_cloudtrail::Client,
}

/// Gives a client: each service's configuration is a type of its own.
macro_rules! client {
    ($service:ident, $url:expr, $region:expr, $credentials:expr) => {{
        let config = $service::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new($region.to_owned()))
            .credentials_provider($credentials.clone())
            .endpoint_url($url)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        $service::Client::from_conf(config)
    }};
}

impl Clients {
    pub fn new(url: &str, region: &str, credentials: &Credentials) -> Self {
        Self {
            iam: client!(aws_sdk_iam, url, region, credentials),
            sts: client!(aws_sdk_sts, url, region, credentials),
            kms: client!(aws_sdk_kms, url, region, credentials),
            account: client!(aws_sdk_account, url, region, credentials),
            cloudtrail: client!(aws_sdk_cloudtrail, url, region, credentials),
        }
    }
}

pub fn operator() -> Credentials {
    Credentials::new(OPERATOR_KEY, OPERATOR_SECRET, None, None, "emulator")
}

/// A document as boto3 has it: decoded and parsed, or as it came.
fn document(text: Option<&str>) -> Value {
    let Some(text) = text else { return Value::Null };
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    serde_json::from_str(&decoded).unwrap_or_else(|_| Value::from(text))
}

/// An entity in the form that all clients share.
macro_rules! entity {
    ($row:expr, $id:ident, $inline:ident) => {{
        let inline = $row.$inline().iter();
        let inline: Map<String, Value> = inline
            .map(|one| (one.policy_name().unwrap_or_default().to_owned(), document(one.policy_document())))
            .collect();
        let attached: Vec<_> = $row.attached_managed_policies().iter().map(|one| one.policy_arn()).collect();
        json!({
            "id": $row.$id(),
            "inline": inline,
            "attached": attached,
            "tags": {},
            "groups": [],
            "boundary": null,
            "created": $row.create_date().map(|date| date.secs()),
        })
    }};
}

fn tags(tags: &[aws_sdk_iam::types::Tag]) -> Value {
    tags.iter().map(|tag| (tag.key().to_owned(), Value::from(tag.value()))).collect::<Map<_, _>>().into()
}

fn boundary(boundary: Option<&aws_sdk_iam::types::AttachedPermissionsBoundary>) -> Value {
    boundary.and_then(|boundary| boundary.permissions_boundary_arn()).into()
}

fn row(row: &ServiceLastAccessed) -> Value {
    let actions = row.tracked_actions_last_accessed().iter();
    let actions: Map<String, Value> = actions
        .map(|one| (one.action_name().unwrap().to_owned(), one.last_accessed_time().map(|time| time.secs()).into()))
        .collect();
    json!([row.last_authenticated().map(|time| time.secs()), row.total_authenticated_entities(), actions])
}

async fn report(iam: &aws_sdk_iam::Client, arn: &str) -> Value {
    let started = iam.generate_service_last_accessed_details().arn(arn);
    let started = started.granularity(AccessAdvisorUsageGranularityType::ActionLevel).send().await.unwrap();
    let mut rows = Map::new();
    let mut marker = None;
    loop {
        let page = iam.get_service_last_accessed_details().job_id(started.job_id().unwrap()).set_marker(marker);
        let page = page.send().await.unwrap();
        assert_eq!(page.job_status(), &JobStatusType::Completed);
        assert_eq!(page.job_type(), Some(&AccessAdvisorUsageGranularityType::ActionLevel));
        rows.extend(page.services_last_accessed().iter().map(|one| (one.service_namespace().to_owned(), row(one))));
        if !page.is_truncated() {
            return rows.into();
        }
        marker = page.marker().map(str::to_owned);
    }
}

/// Reads the whole account, see `read.py` for the form.
pub async fn read(url: &str, region: &str) -> Value {
    let clients = Clients::new(url, region, &operator());
    let iam = &clients.iam;
    let (mut entities, mut policies) = (BTreeMap::new(), Map::new());
    let mut users = Vec::new();
    let mut pages = iam.get_account_authorization_details().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        for user in page.user_detail_list() {
            let mut own = entity!(user, user_id, user_policy_list);
            own["tags"] = tags(user.tags());
            own["groups"] = user.group_list().into();
            own["boundary"] = boundary(user.permissions_boundary());
            users.push(user.user_name().unwrap().to_owned());
            entities.insert(user.arn().unwrap().to_owned(), own);
        }
        for role in page.role_detail_list() {
            let mut own = entity!(role, role_id, role_policy_list);
            own["tags"] = tags(role.tags());
            own["boundary"] = boundary(role.permissions_boundary());
            entities.insert(role.arn().unwrap().to_owned(), own);
        }
        for group in page.group_detail_list() {
            entities.insert(group.arn().unwrap().to_owned(), entity!(group, group_id, group_policy_list));
        }
        for policy in page.policies() {
            let versions = policy.policy_version_list().iter();
            let versions: Map<String, Value> =
                versions.map(|one| (one.version_id().unwrap().to_owned(), document(one.document()))).collect();
            let own = json!({"default": policy.default_version_id(), "attached": policy.attachment_count(), "versions": versions});
            policies.insert(policy.arn().unwrap().to_owned(), own);
        }
    }
    let mut reports = Map::new();
    for arn in entities.keys().filter(|arn| !arn.contains(":group/")) {
        reports.insert(arn.clone(), report(iam, arn).await);
    }
    let mut access_keys = Map::new();
    for user in &users {
        let keys = iam.list_access_keys().user_name(user).send().await.unwrap();
        for key in keys.access_key_metadata() {
            let id = key.access_key_id().unwrap();
            let used = iam.get_access_key_last_used().access_key_id(id).send().await.unwrap();
            let date = used.access_key_last_used().and_then(|used| used.last_used_date()).map(|date| date.secs());
            access_keys.insert(id.to_owned(), date.into());
        }
    }
    let mut regions = Vec::new();
    let mut pages = clients.account.list_regions().into_paginator().send();
    while let Some(page) = pages.next().await {
        regions.extend(page.unwrap().regions().iter().map(|one| one.region_name().unwrap().to_owned()));
    }
    let home = Clients::new(url, "us-east-1", &operator());
    let mut keys = Map::new();
    for kms in [&clients.kms, &home.kms] {
        let mut pages = kms.list_keys().into_paginator().send();
        while let Some(page) = pages.next().await {
            for key in page.unwrap().keys() {
                let arn = key.key_arn().unwrap();
                assert_eq!(
                    kms.describe_key().key_id(arn).send().await.unwrap().key_metadata().unwrap().arn(),
                    Some(arn)
                );
                let answer = kms.get_key_last_usage().key_id(arn).send().await.unwrap();
                let usage = answer.key_last_usage();
                let operation = usage.and_then(|usage| usage.operation()).map(|operation| operation.as_str());
                let time = usage.and_then(|usage| usage.timestamp()).map(|time| time.secs());
                keys.insert(arn.to_owned(), json!([operation, time]));
            }
        }
    }
    let mut events = Vec::new();
    let mut pages = home.cloudtrail.lookup_events().into_paginator().send();
    while let Some(page) = pages.next().await {
        events.extend(page.unwrap().events().iter().map(|event| event.event_id().unwrap().to_owned()));
    }
    events.sort();
    let caller = clients.sts.get_caller_identity().send().await.unwrap();
    json!({
        "entities": entities, "policies": policies, "reports": reports, "access_keys": access_keys, "regions": regions,
        "keys": keys, "events": events, "caller": caller.arn(),
    })
}
