//! Rollback after apply, over accounts and plans by chance: documents in force, attachments and the states of keys are as at
//! the start, whatever failed on the way, and whether it was killed and gone on with.
//!
//! `SECATEUR_SEEDS=1000..1200 cargo test -p secateur-tests random -- --nocapture` tries other seeds, and more of them.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use secateur_tests::Random;
use serde_json::json;

use super::stage::{PLAN, Play, Stage, answer};
use super::town::{ACCOUNT, essence};
use crate::emulator::cloud::{Cloud, TRUST, allow};

/// The seeds that are tried each time.
const SEEDS: Range<u64> = 100..116;

/// What may be granted, and what may be used.
const ACTIONS: [&str; 11] = [
    "lambda:ListFunctions",
    "lambda:DeleteFunction",
    "lambda:AddPermission",
    "lambda:CreateFunction",
    "sqs:CreateQueue",
    "sqs:DeleteQueue",
    "sns:CreateTopic",
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "ec2:RunInstances",
    "ec2:StopInstances",
];

fn some(random: &mut Random, most: usize) -> String {
    if random.percent(15) {
        return allow(&["lambda:*"]);
    }
    let mut actions: Vec<&str> = (0..=random.below(most)).filter_map(|_| random.pick(&ACTIONS).copied()).collect();
    actions.sort_unstable();
    actions.dedup();
    allow(&actions)
}

/// Users, groups and roles with inline policies and attachments, and policies of one to five versions.
fn people(seed: u64, cloud: &Cloud, now: &str) {
    let mut random = Random::new(seed);
    let mut policies = Vec::new();
    for at in 0..4 {
        let arn = cloud.policy(&format!("own{at}"), &some(&mut random, 4));
        for _ in 0..*random.pick(&[0, 0, 2, 4]).unwrap() {
            let document = some(&mut random, 2);
            cloud.iam("CreatePolicyVersion", &[("PolicyArn", &arn), ("PolicyDocument", &document)]);
        }
        policies.push(arn);
    }
    for at in 0..3 {
        let arn = format!("arn:aws:iam::aws:policy/Given{at}");
        cloud.control("aws-policies", json!({ "arn": arn, "document": some(&mut random, 4) }));
        policies.push(arn);
    }
    let names: Vec<(&str, String)> = ["Role", "Role", "Role", "Group", "Group", "User", "User"]
        .iter()
        .enumerate()
        .map(|(at, kind)| (*kind, format!("by-chance-{at}")))
        .collect();
    for (kind, name) in &names {
        let (key, name) = (format!("{kind}Name"), name.as_str());
        match *kind {
            "Role" => cloud.iam("CreateRole", &[(&key, name), ("AssumeRolePolicyDocument", TRUST)]),
            _ => cloud.iam(&format!("Create{kind}"), &[(&key, name)]),
        };
        for at in 0..random.below(4) {
            let (policy, document) = (format!("in{at}"), some(&mut random, 4));
            let params = [(key.as_str(), name), ("PolicyName", &policy), ("PolicyDocument", &document)];
            cloud.iam(&format!("Put{kind}Policy"), &params);
        }
        for arn in policies.iter().filter(|_| random.percent(35)) {
            cloud.iam(&format!("Attach{kind}Policy"), &[(&key, name), ("PolicyArn", arn)]);
        }
        if *kind == "User" {
            for (_, group) in names.iter().filter(|(kind, _)| *kind == "Group") {
                if random.percent(50) {
                    cloud.iam("AddUserToGroup", &[("GroupName", group), ("UserName", name)]);
                }
            }
            if random.percent(50) {
                cloud.iam("CreateAccessKey", &[("UserName", name)]);
            }
        }
        if *kind != "Group" {
            let principal = format!("arn:aws:iam::{ACCOUNT}:{}/{name}", kind.to_lowercase());
            for _ in 0..random.below(4) {
                let action = random.pick(&ACTIONS).unwrap();
                cloud.used(&principal, action, &format!("{}T00:00:00Z", now.get(..10).unwrap()), "eu-west-1");
            }
        }
    }
}

/// Applies some of a plan, and takes it back; says what it did, or nothing where there was nothing to do.
fn round(seed: u64) -> Option<String> {
    let stage = Stage::with(Box::new(move |cloud, now| people(seed, cloud, now)));
    let mut random = Random::new(seed ^ 0x5eed);
    let mut config = String::from("[rewrite]\n");
    config += random.pick(&["", "aws_managed = \"replace\"\n"]).unwrap();
    config += random.pick(&["", "split = true\nwildcards = \"never\"\n", "wildcards = \"exact\"\n"]).unwrap();
    config += "[apply]\nevict_oldest_version = true\n";
    let play = stage.open(&config);
    play.run(&["plan", "-q", "--out", PLAN]).ended_with(0);
    let plan = play.plan();
    let addresses: Vec<&str> =
        plan["changes"].as_array().unwrap().iter().map(|change| change["address"].as_str().unwrap()).collect();
    let share = *random.pick(&[20, 60, 100]).unwrap();
    let some: Vec<&str> = addresses.iter().copied().filter(|_| random.percent(share)).collect();
    let mut more: Vec<&str> = some.iter().flat_map(|address| ["--target", address]).collect();
    if let (Some(left), true) = (random.pick(&addresses), random.percent(30))
        && some.iter().any(|own| own != left)
    {
        more.extend(["--exclude", left]);
    }
    let parallelism = random.pick(&["1", "4", "16"]).unwrap();
    more.extend(["--parallelism", parallelism]);
    let before = essence(&play.cloud);
    let effect = *random.pick(&["throttle", "answer-lost", "reset", "kill", "kill", "none"]).unwrap();
    let what = format!("{} of {} changes, {parallelism} at a time, {effect}", some.len(), addresses.len());
    let applied = apply(&play, &more, effect, &mut random);
    // An exclusion may leave nothing of the groups that were chosen.
    if applied == 64 {
        return None;
    }
    assert_eq!(applied, 0, "{what}");
    assert_ne!(essence(&play.cloud), before, "{what}");
    if random.percent(40) {
        // In two halves.
        let steps = play.records(&play.journals()[0])[0]["steps"].as_array().unwrap().clone();
        let first = steps[random.below(steps.len())]["address"].as_str().unwrap().to_owned();
        play.rollback(&["--target", &first, "--settle", "1"]).ended_with(0);
    }
    play.rollback(&["--settle", "1"]).ended_with(0);
    let after = essence(&play.cloud);
    let differs: Vec<&String> =
        before.keys().chain(after.keys()).filter(|key| before.get(*key) != after.get(*key)).collect();
    assert!(differs.is_empty(), "{what}: {differs:?}");
    Some(what)
}

/// Applies, with something that fails on the way; where that killed it, it goes on. Returns the exit code.
fn apply(play: &Play, more: &[&str], effect: &str, random: &mut Random) -> i32 {
    let skip = random.below(8);
    let checks: &[&str] = if random.percent(50) { &[] } else { &["--no-recheck"] };
    let arguments = [&["apply", PLAN, "--auto-approve", "--settle", "1", "-q"][..], checks, more].concat();
    let child = play.start(&arguments);
    if effect != "none" {
        let fault = json!({ "operation": "writes", "skip": skip, "effect": effect, "pid": child.id(), "after": random.percent(50) });
        play.cloud.control("faults", fault);
    }
    let applied = answer(child.wait_with_output().unwrap());
    play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
    match applied.code {
        -1 => {
            let resumed =
                play.run(&[&["apply", "--resume", "--auto-approve", "--settle", "1"], checks].concat()).ended_with(0);
            assert!(!resumed.stderr.contains("Withheld"), "nobody has used anything since: {resumed}");
            resumed.code
        }
        0 | 64 => applied.code,
        _ => panic!("{applied}"),
    }
}

fn seeds() -> Range<u64> {
    let Ok(asked) = std::env::var("SECATEUR_SEEDS") else { return SEEDS };
    let (first, end) = asked.split_once("..").expect("SECATEUR_SEEDS=FIRST..END");
    first.parse().unwrap()..end.parse().unwrap()
}

#[test]
fn whatever_was_applied_comes_back() {
    let seeds = seeds();
    println!("seeds {seeds:?}");
    let (next, done) = (AtomicU64::new(seeds.start), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if !seeds.contains(&seed) {
                        return;
                    }
                    let own = catch_unwind(AssertUnwindSafe(|| round(seed))).unwrap_or_else(|_| {
                        let again = format!("SECATEUR_SEEDS={seed}..{} cargo test -p secateur-tests random", seed + 1);
                        panic!("seed {seed} failed; to run it alone: {again}");
                    });
                    println!("seed {seed}: {}", own.as_deref().unwrap_or("nothing to do"));
                    done.fetch_add(usize::from(own.is_some()), Ordering::SeqCst);
                }
            });
        }
    });
    let done = done.into_inner();
    println!("{done} of {} accounts and plans applied and taken back", seeds.end - seeds.start);
    assert!(seeds.end - seeds.start < 5 || done > 2, "{done}");
}
