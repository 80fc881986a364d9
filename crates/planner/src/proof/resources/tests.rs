//! Honest cuts are proved, and every planted fault is refused by its name.

use secateur_analyzer::account::sketch::{NOW, Sketch, time};
use secateur_analyzer::account::{Account, GrantEvent, GrantHistory, KeyLastUsed, PolicyVersion, Principal};
use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::analysis::Inputs;
use secateur_analyzer::arn::Arn;
use secateur_analyzer::rules::{KeepRule, Rules, Settings, UnknownGrantDate};

use super::super::{Proof, ProofError, prove};
use super::*;

const U1: &str = "arn:aws:kms:eu-west-1:111122223333:key/u1";
const U2: &str = "arn:aws:kms:eu-west-1:111122223333:key/u2";
const USED: &str = "arn:aws:kms:eu-west-1:111122223333:key/used";
const OLD: &str = "arn:aws:kms:eu-west-1:111122223333:key/old";
const FOREIGN: &str = "arn:aws:kms:eu-west-1:444455556666:key/f1";
const MRK: &str = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1";
const REPLICA: &str = "arn:aws:kms:us-east-1:111122223333:key/mrk-1";

/// A role that uses KMS, and of all actions has used all.
fn sketch() -> Sketch {
    let report = "kms 2026-10-09: Decrypt=2026-10-09, Encrypt=2026-10-09, DescribeKey=2026-10-09, Sign";
    Sketch::new()
        .principal("role/r")
        .report("role/r", report)
        .kms_key(U1, "2026-05-01", "2026-05-01", "-")
        .kms_key(U2, "2022-05-01", "2026-04-27", "2026-05-01")
        .kms_key(USED, "2022-05-01", "2026-04-27", "2026-10-09")
        .kms_key(OLD, "2022-05-01", "2026-04-27", "-")
        .kms_key(FOREIGN, "2026-05-01", "2026-05-01", "-")
}

struct Case {
    account: Account,
    settings: Settings,
    rules: Rules,
}

fn case(sketch: Sketch) -> Case {
    let settings = Settings { kms: KmsPruning::Prune, ..Settings::default() };
    Case { account: sketch.build(), settings, rules: Rules::default() }
}

impl Case {
    fn analyze(&self) -> Analysis<'_> {
        let inputs = Inputs::new(&self.account, &self.settings, &self.rules, time(NOW).unwrap());
        Analysis::new(inputs).unwrap()
    }

    fn prove(&self, before: &str, after: Option<&str>) -> Result<Proof, ProofError> {
        let analysis = self.analyze();
        let policy = analysis.graph().policies().next().unwrap();
        prove(&Claim { policy, through: None, before, after: after.as_slice() }, &analysis)
    }
}

fn document(statements: &[&str]) -> String {
    format!("{{\"Statement\":[{}]}}", statements.join(","))
}

fn on(actions: &str, keys: &[&str]) -> String {
    format!(r#"{{"Effect":"Allow","Action":[{actions}],"Resource":{}}}"#, serde_json::to_string(keys).unwrap())
}

/// Compares the name of what does not hold, or the keys that leave.
#[track_caller]
fn check_in(change: impl FnOnce(&mut Case), before: &str, after: Option<&str>, expect: &str) {
    let mut case = case(sketch().inline("role/r", "p", before));
    change(&mut case);
    let got = match case.prove(before, after) {
        Err(error) => error.name(),
        Ok(proof) => {
            assert_eq!(proof.facts().resources, proof.resources().len());
            let keys = proof.resources().iter().map(|cut| {
                let key: Arn = cut.arn.parse().unwrap();
                format!("{}:{}", cut.statement, key.name())
            });
            format!("proved {}", keys.collect::<Vec<_>>().join(" ")).trim_end().to_owned()
        }
    };
    assert_eq!(got, expect, "{before} -> {after:?}");
}

#[track_caller]
fn check(before: &[&str], after: &[&str], expect: &str) {
    check_in(|_| {}, &document(before), Some(&document(after)), expect);
}

const CRYPTO: &str = r#""kms:Decrypt","kms:Encrypt""#;

#[test]
fn honest_cuts_are_proved() {
    check(&[&on(CRYPTO, &[U1, USED])], &[&on(CRYPTO, &[USED])], "proved 1:u1");
    check(&[&on(CRYPTO, &[U1, USED, U2, OLD])], &[&on(CRYPTO, &[USED, OLD])], "proved 1:u1 1:u2");
    check(&[&on(CRYPTO, &[U1, USED, U2])], &[&on(CRYPTO, &[USED, U2])], "proved 1:u1");
    check(&[&on(CRYPTO, &[U1, USED])], &[&on(CRYPTO, &[U1, USED])], "proved");
    check(&[&on(CRYPTO, &[U1, U2]), &on(CRYPTO, &[USED])], &[&on(CRYPTO, &[USED])], "proved 1:u1 1:u2");
    check_in(|_| {}, &document(&[&on(r#""kms:ReEncryptFrom""#, &[U1])]), None, "proved 1:u1");
    check(&[&on(r#""kms:GenerateDataKey*""#, &[U1, "*"])], &[&on(r#""kms:GenerateDataKey*""#, &["*"])], "proved 1:u1");
    // Together with actions, which go by their own evidence.
    check(&[&on(r#""kms:Decrypt","kms:Sign""#, &[U1, USED])], &[&on(r#""kms:Decrypt""#, &[USED])], "proved 1:u1");
    check(&[&on(r#""kms:Sign""#, &[U1]), &on(CRYPTO, &[USED])], &[&on(CRYPTO, &[USED])], "proved");
    // A condition or a Sid is no hindrance, if it stays.
    let more =
        |text: &str| text.replace("{\"Effect\"", "{\"Sid\":\"S\",\"Condition\":{\"Bool\":{\"a\":\"b\"}},\"Effect\"");
    check(&[&more(&on(CRYPTO, &[U1, USED]))], &[&more(&on(CRYPTO, &[USED]))], "proved 1:u1");
}

#[test]
fn keys_that_may_not_leave() {
    for key in [USED, OLD, FOREIGN, MRK, "*", "arn:aws:kms:eu-west-1:111122223333:key/*"] {
        check(&[&on(CRYPTO, &[key, U1])], &[&on(CRYPTO, &[U1])], "changed-resource");
        // With an unused key beside it the one does not pass for the other.
        check(&[&on(CRYPTO, &[key, U1, "x"])], &[&on(CRYPTO, &["x"])], "changed-resource");
        check_in(|_| {}, &document(&[&on(CRYPTO, &[key])]), None, "lost-action");
    }
    let upper = U1.to_uppercase();
    check(&[&on(CRYPTO, &[&upper, "x"])], &[&on(CRYPTO, &["x"])], "changed-resource");
}

#[test]
fn statements_that_may_not_shrink() {
    for actions in [
        r#""kms:Decrypt","kms:DescribeKey""#,
        r#""kms:Decrypt","kms:CreateGrant""#,
        r#""kms:*""#,
        r#""*""#,
        r#""kms:D*""#,
        r#""kms:Decrypt","s3:GetObject""#,
        r#""kms:Decrypt","kms:NotYetInvented""#,
        r#""k*:Decrypt""#,
    ] {
        check(&[&on(actions, &[U1, USED])], &[&on(actions, &[USED])], "changed-resource");
        check_in(|_| {}, &document(&[&on(actions, &[U1])]), None, "lost-action");
    }
    let (before, after) = (on(CRYPTO, &[U1, USED]), on(CRYPTO, &[USED]));
    let both = |from: &str, to: &str, expect: &str| {
        check(&[&before.replace(from, to)], &[&after.replace(from, to)], expect);
    };
    both("Allow", "Deny", "changed-deny");
    both("\"Action\"", "\"NotAction\"", "changed-resource");
    both("\"Resource\"", "\"NotResource\"", "changed-notresource");
    both("{\"Effect\"", "{\"Sid\":\"SecateurKeepX\",\"Effect\"", "changed-resource");
    both("{\"Effect\"", "{\"NotResource\":\"x\",\"Effect\"", "changed-resource");
}

#[test]
fn what_else_may_not_change() {
    let before = on(CRYPTO, &[U1, USED, OLD]);
    let to = |after: &str, expect: &str| check(&[&before], &[after], expect);
    to(&on(CRYPTO, &[USED, OLD]), "proved 1:u1");
    // Added, out of order, twice, another form, nothing left.
    to(&on(CRYPTO, &[USED, OLD, "*"]), "changed-resource");
    to(&on(CRYPTO, &["*"]), "changed-resource");
    to(&on(CRYPTO, &[OLD, USED]), "changed-resource");
    to(&on(CRYPTO, &[USED, USED, OLD]), "changed-resource");
    to(&on(CRYPTO, &[]), "changed-resource");
    to(&on(CRYPTO, &[USED, OLD]).replace("Resource", "NotResource"), "changed-resource");
    to(&on(CRYPTO, &[USED, OLD]).replace("{\"Effect\"", "{\"Sid\":\"x\",\"Effect\""), "changed-resource");
    to(&on(r#""kms:Decrypt","kms:Encrypt","kms:Sign""#, &[USED, OLD]), "widened-action");
    to(&on(r#""kms:Decrypt""#, &[USED, OLD]), "lost-action");
    let single = on(CRYPTO, &[USED]);
    let text = single.replace(&format!("[\"{USED}\"]"), &format!("\"{USED}\""));
    check(&[&on(CRYPTO, &[U1, USED])], &[&text], "changed-resource");
    // A statement must not pass for another's rest.
    let (one, two) = (on(CRYPTO, &[U1, USED]), on(CRYPTO, &[U2, OLD]));
    check(&[&one, &two], &[&on(CRYPTO, &[USED])], "lost-action");
    check(&[&one, &two], &[&on(CRYPTO, &[USED]), &on(CRYPTO, &[OLD])], "proved 1:u1 2:u2");
}

#[test]
fn settings_rules_and_the_age_of_the_evidence() {
    let (before, after) = (document(&[&on(CRYPTO, &[U1, USED])]), document(&[&on(CRYPTO, &[USED])]));
    let check = |change: &dyn Fn(&mut Case), expect: &str| check_in(change, &before, Some(&after), expect);
    check(&|case| case.settings.kms = KmsPruning::Advise, "changed-resource");
    check(&|case| case.settings.kms = KmsPruning::Off, "changed-resource");
    check(&|case| case.settings.min_idle_days = 365, "changed-resource");
    check(&|case| case.account.started_at = None, "changed-resource");
    check(&|case| case.account.started_at = time("2026-10-02"), "changed-resource");
    check(&|case| case.account.started_at = time("2026-10-11"), "changed-resource");
    check(&|case| case.account.kms_keys.clear(), "changed-resource");
    let keep = |actions: &[&str], expires: Option<&str>| KeepRule {
        actions: actions.iter().map(|text| ActionPattern::new(text)).collect(),
        principals: vec!["role/r".to_owned()],
        policies: Vec::new(),
        reason: "x".to_owned(),
        expires: expires.map(|date| secateur_analyzer::rules::Expiry(date.parse().unwrap())),
    };
    check(&|case| case.rules.keep.push(keep(&["kms:Enc*"], None)), "changed-resource");
    check(&|case| case.rules.keep.push(keep(&[], None)), "changed-resource");
    check(&|case| case.rules.keep.push(keep(&["kms:Enc*"], Some("2026-10-09"))), "changed-resource");
    check(&|case| case.rules.keep.push(keep(&["kms:Enc*"], Some("2026-01-01"))), "proved 1:u1");
    check(&|case| case.rules.keep.push(keep(&["kms:Sign", "s3:*"], None)), "proved 1:u1");
}

#[test]
fn every_replica_must_be_there_and_unused() {
    let (before, after) = (document(&[&on(CRYPTO, &[MRK, USED])]), document(&[&on(CRYPTO, &[USED])]));
    let both = || MultiRegion::Yes(vec![MRK.parse().unwrap(), REPLICA.parse().unwrap()]);
    let family = |case: &mut Case| {
        let keys = Sketch::new()
            .kms_key(MRK, "2026-05-01", "2026-05-01", "-")
            .kms_key(REPLICA, "2026-05-02", "2026-05-02", "-")
            .change_kms_key(MRK, |key| key.multi_region = both())
            .change_kms_key(REPLICA, |key| key.multi_region = both());
        case.account.kms_keys.extend(keys.build().kms_keys);
    };
    let check = |change: &dyn Fn(&mut KmsKey), expect: &str| {
        let plant = |case: &mut Case| {
            family(case);
            change(case.account.kms_keys.get_mut(&REPLICA.parse::<Arn>().unwrap()).unwrap());
        };
        check_in(plant, &before, Some(&after), expect);
    };
    check(&|_| {}, "proved 1:mrk-1");
    check(&|replica| replica.last_usage = KmsLastUsage::At(time("2026-10-01").unwrap()), "changed-resource");
    check(&|replica| replica.last_usage = KmsLastUsage::Unknown, "changed-resource");
    check(&|replica| replica.created = time("2026-05-01"), "changed-resource");
    check(&|replica| replica.multi_region = MultiRegion::Unknown, "changed-resource");
    check(&|replica| replica.multi_region = MultiRegion::No, "changed-resource");
    let absent = |case: &mut Case| {
        family(case);
        case.account.kms_keys.remove(&REPLICA.parse::<Arn>().unwrap());
    };
    check_in(absent, &before, Some(&after), "changed-resource");
}

#[test]
fn what_services_may_do_is_lost_on_unused_keys_only() {
    let check_used = |used: &dyn Fn(&mut Principal), keys: &[&str], report: &str, expect: &str| {
        let text = document(&[&on(r#""kms:Decrypt","kms:DescribeKey""#, keys)]);
        let case = case(sketch().report("role/r", report).inline("role/r", "p", &text).change("role/r", used));
        let analysis = case.analyze();
        let policy = analysis.graph().policies().next().unwrap();
        let holders = &analysis.policy(policy).unwrap().holders;
        let claim = Claim { policy, through: None, before: &text, after: &[] };
        let mut lost = analysis.catalog().empty_set();
        lost.insert(analysis.catalog().parse_action("kms:Decrypt").unwrap());
        let got =
            check_via_services(&claim, holders, &lost, &analysis).map_or_else(|error| error.name(), |()| String::new());
        assert_eq!(got, expect, "{keys:?} {report}");
    };
    let check = |keys: &[&str], report: &str, expect: &str| check_used(&|_| {}, keys, report, expect);
    let s3 = "s3 2026-10-09\nkms -: Decrypt";
    check(&[U1, U2], s3, "");
    check(&[U1, USED], s3, "no-evidence");
    check(&[OLD], s3, "no-evidence");
    check(&["*"], s3, "no-evidence");
    check(&[], s3, "no-evidence");
    check(&[USED], "s3 2026-01-09\nkms -: Decrypt", "");
    check(&[USED], "kms 2026-10-09: Decrypt", "");
    // The role's own record tells of another service than KMS, or does not say when: it may have been any.
    let check_record = |last: &str, region: Option<&str>, expect: &str| {
        let used = |role: &mut Principal| {
            (role.last_used, role.last_used_region) = (time(last), region.map(str::to_owned));
        };
        check_used(&used, &[USED], "kms 2026-10-01: Decrypt", expect);
    };
    check_record("-", None, "");
    check_record("-", Some("us-east-1"), "no-evidence");
    check_record("2026-10-01", Some("us-east-1"), "");
    check_record("2026-10-05", Some("us-east-1"), "no-evidence");
    check_record("2026-01-05", Some("us-east-1"), "");
    // The whole of it: the action goes by its own verdict, with the protection lifted.
    let text = document(&[&on(r#""kms:Decrypt","kms:DescribeKey""#, &[U1])]);
    let after = text.replace("\"kms:Decrypt\",", "");
    let mut lifted = case(sketch().report("role/r", s3).inline("role/r", "p", &text));
    assert!(lifted.prove(&text, Some(&after)).is_ok());
    lifted.settings.kms = KmsPruning::Off;
    assert_eq!(lifted.prove(&text, Some(&after)).unwrap_err().name(), "lost-action");
}

#[test]
fn what_was_granted_lately_stays() {
    let (before, after) = (document(&[&on(CRYPTO, &[U1, USED])]), document(&[&on(CRYPTO, &[USED])]));
    let check = |change: &dyn Fn(&mut Case), expect: &str| check_in(change, &before, Some(&after), expect);
    let created =
        |case: &mut Case, day: &str| case.account.principals.iter_mut().for_each(|own| own.created = time(day));
    check(&|case| created(case, "2026-10-08"), "changed-resource");
    check(&|case| created(case, "2026-07-12T05:00:01Z"), "changed-resource");
    check(&|case| created(case, "2026-07-12T05:00:00Z"), "proved 1:u1");
    check(&|case| created(case, "-"), "changed-resource");
    let history = |case: &mut Case, from: &str, name: &str, role: &str| {
        let event = GrantEvent {
            time: time("2026-10-08").unwrap(),
            name: name.to_owned(),
            user_name: None,
            role_name: Some(role.to_owned()),
            group_name: None,
            policy_name: Some("p".to_owned()),
            policy_arn: None,
        };
        let (from, to) = (time(from).unwrap(), time(NOW).unwrap());
        case.account.grants = Some(GrantHistory { from, to, events: vec![event] });
    };
    check(&|case| history(case, "2026-07-01", "PutRolePolicy", "r"), "changed-resource");
    check(&|case| history(case, "2026-07-01", "PutRolePermissionsBoundary", "r"), "changed-resource");
    check(&|case| history(case, "2026-07-01", "TagRole", "r"), "proved 1:u1");
    let keep = |case: &mut Case| case.settings.unknown_grant_date = UnknownGrantDate::Keep;
    check(&|case| keep(case), "changed-resource");
    let quiet = |case: &mut Case, from: &str| {
        history(case, from, "TagRole", "r");
        keep(case);
    };
    check(&|case| quiet(case, "2026-07-01"), "proved 1:u1");
    check(&|case| quiet(case, "2026-07-20"), "changed-resource");
}

#[test]
fn versions_show_since_when_a_key_is_named() {
    let (before, after) = (document(&[&on(CRYPTO, &[U1, USED])]), document(&[&on(CRYPTO, &[USED])]));
    let check = |versions: &[(&str, &str, &str)], in_force: &str, expect: &str| {
        let sketch =
            sketch().managed("policy/M", &before).attach("role/r", "policy/M").change_policy("policy/M", |policy| {
                policy.default_version = in_force.to_owned();
                policy.versions.clear();
                for (id, day, text) in versions {
                    let document = Some(secateur_analyzer::account::Document::new(*text));
                    policy.versions.push(PolicyVersion { id: (*id).to_owned(), created: time(day), document });
                }
            });
        let got = case(sketch).prove(&before, Some(&after)).map_or_else(|error| error.name(), |_| "proved".to_owned());
        assert_eq!(got, expect, "{versions:?}");
    };
    let other = document(&[&on(CRYPTO, &[USED])]);
    check(&[("v1", "2020-01-01", &before)], "v1", "proved");
    check(&[("v1", "2026-10-01", &before)], "v1", "changed-resource");
    check(&[("v1", "2020-01-01", &before), ("v2", "2026-10-01", &before)], "v2", "proved");
    check(&[("v1", "2020-01-01", &other), ("v2", "2026-10-01", &before)], "v2", "changed-resource");
    check(&[("v1", "2020-01-01", &before), ("v3", "2026-10-01", &before)], "v3", "changed-resource");
    check(&[("v1", "2020-01-01", &before), ("v2", "2026-10-01", &other)], "v1", "changed-resource");
    check(&[("v1", "2020-01-01", &other), ("v2", "2020-02-01", &before)], "v2", "proved");
}

#[test]
fn a_report_of_use_contradicts_the_keys() {
    let check = |before: &[&str], after: Option<&str>, expect: &str| {
        check_in(|_| {}, &document(before), after.map(|after| document(&[after])).as_deref(), expect);
    };
    check(&[&on(r#""kms:Decrypt""#, &[U1])], None, "lost-action");
    check(&[&on(CRYPTO, &[U1, U2])], None, "lost-action");
    let (used, s3) = (on(CRYPTO, &[USED]), on(CRYPTO, &["arn:aws:s3:::b"]));
    check(&[&on(CRYPTO, &[U1]), &used], Some(&used), "proved 1:u1");
    check(
        &[&on(CRYPTO, &[U1]), &on(r#""kms:Encrypt""#, &[USED])],
        Some(&on(r#""kms:Encrypt""#, &[USED])),
        "lost-action",
    );
    check(&[&on(CRYPTO, &[U1]), &s3], Some(&s3), "lost-action");
}

/// AWS does not track `ReEncryptFrom`: use that no listed action explains may have been of it.
#[test]
fn use_that_no_listed_action_explains_contradicts_the_keys() {
    let check = |report: &str, actions: &str, expect: &str| {
        let before = document(&[&on(actions, &[U1])]);
        let account = sketch().report("role/r", report).inline("role/r", "p", &before).build();
        check_in(|case| case.account = account, &before, None, expect);
    };
    let re_encrypt = r#""kms:ReEncryptFrom","kms:ReEncryptTo""#;
    check("s3 2026-10-09\nkms 2026-10-09", re_encrypt, "lost-action");
    check("s3 2026-10-09\nkms 2026-10-09: Sign, Encrypt=2026-10-08", re_encrypt, "lost-action");
    check("s3 2026-10-09\nkms 2026-10-09: Sign, Encrypt=2026-10-09", re_encrypt, "proved 1:u1");
    check("s3 2026-10-09\nkms 2026-05-01: Sign", re_encrypt, "proved");
    // What is tracked is told by the list, where it is listed.
    check("s3 2026-10-09\nkms 2026-10-09: Encrypt", r#""kms:Encrypt""#, "proved");
    check("s3 2026-10-09\nkms 2026-10-09: Sign", r#""kms:Encrypt""#, "lost-action");
}

#[test]
fn an_access_key_contradicts_the_keys() {
    let check = |service: &str, day: &str, report: &str, expect: &str| {
        let text = document(&[&on(r#""kms:ReEncryptFrom""#, &[U1])]);
        let mut sketch = Sketch::new()
            .principal("user/u")
            .report("user/u", report)
            .kms_key(U1, "2026-05-01", "2026-05-01", "-")
            .access_key("user/u", "AKIA1", "2023-01-01", day)
            .inline("user/u", "p", &text);
        for key in sketch.account.access_keys.values_mut().flatten() {
            key.last_used = match key.last_used.clone() {
                KeyLastUsed::At { time, region, .. } => KeyLastUsed::At { time, region, service: service.to_owned() },
                other => other,
            };
        }
        let account = sketch.build();
        check_in(|case| case.account = account, &text, None, expect);
    };
    // Of what is not used at all, both actions and keys may go; here only the key tells, since the report is of use.
    let shown = "s3 2026-10-05\nkms 2026-10-05: Sign=2026-10-05";
    check("kms", "2026-10-05", shown, "proved 1:u1");
    check("KMS", "2026-10-08", shown, "lost-action");
    check("odd", "2026-10-05", shown, "proved 1:u1");
    check("odd", "2026-10-08", shown, "lost-action");
    // The report is of later use: of that time it shows none.
    check("odd", "2026-10-03", shown, "lost-action");
    check("odd", "2026-10-04", shown, "proved 1:u1");
    check("s3", "2026-10-08", shown, "proved 1:u1");
    check("kms", "2026-10-05", "s3 2026-10-05", "lost-action");
    // After what the report sees, other use within the window may be it.
    check("kms", "2026-10-10T04:00:00Z", shown, "proved 1:u1");
    check("kms", "2026-10-10T04:00:00Z", "s3 2026-10-05\nkms 2026-05-05: Sign", "lost-action");
}

/// A use before the key was there, or in 1970, is none: nothing tells when the last one was.
#[test]
fn impossible_uses_are_no_record_of_disuse() {
    let check = |created: &str, tracking_start: &str, last: &str, expect: &str| {
        let before = document(&[&on(CRYPTO, &[U1, USED])]);
        let account = sketch().kms_key(U1, created, tracking_start, last).inline("role/r", "p", &before).build();
        check_in(|case| case.account = account, &before, Some(&document(&[&on(CRYPTO, &[USED])])), expect);
    };
    check("2022-05-01", "2026-04-27", "2026-05-01", "proved 1:u1");
    check("2026-05-01", "2026-05-01", "2026-05-01", "proved 1:u1");
    check("2026-10-01", "2026-10-01", "2022-05-01", "changed-resource");
    check("2022-05-01", "2026-04-27", "2026-04-26", "changed-resource");
    check("-", "-", "1970-01-01", "changed-resource");
    check("-", "-", "2022-05-01", "proved 1:u1");
}
