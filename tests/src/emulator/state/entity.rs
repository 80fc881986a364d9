//! A user, a group or a role.

use serde_json::Value;

use super::kind::Kind;
use crate::emulator::time::Time;

/// A user, a group or a role, with its policies.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Which of the three.
    pub kind: Kind,
    /// The name, as it was given.
    pub name: String,
    /// The unique id, which a new entity of the same name does not get again.
    pub id: String,
    /// The path, with slashes at both ends.
    pub path: String,
    /// When it was made.
    pub created: Time,
    /// Inline policies.
    pub inline: Vec<Inline>,
    /// ARNs of attached managed policies.
    pub attached: Vec<String>,
    /// ARN of the policy that is the permissions boundary.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: Vec<Tag>,
    /// What only users have.
    pub user: UserPart,
    /// What only roles have.
    pub role: RolePart,
}

/// An inline policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inline {
    /// Its name, as first given.
    pub name: String,
    /// The text of the document.
    pub document: String,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// What only users have.
#[derive(Clone, Debug, Default)]
pub struct UserPart {
    /// Keys of the groups that the user is in: their names in lower case.
    pub groups: Vec<String>,
    /// Access keys.
    pub keys: Vec<AccessKey>,
    /// When the password was last used.
    pub password_last_used: Option<Time>,
}

/// What only roles have.
#[derive(Clone, Debug)]
pub struct RolePart {
    /// The trust policy.
    pub trust: String,
    /// The description.
    pub description: Option<String>,
    /// How long a session may last, in seconds.
    pub max_session: i64,
    /// Instance profiles, as the snapshot has them.
    pub instance_profiles: Vec<Value>,
}

impl Default for RolePart {
    fn default() -> Self {
        Self { trust: String::new(), description: None, max_session: 3600, instance_profiles: Vec::new() }
    }
}

/// An access key.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// Its id.
    pub id: String,
    /// `Active`, `Inactive` or `Expired`.
    pub status: String,
    /// When it was made.
    pub created: Time,
    /// Its last use.
    pub last_used: Option<KeyUse>,
}

/// The last use of an access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// When; of uses within 15 minutes, the first.
    pub time: Time,
    /// The service, as its namespace.
    pub service: String,
    /// The Region, or `N/A`.
    pub region: String,
}

impl Entity {
    /// A new entity without policies.
    pub fn new(kind: Kind, name: &str, path: &str, id: String, created: Time) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            id,
            path: path.to_owned(),
            created,
            inline: Vec::new(),
            attached: Vec::new(),
            boundary: None,
            tags: Vec::new(),
            user: UserPart::default(),
            role: RolePart::default(),
        }
    }

    /// The inline policy of that name, without regard to case.
    pub fn inline(&self, name: &str) -> Option<&Inline> {
        self.inline.iter().find(|inline| inline.name.eq_ignore_ascii_case(name))
    }

    /// The ARN.
    pub fn arn(&self, partition: &str, account: &str) -> String {
        format!("arn:{partition}:iam::{account}:{}{}{}", self.kind.word(), self.path, self.name)
    }

    /// Whether only a service may change it: service-linked roles, and those of Identity Center.
    pub fn is_protected(&self) -> bool {
        self.kind == Kind::Role
            && (self.path.starts_with("/aws-service-role/") || self.path.starts_with("/aws-reserved/"))
    }

    /// The characters of its inline policies, as the quota counts them.
    pub fn inline_size(&self) -> usize {
        self.inline.iter().map(|inline| size(&inline.document)).sum()
    }
}

/// The size of a document as quotas count it: without white space.
///
/// Whether white space within strings counts is not documented; here it does not.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
pub fn size(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}
