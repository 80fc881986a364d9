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

fn operator_headers(service: &str, moment: &str) -> String {
    format!(
        "x-amz-date: {moment}\r\nauthorization: AWS4-HMAC-SHA256 Credential=AKIAEMULATOROPERATOR/20261010/us-east-1/{service}\
         /aws4_request, SignedHeaders=host, Signature={}\r\n",
        "0".repeat(64)
    )
}

#[test]
fn another_version_of_the_api_and_another_day_in_the_scope_are_refused() {
    let cloud = Cloud::new();
    let ask = |moment: &str, form: &str| {
        let reply = cloud.send("/", &operator_headers("iam", moment), form).unwrap();
        (reply.status, reply.text("Code"), reply.text("Message"))
    };
    let today = "20261010T060000Z";
    assert_eq!(ask(today, "Action=ListUsers&Version=2010-05-08").0, 200);
    for (form, version) in [("Version=2011-06-15", "2011-06-15"), ("", "NO_VERSION_SPECIFIED")] {
        let words = format!("Could not find operation ListUsers for version {version}");
        assert_eq!(ask(today, &format!("Action=ListUsers&{form}")), (400, "InvalidAction".into(), words));
    }
    let form = "Action=ListUsers&Version=2010-05-08";
    assert_eq!(ask("20261011T060000Z", form).1, "SignatureDoesNotMatch");
    assert_eq!(ask("yesterday", form).1, "IncompleteSignature");
}

#[test]
fn names_and_texts_that_no_xml_could_hold_are_refused_in_xml() {
    let cloud = Cloud::new();
    let refusal = cloud.refused("GetUser", &[("UserName", "a\0<b>")], 400, "ValidationError");
    assert!(!refusal.body.contains(['\0', '\u{1}']), "{}", refusal.body);
    cloud.refused("GetUser", &[("UserName", "")], 400, "ValidationError");
    cloud.refused("GetRole", &[("RoleName", &"a".repeat(129))], 400, "ValidationError");
    let role = |text| [("RoleName", "r"), ("AssumeRolePolicyDocument", super::cloud::TRUST), ("Description", text)];
    for text in ["a\u{7}", "\u{2603}"] {
        cloud.refused("CreateRole", &role(text), 400, "ValidationError");
    }
    cloud.iam("CreateRole", &role("a\r\nb <&> \u{e9} "));
    assert!(
        cloud
            .iam("GetRole", &[("RoleName", "r")])
            .body
            .contains("<Description>a&#13;\nb &lt;&amp;&gt; \u{e9} </Description>")
    );
    let arn = cloud.iam(
        "GetGroup",
        &[(
            "GroupName",
            &cloud.iam("CreateGroup", &[("GroupName", "g+=,.@-_"), ("Path", "/<&>\"'%/")]).text("GroupName"),
        )],
    );
    assert_eq!(arn.text("Arn"), "arn:aws:iam::123456789012:group/&lt;&amp;&gt;&quot;&apos;%/g+=,.@-_");
}

#[test]
fn a_body_that_is_no_json_is_told_and_calls_in_a_row_on_one_connection_are_answered_in_order() {
    let cloud = Cloud::new();
    for body in ["{\"KeyId\":", "[1]"] {
        let headers = format!("x-amz-target: TrentService.ListKeys\r\n{}", operator_headers("kms", "20261010T060000Z"));
        let reply = cloud.send("/", &headers, body).unwrap();
        assert_eq!((reply.status, reply.value()["__type"].as_str()), (400, Some("SerializationException")));
    }
    let call = |action: &str, last: &str| {
        let form = format!("Action={action}&Version=2010-05-08");
        let headers = operator_headers("iam", "20261010T060000Z");
        format!("POST / HTTP/1.1\r\nhost: localhost\r\n{last}content-length: {}\r\n{headers}\r\n{form}", form.len())
    };
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", cloud.running.port())).unwrap();
    let both = call("ListUsers", "") + &call("ListGroups", "connection: close\r\n");
    std::io::Write::write_all(&mut stream, both.as_bytes()).unwrap();
    let mut answers = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answers).unwrap();
    assert!(answers.find("<ListUsersResponse").unwrap() < answers.find("<ListGroupsResponse").unwrap());
}

#[test]
fn each_protocol_throttles_in_its_way() {
    let cloud = Cloud::new();
    cloud.control("faults", json!({"operation": "*", "count": 4, "effect": "throttle"}));
    cloud.refused("ListUsers", &[], 400, "Throttling");
    let sts = cloud.query(&operator(), "sts", "GetCallerIdentity", &[]).unwrap();
    assert_eq!((sts.status, sts.text("Code").as_str()), (400, "Throttling"));
    let kms = cloud.json("us-east-1", "TrentService.ListKeys", &json!({}));
    assert_eq!((kms.status, kms.value()["__type"].as_str()), (400, Some("ThrottlingException")));
    let account = cloud.send("/listRegions", &operator_headers("account", "20261010T060000Z"), "{}").unwrap();
    assert_eq!((account.status, account.value()["errorType"].as_str()), (429, Some("TooManyRequestsException")));
}
