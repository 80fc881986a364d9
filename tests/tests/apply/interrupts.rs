//! Ctrl-C and SIGTERM: before the first write, with calls in flight, and twice.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::safety::{APPLY, SEVERAL, hold};
use super::stage::{PLAN, Play, Stage, answer};
use super::town::essence;

fn signal(pid: u32) {
    assert!(Command::new("kill").args(["-INT", &pid.to_string()]).status().unwrap().success());
}

#[test]
fn one_interrupt_ends_it_after_the_call_in_flight() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let before = essence(&play.cloud);
    hold(&play, true);
    let child = play.start(&[&APPLY[..], &["--parallelism", "1"]].concat());
    play.wait_until_held();
    signal(child.id());
    std::thread::sleep(std::time::Duration::from_millis(300));
    play.cloud.running.control("POST", "release", &json!({})).unwrap();
    let answer = answer(child.wait_with_output().unwrap()).ended_with(4);
    for word in ["Interrupt received", "interrupted", "apply --resume", "secateur rollback", "1 in part"] {
        assert!(answer.stderr.contains(word) || answer.stdout.contains(word), "{word}: {answer}");
    }
    play.resume().ended_with(0);
    play.rollback(&[]).ended_with(0);
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn two_interrupts_end_it_at_once_and_the_call_in_flight_is_read_later() {
    let stage = Stage::new();
    for after in [false, true] {
        let play = stage.play(&SEVERAL);
        let before = essence(&play.cloud);
        hold(&play, after);
        let child = play.start(&APPLY);
        play.wait_until_held();
        signal(child.id());
        std::thread::sleep(std::time::Duration::from_millis(200));
        signal(child.id());
        let answer = answer(child.wait_with_output().unwrap()).ended_with(4);
        assert!(answer.stderr.contains("Two interrupts"), "{answer}");
        play.cloud.running.control("POST", "release", &json!({})).unwrap();
        play.resume().ended_with(0);
        play.rollback(&[]).ended_with(0);
        assert_eq!(essence(&play.cloud), before);
    }
}

#[test]
fn an_interrupt_before_the_first_write_leaves_nothing_behind() {
    let stage = Stage::new();
    for kind in ["INT", "TERM"] {
        let play = stage.play(&SEVERAL);
        let before = essence(&play.cloud);
        play.cloud.control("faults", json!({ "operation": "GetAccountAuthorizationDetails", "effect": "hold" }));
        let child = play.start(&APPLY);
        play.wait_until_held();
        let fresh = || {
            let names = fs::read_dir(play.path(".secateur")).unwrap().map(|entry| entry.unwrap().file_name());
            names.filter(|name| name.to_string_lossy().starts_with("fresh")).count()
        };
        assert_eq!(fresh(), 1, "the account is being read");
        let kill = Command::new("kill").args([&format!("-{kind}"), &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        let answer = answer(child.wait_with_output().unwrap()).ended_with(1);
        assert!(answer.stderr.contains("nothing was changed"), "{answer}");
        assert_eq!((fresh(), play.journals().len()), (0, 0), "{kind}");
        play.cloud.running.control("POST", "release", &json!({})).unwrap();
        assert_eq!(essence(&play.cloud), before);
        play.apply(&[]).ended_with(0);
    }
}

#[test]
fn an_interrupt_lets_all_calls_in_flight_end() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let before = essence(&play.cloud);
    play.cloud.control("faults", json!({ "operation": "writes", "effect": "hold", "after": true, "count": 3 }));
    let child = play.start(&APPLY);
    for _ in 0..600 {
        let held = play.cloud.running.control("GET", "held", &Value::Null).unwrap();
        if held.as_array().map_or_else(|| held["held"].as_array().map_or(0, Vec::len), Vec::len) == 3 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let intents = |play: &Play| {
        let records = play.records(&play.journals()[0]);
        records.iter().filter(|record| record["record"] == "intent").count()
    };
    assert_eq!(intents(&play), 3, "three entities, three calls in flight");
    signal(child.id());
    std::thread::sleep(std::time::Duration::from_millis(300));
    play.cloud.running.control("POST", "release", &json!({})).unwrap();
    let answer = answer(child.wait_with_output().unwrap()).ended_with(4);
    assert!(answer.stderr.contains("finishing the calls in flight"), "{answer}");
    assert_eq!(intents(&play), 3, "nothing more was begun");
    let done = play.records(&play.journals()[0]).iter().filter(|record| record["record"] == "done").count();
    assert_eq!(done, 3, "and all of them are written down");
    play.resume().ended_with(0);
    play.rollback(&[]).ended_with(0);
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn an_interrupt_before_the_first_write_of_a_resume_or_a_rollback_says_what_stands() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let id = play.stop_after_one_write();
    let before = essence(&play.cloud);
    let interrupted = |arguments: &[&str], operation: &str| {
        play.cloud.control("faults", json!({ "operation": operation, "effect": "hold" }));
        let child = play.start(arguments);
        play.wait_until_held();
        signal(child.id());
        let answer = answer(child.wait_with_output().unwrap());
        play.cloud.running.control("POST", "release", &json!({})).unwrap();
        play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
        answer
    };
    let resume = ["apply", "--resume", "--auto-approve", "--settle", "2"];
    let rollback = ["rollback", &id, "--auto-approve", "--settle", "2"];
    for (arguments, operation) in [(&resume[..], "GetAccountAuthorizationDetails"), (&rollback, "GetRolePolicy")] {
        let answer = interrupted(arguments, operation).ended_with(4);
        let open = format!("nothing more was changed. The journal {id} is still open");
        for words in [&open, "writes of that apply are done", "`secateur apply --resume` goes on"] {
            assert!(answer.stderr.contains(words), "{words}: {answer}");
        }
        assert!(!answer.stderr.contains("nothing was changed"), "{answer}");
        assert_eq!(essence(&play.cloud), before);
    }
    play.resume().ended_with(0);
    let before = essence(&play.cloud);
    let answer = interrupted(&rollback, "GetRolePolicy").ended_with(1);
    assert!(answer.stderr.contains(&format!("The journal {id} is what it was")), "{answer}");
    assert_eq!(essence(&play.cloud), before);
    play.rollback(&[]).ended_with(0);
}

#[test]
fn an_interrupt_before_aws_has_said_who_asks_says_that_nothing_was_changed() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let before = essence(&play.cloud);
    let interrupted = |arguments: &[&str], operation: &str, kind: &str| {
        play.cloud.control("faults", json!({ "operation": operation, "effect": "hold" }));
        let child = play.start(arguments);
        play.wait_until_held();
        let kill = Command::new("kill").args([&format!("-{kind}"), &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        let answer = answer(child.wait_with_output().unwrap());
        play.cloud.running.control("POST", "release", &json!({})).unwrap();
        play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
        answer
    };
    let verify = ["verify", PLAN, "--live"];
    for (arguments, kind) in [(&APPLY[..], "INT"), (&APPLY, "TERM"), (&verify, "INT")] {
        let answer = interrupted(arguments, "GetCallerIdentity", kind).ended_with(1);
        assert!(answer.stderr.contains("Interrupt received: nothing was changed."), "{answer}");
        assert_eq!(play.journals().len(), 0);
    }
    let id = play.stop_after_one_write();
    let stopped = essence(&play.cloud);
    let resume = ["apply", "--resume", "--auto-approve", "--settle", "2"];
    let rollback = ["rollback", &id, "--auto-approve", "--settle", "2"];
    for arguments in [&resume[..], &rollback] {
        // Then, by `GetRole`, where AWS is asked which endpoint it is.
        for operation in ["GetCallerIdentity", "GetRole"] {
            let answer = interrupted(arguments, operation, "INT").ended_with(4);
            let open = format!("nothing more was changed. The journal {id} is still open");
            assert!(answer.stderr.contains(&open), "{operation}: {answer}");
            assert_eq!((essence(&play.cloud), play.journals().len()), (stopped.clone(), 1));
        }
    }
    play.rollback(&[]).ended_with(0);
    assert_eq!(essence(&play.cloud), before);
}
