//! The way on with a journal that is open: its steps are derived anew, or covered by the digest that was approved.

use std::collections::BTreeSet;

use secateur_analyzer::document::Sha256;

use super::approval::{Origin, Proposal, Proved};
use super::borne::evicted;
use super::derive::DeriveError;
use super::journal::History;
use super::step::digest_of;
use crate::plan::Change;

/// Why an open journal cannot be gone on with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResumeError {
    /// The plan is another one.
    #[error("it is of the plan with the digest {0}, and this is another plan")]
    OtherPlan(Sha256),
    /// A rollback took part of it back: going on would do that again.
    #[error("{0} of its writes were taken back")]
    TakenBack(usize),
    /// It says what was not approved.
    #[error(transparent)]
    Edited(#[from] DeriveError),
}

/// Derives the steps of an open journal anew from its plan: what they are to write is what the plan, proved again, bears.
///
/// `may_evict` is whether the configuration lets the oldest version of a policy make room.
///
/// # Errors
/// When the journal is not of this plan, or has other steps than the plan gives.
pub fn resume_plan(history: &History, proved: &Proved<'_>, may_evict: bool) -> Result<Proposal, ResumeError> {
    let wrong = |detail: &str| DeriveError { address: "journal".to_owned(), detail: detail.to_owned() };
    refuse_taken_back(history)?;
    match history.begin().origin {
        Origin::Plan { digest } if digest == proved.plan().digest => {}
        Origin::Plan { digest } => return Err(ResumeError::OtherPlan(digest)),
        Origin::Rollback { .. } => return Err(wrong("it is of a rollback").into()),
    }
    let units: BTreeSet<&str> = history.steps().iter().map(|step| step.unit.as_str()).collect();
    // Whole: a group that was cut short in the journal does not give its steps.
    let chosen: Vec<&Change> = proved.plan().changes.iter().filter(|change| units.contains(change.unit())).collect();
    let evict = evicted(history, proved.plan())?;
    if let (false, Some(policy)) = (may_evict, evict.keys().next()) {
        let detail = "a version of it is to go, and evict_oldest_version is not set".to_owned();
        return Err(DeriveError { address: policy.to_string(), detail }.into());
    }
    let proposal = Proposal::of_plan(proved, &chosen, &evict)?;
    match proposal.steps == history.steps() && proposal.destination == history.begin().destination {
        true => Ok(proposal),
        false => Err(wrong("its steps are not those of the plan: it was edited").into()),
    }
}

/// Returns the steps of an open rollback, to be approved again: their digest covers all that they write.
///
/// # Errors
/// When the journal is not of a rollback, or not the one that was approved.
pub fn resume_rollback(history: &History) -> Result<Proposal, ResumeError> {
    refuse_taken_back(history)?;
    Ok(approved(history)?)
}

fn refuse_taken_back(history: &History) -> Result<(), ResumeError> {
    match history.taken_back() {
        0 => Ok(()),
        steps => Err(ResumeError::TakenBack(steps)),
    }
}

/// Returns the steps of a rollback, if they are those that were approved.
pub(super) fn approved(history: &History) -> Result<Proposal, DeriveError> {
    let wrong = |detail: &str| DeriveError { address: "journal".to_owned(), detail: detail.to_owned() };
    let begin = history.begin();
    if let Origin::Plan { .. } = begin.origin {
        return Err(wrong("it is not of a rollback"));
    }
    let proposal =
        Proposal { origin: begin.origin.clone(), destination: begin.destination.clone(), steps: begin.steps.clone() };
    match digest_of(&proposal) == begin.digest {
        true => Ok(proposal),
        false => Err(wrong("its steps are not those that were approved: it was edited")),
    }
}
