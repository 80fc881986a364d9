//! Last-accessed reports.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html>.

use std::cmp::Reverse;
use std::fmt;

use crate::arn::Arn;
use crate::catalog::{ActionId, Catalog, ServiceId};
use crate::document::Sha256;
use crate::time::UnixTime;

/// The answer of `get-service-last-accessed-details` for one ARN, all pages.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whom the report is about.
    pub arn: Arn,
    /// The SHA-256 of the file.
    pub sha256: Sha256,
    /// What became of the job.
    pub status: ReportStatus,
    /// `JobType`: whether actions were asked for.
    pub granularity: Granularity,
    /// `JobCompletionDate`.
    pub generated_at: Option<UnixTime>,
    /// Whether pages are missing.
    pub truncated: bool,
    /// One row a namespace, by namespace.
    pub services: Vec<ServiceRow>,
    /// The Regions that it shows use in.
    pub regions: RegionUses,
}

/// The Regions that a report shows use in, and the last of each: `LastAuthenticatedRegion` and `LastAccessedRegion` where they have a
/// date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegionUses(Vec<(Box<str>, UnixTime)>);

impl RegionUses {
    /// Adds a use; of one Region the last counts.
    pub fn add(&mut self, region: &str, last: UnixTime) {
        // A report has one or two.
        match self.0.iter_mut().find(|(own, _)| **own == *region) {
            Some((_, own)) => *own = last.max(*own),
            None => {
                let at = self.0.partition_point(|(own, _)| **own < *region);
                self.0.insert(at, (region.into(), last));
            }
        }
    }

    /// Returns the Regions by name, as AWS writes them, each with its last use.
    pub fn iter(&self) -> impl Iterator<Item = (&str, UnixTime)> {
        self.0.iter().map(|(region, last)| (&**region, *last))
    }
}

/// What became of a report's job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportStatus {
    /// `COMPLETED`: the only one that says anything about use.
    Completed,
    /// `IN_PROGRESS`: looks exactly like "uses nothing" to who does not check.
    InProgress,
    /// `FAILED`, with AWS's code and message.
    Failed(String),
    /// It says of some service or action that it was used, and not when: it cannot be read as "uses nothing".
    Contradictory(String),
    /// Anything else, or none.
    Unknown(String),
}

/// What a report was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// `ACTION_LEVEL`
    Action,
    /// `SERVICE_LEVEL`
    Service,
    /// Not said, or something new.
    Unknown,
}

/// A service namespace, as a report names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceKey {
    /// A service of the catalogue.
    Known(ServiceId),
    /// A service that the catalogue does not know, in lower case.
    Unknown(Box<str>),
}

/// What a report says about one service.
#[derive(Clone, Debug)]
pub struct ServiceRow {
    /// The service.
    pub service: ServiceKey,
    /// `LastAuthenticated`: the last attempt to use any of the service's actions.
    pub last_authenticated: Option<UnixTime>,
    /// Whether there is a list of tracked actions at all; its absence says nothing about actions.
    pub lists_actions: bool,
    /// The tracked actions that the catalogue knows, by id.
    pub actions: Vec<ActionRow>,
    /// The tracked actions that it does not know, as AWS writes them, and their last use, by name in lower case.
    pub unknown_actions: Vec<(Box<str>, Option<UnixTime>)>,
    latest: Option<UnixTime>,
}

/// What a report says about one tracked action. A large account has millions of these, so they are packed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ActionRow {
    /// The action.
    pub action: ActionId,
    /// The seconds of the last use in two halves, which need no padding; [`NEVER`] for none.
    last: [u32; 2],
}

/// Stands for no use: no report tells of the beginning of time.
const NEVER: i64 = i64::MIN;

impl ActionRow {
    fn new(action: ActionId, last_accessed: Option<UnixTime>) -> ActionRow {
        let seconds = last_accessed.map_or(NEVER, |last| last.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the halves are put together again"
        )]
        let last = [(seconds >> 32) as u32, seconds as u32];
        ActionRow { action, last }
    }

    /// Returns `LastAccessedTime`; none is the evidence for "allowed, tracked, and never used in the tracking period".
    pub fn last_accessed(&self) -> Option<UnixTime> {
        let [high, low] = self.last;
        #[expect(clippy::cast_possible_wrap, reason = "the sign is in the first half")]
        let seconds = ((u64::from(high) << 32) | u64::from(low)) as i64;
        (seconds != NEVER).then_some(UnixTime(seconds))
    }
}

impl fmt::Debug for ActionRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActionRow").field("action", &self.action).field("last_accessed", &self.last_accessed()).finish()
    }
}

impl ServiceRow {
    /// Returns the row of `namespace`, still without actions.
    pub fn new(catalog: &Catalog, namespace: &str, last_authenticated: Option<UnixTime>) -> ServiceRow {
        let service = match catalog.service(namespace) {
            Some(service) => ServiceKey::Known(service),
            None => ServiceKey::Unknown(namespace.to_ascii_lowercase().into()),
        };
        ServiceRow::of(service, last_authenticated)
    }

    /// Returns the row of a service, still without actions.
    pub fn of(service: ServiceKey, last_authenticated: Option<UnixTime>) -> ServiceRow {
        ServiceRow {
            service,
            last_authenticated,
            lists_actions: false,
            actions: Vec::new(),
            unknown_actions: Vec::new(),
            latest: last_authenticated,
        }
    }

    /// Adds a tracked action; its name may bear the service's prefix.
    pub fn push(&mut self, catalog: &Catalog, name: &str, last_accessed: Option<UnixTime>) {
        self.lists_actions = true;
        self.latest = self.latest.max(last_accessed);
        let bare = match name.split_once(':') {
            Some((prefix, bare)) if self.is_service(catalog, prefix) => bare,
            _ => name,
        };
        let known = match &self.service {
            ServiceKey::Known(service) => {
                catalog.action_after(*service, self.actions.last().map(|row| row.action), bare)
            }
            ServiceKey::Unknown(_) => None,
        };
        match known {
            Some(action) => self.push_known(action, last_accessed),
            None => self.unknown_actions.push((bare.into(), last_accessed)),
        }
    }

    /// Adds a tracked action of the row's service, which the catalogue knows.
    #[inline]
    pub fn push_known(&mut self, action: ActionId, last_accessed: Option<UnixTime>) {
        self.lists_actions = true;
        self.latest = self.latest.max(last_accessed);
        self.actions.push(ActionRow::new(action, last_accessed));
    }

    /// Returns the latest use that the row tells of, of the service or of any of its actions.
    pub fn last_use(&self) -> Option<UnixTime> {
        self.latest
    }

    /// Returns the row of an action; none when the report does not list it.
    pub fn action(&self, id: ActionId) -> Option<&ActionRow> {
        self.actions.binary_search_by_key(&id, |row| row.action).ok().and_then(|at| self.actions.get(at))
    }

    fn is_service(&self, catalog: &Catalog, prefix: &str) -> bool {
        match &self.service {
            ServiceKey::Known(service) => catalog.service(prefix) == Some(*service),
            ServiceKey::Unknown(name) => **name == *prefix.to_ascii_lowercase(),
        }
    }

    fn tidy(&mut self) {
        // As AWS lists them, and each once.
        if !self.actions.is_sorted_by(|a, b| a.action < b.action) {
            self.actions.sort_by_key(|row| (row.action, Reverse(row.last_accessed())));
            self.actions.dedup_by_key(|row| row.action);
        }
        let key = |row: &(Box<str>, Option<UnixTime>)| (row.0.to_ascii_lowercase(), Reverse(row.1), row.0.clone());
        self.unknown_actions.sort_by_cached_key(key);
        self.unknown_actions.dedup_by(|a, b| a.0.eq_ignore_ascii_case(&b.0));
        self.actions.shrink_to_fit();
    }
}

impl Report {
    /// Sorts the rows, and merges those of one namespace and those of one action; the latest time wins.
    #[must_use]
    pub fn with_services(mut self, mut rows: Vec<ServiceRow>) -> Report {
        // As AWS lists them, and each once.
        if self.services.is_empty() && rows.is_sorted_by(|a, b| a.service < b.service) {
            self.services = std::mem::take(&mut rows);
        }
        // The keys are moved about, and the rows once.
        rows.sort_by_cached_key(|row| row.service.clone());
        self.services.reserve_exact(rows.len());
        for row in rows {
            match self.services.last_mut() {
                Some(last) if last.service == row.service => {
                    last.last_authenticated = last.last_authenticated.max(row.last_authenticated);
                    last.latest = last.latest.max(row.latest);
                    last.lists_actions |= row.lists_actions;
                    last.actions.extend(row.actions);
                    last.unknown_actions.extend(row.unknown_actions);
                }
                _ => self.services.push(row),
            }
        }
        self.services.iter_mut().for_each(ServiceRow::tidy);
        self.services.shrink_to_fit();
        self
    }

    /// Returns the row of a service; none when the report does not list it.
    pub fn service(&self, service: ServiceId) -> Option<&ServiceRow> {
        let at = self.services.binary_search_by(|row| match &row.service {
            ServiceKey::Known(id) => id.cmp(&service),
            ServiceKey::Unknown(_) => std::cmp::Ordering::Greater,
        });
        at.ok().and_then(|at| self.services.get(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_outlast_packing() {
        let Some(action) = Catalog::embedded().parse_action("s3:CreateBucket") else { panic!("s3:CreateBucket") };
        for last in [None, Some(0), Some(-1), Some(1_790_834_400), Some(i64::MAX), Some(i64::MIN + 1)] {
            let last = last.map(UnixTime);
            assert_eq!(ActionRow::new(action, last).last_accessed(), last);
        }
        assert_eq!(size_of::<ActionRow>(), 12);
    }
}
