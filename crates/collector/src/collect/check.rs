//! `--check`: what a collection would take, without collecting.

use std::sync::Arc;

use super::CollectError;
use crate::aws::Session;

/// What a collection would take.
#[derive(Clone, Debug)]
pub struct Check {
    /// The permissions that the caller lacks, and what is missing without each.
    pub missing: Vec<(String, String)>,
    /// How many calls of each operation there would be.
    pub calls: Vec<Estimate>,
}

/// How many calls of an operation there would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Service and operation.
    pub operation: &'static str,
    /// How many calls.
    pub calls: usize,
    /// Whether there may be more, since pages or jobs decide it.
    pub at_least: bool,
}

/// Asks each operation once.
///
/// # Errors
/// When AWS does not take the credentials, or cannot be reached.
pub async fn check(_session: Arc<Session>) -> Result<Check, CollectError> {
    Err(CollectError::Unfinished)
}
