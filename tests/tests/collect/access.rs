//! Credentials, and what is told while it goes on.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use secateur_tests::emulator::{OPERATOR_KEY, OPERATOR_SECRET, Options};
use serde_json::{Value, json};

use super::scene::{Scene, acme, answer};

#[test]
fn a_profile_and_a_role_are_taken_from_the_files_of_the_command_line() {
    let scene = Scene::small();
    let home = scene.dir.path().join(".aws");
    fs::create_dir(&home).unwrap();
    fs::write(
        home.join("credentials"),
        format!("[base]\naws_access_key_id = {OPERATOR_KEY}\naws_secret_access_key = {OPERATOR_SECRET}\n"),
    )
    .unwrap();
    fs::write(
        home.join("config"),
        format!("[profile base]\nregion = eu-west-1\nendpoint_url = {}\n", scene.cloud.running.url()),
    )
    .unwrap();
    let mut command = scene.command(&["collect", "--snapshot", "snap", "--rate", "max", "--profile", "base"]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"] {
        command.env_remove(name);
    }
    let done = answer(command.output().unwrap());
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(scene.manifest()["endpoint"], scene.cloud.running.url());
}

#[test]
fn without_credentials_or_with_wrong_ones_the_help_says_what_to_do() {
    let scene = Scene::small();
    let mut command = scene.command(&["collect", "--snapshot", "snap"]);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let none = answer(command.output().unwrap());
    assert_eq!(none.code, 1, "{none:?}");
    assert!(none.stderr.contains("Error: sts:GetCallerIdentity: no credentials"), "{none:?}");
    // Where it looked is told, and not only that it did.
    assert!(none.stderr.contains("Attempted: Environment: ") && none.stderr.contains("; Profile: "), "{none:?}");
    assert!(none.stderr.contains("help: `aws sso login` for IAM Identity Center"), "{none:?}");
    let mut command = scene.command(&["collect", "--snapshot", "snap"]);
    command.env("AWS_ACCESS_KEY_ID", "AKIANOBODY");
    let wrong = answer(command.output().unwrap());
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(
        wrong.stderr.contains("InvalidClientTokenId") && wrong.stderr.contains("help: set AWS_ACCESS_KEY_ID"),
        "{wrong:?}"
    );
    assert!(!scene.snapshot().exists());
}

#[test]
fn a_profile_that_is_not_there_is_told_with_those_that_are() {
    let scene = Scene::small();
    let home = scene.dir.path().join(".aws");
    let run = |more: &[&str], profile: Option<&str>| {
        let mut command = scene.command(&[&["collect", "--snapshot", "snap"], more].concat());
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        command.envs(profile.map(|profile| ("AWS_PROFILE", profile)));
        let refused = answer(command.output().unwrap());
        assert_eq!(refused.code, 1, "{refused:?}");
        refused.stderr
    };
    let said = run(&["--profile", "nope"], None);
    let message = "Error: sts:GetCallerIdentity: no credentials: there is no profile `nope`: neither ~/.aws/config nor \
                   ~/.aws/credentials";
    assert!(
        said.contains(&format!("{message} has any\n  help: make it: `aws configure sso --profile nope`")),
        "{said}"
    );
    fs::create_dir(&home).unwrap();
    fs::write(home.join("config"), "[profile audit]\nregion = eu-west-1\n").unwrap();
    fs::write(home.join("credentials"), "[base]\naws_access_key_id = x\naws_secret_access_key = x\n").unwrap();
    for said in [run(&["--profile", "nope"], None), run(&[], Some("nope"))] {
        let told =
            format!("{message} has it; there is `audit`, `base`\n  help: name another with --profile, or make it: ");
        assert!(said.contains(&told), "{said}");
    }
    // The SDK would take the key of the environment.
    let both = scene.run(&["collect", "--snapshot", "snap", "--profile", "base"]);
    assert_eq!(both.code, 1, "{both:?}");
    assert!(both.stderr.contains("AWS_ACCESS_KEY_ID is set, and goes before --profile base"), "{both:?}");
    let unset = "`env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN` before the same command";
    assert!(both.stderr.contains(unset), "{both:?}");
    // A key without its secret is none, and the profile counts.
    let mut half = scene.command(&["collect", "--snapshot", "snap"]);
    half.env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_PROFILE", "nope");
    let half = answer(half.output().unwrap());
    assert!(half.code == 1 && half.stderr.contains(message), "{half:?}");
    // One that is there and leads nowhere, which the SDK passes over.
    let typo = "[profile typo]\nrole-arn = arn:aws:iam::111122223333:role/x\nsource_profile = base\n";
    let itself = "[profile itself]\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = itself\n";
    fs::write(home.join("config"), format!("[profile audit]\nregion = eu-west-1\n{typo}{itself}")).unwrap();
    for (profile, why) in
        [("typo", "it has `role-arn`, which is no setting"), ("itself", "its `source_profile` is itself")]
    {
        for said in [run(&["--profile", profile], None), run(&[], Some(profile))] {
            let told = format!("no credentials: the profile `{profile}` leads to none: {why}");
            assert!(said.contains(&told) && said.contains("help: mend the profile: "), "{said}");
        }
    }
    // One of a Region alone may go with credentials from elsewhere.
    let said = run(&["--profile", "audit"], None);
    assert!(said.contains("no credentials") && said.contains("Attempted: Environment: "), "{said}");
    assert_eq!(scene.calls("GetCallerIdentity"), 0);
}

#[test]
fn every_call_is_told_with_its_request_id_and_no_secret() {
    let mut scene = Scene::acme();
    scene.become_session("arn:aws:iam::111122223333:role/security-audit");
    let told = scene.collect(&["-v"]);
    assert_eq!(told.code, 0, "{told:?}");
    let calls = scene.cloud.running.control("GET", "calls", &Value::Null).unwrap();
    let calls = calls["calls"].as_array().or(calls.as_array()).unwrap().clone();
    for call in &calls {
        let id = call["request_id"].as_str().unwrap();
        assert!(told.stderr.contains(id), "{call}");
    }
    let command = scene.command(&[]);
    for (name, value) in command.get_envs() {
        let name = name.to_str().unwrap();
        if ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].contains(&name) {
            let secret = value.unwrap().to_str().unwrap();
            assert!(!told.stderr.contains(secret) && !told.stdout.contains(secret), "{name} is told");
        }
    }
}

#[test]
fn without_a_terminal_there_are_milestones_and_quietly_there_are_none() {
    let scene = Scene::small();
    let told = scene.collect(&[]);
    assert!(
        told.stderr.contains("Reading users, groups, roles and policies\nReading reports, keys and tags\n"),
        "{told:?}"
    );
    assert!(told.stderr.contains("Reports: "), "{told:?}");
    assert!(!told.stderr.contains('\u{1b}'), "{told:?}");
    let quiet = scene.collect(&["-q"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""), "{quiet:?}");
}

#[test]
fn the_default_place_is_kept_out_of_git() {
    let scene = Scene::small();
    let done = scene.run(&["collect", "--rate", "max"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(scene.dir.path().join(".secateur/snapshot/manifest.json").is_file());
    assert_eq!(fs::read_to_string(scene.dir.path().join(".secateur/.gitignore")).unwrap(), "*\n");
    let planned = scene.run(&["plan"]);
    assert_eq!(planned.code, 0, "{planned:?}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_a_snapshot() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::small();
    scene.collect_all(&[]);
    let mut folders = vec![scene.snapshot()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", entry.path().display());
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
        }
    }
}

#[test]
fn what_a_session_that_expires_costs_is_told_too() {
    let scene = Scene::acme();
    scene.control("faults", json!({"operation": "reads", "skip": 6, "effect": "expire-session"}));
    let told = scene.collect(&["-v", "--role-arn", "arn:aws:iam::111122223333:role/security-audit"]);
    let calls = scene.cloud.running.control("GET", "calls", &Value::Null).unwrap();
    let calls = calls["calls"].as_array().or(calls.as_array()).unwrap().clone();
    // The SDK assumes the role by itself.
    let of_ours = calls.iter().filter(|call| call["operation"] != "AssumeRole" && call["operation"] != "assumeRole");
    for call in of_ours {
        assert!(told.stderr.contains(call["request_id"].as_str().unwrap()), "{call}: {told:?}");
    }
    assert!(told.stderr.matches("sts:GetCallerIdentity: done").count() >= 2, "{told:?}");
    assert!(told.stderr.contains("ExpiredToken"), "{told:?}");
}

#[test]
fn a_rate_is_never_exceeded() {
    let scene = Scene::small();
    scene.control("clock", json!({"frozen": false}));
    // The binary is built by then.
    drop(scene.command(&[]));
    let begun = Instant::now();
    let done = scene.run(&["collect", "--snapshot", "snap", "--rate", "20"]);
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(done.code, 0, "{done:?}");
    let counts = scene.cloud.running.control("GET", "calls/counts", &Value::Null).unwrap();
    let calls = counts["calls"].as_f64().unwrap();
    assert!(calls > 40.0, "{calls}");
    // The first of each lane goes at once, and a coarse clock may be caught up with.
    assert!((calls - 3.0) / seconds <= 20.0, "{calls} calls in {seconds} s");
}

#[test]
fn on_a_terminal_there_is_a_bar_with_counts_rate_and_time_left() {
    if !Path::new("/usr/bin/script").exists() {
        println!("skipped: there is no `script` here");
        return;
    }
    let options = Options { account: Some(acme()), job_seconds: Some((0.5, 1.5)), ..Options::default() };
    let scene = Scene::with(options);
    let fault = json!({"operation": "GetServiceLastAccessedDetails", "skip": 5, "count": 3, "effect": "throttle"});
    scene.control("faults", fault);
    let own = scene.command(&[]);
    let line = format!("{} collect --snapshot snap --rate max", own.get_program().to_string_lossy());
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).current_dir(scene.dir.path()).env_clear().env("TERM", "xterm");
    script.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let shown = answer(script.stdin(Stdio::null()).output().unwrap());
    assert_eq!(shown.code, 0, "{shown:?}");
    let bar = |text: &str| shown.stdout.split(['\r', '\u{1b}']).any(|line| line.contains(text));
    for part in ["Reading users, groups", "Reports: ", " of 49, ", " calls a second", " throttled", " left"] {
        assert!(bar(part), "{part:?} is not in {}", shown.stdout);
    }
    assert!(shown.stdout.contains("Collected account 111122223333 into snap"), "{shown:?}");
}

#[test]
fn a_role_that_asks_for_an_external_id_is_assumed_with_it_alone() {
    let scene = Scene::acme();
    let caller = "arn:aws:iam::111122223333:role/security-audit";
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"AWS": caller}, "Condition": {"StringEquals": {"sts:ExternalId": "blue"}}}]});
    scene.cloud.iam("CreateRole", &[("RoleName", "outside"), ("AssumeRolePolicyDocument", &trust.to_string())]);
    let allowed = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    for role in ["outside", "security-audit"] {
        let own = [("RoleName", role), ("PolicyName", "own"), ("PolicyDocument", &allowed.to_string() as &str)];
        scene.cloud.iam("PutRolePolicy", &own);
    }
    scene.control("behaviour", json!({"enforce": true}));
    let role = ["--role-arn", "arn:aws:iam::111122223333:role/outside", "--session-name", "audit"];
    for id in [&[][..], &["--external-id", "red"]] {
        let refused = scene.collect(&[&role[..], id].concat());
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains("sts:AssumeRole: AccessDenied"), "{refused:?}");
        assert!(
            refused.stderr.contains("help: allow `sts:AssumeRole` on arn:aws:iam::111122223333:role/outside"),
            "{refused:?}"
        );
    }
    scene.collect_all(&[&role[..], &["--external-id", "blue"]].concat());
    let caller = "arn:aws:sts::111122223333:assumed-role/outside/audit";
    assert_eq!(scene.manifest()["caller_arn"], caller);
}
