//! What could not be used until lately, by what others than the policy itself say.

use super::*;
use crate::account::sketch::arn;
use crate::account::{GrantEvent, GrantHistory, PolicyVersion};

fn check(case: &Case, expect: &str) {
    assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
}

fn with_guard(versions: &[(&str, &str, &str)], default: &str) -> Case {
    let versions: Vec<PolicyVersion> = (versions.iter())
        .map(|(id, created, text)| PolicyVersion {
            id: (*id).to_owned(),
            created: time(created),
            document: Some(Document::new(*text)),
        })
        .collect();
    case(sqs_role().managed("policy/guard", "").attach("role/r", "policy/guard").change_policy(
        "policy/guard",
        |policy| {
            policy.default_version = default.to_owned();
            policy.versions = versions;
        },
    ))
}

#[test]
fn a_deny_that_another_policy_let_go_lately_makes_everything_late() {
    let open = doc("\"s3:ListAllMyBuckets\"");
    let denies = r#"{"Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"},
        {"Sid":"A","Effect":"Deny","Action":"sqs:*","Resource":"*"}]}"#;
    let renamed = denies.replace("\"A\"", "\"B\"");
    let (old, older, lately) = ("2022-01-01", "2021-01-01", "2026-10-08");
    check(&with_guard(&[("v1", old, denies), ("v2", lately, &open)], "v2"), "too-recent");
    check(&with_guard(&[("v1", older, denies), ("v2", old, &open), ("v3", lately, &open)], "v3"), "unused-action");
    check(&with_guard(&[("v1", older, &open), ("v2", old, denies), ("v3", lately, &open)], "v3"), "too-recent");
    check(&with_guard(&[("v1", older, denies), ("v2", old, &open), ("v3", lately, denies)], "v3"), "unused-action");
    // It was in force for a while, and no longer is.
    check(&with_guard(&[("v1", old, &open), ("v2", lately, denies)], "v1"), "too-recent");
    // A new name is no other Deny.
    check(&with_guard(&[("v1", old, denies), ("v2", lately, &renamed)], "v2"), "unused-action");
    check(&with_guard(&[("v1", old, &renamed), ("v2", old, denies)], "v2"), "unused-action");
    // In another language the same words are another Deny; without its date a version may be of today.
    let variable = denies.replace("\"Resource\":\"*\"}]", "\"Resource\":\"${aws:username}\"}]");
    let modern = variable.replacen('{', "{\"Version\":\"2012-10-17\",", 1);
    check(&with_guard(&[("v1", old, &variable), ("v2", lately, &modern)], "v2"), "too-recent");
    check(&with_guard(&[("v1", old, &modern), ("v2", lately, &modern)], "v2"), "unused-action");
    check(&with_guard(&[("v1", old, denies), ("v2", "-", &open)], "v2"), "too-recent");
    check(&with_guard(&[("v1", "-", denies), ("v2", old, &open)], "v2"), "too-recent");
    // No Deny in sight.
    check(&with_guard(&[("v7", lately, &open)], "v7"), "unused-action");
    // A history that tells nothing does not tell otherwise.
    let mut case = with_guard(&[("v1", old, denies), ("v2", lately, &open)], "v2");
    case.account.grants = Some(GrantHistory { from: NOW.plus(-90 * DAY), to: NOW, events: vec![] });
    check(&case, "too-recent");
}

fn written(name: &str, days_ago: i64) -> GrantEvent {
    GrantEvent {
        time: NOW.plus(-days_ago * DAY),
        name: name.to_owned(),
        user_name: None,
        role_name: None,
        group_name: None,
        policy_name: None,
        policy_arn: None,
    }
}

fn with_events(mut case: Case, events: Vec<GrantEvent>) -> Case {
    case.account.grants = Some(GrantHistory { from: NOW.plus(-90 * DAY), to: NOW, events });
    case
}

#[test]
fn calls_about_a_policy_that_was_not_read_count() {
    // What AWS checks on the way of what the policy may allow stays anyway: athena:ListWorkGroups is nothing of that.
    let check = |case: &Case, expect: &str| {
        assert_eq!(case.verdicts("role/r/inline/p", "athena:ListWorkGroups"), [format!("ListWorkGroups {expect}")]);
    };
    let gone = || case(sqs_role().change("role/r", |role| role.attached.extend(arn("policy/gone"))));
    let call = |days_ago| GrantEvent { policy_arn: arn("policy/gone"), ..written("CreatePolicyVersion", days_ago) };
    check(&with_events(gone(), vec![]), "unused-service");
    check(&with_events(gone(), vec![call(2)]), "too-recent");
    check(&with_events(gone(), vec![call(89)]), "too-recent");
    check(&with_events(case(sqs_role()), vec![call(2)]), "unused-service");
}

#[test]
fn calls_about_a_group_that_was_not_read_count() {
    let user = || {
        case(
            Sketch::new()
                .principal("user/u")
                .inline("user/u", "p", &doc("\"athena:ListWorkGroups\""))
                .report("user/u", "athena -:")
                .change("user/u", |user| user.groups.push("Ghosts".to_owned())),
        )
    };
    let verdict = |case: &Case| case.verdicts("user/u/inline/p", "athena:ListWorkGroups");
    let call = |group: &str| GrantEvent { group_name: Some(group.to_owned()), ..written("DeleteGroupPolicy", 2) };
    assert_eq!(verdict(&with_events(user(), vec![])), ["ListWorkGroups unused-service"]);
    assert_eq!(verdict(&with_events(user(), vec![call("others")])), ["ListWorkGroups unused-service"]);
    assert_eq!(verdict(&with_events(user(), vec![call("ghosts")])), ["ListWorkGroups too-recent"]);
}

#[test]
fn a_boundary_that_was_not_read_may_be_of_today() {
    let case = case(sqs_role().change("role/r", |role| role.boundary = arn("policy/gone")));
    check(&case, "too-recent");
    let gaps: Vec<String> = case.analyze().gaps.iter().map(|gap| format!("{} {}", gap.kind, gap.subject)).collect();
    assert!(gaps.contains(&"not-collected arn:aws:iam::111122223333:policy/gone".to_owned()), "{gaps:?}");
}

#[test]
fn another_resource_or_condition_is_another_grant() {
    let on = |resource: &str, more: &str| {
        let statement =
            r#"{"Effect":"Allow","Action":["sqs:DeleteQueue","sqs:CreateQueue"],"Resource":"RESOURCE"MORE}"#;
        let statement = statement.replace("RESOURCE", resource).replace("MORE", more);
        format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)
    };
    let check = |before: &str, after: &str, expect: &str| {
        let version = |id: &str, created: &str, text: &str| PolicyVersion {
            id: id.to_owned(),
            created: time(created),
            document: Some(Document::new(text)),
        };
        let sketch = Sketch::new()
            .principal("role/r")
            .managed("policy/p", "")
            .attach("role/r", "policy/p")
            .report("role/r", "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue")
            .change_policy("policy/p", |policy| {
                policy.default_version = "v2".to_owned();
                policy.versions = vec![version("v1", "2022-01-01", before), version("v2", "2026-10-08", after)];
            });
        let found = case(sketch).verdicts("policy/p", "sqs:DeleteQueue");
        assert_eq!(found, [format!("DeleteQueue {expect}")], "{before} {after}");
    };
    let condition = r#","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#;
    check(&on("arn:aws:sqs:*:*:retired", ""), &on("arn:aws:sqs:*:*:launched", ""), "too-recent");
    check(&on("*", condition), &on("*", ""), "too-recent");
    // What became less was there before.
    check(&on("*", ""), &on("arn:aws:sqs:*:*:launched", ""), "unused-action");
    check(&on("*", ""), &on("*", ""), "unused-action");
}
