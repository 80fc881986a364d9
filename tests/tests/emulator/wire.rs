//! What goes over the wire.

use serde_json::json;

use super::cloud::{ACCOUNT, Cloud, Key, allow, operator};

#[test]
fn what_is_not_signed_is_refused_and_leaves_no_use() {
    let cloud = Cloud::new();
    let form = "Action=GetUser&Version=2010-05-08";
    let reply = cloud.send("/", "content-type: application/x-www-form-urlencoded\r\n", form).unwrap();
    assert_eq!((reply.status, reply.text("Code").as_str()), (403, "MissingAuthenticationToken"));
    let half = "authorization: AWS4-HMAC-SHA256 Credential=a/20261010/us-east-1/iam/aws4_request\r\n";
    let reply = cloud.send("/", half, form).unwrap();
    assert_eq!((reply.status, reply.text("Code").as_str()), (400, "IncompleteSignature"));
    let stranger = Key { id: "AKIASTRANGER".into(), token: None };
    let reply = cloud.query(&stranger, "iam", "GetUser", &[]).unwrap();
    assert_eq!((reply.status, reply.text("Code").as_str()), (403, "InvalidClientTokenId"));
}

#[test]
fn errors_have_type_code_message_and_request_id() {
    let cloud = Cloud::new();
    let reply = cloud.try_iam("GetUser", &[("UserName", "nobody")]);
    assert_eq!(reply.text("Message"), "The user with name nobody cannot be found.");
    assert_eq!((reply.text("Type").as_str(), reply.text("RequestId").len()), ("Sender", 36));
    assert!(reply.head.to_lowercase().contains(&format!("x-amzn-requestid: {}", reply.text("RequestId"))));
    assert!(reply.body.starts_with("<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"));
}

#[test]
fn unknown_operations_are_answered_by_each_protocol_in_its_way() {
    let cloud = Cloud::new();
    let refusal = cloud.refused("CreateMagic", &[], 400, "InvalidAction");
    assert_eq!(refusal.text("Message"), "Could not find operation CreateMagic for version 2010-05-08");
    cloud.refused("", &[], 400, "MissingAction");
    let reply = cloud.json("us-east-1", "TrentService.Magic", &json!({}));
    assert_eq!((reply.status, reply.value()["__type"].as_str()), (400, Some("UnknownOperationException")));
}

#[test]
fn the_account_service_speaks_rest_in_json() {
    let cloud = Cloud::new();
    let authorization = "x-amz-date: 20261010T000000Z\r\nauthorization: AWS4-HMAC-SHA256 \
                         Credential=AKIAEMULATOROPERATOR/20261010/us-east-1/account/aws4_request, SignedHeaders=host, \
                         Signature=0000000000000000000000000000000000000000000000000000000000000000\r\n";
    let list = |body: &str| cloud.send("/listRegions", authorization, body).unwrap();
    let first = list(r#"{"MaxResults": 10}"#).value();
    assert_eq!(first["Regions"].as_array().unwrap().len(), 10);
    let second = list(&json!({"MaxResults": 10, "NextToken": first["NextToken"]}).to_string()).value();
    assert_eq!(second["Regions"].as_array().unwrap().len(), 7);
    assert!(second["NextToken"].is_null());
    let none = list(r#"{"RegionOptStatusContains": ["DISABLED"]}"#).value();
    assert_eq!(none["Regions"], json!([]));
    assert_eq!(cloud.send("/nowhere", authorization, "{}").unwrap().status, 404);
}

#[test]
fn sessions_have_arns_without_the_roles_path_and_end() {
    let cloud = Cloud::new();
    let user = cloud.user("ann", &allow(&["sts:AssumeRole"]));
    cloud.iam(
        "CreateRole",
        &[("RoleName", "job"), ("Path", "/a/b/"), ("AssumeRolePolicyDocument", super::cloud::TRUST)],
    );
    let key = cloud.credentials(&user);
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/a/b/job");
    let params = [("RoleArn", arn.as_str()), ("RoleSessionName", "me"), ("DurationSeconds", "900")];
    let reply = cloud.query(&key, "sts", "AssumeRole", &params).unwrap();
    let session = Key { id: reply.text("AccessKeyId"), token: Some(reply.text("SessionToken")) };
    assert!(session.id.starts_with("ASIA"));
    let identity = || cloud.query(&session, "sts", "GetCallerIdentity", &[]).unwrap();
    assert_eq!(identity().text("Arn"), format!("arn:aws:sts::{ACCOUNT}:assumed-role/job/me"));
    assert_eq!(identity().text("UserId"), reply.text("AssumedRoleId"));
    let unsigned = Key { token: None, ..session.clone() };
    assert_eq!(cloud.query(&unsigned, "sts", "GetCallerIdentity", &[]).unwrap().text("Code"), "InvalidClientTokenId");
    cloud.control("clock", json!({"advance_seconds": 901}));
    assert_eq!((identity().status, identity().text("Code").as_str()), (403, "ExpiredToken"));
    let root = cloud.query(&operator(), "sts", "AssumeRole", &params).unwrap();
    assert_eq!(root.text("Code"), "AccessDenied", "the root user assumes no roles");
}
