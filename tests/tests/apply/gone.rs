//! Who was deleted since, and had what a journal is about: nothing is given to them or taken from them, and nobody waits for them.

use serde_json::{Value, json};

use super::again::stopped_after;
use super::chains::{denied, last};
use super::since::again;
use super::stage::{Play, Stage};
use super::town::{ACCOUNT, Kind, essence};
use crate::emulator::cloud::{Cloud, TRUST, allow};

const ALSO: &str = "role/also";

/// A second holder of what is replaced, and of what is split.
fn also(cloud: &Cloud, now: &str) {
    cloud.iam("CreateRole", &[("RoleName", "also"), ("AssumeRolePolicyDocument", TRUST)]);
    let document = allow(&["lambda:ListFunctions"]);
    cloud.iam("PutRolePolicy", &[("RoleName", "also"), ("PolicyName", "p"), ("PolicyDocument", &document)]);
    for policy in ["arn:aws:iam::aws:policy/Mixed".to_owned(), format!("arn:aws:iam::{ACCOUNT}:policy/large")] {
        cloud.iam("AttachRolePolicy", &[("RoleName", "also"), ("PolicyArn", &policy)]);
    }
    let time = format!("{}T00:00:00Z", now.get(..10).unwrap());
    cloud.used(&format!("arn:aws:iam::{ACCOUNT}:{ALSO}"), "lambda:ListFunctions", &time, "eu-west-1");
}

const REPLACE: Kind = Kind {
    name: "replace-two",
    config: "[rewrite]\naws_managed = \"replace\"\n",
    target: &["role/mixed/attached/*", "role/also/attached/*"],
};

const SPLIT: Kind =
    Kind { name: "split-two", config: "[rewrite]\nsplit = true\nwildcards = \"never\"\n", target: &["policy/large"] };

fn delete(play: &Play) {
    play.cloud.control("delete", json!({ "arn": format!("arn:aws:iam::{ACCOUNT}:{ALSO}") }));
}

/// What there is but for who is gone.
fn rest(play: &Play) -> Vec<(String, String)> {
    essence(&play.cloud).into_iter().filter(|(key, _)| !key.starts_with("RoleName also")).collect()
}

/// What there is before, and after, for those who stay.
fn ends(stage: &Stage, kind: &Kind) -> [Vec<(String, String)>; 2] {
    let play = stage.play(kind);
    let start = rest(&play);
    play.apply(&[]).ended_with(0);
    [start, rest(&play)]
}

#[test]
fn a_rollback_and_its_rollback_keep_what_is_of_who_is_gone_and_do_the_rest() {
    let stage = Stage::with(Box::new(also));
    for kind in [REPLACE, SPLIT] {
        let [start, end] = ends(&stage, &kind);
        let play = stage.play(&kind);
        play.apply(&[]).ended_with(0);
        delete(&play);
        let answer = play.rollback(&[]).ended_with(0);
        assert!(answer.stdout.contains("role/also is gone: nothing is taken from it"), "{}: {answer}", kind.name);
        let gives = answer.stdout.contains("role/also is gone: nothing is given back to it");
        assert_eq!(gives, kind.name == REPLACE.name, "{}: {answer}", kind.name);
        assert_eq!(rest(&play), start, "{}", kind.name);
        let answer = again(&play, &last(&play), &[]).ended_with(0);
        assert!(!answer.stderr.contains("Withheld"), "{}: {answer}", kind.name);
        assert_eq!(rest(&play), end, "{}", kind.name);
        drop(play);

        // Who goes between the rollback and the rollback of it.
        let play = stage.play(&kind);
        play.apply(&[]).ended_with(0);
        play.rollback(&[]).ended_with(0);
        delete(&play);
        let answer = again(&play, &last(&play), &[]).ended_with(0);
        assert!(answer.stdout.contains("role/also is gone: nothing is given back to it"), "{}: {answer}", kind.name);
        assert!(!answer.stderr.contains("Withheld"), "{}: {answer}", kind.name);
        assert_eq!(rest(&play), end, "{}", kind.name);
    }
}

#[test]
fn what_is_of_who_is_gone_is_passed_over_by_a_resume_and_told() {
    let stage = Stage::with(Box::new(also));
    for kind in [REPLACE, SPLIT] {
        let [start, end] = ends(&stage, &kind);
        for more in [&[][..], &["--no-recheck"]] {
            let resume = [&["apply", "--resume", "--auto-approve", "--settle", "2"], more].concat();
            let play = stopped_after(&stage, &kind, 1);
            delete(&play);
            let answer = play.run(&resume).ended_with(0);
            for words in ["  gone      attach ", "role/also is gone: nothing is given to it, or taken from it."] {
                assert!(answer.stdout.contains(words), "{}: {words}: {answer}", kind.name);
            }
            assert!(answer.stderr.contains("passed over, who it is of is gone: attach "), "{}: {answer}", kind.name);
            assert_eq!(rest(&play), end, "{}", kind.name);
            let skipped = play.records(&last(&play)).into_iter().find(|own| own["record"] == "skipped").unwrap();
            assert_eq!((&skipped["withheld"], &skipped["detail"]), (&json!(true), &json!("role/also is gone")));
            play.rollback(&[]).ended_with(0);
            assert_eq!(rest(&play), start, "{}", kind.name);
            drop(play);

            let play = stage.play(&kind);
            play.apply(&[]).ended_with(0);
            denied(&play, 1, || play.rollback(&["--parallelism", "1"])).ended_with(4);
            delete(&play);
            play.run(&resume).ended_with(0);
            assert_eq!(rest(&play), start, "{}", kind.name);
            let back = last(&play);
            denied(&play, 1, || again(&play, &back, &["--parallelism", "1"])).ended_with(4);
            play.run(&resume).ended_with(0);
            assert_eq!(rest(&play), end, "{}", kind.name);
        }
    }
}

#[test]
fn an_inline_policy_or_a_key_in_doubt_of_who_is_gone_keeps_neither_way() {
    let stage = Stage::new();
    for (target, who) in [("user/writer/inline/*", "user/writer"), ("user/keyed/key/*", "user/keyed")] {
        let name = if who == "user/keyed" { "put-and-key" } else { "put-and-inline" };
        let targets: &'static [&'static str] = Box::leak(Box::new(["role/put/inline/*", target]));
        let kind = Kind { name, config: "", target: targets };
        let role = |play: &Play| essence(&play.cloud).into_iter().filter(|(key, _)| key.contains("put")).collect();
        let start: Vec<(String, String)> = role(&stage.play(&kind));
        for goes_on in [true, false] {
            let play = stopped_after(&stage, &kind, 1);
            play.cloud.control("delete", json!({ "arn": format!("arn:aws:iam::{ACCOUNT}:{who}") }));
            let done: Vec<(String, String)> = role(&play);
            // What is named works, whichever it is.
            let status = play.run(&["status"]).ended_with(0);
            assert!(status.stdout.contains("apply --resume") && status.stdout.contains("rollback"), "{status}");
            if goes_on {
                let answer = play.resume().ended_with(0);
                let said = format!("{who} is gone: nothing is given to it, or taken from it.");
                assert!(answer.stdout.contains(&said) && answer.stdout.contains("  gone      "), "{answer}");
                assert_eq!(role(&play), done);
            } else {
                let answer = play.rollback(&[]).ended_with(0);
                assert!(answer.stdout.contains(&format!("{who} is gone: nothing is given back to it")), "{answer}");
                assert_eq!(role(&play), start);
            }
            assert!(!play.run(&["status"]).ended_with(0).stdout.contains("open journal"));
        }
    }
}

#[test]
fn whoever_was_made_again_is_not_gone_and_a_fresh_apply_wants_a_new_plan() {
    let stage = Stage::with(Box::new(also));
    let play = stage.play(&REPLACE);
    delete(&play);
    let answer = play.apply(&["--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "drifted", "{answer}");
    drop(play);
    let play = stage.play(&REPLACE);
    play.apply(&[]).ended_with(0);
    delete(&play);
    play.cloud.iam("CreateRole", &[("RoleName", "also"), ("AssumeRolePolicyDocument", TRUST)]);
    let before = essence(&play.cloud);
    let answer = play.rollback(&[]).ended_with(3);
    assert!(answer.stderr.contains("role/also was deleted and made again"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn what_a_rollback_left_of_who_is_gone_keeps_no_apply_from_being_ended() {
    const THREE: Kind =
        Kind { name: "three", config: "", target: &["role/put/inline/*", "user/writer/inline/*", "user/keyed/key/*"] };
    let stage = Stage::new();
    for is_open in [true, false] {
        let play = match is_open {
            true => stopped_after(&stage, &THREE, 2),
            false => stage.play(&THREE),
        };
        if !is_open {
            play.apply(&[]).ended_with(0);
        }
        let applied = last(&play);
        let skip = if is_open { 1 } else { 2 };
        denied(&play, skip, || play.rollback(&["--parallelism", "1"])).ended_with(4);
        // What is left of it is of one who goes.
        play.cloud.control("delete", json!({ "arn": format!("arn:aws:iam::{ACCOUNT}:role/put") }));
        let answer = play.resume().ended_with(0);
        assert!(answer.stdout.contains("role/put is gone"), "{answer}");
        let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).stdout).unwrap();
        let row = rows.as_array().unwrap().iter().find(|row| row["id"] == *applied).unwrap();
        assert_eq!(row["state"], if is_open { "open" } else { "done" }, "{row}");
        assert_eq!(row["taken_back"], skip, "{row}");
        let status = play.run(&["status"]).ended_with(0).stdout;
        let named = format!("part of it was taken back: `secateur rollback {applied}` takes the rest back");
        assert_eq!(status.contains(&named), is_open, "{status}");
        // What is named works, and nothing is open then.
        let answer = play.run(&["rollback", &applied, "--auto-approve", "--settle", "2"]).ended_with(0);
        assert!(answer.stdout.contains("role/put is gone: nothing is given back to it"), "{answer}");
        assert!(!play.run(&["status"]).ended_with(0).stdout.contains("open journal"));
    }
}
