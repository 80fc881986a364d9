//! Faults at every write, through the binary.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::stage::Stage;
use super::town::{KINDS, Kind, MANY, essence};

fn kind(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).unwrap()
}

type Essence = BTreeMap<String, String>;

/// Plays all kinds, several at a time: what a kind does gets the stage, its number, the state before and after, and how many
/// writes there are. Returns how many plays there were.
fn each_kind(kinds: &[&Kind], play: impl Fn(&Stage, usize, &(Essence, Essence), usize) -> usize + Sync) -> usize {
    let (next, plays) = (AtomicUsize::new(0), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let stage = Stage::new();
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(kind) = kinds.get(number) else { return };
                    let first = stage.play(kind);
                    let start = essence(&first.cloud);
                    first.apply(&[]).ended_with(0);
                    let end = essence(&first.cloud);
                    let records = first.records(&first.journals()[0]);
                    let writes = records.iter().filter(|record| record["record"] == "intent").count();
                    drop(first);
                    *plays.lock().unwrap() += play(&stage, number, &(start, end), writes);
                }
            });
        }
    });
    plays.into_inner().unwrap()
}

#[test]
fn what_passes_is_waited_for_and_what_is_ambiguous_is_read() {
    let effects = [
        json!({ "effect": "answer-lost" }),
        json!({ "effect": "reset" }),
        json!({ "effect": "error", "code": "ServiceFailure", "status": 500 }),
        json!({ "effect": "throttle", "count": 2 }),
        json!({ "effect": "truncate" }),
        json!({ "effect": "error", "code": "ConcurrentModification", "status": 409 }),
    ];
    let kinds: Vec<&Kind> = [&MANY].into_iter().chain(&KINDS).collect();
    let plays = each_kind(&kinds, |stage, number, (start, end), writes| {
        let kind = kinds[number];
        let mut plays = 0;
        // All of them where a version is created, or a policy takes another's place; else two at each write, in turn.
        let is_whole = ["update", "replace"].contains(&kind.name);
        for k in 0..writes {
            let few = if is_whole { effects.len() } else { 2 };
            for effect in effects.iter().cycle().skip(number + 2 * k).take(few) {
                let play = stage.play(kind);
                let mut fault: Value = effect.clone();
                fault["operation"] = "writes".into();
                fault["skip"] = k.into();
                play.cloud.control("faults", fault.clone());
                let answer = play.apply(&["--settle", "1"]);
                assert_eq!(answer.code, 0, "{}, {fault}: {answer}", kind.name);
                assert_eq!(essence(&play.cloud), *end, "{}, {fault}", kind.name);
                play.rollback(&["--settle", "1"]).ended_with(0);
                assert_eq!(essence(&play.cloud), *start, "{}, {fault}: taken back", kind.name);
                plays += 1;
            }
        }
        plays
    });
    println!("{plays} faults that pass, in {} kinds", kinds.len());
    assert!(plays > 80, "{plays}");
}

#[test]
fn writes_that_reads_show_late_are_waited_for() {
    let kinds = ["update", "replace", "put-role", "deactivate"].map(kind);
    each_kind(&kinds, |stage, number, (start, end), _| {
        let play = stage.play(kinds[number]);
        play.cloud.control("faults", json!({ "operation": "writes", "effect": "late", "seconds": 3 }));
        play.apply(&["--settle", "8"]).ended_with(0);
        assert_eq!(essence(&play.cloud), *end, "{}", kinds[number].name);
        play.rollback(&[]).ended_with(0);
        assert_eq!(essence(&play.cloud), *start, "{}: taken back", kinds[number].name);
        1
    });
}

#[test]
fn what_lasts_stops_it_with_the_right_code_and_summary() {
    let codes = [
        ("LimitExceeded", 409),
        ("NoSuchEntity", 404),
        ("MalformedPolicyDocument", 400),
        ("UnmodifiableEntity", 400),
        ("AccessDenied", 403),
    ];
    let kinds: Vec<&Kind> = KINDS.iter().collect();
    let plays = each_kind(&kinds, |stage, number, (start, end), writes| {
        let kind = kinds[number];
        let mut plays = 0;
        // All codes where a policy takes another's place; else one at the last write, and one at another.
        let all: Vec<(usize, usize)> = match kind.name {
            "replace" => (0..codes.len()).map(|at| (at, at % writes)).collect(),
            _ if writes == 1 => vec![(number, 0)],
            _ => vec![(number, writes - 1), (number + 1, number % (writes - 1))],
        };
        for (at, k) in all {
            let (code, status) = codes[at % codes.len()];
            let play = stage.play(kind);
            let fault = json!({ "operation": "writes", "skip": k, "effect": "error", "code": code, "status": status });
            play.cloud.control("faults", fault);
            let context = format!("{}, {code} at write {k}", kind.name);
            let answer = play.apply(&["--format", "json"]);
            assert_eq!(answer.code, if k == 0 { 1 } else { 4 }, "{context}: {answer}");
            assert!(answer.stderr.contains(code), "{context}: {answer}");
            let summary: Value = serde_json::from_str(&answer.stdout).unwrap();
            assert_eq!(summary["writes_done"].as_u64(), Some(k as u64), "{context}: {summary}");
            assert_eq!(summary["outcome"], if k == 0 { "nothing-done" } else { "incomplete" }, "{context}: {summary}");
            plays += 1;
            if k == 0 {
                assert_eq!(essence(&play.cloud), *start, "{context}");
                continue;
            }
            assert!(answer.stderr.contains("--resume") && answer.stderr.contains("rollback"), "{context}: {answer}");
            if at % 2 == 0 {
                play.resume().ended_with(0);
                assert_eq!(essence(&play.cloud), *end, "{context}");
            }
            play.rollback(&[]).ended_with(0);
            assert_eq!(essence(&play.cloud), *start, "{context}: taken back");
        }
        plays
    });
    println!("{plays} faults that last");
}

#[test]
fn a_session_that_ends_between_two_writes_is_gone_on_with_by_another() {
    let stage = Stage::new();
    let play = stage.play(kind("replace"));
    let fault = json!({ "operation": "writes", "skip": 1, "effect": "error", "code": "ExpiredToken", "status": 403 });
    play.cloud.control("faults", fault);
    let answer = play.apply(&[]).ended_with(4);
    assert!(answer.stderr.contains("renew the credentials"), "{answer}");
    play.resume().ended_with(0);
}

#[test]
fn a_full_list_of_versions_is_refused_unless_the_oldest_may_go() {
    let stage = Stage::new();
    let evict = kind("evict");
    let play = stage.play(&Kind { name: "full", config: "", ..*evict });
    let before = essence(&play.cloud);
    let answer = play.apply(&["--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "version-slots");
    assert_eq!(essence(&play.cloud), before);
    drop(play);
    let play = stage.play(evict);
    play.apply(&[]).ended_with(0);
    let journal = play.records(&play.journals()[0]);
    let steps = journal[0]["steps"].to_string();
    assert!(steps.contains("delete-version") && steps.contains("lambda:DeleteFunction"), "{steps}");
    play.rollback(&[]).ended_with(0);
    assert_eq!(essence(&play.cloud), before, "the version that made room is there again");
}

#[test]
fn reads_that_fail_are_made_again() {
    let stage = Stage::new();
    let kind = kind("update");
    let play = stage.play(kind);
    play.apply(&[]).ended_with(0);
    let end = essence(&play.cloud);
    drop(play);
    let effects = [json!({ "effect": "throttle" }), json!({ "effect": "reset" }), json!({ "effect": "truncate" })];
    for (at, skip) in (0..60).step_by(6).enumerate() {
        let play = stage.play(kind);
        let mut fault = effects[at % effects.len()].clone();
        fault["operation"] = "reads".into();
        fault["skip"] = skip.into();
        play.cloud.control("faults", fault.clone());
        let answer = play.apply(&[]);
        assert_eq!(answer.code, 0, "{fault}: {answer}");
        assert_eq!(essence(&play.cloud), end, "{fault}");
    }
}

#[test]
fn reads_that_lag_ten_seconds_behind_are_waited_for() {
    let stage = Stage::new();
    for effect in ["none", "answer-lost", "reset"] {
        let play = stage.play(kind("update"));
        let start = essence(&play.cloud);
        play.cloud.control("behaviour", json!({ "consistency_seconds": 10 }));
        if effect != "none" {
            play.cloud.control("faults", json!({ "operation": "writes", "effect": effect }));
        }
        play.apply(&["--settle", "15"]).ended_with(0);
        let records = play.records(&play.journals()[0]);
        let made = records.iter().filter(|record| record["record"] == "done").count();
        assert_eq!(made, 2, "{effect}: {records:?}");
        if effect == "none" {
            let id = play.journals().remove(0);
            play.run(&["rollback", &id, "--auto-approve", "--settle", "15"]).ended_with(0);
            play.cloud.control("behaviour", json!({ "consistency_seconds": 0 }));
            std::thread::sleep(std::time::Duration::from_secs(11));
            assert_eq!(essence(&play.cloud), start);
        }
    }
}
