//! `access-keys/`: per user what `aws iam list-access-keys` prints, each key with its `AccessKeyLastUsed`.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html>.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secateur_analyzer::account::{AccessKey, KeyLastUsed, KeyStatus, Principal, PrincipalKind};
use secateur_analyzer::arn::Arn;
use secateur_analyzer::time::UnixTime;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::SnapshotError;
use super::inventory::SnapshotFile;
use super::json;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, the access keys of one user")]
struct Answer {
    arn: Option<Arn>,
    access_key_metadata: Vec<Key>,
    is_truncated: Option<bool>,
    marker: Option<IgnoredAny>,
    // What the AWS CLI writes instead of `Marker` under `--max-items`.
    next_token: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, an access key")]
struct Key {
    user_name: Option<String>,
    access_key_id: String,
    status: Option<String>,
    create_date: Option<UnixTime>,
    access_key_last_used: Option<LastUsed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `LastUsedDate`, `ServiceName` and `Region`")]
struct LastUsed {
    last_used_date: Option<UnixTime>,
    service_name: Option<String>,
    region: Option<String>,
}

/// What one file says.
#[derive(Debug)]
pub(super) struct AccessKeys {
    /// The user, if the file says whom it is about.
    arn: Option<Arn>,
    /// The user's name, by the keys.
    user: Option<String>,
    /// The keys, by id; none when pages are missing.
    keys: Option<Vec<AccessKey>>,
}

impl AccessKeys {
    pub(super) fn is_truncated(&self) -> bool {
        self.keys.is_none()
    }
}

pub(super) fn read(file: &SnapshotFile, bytes: &[u8]) -> Result<AccessKeys, SnapshotError> {
    let answer: Answer = json::parse(file, bytes)?;
    let mut users: Vec<&String> = answer.access_key_metadata.iter().filter_map(|key| key.user_name.as_ref()).collect();
    users.dedup();
    let mut named = answer.arn.as_ref().map(Arn::name).into_iter().chain(users.iter().map(|user| user.as_str()));
    let user = named.next().map(str::to_owned);
    if let (Some(first), Some(second)) = (&user, named.find(|name| user.as_deref() != Some(name))) {
        let (path, first, second) = (file.path.clone(), first.clone(), second.to_owned());
        return Err(SnapshotError::TwoUsers { path, first, second });
    }
    let truncated = answer.is_truncated == Some(true) || answer.marker.is_some() || answer.next_token.is_some();
    let mut keys: Vec<AccessKey> = answer.access_key_metadata.into_iter().map(key).collect();
    keys.sort();
    keys.dedup();
    if let Some((twice, _)) = keys.iter().zip(keys.iter().skip(1)).find(|(one, next)| one.id == next.id) {
        return Err(SnapshotError::KeyTwice { path: file.path.clone(), id: twice.id.clone() });
    }
    Ok(AccessKeys { arn: answer.arn, user, keys: (!truncated).then_some(keys) })
}

fn key(key: Key) -> AccessKey {
    AccessKey {
        status: match key.status.as_deref() {
            Some("Active") => KeyStatus::Active,
            Some("Inactive") => KeyStatus::Inactive,
            Some("Expired") => KeyStatus::Expired,
            other => KeyStatus::Unknown(other.unwrap_or_default().to_owned()),
        },
        id: key.access_key_id,
        created: key.create_date,
        last_used: key.access_key_last_used.map_or(KeyLastUsed::Unknown, last_used),
    }
}

/// AWS says that there is no use on record by a missing date and `N/A` as service; a bare missing date says nothing.
fn last_used(last_used: LastUsed) -> KeyLastUsed {
    match (last_used.last_used_date, last_used.service_name) {
        (Some(time), service) => {
            KeyLastUsed::At { time, service: service.unwrap_or_default(), region: last_used.region.unwrap_or_default() }
        }
        (None, Some(service)) if service == "N/A" => KeyLastUsed::NoRecord,
        (None, _) => KeyLastUsed::Unknown,
    }
}

/// Returns the keys of each user of account `id`; two files about one user must agree.
pub(super) fn by_user(
    files: Vec<(PathBuf, AccessKeys)>,
    principals: &[Principal],
    id: &str,
) -> Result<BTreeMap<Arn, Vec<AccessKey>>, SnapshotError> {
    let mut by_user: BTreeMap<Arn, (PathBuf, Option<Vec<AccessKey>>)> = BTreeMap::new();
    let is_user = |principal: &&Principal| principal.kind == PrincipalKind::User && principal.arn.account() == id;
    let users: Vec<&Principal> = principals.iter().filter(is_user).collect();
    for (second, AccessKeys { arn, user, keys }) in files {
        let is_it = |principal: &&Principal| match (&arn, &user) {
            (Some(arn), _) => principal.arn == *arn,
            (None, Some(user)) => principal.name == *user,
            (None, None) => false,
        };
        let Some(user) = users.iter().copied().find(is_it) else { continue };
        match by_user.get(&user.arn) {
            Some((first, kept)) if *kept != keys => {
                let (user, first) = (user.arn.clone(), first.clone());
                return Err(SnapshotError::KeysDisagree { arn: user, first, second });
            }
            Some(_) => {}
            None => {
                by_user.insert(user.arn.clone(), (second, keys));
            }
        }
    }
    Ok(by_user.into_iter().filter_map(|(arn, (_, keys))| Some((arn, keys?))).collect())
}

#[cfg(test)]
mod tests;
