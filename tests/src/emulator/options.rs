//! How an emulator is started.

use std::path::PathBuf;

use super::behaviour::Bucket;
use super::clock::Clock;
use super::snapshot;
use super::state::{Account, World};
use super::time::Time;

/// What is known before the first call.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The snapshot directory that the account is loaded from; an empty account without one.
    pub account: Option<PathBuf>,
    /// The id of an empty account.
    pub account_id: Option<String>,
    /// The port; 0 for any that is free.
    pub port: u16,
    /// Where the clock starts: without it when the snapshot was made, or now.
    pub now: Option<String>,
    /// Whether the clock stands still.
    pub frozen: bool,
    /// Who stands behind the operator's key: without it the snapshot's caller, or the root user.
    pub caller: Option<String>,
    /// The most items of a page.
    pub page_size: Option<usize>,
    /// How many seconds a job takes, from and to.
    pub job_seconds: Option<(f64, f64)>,
    /// How many calls a second there are tokens for.
    pub rate: Option<f64>,
    /// How many tokens the bucket holds.
    pub burst: Option<f64>,
    /// Whether the caller's policies are enforced.
    pub enforce: bool,
    /// How old use must be for a report to show it, in seconds.
    pub report_delay: f64,
    /// How long reads see the state before a write, in seconds.
    pub consistency: f64,
    /// Whether calls to the emulator do not count as use.
    pub silent: bool,
    /// The seed of all ids.
    pub seed: u64,
}

/// Seconds as milliseconds.
pub fn millis(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float stops at the limits")]
    let millis = (seconds * 1000.0).round() as i64;
    millis.max(0)
}

impl Options {
    /// Makes the world.
    pub(super) fn world(&self) -> Result<World, String> {
        let id = self.account_id.as_deref().unwrap_or("123456789012");
        let now = match &self.now {
            Some(text) => Some(Time::parse(text).ok_or_else(|| format!("`{text}` is not a time"))?),
            None => None,
        };
        let clock = |time: Time| if self.frozen { Clock::frozen(time) } else { Clock::ticking(time) };
        let mut world = match &self.account {
            Some(folder) => snapshot::load(folder, |made| clock(now.unwrap_or(made)), self.seed)?,
            None => World::new(Account::new(id, "aws"), clock(now.unwrap_or_else(Time::of_the_machine)), self.seed),
        };
        if let Some(caller) = &self.caller {
            world.operator.clone_from(caller);
        }
        let behaviour = &mut world.behaviour;
        behaviour.page_size = self.page_size.unwrap_or(usize::MAX).max(1);
        let (from, to) = self.job_seconds.unwrap_or_default();
        behaviour.job_millis = (millis(from), millis(to).max(millis(from)));
        if let Some(rate) = self.rate {
            behaviour.pacing.set("*", Some(Bucket::new(rate, self.burst.unwrap_or_else(|| rate.max(1.0)))));
        }
        behaviour.enforce = self.enforce;
        behaviour.report_delay_millis = millis(self.report_delay);
        behaviour.consistency_millis = millis(self.consistency);
        behaviour.records_calls = !self.silent;
        Ok(world)
    }
}
