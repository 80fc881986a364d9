//! Quotas and names.

use super::cloud::{Cloud, TRUST, allow};

/// A document of so many characters without white space.
fn of_size(size: usize) -> String {
    let rest = size - allow(&["sqs:"]).len();
    let document = allow(&[&format!("sqs:{}", "a".repeat(rest))]);
    assert_eq!(document.len(), size);
    // White space between the elements is not counted.
    document.replace(",\"", " ,\n  \"")
}

#[test]
fn a_managed_policy_has_6144_characters_without_white_space() {
    let cloud = Cloud::new();
    cloud.policy("full", &of_size(6144));
    let over = of_size(6145);
    let params = [("PolicyName", "over"), ("PolicyDocument", over.as_str())];
    let refusal = cloud.refused("CreatePolicy", &params, 409, "LimitExceeded");
    assert_eq!(refusal.text("Message"), "Cannot exceed quota for PolicySize: 6144");
}

#[test]
fn inline_policies_share_2048_5120_or_10240_characters() {
    let cloud = Cloud::new();
    cloud.iam("CreateUser", &[("UserName", "n")]);
    cloud.iam("CreateGroup", &[("GroupName", "n")]);
    cloud.iam("CreateRole", &[("RoleName", "n"), ("AssumeRolePolicyDocument", TRUST)]);
    for (kind, member, quota) in [("User", "UserName", 2048), ("Group", "GroupName", 5120), ("Role", "RoleName", 10240)]
    {
        let put = |name: &str, size: usize| {
            let document = of_size(size);
            let params = [(member, "n"), ("PolicyName", name), ("PolicyDocument", document.as_str())];
            cloud.try_iam(&format!("Put{kind}Policy"), &params)
        };
        assert_eq!(put("one", 1000).status, 200);
        assert_eq!(put("two", quota - 1000).status, 200);
        assert_eq!(put("one", 1000).status, 200, "what is replaced is not counted");
        let refusal = put("three", 100);
        assert_eq!((refusal.status, refusal.text("Code").as_str()), (409, "LimitExceeded"));
        let words = format!("Maximum policy size of {quota} bytes exceeded for {} n", kind.to_lowercase());
        assert_eq!(refusal.text("Message"), words);
    }
}

#[test]
fn attachments_groups_and_keys_have_quotas_of_the_summary() {
    let cloud = Cloud::new();
    cloud.iam("CreateUser", &[("UserName", "ann")]);
    let summary = cloud.iam("GetAccountSummary", &[]);
    assert!(summary.body.contains("<key>AttachedPoliciesPerUserQuota</key><value>10</value>"));
    for at in 0..10 {
        let arn = cloud.policy(&format!("p{at}"), &allow(&["sqs:*"]));
        cloud.iam("AttachUserPolicy", &[("UserName", "ann"), ("PolicyArn", &arn)]);
        cloud.iam("CreateGroup", &[("GroupName", &format!("g{at}"))]);
        cloud.iam("AddUserToGroup", &[("UserName", "ann"), ("GroupName", &format!("g{at}"))]);
    }
    let arn = cloud.policy("more", &allow(&["sqs:*"]));
    cloud.refused("AttachUserPolicy", &[("UserName", "ann"), ("PolicyArn", &arn)], 409, "LimitExceeded");
    cloud.iam("CreateGroup", &[("GroupName", "more")]);
    cloud.refused("AddUserToGroup", &[("UserName", "ann"), ("GroupName", "more")], 409, "LimitExceeded");
}

#[test]
fn the_quotas_of_a_snapshot_count_not_those_of_the_documentation() {
    let cloud = Cloud::acme(|_| ());
    let summary = cloud.iam("GetAccountSummary", &[]);
    assert!(summary.body.contains("<key>AttachedPoliciesPerRoleQuota</key><value>20</value>"), "{}", summary.body);
}

#[test]
fn names_are_unique_and_found_without_regard_to_case() {
    let cloud = Cloud::new();
    cloud.user("Ann", &allow(&["sqs:*"]));
    assert_eq!(cloud.iam("GetUser", &[("UserName", "aNN")]).text("UserName"), "Ann");
    cloud.policy("Shared", &allow(&["sqs:*"]));
    let document = allow(&["sqs:*"]);
    let params = [("PolicyName", "shared"), ("PolicyDocument", document.as_str()), ("Path", "/x/")];
    cloud.refused("CreatePolicy", &params, 409, "EntityAlreadyExists");
    let other = allow(&["sns:*"]);
    cloud.iam("PutUserPolicy", &[("UserName", "ann"), ("PolicyName", "P"), ("PolicyDocument", &other)]);
    let reply = cloud.iam("ListUserPolicies", &[("UserName", "ann")]);
    assert!(reply.body.contains("<PolicyNames><member>p</member></PolicyNames>"), "one, of the first case");
    let reply = cloud.iam("GetUserPolicy", &[("UserName", "ann"), ("PolicyName", "P")]);
    assert!(reply.text("PolicyDocument").contains("sns"));
}

#[test]
fn names_and_paths_have_their_lengths_and_letters() {
    let cloud = Cloud::new();
    cloud.iam("CreateUser", &[("UserName", "+=,.@-_9"), ("Path", "/a/b/")]);
    cloud.refused("CreateUser", &[("UserName", &"a".repeat(65))], 400, "ValidationError");
    cloud.iam("CreateGroup", &[("GroupName", &"a".repeat(128))]);
    cloud.refused("CreateUser", &[("UserName", "a b")], 400, "ValidationError");
    cloud.refused("CreateUser", &[("UserName", "x"), ("Path", "nowhere")], 400, "ValidationError");
}

#[test]
fn tags_have_lengths_and_a_document_has_one_with_white_space_too() {
    let cloud = Cloud::new();
    cloud.iam("CreateUser", &[("UserName", "ann")]);
    let tag = |tags: &[(&str, &str)]| cloud.try_iam("TagUser", &[&[("UserName", "ann")], tags].concat()).text("Code");
    let (long, longer) = ("k".repeat(128), "k".repeat(129));
    assert_eq!(tag(&[("Tags.member.1.Key", &long), ("Tags.member.1.Value", "")]), "");
    assert_eq!(tag(&[("Tags.member.1.Key", &longer), ("Tags.member.1.Value", "")]), "ValidationError");
    let twice = [("Tags.member.1.Key", "a"), ("Tags.member.2.Key", "A")];
    assert_eq!(tag(&twice), "InvalidInput");
    let document = allow(&["sqs:*"]) + &" ".repeat(131_072);
    let params = [("UserName", "ann"), ("PolicyName", "p"), ("PolicyDocument", document.as_str())];
    cloud.refused("PutUserPolicy", &params, 400, "ValidationError");
    let fits = document.chars().take(131_072).collect::<String>();
    cloud.iam("PutUserPolicy", &[params[0], params[1], ("PolicyDocument", &fits)]);
}
