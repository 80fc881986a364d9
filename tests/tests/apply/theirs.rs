//! What a journal never began is not its own: somebody else did it after a crash, or the disk lost the record.

use std::fs;

use serde_json::{Value, json};

use super::points::{run_until, with_points};
use super::stage::{PLAN, Play, Stage};
use super::town::{KINDS, Kind, essence};

const APPLY: [&str; 6] = ["apply", PLAN, "--auto-approve", "--settle", "1", "--no-recheck"];

const TWO: Kind = Kind { name: "two", config: "", target: &["role/del/inline/q", "user/member/inline/q"] };

fn has_it(play: &Play) -> bool {
    essence(&play.cloud).keys().any(|key| key == "RoleName del inline q")
}

/// The machine goes down before anything is written down of `role/del`; then a colleague deletes just what was to go.
fn crashed_and_done_by_a_colleague(stage: &Stage, program: &std::path::Path) -> Play {
    let play = stage.play(&TWO).with_program(program.to_owned());
    let crashed = run_until(&play, &[&APPLY[..], &["--parallelism", "1"]].concat(), "intent-unwritten:0");
    assert_eq!(crashed.code, -1, "{crashed}");
    play.cloud.iam("DeleteRolePolicy", &[("RoleName", "del"), ("PolicyName", "q")]);
    play
}

fn state(play: &Play) -> Value {
    let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).stdout).unwrap();
    rows[0]["state"].clone()
}

#[test]
fn what_a_colleague_removed_after_a_crash_is_never_given_back() {
    let (stage, program) = (Stage::new(), with_points());
    let play = crashed_and_done_by_a_colleague(&stage, &program);
    let before = essence(&play.cloud);
    let answer = play.rollback(&[]).ended_with(0);
    assert!(answer.stdout.contains("role/del/inline/q") && answer.stdout.contains("never began it"), "{answer}");
    assert!(!answer.stdout.contains("as it was before."), "{answer}");
    assert_eq!(essence(&play.cloud), before, "nothing was given back");
    assert_eq!(state(&play), "abandoned");
    let again = play.rollback(&["--format", "json"]).ended_with(0);
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(again["standing"][0]["address"], "role/del/inline/q", "{again}");
    drop(play);

    for recheck in [true, false] {
        let play = crashed_and_done_by_a_colleague(&stage, &program);
        let more: &[&str] = if recheck { &[] } else { &["--no-recheck"] };
        let answer =
            play.run(&[&["apply", "--resume", "--auto-approve", "--settle", "1"], more].concat()).ended_with(0);
        for words in ["  not ours  delete inline policy q of role/del", "1 change made, 1 passed over"] {
            assert!(answer.stdout.contains(words), "{words}: {answer}");
        }
        let passed = "[1/2] passed over, done by somebody else: delete inline policy q of role/del\n";
        assert!(answer.stderr.contains(passed), "{answer}");
        assert_eq!(answer.stderr.matches("[1/2]").count(), 1, "it is told once: {answer}");
        let back = play.rollback(&["--settle", "1"]).ended_with(0);
        assert!(back.stdout.contains("1 write to make"), "{back}");
        assert!(!has_it(&play), "what the colleague took away stays away");
        let member = essence(&play.cloud).keys().any(|key| key == "UserName member inline q");
        assert!(member, "what the journal took away is back");
    }
}

#[test]
fn a_journal_whose_records_a_disk_has_lost_says_what_it_cannot_tell() {
    let stage = Stage::new();
    let lost = |stage: &Stage| {
        let play = stage.play(&TWO);
        play.apply(&[]).ended_with(0);
        let path = play.path(&format!(".secateur/journal/{}.jsonl", play.journals()[0]));
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, whole.split_inclusive('\n').next().unwrap()).unwrap();
        play
    };
    let play = lost(&stage);
    let before = essence(&play.cloud);
    let answer = play.rollback(&[]).ended_with(0);
    assert!(answer.stdout.matches("never began it").count() == 2, "{answer}");
    assert!(!answer.stdout.contains("all is as it was before"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
    assert_eq!(play.ends(), ["abandoned"]);
    drop(play);

    // Gone on with, and stopped: it is not forgotten.
    let play = lost(&stage);
    let before = essence(&play.cloud);
    let fault = json!({ "operation": "GetUser", "effect": "error", "code": "AccessDenied", "status": 403, "count": 9 });
    play.cloud.control("faults", fault);
    play.resume();
    play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
    let answer = play.resume().ended_with(0);
    assert!(answer.stdout.contains("0 changes made, 2 passed over"), "{answer}");
    let answer = play.rollback(&[]).ended_with(0);
    assert!(!answer.stdout.contains("1 write"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn what_somebody_took_away_is_not_given_back_as_the_original_of_a_copy() {
    let stage = Stage::new();
    let kind = KINDS.iter().find(|kind| kind.name == "replace").unwrap();
    let play = stage.play(kind);
    play.apply(&[]).ended_with(0);
    let changes = play.plan()["changes"].as_array().unwrap().clone();
    let attached = changes.iter().find(|change| change["action"] == "attach").unwrap();
    let arn = attached["target"]["arn"].as_str().unwrap();
    play.cloud.iam("DetachRolePolicy", &[("RoleName", "mixed"), ("PolicyArn", arn)]);
    let before = essence(&play.cloud);
    let answer = play.rollback(&[]).ended_with(3);
    assert!(answer.stderr.contains("role/mixed has lost it since, by somebody else"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn a_rollback_that_did_nothing_is_advised_to_be_tried_again() {
    let stage = Stage::new();
    let play = stage.play(&TWO);
    play.apply(&[]).ended_with(0);
    let id = play.journals().remove(0);
    let fault = json!({ "operation": "writes", "effect": "error", "code": "AccessDenied", "status": 403, "count": 9 });
    play.cloud.control("faults", fault);
    let answer = play.rollback(&[]).ended_with(1);
    assert!(answer.stderr.contains(&format!("`secateur rollback {id}` looks at it anew")), "{answer}");
    assert!(!answer.stderr.contains("secateur plan"), "{answer}");
}
