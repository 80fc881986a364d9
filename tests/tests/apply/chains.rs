//! Rollbacks of rollbacks that did not end: which is on top, and what each knows of those below it.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::again::stopped_after;
use super::since::again;
use super::stage::{Play, Stage, answer};
use super::tampered::write_anew;
use super::town::{ACCOUNT, KINDS, Kind, essence, used_now};
use crate::cli::Answer;
use crate::emulator::cloud::{Cloud, allow};

pub const BOTH: Kind = Kind { name: "both", config: "", target: &["role/put/inline/*", "user/writer/inline/*"] };

/// Gives a journal another id, as a clock that was ahead would have.
pub fn renamed(play: &Play, id: &str, to: &str) {
    let file = |id: &str| play.path(&format!(".secateur/journal/{id}.jsonl"));
    write_anew(play, id, |entry| {
        if entry["record"]["record"] == "begin" {
            entry["record"]["id"] = to.into();
        }
    });
    fs::rename(file(id), file(to)).unwrap();
}

/// Starts a rollback of a journal, and kills it when its first write is done.
pub fn killed_rollback(play: &Play, id: &str) -> String {
    let child = play.start(&["rollback", id, "--auto-approve", "--settle", "2", "--parallelism", "1"]);
    let fault = json!({ "operation": "writes", "effect": "kill", "pid": child.id(), "after": true });
    play.cloud.control("faults", fault);
    assert_eq!(answer(child.wait_with_output().unwrap()).code, -1);
    play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
    play.journals().into_iter().find(|own| own.contains("-rollback-")).unwrap()
}

#[test]
fn a_resume_goes_on_with_the_rollback_of_an_apply_whatever_their_clocks_said() {
    let stage = Stage::new();
    let play = stage.play(&BOTH);
    let start = essence(&play.cloud);
    drop(play);

    let play = stopped_after(&stage, &BOTH, 1);
    let applied = play.journals().remove(0);
    let ahead = applied.replacen("20", "29", 1);
    renamed(&play, &applied, &ahead);
    let back = killed_rollback(&play, &ahead);
    assert!(back < ahead);
    let answer = play.resume().ended_with(0);
    assert!(
        answer.stdout.contains(&format!("Journal {back}")) && answer.stdout.contains("Rollback complete!"),
        "{answer}"
    );
    assert_eq!(essence(&play.cloud), start);
    let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).stdout).unwrap();
    assert!(rows.as_array().unwrap().iter().all(|row| row["state"] != "open"), "{rows}");
}

#[test]
fn a_resume_does_not_choose_between_journals_that_have_nothing_to_do_with_each_other() {
    let stage = Stage::new();
    let play = stopped_after(&stage, &BOTH, 1);
    let one = play.journals().remove(0);
    let other = one.replacen("20", "29", 1);
    let file = |id: &str| play.path(&format!(".secateur/journal/{id}.jsonl"));
    let kept = fs::read(file(&one)).unwrap();
    renamed(&play, &one, &other);
    fs::write(file(&one), kept).unwrap();
    let before = essence(&play.cloud);
    let answer = play.run(&["apply", "--resume", "--auto-approve", "--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "journal-open", "{answer}");
    assert!(answer.stdout.contains(&one) && answer.stdout.contains(&other), "{answer}");
    assert_eq!(essence(&play.cloud), before);
    play.run(&["history", "--abandon", &other, "--reason", "a copy"]).ended_with(0);
    play.resume().ended_with(0);
}

/// Starts something that is denied a write after some, and says how it went.
pub fn denied(play: &Play, skip: usize, run: impl FnOnce() -> Answer) -> Answer {
    let fault =
        json!({ "operation": "writes", "skip": skip, "effect": "error", "code": "AccessDenied", "status": 403 });
    play.cloud.control("faults", fault);
    let answer = run();
    play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
    answer
}

const IDLE: Kind = Kind { name: "idle-team", config: "", target: &["group/team/attached/idle"] };

pub const COPIED: Kind = Kind {
    name: "copied",
    config: "[rewrite]\naws_managed = \"replace\"\n",
    target: &["group/team/attached/aws:Mixed"],
};

pub fn mixed_team(cloud: &Cloud, _: &str) {
    let mixed = "arn:aws:iam::aws:policy/Mixed";
    cloud.iam("AttachGroupPolicy", &[("GroupName", "team"), ("PolicyArn", mixed)]);
}

#[test]
fn what_a_rollback_gave_back_in_part_is_not_taken_from_those_who_came_since() {
    let stage = Stage::with(Box::new(mixed_team));
    for kind in [IDLE, COPIED] {
        let play = stage.play(&kind);
        play.apply(&[]).ended_with(0);
        let id = play.journals().remove(0);
        let applied = essence(&play.cloud);
        let back = killed_rollback(&play, &id);
        play.cloud.iam("AddUserToGroup", &[("GroupName", "team"), ("UserName", "writer")]);
        let before = essence(&play.cloud);
        let answer = again(&play, &back, &[]).ended_with(3);
        for words in ["Withheld: ", "user/writer", "nothing of what was given back may be removed any more"] {
            assert!(answer.stderr.contains(words), "{}: {words}: {answer}", kind.name);
        }
        assert_eq!(essence(&play.cloud), before, "{}", kind.name);
        play.cloud.iam("RemoveUserFromGroup", &[("GroupName", "team"), ("UserName", "writer")]);
        let answer = again(&play, &back, &[]).ended_with(0);
        assert!(!answer.stderr.contains("Withheld"), "{}: {answer}", kind.name);
        assert_eq!(essence(&play.cloud), applied, "{}", kind.name);
    }
}

pub fn last(play: &Play) -> String {
    play.journals().pop().unwrap()
}

#[test]
fn what_a_rollback_left_in_part_is_our_own_for_all_rollbacks_above_it() {
    let stage = Stage::new();
    let kind = KINDS.iter().find(|kind| kind.name == "replace").unwrap();
    for skip in [1, 2] {
        let play = stage.play(kind);
        play.apply(&[]).ended_with(0);
        let applied = essence(&play.cloud);
        denied(&play, skip, || play.rollback(&["--parallelism", "1"])).ended_with(4);
        let part = essence(&play.cloud);
        for end in [&applied, &part, &applied] {
            let answer = again(&play, &last(&play), &[]).ended_with(0);
            assert!(!answer.stderr.contains("Withheld"), "{skip}: {answer}");
            assert_eq!(essence(&play.cloud), *end, "{skip}");
        }
    }
}

/// An apply, a rollback of it, and an open rollback of that which has done one of its two writes: their ids.
fn open_above(play: &Play) -> [String; 3] {
    play.apply(&[]).ended_with(0);
    let applied = last(play);
    play.rollback(&[]).ended_with(0);
    let back = last(play);
    denied(play, 1, || again(play, &back, &["--parallelism", "1"])).ended_with(4);
    [applied, back, last(play)]
}

#[test]
fn what_was_rolled_back_is_not_settled_while_a_rollback_of_that_is_open() {
    let stage = Stage::new();
    let play = stage.play(&BOTH);
    let [applied, _, open] = open_above(&play);
    let before = essence(&play.cloud);
    let answer = again(&play, &applied, &["--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "journal-open", "{answer}");
    assert!(answer.stdout.contains(&open), "{answer}");
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn an_open_rollback_of_a_rollback_that_is_gone_is_not_gone_on_with_unlooked_at() {
    let stage = Stage::new();
    let play = stage.play(&BOTH);
    let [_, back, open] = open_above(&play);
    fs::remove_file(play.path(&format!(".secateur/journal/{back}.jsonl"))).unwrap();
    used_now(&play.cloud, "role/put", "lambda:DeleteFunction");
    used_now(&play.cloud, "user/writer", "lambda:DeleteFunction");
    let before = essence(&play.cloud);
    let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).stdout).unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == *open).unwrap();
    let head = row["head"].as_str().unwrap();
    let resume = ["apply", "--resume", "--auto-approve", "--settle", "2", "--format", "json"];
    let answer = play.run(&resume).ended_with(3);
    assert_eq!(answer.reason(), "not-rechecked", "{answer}");
    // Nor can anybody tell any more whether it says what was reviewed.
    let answer = play.run(&[&resume[..], &["--no-recheck"]].concat()).ended_with(3);
    assert_eq!(answer.reason(), "unapproved", "{answer}");
    let resume = [&resume[..], &["--expect-head", head]].concat();
    assert_eq!(essence(&play.cloud), before);
    play.run(&[&resume[..], &["--no-recheck"]].concat()).ended_with(0);
    assert_ne!(essence(&play.cloud), before);
}

#[test]
fn who_came_since_is_named_as_losing_where_it_is_not_looked_at() {
    let stage = Stage::with(Box::new(mixed_team));
    let shared = Kind { name: "shared", config: "", target: &["policy/shared"] };
    let cases = [
        (shared, "policy/shared: role/queues has got it since, and loses this too"),
        (COPIED, "group/team/attached/aws:Mixed: user/writer in group/team is new, and loses this too"),
    ];
    for (kind, mark) in cases {
        let play = stage.play(&kind);
        play.apply(&[]).ended_with(0);
        play.rollback(&[]).ended_with(0);
        let back = last(&play);
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/shared");
        play.cloud.iam("AttachRolePolicy", &[("RoleName", "queues"), ("PolicyArn", &arn)]);
        play.cloud.iam("AddUserToGroup", &[("GroupName", "team"), ("UserName", "writer")]);
        let before = essence(&play.cloud);
        let answer = again(&play, &back, &["--no-recheck"]).ended_with(3);
        let page = format!("These lose what they came to have since:\n  ! {mark}\n");
        assert!(answer.stdout.contains(&page) && !answer.stdout.contains("gets this too"), "{mark}: {answer}");
        assert!(answer.stderr.contains("--auto-approve does not cover that"), "{answer}");
        assert_eq!(essence(&play.cloud), before);
        let digest = answer.stdout.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap().to_owned();
        play.run(&["rollback", &back, "--no-recheck", "--approve", &digest, "--settle", "2"]).ended_with(0);
        assert_ne!(essence(&play.cloud), before);
    }
}

#[test]
fn where_aws_gives_no_fresh_report_its_error_is_told_and_where_nothing_is_left_nothing_was_looked_at() {
    let stage = Stage::new();
    let play = stage.play(&BOTH);
    play.apply(&[]).ended_with(0);
    play.rollback(&[]).ended_with(0);
    let back = last(&play);
    let before = essence(&play.cloud);
    let fault = json!({
        "operation": "GenerateServiceLastAccessedDetails",
        "effect": "error",
        "code": "AccessDenied",
        "status": 403,
        "count": 50,
    });
    play.cloud.control("faults", fault);
    let answer = again(&play, &back, &[]).ended_with(3);
    let told = "Warning: no fresh report of arn:aws:iam::123456789012:role/put: ";
    assert!(answer.stderr.contains(told) && answer.stderr.contains("AccessDenied"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
    play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
    // A colleague has done what it would do.
    let used = allow(&["lambda:ListFunctions"]);
    play.cloud.iam("PutRolePolicy", &[("RoleName", "put"), ("PolicyName", "p"), ("PolicyDocument", &used)]);
    play.cloud.iam("PutUserPolicy", &[("UserName", "writer"), ("PolicyName", "p"), ("PolicyDocument", &used)]);
    let answer = again(&play, &back, &[]).ended_with(0);
    assert!(answer.stdout.contains("No changes.") && !answer.stdout.contains("looked at"), "{answer}");
    assert_eq!(play.journals().len(), 2);
}

/// The digest on the page of a rollback that nobody approves of.
pub fn shown_digest(play: &Play, id: &str, more: &[&str]) -> String {
    let answer = play.run(&[&["rollback", id, "--settle", "2"], more].concat()).ended_with(3);
    answer.stdout.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap().to_owned()
}

#[test]
fn the_digest_of_what_takes_from_a_group_covers_its_members() {
    let stage = Stage::with(Box::new(mixed_team));
    for name in ["delete-group", "put-group", "copied"] {
        let kind = if name == "copied" { COPIED } else { *KINDS.iter().find(|kind| kind.name == name).unwrap() };
        let play = stage.play(&kind);
        play.apply(&[]).ended_with(0);
        play.rollback(&[]).ended_with(0);
        let back = last(&play);
        let seen = shown_digest(&play, &back, &["--no-recheck"]);
        play.cloud.iam("AddUserToGroup", &[("GroupName", "team"), ("UserName", "writer")]);
        let before = essence(&play.cloud);
        let answer = play.run(&["rollback", &back, "--no-recheck", "--settle", "2", "--approve", &seen]).ended_with(3);
        assert!(answer.stdout.contains("user/writer in group/team is new, and loses this too"), "{name}: {answer}");
        assert_eq!(essence(&play.cloud), before, "{name}");
        // Nor is an open one gone on with, when somebody has come since it was approved.
        play.cloud.iam("RemoveUserFromGroup", &[("GroupName", "team"), ("UserName", "writer")]);
        let child =
            play.start(&["rollback", &back, "--no-recheck", "--settle", "2", "--approve", &seen, "--parallelism", "1"]);
        let fault = json!({ "operation": "writes", "effect": "kill", "pid": child.id(), "after": false });
        play.cloud.control("faults", fault);
        assert_eq!(answer_of(child).code, -1, "{name}");
        play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
        play.cloud.iam("AddUserToGroup", &[("GroupName", "team"), ("UserName", "writer")]);
        let answer = play.run(&["apply", "--resume", "--auto-approve", "--no-recheck", "--settle", "2"]);
        assert!(matches!(answer.code, 3 | 4) && answer.stderr.contains("user/writer"), "{name}: {answer}");
        let of_team =
            |all: BTreeMap<String, String>| all.into_iter().filter(|(key, _)| key.starts_with("GroupName team"));
        assert!(of_team(essence(&play.cloud)).eq(of_team(before)), "{name}: a policy may be made, nobody has it");
    }
}

fn answer_of(child: std::process::Child) -> Answer {
    answer(child.wait_with_output().unwrap())
}

#[test]
fn a_rollback_that_another_journal_has_overtaken_names_it_and_not_somebody_else() {
    let stage = Stage::new();
    let play = stage.play(super::exchange::kind("update"));
    let start = essence(&play.cloud);
    play.apply(&[]).ended_with(0);
    let end = essence(&play.cloud);
    play.rollback(&[]).ended_with(0);
    let back = last(&play);
    play.apply(&[]).ended_with(0);
    let over = last(&play);
    let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).stdout).unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == *back).unwrap();
    assert_eq!((&row["state"], &row["detail"]), (&json!("done"), &json!(format!("overtaken by {over}"))));
    let again = ["rollback", &back, "--auto-approve", "--no-recheck", "--settle", "2"];
    let answer = play.run(&again).ended_with(3);
    assert!(answer.stderr.contains(&format!("so left by {over}, after this one")), "{answer}");
    assert!(!answer.stderr.contains("somebody else has changed"), "{answer}");
    // What is named works, in that order.
    let named = format!("`secateur rollback {over}` takes back what that did");
    assert!(
        answer.stderr.contains(&named) && answer.stderr.contains(&format!("`secateur rollback {back}` looks again"))
    );
    play.run(&["rollback", &over, "--auto-approve", "--settle", "2"]).ended_with(0);
    assert_eq!(essence(&play.cloud), start);
    play.run(&again).ended_with(0);
    assert_eq!(essence(&play.cloud), end);
}

#[test]
fn what_somebody_made_of_what_a_later_journal_left_is_not_told_as_that_journals() {
    let stage = Stage::new();
    let play = stage.play(super::exchange::kind("update"));
    play.apply(&[]).ended_with(0);
    play.rollback(&[]).ended_with(0);
    let back = last(&play);
    play.apply(&[]).ended_with(0);
    let (over, shared) = (last(&play), format!("arn:aws:iam::{ACCOUNT}:policy/shared"));
    let theirs = allow(&["s3:GetObject"]);
    let version = [("PolicyArn", shared.as_str()), ("PolicyDocument", theirs.as_str()), ("SetAsDefault", "true")];
    play.cloud.iam("CreatePolicyVersion", &version);
    let answer = play.run(&["rollback", &back, "--auto-approve", "--no-recheck", "--settle", "2"]).ended_with(3);
    assert!(answer.stderr.contains("somebody else has changed"), "{answer}");
    assert!(!answer.stderr.contains("so left by") && !answer.stderr.contains(&over), "{answer}");
}
