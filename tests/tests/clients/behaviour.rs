//! What the Rust SDK makes of AWS's answers: what users of it must know.

use aws_credential_types::Credentials;
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::{AccessAdvisorUsageGranularityType, JobStatusType};
use secateur_tests::emulator::Running;
use serde_json::{Value, json};

use super::emulator::{REGION, start};
use super::sdk::{Clients, operator};

fn scene() -> (Running, Clients, tokio::runtime::Runtime) {
    let running = start();
    let clients = Clients::new(&running.url(), REGION, &operator());
    (running, clients, tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap())
}

fn control(running: &Running, path: &str, body: Value) -> Value {
    running.control("POST", path, &body).unwrap()
}

fn calls(running: &Running, operation: &str) -> u64 {
    let counts = running.control("GET", "calls/counts", &Value::Null).unwrap();
    counts["operations"][operation].as_u64().unwrap_or(0)
}

const ROLE: &str = "arn:aws:iam::111122223333:role/ci/github-deploy";

#[test]
fn an_unfinished_job_looks_like_one_that_uses_nothing() {
    let (running, clients, runtime) = scene();
    control(&running, "behaviour", json!({"job_seconds": 5}));
    runtime.block_on(async {
        let start = clients.iam.generate_service_last_accessed_details().arn(ROLE);
        let start = start.granularity(AccessAdvisorUsageGranularityType::ActionLevel).send().await.unwrap();
        let get = || clients.iam.get_service_last_accessed_details().job_id(start.job_id().unwrap()).send();
        let answer = get().await.unwrap();
        assert_eq!(answer.job_status(), &JobStatusType::InProgress);
        assert!(answer.services_last_accessed().is_empty() && answer.job_type().is_none());
        assert_eq!(answer.job_completion_date().secs(), 0);
        control(&running, "clock", json!({"advance_seconds": 5}));
        assert_eq!(get().await.unwrap().job_status(), &JobStatusType::Completed);
    });
}

#[test]
fn an_unused_key_is_some_with_nothing_in_it() {
    let (_running, clients, runtime) = scene();
    let key = "arn:aws:kms:eu-west-1:111122223333:key/8a2d4b7c-1e3f-4f60-8b9a-6c5d4e3f2a10";
    let answer = runtime.block_on(clients.kms.get_key_last_usage().key_id(key).send()).unwrap();
    let usage = answer.key_last_usage().unwrap();
    assert!(usage.operation().is_none() && usage.timestamp().is_none());
    assert!(answer.key_creation_date() >= answer.tracking_start_date());
}

#[test]
fn throttling_and_server_errors_are_retried_and_limits_are_not() {
    let (running, clients, runtime) = scene();
    // The code of the error, if it is one.
    let list = || {
        let answer = runtime.block_on(clients.iam.list_users().send());
        answer.err().map(|error| error.into_service_error().code().unwrap_or_default().to_owned())
    };
    control(&running, "faults", json!({"operation": "ListUsers", "effect": "throttle"}));
    assert_eq!(list(), None);
    assert_eq!(calls(&running, "iam:ListUsers"), 2);
    control(&running, "faults", json!({"operation": "ListUsers", "effect": "error", "status": 500}));
    assert_eq!(list(), None);
    assert_eq!(calls(&running, "iam:ListUsers"), 4);
    control(&running, "faults", json!({"operation": "ListUsers", "effect": "reset"}));
    assert_eq!(list(), None);
    assert_eq!(calls(&running, "iam:ListUsers"), 6);
    for code in ["LimitExceeded", "ConcurrentModification"] {
        let before = calls(&running, "iam:ListUsers");
        let fault = json!({"operation": "ListUsers", "effect": "error", "code": code, "status": 409});
        control(&running, "faults", fault);
        assert_eq!(list().as_deref(), Some(code));
        assert_eq!(calls(&running, "iam:ListUsers"), before + 1);
    }
}

#[test]
fn a_version_is_made_twice_when_an_answer_is_lost() {
    let (running, clients, runtime) = scene();
    let arn = "arn:aws:iam::111122223333:policy/payments-api";
    let versions = || {
        let list = runtime.block_on(clients.iam.list_policy_versions().policy_arn(arn).send()).unwrap();
        list.versions().len()
    };
    let before = versions();
    control(&running, "faults", json!({"operation": "CreatePolicyVersion", "effect": "answer-lost"}));
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}"#;
    let made = clients.iam.create_policy_version().policy_arn(arn).policy_document(document).send();
    runtime.block_on(made).unwrap();
    assert_eq!(versions(), before + 2);
}

#[test]
fn errors_are_those_of_the_model_where_it_has_them() {
    let (running, clients, runtime) = scene();
    let missing = runtime.block_on(clients.iam.get_user().user_name("nobody").send()).unwrap_err().into_service_error();
    assert!(missing.is_no_such_entity_exception());
    assert!(aws_sdk_iam::operation::RequestId::request_id(&missing).is_some());
    let key = runtime.block_on(clients.iam.get_access_key_last_used().access_key_id("AKIANOBODYSKEY000000").send());
    assert_eq!(key.unwrap_err().into_service_error().code(), Some("NoSuchEntity"));
    let key = runtime.block_on(clients.kms.describe_key().key_id("nope").send()).unwrap_err().into_service_error();
    assert!(key.is_not_found_exception());
    control(&running, "pacing", json!({"over": "kms", "rate": 0.0, "burst": 0.0}));
    let key = runtime.block_on(clients.kms.describe_key().key_id("nope").send()).unwrap_err().into_service_error();
    assert_eq!(key.meta().code(), Some("ThrottlingException"));
}

#[test]
fn a_refreshed_session_does_not_find_its_job() {
    let (running, _, runtime) = scene();
    let session = || {
        let arn = "arn:aws:iam::111122223333:role/power-user";
        let made = control(&running, "credentials", json!({"arn": arn, "session": "nightly"}));
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let credentials =
            Credentials::new(text("AccessKeyId"), text("SecretAccessKey"), Some(text("SessionToken")), None, "test");
        Clients::new(&running.url(), REGION, &credentials)
    };
    runtime.block_on(async {
        let (before, after) = (session(), session());
        let start = before.iam.generate_service_last_accessed_details().arn(ROLE).send().await.unwrap();
        let get =
            |clients: &Clients| clients.iam.get_service_last_accessed_details().job_id(start.job_id().unwrap()).send();
        assert!(get(&before).await.is_ok());
        assert!(get(&after).await.unwrap_err().into_service_error().is_no_such_entity_exception());
    });
}
