//! `collect --check`: what a collection would take, and what it would refuse.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::scene::{Answer, Scene, answer};

/// What an answer says went wrong, from the first word of the error on.
fn error(answer: &Answer) -> &str {
    answer.stderr.find("Error: ").and_then(|at| answer.stderr.get(at..)).unwrap_or_default()
}

/// Checks that `--check` refuses as a collection then does.
#[track_caller]
fn refused_alike(scene: &Scene, dir: &str, words: &str) {
    let run = |more: &[&str]| scene.run(&[&["collect", "--rate", "max", "--snapshot", dir], more].concat());
    let checked = run(&["--check"]);
    let refused = run(&[]);
    assert!(refused.code != 0 && error(&refused).contains(words), "{refused:?}");
    assert_eq!((checked.code, error(&checked)), (refused.code, error(&refused)));
    assert_eq!(checked.stdout, "");
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn what_a_collection_refuses_a_check_refuses_with_the_same_words() {
    let scene = Scene::small();
    let root = scene.dir.path();
    fs::write(root.join("file"), "x").unwrap();
    refused_alike(&scene, "file", "cannot create `file`");
    refused_alike(&scene, "file/snap", "cannot create `file`");
    assert_eq!(fs::read_to_string(root.join("file")).unwrap(), "x");

    scene.collect_all(&[]);
    let manifest = scene.snapshot().join("manifest.json");
    let whole = fs::read(&manifest).unwrap();
    edit(&manifest, "\"format_version\": 1", "\"format_version\": 99");
    refused_alike(&scene, "snap", "has format version 99, and this secateur knows version 1");
    fs::write(&manifest, &whole).unwrap();
    edit(&manifest, "\"partition\": \"aws\"", "\"partition\": \"aws-cn\"");
    refused_alike(&scene, "snap", "in partition aws-cn at http");
    fs::write(&manifest, b"{").unwrap();
    refused_alike(&scene, "snap", "cannot be read");
    fs::remove_file(&manifest).unwrap();
    refused_alike(&scene, "snap", "made by hand");
    fs::write(&manifest, &whole).unwrap();

    let stage = scene.snapshot().join(".collecting");
    fs::create_dir(&stage).unwrap();
    let state = json!({"account_id": "999999999999", "partition": "aws", "started_at": "2026-10-10T06:30:00Z"});
    fs::write(stage.join(".state.json"), state.to_string()).unwrap();
    refused_alike(&scene, "snap", "holds what was collected until now of account 999999999999 in partition aws");
    // One whose files were changing places when it was killed.
    let account = serde_json::from_slice::<Value>(&whole).unwrap()["account_id"].as_str().unwrap().to_owned();
    let mut other: Value = serde_json::from_slice(&whole).unwrap();
    other["account_id"] = "999999999999".into();
    other["files"] = json!({});
    fs::write(stage.join("manifest.json"), other.to_string()).unwrap();
    refused_alike(
        &scene,
        "snap",
        &format!("of account 999999999999 in partition aws at {}", scene.cloud.running.url()),
    );
    assert_ne!(account, "999999999999");
}

#[test]
fn a_check_beside_a_collection_is_refused_and_takes_nothing_from_it() {
    let scene = Scene::small();
    scene.control("faults", json!({"operation": "ListRegions", "effect": "hold"}));
    let first = scene.spawn(&[]);
    super::resume::wait_until(|| {
        let held = scene.cloud.running.control("GET", "held", &Value::Null).unwrap();
        held.as_array().is_some_and(|held| !held.is_empty())
    });
    refused_alike(&scene, "snap", "another collection into `snap` is running (process ");
    scene.control("release", json!({}));
    let first = answer(first.wait_with_output().unwrap());
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!(scene.collect(&["--check"]).code, 0);
}

#[test]
fn a_key_that_is_gone_tells_nothing_and_another_is_tried() {
    let scene = Scene::acme();
    let gone = |count: u64| {
        scene.control(
            "faults",
            json!({"operation": "DescribeKey", "count": count, "effect": "error", "status": 400,
                "code": "NotFoundException", "message": "Key does not exist"}),
        );
    };
    gone(2);
    let good = scene.collect(&["--check"]);
    assert!(good.stdout.starts_with("No permission is missing\n"), "{good:?}");
    assert_eq!((scene.calls("DescribeKey"), scene.calls("GetKeyLastUsage")), (3, 1));
    gone(1);
    let denied = json!({"operation": "GetKeyLastUsage", "effect": "error", "status": 400, "code": "AccessDeniedException",
        "message": "User: x is not authorized to perform: kms:GetKeyLastUsage on resource: y"});
    scene.control("faults", denied);
    let lacking = scene.collect(&["--check"]);
    assert_eq!(lacking.code, 4, "{lacking:?}");
    assert!(lacking.stdout.starts_with("1 permission missing; without it:\n  kms:GetKeyLastUsage: "), "{lacking:?}");
    gone(100_000);
    let unknown = scene.collect(&["--check"]);
    assert_eq!(unknown.code, 0, "{unknown:?}");
    assert!(unknown.stdout.starts_with("No permission is missing of those that could be tried\n"), "{unknown:?}");
    let untried = "Not tried, for want of anybody to try it on: kms:DescribeKey, kms:GetKeyLastUsage\n";
    assert!(unknown.stdout.contains(untried), "{unknown:?}");
}

#[test]
fn all_pages_of_regions_are_read() {
    let scene = Scene::acme();
    let regions =
        json!({"af-south-1": "ENABLED", "ap-east-1": "ENABLED", "eu-west-1": "DISABLED", "us-east-1": "DISABLED"});
    scene.control("regions", regions);
    scene.control("behaviour", json!({"page_size": 1}));
    let checked = scene.collect(&["--check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    // Nobody answers in a Region that is off, so no key is asked about.
    assert_eq!((scene.calls("listRegions"), scene.calls("DescribeKey")), (4, 0));
    assert!(checked.stdout.contains("       4  account:ListRegions\n"), "{checked:?}");
    assert!(checked.stdout.contains("       0  kms:DescribeKey\n"), "{checked:?}");
}

#[test]
fn a_check_counts_what_hangs_on_reports_as_a_collection_reads_it() {
    let granting = "ListPoliciesGrantingServiceAccess";
    let told = |scene: &Scene, operation: &str, more: &[&str]| -> u64 {
        let checked = scene.collect(&[&["--check"], more].concat());
        assert_eq!(checked.code, 0, "{checked:?}");
        let mut lines = checked.stdout.lines().filter(|line| line.ends_with(&format!(":{operation}")));
        lines.next().unwrap_or_else(|| panic!("{checked:?}")).trim().split(' ').next().unwrap().parse().unwrap()
    };
    let all = ["--include", "groups,policies,granting"];
    let scene = Scene::acme();
    // Of policies nobody tells which policies grant them a service.
    let expected = told(&scene, granting, &all);
    let reports = told(&scene, "GenerateServiceLastAccessedDetails", &all);
    assert!(expected < reports, "{expected} of {reports}");
    scene.collect_all(&[]);
    // Reports without what hangs on them are read anew.
    let more = ["--include", "granting"];
    let anew = told(&scene, "GenerateServiceLastAccessedDetails", &more);
    assert_eq!((anew, told(&scene, granting, &more)), (49, 49));
    scene.cloud.running.control("DELETE", "calls", &Value::Null).unwrap();
    let found = scene.collect_all(&all);
    let is_granting = |name: &&String| name.starts_with("granting/");
    assert_eq!(u64::try_from(found.keys().filter(is_granting).count()).unwrap(), expected);
    // One call for two hundred services: nobody knows before how many there are.
    let services = |name: &String| {
        let report = &found[&name.replace("granting/", "last-accessed/")];
        report["ServicesLastAccessed"].as_array().unwrap().len()
    };
    let chunks = found.keys().filter(is_granting).map(|name| services(name).div_ceil(200));
    assert_eq!(scene.first_pages(granting), chunks.sum::<usize>());
    assert_eq!(told(&scene, granting, &all), 0);
    // A policy alone has nobody to try it on.
    let checked =
        scene.collect(&["--check", "--include", "policies,granting", "--principal", "policy/service-baseline"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(
        checked.stdout.contains("want of anybody to try it on: iam:ListPoliciesGrantingServiceAccess"),
        "{checked:?}"
    );
}

#[test]
fn a_check_tells_as_failed_what_a_collection_goes_on_without() {
    let scene = Scene::acme();
    for operation in ["ListPolicyTags", "ListAccessKeys", "GenerateServiceLastAccessedDetails"] {
        scene.control("faults", json!({"operation": operation, "count": 100_000, "effect": "error"}));
    }
    let checked = scene.collect(&["--check"]);
    assert_eq!(checked.code, 4, "{checked:?}");
    assert!(checked.stdout.contains("while they fail, a collection has gaps instead:\n"), "{checked:?}");
    for operation in ["ListPolicyTags", "ListAccessKeys", "GenerateServiceLastAccessedDetails"] {
        assert!(checked.stdout.contains(&format!("\n  iam:{operation}: ")), "{checked:?}");
    }
    // Of a collection that cannot be there is nothing to count.
    let scene = Scene::small();
    let denied = json!({"operation": "GetAccountAuthorizationDetails", "effect": "error", "code": "AccessDenied", "status": 403});
    scene.control("faults", denied);
    let checked = scene.collect(&["--check"]);
    assert_eq!(checked.code, 4, "{checked:?}");
    let unknown = "\nHow many calls there would be nobody knows without iam:GetAccountAuthorizationDetails\n";
    assert!(checked.stdout.ends_with(unknown) && !checked.stdout.contains("would be read"), "{checked:?}");
}
