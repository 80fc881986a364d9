//! The journal: what was approved, what was about to be done, what was done. One append-only file an apply.
//!
//! A record is on the disk before what it says is acted upon. So whatever a crash leaves, it is known what may have been
//! done: what stands there as intended. Whether it was, is read from AWS. A step of which no intent stands there was never
//! called by this journal: if it is done all the same, somebody else did it, or the disk lost what it said it had.

pub(in crate::apply) mod chain;
mod history;
mod note;
mod record;
mod store;

use std::io;

use secateur_analyzer::time::UnixTime;

pub use chain::{Head, Lines, Tampered, parse};
pub use history::{History, HistoryError, Progress, State};
pub use record::{Again, Begin, Ending, Entry, FORMAT_VERSION, Knowing, Record};
pub use store::{FileStore, Folder, Lock, Store};

use super::approval::Approved;
use super::cloud::{Write, Wrote};
use super::fault;
use super::step::Effect;

/// A write that stands in a journal as about to be made. There is no way to make one but [`Journal::intend`].
#[derive(Debug)]
pub struct Intended {
    write: Write,
}

impl Intended {
    /// Returns the write.
    pub fn write(&self) -> &Write {
        &self.write
    }
}

/// Why a record could not be written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be written.
    #[error("the journal cannot be written: {0}")]
    Io(#[from] io::Error),
    /// An earlier record may be in the file or not: nothing is written after it.
    #[error("the journal cannot be written: an earlier record could not be")]
    Broken,
    /// A record cannot be put into JSON.
    #[error("the journal cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// What was approved is not what the journal is about.
    #[error("what was approved is not what the journal is about")]
    OtherSteps,
    /// The step's version is not known.
    #[error("the version that step {0} needs was not created")]
    NoVersion(usize),
}

/// A journal that is written.
#[derive(Debug)]
pub struct Journal<S> {
    store: S,
    approved: Approved,
    history: History,
    /// The disk failed: what stands in the file is not known, and nothing is written after it.
    is_broken: bool,
}

/// Who begins a journal.
#[derive(Clone, Debug)]
pub struct Author {
    /// The id of the journal.
    pub id: String,
    /// Who, as AWS names them.
    pub caller_arn: String,
    /// Who is logged in on this machine.
    pub user: Option<String>,
    /// Where the plan is.
    pub plan: Option<String>,
    /// How many writes may be on their way at a time; at least one is.
    pub parallelism: usize,
    /// The id of the last journal before.
    pub after: Option<String>,
}

impl<S: Store> Journal<S> {
    /// Begins a journal with what was approved.
    ///
    /// # Errors
    /// When it cannot be written; then nothing may be done.
    pub fn begin(mut store: S, approved: Approved, author: Author, now: UnixTime) -> Result<Journal<S>, JournalError> {
        let proposal = approved.proposal();
        let begin = Begin {
            format_version: FORMAT_VERSION.to_owned(),
            id: author.id,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            caller_arn: author.caller_arn,
            user: author.user,
            plan: author.plan,
            digest: proposal.digest(),
            approved_by: approved.how().to_owned(),
            origin: proposal.origin().clone(),
            destination: proposal.destination().clone(),
            parallelism: author.parallelism.max(1),
            after: author.after,
            steps: proposal.steps().to_vec(),
        };
        let entry = Entry { seq: 0, time: now, prev: Head::default().0, record: Record::Begin(Box::new(begin)) };
        let (line, _) = chain::line(&entry)?;
        fault::point("begin-unwritten");
        store.append(&line)?;
        fault::point("begin-unsynced");
        store.sync()?;
        fault::point("begin-synced");
        let history = History::read(&line).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Journal { store, approved, history, is_broken: false })
    }

    /// Goes on with a journal whose steps were approved again. What a crash left of a record is cut off.
    ///
    /// # Errors
    /// When it cannot be written, or the approval is for something else.
    pub fn resume(
        mut store: S,
        history: History,
        approved: Approved,
        (caller_arn, parallelism): (String, usize),
        now: UnixTime,
    ) -> Result<Journal<S>, JournalError> {
        let (begin, proposal) = (history.begin(), approved.proposal());
        let is_same = begin.steps == proposal.steps()
            && begin.origin == *proposal.origin()
            && begin.destination == *proposal.destination();
        if !is_same {
            return Err(JournalError::OtherSteps);
        }
        if history.is_torn {
            store.truncate(history.whole)?;
            store.sync()?;
        }
        let approved_by = approved.how().to_owned();
        let mut journal = Journal { store, approved, history, is_broken: false };
        journal.write(Record::Resumed { caller_arn, approved_by, parallelism: parallelism.max(1) }, now)?;
        Ok(journal)
    }

    /// Returns what the journal says.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Returns the approved steps.
    pub fn approved(&self) -> &Approved {
        &self.approved
    }

    /// Writes down that a step is about to be made, and returns the write: the only way to one.
    ///
    /// # Errors
    /// When that cannot be written; then the step must not be made.
    pub fn intend(&mut self, step: usize, now: UnixTime) -> Result<Intended, JournalError> {
        let write = self.resolve(step)?;
        self.write(Record::Intent { step, operation: write.operation() }, now)?;
        Ok(Intended { write })
    }

    /// Writes down that a step is done.
    ///
    /// # Errors
    /// When that cannot be written; it is read from AWS later.
    pub fn done(&mut self, step: usize, by: Knowing, wrote: Wrote, now: UnixTime) -> Result<(), JournalError> {
        self.write(Record::Done { step, by, wrote }, now)
    }

    /// Writes down that AWS answered no.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn failed(&mut self, step: usize, code: &str, message: &str, now: UnixTime) -> Result<(), JournalError> {
        self.write(Record::Failed { step, code: code.to_owned(), message: message.to_owned() }, now)
    }

    /// Writes down that a step is passed over, why, and what was found of it where it was done already.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn skipped(&mut self, step: usize, detail: &str, found: Wrote, now: UnixTime) -> Result<(), JournalError> {
        self.write(Record::Skipped { step, detail: detail.to_owned(), found, withheld: false }, now)
    }

    /// Writes down that a step may no longer be made, and why: it is passed over, and not done.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn withheld(&mut self, step: usize, detail: &str, now: UnixTime) -> Result<(), JournalError> {
        let (detail, found) = (detail.to_owned(), Wrote::default());
        self.write(Record::Skipped { step, detail, found, withheld: true }, now)
    }

    /// Writes down why it stops, and which steps AWS said are done that reads had not shown.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn stopped(
        &mut self,
        step: Option<usize>,
        reason: &str,
        detail: &str,
        unseen: &[usize],
        now: UnixTime,
    ) -> Result<(), JournalError> {
        let (reason, detail, unseen) = (reason.to_owned(), detail.to_owned(), Some(unseen.to_vec()));
        self.write(Record::Stopped { step, reason, detail, unseen }, now)
    }

    /// Closes the journal.
    ///
    /// # Errors
    /// When that cannot be written; it stays open.
    pub fn end(&mut self, outcome: Ending, now: UnixTime) -> Result<(), JournalError> {
        self.write(Record::End { outcome }, now)
    }

    fn write(&mut self, record: Record, now: UnixTime) -> Result<(), JournalError> {
        let name = record_name(&record);
        let entry = Entry { seq: self.history.records, time: now, prev: self.history.head, record };
        if self.is_broken {
            return Err(JournalError::Broken);
        }
        let result = append(&mut self.store, &mut self.history, &entry, name);
        self.is_broken = matches!(result, Err(AppendError::Broken(_)));
        result.map_err(JournalError::from)
    }

    /// The write of a step, with the versions that earlier steps created.
    fn resolve(&self, at: usize) -> Result<Write, JournalError> {
        let steps = self.approved.proposal().steps();
        let step = steps.get(at).ok_or(JournalError::OtherSteps)?;
        let version = |version| self.history.version(version).ok_or(JournalError::NoVersion(at));
        Ok(match step.effect.clone() {
            Effect::PutInline { entity, policy, after, .. } => Write::PutInline { entity, policy, document: after },
            Effect::DeleteInline { entity, policy, .. } => Write::DeleteInline { entity, policy },
            Effect::CreateVersion { policy, document } => Write::CreateVersion { policy, document },
            Effect::SetDefault { policy, to, .. } => Write::SetDefault { policy, version: version(&to.version)? },
            Effect::DeleteVersion { policy, version: own } => {
                Write::DeleteVersion { policy, version: version(&own.version)? }
            }
            Effect::CreatePolicy { name, document, .. } => Write::CreatePolicy { name, document },
            Effect::DeletePolicy { policy, .. } => Write::DeletePolicy { policy },
            Effect::Attach { entity, policy } => Write::Attach { entity, policy },
            Effect::Detach { entity, policy } => Write::Detach { entity, policy },
            Effect::SetKey { user, key, active, .. } => Write::SetKey { user, key, active },
        })
    }
}

/// Writes a closing record into a journal that is not being applied.
///
/// # Errors
/// When it cannot be written.
pub fn close<S: Store>(mut store: S, history: &mut History, record: Record, now: UnixTime) -> Result<(), JournalError> {
    if history.is_torn {
        store.truncate(history.whole)?;
        history.is_torn = false;
    }
    let name = record_name(&record);
    let entry = Entry { seq: history.records, time: now, prev: history.head, record };
    append(&mut store, history, &entry, name).map_err(JournalError::from)
}

/// Why a record is not in the file.
enum AppendError {
    /// It is not there, and the next may follow.
    Missing(JournalError),
    /// Whether it is there is not known.
    Broken(JournalError),
}

impl From<AppendError> for JournalError {
    fn from(error: AppendError) -> JournalError {
        let (AppendError::Missing(error) | AppendError::Broken(error)) = error;
        error
    }
}

fn append<S: Store>(store: &mut S, history: &mut History, entry: &Entry, name: &str) -> Result<(), AppendError> {
    let (line, head) = chain::line(entry).map_err(|error| AppendError::Missing(error.into()))?;
    fault::point(&format!("{name}-unwritten"));
    if let Err(error) = store.append(&line) {
        // Part of the line may be there: without it, a later record would follow a torn one.
        return Err(match store.truncate(history.whole) {
            Ok(()) => AppendError::Missing(error.into()),
            Err(error) => AppendError::Broken(error.into()),
        });
    }
    fault::point(&format!("{name}-unsynced"));
    if let Err(error) = store.sync() {
        // It may be on the disk or not. It goes, so that nobody acts on it; where it stays, the chain is whole all the same.
        let _ = store.truncate(history.whole);
        return Err(AppendError::Broken(error.into()));
    }
    fault::point(&format!("{name}-synced"));
    history.whole += line.len() as u64;
    history.head = head.0;
    history.take(entry);
    Ok(())
}

/// The name that a record bears in the file.
fn record_name(record: &Record) -> &'static str {
    match record {
        Record::Begin(_) => "begin",
        Record::Intent { .. } => "intent",
        Record::Done { .. } => "done",
        Record::Failed { .. } => "failed",
        Record::Skipped { .. } => "skipped",
        Record::Stopped { .. } => "stopped",
        Record::Resumed { .. } => "resumed",
        Record::End { .. } => "end",
        Record::RolledBack { .. } => "rolled-back",
        Record::TakenBack { .. } => "taken-back",
        Record::DoneAgain { .. } => "done-again",
        Record::Abandoned { .. } => "abandoned",
    }
}
