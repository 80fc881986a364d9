//! What has changed since a journal was written: by somebody else, by AWS, or by a clock.

use std::time::Instant;

use serde_json::{Value, json};

use super::again::stopped_after;
use super::stage::{Play, Stage};
use super::tampered::write_anew;
use super::town::{ACCOUNT, KINDS, Kind, MANY, essence, used_now};
use crate::cli::Answer;
use crate::emulator::cloud::allow;

const BOTH: Kind = Kind { name: "both", config: "", target: &["role/put/inline/*", "user/writer/inline/*"] };

/// Puts back what the first change took away, as a colleague would.
fn undo_first(play: &Play) -> String {
    let first = play.records(&play.journals()[0])[0]["steps"][0]["address"].as_str().unwrap().to_owned();
    let both = allow(&["lambda:ListFunctions", "lambda:DeleteFunction"]);
    let (operation, who, name) = match first.starts_with("role/") {
        true => ("PutRolePolicy", "RoleName", "put"),
        false => ("PutUserPolicy", "UserName", "writer"),
    };
    play.cloud.iam(operation, &[(who, name), ("PolicyName", "p"), ("PolicyDocument", &both)]);
    first
}

#[test]
fn what_a_colleague_undid_of_what_was_done_is_named_by_a_resume_and_stands() {
    let stage = Stage::new();
    let play = stopped_after(&stage, &BOTH, 1);
    let first = undo_first(&play);
    // Nobody has seen that it was done: at first it may be that it does not show yet.
    let answer = play.resume().ended_with(3);
    assert!(answer.stderr.contains("AWS answered at") && !answer.stderr.contains("somebody else"), "{answer}");
    put_back(&play);
    let answer = play.resume().ended_with(0);
    for words in [
        "  changed   rewrite inline policy p of ".to_owned(),
        format!(
            "  {first}: done before, since then changed by somebody else: left as it is (rewrite inline policy p of "
        ),
        "Apply complete! 2 changes made.".to_owned(),
    ] {
        assert!(answer.stdout.contains(&words), "{words}: {answer}");
    }
    let restored: Vec<String> = essence(&play.cloud)
        .into_iter()
        .filter(|(_, own)| own.contains("DeleteFunction"))
        .map(|(key, _)| key)
        .collect();
    let owner = if first.starts_with("role/") { "RoleName put inline p" } else { "UserName writer inline p" };
    assert!(restored.iter().any(|key| key == owner), "{restored:?}");
    drop(play);

    let play = stopped_after(&stage, &BOTH, 1);
    let first = undo_first(&play);
    put_back(&play);
    let answer = play.run(&["apply", "--resume", "--auto-approve", "--settle", "1", "--format", "json"]).ended_with(0);
    let json: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(
        (json["outcome"].as_str(), json["changed_since"][0]["address"].as_str()),
        (Some("complete"), Some(&*first))
    );
    drop(play);

    let play = stopped_after(&stage, &BOTH, 1);
    let answer = play.resume().ended_with(0);
    assert!(!answer.stdout.contains("done before"), "nobody has changed anything: {answer}");
}

/// Puts all times of a journal into the future.
pub fn put_ahead(play: &Play) {
    put(play, "2099");
}

/// Puts all times of a journal into the past, when what was answered shows.
fn put_back(play: &Play) {
    put(play, "2020");
}

fn put(play: &Play, year: &str) {
    let at = |entry: &mut Value| {
        let time = entry["time"].as_str().unwrap();
        entry["time"] = format!("{year}{}", time.get(4..).unwrap()).into();
    };
    write_anew(play, &play.journals()[0], at);
}

#[test]
fn a_journal_of_a_clock_that_was_ahead_is_waited_for_no_longer_than_any_other() {
    let stage = Stage::new();
    let play = stopped_after(&stage, &BOTH, 1);
    undo_first(&play);
    put_ahead(&play);
    let begun = Instant::now();
    let answer = play.resume().ended_with(0);
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    for words in ["is of 2099-", "one clock was wrong", "up to 2 seconds are waited for"] {
        assert!(answer.stderr.contains(words), "{words}: {answer}");
    }
    put_ahead(&play);
    let begun = Instant::now();
    let answer = play.rollback(&[]).ended_with(0);
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    assert!(answer.stderr.contains("one clock was wrong"), "{answer}");
}

/// The help that a rollback prints.
fn help(answer: &Answer) -> String {
    answer.stderr.split("help: ").nth(1).unwrap_or_default().trim().to_owned()
}

#[test]
fn the_help_after_a_drift_names_what_can_be_taken_back_without_it_and_nothing_else() {
    let stage = Stage::new();
    let theirs = allow(&["lambda:ListFunctions", "s3:CreateBucket"]);
    let edit = |play: &Play, address: &str| {
        let (operation, who, name) = match address.starts_with("role/") {
            true => ("PutRolePolicy", "RoleName", "put"),
            false => ("PutUserPolicy", "UserName", "writer"),
        };
        play.cloud.iam(operation, &[(who, name), ("PolicyName", "p"), ("PolicyDocument", &theirs)]);
    };
    let play = stage.play(&BOTH);
    play.apply(&[]).ended_with(0);
    let id = play.journals().remove(0);
    edit(&play, "role/put/inline/p");
    let answer = play.rollback(&[]).ended_with(3);
    let command = format!("`secateur rollback {id} --target user/writer/inline/p` takes back the rest; mend these");
    assert!(help(&answer).starts_with(&command), "{answer}");
    assert!(!answer.stderr.contains("--abandon"), "it is not open: {answer}");
    play.rollback(&["--target", "user/writer/inline/p"]).ended_with(0);
    let answer = play.rollback(&[]).ended_with(3);
    let mended =
        format!("mend these by hand: the journal has the documents; then `secateur rollback {id}` looks again");
    assert_eq!(help(&answer), mended, "{answer}");
    drop(play);

    let play = stopped_after(&stage, &BOTH, 1);
    let id = play.journals().remove(0);
    let first = play.records(&id)[0]["steps"][0]["address"].as_str().unwrap().to_owned();
    edit(&play, &first);
    let answer = play.rollback(&[]).ended_with(3);
    assert!(!help(&answer).contains("--target") && help(&answer).contains("--abandon"), "{answer}");
}

#[test]
fn a_policy_of_aws_that_aws_has_changed_since_comes_back_with_a_mark() {
    let stage = Stage::new();
    let kind = Kind { name: "detach-aws", config: "", target: &["role/queues/attached/*"] };
    let play = stage.play(&kind);
    play.apply(&[]).ended_with(0);
    let arn = "arn:aws:iam::aws:policy/QueueAccess";
    play.cloud.control("aws-policies", json!({ "arn": arn, "document": allow(&["sqs:*"]) }));
    let before = essence(&play.cloud);
    let answer = play.rollback(&[]).ended_with(3);
    let mark =
        "  ! role/queues/attached/aws:QueueAccess: AWS has changed policy/QueueAccess since: it comes back with what";
    assert!(answer.stdout.contains(mark) && answer.stderr.contains("--auto-approve does not cover that"), "{answer}");
    assert_eq!(essence(&play.cloud), before, "nobody has seen it yet");
    let digest = answer.stdout.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap().to_owned();
    let id = play.journals().remove(0);
    play.run(&["rollback", &id, "--approve", &digest, "--settle", "2"]).ended_with(0);
}

/// Applies, and takes that back. Returns the id of the rollback.
fn there_and_back(stage: &Stage, kind: &Kind) -> (Play, String) {
    let play = stage.play(kind);
    play.apply(&[]).ended_with(0);
    let applied = essence(&play.cloud);
    play.rollback(&[]).ended_with(0);
    assert_ne!(essence(&play.cloud), applied);
    let id = play.journals().into_iter().find(|id| id.contains("-rollback-")).unwrap();
    (play, id)
}

pub fn again(play: &Play, id: &str, more: &[&str]) -> Answer {
    play.run(&[&["rollback", id, "--auto-approve", "--settle", "2"], more].concat())
}

#[test]
fn a_rollback_of_a_rollback_takes_away_again_what_nobody_has_used_since() {
    let stage = Stage::new();
    for kind in KINDS.iter().chain([&MANY]) {
        let play = stage.play(kind);
        play.apply(&[]).ended_with(0);
        let applied = essence(&play.cloud);
        play.rollback(&[]).ended_with(0);
        let id = play.journals().into_iter().find(|id| id.contains("-rollback-")).unwrap();
        let answer = again(&play, &id, &[]).ended_with(0);
        assert!(answer.stdout.contains("It was looked at what was used since."), "{}: {answer}", kind.name);
        assert!(!answer.stderr.contains("Withheld"), "{}: {answer}", kind.name);
        assert_eq!(essence(&play.cloud), applied, "{}", kind.name);
        // It was waited for: nothing of it counts as not seen yet.
        let records = play.records(&play.journals()[0]);
        let noted = records.iter().find(|record| record["record"] == "done-again").unwrap();
        assert!(noted["steps"][0].is_object() && noted["unseen"].is_null(), "{}: {noted}", kind.name);
        // And back once more: that gives, and needs no evidence.
        let last = play.journals().pop().unwrap();
        let answer = again(&play, &last, &[]).ended_with(0);
        assert!(!answer.stdout.contains("used since"), "{answer}");
        assert_ne!(essence(&play.cloud), applied, "{}", kind.name);
    }
}

#[test]
fn what_was_used_since_it_was_given_back_is_not_taken_away_again() {
    let stage = Stage::new();
    let (play, id) = there_and_back(&stage, &BOTH);
    let before = essence(&play.cloud);
    used_now(&play.cloud, "role/put", "lambda:DeleteFunction");
    let answer = again(&play, &id, &["--format", "json"]).ended_with(0);
    assert!(answer.stderr.contains("Withheld: role/put/inline/p may no longer be made"), "{answer}");
    assert!(answer.stderr.contains("last used by role/put at 20"), "{answer}");
    let json: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((json["withheld"][0]["unit"].as_str(), json["writes"].as_i64()), (Some("role/put/inline/p"), Some(1)));
    let now = essence(&play.cloud);
    assert_eq!(now["RoleName put inline p"], before["RoleName put inline p"]);
    assert_ne!(now["UserName writer inline p"], before["UserName writer inline p"]);
    // The rest of it: it is still used.
    let answer = again(&play, &id, &[]).ended_with(3);
    assert!(answer.stderr.contains("nothing of what was given back may be removed any more"), "{answer}");
    assert_eq!(essence(&play.cloud), now);
    let answer = again(&play, &id, &["--no-recheck"]).ended_with(0);
    assert!(answer.stdout.contains("Whether it was used since is not looked at."), "{answer}");
    assert_ne!(essence(&play.cloud)["RoleName put inline p"], before["RoleName put inline p"]);
}

#[test]
fn whom_nobody_judged_nothing_is_taken_from_by_a_rollback_of_a_rollback() {
    let stage = Stage::new();
    let kind = Kind { name: "shared", config: "", target: &["policy/shared"] };
    let (play, id) = there_and_back(&stage, &kind);
    let shared = format!("arn:aws:iam::{ACCOUNT}:policy/shared");
    play.cloud.iam("AttachRolePolicy", &[("RoleName", "queues"), ("PolicyArn", &shared)]);
    let before = essence(&play.cloud);
    let answer = again(&play, &id, &[]).ended_with(3);
    assert!(answer.stderr.contains("Withheld: policy/shared may no longer be made"), "{answer}");
    assert!(answer.stderr.contains("role/queues"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn a_rollback_of_a_rollback_that_cannot_look_what_was_used_is_refused() {
    let stage = Stage::new();
    let (play, id) = there_and_back(&stage, &BOTH);
    let before = essence(&play.cloud);
    for gone in ["plan.json", ".secateur/snapshot/manifest.json"] {
        let kept = std::fs::read(play.path(gone)).unwrap();
        std::fs::remove_file(play.path(gone)).unwrap();
        let answer = again(&play, &id, &["--format", "json"]).ended_with(3);
        assert_eq!(answer.reason(), "not-rechecked", "{gone}: {answer}");
        assert_eq!((essence(&play.cloud), play.journals().len()), (before.clone(), 2), "{gone}");
        std::fs::write(play.path(gone), kept).unwrap();
    }
    again(&play, &id, &[]).ended_with(0);
    assert_ne!(essence(&play.cloud), before);
}

#[test]
fn a_rollback_of_a_rollback_that_stopped_goes_on_without_what_was_used_since() {
    let stage = Stage::new();
    let (play, id) = there_and_back(&stage, &BOTH);
    let before = essence(&play.cloud);
    let fault = json!({ "operation": "writes", "skip": 1, "effect": "error", "code": "AccessDenied", "status": 403 });
    play.cloud.control("faults", fault);
    again(&play, &id, &["--parallelism", "1"]).ended_with(4);
    let stopped = essence(&play.cloud);
    let is_put_done = stopped["RoleName put inline p"] != before["RoleName put inline p"];
    used_now(&play.cloud, if is_put_done { "user/writer" } else { "role/put" }, "lambda:DeleteFunction");
    let answer = play.resume().ended_with(0);
    assert!(answer.stderr.contains("Withheld: "), "{answer}");
    assert_eq!(essence(&play.cloud), stopped, "what is used stays, what was done stays done");
    // The first rollback was taken back in part only: the rest can be, once it is looked at again.
    let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).stdout).unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == *id).unwrap();
    assert_eq!(row["state"], "done", "{row}");
    again(&play, &id, &[]).ended_with(3);
    again(&play, &id, &["--no-recheck"]).ended_with(0);
}

#[test]
fn a_rollback_that_stopped_anywhere_can_be_taken_back() {
    let stage = Stage::new();
    for kind in KINDS.iter().filter(|kind| ["replace", "split", "evict"].contains(&kind.name)) {
        for skip in 1.. {
            let play = stage.play(kind);
            play.apply(&[]).ended_with(0);
            let applied = essence(&play.cloud);
            let fault = json!({ "operation": "writes", "skip": skip, "effect": "error", "code": "AccessDenied", "status": 403 });
            play.cloud.control("faults", fault);
            if play.rollback(&[]).code == 0 {
                assert!(skip > 2, "{}", kind.name);
                break;
            }
            play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
            let id = play.journals().pop().unwrap();
            let answer = again(&play, &id, &[]).ended_with(0);
            assert!(!answer.stderr.contains("Withheld"), "{}, {skip}: {answer}", kind.name);
            assert_eq!(essence(&play.cloud), applied, "{}, {skip}", kind.name);
        }
    }
}
