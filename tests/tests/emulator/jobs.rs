//! Jobs, pages, and who may read what.

use serde_json::json;

use super::cloud::{Cloud, Key, allow, namespaces, operator};

const GET: &str = "GetServiceLastAccessedDetails";
const ENTITIES: &str = "GetServiceLastAccessedDetailsWithEntities";

#[test]
fn without_granularity_a_report_is_by_service() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:*"]));
    let job = cloud.iam("GenerateServiceLastAccessedDetails", &[("Arn", &arn)]).text("JobId");
    let reply = cloud.iam(GET, &[("JobId", &job)]);
    assert_eq!(reply.text("JobType"), "SERVICE_LEVEL");
    assert!(!reply.has("TrackedActionsLastAccessed"));
    assert_eq!(cloud.iam(GET, &[("JobId", &cloud.generate(&arn))]).text("JobType"), "ACTION_LEVEL");
}

#[test]
fn root_and_arns_of_another_partition_service_or_account_are_refused() {
    let cloud = Cloud::new();
    let refused = |arn: &str, status, code| {
        cloud.refused("GenerateServiceLastAccessedDetails", &[("Arn", arn)], status, code);
    };
    refused("arn:aws:iam::123456789012:root", 400, "InvalidInput");
    refused("arn:aws-cn:iam::123456789012:user/ann", 400, "ValidationError");
    refused("arn:aws:s3::123456789012:user/ann", 400, "ValidationError");
    refused("arn:aws:iam::999999999999:user/ann", 400, "InvalidParameter");
    refused("arn:aws:iam::123456789012:user/nobody", 404, "NoSuchEntity");
}

#[test]
fn a_job_is_read_by_the_same_user_with_any_key_or_by_the_very_session() {
    let cloud = Cloud::new();
    let everything = allow(&["*"]);
    let (role, user) = (cloud.role("reader", &everything), cloud.user("ann", &everything));
    let read = |key: &Key, job: &str| cloud.query(key, "iam", GET, &[("JobId", job)]).unwrap();
    let start = |key: &Key| {
        cloud.query(key, "iam", "GenerateServiceLastAccessedDetails", &[("Arn", &user)]).unwrap().text("JobId")
    };
    let (one, other) = (cloud.credentials(&role), cloud.credentials(&role));
    let job = start(&one);
    assert_eq!(read(&one, &job).status, 200);
    let refusal = read(&other, &job);
    assert_eq!((refusal.status, refusal.text("Code").as_str()), (404, "NoSuchEntity"));
    assert_eq!(refusal.text("Message"), format!("Job {job} does not exist."));
    assert_eq!(read(&operator(), &job).status, 404);
    let (key, another) = (cloud.credentials(&user), cloud.credentials(&user));
    let job = start(&key);
    assert_eq!(read(&another, &job).status, 200, "another key of the same user");
}

#[test]
fn a_failed_job_has_an_error_and_no_services() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:*"]));
    cloud.control(
        "faults",
        json!({"operation": "GenerateServiceLastAccessedDetails", "effect": "fail-job", "code": "INTERNAL", "message": "m"}),
    );
    let reply = cloud.iam(GET, &[("JobId", &cloud.generate(&arn))]);
    assert_eq!((reply.text("JobStatus").as_str(), reply.text("Code").as_str()), ("FAILED", "INTERNAL"));
    assert!(!reply.has("ServicesLastAccessed"));
}

#[test]
fn an_unfinished_job_has_neither_type_nor_completion_nor_services() {
    let cloud = Cloud::new();
    cloud.control("behaviour", json!({"job_seconds": 2}));
    let arn = cloud.user("ann", &allow(&["sqs:*"]));
    let job = cloud.generate(&arn);
    let reply = cloud.iam(GET, &[("JobId", &job)]);
    assert_eq!(reply.text("JobStatus"), "IN_PROGRESS");
    for absent in ["JobType", "JobCompletionDate", "ServicesLastAccessed"] {
        assert!(!reply.has(absent), "{absent}");
    }
    cloud.control("clock", json!({"advance_seconds": 2}));
    let reply = cloud.iam(GET, &[("JobId", &job)]);
    assert_eq!(reply.text("JobStatus"), "COMPLETED");
    assert_eq!(reply.text("JobCompletionDate"), "2026-10-10T06:00:02Z");
}

#[test]
fn jobs_take_seconds_from_a_span_by_the_seed() {
    let spans = |seed| {
        let cloud = Cloud::with(secateur_tests::emulator::Options {
            now: Some(super::cloud::NOW.into()),
            frozen: true,
            seed,
            job_seconds: Some((1.0, 8.0)),
            ..Default::default()
        });
        let arn = cloud.user("ann", &allow(&["sqs:*"]));
        let jobs: Vec<String> = (0..8).map(|_| cloud.generate(&arn)).collect();
        cloud.control("clock", json!({"advance_seconds": 8}));
        jobs.iter().map(|job| cloud.iam(GET, &[("JobId", job)]).text("JobCompletionDate")).collect::<Vec<_>>()
    };
    assert_eq!(spans(1), spans(1));
    let times = spans(2);
    assert!(times.iter().all(|time| time.as_str() > "2026-10-10T06:00:00Z" && time.as_str() <= "2026-10-10T06:00:08Z"));
    assert!(times.iter().any(|time| time != &times[0]));
}

#[test]
fn pages_are_of_100_rows_or_fewer_and_markers_are_bound_to_the_job() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["*"]));
    let (job, other) = (cloud.generate(&arn), cloud.generate(&arn));
    let first = cloud.iam(GET, &[("JobId", &job)]);
    assert_eq!((first.rows().len(), first.text("IsTruncated").as_str()), (100, "true"));
    cloud.control("behaviour", json!({"page_size": 3}));
    let fewer = cloud.iam(GET, &[("JobId", &job), ("MaxItems", "50")]);
    assert_eq!(fewer.rows().len(), 3);
    let marker = fewer.text("Marker");
    cloud.refused(GET, &[("JobId", &other), ("Marker", &marker)], 400, "ValidationError");
    let next = cloud.iam(GET, &[("JobId", &job), ("Marker", &marker)]);
    assert!(next.rows()[0].namespace > fewer.rows()[2].namespace);
    cloud.refused(GET, &[("JobId", &job), ("MaxItems", "1001")], 400, "ValidationError");
    cloud.refused(GET, &[("JobId", &job), ("MaxItems", "0")], 400, "ValidationError");
}

#[test]
fn a_report_is_frozen_at_generation_and_outlives_its_entity() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:*"]));
    let job = cloud.generate(&arn);
    let before = cloud.iam(GET, &[("JobId", &job)]).rows();
    cloud.used(&arn, "sqs:CreateQueue", "2026-10-10T05:00:00Z", "us-east-1");
    cloud.iam("DeleteUserPolicy", &[("UserName", "ann"), ("PolicyName", "p")]);
    assert_eq!(namespaces(&cloud.report(&arn)), [""; 0], "a new report is of the new policies");
    cloud.iam("DeleteUser", &[("UserName", "ann")]);
    let after = cloud.iam(GET, &[("JobId", &job)]).rows();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
}

#[test]
fn new_use_shows_in_a_new_report_only() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:*"]));
    let job = cloud.generate(&arn);
    cloud.used(&arn, "sqs:CreateQueue", "2026-10-10T05:00:00Z", "us-east-1");
    assert_eq!(cloud.iam(GET, &[("JobId", &job)]).rows()[0].last, None);
    assert!(cloud.report(&arn)[0].last.is_some());
}

#[test]
fn with_entities_lists_who_used_a_service_with_ids_and_paths() {
    let cloud = Cloud::new();
    let policy = cloud.policy("shared", &allow(&["sqs:*"]));
    let (ann, job_role) = (cloud.user("ann", &allow(&["ec2:*"])), cloud.role("job", &allow(&["ec2:*"])));
    cloud.iam("AttachUserPolicy", &[("UserName", "ann"), ("PolicyArn", &policy)]);
    cloud.iam("AttachRolePolicy", &[("RoleName", "job"), ("PolicyArn", &policy)]);
    cloud.used(&ann, "sqs:CreateQueue", "2026-10-01T00:00:00Z", "us-east-1");
    cloud.used(&job_role, "sqs:SendMessage", "2026-10-02T00:00:00Z", "us-east-1");
    let job = cloud.generate(&policy);
    let reply = cloud.iam(ENTITIES, &[("JobId", &job), ("ServiceNamespace", "sqs")]);
    assert_eq!(reply.texts("Arn"), [job_role, ann]);
    assert_eq!(reply.texts("Type"), ["ROLE", "USER"]);
    assert_eq!(reply.texts("Path"), ["/", "/"]);
    assert_eq!(reply.texts("LastAuthenticated"), ["2026-10-02T00:00:00Z", "2026-10-01T00:00:00Z"]);
    assert!(reply.texts("Id").iter().all(|id| id.len() == 21));
    assert!(!reply.has("TrackedActionsLastAccessed"), "there is no list of actions by entity");
}

#[test]
fn a_policy_that_nobody_has_still_lists_services_with_a_total_of_zero() {
    let cloud = Cloud::new();
    let policy = cloud.policy("alone", &allow(&["sqs:*"]));
    let [row] = &cloud.report(&policy)[..] else { panic!() };
    assert_eq!((row.namespace.as_str(), row.total.as_str()), ("sqs", "0"));
}

#[test]
fn a_group_report_covers_the_groups_policies_only() {
    let cloud = Cloud::new();
    cloud.user("ann", &allow(&["ec2:*"]));
    let group = cloud.iam("CreateGroup", &[("GroupName", "ops")]).text("Arn");
    cloud.iam("AddUserToGroup", &[("GroupName", "ops"), ("UserName", "ann")]);
    let document = allow(&["sqs:*"]);
    let params = [("GroupName", "ops"), ("PolicyName", "p"), ("PolicyDocument", document.as_str())];
    cloud.iam("PutGroupPolicy", &params);
    assert_eq!(namespaces(&cloud.report(&group)), ["sqs"]);
    assert_eq!(namespaces(&cloud.report("arn:aws:iam::123456789012:user/ann")), ["ec2", "sqs"]);
}

#[test]
fn granting_policies_are_judged_each_alone_for_at_most_200_services() {
    let cloud = Cloud::new();
    let arn = cloud.user("ann", &allow(&["sqs:*"]));
    let deny = r#"{"Statement":[{"Effect":"Deny","Action":"sqs:*","Resource":"*"}]}"#;
    cloud.iam("PutUserPolicy", &[("UserName", "ann"), ("PolicyName", "deny"), ("PolicyDocument", deny)]);
    let policy = cloud.policy("shared", &allow(&["sqs:SendMessage"]));
    cloud.iam("CreateGroup", &[("GroupName", "ops")]);
    cloud.iam("AddUserToGroup", &[("GroupName", "ops"), ("UserName", "ann")]);
    cloud.iam("AttachGroupPolicy", &[("GroupName", "ops"), ("PolicyArn", &policy)]);
    let boundary = cloud.policy("boundary", &allow(&["sqs:*"]));
    cloud.iam("PutUserPermissionsBoundary", &[("UserName", "ann"), ("PermissionsBoundary", &boundary)]);
    let action = "ListPoliciesGrantingServiceAccess";
    let services = [("ServiceNamespaces.member.1", "sqs"), ("ServiceNamespaces.member.2", "sqs")];
    let reply = cloud.iam(action, &[&[("Arn", arn.as_str())], &services[..]].concat());
    assert_eq!(reply.texts("ServiceNamespace"), ["sqs"], "duplicates are one");
    assert_eq!(reply.texts("PolicyName"), ["p", "shared"]);
    assert_eq!((reply.text("EntityType").as_str(), reply.text("EntityName").as_str()), ("USER", "ann"));
    assert_eq!(reply.texts("PolicyArn"), [policy]);
    let names: Vec<String> = (1..=201).map(|at| format!("ServiceNamespaces.member.{at}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "sqs")).collect();
    let elsewhere = "arn:aws:iam::123456789012:user/some/path/ann";
    let at_most = [&[("Arn", elsewhere)], &many[..200]].concat();
    cloud.iam(action, &at_most);
    cloud.refused(action, &[&[("Arn", elsewhere)], &many[..]].concat(), 400, "ValidationError");
}

#[test]
fn the_api_route_takes_four_permissions() {
    let cloud = Cloud::new();
    let reader = [
        "iam:GenerateServiceLastAccessedDetails",
        "iam:GetServiceLastAccessedDetails",
        "iam:GetServiceLastAccessedDetailsWithEntities",
        "iam:ListPoliciesGrantingServiceAccess",
    ];
    let arn = cloud.user("ann", &allow(&reader));
    let key = cloud.credentials(&arn);
    cloud.control("behaviour", json!({"enforce": true}));
    let call = |action: &str, params: &[(&str, &str)]| cloud.query(&key, "iam", action, params).unwrap();
    let job = call("GenerateServiceLastAccessedDetails", &[("Arn", &arn)]).text("JobId");
    assert_eq!(call(GET, &[("JobId", &job)]).status, 200);
    assert_eq!(call(ENTITIES, &[("JobId", &job), ("ServiceNamespace", "iam")]).status, 200);
    let params = [("Arn", arn.as_str()), ("ServiceNamespaces.member.1", "iam")];
    assert_eq!(call("ListPoliciesGrantingServiceAccess", &params).status, 200);
    assert_eq!(call("ListUsers", &[]).text("Code"), "AccessDenied");
}

#[test]
fn one_job_takes_its_own_time_on_demand() {
    let cloud = Cloud::new();
    let (slow, other) = (cloud.role("slow", &allow(&["sqs:*"])), cloud.role("other", &allow(&["sqs:*"])));
    let operation = "GenerateServiceLastAccessedDetails";
    let fault = json!({"operation": operation, "parameters": {"Arn": slow}, "effect": "slow-job", "seconds": 60});
    cloud.control("faults", fault);
    let status = |job: &str| cloud.iam("GetServiceLastAccessedDetails", &[("JobId", job)]).text("JobStatus");
    let (slow, other) = (cloud.generate(&slow), cloud.generate(&other));
    assert_eq!((status(&slow).as_str(), status(&other).as_str()), ("IN_PROGRESS", "COMPLETED"));
    cloud.control("clock", json!({"advance_seconds": 60}));
    assert_eq!(status(&slow), "COMPLETED");
}
