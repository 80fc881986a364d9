//! Policies that take the place of others, found where they are already: nobody who gets one loses what it has now.

use serde_json::{Value, json};

use super::scene::{PLAN, SNAPSHOT, Scene, addresses, change, withheld};

const ACCOUNT: &str = "111122223333";

/// A policy of AWS's of which role/b uses two actions.
const THING: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["dynamodb:*Table", "s3:GetBucketAcl", "s3:GetBucketPolicy", "s3:GetLifecycleConfiguration"], "Resource": "*"}]}"#;

/// A policy that fits a quota of 490 characters only in parts.
const MANY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject*", "s3:GetL*"], "Resource": "*"}, {"Effect": "Allow", "Action": ["s3:GetBucket*"], "Resource": "*"}]}"#;

#[derive(Default)]
struct Account {
    roles: Vec<Value>,
    policies: Vec<Value>,
    reports: Vec<Value>,
}

fn arn(policy: &str) -> String {
    match policy.strip_prefix("aws:") {
        Some(name) => format!("arn:aws:iam::aws:policy/{name}"),
        None => format!("arn:aws:iam::{ACCOUNT}:policy/{policy}"),
    }
}

impl Account {
    fn policy(mut self, name: &str, text: &str) -> Account {
        self.policies.push(json!({
            "PolicyName": name.trim_start_matches("aws:"), "PolicyId": format!("ANPA{name}"), "Arn": arn(name), "Path": "/",
            "DefaultVersionId": "v1", "AttachmentCount": 1, "PermissionsBoundaryUsageCount": 0, "IsAttachable": true,
            "CreateDate": "2020-01-01T00:00:00Z", "UpdateDate": "2020-01-01T00:00:00Z",
            "PolicyVersionList": [{"Document": text, "VersionId": "v1", "IsDefaultVersion": true, "CreateDate": "2020-01-01T00:00:00Z"}],
        }));
        self
    }

    /// A role with these policies, which uses these actions of `s3` and nothing else.
    fn role(mut self, name: &str, attached: &[&str], used: &[&str]) -> Account {
        let role = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
        let attached: Vec<Value> = (attached.iter())
            .map(|policy| json!({"PolicyName": policy.trim_start_matches("aws:"), "PolicyArn": arn(policy)}))
            .collect();
        self.roles.push(json!({
            "Path": "/", "RoleName": name, "RoleId": format!("AROA{name}"), "Arn": role, "CreateDate": "2020-01-01T00:00:00Z",
            "InstanceProfileList": [], "RolePolicyList": [], "AttachedManagedPolicies": attached, "Tags": [],
            "AssumeRolePolicyDocument": r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}]}"#,
        }));
        let action = |name: &&str| match used.contains(name) {
            true => {
                json!({"ActionName": name, "LastAccessedTime": "2026-10-01T00:00:00Z", "LastAccessedEntity": role, "LastAccessedRegion": "eu-west-1"})
            }
            false => json!({"ActionName": name}),
        };
        let mut tracked = vec!["GetBucketAcl", "GetBucketPolicy", "GetLifecycleConfiguration"];
        if used.is_empty() {
            tracked.push("GetBucketWebsite");
        }
        self.reports.push(json!({
            "Arn": role, "JobStatus": "COMPLETED", "JobType": "ACTION_LEVEL", "JobCreationDate": "2026-10-10T05:59:00Z",
            "JobCompletionDate": "2026-10-10T06:00:00Z", "IsTruncated": false,
            "ServicesLastAccessed": [
                {"ServiceName": "S3", "ServiceNamespace": "s3", "LastAuthenticated": "2026-10-01T00:00:00Z", "TotalAuthenticatedEntities": 1,
                 "TrackedActionsLastAccessed": tracked.iter().map(action).collect::<Vec<_>>()},
                {"ServiceName": "DynamoDB", "ServiceNamespace": "dynamodb", "TotalAuthenticatedEntities": 0},
            ],
        }));
        self
    }

    fn scene(self, configuration: &str) -> Scene {
        let scene = Scene::empty();
        scene.write("secateur.toml", configuration);
        let details = json!({
            "UserDetailList": [], "GroupDetailList": [], "RoleDetailList": self.roles, "Policies": self.policies, "IsTruncated": false,
        });
        scene.write(&format!("{SNAPSHOT}/account-authorization-details.json"), details.to_string());
        let regions = r#"{"Regions": [{"RegionName": "eu-west-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"}]}"#;
        scene.write(&format!("{SNAPSHOT}/regions.json"), regions);
        let summary =
            json!({"SummaryMap": {"PolicySizeQuota": 490, "AttachedPoliciesPerRoleQuota": 10, "PoliciesQuota": 1_500}});
        scene.write(&format!("{SNAPSHOT}/account-summary.json"), summary.to_string());
        for (at, report) in self.reports.iter().enumerate() {
            scene.write(&format!("{SNAPSHOT}/last-accessed/{at}.json"), report.to_string());
        }
        scene
    }
}

fn plan(scene: &Scene) -> Value {
    let plan = scene.plan(&["--now", "2026-10-10T06:00:00Z"]);
    scene.run(&["verify", PLAN]).ended_with(0);
    plan
}

const REPLACE: &str = "[rewrite]\naws_managed = \"replace\"\n";
const SPLIT: &str = "[rewrite]\nsplit = true\nwildcards = \"never\"\n";

fn b() -> Account {
    Account::default().policy("aws:ThingAccess", THING).role(
        "b",
        &["aws:ThingAccess"],
        &["GetBucketAcl", "GetBucketPolicy"],
    )
}

/// The name and the text of the policy that a plan creates.
fn created(plan: &Value) -> (String, String) {
    let all = plan["changes"].as_array().unwrap();
    let create = all.iter().find(|change| change["action"] == "create").unwrap();
    (create["target"]["name"].as_str().unwrap().to_owned(), create["after"].as_str().unwrap().to_owned())
}

/// The one reason and detail for which an address is withheld.
#[track_caller]
fn why(plan: &Value, address: &str) -> String {
    match withheld(plan, address).as_slice() {
        [(reason, detail)] => format!("{reason}: {detail}"),
        other => panic!("{address}: {other:?}"),
    }
}

#[test]
fn a_copy_that_is_there_already_stays_as_it_is() {
    let (name, text) = created(&plan(&b().scene(REPLACE)));
    // Its holder uses one of its two actions; who gets it uses both.
    let scene = b().policy(&name, &text).role("a", &[&name], &["GetBucketAcl"]).scene(REPLACE);
    let plan = plan(&scene);
    assert_eq!(addresses(&plan), [format!("role/b/attached/{name}"), "role/b/attached/aws:ThingAccess".to_owned()]);
    let why = why(&plan, &format!("policy/{name}"));
    assert!(why.starts_with("reused: ") && why.contains("plan again"), "{why}");
}

#[test]
fn a_copy_that_is_not_attached_in_the_end_is_pruned_like_any_other() {
    let (name, text) = created(&plan(&b().scene(REPLACE)));
    let own = format!("policy/{name}");
    let account = || b().policy(&name, &text).role("a", &[&name], &["GetBucketAcl"]);
    let changed = |configuration: &str, arguments: &[&str]| {
        let scene = account().scene(&format!("{REPLACE}{configuration}"));
        let plan = scene.plan(&[&["--now", "2026-10-10T06:00:00Z"], arguments].concat());
        scene.run(&["verify", PLAN]).ended_with(0);
        assert!(withheld(&plan, &own).iter().all(|(reason, _)| *reason != "reused"), "{plan}");
        addresses(&plan).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(changed("", &["--exclude", "role/b"]), std::slice::from_ref(&own));
    // Its address means its attachments too, unless they are excluded.
    assert_eq!(changed("", &["--target", &own, "--exclude", "role/b"]), std::slice::from_ref(&own));
    assert_eq!(changed("[limits]\nmax_changes = 1\n", &[]), std::slice::from_ref(&own));
}

/// Policies of AWS's with other names, of which role/b uses one action, and some of which it uses all.
fn several(replaced: usize, others: usize) -> Account {
    let mut account = Account::default();
    let names: Vec<String> = (0..replaced).map(|at| format!("aws:Thing{at}")).collect();
    let own: Vec<String> = (0..others).map(|at| format!("Used{at}")).collect();
    let used = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetBucketAcl", "Resource": "*"}]}"#;
    for name in &names {
        account = account.policy(name, THING);
    }
    for name in &own {
        account = account.policy(name, used);
    }
    let all: Vec<&str> = names.iter().chain(&own).map(String::as_str).collect();
    account.role("b", &all, &["GetBucketAcl"])
}

#[test]
fn copies_take_the_place_of_several_one_after_the_other() {
    let attached = |plan: &Value| addresses(plan).iter().filter(|address| address.contains("/attached/Thing")).count();
    assert_eq!(attached(&plan(&several(6, 3).scene(REPLACE))), 6);
    // Ten are all that a role may have: there is room for none beside them.
    let full = plan(&several(6, 4).scene(REPLACE));
    assert_eq!(attached(&full), 0);
    assert!(why(&full, "role/b/attached/aws:Thing0").contains("AttachedPoliciesPerRoleQuota"));
}

#[test]
fn a_part_leaves_room_for_the_copy_that_is_there_for_a_moment() {
    let both = REPLACE.replacen("[rewrite]\n", SPLIT, 1);
    let with = |others: usize| {
        let mut account = several(1, others).policy("many", MANY);
        let attached = account.roles[0]["AttachedManagedPolicies"].as_array_mut().unwrap();
        attached.push(json!({"PolicyName": "many", "PolicyArn": arn("many")}));
        plan(&account.scene(&both))
    };
    let has = |plan: &Value, end: &str| addresses(plan).iter().any(|address| address.contains(end));
    let roomy = with(6);
    assert!(has(&roomy, "attached/Thing0-") && has(&roomy, "attached/many-part-2"), "{:?}", addresses(&roomy));
    let tight = with(7);
    assert!(has(&tight, "attached/Thing0-") && !has(&tight, "attached/many-part-2"), "{:?}", addresses(&tight));
    let entries = withheld(&tight, "policy/many");
    assert!(
        entries.iter().any(|(reason, detail)| *reason == "not-split" && detail.contains("10 with this plan")),
        "{entries:?}"
    );
}

#[test]
fn a_copy_is_not_attached_twice() {
    let (name, text) = created(&plan(&b().scene(REPLACE)));
    let account = Account::default().policy("aws:ThingAccess", THING).policy(&name, &text);
    let scene = account.role("b", &["aws:ThingAccess", &name], &["GetBucketAcl", "GetBucketPolicy"]).scene(REPLACE);
    let plan = plan(&scene);
    assert_eq!(addresses(&plan), Vec::<&str>::new());
    let why = why(&plan, "role/b/attached/aws:ThingAccess");
    assert!(why.contains("attached already"), "{why}");
}

#[test]
fn a_rule_that_names_a_policy_must_name_its_copy() {
    let rule = |policies: &str| {
        format!("{REPLACE}[[keep]]\npolicies = [{policies}]\nactions = [\"dynamodb:*\"]\nreason = \"year end\"\n")
    };
    let plan_with = |policies: &str| plan(&b().scene(&rule(policies)));
    let refused = plan_with("\"policy/aws:ThingAccess\"");
    assert_eq!(addresses(&refused), Vec::<&str>::new());
    let why = why(&refused, "role/b/attached/aws:ThingAccess");
    assert!(
        why.starts_with("not-replaced: keep[0] (year end) names policy/aws:ThingAccess and not its copy: add "),
        "{why}"
    );
    assert_eq!(why.split('"').nth(1), Some("policy/ThingAccess-*"));
    let name = why.split("this one is ").nth(1).unwrap();
    // The glob, and the name of today.
    for named in ["policy/ThingAccess-*", name] {
        let replaced = plan_with(&format!("\"policy/aws:ThingAccess\", \"{named}\""));
        assert_eq!(change(&replaced, name)["action"], "create");
        assert!(change(&replaced, name)["after"].as_str().unwrap().contains("dynamodb:"));
        let advice = replaced["advice"].as_array().unwrap();
        assert!(!advice.iter().any(|advice| advice["kind"] == "rule-matches-nothing"), "{advice:?}");
    }
}

fn many() -> Account {
    Account::default().policy("many", MANY)
}

/// The parts are of actions that nothing tracks, so that they stay.
#[test]
fn a_part_that_is_there_already_stays_as_it_is() {
    let holders = |account: Account| account.role("c", &["many"], &["GetBucketAcl"]);
    let (name, text) = created(&plan(&holders(many()).scene(SPLIT)));
    assert_eq!(name, "many-part-2");
    assert!(text.contains("s3:GetBucketWebsite"), "{text}");
    // Its holder uses nothing of it.
    let scene = holders(many()).policy(&name, &text).role("d", &[&name], &[]).scene(SPLIT);
    let plan = plan(&scene);
    let changed = addresses(&plan);
    assert_eq!(changed, ["policy/many", "role/c/attached/many-part-2"]);
    assert!(why(&plan, "policy/many-part-2").starts_with("reused: "));
}

#[test]
fn nothing_is_attached_to_what_somebody_else_writes_down() {
    let mut account = many().role("c", &["many"], &["GetBucketAcl"]);
    account.roles[0]["Tags"] = json!([{"Key": "ManagedBy", "Value": "terraform"}]);
    let plan = plan(&account.scene(SPLIT));
    let entries = withheld(&plan, "policy/many");
    let detail = entries.iter().find(|(reason, _)| *reason == "not-split").map(|(_, detail)| *detail);
    assert!(detail.is_some_and(|detail| detail.contains("role/c") && detail.contains("Terraform")), "{entries:?}");
}

#[test]
fn a_rule_that_names_a_policy_must_name_its_parts() {
    let rule = "[[keep]]\npolicies = [\"policy/many\"]\nactions = [\"s3:GetBucketAcl\"]\nreason = \"year end\"\n";
    let plan = plan(&many().role("c", &["many"], &["GetBucketAcl"]).scene(&format!("{SPLIT}{rule}")));
    let entries = withheld(&plan, "policy/many");
    let detail = entries.iter().find(|(reason, _)| *reason == "not-split").map(|(_, detail)| *detail);
    assert!(detail.is_some_and(|detail| detail.contains("\"policy/many-part-*\"")), "{entries:?}");
}
