//! The state machine: several lanes at a time, and in each one step after the other: read, compared, written down, made, written
//! down, and read back.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secateur_analyzer::time::UnixTime;

use super::cloud::{CallError, EntityRef, Reads, Writes, Wrote};
use super::exchange;
use super::fault;
use super::journal::{Ending, History, Intended, Journal, JournalError, Knowing, Progress, Store};
use super::kept;
use super::lanes::{Lane, phases};
use super::look::{Stand, is_passed, look, undone};
use super::step::Step;
use super::stop::{Stop, in_order};
use super::surroundings::surroundings;

/// What time it is, and waiting.
pub trait Clock {
    /// Returns the time.
    fn now(&self) -> UnixTime;
    /// Waits.
    fn sleep(&self, time: Duration);
    /// Returns whether somebody asks to stop.
    fn is_interrupted(&self) -> bool;
}

/// How long a write may take until reads show it, in seconds: IAM gives no bound, and says to allow for some.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html>.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Seconds after which a write that reads do not show is taken as not made.
    pub settle: i64,
    /// How often a call that is certainly not done is tried again.
    pub attempts: u32,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { settle: 20, attempts: 6 }
    }
}

/// Codes of answers that say to come back: the call is not done, and may be tried again after a look.
fn is_passing(code: &str) -> bool {
    matches!(code, "ConcurrentModification" | "EntityTemporarilyUnmodifiable")
}

/// Codes that say that what a call was to make is there, or what it was to take away is gone: perhaps by an earlier
/// attempt of ours.
fn is_already(code: &str) -> bool {
    matches!(code, "EntityAlreadyExists" | "NoSuchEntity")
}

/// A run over the steps of a journal.
pub struct Run<'a, S, C, K> {
    /// The journal.
    pub journal: &'a mut Journal<S>,
    /// AWS.
    pub cloud: &'a C,
    /// The clock.
    pub clock: &'a K,
    /// How long to wait.
    pub patience: Patience,
    /// Called before each step with its number; from several threads.
    pub on_step: &'a (dyn Fn(usize) + Sync),
    /// Called with the number of each step that is passed over; from several threads.
    pub on_passed: &'a (dyn Fn(usize) + Sync),
    /// The steps that were found done, and not by this journal, before somebody approved of going on: they are passed over.
    pub theirs: &'a BTreeSet<usize>,
    /// Those who were found gone before somebody approved of going on: what is of them is passed over.
    pub gone: &'a BTreeSet<EntityRef>,
    /// Of a rollback: the journal that it takes back, as it stood when the rollback was planned, where it is still there.
    pub below: Option<&'a History>,
}

impl<S: Store + Send, C: Reads + Writes + Sync, K: Clock + Sync> Run<'_, S, C, K> {
    /// Makes all steps that are left, as many at a time as the journal says.
    ///
    /// # Errors
    /// When it stops before the end: all reasons, the one that counts first. What was on its way is done or settled by then.
    /// Where it is certain that nothing was done, the journal is closed all the same; else it is open.
    pub fn run(&mut self) -> Result<(), Vec<Stop>> {
        let begun = self.journal.history().clone();
        let phases = phases(&begun.begin().origin, begun.steps());
        let work = Work {
            parallelism: begun.parallelism(),
            journal: Mutex::new(self.journal),
            cloud: self.cloud,
            clock: self.clock,
            patience: self.patience,
            on_step: self.on_step,
            on_passed: self.on_passed,
            theirs: self.theirs,
            gone: self.gone,
            below: self.below,
            is_halted: AtomicBool::new(false),
            stops: Mutex::default(),
        };
        for lanes in &phases {
            if !work.is_halted() {
                work.go_through(lanes);
            }
        }
        let mut stops = work.stops.into_inner().unwrap_or_else(PoisonError::into_inner);
        in_order(&mut stops);
        if stops.is_empty() {
            return Ok(());
        }
        let named: BTreeSet<usize> = stops.iter().filter_map(Stop::step).collect();
        // All lanes have ended: each step of which none of these tells was read back.
        let unseen: Vec<usize> = named.into_iter().filter(|at| self.journal.history().is_unseen(*at)).collect();
        // The last that stands there is the one that counts. What cannot be written now is read from AWS by whoever goes on.
        for stop in stops.iter().rev() {
            let _ = self.journal.stopped(stop.step(), stop.reason(), &stop.detail(), &unseen, self.clock.now());
        }
        let is_open = |progress| matches!(progress, &Progress::Open | &Progress::Skipped { .. });
        let history = self.journal.history();
        if (0..history.steps().len()).all(|at| is_open(history.progress(at))) {
            let _ = self.journal.end(Ending::NothingDone, self.clock.now());
        }
        Err(stops)
    }

    /// Closes the journal: all is done.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn finish(&mut self) -> Result<(), Stop> {
        let now = self.clock.now();
        self.journal.end(Ending::Done, now).map_err(|error| Stop::Journal(error.to_string()))
    }
}

/// Why a lane ends before its end.
enum Ended {
    /// It cannot go on.
    Stopped(Stop),
    /// Another lane has stopped.
    Halted,
}

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Ended {
        Ended::Stopped(stop)
    }
}

/// What all lanes share.
struct Work<'a, S, C, K> {
    journal: Mutex<&'a mut Journal<S>>,
    cloud: &'a C,
    clock: &'a K,
    patience: Patience,
    parallelism: usize,
    on_step: &'a (dyn Fn(usize) + Sync),
    on_passed: &'a (dyn Fn(usize) + Sync),
    theirs: &'a BTreeSet<usize>,
    gone: &'a BTreeSet<EntityRef>,
    below: Option<&'a History>,
    /// Whether a lane has stopped: nothing more is begun.
    is_halted: AtomicBool,
    stops: Mutex<Vec<Stop>>,
}

impl<'a, S: Store + Send, C: Reads + Writes + Sync, K: Clock + Sync> Work<'a, S, C, K> {
    /// Goes through lanes, begun in their order, several at a time; returns when all have ended.
    fn go_through(&self, lanes: &[Lane]) {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(lane) = lanes.get(next.fetch_add(1, Ordering::SeqCst)) {
                if self.is_halted() {
                    return;
                }
                self.lane(lane);
            }
        };
        let others = self.parallelism.min(lanes.len()).saturating_sub(1);
        std::thread::scope(|scope| {
            let others: Vec<_> = (0..others).map(|_| scope.spawn(work)).collect();
            work();
            for other in others {
                if let Err(panic) = other.join() {
                    std::panic::resume_unwind(panic);
                }
            }
        });
    }

    fn lane(&self, lane: &Lane) {
        for at in lane {
            match self.step(*at) {
                Ok(()) => {}
                Err(Ended::Halted) => return,
                Err(Ended::Stopped(stop)) => {
                    self.is_halted.store(true, Ordering::SeqCst);
                    self.stops.lock().unwrap_or_else(PoisonError::into_inner).push(stop);
                    return;
                }
            }
        }
    }

    fn is_halted(&self) -> bool {
        self.is_halted.load(Ordering::SeqCst)
    }

    /// Ends the lane when nothing more is to be begun.
    fn go_on(&self) -> Result<(), Ended> {
        match self.clock.is_interrupted() {
            _ if self.is_halted() => Err(Ended::Halted),
            true => Err(Stop::Interrupted.into()),
            false => Ok(()),
        }
    }

    fn journal(&self) -> MutexGuard<'_, &'a mut Journal<S>> {
        // Whoever panics while it writes has written a record or none.
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the journal says now: nobody else writes of the steps of the own lane.
    fn history(&self) -> History {
        self.journal().history().clone()
    }

    fn step(&self, at: usize) -> Result<(), Ended> {
        let history = self.history();
        let since = match history.progress(at) {
            Progress::Done { .. } | Progress::Skipped { .. } => return Ok(()),
            Progress::Intended { at } => Some(*at),
            Progress::Open => None,
        };
        self.go_on()?;
        (self.on_step)(at);
        let stand = match since {
            // What a crash left open may be done and not yet seen.
            Some(since) => self.settled(at, since)?,
            // Without an intent there was no call: if it is done, it is not ours.
            None => self.calm(at)?,
        };
        match stand {
            Stand::After(wrote) if since.is_some() => return self.found(at, wrote),
            Stand::After(found) if self.theirs.contains(&at) => {
                (self.on_passed)(at);
                let (now, detail) = (self.clock.now(), "it was done already, and not by this journal");
                let skipped = self.journal().skipped(at, detail, found, now);
                return skipped.map_err(|error| journal(&error));
            }
            Stand::After(_) => return Err(Stop::DoneByOthers { step: at }.into()),
            Stand::Gone(detail) if history.steps().get(at).is_some_and(|step| is_passed(step, self.gone)) => {
                (self.on_passed)(at);
                let skipped = self.journal().withheld(at, &detail, self.clock.now());
                return skipped.map_err(|error| journal(&error));
            }
            Stand::Other(detail) | Stand::Gone(detail) => return Err(Stop::Drifted { step: at, detail }.into()),
            // That it is passed over is what was approved.
            Stand::Before if since.is_none() && self.theirs.contains(&at) => {
                let detail = "it was done already by somebody else, who has undone it since".to_owned();
                return Err(Stop::Drifted { step: at, detail }.into());
            }
            Stand::Before => {}
        }
        self.write(at, since.is_some())
    }

    /// Makes one write: once, and again only when reads do not show it. Once an attempt may have been made, its effect may
    /// show at any time: it is ours then, and nothing is written down as not done.
    fn write(&self, at: usize, was_tried: bool) -> Result<(), Ended> {
        let history = self.history();
        let Some(step) = history.steps().get(at) else { return Ok(()) };
        let mut may_be_made = was_tried;
        let mut attempt = 0;
        loop {
            self.go_on()?;
            // Before the reads: nothing is waited for between the last of them and the write.
            self.cloud.turn(step.effect.operation());
            self.guard(at)?;
            // The last read is that of what is written.
            match self.look(at)? {
                Stand::Before => {}
                Stand::After(wrote) if may_be_made => return self.found(at, wrote),
                Stand::After(_) => return Err(Stop::DoneByOthers { step: at }.into()),
                Stand::Other(detail) | Stand::Gone(detail) => return Err(Stop::Drifted { step: at, detail }.into()),
            }
            let intended = self.intend(at)?;
            let called = self.clock.now();
            let result = self.cloud.perform(&intended);
            fault::point("performed");
            let now = self.clock.now();
            let error = match result {
                Ok(wrote) => {
                    self.journal().done(at, Knowing::Answer, wrote, now).map_err(|error| journal(&error))?;
                    return self.read_back(at, now);
                }
                Err(error) => error,
            };
            let (code, message, may_retry) = match &error {
                CallError::Throttled(message) => ("Throttling", message, true),
                CallError::Refused { code, message, .. } => (code.as_str(), message, is_passing(code)),
                CallError::Ambiguous(message) => ("not-known", message, true),
            };
            let is_unsure = matches!(error, CallError::Ambiguous(_)) || (may_be_made && is_already(code));
            may_be_made |= is_unsure;
            if is_unsure {
                match self.settled(at, called)? {
                    Stand::After(wrote) => return self.found(at, wrote),
                    Stand::Other(detail) | Stand::Gone(detail) => return Err(Stop::Drifted { step: at, detail }.into()),
                    Stand::Before => {}
                }
            }
            if !may_be_made {
                self.journal().failed(at, code, message, now).map_err(|error| journal(&error))?;
                if is_already(code) && matches!(self.look(at)?, Stand::After(_)) {
                    return Err(Stop::DoneByOthers { step: at }.into());
                }
            }
            attempt += 1;
            if !may_retry || attempt >= self.patience.attempts {
                return Err(Stop::Call { step: at, error }.into());
            }
            self.clock.sleep(pause(attempt));
        }
    }

    /// Writes down that a step is about to be made, unless nothing more is to be begun.
    fn intend(&self, at: usize) -> Result<Intended, Ended> {
        let mut own = self.journal();
        self.go_on()?;
        own.intend(at, self.clock.now()).map_err(|error| journal(&error))
    }

    /// Writes down that reads show the step as done.
    fn found(&self, at: usize, wrote: Wrote) -> Result<(), Ended> {
        let now = self.clock.now();
        self.journal().done(at, Knowing::Reading, wrote, now).map_err(|error| journal(&error))
    }

    /// Refuses a step when what was done before it in its unit does not stand, or its surroundings are not the plan's.
    fn guard(&self, at: usize) -> Result<(), Ended> {
        let history = self.history();
        let Some(step) = history.steps().get(at) else { return Ok(()) };
        let drifted = |detail: String| Stop::Drifted { step: at, detail };
        for (before, own) in history.steps().iter().enumerate().take(at).filter(|(_, own)| own.unit == step.unit) {
            let since = match history.progress(before) {
                Progress::Done { at, .. } => Some(*at),
                Progress::Skipped { .. } => None,
                Progress::Open | Progress::Intended { .. } => {
                    return Err(drifted(format!("it rests on what is not done: {}", own.effect)).into());
                }
            };
            let since = self.by_now(since);
            let mut turn = 0;
            loop {
                let is_fresh = since.is_some_and(|since| self.clock.now().since(since) < self.patience.settle);
                match self.patiently(at, || undone(self.cloud, &history, before, self.gone))? {
                    None => break,
                    Some(detail) if !is_fresh => return Err(drifted(detail).into()),
                    Some(_) => self.wait(&mut turn)?,
                }
            }
        }
        self.guard_kept(at, &history, step)?;
        // What was written just before may not show yet.
        let since = self.by_now(history.last_done_beside(at));
        let mut turn = 0;
        while let Some(detail) = self.patiently(at, || exchange::missing(self.cloud, &history, at))? {
            if since.is_none_or(|since| self.clock.now().since(since) >= self.patience.settle) {
                return Err(drifted(detail).into());
            }
            self.wait(&mut turn)?;
        }
        match self.patiently(at, || surroundings(self.cloud, step, self.gone))? {
            None => Ok(()),
            Some(detail) => Err(drifted(detail).into()),
        }
    }

    /// Refuses a step of a rollback when what that kept of its unit is not as before any more. Where it is just planned, reads may
    /// still show what was there before that.
    fn guard_kept(&self, at: usize, history: &History, step: &Step) -> Result<(), Ended> {
        let Some(below) = self.below else { return Ok(()) };
        let units = BTreeSet::from([step.unit.as_str()]);
        let since = self.by_now(Some(history.began_at()));
        let mut turn = 0;
        while let Some(kept) =
            self.patiently(at, || kept::moved(self.cloud, history, below, &units))?.into_iter().next()
        {
            if since.is_none_or(|since| self.clock.now().since(since) >= self.patience.settle) {
                let detail = format!("it rests on what was kept: {}: {}", kept.address, kept.detail);
                return Err(Stop::Drifted { step: at, detail }.into());
            }
            self.wait(&mut turn)?;
        }
        Ok(())
    }

    /// Reads where a step stands; what was written just before may not show yet, and is no drift.
    fn calm(&self, at: usize) -> Result<Stand, Ended> {
        let last = self.by_now(self.history().last_done_beside(at));
        let mut turn = 0;
        loop {
            let is_fresh = last.is_some_and(|last| self.clock.now().since(last) < self.patience.settle);
            let stand = self.look(at)?;
            if !matches!(stand, Stand::Other(_)) || !is_fresh {
                return Ok(stand);
            }
            self.wait(&mut turn)?;
        }
    }

    /// What a clock that was ahead wrote down is as of now: it is waited for, and no longer than for any other.
    fn by_now(&self, since: Option<UnixTime>) -> Option<UnixTime> {
        since.map(|since| since.min(self.clock.now()))
    }

    /// Waits before a look at what is not begun: not when nothing more is to be begun.
    fn wait(&self, turn: &mut u32) -> Result<(), Ended> {
        self.go_on()?;
        *turn += 1;
        self.clock.sleep(pause(*turn).min(Duration::from_secs(2)));
        Ok(())
    }

    /// Reads until a write shows.
    fn read_back(&self, at: usize, since: UnixTime) -> Result<(), Ended> {
        match self.settled(at, since)? {
            Stand::After(_) => Ok(()),
            Stand::Before => Err(Stop::NotSeen { step: at }.into()),
            Stand::Other(detail) | Stand::Gone(detail) => Err(Stop::Drifted { step: at, detail }.into()),
        }
    }

    /// Reads until the step shows as done, or until it would show if it were. What is on its way is waited for, whatever
    /// other lanes do.
    fn settled(&self, at: usize, since: UnixTime) -> Result<Stand, Stop> {
        let since = since.min(self.clock.now());
        let mut turn = 0;
        loop {
            // By the time before the look: a look that takes long is of when it was begun.
            let is_late = self.clock.now().since(since) >= self.patience.settle;
            let stand = self.look(at)?;
            if matches!(stand, Stand::After(_)) || is_late {
                return Ok(stand);
            }
            turn += 1;
            self.clock.sleep(pause(turn).min(Duration::from_secs(2)));
        }
    }

    fn look(&self, at: usize) -> Result<Stand, Stop> {
        let history = self.history();
        self.patiently(at, || look(self.cloud, &history, at))
    }

    /// Reads, and reads again when AWS does not answer: reading changes nothing.
    fn patiently<T>(&self, at: usize, read: impl Fn() -> Result<T, CallError>) -> Result<T, Stop> {
        let mut attempt = 0;
        loop {
            match read() {
                Ok(answer) => return Ok(answer),
                Err(error @ CallError::Refused { .. }) => return Err(Stop::Call { step: at, error }),
                Err(error) if attempt >= self.patience.attempts => return Err(Stop::Call { step: at, error }),
                Err(_) => {
                    attempt += 1;
                    self.clock.sleep(pause(attempt));
                }
            }
        }
    }
}

fn pause(attempt: u32) -> Duration {
    Duration::from_millis(100u64.saturating_mul(1 << attempt.min(6)))
}

fn journal(error: &JournalError) -> Ended {
    match error {
        // Whoever found it broken has said so.
        JournalError::Broken => Ended::Halted,
        error => Stop::Journal(error.to_string()).into(),
    }
}
