//! Who would get, by a rollback, what they did not have: those who have come to hold a policy since.

use std::collections::BTreeSet;

use secateur_analyzer::arn::Arn;

use super::cloud::{CallError, EntityKind, EntityRef, LiveEntity, Reads};
use super::look::{in_force, other_group};
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
        Effect::Detach { entity, policy } => {
            let mut found = changed_by_aws(reads, expects, policy)?;
            found.extend(joined(reads, expects, entity)?);
            Ok(found)
        }
        Effect::PutInline { entity, .. } | Effect::DeleteInline { entity, .. } => joined(reads, expects, entity),
        _ => Ok(Vec::new()),
    }
}

fn of_policy(reads: &impl Reads, expects: &Expects, policy: &Arn) -> Result<Vec<String>, CallError> {
    let then: BTreeSet<&str> = expects.attachments.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for live in reads.attached_to(policy)? {
        if is_another(expects, &live) || other_group(expects, &live).is_some() {
            found.push(format!("{} was made anew since, and gets this too", live.entity));
        } else if then.contains(live.entity.to_string().as_str()) {
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

/// A policy of AWS that says something else than when it was detached: it comes back as AWS keeps it now.
fn changed_by_aws(reads: &impl Reads, expects: &Expects, policy: &Arn) -> Result<Vec<String>, CallError> {
    let Some(then) = expects.document.filter(|_| policy.is_aws_managed_policy()) else { return Ok(Vec::new()) };
    let is_other = in_force(reads, policy)?.is_some_and(|now| now != then);
    let detail = || format!("AWS has changed {} since: it comes back with what it says now", policy.resource());
    Ok(is_other.then(detail).into_iter().collect())
}

fn joined(reads: &impl Reads, expects: &Expects, entity: &EntityRef) -> Result<Vec<String>, CallError> {
    if entity.kind != EntityKind::Group {
        return Ok(Vec::new());
    }
    let is_new = |member: &LiveEntity| {
        is_another(expects, member) || !expects.memberships.contains(&format!("{} in {entity}", member.entity))
    };
    let members = reads.members(&entity.name)?.into_iter().filter(is_new);
    Ok(members.map(|member| format!("{} in {entity} is new, and gets this too", member.entity)).collect())
}

/// Whether the step expected somebody else by this name: a user or role that was deleted and made again has another id.
fn is_another(expects: &Expects, live: &LiveEntity) -> bool {
    expects.holders.iter().any(|holder| {
        let name = format!("{}/{}", holder.arn.resource_type(), holder.arn.name());
        name == live.entity.to_string() && holder.unique_id != live.unique_id
    })
}
