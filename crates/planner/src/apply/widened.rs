//! Who would get, by a rollback, what they did not have: those who have come to hold a policy since.

use std::collections::BTreeSet;

use secateur_analyzer::arn::Arn;

use super::cloud::{CallError, EntityKind, EntityRef, Reads};
use super::step::{Effect, Step};
use crate::plan::Expects;

/// Says of a step of an apply who has come to hold what its inverse gives more again: each a sentence.
///
/// # Errors
/// When AWS does not answer.
pub(super) fn widened(reads: &impl Reads, step: &Step) -> Result<Vec<String>, CallError> {
    let Some(expects) = &step.expects else { return Ok(Vec::new()) };
    match &step.effect {
        Effect::SetDefault { policy, .. } => of_policy(reads, expects, policy),
        Effect::PutInline { entity, .. } | Effect::DeleteInline { entity, .. } | Effect::Detach { entity, .. } => {
            joined(reads, expects, entity)
        }
        _ => Ok(Vec::new()),
    }
}

fn of_policy(reads: &impl Reads, expects: &Expects, policy: &Arn) -> Result<Vec<String>, CallError> {
    let then: BTreeSet<&str> = expects.attachments.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for live in reads.attached_to(policy)? {
        if then.contains(live.entity.to_string().as_str()) {
            found.extend(joined(reads, expects, &live.entity)?);
        } else {
            found.push(format!("{} has got it since, and gets this too", live.entity));
        }
    }
    if !expects.boundary_use && reads.policy(policy)?.is_some_and(|live| live.boundary_count > 0) {
        found.push("it has become a permissions boundary, and lets through more again".to_owned());
    }
    Ok(found)
}

fn joined(reads: &impl Reads, expects: &Expects, entity: &EntityRef) -> Result<Vec<String>, CallError> {
    if entity.kind != EntityKind::Group {
        return Ok(Vec::new());
    }
    let is_new = |membership: &String| !expects.memberships.contains(membership);
    let members = reads.members(&entity.name)?.into_iter().map(|member| format!("{} in {entity}", member.entity));
    Ok(members.filter(is_new).map(|membership| format!("{membership} is new, and gets this too")).collect())
}
