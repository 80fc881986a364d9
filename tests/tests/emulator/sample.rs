//! The sample account, loaded and derived.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::cloud::{Cloud, Row};

/// Reports of the sample that AWS would not give, and why.
const OTHERWISE: [(&str, &str); 7] = [
    ("AWSReservedSSO_AdministratorAccess_8f1c2d3e4a5b6079", "lists some of the services that it allows"),
    ("OrganizationAccountAccessRole", "lists some of the services that it allows"),
    ("break-glass", "lists some of the services that it allows"),
    ("platform-admin", "lists some of the services that it allows"),
    ("power-user", "lists some of the services that it allows"),
    ("sandbox-buckets", "leaves out ssm, which has a resource type that is a bucket"),
    ("label-printer", "its document breaks off in the middle, and what is none grants nothing"),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

type Services = BTreeMap<String, (Option<String>, BTreeMap<String, Option<String>>)>;

fn plain(time: &str) -> String {
    time.replace("+00:00", "Z")
}

fn recorded(report: &Value) -> Services {
    let text = |value: &Value, name: &str| value[name].as_str().map(plain);
    let actions = |service: &Value| {
        let list = service["TrackedActionsLastAccessed"].as_array().cloned().unwrap_or_default();
        list.iter().map(|action| (text(action, "ActionName").unwrap(), text(action, "LastAccessedTime"))).collect()
    };
    let row = |service: &Value| {
        (text(service, "ServiceNamespace").unwrap(), (text(service, "LastAuthenticated"), actions(service)))
    };
    report["ServicesLastAccessed"].as_array().unwrap().iter().map(row).collect()
}

fn derived(rows: Vec<Row>) -> Services {
    let row = |row: Row| (row.namespace, (row.last, row.actions.unwrap_or_default().into_iter().collect()));
    rows.into_iter().map(row).collect()
}

#[test]
fn derived_reports_are_those_that_the_sample_was_written_with() {
    let cloud = Cloud::acme(|_| ());
    let mut found = Vec::new();
    files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/acme/snapshot/last-accessed")), &mut found);
    let mut same = 0;
    for path in found {
        let report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if report["JobStatus"] != "COMPLETED" || OTHERWISE.iter().any(|(other, _)| *other == name) {
            continue;
        }
        let params = [("Arn", report["Arn"].as_str().unwrap()), ("Granularity", report["JobType"].as_str().unwrap())];
        let job = cloud.iam("GenerateServiceLastAccessedDetails", &params).text("JobId");
        let rows = cloud.iam("GetServiceLastAccessedDetails", &[("JobId", &job), ("MaxItems", "1000")]).rows();
        assert_eq!(derived(rows), recorded(&report), "{name}");
        same += 1;
    }
    assert!(same >= 37, "{same} reports");
}

#[test]
fn a_snapshot_made_by_hand_of_details_alone_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/small/account-authorization-details.json");
    std::fs::copy(sample, folder.path().join("account-authorization-details.json")).unwrap();
    let options = secateur_tests::emulator::Options { account: Some(folder.path().into()), ..Default::default() };
    let cloud = Cloud::with(options);
    assert_eq!(cloud.iam("GetUser", &[("UserName", "ann")]).text("UserId"), "AIDAEXAMPLEANN");
}
