//! What reports say.

use serde_json::json;

use super::cloud::{Cloud, allow, bare, namespaces};

const DAY: &str = "2026-10-09T10:00:00Z";

#[test]
fn a_row_has_name_namespace_and_the_last_use_with_entity_and_region() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:*", "s3:GetObject"]));
    cloud.used(&arn, "sqs:CreateQueue", DAY, "eu-west-1");
    let rows = cloud.report(&arn);
    assert_eq!(namespaces(&rows), ["s3", "sqs"], "sorted by namespace");
    let sqs = &rows[1];
    assert_eq!((sqs.last.as_deref(), sqs.entity.as_deref()), (Some(DAY), Some(arn.as_str())));
    assert_eq!((sqs.region.as_deref(), sqs.total.as_str()), (Some("eu-west-1"), "1"));
}

#[test]
fn a_service_that_nobody_attempted_has_no_last_use_and_a_total_of_zero() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:*"]));
    let [row] = &cloud.report(&arn)[..] else { panic!() };
    assert_eq!((&row.last, &row.entity, &row.region, row.total.as_str()), (&None, &None, &None, "0"));
}

#[test]
fn the_last_entity_is_the_user_the_role_or_the_member_that_used_last() {
    let cloud = Cloud::new();
    let role = cloud.role("job", &allow(&["sqs:*"]));
    let (ann, bob) = (cloud.user("ann", &allow(&["ec2:*"])), cloud.user("bob", &allow(&["ec2:*"])));
    let policy = cloud.policy("shared", &allow(&["sqs:*"]));
    let group = cloud.iam("CreateGroup", &[("GroupName", "ops")]).text("Arn");
    for user in ["ann", "bob"] {
        cloud.iam("AddUserToGroup", &[("GroupName", "ops"), ("UserName", user)]);
    }
    cloud.iam("AttachGroupPolicy", &[("GroupName", "ops"), ("PolicyArn", &policy)]);
    cloud.iam("AttachRolePolicy", &[("RoleName", "job"), ("PolicyArn", &policy)]);
    cloud.used(&ann, "sqs:CreateQueue", "2026-10-01T00:00:00Z", "us-east-1");
    cloud.used(&bob, "sqs:CreateQueue", "2026-10-02T00:00:00Z", "us-east-1");
    cloud.used(&role, "sqs:CreateQueue", "2026-10-03T00:00:00Z", "us-east-1");
    let last = |arn: &str| {
        let rows = cloud.report(arn);
        let row = rows.into_iter().find(|row| row.namespace == "sqs").unwrap();
        (row.entity.unwrap(), row.total)
    };
    assert_eq!(last(&ann), (ann.clone(), "1".into()));
    assert_eq!(last(&role), (role.clone(), "1".into()));
    assert_eq!(last(&group), (bob, "2".into()));
    assert_eq!(last(&policy), (role, "3".into()));
}

#[test]
fn an_action_has_its_name_without_prefix_and_its_last_use() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:CreateQueue", "sqs:DeleteQueue"]));
    cloud.used(&arn, "sqs:CreateQueue", DAY, "eu-west-1");
    let job = cloud.generate(&arn);
    let reply = cloud.iam("GetServiceLastAccessedDetails", &[("JobId", &job)]);
    assert_eq!(reply.texts("ActionName"), ["CreateQueue", "DeleteQueue"]);
    assert_eq!(reply.texts("LastAccessedEntity"), [arn]);
    assert_eq!(reply.texts("LastAccessedTime"), [DAY]);
    assert_eq!(reply.texts("LastAccessedRegion"), ["eu-west-1"]);
}

#[test]
fn tracked_actions_that_were_never_used_are_entries_of_a_name_alone() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["iam:GetUser", "lambda:ListFunctions"]));
    let rows = cloud.report(&arn);
    assert_eq!((bare(&rows[0]), bare(&rows[1])), (vec!["GetUser"], vec!["ListFunctions"]));
    assert_eq!((rows[0].total.as_str(), rows[1].total.as_str()), ("0", "0"));
}

#[test]
fn untracked_actions_are_not_listed_and_a_service_of_only_such_has_no_list() {
    let cloud = Cloud::new();
    let actions = ["s3:GetObject", "sqs:SendMessage", "ec2:DescribeInstances", "iam:PassRole"];
    let arn = cloud.user("ann", &allow(&actions));
    cloud.used(&arn, "s3:GetObject", DAY, "us-east-1");
    let rows = cloud.report(&arn);
    assert_eq!(namespaces(&rows), ["ec2", "iam", "s3", "sqs"]);
    assert!(rows.iter().all(|row| row.actions.is_none()), "{rows:?}");
    assert_eq!(rows[2].last.as_deref(), Some(DAY), "its use counts for the service");
}

#[test]
fn an_action_is_missing_for_want_of_permission_or_of_tracking() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:CreateQueue", "sqs:SendMessage"]));
    cloud.used(&arn, "sqs:DeleteQueue", DAY, "us-east-1");
    let [row] = &cloud.report(&arn)[..] else { panic!() };
    assert_eq!(bare(row), ["CreateQueue"]);
    assert_eq!(row.last.as_deref(), Some(DAY), "a denied attempt counts for the service");
}

#[test]
fn unconditional_denies_are_subtracted_conditions_ignored_and_unknown_names_without_a_row() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["s3:*", "nosuch:Thing", "sqs:NoSuchAction"]));
    let put = |document: serde_json::Value| {
        let document = document.to_string();
        cloud.iam("PutUserPolicy", &[("UserName", "ann"), ("PolicyName", "deny"), ("PolicyDocument", &document)]);
    };
    assert_eq!(namespaces(&cloud.report(&arn)), ["s3"]);
    put(json!({"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}));
    assert_eq!(namespaces(&cloud.report(&arn)), [""; 0]);
    let never = json!({"StringEquals": {"aws:PrincipalTag/x": "never"}});
    put(json!({"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": never}]}));
    assert_eq!(namespaces(&cloud.report(&arn)), ["s3"]);
    let statement = json!({"Effect": "Allow", "Action": "sns:Publish", "Resource": "*", "Condition": never});
    let elsewhere = json!({"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "arn:aws:s3:::bucket"});
    put(json!({"Statement": [statement, elsewhere]}));
    assert_eq!(namespaces(&cloud.report(&arn)), ["s3", "sns"]);
}

#[test]
fn the_region_is_that_of_the_last_attempt_and_an_unlisted_region_gives_no_data() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:CreateQueue"]));
    cloud.used(&arn, "sqs:CreateQueue", "2026-10-01T00:00:00Z", "eu-west-1");
    cloud.used(&arn, "sqs:CreateQueue", "2026-10-02T00:00:00Z", "ap-south-1");
    cloud.used(&arn, "sqs:CreateQueue", "2026-10-03T00:00:00Z", "ca-west-1");
    let [row] = &cloud.report(&arn)[..] else { panic!() };
    assert_eq!(row.region.as_deref(), Some("ap-south-1"));
}

#[test]
fn namespaces_in_upper_case_or_unknown_are_refused() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["s3:*"]));
    let job = cloud.generate(&arn);
    for namespace in ["S3", "nosuch"] {
        let params = [("JobId", job.as_str()), ("ServiceNamespace", namespace)];
        cloud.refused("GetServiceLastAccessedDetailsWithEntities", &params, 400, "InvalidInput");
        let params = [("Arn", arn.as_str()), ("ServiceNamespaces.member.1", namespace)];
        cloud.refused("ListPoliciesGrantingServiceAccess", &params, 400, "InvalidInput");
    }
}

#[test]
fn a_boundary_changes_nothing_in_a_report() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:CreateQueue"]));
    let boundary = cloud.policy("boundary", &allow(&["ec2:*"]));
    let params = [("UserName", "ann"), ("PermissionsBoundary", boundary.as_str())];
    cloud.iam("PutUserPermissionsBoundary", &params);
    assert_eq!(namespaces(&cloud.report(&arn)), ["sqs"]);
}

#[test]
fn services_are_seen_for_400_days_and_actions_since_fixed_dates() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["s3:ListAllMyBuckets", "sqs:CreateQueue"]));
    cloud.used(&arn, "s3:ListAllMyBuckets", "2021-01-01T00:00:00Z", "us-east-1");
    cloud.used(&arn, "sqs:CreateQueue", "2023-05-01T00:00:00Z", "us-east-1");
    let rows = cloud.report(&arn);
    assert_eq!((&rows[0].last, &rows[1].last), (&None, &None));
    let time = rows[0].actions.as_ref().unwrap()[0].1.as_deref();
    assert_eq!(time, Some("2021-01-01T00:00:00Z"), "S3's actions are recorded since April 2020");
    assert_eq!(bare(&rows[1]), ["CreateQueue"], "SQS's are not, before 23 May 2023");
}

#[test]
fn recent_use_shows_four_hours_later_on_demand() {
    let cloud = Cloud::new();
    cloud.control("behaviour", json!({"report_delay_seconds": 14400}));
    let arn = cloud.user("ann", &allow(&["sqs:CreateQueue"]));
    cloud.used(&arn, "sqs:CreateQueue", "2026-10-10T05:00:00Z", "us-east-1");
    assert_eq!(cloud.report(&arn)[0].last, None);
    cloud.control("clock", json!({"advance_seconds": 3.5 * 3600.0}));
    assert_eq!(cloud.report(&arn)[0].last.as_deref(), Some("2026-10-10T05:00:00Z"));
}
