//! Exit codes.

use super::scene::{PLAN, SNAPSHOT, Scene};

const PLANNING: [&str; 3] = ["plan", "--snapshot", SNAPSHOT];

#[track_caller]
fn check(scene: &Scene, arguments: &[&str], code: i32) {
    scene.run(arguments).ended_with(code);
}

#[test]
fn changes_end_with_2_when_asked_for() {
    let scene = Scene::small();
    let plan = |more: &[&'static str]| [&PLANNING[..], more].concat();
    check(&scene, &plan(&[]), 0);
    check(&scene, &plan(&["--detailed-exitcode"]), 2);
    check(&scene, &plan(&["--detailed-exitcode", "--target", "role/none"]), 0);
    check(&scene, &plan(&["--detailed-exitcode", "--format", "json"]), 2);
    // role/unseen has no report; an error outranks changes.
    check(&scene, &plan(&["--detailed-exitcode", "--require-full-coverage"]), 1);
    check(&scene, &["verify", ".secateur/plan.json"], 0);
    check(&scene, &["show", ".secateur/plan.json"], 0);
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_64() {
    let scene = Scene::small();
    let usage = |arguments: &[&str], word: &str| {
        let before = scene.listing();
        let answer = scene.run(arguments).ended_with(64);
        assert_eq!(answer.stdout, "", "{arguments:?}");
        assert!(answer.stderr.contains(word), "`{word}` is not in {answer}");
        assert_eq!(scene.listing(), before);
    };
    usage(&[], "Usage: secateur");
    usage(&["prune"], "unrecognized subcommand 'prune'");
    usage(&["plan", "--bogus"], "unexpected argument '--bogus'");
    usage(&["plan", "--only", "nonsense"], "the reasons are unused-service, idle-service, unused-action, idle-action");
    usage(&["plan", "--now", "yesterday"], "is not a time such as 2026-10-10T06:00:00Z");
    usage(&["plan", "--now", "2026-02-30T00:00:00Z"], "is not a time");
    usage(&["plan", "--format", "yaml"], "'yaml'");
    usage(&["plan", "--threads", "0"], "'0'");
    usage(&["plan", "--threads", "many"], "'many'");
    usage(&["plan", "--snapshot"], "--snapshot");
    usage(&["show"], "<PLAN>");
    usage(&["verify"], "<PLAN>");
    usage(&["show", "a", "b"], "'b'");
}

#[test]
fn a_time_of_judgement_before_a_report_is_an_error() {
    let scene = Scene::small();
    let plan = [&PLANNING[..], &["--now", "2026-10-01T00:00:00Z"]].concat();
    scene.check_error(&plan, 1, &["2026-10-01T00:00:00Z is before the report", "role/", "--now"]);
    let plan = [&PLANNING[..], &["--now", "2026-10-10T06:00:00Z", "--out", PLAN]].concat();
    check(&scene, &plan, 0);
    assert_eq!(scene.json(PLAN)["window"]["now"], "2026-10-10T06:00:00Z");
}

#[test]
fn an_incomplete_account_is_planned_shown_and_an_error() {
    let scene = Scene::unsealed();
    scene.edit(super::scene::DETAILS, |details| details["IsTruncated"] = true.into());
    let answer = scene.run(&PLANNING).ended_with(1);
    assert!(answer.stdout.contains("Incomplete:"), "{answer}");
    assert!(answer.stderr.contains("cannot be applied") && answer.stderr.contains("help: "), "{answer}");
    assert_eq!(scene.json(".secateur/plan.json")["complete"], false);
}

#[test]
fn help_and_version_go_to_stdout_and_end_with_0() {
    let scene = Scene::empty();
    let version = scene.run(&["--version"]).ended_with(0);
    assert_eq!((version.stdout.as_str(), version.stderr.as_str()), ("secateur 0.1.0\n", ""));
    for arguments in [&["--help"][..], &["-h"], &["help"], &["plan", "--help"], &["help", "verify"], &["show", "-h"]] {
        let help = scene.run(arguments).ended_with(0);
        assert!(help.stdout.contains("Usage: secateur"), "{help}");
        assert_eq!(help.stderr, "");
    }
    assert_eq!(scene.listing(), [""; 0]);
}
