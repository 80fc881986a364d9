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
