//! CloudTrail: the one call that is made to it.

use serde::{Deserialize, Serialize};

use super::Clients;
use super::endpoint::Service;
use super::json::{Action, Protocol, Sent, seconds};

static LOOKUP_EVENTS: Action = Action {
    service: Service { name: "cloudtrail", id: "CloudTrail", is_global: false },
    name: "LookupEvents",
    protocol: Protocol::Target("CloudTrail_20131101"),
};

/// Which events are asked for: those of one name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lookup<'a> {
    pub event_name: &'a str,
    /// From when to when, in seconds since 1970.
    pub between: Option<(i64, i64)>,
    pub max_results: i32,
    pub next_token: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    lookup_attributes: [Attribute<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<i64>,
    max_results: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute<'a> {
    attribute_key: &'a str,
    attribute_value: &'a str,
}

/// A page of events.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Events {
    pub events: Option<Vec<Event>>,
    pub next_token: Option<String>,
}

/// An event. Its time is in seconds since 1970; `cloud_trail_event` is its record, as JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Event {
    pub event_id: Option<String>,
    pub event_name: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    pub event_time: Option<f64>,
    pub event_source: Option<String>,
    pub cloud_trail_event: Option<String>,
}

impl Clients {
    /// See <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>.
    pub(crate) async fn lookup_events(&self, region: &str, lookup: Lookup<'_>) -> Sent<Events> {
        let Lookup { event_name, between, max_results, next_token } = lookup;
        let input = Input {
            lookup_attributes: [Attribute { attribute_key: "EventName", attribute_value: event_name }],
            start_time: between.map(|(from, _)| from),
            end_time: between.map(|(_, to)| to),
            max_results,
            next_token,
        };
        self.json().call(&LOOKUP_EVENTS, Some(region), &input).await
    }
}
