//! What is exchanged for what: a policy for its pruned copy, or what a policy was for the parts beside it.
//!
//! Whoever gets something by a write must still have what it takes the place of; whoever loses something must have what
//! takes its place. Nobody asks whose doing it is that they do not: a step that was kept, or passed over, counts like one
//! that somebody else made. Who is gone lacks nothing, and needs nothing. It is looked at before the first write and again at each, on every way: apply, going on, going
//! back, and back from there.

use std::collections::BTreeMap;

use secateur_analyzer::arn::Arn;
use serde::{Deserialize, Serialize};

use super::cloud::{CallError, EntityRef, Reads};
use super::step::{Effect, Step};

/// An attachment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Who has the policy.
    pub entity: EntityRef,
    /// The policy.
    pub policy: Arn,
}

/// Returns what must be attached when a step is made: what its unit exchanges it for, and what the step itself bears.
pub(super) fn beside(steps: &[Step], at: usize) -> Vec<Held> {
    let Some(step) = steps.get(at) else { return Vec::new() };
    let mut all = step.beside.clone();
    for own in steps.iter().filter(|own| own.unit == step.unit) {
        let held = other_side(&step.effect, &own.effect).filter(|held| !all.contains(held));
        all.extend(held);
    }
    all
}

/// The attachment of a unit's other step that is the other side of a step.
fn other_side(step: &Effect, other: &Effect) -> Option<Held> {
    let held = |entity: &EntityRef, policy: &Arn| Held { entity: entity.clone(), policy: policy.clone() };
    match (step, other) {
        (Effect::Attach { entity, policy }, Effect::Detach { entity: who, policy: own })
        | (Effect::Detach { entity, policy }, Effect::Attach { entity: who, policy: own }) => {
            (entity == who && policy != own).then(|| held(entity, own))
        }
        // Parts stand beside what is left of a policy.
        (
            Effect::Attach { entity, policy } | Effect::Detach { entity, policy },
            Effect::SetDefault { policy: own, .. },
        ) => (policy != own).then(|| held(entity, own)),
        (
            Effect::SetDefault { policy, .. },
            Effect::Attach { entity, policy: own } | Effect::Detach { entity, policy: own },
        ) => (policy != own).then(|| held(entity, own)),
        _ => None,
    }
}

/// Who has what, as it was read, and as the steps before leave it.
#[derive(Debug)]
struct Attached<'a, R> {
    reads: &'a R,
    /// None where there is no such entity: it lacks nothing, and needs nothing.
    known: BTreeMap<EntityRef, Option<Vec<Arn>>>,
}

impl<R: Reads> Attached<'_, R> {
    fn of(&mut self, entity: &EntityRef) -> Result<Option<&mut Vec<Arn>>, CallError> {
        if !self.known.contains_key(entity) {
            let attached = self.reads.attached(entity)?;
            self.known.insert(entity.clone(), attached);
        }
        Ok(self.known.get_mut(entity).and_then(Option::as_mut))
    }

    fn missing(&mut self, effect: &Effect, beside: &[Held]) -> Result<Option<String>, CallError> {
        for held in beside {
            if self.of(&held.entity)?.is_some_and(|attached| !attached.contains(&held.policy)) {
                return Ok(Some(why(effect, held)));
            }
        }
        Ok(None)
    }

    fn make(&mut self, effect: &Effect) -> Result<(), CallError> {
        match effect {
            Effect::Attach { entity, policy } => {
                if let Some(attached) = self.of(entity)? {
                    attached.push(policy.clone());
                }
            }
            Effect::Detach { entity, policy } => {
                if let Some(attached) = self.of(entity)? {
                    attached.retain(|own| own != policy);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn why(effect: &Effect, held: &Held) -> String {
    let (who, what) = (&held.entity, held.policy.resource());
    let then = match effect {
        Effect::Attach { .. } => "this takes its place, and would give them more than they have",
        Effect::Detach { .. } => "it is to take the place of this, and they would be left with neither",
        _ => "it stands beside what is changed here",
    };
    format!("{who} does not have {what}, by somebody else's doing: {then}")
}

/// Says who lacks what they must have when a step of a journal is made, if somebody does.
///
/// # Errors
/// When AWS does not answer.
pub(super) fn missing(reads: &impl Reads, steps: &[Step], at: usize) -> Result<Option<String>, CallError> {
    let Some(step) = steps.get(at) else { return Ok(None) };
    Attached { reads, known: BTreeMap::new() }.missing(&step.effect, &beside(steps, at))
}

/// Says of each of some steps, which are made one after the other, who would lack then what they must have.
///
/// # Errors
/// When AWS does not answer.
pub(super) fn broken(
    reads: &impl Reads,
    steps: &[Step],
    to_make: impl Iterator<Item = usize>,
) -> Result<Vec<(usize, String)>, CallError> {
    let mut attached = Attached { reads, known: BTreeMap::new() };
    let mut found = Vec::new();
    for at in to_make {
        let Some(step) = steps.get(at) else { continue };
        if let Some(detail) = attached.missing(&step.effect, &beside(steps, at))? {
            found.push((at, detail));
        }
        attached.make(&step.effect)?;
    }
    Ok(found)
}
