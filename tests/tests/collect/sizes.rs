//! Accounts of nobody, of thousands, and of odd names.

use std::fs;
use std::path::PathBuf;

use secateur_tests::emulator::Options;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::scene::{Scene, assert_same};

/// Writes the details of an account by hand.
fn details(partition: &str, users: &[(&str, &str)], roles: &[(&str, &str)]) -> (TempDir, PathBuf) {
    let arn = |kind: &str, path: &str, name: &str| format!("arn:{partition}:iam::123456789012:{kind}{path}{name}");
    let document = |action: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]});
    let user = |(at, (path, name)): (usize, &(&str, &str))| {
        json!({
            "Path": path, "UserName": name, "UserId": format!("AIDA{at:017}"), "Arn": arn("user", path, name),
            "CreateDate": "2024-01-01T00:00:00Z", "GroupList": [], "AttachedManagedPolicies": [],
            "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": document("sqs:*").to_string()}],
        })
    };
    let role = |(at, (path, name)): (usize, &(&str, &str))| {
        json!({
            "Path": path, "RoleName": name, "RoleId": format!("AROA{at:017}"), "Arn": arn("role", path, name),
            "CreateDate": "2024-01-01T00:00:00Z", "AttachedManagedPolicies": [], "InstanceProfileList": [],
            "AssumeRolePolicyDocument": "{}", "RolePolicyList": [{"PolicyName": "own", "PolicyDocument": document("s3:Get*").to_string()}],
        })
    };
    let all = json!({
        "UserDetailList": users.iter().enumerate().map(user).collect::<Vec<_>>(),
        "RoleDetailList": roles.iter().enumerate().map(role).collect::<Vec<_>>(),
        "GroupDetailList": [], "Policies": [],
    });
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("account-authorization-details.json"), all.to_string()).unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

fn scene(account: PathBuf) -> Scene {
    let now = Some("2026-10-10T06:00:00Z".to_owned());
    Scene::with(Options { account: Some(account), now, frozen: true, ..Options::default() })
}

#[test]
fn an_account_of_nobody_is_collected() {
    let options = Options { now: Some("2026-10-10T06:00:00Z".to_owned()), frozen: true, ..Options::default() };
    let scene = Scene::with(options);
    let found = scene.collect_all(&[]);
    assert!(!found.keys().any(|name| name.starts_with("last-accessed/")), "{found:?}");
    assert_eq!(found["account-authorization-details.json"]["RoleDetailList"], json!([]));
    let checked = scene.collect(&["--check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.stdout.contains("0 reports would be read"), "{checked:?}");
    let planned = scene.run(&["plan", "--snapshot", "snap"]);
    assert_eq!(planned.code, 0, "{planned:?}");
}

#[test]
fn names_of_every_legal_letter_have_files() {
    let users = [("/", "a+b=c,d.e@f_g-1"), ("/x/y z/", ".hidden"), ("/!\"#$%&'()*/", "..")];
    let roles = [("/a/b/c/", "con"), ("/", "NUL.txt"), ("/", "A"), ("/deep/", "z".repeat(64).leak() as &str)];
    let (_folder, account) = details("aws", &users, &roles);
    let scene = scene(account);
    let found = scene.collect_all(&["--include", "granting"]);
    let arns: Vec<&str> = found
        .iter()
        .filter(|(name, _)| name.starts_with("last-accessed/"))
        .map(|(_, report)| report["Arn"].as_str().unwrap())
        .collect();
    assert_eq!(arns.len(), 7, "{arns:?}");
    assert!(arns.contains(&"arn:aws:iam::123456789012:user/x/y z/.hidden"), "{arns:?}");
    let analyzed = scene.run(&["analyze", "--snapshot", "snap", "--format", "json"]);
    assert_eq!(analyzed.code, 0, "{analyzed:?}");
    assert!(!scene.manifest()["files"].as_object().unwrap().keys().any(|name| name.contains("/.")));
}

#[test]
fn every_partition_is_its_own() {
    for (partition, region) in [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")] {
        let (_folder, account) = details(partition, &[("/", "ann")], &[("/", "ci")]);
        let scene = scene(account);
        let found = scene.collect_all(&["--region", region]);
        assert_eq!(scene.manifest()["partition"], partition);
        assert_eq!(found["last-accessed/role/ci.json"]["Arn"], format!("arn:{partition}:iam::123456789012:role/ci"));
        let calls = scene.cloud.running.control("GET", "calls", &Value::Null).unwrap();
        let text = calls.to_string();
        assert!(text.contains("LookupEvents"), "{text}");
    }
}

#[test]
fn three_thousand_principals_are_all_there() {
    let names: Vec<String> = (0..2_500).map(|at| format!("role-{at:04}")).collect();
    let people: Vec<String> = (0..500).map(|at| format!("user-{at:03}")).collect();
    let roles: Vec<(&str, &str)> = names.iter().map(|name| ("/", name.as_str())).collect();
    let users: Vec<(&str, &str)> = people.iter().map(|name| ("/", name.as_str())).collect();
    let (_folder, account) = details("aws", &users, &roles);
    let scene = scene(account);
    let found = scene.collect_all(&[]);
    assert_eq!(found.keys().filter(|name| name.starts_with("last-accessed/")).count(), 3_000);
    assert_eq!(found.keys().filter(|name| name.starts_with("access-keys/")).count(), 500);
    assert_eq!(scene.calls("GenerateServiceLastAccessedDetails"), 3_000);
    let again = scene.collect_all(&[]);
    assert_eq!(scene.calls("GenerateServiceLastAccessedDetails"), 3_000);
    assert_same(&again, &found);
}
