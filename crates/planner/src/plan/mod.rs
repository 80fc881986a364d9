//! The plan: what is to change, why, and what was expected to be there.
//!
//! These are the shapes of the plan file, format 1.0 (`docs/formats.md`). [`build`] makes a plan from an analysis;
//! [`read`] takes one from a file and checks its digests. Arrays are in their stated order, times are whole seconds in UTC,
//! and nothing depends on a clock, on a hash map's order, or on threads.

mod advice;
mod attachments;
mod aws_managed;
mod blocked;
mod build;
mod calls;
mod canonical;
mod change;
mod config;
mod derive;
mod digest;
mod draft;
mod expects;
mod fit;
mod gone;
mod group;
mod headroom;
mod keys;
mod live;
mod numbering;
mod read;
mod removed;
mod resources;
mod room;
mod select;
mod settled;
mod staying_keys;
mod still_granted;
mod subject;
mod traces;
mod unwritable;
mod used_since;
mod verify;
mod verify_group;
mod withheld;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::Sha256;
use secateur_analyzer::time::UnixTime;
use serde::{Deserialize, Serialize};

pub use build::{Built, build};
pub use change::{
    Call, Change, ChangeAction, ChangeSize, Evidence, ExpectedHolder, Expects, Frozen, PlanProof, Readmitted, Removed,
    StillGranted, Target,
};
pub use config::{AwsManaged, Limits, PlanOptions, RewriteSettings};
pub(crate) use digest::canonical_sha256;
pub use digest::{changes_digest, digest};
pub(crate) use draft::characters;
pub use fit::Quotas;
pub use gone::{is_gone, without_gone};
pub use headroom::{Headroom, OldestVersion, headroom};
pub use keys::{ExpectedKey, KeyEvidence};
pub use live::{drift, is_of_own_change, recheck};
pub use read::{ReadPlanError, read};
pub use resources::{RemovedResource, RemovedStatement};
pub use select::Selection;
pub use used_since::keys_at_stake;
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
    /// What some holders of a policy do not need and others keep; by policy, riskiest first.
    pub blocked: Vec<Blocked>,
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
    /// `kms`
    pub kms: String,
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

/// Actions of a shared policy that some of its holders could lose, and others keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocked {
    /// The policy's address.
    pub address: String,
    /// The names; `service:*` where a whole service is meant.
    pub actions: Vec<String>,
    /// How many actions of the catalogue that is.
    pub count: usize,
    /// Who keeps them: places in `principals`.
    pub blockers: Vec<usize>,
    /// How many other holders could lose them.
    pub others: usize,
    /// Whether these are all dormant, so that only `dormant = "prune"` takes anything from them; absent when it is not so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dormant: bool,
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
    /// Removed actions and KMS keys whose date of grant is not known and was assumed to be long ago.
    pub assumed_grant_dates: usize,
    /// How many of these are KMS keys; absent when none is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub assumed_kms_keys: usize,
    /// Patterns that are replaced by names or by narrower patterns.
    pub frozen: usize,
    /// Actions that may go and are still allowed, because only wildcards fit; added up over the changes.
    pub readmitted: usize,
    /// Actions that some holders of a shared policy could lose and others keep, added up over the policies.
    pub blocked: usize,
    /// Statements that are left alone because of their Sid.
    pub kept_statements: usize,
    /// Policies that are not changed, by entry of `withheld`.
    pub withheld: usize,
    /// Things that are missing.
    pub gaps: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Plan {
    /// Returns whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

#[cfg(test)]
mod tests;
