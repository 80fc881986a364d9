//! The sample account, built anew in an empty one by the write calls of the Rust SDK.

use std::collections::BTreeSet;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Tag;
use secateur_tests::emulator::{Options, Running};
use serde_json::{Map, Value, json};

use super::emulator::{REGION, start};
use super::python;
use super::sdk::{Clients, operator, read};

const ACCOUNT: &str = "111122223333";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// The sample leaves the document of one policy out: this stands for it.
const STANDS_FOR: &str = r#"{"Statement":[{"Effect":"Allow","Action":"ses:SendEmail","Resource":"*"}]}"#;

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

/// Kind, path and name of an entity or a policy.
fn parts(arn: &str) -> (&str, String, &str) {
    let (kind, rest) = arn.splitn(6, ':').nth(5).unwrap().split_once('/').unwrap();
    let (path, name) = rest.rsplit_once('/').map_or(("/".to_owned(), rest), |(path, name)| (format!("/{path}/"), name));
    (kind, path, name)
}

/// Whether a client could have made it: only AWS makes roles in its own paths, and IAM takes no broken document.
fn is_makeable(arn: &str, own: &Value) -> bool {
    let broken =
        object(&own["inline"]).values().any(|document| !document.is_object() || document.get("Comment").is_some());
    !arn.contains(":role/aws-") && !broken
}

async fn make_entity(iam: &Client, arn: &str, own: &Value) {
    let (kind, path, name) = parts(arn);
    // Keys that begin with `aws:` are AWS's.
    let tags = object(&own["tags"]).iter().filter(|(key, _)| !key.starts_with("aws:"));
    let tags =
        tags.map(|(key, value)| Tag::builder().key(key).value(value.as_str().unwrap()).build().unwrap()).collect();
    let tags: Option<Vec<Tag>> = Some(tags);
    let boundary = own["boundary"].as_str().map(str::to_owned);
    match kind {
        "user" => {
            let user = iam.create_user().user_name(name).path(path).set_tags(tags).set_permissions_boundary(boundary);
            user.send().await.map(drop).unwrap();
        }
        "group" => iam.create_group().group_name(name).path(path).send().await.map(drop).unwrap(),
        _ => {
            let role = iam.create_role().role_name(name).path(path).assume_role_policy_document(TRUST);
            role.set_tags(tags).set_permissions_boundary(boundary).send().await.map(drop).unwrap();
        }
    }
    for (policy, document) in object(&own["inline"]) {
        let document = document.to_string();
        match kind {
            "user" => {
                let put = iam.put_user_policy().user_name(name).policy_name(policy).policy_document(document);
                put.send().await.map(drop).unwrap();
            }
            "group" => {
                let put = iam.put_group_policy().group_name(name).policy_name(policy).policy_document(document);
                put.send().await.map(drop).unwrap();
            }
            _ => {
                let put = iam.put_role_policy().role_name(name).policy_name(policy).policy_document(document);
                put.send().await.map(drop).unwrap();
            }
        }
    }
    for policy in texts(&own["attached"]) {
        match kind {
            "user" => iam.attach_user_policy().user_name(name).policy_arn(policy).send().await.map(drop).unwrap(),
            "group" => iam.attach_group_policy().group_name(name).policy_arn(policy).send().await.map(drop).unwrap(),
            _ => iam.attach_role_policy().role_name(name).policy_arn(policy).send().await.map(drop).unwrap(),
        }
    }
}

async fn make_policy(running: &Running, iam: &Client, arn: &str, own: &Value) {
    let (_, path, name) = parts(arn);
    let versions = object(&own["versions"]);
    let number = |id: &str| id.trim_start_matches('v').parse::<u32>().unwrap();
    let mut ids: Vec<&String> = versions.keys().filter(|id| versions[*id].is_object()).collect();
    ids.sort_by_key(|id| number(id));
    let default = own["default"].as_str().unwrap();
    if arn.contains(":iam::aws:") {
        let document = versions[default].to_string();
        running.control("POST", "aws-policies", &json!({"arn": arn, "document": document})).unwrap();
        return;
    }
    if ids.is_empty() {
        iam.create_policy().policy_name(name).path(&path).policy_document(STANDS_FOR).send().await.unwrap();
        return;
    }
    let mut made = None;
    for (at, id) in ids.into_iter().enumerate() {
        let document = versions[id].to_string();
        let version = if at == 0 {
            iam.create_policy().policy_name(name).path(&path).policy_document(document).send().await.unwrap();
            "v1".to_owned()
        } else {
            let version = iam.create_policy_version().policy_arn(arn).policy_document(document).send().await.unwrap();
            version.policy_version().unwrap().version_id().unwrap().to_owned()
        };
        made = if id == default { Some(version) } else { made };
    }
    iam.set_default_policy_version().policy_arn(arn).version_id(made.unwrap()).send().await.unwrap();
}

/// What must be equal: all but ids, times, and tags that only AWS gives.
fn comparable(own: &Value) -> Value {
    let tags: Map<String, Value> = object(&own["tags"]).clone();
    let tags: Map<String, Value> = tags.into_iter().filter(|(key, _)| !key.starts_with("aws:")).collect();
    json!([own["inline"], own["attached"], own["groups"], own["boundary"], tags])
}

#[test]
fn the_sdk_builds_the_sample_account_by_calls() {
    let sample = start();
    let options = Options { account_id: Some(ACCOUNT.into()), page_size: Some(7), ..Options::default() };
    let built = Running::start(&options).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (wanted, made) = runtime.block_on(async {
        let wanted = read(&sample.url(), REGION).await;
        let iam = Clients::new(&built.url(), REGION, &operator()).iam;
        for (arn, own) in object(&wanted["policies"]) {
            make_policy(&built, &iam, arn, own).await;
        }
        for (arn, own) in object(&wanted["entities"]).iter().filter(|(arn, own)| is_makeable(arn, own)) {
            make_entity(&iam, arn, own).await;
        }
        for (arn, own) in object(&wanted["entities"]).iter().filter(|(arn, own)| is_makeable(arn, own)) {
            for group in texts(&own["groups"]) {
                let known: BTreeSet<&str> = object(&wanted["entities"]).keys().map(|arn| parts(arn).2).collect();
                assert!(known.contains(group));
                let added = iam.add_user_to_group().user_name(parts(arn).2).group_name(group).send().await;
                // A group that could not be made has nobody in it.
                assert!(added.is_ok() || group == "support", "{added:?}");
            }
        }
        (wanted, read(&built.url(), REGION).await)
    });
    check(&wanted, &made);
}

/// Whose documents no client has whole: one is not in the sample, one has a key twice.
const OTHER: [&str; 2] = ["/maria.lopez", "/mainframe-bridge"];

/// Services and actions of a report, without times.
fn listed(report: &Value) -> Vec<(&String, Vec<&String>)> {
    object(report).iter().map(|(service, row)| (service, object(&row[2]).keys().collect())).collect()
}

/// Holds what was made against what it was made from: policies and what reports list.
fn check(wanted: &Value, made: &Value) {
    let (mut same, mut same_reports) = (0, 0);
    for (arn, own) in object(&made["entities"]) {
        if texts(&wanted["entities"][arn]["groups"]) == ["support"] {
            continue;
        }
        assert_eq!(comparable(own), comparable(&wanted["entities"][arn]), "{arn}");
        same += 1;
        if !arn.contains(":group/") && !OTHER.iter().any(|other| arn.ends_with(other)) {
            assert_eq!(listed(&made["reports"][arn]), listed(&wanted["reports"][arn]), "{arn}");
            same_reports += 1;
        }
    }
    assert!(same >= 40 && same_reports >= 40, "{same} entities, {same_reports} reports");
    // AWS's policies show where they are attached; two are those of service-linked roles only.
    assert_eq!(object(&made["policies"]).len(), 20);
    for (arn, own) in object(&made["policies"]) {
        let document = |policy: &Value| policy["versions"][policy["default"].as_str().unwrap()].clone();
        let wanted = document(&wanted["policies"][arn]);
        assert!(!wanted.is_object() || document(own) == wanted, "{arn}");
    }
}

/// What a client is to make: see `build_clients.py`.
fn order(wanted: &Value) -> Value {
    let of_customer = object(&wanted["policies"]).iter().filter(|(arn, _)| !arn.contains(":iam::aws:"));
    let policy = |(arn, own): (&String, &Value)| {
        let (_, path, name) = parts(arn);
        let number = |id: &str| id.trim_start_matches('v').parse::<u32>().unwrap();
        let mut versions: Vec<_> =
            object(&own["versions"]).iter().filter(|(_, document)| document.is_object()).collect();
        versions.sort_by_key(|(id, _)| number(id));
        let version =
            |(id, document): &(&String, &Value)| json!({"document": document, "default": own["default"] == **id});
        let mut versions: Vec<Value> = versions.iter().map(version).collect();
        if versions.is_empty() {
            let document: Value = serde_json::from_str(STANDS_FOR).unwrap();
            versions.push(json!({"document": document, "default": true}));
        }
        json!([arn, {"name": name, "path": path, "versions": versions}])
    };
    let entity = |(arn, own): (&String, &Value)| {
        let (kind, path, name) = parts(arn);
        let tags: Map<String, Value> = object(&comparable(own)[4]).clone();
        let groups: Vec<_> = texts(&own["groups"]).into_iter().filter(|group| *group != "support").collect();
        json!({"kind": kind, "path": path, "name": name, "tags": tags, "groups": groups, "inline": own["inline"],
            "attached": own["attached"], "boundary": own["boundary"]})
    };
    let makeable = object(&wanted["entities"]).iter().filter(|(arn, own)| is_makeable(arn, own));
    json!({"policies": of_customer.map(policy).collect::<Vec<_>>(), "entities": makeable.map(entity).collect::<Vec<_>>()})
}

#[test]
fn boto3_and_the_command_line_build_the_sample_account_by_calls() {
    let Some(python) = python::environment() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let wanted = runtime.block_on(read(&start().url(), REGION));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account.json");
    std::fs::write(&file, order(&wanted).to_string()).unwrap();
    for client in ["boto3", "cli"] {
        let options = Options { account_id: Some(ACCOUNT.into()), ..Options::default() };
        let built = Running::start(&options).unwrap();
        for (arn, own) in object(&wanted["policies"]).iter().filter(|(arn, _)| arn.contains(":iam::aws:")) {
            let document = own["versions"][own["default"].as_str().unwrap()].to_string();
            built.control("POST", "aws-policies", &json!({"arn": arn, "document": document})).unwrap();
        }
        python.run_with("build_clients.py", &[client, file.to_str().unwrap()], &built.url(), REGION);
        check(&wanted, &runtime.block_on(read(&built.url(), REGION)));
    }
}
