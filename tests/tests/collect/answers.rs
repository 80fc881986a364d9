//! Answers that AWS does not give, from AWS or from whoever stands on the way: each is told as what it is, and none passes for
//! an account in which nothing happened.

use serde_json::{Value, json};

use super::scene::{Answer, Scene};

/// Has an operation answered by somebody else, as often as it is asked.
fn answered(scene: &Scene, operation: &str, answer: Value) {
    let mut fault = json!({"operation": operation, "count": 100_000, "effect": "answer"});
    fault.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
    scene.control("faults", fault);
}

/// What a manifest says of the one gap that it has: kind and detail.
fn the_gap(scene: &Scene) -> (String, String) {
    let manifest = scene.manifest();
    let [gap] = manifest["gaps"].as_array().unwrap().as_slice() else { panic!("{:#}", manifest["gaps"]) };
    (gap["kind"].as_str().unwrap().to_owned(), gap["detail"].as_str().unwrap().to_owned())
}

#[track_caller]
fn collected_with_gaps(scene: &Scene) -> Answer {
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    answer
}

#[test]
fn a_history_without_events_is_no_history() {
    for body in [json!({}), json!({"__type": "ThrottlingException", "message": "slow down"}), json!({"NextToken": "a"})]
    {
        let scene = Scene::small();
        answered(&scene, "LookupEvents", json!({"body": body}));
        collected_with_gaps(&scene);
        let detail = "cloudtrail:LookupEvents: the answer has no `Events`";
        assert_eq!(the_gap(&scene), ("answer-not-whole".to_owned(), detail.to_owned()), "{body}");
        assert!(!scene.content().contains_key("grants.json"), "{body}");
    }
}

const DESCRIBED: &str = "arn:aws:kms:eu-west-1:111122223333:key/3f0c6c1e-5d0a-4a86-9c58-0b1f7e9d2a41";

/// Has one operation of KMS answered by somebody else, about one key.
fn answered_of_key(scene: &Scene, operation: &str, answer: Value) {
    let mut fault = json!({"operation": operation, "parameters": {"KeyId": DESCRIBED}, "count": 100_000});
    fault.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
    scene.control("faults", fault);
}

#[test]
fn a_key_whose_use_nobody_finds_is_a_gap_and_never_unused() {
    let scene = Scene::acme();
    let gone = json!({"effect": "error", "status": 400, "code": "NotFoundException", "message": "no such key"});
    answered_of_key(&scene, "GetKeyLastUsage", gone);
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    let detail = "kms:GetKeyLastUsage: NotFoundException: no such key";
    assert_eq!(the_gap(&scene), ("deleted".to_owned(), detail.to_owned()));
    assert!(!scene.content().keys().any(|name| name.contains("3f0c6c1e")), "there is no evidence");
    assert!(!answer.stdout.contains("do not exist") && !answer.stdout.contains("does not exist"), "{answer:?}");
}

#[test]
fn what_kms_says_of_another_key_counts_for_none() {
    let foreign = "arn:aws:kms:us-east-1:999999999999:key/3f0c6c1e-5d0a-4a86-9c58-0b1f7e9d2a41";
    let described = |arn: &str| {
        json!({"KeyMetadata": {"Arn": DESCRIBED, "MultiRegion": true, "MultiRegionConfiguration":
            {"PrimaryKey": {"Arn": DESCRIBED}, "ReplicaKeys": [{"Arn": arn}]}}})
    };
    for (operation, body, expected) in [
        ("GetKeyLastUsage", json!({}), "kms:GetKeyLastUsage: the answer has no `KeyId`".to_owned()),
        ("GetKeyLastUsage", json!({"KeyId": "x"}), "kms:GetKeyLastUsage: the answer is about another key".to_owned()),
        ("DescribeKey", json!({}), "kms:DescribeKey: the answer has no `KeyMetadata`".to_owned()),
        (
            "DescribeKey",
            described(foreign),
            format!("kms:DescribeKey: it names {foreign} as a replica, which is not this key in another Region"),
        ),
    ] {
        let scene = Scene::acme();
        answered_of_key(&scene, operation, json!({"effect": "answer", "body": body}));
        let answer = scene.collect(&[]);
        assert_eq!(answer.code, 4, "{answer:?}");
        assert_eq!(the_gap(&scene), ("answer-not-whole".to_owned(), expected));
        assert!(!scene.content().keys().any(|name| name.contains("3f0c6c1e")));
        assert_eq!(scene.run(&["analyze", "--snapshot", "snap"]).code, 0);
    }
}

#[test]
fn a_replica_that_kms_names_and_does_not_find_is_a_gap() {
    let scene = Scene::acme();
    let replica = "arn:aws:kms:us-east-1:111122223333:key/mrk-5b6f3c8d9e0a4f1b8c7d6e5f4a3b2c1d";
    let gone = json!({"operation": "DescribeKey", "parameters": {"KeyId": replica}, "count": 100, "effect": "error",
        "status": 400, "code": "NotFoundException", "message": "no such key"});
    scene.control("faults", gone);
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    assert_eq!(scene.gaps(), [(replica.to_owned(), "deleted".to_owned())]);
}
