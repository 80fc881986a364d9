//! What goes wrong on demand.

use std::process::{Command, Stdio};

use serde_json::json;

use super::cloud::{Cloud, allow, operator};

fn user(cloud: &Cloud) -> std::io::Result<super::cloud::Reply> {
    cloud.query(&operator(), "iam", "CreateUser", &[("UserName", "ann")])
}

fn exists(cloud: &Cloud) -> bool {
    cloud.try_iam("GetUser", &[("UserName", "ann")]).status == 200
}

#[test]
fn a_throttled_call_is_not_done() {
    let cloud = Cloud::new();
    cloud.control("faults", json!({"operation": "CreateUser", "effect": "throttle"}));
    let reply = user(&cloud).unwrap();
    assert_eq!(
        (reply.status, reply.text("Code").as_str(), reply.text("Message").as_str()),
        (400, "Throttling", "Rate exceeded")
    );
    assert!(!exists(&cloud));
    assert_eq!(user(&cloud).unwrap().status, 200, "the next one is");
}

#[test]
fn a_reset_call_is_not_done_and_one_whose_answer_is_lost_is() {
    for (effect, is_done) in [("reset", false), ("answer-lost", true), ("truncate", true)] {
        let cloud = Cloud::new();
        cloud.control("faults", json!({"operation": "writes", "effect": effect}));
        assert!(user(&cloud).is_err(), "{effect}");
        assert_eq!(exists(&cloud), is_done, "{effect}");
    }
}

#[test]
fn a_slow_call_is_answered_later() {
    let cloud = Cloud::new();
    cloud.control("faults", json!({"operation": "CreateUser", "effect": "slow", "millis": 80}));
    let start = std::time::Instant::now();
    assert_eq!(user(&cloud).unwrap().status, 200);
    assert!(start.elapsed().as_millis() >= 80);
}

#[test]
fn a_session_expires_between_two_calls() {
    let cloud = Cloud::new();
    let arn = cloud.role("job", &allow(&["*"]));
    let key = cloud.credentials(&arn);
    let call = || cloud.query(&key, "iam", "ListUsers", &[]).unwrap();
    cloud.control("faults", json!({"operation": "ListUsers", "skip": 1, "effect": "expire-session"}));
    assert_eq!(call().status, 200);
    assert_eq!(call().text("Code"), "ExpiredToken");
    assert_eq!(call().text("Code"), "ExpiredToken");
}

#[test]
fn an_entity_is_deleted_between_two_calls() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:*"]));
    cloud.control("faults", json!({"operation": "ListUsers", "effect": "delete", "arn": arn}));
    assert_eq!(cloud.iam("ListUsers", &[]).texts("UserName"), ["ann"]);
    assert!(!exists(&cloud));
}

#[test]
fn a_fault_is_for_calls_with_certain_parameters() {
    let cloud = Cloud::new();
    let fault = json!({"operation": "CreateUser", "parameters": {"UserName": "bob"}, "effect": "throttle"});
    cloud.control("faults", fault);
    assert_eq!(user(&cloud).unwrap().status, 200);
    cloud.refused("CreateUser", &[("UserName", "bob")], 400, "Throttling");
}

#[cfg(unix)]
#[test]
fn a_process_is_killed_before_or_after_a_call() {
    for after in [false, true] {
        let cloud = Cloud::new();
        let mut victim = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        let fault = json!({"operation": "writes", "effect": "kill", "pid": victim.id(), "after": after});
        cloud.control("faults", fault);
        assert!(user(&cloud).is_err());
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&victim.wait().unwrap()), Some(9));
        assert_eq!(exists(&cloud), after);
    }
}

#[test]
fn an_unknown_fault_is_refused() {
    let cloud = Cloud::new();
    let words = cloud.running.control("POST", "faults", &json!({"operation": "*", "effect": "magic"})).unwrap_err();
    assert!(words.contains("magic"), "{words}");
}
