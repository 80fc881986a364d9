//! `--target`, `--exclude`, `--only`.

use serde_json::json;

use super::scene::{PLAN, SNAPSHOT, Scene, addresses, change, reasons};

/// Expects these addresses of the small account, in a plan that says it is not whole.
#[track_caller]
fn check(arguments: &[&str], expect: &[&str]) {
    let scene = Scene::small();
    let plan = scene.plan(arguments);
    assert_eq!(addresses(&plan), expect, "{arguments:?}");
    assert_eq!(plan["advice"][0]["kind"], "targeted");
    scene.run(&["verify", PLAN]).ended_with(0);
    assert!(scene.run(&["show", PLAN]).stdout.contains("--target, --exclude or --only leaves changes out"));
}

#[test]
fn targets_are_planned_and_nothing_else() {
    check(&["--target", "role/ci"], &["role/ci/inline/deploy", "role/ci/inline/messages"]);
    check(&["--target", "policy/shared"], &["policy/shared"]);
    check(&["--target", "policy/*"], &["policy/shared"]);
    check(&["--target", "*/inline/deploy"], &["role/ci/inline/deploy"]);
    check(&["--target", "policy/*", "--target", "role/power"], &["policy/shared", "role/power/inline/power"]);
    check(&["--target", "role/c"], &[]);
    check(&["--target", "role/unseen"], &[]);
}

#[test]
fn what_is_excluded_is_not_planned() {
    check(&["--exclude", "role/*", "--exclude", "group/data"], &["policy/shared"]);
    check(&["--target", "role/ci", "--exclude", "*/messages"], &["role/ci/inline/deploy"]);
    check(&["--exclude", "*"], &[]);
}

#[test]
fn only_what_has_the_reason_goes() {
    check(&["--only", "idle-service"], &["group/data/inline/lake"]);
    check(&["--only", "idle-action"], &["role/ci/inline/deploy", "role/ci/inline/messages"]);
    check(&["--only", "unused-action", "--target", "policy"], &["policy/shared"]);
    let plan = Scene::small().plan(&["--only", "unused-service", "--only", "idle-action"]);
    assert_eq!(reasons(change(&plan, "role/ci/inline/deploy")), ["unused-service", "idle-action"]);
    assert!(!addresses(&plan).contains(&"policy/shared"));
    for change in plan["changes"].as_array().unwrap() {
        assert!(reasons(change).iter().all(|reason| ["unused-service", "idle-action"].contains(reason)));
    }
}

/// The names in the place of `messages`' patterns only fit when `deploy` shrinks: with this quota they are one group.
fn grouped() -> Scene {
    let scene = Scene::unsealed();
    scene.edit("snap/account-summary.json", |summary| summary["SummaryMap"]["RolePolicySizeQuota"] = json!(1_400));
    scene
}

#[test]
fn groups_are_taken_or_left_whole() {
    const GROUP: [&str; 2] = ["role/ci/inline/deploy", "role/ci/inline/messages"];
    let scene = grouped();
    let plan = scene.plan(&[]);
    for address in GROUP {
        assert_eq!(change(&plan, address)["group"], "role/ci");
    }
    assert_eq!(change(&plan, GROUP[1])["depends_on"], json!([GROUP[0]]));
    scene.run(&["verify", PLAN]).ended_with(0);
    for target in GROUP {
        assert_eq!(addresses(&scene.plan(&["--target", target])), GROUP, "{target}");
        assert!(!addresses(&scene.plan(&["--exclude", target])).iter().any(|address| GROUP.contains(address)));
    }
    scene.write("secateur.toml", "[limits]\nmax_removed_per_policy = 81\n");
    assert!(!addresses(&scene.plan(&[])).iter().any(|address| GROUP.contains(address)));
}

#[test]
fn half_a_group_does_not_verify() {
    let scene = grouped();
    let mut plan = scene.plan(&[]);
    plan["changes"].as_array_mut().unwrap().retain(|change| change["address"] != "role/ci/inline/deploy");
    super::planfile::seal(&mut plan);
    scene.write(PLAN, plan.to_string());
    scene.check_error(&["verify", PLAN], 3, &["does not hold"]);
}

#[test]
fn an_empty_selection_is_no_change() {
    let scene = Scene::small();
    let plan = ["plan", "--snapshot", SNAPSHOT, "--target", "role/none", "--detailed-exitcode"];
    let answer = scene.run(&plan).ended_with(0);
    assert!(answer.stdout.contains("No changes. "), "{answer}");
}
