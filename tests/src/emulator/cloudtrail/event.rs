//! Events.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::emulator::time::Time;

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// The id.
    pub id: String,
    /// The operation.
    pub name: String,
    /// The service: `iam.amazonaws.com`.
    pub source: String,
    /// When.
    pub time: Time,
    /// Who, as `Username` has it: the user, or the session.
    pub user_name: String,
    /// The ARN of who called.
    pub user_arn: String,
    /// The access key that signed.
    pub access_key: String,
    /// The account.
    pub account: String,
    /// The Region: of global services their home Region.
    pub region: String,
    /// The parameters, by the names of the API.
    pub parameters: BTreeMap<String, String>,
    /// Code and message, if the call failed.
    pub error: Option<(String, String)>,
    /// The request's id.
    pub request_id: String,
}

/// The event history, in order of time.
#[derive(Clone, Debug, Default)]
pub struct Trail(pub Vec<Event>);

impl Trail {
    /// Adds an event.
    pub fn add(&mut self, event: Event) {
        let at = self.0.partition_point(|other| other.time <= event.time);
        self.0.insert(at, event);
    }
}

/// The Region in which global services record their events.
pub fn home_region(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    }
}

/// The types of the resources that events name, with the parameters that name them.
const RESOURCES: [(&str, &str); 5] = [
    ("UserName", "AWS::IAM::User"),
    ("RoleName", "AWS::IAM::Role"),
    ("GroupName", "AWS::IAM::Group"),
    ("PolicyArn", "AWS::IAM::Policy"),
    ("AccessKeyId", "AWS::IAM::AccessKey"),
];

impl Event {
    /// The resources that it names: type and name.
    pub fn resources(&self) -> Vec<(&'static str, &str)> {
        let of_parameter =
            |(member, kind): &(&str, &'static str)| Some((*kind, self.parameters.get(*member)?.as_str()));
        let mut all: Vec<_> = RESOURCES.iter().filter_map(of_parameter).collect();
        if let Some(name) = self.parameters.get("PolicyName") {
            all.push(("AWS::IAM::Policy", name));
        }
        all
    }

    /// The event as `LookupEvents` answers it.
    pub fn answer(&self) -> Value {
        let resources: Vec<Value> =
            self.resources().iter().map(|(kind, name)| json!({"ResourceType": kind, "ResourceName": name})).collect();
        json!({
            "EventId": self.id,
            "EventName": self.name,
            "ReadOnly": "false",
            "AccessKeyId": self.access_key,
            "EventTime": self.time.epoch(),
            "EventSource": self.source,
            "Username": self.user_name,
            "Resources": resources,
            "CloudTrailEvent": self.record().to_string(),
        })
    }

    /// The whole record.
    ///
    /// See <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>.
    fn record(&self) -> Value {
        let camel = |name: &str| {
            let mut letters = name.chars();
            letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect::<String>()
        };
        let parameters: Map<String, Value> =
            self.parameters.iter().map(|(name, value)| (camel(name), Value::from(value.as_str()))).collect();
        let kind = if self.user_arn.contains(":assumed-role/") {
            "AssumedRole"
        } else if self.user_arn.ends_with(":root") {
            "Root"
        } else {
            "IAMUser"
        };
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": kind,
                "arn": self.user_arn,
                "accountId": self.account,
                "accessKeyId": self.access_key,
            },
            "eventTime": self.time.to_string(),
            "eventSource": self.source,
            "eventName": self.name,
            "awsRegion": self.region,
            "requestParameters": parameters,
            "responseElements": null,
            "requestID": self.request_id,
            "eventID": self.id,
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": self.account,
            "eventCategory": "Management",
        });
        if let (Some((code, message)), Some(members)) = (&self.error, record.as_object_mut()) {
            // A refusal is the one code that the history has as it is on the wire.
            let code = if code == "AccessDenied" { code.clone() } else { format!("{code}Exception") };
            members.insert(String::from("errorCode"), code.into());
            members.insert(String::from("errorMessage"), message.as_str().into());
        }
        record
    }
}
