//! Rollback after apply, over plans by chance: documents in force, attachments and the states of keys are as at the start.

use secateur_tests::Random;
use serde_json::json;

use super::stage::{PLAN, Stage};
use super::town::essence;

const ROUNDS: u64 = 8;

#[test]
fn whatever_was_applied_comes_back() {
    let stage = Stage::new();
    let mut random = Random::new(7);
    for round in 0..ROUNDS {
        let mut config = String::from("[rewrite]\n");
        config += random.pick(&["", "aws_managed = \"replace\"\n"]).unwrap();
        config += random.pick(&["", "split = true\nwildcards = \"never\"\n", "wildcards = \"exact\"\n"]).unwrap();
        config += "[apply]\nevict_oldest_version = true\n";
        let play = stage.open(&config);
        play.run(&["plan", "-q", "--out", PLAN]).ended_with(0);
        let plan = play.plan();
        let addresses: Vec<&str> =
            plan["changes"].as_array().unwrap().iter().map(|change| change["address"].as_str().unwrap()).collect();
        let some: Vec<&str> = addresses.iter().copied().filter(|_| random.percent(60)).collect();
        let mut more: Vec<&str> = some.iter().flat_map(|address| ["--target", address]).collect();
        if let (Some(left), true) = (random.pick(&addresses), random.percent(30))
            && some.iter().any(|own| own != left)
        {
            more.extend(["--exclude", left]);
        }
        let before = essence(&play.cloud);
        let effects = ["throttle", "answer-lost", "reset", "none"];
        let effect = *random.pick(&effects).unwrap();
        if effect != "none" {
            let skip = random.below(8);
            play.cloud.control("faults", json!({ "operation": "writes", "skip": skip, "effect": effect }));
        }
        let applied = play.apply(&more);
        // An exclusion may leave nothing of the groups that were chosen.
        if applied.code == 64 {
            continue;
        }
        assert_eq!(applied.code, 0, "round {round}, {config}, {more:?}: {applied}");
        assert_ne!(essence(&play.cloud), before, "round {round}");
        let partly = random.percent(40);
        if let (true, Some(first)) = (partly, some.first()) {
            // In two halves.
            let answer = play.rollback(&["--target", first]);
            assert!(matches!(answer.code, 0), "round {round}: {answer}");
        }
        play.rollback(&[]).ended_with(0);
        assert_eq!(essence(&play.cloud), before, "round {round}, {config}, {more:?}");
        println!("round {round}: {} changes, {effect}", addresses.len());
    }
}
