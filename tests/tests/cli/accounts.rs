//! Accounts that are not the small one, or more than it.

use std::fs;

use serde_json::json;

use super::scene::{DETAILS, PLAN, SNAPSHOT, Scene, addresses, change, gaps};
use crate::workspace::root;

const SMALL: &str = "111122223333";
const OTHER: &str = "444455556666";

#[test]
fn authorization_details_alone_remove_nothing_and_say_why() {
    let details = root().join("../shared/accounts/cloudsplaining-example.json");
    let Ok(text) = fs::read(&details) else {
        eprintln!("skipped: {} is absent", details.display());
        return;
    };
    let scene = Scene::empty();
    scene.write(DETAILS, text);
    let plan = scene.plan(&["--detailed-exitcode"]);
    assert_eq!(addresses(&plan), [""; 0]);
    for (subject, kind) in [
        ("manifest.json", "no-manifest"),
        ("regions.json", "no-regions"),
        ("account-summary.json", "no-summary"),
        ("grants.json", "no-grants"),
    ] {
        assert_eq!(gaps(&plan, subject), [kind]);
    }
    let all = plan["gaps"].as_array().unwrap();
    assert_eq!(plan["summary"]["gaps"], all.len());
    assert!(all.iter().filter(|gap| gap["kind"] == "no-report").count() > 100);
    let shown = scene.run(&["show", PLAN]).ended_with(0).stdout;
    assert!(shown.contains("\nNo changes. ") && shown.contains("What has gaps is kept"), "{shown}");
    assert!(shown.starts_with(&format!("Warning: {} gaps: ", all.len())), "{shown}");
    assert!(shown.contains(&format!("\n{} gaps, ", all.len())), "{shown}");
    scene.run(&["verify", PLAN]).ended_with(0);
    let covered = ["plan", "--snapshot", SNAPSHOT, "--require-full-coverage"];
    let answer = scene.run(&covered).ended_with(1);
    assert!(answer.stderr.contains("gaps") && answer.stderr.contains("help: "), "{answer}");
}

/// A directory with the small account under its id and, changed in nothing but the account, under another.
fn two_accounts() -> Scene {
    let scene = Scene::empty();
    scene.copy_small(&format!("all/{SMALL}"));
    scene.copy_small(&format!("all/{OTHER}"));
    scene.remove(&format!("all/{OTHER}/manifest.json"));
    for (name, bytes) in super::scene::files_below(&scene.path(&format!("all/{OTHER}"))) {
        let text = String::from_utf8(bytes).unwrap().replace(SMALL, OTHER);
        scene.write(&format!("all/{OTHER}/{name}"), text);
    }
    scene
}

#[test]
fn one_of_many_accounts_is_chosen() {
    let scene = two_accounts();
    for account in [SMALL, OTHER] {
        let plan = ["plan", "--snapshot", "all", "--account", account, "--out", PLAN];
        scene.run(&plan).ended_with(0);
        let plan = scene.json(PLAN);
        assert_eq!(plan["account"]["id"], account);
        assert_eq!(plan["inputs"]["snapshot"]["path"], format!("all/{account}"));
        assert_eq!(addresses(&plan).len(), 7);
        scene.run(&["verify", PLAN]).ended_with(0);
    }
    scene.check_error(&["plan", "--snapshot", "all"], 64, &["`all` holds several accounts", SMALL, OTHER, "--account"]);
    let absent = ["plan", "--snapshot", "all", "--account", "777788889999"];
    scene.check_error(&absent, 1, &["no account `777788889999`", SMALL, OTHER]);
}

#[test]
fn the_only_account_need_not_be_chosen() {
    let scene = Scene::empty();
    scene.copy_small(&format!("all/{SMALL}"));
    scene.run(&["plan", "--snapshot", "all", "--out", PLAN]).ended_with(0);
    assert_eq!(scene.json(PLAN)["account"]["id"], SMALL);
}

#[test]
fn a_snapshot_of_another_account_is_refused() {
    let scene = two_accounts();
    scene.run(&["plan", "--snapshot", "all", "--account", SMALL, "--out", PLAN]).ended_with(0);
    let other = format!("all/{OTHER}");
    let answer = scene.run(&["verify", PLAN, "--snapshot", &other]).ended_with(3);
    assert!(answer.stderr.contains(OTHER) && answer.stderr.contains(SMALL), "{answer}");
    let older = ["plan", "--snapshot", "all", "--account", SMALL, "--older-snapshot", &other];
    let answer = scene.run(&older).ended_with(1);
    assert!(answer.stderr.contains(OTHER) && answer.stderr.contains(SMALL), "{answer}");
}

/// A scene in which nothing but a witness can tell when permissions were granted.
fn without_grant_dates() -> Scene {
    let scene = Scene::unsealed();
    scene.remove("snap/grants.json");
    scene.write("secateur.toml", "[evidence]\nunknown_grant_date = \"keep\"\n");
    scene
}

#[test]
fn without_a_witness_of_the_grant_nothing_is_removed_if_so_configured() {
    let scene = without_grant_dates();
    let plan = scene.plan(&[]);
    // The versions of policy/shared are a witness of their own.
    let inline = addresses(&plan).into_iter().filter(|address| address.contains("/inline/")).count();
    assert_eq!(inline, 0, "{:?}", addresses(&plan));
    scene.write("secateur.toml", "");
    let plan = scene.plan(&[]);
    assert!(addresses(&plan).contains(&"role/ci/inline/deploy"));
    assert!(plan["summary"]["assumed_grant_dates"].as_u64().unwrap() > 0);
    let shown = scene.run(&["show", PLAN]).stdout;
    assert!(shown.contains("rest on an assumed date of grant"), "{shown}");
}

#[test]
fn an_older_snapshot_is_a_witness_of_the_grant() {
    let scene = without_grant_dates();
    scene.copy_small("older");
    scene.edit("older/manifest.json", |manifest| {
        manifest["started_at"] = json!("2025-10-01T00:00:00Z");
        manifest["finished_at"] = json!("2025-10-01T00:00:00Z");
    });
    let plan = scene.plan(&["--older-snapshot", "older"]);
    assert!(addresses(&plan).contains(&"role/ci/inline/deploy"), "{:?}", addresses(&plan));
    assert_eq!(plan["summary"]["assumed_grant_dates"], 0);
    assert_eq!(plan["inputs"]["older_snapshot"]["path"], "older");
    let witnessed = change(&plan, "role/ci/inline/deploy")["removed"].to_string();
    assert!(witnessed.contains("2025-10-01T00:00:00Z"), "{witnessed}");
    // Whoever writes a plan chooses what it names: a witness is believed when who verifies names it too.
    scene.check_error(&["verify", PLAN], 3, &["rests on the older snapshot `older`", "--older-snapshot"]);
    let verify = ["verify", PLAN, "--older-snapshot", "older"];
    scene.run(&verify).ended_with(0);
    assert!(scene.run(&["show", PLAN]).stdout.contains("grants rest on the older snapshot older of 2025-10-01"));
    scene.edit("older/manifest.json", |manifest| manifest["finished_at"] = json!("2025-09-01T00:00:00Z"));
    scene.check_error(&verify, 3, &["`older` is not the snapshot"]);
    // A witness that is too young shows nothing.
    scene.edit("older/manifest.json", |manifest| manifest["finished_at"] = json!("2026-10-01T00:00:00Z"));
    let plan = scene.plan(&["--older-snapshot", "older"]);
    assert!(!addresses(&plan).contains(&"role/ci/inline/deploy"), "{:?}", addresses(&plan));
}
