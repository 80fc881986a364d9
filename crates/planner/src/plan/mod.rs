//! The plan: what is to change, why, and what was expected to be there.
//!
//! These are the shapes of the plan file, format 1.0 (`docs/formats.md`). [`build`] makes a plan from an analysis;
//! [`read`] takes one from a file and checks its digests. Arrays are in their stated order, times are whole seconds in UTC,
//! and nothing depends on a clock, on a hash map's order, or on threads.

mod advice;
mod build;
mod calls;
mod canonical;
mod change;
mod config;
mod digest;
mod draft;
mod expects;
mod fit;
mod read;
mod removed;
mod select;
mod verify;
mod withheld;

use std::collections::BTreeMap;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::Sha256;
use secateur_analyzer::time::UnixTime;
use serde::{Deserialize, Serialize};

pub use build::{Built, build};
pub use config::{Limits, PlanOptions, RewriteSettings};
pub use digest::{changes_digest, digest};
pub use fit::Quotas;
pub use read::{ReadPlanError, read};
pub use select::Selection;
pub use verify::{Refusal, verify};

/// The format that this build reads and writes.
pub const FORMAT_VERSION: &str = "1.0";

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT_VERSION`].
    pub format_version: String,
    /// What made the plan.
    pub tool: Tool,
    /// The SHA-256 over all but itself, in RFC 8785 form.
    pub digest: Sha256,
    /// The SHA-256 over what the changes do: it moves only when they do.
    pub changes_digest: Sha256,
    /// Whose plan it is.
    pub account: PlanAccount,
    /// By which settings, and when, the evidence was judged.
    pub window: Window,
    /// Whether the authorization details are whole; a plan is not applicable when they are not.
    pub complete: bool,
    /// What is missing.
    pub gaps: Vec<PlanGap>,
    /// What the plan was made from.
    pub inputs: PlanInputs,
    /// The ARNs that `holders` and `principal` number, from 0.
    pub principals: Vec<Arn>,
    /// The reports that `report` numbers, from 0.
    pub reports: Vec<PlanReport>,
    /// The changes, by address, bytewise.
    pub changes: Vec<Change>,
    /// What is not changed, and why; by address, then reason.
    pub withheld: Vec<Withheld>,
    /// What the reader should know: expired rules first.
    pub advice: Vec<Advice>,
    /// Counts.
    pub summary: Summary,
}

/// What made a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `secateur`
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The account of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanAccount {
    /// The account id.
    pub id: String,
    /// The partition.
    pub partition: String,
    /// Who collected.
    pub caller_arn: Option<Arn>,
    /// The endpoint that was collected from; none for AWS's own.
    pub endpoint: Option<String>,
}

/// By which settings, and when, the evidence was judged. Days are of 86,400 s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// When the age of reports, rules and catalogue was judged.
    pub now: UnixTime,
    /// `min_idle_days`
    pub min_idle_days: u32,
    /// `max_report_age_days`
    pub max_report_age_days: u32,
    /// `max_catalog_age_days`
    pub max_catalog_age_days: u32,
    /// `max_key_idle_days`
    pub max_key_idle_days: u32,
    /// `unknown_grant_date`
    pub unknown_grant_date: String,
    /// `kms_via_service`
    pub kms_via_service: String,
    /// `dormant`
    pub dormant: String,
    /// The Regions that are enabled or in use.
    pub regions: Vec<String>,
}

/// Something that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanGap {
    /// An ARN, or a file of the snapshot.
    pub subject: String,
    /// A word for programs.
    pub kind: String,
    /// A sentence for people.
    pub detail: String,
}

/// What a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanInputs {
    /// The snapshot.
    pub snapshot: InputFile,
    /// The older snapshot that was taken as witness of grants.
    pub older_snapshot: Option<InputFile>,
    /// The configuration; none when there was none.
    pub config: Option<InputFile>,
    /// The catalogue.
    pub catalog: PlanCatalog,
    /// Which changes were asked for.
    pub selection: PlanSelection,
}

/// Which changes were asked for; all where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanSelection {
    /// `--target`
    pub target: Vec<String>,
    /// `--exclude`
    pub exclude: Vec<String>,
    /// `--only`
    pub only: Vec<String>,
}

/// A file or folder that a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    /// Where it was, seen from the directory of the configuration; from the working directory without one.
    pub path: String,
    /// Its SHA-256; of a folder, over the names and digests of its files.
    pub sha256: Sha256,
}

/// The catalogue of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanCatalog {
    /// The SHA-256 of its table of actions.
    pub sha256: Sha256,
    /// The day at which its list of names was complete.
    pub date: UnixTime,
}

/// A report that a plan rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanReport {
    /// Whom it is about: a place in `principals`.
    pub principal: usize,
    /// The SHA-256 of its file.
    pub sha256: Sha256,
    /// When AWS completed it.
    pub generated_at: UnixTime,
}

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
    /// Where: `role/NAME/inline/POLICY`, `policy/NAME`, `role/NAME/attached/POLICY`.
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
    /// What is removed, one entry a reason and evidence, riskiest first.
    pub removed: Vec<Removed>,
    /// What may go and is admitted again by a wildcard.
    pub readmitted: Vec<String>,
    /// The patterns that were replaced by names: from now on they do not follow AWS.
    pub frozen: Vec<Frozen>,
    /// Other policies of the holders that go on granting what is removed here.
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

/// What must be found when a change is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expects {
    /// The document's fingerprint.
    pub document: Sha256,
    /// The holders, by ARN.
    pub holders: Vec<ExpectedHolder>,
    /// The group memberships by which they hold the policy: `user/NAME in group/NAME`.
    pub memberships: Vec<String>,
    /// Whom a managed policy is attached to, by address.
    pub attachments: Vec<String>,
    /// Whether it is a permissions boundary of anybody.
    pub boundary_use: bool,
    /// The ids of the versions of a managed policy.
    pub versions: Vec<String>,
    /// The characters that count towards the quota, of all inline policies of the entity.
    pub inline_size: Option<usize>,
}

/// A holder that must be found.
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
    /// The catalogue's day: names that AWS adds later are not in the list.
    pub at: UnixTime,
}

/// Another policy that goes on granting what is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StillGranted {
    /// The other policy's address.
    pub policy: String,
    /// The holder that has both: a place in `principals`.
    pub principal: usize,
    /// How many of the removed actions it grants after the plan, whatever resources and conditions.
    pub count: usize,
}

/// What the proof of a change looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Something that is not changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// The policy's address.
    pub address: String,
    /// A word for programs.
    pub reason: String,
    /// A sentence for people.
    pub detail: String,
}

/// Something that the reader should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// A word for programs: `rule-expired`, `dormant`, ...
    pub kind: String,
    /// An address, or the name of a rule.
    pub subject: String,
    /// A sentence for people.
    pub detail: String,
}

/// Counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Things to create or attach.
    pub add: usize,
    /// Documents to rewrite and keys to deactivate.
    pub change: usize,
    /// Policies to delete or detach.
    pub destroy: usize,
    /// Actions that are removed, of the catalogue, added up over the changes.
    pub removed_actions: usize,
    /// Removed actions whose date of grant is not known and was assumed to be long ago.
    pub assumed_grant_dates: usize,
    /// Patterns that are replaced by names.
    pub frozen: usize,
    /// Statements that are left alone because of their Sid.
    pub kept_statements: usize,
    /// Policies that are not changed, by entry of `withheld`.
    pub withheld: usize,
    /// Things that are missing.
    pub gaps: usize,
}

impl Change {
    /// Returns what is taken or left whole with the change: its group, or the change alone.
    pub(crate) fn unit(&self) -> &str {
        self.group.as_deref().unwrap_or(&self.address)
    }
}

impl Plan {
    /// Returns whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

#[cfg(test)]
mod tests;
