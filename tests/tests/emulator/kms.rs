//! The last use of KMS keys.

use serde_json::{Value, json};

use super::cloud::Cloud;

const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const MRK: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";

fn with_key(created: &str) -> Cloud {
    let cloud = Cloud::new();
    cloud.control("keys", json!({"arn": KEY, "created": created}));
    cloud
}

fn last_usage(cloud: &Cloud, key: &str) -> Value {
    let reply = cloud.kms("eu-west-1", "GetKeyLastUsage", key);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.value()
}

fn uses(cloud: &Cloud, action: &str, time: &str, succeeds: bool) {
    cloud.control("usage", json!({"key": KEY, "action": action, "time": time, "succeeds": succeeds}));
}

#[test]
fn last_usage_takes_an_id_or_an_arn_and_no_alias() {
    let cloud = with_key("2026-05-01T00:00:00Z");
    cloud.control("keys", json!({"arn": KEY, "created": "2026-05-01T00:00:00Z", "aliases": ["mine"]}));
    for key in [KEY, "1234abcd-12ab-34cd-56ef-1234567890ab"] {
        let members: Vec<String> = last_usage(&cloud, key).as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["KeyCreationDate", "KeyId", "KeyLastUsage", "TrackingStartDate"]);
    }
    let reply = cloud.kms("eu-west-1", "GetKeyLastUsage", "alias/mine");
    assert_eq!((reply.status, reply.value()["__type"].as_str()), (400, Some("InvalidArnException")));
    assert_eq!(cloud.kms("eu-west-1", "DescribeKey", "alias/mine").value()["KeyMetadata"]["Arn"], KEY);
}

#[test]
fn a_used_key_a_key_never_used_and_a_key_older_than_the_records_differ() {
    let cloud = with_key("2026-05-01T00:00:00Z");
    let answer = last_usage(&cloud, KEY);
    assert_eq!(answer["KeyLastUsage"], json!({}), "never used");
    assert_eq!(answer["KeyCreationDate"], answer["TrackingStartDate"], "since it was made");
    uses(&cloud, "kms:Decrypt", "2026-10-01T00:00:00Z", true);
    let usage = last_usage(&cloud, KEY)["KeyLastUsage"].clone();
    assert_eq!((usage["Operation"].as_str(), usage["Timestamp"].as_i64()), (Some("Decrypt"), Some(1_790_812_800)));
    assert!(usage["CloudTrailEventId"].is_string() && usage["KmsRequestId"].is_string());
    let cloud = with_key("2022-05-01T00:00:00Z");
    let answer = last_usage(&cloud, KEY);
    assert_eq!(answer["KeyLastUsage"], json!({}));
    assert!(answer["KeyCreationDate"].as_i64() < answer["TrackingStartDate"].as_i64(), "earlier use is not known");
}

#[test]
fn tracking_starts_when_kms_began_or_when_the_key_was_made() {
    let start = |created| last_usage(&with_key(created), KEY)["TrackingStartDate"].clone();
    assert_eq!(start("2022-05-01T00:00:00Z"), json!(1_777_248_000));
    assert_eq!(start("2026-05-01T00:00:00Z"), json!(1_777_593_600));
}

#[test]
fn no_use_is_an_empty_object_on_the_wire() {
    let cloud = with_key("2026-05-01T00:00:00Z");
    assert!(cloud.kms("eu-west-1", "GetKeyLastUsage", KEY).body.contains(r#""KeyLastUsage":{}"#));
}

#[test]
fn only_successful_cryptographic_operations_count() {
    let cloud = with_key("2026-05-01T00:00:00Z");
    uses(&cloud, "kms:DescribeKey", "2026-10-01T00:00:00Z", true);
    uses(&cloud, "kms:CreateGrant", "2026-10-01T00:00:00Z", true);
    uses(&cloud, "kms:GetPublicKey", "2026-10-01T00:00:00Z", true);
    uses(&cloud, "kms:Decrypt", "2026-10-01T00:00:00Z", false);
    assert_eq!(last_usage(&cloud, KEY)["KeyLastUsage"], json!({}));
    uses(&cloud, "kms:GenerateDataKeyWithoutPlaintext", "2026-10-01T00:00:00Z", true);
    assert_eq!(last_usage(&cloud, KEY)["KeyLastUsage"]["Operation"], "GenerateDataKeyWithoutPlaintext");
}

#[test]
fn replicas_record_each_by_itself() {
    let cloud = Cloud::new();
    let arn = |region: &str| format!("arn:aws:kms:{region}:123456789012:key/{MRK}");
    for region in ["eu-west-1", "us-east-1"] {
        let configuration = json!({"MultiRegionKeyType": if region == "eu-west-1" { "PRIMARY" } else { "REPLICA" },
            "PrimaryKey": {"Arn": arn("eu-west-1"), "Region": "eu-west-1"},
            "ReplicaKeys": [{"Arn": arn("us-east-1"), "Region": "us-east-1"}]});
        let key = json!({"arn": arn(region), "created": "2026-05-01T00:00:00Z", "multi_region": configuration});
        cloud.control("keys", key);
    }
    cloud.control("usage", json!({"key": arn("us-east-1"), "action": "kms:Encrypt", "time": "2026-10-01T00:00:00Z"}));
    let usage = |region: &str| cloud.kms(region, "GetKeyLastUsage", MRK).value()["KeyLastUsage"].clone();
    assert_eq!(usage("eu-west-1"), json!({}));
    assert_eq!(usage("us-east-1")["Operation"], "Encrypt");
    let metadata = cloud.kms("us-east-1", "DescribeKey", MRK).value()["KeyMetadata"].clone();
    assert_eq!(metadata["MultiRegionConfiguration"]["MultiRegionKeyType"], "REPLICA");
}

#[test]
fn strangers_keys_other_regions_and_what_is_no_arn_are_refused() {
    let cloud = with_key("2026-05-01T00:00:00Z");
    let code = |region: &str, key: &str| {
        let reply = cloud.kms(region, "GetKeyLastUsage", key);
        (reply.status, reply.value()["__type"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(code("us-east-1", KEY), (400, "NotFoundException".into()));
    assert_eq!(code("eu-west-1", "nope"), (400, "NotFoundException".into()));
    assert_eq!(code("eu-west-1", "arn:aws:s3:::bucket"), (400, "InvalidArnException".into()));
    assert_eq!(code("eu-west-1", &KEY.replace("123456789012", "999999999999")), (400, "AccessDeniedException".into()));
    for (fault, code_of, status) in [
        ("KMSInternalException", "KMSInternalException", 500),
        ("DependencyTimeoutException", "DependencyTimeoutException", 500),
    ] {
        cloud.control(
            "faults",
            json!({"operation": "GetKeyLastUsage", "effect": "error", "code": fault, "status": 500}),
        );
        assert_eq!(code("eu-west-1", KEY), (status, code_of.into()));
    }
    cloud.control("faults", json!({"operation": "GetKeyLastUsage", "effect": "throttle"}));
    assert_eq!(code("eu-west-1", KEY), (400, "ThrottlingException".into()));
}

#[test]
fn keys_are_listed_by_region_in_pages() {
    let cloud = Cloud::new();
    for at in 0..5 {
        cloud.control("keys", json!({"arn": format!("arn:aws:kms:eu-west-1:123456789012:key/{at}")}));
    }
    let list = |body: Value| cloud.json("eu-west-1", "TrentService.ListKeys", &body).value();
    let first = list(json!({"Limit": 3}));
    assert_eq!((first["Keys"].as_array().unwrap().len(), &first["Truncated"]), (3, &json!(true)));
    let second = list(json!({"Limit": 3, "Marker": first["NextMarker"]}));
    assert_eq!((second["Keys"][0]["KeyId"].as_str(), &second["Truncated"]), (Some("3"), &json!(false)));
    assert_eq!(cloud.json("us-east-1", "TrentService.ListKeys", &json!({})).value()["Keys"], json!([]));
}
