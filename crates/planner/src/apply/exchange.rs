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
    /// What the policy must say in force, where that matters: whoever gets or loses a part of a policy must have the policy as it
    /// was before it was split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Sha256>,
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
    let held = |entity: &EntityRef, policy: &Arn, whole: Option<&Version>| Held {
        entity: entity.clone(),
        policy: policy.clone(),
        document: whole.map(|whole| fingerprint(&whole.document)),
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
    /// The ids of policies, where they are known.
    ids: BTreeMap<Arn, String>,
    /// Why policies are not those that are meant, as far as that was asked.
    others: BTreeMap<Arn, Option<String>>,
    /// None where there is no such entity: it lacks nothing, and needs nothing.
    known: BTreeMap<EntityRef, Option<Vec<Arn>>>,
    /// What policies say in force.
    said: BTreeMap<Arn, Option<Sha256>>,
}

impl<'a, R: Reads> Attached<'a, R> {
    fn new(reads: &'a R, steps: &'a [Step], history: Option<&History>) -> Attached<'a, R> {
        let ids = identity::known(steps, history);
        let (others, known, said) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Attached { reads, steps, ids, others, known, said }
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
            if held.document.is_none()
                && let Some(detail) = self.edited(effect, held)?
            {
                return Ok(Some(detail));
            }
            if held.document.is_some() && self.says(&held.policy)? != held.document {
                let mends = mend::says_again(self.reads, &held.policy, held.document)?;
                return Ok(Some(format!("{}: {mends}", why_not_whole(effect, held))));
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
        let Some(expected) = held.document.or_else(|| self.expected(&held.policy)) else {
            return Ok(mend::attach(&held.entity, &held.policy));
        };
        match self.says(&held.policy)? {
            Some(now) if now == expected => Ok(mend::attach(&held.entity, &held.policy)),
            _ => Ok("the policy says something else now than it did then, and who gets it gets that".to_owned()),
        }
    }

    /// Says so where a policy that is exchanged for another says something else than what was reviewed. What AWS makes of its own is
    /// AWS's.
    fn edited(&mut self, effect: &Effect, held: &Held) -> Result<Option<String>, CallError> {
        let Some(expected) = self.expected(&held.policy).filter(|_| !held.policy.is_aws_managed_policy()) else {
            return Ok(None);
        };
        if self.says(&held.policy)? == Some(expected) {
            return Ok(None);
        }
        let mends = mend::by_version(self.reads, &held.policy, Some(expected))?;
        let mends = mends.unwrap_or_else(|| "no version of it says that any more".to_owned());
        Ok(Some(format!("{}: {mends}", why_not_same(effect, held))))
    }

    /// What a policy said when a step attached or created it.
    fn expected(&self, policy: &Arn) -> Option<Sha256> {
        let reviewed = self.steps.iter().find_map(|step| match &step.effect {
            Effect::Attach { policy: own, .. } | Effect::Detach { policy: own, .. } if own == policy => {
                step.expects.as_ref()?.document
            }
            _ => None,
        });
        identity::created_with(self.steps, policy).or(reviewed)
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
        let other = identity::other_than(live.as_ref(), self.ids.get(policy).map(String::as_str));
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
        Effect::Attach { .. } => "this takes its place, and would give them something else than they have",
        Effect::Detach { .. } => "it is to take the place of this, and would leave them with something else",
        _ => "it stands beside what is changed here",
    };
    format!("{what}, which {who} has, does not say what it said when this was reviewed: {then}")
}

fn why_not_whole(effect: &Effect, held: &Held) -> String {
    let (who, what) = (&held.entity, held.policy.resource());
    let then = match effect {
        Effect::Attach { .. } => "with this part of it they would have more than they have",
        _ => "without this part of it they would be left with neither",
    };
    format!("{what}, which {who} has, does not say what it said before it was split: {then}")
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
        if let Some(detail) = attached.missing(&step.effect, &beside(steps, at))? {
            found.push((at, detail));
        }
        attached.make(&step.effect)?;
    }
    Ok(found)
}
