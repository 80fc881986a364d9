//! Lines of a journal: each has the hash of its record, and each record the hash of the one before.

use secateur_analyzer::document::{Sha256, sha256_of};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::record::Entry;

/// What stands in a journal's file.
#[derive(Debug, Default)]
pub struct Lines {
    /// The whole records, in order.
    pub entries: Vec<Entry>,
    /// How many bytes they take: what follows was torn off by a crash.
    pub whole: usize,
    /// The hash of the last record; zeros without one.
    pub head: Head,
    /// Whether something follows the last whole record.
    pub is_torn: bool,
    /// The records after those, where they were left out.
    pub(super) later: Vec<Entry>,
}

impl Lines {
    /// Returns the records up to the one of that hash; all, where there is none. The others
    /// are kept apart. Nothing is to be written after them.
    pub(super) fn up_to(mut self, head: Sha256) -> Lines {
        // Each record has the hash of the one before it.
        let at = self.entries.iter().position(|entry| entry.prev == head && entry.seq > 0);
        if let Some(at) = at {
            self.later = self.entries.split_off(at);
            self.head = Head(head);
        }
        self
    }
}

/// The hash of the last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head(pub Sha256);

impl Default for Head {
    fn default() -> Head {
        Head(Sha256([0; 32]))
    }
}

/// Why a journal is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {number}: {detail}")]
pub struct Tampered {
    /// Which record, from 1.
    pub number: usize,
    /// What is wrong.
    pub detail: String,
}

#[derive(Serialize)]
struct Line<'a> {
    hash: Sha256,
    entry: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadLine<'a> {
    hash: Sha256,
    #[serde(borrow)]
    entry: &'a RawValue,
}

/// Returns a record as a line, line break included, and its hash.
pub(in crate::apply) fn line(entry: &Entry) -> Result<(Vec<u8>, Head), serde_json::Error> {
    let raw = serde_json::value::to_raw_value(entry)?;
    let hash = sha256_of(raw.get().as_bytes());
    let mut bytes = serde_json::to_vec(&Line { hash, entry: &raw })?;
    bytes.push(b'\n');
    Ok((bytes, Head(hash)))
}

/// Returns the format of a journal, as its first record says, if that bears its hash: what another format has in its records is
/// no edit.
pub(in crate::apply) fn format_of(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct First {
        record: Version,
    }
    #[derive(Deserialize)]
    struct Version {
        format_version: String,
    }
    let line = bytes.split_inclusive(|byte| *byte == b'\n').next()?;
    let read: ReadLine<'_> = serde_json::from_slice(line).ok()?;
    let first: First = serde_json::from_str(read.entry.get()).ok()?;
    (sha256_of(read.entry.get().as_bytes()) == read.hash).then_some(first.record.format_version)
}

/// Reads the records. What follows the last line break is what a crash left of a record that was never acted upon, since
/// every record is on the disk before it is acted upon; so is a last line of zeros, which some file systems leave.
///
/// # Errors
/// When a whole line is not what was written.
pub fn parse(bytes: &[u8]) -> Result<Lines, Tampered> {
    let mut lines = Lines::default();
    let pieces: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for (at, piece) in pieces.iter().enumerate() {
        let is_last = at + 1 == pieces.len();
        let is_whole = piece.ends_with(b"\n") && !piece.contains(&0);
        if !is_whole {
            if is_last {
                lines.is_torn = true;
                return Ok(lines);
            }
            return Err(Tampered { number: at + 1, detail: "is not a line of JSON".to_owned() });
        }
        let wrong = |detail: String| Tampered { number: at + 1, detail };
        let read: ReadLine<'_> = serde_json::from_slice(piece).map_err(|error| wrong(error.to_string()))?;
        if sha256_of(read.entry.get().as_bytes()) != read.hash {
            return Err(wrong("its hash is that of another record".to_owned()));
        }
        let entry: Entry = serde_json::from_str(read.entry.get()).map_err(|error| wrong(error.to_string()))?;
        if entry.prev != lines.head.0 {
            return Err(wrong("does not follow the record before it".to_owned()));
        }
        if entry.seq != at as u64 {
            return Err(wrong(format!("its number is {}, and its place {at}", entry.seq)));
        }
        lines.head = Head(read.hash);
        lines.whole += piece.len();
        lines.entries.push(entry);
    }
    Ok(lines)
}
