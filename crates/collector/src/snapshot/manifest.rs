//! `manifest.json`: what was collected, from where, and the SHA-256 of every file.

use std::collections::BTreeMap;
use std::fs;

use secateur_analyzer::account::Gap;
use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::{Sha256, sha256_of};
use secateur_analyzer::time::UnixTime;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::SnapshotError;
use super::inventory::{Inventory, SnapshotFile};
use super::json;
use super::place::{self, Place};

/// The version of the snapshot's format that this crate reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// What a collection says about itself. It is written last: a snapshot with a manifest is one that was finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Manifest {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The account id, twelve digits.
    pub account_id: String,
    /// The partition: `aws`, `aws-cn`, ...
    pub partition: String,
    /// The endpoint that was collected from; none for AWS's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Who collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_arn: Option<Arn>,
    /// The ARNs and globs that the collection was limited to; none when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
    /// When the collection began.
    #[serde(deserialize_with = "possible")]
    pub started_at: UnixTime,
    /// When it ended.
    #[serde(deserialize_with = "possible")]
    pub finished_at: UnixTime,
    /// When the last page of the authorization details was read.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "possible_if_any")]
    pub details_at: Option<UnixTime>,
    /// Whether the authorization details are whole.
    pub complete: bool,
    /// What could not be collected, and why.
    #[serde(with = "gap_list")]
    pub gaps: Vec<Gap>,
    /// The SHA-256 of every other file, by its path from the snapshot's root, with `/`.
    pub files: BTreeMap<String, Sha256>,
}

fn possible<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixTime, D::Error> {
    let time = UnixTime::deserialize(deserializer)?;
    if time.is_possible() { Ok(time) } else { Err(D::Error::custom(format!("{time} is before all of AWS"))) }
}

fn possible_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixTime>, D::Error> {
    match Option::<UnixTime>::deserialize(deserializer)? {
        Some(time) if !time.is_possible() => Err(D::Error::custom(format!("{time} is before all of AWS"))),
        time => Ok(time),
    }
}

/// The one member that is read before all others: what else there is depends on it.
#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    format_version: serde_json::Value,
}

impl Version {
    /// Returns the version when it is another one. What is no version at all is refused, with its place, when the whole file is
    /// parsed.
    fn other(&self) -> Option<u64> {
        self.format_version.as_u64().filter(|found| *found != u64::from(FORMAT_VERSION))
    }
}

/// Refuses a file of secateur's own that is of another format version.
pub(super) fn check_version(file: &SnapshotFile, bytes: &[u8]) -> Result<(), SnapshotError> {
    let version: Version = json::parse(file, bytes)?;
    match version.other() {
        Some(found) => Err(SnapshotError::Format { path: file.path.clone(), found }),
        None => Ok(()),
    }
}

/// Why bytes are no manifest that this crate knows.
#[cfg(feature = "aws")]
#[derive(Debug)]
pub(crate) enum Unknown {
    /// It is of that format version.
    Format(u64),
    /// It is no manifest.
    Json(serde_json::Error),
}

/// Reads the manifest, if there is one, and returns it with its own SHA-256.
pub(super) fn read(inventory: &Inventory) -> Result<Option<(Manifest, Sha256)>, SnapshotError> {
    let Some(file) = inventory.files.get(place::MANIFEST) else { return Ok(None) };
    let bytes = fs::read(&file.path).map_err(|source| SnapshotError::reading(&file.path, source))?;
    check_version(file, &bytes)?;
    Ok(Some((json::parse(file, &bytes)?, sha256_of(&bytes))))
}

impl Manifest {
    /// Parses the bytes of one, of this format version alone.
    #[cfg(feature = "aws")]
    pub(crate) fn of(bytes: &[u8]) -> Result<Manifest, Unknown> {
        let version: Version = serde_json::from_slice(bytes).map_err(Unknown::Json)?;
        match version.other() {
            Some(found) => Err(Unknown::Format(found)),
            None => serde_json::from_slice(bytes).map_err(Unknown::Json),
        }
    }

    /// Refuses a snapshot that has other files than the manifest lists.
    pub(super) fn check_listing(&self, inventory: &Inventory) -> Result<(), SnapshotError> {
        for (name, expected) in &self.files {
            if matches!(Place::of(name), None | Some(Place::Manifest)) {
                return Err(SnapshotError::NotAPlace { dir: inventory.dir.clone(), name: name.clone() });
            }
            if !inventory.files.contains_key(name) {
                return Err(SnapshotError::Missing { path: inventory.dir.join(name), expected: *expected });
            }
        }
        for file in inventory.files.values() {
            if file.place != Place::Manifest && !self.files.contains_key(&file.name) {
                return Err(SnapshotError::Unlisted { path: file.path.clone() });
            }
        }
        Ok(())
    }
}

mod gap_list {
    //! The analyzer's gaps in the manifest's form.

    use secateur_analyzer::account::Gap;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Gap", deny_unknown_fields, expecting = "an object with `subject`, `kind` and `detail`")]
    struct Fields {
        subject: String,
        kind: String,
        detail: String,
    }

    #[derive(Serialize)]
    struct Written<'a>(#[serde(with = "Fields")] &'a Gap);

    #[derive(Deserialize)]
    struct Read(#[serde(with = "Fields")] Gap);

    pub(super) fn serialize<S: Serializer>(gaps: &[Gap], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(gaps.iter().map(Written))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Gap>, D::Error> {
        Ok(Vec::<Read>::deserialize(deserializer)?.into_iter().map(|Read(gap)| gap).collect())
    }
}
