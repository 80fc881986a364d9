//! The table of verdicts: one function, first match wins.

use super::{NoEvidence, Protection, RegionProblem, Removal, RemovalReason, SetAside, Verdict};
use crate::time::UnixTime;

/// All that the verdict on one action in one policy for one holder depends on.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Why the principal, the policy or the statement is set aside.
    pub set_aside: Option<SetAside>,
    /// Up to when the holder's report sees use (its time less AWS's delay), or why there is no usable report.
    pub observed: Result<UnixTime, NoEvidence>,
    /// Why the action is kept although it may be unused.
    pub protected: Option<Protection>,
    /// What the report says of the service; none when it does not list it.
    pub service: Option<ServiceFacts>,
    /// What the report and the catalogue say of the action.
    pub action: ActionFacts,
    /// Whether use in every Region would have been seen.
    pub regions: Result<(), RegionProblem>,
    /// `min_idle_days` in seconds.
    pub min_idle: i64,
}

/// What a report says of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceFacts {
    /// The latest use of the service or of any of its actions.
    pub last_use: Option<UnixTime>,
    /// Since when use of the service would have been seen.
    pub since: UnixTime,
}

/// What the report and the catalogue say of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionFacts {
    /// Whether the catalogue knows the action.
    pub in_catalog: bool,
    /// Whether the catalogue says that IAM reports its last use.
    pub tracked: bool,
    /// The report's entry for the action: its last use, if any; none when the report does not list it.
    pub listed: Option<Option<UnixTime>>,
    /// Since when use of the action would have been seen.
    pub since: UnixTime,
    /// Whether `since` rests on an assumed date of the grant.
    pub assumed_grant: bool,
}

impl Facts {
    /// Returns the verdict: the first row of the table that matches.
    pub fn verdict(&self) -> Verdict {
        // 1: principal, policy, statement or rule says so.
        if let Some(set_aside) = &self.set_aside {
            return set_aside.clone().into();
        }
        // 2: no report that counts.
        let observed = match &self.observed {
            Ok(observed) => *observed,
            Err(why) => return Verdict::NoEvidence(why.clone()),
        };
        // 3: protected.
        if let Some(protection) = &self.protected {
            return match protection {
                Protection::ExpiredKeepRule(rule) => Verdict::RuleExpired(super::ExpiredRule::Keep(*rule)),
                other => Verdict::Protected(other.clone()),
            };
        }
        // 4: service not listed.
        let Some(service) = self.service else {
            return Verdict::NotEvaluated;
        };
        // 5: action used.
        if let Some(Some(last)) = self.action.listed
            && observed.since(last) < self.min_idle
        {
            return Verdict::Used(last);
        }
        // 6: Regions.
        if let Err(problem) = &self.regions {
            return Verdict::RegionUntracked(problem.clone());
        }
        let is_active = service.last_use.is_some_and(|last| observed.since(last) < self.min_idle);
        if is_active { self.action_of_active_service(observed) } else { self.action_of_idle_service(observed, service) }
    }

    /// Returns whether the verdict may be another one for another action of the service that is kept and was granted alike.
    ///
    /// It is not where rows 1, 2, 4 or 6 to 8 decide: they do not look at the action. An action that was used lately is of a
    /// service that is in use.
    pub(super) fn depends_on_action(&self) -> bool {
        let Ok(observed) = &self.observed else { return false };
        let is_active =
            |service: ServiceFacts| service.last_use.is_some_and(|last| observed.since(last) < self.min_idle);
        self.set_aside.is_none() && self.service.is_some_and(is_active)
    }

    /// Rows 7, 8 and 10 for an action whose service is not in use.
    fn action_of_idle_service(&self, observed: UnixTime, service: ServiceFacts) -> Verdict {
        let idle_from = service.last_use.map_or(service.since, |last| last.max(service.since));
        if observed.since(idle_from) < self.min_idle {
            return Verdict::TooRecent { since: idle_from };
        }
        if !self.action.in_catalog {
            return Verdict::Untracked;
        }
        let reason = match service.last_use {
            None => RemovalReason::UnusedService,
            Some(_) => RemovalReason::IdleService,
        };
        self.removable(reason, service.last_use, service.since)
    }

    /// Rows 7, 9 and 10 for an action whose service is in use.
    fn action_of_active_service(&self, observed: UnixTime) -> Verdict {
        let Some(last_use) = self.action.listed.filter(|_| self.action.tracked && self.action.in_catalog) else {
            return Verdict::Untracked;
        };
        let idle_from = last_use.map_or(self.action.since, |last| last.max(self.action.since));
        if observed.since(idle_from) < self.min_idle {
            return Verdict::TooRecent { since: idle_from };
        }
        let reason = match last_use {
            None => RemovalReason::UnusedAction,
            Some(_) => RemovalReason::IdleAction,
        };
        self.removable(reason, last_use, self.action.since)
    }

    fn removable(&self, reason: RemovalReason, last_accessed: Option<UnixTime>, since: UnixTime) -> Verdict {
        Verdict::Removable(Removal { reason, last_accessed, since, assumed_grant: self.action.assumed_grant })
    }
}

#[cfg(test)]
mod tests;
