//! What can be wrong with a snapshot, and what mends it.

use std::io;
use std::path::{Path, PathBuf};

use secateur_analyzer::arn::Arn;
use secateur_analyzer::catalog::service_reference::ServiceReferenceError;
use secateur_analyzer::document::Sha256;

use super::manifest::FORMAT_VERSION;
use super::place::{DETAILS, Place, RESTORE};

/// Why a snapshot cannot be read or written. Paths begin with the directory as the caller named it.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The directory does not exist, or is a file.
    #[error("`{path}` is not a directory")]
    NotADirectory {
        /// What was named.
        path: PathBuf,
    },
    /// Neither a snapshot nor a directory of snapshots.
    #[error(
        "`{dir}` holds no snapshot: neither `account-authorization-details.json` nor directories named by account id"
    )]
    NoSnapshot {
        /// The directory.
        dir: PathBuf,
    },
    /// The one file that a snapshot must have.
    #[error("`{path}` is missing: it says who and what is in the account")]
    NoDetails {
        /// Where it would be.
        path: PathBuf,
    },
    /// The operating system refuses; the source says why.
    #[error("cannot {doing} `{path}`")]
    Io {
        /// `read`, `write`, `create`.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A directory, pipe or device where a file belongs.
    #[error("`{path}` is not a regular file")]
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// A name that is not UTF-8, or holds control characters.
    #[error("the name of {path:?} cannot stand in a manifest: it is not UTF-8, or holds control characters")]
    FileName {
        /// The file or directory.
        path: PathBuf,
    },
    /// The text is not JSON.
    #[error("`{path}` is not JSON at line {line}, column {column}: {detail}")]
    NotJson {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// Where, from 1; 0 is the end of the line before.
        column: usize,
        /// What the parser says.
        detail: String,
        /// How to make the file anew.
        remedy: String,
    },
    /// The JSON is not of the shape that its place asks for.
    #[error("`{path}` has another shape than expected at line {line}, column {column}: {detail}")]
    WrongShape {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// Where, from 1; 0 is the end of the line before.
        column: usize,
        /// What was expected, and what was found.
        detail: String,
        /// How to make the file anew.
        remedy: String,
    },
    /// One of secateur's own files is of a format that this build does not know.
    #[error("`{path}` has format version {found}, and this secateur reads version {FORMAT_VERSION}")]
    Format {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u64,
    },
    /// A file that nobody can assign to a principal or policy.
    #[error("`{path}` does not say whom it is about: it has no member `Arn`")]
    NoArn {
        /// The file.
        path: PathBuf,
    },
    /// Two last-accessed reports, of which neither is newer.
    #[error("two reports of `{arn}` with one time differ: `{first}` and `{second}`")]
    ReportsDisagree {
        /// Whom the reports are about.
        arn: Arn,
        /// The one file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// Two files with the tags of one policy.
    #[error("two files have different tags of `{arn}`: `{first}` and `{second}`")]
    TagsDisagree {
        /// The policy.
        arn: Arn,
        /// The one file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// Two files about the keys of one user, or about one KMS key.
    #[error("two files say different things of the keys of `{arn}`: `{first}` and `{second}`")]
    KeysDisagree {
        /// The user, or the KMS key.
        arn: Arn,
        /// The one file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// A list of access keys of more than one user.
    #[error("`{path}` is of two users: `{first}` and `{second}`")]
    TwoUsers {
        /// The file.
        path: PathBuf,
        /// The one user.
        first: String,
        /// The other user.
        second: String,
    },
    /// A list that has one access key twice, with different data.
    #[error("`{path}` says two things of access key `{id}`")]
    KeyTwice {
        /// The file.
        path: PathBuf,
        /// The key.
        id: String,
    },
    /// The usage of one KMS key under the ARN of another.
    #[error("`{path}` has the usage of key `{key_id}`, and says that it is about `{arn}`")]
    OtherKey {
        /// The file.
        path: PathBuf,
        /// `KeyId`
        key_id: String,
        /// `Arn`
        arn: Arn,
    },
    /// The manifest lists a file that is not there.
    #[error("`{path}` is missing: the manifest lists it with SHA-256 {expected}")]
    Missing {
        /// Where it would be.
        path: PathBuf,
        /// What the manifest says.
        expected: Sha256,
    },
    /// A file is not the one that the manifest lists.
    #[error("`{path}` was altered after it was collected: the manifest has SHA-256 {expected}, the file has {found}")]
    Altered {
        /// The file.
        path: PathBuf,
        /// What the manifest says.
        expected: Sha256,
        /// What the file has.
        found: Sha256,
    },
    /// A file that the manifest does not list.
    #[error("`{path}` was added after the snapshot was collected: the manifest does not list it")]
    Unlisted {
        /// The file.
        path: PathBuf,
    },
    /// A path that no file of a snapshot has.
    #[error("`{name}` is not a place of a snapshot (in `{dir}`)")]
    NotAPlace {
        /// The snapshot.
        dir: PathBuf,
        /// The path, as it was given.
        name: String,
    },
    /// The authorization details name nobody.
    #[error("`{path}` has no user, role, group or customer managed policy: it does not say which account it is of")]
    UnknownAccount {
        /// The authorization details.
        path: PathBuf,
    },
    /// A file of `catalog/` is not a service reference.
    #[error("not a service reference: {error}")]
    Reference {
        /// Which file, where, and what.
        error: ServiceReferenceError,
    },
    /// The authorization details are of more than one account.
    #[error("`{path}` is of two accounts: it has `{first}` and `{second}`")]
    TwoAccounts {
        /// The authorization details.
        path: PathBuf,
        /// An ARN of the one account.
        first: Arn,
        /// An ARN of the other.
        second: Arn,
    },
    /// The authorization details are not of the account in the manifest.
    #[error("`{path}` has `{arn}`, and the manifest is of account {id} in partition `{partition}`")]
    OtherAccount {
        /// The authorization details.
        path: PathBuf,
        /// An ARN of the other account.
        arn: Arn,
        /// The manifest's account.
        id: String,
        /// The manifest's partition.
        partition: String,
    },
    /// An account id that is none.
    #[error("`{path}` has `{id}` as account id, which is not twelve digits")]
    AccountId {
        /// The file.
        path: PathBuf,
        /// The text.
        id: String,
    },
    /// A snapshot is to be written where one is already.
    #[error("`{dir}` already holds files of a snapshot, such as `{name}`")]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
        /// One of the files.
        name: String,
    },
}

impl SnapshotError {
    /// Returns the command or the edit that mends it.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            SnapshotError::NotADirectory { path } if path.exists() => {
                "name the directory of the snapshot, not a file of it".to_owned()
            }
            SnapshotError::NotADirectory { path } => {
                let command = Place::Details.remedy(&path.join(DETAILS));
                format!("`mkdir -p {}`, then {command}", path.display())
            }
            SnapshotError::NoSnapshot { dir } => Place::Details.remedy(&dir.join(DETAILS)),
            SnapshotError::NoDetails { path } => Place::Details.remedy(path),
            SnapshotError::Io { .. } => return None,
            SnapshotError::NotAFile { .. } => "move it out of the snapshot".to_owned(),
            SnapshotError::FileName { .. } => "rename it; names are free within their folder".to_owned(),
            SnapshotError::NotJson { remedy, .. } | SnapshotError::WrongShape { remedy, .. } => remedy.clone(),
            SnapshotError::Format { found, .. } if *found > u64::from(FORMAT_VERSION) => {
                "read it with the newer secateur that wrote it, or collect with this one into another directory".to_owned()
            }
            SnapshotError::NoArn { .. } => "add the member `Arn` with the ARN that the file is about, as in \
                                            `\"Arn\": \"arn:aws:iam::111122223333:role/ci\"`"
                .to_owned(),
            SnapshotError::ReportsDisagree { arn, .. } => format!(
                "remove the wrong one, or both and generate a new report: `aws iam generate-service-last-accessed-details \
                 --arn {arn} --granularity ACTION_LEVEL`"
            ),
            SnapshotError::TagsDisagree { .. } | SnapshotError::KeysDisagree { .. } => "remove the older one".to_owned(),
            SnapshotError::TwoUsers { path, .. } | SnapshotError::KeyTwice { path, .. } => {
                format!("keep one file a user: {}", Place::AccessKeys.remedy(path))
            }
            SnapshotError::OtherKey { path, .. } => Place::Kms.remedy(path),
            SnapshotError::Format { .. } | SnapshotError::Missing { .. } | SnapshotError::Altered { .. } => {
                RESTORE.to_owned()
            }
            SnapshotError::Unlisted { .. } => "remove the file, or collect the snapshot again".to_owned(),
            SnapshotError::NotAPlace { .. } => "a file stands at the root under a name such as `regions.json`, or ends in \
                                                `.json` within a folder such as `last-accessed/`; hidden files do not count"
                .to_owned(),
            SnapshotError::UnknownAccount { path } => {
                format!("collect it whole, without `--filter`: {}", Place::Details.remedy(path))
            }
            SnapshotError::Reference { .. } => RESTORE.to_owned(),
            SnapshotError::TwoAccounts { .. } => {
                "keep one snapshot per account, in a directory named by the account id".to_owned()
            }
            SnapshotError::OtherAccount { .. } | SnapshotError::AccountId { .. } => {
                "collect the snapshot again, from one account".to_owned()
            }
            SnapshotError::NotEmpty { .. } => "name a new directory, or remove this one".to_owned(),
        })
    }

    pub(super) fn reading(path: &Path, source: io::Error) -> SnapshotError {
        SnapshotError::Io { doing: "read", path: path.to_owned(), source }
    }

    pub(super) fn writing(path: &Path, source: io::Error) -> SnapshotError {
        SnapshotError::Io { doing: "write", path: path.to_owned(), source }
    }
}
