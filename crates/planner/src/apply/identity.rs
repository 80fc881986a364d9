//! Which policy a journal means: somebody may delete one and make another of its name, and no two have the same id.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>.

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::{Sha256, fingerprint};

use super::cloud::LivePolicy;
use super::journal::{History, Progress};
use super::step::{Effect, Step};

/// Returns the id that AWS gave to a policy that a journal created, if nobody took that back.
fn created(history: &History, policy: &Arn) -> Option<String> {
    let steps = history.steps().iter().enumerate().filter(|(at, _)| !history.is_taken_back(*at));
    steps.filter(|(_, step)| creates(step, policy)).find_map(|(at, _)| match history.progress(at) {
        Progress::Done { wrote, .. } | Progress::Skipped { found: wrote, .. } => wrote.unique_id.clone(),
        Progress::Open | Progress::Intended { .. } => None,
    })
}

pub(super) fn creates(step: &Step, policy: &Arn) -> bool {
    matches!(&step.effect, Effect::CreatePolicy { policy: own, .. } if own == policy)
}

/// Returns what a policy said when one of some steps created it.
pub(super) fn created_with(steps: &[Step], policy: &Arn) -> Option<Sha256> {
    steps.iter().find_map(|step| match &step.effect {
        Effect::CreatePolicy { policy: own, document, .. } if own == policy => Some(fingerprint(document)),
        _ => None,
    })
}

pub(super) fn deletes(step: &Step, policy: &Arn) -> bool {
    matches!(&step.effect, Effect::DeletePolicy { policy: own, .. } if own == policy)
}

/// Returns the id of the policy that a step of a journal attaches or detaches; none where nobody has heard of it, or where what the
/// journal deleted was made anew since: that has another one.
pub(super) fn id_of(history: &History, step: &Step, policy: &Arn) -> Option<String> {
    match is_made_anew(history, policy) {
        true => None,
        false => step.unique_id.clone().or_else(|| created(history, policy)),
    }
}

/// Whether a policy that a journal deleted was made anew since.
fn is_made_anew(history: &History, policy: &Arn) -> bool {
    history.steps().iter().enumerate().any(|(at, step)| deletes(step, policy) && history.is_taken_back(at))
}

/// Whether it is in doubt whether a journal created a policy: its id is not known then.
pub(super) fn is_in_doubt(history: &History, policy: &Arn) -> bool {
    let is_in_doubt =
        |at| matches!(history.progress(at), Progress::Intended { .. }) || history.doubted_since(at).is_some();
    history.steps().iter().enumerate().any(|(at, step)| creates(step, policy) && is_in_doubt(at))
}

/// Returns the id of a customer-managed policy that some steps are about, or stand beside. `history` is that of the steps, where they
/// have one.
pub(super) fn known(steps: &[Step], history: Option<&History>, policy: &Arn) -> Option<String> {
    if policy.is_aws_managed_policy() || history.is_some_and(|history| is_made_anew(history, policy)) {
        return None;
    }
    let own = |step: &Step| step.unique_id.clone().filter(|_| step.effect.policy() == Some(policy));
    let beside = |step: &Step| {
        let held = step.beside.iter().filter(|held| held.policy == *policy);
        held.filter_map(|held| held.unique_id.clone()).next()
    };
    let created = || history.and_then(|history| created(history, policy));
    steps.iter().find_map(own).or_else(created).or_else(|| steps.iter().find_map(beside))
}

/// Says why what was read of a policy is not the one of this id, if it is not.
pub(super) fn other_than(live: Option<&LivePolicy>, id: Option<&str>) -> Option<String> {
    match (live, id) {
        (None, _) => Some("the policy is gone".to_owned()),
        (Some(live), Some(id)) if live.unique_id != id => {
            Some(format!("the policy was deleted and made again: it is {}, and was {id}", live.unique_id))
        }
        (Some(_), _) => None,
    }
}
