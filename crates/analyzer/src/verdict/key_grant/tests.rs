use super::*;
use crate::account::sketch::{Sketch, time};
use crate::account::{Account, Document, GrantEvent, GrantHistory};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/k";

fn on(actions: &str, resource: &str, more: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":[{actions}],"Resource":["{resource}"]{more}}}"#)
}

/// A policy with versions, oldest first, each with its day and statements; `*` marks the one in force.
fn account(versions: &[(&str, &str, &str)]) -> Account {
    let sketch = Sketch::new().managed("policy/M", "{}").change_policy("policy/M", |policy| {
        policy.versions.clear();
        for (id, day, statements) in versions {
            let text = format!("{{\"Statement\":[{statements}]}}");
            policy.versions.push(PolicyVersion {
                id: id.trim_end_matches('*').to_owned(),
                created: time(day),
                document: Some(Document::new(text)),
            });
            if id.ends_with('*') {
                policy.default_version = id.trim_end_matches('*').to_owned();
            }
        }
    });
    sketch.build()
}

fn since(account: &Account) -> String {
    let policy = account.policies.first().unwrap();
    let document = document_of(policy.default().unwrap()).unwrap();
    let statement = document.statements.iter().find(|own| own.effect == Effect::Allow).unwrap();
    let history = GrantIndex::new(account, time("2026-10-10T06:00:00Z").unwrap());
    let grant = KeyGrant::new(&account.catalog, document, statement, KEY);
    grant.allowed_since(policy, &history).map_or_else(|| "-".to_owned(), |since| since.date().to_string())
}

#[test]
fn versions_tell_since_when_a_key_is_named() {
    let both = on(r#""kms:Decrypt","kms:Encrypt""#, KEY, "");
    let check =
        |versions: &[(&str, &str, &str)], expect: &str| assert_eq!(since(&account(versions)), expect, "{versions:?}");
    check(&[("v1*", "2022-01-01", &both)], "2022-01-01");
    check(&[("v1", "2022-01-01", &both), ("v2*", "2026-10-01", &both)], "2022-01-01");
    // Fewer actions, another key, another condition, a Deny, a version between that is gone.
    for lacking in [
        on(r#""kms:Decrypt""#, KEY, ""),
        on(r#""kms:*""#, "arn:aws:kms:eu-west-1:111122223333:key/l", ""),
        on(r#""kms:*""#, KEY, r#","Condition":{"Bool":{"a":"b"}}"#),
        format!("{both},{}", on(r#""kms:Decrypt""#, "*", "").replace("Allow", "Deny")),
    ] {
        check(&[("v1", "2022-01-01", &lacking), ("v2*", "2026-10-01", &both)], "2026-10-01");
        check(&[("v1*", "2022-01-01", &both), ("v2", "2026-10-01", &lacking)], "2026-10-01");
    }
    check(&[("v1", "2022-01-01", &on(r#""kms:*""#, KEY, "")), ("v2*", "2026-10-01", &both)], "2022-01-01");
    check(&[("v1", "2022-01-01", &both), ("v3*", "2026-10-01", &both)], "2026-10-01");
    check(&[("v1*", "2022-01-01", &both), ("v2", "2026-10-01", &both)], "2022-01-01");
    let inexact = format!("{both},{}", on(r#""s3:*""#, "*", r#","Condition":{"NumericEquals":{"a":1.5e0}}"#));
    check(&[("v1", "2022-01-01", &inexact), ("v2*", "2026-10-01", &both)], "2026-10-01");
    let under = on(r#""kms:Decrypt""#, KEY, r#","Condition":{"Bool":{"a":"b"}}"#);
    check(&[("v1", "2022-01-01", &under), ("v2*", "2026-10-01", &under)], "2022-01-01");
}

#[test]
fn in_another_language_the_same_words_are_another_grant() {
    let under = on(r#""kms:Decrypt""#, KEY, r#","Condition":{"StringEquals":{"a":"${aws:username}"}}"#);
    let mut account = account(&[("v1", "2022-01-01", &under), ("v2*", "2026-10-01", &under)]);
    assert_eq!(since(&account), "2022-01-01");
    let versions = &mut account.policies.first_mut().unwrap().versions;
    let modern = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{under}]}}");
    versions.last_mut().unwrap().document = Some(Document::new(modern));
    assert_eq!(since(&account), "2026-10-01");
}

#[test]
fn a_version_that_was_chosen_lately_counts_from_then() {
    let (both, other) = (on(r#""kms:Decrypt""#, KEY, ""), on(r#""kms:Sign""#, KEY, ""));
    let check = |older: &str, event: &str, expect: &str| {
        let mut account = account(&[("v1", "2022-01-01", older), ("v2*", "2022-02-01", &both)]);
        let arn = account.policies.first().unwrap().arn.clone();
        account.grants = Some(GrantHistory {
            from: time("2026-07-01").unwrap(),
            to: time("2026-10-10T06:00:00Z").unwrap(),
            events: vec![GrantEvent {
                time: time("2026-10-02").unwrap(),
                name: event.to_owned(),
                user_name: None,
                role_name: None,
                group_name: None,
                policy_name: None,
                policy_arn: Some(arn),
            }],
        });
        assert_eq!(since(&account), expect, "{older} {event}");
    };
    check(&other, "SetDefaultPolicyVersion", "2026-10-02");
    check(&both, "SetDefaultPolicyVersion", "2022-01-01");
    check(&both, "DeletePolicyVersion", "2022-01-01");
    check(&other, "TagPolicy", "2022-02-01");
}
