//! The verdict on one permission: may this action leave this policy, as far as this holder is concerned?
//!
//! [`Facts`] is all that a verdict depends on, and [`Facts::verdict`] is the one function that decides, first match wins.
//! The modules beside it find the facts: reports, grant dates, what is left alone, what is protected.

mod access_key;
mod bearing;
mod credentials;
mod grant;
mod history;
mod holder;
mod in_order;
mod key_grant;
mod key_use;
mod kms;
mod left_alone;
mod lifted;
mod protection;
mod regions;
mod report;
mod table;
mod terms;
mod witness;

use std::fmt;

pub use access_key::{
    AccessKeyFacts, AccessKeyVerdict, IdleKey, KEY_USE_PRECISION, KEY_USE_RECORDED_SINCE, KeepsKey, NoKeyEvidence,
};
pub use grant::{Granted, PolicyGrants};
pub use history::GrantIndex;
pub(crate) use history::{details_at, is_dated};
pub use holder::{AboutPolicy, HolderEvidence, HolderPolicy, RelatedActions};
pub(crate) use key_grant::KeyGrant;
pub use kms::{CRYPTOGRAPHIC_ACTIONS, KMS_RECORDING_DELAY, KmsEvidence, KmsVerdict, NoKmsEvidence, UnusedKmsKey};
pub(crate) use left_alone::KEEP_SID;
pub use left_alone::{LeftAlone, Owner, left_alone_policy, left_alone_principal, owner_by_tags};
pub use protection::Protection;
pub use regions::{RegionEvidence, RegionProblem, UntrackedRegion, region_use_days};
pub use report::{NoEvidence, REPORTING_DELAY, ReportTimes, SERVICE_TRACKING_PERIOD};
pub use table::{ActionFacts, Facts, ServiceFacts};
pub use witness::GrantWitness;

use crate::time::UnixTime;

/// The verdict on one action in one policy for one holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not changed, whatever its use.
    LeftAlone(LeftAlone),
    /// An `[[ignore]]` rule says so; the rule's place in the file.
    Ignored(usize),
    /// A rule that would have kept it expired less than 14 days ago.
    RuleExpired(ExpiredRule),
    /// There is no report that says anything about the holder.
    NoEvidence(NoEvidence),
    /// Kept although unused, or although nobody knows.
    Protected(Protection),
    /// The report does not list the service.
    NotEvaluated,
    /// Used within `min_idle_days`.
    Used(UnixTime),
    /// Use in a Region that reports nothing cannot be excluded.
    RegionUntracked(RegionProblem),
    /// Not used since, but not for long enough.
    TooRecent {
        /// Since when it is known to be idle.
        since: UnixTime,
    },
    /// May go.
    Removable(Removal),
    /// Nobody can tell whether the action is used.
    Untracked,
}

/// A rule that expired, by its place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExpiredRule {
    /// A `[[keep]]` rule.
    Keep(usize),
    /// An `[[ignore]]` rule.
    Ignore(usize),
}

/// Why an action may go, for one holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Removal {
    /// Which row of the table.
    pub reason: RemovalReason,
    /// The last use of the service or of the action, as `reason` says; none if there was none in the tracking period.
    pub last_accessed: Option<UnixTime>,
    /// Since when use would have been seen.
    pub since: UnixTime,
    /// Whether the date of the grant was assumed (`unknown_grant_date = "assume-old"`).
    pub assumed_grant: bool,
}

/// The rows of the table by which an action may go. In order of strength: the last is the weakest evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemovalReason {
    /// The service was never used.
    UnusedService,
    /// The service was last used long ago.
    IdleService,
    /// The action was never used.
    UnusedAction,
    /// The action was last used long ago.
    IdleAction,
}

impl RemovalReason {
    /// All reasons, in order.
    pub const ALL: [RemovalReason; 4] = [
        RemovalReason::UnusedService,
        RemovalReason::IdleService,
        RemovalReason::UnusedAction,
        RemovalReason::IdleAction,
    ];

    /// Returns the reason as plans and `--only` spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            RemovalReason::UnusedService => "unused-service",
            RemovalReason::IdleService => "idle-service",
            RemovalReason::UnusedAction => "unused-action",
            RemovalReason::IdleAction => "idle-action",
        }
    }
}

impl fmt::Display for RemovalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Verdict {
    /// Returns the verdict as plans spell it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Verdict::LeftAlone(_) => "left-alone",
            Verdict::Ignored(_) => "ignored",
            Verdict::RuleExpired(_) => "rule-expired",
            Verdict::NoEvidence(_) => "no-evidence",
            Verdict::Protected(_) => "protected",
            Verdict::NotEvaluated => "not-evaluated",
            Verdict::Used(_) => "used",
            Verdict::RegionUntracked(_) => "region-untracked",
            Verdict::TooRecent { .. } => "too-recent",
            Verdict::Removable(removal) => removal.reason.as_str(),
            Verdict::Untracked => "untracked",
        }
    }

    /// Returns why the action may go; none when it stays.
    pub fn removal(&self) -> Option<Removal> {
        match self {
            Verdict::Removable(removal) => Some(*removal),
            _ => None,
        }
    }
}

/// Why a whole principal, policy or statement is set aside: row 1 of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetAside {
    /// It is of a kind that secateur never changes.
    LeftAlone(LeftAlone),
    /// An `[[ignore]]` rule says so.
    Ignored(usize),
    /// An `[[ignore]]` rule said so until less than 14 days ago.
    RuleExpired(usize),
}

impl From<SetAside> for Verdict {
    fn from(set_aside: SetAside) -> Verdict {
        match set_aside {
            SetAside::LeftAlone(why) => Verdict::LeftAlone(why),
            SetAside::Ignored(rule) => Verdict::Ignored(rule),
            SetAside::RuleExpired(rule) => Verdict::RuleExpired(ExpiredRule::Ignore(rule)),
        }
    }
}

impl SetAside {
    /// Returns the verdict's word.
    pub fn as_str(&self) -> &'static str {
        Verdict::from(self.clone()).as_str()
    }
}
