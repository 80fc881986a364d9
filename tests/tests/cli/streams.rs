//! stdout carries the product, stderr all else.

use std::process::Stdio;

use serde_json::Value;

use super::scene::{MANIFEST, PLAN, SNAPSHOT, Scene};

const PLANNING: [&str; 5] = ["plan", "--snapshot", SNAPSHOT, "--out", PLAN];

#[test]
fn the_plan_as_json_is_the_plan_file() {
    let scene = Scene::small();
    let answer = scene.run(&[&PLANNING[..], &["--format", "json"]].concat()).ended_with(0);
    assert_eq!(answer.stdout, scene.text(PLAN));
    assert_eq!(answer.stderr, "\nSaved the plan to: plan.json\n");
    let shown = scene.run(&["show", PLAN, "--format", "json"]).ended_with(0);
    assert_eq!((shown.stdout.as_str(), shown.stderr.as_str()), (answer.stdout.as_str(), ""));
    let quiet = scene.run(&[&PLANNING[..], &["-q"]].concat()).ended_with(0);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn a_saved_plan_is_shown_as_it_was_planned() {
    let scene = Scene::small();
    scene.write("secateur.toml", "[[keep]]\nactions = ['athena:*']\nreason = 'x'\nexpires = 2026-10-01\n");
    let planned = scene.run(&PLANNING).ended_with(0);
    let shown = scene.run(&["show", PLAN]).ended_with(0);
    assert_eq!(shown.stdout, planned.stdout);
    assert_eq!(shown.stderr, "");
    scene.run(&["show", PLAN, "--out", "page.txt"]).ended_with(0);
    assert_eq!(scene.text("page.txt"), planned.stdout);
}

#[test]
fn an_error_with_json_is_one_object_with_a_reason_and_text_on_stderr() {
    let scene = Scene::small();
    scene.write("none.toml", "[nonsense]\n");
    scene.write("edited.json", "{\"format_version\": \"9.0\"}");
    let check = |arguments: &[&str], reason: &str| {
        let answer = scene.run(&[arguments, &["--format", "json"]].concat());
        assert!(answer.code == 1 || answer.code == 3, "{answer}");
        assert_eq!(answer.reason(), reason);
        let object: Value = serde_json::from_str(&answer.stdout).unwrap();
        assert!(answer.stderr.contains(object["message"].as_str().unwrap()), "{answer}");
        assert!(answer.stderr.starts_with("Error: ") && answer.stderr.contains("help: "), "{answer}");
    };
    check(&["show", "absent.json"], "io");
    check(&["show", "edited.json"], "other-format");
    check(&["verify", MANIFEST], "not-a-plan");
    check(&["plan", "--snapshot", "nowhere"], "snapshot");
    check(&["plan"], "no-snapshot");
    check(&["plan", "--config", "none.toml"], "config");
    check(&["plan", "--snapshot", SNAPSHOT, "--now", "2020-01-01T00:00:00Z"], "now-before-report");
}

#[test]
fn gaps_that_are_an_error_leave_the_plan_on_stdout() {
    let scene = Scene::small();
    let answer = scene.run(&[&PLANNING[..], &["--require-full-coverage"]].concat()).ended_with(1);
    assert!(answer.stdout.contains("Plan: 0 to add, 5 to change, 2 to destroy."), "{answer}");
    assert!(answer.stderr.contains("there are gaps: "), "{answer}");
}

#[test]
fn nothing_is_coloured_unless_asked_for() {
    let scene = Scene::small();
    assert!(!scene.run(&PLANNING).stdout.contains('\u{1b}'));
    let coloured = scene.run(&[&PLANNING[..], &["--color", "always"]].concat()).ended_with(0);
    assert!(coloured.stdout.contains("\u{1b}["));
    let json = scene.run(&[&PLANNING[..], &["--color", "always", "--format", "json"]].concat()).ended_with(0);
    assert_eq!(json.stdout, scene.text(PLAN));
}

/// A reader that goes away, such as `head -1`, is no error.
#[test]
fn a_closed_stdout_is_no_error() {
    let scene = Scene::small();
    scene.plan(&[]);
    for arguments in [&PLANNING[..], &["show", PLAN], &["catalog", "*"], &["--help"], &["plan", "--help"]] {
        let mut child = scene.command(".", arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("Error"), "{arguments:?}: {stderr}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_stdout_is_an_error_and_no_crash() {
    let scene = Scene::small();
    scene.plan(&[]);
    for arguments in [&["show", PLAN][..], &["show", PLAN, "--format", "json"], &["show", "none", "--format", "json"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = scene.command(".", arguments).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains("Error: ") && !stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
}
