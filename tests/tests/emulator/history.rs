//! CloudTrail's event history.

use serde_json::{Value, json};

use super::cloud::{Cloud, allow};

fn lookup(cloud: &Cloud, region: &str, body: &Value) -> super::cloud::Reply {
    cloud.json(region, "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", body)
}

fn names(cloud: &Cloud, body: &Value) -> Vec<String> {
    let events = lookup(cloud, "us-east-1", body).value()["Events"].as_array().unwrap().clone();
    events.iter().map(|event| event["EventName"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn writes_are_events_of_the_home_region_newest_first() {
    let cloud = Cloud::new();
    cloud.user("ann", &allow(&["sqs:*"]));
    cloud.control("clock", json!({"advance_seconds": 60}));
    cloud.refused("CreateUser", &[("UserName", "ann")], 409, "EntityAlreadyExists");
    cloud.iam("ListUsers", &[]);
    assert_eq!(names(&cloud, &json!({})), ["CreateUser", "PutUserPolicy", "CreateUser"]);
    let event = lookup(&cloud, "us-east-1", &json!({})).value()["Events"][1].clone();
    let record: Value = serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(
        (record["requestParameters"]["userName"].as_str(), record["readOnly"].as_bool()),
        (Some("ann"), Some(false))
    );
    assert_eq!(record["eventSource"], "iam.amazonaws.com");
    let failed = lookup(&cloud, "us-east-1", &json!({})).value()["Events"][0].clone();
    assert!(failed["CloudTrailEvent"].as_str().unwrap().contains("\"errorCode\":\"EntityAlreadyExistsException\""));
    assert_eq!(lookup(&cloud, "eu-west-1", &json!({})).value()["Events"], json!([]));
}

#[test]
fn events_are_looked_up_by_one_attribute_and_by_time_in_pages_of_90_days() {
    let cloud = Cloud::new();
    cloud.user("ann", &allow(&["sqs:*"]));
    let by = |key: &str, value: &str| json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]});
    assert_eq!(names(&cloud, &by("EventName", "PutUserPolicy")), ["PutUserPolicy"]);
    assert_eq!(names(&cloud, &by("ResourceName", "ann")).len(), 2);
    assert_eq!(names(&cloud, &json!({"StartTime": 1_791_612_001})), [""; 0]);
    let first = lookup(&cloud, "us-east-1", &json!({"MaxResults": 1})).value();
    let second = lookup(&cloud, "us-east-1", &json!({"MaxResults": 1, "NextToken": first["NextToken"]})).value();
    assert_eq!(second["Events"][0]["EventName"], "CreateUser");
    assert!(second["NextToken"].is_null());
    let two = json!({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "x"}, {}]});
    let code = |body: &Value| lookup(&cloud, "us-east-1", body).value()["__type"].clone();
    assert_eq!(code(&two), "InvalidLookupAttributesException");
    assert_eq!(code(&json!({"StartTime": 2, "EndTime": 1})), "InvalidTimeRangeException");
    assert_eq!(code(&json!({"MaxResults": 51})), "InvalidMaxResultsException");
    cloud.control("clock", json!({"advance_seconds": 91 * 86400}));
    assert_eq!(names(&cloud, &json!({})), [""; 0]);
}
