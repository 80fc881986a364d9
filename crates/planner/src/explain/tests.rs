//! An explanation says what the plan of the same account does.

use secateur_analyzer::account::sketch::{NOW, Sketch, arn, time};
use secateur_analyzer::account::{Document, GrantEvent, GrantHistory, KeyLastUsed, PolicyVersion};
use secateur_analyzer::analysis::Inputs;
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::rules::{KmsPruning, Rules, Settings};

use super::*;
use crate::plan::{AwsManaged, InputFile, PlanOptions, RewriteSettings, build};
use crate::render;

const KEYS: [&str; 2] = [
    "arn:aws:kms:us-east-1:111122223333:key/aaaaaaaa-0000-4000-8000-000000000000",
    "arn:aws:kms:us-east-1:111122223333:key/bbbbbbbb-0000-4000-8000-000000000000",
];
const SQS: &str = "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue\nathena -";

fn document(actions: &str) -> String {
    format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Resource\":\"*\",\"Action\":{actions}}}]}}"
    )
}

/// The explanation of a role or user, by the plan with or without copies of AWS-managed policies.
fn explained(sketch: Sketch, aws_managed: AwsManaged, principal: &str, action: &str) -> (Explanation, String) {
    let account = sketch.build();
    let settings = Settings { kms: KmsPruning::Prune, ..Settings::default() };
    let rules = Rules::default();
    let analysis = Analysis::new(Inputs::new(&account, &settings, &rules, time(NOW).unwrap())).unwrap();
    let rewrite = RewriteSettings { aws_managed, ..RewriteSettings::default() };
    let snapshot = InputFile { path: "snapshot".to_owned(), sha256: sha256_of(b"") };
    let plan = build(&analysis, &PlanOptions { rewrite, ..PlanOptions::new(snapshot) }).plan;
    let [id] = find(&analysis, principal)[..] else { panic!("{principal}") };
    let action = analysis.catalog().parse_action(action);
    let explanation = explain(&analysis, &plan, id, action);
    let text = render::explain(&explanation);
    (explanation, text)
}

/// What the plan makes of each policy that grants the action, and what grants it in the end.
fn outcome(explanation: &Explanation) -> (Vec<(&str, &str)>, Option<Vec<String>>) {
    let policies = explanation.policies.iter();
    let policies = policies.map(|policy| (policy.policy.as_str(), policy.planned.action.unwrap_or("?"))).collect();
    (policies, explanation.action.as_ref().unwrap().granted_after.clone())
}

#[track_caller]
fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(&format!("\n{line}\n")), "`{line}` is not in:\n{text}");
    }
}

fn role() -> Sketch {
    Sketch::new().principal("role/r").report("role/r", SQS)
}

#[test]
fn a_policy_that_is_detached() {
    let sketch = role().managed("policy/aws:Foo", &document(r#""athena:*""#)).attach("role/r", "policy/aws:Foo");
    let (explanation, text) = explained(sketch.clone(), AwsManaged::Advise, "role/r", "athena:ListDatabases");
    assert_eq!(outcome(&explanation), (vec![("policy/aws:Foo", "removed")], Some(Vec::new())));
    let after = "After the plan no policy of it grants the action.";
    has(&text, &["  in the plan: it goes: the policy is detached from role/r", after]);
    let (_, text) = explained(sketch, AwsManaged::Advise, "role/r", "");
    has(&text, &["  in the plan: the policy is detached from role/r\n    removes 81 actions"]);
}

#[test]
fn a_policy_that_a_copy_replaces_or_could() {
    let sketch = role()
        .managed("policy/aws:Sqs", &document(r#"["sqs:CreateQueue","sqs:DeleteQueue"]"#))
        .attach("role/r", "policy/aws:Sqs");
    let (explanation, text) = explained(sketch.clone(), AwsManaged::Replace, "role/r", "sqs:CreateQueue");
    let copy = explanation.policies[0].planned.changes[0].with[0].clone();
    assert!(copy.starts_with("policy/Sqs-"), "{copy}");
    has(&text, &[&format!("  in the plan: it stays in {copy}")]);
    assert_eq!(outcome(&explanation), (vec![("policy/aws:Sqs", "stays")], None));
    let (explanation, text) = explained(sketch.clone(), AwsManaged::Replace, "role/r", "sqs:DeleteQueue");
    let gone = format!("the policy is detached from role/r, and {copy} takes its place");
    has(&text, &[&format!("  in the plan: it goes: {gone}")]);
    assert_eq!(outcome(&explanation), (vec![("policy/aws:Sqs", "removed")], Some(Vec::new())));
    let (_, text) = explained(sketch.clone(), AwsManaged::Replace, "role/r", "");
    has(&text, &[&format!("  in the plan: {gone}\n    removes 1 action")]);

    // Who uses it by another attachment is not in the way.
    let used = "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue=2026-10-01";
    let shared = sketch.clone().principal("role/q").attach("role/q", "policy/aws:Sqs").report("role/q", used);
    let (_, text) = explained(shared, AwsManaged::Replace, "role/r", "sqs:DeleteQueue");
    assert!(text.contains("in the plan: it goes") && !text.contains("keeps it in this policy"), "{text}");
    let group = role()
        .principal("user/u")
        .principal("user/v")
        .group("group/g")
        .member("user/u", "group/g")
        .member("user/v", "group/g")
        .managed("policy/aws:Sqs", &document(r#"["sqs:CreateQueue","sqs:DeleteQueue"]"#))
        .attach("group/g", "policy/aws:Sqs")
        .report("user/u", used)
        .report("user/v", &used.replace("DeleteQueue=2026-10-01", "DeleteQueue"));
    let (_, text) = explained(group, AwsManaged::Replace, "user/v", "sqs:DeleteQueue");
    has(&text, &["  user/u keeps it in this policy: used"]);

    let advice = "  1 of its 2 actions are unused at 1 attachment, which reaches 1 principal: AWS owns it; aws_managed = \
                  \"replace\" puts a pruned copy in its place";
    for (action, is_said) in [("", true), ("sqs:DeleteQueue", true), ("sqs:CreateQueue", false)] {
        let (_, text) = explained(sketch.clone(), AwsManaged::Advise, "role/r", action);
        assert_eq!((text.contains(advice), text.contains("in the plan")), (is_said, false), "{action}: {text}");
    }
}

#[test]
fn an_action_that_is_admitted_again() {
    let catalog = secateur_analyzer::catalog::Catalog::embedded();
    let all = catalog.service("s3").into_iter().flat_map(|service| catalog.actions_of(service));
    let all: Vec<String> = all
        .map(|id| catalog.full_name(id).replacen("s3:", "", 1))
        .map(|name| if name == "GetBucketAcl" { format!("{name}=2026-10-01") } else { name })
        .collect();
    let mut sketch = role()
        .inline("role/r", "i", &document(r#""s3:*""#))
        .report("role/r", &format!("s3 2026-10-01: {}", all.join(", ")));
    sketch.account.summary = Some(BTreeMap::from([("RolePolicySizeQuota".to_owned(), 400)]));
    let (explanation, text) = explained(sketch.clone(), AwsManaged::Advise, "role/r", "");
    let planned = &explanation.policies[0].planned.changes[0];
    assert!(!planned.readmitted.is_empty(), "{text}");
    let (by, action) = (&planned.readmitted[0].by, &planned.readmitted[0].actions[0]);
    let own = [
        &format!("    re-admits {} action", planned.readmitted[0].count),
        "\n    frozen: \"s3:*\" becomes",
        "\n    does not fit by names (",
    ];
    assert!(own.iter().all(|own| text.contains(*own)), "{text}");
    let (explanation, text) = explained(sketch.clone(), AwsManaged::Advise, "role/r", action);
    assert_eq!(outcome(&explanation), (vec![("role/r/inline/i", "re-admitted")], None));
    let stays = format!("  in the plan: it stays, re-admitted by \"{by}\": it could go but for the quota");
    has(&text, &["  unused-action (row 9)", &stays]);
    let (explanation, _) = explained(sketch, AwsManaged::Advise, "role/r", "s3:GetBucketAcl");
    assert_eq!(outcome(&explanation), (vec![("role/r/inline/i", "stays")], None));
}

#[test]
fn a_pattern_without_a_colon() {
    let sketch = role()
        .inline("role/r", "i", &document(r#""*BucketAcl""#))
        .report("role/r", "s3 2026-10-01: GetBucketAcl=2026-10-01, PutBucketAcl");
    let (explanation, text) = explained(sketch, AwsManaged::Advise, "role/r", "s3:PutBucketAcl");
    assert_eq!(outcome(&explanation), (vec![("role/r/inline/i", "stays")], None));
    has(&text, &["  unused-action (row 9)"]);
    assert!(text.contains("\n  withheld, without-colon: `*BucketAcl` is left as written: AWS takes no new "), "{text}");
}

#[test]
fn a_kms_key_that_leaves() {
    let text = format!(
        "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Sid\":\"K\",\"Effect\":\"Allow\",\"Action\":[\"kms:Decrypt\"],\
         \"Resource\":[\"{}\",\"{}\"]}},{{\"Effect\":\"Allow\",\"Action\":\"sqs:CreateQueue\",\"Resource\":\"*\"}}]}}",
        KEYS[0], KEYS[1]
    );
    let sketch = role()
        .inline("role/r", "i", &text)
        .report("role/r", "sqs 2026-10-01: CreateQueue=2026-10-01\nkms -: Decrypt")
        .kms_key(KEYS[0], "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "-")
        .kms_key(KEYS[1], "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "2026-10-09T00:00:00Z");
    let key = format!("    {} leaves statement 1 \"K\": never used since its creation on 2024-01-01", KEYS[0]);
    let (_, text) = explained(sketch.clone(), AwsManaged::Advise, "role/r", "kms:Decrypt");
    has(&text, &["  protected (row 3)", &format!("  in the plan: it stays\n{key}")]);
    let (_, text) = explained(sketch.clone(), AwsManaged::Advise, "role/r", "");
    has(&text, &[&format!("  in the plan: the document is rewritten\n{key}")]);
    let (_, text) = explained(sketch, AwsManaged::Advise, "role/r", "sqs:CreateQueue");
    assert!(!text.contains("leaves statement"), "{text}");
}

#[test]
fn an_action_that_another_policy_or_attachment_goes_on_granting() {
    let sketch = role()
        .principal("user/u")
        .principal("user/v")
        .group("group/g")
        .member("user/u", "g")
        .member("user/v", "g")
        .managed("policy/aws:Foo", &document(r#""athena:*""#))
        .attach("user/u", "policy/aws:Foo")
        .attach("group/g", "policy/aws:Foo")
        .report("user/u", SQS)
        .report("user/v", "athena 2026-10-01: ListDatabases=2026-10-01")
        .inline("role/r", "a", &document(r#"["sqs:CreateQueue","sqs:DeleteQueue"]"#))
        .inline(
            "role/r",
            "b",
            &document(r#"["sqs:DeleteQueue","sqs:CreateQueue"]"#)
                .replace("\"Effect\"", "\"Sid\":\"SecateurKeep\",\"Effect\""),
        );
    let (explanation, text) = explained(sketch.clone(), AwsManaged::Advise, "role/r", "sqs:DeleteQueue");
    let expect = vec![("role/r/inline/a", "removed"), ("role/r/inline/b", "stays")];
    assert_eq!(outcome(&explanation), (expect, Some(vec!["role/r/inline/b".to_owned()])));
    has(&text, &["After the plan the action is still granted by role/r/inline/b."]);
    let (_, text) = explained(sketch.clone(), AwsManaged::Advise, "role/r", "");
    has(&text, &["    still granted: 1 of them by role/r/inline/b"]);
    // Detached from the user, and not from the group.
    let (explanation, text) = explained(sketch.clone(), AwsManaged::Advise, "user/u", "athena:ListDatabases");
    assert_eq!(outcome(&explanation).0, [("policy/aws:Foo", "stays")]);
    has(&text, &["  in the plan: it stays"]);
    let (_, text) = explained(sketch, AwsManaged::Advise, "user/u", "");
    has(
        &text,
        &["  in the plan: the policy is detached from user/u", "    still granted: 81 of them by this policy still"],
    );
}

#[test]
fn what_is_withheld_is_said_with_its_reason_and_access_keys_are_named() {
    let sketch = Sketch::new()
        .principal("user/idle")
        .inline("user/idle", "p", &document(r#"["sqs:CreateQueue"]"#))
        .report("user/idle", "sqs -")
        .principal("user/u")
        .inline("user/u", "p", &document(r#"["sqs:CreateQueue"]"#))
        .report("user/u", SQS)
        .access_key("user/u", "AKIA0000000000000001", "2023-01-01T00:00:00Z", "-");
    let (_, text) = explained(sketch.clone(), AwsManaged::Advise, "user/idle", "sqs:CreateQueue");
    has(
        &text,
        &[
            "  withheld, dormant: user/idle used nothing within 90 days: delete what is not needed, or set dormant = \"prune\"",
        ],
    );
    let (explanation, text) = explained(sketch, AwsManaged::Advise, "user/u", "");
    assert_eq!(explanation.access_keys.len(), 1);
    let key =
        "user/u/key/AKIA0000000000000001\n  in the plan: deactivated: never used since its creation on 2023-01-01";
    has(&text, &[key]);
    assert!(!text.contains("withheld"), "{text}");
}

/// What is said of the verdict on an action of a role `r`, or a user `u`: why, and what would change it.
fn reasons(sketch: Sketch, principal: &str) -> [String; 2] {
    let sketch = sketch.inline(principal, "p", &document(r#"["athena:*","sqs:CreateQueue"]"#));
    let (explanation, _) = explained(sketch, AwsManaged::Advise, principal, "athena:ListDatabases");
    let own = explanation.policies.iter().find(|policy| policy.policy.ends_with("/inline/p")).unwrap();
    let word = own.verdict.as_ref().unwrap();
    [word.because.clone(), word.unless.clone()]
}

#[test]
fn the_cause_of_a_late_date_is_named() {
    let late = "use would have been seen since 2026-10-01 only, less than 90 days";
    let dated = |cause: &str| [format!("{late}: {cause}"), "no use by 2026-12-30".to_owned()];
    let created = role().change("role/r", |role| role.created = time("2026-10-01"));
    assert_eq!(reasons(created, "role/r"), dated("role/r was created on 2026-10-01"));
    let bounded = |day: &str| {
        role().managed("policy/B", &document(r#""*""#)).change_policy("policy/B", |own| {
            own.versions.iter_mut().for_each(|version| version.created = time(day));
        })
    };
    let with_boundary = |sketch: Sketch| sketch.change("role/r", |role| role.boundary = arn("policy/B"));
    let cause = "its permissions boundary arn:aws:iam::111122223333:policy/B has stood as it is since 2026-10-01 only";
    assert_eq!(reasons(with_boundary(bounded("2026-10-01")), "role/r"), dated(cause));
    // A call of the same second about somebody else is not what it comes from.
    let other = |name: &str, role: Option<&str>| {
        let lifted = self::role()
            .principal("role/other")
            .managed("policy/D", &document(r#""sqs:*""#))
            .attach("role/r", "policy/D")
            .change_policy("policy/D", |own| {
                let before = document(r#""sqs:*""#).replace("Allow", "Deny");
                let version = |id: &str, day: &str, text: &str| PolicyVersion {
                    id: id.to_owned(),
                    created: time(day),
                    document: Some(Document::new(text)),
                };
                let now = document(r#""sqs:*""#);
                own.versions = vec![version("v1", "2020-01-01", &before), version("v2", "2026-10-01", &now)];
                own.default_version = "v2".to_owned();
            });
        let event = GrantEvent {
            time: time("2026-10-01").unwrap(),
            name: name.to_owned(),
            user_name: None,
            role_name: role.map(str::to_owned),
            group_name: None,
            policy_name: None,
            policy_arn: None,
        };
        let mut sketch = lifted;
        let (from, to) = (time("2026-07-01").unwrap(), time(NOW).unwrap());
        sketch.account.grants = Some(GrantHistory { from, to, events: vec![event] });
        reasons(sketch, "role/r")
    };
    let denied = "policy/D, which the principal has too, may have denied it before its version v2 of 2026-10-01";
    assert_eq!(other("PutRolePolicy", Some("other")), dated(denied));
    let called = |name: &str| dated(&format!("the event history has {name} on 2026-10-01"));
    assert_eq!(other("PutRolePolicy", Some("r")), called("PutRolePolicy"));
    assert_eq!(other("PutRolePolicy", None), called("PutRolePolicy"));
    assert_eq!(other("UpdateRole", Some("gone")), called("UpdateRole"));
    // The date of the report moves with the next one: none is promised.
    let [because, unless] = reasons(with_boundary(role()), "role/r");
    let undated = "only, less than 90 days: the snapshot does not have its permissions boundary, which may be of today";
    assert!(because.ends_with(undated), "{because}");
    assert_eq!(unless, "a snapshot that has the policy that is its permissions boundary");
    let [because, unless] = reasons(role().change("role/r", |role| role.created = None), "role/r");
    assert!(because.ends_with(": the snapshot does not say when the principal was created"), "{because}");
    assert_eq!(unless, "a snapshot that says when it was created");
}

#[test]
fn a_region_that_only_a_key_or_a_role_names_is_said() {
    let mut user = Sketch::new().principal("user/u").report("user/u", SQS).access_key(
        "user/u",
        "AKIA1",
        "2023-01-01",
        "2026-10-01",
    );
    for key in user.account.access_keys.values_mut().flatten() {
        if let KeyLastUsed::At { region, .. } = &mut key.last_used {
            *region = "xx-none-1".to_owned();
        }
    }
    let nothing = "no last-accessed data is known to exist for xx-none-1, where";
    let unless = "a catalogue that lists xx-none-1, or 98 days without such a use".to_owned();
    let told = "an access key of user/u was last used";
    assert_eq!(reasons(user, "user/u"), [format!("{nothing} {told}"), unless.clone()]);
    let role = role().change("role/r", |role| {
        (role.last_used, role.last_used_region) = (time("2026-10-01"), Some("xx-none-1".to_owned()));
    });
    assert_eq!(reasons(role.clone(), "role/r"), [format!("{nothing} role/r was last used"), unless]);
    // The plan says so too.
    let account = role.inline("role/r", "p", &document(r#""athena:*""#)).build();
    let (settings, rules) = (Settings::default(), Rules::default());
    let analysis = Analysis::new(Inputs::new(&account, &settings, &rules, time(NOW).unwrap())).unwrap();
    let plan = build(&analysis, &PlanOptions::new(InputFile { path: String::new(), sha256: sha256_of(b"") })).plan;
    let text = render::text(&plan, render::Style::Plain);
    assert!(plan.changes.is_empty() && text.contains("xx-none-1, where role/r was last used"), "{text}");
    assert!(text.contains("What has gaps is kept"), "{text}");
}
