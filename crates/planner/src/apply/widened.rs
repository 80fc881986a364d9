//! Who would get, by a rollback, what they did not have: those who have come to hold a policy since. By a rollback that takes
//! away, they would lose it.

use std::collections::BTreeSet;

use secateur_analyzer::arn::Arn;

use super::cloud::{CallError, EntityKind, EntityRef, LiveEntity, Reads};
use super::journal::History;
use super::rollback::{Kept, Rollback, RollbackError};
use super::step::{Effect, Step};
use super::surroundings::{in_force, other_group};
use crate::plan::Expects;

/// Whether a way back gives permissions, or takes them away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It takes an apply back.
    Gives,
    /// It takes back what took an apply back.
    TakesAway,
    /// A journal above is gone: nobody can tell.
    Unknown,
}

impl Rollback {
    /// Marks who loses by it what they came to have since, where it takes away what `history` gave, or may do so.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub fn directed(
        mut self,
        reads: &impl Reads,
        history: &History,
        direction: Direction,
    ) -> Result<Rollback, RollbackError> {
        if direction != Direction::Gives {
            self.widened = marks(reads, self.proposal.steps().iter(), history, direction)?;
        }
        Ok(self)
    }
}

/// Says of steps that take a journal back who has come to hold since what they give, or take away.
///
/// # Errors
/// When AWS does not answer.
pub fn marks<'a>(
    reads: &impl Reads,
    steps: impl Iterator<Item = &'a Step>,
    history: &History,
    direction: Direction,
) -> Result<Vec<Kept>, CallError> {
    let words = match direction {
        Direction::Gives => GETS,
        Direction::TakesAway => LOSES,
        Direction::Unknown => EITHER,
    };
    let mut all = Vec::new();
    for step in steps {
        let is_it = |own: &&Step| own.address == step.address && step.effect.undoes(&own.effect);
        let Some(own) = history.steps().iter().find(is_it) else { continue };
        let found = match direction {
            Direction::Gives => widened(reads, own)?,
            Direction::TakesAway | Direction::Unknown => {
                let Some(expects) = &own.expects else { continue };
                // What AWS made of its own policy counts where somebody gets it.
                let mut found = match (&step.effect, direction) {
                    (Effect::Attach { policy, .. }, Direction::Unknown) => changed_by_aws(reads, expects, policy)?,
                    _ => Vec::new(),
                };
                found.extend(match &step.effect {
                    Effect::SetDefault { policy, .. } => of_policy(reads, expects, policy, words)?,
                    Effect::Attach { entity, .. } if direction == Direction::Unknown => {
                        joined(reads, expects, entity, words)?
                    }
                    Effect::Detach { entity, .. }
                    | Effect::PutInline { entity, .. }
                    | Effect::DeleteInline { entity, .. } => joined(reads, expects, entity, words)?,
                    _ => Vec::new(),
                });
                found
            }
        };
        all.extend(found.into_iter().map(|detail| Kept { address: step.address.clone(), detail }));
    }
    Ok(all)
}

/// What becomes of whoever came since: in words; and of those whom a boundary holds.
#[derive(Clone, Copy)]
struct Words {
    who: &'static str,
    boundary: &'static str,
}

const GETS: Words = Words { who: "gets this too", boundary: "lets through more again" };
const LOSES: Words = Words { who: "loses this too", boundary: "lets through less again" };
const EITHER: Words = Words { who: "gets or loses this too", boundary: "lets through more or less again" };

/// Says of a step of an apply who has come to hold what its inverse gives more again: each a sentence.
///
/// # Errors
/// When AWS does not answer.
pub(super) fn widened(reads: &impl Reads, step: &Step) -> Result<Vec<String>, CallError> {
    let Some(expects) = &step.expects else { return Ok(Vec::new()) };
    match &step.effect {
        Effect::SetDefault { policy, .. } => of_policy(reads, expects, policy, GETS),
        Effect::Detach { entity, policy } => {
            let mut found = changed_by_aws(reads, expects, policy)?;
            found.extend(joined(reads, expects, entity, GETS)?);
            Ok(found)
        }
        Effect::PutInline { entity, .. } | Effect::DeleteInline { entity, .. } => joined(reads, expects, entity, GETS),
        _ => Ok(Vec::new()),
    }
}

fn of_policy(reads: &impl Reads, expects: &Expects, policy: &Arn, words: Words) -> Result<Vec<String>, CallError> {
    let then: BTreeSet<&str> = expects.attachments.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for live in reads.attached_to(policy)? {
        if is_another(expects, &live) || other_group(expects, &live).is_some() {
            found.push(format!("{} was made anew since, and {}", live.entity, words.who));
        } else if then.contains(live.entity.to_string().as_str()) {
            found.extend(joined(reads, expects, &live.entity, words)?);
        } else {
            found.push(format!("{} has got it since, and {}", live.entity, words.who));
        }
    }
    if !expects.boundary_use && reads.policy(policy)?.is_some_and(|live| live.boundary_count > 0) {
        found.push(format!("it has become a permissions boundary, and {}", words.boundary));
    }
    Ok(found)
}

/// A policy of AWS that says something else than when it was detached: it comes back as AWS keeps it now.
fn changed_by_aws(reads: &impl Reads, expects: &Expects, policy: &Arn) -> Result<Vec<String>, CallError> {
    let Some(then) = expects.document.filter(|_| policy.is_aws_managed_policy()) else { return Ok(Vec::new()) };
    let is_other = in_force(reads, policy)?.is_some_and(|now| now != then);
    let detail = || format!("AWS has changed {} since: it comes back with what it says now", policy.resource());
    Ok(is_other.then(detail).into_iter().collect())
}

fn joined(reads: &impl Reads, expects: &Expects, entity: &EntityRef, words: Words) -> Result<Vec<String>, CallError> {
    if entity.kind != EntityKind::Group {
        return Ok(Vec::new());
    }
    let is_new = |member: &LiveEntity| {
        is_another(expects, member) || !expects.memberships.contains(&format!("{} in {entity}", member.entity))
    };
    let members = reads.members(&entity.name)?.into_iter().filter(is_new);
    Ok(members.map(|member| format!("{} in {entity} is new, and {}", member.entity, words.who)).collect())
}

/// Whether the step expected somebody else by this name: a user or role that was deleted and made again has another id.
fn is_another(expects: &Expects, live: &LiveEntity) -> bool {
    expects.holders.iter().any(|holder| {
        let name = format!("{}/{}", holder.arn.resource_type(), holder.arn.name());
        name == live.entity.to_string() && holder.unique_id != live.unique_id
    })
}
