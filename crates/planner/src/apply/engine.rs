//! The state machine: one step after the other, each read, compared, written down, made, written down, and read back.

use std::time::Duration;

use secateur_analyzer::time::UnixTime;

use super::cloud::{CallError, Reads, Writes};
use super::fault;
use super::journal::{Ending, Journal, JournalError, Knowing, Progress, Store};
use super::look::{Stand, look, surroundings};

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

/// Why a run stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The state is not what was approved.
    Drifted {
        /// Which step.
        step: usize,
        /// What differs.
        detail: String,
    },
    /// Somebody else did what the step would have done.
    DoneByOthers {
        /// Which step.
        step: usize,
    },
    /// A call failed.
    Call {
        /// Which step.
        step: usize,
        /// Why.
        error: CallError,
    },
    /// A write does not show in reads.
    NotSeen {
        /// Which step.
        step: usize,
    },
    /// The journal cannot be written.
    Journal(String),
    /// Somebody asked to stop.
    Interrupted,
}

impl Stop {
    /// Returns a word for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Stop::Drifted { .. } => "drifted",
            Stop::DoneByOthers { .. } => "done-by-others",
            Stop::Call { error: CallError::Refused { code, .. }, .. } if is_expired(code) => "session-expired",
            Stop::Call { error: CallError::Refused { code, .. }, .. } if is_denied(code) => "access-denied",
            Stop::Call { error: CallError::Throttled(_), .. } => "throttled",
            Stop::Call { .. } => "call-failed",
            Stop::NotSeen { .. } => "not-seen",
            Stop::Journal(_) => "journal",
            Stop::Interrupted => "interrupted",
        }
    }

    /// Returns the step at which it stopped.
    pub fn step(&self) -> Option<usize> {
        match self {
            Stop::Drifted { step, .. }
            | Stop::DoneByOthers { step }
            | Stop::Call { step, .. }
            | Stop::NotSeen { step } => Some(*step),
            Stop::Journal(_) | Stop::Interrupted => None,
        }
    }

    /// Returns a sentence for people.
    pub fn detail(&self) -> String {
        match self {
            Stop::Drifted { detail, .. } => detail.clone(),
            Stop::DoneByOthers { .. } => "somebody else has done it already".to_owned(),
            Stop::Call { error, .. } => error.to_string(),
            Stop::NotSeen { .. } => "AWS took the write, and reads do not show it".to_owned(),
            Stop::Journal(detail) => detail.clone(),
            Stop::Interrupted => "interrupted".to_owned(),
        }
    }
}

fn is_expired(code: &str) -> bool {
    matches!(code, "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "InvalidClientTokenId")
}

fn is_denied(code: &str) -> bool {
    matches!(code, "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation")
}

/// Codes of answers that say to come back: the call is not done, and may be tried again after a look.
fn is_passing(code: &str) -> bool {
    matches!(code, "ConcurrentModification" | "EntityTemporarilyUnmodifiable")
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
    /// Called before each step with its number.
    pub on_step: &'a dyn Fn(usize),
}

impl<S: Store, C: Reads + Writes, K: Clock> Run<'_, S, C, K> {
    /// Makes all steps that are left, and closes the journal.
    ///
    /// # Errors
    /// When it stops before the end. Where nothing was done, the journal is closed all the same; else it is open.
    pub fn run(&mut self) -> Result<(), Stop> {
        let may_have_begun = self.journal.resumed().flatten();
        for at in 0..self.journal.history().steps().len() {
            if let Err(stop) = self.step(at, may_have_begun == Some(at)) {
                // What cannot be written now is read from AWS by whoever goes on.
                let _ = self.journal.stopped(stop.step(), stop.reason(), &stop.detail(), self.clock.now());
                let is_open = |progress| matches!(progress, &Progress::Open | &Progress::Skipped);
                let history = self.journal.history();
                if self.journal.resumed().is_none()
                    && (0..history.steps().len()).all(|at| is_open(history.progress(at)))
                {
                    let _ = self.journal.end(Ending::NothingDone, self.clock.now());
                }
                return Err(stop);
            }
        }
        Ok(())
    }

    /// Closes the journal: all is done.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn finish(&mut self) -> Result<(), Stop> {
        let now = self.clock.now();
        self.journal.end(Ending::Done, now).map_err(|error| journal(&error))
    }

    fn step(&mut self, at: usize, may_have_begun: bool) -> Result<(), Stop> {
        let since = match self.journal.history().progress(at) {
            Progress::Done { .. } | Progress::Skipped => return Ok(()),
            Progress::Intended { at } => Some(*at),
            Progress::Open => None,
        };
        if self.clock.is_interrupted() {
            return Err(Stop::Interrupted);
        }
        (self.on_step)(at);
        let was_tried = since.is_some() || may_have_begun;
        // What a crash left open may be done and not yet seen.
        let since = since.unwrap_or_else(|| self.journal.history().last_at());
        let stand = if was_tried { self.settled(at, since)? } else { self.look(at)? };
        match stand {
            Stand::After(wrote) if was_tried => {
                let now = self.clock.now();
                return self.journal.done(at, Knowing::Reading, wrote, now).map_err(|error| journal(&error));
            }
            Stand::After(_) if self.journal.resumed().is_some() && self.journal.history().was_done_by_others(at) => {
                let now = self.clock.now();
                return self.journal.skipped(at, "somebody else did it", now).map_err(|error| journal(&error));
            }
            Stand::After(_) => return Err(Stop::DoneByOthers { step: at }),
            Stand::Other(detail) => return Err(Stop::Drifted { step: at, detail }),
            Stand::Before => {}
        }
        self.write(at)
    }

    /// Makes one write: once, and again only when it is certain that it was not made.
    fn write(&mut self, at: usize) -> Result<(), Stop> {
        let mut attempt = 0;
        loop {
            self.guard(at)?;
            if self.clock.is_interrupted() {
                return Err(Stop::Interrupted);
            }
            let now = self.clock.now();
            let intended = self.journal.intend(at, now).map_err(|error| journal(&error))?;
            let called = self.clock.now();
            let result = self.cloud.perform(&intended);
            fault::point("performed");
            let now = self.clock.now();
            let error = match result {
                Ok(wrote) => {
                    self.journal.done(at, Knowing::Answer, wrote, now).map_err(|error| journal(&error))?;
                    return self.read_back(at, now);
                }
                Err(error) => error,
            };
            let is_passing_error = match &error {
                CallError::Throttled(_) => true,
                CallError::Refused { code, .. } => is_passing(code),
                CallError::Ambiguous(_) => false,
            };
            if let CallError::Ambiguous(_) = error {
                match self.settled(at, called)? {
                    Stand::After(wrote) => {
                        let now = self.clock.now();
                        return self.journal.done(at, Knowing::Reading, wrote, now).map_err(|error| journal(&error));
                    }
                    Stand::Other(detail) => return Err(Stop::Drifted { step: at, detail }),
                    Stand::Before => {}
                }
            }
            let (code, message) = match &error {
                CallError::Refused { code, message } => (code.clone(), message.clone()),
                CallError::Throttled(message) => ("Throttling".to_owned(), message.clone()),
                CallError::Ambiguous(message) => ("not-done".to_owned(), message.clone()),
            };
            self.journal.failed(at, &code, &message, now).map_err(|error| journal(&error))?;
            attempt += 1;
            let may_retry = is_passing_error || matches!(error, CallError::Ambiguous(_));
            if !may_retry || attempt >= self.patience.attempts {
                return Err(Stop::Call { step: at, error });
            }
            self.clock.sleep(pause(attempt));
            match self.look(at)? {
                Stand::Before => {}
                Stand::After(_) => return Err(Stop::DoneByOthers { step: at }),
                Stand::Other(detail) => return Err(Stop::Drifted { step: at, detail }),
            }
        }
    }

    /// Refuses a step whose surroundings are not those of the plan.
    fn guard(&self, at: usize) -> Result<(), Stop> {
        let Some(step) = self.journal.history().steps().get(at) else { return Ok(()) };
        match self.patiently(at, || surroundings(self.cloud, step))? {
            None => Ok(()),
            Some(detail) => Err(Stop::Drifted { step: at, detail }),
        }
    }

    /// Reads until a write shows.
    fn read_back(&self, at: usize, since: UnixTime) -> Result<(), Stop> {
        match self.settled(at, since)? {
            Stand::After(_) => Ok(()),
            Stand::Before => Err(Stop::NotSeen { step: at }),
            Stand::Other(detail) => Err(Stop::Drifted { step: at, detail }),
        }
    }

    /// Reads until the step shows as done, or until it would show if it were.
    fn settled(&self, at: usize, since: UnixTime) -> Result<Stand, Stop> {
        let mut turn = 0;
        loop {
            let stand = self.look(at)?;
            if matches!(stand, Stand::After(_)) || self.clock.now().since(since) >= self.patience.settle {
                return Ok(stand);
            }
            turn += 1;
            self.clock.sleep(pause(turn).min(Duration::from_secs(2)));
        }
    }

    fn look(&self, at: usize) -> Result<Stand, Stop> {
        self.patiently(at, || look(self.cloud, self.journal.history(), at))
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

fn journal(error: &JournalError) -> Stop {
    Stop::Journal(error.to_string())
}
