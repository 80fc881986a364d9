//! A managed policy with its versions.

use super::entity::Tag;
use crate::emulator::time::Time;

/// A managed policy, of the customer or of AWS.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The name.
    pub name: String,
    /// The unique id.
    pub id: String,
    /// The path, with slashes at both ends.
    pub path: String,
    /// The ARN.
    pub arn: String,
    /// The description.
    pub description: Option<String>,
    /// When it was made.
    pub created: Time,
    /// When a version was last made.
    pub updated: Time,
    /// The id of the default version.
    pub default: String,
    /// The number that the next version gets; numbers of deleted versions do not come back.
    pub next: u32,
    /// The versions, the newest first.
    pub versions: Vec<Version>,
    /// Tags.
    pub tags: Vec<Tag>,
    /// Whether it can be attached.
    pub attachable: bool,
}

/// A version of a managed policy.
#[derive(Clone, Debug)]
pub struct Version {
    /// `v1` and so on.
    pub id: String,
    /// The text of the document.
    pub document: String,
    /// When it was made.
    pub created: Time,
}

impl Policy {
    /// Whether AWS owns it.
    pub fn is_of_aws(&self) -> bool {
        self.arn.contains(":iam::aws:policy/")
    }

    /// Whether it is only for service-linked roles.
    pub fn is_for_services(&self) -> bool {
        self.is_of_aws() && self.path.starts_with("/aws-service-role/")
    }

    /// A version by its id.
    pub fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// The document in force.
    pub fn document(&self) -> &str {
        self.version(&self.default).map(|version| version.document.as_str()).unwrap_or_default()
    }
}
