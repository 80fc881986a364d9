//! `grants.json`: the successful IAM write calls that CloudTrail's event history tells of. A form of secateur's own.

use secateur_analyzer::account::{GrantEvent, GrantHistory};
use secateur_analyzer::arn::Arn;
use secateur_analyzer::time::UnixTime;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::SnapshotError;
use super::inventory::SnapshotFile;
use super::json;
use super::manifest::check_version;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct Grants {
    #[serde(rename = "format_version")]
    _format_version: u32,
    from: UnixTime,
    to: UnixTime,
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object, an IAM write call")]
struct Event {
    event_time: UnixTime,
    event_name: String,
    // For who wants to find the event again; nothing depends on it.
    #[serde(rename = "event_id")]
    _event_id: Option<IgnoredAny>,
    user_name: Option<String>,
    role_name: Option<String>,
    group_name: Option<String>,
    policy_name: Option<String>,
    policy_arn: Option<Arn>,
}

/// Returns the calls by time; those of one second stay in the file's order.
pub(super) fn read(file: &SnapshotFile, bytes: &[u8]) -> Result<GrantHistory, SnapshotError> {
    check_version(file, bytes)?;
    let grants: Grants = json::parse(file, bytes)?;
    let mut events: Vec<GrantEvent> = grants.events.into_iter().map(GrantEvent::from).collect();
    events.sort_by_key(|event| event.time);
    Ok(GrantHistory { from: grants.from, to: grants.to, events })
}

impl From<Event> for GrantEvent {
    fn from(event: Event) -> GrantEvent {
        GrantEvent {
            time: event.event_time,
            name: event.event_name,
            user_name: event.user_name,
            role_name: event.role_name,
            group_name: event.group_name,
            policy_name: event.policy_name,
            policy_arn: event.policy_arn,
        }
    }
}
