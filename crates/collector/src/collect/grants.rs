//! When permissions were granted: the IAM write calls of the last 90 days, from CloudTrail's event history.

use std::sync::Arc;

use aws_sdk_iam::primitives::DateTime;
use secateur_analyzer::time::{DAY, UnixTime};
use serde::Serialize;
use serde_json::Value;

use super::CollectError;
use super::pages::Pages;
use super::run::{Answer, Run};
use crate::FORMAT_VERSION;
use crate::aws::cloudtrail::{Event, Lookup};
use crate::aws::{AwsError, Call};

const GRANTS: &str = "grants.json";

/// How far back CloudTrail keeps events.
///
/// See <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html>.
const HISTORY: i64 = 90 * DAY;

/// The IAM calls that change what somebody may do, or who somebody is, or whether an access key can be used. A look-up takes one name; by IAM as the source of
/// events all that was ever read there would come too.
///
/// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>.
pub(super) const CALLS: [&str; 33] = [
    "AddUserToGroup",
    "AttachGroupPolicy",
    "AttachRolePolicy",
    "AttachUserPolicy",
    "CreateGroup",
    "CreatePolicy",
    "CreatePolicyVersion",
    "CreateRole",
    "CreateServiceLinkedRole",
    "CreateUser",
    "DeleteGroup",
    "DeleteGroupPolicy",
    "DeletePolicy",
    "DeletePolicyVersion",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DeleteUserPermissionsBoundary",
    "DeleteUserPolicy",
    "DetachGroupPolicy",
    "DetachRolePolicy",
    "DetachUserPolicy",
    "PutGroupPolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
    "RemoveUserFromGroup",
    "SetDefaultPolicyVersion",
    "UpdateAccessKey",
    "UpdateAssumeRolePolicy",
    "UpdateGroup",
    "UpdateRole",
    "UpdateUser",
];

/// The form of the file.
#[derive(Debug, Serialize)]
struct Grants {
    format_version: u32,
    from: UnixTime,
    to: UnixTime,
    events: Vec<Grant>,
}

/// A call that was done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Grant {
    event_time: UnixTime,
    event_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_arn: Option<String>,
}

/// Collects the history up to now. Half of one would prove that nothing was granted where something was: it is whole or absent.
///
/// It is read in every run, however young the one is that is there: the authorization details are, too, and a history that
/// ends before them says nothing of what was granted in between. CloudTrail also tells of some calls late.
pub(super) async fn collect(run: &Arc<Run>) -> Result<(), CollectError> {
    let to = run.session.now();
    let from = to.plus(-HISTORY);
    let mut grants = Vec::new();
    for name in CALLS {
        match run.whole(|| lookup(run, name, from, to)).await? {
            Ok(found) => grants.extend(found),
            Err(error) => {
                run.gap_of(GRANTS, &error);
                return Ok(());
            }
        }
    }
    grants.sort();
    grants.dedup();
    run.put(GRANTS.to_owned(), &Grants { format_version: FORMAT_VERSION, from, to, events: grants }).await
}

async fn lookup(run: &Run, name: &'static str, from: UnixTime, to: UnixTime) -> Answer<Vec<Grant>> {
    let call = Call::new("cloudtrail:LookupEvents").on(name);
    let region = run.session.identity().home_region();
    let (mut grants, mut pages, mut token) = (Vec::new(), Pages::default(), None::<String>);
    loop {
        let between = Some((from.0, to.0));
        let lookup = Lookup { event_name: name, between, max_results: 50, next_token: token.as_deref() };
        let page = match run.call(&call, async |aws| aws.lookup_events(region, lookup).await).await? {
            Ok(page) => page.value,
            Err(error) => return Ok(Err(error)),
        };
        // A page without events has an empty list of them; without the list it is no page.
        let Some(events) = &page.events else {
            return Ok(Err(AwsError::answer(&call, "the answer has no `Events`")));
        };
        for event in events {
            match grant(event, from, to) {
                Ok(grant) => grants.extend(grant),
                Err(lack) => return Ok(Err(AwsError::answer(&call, lack))),
            }
        }
        token = match pages.next(&call, page.next_token.is_some(), page.next_token.as_deref()) {
            Ok(Some(token)) => Some(token),
            Ok(None) => return Ok(Ok(grants)),
            Err(error) => return Ok(Err(error)),
        };
    }
}

/// Returns what an event says; nothing of a call that failed, or was made to another service.
fn grant(event: &Event, from: UnixTime, to: UnixTime) -> Result<Option<Grant>, &'static str> {
    if event.event_source.as_ref().is_some_and(|source| source != "iam.amazonaws.com") {
        return Ok(None);
    }
    let (Some(time), Some(name)) = (event.event_time, &event.event_name) else {
        return Err("an event says neither what nor when");
    };
    let time = UnixTime(DateTime::from_secs_f64(time).secs());
    if !(from.plus(-DAY)..=to.plus(DAY)).contains(&time) {
        return Err("an event is of another time than what was asked for");
    }
    // What was asked for and whether it was done stands in the record alone.
    let record = event.cloud_trail_event.as_ref().and_then(|record| serde_json::from_str::<Value>(record).ok());
    let Some(record) = record else { return Err("the record of an event is not JSON") };
    if record.get("errorCode").is_some_and(|code| !code.is_null()) {
        return Ok(None);
    }
    let parameter = |name: &str| record.get("requestParameters")?.get(name)?.as_str().map(str::to_owned);
    // `CreatePolicy` names what it makes in its answer.
    let made = || record.get("responseElements")?.get("policy")?.get("arn")?.as_str().map(str::to_owned);
    Ok(Some(Grant {
        event_time: time,
        event_name: name.clone(),
        event_id: event.event_id.clone(),
        user_name: parameter("userName"),
        role_name: parameter("roleName"),
        group_name: parameter("groupName"),
        policy_name: parameter("policyName"),
        policy_arn: parameter("policyArn").or_else(made),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(event: &Event) -> Result<Option<Grant>, &'static str> {
        super::grant(event, UnixTime(0), UnixTime(10))
    }

    fn event(record: &str) -> Event {
        Event {
            event_name: Some("PutRolePolicy".to_owned()),
            event_time: Some(7.0),
            event_source: Some("iam.amazonaws.com".to_owned()),
            cloud_trail_event: Some(record.to_owned()),
            ..Event::default()
        }
    }

    #[test]
    fn only_what_was_done_is_a_grant() {
        let done =
            grant(&event(r#"{"requestParameters": {"roleName": "ci", "policyName": "deploy"}}"#)).unwrap().unwrap();
        assert_eq!((done.role_name.as_deref(), done.policy_name.as_deref()), (Some("ci"), Some("deploy")));
        assert_eq!(grant(&event(r#"{"errorCode": "AccessDenied"}"#)), Ok(None));
        assert!(grant(&event("{")).is_err());
        assert!(grant(&Event::default()).is_err());
        // Of another year: the answer is not about what was asked.
        let late = Event { event_time: Some(4e8), ..event("{}") };
        assert!(grant(&late).is_err());
    }
}
