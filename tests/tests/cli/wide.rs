//! Policies that allow everything, or whole services, of somebody who uses twenty actions of eight services: each must fit.

use std::collections::BTreeMap;
use std::fmt::Write;

use secateur_tests::judge::actions::Catalogue;
use secateur_tests::judge::{Listed, Policy};
use serde_json::{Value, json};

use super::scene::{SNAPSHOT, Scene, change, withheld};

/// What is used: twenty actions of eight services.
const USED: [&str; 20] = [
    "cloudwatch:GetMetricData",
    "cloudwatch:PutMetricData",
    "dynamodb:DescribeTable",
    "dynamodb:ListTables",
    "ec2:DescribeInstances",
    "ec2:DescribeVolumes",
    "ec2:StartInstances",
    "ec2:StopInstances",
    "iam:GetRole",
    "iam:ListRoles",
    "iam:ListUsers",
    "lambda:GetFunction",
    "lambda:ListFunctions",
    "s3:CreateBucket",
    "s3:ListAllMyBuckets",
    "s3:PutBucketPolicy",
    "sns:CreateTopic",
    "sns:ListTopics",
    "sqs:CreateQueue",
    "sqs:ListQueues",
];

/// A name, and the statement's list of actions.
const LISTS: [(&str, &str); 5] = [
    ("everything", r#""Action": "*""#),
    ("power-user", r#""NotAction": ["iam:*", "organizations:*", "account:*"]"#),
    ("ec2", r#""Action": "ec2:*""#),
    ("s3", r#""Action": "s3:*""#),
    ("iam", r#""Action": "iam:*""#),
];

const ACCOUNT: &str = "111122223333";
const USED_AT: &str = "2026-10-09T10:00:00+00:00";

fn document(list: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", {list}, "Resource": "*"}}]}}"#)
}

/// A role with an inline policy, a user with one, and a role with a managed policy: each has another quota.
fn details() -> Value {
    let (mut users, mut roles, mut policies) = (Vec::new(), Vec::new(), Vec::new());
    for (name, list) in LISTS {
        let inline = json!([{"PolicyName": "wide", "PolicyDocument": document(list)}]);
        users.push(json!({
            "Path": "/", "UserName": name, "UserId": format!("AIDA{name}"), "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"),
            "CreateDate": "2020-01-01T00:00:00Z", "GroupList": [], "UserPolicyList": inline, "AttachedManagedPolicies": [],
        }));
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        let role = |name: String, inline: &Value, attached: Value| {
            json!({
                "Path": "/", "RoleName": name, "RoleId": format!("AROA{name}"), "Arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
                "CreateDate": "2020-01-01T00:00:00Z", "InstanceProfileList": [], "RolePolicyList": inline,
                "AttachedManagedPolicies": attached,
                "AssumeRolePolicyDocument": r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}]}"#,
            })
        };
        roles.push(role(name.to_owned(), &inline, json!([])));
        let attached = json!([{"PolicyName": name, "PolicyArn": arn}]);
        roles.push(role(format!("{name}-managed"), &json!([]), attached));
        policies.push(json!({
            "PolicyName": name, "PolicyId": format!("ANPA{name}"), "Arn": arn, "Path": "/", "DefaultVersionId": "v1",
            "AttachmentCount": 1, "PermissionsBoundaryUsageCount": 0, "IsAttachable": true,
            "CreateDate": "2020-01-01T00:00:00Z", "UpdateDate": "2020-01-01T00:00:00Z",
            "PolicyVersionList": [{"Document": document(list), "VersionId": "v1", "IsDefaultVersion": true, "CreateDate": "2020-01-01T00:00:00Z"}],
        }));
    }
    json!({"UserDetailList": users, "RoleDetailList": roles, "GroupDetailList": [], "Policies": policies, "IsTruncated": false})
}

/// What AWS would report: every service that the policy allows something of, its tracked actions, and the use of the twenty.
fn report(catalogue: &Catalogue, arn: &str, list: &str) -> Value {
    let policy = Policy::parse(&document(list)).unwrap();
    let allowed = catalogue.of(&policy.statements[0].actions);
    let mut services: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    allowed.iter().for_each(|at| services.entry(catalogue.service_of(at)).or_default().push(at));
    let rows: Vec<Value> = services.iter().map(|(service, own)| {
        let tracked = own.iter().filter_map(|at| catalogue.action(*at)).filter(|action| action.tracked);
        let tracked: Vec<Value> = tracked.map(|action| {
            let name = action.name.split_once(':').unwrap().1;
            match USED.contains(&action.name.as_str()) {
                true => json!({"ActionName": name, "LastAccessedTime": USED_AT, "LastAccessedEntity": arn, "LastAccessedRegion": "eu-west-1"}),
                false => json!({"ActionName": name}),
            }
        }).collect();
        let mut row = json!({"ServiceName": service, "ServiceNamespace": service, "TotalAuthenticatedEntities": 0});
        if USED.iter().any(|name| name.split_once(':').unwrap().0 == *service) {
            row["LastAuthenticated"] = json!(USED_AT);
            row["TotalAuthenticatedEntities"] = json!(1);
        }
        if !tracked.is_empty() {
            row["TrackedActionsLastAccessed"] = json!(tracked);
        }
        row
    }).collect();
    json!({
        "Arn": arn, "JobStatus": "COMPLETED", "JobType": "ACTION_LEVEL", "JobCreationDate": "2026-10-10T05:59:00+00:00",
        "JobCompletionDate": "2026-10-10T06:00:00+00:00", "IsTruncated": false, "ServicesLastAccessed": rows,
    })
}

fn scene(catalogue: &Catalogue) -> Scene {
    let scene = Scene::empty();
    scene.write(&format!("{SNAPSHOT}/account-authorization-details.json"), details().to_string());
    scene.write(
        &format!("{SNAPSHOT}/regions.json"),
        r#"{"Regions": [{"RegionName": "eu-west-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"}]}"#,
    );
    for (name, list) in LISTS {
        for path in [format!("user/{name}"), format!("role/{name}"), format!("role/{name}-managed")] {
            let arn = format!("arn:aws:iam::{ACCOUNT}:{path}");
            let file = format!("{SNAPSHOT}/last-accessed/{}.json", path.replace('/', "-"));
            scene.write(&file, report(catalogue, &arn, list).to_string());
        }
    }
    scene
}

/// Says what became of a policy: how many patterns, how large, what it re-admits; or fails if it does not fit.
fn outcome(plan: &Value, address: &str, quota: usize, catalogue: &Catalogue) -> String {
    assert_eq!(withheld(plan, address), [], "{address}");
    let change = change(plan, address);
    // Without white space, as AWS counts.
    let text: Value = serde_json::from_str(change["after"].as_str().unwrap()).unwrap();
    let size = text.to_string().chars().count();
    assert!(size <= quota, "{address}: {size}");
    assert!(change["size"].is_null() || change["size"]["after"] == size, "{address}: {size}");
    let after = Policy::parse(change["after"].as_str().unwrap()).unwrap();
    let allowed = catalogue.of(&after.statements[0].actions);
    let (key, patterns) = match &after.statements[0].actions {
        Listed::These(patterns) => ("Action", patterns.len()),
        Listed::AllBut(patterns) => ("NotAction", patterns.len()),
    };
    // What is used and was allowed is allowed still.
    let before = Policy::parse(change["before"].as_str().unwrap()).unwrap();
    let was = catalogue.of(&before.statements[0].actions);
    for name in USED.iter().filter_map(|name| catalogue.find(name)).filter(|at| was.contains(*at)) {
        assert!(allowed.contains(name), "{address} lost {:?}", catalogue.action(name));
    }
    assert!(allowed.len() < was.len(), "{address}");
    let readmitted: u64 =
        change["readmitted"].as_array().unwrap().iter().map(|entry| entry["count"].as_u64().unwrap()).sum();
    format!(
        "{address}: {key} of {patterns} patterns, {size} of {quota} characters; {} of {} actions stay, {readmitted} re-admitted",
        allowed.len(),
        was.len()
    )
}

#[test]
fn twenty_used_actions_of_eight_services_fit() {
    assert!(USED.is_sorted());
    let catalogue = Catalogue::load().unwrap();
    let scene = scene(&catalogue);
    let mut page = String::new();
    for not_action in ["extend", "invert"] {
        scene.write("secateur.toml", format!("[rewrite]\nnot_action = \"{not_action}\"\n"));
        let plan = scene.plan(&["--now", "2026-10-10T06:00:00Z"]);
        scene.run(&["verify", "plan.json"]).ended_with(0);
        writeln!(page, "not_action = {not_action}").unwrap();
        for (name, _) in LISTS.iter().filter(|(name, _)| not_action == "extend" || *name == "power-user") {
            for (address, quota) in [
                (format!("role/{name}/inline/wide"), 10_240),
                (format!("policy/{name}"), 6_144),
                (format!("user/{name}/inline/wide"), 2_048),
            ] {
                writeln!(page, "  {}", outcome(&plan, &address, quota, &catalogue)).unwrap();
            }
        }
    }
    println!("{page}");
}
