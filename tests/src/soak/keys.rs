//! Access keys and KMS keys of a drawn account: what they are, and how the AWS CLI prints them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::draw::DAY;
use super::scene::{ACCOUNT, Document, Principal, Scene};
use super::settings::Settings;
use crate::judge::time;
use crate::random::Random;

/// An access key of a user.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// Its id.
    pub id: String,
    /// Whether its status is `Active`.
    pub is_active: bool,
    /// When it was created.
    pub created: i64,
    /// Its last use: none when it is not known, else when, if ever.
    pub used: Option<Option<i64>>,
}

/// A KMS key in one Region.
#[derive(Clone, Debug)]
pub struct KmsKey {
    /// Its ARN.
    pub arn: String,
    /// When it was created.
    pub created: i64,
    /// Since when its use is recorded.
    pub tracked: i64,
    /// Its last use.
    pub last: Option<i64>,
    /// All keys of its family, itself among them; none when it is of one Region.
    pub family: Vec<String>,
    /// Whether its use was collected.
    pub is_collected: bool,
}

/// KMS records use since then, see
/// <https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-determining-usage.html>.
const TRACKED: &str = "2026-04-27T00:00:00Z";

/// The actions whose use KMS records on the key.
pub const CRYPTOGRAPHIC: [&str; 6] = [
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
];

/// Draws the access keys of a user; none when they were not collected.
pub fn draw_access_keys(random: &mut Random, now: i64, number: usize) -> Option<Vec<AccessKey>> {
    if random.percent(10) {
        return None;
    }
    let one = |at: usize| {
        let created = now - random.between(1, 1_500) * DAY;
        let used = match random.below(10) {
            0 => None,
            1..4 => Some(None),
            4..6 => Some(Some(now - random.between(3_600, 3 * DAY))),
            _ => Some(Some(now - random.between(DAY, 400 * DAY))),
        };
        // No key is used before it is created.
        let used = used.map(|last| last.map(|last| last.max(created)));
        AccessKey { id: format!("AKIA{number:04}{at}DRAWN"), is_active: random.percent(80), created, used }
    };
    let mut one = one;
    let count = *[0, 1, 1, 2].get(number % 4).unwrap_or(&1);
    Some((0..count).map(&mut one).collect())
}

/// Draws KMS keys, some of them with replicas.
pub fn draw_kms(random: &mut Random, now: i64) -> Vec<KmsKey> {
    let tracked = time::parse(TRACKED).unwrap_or_default();
    let mut keys = Vec::new();
    for number in 0..2 + random.below(6) {
        let has_replicas = random.percent(30);
        let id = format!("{}{number:08x}-aaaa-bbbb-cccc-0123456789ab", if has_replicas { "mrk-" } else { "" });
        let regions: &[&str] = if has_replicas { &["eu-west-1", "us-east-1"] } else { &["eu-west-1"] };
        let arns: Vec<String> =
            regions.iter().map(|region| format!("arn:aws:kms:{region}:{ACCOUNT}:key/{id}")).collect();
        for arn in &arns {
            let created = now - random.between(1, 700) * DAY;
            let tracked = tracked.max(created);
            let last = random.percent(50).then(|| random.between(tracked, now - 7_200).max(tracked));
            keys.push(KmsKey {
                arn: arn.clone(),
                created,
                tracked,
                last,
                family: if has_replicas { arns.clone() } else { Vec::new() },
                is_collected: random.percent(90),
            });
        }
    }
    keys
}

/// A document about keys: mostly of what KMS records, on ARNs of keys and now and then on more.
pub fn document(random: &mut Random, keys: &[KmsKey]) -> Document {
    let statements = (0..1 + random.below(3)).map(|at| {
        let mut actions: BTreeSet<&str> =
            (0..1 + random.below(4)).filter_map(|_| random.pick(&CRYPTOGRAPHIC).copied()).collect();
        if random.percent(20) {
            actions.extend(random.pick(&[
                "kms:DescribeKey",
                "kms:*",
                "kms:GenerateDataKey*",
                "s3:GetObject",
                "kms:CreateGrant",
            ]));
        }
        let mut resources: BTreeSet<&str> =
            (0..1 + random.below(4)).filter_map(|_| random.pick(keys).map(|key| key.arn.as_str())).collect();
        if random.percent(15) {
            resources.extend(random.pick(&[
                "*",
                "arn:aws:kms:*:111122223333:key/*",
                "arn:aws:kms:eu-west-1:111122223333:alias/app",
                "arn:aws:kms:eu-west-1:999988887777:key/00000000-aaaa-bbbb-cccc-0123456789ab",
            ]));
        }
        let mut statement = json!({
            "Effect": if random.percent(10) { "Deny" } else { "Allow" }, "Action": actions, "Resource": resources,
        });
        if let (Some(members), Some(sid)) =
            (statement.as_object_mut(), random.pick(&["", "", "Keys", "SecateurKeepKeys"]))
        {
            if !sid.is_empty() {
                members.insert("Sid".to_owned(), Value::from(format!("{sid}{at}")));
            }
            if random.percent(20) {
                members.insert(
                    "Condition".to_owned(),
                    json!({"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}),
                );
            }
        }
        statement
    });
    let statements: Vec<Value> = statements.collect();
    Document::new(json!({"Version": "2012-10-17", "Statement": statements}).to_string())
}

impl AccessKey {
    /// Whether it may be made inactive, by its own use alone.
    pub fn is_idle(&self, scene: &Scene, settings: &Settings) -> bool {
        let observed = scene.started() - 4 * 3_600;
        let is_recent = |time: i64| observed - time < settings.max_key_idle_days * DAY;
        let Some(last) = self.used else { return false };
        // A last use is recorded once in a quarter of an hour.
        self.is_active
            && scene.has_manifest
            && !is_recent(self.created)
            && !last.is_some_and(|last| is_recent(last + 900))
    }
}

impl KmsKey {
    /// Whether nobody has used it, in any Region.
    pub fn is_unused(&self, scene: &Scene, settings: &Settings) -> bool {
        let observed = scene.started() - 3_600;
        let own = [self.arn.clone()];
        let family = if self.family.is_empty() { &own } else { self.family.as_slice() };
        let find = |arn: &String| scene.kms.iter().find(|key| key.arn == *arn && key.is_collected);
        let is_idle = |key: &KmsKey| {
            let since = match key.last {
                Some(last) => last,
                None if key.created >= key.tracked => key.created,
                None => return false,
            };
            observed - since >= settings.min_idle()
        };
        scene.has_manifest && family.iter().all(|arn| find(arn).is_some_and(is_idle))
    }
}

/// The files about keys: path and content.
pub fn files(scene: &Scene, arn: impl Fn(&Principal) -> String) -> Vec<(String, Value)> {
    let mut files = Vec::new();
    for (at, user) in scene.principals.iter().enumerate() {
        if let Some(keys) = &user.keys {
            let rows: Vec<Value> = keys.iter().map(|key| access_key(user, key)).collect();
            let list = json!({"AccessKeyMetadata": rows, "IsTruncated": false, "Arn": arn(user)});
            files.push((format!("access-keys/{at}.json"), list));
        }
    }
    for (at, key) in scene.kms.iter().enumerate().filter(|(_, key)| key.is_collected) {
        files.push((format!("kms/{}/{at}.json", region(&key.arn)), kms_key(key)));
    }
    files
}

fn access_key(user: &Principal, key: &AccessKey) -> Value {
    let mut row = json!({
        "UserName": user.name, "AccessKeyId": key.id, "Status": if key.is_active { "Active" } else { "Inactive" },
        "CreateDate": time::format(key.created),
    });
    let used = key.used.map(|last| match last {
        Some(last) => json!({"LastUsedDate": time::format(last), "ServiceName": "s3", "Region": "eu-west-1"}),
        None => json!({"ServiceName": "N/A", "Region": "N/A"}),
    });
    if let (Some(members), Some(used)) = (row.as_object_mut(), used) {
        members.insert("AccessKeyLastUsed".to_owned(), used);
    }
    row
}

/// The Region of an ARN.
fn region(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

fn kms_key(key: &KmsKey) -> Value {
    let usage = key.last.map_or(json!({}), |last| {
        json!({"Operation": "Decrypt", "Timestamp": time::format(last), "KmsRequestId": "00bc4c2d-33eb-549e-ad3f-a5df9eadb387"})
    });
    let mut value = json!({
        "KeyId": key.arn.rsplit('/').next(), "KeyCreationDate": time::format(key.created),
        "TrackingStartDate": time::format(key.tracked), "KeyLastUsage": usage, "Arn": key.arn,
        "MultiRegion": !key.family.is_empty(),
    });
    let relative = |arn: &String| json!({"Arn": arn, "Region": region(arn)});
    if let (Some(members), Some((primary, replicas))) = (value.as_object_mut(), key.family.split_first()) {
        let configuration = json!({
            "MultiRegionKeyType": if *primary == key.arn { "PRIMARY" } else { "REPLICA" },
            "PrimaryKey": relative(primary), "ReplicaKeys": replicas.iter().map(relative).collect::<Vec<_>>(),
        });
        members.insert("MultiRegionConfiguration".to_owned(), configuration);
    }
    value
}
