//! Going on with a journal that is open: what is left is looked at and judged anew, as by `apply`.

use serde_json::json;

use super::stage::{Play, Stage};
use super::town::{ACCOUNT, KINDS, Kind, essence, used_now};
use crate::emulator::cloud::{Cloud, TRUST, allow};

pub fn stopped_after(stage: &Stage, kind: &Kind, writes: usize) -> Play {
    let play = stage.play(kind);
    let child = play.start(&[
        "apply",
        super::stage::PLAN,
        "--auto-approve",
        "--no-recheck",
        "--settle",
        "2",
        "--parallelism",
        "1",
    ]);
    let fault = json!({ "operation": "writes", "skip": writes, "effect": "kill", "pid": child.id(), "after": false });
    play.cloud.control("faults", fault);
    let ended = super::stage::answer(child.wait_with_output().unwrap());
    assert_eq!(ended.code, -1, "{ended}");
    play
}

const ONE: Kind = Kind { name: "one", config: "", target: &["role/put/inline/*"] };

#[test]
fn a_journal_that_only_began_is_no_way_round_the_checks() {
    let stage = Stage::new();
    let play = stopped_after(&stage, &ONE, 0);
    used_now(&play.cloud, "role/put", "lambda:DeleteFunction");
    let before = essence(&play.cloud);
    let answer = play.resume().ended_with(0);
    assert!(answer.stderr.contains("Withheld: role/put/inline/p"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
    drop(play);

    let play = stopped_after(&stage, &ONE, 0);
    let theirs = allow(&["lambda:ListFunctions", "s3:CreateBucket"]);
    play.cloud.iam("PutRolePolicy", &[("RoleName", "put"), ("PolicyName", "p"), ("PolicyDocument", &theirs)]);
    let before = essence(&play.cloud);
    let answer = play.resume().ended_with(4);
    assert!(answer.stderr.contains("rollback"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn what_is_left_and_has_moved_is_refused_before_the_next_write() {
    let stage = Stage::new();
    let several = Kind { name: "both", config: "", target: &["role/put/inline/*", "user/writer/inline/*"] };
    let play = stopped_after(&stage, &several, 1);
    let done = essence(&play.cloud);
    let theirs = allow(&["lambda:ListFunctions", "s3:CreateBucket"]);
    let first = play.records(&play.journals()[0])[0]["steps"][0]["address"].as_str().unwrap().to_owned();
    // The other one, of which nothing is done, is edited.
    if first.starts_with("role/") {
        play.cloud.iam("PutUserPolicy", &[("UserName", "writer"), ("PolicyName", "p"), ("PolicyDocument", &theirs)]);
    } else {
        play.cloud.iam("PutRolePolicy", &[("RoleName", "put"), ("PolicyName", "p"), ("PolicyDocument", &theirs)]);
    }
    let before = essence(&play.cloud);
    let answer = play.resume();
    assert!(matches!(answer.code, 3 | 4), "{answer}");
    let id = play.journals().remove(0);
    let works =
        format!("help: `secateur rollback {id}` goes back, `secateur history --abandon {id} --reason TEXT` leaves");
    assert!(answer.stderr.contains(&works), "what works comes first: {answer}");
    let is_resume = "`secateur apply --resume` ";
    assert!(answer.stderr.contains(is_resume) && answer.stderr.contains("goes on once "), "{answer}");
    assert_eq!(essence(&play.cloud), before);
    assert_ne!(done, before);
    play.rollback(&["--target", &first]).ended_with(0);
}

#[test]
fn a_group_that_was_begun_is_finished_or_refused_with_the_ways_out() {
    let stage = Stage::new();
    let kind = KINDS.iter().find(|kind| kind.name == "replace").unwrap();
    let start = {
        let play = stage.play(kind);
        essence(&play.cloud)
    };
    for writes in [1, 2] {
        let play = stopped_after(&stage, kind, writes);
        play.resume().ended_with(0);
        drop(play);

        let play = stopped_after(&stage, kind, writes);
        used_now(&play.cloud, "role/mixed", "lambda:DeleteFunction");
        let before = essence(&play.cloud);
        let answer = play.resume().ended_with(3);
        assert!(answer.stderr.contains("done in part") && answer.stderr.contains("last used by"), "{answer}");
        assert!(answer.stderr.contains("`secateur rollback"), "{answer}");
        assert_eq!(essence(&play.cloud), before);
        play.rollback(&[]).ended_with(0);
        assert_eq!(essence(&play.cloud), start);
    }
}

/// `tight`, whose two inline policies only fit together; `beside`, with an inline policy and the policy of AWS that `mixed`
/// has too; and `member`, who has by itself what its group has.
fn more(cloud: &Cloud, now: &str) {
    let mut names: Vec<String> = vec!["lambda:ListFunctions".to_owned()];
    let mut length = 0;
    for name in super::town::tracked("ec2") {
        length += name.len() + 3;
        if length > 9_000 {
            break;
        }
        names.push(name);
    }
    let big = allow(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let both = allow(&["lambda:ListFunctions", "lambda:DeleteFunction"]);
    for (role, policy, document) in
        [("tight", "big", &big), ("tight", "star", &allow(&["lambda:*"])), ("beside", "p", &both)]
    {
        if policy != "star" {
            cloud.iam("CreateRole", &[("RoleName", role), ("AssumeRolePolicyDocument", TRUST)]);
            let principal = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
            let time = format!("{}T00:00:00Z", now.get(..10).unwrap());
            cloud.used(&principal, "lambda:ListFunctions", &time, "eu-west-1");
        }
        cloud.iam("PutRolePolicy", &[("RoleName", role), ("PolicyName", policy), ("PolicyDocument", document)]);
    }
    cloud.iam("AttachRolePolicy", &[("RoleName", "beside"), ("PolicyArn", "arn:aws:iam::aws:policy/Mixed")]);
    let idle = format!("arn:aws:iam::{ACCOUNT}:policy/idle");
    cloud.iam("AttachUserPolicy", &[("UserName", "member"), ("PolicyArn", &idle)]);
}

#[test]
fn an_inline_group_that_was_begun_is_finished_though_its_report_and_its_size_are_others_now() {
    let stage = Stage::with(Box::new(more));
    let kind = Kind { name: "tight", config: "", target: &["role/tight/inline/*"] };
    let play = stopped_after(&stage, &kind, 1);
    let plan = play.plan();
    let changes = plan["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2, "{}", plan["withheld"]);
    assert!(changes.iter().all(|change| change["group"].is_string()), "they only fit together");
    let first = &play.records(&play.journals()[0])[0]["steps"][0];
    assert_eq!(first["address"], "role/tight/inline/big", "what shrinks goes first");
    play.resume().ended_with(0);
    assert_eq!(play.ends(), ["end"]);
    drop(play);

    // A use that came since is seen all the same.
    let play = stopped_after(&stage, &kind, 1);
    used_now(&play.cloud, "role/tight", "lambda:DeleteFunction");
    let before = essence(&play.cloud);
    let answer = play.resume().ended_with(3);
    assert!(answer.stderr.contains("done in part") && answer.stderr.contains("last used by role/tight"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn a_group_beside_what_was_done_is_judged_as_a_whole() {
    let stage = Stage::with(Box::new(more));
    let kind = Kind {
        name: "group",
        config: "[rewrite]\naws_managed = \"replace\"\n",
        target: &["role/beside/inline/*", "role/beside/attached/*", "role/mixed/attached/*"],
    };
    let play = stopped_after(&stage, &kind, 1);
    let steps = play.records(&play.journals()[0])[0]["steps"].as_array().unwrap().clone();
    assert_eq!(steps[0]["address"], "role/beside/inline/p");
    let others: Vec<&str> = steps.iter().skip(1).map(|step| step["unit"].as_str().unwrap()).collect();
    assert!(others.len() == 5 && others.iter().all(|unit| *unit == others[0]), "one group for both roles: {others:?}");
    let answer = play.resume().ended_with(0);
    assert!(!answer.stderr.contains("Withheld"), "{answer}");
    assert_eq!(play.ends(), ["end"]);
    drop(play);

    // The other role, to whom nothing was done yet, uses what the group takes away.
    let play = stopped_after(&stage, &kind, 1);
    used_now(&play.cloud, "role/mixed", "lambda:DeleteFunction");
    let before = essence(&play.cloud);
    let answer = play.resume().ended_with(0);
    assert!(answer.stderr.contains("Withheld: ") && answer.stderr.contains("last used by role/mixed"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn a_detach_is_no_drift_for_the_other_attachments_of_those_whom_it_reached() {
    let stage = Stage::with(Box::new(more));
    let kind = Kind { name: "idle", config: "", target: &["*/attached/idle"] };
    let play = stage.play(&kind);
    play.apply(&["--target", "group/team/*"]).ended_with(0);
    // `member` had it from the group too: that was another change. (Evidence is not asked for: the detach looks new to it.)
    play.apply(&["--target", "user/member/*"]).ended_with(0);
    let left = essence(&play.cloud);
    assert!(!left.keys().any(|key| key.starts_with("UserName member attached")), "{left:?}");
}
