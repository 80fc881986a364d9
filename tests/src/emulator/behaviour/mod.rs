//! What is to go wrong, and how fast things go.

mod fault;
mod hold;
mod pacing;
mod permission;

pub use fault::{Effect, Fault, Faults};
pub use hold::Holds;
pub use pacing::{Bucket, Pacing};
pub use permission::{check as check_permission, context};

use super::ids::Ids;
use super::options::millis;

/// How the emulator behaves.
#[derive(Debug)]
pub struct Behaviour {
    /// The most items of a page, whatever is asked for.
    pub page_size: usize,
    /// How long a job takes, in milliseconds: from and to.
    pub job_millis: (i64, i64),
    /// How old use must be for a report to show it: four hours at AWS.
    pub report_delay_millis: i64,
    /// How long reads see the state before a write.
    pub consistency_millis: i64,
    /// Whether the caller's policies are enforced.
    pub enforce: bool,
    /// Whether calls to the emulator are use themselves.
    pub records_calls: bool,
    /// Token buckets.
    pub pacing: Pacing,
    /// Faults to come.
    pub faults: Faults,
    /// Calls that are held.
    pub holds: Holds,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            page_size: usize::MAX,
            job_millis: (0, 0),
            report_delay_millis: 0,
            consistency_millis: 0,
            enforce: false,
            records_calls: true,
            pacing: Pacing::default(),
            faults: Faults::default(),
            holds: Holds::default(),
        }
    }
}

impl Behaviour {
    /// How long the next job about an ARN takes, and the failure that it ends in, if one was asked for.
    pub fn next_job(&mut self, arn: &str, ids: &mut Ids) -> (i64, Option<(String, String)>) {
        let (from, to) = self.job_millis;
        let span = u64::try_from(to - from).unwrap_or(0).saturating_add(1);
        let mut duration = from + i64::try_from(ids.next() % span).unwrap_or(0);
        let mut failure = None;
        for effect in self.faults.strike_job(arn) {
            match effect {
                Effect::SlowJob { seconds } => duration = millis(seconds),
                Effect::FailJob { code, message } => failure = Some((code, message)),
                _ => {}
            }
        }
        (duration, failure)
    }
}
