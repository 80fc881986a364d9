//! Jobs that make reports.

use std::collections::BTreeMap;

use super::frozen::Frozen;
use crate::emulator::time::Time;

/// A job.
#[derive(Debug)]
pub struct Job {
    /// Who may read it: see [`Caller::owner`](crate::emulator::state::Caller::owner).
    pub owner: String,
    /// `SERVICE_LEVEL` or `ACTION_LEVEL`.
    pub granularity: String,
    /// When it began.
    pub created: Time,
    /// When it is done.
    pub done: Time,
    /// Code and message, if it fails.
    pub failure: Option<(String, String)>,
    /// What it answers.
    pub report: Frozen,
}

/// All jobs, by id.
#[derive(Debug, Default)]
pub struct Jobs(pub BTreeMap<String, Job>);
