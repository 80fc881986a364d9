//! What stands in a journal (`docs/formats.md`).

use secateur_analyzer::document::Sha256;
use secateur_analyzer::time::UnixTime;
use serde::{Deserialize, Serialize};

use crate::apply::approval::{Destination, Origin};
use crate::apply::cloud::Wrote;
use crate::apply::step::Step;

/// The format that this build reads and writes. In 1.0 a rollback did not say what must be attached beside its steps, nor what
/// it left.
pub const FORMAT_VERSION: &str = "1.2";

/// One record: it names the hash of the one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its number, from 0.
    pub seq: u64,
    /// When it was written.
    pub time: UnixTime,
    /// The hash of the record before; zeros for the first.
    pub prev: Sha256,
    /// What happened.
    pub record: Record,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Record {
    /// Somebody approved, and it begins.
    Begin(Box<Begin>),
    /// A write is about to be made.
    Intent {
        /// Which step.
        step: usize,
        /// AWS's name of the call.
        operation: String,
    },
    /// A write is done.
    Done {
        /// Which step.
        step: usize,
        /// How that is known.
        by: Knowing,
        /// What AWS said.
        wrote: Wrote,
    },
    /// AWS answered no: the write is not done.
    Failed {
        /// Which step.
        step: usize,
        /// AWS's code.
        code: String,
        /// What AWS says.
        message: String,
    },
    /// The step is passed over: it was done already, and not by this journal, or it may no longer be made. It is not rolled
    /// back.
    Skipped {
        /// Which step.
        step: usize,
        /// Why.
        detail: String,
        /// What was found of it, where it was done already: later steps may rest on it.
        #[serde(default, skip_serializing_if = "is_nothing")]
        found: Wrote,
        /// Whether it is not done: it may no longer be made.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        withheld: bool,
    },
    /// It stopped before the end.
    Stopped {
        /// The step that could not be made; none when somebody stopped it.
        step: Option<usize>,
        /// A word for programs.
        reason: String,
        /// A sentence for people.
        detail: String,
        /// The steps that AWS said are done, and that reads had not shown. All others had shown by then; where it is not there,
        /// nobody knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unseen: Option<Vec<usize>>,
    },
    /// Somebody approved of going on.
    Resumed {
        /// Who, as AWS names them.
        caller_arn: String,
        /// How it was approved.
        approved_by: String,
        /// How many writes may be on their way at a time from now on.
        parallelism: usize,
    },
    /// All steps are done or skipped, or none is done.
    End {
        /// What became of it.
        outcome: Ending,
    },
    /// A rollback took everything back.
    RolledBack {
        /// The journal of the rollback.
        journal: String,
        /// Which of the steps that may be done or not it took back.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        settled: Vec<usize>,
    },
    /// A rollback took part of it back.
    TakenBack {
        /// The journal of the rollback.
        journal: String,
        /// Which steps.
        steps: Vec<usize>,
        /// Which steps it may have taken back or not: nobody has heard of the writes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        in_doubt: Vec<usize>,
    },
    /// The rollback of a rollback did again what that one had taken back.
    DoneAgain {
        /// The journal of the last rollback.
        journal: String,
        /// Which steps.
        steps: Vec<Again>,
        /// Which steps it may have done again or not: nobody has heard of the writes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        in_doubt: Vec<usize>,
        /// Which of `steps` AWS answered are done, and reads had not shown.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unseen: Vec<usize>,
    },
    /// Somebody takes it upon himself that it stays as it is.
    Abandoned {
        /// Why.
        reason: String,
    },
}

fn is_nothing(found: &Wrote) -> bool {
    *found == Wrote::default()
}

/// A step that was done again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// Which step.
    pub step: usize,
    /// What AWS said.
    pub wrote: Wrote,
}

/// How it is known that a write is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Knowing {
    /// AWS said so.
    Answer,
    /// It was read.
    Reading,
}

/// How a journal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// All steps are done, or somebody else did them.
    Done,
    /// It stopped before anything was done.
    NothingDone,
}

/// The first record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// [`FORMAT_VERSION`].
    pub format_version: String,
    /// The journal's id: the name of its file.
    pub id: String,
    /// The version of secateur.
    pub tool: String,
    /// Who, as AWS names them.
    pub caller_arn: String,
    /// Who is logged in on this machine, if it says so.
    pub user: Option<String>,
    /// Where the plan was, seen from the directory of the configuration.
    pub plan: Option<String>,
    /// The digest that was approved.
    pub digest: Sha256,
    /// How: `prompt`, `digest` or `auto-approve`.
    pub approved_by: String,
    /// What the steps come from.
    pub origin: Origin,
    /// Where they lead.
    pub destination: Destination,
    /// How many writes may be on their way at a time.
    pub parallelism: usize,
    /// The id of the journal that was the last of its folder when this one began: clocks can be wrong, and ids bear their time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The steps, with all documents.
    pub steps: Vec<Step>,
}
