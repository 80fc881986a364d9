//! What the files hold, one by one and together.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secateur_analyzer::account::{Account, Gap, GrantHistory, KmsKey, Report};
use secateur_analyzer::catalog::Catalog;
use secateur_analyzer::document::{Sha256, sha256_of};
use serde::de::IgnoredAny;

use super::access_keys::{self, AccessKeys};
use super::details::{self, Details};
use super::inventory::SnapshotFile;
use super::place::{self, Place};
use super::policy_tags::{self, PolicyTags};
use super::report::QuickReader;
use super::{Manifest, SnapshotError, dates, grants, identity, json, kms, regions, report, summary};

/// A file that was read, hashed and parsed.
#[derive(Debug)]
pub(super) struct Content {
    sha256: Sha256,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Details(Details),
    Summary(BTreeMap<String, i64>),
    Regions(Option<Vec<String>>),
    Grants(GrantHistory),
    Report(Report),
    PolicyTags(PolicyTags),
    AccessKeys(AccessKeys),
    KmsKey(KmsKey),
    /// JSON that nothing is made of yet.
    Checked,
}

/// How long the buffer of a thread is at first.
const BUFFER: u64 = 1 << 18;

/// What a thread reads files with, one after the other.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    /// The bytes of the last file.
    buffer: Vec<u8>,
    reports: QuickReader<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Reader<'a> {
        Reader { buffer: Vec::new(), reports: QuickReader::new(catalog) }
    }
}

/// Reads one file; `expected` is what the manifest says.
pub(super) fn read(
    file: &SnapshotFile,
    expected: Option<&Sha256>,
    reader: &mut Reader<'_>,
) -> Result<Content, SnapshotError> {
    let Reader { buffer, reports } = reader;
    let bytes = File::open(&file.path).and_then(|opened| whole(opened, buffer));
    let bytes = bytes.map_err(|source| SnapshotError::reading(&file.path, source))?;
    let sha256 = sha256_of(bytes);
    if let Some(&expected) = expected.filter(|expected| **expected != sha256) {
        return Err(SnapshotError::Altered { path: file.path.clone(), expected, found: sha256 });
    }
    let value = match file.place {
        Place::Details => Value::Details(details::read(file, bytes)?),
        Place::Summary => Value::Summary(summary::read(file, bytes)?),
        Place::Regions => Value::Regions(regions::read(file, bytes)?),
        Place::Grants => Value::Grants(grants::read(file, bytes)?),
        Place::LastAccessed => Value::Report(report::read(file, bytes, sha256, reports)?),
        Place::PolicyTags => Value::PolicyTags(policy_tags::read(file, bytes)?),
        Place::AccessKeys => Value::AccessKeys(access_keys::read(file, bytes)?),
        Place::Kms => Value::KmsKey(kms::read(file, bytes)?),
        Place::Manifest | Place::Entities | Place::Granting | Place::Catalog => {
            json::parse::<IgnoredAny>(file, bytes)?;
            Value::Checked
        }
    };
    Ok(Content { sha256, value })
}

/// Reads to the end, into a buffer that is kept for the next file: as `read_to_end`, but that only of a long file is asked how
/// long it is.
fn whole(mut opened: File, buffer: &mut Vec<u8>) -> io::Result<&[u8]> {
    let mut len = 0;
    loop {
        if buffer.len() == len {
            let is_long = !buffer.is_empty();
            let expected = if is_long { opened.metadata()?.len() } else { BUFFER };
            // One byte more shows where the end is.
            let room = usize::try_from(expected).unwrap_or(usize::MAX).saturating_add(1).max(len.saturating_mul(2));
            buffer.resize(room, 0);
        }
        match opened.read(buffer.get_mut(len..).unwrap_or_default()) {
            Ok(0) => return Ok(buffer.get(..len).unwrap_or_default()),
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The contents of a snapshot, on their way into an [`Account`].
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) gaps: Vec<Gap>,
    hashes: BTreeMap<String, Sha256>,
    details: Option<Details>,
    summary: Option<BTreeMap<String, i64>>,
    regions: Option<Vec<String>>,
    grants: Option<GrantHistory>,
    reports: Vec<(PathBuf, Report)>,
    policy_tags: Vec<(PathBuf, PolicyTags)>,
    access_keys: Vec<(PathBuf, AccessKeys)>,
    kms_keys: Vec<(PathBuf, KmsKey)>,
}

impl Parts {
    pub(super) fn add(&mut self, file: &SnapshotFile, content: Content) {
        self.hashes.insert(file.name.clone(), content.sha256);
        match content.value {
            Value::Details(details) => self.details = Some(details),
            Value::Summary(summary) => self.summary = Some(summary),
            Value::Regions(None) => {
                self.gap(&file.name, "regions-truncated", "the list of Regions lacks pages, and counts as absent");
            }
            Value::Regions(regions) => self.regions = regions,
            Value::Grants(grants) => self.grants = Some(grants),
            Value::Report(report) => self.reports.push((file.path.clone(), report)),
            Value::PolicyTags(tags) => self.policy_tags.push((file.path.clone(), tags)),
            Value::AccessKeys(keys) => {
                if keys.is_truncated() {
                    let detail = "the list of access keys lacks pages, and counts as absent";
                    self.gap(&file.name, "access-keys-truncated", detail);
                }
                self.access_keys.push((file.path.clone(), keys));
            }
            Value::KmsKey(key) if kms::is_in_other_region(file, &key) => {
                let detail = format!("stands in the folder of another Region than {}, and counts as absent", key.arn);
                self.gap(&file.name, "kms-other-region", &detail);
            }
            Value::KmsKey(key) => self.kms_keys.push((file.path.clone(), key)),
            Value::Checked => {}
        }
    }

    /// Puts the parts together.
    pub(super) fn into_account(
        mut self,
        dir: &Path,
        manifest: Option<(Manifest, Sha256)>,
        catalog: Arc<Catalog>,
    ) -> Result<Account, SnapshotError> {
        let details_path = dir.join(place::DETAILS);
        let Some(mut details) = self.details.take() else {
            return Err(SnapshotError::NoDetails { path: details_path });
        };
        self.add_policy_tags(&mut details)?;
        let (manifest, manifest_sha256) = manifest.unzip();
        self.hashes.extend(manifest_sha256.map(|sha256| (place::MANIFEST.to_owned(), sha256)));
        let mut identity = identity::of(manifest.as_ref(), &dir.join(place::MANIFEST), &details, &details_path)?;
        self.gaps.append(&mut identity.gaps);
        self.gaps.append(&mut details.gaps);
        self.gaps.extend(manifest.iter().flat_map(|manifest| manifest.gaps.iter().cloned()));
        self.gaps.sort();
        self.gaps.dedup();
        let access_keys = access_keys::by_user(self.access_keys, &details.principals, &identity.id)?;
        let mut account = Account {
            catalog,
            id: identity.id,
            partition: identity.partition,
            endpoint: manifest.as_ref().and_then(|manifest| manifest.endpoint.clone()),
            caller_arn: manifest.as_ref().and_then(|manifest| manifest.caller_arn.clone()),
            started_at: manifest.as_ref().map(|manifest| manifest.started_at),
            finished_at: manifest.as_ref().map(|manifest| manifest.finished_at),
            details_at: manifest.as_ref().and_then(|manifest| manifest.details_at),
            complete: details.whole && manifest.as_ref().is_none_or(|manifest| manifest.complete),
            snapshot_sha256: snapshot_sha256(&self.hashes),
            gaps: self.gaps,
            principals: details.principals,
            groups: details.groups,
            policies: details.policies,
            reports: report::newest(self.reports)?,
            regions: self.regions,
            summary: self.summary,
            grants: self.grants,
            access_keys,
            kms_keys: kms::by_arn(self.kms_keys)?,
        };
        dates::clear(&mut account);
        Ok(account)
    }

    fn add_policy_tags(&mut self, details: &mut Details) -> Result<(), SnapshotError> {
        let mut by_policy = policy_tags::by_policy(std::mem::take(&mut self.policy_tags))?;
        for policy in &mut details.policies {
            let Some(PolicyTags { tags, truncated, .. }) = by_policy.remove(&policy.arn) else { continue };
            (policy.tags, policy.tags_lack_pages) = (Some(tags), truncated);
            if truncated {
                let detail = "the list of the policy's tags lacks pages: who owns it may be on them";
                self.gap(policy.arn.as_str(), "policy-tags-truncated", detail);
            }
        }
        Ok(())
    }

    fn gap(&mut self, subject: &str, kind: &str, detail: &str) {
        self.gaps.push(Gap { subject: subject.to_owned(), kind: kind.to_owned(), detail: detail.to_owned() });
    }
}

/// Returns the SHA-256 of the lines that `sha256sum` prints of the files, sorted by path: `sha256  path`.
fn snapshot_sha256(hashes: &BTreeMap<String, Sha256>) -> Sha256 {
    let mut lines = String::new();
    for (name, sha256) in hashes {
        // Writing to a `String` cannot fail.
        let _ = writeln!(lines, "{sha256}  {name}");
    }
    sha256_of(lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_of_any_length_are_read_whole_one_after_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let mut buffer = Vec::new();
        let first = usize::try_from(BUFFER).unwrap();
        for len in [0, 1, first - 1, first, 7, first + 1, first * 2 + 1, first * 5, 0, first * 2] {
            let content: Vec<u8> = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let path = dir.path().join("file");
            fs::write(&path, &content).unwrap();
            assert!(whole(File::open(&path).unwrap(), &mut buffer).unwrap() == content, "{len}");
        }
    }
}
