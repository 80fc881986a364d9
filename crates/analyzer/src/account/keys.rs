//! Access keys and KMS keys, and what is known of their use.

use crate::arn::Arn;
use crate::time::UnixTime;

/// The access keys of one user: what `list-access-keys` and `get-access-key-last-used` say.
///
/// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyMetadata.html>.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccessKey {
    /// `AKIA...`
    pub id: String,
    /// Whether it can be used.
    pub status: KeyStatus,
    /// When it was created.
    pub created: Option<UnixTime>,
    /// What is known of its last use.
    pub last_used: KeyLastUsed,
}

/// Whether an access key can be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyStatus {
    /// `Active`: the only one of which anything can be taken away.
    Active,
    /// `Inactive`
    Inactive,
    /// `Expired`
    Expired,
    /// Anything else, or none.
    Unknown(String),
}

impl KeyStatus {
    /// Returns the status as AWS spells it; empty when it was missing.
    pub fn as_str(&self) -> &str {
        match self {
            KeyStatus::Active => "Active",
            KeyStatus::Inactive => "Inactive",
            KeyStatus::Expired => "Expired",
            KeyStatus::Unknown(status) => status,
        }
    }
}

/// What is known of an access key's last use.
///
/// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html>.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyLastUsed {
    /// Nothing: it was not collected, or is not of a form that says that there was no use.
    Unknown,
    /// No use is on record: no date, and the service is `N/A`.
    NoRecord,
    /// The last use.
    At {
        /// When, to within 15 minutes.
        time: UnixTime,
        /// The service, `s3`.
        service: String,
        /// The Region; `N/A` of a service that has none.
        region: String,
    },
}

/// What `get-key-last-usage` says of one KMS key in one Region.
///
/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmsKey {
    /// The key's ARN.
    pub arn: Arn,
    /// When the key was created.
    pub created: Option<UnixTime>,
    /// Since when its use is recorded.
    pub tracking_start: Option<UnixTime>,
    /// Its last successful cryptographic use.
    pub last_usage: KmsLastUsage,
    /// Whether it is a multi-Region key, and which its relatives are.
    pub multi_region: MultiRegion,
}

/// The last successful cryptographic use of a KMS key in one Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KmsLastUsage {
    /// Not collected, or without a time.
    Unknown,
    /// None since tracking began: `{}`, or null.
    Nothing,
    /// The last use.
    At(UnixTime),
}

/// Whether a KMS key has replicas in other Regions, each of which records its own use.
///
/// See <https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MultiRegion {
    /// It is a key of one Region.
    No,
    /// It has these relatives, itself among them: the primary key and all replicas, sorted.
    Yes(Vec<Arn>),
    /// It is one, or may be, and its relatives are not known.
    Unknown,
}
