//! Whether what a journal would write was reviewed: the chain of a journal shows that it is whole, not who wrote it.

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::fingerprint;

use super::approval::Origin;
use super::derive::{DeriveError, Place, steps};
use super::inverse;
use super::journal::{History, Record, State};
use super::resuming::approved;
use super::step::{Effect, Version, VersionRef};
use crate::plan::{Change, Plan};

/// How many versions a managed policy may have.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
pub(super) const SLOTS: usize = 5;

/// Whether the steps of a journal are those of something that was reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// They are those of its plan.
    Borne,
    /// Nobody can tell, for this reason.
    Unknown(String),
}

fn wrong(address: &str, detail: impl Into<String>) -> DeriveError {
    DeriveError { address: address.to_owned(), detail: detail.into() }
}

/// Refuses a journal whose documents are not those that its own steps started from.
pub(super) fn check_documents(history: &History) -> Result<(), DeriveError> {
    for step in history.steps() {
        let before = match &step.effect {
            Effect::PutInline { before: Some(before), .. } | Effect::DeleteInline { before, .. } => before,
            Effect::SetDefault { from, .. } => &from.document,
            _ => continue,
        };
        let expected = step.expects.as_ref().and_then(|expects| expects.document);
        if expected.is_some_and(|expected| fingerprint(before) != expected) {
            return Err(wrong(&step.address, "the document before is not the one that was expected: it was edited"));
        }
    }
    Ok(())
}

/// Returns the versions that the journal deletes to make room: only of a policy whose slots are all taken, and the oldest.
///
/// # Errors
/// When one is to go that need not.
pub(super) fn evicted(history: &History, plan: &Plan) -> Result<BTreeMap<Arn, Version>, DeriveError> {
    let mut evict = BTreeMap::new();
    for step in history.steps() {
        let Effect::DeleteVersion { policy, version } = &step.effect else { continue };
        let change = plan.changes.iter().find(|change| change.address == step.address && change.target.arn == *policy);
        let Some(change) = change else { return Err(wrong(&step.address, "the plan does not touch this policy")) };
        let number = |id: &&String| id.strip_prefix('v').and_then(|number| number.parse::<u64>().ok());
        let others = change.target.versions.iter().filter(|id| Some(*id) != change.target.default_version.as_ref());
        let oldest = others.min_by_key(number);
        if change.target.versions.len() < SLOTS {
            return Err(wrong(&step.address, "a version is to go, and there is room"));
        }
        if oldest.map(|id| VersionRef::Id(id.clone())).as_ref() != Some(&version.version) {
            return Err(wrong(&step.address, format!("{} is to go, and is not the oldest", version.version)));
        }
        evict.insert(policy.clone(), version.clone());
    }
    Ok(evict)
}

/// Says whether the steps of a journal are those of its plan; those of a rollback, whether they follow from the journal that it
/// took back, and so on. `plan` is what is found where the first journal says; `taken_back` are the journals from the one that
/// this one took back to the first, each as it stood when the one before was planned.
///
/// # Errors
/// When they are not.
pub fn bearing(history: &History, plan: Option<&Plan>, taken_back: &[History]) -> Result<Bearing, DeriveError> {
    let begin = history.begin();
    match &begin.origin {
        Origin::Plan { digest } => {
            let Some(plan) = plan.filter(|plan| plan.digest == *digest) else {
                return Ok(Bearing::Unknown("the plan that it was made from is not there any more".to_owned()));
            };
            let units: BTreeSet<&str> = history.steps().iter().map(|step| step.unit.as_str()).collect();
            let chosen: Vec<&Change> = plan.changes.iter().filter(|change| units.contains(change.unit())).collect();
            let place = Place { account: &plan.account.id, partition: &plan.account.partition };
            let is_there = begin.destination.account == plan.account.id
                && begin.destination.partition == plan.account.partition
                && begin.destination.endpoint == plan.account.endpoint;
            match is_there && steps(&chosen, &evicted(history, plan)?, place)? == begin.steps {
                true => Ok(Bearing::Borne),
                false => Err(wrong("journal", "its steps are not those of the plan: it was edited")),
            }
        }
        Origin::Rollback { journal, head, .. } => {
            approved(history)?;
            let Some((below, rest)) = taken_back.split_first().filter(|(below, _)| below.begin().id == *journal) else {
                return Ok(Bearing::Unknown(format!("{journal}, which it took back, is not there any more")));
            };
            if below.begin().destination != begin.destination {
                return Err(wrong("journal", format!("it leads elsewhere than {journal}: it was edited")));
            }
            if below.head() != *head {
                return Ok(Bearing::Unknown(format!("{journal}, which it took back, is not what it was then")));
            }
            inverse::check(history, below)?;
            match (since(history, below)?, bearing(below, plan, rest)?) {
                (Some(why), _) => Ok(Bearing::Unknown(why)),
                (None, said) => Ok(said),
            }
        }
    }
}

/// Says what the journal below bears behind the record up to which the rollback follows from it, where that cannot be told from what
/// was not there yet when the rollback was planned. As long as a rollback is open, nothing goes on below it; when it ends, it is noted
/// there before anything else is.
///
/// # Errors
/// When the journal below went on before the rollback can have ended: it was planned by what was there later, or has ended since.
fn since(history: &History, below: &History) -> Result<Option<String>, DeriveError> {
    let (own, id) = (history.by_now(), &below.begin().id);
    let (mut went_on, mut other) = (false, None);
    for record in below.later() {
        match record {
            Record::RolledBack { journal, .. }
            | Record::TakenBack { journal, .. }
            | Record::DoneAgain { journal, .. } => {
                if *journal == own.begin().id {
                    break;
                }
                // One that takes this one back is noted in both.
                if !own.is_noted(journal) {
                    other.get_or_insert(journal);
                }
            }
            Record::Intent { .. }
            | Record::Done { .. }
            | Record::Failed { .. }
            | Record::Skipped { .. }
            | Record::Resumed { .. } => went_on = true,
            Record::Begin(_) | Record::Stopped { .. } | Record::End { .. } | Record::Abandoned { .. } => {}
        }
    }
    let must_be_noted = match own.state() {
        State::Open => true,
        State::Done => below.note(&own, true).is_some(),
        _ => false,
    };
    // One that was taken back, or done again, may have ended more than once.
    if went_on && must_be_noted && !own.has_notes() {
        let detail = format!(
            "{id}, which it takes back, went on behind what it follows from: one of them was edited, or is an older copy"
        );
        return Err(wrong("journal", detail));
    }
    Ok(match other {
        _ if went_on => Some(format!("{id}, which it took back, has gone on since")),
        Some(other) => Some(format!("{other} took {id} back too, and did so before this one had ended")),
        None => None,
    })
}
