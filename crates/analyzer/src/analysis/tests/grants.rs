//! When permissions were granted.

use super::*;
use crate::account::sketch::arn;
use crate::account::{Document, GrantEvent, GrantHistory, PolicyVersion, Tag};
use crate::rules::UnknownGrantDate;

fn event(time: UnixTime, name: &str) -> GrantEvent {
    GrantEvent {
        time,
        name: name.into(),
        user_name: None,
        role_name: Some("r".into()),
        group_name: None,
        policy_name: None,
        policy_arn: None,
    }
}

#[test]
fn grant_dates_come_from_the_event_history() {
    let day = DAY;
    let check = |events: Vec<GrantEvent>, unknown: UnknownGrantDate, span: i64, expect: &str| {
        let mut case = case(sqs_role());
        case.account.grants = Some(GrantHistory { from: NOW.plus(-span * day), to: NOW, events });
        case.settings.unknown_grant_date = unknown;
        assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    let put =
        |policy: &str| GrantEvent { policy_name: Some(policy.into()), ..event(NOW.plus(-10 * day), "PutRolePolicy") };
    check(vec![], UnknownGrantDate::Keep, 90, "unused-action");
    check(vec![], UnknownGrantDate::Keep, 30, "too-recent");
    check(vec![], UnknownGrantDate::AssumeOld, 30, "unused-action");
    check(vec![put("P")], UnknownGrantDate::AssumeOld, 90, "too-recent");
    // What the other policy was before is not known: it may have denied.
    check(vec![put("other")], UnknownGrantDate::Keep, 90, "too-recent");
    check(vec![event(NOW.plus(-10 * day), "DetachRolePolicy")], UnknownGrantDate::Keep, 90, "too-recent");
    check(vec![event(NOW.plus(-10 * day), "TagRole")], UnknownGrantDate::Keep, 90, "unused-action");
    let attach = GrantEvent { policy_arn: arn("policy/other"), ..event(NOW.plus(-10 * day), "AttachRolePolicy") };
    check(vec![attach], UnknownGrantDate::Keep, 90, "unused-action");
    let nameless = GrantEvent { role_name: None, ..event(NOW.plus(-10 * day), "PutRolePolicy") };
    check(vec![nameless], UnknownGrantDate::Keep, 90, "too-recent");
    let renamed =
        GrantEvent { role_name: None, user_name: Some("gone".into()), ..event(NOW.plus(-10 * day), "UpdateUser") };
    check(vec![renamed], UnknownGrantDate::Keep, 90, "unused-action");
    check(vec![event(NOW.plus(-10 * day), "DeleteRolePermissionsBoundary")], UnknownGrantDate::Keep, 90, "too-recent");
    let old = GrantEvent { policy_name: Some("p".into()), ..event(NOW.plus(-95 * day), "PutRolePolicy") };
    check(vec![old], UnknownGrantDate::Keep, 100, "unused-action");
}

#[test]
fn a_history_that_begins_too_late_shows_nothing() {
    let mut case = case(sqs_role());
    case.settings.min_idle_days = 30;
    case.settings.unknown_grant_date = UnknownGrantDate::Keep;
    let expect = |case: &Case, expect: &str| {
        assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    // Long enough by its own length, but the report of six days earlier sees only 24 days of it.
    let six_days = 6 * DAY;
    case = Case {
        account: Sketch { account: case.account }
            .change_report("role/r", |report| {
                report.generated_at = report.generated_at.map(|time| time.plus(-six_days));
            })
            .build(),
        ..case
    };
    case.account.grants = Some(GrantHistory { from: NOW.plus(-30 * DAY), to: NOW, events: vec![] });
    expect(&case, "too-recent");
    case.account.grants = Some(GrantHistory { from: NOW.plus(-36 * DAY), to: NOW, events: vec![] });
    expect(&case, "unused-action");
}

fn with_versions(versions: &[(&str, &str, &str)]) -> Sketch {
    let versions: Vec<PolicyVersion> = versions
        .iter()
        .map(|(id, created, text)| PolicyVersion {
            id: (*id).into(),
            created: time(created),
            document: Some(Document::new(*text)),
        })
        .collect();
    Sketch::new()
        .principal("role/r")
        .managed("policy/p", "")
        .attach("role/r", "policy/p")
        .report("role/r", "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue")
        .change_policy("policy/p", |policy| {
            policy.default_version = versions.last().map(|version| version.id.clone()).unwrap_or_default();
            policy.versions = versions;
        })
}

#[test]
fn a_grant_is_as_young_as_the_first_of_the_versions_that_allow_it_without_a_break() {
    let check = |versions: &[(&str, &str, &str)], expect: &str| {
        let got = case(with_versions(versions)).verdicts("policy/p", "sqs:DeleteQueue");
        assert_eq!(got, [format!("DeleteQueue {expect}")], "{versions:?}");
    };
    let (without, with) = (doc("\"sqs:CreateQueue\""), doc("\"sqs:CreateQueue\",\"sqs:DeleteQueue\""));
    let denied = r#"{"Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"},
        {"Effect":"Deny","Action":"sqs:Delete*","Resource":"*"}]}"#;
    let (v1, v2, v3) = ("2020-01-01", "2026-10-07", "2026-10-08");
    check(&[("v1", v1, &with), ("v2", v2, &with), ("v3", v3, &with)], "unused-action");
    check(&[("v1", v1, &without), ("v2", v2, &with), ("v3", v3, &with)], "too-recent");
    // Taken away and given back.
    check(&[("v1", v1, &with), ("v2", v2, &without), ("v3", v3, &with)], "too-recent");
    // The versions before are gone.
    check(&[("v7", v3, &with)], "too-recent");
    // Denied until yesterday.
    check(&[("v1", v1, denied), ("v2", v3, &with)], "too-recent");
    // A younger version was in force in between.
    check(&[("v2", v3, &without), ("v1", v1, &with)], "too-recent");
}

#[test]
fn what_came_with_the_version_in_force_is_as_young_as_the_version() {
    let sketch = Sketch::new()
        .principal("role/r")
        .managed("policy/p", &doc("\"sqs:DeleteQueue\""))
        .attach("role/r", "policy/p")
        .report("role/r", "sqs 2026-10-01: CreateQueue, DeleteQueue")
        .change_policy("policy/p", |policy| {
            policy.default_version = "v2".into();
            policy.versions.push(PolicyVersion {
                id: "v2".into(),
                created: time("2026-09-01"),
                document: Some(Document::new(doc("\"sqs:DeleteQueue\",\"sqs:CreateQueue\""))),
            });
        });
    let expect = ["CreateQueue too-recent", "DeleteQueue unused-action"];
    assert_eq!(case(sketch).verdicts("policy/p", "sqs:CreateQueue sqs:DeleteQueue"), expect);
}

#[test]
fn an_older_snapshot_is_a_witness() {
    let older = |finished_at: &str| {
        let mut older = sqs_role().build();
        older.finished_at = time(finished_at);
        older
    };
    let check = |older: Account, expect: &str| {
        let mut case = case(sqs_role());
        case.settings.unknown_grant_date = UnknownGrantDate::Keep;
        let analysis = case.analyze_with(Some(&older), 1);
        assert_eq!(verdicts(&analysis, "role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    check(older("2026-06-01"), "unused-action");
    check(older("2026-09-01"), "too-recent");
    let mut recreated = older("2026-06-01");
    recreated.principals[0].unique_id = "AROA-OTHER".into();
    check(recreated, "too-recent");
    let mut in_part = older("2026-06-01");
    in_part.complete = false;
    check(in_part, "too-recent");
}

#[test]
fn a_witness_must_have_seen_somebody_who_could_use_it() {
    let policy = doc("\"sqs:CreateQueue\", \"sqs:DeleteQueue\"");
    let check = |text: &str, change: &dyn Fn(&mut Account, bool), expect: &str| {
        let build = |is_older: bool| {
            let mut account = sqs_role().change("role/r", |role| role.inline[0].document = Document::new(text)).build();
            change(&mut account, is_older);
            account
        };
        let mut older = build(true);
        older.finished_at = time("2026-06-01");
        let mut case = case(sqs_role());
        case.account = build(false);
        case.settings.unknown_grant_date = UnknownGrantDate::Keep;
        let analysis = case.analyze_with(Some(&older), 1);
        assert_eq!(verdicts(&analysis, "role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    check(&policy, &|_, _| {}, "unused-action");
    // Whom the role trusted then.
    let trust = |who: &str| {
        let text = format!(r#"{{"Statement":{{"Effect":"Allow","Principal":{who},"Action":"sts:AssumeRole"}}}}"#);
        Some(Document::new(&*text))
    };
    let (ours, theirs) = (r#"{"AWS":"111122223333"}"#, r#"{"AWS":"444455556666"}"#);
    check(&policy, &|account, _| account.principals[0].trust = trust(ours), "unused-action");
    check(&policy, &|account, old| account.principals[0].trust = trust(if old { theirs } else { ours }), "too-recent");
    check(&policy, &|account, old| drop(old.then(|| account.principals[0].trust.take())), "too-recent");
    // An identity provider may have come since, unless somebody used the role by then.
    let provider = r#"{"Federated":"arn:aws:iam::111122223333:saml-provider/idp"}"#;
    check(&policy, &|account, _| account.principals[0].trust = trust(provider), "too-recent");
    let used = |account: &mut Account, is_older: bool| {
        account.principals[0].trust = trust(provider);
        account.principals[0].last_used = time(if is_older { "2026-05-20" } else { "2026-09-20" });
    };
    check(&policy, &used, "unused-action");
    // What its tags were, where a policy asks; an MFA device is in no snapshot.
    let on = |key: &str| {
        policy.replacen("\"Resource\"", &format!(r#""Condition":{{"StringEquals":{{"{key}":"a"}}}},"Resource""#), 1)
    };
    let tag = |account: &mut Account, old: bool| {
        if !old {
            account.principals[0].tags = vec![Tag { key: "team".into(), value: "a".into() }];
        }
    };
    check(&policy, &tag, "unused-action");
    check(&on("aws:PrincipalTag/team"), &tag, "too-recent");
    check(&on("aws:PrincipalTag/team"), &|account, _| tag(account, false), "unused-action");
    check(&on("aws:MultiFactorAuthPresent"), &|_, _| {}, "too-recent");
    // A policy that was not read may have denied everything.
    let unread = |account: &mut Account, old: bool| {
        if old {
            account.principals[0].attached.extend(arn("policy/unread"));
        }
    };
    check(&policy, &unread, "too-recent");
}

fn version_event(name: &str) -> GrantEvent {
    let policy_arn = arn("policy/p");
    GrantEvent { role_name: None, policy_arn, ..event(NOW.plus(-2 * DAY), name) }
}

/// The verdict on sqs:DeleteQueue of a policy with these versions, the last in force, after these calls.
fn with_events(versions: &[(&str, &str, &str)], default: &str, events: Vec<GrantEvent>) -> Vec<String> {
    let mut case = case(with_versions(versions).change_policy("policy/p", |policy| {
        policy.default_version = default.to_owned();
    }));
    case.account.grants = Some(GrantHistory { from: NOW.plus(-90 * DAY), to: NOW, events });
    case.verdicts("policy/p", "sqs:DeleteQueue")
}

#[test]
fn choosing_a_version_grants_what_another_one_lacks() {
    let (without, with) = (doc("\"sqs:CreateQueue\""), doc("\"sqs:CreateQueue\",\"sqs:DeleteQueue\""));
    let (lately, old) = (["DeleteQueue too-recent"], ["DeleteQueue unused-action"]);
    let chosen = || vec![version_event("SetDefaultPolicyVersion")];
    // Back to the first one, two days ago; on to the second one, two days ago.
    assert_eq!(with_events(&[("v1", "2022-01-01", &with), ("v2", "2023-01-01", &without)], "v1", chosen()), lately);
    assert_eq!(with_events(&[("v1", "2022-01-01", &without), ("v2", "2023-01-01", &with)], "v2", chosen()), lately);
    // All versions have it: whichever was in force, it was allowed.
    assert_eq!(with_events(&[("v1", "2022-01-01", &with), ("v2", "2023-01-01", &with)], "v2", chosen()), old);
    let nameless = GrantEvent { policy_arn: None, ..version_event("SetDefaultPolicyVersion") };
    assert_eq!(
        with_events(&[("v1", "2022-01-01", &with), ("v2", "2023-01-01", &without)], "v1", vec![nameless]),
        lately
    );
}

#[test]
fn a_version_that_is_gone_may_have_lacked_it() {
    let with = doc("\"sqs:CreateQueue\",\"sqs:DeleteQueue\"");
    let lately = ["DeleteQueue too-recent"];
    let v3 = "2026-10-08";
    assert_eq!(with_events(&[("v1", "2022-01-01", &with), ("v3", v3, &with)], "v3", vec![]), lately);
    let deleted = || vec![version_event("CreatePolicyVersion"), version_event("DeletePolicyVersion")];
    assert_eq!(with_events(&[("v1", "2022-01-01", &with)], "v1", deleted()), lately);
}

#[test]
fn a_deny_that_went_with_a_deleted_version_is_not_forgotten() {
    let sketch = sqs_role().managed("policy/p", &doc("\"s3:ListAllMyBuckets\"")).attach("role/r", "policy/p");
    let mut case = case(sketch.change_policy("policy/p", |policy| {
        policy.default_version = "v2".to_owned();
        policy.versions[0].id = "v2".to_owned();
    }));
    let events = vec![version_event("CreatePolicyVersion"), version_event("DeletePolicyVersion")];
    case.account.grants = Some(GrantHistory { from: NOW.plus(-90 * DAY), to: NOW, events });
    assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), ["DeleteQueue too-recent"]);
}

#[test]
fn a_boundary_that_was_opened_lately_makes_everything_late() {
    let sketch = |created: &str| {
        sqs_role()
            .managed("policy/ceiling", &doc("\"*\""))
            .change_policy("policy/ceiling", |policy| policy.versions[0].created = time(created))
            .change("role/r", |role| role.boundary = arn("policy/ceiling"))
    };
    let check = |case: &Case, expect: &str| {
        assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    check(&case(sketch("2026-10-08")), "too-recent");
    let mut old = case(sketch("2022-01-01"));
    check(&old, "unused-action");
    let opened = GrantEvent {
        role_name: None,
        policy_arn: arn("policy/ceiling"),
        ..event(NOW.plus(-2 * DAY), "SetDefaultPolicyVersion")
    };
    old.account.grants = Some(GrantHistory { from: NOW.plus(-90 * DAY), to: NOW, events: vec![opened] });
    check(&old, "too-recent");
}

#[test]
fn a_witness_must_have_seen_the_same_boundary() {
    let bounded = |sketch: Sketch| {
        sketch
            .managed("policy/ceiling", &doc("\"lambda:InvokeFunction\""))
            .change("role/r", |role| role.boundary = arn("policy/ceiling"))
    };
    let check = |older: Sketch, now: Sketch, expect: &str| {
        let mut older = older.build();
        older.finished_at = time("2026-06-01");
        let mut case = case(now);
        case.settings.unknown_grant_date = UnknownGrantDate::Keep;
        let analysis = case.analyze_with(Some(&older), 1);
        assert_eq!(verdicts(&analysis, "role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    check(bounded(sqs_role()), sqs_role(), "too-recent");
    check(bounded(sqs_role()), bounded(sqs_role()), "unused-action");
}

#[test]
fn a_write_is_proof_wherever_the_history_ends() {
    let mut case = case(sqs_role());
    let put = GrantEvent { policy_name: Some("p".into()), ..event(NOW.plus(-2 * DAY), "PutRolePolicy") };
    case.account.grants = Some(GrantHistory { from: NOW.plus(-90 * DAY), to: NOW.plus(-300), events: vec![put] });
    assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), ["DeleteQueue too-recent"]);
    // That one is long ago shows nothing of what came after the history's end.
    case.settings.min_idle_days = 30;
    let check = |case: &mut Case, unknown: UnknownGrantDate, to: UnixTime, expect: &str| {
        let put = GrantEvent { policy_name: Some("p".into()), ..event(NOW.plus(-60 * DAY), "PutRolePolicy") };
        case.account.grants = Some(GrantHistory { from: NOW.plus(-90 * DAY), to, events: vec![put] });
        case.settings.unknown_grant_date = unknown;
        assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    check(&mut case, UnknownGrantDate::Keep, NOW, "unused-action");
    check(&mut case, UnknownGrantDate::Keep, NOW.plus(-DAY), "too-recent");
    check(&mut case, UnknownGrantDate::AssumeOld, NOW.plus(-DAY), "unused-action");
}

#[test]
fn a_history_that_ends_before_the_details_shows_nothing() {
    let check = |details: Option<i64>, finished: Option<i64>, expect: &str| {
        let mut case = case(sqs_role());
        case.settings.unknown_grant_date = UnknownGrantDate::Keep;
        case.account = Sketch { account: case.account }
            .change_report("role/r", |report| report.generated_at = Some(NOW.plus(-7_200)))
            .build();
        case.account.grants = Some(GrantHistory { from: NOW.plus(-91 * DAY), to: NOW.plus(-3_600), events: vec![] });
        case.account.details_at = details.map(|ago| NOW.plus(-ago));
        case.account.finished_at = finished.map(|ago| NOW.plus(-ago));
        assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    // What was granted in the hour after the history's end is in the details, and not in the history.
    check(Some(0), Some(0), "too-recent");
    check(Some(3_599), Some(0), "too-recent");
    check(Some(3_600), Some(0), "unused-action");
    // Manifests that do not say when the details were read; and none at all: they may be of after its end.
    check(None, Some(0), "too-recent");
    check(None, Some(3_600 - 900), "unused-action");
    check(None, None, "too-recent");
}

#[test]
fn a_history_that_ends_before_the_newest_report_is_a_gap() {
    let check = |ends_before: i64, expect: bool| {
        let mut case = case(sqs_role());
        case.account.grants =
            Some(GrantHistory { from: NOW.plus(-91 * DAY), to: NOW.plus(-ends_before), events: vec![] });
        let has_gap = case.analyze().gaps.iter().any(|gap| gap.kind == "grants-end-early");
        assert_eq!(has_gap, expect, "{ends_before}");
    };
    check(0, false);
    check(6 * 3_600, true);
}

#[test]
fn a_rule_about_tags_holds_for_what_may_have_them() {
    let sketch = Sketch::new()
        .principal("role/a")
        .managed("policy/p", &doc("\"sqs:DeleteQueue\""))
        .attach("role/a", "policy/p")
        .report("role/a", "sqs -: DeleteQueue");
    let check = |tags: Option<Vec<Tag>>, expect: &str| {
        let mut case = case(sketch.clone().change_policy("policy/p", |policy| policy.tags = tags));
        case.rules.ignore.push(IgnoreRule {
            principals: Vec::new(),
            policies: Vec::new(),
            paths: Vec::new(),
            tags: vec!["team=payments".into()],
            reason: "x".into(),
            expires: None,
        });
        assert_eq!(case.verdicts("policy/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    check(None, "ignored");
    check(Some(Vec::new()), "unused-service");
}
