//! Pacing, the log of calls, and sameness.

use secateur_tests::emulator::Options;
use serde_json::json;

use super::cloud::{Cloud, NOW, allow, operator};

#[test]
fn buckets_throttle_by_rate_and_burst() {
    let cloud = Cloud::with(Options {
        rate: Some(5.0),
        burst: Some(3.0),
        now: Some(NOW.into()),
        frozen: true,
        ..Default::default()
    });
    let codes: Vec<u16> = (0..5).map(|_| cloud.try_iam("ListUsers", &[]).status).collect();
    assert_eq!(codes, [200, 200, 200, 400, 400]);
    assert_eq!(cloud.try_iam("ListUsers", &[]).text("Message"), "Rate exceeded");
    cloud.control("clock", json!({"advance_seconds": 0.4}));
    let codes: Vec<u16> = (0..3).map(|_| cloud.try_iam("ListUsers", &[]).status).collect();
    assert_eq!(codes, [200, 200, 400]);
    cloud.control("pacing", json!({"over": "*"}));
    cloud.control("pacing", json!({"over": "iam:ListRoles", "rate": 1, "burst": 1}));
    cloud.iam("ListRoles", &[]);
    cloud.refused("ListRoles", &[], 400, "Throttling");
    cloud.iam("ListUsers", &[]);
}

#[test]
fn every_call_is_in_the_log() {
    let cloud = Cloud::new();
    cloud.iam("CreateUser", &[("UserName", "ann")]);
    cloud.refused("GetUser", &[("UserName", "bob")], 404, "NoSuchEntity");
    let calls = cloud.running.control("GET", "calls", &json!(null)).unwrap();
    assert_eq!((calls[0]["operation"].as_str(), calls[0]["status"].as_i64()), (Some("CreateUser"), Some(200)));
    assert_eq!(calls[0]["parameters"], json!({"UserName": "ann"}));
    assert_eq!((calls[1]["error"].as_str(), calls[1]["number"].as_i64()), (Some("NoSuchEntity"), Some(2)));
    assert_eq!(cloud.running.control("GET", "calls?after=1", &json!(null)).unwrap().as_array().unwrap().len(), 1);
    let counts = cloud.running.control("GET", "calls/counts", &json!(null)).unwrap();
    assert_eq!(counts["operations"]["iam:GetUser"], 1);
    let text = calls.to_string();
    assert!(!text.contains("Signature") && !text.contains("SecretAccessKey"));
}

#[test]
fn the_same_seed_clock_and_calls_give_the_same_answers() {
    let run = || {
        let cloud = Cloud::new();
        let arn = cloud.role("job", &allow(&["sqs:*"]));
        let job = cloud.generate(&arn);
        let key = cloud.iam("ListUsers", &[]).body;
        (cloud.iam("GetServiceLastAccessedDetails", &[("JobId", &job)]).body, key)
    };
    assert_eq!(run(), run());
}

#[test]
fn calls_are_use_themselves_attempts_that_are_denied_too() {
    let cloud = Cloud::with(Options { now: Some(NOW.into()), frozen: true, ..Default::default() });
    let arn = cloud.user("ann", &allow(&["iam:GetUser"]));
    let key = cloud.credentials(&arn);
    cloud.control("behaviour", json!({"enforce": true}));
    assert_eq!(cloud.query(&key, "iam", "ListUsers", &[]).unwrap().text("Code"), "AccessDenied");
    let rows = cloud.report(&arn);
    assert_eq!((rows[0].namespace.as_str(), rows[0].last.as_deref()), ("iam", Some(NOW)));
}

#[test]
fn the_control_endpoint_answers_over_http() {
    let cloud = Cloud::new();
    let reply = cloud.send("/_emulator/clock", "", r#"{"advance_seconds": 60}"#).unwrap();
    assert_eq!(reply.value()["now"], "2026-10-10T06:01:00Z");
    assert_eq!(cloud.send("/_emulator/magic", "", "{}").unwrap().status, 400);
    assert_eq!(cloud.query(&operator(), "sts", "GetCallerIdentity", &[]).unwrap().status, 200);
}
