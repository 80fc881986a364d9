//! The ways on that a command names: they are there, they work, and in which order.

use std::fs;

use serde_json::{Value, json};

use super::again::stopped_after;
use super::chains::{BOTH, COPIED, denied, killed_rollback, last, mixed_team, renamed, shown_digest};
use super::since::{again, put_ahead};
use super::stage::{PLAN, Play, Stage, answer};
use super::town::{ACCOUNT, Kind, essence, used_now};

/// The open journals, as `status` lists them: id and ways out.
fn open(play: &Play) -> Vec<(String, String)> {
    let status: Value = serde_json::from_str(&play.run(&["status", "--format", "json"]).stdout).unwrap();
    let text = |journal: &Value, name: &str| journal[name].as_str().unwrap().to_owned();
    let journals = status["open_journals"].as_array().unwrap();
    journals.iter().map(|journal| (text(journal, "id"), text(journal, "ways_out"))).collect()
}

fn reason_of(play: &Play, arguments: &[&str]) -> String {
    play.run(&[arguments, &["--format", "json"]].concat()).ended_with(3).reason()
}

#[test]
fn of_two_open_journals_each_names_what_can_be_done_now_and_which_comes_first() {
    let stage = Stage::new();
    let play = stopped_after(&stage, &BOTH, 1);
    let applied = last(&play);
    let back = killed_rollback(&play, &applied);
    let (top, below) = (open(&play).remove(0), open(&play).remove(1));
    assert_eq!((&top.0, &below.0), (&back, &applied), "what is to be ended first comes first");
    assert!(top.1.contains("`secateur apply --resume`") && top.1.contains(&format!("`secateur rollback {back}`")));
    assert!(below.1.starts_with(&format!("first {back}, which takes this one back; until then")), "{}", below.1);
    assert!(!below.1.contains("--resume") && !below.1.contains(&format!("rollback {applied}")), "{}", below.1);
    // What is not named is refused, and the refusal names what is first.
    let answer = play.rollback(&[]).ended_with(3);
    assert!(answer.stderr.contains(&format!("the journal `{back}` is open")), "{answer}");
    let answer = play.apply(&[]).ended_with(3);
    assert!(answer.stderr.contains(&format!("the journal `{back}` is open")), "{answer}");
    assert!(answer.stderr.contains(&format!("`secateur rollback {back}` goes back")), "{answer}");
    // What is named can be done.
    play.run(&["history", "--abandon", &applied, "--reason", "it stays"]).ended_with(0);
    assert_eq!(open(&play).len(), 1);
    play.resume().ended_with(0);
    assert_eq!(open(&play), []);
}

#[test]
fn of_open_journals_that_have_nothing_to_do_with_each_other_one_can_only_be_left() {
    let stage = Stage::new();
    let play = stopped_after(&stage, &BOTH, 1);
    let one = last(&play);
    let other = one.replacen("20", "29", 1);
    let file = |id: &str| play.path(&format!(".secateur/journal/{id}.jsonl"));
    let kept = fs::read(file(&one)).unwrap();
    renamed(&play, &one, &other);
    fs::write(file(&one), kept).unwrap();
    for (id, ways) in open(&play) {
        assert!(!ways.contains("--resume") && !ways.contains("secateur rollback"), "{ways}");
        assert!(ways.contains(&format!("`secateur history --abandon {id} --reason TEXT`")), "{ways}");
        assert_eq!(reason_of(&play, &["rollback", &id, "--auto-approve"]), "journal-open");
    }
    let answer = play.run(&["apply", "--resume", "--auto-approve"]).ended_with(3);
    assert!(!answer.stderr.contains("secateur rollback"), "{answer}");
    play.run(&["history", "--abandon", &other, "--reason", "a copy"]).ended_with(0);
    assert!(open(&play)[0].1.contains("--resume"));
    // Beside one that cannot be read nothing can be done either.
    fs::write(file(&other), "no journal\n").unwrap();
    let ways = open(&play).remove(0).1;
    assert!(ways.contains(&format!("first mend the journal {other}")) && !ways.contains("--resume"), "{ways}");
}

/// An apply of which a rollback is open, with one of two writes done; what that gave back was used since.
fn given_back_in_part_and_used(stage: &Stage) -> (Play, String) {
    let play = stage.play(&BOTH);
    play.apply(&[]).ended_with(0);
    denied(&play, 1, || play.rollback(&["--parallelism", "1"])).ended_with(4);
    used_now(&play.cloud, "role/put", "lambda:DeleteFunction");
    used_now(&play.cloud, "user/writer", "lambda:DeleteFunction");
    let back = last(&play);
    (play, back)
}

#[test]
fn a_withheld_rollback_of_an_open_journal_names_what_closes_it_before_a_new_plan() {
    let stage = Stage::new();
    let (play, back) = given_back_in_part_and_used(&stage);
    let answer = again(&play, &back, &[]).ended_with(3);
    assert!(answer.stderr.contains("nothing of what was given back may be removed any more"), "{answer}");
    let leave =
        format!("`secateur history --abandon {back} --reason TEXT`, then `secateur collect` and `secateur plan`");
    let unlooked_at = format!("`secateur rollback {back} --no-recheck`");
    for words in ["`secateur apply --resume` goes on", &leave, &unlooked_at] {
        assert!(answer.stderr.contains(words), "{words}: {answer}");
    }
    assert_eq!(reason_of(&play, &["apply", PLAN, "--auto-approve"]), "journal-open");
    play.run(&["history", "--abandon", &back, "--reason", "it is used"]).ended_with(0);
    play.run(&["collect", "-q", "--rate", "max"]).ended_with(0);
    play.run(&["plan", "-q", "--out", PLAN, "--target", "role/del/inline/q"]).ended_with(0);
    play.apply(&[]).ended_with(0);
    // Nothing is open: a plan is all that it takes.
    let answer = again(&play, &back, &[]).ended_with(3);
    assert!(!answer.stderr.contains("--abandon"), "{answer}");
    drop(play);

    let (play, _) = given_back_in_part_and_used(&stage);
    play.resume().ended_with(0);
    drop(play);
    let (play, back) = given_back_in_part_and_used(&stage);
    again(&play, &back, &["--no-recheck"]).ended_with(0);
}

#[test]
fn a_resume_that_cannot_look_what_was_used_names_what_closes_the_journal_before_a_new_plan() {
    let stage = Stage::new();
    let play = stage.play(&BOTH);
    play.apply(&[]).ended_with(0);
    play.rollback(&[]).ended_with(0);
    let back = last(&play);
    denied(&play, 1, || again(&play, &back, &["--parallelism", "1"])).ended_with(4);
    let open = last(&play);
    let plan = fs::read(play.path(PLAN)).unwrap();
    fs::remove_file(play.path(PLAN)).unwrap();
    let answer = play.resume().ended_with(3);
    let leave = format!("`secateur history --abandon {open} --reason TEXT`, then `secateur collect` and");
    for words in [&*leave, &format!("`secateur rollback {open}` goes back"), "`secateur apply --resume --no-recheck`"] {
        assert!(answer.stderr.contains(words), "{words}: {answer}");
    }
    fs::write(play.path(PLAN), plan).unwrap();
    play.resume().ended_with(0);
}

/// The rollback of a rollback, of which the first writes are made: what is left takes from a group.
fn taken_away_in_part(stage: &Stage) -> Play {
    let play = stage.play(&COPIED);
    play.apply(&[]).ended_with(0);
    play.rollback(&[]).ended_with(0);
    let back = last(&play);
    denied(&play, 2, || again(&play, &back, &["--parallelism", "1"])).ended_with(4);
    play
}

#[test]
fn what_finishes_it_all_the_same_is_named_where_it_does() {
    let stage = Stage::with(Box::new(mixed_team));
    let finishes = "`secateur apply --resume --no-recheck` finishes it all the same";
    let play = taken_away_in_part(&stage);
    used_now(&play.cloud, "user/member", "lambda:DeleteFunction");
    let answer = play.resume().ended_with(3);
    assert!(answer.stderr.contains("done in part") && answer.stderr.contains(finishes), "{answer}");
    play.run(&["apply", "--resume", "--no-recheck", "--auto-approve", "--settle", "2"]).ended_with(0);
    drop(play);

    let play = taken_away_in_part(&stage);
    play.cloud.iam("AddUserToGroup", &[("GroupName", "team"), ("UserName", "writer")]);
    let answer = play.resume().ended_with(3);
    assert!(answer.stderr.contains("done in part") && !answer.stderr.contains("--no-recheck"), "{answer}");
    assert!(answer.stderr.contains(&format!("`secateur rollback {}` goes back", last(&play))), "{answer}");
    let refused = play.run(&["apply", "--resume", "--no-recheck", "--auto-approve", "--settle", "2"]).ended_with(4);
    assert!(refused.stderr.contains("user/writer has joined group/team"), "{refused}");
}

#[test]
fn the_closing_line_names_what_undoes_that_which_was_done() {
    let stage = Stage::new();
    let play = stage.play(&BOTH);
    let applied = play.apply(&[]).ended_with(0);
    let taken_back = format!("To take it back: secateur rollback {}", last(&play));
    assert!(applied.stdout.contains(&taken_back), "{applied}");
    let back = play.rollback(&[]).ended_with(0);
    assert!(back.stdout.contains(&format!("To do it again:  secateur rollback {}", last(&play))), "{back}");
    // It takes away again, as the apply did; the one of that gives again.
    let done_again = again(&play, &last(&play), &[]).ended_with(0);
    let taken_back = format!("To take it back: secateur rollback {}", last(&play));
    assert!(done_again.stdout.contains(&taken_back) && !done_again.stdout.contains("do it again"), "{done_again}");
    let back = again(&play, &last(&play), &[]).ended_with(0);
    assert!(back.stdout.contains(&format!("To do it again:  secateur rollback {}", last(&play))), "{back}");
    // So does one that was gone on with.
    denied(&play, 1, || again(&play, &last(&play), &["--parallelism", "1"])).ended_with(4);
    let resumed = play.resume().ended_with(0);
    assert!(resumed.stdout.contains(&format!("To take it back: secateur rollback {}", last(&play))), "{resumed}");
}

const SHARED: Kind = Kind { name: "shared", config: "", target: &["policy/shared"] };

#[test]
fn a_rollback_that_gives_and_stops_for_who_came_since_names_the_way_to_one_that_shows_them() {
    let stage = Stage::with(Box::new(mixed_team));
    let shared = format!("arn:aws:iam::{ACCOUNT}:policy/shared");
    for (kind, is_done) in [(SHARED, false), (COPIED, true)] {
        let play = stage.play(&kind);
        let start = essence(&play.cloud);
        play.apply(&[]).ended_with(0);
        let applied = last(&play);
        let child = play.start(&["rollback", &applied, "--auto-approve", "--settle", "2", "--parallelism", "1"]);
        let fault = json!({ "operation": "writes", "effect": "kill", "pid": child.id(), "after": is_done });
        play.cloud.control("faults", fault);
        assert_eq!(answer(child.wait_with_output().unwrap()).code, -1);
        play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
        let back = last(&play);
        assert!(open(&play)[0].1.starts_with("`secateur apply --resume` goes on"), "nobody has come yet");
        play.cloud.iam("AttachRolePolicy", &[("RoleName", "queues"), ("PolicyArn", &shared)]);
        play.cloud.iam("AddUserToGroup", &[("GroupName", "team"), ("UserName", "writer")]);
        let answer = play.resume().ended_with(4);
        assert!(answer.stderr.contains("since the plan"), "{answer}");
        let way =
            format!("`secateur history --abandon {back} --reason TEXT`, then `secateur rollback {applied}` looks");
        assert!(answer.stderr.contains(&way), "{}: {answer}", kind.name);
        assert!(open(&play)[0].1.starts_with(&way), "status says the same: {:?}", open(&play));
        let json = play.run(&["apply", "--resume", "--auto-approve", "--settle", "2", "--format", "json"]);
        let json: Value = serde_json::from_str(&json.ended_with(4).stdout).unwrap();
        assert_eq!(json["commands"][1], format!("secateur rollback {applied}"), "{json}");
        // It works.
        play.run(&["history", "--abandon", &back, "--reason", "somebody came"]).ended_with(0);
        let digest = shown_digest(&play, &applied, &[]);
        let answer = play.run(&["rollback", &applied, "--approve", &digest, "--settle", "2"]).ended_with(0);
        assert!(answer.stdout.contains("These get what they did not have before"), "{}: {answer}", kind.name);
        play.cloud.iam("DetachRolePolicy", &[("RoleName", "queues"), ("PolicyArn", &shared)]);
        play.cloud.iam("RemoveUserFromGroup", &[("GroupName", "team"), ("UserName", "writer")]);
        assert_eq!(essence(&play.cloud), start, "{}", kind.name);
    }
}

#[test]
fn journals_are_listed_in_the_order_in_which_they_began_whatever_the_clocks_said() {
    let stage = Stage::new();
    let play = stage.play(&BOTH);
    play.apply(&["--target", "role/put/*"]).ended_with(0);
    let right = play.run(&["history"]).ended_with(0);
    assert!(!right.stdout.contains("one clock was wrong"), "{right}");
    let first = last(&play);
    let ahead = first.replacen("20", "29", 1);
    put_ahead(&play);
    renamed(&play, &first, &ahead);
    play.apply(&["--target", "user/writer/*"]).ended_with(0);
    let second = play.journals().remove(0);
    play.run(&["rollback", &second, "--auto-approve", "--settle", "2"]).ended_with(0);
    let third = play.journals().remove(1);
    assert!(second < third && third < ahead);
    let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).stdout).unwrap();
    let ids: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&ahead, &second, &third]);
    let answer = play.run(&["history"]).ended_with(0);
    let told = format!("one clock was wrong: it began after {ahead}, which is of 2099-");
    assert!(answer.stdout.matches("one clock was wrong").count() == 1 && answer.stdout.contains(&told), "{answer}");
}

#[test]
fn what_is_named_where_a_journal_is_gone_says_no_more_than_is_known_and_works() {
    let stage = Stage::new();
    let play = stage.play(&BOTH);
    let start = essence(&play.cloud);
    play.apply(&[]).ended_with(0);
    let applied = last(&play);
    denied(&play, 1, || play.rollback(&["--parallelism", "1"])).ended_with(4);
    fs::remove_file(play.path(&format!(".secateur/journal/{applied}.jsonl"))).unwrap();
    let answer = again(&play, &last(&play), &[]).ended_with(3);
    let way = "`secateur apply --resume --no-recheck` shows what is left of it, and goes on";
    assert!(answer.stderr.contains(way) && !answer.stderr.contains("giving back"), "{answer}");
    let shown = play.run(&["apply", "--resume", "--no-recheck", "--settle", "2"]).ended_with(3);
    let digest = shown.stdout.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap().to_owned();
    play.run(&["apply", "--resume", "--no-recheck", "--approve", &digest, "--settle", "2"]).ended_with(0);
    assert_eq!(essence(&play.cloud), start);
}
