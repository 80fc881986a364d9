//! Plans, snapshots and configurations that are not what they were.

use serde_json::{Value, json};

use super::planfile::{seal, seal_whole};
use super::scene::{CI_REPORT, DETAILS, MANIFEST, PLAN, Scene};

const MADE_NEW: &str = "make a new plan with `secateur plan`";

#[test]
fn a_plan_with_one_byte_changed_is_refused_wherever_it_is_read() {
    let scene = Scene::small();
    scene.plan(&[]);
    // In `after`, in `before`, in a count, in a digest.
    for (from, to) in [
        ("lambda:GetFunction", "lambda:GetFunctioN"),
        ("sqs:DeleteQueue", "sqs:DeleteQueuE"),
        ("\"min_idle_days\": 90", "\"min_idle_days\": 91"),
        ("\"complete\": true", "\"complete\": false"),
    ] {
        let text = scene.text(PLAN);
        assert!(text.contains(from), "{from}");
        scene.write("edited.json", text.replacen(from, to, 1));
        for command in ["show", "verify"] {
            scene.check_error(&[command, "edited.json"], 3, &["edited.json: the plan was edited", MADE_NEW]);
            let answer = scene.run(&[command, "edited.json", "--format", "json"]).ended_with(3);
            assert_eq!(answer.reason(), "edited-plan");
        }
    }
}

#[test]
fn a_plan_whose_changes_digest_is_another_is_refused() {
    let scene = Scene::small();
    let mut plan = scene.plan(&[]);
    plan["changes_digest"] = Value::from("0".repeat(64));
    seal_whole(&mut plan);
    scene.write(PLAN, plan.to_string());
    for command in ["show", "verify"] {
        scene.check_error(&[command, PLAN], 3, &["changes_digest", MADE_NEW]);
    }
}

#[test]
fn a_sealed_edit_of_after_passes_the_digests_and_fails_the_proof() {
    let scene = Scene::small();
    let mut plan = scene.plan(&[]);
    let after = plan["changes"][2]["after"].as_str().unwrap().to_owned();
    // Another action; then the same one, which IAM compares without regard to case, and which nobody reviewed.
    for (action, name) in
        [("lambda:GetFunctioX", "policy/shared: widened-action"), ("lambda:GetFunctioN", "edited-changes")]
    {
        plan["changes"][2]["after"] = Value::from(after.replace("lambda:GetFunction", action));
        seal(&mut plan);
        scene.write(PLAN, plan.to_string());
        scene.run(&["show", PLAN]).ended_with(0);
        scene.check_error(&["verify", PLAN], 3, &[name]);
    }
}

#[test]
fn a_snapshot_that_was_edited_is_refused_with_its_name() {
    let check = |edit: fn(&Scene), name: &str| {
        let scene = Scene::small();
        scene.plan(&[]);
        edit(&scene);
        scene.check_error(&["verify", PLAN], 3, &[name]);
        scene.run(&["show", PLAN]).ended_with(0);
    };
    check(|scene| scene.write(CI_REPORT, scene.text(CI_REPORT) + " "), "`snap/last-accessed/role-ci.json` was altered");
    check(
        |scene| scene.write(DETAILS, scene.text(DETAILS) + " "),
        "`snap/account-authorization-details.json` was altered",
    );
    check(|scene| scene.remove(CI_REPORT), "`snap/last-accessed/role-ci.json` is missing");
    check(|scene| scene.remove(DETAILS), "`snap/account-authorization-details.json` is missing");
    check(|scene| scene.write("snap/last-accessed/new.json", "{}"), "`snap/last-accessed/new.json` was added");
    check(|scene| scene.remove(MANIFEST), "`snap` is not the snapshot that the plan was made from");
    check(|scene| std::fs::remove_dir_all(scene.path("snap")).unwrap(), "`snap`");
    let resealed = |scene: &Scene| {
        scene.edit(CI_REPORT, |report| report["ServicesLastAccessed"][3]["LastAuthenticated"] = Value::Null);
        scene.seal();
    };
    check(resealed, "`snap` is not the snapshot that the plan was made from");
}

#[test]
fn a_snapshot_without_a_manifest_that_was_edited_is_refused() {
    let scene = Scene::unsealed();
    scene.plan(&[]);
    scene.write(CI_REPORT, scene.text(CI_REPORT) + " ");
    let answer = scene.run(&["verify", PLAN, "--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "edited-snapshot");
}

#[test]
fn another_snapshot_can_be_named_and_must_be_the_same() {
    let scene = Scene::small();
    scene.plan(&[]);
    std::fs::rename(scene.path("snap"), scene.path("moved")).unwrap();
    scene.run(&["verify", PLAN, "--snapshot", "moved"]).ended_with(0);
    scene.remove("moved/manifest.json");
    scene.check_error(&["verify", PLAN, "--snapshot", "moved"], 3, &["`moved` is not the snapshot", "--snapshot DIR"]);
}

#[test]
fn a_configuration_that_was_edited_is_refused_with_its_name() {
    let scene = Scene::small();
    scene.write("secateur.toml", "[evidence]\nmin_idle_days = 100\n");
    assert_eq!(scene.plan(&[])["window"]["min_idle_days"], 100);
    scene.run(&["verify", PLAN]).ended_with(0);
    scene.write("secateur.toml", "[evidence]\nmin_idle_days = 100 \n");
    scene.check_error(&["verify", PLAN], 3, &["configuration", "`secateur.toml`", MADE_NEW]);
    scene.write("other.toml", "[evidence]\nmin_idle_days = 100\n");
    scene.run(&["verify", PLAN, "--config", "other.toml"]).ended_with(0);
}

#[test]
fn a_configuration_that_is_gone_or_broken_since_is_refused() {
    let scene = Scene::small();
    scene.write("secateur.toml", "[evidence]\nmin_idle_days = 100\n");
    scene.plan(&[]);
    scene.write("secateur.toml", "[evidence\n");
    scene.check_error(&["verify", PLAN], 3, &["secateur.toml"]);
    scene.remove("secateur.toml");
    scene.check_error(&["verify", PLAN], 3, &["secateur.toml"]);
}

#[test]
fn a_plan_does_not_hold_for_other_settings() {
    let scene = Scene::small();
    let mut plan = scene.plan(&[]);
    plan["inputs"]["config"] = json!({"path": "none.toml", "sha256": "0".repeat(64)});
    seal(&mut plan);
    scene.write(PLAN, plan.to_string());
    scene.check_error(&["verify", PLAN], 3, &["none.toml"]);
}
