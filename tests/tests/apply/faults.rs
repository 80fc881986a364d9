//! Faults at every write, through the binary.

use serde_json::{Value, json};

use super::stage::Stage;
use super::town::{KINDS, Kind, essence};

fn kind(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).unwrap()
}

#[test]
fn what_passes_is_waited_for_and_what_is_ambiguous_is_read() {
    let stage = Stage::new();
    let effects = [
        json!({ "effect": "throttle", "count": 2 }),
        json!({ "effect": "error", "code": "ServiceFailure", "status": 500 }),
        json!({ "effect": "error", "code": "ConcurrentModification", "status": 409 }),
        json!({ "effect": "reset" }),
        json!({ "effect": "answer-lost" }),
        json!({ "effect": "truncate" }),
        json!({ "effect": "late", "seconds": 3 }),
    ];
    for name in ["update", "replace"] {
        let kind = kind(name);
        let play = stage.play(kind);
        let start = essence(&play.cloud);
        play.apply(&[]).ended_with(0);
        let end = essence(&play.cloud);
        let id = play.journals().remove(0);
        let writes = play.records(&id).iter().filter(|record| record["record"] == "intent").count();
        drop(play);
        for effect in &effects {
            // Late reads are tried at one write only: each waits for seconds.
            let is_late = effect["effect"] == "late";
            let (last, settle) = if is_late { (1, "8") } else { (writes, "2") };
            for k in 0..last {
                let play = stage.play(kind);
                let mut fault: Value = effect.clone();
                fault["operation"] = "writes".into();
                fault["skip"] = k.into();
                play.cloud.control("faults", fault.clone());
                let answer = play.apply(&["--settle", settle]);
                assert_eq!(answer.code, 0, "{name}, {fault}: {answer}");
                assert_eq!(essence(&play.cloud), end, "{name}, {fault}");
                play.rollback(&[]).ended_with(0);
                assert_eq!(essence(&play.cloud), start, "{name}, {fault}: taken back");
            }
        }
    }
}

#[test]
fn what_lasts_stops_it_with_the_right_code_and_summary() {
    let stage = Stage::new();
    let codes = [
        ("LimitExceeded", 409),
        ("NoSuchEntity", 404),
        ("MalformedPolicyDocument", 400),
        ("UnmodifiableEntity", 400),
        ("AccessDenied", 403),
    ];
    let kind = kind("replace");
    let play = stage.play(kind);
    let start = essence(&play.cloud);
    play.apply(&[]).ended_with(0);
    let end = essence(&play.cloud);
    drop(play);
    for (at, (code, status)) in codes.into_iter().enumerate() {
        let k = at % 3;
        let play = stage.play(kind);
        let fault = json!({ "operation": "writes", "skip": k, "effect": "error", "code": code, "status": status });
        play.cloud.control("faults", fault);
        let answer = play.apply(&["--format", "json"]).ended_with(if k == 0 { 1 } else { 4 });
        assert!(answer.stderr.contains(code), "{answer}");
        let summary: Value = serde_json::from_str(&answer.stdout).unwrap();
        let changes = summary["changes"].as_array().unwrap();
        let done = changes.iter().filter(|change| change["state"] == "done").count();
        assert_eq!((done, summary["writes_done"].as_u64()), (k, Some(k as u64)), "{code}: {summary}");
        assert_eq!(summary["outcome"], if k == 0 { "nothing-done" } else { "incomplete" }, "{summary}");
        if k == 0 {
            assert_eq!(essence(&play.cloud), start, "{code}");
            continue;
        }
        assert!(answer.stderr.contains("--resume") && answer.stderr.contains("rollback"), "{answer}");
        if at % 2 == 0 {
            play.resume().ended_with(0);
            assert_eq!(essence(&play.cloud), end, "{code}");
        }
        play.rollback(&[]).ended_with(0);
        assert_eq!(essence(&play.cloud), start, "{code}");
    }
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
