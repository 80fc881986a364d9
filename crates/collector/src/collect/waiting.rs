//! Jobs that were started and are not read, and which of them to ask about next.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::ripeness::Ripeness;
use super::target::Target;

/// When the first job of all is asked about for the first time.
const PROBE: Duration = Duration::from_millis(100);
/// How old a job gets before it is given up.
const OLDEST: Duration = Duration::from_secs(600);
/// The longest time between two questions as long as no job has been done.
const BETWEEN: Duration = Duration::from_secs(5);

/// A job that was started.
pub(super) struct Job {
    pub target: Target,
    pub id: String,
    pub started: Instant,
    pub losses: Losses,
}

/// How many jobs for somebody came to nothing, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    /// AWS knew them no longer.
    pub gone: u32,
    /// They gave a report of somebody else.
    pub astray: u32,
}

impl Losses {
    pub fn total(self) -> u32 {
        self.gone + self.astray
    }
}

impl Job {
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The jobs, and what is known of how long jobs take.
///
/// As long as nothing is known, one job at a time is asked about, and each time another one: a slow one holds up nobody.
#[derive(Default)]
pub(super) struct Waiting {
    /// Jobs that were not asked about yet, in the order of their start.
    fresh: VecDeque<Job>,
    /// Jobs that were asked about before anything was known, in the order of asking.
    probed: VecDeque<Job>,
    /// When to ask the next of them.
    probe_at: Option<Instant>,
    /// Jobs that were not done when they were asked about, by when to ask again.
    again: BTreeMap<(Instant, usize), Job>,
    serial: usize,
    ripeness: Ripeness,
}

impl Waiting {
    pub fn len(&self) -> usize {
        self.fresh.len() + self.probed.len() + self.again.len()
    }

    pub fn push(&mut self, job: Job) {
        self.fresh.push_back(job);
    }

    /// Returns when the next job is to be asked about, while so many are being read.
    pub fn next(&self, reading: usize) -> Option<Instant> {
        self.fresh_at(reading).into_iter().chain(self.again.keys().next().map(|(at, _)| *at)).min()
    }

    /// Takes a job that is to be asked about now.
    pub fn due(&mut self, now: Instant, reading: usize) -> Option<Job> {
        if self.again.keys().next().is_some_and(|(at, _)| *at <= now) {
            return self.again.pop_first().map(|(_, job)| job);
        }
        self.fresh_at(reading).filter(|at| *at <= now)?;
        self.fresh.pop_front().or_else(|| self.probed.pop_front())
    }

    fn fresh_at(&self, reading: usize) -> Option<Instant> {
        match (self.ripeness.age(), self.fresh.front().or(self.probed.front())) {
            (Some(age), Some(oldest)) => Some(oldest.started + age),
            (None, Some(oldest)) if reading == 0 => Some(self.probe_at.unwrap_or(oldest.started + PROBE)),
            _ => None,
        }
    }

    /// A job took so many seconds.
    pub fn took(&mut self, seconds: f64) {
        self.ripeness.took(seconds);
        let Some(age) = self.ripeness.age() else { return };
        for job in std::mem::take(&mut self.probed) {
            self.ask_again(job.started + age, job);
        }
    }

    /// A job of that age could not be read: to wait does not help.
    pub fn failed_at(&mut self, age: Duration) {
        if self.ripeness.age().is_none() {
            self.took(age.as_secs_f64());
        }
    }

    /// A job was not done. One that is too old comes back.
    pub fn postpone(&mut self, job: Job, now: Instant) -> Result<(), Box<Job>> {
        let age = now.saturating_duration_since(job.started);
        self.ripeness.not_at(age);
        if age >= OLDEST {
            self.probe_at = Some(now);
            return Err(Box::new(job));
        }
        if self.ripeness.age().is_none() {
            let next = Ripeness::again(age).saturating_sub(age);
            self.probe_at = Some(now + next.min(BETWEEN));
            self.probed.push_back(job);
        } else {
            self.ask_again(job.started + Ripeness::again(age), job);
        }
        Ok(())
    }

    fn ask_again(&mut self, at: Instant, job: Job) {
        self.serial += 1;
        self.again.insert((at, self.serial), job);
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::Kind;
    use super::*;

    fn job(id: &str, started: Instant) -> Job {
        let target = Target { kind: Kind::Role, arn: id.to_owned(), name: id.to_owned(), created: None };
        Job { target, id: id.to_owned(), started, losses: Losses::default() }
    }

    fn names(jobs: &[&str], start: Instant) -> Waiting {
        let mut waiting = Waiting::default();
        jobs.iter().for_each(|id| waiting.push(job(id, start)));
        waiting
    }

    #[test]
    fn a_first_job_that_is_slow_holds_up_no_other() {
        let start = Instant::now();
        let mut waiting = names(&["slow", "b", "c"], start);
        assert!(waiting.due(start, 0).is_none());
        let mut asked = Vec::new();
        for _ in 0..4 {
            let now = waiting.next(0).unwrap();
            let job = waiting.due(now, 0).unwrap();
            // One at a time, as long as nothing is known.
            assert!(waiting.next(1).is_none() && waiting.due(now, 1).is_none());
            asked.push(job.id.clone());
            assert!(waiting.postpone(job, now).is_ok());
        }
        assert_eq!(asked, ["slow", "b", "c", "slow"]);
        // From the first that is done the ages of all follow.
        let now = waiting.next(0).unwrap();
        assert_eq!(waiting.due(now, 0).unwrap().id, "b");
        waiting.took(1.0);
        assert_eq!(waiting.len(), 2);
        let soon = start + Duration::from_secs(3);
        assert!(waiting.next(5).unwrap() <= soon);
        assert!(waiting.due(soon, 5).is_some() && waiting.due(soon, 6).is_some());
    }

    #[test]
    fn few_questions_are_asked_before_anything_is_known() {
        let start = Instant::now();
        let ids: Vec<String> = (0..500).map(|id| id.to_string()).collect();
        let mut waiting = Waiting::default();
        ids.iter().for_each(|id| waiting.push(job(id, start)));
        let mut questions = 0;
        while let Some(at) = waiting.next(0).filter(|at| *at < start + Duration::from_secs(8)) {
            let job = waiting.due(at, 0).unwrap();
            assert!(waiting.postpone(job, at).is_ok());
            questions += 1;
        }
        assert!(questions < 15, "{questions}");
    }

    #[test]
    fn what_is_never_done_is_given_up() {
        let start = Instant::now();
        let mut waiting = names(&["a", "b"], start);
        let mut given_up = 0;
        while let Some(at) = waiting.next(0) {
            let job = waiting.due(at, 0).unwrap();
            if waiting.postpone(job, at).is_err() {
                assert!(at >= start + OLDEST && at < start + OLDEST + BETWEEN * 2);
                given_up += 1;
            }
        }
        assert_eq!(given_up, 2);
    }
}
