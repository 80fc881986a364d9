use serde_json::{Value, json};

use super::*;
use crate::snapshot::fixture::Fixture;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1a2b";
const PRIMARY: &str = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1";
const REPLICA: &str = "arn:aws:kms:us-east-1:111122223333:key/mrk-1";

/// What KMS says of a key without use, with `members` replaced; null takes a member out.
fn usage(arn: &str, members: Value) -> Value {
    let mut usage = json!({
        "KeyId": arn.rsplit('/').next().unwrap(), "KeyCreationDate": "2024-02-01T09:00:00.25+00:00",
        "TrackingStartDate": "2026-04-27T00:00:00+00:00", "KeyLastUsage": {}, "Arn": arn,
    });
    for (name, value) in members.as_object().unwrap() {
        usage[name] = value.clone();
    }
    usage
}

fn read_one(usage: &Value) -> KmsKey {
    let snapshot = Fixture::with_details();
    snapshot.put("kms/eu-west-1/k.json", usage.to_string());
    let account = snapshot.read().unwrap();
    assert_eq!(account.gaps, []);
    account.kms_keys.into_values().next().unwrap()
}

#[test]
fn the_last_usage() {
    let check = |last_usage: Value, expect: KmsLastUsage| {
        let key = read_one(&usage(KEY, json!({"KeyLastUsage": last_usage.clone()})));
        assert_eq!(key.last_usage, expect, "{last_usage}");
    };
    let at = || KmsLastUsage::At("2026-06-20T09:41:00Z".parse().unwrap());
    check(json!({}), KmsLastUsage::Nothing);
    check(json!(null), KmsLastUsage::Nothing);
    check(json!({"Operation": null, "Timestamp": null}), KmsLastUsage::Nothing);
    check(json!({"Operation": "Decrypt", "Timestamp": "2026-06-20T09:41:00.9+00:00", "New": 1}), at());
    check(json!({"Timestamp": 1_781_948_460}), at());
    check(json!({"Operation": "Decrypt"}), KmsLastUsage::Unknown);
    check(json!({"KmsRequestId": "r"}), KmsLastUsage::Unknown);
    let mut without = usage(KEY, json!({}));
    without.as_object_mut().unwrap().remove("KeyLastUsage");
    assert_eq!(read_one(&without).last_usage, KmsLastUsage::Unknown);
}

#[test]
fn the_relatives() {
    let check = |arn: &str, members: Value, expect: MultiRegion| {
        assert_eq!(read_one(&usage(arn, members.clone())).multi_region, expect, "{arn} {members}");
    };
    let relatives = json!({
        "MultiRegionKeyType": "PRIMARY", "PrimaryKey": {"Arn": PRIMARY, "Region": "eu-west-1"},
        "ReplicaKeys": [{"Arn": REPLICA, "Region": "us-east-1"}],
    });
    let both = || MultiRegion::Yes(vec![PRIMARY.parse().unwrap(), REPLICA.parse().unwrap()]);
    check(KEY, json!({}), MultiRegion::No);
    check(KEY, json!({"MultiRegion": false}), MultiRegion::No);
    check(KEY, json!({"MultiRegion": false, "MultiRegionConfiguration": null}), MultiRegion::No);
    check(KEY, json!({"MultiRegion": true}), MultiRegion::Unknown);
    check(KEY, json!({"MultiRegionConfiguration": relatives}), MultiRegion::Unknown);
    check(PRIMARY, json!({"MultiRegionConfiguration": relatives}), both());
    check(PRIMARY, json!({"MultiRegion": true, "MultiRegionConfiguration": relatives}), both());
    check(PRIMARY, json!({"MultiRegion": false, "MultiRegionConfiguration": relatives}), MultiRegion::Unknown);
    check(PRIMARY, json!({}), MultiRegion::Unknown);
    check(PRIMARY, json!({"MultiRegion": true}), MultiRegion::Unknown);
    check(PRIMARY, json!({"MultiRegionConfiguration": {}}), MultiRegion::Unknown);
    let alone = json!({"PrimaryKey": {"Arn": PRIMARY}, "ReplicaKeys": []});
    check(PRIMARY, json!({"MultiRegionConfiguration": alone}), MultiRegion::Yes(vec![PRIMARY.parse().unwrap()]));
    check(PRIMARY, json!({"MultiRegionConfiguration": {"PrimaryKey": {"Arn": PRIMARY}}}), MultiRegion::Unknown);
}

#[test]
fn every_replica_is_a_key_by_itself_and_the_arn_decides() {
    let snapshot = Fixture::with_details();
    snapshot.put("kms/eu-west-1/a.json", usage(PRIMARY, json!({})).to_string());
    snapshot.put("kms/us-east-1/a.json", usage(REPLICA, json!({"KeyId": REPLICA})).to_string());
    snapshot.put("kms/flat.json", usage(KEY, json!({})).to_string());
    snapshot.put("kms/eu-west-1/again/a.json", usage(PRIMARY, json!({})).to_string());
    let account = snapshot.read().unwrap();
    assert_eq!(account.kms_keys.keys().map(Arn::as_str).collect::<Vec<_>>(), [KEY, PRIMARY, REPLICA]);
    let key = &account.kms_keys[&KEY.parse::<Arn>().unwrap()];
    assert_eq!(key.created.map(|time| time.to_string()).as_deref(), Some("2024-02-01T09:00:00Z"));
    assert_eq!(key.tracking_start.map(|time| time.to_string()).as_deref(), Some("2026-04-27T00:00:00Z"));
}

#[test]
fn a_file_in_the_folder_of_another_region_counts_as_absent() {
    let snapshot = Fixture::with_details();
    snapshot.put("kms/us-east-1/a.json", usage(KEY, json!({})).to_string());
    let account = snapshot.read().unwrap();
    assert!(account.kms_keys.is_empty());
    let gaps: Vec<_> = account.gaps.iter().map(|gap| (gap.subject.as_str(), gap.kind.as_str())).collect();
    assert_eq!(gaps, [("kms/us-east-1/a.json", "kms-other-region")]);
}

#[test]
fn files_that_contradict_themselves_or_each_other() {
    let check = |files: &[(&str, &Value)], expect: &str| {
        let snapshot = Fixture::with_details();
        files.iter().for_each(|(name, usage)| snapshot.put(&format!("kms/{name}"), usage.to_string()));
        assert_eq!(snapshot.error().lines().next().unwrap(), expect);
    };
    let none = usage(KEY, json!({}));
    check(
        &[("a.json", &none), ("b.json", &usage(KEY, json!({"KeyLastUsage": {"Timestamp": 1}})))],
        &format!("two files say different things of the keys of `{KEY}`: `DIR/kms/a.json` and `DIR/kms/b.json`"),
    );
    check(
        &[("a.json", &usage(KEY, json!({"KeyId": "3c4d"})))],
        &format!("`DIR/kms/a.json` has the usage of key `3c4d`, and says that it is about `{KEY}`"),
    );
    check(
        &[("a.json", &usage(KEY, json!({"Arn": null})))],
        "`DIR/kms/a.json` does not say whom it is about: it has no member `Arn`",
    );
    check(
        &[("a.json", &json!({"KeyCreationDate": "soon"}))],
        "`DIR/kms/a.json` has another shape than expected at line 1, column 25: `soon` is not a time such as \
         2026-10-10T06:00:00Z",
    );
}
