//! What a journal says of its steps, when all its records are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secateur_analyzer::document::Sha256;
use secateur_analyzer::time::UnixTime;

use super::chain::{Lines, Tampered, format_of, parse};
use super::record::{Again, Begin, Ending, Entry, FORMAT_VERSION, Knowing, Record};
use crate::apply::cloud::Wrote;
use crate::apply::step::{Effect, Step, VersionRef};
use crate::apply::stop::NOT_SEEN;

/// What is known of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing was tried, or what was tried is certainly not done.
    Open,
    /// It may be done: the call was about to be made.
    Intended {
        /// Since when.
        at: UnixTime,
    },
    /// It is done.
    Done {
        /// Since when.
        at: UnixTime,
        /// What AWS said.
        wrote: Wrote,
    },
    /// It is passed over: it was done already, and not by this journal, or it may no longer be made.
    Skipped {
        /// What was found of it, where it was done already.
        found: Wrote,
        /// Whether it is not done: it may no longer be made.
        withheld: bool,
    },
}

/// What became of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Something may be left to do: it blocks the next apply.
    Open,
    /// All steps are done.
    Done,
    /// It stopped before anything was done.
    NothingDone,
    /// A rollback took everything back.
    RolledBack(String),
    /// Somebody closed it as it was, for this reason.
    Abandoned(String),
}

impl State {
    /// Returns a word for programs.
    pub fn as_str(&self) -> &'static str {
        match self {
            State::Open => "open",
            State::Done => "done",
            State::NothingDone => "nothing-done",
            State::RolledBack(_) => "rolled-back",
            State::Abandoned(_) => "abandoned",
        }
    }
}

/// A journal that was read: its chain is whole.
#[derive(Clone, Debug)]
pub struct History {
    pub(in crate::apply) begin: Arc<Begin>,
    pub(super) parallelism: usize,
    pub(super) began_at: UnixTime,
    pub(super) progress: Vec<Progress>,
    pub(super) state: State,
    pub(super) head: Sha256,
    pub(super) records: u64,
    pub(super) whole: u64,
    pub(super) is_torn: bool,
    pub(super) stopped: Option<(String, String)>,
    /// The steps that AWS said are done, and of which nothing says that reads have shown it.
    pub(super) unseen: BTreeSet<usize>,
    /// The steps that rollbacks took back; the journals of those rollbacks; and what the state was before.
    pub(super) taken_back: BTreeSet<usize>,
    /// The steps that a rollback may have taken back or not, and since when.
    pub(super) doubted: BTreeMap<usize, UnixTime>,
    pub(super) noted: BTreeSet<String>,
    pub(super) before_rollback: State,
    /// When something last happened that may have left a write behind.
    pub(super) last_at: UnixTime,
    /// What stands behind the record up to which it was read.
    later: Vec<Entry>,
}

/// Why a journal cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// A record is not what was written.
    #[error("the journal was edited: {0}")]
    Tampered(#[from] Tampered),
    /// It is of another format.
    #[error("the journal is of format {0}, and this secateur reads {FORMAT_VERSION}")]
    OtherFormat(String),
    /// A crash left nothing of its first record: nothing was written to AWS.
    #[error("the journal never began: nothing was written")]
    NeverBegan,
}

impl History {
    /// Reads a journal.
    ///
    /// # Errors
    /// When it was edited, is of another format, or never began.
    pub fn read(bytes: &[u8]) -> Result<History, HistoryError> {
        History::read_to(bytes, None)
    }

    /// Reads a journal as it was when a record was its last: the one of that hash. Where it has none, it is read whole.
    ///
    /// # Errors
    /// When it was edited, is of another format, or never began.
    pub fn read_to(bytes: &[u8], head: Option<Sha256>) -> Result<History, HistoryError> {
        if let Some(other) = format_of(bytes).filter(|format| format != FORMAT_VERSION) {
            return Err(HistoryError::OtherFormat(other));
        }
        let lines = parse(bytes)?;
        let Lines { entries, whole, head, is_torn, later } = match head {
            Some(head) => lines.up_to(head),
            None => lines,
        };
        let mut entries = entries.into_iter();
        let Some(first) = entries.next() else { return Err(HistoryError::NeverBegan) };
        let Record::Begin(begin) = first.record else {
            return Err(Tampered { number: 1, detail: "does not begin a journal".to_owned() }.into());
        };
        let mut history = History {
            progress: vec![Progress::Open; begin.steps.len()],
            parallelism: begin.parallelism,
            begin: Arc::new(*begin),
            began_at: first.time,
            state: State::Open,
            head: head.0,
            records: 1,
            whole: whole as u64,
            is_torn,
            stopped: None,
            unseen: BTreeSet::new(),
            taken_back: BTreeSet::new(),
            doubted: BTreeMap::new(),
            noted: BTreeSet::new(),
            before_rollback: State::Open,
            last_at: first.time,
            later: Vec::new(),
        };
        for entry in entries {
            let number = usize::try_from(entry.seq).unwrap_or(usize::MAX).saturating_add(1);
            if !history.take(&entry) {
                let detail = "cannot follow what stands before it".to_owned();
                return Err(Tampered { number, detail }.into());
            }
        }
        Ok(History { later, ..history })
    }

    /// Returns what stands behind the record up to which it was read; nothing, where it was read whole.
    pub(in crate::apply) fn later(&self) -> impl Iterator<Item = &Record> {
        self.later.iter().map(|entry| &entry.record)
    }

    /// Returns what it is by now, where it was read up to a record.
    pub(in crate::apply) fn by_now(&self) -> History {
        let mut now = History { later: Vec::new(), ..self.clone() };
        for entry in &self.later {
            // What cannot follow says nothing more.
            if !now.take(entry) {
                break;
            }
        }
        now
    }

    /// Takes a record into account; says whether it can follow.
    pub(super) fn take(&mut self, entry: &Entry) -> bool {
        self.records += 1;
        let is_note =
            matches!(entry.record, Record::RolledBack { .. } | Record::TakenBack { .. } | Record::DoneAgain { .. });
        if !is_note && !matches!(entry.record, Record::Resumed { .. }) {
            self.last_at = entry.time;
        }
        match &entry.record {
            Record::Begin(_) => return false,
            Record::Intent { step, .. } => {
                self.show_before(*step);
                return self.set(*step, Progress::Intended { at: entry.time });
            }
            Record::Done { step, by, wrote } => {
                let is_one = self.set(*step, Progress::Done { at: entry.time, wrote: wrote.clone() });
                if is_one && *by == Knowing::Answer {
                    self.unseen.insert(*step);
                }
                return is_one;
            }
            Record::Failed { step, .. } => return self.set(*step, Progress::Open),
            Record::Skipped { step, found, withheld, .. } => {
                return self.set(*step, Progress::Skipped { found: found.clone(), withheld: *withheld });
            }
            Record::Stopped { step, reason, detail, unseen } => {
                self.stopped = Some((reason.clone(), detail.clone()));
                if let Some(unseen) = unseen {
                    self.unseen.retain(|at| unseen.contains(at));
                }
                self.unseen.extend(step.filter(|_| reason == NOT_SEEN));
            }
            Record::Resumed { parallelism, .. } => {
                self.stopped = None;
                self.parallelism = *parallelism;
            }
            Record::End { outcome: Ending::Done } => {
                // Each write was waited for until it showed.
                self.unseen.clear();
                self.state = State::Done;
            }
            Record::End { outcome: Ending::NothingDone } => self.state = State::NothingDone,
            Record::RolledBack { journal, settled } => {
                let is_done = |progress: &Progress| matches!(progress, Progress::Done { .. });
                let done = self.progress.iter().enumerate().filter(|(_, progress)| is_done(progress));
                self.taken_back.extend(done.map(|(at, _)| at).chain(settled.iter().copied()));
                self.doubted.clear();
                self.noted.insert(journal.clone());
                if !matches!(self.state, State::RolledBack(_)) {
                    self.before_rollback = self.state.clone();
                }
                self.state = State::RolledBack(journal.clone());
                return self.has_all(settled);
            }
            Record::TakenBack { journal, steps, in_doubt } => {
                self.noted.insert(journal.clone());
                self.taken_back.extend(steps);
                self.doubted.extend(in_doubt.iter().map(|step| (*step, entry.time)));
                self.doubted.retain(|step, _| !steps.contains(step));
                return self.has_all(steps) && self.has_all(in_doubt);
            }
            Record::DoneAgain { journal, steps, in_doubt, unseen } => {
                self.noted.insert(journal.clone());
                match self.state {
                    State::RolledBack(_) => self.state = self.before_rollback.clone(),
                    // It was closed when all of it had been taken back.
                    State::NothingDone => self.state = State::Open,
                    _ => {}
                }
                for step in in_doubt {
                    self.taken_back.remove(step);
                    self.doubted.remove(step);
                }
                return in_doubt.iter().all(|step| self.set(*step, Progress::Intended { at: entry.time }))
                    && steps.iter().all(|again| self.do_again(again, entry.time))
                    && unseen.iter().all(|step| *step < self.progress.len() && self.unseen.insert(*step));
            }
            Record::Abandoned { reason } => self.state = State::Abandoned(reason.clone()),
        }
        true
    }

    /// A step that was taken back stands again; what was created anew has another id.
    fn do_again(&mut self, again: &Again, at: UnixTime) -> bool {
        let Some(progress) = self.progress.get(again.step) else { return false };
        let old = match progress {
            Progress::Done { wrote, .. } => wrote.clone(),
            _ => Wrote::default(),
        };
        let wrote = Wrote {
            version: again.wrote.version.clone().or(old.version),
            unique_id: again.wrote.unique_id.clone().or(old.unique_id),
            request_id: again.wrote.request_id.clone(),
        };
        self.taken_back.remove(&again.step);
        self.doubted.remove(&again.step);
        self.set(again.step, Progress::Done { at, wrote })
    }

    /// A step is begun only while reads show all that was done before it in its unit.
    fn show_before(&mut self, step: usize) {
        let steps = &self.begin.steps;
        let unit = |at: usize| steps.get(at).map(|step| step.unit.as_str());
        self.unseen.retain(|at| *at >= step || unit(*at) != unit(step));
    }

    /// Takes into account that reads have shown all that was done.
    pub fn show_all(&mut self) {
        self.unseen.clear();
    }

    fn has_all(&self, steps: &[usize]) -> bool {
        steps.iter().all(|step| *step < self.progress.len())
    }

    fn set(&mut self, step: usize, progress: Progress) -> bool {
        self.unseen.remove(&step);
        match self.progress.get_mut(step) {
            Some(own) => {
                *own = progress;
                true
            }
            None => false,
        }
    }

    /// Returns the first record.
    pub fn begin(&self) -> &Begin {
        &self.begin
    }

    /// Returns when it began.
    pub fn began_at(&self) -> UnixTime {
        self.began_at
    }

    /// Returns its steps.
    pub fn steps(&self) -> &[Step] {
        &self.begin.steps
    }

    /// Returns what is known of a step.
    pub fn progress(&self, step: usize) -> &Progress {
        self.progress.get(step).unwrap_or(&Progress::Open)
    }

    /// Returns what became of it.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns the hash of its last record.
    pub fn head(&self) -> Sha256 {
        self.head
    }

    /// Returns why it stopped, if it said so: a word and a sentence.
    pub fn stopped(&self) -> Option<(&str, &str)> {
        self.stopped.as_ref().map(|(reason, detail)| (reason.as_str(), detail.as_str()))
    }

    /// Returns whether AWS said that the step is done, and nothing says that reads have shown it: they may do so later.
    pub fn is_unseen(&self, step: usize) -> bool {
        self.unseen.contains(&step)
    }

    /// Returns how many steps are done.
    pub fn done(&self) -> usize {
        self.progress.iter().filter(|progress| matches!(progress, Progress::Done { .. })).count()
    }

    /// Returns how many writes may be done, or not: nobody has heard of them, or of what was to take them back.
    pub fn in_doubt(&self) -> usize {
        self.progress.iter().filter(|progress| matches!(progress, Progress::Intended { .. })).count()
            + self.doubted.len()
    }

    /// Returns since when a rollback may have taken the step back or not; none where that is known.
    pub fn doubted_since(&self, step: usize) -> Option<UnixTime> {
        self.doubted.get(&step).copied()
    }

    /// Returns whether it has exchanged something in part: whoever has both by now keeps both as far as a new plan goes. What was
    /// split is exchanged for its parts where it is rewritten.
    pub fn is_halved(&self) -> bool {
        let is_exchange = |step: &Step| {
            matches!(step.effect, Effect::Attach { .. } | Effect::Detach { .. } | Effect::SetDefault { .. })
        };
        let is_done = |at: usize| !matches!(self.progress(at), Progress::Open) && !self.is_taken_back(at);
        let of = |wanted: bool| {
            let steps =
                self.steps().iter().enumerate().filter(move |(at, step)| is_exchange(step) && is_done(*at) == wanted);
            steps.map(|(_, step)| step.unit.as_str()).collect::<BTreeSet<&str>>()
        };
        !of(true).is_disjoint(&of(false))
    }

    /// Returns whether the journal of a rollback has noted something here.
    pub(in crate::apply) fn is_noted(&self, journal: &str) -> bool {
        self.noted.contains(journal)
    }

    /// Returns whether any rollback has noted something here.
    pub(in crate::apply) fn has_notes(&self) -> bool {
        !self.noted.is_empty()
    }

    /// Returns whether a rollback took the step back, and nothing did it again.
    pub fn is_taken_back(&self, step: usize) -> bool {
        self.taken_back.contains(&step)
    }

    /// Returns how many steps rollbacks took back.
    pub fn taken_back(&self) -> usize {
        self.taken_back.len()
    }

    /// Returns how many writes may be on their way at a time.
    pub fn parallelism(&self) -> usize {
        self.parallelism.max(1)
    }

    /// Takes what was read of a step into account.
    pub(crate) fn settle(&mut self, step: usize, progress: Progress) {
        self.doubted.remove(&step);
        self.set(step, progress);
    }

    /// Returns when the last write can have been made.
    pub(crate) fn last_at(&self) -> UnixTime {
        self.last_at
    }

    /// Returns the latest time that it names for a write: later than now where the clock was, or is, wrong.
    pub fn latest(&self) -> UnixTime {
        let times = self.progress.iter().filter_map(|progress| match progress {
            Progress::Intended { at } | Progress::Done { at, .. } => Some(*at),
            Progress::Open | Progress::Skipped { .. } => None,
        });
        times.fold(self.last_at, UnixTime::max)
    }

    /// Returns when the last of the steps that are done, and share something with this one, was done.
    pub(crate) fn last_done_beside(&self, step: usize) -> Option<UnixTime> {
        let own = self.steps().get(step)?.shares();
        let shares = |other: &Step| other.shares().iter().any(|key| own.contains(key));
        let done = self.steps().iter().zip(&self.progress).filter_map(|(step, progress)| match progress {
            Progress::Done { at, .. } if shares(step) => Some(*at),
            _ => None,
        });
        done.max()
    }

    /// Returns the id of the version that is meant; none while it is not created.
    pub(crate) fn version(&self, version: &VersionRef) -> Option<String> {
        match version {
            VersionRef::Id(id) => Some(id.clone()),
            VersionRef::CreatedBy(step) => match self.progress(*step) {
                Progress::Done { wrote, .. } | Progress::Skipped { found: wrote, .. } => wrote.version.clone(),
                _ => None,
            },
        }
    }
}
