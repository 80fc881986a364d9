//! The policy of `docs/permissions.md`: enough, and nothing too much.

use serde_json::{Value, json};

use super::scene::Scene;
use crate::workspace::text;

const ROLE: &str = "arn:aws:iam::111122223333:role/collector";

/// Enough principals to need every permission.
const ALL: [&str; 6] = [
    "--principal=role/checkout-task",
    "--principal=policy/service-baseline",
    "--principal=user/tom.baker",
    "--principal=group/developers",
    "--include=groups,policies,granting",
    "--max-age=0",
];

fn policy() -> Value {
    let page = text("docs/permissions.md");
    let (_, rest) = page.split_once("```json\n").unwrap();
    serde_json::from_str(rest.split_once("```").unwrap().0).unwrap()
}

fn actions() -> Vec<String> {
    let policy = policy();
    let statements = policy["Statement"].as_array().unwrap();
    let of = |statement: &Value| statement["Action"].as_array().unwrap().clone();
    statements.iter().flat_map(of).map(|action| action.as_str().unwrap().to_owned()).collect()
}

/// The policy without an action.
fn without(action: &str) -> String {
    let mut policy = policy();
    for statement in policy["Statement"].as_array_mut().unwrap() {
        statement["Action"].as_array_mut().unwrap().retain(|own| own != action);
    }
    policy.to_string()
}

/// The sample account, with a role that may collect, in which permissions count.
fn scene() -> Scene {
    let mut scene = Scene::acme();
    scene.control("behaviour", json!({"operator": "arn:aws:iam::111122223333:root"}));
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}]});
    scene.cloud.iam("CreateRole", &[("RoleName", "collector"), ("AssumeRolePolicyDocument", &trust.to_string())]);
    scene.become_session(ROLE);
    scene.control("behaviour", json!({"enforce": true}));
    scene
}

fn allow(scene: &Scene, document: &str) {
    scene.cloud.iam("PutRolePolicy", &[("RoleName", "collector"), ("PolicyName", "own"), ("PolicyDocument", document)]);
}

/// The operations that were denied since the calls were last forgotten.
fn denied(scene: &Scene) -> Vec<String> {
    let calls = scene.cloud.running.control("GET", "calls", &Value::Null).unwrap();
    let calls = calls["calls"].as_array().or(calls.as_array()).unwrap();
    let is_denied = |call: &&Value| call["error"].as_str().is_some_and(|error| error.starts_with("AccessDenied"));
    let name = |call: &Value| {
        let operation = call["operation"].as_str().unwrap();
        let (first, rest) = operation.split_at(1);
        format!("{}:{}{rest}", call["service"].as_str().unwrap(), first.to_uppercase())
    };
    let mut names: Vec<String> = calls.iter().filter(is_denied).map(name).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_policy_of_the_page_is_enough() {
    let scene = scene();
    allow(&scene, &policy().to_string());
    let checked = scene.collect(&[&["--check"], &ALL[..]].concat());
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.stdout.starts_with("No permission is missing\n"), "{checked:?}");
    scene.collect_all(&ALL);
    assert_eq!(denied(&scene), [""; 0]);
    assert!(scene.manifest()["caller_arn"].as_str().unwrap().ends_with(":assumed-role/collector/nightly"));
}

#[test]
fn every_action_taken_away_is_named_and_is_the_only_one_missed() {
    let scene = scene();
    for action in actions() {
        allow(&scene, &without(&action));
        scene.cloud.running.control("DELETE", "calls", &Value::Null).unwrap();
        let answer = scene.collect(&ALL);
        assert_eq!(denied(&scene), [action.as_str()], "{answer:?}");
        if action == "iam:GetAccountAuthorizationDetails" {
            assert_eq!(answer.code, 1, "{action}: {answer:?}");
            assert!(answer.stderr.contains(&format!("help: allow `{action}`")), "{answer:?}");
        } else {
            assert_eq!(answer.code, 4, "{action}: {answer:?}");
            let manifest = scene.manifest();
            for gap in manifest["gaps"].as_array().unwrap() {
                let detail = gap["detail"].as_str().unwrap();
                assert!(detail.contains(&format!("the permission {action} is missing")), "{gap}");
            }
        }
        let checked = scene.collect(&[&["--check"], &ALL[..]].concat());
        assert_eq!(checked.code, 4, "{checked:?}");
        assert!(checked.stdout.starts_with(&format!("1 permission missing; without it:\n  {action}: ")), "{checked:?}");
    }
}
