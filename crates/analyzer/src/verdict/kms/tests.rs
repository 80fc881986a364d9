use super::*;
use crate::account::sketch::{NOW, Sketch, time};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1a2b-3c";
const PRIMARY: &str = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1";
const REPLICA: &str = "arn:aws:kms:us-east-1:111122223333:key/mrk-1";
const OTHER: &str = "arn:aws:kms:eu-north-1:111122223333:key/mrk-1";

fn settings() -> Settings {
    Settings { kms: KmsPruning::Prune, ..Settings::default() }
}

fn evidence(sketch: Sketch) -> KmsEvidence {
    KmsEvidence::new(&sketch.build(), &settings(), NOW.parse().unwrap())
}

fn word(sketch: Sketch, arn: &str) -> &'static str {
    evidence(sketch).keys().get(&arn.parse::<Arn>().unwrap()).map_or("absent", KmsVerdict::as_str)
}

#[test]
fn the_three_cases() {
    let check = |created: &str, tracking_start: &str, last_usage: &str, expect: &str| {
        let sketch = Sketch::new().kms_key(KEY, created, tracking_start, last_usage);
        assert_eq!(word(sketch, KEY), expect, "{created} {tracking_start} {last_usage}");
    };
    // A use is on record. Collected at 2026-10-10T06:00:00Z; an hour's delay, 90 days.
    check("2022-01-01", "2026-04-27", "2026-10-09", "used");
    check("2022-01-01", "2026-04-27", "2026-05-01", "unused");
    check("2022-01-01", "2026-04-27", "2026-07-12T05:00:00Z", "unused");
    check("2022-01-01", "2026-04-27", "2026-07-12T05:00:01Z", "used");
    check("-", "-", "2026-05-01", "unused");
    // A use before the key was there, or before anything was recorded, is none, and nothing tells when there was one.
    check("2026-10-01", "2026-10-01", "2022-05-01", "no-evidence");
    check("2022-01-01", "2026-04-27", "2026-04-26", "no-evidence");
    check("2026-04-27", "2026-04-27", "2026-04-27", "unused");
    check("2022-01-01", "2022-01-01", "1970-01-01", "no-evidence");
    check("-", "-", "1970-01-01", "no-evidence");
    // None is, since the key was created.
    check("2026-05-11T10:31:07Z", "2026-05-11T10:31:07Z", "-", "unused");
    check("2026-05-11T10:31:08Z", "2026-05-11T10:31:07Z", "-", "unused");
    check("2026-07-12T05:00:00Z", "2026-07-12T05:00:00Z", "-", "unused");
    check("2026-07-12T05:00:01Z", "2026-07-12T05:00:01Z", "-", "too-recent");
    // None is, since the records began: the key is older.
    check("2026-05-11T10:31:06Z", "2026-05-11T10:31:07Z", "-", "unrecorded");
    check("2022-01-01", "2026-04-27", "-", "unrecorded");
    check("-", "2026-04-27", "-", "no-evidence");
    check("2026-05-01", "-", "-", "no-evidence");
}

#[test]
fn what_is_not_said_is_no_evidence() {
    let unused = || Sketch::new().kms_key(KEY, "2026-05-01", "2026-05-01", "-");
    assert_eq!(word(unused(), KEY), "unused");
    let check = |change: &dyn Fn(&mut Account)| {
        let mut sketch = unused();
        change(&mut sketch.account);
        assert_eq!(word(sketch, KEY), "no-evidence");
    };
    check(&|account| account.started_at = None);
    check(&|account| account.started_at = time("2026-10-10T06:00:01Z"));
    check(&|account| account.started_at = time("2026-10-03T05:59:59Z"));
    check(&|account| account.id = "444455556666".to_owned());
    check(&|account| account.partition = "aws-cn".to_owned());
    let key = |change: &dyn Fn(&mut KmsKey)| check(&|account| account.kms_keys.values_mut().for_each(change));
    key(&|key| key.last_usage = KmsLastUsage::Unknown);
    key(&|key| key.multi_region = MultiRegion::Unknown);
    let off = KmsEvidence::new(&unused().build(), &Settings::default(), NOW.parse().unwrap());
    assert!(off.keys().is_empty() && off.unused(KEY).is_none());
}

#[test]
fn only_single_keys_of_this_account_count() {
    let check = |arn: &str, expect: &str| {
        assert_eq!(word(Sketch::new().kms_key(arn, "2026-05-01", "2026-05-01", "-"), arn), expect, "{arn}");
    };
    check(KEY, "unused");
    check("arn:aws:kms:eu-west-1:111122223333:alias/a", "no-evidence");
    check("arn:aws:kms:eu-west-1:111122223333:key/*", "no-evidence");
    check("arn:aws:kms:eu-west-1:111122223333:key/1a?b", "no-evidence");
    check("arn:aws:kms:*:111122223333:key/1a2b", "no-evidence");
    check("arn:aws:kms:eu-west-1:111122223333:key/${aws:username}", "no-evidence");
    check("arn:aws:kms:eu-west-1:111122223333:key/a/b", "no-evidence");
    check("arn:aws:kms:eu-west-1:444455556666:key/1a2b", "no-evidence");
    check("arn:aws:kms:eu-west-1::key/1a2b", "no-evidence");
    check("arn:aws:s3:eu-west-1:111122223333:key/1a2b", "no-evidence");
    let unused = evidence(Sketch::new().kms_key(KEY, "2026-05-01", "2026-05-01", "-"));
    let resources = [KEY.to_uppercase(), KEY.replace("1a2b", "1A2B"), KEY.replace("1a2b", "1a2*"), format!("{KEY} ")];
    for resource in resources.iter().map(String::as_str).chain(["*", "", "arn:aws:kms:eu-west-1:111122223333:key/*"]) {
        assert_eq!(unused.unused(resource), None, "{resource}");
    }
    assert!(unused.unused(KEY).is_some());
}

#[test]
fn every_replica_must_be_unused() {
    let relatives = |arns: &[&str]| MultiRegion::Yes(arns.iter().map(|arn| arn.parse().unwrap()).collect());
    // In the order of ARNs.
    let both = || relatives(&[PRIMARY, REPLICA]);
    let sketch = |replica: &str| {
        Sketch::new()
            .kms_key(PRIMARY, "2024-02-01", "2026-04-27", "2026-06-20")
            .kms_key(REPLICA, "2026-05-01", "2026-05-01", replica)
            .change_kms_key(PRIMARY, |key| key.multi_region = both())
            .change_kms_key(REPLICA, |key| key.multi_region = both())
    };
    let check = |sketch: Sketch, expect: &str| {
        assert_eq!((word(sketch.clone(), PRIMARY), word(sketch, REPLICA)), (expect, expect));
    };
    check(sketch("-"), "unused");
    check(sketch("2026-05-20"), "unused");
    check(sketch("2026-10-01"), "used");
    let year = time("2024-02-01");
    check(sketch("-").change_kms_key(REPLICA, |key| key.created = year), "unrecorded");
    let lately = time("2026-10-01");
    check(
        sketch("-").change_kms_key(REPLICA, |key| (key.created, key.tracking_start) = (lately, lately)),
        "too-recent",
    );
    check(sketch("-").change_kms_key(REPLICA, |key| key.last_usage = KmsLastUsage::Unknown), "no-evidence");
    // What the relatives say of each other must be the same, and of this account.
    check(sketch("-").change_kms_key(REPLICA, |key| key.multi_region = relatives(&[REPLICA])), "no-evidence");
    check(sketch("-").change_kms_key(REPLICA, |key| key.multi_region = MultiRegion::No), "no-evidence");
    check(sketch("-").kms_key(OTHER, "2026-05-01", "2026-05-01", "-"), "no-evidence");
    let three = || relatives(&[OTHER, PRIMARY, REPLICA]);
    let more = sketch("-")
        .change_kms_key(PRIMARY, |key| key.multi_region = three())
        .change_kms_key(REPLICA, |key| key.multi_region = three());
    check(more.clone(), "no-evidence");
    let whole =
        more.kms_key(OTHER, "2026-05-02", "2026-05-02", "-").change_kms_key(OTHER, |key| key.multi_region = three());
    check(whole.clone(), "unused");
    let unused = evidence(whole).unused(REPLICA).unwrap();
    assert_eq!((unused.last_used, unused.since), (time("2026-06-20"), time("2026-06-20").unwrap()));
    let foreign = "arn:aws:kms:us-east-1:444455556666:key/mrk-1";
    let lists = || relatives(&[PRIMARY, foreign]);
    let mut foreign = Sketch::new()
        .kms_key(PRIMARY, "2026-05-01", "2026-05-01", "-")
        .kms_key(foreign, "2026-05-01", "2026-05-01", "-")
        .change_kms_key(PRIMARY, |key| key.multi_region = lists());
    foreign.account.kms_keys.values_mut().for_each(|key| key.multi_region = lists());
    assert_eq!(word(foreign, PRIMARY), "no-evidence");
    let alone = Sketch::new().kms_key(PRIMARY, "2026-05-01", "2026-05-01", "-");
    assert_eq!(word(alone.clone().change_kms_key(PRIMARY, |key| key.multi_region = both()), PRIMARY), "no-evidence");
    assert_eq!(word(alone.change_kms_key(PRIMARY, |key| key.multi_region = relatives(&[PRIMARY])), PRIMARY), "unused");
}

#[test]
fn what_a_policy_allows_on_unused_keys_only() {
    let used = "arn:aws:kms:eu-west-1:111122223333:key/9f";
    let evidence = evidence(Sketch::new().kms_key(KEY, "2026-05-01", "2026-05-01", "-").kms_key(
        used,
        "2026-05-01",
        "2026-05-01",
        NOW,
    ));
    let catalog = Catalog::embedded();
    let check = |statements: &str, expect: &str| {
        let text = format!("{{\"Statement\":[{statements}]}}").replace("KEY", KEY).replace("USED", used);
        let document = PolicyDocument::parse(text).unwrap();
        let lifted: Vec<&str> =
            evidence.lifted(catalog, &document, &|_, _| true).iter().map(|id| catalog.name(id)).collect();
        assert_eq!(lifted.join(" "), expect, "{statements}");
    };
    let on =
        |action: &str, resource: &str| format!("{{\"Effect\":\"Allow\",\"Action\":{action},\"Resource\":{resource}}}");
    check(&on(r#""kms:Decrypt""#, r#""KEY""#), "Decrypt");
    check(&on(r#"["kms:Decrypt","kms:CreateGrant","kms:DescribeKey","s3:*"]"#, r#"["KEY"]"#), "Decrypt");
    check(&on(r#""kms:Re*""#, r#""KEY""#), "ReEncryptFrom ReEncryptTo");
    for resource in
        [r#"["KEY","USED"]"#, r#""*""#, r#"["KEY","*"]"#, r#""arn:aws:kms:eu-west-1:111122223333:key/*""#, "[]"]
    {
        check(&on(r#""kms:Decrypt""#, resource), "");
    }
    let decrypt = on(r#""kms:Decrypt""#, r#""KEY""#);
    check(&format!("{decrypt},{}", on(r#"["kms:D*"]"#, r#""USED""#)), "");
    check(&format!("{decrypt},{}", on(r#"["kms:Encrypt"]"#, r#""USED""#)), "Decrypt");
    check(&format!("{decrypt},{}", on(r#"["*"]"#, r#""*""#)), "");
    check(&format!("{decrypt},{}", on(r#"["kms:Decrypt"]"#, r#""USED""#).replace("Allow", "Deny")), "Decrypt");
    check(&decrypt.replace("Resource", "NotResource"), "");
    check(&decrypt.replace("\"Action\"", "\"NotAction\""), "");
    check(r#"{"Effect":"Allow","NotAction":"kms:Encrypt","Resource":"KEY"}"#, "");
    check(&format!("{decrypt},{}", r#"{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}"#), "");
    check(&decrypt.replace("Allow", "Deny"), "");
}
