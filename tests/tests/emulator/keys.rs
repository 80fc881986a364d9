//! Access keys, roles and passwords.

use serde_json::json;

use super::cloud::{Cloud, Key, TRUST, allow};

fn key(cloud: &Cloud, user: &str) -> String {
    cloud.iam("CreateAccessKey", &[("UserName", user)]).text("AccessKeyId")
}

fn last_used(cloud: &Cloud, key: &str) -> (String, String, String) {
    let reply = cloud.iam("GetAccessKeyLastUsed", &[("AccessKeyId", key)]);
    (reply.text("LastUsedDate"), reply.text("ServiceName"), reply.text("Region"))
}

fn uses(cloud: &Cloud, arn: &str, key: &str, action: &str, time: &str) {
    let entry = json!({"principal": arn, "action": action, "time": time, "region": "eu-west-1", "access_key": key});
    cloud.control("usage", entry);
}

#[test]
fn a_key_that_was_never_used_since_april_2015_has_no_date_and_service_and_region_n_a() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:*"]));
    let key = key(&cloud, "ann");
    let never = (String::new(), "N/A".to_owned(), "N/A".to_owned());
    assert_eq!(last_used(&cloud, &key), never);
    uses(&cloud, &arn, &key, "sqs:CreateQueue", "2015-04-21T00:00:00Z");
    assert_eq!(last_used(&cloud, &key), never);
}

#[test]
fn of_uses_within_15_minutes_the_first_shows_and_s3_names_no_region() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:*"]));
    let key = key(&cloud, "ann");
    uses(&cloud, &arn, &key, "s3:ListAllMyBuckets", "2026-10-09T00:00:00Z");
    assert_eq!(last_used(&cloud, &key), ("2026-10-09T00:00:00Z".into(), "s3".into(), "N/A".into()));
    uses(&cloud, &arn, &key, "sqs:CreateQueue", "2026-10-09T00:10:00Z");
    assert_eq!(last_used(&cloud, &key).0, "2026-10-09T00:00:00Z");
    uses(&cloud, &arn, &key, "sqs:CreateQueue", "2026-10-09T00:20:00Z");
    assert_eq!(last_used(&cloud, &key), ("2026-10-09T00:20:00Z".into(), "sqs".into(), "eu-west-1".into()));
}

#[test]
fn only_the_last_service_of_a_key_shows() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:*"]));
    let key = key(&cloud, "ann");
    uses(&cloud, &arn, &key, "sqs:CreateQueue", "2026-10-08T00:00:00Z");
    uses(&cloud, &arn, &key, "ec2:RunInstances", "2026-10-09T00:00:00Z");
    assert_eq!(last_used(&cloud, &key).1, "ec2");
}

#[test]
fn keys_are_listed_with_status_and_date_and_without_a_name_those_of_the_caller() {
    let cloud = Cloud::new();
    cloud.user("ann", &allow(&["iam:*"]));
    assert_eq!(cloud.iam("ListAccessKeys", &[("UserName", "ann")]).texts("AccessKeyId"), [""; 0]);
    let id = key(&cloud, "ann");
    let own = Key { id: id.clone(), token: None };
    let reply = cloud.query(&own, "iam", "ListAccessKeys", &[]).unwrap();
    assert_eq!((reply.text("AccessKeyId"), reply.text("Status").as_str()), (id, "Active"));
    assert_eq!(reply.text("CreateDate"), super::cloud::NOW);
    cloud.refused("ListAccessKeys", &[], 400, "ValidationError");
}

#[test]
fn an_inactive_key_counts_against_the_limit_of_two_and_comes_back() {
    let cloud = Cloud::new();
    cloud.user("ann", &allow(&["iam:*"]));
    let (one, _) = (key(&cloud, "ann"), key(&cloud, "ann"));
    let set = |status| {
        let params = [("UserName", "ann"), ("AccessKeyId", one.as_str()), ("Status", status)];
        cloud.iam("UpdateAccessKey", &params);
    };
    set("Inactive");
    cloud.refused("CreateAccessKey", &[("UserName", "ann")], 409, "LimitExceeded");
    let own = Key { id: one.clone(), token: None };
    let call = || cloud.query(&own, "iam", "GetUser", &[]).unwrap();
    assert_eq!(call().text("Code"), "InvalidClientTokenId");
    set("Active");
    assert_eq!(call().status, 200);
    cloud.iam("DeleteAccessKey", &[("UserName", "ann"), ("AccessKeyId", &one)]);
    let params = [("UserName", "ann"), ("AccessKeyId", one.as_str()), ("Status", "Active")];
    cloud.refused("UpdateAccessKey", &params, 404, "NoSuchEntity");
}

#[test]
fn a_roles_last_use_is_of_any_service_within_400_days_and_empty_otherwise() {
    let cloud = Cloud::new();
    let arn = cloud.role("job", &allow(&["sqs:*"]));
    let role = || cloud.iam("GetRole", &[("RoleName", "job")]);
    assert!(role().body.contains("<RoleLastUsed></RoleLastUsed>"), "{}", role().body);
    cloud.used(&arn, "ec2:RunInstances", "2025-01-01T00:00:00Z", "us-east-1");
    assert!(!role().has("LastUsedDate"));
    cloud.used(&arn, "ec2:RunInstances", "2026-10-01T00:00:00Z", "eu-west-1");
    assert_eq!(
        (role().text("LastUsedDate").as_str(), role().text("Region").as_str()),
        ("2026-10-01T00:00:00Z", "eu-west-1")
    );
    assert_eq!(cloud.report(&arn)[0].last, None, "the report lists only what the policies allow");
    let details = cloud.iam("GetAccountAuthorizationDetails", &[]);
    assert_eq!(details.text("LastUsedDate"), "2026-10-01T00:00:00Z");
    assert!(!cloud.iam("ListRoles", &[]).has("RoleLastUsed"));
}

#[test]
fn the_last_use_of_passwords_is_on_users_and_not_in_the_authorization_details() {
    let folder = tempfile::tempdir().unwrap();
    let user = json!({"UserName": "ann", "UserId": "AIDA", "Arn": "arn:aws:iam::123456789012:user/ann", "Path": "/",
        "PasswordLastUsed": "2026-09-01T00:00:00Z", "CreateDate": "2020-01-01T00:00:00Z"});
    let details = json!({"UserDetailList": [user], "RoleDetailList": [], "GroupDetailList": [], "Policies": []});
    std::fs::write(folder.path().join("account-authorization-details.json"), details.to_string()).unwrap();
    let options = secateur_tests::emulator::Options { account: Some(folder.path().into()), ..Default::default() };
    let cloud = Cloud::with(options);
    for (action, name) in [("GetUser", "UserName"), ("ListUsers", "PathPrefix")] {
        let value = if name == "UserName" { "ann" } else { "/" };
        assert_eq!(cloud.iam(action, &[(name, value)]).text("PasswordLastUsed"), "2026-09-01T00:00:00Z");
    }
    assert!(!cloud.iam("GetAccountAuthorizationDetails", &[]).has("PasswordLastUsed"));
}

#[test]
fn a_new_role_of_an_old_name_starts_anew() {
    let cloud = Cloud::new();
    let arn = cloud.role("job", &allow(&["sqs:*"]));
    cloud.used(&arn, "sqs:CreateQueue", "2026-10-01T00:00:00Z", "us-east-1");
    cloud.iam("DeleteRolePolicy", &[("RoleName", "job"), ("PolicyName", "p")]);
    cloud.iam("DeleteRole", &[("RoleName", "job")]);
    cloud.iam("CreateRole", &[("RoleName", "job"), ("AssumeRolePolicyDocument", TRUST)]);
    assert!(!cloud.iam("GetRole", &[("RoleName", "job")]).has("LastUsedDate"));
}

#[test]
fn the_credential_report_is_kept_for_four_hours() {
    let cloud = Cloud::new();
    cloud.control("behaviour", json!({"job_seconds": 5}));
    cloud.refused("GetCredentialReport", &[], 410, "ReportNotPresent");
    cloud.iam("CreateUser", &[("UserName", "ann")]);
    let key = cloud.iam("CreateAccessKey", &[("UserName", "ann")]).text("AccessKeyId");
    cloud.iam("UpdateAccessKey", &[("UserName", "ann"), ("AccessKeyId", &key), ("Status", "Inactive")]);
    let generate = || cloud.iam("GenerateCredentialReport", &[]).text("State");
    assert_eq!((generate().as_str(), generate().as_str()), ("STARTED", "INPROGRESS"));
    cloud.refused("GetCredentialReport", &[], 404, "ReportInProgress");
    cloud.control("clock", json!({"advance_seconds": 5}));
    assert_eq!(generate(), "COMPLETE");
    let report = || cloud.iam("GetCredentialReport", &[]).text("Content");
    let first = report();
    // "user,arn,user_creation_time" begins it.
    assert!(first.starts_with("dXNlcixhcm4sdXNlcl9jcmVhdGlvbl90aW1l"), "{first}");
    cloud.iam("CreateUser", &[("UserName", "bob")]);
    assert_eq!(report(), first, "it is the one that was made");
    cloud.control("clock", json!({"advance_seconds": 14_400}));
    cloud.refused("GetCredentialReport", &[], 410, "ReportExpired");
    assert_eq!(generate(), "STARTED");
    cloud.control("clock", json!({"advance_seconds": 5}));
    assert!(report().len() > first.len());
}
