//! What apply wants of AWS: some reads, and the writes that it has written into its journal.
//!
//! The state machine knows only these two traits; AWS is behind them in a build with the feature `aws`, and a simulated
//! account in tests.

use std::fmt;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::journal::Intended;

/// The kinds of what bears policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntityKind {
    /// A user.
    User,
    /// A role.
    Role,
    /// A group.
    Group,
}

impl EntityKind {
    /// Returns the kind as addresses spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            EntityKind::User => "user",
            EntityKind::Role => "role",
            EntityKind::Group => "group",
        }
    }
}

/// A user, role or group, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityRef {
    /// What it is.
    pub kind: EntityKind,
    /// Its name; IAM finds it without regard to case.
    pub name: String,
}

impl EntityRef {
    /// Reads `role/NAME`.
    pub fn of_address(address: &str) -> Option<EntityRef> {
        let (kind, name) = address.split_once('/')?;
        let kind =
            [EntityKind::User, EntityKind::Role, EntityKind::Group].into_iter().find(|own| own.as_str() == kind)?;
        (!name.is_empty() && !name.contains('/')).then(|| EntityRef { kind, name: name.to_owned() })
    }
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.name)
    }
}

/// A managed policy as AWS has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivePolicy {
    /// `ANPA...`
    pub unique_id: String,
    /// The id of the version in force.
    pub default_version: String,
    /// The ids of all versions.
    pub versions: Vec<String>,
    /// How many principals have it as permissions boundary.
    pub boundary_count: i64,
}

/// An entity and its unique id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LiveEntity {
    /// The entity.
    pub entity: EntityRef,
    /// `AIDA...`, `AROA...`, `AGPA...`
    pub unique_id: String,
}

/// An access key as AWS has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveKey {
    /// `Active`, `Inactive`, ...
    pub status: String,
    /// When it was created.
    pub created: Option<UnixTime>,
}

/// Why a call did not answer what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// AWS asks to come back later. Nothing was done.
    #[error("{0}")]
    Throttled(String),
    /// The connection, or AWS, failed: a write may have been done.
    #[error("{0}")]
    Ambiguous(String),
    /// AWS answered no. Nothing was done.
    #[error("{code}: {message}")]
    Refused {
        /// AWS's code: `AccessDenied`, `LimitExceeded`, ...
        code: String,
        /// What AWS says.
        message: String,
        /// The permission that the caller lacks, if that is why: `iam:GetRolePolicy`.
        permission: Option<String>,
    },
}

/// The reads of apply and rollback. What is not there is `None`.
pub trait Reads {
    /// Returns the unique id of an entity.
    ///
    /// # Errors
    /// When AWS does not answer.
    fn entity(&self, entity: &EntityRef) -> Result<Option<String>, CallError>;
    /// Returns the users of a group.
    ///
    /// # Errors
    /// When AWS does not answer.
    fn members(&self, group: &str) -> Result<Vec<LiveEntity>, CallError>;
    /// Returns the document of an inline policy.
    ///
    /// # Errors
    /// When AWS does not answer.
    fn inline(&self, entity: &EntityRef, policy: &str) -> Result<Option<String>, CallError>;
    /// Returns the ARNs of the policies attached to an entity; none when there is no such entity.
    ///
    /// # Errors
    /// When AWS does not answer.
    fn attached(&self, entity: &EntityRef) -> Result<Option<Vec<Arn>>, CallError>;
    /// Returns a managed policy.
    ///
    /// # Errors
    /// When AWS does not answer.
    fn policy(&self, policy: &Arn) -> Result<Option<LivePolicy>, CallError>;
    /// Returns whom a managed policy is attached to.
    ///
    /// # Errors
    /// When AWS does not answer.
    fn attached_to(&self, policy: &Arn) -> Result<Vec<LiveEntity>, CallError>;
    /// Returns the document of a version.
    ///
    /// # Errors
    /// When AWS does not answer.
    fn version(&self, policy: &Arn, version: &str) -> Result<Option<String>, CallError>;
    /// Returns an access key.
    ///
    /// # Errors
    /// When AWS does not answer.
    fn key(&self, user: &str, key: &str) -> Result<Option<LiveKey>, CallError>;
    /// Returns how many managed policies an entity of a kind may have attached; none where that is not known.
    ///
    /// # Errors
    /// When AWS does not answer.
    fn attachments_quota(&self, kind: EntityKind) -> Result<Option<usize>, CallError>;
}

/// One write, with nothing left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// `PutUserPolicy`, `PutRolePolicy`, `PutGroupPolicy`
    PutInline {
        /// Who bears it.
        entity: EntityRef,
        /// Its name.
        policy: String,
        /// Its document.
        document: String,
    },
    /// `DeleteUserPolicy`, `DeleteRolePolicy`, `DeleteGroupPolicy`
    DeleteInline {
        /// Who bears it.
        entity: EntityRef,
        /// Its name.
        policy: String,
    },
    /// `CreatePolicyVersion`, never as default.
    CreateVersion {
        /// The policy.
        policy: Arn,
        /// The document.
        document: String,
    },
    /// `SetDefaultPolicyVersion`
    SetDefault {
        /// The policy.
        policy: Arn,
        /// The version's id.
        version: String,
    },
    /// `DeletePolicyVersion`
    DeleteVersion {
        /// The policy.
        policy: Arn,
        /// The version's id.
        version: String,
    },
    /// `CreatePolicy`, at the root path.
    CreatePolicy {
        /// The name.
        name: String,
        /// The document.
        document: String,
    },
    /// `DeletePolicy`
    DeletePolicy {
        /// The policy.
        policy: Arn,
    },
    /// `AttachUserPolicy`, `AttachRolePolicy`, `AttachGroupPolicy`
    Attach {
        /// To whom.
        entity: EntityRef,
        /// The policy.
        policy: Arn,
    },
    /// `DetachUserPolicy`, `DetachRolePolicy`, `DetachGroupPolicy`
    Detach {
        /// From whom.
        entity: EntityRef,
        /// The policy.
        policy: Arn,
    },
    /// `UpdateAccessKey`
    SetKey {
        /// Whose key.
        user: String,
        /// The key's id.
        key: String,
        /// Whether it is made active, or inactive.
        active: bool,
    },
}

impl Write {
    /// Returns AWS's name of the operation.
    pub fn operation(&self) -> String {
        let of = |verb: &str, entity: &EntityRef| {
            let kind = match entity.kind {
                EntityKind::User => "User",
                EntityKind::Role => "Role",
                EntityKind::Group => "Group",
            };
            format!("{verb}{kind}Policy")
        };
        match self {
            Write::PutInline { entity, .. } => of("Put", entity),
            Write::DeleteInline { entity, .. } => of("Delete", entity),
            Write::CreateVersion { .. } => "CreatePolicyVersion".to_owned(),
            Write::SetDefault { .. } => "SetDefaultPolicyVersion".to_owned(),
            Write::DeleteVersion { .. } => "DeletePolicyVersion".to_owned(),
            Write::CreatePolicy { .. } => "CreatePolicy".to_owned(),
            Write::DeletePolicy { .. } => "DeletePolicy".to_owned(),
            Write::Attach { entity, .. } => of("Attach", entity),
            Write::Detach { entity, .. } => of("Detach", entity),
            Write::SetKey { .. } => "UpdateAccessKey".to_owned(),
        }
    }
}

/// What AWS says of a write that it did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrote {
    /// The id of the version that was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The unique id of the policy that was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_id: Option<String>,
    /// AWS's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// The writes of apply and rollback.
pub trait Writes {
    /// Waits until a write of that operation may go, at AWS's pace: the next [`perform`](Writes::perform) goes at once.
    fn turn(&self, operation: &'static str);

    /// Does one write, once: nothing is tried again here. Only what stands in a journal can be passed.
    ///
    /// # Errors
    /// When AWS does not say that it is done.
    fn perform(&self, intended: &Intended) -> Result<Wrote, CallError>;
}
