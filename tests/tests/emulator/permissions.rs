//! Permissions, enforced.

use serde_json::json;

use super::cloud::{ACCOUNT, Cloud, Key, TRUST, allow};

fn code(cloud: &Cloud, key: &Key, action: &str, params: &[(&str, &str)]) -> String {
    cloud.query(key, "iam", action, params).unwrap().text("Code")
}

#[test]
fn identity_policies_boundaries_denies_resources_and_conditions_decide() {
    let cloud = Cloud::new();
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:Get*", "Resource": format!("arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")},
        {"Effect": "Allow", "Action": "iam:List*", "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:ListRoles", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:AttachUserPolicy", "Resource": "*",
            "Condition": {"ArnLike": {"iam:PolicyARN": format!("arn:aws:iam::{ACCOUNT}:policy/safe-*")}}},
    ]});
    let arn = cloud.user("ann", &document.to_string());
    cloud.user("bob", &allow(&["sqs:*"]));
    let (safe, wild) = (cloud.policy("safe-1", &allow(&["sqs:*"])), cloud.policy("wild", &allow(&["*"])));
    let key = cloud.credentials(&arn);
    cloud.control("behaviour", json!({"enforce": true}));
    assert_eq!(code(&cloud, &key, "GetUser", &[("UserName", "ann")]), "");
    assert_eq!(code(&cloud, &key, "GetUser", &[("UserName", "bob")]), "AccessDenied");
    assert_eq!(code(&cloud, &key, "ListUsers", &[]), "");
    assert_eq!(code(&cloud, &key, "ListRoles", &[]), "AccessDenied");
    let attach = |policy: &str| code(&cloud, &key, "AttachUserPolicy", &[("UserName", "bob"), ("PolicyArn", policy)]);
    assert_eq!((attach(&safe).as_str(), attach(&wild).as_str()), ("", "AccessDenied"));
    let refusal = cloud.query(&key, "iam", "CreateUser", &[("UserName", "eve")]).unwrap();
    let words = "is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::123456789012:user/eve because \
                 no identity-based policy allows the iam:CreateUser action";
    assert!(refusal.text("Message").ends_with(words), "{}", refusal.text("Message"));
    let boundary = cloud.policy("boundary", &allow(&["iam:ListUsers"]));
    cloud.iam("PutUserPermissionsBoundary", &[("UserName", "ann"), ("PermissionsBoundary", &boundary)]);
    assert_eq!(code(&cloud, &key, "ListGroups", &[]), "AccessDenied");
    assert_eq!(code(&cloud, &key, "ListUsers", &[]), "");
}

#[test]
fn the_last_use_of_a_key_takes_permission_on_its_user() {
    let cloud = Cloud::new();
    let own = format!("arn:aws:iam::{ACCOUNT}:user/ann");
    let document = json!({"Statement": [{"Effect": "Allow", "Action": "iam:GetAccessKeyLastUsed", "Resource": own}]});
    let key = cloud.credentials(&cloud.user("ann", &document.to_string()));
    cloud.user("bob", &allow(&["sqs:*"]));
    let made = |user: &str| cloud.iam("CreateAccessKey", &[("UserName", user)]).text("AccessKeyId");
    let (ann, bob) = (made("ann"), made("bob"));
    cloud.control("behaviour", json!({"enforce": true}));
    assert_eq!(code(&cloud, &key, "GetAccessKeyLastUsed", &[("AccessKeyId", &ann)]), "");
    assert_eq!(code(&cloud, &key, "GetAccessKeyLastUsed", &[("AccessKeyId", &bob)]), "AccessDenied");
}

#[test]
fn who_calls_needs_no_permission_and_a_trust_policy_lets_in() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sts:AssumeRole"]));
    cloud.iam("CreateRole", &[("RoleName", "open"), ("AssumeRolePolicyDocument", TRUST)]);
    let closed = TRUST.replace("123456789012", "999999999999");
    cloud.iam("CreateRole", &[("RoleName", "closed"), ("AssumeRolePolicyDocument", &closed)]);
    let key = cloud.credentials(&arn);
    cloud.control("behaviour", json!({"enforce": true}));
    assert_eq!(cloud.query(&key, "sts", "GetCallerIdentity", &[]).unwrap().text("Arn"), arn);
    let assume = |role: &str| {
        let role = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
        cloud.query(&key, "sts", "AssumeRole", &[("RoleArn", &role), ("RoleSessionName", "s")]).unwrap().status
    };
    assert_eq!((assume("open"), assume("closed"), assume("missing")), (200, 403, 403));
}

#[test]
fn tags_of_what_is_asked_for_and_of_the_request_are_known() {
    let cloud = Cloud::new();
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:Get*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}},
        {"Effect": "Allow", "Action": "iam:TagRole", "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestTag/team": "x"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:ViaAWSService": "true"}}},
    ]});
    let arn = cloud.user("ann", &document.to_string());
    let team = |value| [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", value)];
    cloud.iam("TagUser", &[&[("UserName", "ann")], &team("x")[..]].concat());
    for (role, value) in [("ours", "x"), ("theirs", "y")] {
        cloud.role(role, &allow(&["sqs:*"]));
        cloud.iam("TagRole", &[&[("RoleName", role)], &team(value)[..]].concat());
    }
    let key = cloud.credentials(&arn);
    cloud.control("behaviour", json!({"enforce": true}));
    assert_eq!(code(&cloud, &key, "GetRole", &[("RoleName", "ours")]), "");
    assert_eq!(code(&cloud, &key, "GetRole", &[("RoleName", "theirs")]), "AccessDenied");
    assert_eq!(code(&cloud, &key, "TagRole", &[&[("RoleName", "ours")], &team("x")[..]].concat()), "");
    assert_eq!(code(&cloud, &key, "TagRole", &[&[("RoleName", "ours")], &team("z")[..]].concat()), "AccessDenied");
    let more = [("Tags.member.2.Key", "other"), ("Tags.member.2.Value", "v"), ("RoleName", "ours")];
    assert_eq!(code(&cloud, &key, "TagRole", &[&more[..], &team("x")[..]].concat()), "AccessDenied");
}

#[test]
fn conditions_and_denies_of_trust_policies_decide() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sts:AssumeRole"]));
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "secret"}}},
        {"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Condition": {"StringLike": {"sts:RoleSessionName": "bad*"}}},
    ]});
    let made = cloud.iam("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", &trust.to_string())]);
    let (key, role) = (cloud.credentials(&arn), made.text("Arn"));
    cloud.control("behaviour", json!({"enforce": true}));
    let assume = |session: &str, more: &[(&str, &str)]| {
        let params = [&[("RoleArn", role.as_str()), ("RoleSessionName", session)], more].concat();
        cloud.query(&key, "sts", "AssumeRole", &params).unwrap().status
    };
    assert_eq!(assume("good", &[("ExternalId", "secret")]), 200);
    assert_eq!(assume("good", &[("ExternalId", "guess")]), 403);
    assert_eq!(assume("good", &[]), 403);
    assert_eq!(assume("bad", &[("ExternalId", "secret")]), 403);
}
