//! Rollbacks of rollbacks that did not end: which is on top, and what each knows of those below it.

use std::fs;

use serde_json::{Value, json};

use super::again::stopped_after;
use super::stage::{Play, Stage, answer};
use super::tampered::write_anew;
use super::town::{Kind, essence};

const BOTH: Kind = Kind { name: "both", config: "", target: &["role/put/inline/*", "user/writer/inline/*"] };

/// Gives a journal another id, as a clock that was ahead would have.
fn renamed(play: &Play, id: &str, to: &str) {
    let file = |id: &str| play.path(&format!(".secateur/journal/{id}.jsonl"));
    write_anew(play, id, |entry| {
        if entry["record"]["record"] == "begin" {
            entry["record"]["id"] = to.into();
        }
    });
    fs::rename(file(id), file(to)).unwrap();
}

/// Starts a rollback of a journal, and kills it when its first write is done.
fn killed_rollback(play: &Play, id: &str) -> String {
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
