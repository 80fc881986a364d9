//! Approval, two applies at once, disks, journals.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::stage::{PLAN, Play, Stage, answer};
use super::town::{KINDS, Kind, essence};
use crate::cli::Answer;

pub const SEVERAL: Kind =
    Kind { name: "several", config: "", target: &["role/put/inline/*", "user/writer/inline/*", "policy/shared"] };

const EVERYTHING: Kind = Kind { name: "everything", config: "[apply]\nevict_oldest_version = true\n", target: &["*"] };

fn is_untouched(play: &Play) -> bool {
    let counts = play.cloud.running.control("GET", "calls/counts", &json!({})).unwrap();
    !counts["operations"].as_object().unwrap().keys().any(|operation| {
        ["Put", "Delete", "Attach", "Detach", "Create", "Set", "Update"]
            .iter()
            .any(|verb| operation.strip_prefix("iam:").is_some_and(|name| name.starts_with(verb)))
    })
}

fn forget_calls(play: &Play) {
    play.cloud.running.control("DELETE", "calls", &json!({})).unwrap();
}

#[test]
fn limits_hold_also_when_they_were_lowered_since_the_plan() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    assert!(play.plan()["changes"].as_array().unwrap().len() > 1);
    let path = play.path("secateur.toml");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{config}\n[limits]\nmax_changes = 1\n")).unwrap();
    forget_calls(&play);
    for arguments in [&[][..], &["--target", "*"]] {
        let answer = play.apply(arguments).ended_with(3);
        assert!(answer.stderr.contains("secateur.toml") || answer.stderr.contains("max_changes"), "{answer}");
        assert!(answer.stderr.contains("help: "), "{answer}");
    }
    assert!(is_untouched(&play));
}

#[test]
fn without_approval_nothing_is_written() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    forget_calls(&play);
    let digest = play.plan()["digest"].as_str().unwrap().to_owned();
    let answer = play.run(&["apply", PLAN]).ended_with(3);
    assert!(answer.stderr.contains("no terminal") && answer.stderr.contains(&digest), "{answer}");
    let answer = play.run(&["apply", PLAN, "--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "unapproved");
    let answer = play.run(&["apply", PLAN, "--approve", &"0".repeat(64)]).ended_with(3);
    assert!(answer.stderr.contains(&digest), "{answer}");
    // A label of twelve digits is no approval.
    play.run(&["apply", PLAN, "--approve", digest.get(..12).unwrap()]).ended_with(64);
    assert!(is_untouched(&play));
    play.run(&["apply", PLAN, "--approve", &digest, "--no-recheck", "--settle", "2"]).ended_with(0);
    let id = play.journals().remove(0);
    let answer = play.run(&["rollback", &id]).ended_with(3);
    assert!(answer.stderr.contains("no terminal"), "{answer}");
    play.run(&["rollback", &id, "--approve", &digest]).ended_with(3);
    // Its own digest is in its own plan, which is shown to whoever is to review it.
    let own = answer.stdout.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap().to_owned();
    assert!(answer.stderr.contains(&format!("--approve {own}")), "{answer}");
    let shown = play.run(&["rollback", &id, "--format", "json"]).ended_with(3);
    assert!(shown.reason() == "unapproved" && shown.stderr.contains(&own), "{shown}");
    play.run(&["rollback", &id, "--approve", &own, "--settle", "2"]).ended_with(0);
}

/// Runs a command with a terminal, and answers its question.
fn on_a_terminal(play: &Play, line: &str, reply: &str) -> Answer {
    use std::io::Write as _;

    let own = play.command(&[]);
    let program = own.get_program().to_owned();
    let command = format!("{} {line}", program.to_string_lossy());
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(own.get_current_dir().unwrap());
    script.env_clear().envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{reply}\n").as_bytes()).unwrap();
    answer(child.wait_with_output().unwrap())
}

#[test]
fn on_a_terminal_only_yes_is_yes() {
    if !Path::new("/usr/bin/script").exists() {
        println!("skipped: there is no `script` here");
        return;
    }
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let before = essence(&play.cloud);
    let line = format!("apply {PLAN} --no-recheck --settle 2");
    for reply in ["no", "y", ""] {
        let answer = on_a_terminal(&play, &line, reply).ended_with(3);
        assert!(answer.stdout.contains("Only 'yes' will be accepted"), "{answer}");
        assert_eq!(essence(&play.cloud), before);
    }
    let digest = play.plan()["digest"].as_str().unwrap().to_owned();
    let answer = on_a_terminal(&play, &line, "yes").ended_with(0);
    assert!(answer.stdout.contains(&digest), "{answer}");
    assert_ne!(essence(&play.cloud), before);
    assert_eq!(play.records(&play.journals()[0])[0]["approved_by"], "prompt");
}

pub fn hold(play: &Play, after: bool) {
    play.cloud.control("faults", json!({ "operation": "writes", "effect": "hold", "after": after }));
}

pub const APPLY: [&str; 6] = ["apply", PLAN, "--auto-approve", "--no-recheck", "--settle", "2"];

#[test]
fn of_two_applies_at_once_the_second_is_refused() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    hold(&play, false);
    let first = play.start(&APPLY);
    play.wait_until_held();
    let second = play.apply(&[]).ended_with(3);
    assert!(second.stderr.contains("somebody else is applying"), "{second}");
    play.cloud.running.control("POST", "release", &json!({})).unwrap();
    answer(first.wait_with_output().unwrap()).ended_with(0);
    assert_eq!(play.journals().len(), 1);
}

#[test]
fn a_file_that_may_not_grow_stops_it_before_the_next_write() {
    let stage = Stage::new();
    let play = stage.play(&EVERYTHING);
    let before = essence(&play.cloud);
    play.apply(&[]).ended_with(0);
    let whole = fs::read(play.path(&format!(".secateur/journal/{}.jsonl", play.journals()[0]))).unwrap();
    let begin = whole.iter().position(|byte| *byte == b'\n').unwrap();
    drop(play);
    // In blocks of 512 bytes: some records after the first.
    for bytes in [begin / 2, begin + 2_000, begin + 5_000] {
        let play = stage.play(&EVERYTHING);
        let own = play.command(&APPLY);
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 512)]);
        limited.arg(own.get_program()).args(own.get_args()).current_dir(own.get_current_dir().unwrap());
        limited.env_clear().envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let answer = answer(limited.output().unwrap());
        if bytes < begin {
            // The snapshot of now, or the first record.
            assert_eq!(answer.code, 1, "{answer}");
            assert_eq!(essence(&play.cloud), before);
            continue;
        }
        assert_eq!(answer.code, 4, "{answer}");
        assert!(answer.stderr.contains("make room on the disk"), "{answer}");
        play.rollback(&[]).ended_with(0);
        assert_eq!(essence(&play.cloud), before);
    }
}

#[test]
fn a_journal_that_cannot_be_read_or_was_edited_blocks() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    fs::create_dir_all(play.path(".secateur/journal/20260101T000000Z-apply-000000000000.jsonl")).unwrap();
    forget_calls(&play);
    let answer = play.run(&["apply", PLAN, "--auto-approve", "--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "journal-unreadable");
    assert!(is_untouched(&play));
    fs::remove_dir(play.path(".secateur/journal/20260101T000000Z-apply-000000000000.jsonl")).unwrap();

    play.apply(&[]).ended_with(0);
    let id = play.journals().remove(0);
    let path = play.path(&format!(".secateur/journal/{id}.jsonl"));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("DeleteFunction", "DeleteFunctioN", 1)).unwrap();
    forget_calls(&play);
    for arguments in [&["apply", PLAN, "--auto-approve"][..], &["rollback", &id, "--auto-approve"]] {
        let answer = play.run(arguments).ended_with(3);
        assert!(answer.stderr.contains("the journal was edited"), "{answer}");
    }
    assert!(is_untouched(&play));
    fs::write(&path, text).unwrap();
    play.rollback(&[]).ended_with(0);
}

#[test]
fn one_edited_journal_hides_no_other() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    play.apply(&[]).ended_with(0);
    play.rollback(&[]).ended_with(0);
    let [edited, whole] = <[String; 2]>::try_from(play.journals()).unwrap();
    let path = play.path(&format!(".secateur/journal/{edited}.jsonl"));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("DeleteFunction", "DeleteFunctioN", 1)).unwrap();
    let fault = json!({ "operation": "writes", "skip": 1, "effect": "error", "code": "AccessDenied", "status": 403 });
    play.cloud.control("faults", fault);
    for arguments in [&["history"][..], &["status"]] {
        let answer = play.run(arguments).ended_with(3);
        assert!(answer.stderr.contains("the journal was edited"), "{answer}");
        assert!(
            answer.stdout.contains(&edited) && answer.stdout.contains("whether it is open is not known"),
            "{answer}"
        );
    }
    assert!(play.run(&["history"]).stdout.contains(&whole));
    let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).ended_with(3).stdout).unwrap();
    assert_eq!((&rows[0]["state"], &rows[1]["state"]), (&json!("edited-journal"), &json!("done")), "{rows}");
    let status: Value = serde_json::from_str(&play.run(&["status", "--format", "json"]).ended_with(3).stdout).unwrap();
    assert_eq!(status["unusable_journals"][0]["id"], json!(edited), "{status}");
    fs::write(&path, text).unwrap();
    play.run(&["history"]).ended_with(0);
}

#[test]
fn a_rollback_gives_nothing_to_somebody_whom_nobody_saw() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let start = essence(&play.cloud);
    play.apply(&[]).ended_with(0);
    let shared = format!("arn:aws:iam::{}:policy/shared", super::town::ACCOUNT);
    play.cloud.iam("AttachRolePolicy", &[("RoleName", "queues"), ("PolicyArn", &shared)]);
    let before = essence(&play.cloud);
    let answer = play.rollback(&["--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "unapproved", "{answer}");
    assert!(answer.stderr.contains("role/queues has got it since"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
    let shown = play.rollback(&[]).ended_with(3);
    assert!(shown.stdout.contains("These get what they did not have before:"), "{shown}");
    let digest = shown.stdout.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap().to_owned();
    let id = play.journals().remove(0);
    // Somebody more comes before it is approved: the digest is another.
    play.cloud.iam("AttachRolePolicy", &[("RoleName", "full"), ("PolicyArn", &shared)]);
    play.run(&["rollback", &id, "--approve", &digest, "--settle", "2"]).ended_with(3);
    play.cloud.iam("DetachRolePolicy", &[("RoleName", "full"), ("PolicyArn", &shared)]);
    play.run(&["rollback", &id, "--approve", &digest, "--settle", "2"]).ended_with(0);
    play.cloud.iam("DetachRolePolicy", &[("RoleName", "queues"), ("PolicyArn", &shared)]);
    assert_eq!(essence(&play.cloud), start);
}

#[test]
fn an_abandoned_journal_blocks_no_more() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let id = play.stop_after_one_write();
    play.run(&["history", "--abandon", &id]).ended_with(64);
    let answer = play.run(&["status"]).ended_with(0);
    assert!(answer.stdout.contains(&id), "{answer}");
    play.run(&["history", "--abandon", &id, "--reason", "mended by hand"]).ended_with(0);
    assert_eq!(play.ends(), ["abandoned"]);
    // What was applied is drift now.
    play.apply(&[]).ended_with(3);
    play.rollback(&[]).ended_with(0);
}

#[test]
fn groups_are_taken_whole_and_the_summary_is_for_programs_too() {
    let stage = Stage::new();
    let replace = KINDS.iter().find(|kind| kind.name == "replace").unwrap();
    let play = stage.play(replace);
    let all = play.plan()["changes"].as_array().unwrap().len();
    assert!(all >= 3, "{}", play.plan()["changes"]);
    let answer = play.apply(&["--target", "policy/*", "--format", "json"]).ended_with(0);
    let summary: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(summary["outcome"], "complete");
    assert_eq!(summary["changes"].as_array().unwrap().len(), all, "{summary}");
    play.rollback(&["--expect-head", &"0".repeat(64)]).ended_with(3);
    let head = summary["head"].as_str().unwrap().to_owned();
    play.rollback(&["--expect-head", &head]).ended_with(0);
}

#[test]
fn what_was_taken_back_in_part_is_not_gone_on_with() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let start = essence(&play.cloud);
    let fault = json!({ "operation": "writes", "skip": 2, "effect": "error", "code": "AccessDenied", "status": 403 });
    play.cloud.control("faults", fault);
    let answer = play.apply(&["--format", "json", "--parallelism", "1"]).ended_with(4);
    let closing: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(closing["commands"][0], "secateur apply --resume", "{answer}");
    let typo = play.rollback(&["--target", "role/typo/*"]).ended_with(64);
    assert!(typo.stderr.contains("--target names nothing"), "{typo}");
    play.rollback(&["--target", "policy/shared"]).ended_with(0);
    let answer = play.run(&["apply", "--resume", "--auto-approve", "--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "taken-back", "{answer}");
    let id = play.journals().remove(0);
    let copy = play.path("copy.jsonl");
    fs::copy(play.path(&format!(".secateur/journal/{id}.jsonl")), &copy).unwrap();
    let elsewhere = play.run(&["rollback", "copy.jsonl", "--auto-approve", "--format", "json"]).ended_with(3);
    assert_eq!(elsewhere.reason(), "other-folder", "{elsewhere}");
    play.rollback(&[]).ended_with(0);
    assert_eq!(essence(&play.cloud), start);
    let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).stdout).unwrap();
    let states: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["nothing-done", "done"]);
    let times: std::collections::BTreeSet<String> =
        play.journals().iter().map(|id| id.chars().take(16).collect()).collect();
    assert_eq!(times.len(), 2, "each has a second of its own: their names are in the order in which they began");
}

#[test]
fn an_open_journal_whose_plan_was_replaced_names_the_ways_out() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let id = play.stop_after_one_write();
    let honest = fs::read(play.path(PLAN)).unwrap();
    play.run(&["plan", "-q", "--out", PLAN, "--target", "policy/shared"]).ended_with(0);
    let answer = play.run(&["apply", "--resume", "--auto-approve", "--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "other-plan", "{answer}");
    assert!(answer.stderr.contains(&format!("secateur rollback {id}")), "{answer}");
    fs::write(play.path(PLAN), honest).unwrap();
    let answer = play.run(&["collect", "-q", "--rate", "max"]);
    assert!(answer.stderr.contains(&format!("The journal {id} is open")), "{answer}");
    let answer = play.resume().ended_with(3);
    assert!(answer.stderr.contains("secateur history --abandon"), "{answer}");
}

#[test]
fn a_plan_of_a_time_that_has_not_come_is_refused() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let output = Command::new("date").args(["-u", "-d", "+1 day", "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap();
    let tomorrow = String::from_utf8(output.stdout).unwrap();
    play.run(&["plan", "-q", "--out", PLAN, "--target", "role/put/*", "--now", tomorrow.trim()]).ended_with(0);
    let answer = play.apply(&["--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "stale", "{answer}");
}
