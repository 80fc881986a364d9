//! The authorization details.

use super::cloud::{Cloud, TRUST, allow, operator};

const ACTION: &str = "GetAccountAuthorizationDetails";

#[test]
fn one_budget_of_rows_runs_over_users_roles_groups_and_policies() {
    let cloud = Cloud::new();
    for name in ["a", "b"] {
        cloud.iam("CreateUser", &[("UserName", name)]);
        cloud.iam("CreateGroup", &[("GroupName", name)]);
        cloud.iam("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", TRUST)]);
        cloud.policy(name, &allow(&["sqs:*"]));
    }
    let mut marker = String::new();
    let mut seen = Vec::new();
    for page in 1..=4 {
        let mut params = vec![("MaxItems", "2")];
        if page > 1 {
            params.push(("Marker", marker.as_str()));
        }
        let reply = cloud.iam(ACTION, &params);
        seen.push(["UserId", "RoleId", "GroupId", "PolicyId"].map(|id| reply.texts(id).len()));
        assert_eq!(reply.text("IsTruncated"), (page < 4).to_string());
        let next = reply.text("Marker");
        marker = next;
    }
    assert_eq!(seen, [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 2]]);
}

#[test]
fn markers_are_bound_to_the_filters_which_are_case_sensitive() {
    let cloud = Cloud::new();
    cloud.iam("CreateUser", &[("UserName", "a")]);
    cloud.iam("CreateUser", &[("UserName", "b")]);
    let marker = cloud.iam(ACTION, &[("MaxItems", "1"), ("Filter.member.1", "User")]).text("Marker");
    let refusal = cloud.refused(ACTION, &[("Marker", &marker)], 400, "ValidationError");
    assert_eq!(refusal.text("Message"), "Marker and Filter do not match");
    cloud.refused(ACTION, &[("Filter.member.1", "user")], 400, "ValidationError");
    let next = cloud.iam(ACTION, &[("Marker", &marker), ("Filter.member.1", "User")]);
    assert_eq!(next.texts("UserName"), ["b"]);
}

#[test]
fn pages_are_of_the_state_as_it_now_is() {
    let cloud = Cloud::new();
    for name in ["a", "b", "c"] {
        cloud.iam("CreateUser", &[("UserName", name)]);
    }
    let marker = cloud.iam(ACTION, &[("MaxItems", "1")]).text("Marker");
    cloud.iam("DeleteUser", &[("UserName", "a")]);
    cloud.iam("DeleteUser", &[("UserName", "b")]);
    cloud.iam("CreateUser", &[("UserName", "aa")]);
    assert_eq!(cloud.iam(ACTION, &[("Marker", &marker)]).texts("UserName"), ["aa", "c"]);
}

#[test]
fn members_are_those_of_aws_and_documents_are_percent_encoded() {
    let cloud = Cloud::acme(|_| ());
    let reply = cloud.iam(ACTION, &[("MaxItems", "1000")]);
    assert_eq!(reply.texts("RoleId").iter().collect::<std::collections::BTreeSet<_>>().len(), 39);
    assert_eq!(reply.texts("UserName").len(), 10);
    // The sample leaves out the document of one old version.
    let documents = [reply.texts("Document"), reply.texts("PolicyDocument")].concat();
    assert!(documents.iter().all(|text| text.is_empty() || text.starts_with('%')));
    assert!(reply.has("PermissionsBoundaryArn") && reply.has("GroupList") && reply.has("PolicyVersionList"));
    assert!(!reply.has("Description") && !reply.has("AccessKeyId"));
    let filtered = cloud.iam(ACTION, &[("Filter.member.1", "AWSManagedPolicy"), ("MaxItems", "1000")]);
    assert!(filtered.texts("Arn").iter().all(|arn| arn.contains(":iam::aws:policy/")));
    assert_eq!(filtered.text("RoleDetailList"), "");
}

#[test]
fn a_user_without_inline_policies_has_no_list_of_them_and_groups_and_roles_an_empty_one() {
    let cloud = Cloud::new();
    cloud.iam("CreateUser", &[("UserName", "a")]);
    cloud.iam("CreateGroup", &[("GroupName", "a")]);
    cloud.iam("CreateRole", &[("RoleName", "a"), ("AssumeRolePolicyDocument", TRUST)]);
    let reply = cloud.iam(ACTION, &[]);
    assert!(!reply.has("UserPolicyList"));
    assert!(reply.body.contains("<GroupPolicyList></GroupPolicyList>"));
    assert!(reply.body.contains("<RolePolicyList></RolePolicyList>"));
    assert!(!reply.body.contains("<Marker>"));
}

#[test]
fn policy_tags_come_from_policies_and_not_from_the_details() {
    let cloud = Cloud::new();
    let arn = cloud.policy("p", &allow(&["sqs:*"]));
    cloud.iam("TagPolicy", &[("PolicyArn", &arn), ("Tags.member.1.Key", "owner"), ("Tags.member.1.Value", "me")]);
    assert_eq!(cloud.iam("ListPolicyTags", &[("PolicyArn", &arn)]).text("Value"), "me");
    assert_eq!(cloud.iam("GetPolicy", &[("PolicyArn", &arn)]).text("Value"), "me");
    assert!(!cloud.iam(ACTION, &[]).body.contains("owner"));
}

#[test]
fn lists_say_who_has_a_policy_and_which_groups_a_user_is_in() {
    let cloud = Cloud::acme(|options| options.page_size = Some(1));
    let mut roles = Vec::new();
    let mut marker = String::new();
    loop {
        let mut params = vec![("PolicyArn", "arn:aws:iam::111122223333:policy/service-baseline")];
        if !marker.is_empty() {
            params.push(("Marker", marker.as_str()));
        }
        let reply = cloud.iam("ListEntitiesForPolicy", &params);
        roles.extend(reply.texts("RoleName"));
        if reply.text("IsTruncated") == "false" {
            break;
        }
        let next = reply.text("Marker");
        marker = next;
    }
    roles.sort();
    assert_eq!(roles, ["checkout-task", "image-resizer-lambda", "orders-api-lambda", "payments-worker"]);
    assert_eq!(cloud.iam("ListGroupsForUser", &[("UserName", "ana.silva")]).texts("GroupName"), ["data"]);
    assert_eq!(cloud.iam("GetGroup", &[("GroupName", "data")]).texts("UserName").len(), 1);
    let identity = cloud.query(&operator(), "sts", "GetCallerIdentity", &[]).unwrap();
    assert_eq!(identity.text("Arn"), "arn:aws:sts::111122223333:assumed-role/security-audit/nightly");
}
