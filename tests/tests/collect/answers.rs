//! Answers that AWS does not give, from AWS or from whoever stands on the way: each is told as what it is, and none passes for
//! an account in which nothing happened.

use serde_json::{Value, json};

use super::scene::{Answer, Scene, assert_same};

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

#[test]
fn an_answer_of_another_shape_is_told_as_such_and_asked_for_few_times() {
    for (answer, detail) in [
        (
            json!({"body": "<html>login</html>"}),
            "the answer is not what AWS answers: expected value at line 1 column 1",
        ),
        (
            json!({"body": null}),
            "the answer is not what AWS answers: invalid type: null, expected struct Events at line 1 column 4",
        ),
        (
            json!({"body": {"Events": [{"EventTime": "2026-01-01T00:00:00Z"}]}}),
            "the answer is not what AWS answers: invalid type: string \"2026-01-01T00:00:00Z\", expected f64 at line 1 column ",
        ),
        (
            json!({"body": {"Events": [{"EventTime": 1_790_000_000_123_i64}]}}),
            "the answer is not what AWS answers: 1.790000000123e12 is no time in seconds since 1970 at line 1 column ",
        ),
        (json!({"status": 302, "headers": {"location": "http://x/"}, "body": ""}), "HTTP status 302"),
    ] {
        let scene = Scene::small();
        answered(&scene, "LookupEvents", answer);
        let told = collected_with_gaps(&scene);
        let (kind, told_of) = the_gap(&scene);
        assert_eq!(kind, "answer-not-whole");
        assert!(told_of.starts_with(&format!("cloudtrail:LookupEvents: {detail}")), "{told_of}");
        assert!(told_of.ends_with(", after 3 attempts"), "{told_of}");
        assert_eq!(scene.calls("LookupEvents"), 3, "{detail}");
        assert!(told.stdout.contains("Run `secateur collect` again"), "{told:?}");
    }
}

#[test]
fn what_breaks_off_is_asked_for_until_it_comes() {
    let scene = Scene::small();
    let expected = scene.collect_all(&[]);
    for body in ["", "{\"Events\": [", "{\"Events\": [], \"NextTok"] {
        let fault = json!({"operation": "LookupEvents", "skip": 2, "count": 5, "effect": "answer", "body": body});
        scene.control("faults", fault);
        assert_same(&scene.collect_all(&["--max-age", "0"]), &expected);
    }
}

#[test]
fn an_error_without_a_code_keeps_what_it_says() {
    for (status, body, detail) in [
        (403, json!({"Message": "Forbidden by proxy"}), "account:ListRegions: HTTP status 403: Forbidden by proxy"),
        (404, json!({"message": "no route"}), "account:ListRegions: HTTP status 404: no route"),
        (403, json!("<html>blocked</html>"), "account:ListRegions: HTTP status 403"),
    ] {
        let scene = Scene::small();
        answered(&scene, "ListRegions", json!({"status": status, "body": body}));
        collected_with_gaps(&scene);
        assert_eq!(the_gap(&scene), ("unreachable".to_owned(), format!("{detail}, after 6 attempts")));
    }
}

#[test]
fn what_aws_refuses_for_good_is_not_advised_to_be_asked_again() {
    for (code, message) in [("OptInRequired", "not subscribed"), ("UnknownOperationException", "")] {
        let scene = Scene::small();
        let fault = json!({"operation": "LookupEvents", "count": 100_000, "effect": "error", "status": 400, "code": code,
            "message": message});
        scene.control("faults", fault);
        let told = collected_with_gaps(&scene);
        assert_eq!(the_gap(&scene).0, "refused");
        assert_eq!(scene.calls("LookupEvents"), 1);
        assert!(!told.stdout.contains("again"), "{told:?}");
        assert!(told.stdout.contains("What was refused stays refused until the reason"), "{told:?}");
    }
}

#[test]
fn a_throttle_by_any_of_its_names_is_waited_for() {
    let scene = Scene::small();
    let expected = scene.collect_all(&[]);
    for code in ["ProvisionedThroughputExceededException", "PriorRequestNotComplete", "EC2ThrottledException"] {
        scene.control(
            "faults",
            json!({"operation": "ListRegions", "count": 2, "effect": "error", "status": 400, "code": code}),
        );
        let answer = scene.collect(&["--max-age", "0"]);
        assert_eq!(answer.code, 0, "{answer:?}");
        assert!(answer.stdout.contains(", 2 throttled, 0 repeated"), "{code}: {answer:?}");
        assert_same(&scene.content(), &expected);
    }
}

#[test]
fn when_somebody_else_answers_for_iam_the_old_snapshot_stays() {
    let scene = Scene::small();
    answered(&scene, "reads", json!({"body": "<html><body>Please log in</body></html>"}));
    let never = scene.collect(&["--max-age", "0"]);
    assert_eq!(never.code, 1, "{never:?}");
    let shape = "the answer is not what AWS answers: error parsing XML: invalid root, expected GetCallerIdentityResponse, after 3 attempts\n";
    assert!(never.stderr.contains(shape), "{never:?}");
    scene.cloud.running.control("DELETE", "faults", &Value::Null).unwrap();
    answered(&scene, "reads", json!({"body": {"a": 1}}));
    let json = scene.collect(&["--max-age", "0"]);
    assert!(json.stderr.contains("the answer is not what AWS answers: it is no XML, after 3 attempts\n"), "{json:?}");
    assert!(
        never.stderr.contains("Error: sts:GetCallerIdentity: ") && never.stderr.contains(", after 3 attempts"),
        "{never:?}"
    );
    assert!(never.stderr.contains("help: look whether a proxy (HTTPS_PROXY) or an endpoint"), "{never:?}");
    assert!(!scene.snapshot().join("manifest.json").exists());
    // From the middle of it on.
    let scene = Scene::acme();
    let whole = scene.collect_all(&[]);
    let fault =
        json!({"operation": "reads", "skip": 30, "count": 100_000, "effect": "answer", "body": "<html></html>"});
    scene.control("faults", fault);
    let cut = scene.collect(&["--max-age", "0"]);
    assert_eq!(cut.code, 1, "{cut:?}");
    assert_same(&scene.content(), &whole);
}

#[test]
fn an_empty_token_of_the_history_is_a_gap_and_no_end() {
    let scene = Scene::small();
    answered(&scene, "LookupEvents", json!({"body": {"Events": [], "NextToken": ""}}));
    collected_with_gaps(&scene);
    let detail = "cloudtrail:LookupEvents: a page says that there is another, and not which";
    assert_eq!(the_gap(&scene), ("answer-not-whole".to_owned(), detail.to_owned()));
    assert!(!scene.content().contains_key("grants.json"));
}

#[test]
fn a_key_that_was_used_at_no_time_is_a_gap() {
    let scene = Scene::acme();
    let body = "<GetAccessKeyLastUsedResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetAccessKeyLastUsedResult>\
                <UserName>li.wei</UserName><AccessKeyLastUsed><ServiceName>athena</ServiceName><Region>eu-west-1</Region>\
                </AccessKeyLastUsed></GetAccessKeyLastUsedResult></GetAccessKeyLastUsedResponse>";
    let mut fault = json!({"operation": "GetAccessKeyLastUsed", "count": 100_000, "effect": "answer", "body": body});
    fault["parameters"] = json!({"AccessKeyId": "AKIAFMQUZG62TEXAMPLE"});
    scene.control("faults", fault);
    collected_with_gaps(&scene);
    let detail = "iam:GetAccessKeyLastUsed: the answer names a service that the key was used for, and no date";
    assert_eq!(the_gap(&scene), ("answer-not-whole".to_owned(), detail.to_owned()));
}
