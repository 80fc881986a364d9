//! What a rollback kept, since it was as before when it was planned: nobody wrote it then, and what is written beside it rests on it.

use std::collections::BTreeSet;

use secateur_analyzer::document::fingerprint;

use super::approval::Origin;
use super::cloud::{CallError, Reads};
use super::journal::History;
use super::look::{Stand, look};
use super::rollback::Kept;
use super::step::{Effect, Step, VersionRef};
use super::surroundings::in_force;

/// Says of what a rollback kept of some units what is not as before any more. `below` is the journal that it takes back, as it stood
/// when the rollback was planned.
///
/// # Errors
/// When AWS does not answer.
pub(super) fn moved(
    reads: &impl Reads,
    history: &History,
    below: &History,
    units: &BTreeSet<&str>,
) -> Result<Vec<Kept>, CallError> {
    let Origin::Rollback { kept, .. } = &history.begin().origin else { return Ok(Vec::new()) };
    let mut moved = Vec::new();
    for at in kept {
        let Some(step) = below.steps().get(*at).filter(|step| units.contains(step.unit.as_str())) else { continue };
        if let Some(now) = since(reads, below, (*at, step))? {
            let detail = format!("{}: it was as before when this was planned, and is not now: {now}", step.effect);
            moved.push(Kept { address: step.address.clone(), detail });
        }
    }
    Ok(moved)
}

/// Says of what a rollback kept, of other units than these, what is done: somebody has done it again since, or it was never as before.
/// Nothing rests on it, and the journal below counts as rolled back with it.
///
/// # Errors
/// When AWS does not answer.
pub(super) fn done_again(
    reads: &impl Reads,
    history: &History,
    below: &History,
    but: &BTreeSet<&str>,
) -> Result<Vec<Kept>, CallError> {
    let Origin::Rollback { kept, .. } = &history.begin().origin else { return Ok(Vec::new()) };
    let mut done = Vec::new();
    for at in kept {
        let Some(step) = below.steps().get(*at).filter(|step| !but.contains(step.unit.as_str())) else { continue };
        let is_known = match &step.effect {
            // One of an id that nobody heard of may be anybody's.
            Effect::CreateVersion { .. } => below.version(&VersionRef::CreatedBy(*at)).is_some(),
            // It is gone whoever deleted it, and does not come back.
            Effect::DeleteVersion { .. } => false,
            _ => true,
        };
        if is_known && matches!(look(reads, below, *at)?, Stand::After(_)) {
            let detail = format!("{}: it was as before when this was planned, and is done now", step.effect);
            done.push(Kept { address: step.address.clone(), detail });
        }
    }
    Ok(done)
}

/// Says what has become of what a step had started from, if it is not so any more. What this rollback itself writes beside it makes
/// no difference: a version, or a policy, that goes; those who get the policy again.
fn since(reads: &impl Reads, below: &History, (at, step): (usize, &Step)) -> Result<Option<String>, CallError> {
    let is_so = |is_so: bool, otherwise: String| Ok((!is_so).then_some(otherwise));
    match &step.effect {
        Effect::PutInline { .. } | Effect::DeleteInline { .. } | Effect::SetKey { .. } => {
            Ok(match look(reads, below, at)? {
                Stand::Before | Stand::Gone(_) => None,
                Stand::After(_) => Some("somebody else has done it again".to_owned()),
                Stand::Other(detail) => Some(detail),
            })
        }
        Effect::SetDefault { policy, from, .. } => {
            let says = in_force(reads, policy)?;
            is_so(says == Some(fingerprint(&from.document)), format!("{} says something else", policy.resource()))
        }
        Effect::Attach { entity, policy } | Effect::Detach { entity, policy } => {
            // Who is gone, or somebody else of the name, has nothing that was kept.
            let live = reads.entity(entity)?;
            if live.is_none() || (step.entity_id.is_some() && live != step.entity_id) {
                return Ok(None);
            }
            let has = reads.attached(entity)?.is_some_and(|attached| attached.contains(policy));
            let word = if has { "has" } else { "does not have" };
            is_so(has == matches!(step.effect, Effect::Detach { .. }), format!("{entity} {word} {}", policy.resource()))
        }
        Effect::CreatePolicy { policy, .. } => {
            is_so(reads.policy(policy)?.is_none(), format!("there is a {}", policy.resource()))
        }
        Effect::DeletePolicy { policy, document, .. } => {
            let says = in_force(reads, policy)?;
            is_so(says == Some(fingerprint(document)), format!("{} is gone, or says something else", policy.resource()))
        }
        // AWS gives no version an id that another has had: one that is there was never gone. Where nobody heard of its id, it may be
        // one that showed late.
        Effect::CreateVersion { policy, .. } => {
            let id = below.version(&VersionRef::CreatedBy(at));
            let is_there = id.is_some() && matches!(look(reads, below, at)?, Stand::After(_));
            is_so(!is_there, format!("{} of {} is there", id.unwrap_or_default(), policy.resource()))
        }
        // What was kept of it is what was never done.
        Effect::DeleteVersion { .. } => Ok(None),
    }
}
