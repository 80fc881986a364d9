use secateur_analyzer::account::Gap;
use secateur_analyzer::account::sketch::{NOW, Sketch, time};
use secateur_analyzer::analysis::Inputs;
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::rules::{Rules, Settings};

use super::super::{InputFile, build, recheck};
use super::*;

const U: &str = "arn:aws:kms:eu-west-1:111122223333:key/u";
const V: &str = "arn:aws:kms:eu-west-1:111122223333:key/v";
const A: &str = "arn:aws:kms:eu-west-1:111122223333:key/a";
/// The keys of some statements leave, of others all.
const SOME: &str =
    r#"{"Statement":[{"Effect":"Allow","Action":["kms:Decrypt","kms:Encrypt"],"Resource":["U","V","A"]}]}"#;
const ALL: &str = r#"{"Statement":{"Effect":"Allow","Action":"kms:ReEncryptFrom","Resource":"U"}}"#;
const LIFTED: &str = r#"{"Statement":{"Effect":"Allow","Action":"kms:GenerateDataKey","Resource":["U","V"]}}"#;

fn sketch(text: &str) -> Sketch {
    let keys = [("\"U\"", U), ("\"V\"", V), ("\"A\"", A)];
    let text = keys.iter().fold(text.to_owned(), |text, (name, arn)| text.replace(name, &format!("\"{arn}\"")));
    Sketch::new()
        .principal("role/r")
        .report("role/r", "s3 2026-10-09\nkms 2026-10-09: Decrypt=2026-10-09, Encrypt=2026-10-09, GenerateDataKey")
        .kms_key(U, "2026-05-01", "2026-05-01", "-")
        .kms_key(V, "2026-05-01", "2026-05-01", "-")
        .kms_key(A, "2026-05-01", "2026-05-01", "2026-10-09")
        .inline("role/r", "p", &text)
}

/// Plans, and judges the plan by what is so by now.
fn now(text: &str, now: impl FnOnce(&mut Account)) -> Option<Refusal> {
    let settings = Settings { kms: KmsPruning::Prune, ..Settings::default() };
    let rules = Rules::default();
    let options = PlanOptions::new(InputFile { path: "snapshot".to_owned(), sha256: sha256_of(b"") });
    let mut account = sketch(text).build();
    let judge = |account: &Account, then: &mut dyn FnMut(&Analysis<'_>)| {
        then(&Analysis::new(Inputs::new(account, &settings, &rules, time(NOW).unwrap())).unwrap());
    };
    let mut plan = None;
    judge(&account, &mut |analysis| plan = Some(build(analysis, &options).plan));
    let plan = plan.unwrap();
    let changes: Vec<&Change> = plan.changes.iter().collect();
    assert_eq!(changes.len(), 1, "{text}: {changes:?}");
    now(&mut account);
    let mut refusals = Vec::new();
    judge(&account, &mut |live| refusals.extend(recheck(&plan, &changes, live, &options).into_values()));
    refusals.pop()
}

fn used(account: &mut Account, key: &str, at: &str) {
    let key = account.kms_keys.get_mut(&key.parse::<Arn>().unwrap()).unwrap();
    key.last_usage = secateur_analyzer::account::KmsLastUsage::At(time(at).unwrap());
}

/// The keys cannot be read any more.
fn denied(account: &mut Account, keys: &[&str]) {
    for key in keys {
        account.kms_keys.remove(&key.parse::<Arn>().unwrap());
        let detail = "kms:GetKeyLastUsage: the permission is missing".to_owned();
        account.gaps.push(Gap { subject: (*key).to_owned(), kind: "access-denied".to_owned(), detail });
    }
}

#[test]
fn a_key_that_may_no_longer_go_is_named_and_when_it_was_used_or_why_nobody_knows() {
    type Now = fn(&mut Account);
    let u_used: Now = |account| used(account, U, "2026-10-09T10:00:00Z");
    let told_u = format!("key {U} was last used at 2026-10-09T10:00:00Z");
    let lookup =
        |key: &str| format!("key {key} could not be looked up: kms:GetKeyLastUsage: the permission is missing");
    let cases: [(&str, Now, String); 8] = [
        (SOME, u_used, format!("no-evidence: {told_u}")),
        (SOME, |own| denied(own, &[V]), format!("no-evidence: {}", lookup(V))),
        (SOME, |own| denied(own, &[U, V]), format!("no-evidence: {} (and 1 other may not leave)", lookup(U))),
        // What was used comes first.
        (
            SOME,
            |own| {
                used(own, V, "2026-10-08T10:00:00Z");
                denied(own, &[U]);
            },
            format!("no-evidence: key {V} was last used at 2026-10-08T10:00:00Z (and 1 other may not leave)"),
        ),
        (
            SOME,
            |own| drop(own.kms_keys.remove(&U.parse::<Arn>().unwrap())),
            format!("no-evidence: key {U} is gone, or could not be looked up"),
        ),
        (ALL, u_used, told_u.clone()),
        (LIFTED, u_used, told_u.clone()),
        (LIFTED, |own| denied(own, &[U]), lookup(U)),
    ];
    for (text, change, expected) in cases {
        let refusal = now(text, change).unwrap_or_else(|| panic!("{text}: nothing is refused"));
        let is_whole = expected.starts_with("no-evidence");
        assert!(refusal.detail.ends_with(&expected), "{text}: {refusal:?}");
        assert_eq!(refusal.detail == expected, is_whole, "{text}: {refusal:?}");
        assert!(refusal.detail.starts_with(&format!("{}: ", refusal.name)), "{refusal:?}");
    }
    assert_eq!(now(SOME, |_| ()), None);
    assert_eq!(now(LIFTED, |own| used(own, A, "2026-10-09T10:00:00Z")), None);
}

#[test]
fn unused_keys_that_may_not_leave_for_another_reason_are_told_with_that() {
    let refusal = now(SOME, |account| account.principals[0].created = time("2026-10-08")).unwrap();
    let told = "no-evidence: ARNS stay in statement 1: role/r may have had it since 2026-10-08 only, less than 90 days";
    assert_eq!(refusal.detail, told.replace("ARNS", &format!("{U}, {V}")));
}
