//! What access keys, a role's own record, and the Regions of a report tell of use: a second reading of it.

use secateur_analyzer::account::{KeyLastUsed, Principal, Report, ServiceRow};
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::ServiceId;
use secateur_analyzer::time::{DAY, UnixTime};

/// The last uses of a principal that lie within `min_idle_days` before its report, or after it.
pub(super) struct Uses<'a> {
    /// When which service was used, by which key.
    services: Vec<(UnixTime, &'a str)>,
    /// Where something was used.
    regions: Vec<&'a str>,
    report: &'a Report,
    seen_to: UnixTime,
    window_start: UnixTime,
}

impl<'a> Uses<'a> {
    /// Reads the keys and the record of a principal with a report that sees use up to a time.
    pub fn of(principal: &'a Principal, report: &'a Report, seen_to: UnixTime, analysis: &'a Analysis<'_>) -> Uses<'a> {
        let inputs = analysis.inputs();
        let window_start = seen_to.plus(-inputs.settings.min_idle());
        let mut uses = Uses { services: Vec::new(), regions: Vec::new(), report, seen_to, window_start };
        for key in inputs.account.access_keys.get(&principal.arn).into_iter().flatten() {
            match &key.last_used {
                KeyLastUsed::At { time, service, region } if *time > window_start => {
                    uses.services.push((*time, service));
                    uses.regions.push(region);
                }
                _ => {}
            }
        }
        if principal.last_used.is_some_and(|time| time > window_start) {
            uses.regions.extend(principal.last_used_region.as_deref());
        }
        uses.regions.extend(report.regions.iter().filter(|(_, last)| *last > window_start).map(|(region, _)| region));
        uses
    }

    /// Returns a Region where something was used and of which AWS reports nothing, or not for all of `min_idle_days`.
    pub fn blind_region(&self, analysis: &Analysis<'_>) -> Option<&'a str> {
        let is_named = |text: &str| {
            // `eu-west-1`: not `N/A`, nor `aws-global`.
            let last = text.rsplit_once('-').filter(|(area, _)| area.contains('-'));
            last.is_some_and(|(_, number)| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
        };
        let start = |region: &str| analysis.catalog().regions().tracking_start(region);
        let has_reports = |region: &str| start(region).is_some_and(|start| start <= self.window_start);
        self.regions.iter().copied().find(|region| is_named(region) && !has_reports(region))
    }

    /// Returns whether a key was used for another service than this one.
    pub fn are_of_more_than(&self, service: &str) -> bool {
        self.services.iter().any(|(_, name)| !name.eq_ignore_ascii_case(service))
    }

    /// Returns whether a key was used for the service, or for what may be it, and the report has nothing of that.
    pub fn are_hidden(&self, service: ServiceId, analysis: &Analysis<'_>) -> bool {
        self.services.iter().any(|(time, name)| match analysis.catalog().service(name) {
            Some(own) => own == service && !self.report.service(own).is_some_and(|row| self.tells(row, *time)),
            // It may be any, unless it is one that the report has.
            None => !self.report.services.iter().any(|row| self.is_of(row, *time)),
        })
    }

    /// Whether a row tells of some use within a day of that time. What comes later is no use of then.
    fn is_of(&self, row: &ServiceRow, time: UnixTime) -> bool {
        if time > self.seen_to {
            return self.tells(row, time);
        }
        times(row).any(|last| last >= time.plus(-DAY) && last <= time.plus(DAY))
    }

    /// Whether a row may be of that use. Of use at the end of what the report sees, it need only tell of some in the window.
    fn tells(&self, row: &ServiceRow, time: UnixTime) -> bool {
        let earliest = if time > self.seen_to { self.window_start.plus(1) } else { time.plus(-DAY) };
        times(row).any(|last| last >= earliest)
    }
}

/// All uses that a row has a time of.
fn times(row: &ServiceRow) -> impl Iterator<Item = UnixTime> + '_ {
    let of_actions = row.actions.iter().map(|listed| listed.last_accessed());
    of_actions.chain(row.unknown_actions.iter().map(|(_, last)| *last)).chain([row.last_authenticated]).flatten()
}
