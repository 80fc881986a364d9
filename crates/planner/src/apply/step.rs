//! Steps: what apply does, each one write, with the state before and the state after.

use std::collections::BTreeSet;
use std::fmt;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::Sha256;
use secateur_analyzer::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::cloud::{EntityKind, EntityRef};
use super::exchange::Held;
use crate::plan::Expects;

/// A version of a managed policy, and its exact document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Which one.
    pub version: VersionRef,
    /// Its document.
    pub document: String,
}

/// Which version of a policy is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionRef {
    /// The one with this id.
    Id(String),
    /// The one that a step of the same journal creates; steps count from 0.
    CreatedBy(usize),
}

/// One write and the two states between which it leads. The inverse leads from `after` to `before`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// An inline policy gets a document; `before` is none where the policy is put back.
    PutInline {
        /// Who bears it.
        entity: EntityRef,
        /// Its name.
        policy: String,
        /// The document before.
        before: Option<String>,
        /// The document after.
        after: String,
    },
    /// An inline policy goes.
    DeleteInline {
        /// Who bears it.
        entity: EntityRef,
        /// Its name.
        policy: String,
        /// The document before.
        before: String,
    },
    /// A managed policy gets a further version, not in force.
    CreateVersion {
        /// The policy.
        policy: Arn,
        /// The document.
        document: String,
    },
    /// A version that is not in force goes.
    DeleteVersion {
        /// The policy.
        policy: Arn,
        /// The version.
        version: Version,
    },
    /// Another version comes into force.
    SetDefault {
        /// The policy.
        policy: Arn,
        /// The version in force before.
        from: Version,
        /// The version in force after.
        to: Version,
    },
    /// A customer-managed policy is created.
    CreatePolicy {
        /// The ARN that it will have.
        policy: Arn,
        /// Its name.
        name: String,
        /// The document.
        document: String,
    },
    /// A customer-managed policy that a journal created goes.
    DeletePolicy {
        /// The policy.
        policy: Arn,
        /// Its name.
        name: String,
        /// Its document.
        document: String,
    },
    /// A managed policy is attached.
    Attach {
        /// To whom.
        entity: EntityRef,
        /// The policy.
        policy: Arn,
    },
    /// A managed policy is detached.
    Detach {
        /// From whom.
        entity: EntityRef,
        /// The policy.
        policy: Arn,
    },
    /// An access key becomes active or inactive.
    SetKey {
        /// Whose key.
        user: String,
        /// The key's id.
        key: String,
        /// When it was created.
        created: UnixTime,
        /// Whether it is made active.
        active: bool,
    },
}

/// A step: an effect, and what must be true when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The address of the change that it belongs to.
    pub address: String,
    /// What is taken or left as one with it.
    pub unit: String,
    /// What is done.
    pub effect: Effect,
    /// The unique id of the entity or policy that is written to; none where it is not known before.
    pub unique_id: Option<String>,
    /// The unique id of the entity that a policy is attached to or detached from, where it is known.
    pub entity_id: Option<String>,
    /// What the plan expects; none in a rollback.
    pub expects: Option<Expects>,
    /// The ids of the policy's versions that were there before the change, where versions matter.
    pub versions: Vec<String>,
    /// In a rollback: what must be attached when it is made. What was kept has no step of its own that says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Held>,
}

impl Step {
    /// Returns whether it is of one of those: of a policy or a key that they bear, or of an attachment.
    pub fn is_of(&self, entities: &BTreeSet<EntityRef>) -> bool {
        self.effect.bearer().is_some_and(|bearer| entities.contains(&bearer))
    }

    /// Returns what it must not share with a step that is made at the same time: its unit, the entity, the policy. What AWS
    /// keeps, nobody here writes to.
    pub fn shares(&self) -> Vec<String> {
        // IAM finds names without regard to case.
        let entity = self.effect.bearer().map(|bearer| format!("entity {}", bearer.to_string().to_ascii_lowercase()));
        let policy = self.effect.policy().filter(|policy| !policy.is_aws_managed_policy());
        let policy = policy.map(|policy| format!("policy {}", policy.as_str().to_ascii_lowercase()));
        entity.into_iter().chain(policy).chain([format!("unit {}", self.unit)]).collect()
    }
}

impl Effect {
    /// Returns AWS's name of the call, as a permission: `iam:PutRolePolicy`.
    pub fn operation(&self) -> &'static str {
        let of = |entity: &EntityRef, [user, role, group]: [&'static str; 3]| match entity.kind {
            EntityKind::User => user,
            EntityKind::Role => role,
            EntityKind::Group => group,
        };
        match self {
            Effect::PutInline { entity, .. } => {
                of(entity, ["iam:PutUserPolicy", "iam:PutRolePolicy", "iam:PutGroupPolicy"])
            }
            Effect::DeleteInline { entity, .. } => {
                of(entity, ["iam:DeleteUserPolicy", "iam:DeleteRolePolicy", "iam:DeleteGroupPolicy"])
            }
            Effect::Attach { entity, .. } => {
                of(entity, ["iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:AttachGroupPolicy"])
            }
            Effect::Detach { entity, .. } => {
                of(entity, ["iam:DetachUserPolicy", "iam:DetachRolePolicy", "iam:DetachGroupPolicy"])
            }
            Effect::CreateVersion { .. } => "iam:CreatePolicyVersion",
            Effect::SetDefault { .. } => "iam:SetDefaultPolicyVersion",
            Effect::DeleteVersion { .. } => "iam:DeletePolicyVersion",
            Effect::CreatePolicy { .. } => "iam:CreatePolicy",
            Effect::DeletePolicy { .. } => "iam:DeletePolicy",
            Effect::SetKey { .. } => "iam:UpdateAccessKey",
        }
    }

    /// Returns the managed policy that is written to.
    pub fn policy(&self) -> Option<&Arn> {
        match self {
            Effect::CreateVersion { policy, .. }
            | Effect::DeleteVersion { policy, .. }
            | Effect::SetDefault { policy, .. }
            | Effect::CreatePolicy { policy, .. }
            | Effect::DeletePolicy { policy, .. }
            | Effect::Attach { policy, .. }
            | Effect::Detach { policy, .. } => Some(policy),
            Effect::PutInline { .. } | Effect::DeleteInline { .. } | Effect::SetKey { .. } => None,
        }
    }

    /// Returns the entity that is written to.
    pub fn entity(&self) -> Option<&EntityRef> {
        match self {
            Effect::PutInline { entity, .. }
            | Effect::DeleteInline { entity, .. }
            | Effect::Attach { entity, .. }
            | Effect::Detach { entity, .. } => Some(entity),
            _ => None,
        }
    }

    /// Returns who bears what is written, or has it attached: nothing can be given to them, or taken from them, when they are gone.
    pub fn bearer(&self) -> Option<EntityRef> {
        match self {
            Effect::SetKey { user, .. } => Some(EntityRef { kind: EntityKind::User, name: user.clone() }),
            effect => effect.entity().cloned(),
        }
    }

    /// Returns whether this leads back to where the other started; which versions are meant may differ.
    pub fn undoes(&self, other: &Effect) -> bool {
        use Effect as E;

        match (self, other) {
            (
                E::PutInline { entity, policy, before, after },
                E::PutInline { entity: who, policy: name, before: start, after: end },
            ) => (entity, policy, before.as_ref(), Some(after)) == (who, name, Some(end), start.as_ref()),
            (
                E::DeleteInline { entity, policy, before },
                E::PutInline { entity: who, policy: name, before: None, after },
            ) => (entity, policy, before) == (who, name, after),
            (
                E::PutInline { entity, policy, before: None, after },
                E::DeleteInline { entity: who, policy: name, before },
            ) => (entity, policy, after) == (who, name, before),
            (E::SetDefault { policy, from, to }, E::SetDefault { policy: own, from: start, to: end }) => {
                (policy, &from.document, &to.document) == (own, &end.document, &start.document)
            }
            // A version that somebody has deleted since is created anew to come into force.
            (E::CreateVersion { policy, document }, E::SetDefault { policy: own, from, .. }) => {
                (policy, document) == (own, &from.document)
            }
            (E::CreateVersion { policy, document }, E::DeleteVersion { policy: own, version })
            | (E::DeleteVersion { policy, version }, E::CreateVersion { policy: own, document }) => {
                (policy, document) == (own, &version.document)
            }
            (
                E::DeletePolicy { policy, name, document },
                E::CreatePolicy { policy: own, name: then, document: text },
            )
            | (
                E::CreatePolicy { policy, name, document },
                E::DeletePolicy { policy: own, name: then, document: text },
            ) => (policy, name, document) == (own, then, text),
            (E::Attach { entity, policy }, E::Detach { entity: who, policy: own })
            | (E::Detach { entity, policy }, E::Attach { entity: who, policy: own }) => (entity, policy) == (who, own),
            (
                E::SetKey { user, key, created, active },
                E::SetKey { user: who, key: own, created: then, active: was },
            ) => (user, key, created) == (who, own, then) && active != was,
            _ => false,
        }
    }

    /// Returns whether this does the same once more; which versions are meant may differ.
    pub fn repeats(&self, other: &Effect) -> bool {
        let text = |version: &Version| Version { version: VersionRef::Id(String::new()), ..version.clone() };
        let plain = |effect: &Effect| match effect.clone() {
            Effect::SetDefault { policy, from, to } => Effect::SetDefault { policy, from: text(&from), to: text(&to) },
            Effect::DeleteVersion { policy, version } => Effect::DeleteVersion { policy, version: text(&version) },
            effect => effect,
        };
        plain(self) == plain(other)
    }

    /// Returns the documents before and after, for a reader; the same for what has no document.
    pub fn documents(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Effect::PutInline { before, after, .. } => (before.as_deref(), Some(after)),
            Effect::DeleteInline { before, .. } => (Some(before), None),
            Effect::SetDefault { from, to, .. } => (Some(&from.document), Some(&to.document)),
            _ => (None, None),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::PutInline { entity, policy, before: Some(_), .. } => {
                write!(f, "rewrite inline policy {policy} of {entity}")
            }
            Effect::PutInline { entity, policy, before: None, .. } => {
                write!(f, "put inline policy {policy} of {entity} back")
            }
            Effect::DeleteInline { entity, policy, .. } => write!(f, "delete inline policy {policy} of {entity}"),
            Effect::CreateVersion { policy, .. } => write!(f, "create a version of {}", policy.resource()),
            Effect::DeleteVersion { policy, version } => {
                write!(f, "delete {} of {}", version.version, policy.resource())
            }
            Effect::SetDefault { policy, to, .. } => write!(f, "set {} of {} in force", to.version, policy.resource()),
            Effect::CreatePolicy { name, .. } => write!(f, "create policy/{name}"),
            Effect::DeletePolicy { name, .. } => write!(f, "delete policy/{name}"),
            Effect::Attach { entity, policy } => write!(f, "attach {} to {entity}", policy.resource()),
            Effect::Detach { entity, policy } => write!(f, "detach {} from {entity}", policy.resource()),
            Effect::SetKey { user, key, active, .. } => {
                write!(f, "make access key {key} of user/{user} {}", if *active { "active" } else { "inactive" })
            }
        }
    }
}

impl fmt::Display for VersionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VersionRef::Id(id) => write!(f, "version {id}"),
            VersionRef::CreatedBy(_) => f.write_str("the new version"),
        }
    }
}

/// Returns the SHA-256 of something over its RFC 8785 form.
pub(super) fn digest_of(value: &impl Serialize) -> Sha256 {
    crate::plan::canonical_sha256(value)
}
