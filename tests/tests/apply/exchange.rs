//! What takes the place of something: whoever made one half of it, nobody gets more than they have, and nobody is left with
//! neither.

use serde_json::{Value, json};

use super::again::stopped_after;
use super::chains::{BOTH, denied, last, mixed_team};
use super::stage::{PLAN, Play, Stage, answer};
use super::tampered::write_anew;
use super::town::{ACCOUNT, KINDS, Kind, essence};
use crate::cli::planfile::sha256_hex;
use crate::emulator::cloud::allow;

const MIXED: &str = "arn:aws:iam::aws:policy/Mixed";

pub fn kind(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).unwrap()
}

/// Takes the policy of AWS from the group, as a colleague would.
fn take_from_the_team(play: &Play) {
    play.cloud.iam("DetachGroupPolicy", &[("GroupName", "team"), ("PolicyArn", MIXED)]);
}

pub fn refused(play: &Play, arguments: &[&str], reason: &str, words: &str) {
    let before = essence(&play.cloud);
    let answer = play.run(&[arguments, &["--settle", "2", "--format", "json"]].concat()).ended_with(3);
    assert_eq!(answer.reason(), reason, "{answer}");
    assert!(answer.stderr.contains(words), "{words}: {answer}");
    assert_eq!(essence(&play.cloud), before, "{answer}");
}

#[test]
fn who_has_lost_the_original_while_an_apply_is_open_gets_no_copy() {
    let stage = Stage::with(Box::new(mixed_team));
    for writes in [1, 2] {
        let play = stopped_after(&stage, kind("replace"), writes);
        take_from_the_team(&play);
        play.cloud.iam("DetachRolePolicy", &[("RoleName", "mixed"), ("PolicyArn", MIXED)]);
        refused(&play, &["apply", "--resume", "--auto-approve"], "drifted", "and would give them more than they have");
    }
}

#[test]
fn who_loses_the_original_while_the_copy_is_created_gets_no_copy() {
    let stage = Stage::with(Box::new(mixed_team));
    let play = stage.play(kind("replace"));
    play.cloud.control("faults", json!({ "operation": "CreatePolicy", "effect": "hold", "after": true }));
    let child = play.start(&["apply", PLAN, "--auto-approve", "--no-recheck", "--settle", "2", "--format", "json"]);
    play.wait_until_held();
    take_from_the_team(&play);
    play.cloud.iam("DetachRolePolicy", &[("RoleName", "mixed"), ("PolicyArn", MIXED)]);
    let before = essence(&play.cloud);
    play.cloud.control("release", json!({}));
    let answer = answer(child.wait_with_output().unwrap()).ended_with(4);
    assert_eq!(answer.reason(), "drifted", "{answer}");
    assert_eq!(essence(&play.cloud), before, "{answer}");
}

#[test]
fn who_has_lost_what_was_split_keeps_the_parts() {
    let stage = Stage::new();
    let play = stage.play(kind("split"));
    play.apply(&[]).ended_with(0);
    let id = last(&play);
    let large = format!("arn:aws:iam::{ACCOUNT}:policy/large");
    play.cloud.iam("DetachRolePolicy", &[("RoleName", "large"), ("PolicyArn", &large)]);
    let back = ["rollback", &id, "--auto-approve"];
    refused(&play, &back, "drifted", "left with neither");
    // What is named works, in that order.
    let mends = format!("`aws iam attach-role-policy --role-name large --policy-arn {large}` gives it back");
    refused(&play, &back, "drifted", &mends);
    refused(&play, &back, "drifted", &format!("then `secateur rollback {id}` looks again"));
    play.cloud.iam("AttachRolePolicy", &[("RoleName", "large"), ("PolicyArn", &large)]);
    play.run(&[&back[..], &["--settle", "2"]].concat()).ended_with(0);
}

#[test]
fn an_open_rollback_gives_nothing_to_whom_somebody_has_taken_the_copy_from() {
    let stage = Stage::with(Box::new(mixed_team));
    let play = stage.play(kind("replace"));
    play.apply(&[]).ended_with(0);
    let applied = last(&play);
    let copy = play.records(&applied)[0]["steps"][0]["effect"]["policy"].as_str().unwrap().to_owned();
    denied(&play, 1, || play.rollback(&["--parallelism", "1"])).ended_with(4);
    let back = last(&play);
    let next = play.records(&back)[0]["steps"][1]["effect"].clone();
    assert_eq!(next["effect"], "attach", "{next}");
    let (operation, who) = match next["entity"]["kind"].as_str().unwrap() {
        "group" => ("DetachGroupPolicy", "GroupName"),
        _ => ("DetachRolePolicy", "RoleName"),
    };
    play.cloud.iam(operation, &[(who, next["entity"]["name"].as_str().unwrap()), ("PolicyArn", &copy)]);
    refused(&play, &["apply", "--resume", "--auto-approve"], "drifted", "and would give them more than they have");
}

#[test]
fn the_way_back_to_an_apply_gives_no_copy_to_whom_somebody_has_taken_the_original_from() {
    let stage = Stage::with(Box::new(mixed_team));
    let play = stage.play(kind("replace"));
    play.apply(&[]).ended_with(0);
    play.rollback(&[]).ended_with(0);
    let back = last(&play);
    take_from_the_team(&play);
    refused(&play, &["rollback", &back, "--auto-approve", "--no-recheck"], "drifted", "group/team");
}

#[test]
fn what_a_rollback_may_not_have_taken_back_is_taken_back_by_the_next() {
    let stage = Stage::with(Box::new(mixed_team));
    let play = stage.play(kind("replace"));
    let start = essence(&play.cloud);
    drop(play);
    for writes in 0..5 {
        for after in [false, true] {
            let play = stage.play(kind("replace"));
            play.apply(&[]).ended_with(0);
            let id = last(&play);
            let child = play.start(&["rollback", &id, "--auto-approve", "--settle", "2", "--parallelism", "1"]);
            let fault =
                json!({ "operation": "writes", "skip": writes, "effect": "kill", "pid": child.id(), "after": after });
            play.cloud.control("faults", fault);
            assert_eq!(answer(child.wait_with_output().unwrap()).code, -1);
            play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
            play.run(&["history", "--abandon", &last(&play), "--reason", "it is left"]).ended_with(0);
            let answer = play.run(&["rollback", &id, "--auto-approve", "--settle", "2"]).ended_with(0);
            assert_eq!(essence(&play.cloud), start, "{writes}, {after}: {answer}");
        }
    }
}

#[test]
fn what_was_in_doubt_and_taken_back_and_done_again_can_be_gone_on_with() {
    let stage = Stage::new();
    let play = stopped_after(&stage, &BOTH, 1);
    let applied = essence(&play.cloud);
    play.rollback(&[]).ended_with(0);
    play.run(&["rollback", &last(&play), "--auto-approve", "--no-recheck", "--settle", "2"]).ended_with(0);
    assert_eq!(essence(&play.cloud), applied);
    let answer = play.resume().ended_with(0);
    assert!(answer.stdout.contains("Apply complete! 2 changes made."), "{answer}");
}

/// Makes the digest of a rollback that somebody edited true, and its chain.
pub fn sealed(play: &Play, id: &str, edit: impl Fn(&mut Value)) {
    write_anew(play, id, |entry| {
        let record = &mut entry["record"];
        if record["record"] == "begin" {
            edit(record);
            let proposal =
                json!({ "origin": record["origin"], "destination": record["destination"], "steps": record["steps"] });
            record["digest"] = sha256_hex(proposal.to_string().as_bytes()).into();
        }
    });
}

#[test]
fn a_forged_rollback_is_not_gone_on_with() {
    let stage = Stage::new();
    let play = stage.play(&BOTH);
    play.apply(&[]).ended_with(0);
    let applied = last(&play);
    denied(&play, 1, || play.rollback(&["--parallelism", "1"])).ended_with(4);
    let back = last(&play);
    let head = |play: &Play| {
        let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).stdout).unwrap();
        rows.as_array().unwrap().iter().find(|row| row["id"] == *back).unwrap()["head"].as_str().unwrap().to_owned()
    };
    // Nothing is edited: only its own form is another.
    sealed(&play, &back, |_| {});
    let honest = std::fs::read(play.path(&format!(".secateur/journal/{back}.jsonl"))).unwrap();
    let pinned = head(&play);
    sealed(&play, &back, |record| record["steps"][1]["effect"]["after"] = allow(&["*"]).into());
    let resume = ["apply", "--resume", "--auto-approve"];
    refused(&play, &resume, "edited-journal", "it takes back nothing that");
    // Whom it reaches is looked at, whatever it says.
    std::fs::write(play.path(&format!(".secateur/journal/{back}.jsonl")), &honest).unwrap();
    sealed(&play, &back, |record| record["steps"][1]["expects"] = Value::Null);
    refused(&play, &resume, "edited-journal", "its expects does not follow from what");
    refused(&play, &[&resume[..], &["--expect-head", &pinned]].concat(), "other-head", "is expected");
    // Where the journal that it takes back is gone, somebody has to look, or to have pinned it.
    std::fs::write(play.path(&format!(".secateur/journal/{back}.jsonl")), honest).unwrap();
    std::fs::remove_file(play.path(&format!(".secateur/journal/{applied}.jsonl"))).unwrap();
    refused(&play, &resume, "unapproved", "nobody can tell whether");
    let before = essence(&play.cloud);
    let answer = play.run(&[&resume[..], &["--settle", "2"]].concat()).ended_with(3);
    assert!(answer.stdout.contains("What is left writes:"), "what is to be looked at is shown: {answer}");
    let answer = play.run(&["apply", "--resume", "--settle", "2"]).ended_with(3);
    for words in ["What is left writes:", "lambda:DeleteFunction", "Digest: "] {
        assert!(answer.stdout.contains(words), "{words}: {answer}");
    }
    assert_eq!(essence(&play.cloud), before);
    let answer = play.run(&[&resume[..], &["--expect-head", &pinned, "--settle", "2"]].concat()).ended_with(0);
    assert!(answer.stdout.contains("Rollback complete!"), "{answer}");
}

#[test]
fn where_a_journal_is_gone_who_gets_or_loses_something_is_named_either_way() {
    let stage = Stage::new();
    let play = stage.play(kind("update"));
    play.apply(&[]).ended_with(0);
    let applied = last(&play);
    for _ in 0..2 {
        play.run(&["rollback", &last(&play), "--auto-approve", "--no-recheck", "--settle", "2"]).ended_with(0);
    }
    let shared = format!("arn:aws:iam::{ACCOUNT}:policy/shared");
    play.cloud.iam("AttachRolePolicy", &[("RoleName", "del"), ("PolicyArn", &shared)]);
    std::fs::remove_file(play.path(&format!(".secateur/journal/{applied}.jsonl"))).unwrap();
    let answer = play.run(&["rollback", &last(&play), "--no-recheck", "--settle", "2"]).ended_with(3);
    for words in [
        "nobody can tell whether this gives or takes away",
        "These get what they did not have before, or lose what they came to have since:",
        "role/del has got it since, and gets or loses this too",
    ] {
        assert!(answer.stdout.contains(words), "{words}: {answer}");
    }
}

#[test]
fn a_rollback_looks_for_room_before_it_writes() {
    let stage = Stage::new();
    let play = stage.play(kind("detach-aws"));
    play.apply(&[]).ended_with(0);
    for at in 0..10 {
        let policy = play.cloud.policy(&format!("theirs-{at}"), &allow(&["lambda:ListFunctions"]));
        play.cloud.iam("AttachRolePolicy", &[("RoleName", "queues"), ("PolicyArn", &policy)]);
    }
    let words = "role/queues has 10 managed policies by then, and may have 10";
    refused(&play, &["rollback", &last(&play), "--auto-approve"], "drifted", words);
}

#[test]
fn whoever_leaves_what_is_exchanged_in_part_hears_that_a_new_plan_does_not_end_it() {
    let stage = Stage::with(Box::new(mixed_team));
    for (name, writes, is_halved) in
        [("replace", 0, false), ("replace", 2, true), ("split", 0, false), ("split", 2, true)]
    {
        let play = stopped_after(&stage, kind(name), writes);
        let id = last(&play);
        let answer = play.run(&["history", "--abandon", &id, "--reason", "it is left"]).ended_with(0);
        let words = format!("`secateur rollback {id}` takes it back");
        assert_eq!(answer.stderr.contains(&words), is_halved, "{name}, {writes}: {answer}");
        assert!(!answer.stderr.contains("finds nothing to change"), "nobody has looked: {answer}");
        if is_halved {
            play.rollback(&[]).ended_with(0);
        }
    }
}
