//! Documents that AWS took once, and takes no more: what replaces one cannot be taken back.

use serde_json::json;

use super::again::stopped_after;
use super::chains::last;
use super::stage::{PLAN, Play, Stage};
use super::town::{ACCOUNT, Kind, essence};
use crate::emulator::cloud::{Cloud, TRUST, allow};

fn arn() -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/aged")
}

/// A role with documents of old: one with a wildcard before a colon, one with a key twice, of which nothing is used.
fn aged(cloud: &Cloud, now: &str) {
    cloud.iam("CreateRole", &[("RoleName", "aged"), ("AssumeRolePolicyDocument", TRUST)]);
    let double = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:CreateQueue","Action":"sqs:DeleteQueue","Resource":"*"}]}"#;
    cloud.control(
        "old-documents",
        json!([
            { "arn": arn(), "policy": "wide", "document": allow(&["lambda:ListFunctions", "sq*:CreateQueue"]) },
            { "arn": arn(), "policy": "double", "document": double },
            { "arn": arn(), "policy": "short", "document": allow(&["sqs"]) },
        ]),
    );
    let time = format!("{}T00:00:00Z", now.get(..10).unwrap());
    cloud.used(&arn(), "lambda:ListFunctions", &time, "eu-west-1");
}

const AGED: Kind = Kind { name: "aged", config: "", target: &["role/aged/inline/*", "role/put/inline/*"] };

fn planned(play: &Play) -> Vec<String> {
    let plan = play.plan();
    let changes = plan["changes"].as_array().unwrap().iter();
    changes.map(|change| change["address"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_aws_would_not_take_back_is_named_before_it_goes_and_refused_before_a_rollback_writes() {
    let stage = Stage::with(Box::new(aged));
    let play = stage.play(&AGED);
    println!("{:?} {}", planned(&play), play.plan()["withheld"]);
    let put = "role/put/inline/p";
    assert!(planned(&play).contains(&put.to_owned()));
    let aged: Vec<String> = planned(&play).into_iter().filter(|address| address != put).collect();
    assert!(!aged.is_empty());
    let start = essence(&play.cloud);
    let refused = play.run(&["apply", PLAN, "--no-recheck"]).ended_with(3);
    let answer = play.apply(&["--parallelism", "1"]).ended_with(0);
    for address in &aged {
        let line = format!("  ! {address}: ");
        assert!(answer.stdout.contains(&line), "{line}: {answer}");
    }
    assert!(answer.stdout.contains("no rollback can take it back: AWS takes no new document with "), "{answer}");
    assert!(!answer.stdout.contains(&format!("! {put}")) && !refused.stdout.contains("Apply complete"), "{answer}");
    let (applied, journals) = (essence(&play.cloud), play.journals());
    let answer = play.rollback(&["--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "refused-document", "{answer}");
    let id = last(&play);
    let rest = format!("`secateur rollback {id} --target {put}` takes back the rest; write these by hand");
    assert!(answer.stderr.contains(&rest), "{answer}");
    assert!(aged.iter().all(|address| answer.stderr.contains(&format!("{address}: "))), "{answer}");
    assert_eq!((essence(&play.cloud), play.journals()), (applied, journals), "nothing was written");
    play.rollback(&["--target", put]).ended_with(0);
    assert_eq!(essence(&play.cloud)["RoleName put inline p"], start["RoleName put inline p"]);
}

#[test]
fn what_is_left_and_cannot_be_taken_back_is_named_again_before_it_is_gone_on_with() {
    let stage = Stage::with(Box::new(aged));
    for format in [&[][..], &["--format", "json", "--quiet"]] {
        let play = stopped_after(&stage, &AGED, 0);
        let steps = play.records(&last(&play))[0]["steps"].as_array().unwrap().clone();
        let arguments = [&["apply", "--resume", "--auto-approve", "--no-recheck", "--settle", "2"], format].concat();
        let answer = play.run(&arguments).ended_with(0);
        let shown = if format.is_empty() { &answer.stdout } else { &answer.stderr };
        let mut named = 0;
        for step in &steps {
            let address = step["address"].as_str().unwrap();
            let is_aged = address.starts_with("role/aged");
            named += usize::from(is_aged);
            assert_eq!(shown.contains(&format!("  ! {address}: ")), is_aged, "{address}: {answer}");
        }
        assert!(named > 0, "{steps:?}");
    }
}
