//! Snapshots in temporary directories.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use secateur_analyzer::account::Account;
use secateur_analyzer::document::sha256_of;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::place::{DETAILS, MANIFEST, Place};
use super::{ReadOptions, SnapshotError, read};

pub(super) struct Fixture {
    dir: TempDir,
}

impl Fixture {
    pub(super) fn new() -> Fixture {
        Fixture { dir: tempfile::tempdir().unwrap() }
    }

    /// A snapshot of account 111122223333 with role `ci` alone.
    pub(super) fn with_details() -> Fixture {
        let snapshot = Fixture::new();
        snapshot.put(DETAILS, details(json!({})).to_string());
        snapshot
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.dir().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes a manifest that fits the files, with `members` replaced.
    pub(super) fn seal(&self, members: Value) {
        let inventory = super::inventory::Inventory::of(self.dir()).unwrap();
        let files: serde_json::Map<String, Value> = inventory
            .files
            .into_values()
            .filter(|file| file.place != Place::Manifest)
            .map(|file| (file.name, sha256_of(&fs::read(file.path).unwrap()).to_string().into()))
            .collect();
        let manifest = with(
            json!({
                "format_version": 1, "account_id": "111122223333", "partition": "aws",
                "started_at": "2026-10-10T05:00:00Z", "finished_at": "2026-10-10T06:00:00Z",
                "complete": true, "gaps": [], "files": files,
            }),
            members,
        );
        self.put(MANIFEST, manifest.to_string());
    }

    pub(super) fn read(&self) -> Result<Account, SnapshotError> {
        self.read_with(2)
    }

    pub(super) fn read_with(&self, threads: usize) -> Result<Account, SnapshotError> {
        read(self.dir(), &ReadOptions { threads: NonZeroUsize::new(threads).unwrap() })
    }

    /// The error's message, its source and its help, with `DIR` for the snapshot's directory.
    pub(super) fn error(&self) -> String {
        self.tell(&self.read().unwrap_err())
    }

    pub(super) fn tell(&self, error: &SnapshotError) -> String {
        let source = std::error::Error::source(error).map(|source| format!("\ncause: {source}")).unwrap_or_default();
        let help = error.help().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
        format!("{error}{source}{help}").replace(&self.dir().display().to_string(), "DIR")
    }
}

/// Authorization details with role `ci`, with `members` replaced.
pub(super) fn details(members: Value) -> Value {
    with(
        json!({"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role("ci", json!({}))], "Policies": []}),
        members,
    )
}

/// A role of account 111122223333, with `members` replaced.
pub(super) fn role(name: &str, members: Value) -> Value {
    let arn = format!("arn:aws:iam::111122223333:role/{name}");
    with(json!({"Path": "/", "RoleName": name, "RoleId": format!("AROA{name}"), "Arn": arn}), members)
}

fn with(mut object: Value, members: Value) -> Value {
    let Value::Object(members) = members else { return object };
    for (name, value) in members {
        object[name] = value;
    }
    object
}

/// All of an account but its catalogue, for comparing.
pub(super) fn rendered(account: &Account) -> String {
    let Account {
        catalog: _,
        id,
        partition,
        endpoint,
        caller_arn,
        started_at,
        finished_at,
        details_at,
        complete,
        gaps,
        snapshot_sha256,
        principals,
        groups,
        policies,
        reports,
        regions,
        summary,
        grants,
        access_keys,
        kms_keys,
    } = account;
    format!(
        "{id} {partition} {endpoint:?} {caller_arn:?} {started_at:?} {finished_at:?} {details_at:?} {complete} {gaps:#?} {snapshot_sha256} \
         {principals:#?} {groups:#?} {policies:#?} {reports:#?} {regions:?} {summary:?} {grants:#?} \
         {access_keys:#?} {kms_keys:#?}"
    )
}
