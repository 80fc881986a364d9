//! When a permission was granted: what was attached yesterday has had no time to be used.
//!
//! CloudTrail's event history tells of writes in its span ([`history`](super::history)), and by its silence that there were
//! none. The versions of a managed policy tell since when the action has been allowed without a break: a late date proves a
//! late grant, but an early one proves nothing, since the policy may have been attached since. An older snapshot with the
//! same grant proves an early one ([`witness`](super::witness)).

use crate::account::{ManagedPolicy, PolicyVersion};
use crate::catalog::{ActionId, ActionSet, Catalog};
use crate::document::PolicyDocument;
use crate::graph::PolicyRef;
use crate::rules::{Settings, UnknownGrantDate};
use crate::time::UnixTime;

use super::history::GrantIndex;
use super::report::ReportTimes;
use super::terms::InForce;

/// Stands for a date that is missing: the time that a report sees up to, whatever that is.
pub(super) const UNDATED: UnixTime = UnixTime(i64::MAX);

/// When a holder was granted a policy, as far as anything tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// At this time at the earliest.
    At(UnixTime),
    /// Long enough ago.
    LongAgo,
    /// Nothing tells.
    Unknown,
}

/// What is known of a policy's grants, whoever holds it.
#[derive(Debug, Default)]
pub struct PolicyGrants {
    /// What the versions say: from when on the actions were allowed without a break, as far as the versions go back.
    introduced: Vec<(UnixTime, ActionSet)>,
}

impl PolicyGrants {
    /// Looks at the versions of a managed policy, and at the calls that made or chose one; there is nothing to look at in an
    /// inline policy, nor when nothing is younger than `horizon`.
    pub fn new(catalog: &Catalog, policy: PolicyRef<'_>, horizon: UnixTime, history: &GrantIndex<'_>) -> PolicyGrants {
        let Some(managed) = policy.managed() else { return PolicyGrants::default() };
        let events = history.version_events(&managed.arn);
        let is_young = |version: &PolicyVersion| version.created.is_none_or(|created| created > horizon);
        // Making a version is told by the versions themselves, as long as none of them is gone.
        let latest = if events.has_deleted { events.chosen.max(events.made) } else { events.chosen };
        if latest.is_none() && !managed.versions.iter().any(is_young) {
            return PolicyGrants::default();
        }
        let in_force = managed.default().and_then(document_of).map(|document| InForce::new(catalog, document));
        let mut introduced = in_force.as_ref().map_or_else(Vec::new, |in_force| introductions(in_force, managed));
        if let Some(latest) = latest {
            // Whichever version was in force before, it allowed what all that there were allow.
            let mut rest = in_force.as_ref().map_or_else(|| catalog.full_set(), InForce::allowed);
            if let Some(in_force) = in_force.filter(|_| !events.has_deleted && is_without_gap(managed)) {
                let mut steady = catalog.full_set();
                managed.versions.iter().for_each(|version| steady.intersect_with(&in_force.steady_in(version)));
                rest.difference_with(&steady);
            }
            introduced.push((latest, rest));
        }
        introduced.retain(|(_, actions)| !actions.is_empty());
        PolicyGrants { introduced }
    }

    /// Returns whether the versions tell nothing of any action.
    pub fn says_nothing(&self) -> bool {
        self.introduced.is_empty()
    }

    /// Returns from when on the action was allowed without a break; none when the versions do not tell.
    pub fn introduced(&self, id: ActionId) -> Option<UnixTime> {
        self.introduced.iter().filter(|(_, actions)| actions.contains(id)).map(|(at, _)| *at).max()
    }
}

/// Walks back from the version in force: what an older version did not allow, or on other terms, came with the one after it.
/// Versions that are gone may not have allowed it either, so what the oldest one left allows is as young as that one.
///
/// A younger version than the one in force may have been in force: what it did not allow may have come back since.
fn introductions(in_force: &InForce<'_>, policy: &ManagedPolicy) -> Vec<(UnixTime, ActionSet)> {
    let Some(current) = policy.default() else { return Vec::new() };
    // Without its date a version may be of today.
    let created = |version: &PolicyVersion| version.created.unwrap_or(UNDATED);
    let at = created(current);
    let mut rest = in_force.allowed();
    let mut found = Vec::new();
    let mut others: Vec<(UnixTime, &PolicyVersion)> = (policy.versions.iter())
        .filter(|version| version.id != current.id)
        .map(|version| (created(version), version))
        .collect();
    others.sort_by_key(|(created, _)| std::cmp::Reverse(*created));
    for (created, version) in others.iter().filter(|(created, _)| *created >= at) {
        let mut back = rest.clone();
        back.difference_with(&in_force.steady_in(version));
        found.push((*created, back));
    }
    let mut since = at;
    let mut number = number(current);
    for (created, version) in others.iter().filter(|(created, _)| *created < at) {
        // A version that is gone may have lacked what those around it have.
        let next = self::number(version);
        if number.zip(next).is_none_or(|(number, next)| next + 1 != number) {
            break;
        }
        number = next;
        let mut still = in_force.steady_in(version);
        still.intersect_with(&rest);
        rest.difference_with(&still);
        found.push((since, rest));
        (rest, since) = (still, *created);
    }
    found.push((since, rest));
    found.retain(|(_, actions)| !actions.is_empty());
    found
}

/// The number of a version: 3 of `v3`.
pub(super) fn number(version: &PolicyVersion) -> Option<u64> {
    version.id.strip_prefix('v')?.parse().ok()
}

/// Whether no version is missing between the oldest and the youngest that are left.
pub(super) fn is_without_gap(policy: &ManagedPolicy) -> bool {
    let numbers: Option<Vec<u64>> = policy.versions.iter().map(number).collect();
    numbers.is_some_and(|mut numbers| {
        numbers.sort_unstable();
        numbers.windows(2).all(|pair| matches!(pair, [a, b] if a + 1 == *b))
    })
}

pub(super) fn document_of(version: &PolicyVersion) -> Option<&PolicyDocument> {
    version.document.as_ref().and_then(|document| document.policy())
}

/// Since when the holder can have used a policy, as far as the grant goes, and whether that was assumed.
pub(super) fn grant_floor(
    granted: Granted,
    witnessed: Option<UnixTime>,
    settings: &Settings,
    times: ReportTimes,
) -> (UnixTime, bool) {
    match granted {
        Granted::At(time) => (time, false),
        Granted::LongAgo => (UnixTime(i64::MIN), false),
        Granted::Unknown => match (witnessed, settings.unknown_grant_date) {
            (Some(seen), _) if times.observed.since(seen) >= settings.min_idle() => (seen, false),
            (_, UnknownGrantDate::AssumeOld) => (UnixTime(i64::MIN), true),
            (_, UnknownGrantDate::Keep) => (times.observed, false),
        },
    }
}
