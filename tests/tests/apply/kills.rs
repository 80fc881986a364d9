//! The shipped binary, killed by `kill -9` at every write it makes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::stage::{PLAN, Play, Stage, answer};
use super::town::{KINDS, Kind, MANY, essence};

type Essence = BTreeMap<String, String>;

/// A kind of change, how many writes are on their way at a time, and the ways to try: killed after the write or before, and
/// gone on with or taken back.
struct Tale {
    kind: Kind,
    parallelism: &'static str,
    ways: &'static [(bool, bool)],
}

const ALL_WAYS: [(bool, bool); 4] = [(false, true), (false, false), (true, true), (true, false)];

/// The longest first. Of one kind alone all writes share something: they are made one after the other anyway.
fn tales() -> Vec<Tale> {
    let mut tales = vec![
        Tale { kind: MANY, parallelism: "4", ways: &ALL_WAYS },
        Tale {
            kind: Kind { name: "many, one at a time", ..MANY },
            parallelism: "1",
            ways: &[(false, false), (true, true)],
        },
    ];
    let mut kinds = KINDS.to_vec();
    kinds.sort_by_key(|kind| kind.name != "split");
    tales.extend(kinds.into_iter().map(|kind| Tale { kind, parallelism: "4", ways: &ALL_WAYS }));
    tales
}

/// Kills an apply at its k-th write; says whether it was killed.
fn killed(play: &Play, tale: &Tale, k: usize, after: bool) -> bool {
    let apply = ["apply", PLAN, "--auto-approve", "--no-recheck", "--settle", "1", "--parallelism", tale.parallelism];
    let child = play.start(&apply);
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

/// One kill; says whether there was one, and how many writes were in doubt then.
fn one(
    stage: &Stage,
    tale: &Tale,
    k: usize,
    (after, goes_on): (bool, bool),
    ends: &(Essence, Essence),
) -> Option<usize> {
    let play = stage.play(&tale.kind);
    let was_killed = killed(&play, tale, k, after);
    let context = format!("{} killed {} write {k}", tale.kind.name, if after { "after" } else { "before" });
    if !was_killed {
        assert_eq!(essence(&play.cloud), ends.1, "{context}: it was not killed");
        return None;
    }
    let in_doubt = in_doubt(&play);
    if (k, after, goes_on) == (0, true, true) {
        let blocked = play.apply(&[]).ended_with(3);
        assert!(blocked.stderr.contains("is open"), "{context}: {blocked}");
    }
    if goes_on {
        play.run(&["apply", "--resume", "--auto-approve", "--settle", "1"]).ended_with(0);
        assert_eq!(essence(&play.cloud), ends.1, "{context}: resumed");
        assert_eq!(play.ends(), ["end"], "{context}");
    }
    play.rollback(&["--settle", "1"]).ended_with(0);
    assert_eq!(essence(&play.cloud), ends.0, "{context}: taken back, resumed before: {goes_on}");
    let all_ended = play.ends().iter().all(|end| matches!(end.as_str(), "end" | "rolled-back"));
    assert!(all_ended, "{context}: {:?}", play.ends());
    Some(in_doubt)
}

/// How many writes may be done or not, by the only journal.
fn in_doubt(play: &Play) -> usize {
    let mut open = std::collections::BTreeSet::new();
    for record in play.records(&play.journals()[0]) {
        match record["record"].as_str().unwrap() {
            "intent" => open.insert(record["step"].as_u64()),
            "done" | "failed" => open.remove(&record["step"].as_u64()),
            _ => false,
        };
    }
    open.len()
}

#[test]
fn every_write_of_every_kind_survives_a_kill() {
    let (tales, next) = (tales(), AtomicUsize::new(0));
    let tried = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let stage = Stage::new();
                while let Some(tale) = tales.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let own = all(&stage, tale);
                    tried.lock().unwrap().insert(tale.kind.name, (own, tale.ways.len()));
                }
            });
        }
    });
    let tried = tried.into_inner().unwrap();
    for (kind, ((writes, in_doubt), ways)) in &tried {
        println!(
            "{kind}: {writes} writes x {ways} of {{before, after}} x {{resume, rollback}}, up to {in_doubt} in doubt"
        );
    }
    assert_eq!(tried.len(), tales.len(), "a kind was not tried");
    assert!(tried["many"].0.1 > 1, "several writes were never in doubt at once");
}

/// Kills at every write of a kind; returns how many there are, and how many were in doubt at once.
fn all(stage: &Stage, tale: &Tale) -> (usize, usize) {
    let kind = &tale.kind;
    let play = stage.play(kind);
    let start = essence(&play.cloud);
    play.apply(&["--parallelism", tale.parallelism]).ended_with(0);
    let end = essence(&play.cloud);
    assert_ne!(start, end, "{}", kind.name);
    let ends = (start, end);
    drop(play);
    let mut most = 0;
    for k in 0.. {
        for way in tale.ways {
            match one(stage, tale, k, *way, &ends) {
                Some(in_doubt) => most = most.max(in_doubt),
                None => {
                    // Past the last effect: there is no further write to be killed at.
                    assert!(k > 0, "{}: never killed", kind.name);
                    return (k, most);
                }
            }
        }
    }
    (0, most)
}
