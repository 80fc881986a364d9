//! The verdict on an access key: may it be made inactive?
//!
//! It rests on the key's own last use and on no report: what the key's user may do does not matter.

use std::fmt;

use super::report::REPORTING_DELAY;
use super::{ExpiredRule, LeftAlone, SetAside};
use crate::account::{AccessKey, KeyLastUsed, KeyStatus};
use crate::time::UnixTime;

/// The last use is recorded once in 15 minutes: it may have been so much later.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>.
pub const KEY_USE_PRECISION: i64 = 15 * 60;

/// AWS has recorded the use of access keys since 2015-04-22, 00:00 UTC.
///
/// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html>.
pub const KEY_USE_RECORDED_SINCE: UnixTime = UnixTime(1_429_660_800);

/// All that the verdict on an access key depends on.
#[derive(Clone, Debug)]
pub struct AccessKeyFacts<'a> {
    /// The key.
    pub key: &'a AccessKey,
    /// When the key's last use was looked up, or why nothing shows that it counts.
    pub collected: Result<UnixTime, NoKeyEvidence>,
    /// When somebody last switched a key of the user on or off, as far as the event history tells.
    pub handled: Option<UnixTime>,
    /// Why the user, or the key, is set aside.
    pub set_aside: Option<SetAside>,
    /// The `[[keep]]` rule that names the user and no actions: in force, or expired less than 14 days ago.
    pub kept: Option<KeepsKey>,
    /// Whether the user used nothing at all, and such users are only advised on.
    pub is_dormant: bool,
    /// `max_key_idle_days` in seconds.
    pub max_idle: i64,
}

/// A `[[keep]]` rule that names a user, by its place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepsKey {
    /// It is in force.
    InForce(usize),
    /// It expired less than 14 days ago.
    Expired(usize),
}

/// The verdict on an access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessKeyVerdict {
    /// It cannot be used as it is.
    NotActive,
    /// Nothing shows whether it was used.
    NoEvidence(NoKeyEvidence),
    /// It was used within `max_key_idle_days`.
    Used(UnixTime),
    /// It was not used, but not for long enough.
    TooRecent {
        /// Since when it could have been used.
        since: UnixTime,
    },
    /// It is idle, and its user is left alone.
    LeftAlone(LeftAlone),
    /// It is idle, and an `[[ignore]]` rule names its user; the rule's place in the file.
    Ignored(usize),
    /// It is idle, and a rule kept it until less than 14 days ago.
    RuleExpired(ExpiredRule),
    /// It is idle, and a `[[keep]]` rule names its user; the rule's place in the file.
    Kept(usize),
    /// It is idle, and so is its user: deleting the user is the better change.
    Dormant,
    /// It may be made inactive.
    Deactivate(IdleKey),
}

/// Why an access key may be made inactive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdleKey {
    /// Its last use; none if it was never used.
    pub last_used: Option<UnixTime>,
    /// Since when it is idle: its last use, its creation, or its last update.
    pub since: UnixTime,
}

impl IdleKey {
    /// Returns the reason as plans spell it.
    pub fn reason(&self) -> &'static str {
        if self.last_used.is_some() { "idle-key" } else { "unused-key" }
    }
}

/// Why nothing shows whether an access key was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoKeyEvidence {
    /// Nothing says when its last use was looked up.
    NoDate,
    /// It was looked up after the time of judgement.
    Future {
        /// When.
        collected: UnixTime,
    },
    /// It was looked up longer than `max_report_age_days` ago.
    TooOld {
        /// When.
        collected: UnixTime,
    },
    /// Its last use was not collected.
    NotCollected,
    /// It does not say when the key was created.
    NoCreation,
    /// The key is older than AWS's records, which have no use of it.
    OlderThanRecords,
}

impl fmt::Display for NoKeyEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoKeyEvidence::NoDate => {
                f.write_str("nothing says when its last use was looked up: the snapshot has no manifest")
            }
            NoKeyEvidence::Future { collected } => {
                write!(f, "its last use was looked up on {collected}, after the time of judgement")
            }
            NoKeyEvidence::TooOld { collected } => {
                write!(f, "its last use was looked up on {collected}: that is older than max_report_age_days")
            }
            NoKeyEvidence::NotCollected => f.write_str("its last use is not in the snapshot"),
            NoKeyEvidence::NoCreation => f.write_str("the snapshot does not say when it was created"),
            NoKeyEvidence::OlderThanRecords => {
                f.write_str("it is older than AWS's records of use, which begin on 2015-04-22 and have none of it")
            }
        }
    }
}

impl AccessKeyVerdict {
    /// Returns the verdict as plans spell it.
    pub fn as_str(&self) -> &'static str {
        match self {
            AccessKeyVerdict::NotActive => "not-active",
            AccessKeyVerdict::NoEvidence(_) => "no-evidence",
            AccessKeyVerdict::Used(_) => "used",
            AccessKeyVerdict::TooRecent { .. } => "too-recent",
            AccessKeyVerdict::LeftAlone(_) => "left-alone",
            AccessKeyVerdict::Ignored(_) => "ignored",
            AccessKeyVerdict::RuleExpired(_) => "rule-expired",
            AccessKeyVerdict::Kept(_) => "protected",
            AccessKeyVerdict::Dormant => "dormant",
            AccessKeyVerdict::Deactivate(idle) => idle.reason(),
        }
    }
}

impl AccessKeyFacts<'_> {
    /// Returns the verdict: the first that fits. What is not idle is not said to be left alone.
    pub fn verdict(&self) -> AccessKeyVerdict {
        if self.key.status != KeyStatus::Active {
            return AccessKeyVerdict::NotActive;
        }
        let idle = match self.idle() {
            Ok(idle) => idle,
            Err(verdict) => return verdict,
        };
        if let Some(set_aside) = &self.set_aside {
            return match set_aside.clone() {
                SetAside::LeftAlone(why) => AccessKeyVerdict::LeftAlone(why),
                SetAside::Ignored(rule) => AccessKeyVerdict::Ignored(rule),
                SetAside::RuleExpired(rule) => AccessKeyVerdict::RuleExpired(ExpiredRule::Ignore(rule)),
            };
        }
        match self.kept {
            Some(KeepsKey::InForce(rule)) => return AccessKeyVerdict::Kept(rule),
            Some(KeepsKey::Expired(rule)) => return AccessKeyVerdict::RuleExpired(ExpiredRule::Keep(rule)),
            None => {}
        }
        if self.is_dormant { AccessKeyVerdict::Dormant } else { AccessKeyVerdict::Deactivate(idle) }
    }

    fn idle(&self) -> Result<IdleKey, AccessKeyVerdict> {
        let no_evidence = |why| Err(AccessKeyVerdict::NoEvidence(why));
        let collected = match &self.collected {
            Ok(collected) => *collected,
            Err(why) => return no_evidence(why.clone()),
        };
        let observed = collected.plus(-REPORTING_DELAY);
        let Some(created) = self.key.created else { return no_evidence(NoKeyEvidence::NoCreation) };
        let last_used = match &self.key.last_used {
            KeyLastUsed::Unknown => return no_evidence(NoKeyEvidence::NotCollected),
            KeyLastUsed::NoRecord if created < KEY_USE_RECORDED_SINCE => {
                return no_evidence(NoKeyEvidence::OlderThanRecords);
            }
            KeyLastUsed::NoRecord => None,
            KeyLastUsed::At { time, .. } => Some(*time),
        };
        let is_recent = |time: UnixTime| observed.since(time) < self.max_idle;
        if let Some(last) = last_used.filter(|last| is_recent(last.plus(KEY_USE_PRECISION))) {
            return Err(AccessKeyVerdict::Used(last));
        }
        // A key that was switched on again lately has had no time to be used since.
        let since = created.max(self.handled.unwrap_or(created)).max(last_used.unwrap_or(created));
        if is_recent(since) {
            return Err(AccessKeyVerdict::TooRecent { since });
        }
        Ok(IdleKey { last_used, since })
    }
}

#[cfg(test)]
mod tests;
