use secateur_analyzer::account::sketch::{NOW, Sketch, time};
use secateur_analyzer::account::{Account, GrantEvent, GrantHistory, KeyStatus};
use secateur_analyzer::analysis::Inputs;
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::rules::{Dormant, IgnoreRule, KeepRule, Rules, Settings};
use secateur_analyzer::verdict::RemovalReason;

use super::super::*;
use super::*;

struct Case {
    account: Account,
    settings: Settings,
    rules: Rules,
    options: PlanOptions,
}

/// User `ann` uses S3 and has a key that was never used, one that is idle, one in use, and one that is inactive; `bob` used
/// nothing at all.
fn case() -> Case {
    let sketch = Sketch::new()
        .principal("user/ann")
        .principal("user/bob")
        .report("user/ann", "s3 2026-10-09")
        .report("user/bob", "s3 -")
        .access_key("user/ann", "AKIANEVEREXAMPLE0001", "2024-01-01", "-")
        .access_key("user/ann", "AKIAIDLEEXAMPLE00002", "2024-01-01", "2026-01-01")
        .access_key("user/ann", "AKIAUSEDEXAMPLE00003", "2024-01-01", "2026-10-09")
        .access_key("user/ann", "AKIAOFFEXAMPLE000004", "2024-01-01", "-")
        .access_key("user/bob", "AKIABOBEXAMPLE000005", "2024-01-01", "-");
    let mut account = sketch.build();
    for key in account.access_keys.values_mut().flatten().filter(|key| key.id.contains("OFF")) {
        key.status = KeyStatus::Inactive;
    }
    Case {
        account,
        settings: Settings::default(),
        rules: Rules::default(),
        options: PlanOptions::new(InputFile { path: "snapshot".to_owned(), sha256: sha256_of(b"") }),
    }
}

impl Case {
    fn analyze(&self) -> Analysis<'_> {
        let inputs = Inputs::new(&self.account, &self.settings, &self.rules, time(NOW).unwrap());
        Analysis::new(inputs).unwrap()
    }

    fn plan(&self) -> Plan {
        let built = build(&self.analyze(), &self.options);
        assert!(built.unproved.is_empty(), "{:?}", built.unproved);
        built.plan
    }

    fn verify(&self, plan: &Plan) -> Vec<String> {
        let refusals = verify(plan, &self.analyze(), &self.options).err().unwrap_or_default();
        refusals.into_iter().map(|refusal| format!("{} {}", refusal.address, refusal.name)).collect()
    }
}

const NEVER: &str = "user/ann/key/AKIANEVEREXAMPLE0001";
const IDLE: &str = "user/ann/key/AKIAIDLEEXAMPLE00002";

fn addresses(plan: &Plan) -> Vec<&str> {
    plan.changes.iter().map(|change| change.address.as_str()).collect()
}

#[test]
fn idle_keys_become_changes_that_are_verified() {
    let case = case();
    let plan = case.plan();
    assert_eq!(addresses(&plan), [IDLE, NEVER]);
    assert_eq!((plan.summary.change, plan.summary.removed_actions, plan.window.max_key_idle_days), (2, 0, 90));
    let idle = serde_json::to_value(&plan.changes[0]).unwrap();
    let expect = serde_json::json!({
        "address": IDLE, "action": "deactivate", "group": null, "depends_on": [],
        "target": {
            "type": "aws_iam_access_key", "arn": "arn:aws:iam::111122223333:user/ann", "name": "AKIAIDLEEXAMPLE00002",
            "unique_id": "AIDA-ann", "owner": "user/ann", "default_version": null, "versions": [],
        },
        "holders": [],
        "expects": {
            "document": null, "holders": [{"arn": "arn:aws:iam::111122223333:user/ann", "unique_id": "AIDA-ann"}],
            "memberships": [], "attachments": [], "boundary_use": false, "versions": [], "inline_size": null,
            "access_key": {"status": "Active", "created": "2024-01-01T00:00:00Z"},
        },
        "before": null, "after": null, "size": null, "removed": [],
        "key": {
            "reason": "idle-key", "created": "2024-01-01T00:00:00Z", "last_used": "2026-01-01T00:00:00Z",
            "service": "s3", "region": "us-east-1", "since": "2026-01-01T00:00:00Z",
        },
        "readmitted": [], "frozen": [], "still_granted_by": [], "risk": {},
        "proof": {"statements": 0, "patterns": 0, "kept": 0, "lost": 0, "holders": 1},
        "calls": [{"operation": "iam:UpdateAccessKey", "parameters": {
            "UserName": "ann", "AccessKeyId": "AKIAIDLEEXAMPLE00002", "Status": "Inactive",
        }}],
        "inverse": [{"operation": "iam:UpdateAccessKey", "parameters": {
            "UserName": "ann", "AccessKeyId": "AKIAIDLEEXAMPLE00002", "Status": "Active",
        }}],
    });
    assert_eq!(idle, expect);
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(read(text.as_bytes()).unwrap(), plan);
    assert_eq!(case.verify(&plan), [""; 0]);
    let withheld: Vec<_> =
        plan.withheld.iter().map(|withheld| (withheld.address.as_str(), &*withheld.reason)).collect();
    assert_eq!(withheld, [("user/bob/key/AKIABOBEXAMPLE000005", "dormant")]);
}

#[test]
fn what_is_edited_or_no_longer_so_is_refused() {
    let case = case();
    let plan = case.plan();
    let edited = |edit: &dyn Fn(&mut Change)| {
        let mut plan = plan.clone();
        edit(&mut plan.changes[0]);
        let refusals = case.verify(&plan);
        // Those of the plan as a whole, such as its order, come first.
        refusals.last().unwrap().rsplit_once(' ').unwrap().1.to_owned()
    };
    assert_eq!(edited(&|change| change.address = "user/ann/key/AKIAUSEDEXAMPLE00003".to_owned()), "no-key-evidence");
    assert_eq!(edited(&|change| change.address = "user/ann/key/AKIA".to_owned()), "no-key-evidence");
    assert_eq!(edited(&|change| change.address = "user/ANN/key/AKIAIDLEEXAMPLE00002".to_owned()), "no-key-evidence");
    assert_eq!(edited(&|change| change.address = "user/ann".to_owned()), "edited-action");
    assert_eq!(edited(&|change| change.before = Some("{}".to_owned())), "edited-action");
    assert_eq!(edited(&|change| change.action = ChangeAction::Delete), "unknown-address");
    assert_eq!(edited(&|change| change.key = None), "edited-key");
    assert_eq!(edited(&|change| change.expects.access_key = None), "edited-expects");
    assert_eq!(edited(&|change| change.calls[0].operation = "iam:DeleteAccessKey".to_owned()), "edited-calls");
    let planted = |change: &dyn Fn(&mut Case)| {
        let mut case = self::case();
        change(&mut case);
        case.verify(&plan).iter().any(|refusal| refusal == &format!("{IDLE} no-key-evidence"))
    };
    let key = |change: &dyn Fn(&mut secateur_analyzer::account::AccessKey)| {
        planted(&|case| {
            let keys = case.account.access_keys.values_mut().flatten();
            keys.filter(|key| key.id.contains("IDLE")).for_each(change);
        })
    };
    let at = |text: &str| KeyLastUsed::At { time: time(text).unwrap(), service: String::new(), region: String::new() };
    assert!(!planted(&|_| {}));
    assert!(key(&|key| key.status = KeyStatus::Inactive));
    assert!(key(&|key| key.status = KeyStatus::Expired));
    assert!(key(&|key| key.status = KeyStatus::Unknown("Active?".to_owned())));
    assert!(key(&|key| key.created = None));
    assert!(key(&|key| key.created = time("2026-10-01")));
    assert!(key(&|key| key.last_used = at("2026-10-01")));
    assert!(key(&|key| key.last_used = KeyLastUsed::Unknown));
    assert!(key(&|key| (key.created, key.last_used) = (time("2015-01-01"), KeyLastUsed::NoRecord)));
    assert!(key(&|key| key.id = "AKIAOTHER".to_owned()));
    assert!(planted(&|case| case.account.started_at = None));
    assert!(planted(&|case| case.account.started_at = time("2026-10-02")));
    assert!(planted(&|case| case.settings.max_key_idle_days = 400));
    assert!(planted(&|case| case.account.caller_arn = "arn:aws:iam::111122223333:user/ann".parse().ok()));
    assert!(planted(&|case| case.account.access_keys.clear()));
    // Whoever had another name, or none, when a key was switched on may be the one.
    let switched = |calls: &str, to: &str| {
        planted(&|case| {
            let call = |(at, call): (usize, &str)| GrantEvent {
                time: time("2026-10-01").unwrap().plus(i64::try_from(at).unwrap()),
                name: call.split('=').next().unwrap().to_owned(),
                user_name: call.split_once('=').map(|(_, user)| user.to_owned()),
                role_name: None,
                group_name: None,
                policy_name: None,
                policy_arn: None,
            };
            let events = calls.split(' ').enumerate().map(call).collect();
            let (from, to) = (time("2026-07-01").unwrap(), time(to).unwrap());
            case.account.grants = Some(GrantHistory { from, to, events });
        })
    };
    for (calls, to, expect) in [
        ("UpdateAccessKey=ann", NOW, true),
        ("UpdateAccessKey", NOW, true),
        ("UpdateAccessKey=before UpdateUser=before", NOW, true),
        ("UpdateAccessKey=bob UpdateUser=bob", NOW, true),
        ("UpdateAccessKey=bob UpdateUser", NOW, true),
        // Of a user that was renamed after the end of the history.
        ("UpdateAccessKey=before", "2026-10-02", true),
        // Of one that was deleted, or renamed before.
        ("UpdateAccessKey=before", NOW, false),
        ("UpdateUser=before UpdateAccessKey=bob", NOW, false),
        ("UpdateAccessKey=bob", "2026-10-02", false),
        ("UpdateUser=before", NOW, false),
        ("CreateAccessKey=before UpdateUser=before", NOW, false),
    ] {
        assert_eq!(switched(calls, to), expect, "{calls} {to}");
    }
}

#[test]
fn who_keeps_a_key_is_named() {
    let check = |change: &dyn Fn(&mut Case), reason: &str, words: &str| {
        let mut case = case();
        change(&mut case);
        let plan = case.plan();
        assert!(!addresses(&plan).contains(&IDLE));
        let withheld = plan.withheld.iter().find(|withheld| withheld.address == IDLE).unwrap();
        assert_eq!(withheld.reason, reason);
        assert!(withheld.detail.contains(words), "{}", withheld.detail);
        assert!(prove_key("ann", "AKIAIDLEEXAMPLE00002", &case.analyze()).is_err());
    };
    let keep = |expires: Option<&str>| KeepRule {
        actions: Vec::new(),
        principals: vec!["user/ann".to_owned()],
        policies: Vec::new(),
        reason: "break glass".to_owned(),
        expires: expires.map(|date| secateur_analyzer::rules::Expiry(date.parse().unwrap())),
    };
    let ignore = || IgnoreRule {
        principals: vec!["user/ann".to_owned()],
        policies: Vec::new(),
        paths: Vec::new(),
        tags: Vec::new(),
        reason: "the vendor's".to_owned(),
        expires: None,
    };
    check(&|case| case.rules.keep.push(keep(None)), "protected", "keep[0]: break glass");
    check(&|case| case.rules.keep.push(keep(Some("2026-10-09"))), "rule-expired", "has just expired");
    check(&|case| case.rules.ignore.push(ignore()), "ignored", "the vendor's");
    let caller = |case: &mut Case| case.account.caller_arn = "arn:aws:iam::111122223333:user/ann".parse().ok();
    check(&caller, "left-alone", "the principal that collected");
    let tag = || secateur_analyzer::account::Tag { key: "terraform".to_owned(), value: "true".to_owned() };
    check(&|case| case.account.principals[0].tags.push(tag()), "left-alone", "owned by Terraform");
    check(&|case| case.account.started_at = None, "no-evidence", "no manifest");
}

#[test]
fn dormant_users_limits_and_selections() {
    let mut case = case();
    case.settings.dormant = Dormant::Prune;
    assert_eq!(addresses(&case.plan()), [IDLE, NEVER, "user/bob/key/AKIABOBEXAMPLE000005"]);
    case.options.selection.target = vec!["user/bob".to_owned()];
    assert_eq!(addresses(&case.plan()), ["user/bob/key/AKIABOBEXAMPLE000005"]);
    case.options.selection = Selection { only: vec![RemovalReason::UnusedAction], ..Selection::default() };
    assert!(case.plan().changes.is_empty());
    case.options.selection = Selection::default();
    case.options.limits.max_changes = Some(1);
    assert_eq!(addresses(&case.plan()), [IDLE]);
    let (one, all) = (case.plan(), self::case().plan());
    assert_ne!(one.changes_digest, all.changes_digest);
}

#[test]
fn renderings_show_keys_and_redaction_hides_their_ids() {
    let plan = case().plan();
    let text = crate::render::text(&plan, crate::render::Style::Plain);
    for expect in [
        "  # user/ann/key/AKIANEVEREXAMPLE0001 will be deactivated\n  ~ aws_iam_access_key \"AKIANEVEREXAMPLE0001\" of user/ann\n",
        "      deactivate: never used since its creation on 2024-01-01\n",
        "      deactivate: last used on 2026-01-01 with s3 in us-east-1\n",
        "Plan: 0 to add, 2 to change, 0 to destroy.\nRemoves 0 actions, deactivates 2 access keys.\n",
    ] {
        assert!(text.contains(expect), "{text}");
    }
    let page = crate::render::markdown(&plan, crate::render::MAX_BYTES);
    let expect =
        "- <code>~ user/ann/key/AKIANEVEREXAMPLE0001</code> deactivate: never used since its creation on 2024-01-01\n";
    assert!(page.contains(expect), "{page}");
    let redacted = serde_json::to_string(&crate::render::redact(&plan).unwrap()).unwrap();
    assert!(!redacted.contains("EXAMPLE") && redacted.contains("user/ann/key/AKIAXXXXXXXXXXXXXXXX"), "{redacted}");
}
