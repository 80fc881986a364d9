//! The shipped binary, killed by `kill -9` at every write it makes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::stage::{Play, Stage, answer};
use super::town::{KINDS, Kind, essence};

type Essence = BTreeMap<String, String>;

/// Kills an apply at its k-th write; says whether it was killed.
fn killed(play: &Play, k: usize, after: bool) -> bool {
    let child = play.start(&["apply", super::stage::PLAN, "--auto-approve", "--no-recheck", "--settle", "2"]);
    let fault = json!({ "operation": "writes", "skip": k, "effect": "kill", "pid": child.id(), "after": after });
    play.cloud.control("faults", fault);
    let answer = answer(child.wait_with_output().unwrap());
    if answer.code == -1 {
        return true;
    }
    assert_eq!(answer.code, 0, "{answer}");
    play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
    false
}

fn one(stage: &Stage, kind: &Kind, k: usize, after: bool, goes_on: bool, ends: &(Essence, Essence)) -> bool {
    let play = stage.play(kind);
    let was_killed = killed(&play, k, after);
    let context = format!("{} killed {} write {k}", kind.name, if after { "after" } else { "before" });
    if !was_killed {
        assert_eq!(essence(&play.cloud), ends.1, "{context}: it was not killed");
        return false;
    }
    if (k, after, goes_on) == (0, true, true) {
        let blocked = play.apply(&[]).ended_with(3);
        assert!(blocked.stderr.contains("is open"), "{context}: {blocked}");
    }
    if goes_on {
        play.resume().ended_with(0);
        assert_eq!(essence(&play.cloud), ends.1, "{context}: resumed");
        assert_eq!(play.ends(), ["end"], "{context}");
    }
    play.rollback(&[]).ended_with(0);
    assert_eq!(essence(&play.cloud), ends.0, "{context}: taken back, resumed before: {goes_on}");
    let all_ended = play.ends().iter().all(|end| matches!(end.as_str(), "end" | "rolled-back"));
    assert!(all_ended, "{context}: {:?}", play.ends());
    true
}

#[test]
fn every_write_of_every_kind_survives_a_kill() {
    let next = AtomicUsize::new(0);
    let tried = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let stage = Stage::new();
                while let Some(kind) = KINDS.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let writes = all(&stage, kind);
                    tried.lock().unwrap().insert(kind.name, writes);
                }
            });
        }
    });
    let tried = tried.into_inner().unwrap();
    for (kind, writes) in &tried {
        println!("{kind}: {writes} writes x {{before, after}} x {{resume, rollback}}");
    }
    assert_eq!(tried.len(), KINDS.len(), "a kind was not tried");
}

/// Kills at every write of a kind; returns how many there are.
fn all(stage: &Stage, kind: &Kind) -> usize {
    let play = stage.play(kind);
    let start = essence(&play.cloud);
    play.apply(&[]).ended_with(0);
    let end = essence(&play.cloud);
    assert_ne!(start, end, "{}", kind.name);
    let ends = (start, end);
    drop(play);
    for k in 0.. {
        let mut was_killed = false;
        for after in [false, true] {
            for goes_on in [true, false] {
                was_killed = one(stage, kind, k, after, goes_on, &ends);
                if !was_killed {
                    // Past the last effect: there is no further write to be killed at.
                    assert!(k > 0, "{}: never killed", kind.name);
                    return k;
                }
            }
        }
        assert!(was_killed);
    }
    0
}
