//! What the user decides: the settings of `[evidence]` and the rules `[[keep]]`, `[[ignore]]` and `[[source]]`.
//!
//! Values only; planner's command line reads them from `secateur.toml`.

mod matching;
mod settings;

pub use matching::{PolicyFacts, PrincipalFacts};
pub use settings::{Dormant, KmsPruning, KmsViaService, Settings, UnknownGrantDate};

use crate::time::{DAY, UnixTime};

/// For how long after a rule has expired what it protected is still withheld, in seconds: time to renew it.
pub const GRACE: i64 = 14 * DAY;

/// The rules of `secateur.toml`, in the file's order.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// `[[keep]]`
    pub keep: Vec<KeepRule>,
    /// `[[ignore]]`
    pub ignore: Vec<IgnoreRule>,
    /// `[[source]]`
    pub source: Vec<SourceRule>,
}

/// Actions that stay although unused: all that match each of the lists that are not empty.
#[derive(Clone, Debug)]
pub struct KeepRule {
    /// Patterns of actions, in IAM's language, any case.
    pub actions: Vec<crate::action::ActionPattern>,
    /// Globs of principals: ARN, name, or `role/NAME`.
    pub principals: Vec<String>,
    /// Globs of policies: ARN, name, or address.
    pub policies: Vec<String>,
    /// Why.
    pub reason: String,
    /// Until when.
    pub expires: Option<Expiry>,
}

/// Principals and policies that are not changed: all that match each of the lists that are not empty.
#[derive(Clone, Debug)]
pub struct IgnoreRule {
    /// Globs of principals: ARN, name, or `role/NAME`.
    pub principals: Vec<String>,
    /// Globs of policies: ARN, name, or address.
    pub policies: Vec<String>,
    /// Globs of paths, of the principal or of the managed policy.
    pub paths: Vec<String>,
    /// Globs of tags, of the principal or of the managed policy: `KEY` or `KEY=VALUE`.
    pub tags: Vec<String>,
    /// Why.
    pub reason: String,
    /// Until when.
    pub expires: Option<Expiry>,
}

/// Where a policy is written in the user's repository: it is changed there, not in AWS.
#[derive(Clone, Debug)]
pub struct SourceRule {
    /// The address: `role/ci/inline/deploy`, `policy/shared`.
    pub policy: String,
    /// The file.
    pub file: String,
}

/// The last day on which a rule is in force, in UTC, whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry(pub jiff::civil::Date);

/// Whether a rule is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Force {
    /// It is.
    InForce,
    /// It expired less than [`GRACE`] ago: what it protected is withheld.
    Grace,
    /// It expired longer ago, and has no effect.
    Expired,
}

impl Expiry {
    /// Returns whether a rule that expires then is in force at `now`.
    pub fn force(self, now: UnixTime) -> Force {
        let end = UnixTime::from_date(self.0).plus(DAY);
        if now < end {
            Force::InForce
        } else if now < end.plus(GRACE) {
            Force::Grace
        } else {
            Force::Expired
        }
    }
}

impl KeepRule {
    /// Returns whether the rule is in force at `now`.
    pub fn force(&self, now: UnixTime) -> Force {
        self.expires.map_or(Force::InForce, |expiry| expiry.force(now))
    }
}

impl IgnoreRule {
    /// Returns whether the rule is in force at `now`.
    pub fn force(&self, now: UnixTime) -> Force {
        self.expires.map_or(Force::InForce, |expiry| expiry.force(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_holds_to_the_end_of_its_last_day_and_is_missed_for_two_weeks() {
        let expiry = Expiry("2026-10-10".parse().unwrap());
        let check = |now: &str, expect: Force| assert_eq!(expiry.force(now.parse().unwrap()), expect, "{now}");
        check("2026-10-10T23:59:59Z", Force::InForce);
        check("2026-10-11T00:00:00Z", Force::Grace);
        check("2026-10-24T23:59:59Z", Force::Grace);
        check("2026-10-25T00:00:00Z", Force::Expired);
    }
}
