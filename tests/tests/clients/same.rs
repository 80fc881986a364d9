//! Each client reads the whole sample account, and its reports; all read the same.

use secateur_tests::emulator::{Options, Running};
use serde_json::{Value, json};

use super::emulator::{REGION, start};
use super::{python, sdk};

/// What is to be read: see `read.py` for its form.
fn read_by_sdk(url: &str) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(sdk::read(url, REGION))
}

#[test]
fn the_sdk_reads_what_the_snapshot_holds() {
    let running = start();
    let read = read_by_sdk(&running.url());
    let entities = read["entities"].as_object().unwrap();
    assert_eq!((entities.len(), read["policies"].as_object().unwrap().len()), (53, 22));
    assert_eq!(read["reports"].as_object().unwrap().len(), 49);
    let file =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/acme/snapshot/account-authorization-details.json");
    let details: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    for role in details["RoleDetailList"].as_array().unwrap() {
        let own = &entities[role["Arn"].as_str().unwrap()];
        assert_eq!(own["id"], role["RoleId"]);
        let attached: Vec<_> =
            role["AttachedManagedPolicies"].as_array().unwrap().iter().map(|one| &one["PolicyArn"]).collect();
        assert_eq!(own["attached"].as_array().unwrap().iter().collect::<Vec<_>>(), attached);
    }
    assert_eq!(read["keys"].as_object().unwrap().len(), 5);
    assert_eq!(read["caller"], "arn:aws:sts::111122223333:assumed-role/security-audit/nightly");
}

#[test]
fn boto3_reads_the_same_as_the_sdk() {
    let Some(python) = python::environment() else { return };
    let running = start();
    let by_boto3 = python.run("read.py", &running.url(), REGION);
    assert_eq!(by_boto3, read_by_sdk(&running.url()));
}

#[test]
fn boto3_and_the_command_line_write() {
    let Some(python) = python::environment() else { return };
    let running = Running::start(&Options::default()).unwrap();
    let written = python.run("write.py", &running.url(), REGION);
    assert_eq!(written, json!({"boto3": ["Inactive"], "cli": ["other", "q"]}));
}

#[test]
fn the_command_line_reads_the_same_as_the_sdk() {
    let Some(python) = python::environment() else { return };
    let running = start();
    let by_command_line = python.run("read_cli.py", &running.url(), REGION);
    assert_eq!(by_command_line, read_by_sdk(&running.url()));
}
