//! What is exchanged for what: a policy for its pruned copy, or what a policy was for the parts beside it.
//!
//! Whoever gets something by a write must still have what it takes the place of; whoever loses something must have what
//! takes its place. Nobody asks whose doing it is that they do not: a step that was kept, or passed over, counts like one
//! that somebody else made. Who is gone lacks nothing, and needs nothing. It is looked at before the first write and again at each, on every way: apply, going on, going
//! back, and back from there.

use std::collections::BTreeMap;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::{Sha256, fingerprint};
use serde::{Deserialize, Serialize};

use super::cloud::{CallError, EntityRef, Reads};
use super::identity;
use super::journal::History;
use super::mend;
use super::step::{Effect, Step, Version};
use super::surroundings::in_force;

/// An attachment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Who has the policy.
    pub entity: EntityRef,
    /// The policy.
    pub policy: Arn,
    /// What the policy must say in force, where that is known and not said by a step of its own: whoever gets or loses a part of a
    /// policy must have the policy as it was before it was split, and on the way back what was exchanged must say what it said then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Sha256>,
    /// The id of the policy, where it is known and not said by a step of its own: one that was made again is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_id: Option<String>,
}

impl Held {
    /// Whether this asks for all that another asks for.
    fn covers(&self, other: &Held) -> bool {
        self.entity == other.entity
            && self.policy == other.policy
            && (other.document.is_none() || other.document == self.document)
            && (other.unique_id.is_none() || other.unique_id == self.unique_id)
    }
}

/// Returns what must be attached when a step is made: what its unit exchanges it for, and what the step itself bears.
pub(super) fn beside(steps: &[Step], at: usize) -> Vec<Held> {
    let Some(step) = steps.get(at) else { return Vec::new() };
    let mut all = step.beside.clone();
    for own in steps.iter().filter(|own| own.unit == step.unit) {
        let held = other_side(&step.effect, &own.effect).filter(|held| !all.iter().any(|own| own.covers(held)));
        all.extend(held);
    }
    all
}

/// Whether a step of a later journal changes what a step of an earlier one rests on, at another address: what a policy says that is
/// written to or stands beside it, or who has a policy that it created.
pub fn moves(later: &Step, steps: &[Step], at: usize) -> bool {
    let Some(step) = steps.get(at) else { return false };
    match &later.effect {
        Effect::SetDefault { policy, to, .. } => {
            let held = beside(steps, at).into_iter().find(|held| held.policy == *policy);
            let rests = held.is_some() || step.effect.policy() == Some(policy);
            let needed = held.and_then(|held| held.document).or_else(|| reviewed(steps, policy));
            rests && needed.is_some_and(|needed| needed != fingerprint(&to.document))
        }
        Effect::Detach { entity, policy } => {
            beside(steps, at).iter().any(|held| held.entity == *entity && held.policy == *policy)
        }
        Effect::Attach { policy, .. } => {
            matches!(&step.effect, Effect::CreatePolicy { policy: own, .. } if own == policy)
        }
        _ => false,
    }
}

/// The attachment of a unit's other step that is the other side of a step.
fn other_side(step: &Effect, other: &Effect) -> Option<Held> {
    let held = |entity: &EntityRef, policy: &Arn, whole: Option<&Version>| Held {
        entity: entity.clone(),
        policy: policy.clone(),
        document: whole.map(|whole| fingerprint(&whole.document)),
        unique_id: None,
    };
    match (step, other) {
        (Effect::Attach { entity, policy }, Effect::Detach { entity: who, policy: own })
        | (Effect::Detach { entity, policy }, Effect::Attach { entity: who, policy: own }) => {
            (entity == who && policy != own).then(|| held(entity, own, None))
        }
        // Parts come before a policy becomes narrower, and go when it is whole again: with less of it, whoever loses a part would
        // have neither, and whoever gets one would have more than somebody left them.
        (Effect::Attach { entity, policy }, Effect::SetDefault { policy: own, from: whole, .. })
        | (Effect::Detach { entity, policy }, Effect::SetDefault { policy: own, to: whole, .. }) => {
            (policy != own).then(|| held(entity, own, Some(whole)))
        }
        // Parts stand beside what is left of a policy.
        (
            Effect::SetDefault { policy, .. },
            Effect::Attach { entity, policy: own } | Effect::Detach { entity, policy: own },
        ) => (policy != own).then(|| held(entity, own, None)),
        _ => None,
    }
}

/// Who has what, as it was read, and as the steps before leave it.
#[derive(Debug)]
struct Attached<'a, R> {
    reads: &'a R,
    steps: &'a [Step],
    /// That of the steps, where they have one.
    history: Option<&'a History>,
    /// Why policies are not those that are meant, as far as that was asked.
    others: BTreeMap<Arn, Option<String>>,
    /// None where there is no such entity: it lacks nothing, and needs nothing.
    known: BTreeMap<EntityRef, Option<Vec<Arn>>>,
    /// What policies say in force.
    said: BTreeMap<Arn, Option<Sha256>>,
}

impl<'a, R: Reads> Attached<'a, R> {
    fn new(reads: &'a R, steps: &'a [Step], history: Option<&'a History>) -> Attached<'a, R> {
        let (others, known, said) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Attached { reads, steps, history, others, known, said }
    }

    fn of(&mut self, entity: &EntityRef) -> Result<Option<&mut Vec<Arn>>, CallError> {
        if !self.known.contains_key(entity) {
            let attached = self.reads.attached(entity)?;
            self.known.insert(entity.clone(), attached);
        }
        Ok(self.known.get_mut(entity).and_then(Option::as_mut))
    }

    fn says(&mut self, policy: &Arn) -> Result<Option<Sha256>, CallError> {
        if let Some(known) = self.said.get(policy) {
            return Ok(*known);
        }
        let said = in_force(self.reads, policy)?;
        self.said.insert(policy.clone(), said);
        Ok(said)
    }

    fn missing(&mut self, effect: &Effect, beside: &[Held]) -> Result<Option<String>, CallError> {
        for held in beside {
            let Some(attached) = self.of(&held.entity)? else { continue };
            let has_it = attached.contains(&held.policy);
            // Another policy of its name is no more theirs than none.
            if let Some(other) = self.other(&held.policy)? {
                return Ok(Some(format!("{}: {other}, and nothing gives that back", why(effect, held))));
            }
            if !has_it {
                return Ok(Some(format!("{}: {}", why(effect, held), self.mends(held)?)));
            }
            if let Some(detail) = self.edited(effect, held)? {
                return Ok(Some(detail));
            }
        }
        Ok(None)
    }

    /// How somebody gets again what they lack, if it is still they, and it is there.
    fn mends(&mut self, held: &Held) -> Result<String, CallError> {
        let of_entity = |step: &&Step| step.effect.bearer().as_ref() == Some(&held.entity);
        let expected = self.steps.iter().filter(of_entity).find_map(|step| step.entity_id.as_deref());
        if let (Some(expected), Some(live)) = (expected, self.reads.entity(&held.entity)?)
            && live != *expected
        {
            return Ok(format!(
                "{} was deleted and made again since, as {live}, and is somebody else: it is not theirs",
                held.entity
            ));
        }
        match self.expected(held) {
            Some(expected) if self.says(&held.policy)? != Some(expected) => {
                Ok("the policy says something else now than it did then, and who gets it gets that".to_owned())
            }
            _ => Ok(mend::attach(&held.entity, &held.policy)),
        }
    }

    /// Says so where a policy that is exchanged for another says something else than what was reviewed.
    fn edited(&mut self, effect: &Effect, held: &Held) -> Result<Option<String>, CallError> {
        let Some(expected) = self.expected(held) else { return Ok(None) };
        if self.says(&held.policy)? == Some(expected) {
            return Ok(None);
        }
        Ok(Some(format!("{}: {}", why_not_same(effect, held), self.says_again(&held.policy, expected)?)))
    }

    /// Says so where what a step takes from somebody says something else than what was reviewed: it is somebody's work, and no write
    /// would do it. What is given is looked at where it is read.
    fn taken_edited(&mut self, step: &Step) -> Result<Option<String>, CallError> {
        let (Effect::Detach { policy, .. }, Some(expects)) = (&step.effect, &step.expects) else { return Ok(None) };
        let Some(expected) = expects.document.filter(|_| !policy.is_aws_managed_policy()) else { return Ok(None) };
        match self.says(policy)? {
            Some(now) if now != expected => {
                let mends = self.says_again(policy, expected)?;
                Ok(Some(format!("{} says something else now, and is not taken away: {mends}", policy.resource())))
            }
            _ => Ok(None),
        }
    }

    /// How a policy comes to say again what it said.
    fn says_again(&self, policy: &Arn, expected: Sha256) -> Result<String, CallError> {
        let is_it = |step: &Step| matches!(&step.effect, Effect::SetDefault { policy: own, .. } if own == policy);
        // The journal has what was in force before.
        if self.steps.iter().any(is_it) {
            return mend::says_again(self.reads, policy, Some(expected));
        }
        let mends = mend::by_version(self.reads, policy, Some(expected))?;
        Ok(mends.unwrap_or_else(|| "no version of it says that any more".to_owned()))
    }

    /// What the policy of an attachment is to say. What AWS makes of its own is AWS's.
    fn expected(&self, held: &Held) -> Option<Sha256> {
        let expected = held.document.or_else(|| reviewed(self.steps, &held.policy));
        expected.filter(|_| !held.policy.is_aws_managed_policy())
    }

    /// Why a policy is gone, or another one of its name.
    fn other(&mut self, policy: &Arn) -> Result<Option<String>, CallError> {
        if policy.is_aws_managed_policy() {
            return Ok(None);
        }
        if let Some(known) = self.others.get(policy) {
            return Ok(known.clone());
        }
        let live = self.reads.policy(policy)?;
        let id = identity::known(self.steps, self.history, policy);
        let other = identity::other_than(live.as_ref(), id.as_deref());
        self.others.insert(policy.clone(), other.clone());
        Ok(other)
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
            Effect::CreatePolicy { policy, document, .. } => {
                self.others.insert(policy.clone(), None);
                self.said.insert(policy.clone(), Some(fingerprint(document)));
            }
            Effect::SetDefault { policy, to, .. } => {
                self.said.insert(policy.clone(), Some(fingerprint(&to.document)));
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

fn why_not_same(effect: &Effect, held: &Held) -> String {
    let (who, what) = (&held.entity, held.policy.resource());
    let then = match effect {
        Effect::Attach { .. } => "this takes its place, and would give them something else than they have, or more",
        Effect::Detach { .. } => {
            "it takes the place of this, and they would be left with neither, or with something else"
        }
        _ => "it stands beside what is changed here",
    };
    format!("{what}, which {who} has, does not say what it said when this was reviewed: {then}")
}

/// What a policy said when a step attached, detached or created it.
pub(super) fn reviewed(steps: &[Step], policy: &Arn) -> Option<Sha256> {
    let reviewed = steps.iter().find_map(|step| match &step.effect {
        Effect::Attach { policy: own, .. } | Effect::Detach { policy: own, .. } if own == policy => {
            step.expects.as_ref()?.document
        }
        _ => None,
    });
    identity::created_with(steps, policy).or(reviewed)
}

/// Says who lacks what they must have when a step of a journal is made, if somebody does.
///
/// # Errors
/// When AWS does not answer.
pub(super) fn missing(reads: &impl Reads, history: &History, at: usize) -> Result<Option<String>, CallError> {
    let steps = history.steps();
    let Some(step) = steps.get(at) else { return Ok(None) };
    Attached::new(reads, steps, Some(history)).missing(&step.effect, &beside(steps, at))
}

/// Says of each of some steps, which are made one after the other, who would lack then what they must have. `history` is that of the
/// steps, where they have one already.
///
/// # Errors
/// When AWS does not answer.
pub(super) fn broken(
    reads: &impl Reads,
    (steps, history): (&[Step], Option<&History>),
    to_make: impl Iterator<Item = usize>,
) -> Result<Vec<(usize, String)>, CallError> {
    let mut attached = Attached::new(reads, steps, history);
    let mut found = Vec::new();
    for at in to_make {
        let Some(step) = steps.get(at) else { continue };
        let detail = match attached.missing(&step.effect, &beside(steps, at))? {
            Some(detail) => Some(detail),
            None => attached.taken_edited(step)?,
        };
        found.extend(detail.map(|detail| (at, detail)));
        attached.make(&step.effect)?;
    }
    Ok(found)
}
