//! What permissions may have waited for, though no policy was written: tags, MFA devices, credentials; and spans that are none.

use super::*;
use crate::account::{GrantEvent, GrantHistory, KeyStatus, PolicyVersion};

fn event(who: &str, name: &str) -> GrantEvent {
    let (kind, own) = who.split_once('/').unwrap();
    let is = |expect: &str| (kind == expect).then(|| own.to_owned());
    GrantEvent {
        time: NOW.plus(-5 * DAY),
        name: name.to_owned(),
        user_name: is("user"),
        role_name: is("role"),
        group_name: None,
        policy_name: None,
        policy_arn: None,
    }
}

fn check(mut case: Case, (who, call): (&str, &str), expect: &str) {
    let events = vec![event(who, call)];
    case.account.grants = Some(GrantHistory { from: NOW.plus(-90 * DAY), to: NOW, events });
    let found = case.verdicts(&format!("{who}/inline/p"), "sqs:DeleteQueue");
    assert_eq!(found, [format!("DeleteQueue {expect}")], "{who} {call}");
}

const REPORT: &str = "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue";

#[test]
fn tags_and_mfa_devices_count_where_a_policy_depends_on_them() {
    let role = |condition: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":{{{condition}}}}}]}}"#
        );
        Sketch::new().principal("role/r").inline("role/r", "p", &text).report("role/r", REPORT)
    };
    let tags = r#""StringEquals":{"AWS:PrincipalTag/team":"a"}"#;
    let mfa = r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#;
    let neither = r#""StringEquals":{"aws:ResourceTag/team":"a"}"#;
    check(case(role(tags)), ("role/r", "TagRole"), "too-recent");
    check(case(role(tags)), ("role/r", "UntagRole"), "too-recent");
    check(case(role(neither)), ("role/r", "TagRole"), "unused-action");
    check(case(role(mfa)), ("role/r", "EnableMFADevice"), "too-recent");
    check(case(role(tags)), ("role/r", "DeleteAccessKey"), "unused-action");
    // A Deny of another policy may have waited for the tag too.
    let guarded = sqs_role().inline(
        "role/r",
        "guard",
        r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"aws:PrincipalTag/team":"true"}}}}"#,
    );
    check(case(guarded), ("role/r", "TagRole"), "too-recent");
    check(case(sqs_role()), ("role/r", "TagRole"), "unused-action");
}

#[test]
fn what_was_not_read_may_depend_on_tags_and_mfa_devices() {
    // athena:ListWorkGroups is nothing that AWS checks on the way of what a policy may allow that was not read.
    let check = |sketch: Sketch, (who, call): (&str, &str), expect: &str| {
        let mut case = case(sketch);
        let events = vec![event(who, call)];
        case.account.grants = Some(GrantHistory { from: NOW.plus(-90 * DAY), to: NOW, events });
        let found = case.verdicts(&format!("{who}/inline/p"), "athena:ListWorkGroups");
        assert_eq!(found, [format!("ListWorkGroups {expect}")], "{who} {call}");
    };
    check(sqs_role(), ("role/r", "TagRole"), "unused-service");
    check(sqs_role().attach("role/r", "policy/gone"), ("role/r", "TagRole"), "too-recent");
    let text = doc("\"athena:ListWorkGroups\"");
    let user = Sketch::new().principal("user/u").inline("user/u", "p", &text).report("user/u", "athena -:");
    check(user.clone(), ("user/u", "EnableMFADevice"), "unused-service");
    check(user.member("user/u", "group/gone"), ("user/u", "EnableMFADevice"), "too-recent");
}

#[test]
fn an_identity_provider_gives_credentials_of_the_roles_that_trust_any() {
    let role = |principal: &str, report: &str| {
        let trust = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRoleWithWebIdentity"}}}}"#
        );
        case(sqs_role().report("role/r", report).change("role/r", |role| role.trust = Some(Document::new(trust))))
    };
    let federated = r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}"#;
    let idle = "sqs -: CreateQueue, DeleteQueue";
    let check = |case: Case, call: &str, expect: &str| {
        // The calls name nobody who is in the snapshot.
        let mut call = event("other/x", call);
        call.time = NOW.plus(-5 * DAY);
        let mut case = case;
        case.account.grants = Some(GrantHistory { from: NOW.plus(-90 * DAY), to: NOW, events: vec![call] });
        assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    for call in ["CreateSAMLProvider", "UpdateSAMLProvider", "CreateOpenIDConnectProvider"] {
        check(role(federated, idle), call, "too-recent");
        check(role("\"*\"", idle), call, "too-recent");
        check(role(r#"{"Service":"ec2.amazonaws.com"}"#, idle), call, "unused-service");
        // It was used before: whom it trusts could use it.
        check(role(federated, REPORT), call, "unused-action");
    }
    check(role(federated, idle), "DeleteSAMLProvider", "unused-service");
    let mut untold = role(federated, idle);
    untold.account.principals.iter_mut().for_each(|role| role.trust = None);
    check(untold, "UpdateOpenIDConnectProviderThumbprint", "too-recent");
}

#[test]
fn an_event_names_a_policy_in_whatever_case() {
    let text = doc("\"sqs:CreateQueue\",\"sqs:DeleteQueue\"");
    let sketch = Sketch::new().principal("role/r").managed("policy/p", &text).attach("role/r", "policy/p");
    for (policy, expect) in [("policy/p", "too-recent"), ("policy/P", "too-recent"), ("policy/q", "unused-action")] {
        for name in ["AttachRolePolicy", "SetDefaultPolicyVersion"] {
            let mut case = case(sketch.clone().report("role/r", REPORT));
            let mut call = event("role/r", name);
            call.policy_arn = crate::account::sketch::arn(policy);
            if name == "SetDefaultPolicyVersion" {
                call.role_name = None;
                let other = PolicyVersion { id: "v2".to_owned(), created: time("2021-01-01"), document: None };
                case.account.policies.iter_mut().for_each(|own| own.versions.push(other.clone()));
            }
            case.account.grants = Some(GrantHistory { from: NOW.plus(-90 * DAY), to: NOW, events: vec![call] });
            assert_eq!(
                case.verdicts("policy/p", "sqs:DeleteQueue"),
                [format!("DeleteQueue {expect}")],
                "{name} {policy}"
            );
        }
    }
}

#[test]
fn silence_shows_nothing_of_what_was_read_nobody_knows_when() {
    let check = |finished: &str, details: &str, expect: &str, has_gap: bool| {
        let mut case = case(sqs_role());
        (case.account.finished_at, case.account.details_at) = (time(finished), time(details));
        case.settings.unknown_grant_date = crate::rules::UnknownGrantDate::Keep;
        case.account.grants = Some(GrantHistory { from: NOW.plus(-90 * DAY), to: NOW, events: Vec::new() });
        assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
        let analysis = case.analyze();
        assert_eq!(analysis.gaps().iter().any(|gap| gap.kind == "grants-unplaced"), has_gap);
    };
    check(crate::account::sketch::NOW, "-", "unused-action", false);
    check("-", crate::account::sketch::NOW, "unused-action", false);
    check("-", "-", "too-recent", true);
}

#[test]
fn a_history_since_the_beginning_of_time_is_none() {
    let mut case = case(sqs_role());
    case.settings.unknown_grant_date = crate::rules::UnknownGrantDate::Keep;
    case.account.grants = Some(GrantHistory { from: UnixTime(-62_135_596_800), to: NOW, events: Vec::new() });
    assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), ["DeleteQueue too-recent"]);
    assert!(case.analyze().gaps().iter().any(|gap| gap.kind == "grants-misdated"));
}

#[test]
fn who_had_no_credentials_could_use_nothing() {
    let user = |report: &str| {
        let text = doc("\"sqs:CreateQueue\",\"sqs:DeleteQueue\"");
        Sketch::new().principal("user/u").inline("user/u", "p", &text).report("user/u", report)
    };
    let idle = "sqs -: CreateQueue, DeleteQueue";
    for call in ["CreateLoginProfile", "CreateAccessKey", "UpdateAccessKey", "UploadSSHPublicKey"] {
        check(case(user(idle)), ("user/u", call), "too-recent");
        // It used something before: by other credentials.
        check(case(user(REPORT)), ("user/u", call), "unused-action");
    }
    check(case(user(idle)), ("user/u", "ChangePassword"), "unused-service");
    check(case(user(idle)), ("user/u", "DeleteAccessKey"), "unused-service");
    check(case(user("sqs 2026-03-01: CreateQueue, DeleteQueue")), ("user/u", "CreateAccessKey"), "too-recent");
    // An active key was there all along.
    let with_key = |status: KeyStatus, created: &str| {
        let mut case = case(user(idle).access_key("user/u", "AKIAIOSFODNN7EXAMPLE", created, "-"));
        case.account.access_keys.values_mut().flatten().for_each(|key| key.status = status.clone());
        case
    };
    check(with_key(KeyStatus::Active, "2022-01-01"), ("user/u", "CreateAccessKey"), "unused-service");
    check(with_key(KeyStatus::Active, "2026-10-01"), ("user/u", "CreateAccessKey"), "too-recent");
    check(with_key(KeyStatus::Inactive, "2022-01-01"), ("user/u", "CreateAccessKey"), "too-recent");
    check(with_key(KeyStatus::Active, "2022-01-01"), ("user/u", "UpdateAccessKey"), "too-recent");
}

#[test]
fn what_a_history_has_counts_whatever_its_span() {
    let check = |from: i64, to: i64, events: Vec<GrantEvent>, expect: &str, is_gap: bool| {
        let mut case = case(sqs_role());
        case.settings.unknown_grant_date = crate::rules::UnknownGrantDate::AssumeOld;
        case.account.grants = Some(GrantHistory { from: NOW.plus(from * DAY), to: NOW.plus(to * DAY), events });
        assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
        let analysis = case.analyze();
        let gaps = analysis.gaps();
        assert_eq!(gaps.iter().any(|gap| gap.kind == "grants-misdated"), is_gap, "{gaps:?}");
    };
    let put = || vec![event("role/r", "PutRolePolicy")];
    for (from, to, is_gap) in [(-90, 0, false), (-90, 3, true), (0, -90, true)] {
        check(from, to, put(), "too-recent", is_gap);
        check(from, to, vec![], "unused-action", is_gap);
    }
}

#[test]
fn a_boundary_that_was_set_back_may_have_been_narrower_in_between() {
    let check = |versions: &[(&str, &str)], expect: &str| {
        let versions: Vec<PolicyVersion> = (versions.iter())
            .map(|(id, created)| PolicyVersion {
                id: (*id).to_owned(),
                created: time(created),
                document: Some(Document::new(doc("\"*\""))),
            })
            .collect();
        let sketch = sqs_role().managed("policy/ceiling", "").change_policy("policy/ceiling", |policy| {
            policy.default_version = "v1".to_owned();
            policy.versions = versions;
        });
        let bounded = sketch.change("role/r", |role| role.boundary = crate::account::sketch::arn("policy/ceiling"));
        assert_eq!(case(bounded).verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    check(&[("v1", "2022-01-01")], "unused-action");
    check(&[("v1", "2022-01-01"), ("v2", "2022-02-01")], "unused-action");
    check(&[("v1", "2022-01-01"), ("v2", "2026-10-07")], "too-recent");
    check(&[("v1", "2022-01-01"), ("v2", "-")], "too-recent");
    check(&[("v1", "-")], "too-recent");
}

#[test]
fn who_owns_a_policy_may_stand_on_the_page_that_is_missing() {
    let check = |key: &str, value: &str, lacks: bool, expect: &str| {
        let sketch = Sketch::new()
            .principal("role/r")
            .managed("policy/p", &doc("\"sqs:DeleteQueue\""))
            .attach("role/r", "policy/p")
            .report("role/r", REPORT)
            .change_policy("policy/p", |policy| {
                policy.tags = Some(vec![crate::account::Tag { key: key.to_owned(), value: value.to_owned() }]);
                policy.tags_lack_pages = lacks;
            });
        let case = case(sketch);
        let analysis = case.analyze();
        let set_aside = analysis.policies.first().and_then(|policy| policy.set_aside.as_ref());
        assert!(format!("{set_aside:?}").contains(expect), "{set_aside:?}");
    };
    check("team", "a", false, "None");
    check("team", "a", true, "TagsNotCollected");
    check("ManagedBy", "terraform", true, "Terraform");
}
