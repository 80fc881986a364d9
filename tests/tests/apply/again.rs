//! Going on with a journal that is open: what is left is looked at and judged anew, as by `apply`.

use serde_json::json;

use super::stage::{Play, Stage};
use super::town::{KINDS, Kind, essence, used_now};
use crate::emulator::cloud::allow;

fn stopped_after(stage: &Stage, kind: &Kind, writes: usize) -> Play {
    let play = stage.play(kind);
    let child = play.start(&[
        "apply",
        super::stage::PLAN,
        "--auto-approve",
        "--no-recheck",
        "--settle",
        "2",
        "--parallelism",
        "1",
    ]);
    let fault = json!({ "operation": "writes", "skip": writes, "effect": "kill", "pid": child.id(), "after": false });
    play.cloud.control("faults", fault);
    let ended = super::stage::answer(child.wait_with_output().unwrap());
    assert_eq!(ended.code, -1, "{ended}");
    play
}

const ONE: Kind = Kind { name: "one", config: "", target: &["role/put/inline/*"] };

#[test]
fn a_journal_that_only_began_is_no_way_round_the_checks() {
    let stage = Stage::new();
    let play = stopped_after(&stage, &ONE, 0);
    used_now(&play.cloud, "role/put", "lambda:DeleteFunction");
    let before = essence(&play.cloud);
    let answer = play.resume().ended_with(0);
    assert!(answer.stderr.contains("Withheld: role/put/inline/p"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
    drop(play);

    let play = stopped_after(&stage, &ONE, 0);
    let theirs = allow(&["lambda:ListFunctions", "s3:CreateBucket"]);
    play.cloud.iam("PutRolePolicy", &[("RoleName", "put"), ("PolicyName", "p"), ("PolicyDocument", &theirs)]);
    let before = essence(&play.cloud);
    let answer = play.resume().ended_with(4);
    assert!(answer.stderr.contains("rollback"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn what_is_left_and_has_moved_is_refused_before_the_next_write() {
    let stage = Stage::new();
    let several = Kind { name: "both", config: "", target: &["role/put/inline/*", "user/writer/inline/*"] };
    let play = stopped_after(&stage, &several, 1);
    let done = essence(&play.cloud);
    let theirs = allow(&["lambda:ListFunctions", "s3:CreateBucket"]);
    let first = play.records(&play.journals()[0])[0]["steps"][0]["address"].as_str().unwrap().to_owned();
    // The other one, of which nothing is done, is edited.
    if first.starts_with("role/") {
        play.cloud.iam("PutUserPolicy", &[("UserName", "writer"), ("PolicyName", "p"), ("PolicyDocument", &theirs)]);
    } else {
        play.cloud.iam("PutRolePolicy", &[("RoleName", "put"), ("PolicyName", "p"), ("PolicyDocument", &theirs)]);
    }
    let before = essence(&play.cloud);
    let answer = play.resume();
    assert!(matches!(answer.code, 3 | 4), "{answer}");
    assert!(answer.stderr.contains("rollback") && answer.stderr.contains("--abandon"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
    assert_ne!(done, before);
}

#[test]
fn a_group_that_was_begun_is_finished_or_refused_with_the_ways_out() {
    let stage = Stage::new();
    let kind = KINDS.iter().find(|kind| kind.name == "replace").unwrap();
    let start = {
        let play = stage.play(kind);
        essence(&play.cloud)
    };
    for writes in [1, 2] {
        let play = stopped_after(&stage, kind, writes);
        play.resume().ended_with(0);
        drop(play);

        let play = stopped_after(&stage, kind, writes);
        used_now(&play.cloud, "role/mixed", "lambda:DeleteFunction");
        let before = essence(&play.cloud);
        let answer = play.resume().ended_with(3);
        assert!(answer.stderr.contains("done in part") && answer.stderr.contains("last used by"), "{answer}");
        assert!(answer.stderr.contains("`secateur rollback"), "{answer}");
        assert_eq!(essence(&play.cloud), before);
        play.rollback(&[]).ended_with(0);
        assert_eq!(essence(&play.cloud), start);
    }
}
