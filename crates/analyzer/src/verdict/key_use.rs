//! What a user's access keys tell of its use, beside the report.
//!
//! AWS records the last use of each access key with its service and Region, see
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html>. A report lists only services that the
//! principal's own policies allow, so a key may show use that no report can show; and where the two contradict each other the
//! report is no evidence that something was not used.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::protection::Protection;
use super::report::ReportTimes;
use crate::account::{Account, KeyLastUsed, Principal, Report, ServiceKey, ServiceRow};
use crate::catalog::{ActionId, Catalog, ServiceId};
use crate::rules::Settings;
use crate::time::{DAY, UnixTime};

/// The last use of one access key, within `min_idle_days`.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyUse<'a> {
    time: UnixTime,
    service: &'a str,
}

/// Returns the last use of each of a principal's keys, whatever the key's state is now, as far as it is recent.
pub(super) fn recent<'a>(
    account: &'a Account,
    principal: &Principal,
    settings: &Settings,
    times: ReportTimes,
) -> Vec<KeyUse<'a>> {
    let keys = account.access_keys.get(&principal.arn).into_iter().flatten();
    let uses = keys.filter_map(|key| match &key.last_used {
        KeyLastUsed::At { time, service, .. } => Some(KeyUse { time: *time, service }),
        KeyLastUsed::Unknown | KeyLastUsed::NoRecord => None,
    });
    uses.filter(|used| times.observed.since(used.time) < settings.min_idle()).collect()
}

/// Returns whether a key was used for anything but KMS.
pub(super) fn is_more_than_kms(uses: &[KeyUse<'_>]) -> bool {
    uses.iter().any(|used| !used.service.eq_ignore_ascii_case("kms"))
}

/// Returns the services that a key was used for though the report does not show it, each with the protection of its actions.
///
/// A service under a name that the catalogue does not know may be any; it is taken for one that the report shows in use at
/// that time, and for all that it lists where there is none.
pub(super) fn contradicted(
    catalog: &Catalog,
    (report, times): (&Report, ReportTimes),
    settings: &Settings,
    uses: &[KeyUse<'_>],
) -> BTreeMap<ServiceId, Protection> {
    let mut found = BTreeMap::new();
    for used in uses {
        let is_shown = |row: &ServiceRow| shows(row, *used, times, settings);
        let is_shown_then = |row: &ServiceRow| is_shown(row) && is_at_that_time(row, *used, times);
        let protection = || Protection::KeyUse { service: Arc::from(used.service), time: used.time };
        match catalog.service(used.service) {
            Some(service) => {
                if report.service(service).is_some_and(|row| !is_shown(row)) {
                    found.entry(service).or_insert_with(protection);
                }
            }
            None if report.services.iter().any(is_shown_then) => {}
            None => {
                for row in &report.services {
                    if let ServiceKey::Known(service) = row.service {
                        found.entry(service).or_insert_with(protection);
                    }
                }
            }
        }
    }
    found
}

/// Whether the use of a key may be the one that the row tells of. What is used in the end of the time that a report sees may
/// not be in it yet; then the row must tell of another recent use.
fn shows(row: &ServiceRow, used: KeyUse<'_>, times: ReportTimes, settings: &Settings) -> bool {
    let Some(last) = row.last_use() else { return false };
    if used.time > times.observed {
        return times.observed.since(last) < settings.min_idle();
    }
    last.since(used.time) >= -DAY
}

/// Whether the row's last use is of the time of the key's; what came later may have been of any service.
fn is_at_that_time(row: &ServiceRow, used: KeyUse<'_>, times: ReportTimes) -> bool {
    used.time > times.observed || row.last_use().is_some_and(|last| last.since(used.time) <= DAY)
}

/// Returns the protections by action.
pub(super) fn by_action(
    catalog: &Catalog,
    services: &BTreeMap<ServiceId, Protection>,
) -> impl Iterator<Item = (ActionId, Protection)> {
    let of = |id: ActionId| services.get(&catalog.service_of(id)).map(|protection| (id, protection.clone()));
    let actions = (!services.is_empty()).then(|| catalog.actions());
    actions.into_iter().flatten().filter_map(of)
}
