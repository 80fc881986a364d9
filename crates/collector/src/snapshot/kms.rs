//! `kms/<region>/`: what `aws kms get-key-last-usage` prints, plus `Arn` and what `describe-key` says of other Regions.
//!
//! See <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html>.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secateur_analyzer::account::{KmsKey, KmsLastUsage, MultiRegion};
use secateur_analyzer::arn::Arn;
use secateur_analyzer::time::UnixTime;
use serde::{Deserialize, Deserializer};

use super::SnapshotError;
use super::inventory::SnapshotFile;
use super::json;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, the last usage of one key")]
struct Answer {
    arn: Option<Arn>,
    key_id: Option<String>,
    key_creation_date: Option<UnixTime>,
    tracking_start_date: Option<UnixTime>,
    /// Absent, null, or an object: only the first says nothing.
    #[serde(default, deserialize_with = "present")]
    key_last_usage: Option<Option<LastUsage>>,
    multi_region: Option<bool>,
    multi_region_configuration: Option<Configuration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `Operation` and `Timestamp`")]
struct LastUsage {
    operation: Option<String>,
    timestamp: Option<UnixTime>,
    cloud_trail_event_id: Option<String>,
    kms_request_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `PrimaryKey` and `ReplicaKeys`")]
struct Configuration {
    primary_key: Option<Relative>,
    replica_keys: Option<Vec<Relative>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `Arn` and `Region`")]
struct Relative {
    arn: Arn,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<LastUsage>>, D::Error> {
    Option::<LastUsage>::deserialize(deserializer).map(Some)
}

/// Reads what one file says of a key in one Region.
pub(super) fn read(file: &SnapshotFile, bytes: &[u8]) -> Result<KmsKey, SnapshotError> {
    let answer: Answer = json::parse(file, bytes)?;
    let arn = answer.arn.ok_or_else(|| SnapshotError::NoArn { path: file.path.clone() })?;
    // KMS answers with the id or with the ARN that it was asked with. Evidence on one key must not count for another.
    if let Some(key_id) = answer.key_id.filter(|key_id| *key_id != arn.name() && *key_id != arn.as_str()) {
        return Err(SnapshotError::OtherKey { path: file.path.clone(), key_id, arn });
    }
    Ok(KmsKey {
        created: answer.key_creation_date,
        tracking_start: answer.tracking_start_date,
        last_usage: answer.key_last_usage.map_or(KmsLastUsage::Unknown, last_usage),
        multi_region: multi_region(&arn, answer.multi_region, answer.multi_region_configuration),
        arn,
    })
}

/// `{}` and null both say that there is no use on record; an object without a time says that there is, and not when.
fn last_usage(last_usage: Option<LastUsage>) -> KmsLastUsage {
    let Some(LastUsage { operation, timestamp, cloud_trail_event_id, kms_request_id }) = last_usage else {
        return KmsLastUsage::Nothing;
    };
    match timestamp {
        Some(time) => KmsLastUsage::At(time),
        None if operation.is_none() && cloud_trail_event_id.is_none() && kms_request_id.is_none() => {
            KmsLastUsage::Nothing
        }
        None => KmsLastUsage::Unknown,
    }
}

/// The id of a multi-Region key begins with `mrk-`, and no other does; what contradicts that is not known.
fn multi_region(arn: &Arn, said: Option<bool>, configuration: Option<Configuration>) -> MultiRegion {
    let is_multi_region = arn.name().starts_with("mrk-");
    match configuration {
        None if !is_multi_region && said != Some(true) => MultiRegion::No,
        Some(Configuration { primary_key: Some(primary), replica_keys: Some(replicas) })
            if is_multi_region && said != Some(false) =>
        {
            let mut relatives: Vec<Arn> =
                std::iter::once(primary).chain(replicas).map(|relative| relative.arn).collect();
            relatives.sort();
            relatives.dedup();
            MultiRegion::Yes(relatives)
        }
        _ => MultiRegion::Unknown,
    }
}

/// Returns whether the file stands in a folder of another Region than the key's: then it is not clear who was asked.
pub(super) fn is_in_other_region(file: &SnapshotFile, key: &KmsKey) -> bool {
    let folders: Vec<&str> = file.name.split('/').collect();
    matches!(folders.as_slice(), ["kms", region, _, ..] if *region != key.arn.region())
}

/// Returns the keys by ARN; two files about one key must agree.
pub(super) fn by_arn(files: Vec<(PathBuf, KmsKey)>) -> Result<BTreeMap<Arn, KmsKey>, SnapshotError> {
    let mut by_arn: BTreeMap<Arn, (PathBuf, KmsKey)> = BTreeMap::new();
    for (second, key) in files {
        match by_arn.get(&key.arn) {
            Some((first, kept)) if *kept != key => {
                return Err(SnapshotError::KeysDisagree { arn: key.arn, first: first.clone(), second });
            }
            Some(_) => {}
            None => {
                by_arn.insert(key.arn.clone(), (second, key));
            }
        }
    }
    Ok(by_arn.into_iter().map(|(arn, (_, key))| (arn, key)).collect())
}

#[cfg(test)]
mod tests;
