//! Access keys and KMS keys, in a whole account.

use super::*;
use crate::account::sketch::NOW;
use crate::account::{GrantEvent, GrantHistory};
use crate::rules::{KmsPruning, SourceRule};

/// Users `ann` and `bob`, each with an idle key; `bob` used nothing at all.
fn users() -> Sketch {
    Sketch::new()
        .principal("user/ann")
        .principal("user/bob")
        .report("user/ann", "s3 2026-10-09")
        .report("user/bob", "s3 -")
        .access_key("user/ann", "AKIAANN", "2024-01-01", "2026-01-01")
        .access_key("user/bob", "AKIABOB", "2024-01-01", "-")
}

fn words(account: &Account, settings: &Settings, rules: &Rules) -> String {
    let inputs = Inputs::new(account, settings, rules, NOW.parse().unwrap());
    let analysis = Analysis::new(inputs).unwrap();
    let words: Vec<String> =
        analysis.access_keys().iter().map(|key| format!("{} {}", key.address, key.verdict.as_str())).collect();
    words.join(", ")
}

#[test]
fn who_keeps_idle_keys() {
    let globs = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let keep = |principals: &[&str], actions: &[&str], policies: &[&str], expires: Option<&str>| KeepRule {
        actions: actions.iter().map(|text| ActionPattern::new(text)).collect(),
        principals: globs(principals),
        policies: globs(policies),
        reason: "x".to_owned(),
        expires: expires.map(|date| Expiry(date.parse().unwrap())),
    };
    let ignore = |principals: &[&str]| IgnoreRule {
        principals: globs(principals),
        policies: Vec::new(),
        paths: Vec::new(),
        tags: Vec::new(),
        reason: "x".to_owned(),
        expires: None,
    };
    let check = |change: &dyn Fn(&mut Rules, &mut Account, &mut Settings), expect: &str| {
        let (mut rules, mut account, mut settings) = (Rules::default(), users().build(), Settings::default());
        change(&mut rules, &mut account, &mut settings);
        let got = words(&account, &settings, &rules);
        assert_eq!(got.split(", ").next().unwrap(), format!("user/ann/key/AKIAANN {expect}"));
    };
    check(&|_, _, _| {}, "idle-key");
    check(&|rules, _, _| rules.keep.push(keep(&["user/ann"], &[], &[], None)), "protected");
    check(&|rules, _, _| rules.keep.push(keep(&["*"], &[], &[], Some("2026-10-09"))), "rule-expired");
    check(&|rules, _, _| rules.keep.push(keep(&["*"], &[], &[], Some("2026-01-01"))), "idle-key");
    check(&|rules, _, _| rules.keep.push(keep(&["user/ann"], &["s3:*"], &[], None)), "idle-key");
    check(&|rules, _, _| rules.keep.push(keep(&["user/ann"], &[], &["p"], None)), "idle-key");
    check(&|rules, _, _| rules.keep.push(keep(&["user/bob"], &[], &[], None)), "idle-key");
    check(&|rules, _, _| rules.ignore.push(ignore(&["user/ann"])), "ignored");
    check(&|_, account, _| account.caller_arn = "arn:aws:iam::111122223333:user/ann".parse().ok(), "left-alone");
    check(&|_, account, _| account.principals[0].tags.push(tag("ManagedBy", "terraform")), "left-alone");
    check(&|_, account, _| account.principals[0].tags.push(tag("aws:cloudformation:stack-name", "s")), "left-alone");
    let source = || SourceRule { policy: "user/ann/key/*".to_owned(), file: "iam.tf".to_owned() };
    check(&|rules, _, _| rules.source.push(source()), "left-alone");
    check(&|_, account, _| account.reports.clear(), "idle-key");
    check(&|_, account, _| account.started_at = None, "no-evidence");
    check(&|_, account, _| account.started_at = time("2026-10-03T05:00:00Z"), "no-evidence");
    check(&|_, _, settings| settings.max_key_idle_days = 400, "used");
    for (name, user, expect) in [
        ("UpdateAccessKey", Some("ann"), "too-recent"),
        ("UpdateAccessKey", None, "too-recent"),
        ("UpdateAccessKey", Some("bob"), "idle-key"),
        ("CreateAccessKey", Some("ann"), "idle-key"),
    ] {
        check(&|_, account, _| account.grants = Some(history(name, user)), expect);
    }
}

#[test]
fn who_was_renamed_since_may_have_had_a_key_switched_on() {
    let check = |calls: &[(&str, &str, &str)], to: &str, expect: &str| {
        let mut account = users().build();
        let mut told = history("", None);
        told.to = time(to).unwrap();
        told.events = (calls.iter())
            .map(|(day, name, user)| {
                let mut event = history(name, Some(*user)).events.remove(0);
                event.time = time(day).unwrap();
                event
            })
            .collect();
        account.grants = Some(told);
        let got = words(&account, &Settings::default(), &Rules::default());
        assert_eq!(got.split(", ").next().unwrap(), format!("user/ann/key/AKIAANN {expect}"), "{calls:?}");
    };
    let switched = ("2026-10-01", "UpdateAccessKey", "before");
    check(&[switched, ("2026-10-02", "UpdateUser", "before")], NOW, "too-recent");
    check(&[switched, ("2026-10-01", "UpdateUser", "before")], NOW, "too-recent");
    // Names change hands.
    check(&[("2026-10-01", "UpdateAccessKey", "bob"), ("2026-10-02", "UpdateUser", "bob")], NOW, "too-recent");
    check(&[("2026-09-30", "UpdateUser", "before"), ("2026-10-01", "UpdateAccessKey", "bob")], NOW, "idle-key");
    // A history that is whole shows that nobody was renamed: it was of somebody who is gone.
    check(&[switched], NOW, "idle-key");
    check(&[switched], "2026-10-09", "too-recent");
    check(&[("2026-10-01", "UpdateAccessKey", "bob")], "2026-10-09", "idle-key");
}

fn tag(key: &str, value: &str) -> crate::account::Tag {
    crate::account::Tag { key: key.to_owned(), value: value.to_owned() }
}

fn history(name: &str, user: Option<&str>) -> GrantHistory {
    let event = GrantEvent {
        time: time("2026-10-01").unwrap(),
        name: name.to_owned(),
        user_name: user.map(str::to_owned),
        role_name: None,
        group_name: None,
        policy_name: None,
        policy_arn: None,
    };
    GrantHistory { from: time("2026-07-01").unwrap(), to: time(NOW).unwrap(), events: vec![event] }
}

#[test]
fn dormant_users_are_only_advised_on() {
    let (rules, mut settings) = (Rules::default(), Settings::default());
    let all = |settings: &Settings| words(&users().build(), settings, &rules);
    assert_eq!(all(&settings), "user/ann/key/AKIAANN idle-key, user/bob/key/AKIABOB dormant");
    settings.dormant = crate::rules::Dormant::Prune;
    assert_eq!(all(&settings), "user/ann/key/AKIAANN idle-key, user/bob/key/AKIABOB unused-key");
}

/// A role that uses S3, and may use KMS keys that nobody uses.
fn worker(statements: &str) -> Sketch {
    let text = format!("{{\"Statement\":[{statements}]}}");
    Sketch::new()
        .principal("role/w")
        .inline("role/w", "p", &text)
        .report("role/w", "s3 2026-10-09\nkms -: Decrypt, Encrypt, DescribeKey")
        .kms_key("arn:aws:kms:eu-west-1:111122223333:key/a", "2026-05-01", "2026-05-01", "-")
        .kms_key("arn:aws:kms:eu-west-1:111122223333:key/b", "2026-05-01", "2026-05-01", NOW)
}

#[test]
fn unused_keys_lift_the_protection_of_what_services_do_and_both_paths_agree() {
    let check = |sketch: Sketch, kms: KmsPruning, expect: &str| {
        let (account, rules) = (sketch.build(), Rules::default());
        let settings = Settings { kms, ..Settings::default() };
        let inputs = Inputs::new(&account, &settings, &rules, NOW.parse().unwrap());
        let analysis = Analysis::new(inputs).unwrap();
        let policy = analysis.graph().policies().next().unwrap();
        let judged = analysis.policy(policy).unwrap();
        let removable: Vec<&str> = judged.removable.iter().map(|id| analysis.catalog().name(id)).collect();
        let mut by_verdict = Vec::new();
        analysis.verdicts(policy, &judged.holders[0], judged.granted.iter(), |id, verdict| {
            by_verdict.extend(verdict.removal().map(|_| analysis.catalog().name(id)));
        });
        assert_eq!(removable, by_verdict);
        assert_eq!(removable.join(" "), expect);
    };
    let allow = |key: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":["kms:Decrypt","kms:Encrypt","kms:DescribeKey"],"Resource":"arn:aws:kms:eu-west-1:111122223333:key/{key}"}}"#
        )
    };
    check(worker(&allow("a")), KmsPruning::Prune, "Decrypt Encrypt");
    check(worker(&allow("a")), KmsPruning::Advise, "");
    check(worker(&allow("a")), KmsPruning::Off, "");
    check(worker(&allow("b")), KmsPruning::Prune, "");
    check(worker(&format!("{},{}", allow("a"), allow("b"))), KmsPruning::Prune, "");
    // What runs under the role may use it all the same.
    let runtime = |service: &str| {
        let trust = format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        worker(&allow("a")).change("role/w", |role| role.trust = Some(Document::new(trust.as_str())))
    };
    check(runtime("ecs-tasks.amazonaws.com"), KmsPruning::Prune, "Encrypt");
    check(runtime("ec2.amazonaws.com"), KmsPruning::Prune, "Decrypt Encrypt");
}
