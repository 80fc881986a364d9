//! The usage log: who did what, when, where.

use std::collections::BTreeMap;

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

impl UsageLog {
    /// Adds an attempt. An empty action is one that is not known, an empty service any service.
    pub fn add(&mut self, id: &str, service: &str, action: &str, entry: Use) {
        let key = (service.to_lowercase(), action.to_lowercase());
        let uses = self.0.entry(id.to_owned()).or_default().entry(key).or_default();
        // Calls in a row add nothing to each other: the log must not grow with every call.
        if let Some(last) = uses.last_mut().filter(|last| last.region == entry.region && entry.time >= last.time) {
            if entry.time.since(last.time) < 1_000 {
                return;
            }
            if entry.time.since(last.time) < 60_000 && uses.len() > 1 {
                uses.pop();
            }
        }
        let at = uses.partition_point(|other| other.time <= entry.time);
        let newest = entry.time;
        uses.insert(at, entry);
        if uses.len() > 64 {
            let superseded = |other: &Use| newest.since(other.time) > KEPT;
            let old = uses.iter().filter(|other| superseded(other)).count();
            uses.drain(..old.saturating_sub(32));
        }
    }

    /// The attempts of a principal, by service and action in lower case, each in order of time.
    pub fn of(&self, id: &str) -> impl Iterator<Item = (&str, &str, &[Use])> {
        let all = self.0.get(id).into_iter().flatten();
        all.map(|((service, action), uses)| (service.as_str(), action.as_str(), uses.as_slice()))
    }
}
