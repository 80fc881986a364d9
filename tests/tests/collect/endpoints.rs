//! Each service may have an endpoint of its own.

use std::fs;

use super::scene::{Scene, answer, assert_same};

const SERVICES: [&str; 5] = ["iam", "sts", "kms", "cloudtrail", "account"];

/// Where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn the_endpoint_of_a_service_counts_before_that_of_all() {
    let scene = Scene::acme();
    let expected = scene.collect_all(&[]);
    let words = ["collect", "--snapshot", "snap", "--rate", "max", "--max-age", "0"];
    let mut command = scene.command(&words);
    command.env("AWS_ENDPOINT_URL", NOWHERE);
    for service in SERVICES {
        command.env(format!("AWS_ENDPOINT_URL_{}", service.to_uppercase()), scene.cloud.running.url());
    }
    let by_environment = answer(command.output().unwrap());
    assert_eq!(by_environment.code, 0, "{by_environment:?}");
    assert_same(&scene.content(), &expected);
    let url = scene.cloud.running.url();
    let sections = SERVICES.map(|service| format!("{service} =\n  endpoint_url = {url}\n")).concat();
    let config = format!("[default]\nendpoint_url = {NOWHERE}\nservices = local\n\n[services local]\n{sections}");
    fs::create_dir(scene.dir.path().join(".aws")).unwrap();
    fs::write(scene.dir.path().join(".aws/config"), config).unwrap();
    let mut command = scene.command(&words);
    command.env_remove("AWS_ENDPOINT_URL");
    let by_file = answer(command.output().unwrap());
    assert_eq!(by_file.code, 0, "{by_file:?}");
    assert_same(&scene.content(), &expected);
}

#[test]
fn a_service_whose_endpoint_is_nowhere_is_a_gap() {
    let scene = Scene::acme();
    for (service, url, subject, expected) in [
        ("KMS", NOWHERE, ":kms:", "unreachable"),
        ("KMS", "not a url", ":kms:", "refused"),
        ("CLOUDTRAIL", NOWHERE, "grants.json", "unreachable"),
        ("ACCOUNT", NOWHERE, "regions.json", "unreachable"),
    ] {
        let mut command = scene.command(&["collect", "--snapshot", "snap", "--rate", "max", "--max-age", "0"]);
        command.env(format!("AWS_ENDPOINT_URL_{service}"), url);
        let done = answer(command.output().unwrap());
        assert_eq!(done.code, 4, "{done:?}");
        let gaps = scene.gaps();
        assert!(gaps.iter().all(|(of, kind)| of.contains(subject) && kind == expected), "{gaps:?}");
    }
}

#[test]
fn an_endpoint_that_is_set_and_empty_is_refused_before_anything_is_asked() {
    let scene = Scene::small();
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_KMS"] {
        let mut command = scene.command(&["collect", "--snapshot", "snap"]);
        command.env(name, "");
        let refused = answer(command.output().unwrap());
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains(&format!("{name} is set and empty: unset it")), "{refused:?}");
        assert!(!scene.snapshot().exists());
    }
    assert_eq!(scene.calls("GetCallerIdentity"), 0);
}
