//! An AWS account as secateur sees it: who there is, what is attached, and what was collected about its use.
//!
//! Values only. collector makes them from a snapshot; nothing behind this type knows where they came from.

mod document;
mod grants;
mod keys;
mod report;
pub mod sketch;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use document::{Document, DocumentState};
pub use grants::{GrantEvent, GrantHistory};
pub use keys::{AccessKey, KeyLastUsed, KeyStatus, KmsKey, KmsLastUsage, MultiRegion};
pub use report::{ActionRow, Granularity, RegionUses, Report, ReportStatus, ServiceKey, ServiceRow};

use crate::arn::Arn;
use crate::catalog::Catalog;
use crate::document::Sha256;
use crate::time::UnixTime;

/// An account, and all that was collected about it.
#[derive(Clone, Debug)]
pub struct Account {
    /// The catalogue that the ids in the reports belong to.
    pub catalog: Arc<Catalog>,
    /// The account id, twelve digits.
    pub id: String,
    /// The partition: `aws`, `aws-cn`, `aws-us-gov`, ...
    pub partition: String,
    /// The endpoint that was collected from; none for AWS's own, and for files made by hand.
    pub endpoint: Option<String>,
    /// Who collected.
    pub caller_arn: Option<Arn>,
    /// When the collection began; none for files made by hand.
    pub started_at: Option<UnixTime>,
    /// When the collection was finished; none for files made by hand.
    pub finished_at: Option<UnixTime>,
    /// When the last page of the authorization details was read; none when that is not known.
    pub details_at: Option<UnixTime>,
    /// Whether the authorization details are whole.
    pub complete: bool,
    /// What is missing, and why.
    pub gaps: Vec<Gap>,
    /// The SHA-256 over all files of the snapshot.
    pub snapshot_sha256: Sha256,
    /// Users and roles, by ARN.
    pub principals: Vec<Principal>,
    /// Groups, by ARN.
    pub groups: Vec<Group>,
    /// Managed policies, the customer's and AWS's, by ARN.
    pub policies: Vec<ManagedPolicy>,
    /// The newest last-accessed report of each ARN.
    pub reports: BTreeMap<Arn, Report>,
    /// The enabled Regions; none when that is not known.
    pub regions: Option<Vec<String>>,
    /// `aws iam get-account-summary`; none when that is not known.
    pub summary: Option<BTreeMap<String, i64>>,
    /// When permissions were granted; none when that is not known.
    pub grants: Option<GrantHistory>,
    /// The access keys of each user whose keys were listed whole, by id; a user that is missing was not asked about.
    pub access_keys: BTreeMap<Arn, Vec<AccessKey>>,
    /// The KMS keys whose use was asked about, each replica by itself.
    pub kms_keys: BTreeMap<Arn, KmsKey>,
}

/// Something that could not be collected, or is not usable. Absence of data means keep: what a gap touches is not changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// What is missing: an ARN, or the file's name.
    pub subject: String,
    /// A word for programs: `no-report`, `report-failed`, `report-unfinished`, `throttled`, ...
    pub kind: String,
    /// A sentence for people.
    pub detail: String,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// The tag's key.
    pub key: String,
    /// The tag's value.
    pub value: String,
}

/// Whether a principal is a user or a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalKind {
    /// A user.
    User,
    /// A role.
    Role,
}

impl PrincipalKind {
    /// Returns the kind as addresses spell it: `user`, `role`.
    pub fn as_str(self) -> &'static str {
        match self {
            PrincipalKind::User => "user",
            PrincipalKind::Role => "role",
        }
    }
}

/// A user or a role.
#[derive(Clone, Debug)]
pub struct Principal {
    /// User or role.
    pub kind: PrincipalKind,
    /// The ARN, which contains the path.
    pub arn: Arn,
    /// The name.
    pub name: String,
    /// `AIDA...` or `AROA...`: differs when the principal was deleted and made again under its name.
    pub unique_id: String,
    /// The path, `/` for most.
    pub path: String,
    /// When it was created.
    pub created: Option<UnixTime>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Its inline policies, by name.
    pub inline: Vec<InlinePolicy>,
    /// The ARNs of the managed policies attached to it.
    pub attached: Vec<Arn>,
    /// The names of the groups it is a member of; always empty for a role.
    pub groups: Vec<String>,
    /// The ARN of its permissions boundary.
    pub boundary: Option<Arn>,
    /// The last use of any service as `RoleLastUsed` has it; none for users and for roles not used in the period. See
    /// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleLastUsed.html>.
    pub last_used: Option<UnixTime>,
    /// The Region of that use, as AWS writes it.
    pub last_used_region: Option<String>,
    /// A role's trust policy.
    pub trust: Option<Document>,
}

impl Principal {
    /// Returns `user/NAME` or `role/NAME`.
    pub fn address(&self) -> String {
        format!("{}/{}", self.kind.as_str(), self.name)
    }

    /// Returns whether that is its address.
    pub fn has_address(&self, address: &str) -> bool {
        address.split_once('/').is_some_and(|(kind, name)| kind == self.kind.as_str() && name == self.name)
    }
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// The ARN.
    pub arn: Arn,
    /// The name.
    pub name: String,
    /// `AGPA...`
    pub unique_id: String,
    /// The path.
    pub path: String,
    /// Its inline policies, by name.
    pub inline: Vec<InlinePolicy>,
    /// The ARNs of the managed policies attached to it.
    pub attached: Vec<Arn>,
}

/// A policy embedded in one user, role or group.
#[derive(Clone, Debug)]
pub struct InlinePolicy {
    /// The name; IAM matches it without regard to case.
    pub name: String,
    /// The document.
    pub document: Document,
}

/// A managed policy.
#[derive(Clone, Debug)]
pub struct ManagedPolicy {
    /// The ARN.
    pub arn: Arn,
    /// The name.
    pub name: String,
    /// `ANPA...`
    pub unique_id: String,
    /// The path.
    pub path: String,
    /// The id of the version in force.
    pub default_version: String,
    /// The versions, as AWS lists them.
    pub versions: Vec<PolicyVersion>,
    /// How many principals and groups AWS says it is attached to.
    pub attachment_count: Option<i64>,
    /// How many principals AWS says have it as permissions boundary.
    pub boundary_count: Option<i64>,
    /// When the policy was created.
    pub created: Option<UnixTime>,
    /// Its tags; none when they were not collected.
    pub tags: Option<Vec<Tag>>,
    /// Whether it may have more of them: the list lacks pages.
    pub tags_lack_pages: bool,
}

/// A version of a managed policy.
#[derive(Clone, Debug)]
pub struct PolicyVersion {
    /// `v1`, ...
    pub id: String,
    /// When it was created.
    pub created: Option<UnixTime>,
    /// The document; none when it was not collected.
    pub document: Option<Document>,
}

impl ManagedPolicy {
    /// Returns whether AWS owns the policy.
    pub fn is_aws_managed(&self) -> bool {
        self.arn.is_aws_managed_policy()
    }

    /// Returns the version in force.
    pub fn default(&self) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.id == self.default_version)
    }
}

impl Account {
    /// Returns the user or role with that ARN.
    pub fn principal(&self, arn: &Arn) -> Option<&Principal> {
        self.principals.binary_search_by(|principal| principal.arn.cmp(arn)).ok().and_then(|at| self.principals.get(at))
    }

    /// Returns the managed policy with that ARN.
    pub fn policy(&self, arn: &Arn) -> Option<&ManagedPolicy> {
        self.policies.binary_search_by(|policy| policy.arn.cmp(arn)).ok().and_then(|at| self.policies.get(at))
    }
}
