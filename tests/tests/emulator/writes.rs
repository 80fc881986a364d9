//! Writes, and their errors.

use serde_json::json;

use super::cloud::{Cloud, Reply, TRUST, allow};

fn version(cloud: &Cloud, arn: &str, default: &str) -> Reply {
    let document = allow(&["sqs:*"]);
    let params = [("PolicyArn", arn), ("PolicyDocument", document.as_str()), ("SetAsDefault", default)];
    cloud.try_iam("CreatePolicyVersion", &params)
}

#[test]
fn a_sixth_version_is_refused_and_the_default_cannot_be_deleted() {
    let cloud = Cloud::new();
    let arn = cloud.policy("p", &allow(&["sqs:*"]));
    for at in 2..=5 {
        assert_eq!(version(&cloud, &arn, "false").text("VersionId"), format!("v{at}"));
    }
    let sixth = version(&cloud, &arn, "true");
    assert_eq!((sixth.status, sixth.text("Code").as_str()), (409, "LimitExceeded"));
    assert!(sixth.text("Message").starts_with("A managed policy can have up to 5 versions."));
    cloud.refused("DeletePolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v1")], 409, "DeleteConflict");
    cloud.iam("SetDefaultPolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v3")]);
    cloud.iam("DeletePolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v1")]);
    assert_eq!(version(&cloud, &arn, "true").text("VersionId"), "v6", "numbers do not come back");
    let reply = cloud.iam("ListPolicyVersions", &[("PolicyArn", &arn)]);
    assert_eq!(reply.texts("VersionId"), ["v6", "v5", "v4", "v3", "v2"]);
    assert!(!reply.has("Document"), "lists are without documents");
    assert_eq!(cloud.iam("GetPolicy", &[("PolicyArn", &arn)]).text("DefaultVersionId"), "v6");
}

#[test]
fn a_new_default_version_affects_everyone_at_once_and_put_replaces_without_a_word() {
    let cloud = Cloud::new();
    let arn = cloud.policy("p", &allow(&["sqs:*"]));
    let user = cloud.user("ann", &allow(&["ec2:RunInstances"]));
    cloud.iam("AttachUserPolicy", &[("UserName", "ann"), ("PolicyArn", &arn)]);
    let document = allow(&["sns:*"]);
    let params = [("PolicyArn", arn.as_str()), ("PolicyDocument", document.as_str()), ("SetAsDefault", "true")];
    cloud.iam("CreatePolicyVersion", &params);
    assert_eq!(super::cloud::namespaces(&cloud.report(&user)), ["ec2", "sns"]);
    cloud.iam("SetDefaultPolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v1")]);
    assert_eq!(super::cloud::namespaces(&cloud.report(&user)), ["ec2", "sqs"]);
    cloud.iam("PutUserPolicy", &[("UserName", "ann"), ("PolicyName", "p"), ("PolicyDocument", &document)]);
    let reply = cloud.iam("GetUserPolicy", &[("UserName", "ann"), ("PolicyName", "p")]);
    assert!(reply.text("PolicyDocument").contains("sns%3A%2A"), "percent-encoded: {}", reply.body);
}

#[test]
fn errors_bear_the_short_codes_of_the_wire_with_their_statuses() {
    let cloud = Cloud::new();
    cloud.user("ann", &allow(&["sqs:*"]));
    let missing = "arn:aws:iam::123456789012:policy/missing";
    cloud.refused("GetPolicy", &[("PolicyArn", missing)], 404, "NoSuchEntity");
    cloud.refused("CreateUser", &[("UserName", "ANN")], 409, "EntityAlreadyExists");
    cloud.refused("DeleteUser", &[("UserName", "ann")], 409, "DeleteConflict");
    let bad = [("UserName", "ann"), ("PolicyName", "p"), ("PolicyDocument", "{}")];
    cloud.refused("PutUserPolicy", &bad, 400, "MalformedPolicyDocument");
    cloud.refused("AttachUserPolicy", &[("UserName", "ann"), ("PolicyArn", missing)], 404, "NoSuchEntity");
    cloud.refused("GetUserPolicy", &[("UserName", "ann")], 400, "ValidationError");
    for (code, status) in [("ServiceFailure", 500), ("ConcurrentModification", 409), ("Throttling", 400)] {
        cloud.control(
            "faults",
            json!({"operation": "PutUserPolicy", "effect": "error", "code": code, "status": status}),
        );
        cloud.refused("PutUserPolicy", &bad, status, code);
    }
}

#[test]
fn only_aws_changes_service_linked_and_identity_center_roles_but_tags_are_taken() {
    let cloud = Cloud::acme(|_| ());
    let document = allow(&["sqs:*"]);
    for role in ["AWSServiceRoleForECS", "AWSReservedSSO_AdministratorAccess_8f1c2d3e4a5b6079"] {
        let put = [("RoleName", role), ("PolicyName", "p"), ("PolicyDocument", document.as_str())];
        let refusal = cloud.refused("PutRolePolicy", &put, 400, "UnmodifiableEntity");
        assert!(refusal.text("Message").contains("only modifiable by AWS"));
        let policy = [("RoleName", role), ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")];
        cloud.refused("AttachRolePolicy", &policy, 400, "UnmodifiableEntity");
        cloud.refused("DetachRolePolicy", &policy, 400, "UnmodifiableEntity");
        cloud.refused("DeleteRolePolicy", &put[..2], 400, "UnmodifiableEntity");
        cloud.refused("DeleteRole", &put[..1], 400, "UnmodifiableEntity");
        cloud.iam("TagRole", &[("RoleName", role), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]);
    }
    let of_service = "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy";
    let params = [("RoleName", "power-user"), ("PolicyArn", of_service)];
    cloud.refused("AttachRolePolicy", &params, 400, "PolicyNotAttachable");
    let aws = "arn:aws:iam::aws:policy/AdministratorAccess";
    let params = [("PolicyArn", aws), ("PolicyDocument", document.as_str())];
    cloud.refused("CreatePolicyVersion", &params, 403, "AccessDenied");
}

#[test]
fn detaching_what_is_not_attached_and_deleting_no_boundary_find_nothing() {
    let cloud = Cloud::new();
    cloud.user("ann", &allow(&["sqs:*"]));
    let arn = cloud.policy("p", &allow(&["sqs:*"]));
    let params = [("UserName", "ann"), ("PolicyArn", arn.as_str())];
    cloud.refused("DetachUserPolicy", &params, 404, "NoSuchEntity");
    cloud.refused("DeleteUserPermissionsBoundary", &params[..1], 404, "NoSuchEntity");
    cloud.iam("AttachUserPolicy", &params);
    cloud.iam("AttachUserPolicy", &params);
    assert_eq!(cloud.iam("ListAttachedUserPolicies", &params[..1]).texts("PolicyArn").len(), 1);
    cloud.iam("DetachUserPolicy", &params);
}

#[test]
fn a_policy_goes_only_when_nobody_has_it_and_one_version_is_left() {
    let cloud = Cloud::new();
    cloud.user("ann", &allow(&["sqs:*"]));
    let arn = cloud.policy("p", &allow(&["sqs:*"]));
    let bound = [("UserName", "ann"), ("PermissionsBoundary", arn.as_str())];
    cloud.iam("PutUserPermissionsBoundary", &bound);
    cloud.refused("DeletePolicy", &[("PolicyArn", &arn)], 409, "DeleteConflict");
    let policy = cloud.iam("GetPolicy", &[("PolicyArn", &arn)]);
    let counts = (policy.text("AttachmentCount"), policy.text("PermissionsBoundaryUsageCount"));
    assert_eq!(counts, ("0".into(), "1".into()), "counted apart");
    cloud.iam("DeleteUserPermissionsBoundary", &bound[..1]);
    version(&cloud, &arn, "false");
    cloud.refused("DeletePolicy", &[("PolicyArn", &arn)], 409, "DeleteConflict");
    cloud.iam("DeletePolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v2")]);
    cloud.iam("DeletePolicy", &[("PolicyArn", &arn)]);
    cloud.refused("GetPolicy", &[("PolicyArn", &arn)], 404, "NoSuchEntity");
}

#[test]
fn an_entity_goes_only_when_nothing_hangs_on_it() {
    let cloud = Cloud::new();
    cloud.iam("CreateRole", &[("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST)]);
    cloud.iam("CreateUser", &[("UserName", "ann")]);
    cloud.iam("CreateGroup", &[("GroupName", "g")]);
    cloud.iam("AddUserToGroup", &[("UserName", "ann"), ("GroupName", "g")]);
    cloud.refused("DeleteUser", &[("UserName", "ann")], 409, "DeleteConflict");
    cloud.refused("DeleteGroup", &[("GroupName", "g")], 409, "DeleteConflict");
    cloud.iam("RemoveUserFromGroup", &[("UserName", "ann"), ("GroupName", "g")]);
    let key = cloud.iam("CreateAccessKey", &[("UserName", "ann")]).text("AccessKeyId");
    cloud.refused("DeleteUser", &[("UserName", "ann")], 409, "DeleteConflict");
    cloud.iam("DeleteAccessKey", &[("UserName", "ann"), ("AccessKeyId", &key)]);
    cloud.iam("DeleteUser", &[("UserName", "ann")]);
    cloud.iam("DeleteGroup", &[("GroupName", "g")]);
    cloud.iam("DeleteRole", &[("RoleName", "r")]);
}

#[test]
fn a_version_created_again_after_a_lost_answer_is_a_second_version() {
    let cloud = Cloud::new();
    let arn = cloud.policy("p", &allow(&["sqs:*"]));
    cloud.control("faults", json!({"operation": "CreatePolicyVersion", "effect": "answer-lost"}));
    let document = allow(&["sns:*"]);
    let params = [("PolicyArn", arn.as_str()), ("PolicyDocument", document.as_str())];
    let lost = cloud.query(&super::cloud::operator(), "iam", "CreatePolicyVersion", &params);
    assert!(lost.is_err(), "{lost:?}");
    cloud.iam("CreatePolicyVersion", &params);
    assert_eq!(cloud.iam("ListPolicyVersions", &[("PolicyArn", &arn)]).texts("VersionId"), ["v3", "v2", "v1"]);
}

#[test]
fn a_write_shows_in_reads_some_time_later() {
    let cloud = Cloud::new();
    cloud.user("ann", &allow(&["sqs:*"]));
    cloud.control("behaviour", json!({"consistency_seconds": 10}));
    cloud.iam("TagUser", &[("UserName", "ann"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "1")]);
    cloud.control("clock", json!({"advance_seconds": 6}));
    cloud.iam("TagUser", &[("UserName", "ann"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "2")]);
    let tag = || cloud.iam("ListUserTags", &[("UserName", "ann")]).text("Value");
    assert_eq!(tag(), "");
    cloud.control("clock", json!({"advance_seconds": 4}));
    assert_eq!(tag(), "1");
    cloud.control("clock", json!({"advance_seconds": 6}));
    assert_eq!(tag(), "2");
}
