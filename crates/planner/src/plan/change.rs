//! The shape of one change in the plan file.

use std::collections::BTreeMap;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::Sha256;
use secateur_analyzer::time::UnixTime;
use serde::{Deserialize, Serialize};

use super::keys::{ExpectedKey, KeyEvidence};
use super::resources::{RemovedResource, RemovedStatement};

/// What is done to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeAction {
    /// Something new is made.
    Create,
    /// A document is rewritten.
    Update,
    /// An inline policy is deleted.
    Delete,
    /// A managed policy is attached.
    Attach,
    /// A managed policy is detached.
    Detach,
    /// An access key is made inactive.
    Deactivate,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Where: `role/NAME/inline/POLICY`, `policy/NAME`, `role/NAME/attached/POLICY`, `user/NAME/key/ID`.
    pub address: String,
    /// What is done.
    pub action: ChangeAction,
    /// The changes that are taken or left together with this one.
    pub group: Option<String>,
    /// The addresses of changes that must be made first.
    pub depends_on: Vec<String>,
    /// What is changed.
    pub target: Target,
    /// Who holds the policy, or loses it: places in `principals`.
    pub holders: Vec<usize>,
    /// What must be found when the change is applied.
    pub expects: Expects,
    /// The document before, exact.
    pub before: Option<String>,
    /// The document after, exact; none when it goes.
    pub after: Option<String>,
    /// How the document was made to fit its quota; none where names did.
    pub size: Option<ChangeSize>,
    /// What is removed, one entry a reason and evidence, riskiest first.
    pub removed: Vec<Removed>,
    /// The KMS keys that leave `Resource` lists, by statement; absent when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<RemovedResource>,
    /// The statements that go whole with their KMS keys; absent when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<RemovedStatement>,
    /// What is known of the access key that is made inactive; absent when the change is about a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyEvidence>,
    /// What may go and is still allowed, because only wildcards fit the quota.
    pub readmitted: Vec<Readmitted>,
    /// The patterns that were replaced by names: from now on they do not follow AWS.
    pub frozen: Vec<Frozen>,
    /// The policies of the holders, this one too, that go on granting what is removed here.
    pub still_granted_by: Vec<StillGranted>,
    /// How many of the removed actions there are of each access level.
    pub risk: BTreeMap<String, usize>,
    /// What the proof looked at.
    pub proof: PlanProof,
    /// The AWS calls that make the change, for readers.
    pub calls: Vec<Call>,
    /// The AWS calls that undo it, for readers.
    pub inverse: Vec<Call>,
}

/// What a change is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Terraform's resource type: `aws_iam_role_policy`, `aws_iam_policy`, `aws_iam_role_policy_attachment`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// The ARN of the managed policy, or of the entity that bears the inline policy.
    pub arn: Arn,
    /// The policy's name.
    pub name: String,
    /// The unique id of what `arn` names.
    pub unique_id: String,
    /// The address of the entity that bears the policy, or that it is detached from.
    pub owner: Option<String>,
    /// The version in force of a managed policy.
    pub default_version: Option<String>,
    /// The ids of all its versions.
    pub versions: Vec<String>,
}

impl Change {
    /// Returns a change that takes nothing, and of which nothing more is said.
    pub(crate) fn new(action: ChangeAction, target: Target) -> Change {
        Change {
            address: String::new(),
            action,
            group: None,
            depends_on: Vec::new(),
            target,
            holders: Vec::new(),
            expects: Expects::default(),
            before: None,
            after: None,
            size: None,
            removed: Vec::new(),
            resources: Vec::new(),
            statements: Vec::new(),
            key: None,
            readmitted: Vec::new(),
            frozen: Vec::new(),
            still_granted_by: Vec::new(),
            risk: BTreeMap::new(),
            proof: PlanProof::default(),
            calls: Vec::new(),
            inverse: Vec::new(),
        }
    }
}

/// What must be found when a change is applied; nothing, by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expects {
    /// The document's fingerprint; none where nothing is there yet, and for access keys.
    pub document: Option<Sha256>,
    /// The holders, by ARN.
    pub holders: Vec<ExpectedHolder>,
    /// The group memberships by which they hold the policy: `user/NAME in group/NAME`.
    pub memberships: Vec<String>,
    /// Whom a managed policy is attached to, by address.
    pub attachments: Vec<String>,
    /// Which groups those are: the groups among them, by ARN, with their unique ids. Of a change to the policy itself; of an
    /// attachment there is `group_id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<ExpectedHolder>,
    /// Whether it is a permissions boundary of anybody.
    pub boundary_use: bool,
    /// The ids of the versions of a managed policy.
    pub versions: Vec<String>,
    /// The characters that count towards the quota, of all inline policies of the entity.
    pub inline_size: Option<usize>,
    /// The unique id of the group that a policy is attached to, or detached from; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// The access key; absent when the change is about a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key: Option<ExpectedKey>,
}

/// A holder, or a group, that must be found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedHolder {
    /// The ARN.
    pub arn: Arn,
    /// The unique id: another one means that it was deleted and made again.
    pub unique_id: String,
}

/// Actions that are removed for one reason, on one evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    /// `unused-service`, `idle-service`, `unused-action` or `idle-action`; where holders differ, the weakest.
    pub reason: String,
    /// The names; `service:*`, or the author's own pattern, where all that it matches goes.
    pub actions: Vec<String>,
    /// How many actions of the catalogue that is.
    pub count: usize,
    /// For each holder, what its report says.
    pub evidence: Vec<Evidence>,
}

/// What a holder's report says of removed actions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The holder: a place in `principals`.
    pub principal: usize,
    /// The report: a place in `reports`.
    pub report: usize,
    /// The last use, of the service or of the action as the reason says; none if never in the tracking period.
    pub last_accessed: Option<UnixTime>,
    /// Since when use would have been seen.
    pub since: UnixTime,
    /// The reason for this holder: holders of one policy may differ.
    pub reason: String,
}

/// A pattern that was replaced by names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// The pattern as written.
    pub pattern: String,
    /// The catalogue's day: names that AWS adds later are not in the list, but for those that a new wildcard matches.
    pub at: UnixTime,
    /// The narrower wildcards among what it became.
    pub wildcards: Vec<String>,
}

/// What may go and is still allowed by something that the rewrite wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Readmitted {
    /// The pattern, or `NotAction`.
    pub by: String,
    /// The names; `service:*` where a whole service is meant.
    pub actions: Vec<String>,
    /// How many actions of the catalogue that is.
    pub count: usize,
    /// How many of them there are of each access level.
    pub risk: BTreeMap<String, usize>,
}

/// The size of a document that does not fit its quota by names, in characters that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSize {
    /// What it would have by names.
    pub by_names: usize,
    /// What the entity's other inline policies would have by names; absent where the quota is one document's.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub others: usize,
    /// What it has after the change.
    pub after: usize,
    /// The quota: of a managed policy, or of all inline policies of the entity together.
    pub quota: usize,
}

/// A policy that goes on granting what is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StillGranted {
    /// The policy's address: another one's, or the change's own when another statement of the document grants it, or another
    /// attachment.
    pub policy: String,
    /// The holder that has it: a place in `principals`.
    pub principal: usize,
    /// How many of the removed actions it grants after the plan, whatever resources and conditions.
    pub count: usize,
}

/// What the proof of a change looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanProof {
    /// Statements that were shown to be no wider than before.
    pub statements: usize,
    /// Patterns that were shown to be included in the old ones.
    pub patterns: usize,
    /// Actions and names that were shown to be still allowed.
    pub kept: usize,
    /// Actions whose loss was shown to have evidence for every holder.
    pub lost: usize,
    /// Holders whose evidence was judged.
    pub holders: usize,
    /// KMS keys that were shown to be unused; absent when none leaves.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resources: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// An AWS call. The values `@before`, `@after` and `@new` stand for the change's documents and for the version that the
/// change creates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// `iam:PutRolePolicy`, ...
    pub operation: String,
    /// The call's parameters, by AWS's names.
    pub parameters: BTreeMap<String, String>,
}

impl Change {
    /// Returns how many actions the change removes, those that go with their KMS keys among them.
    pub(crate) fn removed_actions(&self) -> usize {
        let with_keys = self.statements.iter().map(|statement| statement.count);
        self.removed.iter().map(|removed| removed.count).chain(with_keys).sum()
    }

    /// Returns what is taken or left whole with the change: its group, or the change alone.
    pub(crate) fn unit(&self) -> &str {
        self.group.as_deref().unwrap_or(&self.address)
    }
}
