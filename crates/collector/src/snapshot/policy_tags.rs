//! `policy-tags/`: what `aws iam list-policy-tags` prints, plus `Arn`. The authorization details lack these tags.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secateur_analyzer::account::Tag;
use secateur_analyzer::arn::Arn;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::SnapshotError;
use super::inventory::SnapshotFile;
use super::json;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, the tags of one policy")]
struct Answer {
    arn: Option<Arn>,
    tags: Vec<TagRow>,
    is_truncated: Option<bool>,
    marker: Option<IgnoredAny>,
    next_token: Option<IgnoredAny>,
}

/// A tag as IAM's answers have it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `Key` and `Value`")]
pub(super) struct TagRow {
    key: String,
    value: String,
}

impl From<TagRow> for Tag {
    fn from(row: TagRow) -> Tag {
        Tag { key: row.key, value: row.value }
    }
}

/// The tags of a policy.
#[derive(Debug, PartialEq)]
pub(super) struct PolicyTags {
    pub(super) arn: Arn,
    pub(super) tags: Vec<Tag>,
    /// Whether there are more.
    pub(super) truncated: bool,
}

pub(super) fn read(file: &SnapshotFile, bytes: &[u8]) -> Result<PolicyTags, SnapshotError> {
    let answer: Answer = json::parse(file, bytes)?;
    let arn = answer.arn.ok_or_else(|| SnapshotError::NoArn { path: file.path.clone() })?;
    let truncated = answer.is_truncated == Some(true) || answer.marker.is_some() || answer.next_token.is_some();
    Ok(PolicyTags { arn, tags: answer.tags.into_iter().map(Tag::from).collect(), truncated })
}

/// Returns the tags by policy; two files of one policy must agree.
pub(super) fn by_policy(files: Vec<(PathBuf, PolicyTags)>) -> Result<BTreeMap<Arn, PolicyTags>, SnapshotError> {
    let mut by_policy: BTreeMap<Arn, (PathBuf, PolicyTags)> = BTreeMap::new();
    for (second, tags) in files {
        match by_policy.get(&tags.arn) {
            Some((first, kept)) if *kept != tags => {
                return Err(SnapshotError::TagsDisagree { arn: tags.arn, first: first.clone(), second });
            }
            Some(_) => {}
            None => {
                by_policy.insert(tags.arn.clone(), (second, tags));
            }
        }
    }
    Ok(by_policy.into_iter().map(|(arn, (_, tags))| (arn, tags)).collect())
}
