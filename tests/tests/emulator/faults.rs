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
fn somebody_else_answers_in_any_shape() {
    let cloud = Cloud::new();
    cloud.control("faults", json!({"operation": "CreateUser", "effect": "answer", "body": "<html>login</html>"}));
    cloud.control(
        "faults",
        json!({"operation": "CreateUser", "effect": "answer", "status": 302, "headers": {"location": "http://x/"}}),
    );
    let reply = user(&cloud).unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, "<html>login</html>"));
    assert_eq!(user(&cloud).unwrap().status, 302);
    assert!(!exists(&cloud));
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

/// Waits for what comes soon.
fn until(mut came: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !came() {
        assert!(start.elapsed().as_secs() < 20, "it did not come");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// How many calls are held.
fn held(cloud: &Cloud) -> usize {
    cloud.running.control("GET", "held", &json!(null)).unwrap().as_array().unwrap().len()
}

#[test]
fn a_held_call_waits_until_it_is_released() {
    for after in [false, true] {
        let cloud = Cloud::new();
        cloud.control("faults", json!({"operation": "writes", "skip": 1, "effect": "hold", "after": after}));
        cloud.iam("CreateGroup", &[("GroupName", "first")]);
        std::thread::scope(|scope| {
            let call = scope.spawn(|| user(&cloud));
            until(|| held(&cloud) == 1);
            assert_eq!(exists(&cloud), after, "others are not held");
            let call_held = &cloud.running.control("GET", "held", &json!(null)).unwrap()[0];
            assert_eq!(
                (call_held["operation"].as_str(), call_held["parameters"]["UserName"].as_str()),
                (Some("CreateUser"), Some("ann"))
            );
            assert_eq!(cloud.control("release", json!({}))["released"], 1);
            assert_eq!(call.join().unwrap().unwrap().status, 200);
        });
        assert!(exists(&cloud) && held(&cloud) == 0);
    }
}

#[cfg(unix)]
#[test]
fn a_client_that_is_killed_while_its_call_is_held_has_done_it_or_not() {
    for after in [false, true] {
        let cloud = Cloud::new();
        cloud.control("faults", json!({"operation": "writes", "effect": "hold", "after": after}));
        let script = "exec 3<>/dev/tcp/127.0.0.1/$0; printf '%s' \"$1\" >&3; exec cat <&3";
        let form = "Action=CreateUser&UserName=ann&Version=2010-05-08";
        let request = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n{}\r\n{form}",
            form.len(),
            super::cloud::authorization(&operator(), "iam", "us-east-1")
        );
        let port = cloud.running.port().to_string();
        let mut client =
            Command::new("bash").args(["-c", script, &port, &request]).stdin(Stdio::null()).spawn().unwrap();
        until(|| held(&cloud) == 1);
        client.kill().unwrap();
        client.wait().unwrap();
        until(|| held(&cloud) == 0);
        cloud.control("release", json!({}));
        assert_eq!(exists(&cloud), after);
    }
}

#[test]
fn one_write_shows_late() {
    let cloud = Cloud::new();
    cloud.control("faults", json!({"operation": "CreateUser", "effect": "late", "seconds": 10}));
    user(&cloud).unwrap();
    assert!(!exists(&cloud));
    cloud.refused("CreateUser", &[("UserName", "ann")], 409, "EntityAlreadyExists");
    cloud.control("clock", json!({"advance_seconds": 10}));
    assert!(exists(&cloud));
    cloud.iam("CreateUser", &[("UserName", "bob")]);
    cloud.iam("GetUser", &[("UserName", "bob")]);
}

#[test]
fn an_unknown_fault_is_refused() {
    let cloud = Cloud::new();
    let words = cloud.running.control("POST", "faults", &json!({"operation": "*", "effect": "magic"})).unwrap_err();
    assert!(words.contains("magic"), "{words}");
}
