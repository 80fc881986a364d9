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
