//! KMS: the two calls that are made to it.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::Clients;
use super::endpoint::Service;
use super::json::{Action, Protocol, Sent, seconds};

static DESCRIBE_KEY: Action = action("DescribeKey");
static GET_KEY_LAST_USAGE: Action = action("GetKeyLastUsage");

const fn action(name: &'static str) -> Action {
    let service = Service { name: "kms", id: "KMS", is_global: false };
    Action { service, name, protocol: Protocol::Target("TrentService") }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    key_id: &'a str,
}

/// What `DescribeKey` answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Described {
    pub key_metadata: Option<KeyMetadata>,
}

/// What a key is, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyMetadata {
    pub arn: Option<String>,
    pub multi_region: Option<bool>,
    pub multi_region_configuration: Option<MultiRegion>,
}

/// Where else a key is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MultiRegion {
    pub multi_region_key_type: Option<String>,
    pub primary_key: Option<Relative>,
    pub replica_keys: Option<Vec<Relative>>,
}

/// The same key in another Region.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Relative {
    pub arn: Option<String>,
    pub region: Option<String>,
}

/// What `GetKeyLastUsage` answers. Its times are seconds since 1970.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyUsage {
    pub key_id: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    pub key_creation_date: Option<f64>,
    #[serde(default, deserialize_with = "seconds")]
    pub tracking_start_date: Option<f64>,
    pub key_last_usage: Option<LastUsage>,
}

/// The last use; all of it is absent when there is none on record.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LastUsage {
    pub operation: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    pub timestamp: Option<f64>,
    pub cloud_trail_event_id: Option<String>,
    pub kms_request_id: Option<String>,
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

impl LastUsage {
    /// Whether it tells of a use and not when that was: `{}` alone says that there was none.
    pub(crate) fn is_torn(&self) -> bool {
        let names = [&self.operation, &self.cloud_trail_event_id, &self.kms_request_id];
        self.timestamp.is_none() && (names.iter().any(|name| name.is_some()) || !self.others.is_empty())
    }
}

impl Clients {
    /// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>.
    pub(crate) async fn describe_key(&self, region: &str, key_id: &str) -> Sent<Described> {
        self.json().call(&DESCRIBE_KEY, Some(region), &Input { key_id }).await
    }

    /// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html>.
    pub(crate) async fn get_key_last_usage(&self, region: &str, key_id: &str) -> Sent<KeyUsage> {
        self.json().call(&GET_KEY_LAST_USAGE, Some(region), &Input { key_id }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_says_that_there_was_no_use_but_an_empty_object() {
        let check = |json: &str, expect: bool| {
            let usage: LastUsage = serde_json::from_str(json).unwrap();
            assert_eq!(usage.is_torn(), expect, "{json}");
        };
        check("{}", false);
        check(r#"{"Timestamp": 1790000000, "Operation": "Decrypt"}"#, false);
        check(r#"{"Operation": "Decrypt"}"#, true);
        check(r#"{"LastUsedAt": 1790000000}"#, true);
    }

    #[test]
    fn the_beginning_of_time_is_no_time() {
        let usage = |time: &str| serde_json::from_str::<KeyUsage>(&format!(r#"{{"TrackingStartDate": {time}}}"#));
        assert!(usage("0").is_err());
        assert!(usage("1790000000").is_ok_and(|usage| usage.tracking_start_date.is_some()));
    }
}
