//! The policies of `docs/permissions.md`: enough to apply and to roll back, and nothing too much.

use serde_json::{Value, json};

use super::stage::{PLAN, Play, Stage, answer};
use super::town::{ACCOUNT, KINDS, Kind, essence};
use crate::cli::Answer;
use crate::emulator::cloud::TRUST;
use crate::workspace::text;

/// What needs each action: a kind of change, and whether it is its rollback.
const NEEDS: [(&str, &str, bool); 31] = [
    ("iam:GetGroup", "put-group", false),
    ("iam:GetGroupPolicy", "put-group", false),
    ("iam:GetPolicy", "update", false),
    ("iam:GetPolicyVersion", "update", false),
    ("iam:GetRole", "put-role", false),
    ("iam:GetRolePolicy", "put-role", false),
    ("iam:GetUser", "put-user", false),
    ("iam:GetUserPolicy", "put-user", false),
    ("iam:ListAttachedGroupPolicies", "detach", false),
    ("iam:ListAttachedRolePolicies", "detach-aws", false),
    ("iam:ListAttachedUserPolicies", "detach", false),
    ("iam:ListEntitiesForPolicy", "update", false),
    ("iam:ListPolicyVersions", "update", false),
    ("iam:AttachGroupPolicy", "detach", true),
    ("iam:AttachRolePolicy", "replace", false),
    ("iam:AttachUserPolicy", "detach", true),
    ("iam:CreatePolicy", "replace", false),
    ("iam:CreatePolicyVersion", "update", false),
    ("iam:DeleteGroupPolicy", "delete-group", false),
    ("iam:DeletePolicy", "replace", true),
    ("iam:DeletePolicyVersion", "evict", false),
    ("iam:DeleteRolePolicy", "delete", false),
    ("iam:DeleteUserPolicy", "delete-user", false),
    ("iam:DetachGroupPolicy", "detach", false),
    ("iam:DetachRolePolicy", "detach-aws", false),
    ("iam:DetachUserPolicy", "detach", false),
    ("iam:PutGroupPolicy", "put-group", false),
    ("iam:PutRolePolicy", "put-role", false),
    ("iam:PutUserPolicy", "put-user", false),
    ("iam:SetDefaultPolicyVersion", "update", false),
    ("iam:UpdateAccessKey", "deactivate", false),
];

/// The policies of the page: to collect, and to apply.
fn policies() -> [Value; 2] {
    let page = text("docs/permissions.md");
    let mut blocks = page.split("```json\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    [(); 2].map(|()| serde_json::from_str(blocks.next().unwrap()).unwrap())
}

fn actions(policy: &Value) -> Vec<String> {
    let of = |statement: &Value| statement["Action"].as_array().unwrap().clone();
    let statements = policy["Statement"].as_array().unwrap();
    statements.iter().flat_map(of).map(|action| action.as_str().unwrap().to_owned()).collect()
}

/// Makes a role that may apply, but for one action.
fn applier(play: &Play, without: Option<&str>) {
    let cloud = &play.cloud;
    cloud.try_iam("CreateRole", &[("RoleName", "applier"), ("AssumeRolePolicyDocument", TRUST)]);
    for (name, mut policy) in ["collect", "apply"].into_iter().zip(policies()) {
        for statement in policy["Statement"].as_array_mut().unwrap() {
            statement["Action"].as_array_mut().unwrap().retain(|own| without.is_none_or(|action| own != action));
        }
        let document = policy.to_string();
        cloud.iam("PutRolePolicy", &[("RoleName", "applier"), ("PolicyName", name), ("PolicyDocument", &document)]);
    }
}

fn run_as_applier(play: &Play, arguments: &[&str]) -> Answer {
    let key = play.cloud.credentials(&format!("arn:aws:iam::{ACCOUNT}:role/applier"));
    play.cloud.control("behaviour", json!({ "enforce": true }));
    let mut command = play.command(arguments);
    command.env("AWS_ACCESS_KEY_ID", &key.id).env("AWS_SESSION_TOKEN", key.token.unwrap());
    let answer = answer(command.output().unwrap());
    play.cloud.control("behaviour", json!({ "enforce": false }));
    answer
}

const APPLY: [&str; 6] = ["apply", PLAN, "--auto-approve", "--no-recheck", "--settle", "1"];

fn rollback(play: &Play) -> Answer {
    let id = play.journals().into_iter().rev().find(|id| id.contains("-apply-")).unwrap();
    run_as_applier(play, &["rollback", &id, "--auto-approve", "--settle", "1"])
}

#[test]
fn the_policies_of_the_page_are_enough_and_each_action_is_needed() {
    let listed = actions(&policies()[1]);
    let mut needed: Vec<&str> = NEEDS.iter().map(|(action, ..)| *action).collect();
    needed.sort_unstable();
    let mut sorted = listed.clone();
    sorted.sort();
    assert_eq!(sorted, needed, "the page lists what is tried here");
    let stage = Stage::new();
    for kind in &KINDS {
        let play = stage.play(kind);
        applier(&play, None);
        let before = essence(&play.cloud);
        let answer = run_as_applier(&play, &APPLY);
        assert_eq!(answer.code, 0, "{}: {answer}", kind.name);
        let answer = rollback(&play);
        assert_eq!(answer.code, 0, "{}: {answer}", kind.name);
        assert_eq!(essence(&play.cloud), before, "{}", kind.name);
    }
    for (action, kind, is_rollback) in NEEDS {
        let kind = KINDS.iter().find(|own| own.name == kind).unwrap();
        let play = stage.play(kind);
        if is_rollback {
            applier(&play, None);
            run_as_applier(&play, &APPLY).ended_with(0);
        }
        applier(&play, Some(action));
        let answer = if is_rollback { rollback(&play) } else { run_as_applier(&play, &APPLY) };
        assert_ne!(answer.code, 0, "{action}: {answer}");
        assert!(answer.stderr.contains(action) && answer.stderr.contains("AccessDenied"), "{action}: {answer}");
        assert!(answer.stderr.contains("docs/permissions.md"), "{action}: {answer}");
    }
}

/// Where the page has an action: under which name.
fn stands_under(action: &str) -> String {
    let statements = policies().into_iter().flat_map(|policy| policy["Statement"].as_array().unwrap().clone());
    let has = |statement: &Value| statement["Action"].as_array().unwrap().iter().any(|own| own == action);
    statements.into_iter().find(has).unwrap()["Sid"].as_str().unwrap().to_owned()
}

#[test]
fn a_call_that_is_denied_on_the_way_is_named_with_the_policy_that_has_it() {
    let stage = Stage::new();
    // What is read or written just then: before, another line says it.
    for action in ["iam:GetRolePolicy", "iam:PutRolePolicy"] {
        let play = stage.play(KINDS.iter().find(|own| own.name == "put-role").unwrap());
        let operation = action.strip_prefix("iam:").unwrap();
        let fault =
            json!({ "operation": operation, "effect": "error", "code": "AccessDenied", "status": 403, "count": 9 });
        play.cloud.control("faults", fault);
        let answer = play.apply(&[]);
        assert_ne!(answer.code, 0, "{action}: {answer}");
        let place = format!("docs/permissions.md has it in the policy to apply, under `{}`", stands_under(action));
        let words = format!("allow `{action}` for the caller: {place}; ");
        assert!(answer.stderr.contains(&words), "{words}: {answer}");
    }
}

#[test]
fn a_key_whose_use_cannot_be_read_any_more_is_warned_of() {
    const KEYS: [&str; 2] =
        ["arn:aws:kms:eu-west-1:123456789012:key/used", "arn:aws:kms:eu-west-1:123456789012:key/idle"];
    let stage = Stage::with(Box::new(|cloud, now| {
        let statement = json!({ "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": KEYS });
        let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        cloud.iam("PutRolePolicy", &[("RoleName", "put"), ("PolicyName", "k"), ("PolicyDocument", &document)]);
        for arn in KEYS {
            cloud.control("keys", json!({ "arn": arn, "created": "2026-05-01T00:00:00Z" }));
        }
        let (who, time) = (format!("arn:aws:iam::{ACCOUNT}:role/put"), format!("{}T00:00:00Z", now.get(..10).unwrap()));
        let used =
            json!({ "principal": who, "action": "kms:Decrypt", "time": time, "region": "eu-west-1", "key": KEYS[0] });
        cloud.control("usage", used);
    }));
    let kind = Kind { name: "keys", config: "kms = \"prune\"\n", target: &["role/put/inline/k"] };
    let play = stage.play(&kind);
    let before = essence(&play.cloud);
    for operation in ["GetKeyLastUsage", "DescribeKey"] {
        let fault = json!({ "operation": operation, "effect": "error", "code": "AccessDeniedException", "status": 400, "count": 9 });
        play.cloud.control("faults", fault);
        let answer = play.run(&["apply", PLAN, "--auto-approve", "--settle", "1"]).ended_with(3);
        for words in [
            format!("Warning: no fresh record of use of {}: kms:{operation}: the permission", KEYS[1]),
            format!("no-evidence: key {} could not be looked up: kms:{operation}: the permission", KEYS[1]),
        ] {
            assert!(answer.stderr.contains(&words), "{words}: {answer}");
        }
        play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
    }
    assert_eq!(essence(&play.cloud), before);
    play.run(&["apply", PLAN, "--auto-approve", "--settle", "1"]).ended_with(0);
}
