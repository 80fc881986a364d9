//! Why a collection ends without a snapshot.

use std::io;
use std::path::PathBuf;

use super::Include;
use crate::aws::AwsError;
use crate::snapshot::Unknown;
use crate::{FORMAT_VERSION, SnapshotError};

/// Why a collection ends without a snapshot. What was read until then is kept, and the next collection goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A call without which there is no snapshot.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// Files of the snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The operating system refuses; the source says why.
    #[error("cannot {doing} `{path}`")]
    Io {
        /// `lock`, `write`, `rename`, `remove`.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Somebody else collects into this directory.
    #[error("another collection into `{dir}` is running{}", of_holder(.holder))]
    Locked {
        /// The snapshot's directory.
        dir: PathBuf,
        /// Who it is, if it said so.
        holder: String,
    },
    /// The directory holds the snapshot of another account, or of another endpoint.
    #[error("`{dir}` holds {what} of {there}, and the credentials are of {here}")]
    OtherAccount {
        /// The snapshot's directory.
        dir: PathBuf,
        /// `a snapshot`, or what was collected until now.
        what: &'static str,
        /// Whose it is.
        there: String,
        /// Whose credentials these are.
        here: String,
    },
    /// The manifest that is there cannot be read: nobody knows whose snapshot it is.
    #[error("`{path}` cannot be read, so nobody knows which files are of the snapshot, and whose it is: {detail}")]
    ManifestUnreadable {
        /// The manifest.
        path: PathBuf,
        /// What the parser says.
        detail: String,
    },
    /// The snapshot that is there is of a format that this secateur does not know.
    #[error(
        "`{path}` has format version {found}, and this secateur knows version {FORMAT_VERSION}: nothing of it is taken over, \
         and nothing replaced"
    )]
    OtherFormat {
        /// The manifest.
        path: PathBuf,
        /// The version in it.
        found: u64,
    },
    /// The user asked for principals that there are not.
    #[error("`--principal {glob}` names nobody in the account{}", of_kinds(.glob, .include))]
    Nobody {
        /// The glob.
        glob: String,
        /// What is collected beside users and roles.
        include: Include,
    },
    /// A part of the collection ended without a word: a bug.
    #[error("a part of the collection ended without a word")]
    Unfinished,
    /// The directory holds files that no collection made.
    #[error("`{dir}` holds files of a snapshot that no collection made, such as `{name}`: made by hand, or added")]
    MadeByHand {
        /// The snapshot's directory.
        dir: PathBuf,
        /// One of the files.
        name: String,
    },
}

fn of_holder(holder: &str) -> String {
    if holder.is_empty() { String::new() } else { format!(" ({holder})") }
}

/// Groups and policies are asked about only when somebody asks for that.
fn of_kinds(glob: &str, include: &Include) -> &'static str {
    let names = |kind: &str| glob.to_ascii_lowercase().contains(kind);
    match (names("group/") && !include.groups, names("policy/") && !include.policies) {
        (true, _) => ", whose groups are left out without `--include groups`",
        (_, true) => ", whose policies are left out without `--include policies`",
        _ => "",
    }
}

impl CollectError {
    /// A manifest that is not known: nobody knows which files are of the snapshot.
    pub(super) fn of_manifest(path: PathBuf, unknown: Unknown) -> CollectError {
        match unknown {
            Unknown::Format(found) => CollectError::OtherFormat { path, found },
            Unknown::Json(error) => CollectError::ManifestUnreadable { path, detail: error.to_string() },
        }
    }

    /// Returns the command or the edit that mends it.
    pub fn help(&self) -> Option<String> {
        match self {
            CollectError::Aws(error) => error.help().map(str::to_owned),
            CollectError::Snapshot(error) => error.help(),
            CollectError::Io { .. } => Some("check who may read and write there, and whether there is room".to_owned()),
            CollectError::Locked { .. } => {
                Some("wait for it to end, or name another directory with --snapshot DIR".to_owned())
            }
            CollectError::OtherAccount { .. } => {
                Some("name another directory with --snapshot DIR, or use other credentials with --profile".to_owned())
            }
            CollectError::ManifestUnreadable { .. } => {
                Some("restore the file, name another directory with --snapshot DIR, or remove this one".to_owned())
            }
            CollectError::OtherFormat { found, .. } if *found > u64::from(FORMAT_VERSION) => Some(
                "collect with the newer secateur that wrote it, name another directory with --snapshot DIR, or remove this one"
                    .to_owned(),
            ),
            CollectError::OtherFormat { .. } => {
                Some("name another directory with --snapshot DIR, or remove this one".to_owned())
            }
            CollectError::Nobody { .. } => Some(
                "name users and roles as `role/NAME`, `user/NAME` or by their ARN, `*` and `?` stand for anything; \
                 `secateur collect` without --principal collects everybody"
                    .to_owned(),
            ),
            CollectError::Unfinished => Some("this is a bug of secateur: please report it".to_owned()),
            CollectError::MadeByHand { .. } => {
                Some("name another directory with --snapshot DIR, or move these files away".to_owned())
            }
        }
    }
}
