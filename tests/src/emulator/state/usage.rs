//! The usage log: who did what, when, where.

use std::collections::{BTreeMap, BTreeSet};

use crate::emulator::time::Time;

/// An attempt, by one principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// When.
    pub time: Time,
    /// In which Region.
    pub region: String,
}

/// The attempts of all principals, by unique id: a new entity of an old name starts anew.
#[derive(Clone, Debug, Default)]
pub struct UsageLog(BTreeMap<String, Principal>);

/// Attempts by service, and in it by action; no action stands for one that is not known.
type Principal = BTreeMap<(String, String), Vec<Use>>;

/// How much longer than the delay of reports a superseded attempt is kept, in milliseconds.
const KEPT: i64 = 6 * 3_600_000;

/// When there are more attempts of an action than this, superseded ones go.
const MOST: usize = 64;

impl UsageLog {
    /// Adds an attempt. An empty action is one that is not known, an empty service any service.
    pub fn add(&mut self, id: &str, service: &str, action: &str, entry: Use) {
        let key = (service.to_lowercase(), action.to_lowercase());
        let uses = self.0.entry(id.to_owned()).or_default().entry(key).or_default();
        // Calls in a row add nothing to each other: the log must not grow with every call. One a minute stays, since a
        // report with a delay sees those before the last.
        if let Some(last) = uses.last().filter(|last| last.region == entry.region && entry.time >= last.time) {
            if entry.time.since(last.time) < 1_000 {
                return;
            }
            let before = uses.len().checked_sub(2).and_then(|at| uses.get(at));
            if before.is_some_and(|own| own.region == last.region && last.time.since(own.time) < 60_000) {
                uses.pop();
            }
        }
        let at = uses.partition_point(|other| other.time <= entry.time);
        let newest = entry.time;
        uses.insert(at, entry);
        if uses.len() > MOST {
            // Of what every report sees the last of each Region counts.
            let old = uses.iter().filter(|other| newest.since(other.time) > KEPT).count();
            let recent = uses.split_off(old);
            let mut regions = BTreeSet::new();
            let mut last: Vec<Use> = uses.drain(..).rev().filter(|own| regions.insert(own.region.clone())).collect();
            last.reverse();
            uses.extend(last);
            uses.extend(recent);
        }
    }

    /// The attempts of a principal, by service and action in lower case, each in order of time.
    pub fn of(&self, id: &str) -> impl Iterator<Item = (&str, &str, &[Use])> {
        let all = self.0.get(id).into_iter().flatten();
        all.map(|((service, action), uses)| (service.as_str(), action.as_str(), uses.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(log: &UsageLog, region: &str) -> Vec<i64> {
        let (_, _, uses) = log.of("id").next().unwrap();
        uses.iter().filter(|own| own.region == region).map(|own| own.time.0 / 1_000).collect()
    }

    #[test]
    fn of_many_calls_one_a_minute_stays_for_reports_with_a_delay() {
        let mut log = UsageLog::default();
        for second in 0..600 {
            log.add("id", "s3", "x", Use { time: Time(second * 1_000), region: "eu-west-1".into() });
        }
        let kept = times(&log, "eu-west-1");
        assert!(kept.len() <= 12 && kept.first() == Some(&0) && kept.last() == Some(&599), "{kept:?}");
        assert!(kept.windows(2).all(|pair| pair[1] - pair[0] <= 61), "{kept:?}");
    }

    #[test]
    fn use_in_one_region_does_not_make_that_in_another_forgotten() {
        let mut log = UsageLog::default();
        log.add("id", "s3", "x", Use { time: Time(0), region: "eu-west-1".into() });
        for hour in 1..200 {
            log.add("id", "s3", "x", Use { time: Time(hour * 3_600_000), region: "ca-west-1".into() });
        }
        assert_eq!(times(&log, "eu-west-1"), [0]);
        assert!(times(&log, "ca-west-1").len() < 80);
    }
}
