use secateur_analyzer::account::sketch::{NOW, Sketch, time};
use secateur_analyzer::account::{
    Account, Document, GrantEvent, GrantHistory, Granularity, KeyLastUsed, PolicyVersion,
};
use secateur_analyzer::analysis::Inputs;
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::rules::{Rules, Settings};

use super::super::*;
use super::*;
use crate::rewrite::cover::Wildcards;

const UNUSED: &str = "arn:aws:kms:eu-west-1:111122223333:key/u";
const USED: &str = "arn:aws:kms:eu-west-1:111122223333:key/a";

/// A role that uses S3 and decrypts, with a policy in which `U` and `A` stand for an unused key and one in use.
fn sketch(text: &str) -> Sketch {
    let text = text.replace("\"U\"", &format!("\"{UNUSED}\"")).replace("\"A\"", &format!("\"{USED}\""));
    Sketch::new()
        .principal("role/r")
        .report("role/r", "s3 2026-10-09\nkms 2026-10-09: Decrypt=2026-10-09, Encrypt=2026-10-09, Sign, Verify")
        .kms_key(UNUSED, "2026-05-01", "2026-05-01", "-")
        .kms_key(USED, "2026-05-01", "2026-05-01", "2026-10-09")
        .inline("role/r", "p", &text)
}

fn with_plan(account: &Account, kms: KmsPruning, then: impl FnOnce(&Plan)) {
    with_plan_by(account, kms, RewriteSettings::default(), then);
}

fn with_plan_by(account: &Account, kms: KmsPruning, rewrite: RewriteSettings, then: impl FnOnce(&Plan)) {
    let settings = Settings { kms, ..Settings::default() };
    let rules = Rules::default();
    let inputs = Inputs::new(account, &settings, &rules, time(NOW).unwrap());
    let analysis = Analysis::new(inputs).unwrap();
    let options =
        PlanOptions { rewrite, ..PlanOptions::new(InputFile { path: "snapshot".to_owned(), sha256: sha256_of(b"") }) };
    let built = build(&analysis, &options);
    assert!(built.unproved.is_empty(), "{:?}", built.unproved);
    assert_eq!(verify(&built.plan, &analysis, &options), Ok(()));
    assert_eq!(built.plan.window.kms, kms.as_str());
    then(&built.plan);
}

/// Compares what becomes of the policy: what is done, its text after, the keys, and the removed actions.
fn check(sketch: Sketch, expect: &[&str]) {
    with_plan(&sketch.build(), KmsPruning::Prune, |plan| {
        let change = |change: &Change| {
            let after = change.after.as_deref().unwrap_or("-").replace(UNUSED, "U").replace(USED, "A");
            let keys: Vec<String> =
                change.resources.iter().map(|cut| format!("{}:{}", cut.statement, cut.arn.name())).collect();
            let actions: Vec<&str> =
                change.removed.iter().flat_map(|removed| &removed.actions).map(String::as_str).collect();
            assert_eq!(change.proof.resources, keys.len());
            format!("{} {after} [{}] [{}]", change.address, keys.join(" "), actions.join(" "))
        };
        assert_eq!(plan.changes.iter().map(change).collect::<Vec<_>>(), expect);
    });
}

#[test]
fn keys_leave_alone_or_with_actions() {
    let crypto = r#"{"Statement":[{"Effect":"Allow","Action":["kms:Decrypt","kms:Encrypt"],"Resource":["U","A"]}]}"#;
    let after = crypto.replace("\"U\",", "");
    check(sketch(crypto), &[&format!("role/r/inline/p {after} [1:u] []")]);
    let more = crypto.replace("kms:Encrypt", "kms:GenerateDataKey*");
    check(sketch(&more), &[&format!("role/r/inline/p {} [1:u] []", more.replace("\"U\",", ""))]);
    // What services may do on the role's behalf is protected where a key is in use.
    let sign = crypto.replace("kms:Encrypt", "kms:Sign");
    let after = sign.replace(",\"kms:Sign\"", "").replace("\"U\",", "");
    check(sketch(&sign), &[&format!("role/r/inline/p {after} [1:u] [kms:Sign]")]);
    let mixed = crypto.replace("kms:Encrypt", "kms:DescribeKey");
    check(sketch(&mixed), &[]);
    // A statement that listed more as its author wrote it keeps its keys, also when that goes.
    let more = crypto.replace("kms:Encrypt", "kms:DisableKey");
    let report = "s3 2026-10-09\nkms 2026-10-09: Decrypt=2026-10-09, DisableKey";
    let after = more.replace(",\"kms:DisableKey\"", "");
    check(sketch(&more).report("role/r", report), &[&format!("role/r/inline/p {after} [] [kms:DisableKey]")]);
}

#[test]
fn what_is_left_of_nothing_goes() {
    // AWS does not report the use of `ReEncryptFrom`: only the key tells.
    let alone = r#"{"Statement":{"Effect":"Allow","Action":"kms:ReEncryptFrom","Resource":"U"}}"#;
    check(sketch(alone), &["role/r/inline/p - [1:u] []"]);
    let managed = sketch(&alone.replace("\"U\"", "\"A\""))
        .managed("policy/M", &alone.replace("\"U\"", &format!("\"{UNUSED}\"")))
        .attach("role/r", "policy/M");
    check(managed, &["role/r/attached/M - [1:u] []"]);
    let denies = r#"{"Statement":[{"Effect":"Allow","Action":"kms:ReEncryptFrom","Resource":"U"},{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
    let after = r#"{"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
    check(sketch(denies), &[&format!("role/r/inline/p {after} [1:u] []")]);
    // Where the actions may go anyway, they go for their own reason.
    let sign = r#"{"Statement":{"Effect":"Allow","Action":["kms:Sign","kms:Verify"],"Resource":"U"}}"#;
    check(sketch(sign), &["role/r/inline/p - [] [kms:Sign kms:Verify]"]);
}

#[test]
fn patterns_that_became_names_are_named_as_frozen_beside_keys() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":["kms:Decrypt","kms:*Mac"],"Resource":["U","A"]}}"#;
    let account = sketch(text)
        .report("role/r", "s3 2026-10-09\nkms 2026-10-09: Decrypt=2026-10-09, GenerateMac, VerifyMac=2026-10-09");
    with_plan(&account.build(), KmsPruning::Prune, |plan| {
        let [change] = plan.changes.as_slice() else { panic!("{:?}", plan.changes) };
        assert_eq!(change.frozen.iter().map(|frozen| frozen.pattern.as_str()).collect::<Vec<_>>(), ["kms:*Mac"]);
        assert_eq!(change.resources.len(), 1);
        let text = crate::render::text(plan, crate::render::Style::Plain);
        let line = format!("      - {UNUSED} leaves statement 1: never used since its creation on 2026-05-01\n");
        assert!(text.contains(&line) && text.contains("takes 1 KMS key out of Resource lists"), "{text}");
        let page = crate::render::markdown(plan, crate::render::MAX_BYTES);
        assert!(page.contains("removes 1 action, takes out 1 KMS key (risk: 1 write)"), "{page}");
        assert!(page.contains(&format!("# {UNUSED} leaves statement 1")), "{page}");
    });
}

#[test]
fn advice_changes_nothing() {
    let text = r#"{"Statement":[{"Sid":"D","Effect":"Allow","Action":"kms:Decrypt","Resource":["U","A"]},{"Effect":"Allow","Action":"kms:ReEncryptFrom","Resource":"U"}]}"#;
    with_plan(&sketch(text).build(), KmsPruning::Advise, |plan| {
        assert!(plan.changes.is_empty());
        let advice: Vec<_> = plan.advice.iter().filter(|advice| advice.kind == "kms-keys").collect();
        let [line] = advice.as_slice() else { panic!("{advice:?}") };
        assert_eq!(line.subject, "role/r/inline/p");
        assert_eq!(
            line.detail,
            format!(
                "{UNUSED} (never used since its creation on 2026-05-01) could leave statement 1 \"D\"; {UNUSED} (never used \
                 since its creation on 2026-05-01) could leave statement 2, and with them the statement; kms = \"prune\" \
                 takes them out"
            )
        );
    });
    with_plan(&sketch(text).build(), KmsPruning::Off, |plan| {
        assert!(plan.changes.is_empty() && plan.advice.iter().all(|advice| advice.kind != "kms-keys"));
    });
}

#[test]
fn what_would_be_withheld_is_no_advice() {
    let text = r#"{"Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":["U","A"]}]}"#;
    let check = |sketch: Sketch| {
        for kms in [KmsPruning::Advise, KmsPruning::Prune] {
            with_plan(&sketch.clone().build(), kms, |plan| {
                assert!(plan.changes.is_empty(), "{:?}", plan.changes);
                assert!(plan.advice.iter().all(|advice| advice.kind != "kms-keys"), "{:?}", plan.advice);
            });
        }
    };
    let mut without_report = sketch(text);
    without_report.account.reports.clear();
    check(without_report);
    check(sketch(text).report("role/r", "s3 -"));
}

#[test]
fn statements_that_differ_in_actions_alone_are_judged_apart() {
    let statement =
        |actions: &str, keys: &str| format!(r#"{{"Effect":"Allow","Action":[{actions}],"Resource":[{keys}]}}"#);
    let document = |statements: &[String]| format!("{{\"Statement\":[{}]}}", statements.join(","));
    let both = "\"U\",\"A\"";
    // KMS records no use of `DescribeKey`: its statement keeps the key.
    let (crypt, describe) = ("\"kms:Decrypt\"", "\"kms:DescribeKey\"");
    for (first, second) in [(crypt, describe), (describe, crypt)] {
        let left = |actions| statement(actions, if actions == crypt { "\"A\"" } else { both });
        let after = document(&[left(first), left(second)]);
        let cut = if first == crypt { "1:u" } else { "2:u" };
        let before = document(&[statement(first, both), statement(second, both)]);
        check(sketch(&before), &[&format!("role/r/inline/p {after} [{cut}] []")]);
    }
    // Of two that are equal both lose it.
    let (before, after) = (statement(crypt, both), statement(crypt, "\"A\""));
    check(
        sketch(&document(&[before.clone(), before])),
        &[&format!("role/r/inline/p {} [1:u 2:u] []", document(&[after.clone(), after]))],
    );
    // One that goes whole is not taken for the next, which becomes what it is.
    let (alone, more) = (statement("\"kms:ReEncryptFrom\"", "\"U\""), statement("\"kms:ReEncryptFrom\"", both));
    let left = statement("\"kms:ReEncryptFrom\"", "\"A\"");
    check(sketch(&document(&[alone, more])), &[&format!("role/r/inline/p {} [1:u 2:u] []", document(&[left]))]);
}

#[test]
fn a_statement_that_a_report_contradicts_stays_and_another_goes() {
    // Only the two allow what the report shows in use: one of them stays.
    let statement = r#"{"Effect":"Allow","Action":"kms:Sign","Resource":"U"}"#;
    let before = format!(
        "{{\"Statement\":[{statement},{{\"Effect\":\"Allow\",\"Action\":\"kms:Sign\",\"Resource\":[\"U\"]}}]}}"
    );
    let used = "s3 2026-10-09\nkms 2026-10-09: Decrypt, Sign=2026-10-09";
    with_plan(&sketch(&before).report("role/r", used).build(), KmsPruning::Prune, |plan| {
        assert!(plan.withheld.iter().any(|withheld| withheld.reason == "contradicted"), "{:?}", plan.withheld);
    });
}

#[test]
fn keys_that_leave_by_an_assumed_date_are_counted() {
    let text = r#"{"Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":["U","A"]}]}"#;
    let account = sketch(text).build();
    assert!(account.grants.is_none());
    with_plan(&account, KmsPruning::Prune, |plan| {
        assert_eq!((plan.summary.removed_actions, plan.summary.assumed_grant_dates), (0, 1));
        let text = crate::render::text(plan, crate::render::Style::Plain);
        let end = "Removes 0 actions, takes 1 KMS key out of Resource lists.\n\
                   Of this, 1 KMS key rests on an assumed date of grant (unknown_grant_date = \"assume-old\").\n";
        assert!(text.contains(end), "{text}");
        let page = crate::render::markdown(plan, crate::render::MAX_BYTES);
        let end = "\nOf this, 1 KMS key rests on an assumed date of grant (`unknown_grant_date = \"assume-old\"`).\n";
        assert!(page.contains(end), "{page}");
    });
    // Each key once, and actions apart from keys.
    let more = r#"{"Statement":[{"Effect":"Allow","Action":["kms:Decrypt","kms:Sign","kms:Verify"],"Resource":["U","A"]},
        {"Effect":"Allow","Action":"kms:Encrypt","Resource":["U","A"]}]}"#;
    with_plan(&sketch(more).build(), KmsPruning::Prune, |plan| {
        assert_eq!((plan.summary.assumed_grant_dates, plan.summary.assumed_kms_keys), (3, 1));
        let text = crate::render::text(plan, crate::render::Style::Plain);
        assert!(text.contains("\nOf this, 2 actions and 1 KMS key rest on an assumed date of grant"), "{text}");
    });
    let mut told = account;
    told.grants = Some(GrantHistory { from: time("2026-01-01").unwrap(), to: time(NOW).unwrap(), events: Vec::new() });
    with_plan(&told, KmsPruning::Prune, |plan| {
        assert_eq!((plan.changes.len(), plan.summary.assumed_grant_dates), (1, 0));
    });
}

/// Twenty unused keys and one in use, with statements that names make longer than they are.
fn long(statements: &str) -> (Sketch, String) {
    let mut keys: Vec<String> = (0..20)
        .map(|at| format!("arn:aws:kms:eu-west-1:111122223333:key/{at:08}-0000-0000-0000-000000000000"))
        .collect();
    let mut sketch = sketch("{}");
    for key in &keys {
        sketch = sketch.kms_key(key, "2026-05-01", "2026-05-01", "-");
    }
    keys.push(USED.to_owned());
    let list = serde_json::to_string(&keys).unwrap();
    let text =
        format!(r#"{{"Statement":[{{"Effect":"Allow","Action":["kms:Decrypt"],"Resource":{list}}},{statements}]}}"#);
    (sketch, text)
}

#[test]
fn what_keys_leave_is_room_for_names() {
    let (sketch, text) = long(r#"{"Effect":"Allow","Action":["s3:*Bucket*"],"Resource":"*"}"#);
    let report = "s3 2026-10-09: GetBucketAcl=2026-10-09, CreateBucket\nkms 2026-10-09: Decrypt=2026-10-09";
    let account = sketch.principal("user/u").report("user/u", report).inline("user/u", "q", &text).build();
    with_plan(&account, KmsPruning::Prune, |plan| {
        let change = plan.changes.iter().find(|change| change.address == "user/u/inline/q").unwrap();
        assert_eq!((change.resources.len(), &change.size, change.readmitted.len()), (20, &None, 0));
        assert!(change.frozen.iter().all(|frozen| frozen.wildcards.is_empty()), "{:?}", change.frozen);
        assert!(plan.withheld.iter().all(|withheld| withheld.reason != "does-not-fit"), "{:?}", plan.withheld);
    });
}

#[test]
fn a_policy_that_is_split_loses_its_keys_too() {
    let (sketch, text) = long(r#"{"Effect":"Allow","Action":["s3:*"],"Resource":"*"}"#);
    let report = "s3 2026-10-09: GetBucketAcl=2026-10-09, CreateBucket\nkms 2026-10-09: Decrypt=2026-10-09";
    let mut account = sketch
        .principal("role/s")
        .report("role/s", report)
        .managed("policy/M", &text)
        .attach("role/s", "policy/M")
        .build();
    account.summary = Some([("PolicySizeQuota".to_owned(), 2_500)].into());
    let rewrite = RewriteSettings { split: true, wildcards: Wildcards::Never, ..RewriteSettings::default() };
    with_plan_by(&account, KmsPruning::Prune, rewrite, |plan| {
        let of = |action: ChangeAction| plan.changes.iter().filter(move |change| change.action == action);
        let update = of(ChangeAction::Update).find(|change| change.address == "policy/M").unwrap();
        assert!(of(ChangeAction::Create).count() > 0, "{:?}", plan.withheld);
        assert_eq!((update.resources.len(), update.proof.resources), (20, 20));
        let texts = || plan.changes.iter().filter_map(|change| change.after.as_deref());
        assert!(texts().all(|text| !text.contains("key/000000")) && texts().any(|text| text.contains(USED)));
    });
}

/// Compares what is withheld of a plan without changes.
fn check_withheld(sketch: Sketch, expect: &[&str]) {
    with_plan(&sketch.build(), KmsPruning::Prune, |plan| {
        assert_eq!(plan.changes, []);
        let line = |withheld: &Withheld| {
            let detail = withheld.detail.replace(UNUSED, "U").replace(USED, "A");
            format!("{} {}: {detail}", withheld.address, withheld.reason)
        };
        assert_eq!(plan.withheld.iter().map(line).collect::<Vec<_>>(), expect);
    });
}

fn event(time_of: &str, name: &str) -> GrantEvent {
    GrantEvent {
        time: time(time_of).unwrap(),
        name: name.to_owned(),
        user_name: None,
        role_name: Some("r".to_owned()),
        group_name: None,
        policy_name: Some("p".to_owned()),
        policy_arn: None,
    }
}

#[test]
fn what_was_granted_lately_has_had_no_time_to_be_used() {
    let text = r#"{"Statement":[{"Sid":"S","Effect":"Allow","Action":"kms:Decrypt","Resource":["U","A"]}]}"#;
    let stays = |since: &str| {
        format!(
            "role/r/inline/p too-recent: U stays in statement 1 \"S\": role/r may have had it since {since} only, less than \
             90 days"
        )
    };
    let after = text.replace("\"U\",", "");
    let leaves = format!("role/r/inline/p {after} [1:u] []");
    let created = |day: &str| sketch(text).change("role/r", |role| role.created = time(day));
    check_withheld(created("2026-10-08"), &[&stays("2026-10-08")]);
    // Ninety days and an hour before the collection.
    check_withheld(created("2026-07-12T05:00:01Z"), &[&stays("2026-07-12")]);
    check(created("2026-07-12T05:00:00Z"), &[&leaves]);
    let with = |event: GrantEvent| {
        let mut sketch = sketch(text);
        let (from, to) = (time("2026-07-01").unwrap(), time(NOW).unwrap());
        sketch.account.grants = Some(GrantHistory { from, to, events: vec![event] });
        sketch
    };
    check_withheld(with(event("2026-10-08", "PutRolePolicy")), &[&stays("2026-10-08")]);
    check(with(event("2026-07-02", "PutRolePolicy")), &[&leaves]);
    check(with(event("2026-10-08", "TagRole")), &[&leaves]);
}

#[test]
fn a_version_that_names_a_key_lately_is_too_recent() {
    let text = |keys: &str| {
        format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"kms:Decrypt","Resource":[{keys}"{USED}"]}}]}}"#)
    };
    let managed = |before: &str| {
        let unused = format!("\"{UNUSED}\",");
        let before = text(before);
        sketch("{\"Statement\":[]}").managed("policy/M", &text(&unused)).attach("role/r", "policy/M").change_policy(
            "policy/M",
            |policy| {
                policy.versions.insert(
                    0,
                    PolicyVersion {
                        id: "v1".to_owned(),
                        created: time("2020-01-01"),
                        document: Some(Document::new(before)),
                    },
                );
                let version = policy.versions.last_mut().unwrap();
                (version.id, version.created) = ("v2".to_owned(), time("2026-10-01"));
                policy.default_version = "v2".to_owned();
            },
        )
    };
    let why = "policy/M too-recent: U stays in statement 1: it may name it since 2026-10-01 only, less than 90 days";
    check_withheld(managed(""), &[why]);
    check(managed(&format!("\"{UNUSED}\",")), &[&format!("policy/M {} [1:u] []", text("").replace(USED, "A"))]);
}

#[test]
fn a_report_of_use_contradicts_that_no_key_was_used() {
    let only = r#"{"Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"U"}]}"#;
    let stays = "role/r/inline/p contradicted: U stays in statement 1: the report on role/r shows kms:Decrypt in use, which \
                 nothing else in the document allows";
    check_withheld(sketch(only), &[stays]);
    // Another statement may be what it was used by, if it is on keys at all.
    let with = |resource: &str| {
        let more = format!(r#"{{"Effect":"Allow","Action":"kms:D*","Resource":"{resource}"}}"#);
        (only.replace("}]}", &format!("}},{more}]}}")), format!("{{\"Statement\":[{more}]}}"))
    };
    let (text, after) = with("arn:aws:kms:*:111122223333:key/*");
    check(sketch(&text), &[&format!("role/r/inline/p {after} [1:u] []")]);
    check_withheld(sketch(&with("arn:aws:s3:::bucket").0), &[stays]);
    // A key that leaves while others stay takes nothing away that was used.
    check(
        sketch(&only.replace("\"U\"", "[\"U\",\"*\"]")),
        &[&format!("role/r/inline/p {} [1:u] []", only.replace("\"U\"", "[\"*\"]"))],
    );
}

#[test]
fn use_that_no_listed_action_explains_contradicts_what_aws_does_not_track() {
    let text = r#"{"Statement":[{"Effect":"Allow","Action":["kms:ReEncryptFrom","kms:ReEncryptTo"],"Resource":"U"}]}"#;
    let with = |report: &str| sketch(text).report("role/r", report);
    let stays = "role/r/inline/p contradicted: U stays in statement 1: the report on role/r shows use of KMS on \
                 2026-10-09 by no action that it lists: it may have been kms:ReEncryptFrom, which nothing else in the \
                 document allows";
    check_withheld(with("s3 2026-10-09\nkms 2026-10-09: Decrypt, Sign"), &[stays]);
    check_withheld(with("s3 2026-10-09\nkms 2026-10-09: Decrypt=2026-10-08"), &[stays]);
    check(with("s3 2026-10-09\nkms 2026-10-09: Decrypt=2026-10-09"), &["role/r/inline/p - [1:u] []"]);
}

#[test]
fn a_report_without_actions_tells_of_the_service_only() {
    let only = r#"{"Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"U"}]}"#;
    let stays = "role/r/inline/p contradicted: U stays in statement 1: the report on role/r shows kms in use, by actions that \
                 it does not tell; nothing else in the document allows kms:Decrypt";
    let of_services = sketch(only).change_report("role/r", |report| report.granularity = Granularity::Service);
    check_withheld(of_services, &[stays]);
}

#[test]
fn an_access_key_contradicts_that_no_kms_key_was_used() {
    let text = format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"kms:Decrypt","Resource":"{UNUSED}"}}]}}"#);
    let with = |service: &str, day: &str, report: &str| {
        let mut sketch = Sketch::new()
            .principal("user/u")
            .report("user/u", report)
            .kms_key(UNUSED, "2026-05-01", "2026-05-01", "-")
            .access_key("user/u", "AKIA1", "2023-01-01", day)
            .inline("user/u", "p", &text);
        for key in sketch.account.access_keys.values_mut().flatten() {
            let KeyLastUsed::At { service: own, .. } = &mut key.last_used else { panic!("{key:?}") };
            *own = service.to_owned();
        }
        sketch
    };
    let stays = |why: &str| {
        format!(
            "user/u/inline/p contradicted: U stays in statement 1: an access key of user/u was used {why}; nothing else in \
             the document allows kms:Decrypt"
        )
    };
    let unused = "s3 2026-08-01\nkms -: Decrypt";
    let kms = stays("for KMS on 2026-10-05, which the report does not show");
    check_withheld(with("KMS", "2026-10-05", unused), &[&kms]);
    let other =
        "on 2026-10-05 for `odd`, which may be KMS under another name, and no service of the report was used then";
    check_withheld(with("odd", "2026-10-05", unused), &[&stays(other)]);
    // A report that does not list KMS does not show it either.
    check_withheld(with("KMS", "2026-10-05", "s3 2026-08-01"), &[&kms]);
    // Nothing is left that keeps the action itself.
    let goes: &[&str] = &["user/u/inline/p - [] [kms:Decrypt]"];
    check(with("s3", "2026-10-05", unused), goes);
    check(with("odd", "2026-10-05", "s3 2026-10-05\nkms -: Decrypt"), goes);
    check(with("odd", "2026-08-01", unused), goes);
    // What the report shows is of later: then it may have been KMS.
    let before = stays(
        "on 2026-07-25 for `odd`, which may be KMS under another name, and no service of the report was used then",
    );
    let later = "s3 2026-08-01: CreateBucket=2026-08-01\nkms -: Decrypt";
    check_withheld(with("odd", "2026-07-25", later), &[&before]);
    // Too long ago to contradict anything: the access key goes too.
    check(with("kms", "2026-06-01", unused), &["user/u/inline/p - [] [kms:Decrypt]", "user/u/key/AKIA1 - [] []"]);
    // The report shows the use, and by what: another action.
    check(with("kms", "2026-10-05", "s3 2026-10-05\nkms 2026-10-05: Decrypt, Sign=2026-10-05"), goes);
}

#[test]
fn without_the_report_of_a_holder_no_statement_goes() {
    let text = r#"{"Statement":[{"Effect":"Allow","Action":["kms:ReEncryptFrom","kms:ReEncryptTo"],"Resource":"U"}]}"#;
    let own = r#"{"Statement":[{"Effect":"Allow","Action":"s3:GetBucketAcl","Resource":"*"}]}"#;
    let managed = sketch(own)
        .principal("role/q")
        .managed("policy/M", &text.replace("\"U\"", &format!("\"{UNUSED}\"")))
        .attach("role/r", "policy/M")
        .attach("role/q", "policy/M");
    check(managed, &[]);
}

#[test]
fn a_statement_that_goes_with_its_keys_is_named_with_its_actions() {
    let gone = r#"{"Sid":"Rotate","Effect":"Allow","Action":["kms:ReEncryptFrom","kms:Encrypt"],"Resource":"U"}"#;
    let rest = r#"{"Effect":"Allow","Action":"kms:Encrypt","Resource":["U","A"]}"#;
    let account = sketch(&format!("{{\"Statement\":[{gone},{rest}]}}")).build();
    with_plan(&account, KmsPruning::Prune, |plan| {
        let [change] = plan.changes.as_slice() else { panic!("{:?}", plan.changes) };
        let [statement] = change.statements.as_slice() else { panic!("{:?}", change.statements) };
        assert_eq!((statement.statement, statement.sid.as_deref(), statement.count), (1, Some("Rotate"), 1));
        assert_eq!(statement.actions, ["kms:ReEncryptFrom"]);
        let text = crate::render::text(plan, crate::render::Style::Plain);
        let line = "      - statement 1 \"Rotate\" goes with its KMS keys, and 1 action (1 write) that nothing else in the \
                    document allows\n          kms:ReEncryptFrom\n";
        assert!(text.contains(line), "{text}");
        let end = "Removes 0 actions, takes 1 KMS key out of Resource lists, with 1 whole statement and 1 action.\nOf";
        assert!(text.contains(end), "{text}");
        let page = crate::render::markdown(plan, crate::render::MAX_BYTES);
        let title = "removes 0 actions, takes out 1 KMS key, with 1 whole statement and 1 action (risk: 1 write)";
        assert!(page.contains(title), "{page}");
        assert!(page.contains("# statement 1 \"Rotate\" goes with its KMS keys"), "{page}");
    });
    // What others allow, on other resources, is not lost.
    let gone = gone.replace("\"kms:ReEncryptFrom\",", "");
    let account = sketch(&format!("{{\"Statement\":[{gone},{rest}]}}")).build();
    with_plan(&account, KmsPruning::Prune, |plan| {
        let text = crate::render::text(plan, crate::render::Style::Plain);
        let line = "goes with its KMS keys; other statements allow its actions on other resources\n";
        assert!(text.contains(line) && text.contains("out of Resource lists, with 1 whole statement.\nOf"), "{text}");
    });
}

#[test]
fn a_key_that_leaves_several_statements_is_counted_once() {
    let one = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":["U","A"]}"#;
    let account = sketch(&format!("{{\"Statement\":[{one},{}]}}", one.replace("Decrypt", "Encrypt"))).build();
    with_plan(&account, KmsPruning::Prune, |plan| {
        assert_eq!(plan.changes.first().map(|change| change.resources.len()), Some(2));
        let text = crate::render::text(plan, crate::render::Style::Plain);
        assert!(text.contains("takes 1 KMS key out of Resource lists"), "{text}");
        let page = crate::render::markdown(plan, crate::render::MAX_BYTES);
        assert!(page.contains("takes out 1 KMS key") && page.contains("takes 1 KMS key out"), "{page}");
    });
}
