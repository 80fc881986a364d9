//! Whatever goes wrong on the way: the snapshot is that of a day without faults, or its manifest names what it lacks.

use std::collections::BTreeSet;

use secateur_tests::emulator::Options;
use serde_json::{Value, json};

use super::scene::{Content, Scene, acme, assert_same};

const GENERATE: &str = "GenerateServiceLastAccessedDetails";
const GET: &str = "GetServiceLastAccessedDetails";

/// What a collection without faults has.
fn expected() -> Content {
    Scene::acme().collect_all(&[])
}

/// Faults that strike one call each, spread over a collection.
fn spread(effect: &Value) -> Value {
    let all = (0..12).map(|at| {
        let mut fault = json!({"operation": "reads", "skip": at * 13, "count": 1});
        fault.as_object_mut().unwrap().extend(effect.as_object().unwrap().clone());
        fault
    });
    all.collect::<Vec<_>>().into()
}

#[test]
fn what_passes_leaves_no_trace() {
    let expected = expected();
    for effect in [
        json!({"effect": "error"}),
        json!({"effect": "error", "status": 503, "code": "ServiceUnavailable", "message": "later"}),
        json!({"effect": "reset"}),
        json!({"effect": "truncate"}),
        json!({"effect": "answer-lost"}),
        json!({"effect": "throttle"}),
        json!({"effect": "slow", "millis": 300}),
    ] {
        let scene = Scene::acme();
        scene.control("faults", spread(&effect));
        let answer = scene.collect(&[]);
        assert_eq!(answer.code, 0, "{effect}: {answer:?}");
        assert_same(&scene.content(), &expected);
        let left = scene.cloud.running.control("GET", "faults", &Value::Null).unwrap();
        let struck = left.as_array().is_none_or(|left| left.iter().all(|fault| fault["count"] == 0));
        assert!(struck, "{effect}: {left}");
    }
}

#[test]
fn slow_jobs_are_waited_for_and_not_asked_hotly() {
    let options = Options { account: Some(acme()), job_seconds: Some((1.0, 3.0)), seed: 7, ..Options::default() };
    let scene = Scene::with(options);
    let found = scene.collect_all(&[]);
    let reports = found.iter().filter(|(name, _)| name.starts_with("last-accessed/"));
    let names: BTreeSet<String> = reports.map(|(name, _)| name.clone()).collect();
    assert_eq!(names.len(), 49);
    assert_same(&found, &expected());
    assert_eq!(scene.calls(GENERATE), 49);
    assert!(scene.calls(GET) < 49 * 2, "{} calls", scene.calls(GET));
}

#[test]
fn a_failed_job_is_a_gap_and_the_next_collection_asks_again() {
    let scene = Scene::acme();
    let arn = "arn:aws:iam::111122223333:role/checkout-task";
    let fault = json!({"operation": GENERATE, "parameters": {"Arn": arn}, "effect": "fail-job", "code": "ServiceFailure", "message": "try later"});
    scene.control("faults", fault);
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    assert!(answer.stdout.contains("role/checkout-task: report-failed: ServiceFailure: try later"), "{answer:?}");
    assert_eq!(scene.gaps(), [(arn.to_owned(), "report-failed".to_owned())]);
    let found = scene.content();
    assert_eq!(found["last-accessed/role/checkout-task.json"]["JobStatus"], "FAILED");
    let again = scene.collect_all(&[]);
    assert_eq!(scene.calls(GENERATE), 50);
    assert_same(&again, &expected());
}

#[test]
fn a_session_that_expires_loses_its_jobs_and_nothing_else() {
    let mut expected = expected();
    let scene = Scene::acme();
    for skip in [5, 60, 61, 110] {
        scene.control("faults", json!({"operation": "reads", "skip": skip, "effect": "expire-session"}));
    }
    let found = scene.collect_all(&[
        "--role-arn",
        "arn:aws:iam::111122223333:role/security-audit",
        "--session-name",
        "nightly",
    ]);
    assert_same(&found, &expected);
    // Even when all that was started is lost.
    expected.clear();
    let options = Options { account: Some(acme()), job_seconds: Some((1.0, 1.5)), ..Options::default() };
    let scene = Scene::with(options);
    scene.control("faults", json!({"operation": GET, "skip": 3, "effect": "expire-session"}));
    scene.collect_all(&["--role-arn", "arn:aws:iam::111122223333:role/security-audit"]);
    assert!(scene.calls(GENERATE) > 49, "{}", scene.calls(GENERATE));
}

#[test]
fn credentials_that_end_tell_how_to_renew_them_and_the_rest_is_read_later() {
    let mut scene = Scene::acme();
    scene.become_session("arn:aws:iam::111122223333:role/security-audit");
    scene.control("faults", json!({"operation": GET, "skip": 20, "effect": "expire-session"}));
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.stderr.contains("ExpiredToken"), "{answer:?}");
    assert!(answer.stderr.contains("help: set AWS_ACCESS_KEY_ID"), "{answer:?}");
    assert!(!scene.snapshot().join("manifest.json").exists());
    let before = scene.calls(GENERATE);
    scene.become_session("arn:aws:iam::111122223333:role/security-audit");
    let found = scene.collect_all(&[]);
    assert!(scene.calls(GENERATE) < before + 49, "nothing was taken over");
    assert_same(&found, &expected());
}

#[test]
fn five_requests_a_second_are_enough() {
    let scene = Scene::small();
    let expected = scene.collect_all(&[]);
    scene.control("pacing", json!({"over": "*", "rate": 5, "burst": 5}));
    scene.control("clock", json!({"frozen": false}));
    assert_same(&scene.collect_all(&["--max-age", "0"]), &expected);
}

#[test]
fn whoever_is_deleted_meanwhile_is_a_gap() {
    let expected = expected();
    let gone = "arn:aws:iam::111122223333:role/checkout-task";
    let scene = Scene::acme();
    scene.control("faults", json!({"operation": "ListRegions", "effect": "delete", "arn": gone}));
    // By then the details were read: this is between two calls.
    scene.cloud.running.control("DELETE", "faults", &Value::Null).unwrap();
    scene.control("faults", json!({"operation": "GetAccountAuthorizationDetails", "effect": "delete", "arn": gone}));
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    assert_eq!(scene.gaps(), [(gone.to_owned(), "deleted".to_owned())]);
    let found = scene.content();
    let mut without = expected;
    without.remove("last-accessed/role/checkout-task.json").unwrap();
    assert_same(&found, &without);
    let user = "arn:aws:iam::111122223333:user/people/ana.silva";
    let scene = Scene::acme();
    scene.control("faults", json!({"operation": "GetAccountAuthorizationDetails", "effect": "delete", "arn": user}));
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    assert!(scene.gaps().iter().all(|(subject, kind)| subject == user && kind == "deleted"), "{:?}", scene.gaps());
}

#[test]
fn what_never_comes_is_a_gap_and_the_rest_goes_on() {
    let expected = expected();
    let scene = Scene::acme();
    let arn = "arn:aws:iam::111122223333:policy/payments-api";
    scene.control(
        "faults",
        json!({"operation": "ListPolicyTags", "parameters": {"PolicyArn": arn}, "count": 100, "effect": "error"}),
    );
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    assert_eq!(scene.gaps(), [(arn.to_owned(), "unreachable".to_owned())]);
    let mut without = expected;
    without.remove("policy-tags/payments-api.json").unwrap();
    assert_same(&scene.content(), &without);
}

#[test]
fn when_aws_cannot_be_reached_any_more_the_old_snapshot_stays() {
    let scene = Scene::small();
    let before = scene.collect_all(&[]);
    scene.control("faults", json!({"operation": GET, "count": 100_000, "effect": "reset"}));
    scene.control("faults", json!({"operation": GENERATE, "count": 100_000, "effect": "reset"}));
    scene.control("faults", json!({"operation": "LookupEvents", "count": 100_000, "effect": "reset"}));
    let answer = scene.collect(&["--max-age", "0"]);
    assert_ne!(answer.code, 0, "{answer:?}");
    if answer.code == 1 {
        assert_same(&scene.content(), &before);
    }
}

#[test]
fn one_region_of_kms_that_fails_is_a_gap_and_ends_nothing() {
    let mut without = expected();
    without.retain(|name, _| !name.starts_with("kms/"));
    for (effect, kind, word) in [
        (
            json!({"effect": "error", "status": 400, "code": "UnrecognizedClientException", "message": "The security token included in the request is invalid."}),
            "refused",
            "AWS takes the credentials elsewhere",
        ),
        (json!({"effect": "error"}), "unreachable", "after 6 attempts"),
    ] {
        let scene = Scene::acme();
        let mut fault = json!({"operation": "DescribeKey", "count": 100_000});
        fault.as_object_mut().unwrap().extend(effect.as_object().unwrap().clone());
        scene.control("faults", fault);
        let answer = scene.collect(&[]);
        assert_eq!(answer.code, 4, "{answer:?}");
        assert!(answer.stdout.contains(word), "{answer:?}");
        assert!(scene.gaps().iter().all(|(subject, of)| subject.contains(":kms:") && of == kind), "{:?}", scene.gaps());
        assert_same(&scene.content(), &without);
    }
}

#[test]
fn a_session_that_expires_before_entities_are_read_has_the_job_made_anew() {
    let include = ["--include", "groups,policies"];
    let expected = Scene::acme().collect_all(&include);
    let scene = Scene::acme();
    for skip in [0, 4, 9] {
        let operation = "GetServiceLastAccessedDetailsWithEntities";
        scene.control("faults", json!({"operation": operation, "skip": skip, "effect": "expire-session"}));
    }
    let role = ["--role-arn", "arn:aws:iam::111122223333:role/security-audit", "--session-name", "nightly"];
    assert_same(&scene.collect_all(&[&include[..], &role].concat()), &expected);
}

#[test]
fn a_key_that_is_gone_is_told_and_is_no_gap() {
    let scene = Scene::acme();
    let gone = json!({"operation": "DescribeKey", "count": 100_000, "effect": "error", "status": 400,
        "code": "NotFoundException", "message": "Key does not exist"});
    scene.control("faults", gone);
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.stdout.contains("exist: ") && answer.stdout.contains("Nothing is missing"), "{answer:?}");
}

#[test]
fn keys_of_a_region_that_is_off_are_not_asked_about() {
    let scene = Scene::acme();
    scene.control("regions", json!({"us-east-1": "ENABLED_BY_DEFAULT", "eu-west-1": "DISABLED"}));
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    let gaps = scene.gaps();
    assert_eq!(gaps.len(), 3, "{gaps:?}");
    assert!(gaps.iter().all(|(subject, kind)| subject.contains(":kms:eu-west-1:") && kind == "region-off"), "{gaps:?}");
    assert!(answer.stdout.contains("the Region eu-west-1 is not enabled for the account"), "{answer:?}");
    assert!(answer.stdout.contains("Of keys in a Region that is off nothing can be read"), "{answer:?}");
    let content = scene.content();
    assert!(content.keys().any(|name| name.starts_with("kms/us-east-1/")));
    assert!(!content.keys().any(|name| name.starts_with("kms/eu-west-1/")));
}

#[test]
fn a_key_without_a_last_use_is_a_gap_until_aws_tells_it() {
    let expected = expected();
    let scene = Scene::acme();
    let fault = json!({"operation": "GetAccessKeyLastUsed", "count": 100_000, "effect": "error", "status": 404,
        "code": "NoSuchEntity", "message": "The Access Key with id X cannot be found"});
    scene.control("faults", fault);
    let mut without = expected.clone();
    let with_keys = |content: &Content| -> Vec<String> {
        let has_keys = |value: &Value| value["AccessKeyMetadata"].as_array().is_some_and(|keys| !keys.is_empty());
        let files = content.iter().filter(|(name, value)| name.starts_with("access-keys/") && has_keys(value));
        files.map(|(name, _)| name.clone()).collect()
    };
    let files = with_keys(&without);
    without.retain(|name, _| !files.contains(name));
    for _ in 0..2 {
        let answer = scene.collect(&[]);
        assert_eq!(answer.code, 4, "{answer:?}");
        let gaps = scene.gaps();
        assert!(gaps.iter().all(|(subject, kind)| subject.contains(":user/") && kind == "deleted"), "{gaps:?}");
        assert_eq!(gaps.len(), files.len(), "{gaps:?}");
        assert_same(&scene.content(), &without);
    }
    scene.cloud.running.control("DELETE", "faults", &Value::Null).unwrap();
    assert_same(&scene.collect_all(&[]), &expected);
}

#[test]
fn a_denial_is_no_outage_and_everybody_is_asked_about() {
    let scene = Scene::acme();
    let denied = json!({"operation": "ListPolicyTags", "count": 100_000, "effect": "error", "status": 403,
        "code": "AccessDenied", "message": "not authorized to perform: iam:ListPolicyTags on resource: x"});
    scene.control("faults", denied);
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    let gaps = scene.gaps();
    assert!(gaps.len() > 10 && gaps.iter().all(|(_, kind)| kind == "access-denied"), "{gaps:?}");
    assert_eq!(scene.calls("ListPolicyTags"), u64::try_from(gaps.len()).unwrap());
    assert!(answer.stdout.contains("and 5 more, in manifest.json") || gaps.len() != 15, "{answer:?}");
}

#[test]
fn a_summary_that_aws_never_makes_is_a_gap() {
    let expected = Scene::small().collect_all(&[]);
    let scene = Scene::small();
    // An error with a code and an empty message.
    let fault = json!({"operation": "GetAccountSummary", "count": 100_000, "effect": "error", "message": ""});
    scene.control("faults", fault);
    let checked = scene.collect(&["--check"]);
    assert_eq!(checked.code, 4, "{checked:?}");
    assert!(checked.stdout.contains("iam:GetAccountSummary: ServiceFailure, after 6 attempts\n"), "{checked:?}");
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    let details = "account-authorization-details.json".to_owned();
    let summary = "account-summary.json".to_owned();
    assert_eq!(scene.gaps(), [(details, "not-counted".to_owned()), (summary.clone(), "unreachable".to_owned())]);
    assert!(answer.stdout.contains("iam:GetAccountSummary: ServiceFailure, after 6 attempts"), "{answer:?}");
    let mut without = expected.clone();
    without.remove(&summary);
    assert_same(&scene.content(), &without);
    scene.cloud.running.control("DELETE", "faults", &Value::Null).unwrap();
    assert_same(&scene.collect_all(&[]), &expected);
    // Nor does it end anything together with another operation that AWS never answers.
    let scene = Scene::acme();
    for operation in ["GetAccountSummary", "ListPolicyTags"] {
        scene.control("faults", json!({"operation": operation, "count": 100_000, "effect": "error"}));
    }
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    let mut without = self::expected();
    without.retain(|name, _| *name != summary && !name.starts_with("policy-tags/"));
    assert_same(&scene.content(), &without);
    assert!(scene.gaps().len() > 10, "{:?}", scene.gaps());
    // Where nobody answers at all, there is nothing to collect.
    let scene = Scene::small();
    scene.control("faults", json!({"operation": "GetAccountSummary", "count": 100_000, "effect": "reset"}));
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(!scene.snapshot().join("manifest.json").exists());
}

#[test]
fn a_report_that_is_about_somebody_else_is_asked_for_anew() {
    let expected = Scene::small().collect_all(&[]);
    let row = |arn: &str| {
        format!(
            "<member><ServiceName>S3</ServiceName><ServiceNamespace>s3</ServiceNamespace><LastAuthenticated>2026-10-01T00:00:00Z\
             </LastAuthenticated><LastAuthenticatedEntity>{arn}</LastAuthenticatedEntity><TotalAuthenticatedEntities>1\
             </TotalAuthenticatedEntities></member>"
        )
    };
    let report = |arn: &str| {
        format!(
            "<GetServiceLastAccessedDetailsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <GetServiceLastAccessedDetailsResult><JobStatus>COMPLETED</JobStatus><JobType>ACTION_LEVEL</JobType>\
             <JobCreationDate>2026-10-10T06:30:00Z</JobCreationDate><JobCompletionDate>2026-10-10T06:30:00Z</JobCompletionDate>\
             <IsTruncated>false</IsTruncated><ServicesLastAccessed>{}</ServicesLastAccessed></GetServiceLastAccessedDetailsResult>\
             <ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></GetServiceLastAccessedDetailsResponse>",
            row(arn)
        )
    };
    let answers = |count: u64, arn: &str| {
        let headers = json!({"content-type": "text/xml"});
        json!({"operation": GET, "count": count, "effect": "answer", "headers": headers, "body": report(arn)})
    };
    let ci = "arn:aws:iam::111122223333:role/ci";
    let scene = Scene::small();
    scene.control("faults", answers(2, ci));
    assert_same(&scene.collect_all(&["--principal", "user/*"]), &{
        let mut users = expected.clone();
        users.retain(|name, _| !name.starts_with("last-accessed/") || name.starts_with("last-accessed/user/"));
        users
    });
    // Again and again: no evidence of anybody but the one whom it is about.
    let scene = Scene::small();
    scene.control("faults", answers(100_000, ci));
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    let gaps = scene.gaps();
    assert!(gaps.len() > 1 && gaps.iter().all(|(arn, kind)| arn != ci && kind == "report-of-another"), "{gaps:?}");
    let content = scene.content();
    let reports: Vec<&String> = content.keys().filter(|name| name.starts_with("last-accessed/")).collect();
    assert_eq!(reports, ["last-accessed/role/ci.json"]);
    // Who is not in the account was somebody of it under another name, maybe.
    let scene = Scene::small();
    scene.control("faults", answers(100_000, "arn:aws:iam::111122223333:user/renamed"));
    assert_eq!(scene.collect(&[]).code, 0);
}
