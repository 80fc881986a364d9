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

#[test]
fn an_endpoint_that_is_no_url_is_told_by_its_setting_and_asked_once() {
    let scene = Scene::acme();
    let run = |name: &str, url: &str| {
        let mut command = scene.command(&["collect", "--snapshot", "snap", "--rate", "max", "--max-age", "0", "-v"]);
        command.env(name, url);
        answer(command.output().unwrap())
    };
    // Without IAM and STS nothing can be done.
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS"] {
        for (url, flaw) in [
            ("127.0.0.1:4566", "it begins neither with http:// nor with https://"),
            ("http://bob:HUNTER2@exa mple/", "it has a space, or a character that no URL has"),
            ("https://bob:HUNTER2@localhost:99999", "its port is no number from 1 to 65535"),
        ] {
            let refused = run(name, url);
            assert_eq!(refused.code, 1, "{refused:?}");
            let told = format!("Error: sts:GetCallerIdentity: {name} is no URL that can be asked: {flaw}\n");
            assert!(refused.stderr.contains(&told), "{refused:?}");
            assert!(!refused.stderr.contains("attempts") && !refused.stderr.contains("HUNTER2"), "{refused:?}");
        }
    }
    assert_eq!(scene.calls("GetCallerIdentity"), 0);
    let gap = run("AWS_ENDPOINT_URL_CLOUDTRAIL", "https://bob:HUNTER2@localhost:99999");
    assert_eq!(gap.code, 4, "{gap:?}");
    assert_eq!(scene.gaps(), [("grants.json".to_owned(), "refused".to_owned())]);
    let told = "cloudtrail:LookupEvents: AWS_ENDPOINT_URL_CLOUDTRAIL is no URL that can be asked: its port is no number from 1 to 65535\n";
    assert!(gap.stdout.contains(told), "{gap:?}");
    assert!(!gap.stderr.contains("attempt") && !(gap.stderr + &gap.stdout).contains("HUNTER2"));
}

#[test]
fn an_endpoint_of_a_profile_that_is_no_url_is_told_too() {
    let scene = Scene::small();
    fs::create_dir(scene.dir.path().join(".aws")).unwrap();
    fs::write(scene.dir.path().join(".aws/config"), "[default]\nendpoint_url = localhost:4566\n").unwrap();
    let mut command = scene.command(&["collect", "--snapshot", "snap"]);
    command.env_remove("AWS_ENDPOINT_URL");
    let refused = answer(command.output().unwrap());
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.stderr.contains("the `endpoint_url` of STS in the profile is no URL that can be asked"),
        "{refused:?}"
    );
}

#[test]
fn the_scheme_of_an_endpoint_may_be_written_in_capitals() {
    let scene = Scene::acme();
    let expected = scene.collect_all(&[]);
    let mut command = scene.command(&["collect", "--snapshot", "snap", "--rate", "max", "--max-age", "0"]);
    command.env("AWS_ENDPOINT_URL", scene.cloud.running.url().replace("http://", "HTTP://"));
    let done = answer(command.output().unwrap());
    assert_eq!(done.code, 0, "{done:?}");
    assert_same(&scene.content(), &expected);
}
