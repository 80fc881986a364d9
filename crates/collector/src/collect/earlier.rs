//! What there is already: of a collection that did not come to its end, and of the snapshot that the next one will replace.

use std::fs;
use std::path::{Path, PathBuf};

use secateur_analyzer::account::Gap;
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::time::UnixTime;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::CollectError;
use crate::Manifest;
use crate::snapshot::{STAGE, files};

pub(super) const STATE: &str = ".state.json";
pub(super) const MANIFEST: &str = "manifest.json";

/// What a stage says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    pub account_id: String,
    pub partition: String,
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The time from which on the files without a time of their own are.
    pub started_at: UnixTime,
}

impl State {
    fn is_of(&self, other: &State) -> bool {
        (&self.account_id, &self.partition, &self.endpoint) == (&other.account_id, &other.partition, &other.endpoint)
    }
}

/// What there is already.
#[derive(Debug)]
pub(super) struct Earlier {
    dir: PathBuf,
    /// What is staged, if anything is.
    pub staged: Option<Staged>,
    /// The snapshot that is to be replaced, if it is secateur's and of this account.
    pub published: Option<Manifest>,
    max_age: i64,
    now: UnixTime,
}

/// What a collection has read that did not come to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Staged {
    /// The time from which on it is.
    pub since: UnixTime,
    /// Whether what has no time of its own is young enough.
    pub is_fresh: bool,
}

impl Earlier {
    /// Looks, and changes nothing. What is of another account, or made by hand, is refused.
    pub fn look(dir: &Path, this: &State, max_age: i64) -> Result<Earlier, CollectError> {
        let published = published(dir, this)?;
        let mut earlier = Earlier { dir: dir.to_owned(), staged: None, published, max_age, now: this.started_at };
        match read_state(&dir.join(STAGE)) {
            Some(found) if found.is_of(this) => {
                let since = found.started_at;
                earlier.staged = Some(Staged { since, is_fresh: earlier.is_fresh(since) });
            }
            Some(found) => return Err(other_account(dir, "what was collected until now", &found, this)),
            None => {}
        }
        Ok(earlier)
    }

    /// Looks as [`Earlier::look`] does, before there is a directory, and while the files of one change places: then nothing
    /// can be said yet of what is there, but whose it is.
    pub fn peek(dir: &Path, this: &State, max_age: i64) -> Result<Earlier, CollectError> {
        let arriving = dir.join(STAGE).join(MANIFEST);
        match (dir.is_dir(), arriving.is_file()) {
            (true, false) => return Earlier::look(dir, this, max_age),
            (true, true) => refuse_others(dir, &manifest_of(&arriving)?, this)?,
            (false, _) => {}
        }
        Ok(Earlier { dir: dir.to_owned(), staged: None, published: None, max_age, now: this.started_at })
    }

    /// Returns what there is of a file: in the stage, or else in the snapshot that is to be replaced.
    pub fn existing(&self, name: &str) -> Option<Existing> {
        // Nothing of a stage is synced: what a crash of the machine has left of a file may be half of it.
        let is_json = |content: &Vec<u8>| serde_json::from_slice::<IgnoredAny>(content).is_ok();
        if let Some(Staged { since, is_fresh }) = self.staged
            && let Some(content) = fs::read(self.dir.join(STAGE).join(name)).ok().filter(is_json)
        {
            return Some(Existing { content, is_staged: true, is_fresh, since });
        }
        let published = self.published.as_ref()?;
        let expected = published.files.get(name)?;
        let content = fs::read(self.dir.join(name)).ok()?;
        let is_fresh = self.is_fresh(published.started_at);
        (sha256_of(&content) == *expected).then_some(Existing {
            content,
            is_staged: false,
            is_fresh,
            since: published.started_at,
        })
    }

    /// Returns the names of the files below a folder in the snapshot that is to be replaced, if it is young enough.
    pub fn published_below(&self, folder: &str) -> Vec<String> {
        let published = self.published.iter().filter(|published| self.is_fresh(published.started_at));
        let names = published.flat_map(|published| published.files.keys());
        names.filter(|name| name.starts_with(folder)).cloned().collect()
    }

    /// Returns what the snapshot that is to be replaced says is missing of somebody.
    pub fn published_gaps(&self, arn: &str) -> Vec<Gap> {
        let gaps = self.published.iter().flat_map(|published| &published.gaps);
        // Tags are read of all policies, whatever the scope: what is still missing of them is found anew.
        let is_read_anew = |gap: &Gap| gap.detail.starts_with("iam:ListPolicyTags:");
        gaps.filter(|gap| gap.subject == arn && !is_read_anew(gap)).cloned().collect()
    }

    /// Returns whether something of that time need not be read again.
    pub fn is_fresh(&self, time: UnixTime) -> bool {
        self.max_age > 0 && self.now.since(time) <= self.max_age
    }
}

/// A file that there is already.
#[derive(Debug)]
pub(super) struct Existing {
    pub content: Vec<u8>,
    pub is_staged: bool,
    /// Whether it is young enough, if it has no time of its own.
    pub is_fresh: bool,
    /// The time that it is of at the earliest.
    since: UnixTime,
}

impl Existing {
    /// Returns whether it is of before somebody's creation, and so of an earlier one of that name.
    pub fn is_older_than(&self, created: Option<UnixTime>) -> bool {
        created.is_some_and(|created| self.since < created)
    }

    /// Returns whether it says that it is about `arn`.
    pub fn is_of(&self, arn: &str) -> bool {
        #[derive(Deserialize)]
        struct Head {
            #[serde(rename = "Arn")]
            arn: Option<String>,
        }
        serde_json::from_slice::<Head>(&self.content).is_ok_and(|head| head.arn.as_deref() == Some(arn))
    }

    /// Returns whether it stands for somebody of that ARN and creation.
    pub fn stands_for(&self, arn: &str, created: Option<UnixTime>) -> bool {
        self.is_fresh && !self.is_older_than(created) && self.is_of(arn)
    }
}

fn read_state(stage: &Path) -> Option<State> {
    serde_json::from_slice(&fs::read(stage.join(STATE)).ok()?).ok()
}

/// Returns the manifest of the snapshot that is there; refuses to replace what is of another account, or made by hand.
fn published(dir: &Path, this: &State) -> Result<Option<Manifest>, CollectError> {
    let present = files(dir)?;
    let Some(first) = present.keys().next() else { return Ok(None) };
    let path = dir.join(MANIFEST);
    let Ok(bytes) = fs::read(&path) else {
        return Err(CollectError::MadeByHand { dir: dir.to_owned(), name: first.clone() });
    };
    // Else nobody knows whose it is, nor which of the files are secateur's.
    let manifest = Manifest::of(&bytes).map_err(|unknown| CollectError::of_manifest(path, unknown))?;
    refuse_others(dir, &manifest, this)?;
    let is_added = |name: &&String| *name != MANIFEST && !manifest.files.contains_key(*name);
    match present.keys().find(is_added) {
        Some(name) => Err(CollectError::MadeByHand { dir: dir.to_owned(), name: name.clone() }),
        None => Ok(Some(manifest)),
    }
}

/// Reads a manifest of this format.
pub(super) fn manifest_of(path: &Path) -> Result<Manifest, CollectError> {
    let failed = |source| CollectError::Io { doing: "read", path: path.to_owned(), source };
    let bytes = fs::read(path).map_err(failed)?;
    Manifest::of(&bytes).map_err(|unknown| CollectError::of_manifest(path.to_owned(), unknown))
}

/// Refuses the snapshot of another account, or of another endpoint.
fn refuse_others(dir: &Path, manifest: &Manifest, this: &State) -> Result<(), CollectError> {
    let there = State {
        account_id: manifest.account_id.clone(),
        partition: manifest.partition.clone(),
        endpoint: manifest.endpoint.clone(),
        started_at: manifest.started_at,
    };
    if there.is_of(this) { Ok(()) } else { Err(other_account(dir, "a snapshot", &there, this)) }
}

fn other_account(dir: &Path, what: &'static str, there: &State, here: &State) -> CollectError {
    let of = |state: &State| {
        let at = state.endpoint.as_ref().map(|endpoint| format!(" at {endpoint}")).unwrap_or_default();
        // A number is an account of its own in each partition.
        format!("account {} in partition {}{at}", state.account_id, state.partition)
    };
    CollectError::OtherAccount { dir: dir.to_owned(), what, there: of(there), here: of(here) }
}
