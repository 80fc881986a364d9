//! Whether what is expected of the surroundings of a step is still so: who holds the policy, and how; what it says.

use std::collections::BTreeSet;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::{Sha256, fingerprint};

use super::cloud::{CallError, EntityKind, EntityRef, LiveEntity, Reads};
use super::step::{Effect, Step};
use crate::plan::{ExpectedHolder, Expects};

/// Says what of a plan's expectations around a step is no longer so: who holds the policy, and how. Those who were seen to be gone
/// need not hold it.
///
/// # Errors
/// When AWS does not answer.
pub fn surroundings(reads: &impl Reads, step: &Step, gone: &BTreeSet<EntityRef>) -> Result<Option<String>, CallError> {
    let Some(expects) = &step.expects else { return Ok(None) };
    match &step.effect {
        Effect::CreateVersion { policy, .. }
        | Effect::DeleteVersion { policy, .. }
        | Effect::SetDefault { policy, .. } => {
            let attached = reads.attached_to(policy)?;
            let now: BTreeSet<String> = attached.iter().map(|own| own.entity.to_string()).collect();
            let then: BTreeSet<String> = expects.attachments.iter().cloned().collect();
            if let Some(new) = now.difference(&then).next() {
                return Ok(Some(format!("{new} has got it since the plan")));
            }
            if let Some(lost) = then.difference(&now).find(|who| !is_one_of(who, gone)) {
                return Ok(Some(format!("{lost} has lost it since the plan")));
            }
            if let Some(detail) = attached.iter().find_map(|own| other_group(expects, own)) {
                return Ok(Some(detail));
            }
            let live = reads.policy(policy)?;
            if live.is_some_and(|live| live.boundary_count > 0) != expects.boundary_use {
                return Ok(Some("its use as permissions boundary is not what it was".to_owned()));
            }
            holders(reads, expects, attached, gone)
        }
        Effect::Attach { entity, policy } => {
            // One that this journal creates is looked at as what was done before.
            match changed(reads, expects, policy)? {
                Some(detail) => Ok(Some(detail)),
                None => members(reads, expects, entity, gone),
            }
        }
        Effect::Detach { entity, policy } => match changed(reads, expects, policy)? {
            // What AWS makes of its own policies was never the plan's.
            Some(detail) if !policy.is_aws_managed_policy() => Ok(Some(detail)),
            _ => members(reads, expects, entity, gone),
        },
        Effect::PutInline { entity, .. } | Effect::DeleteInline { entity, .. } => members(reads, expects, entity, gone),
        Effect::CreatePolicy { .. } | Effect::DeletePolicy { .. } | Effect::SetKey { .. } => Ok(None),
    }
}

fn is_one_of(who: &str, gone: &BTreeSet<EntityRef>) -> bool {
    EntityRef::of_address(who).is_some_and(|entity| gone.contains(&entity))
}

/// Says that a group is another one than the group of its name that was expected, where one was.
pub(super) fn other_group(expects: &Expects, live: &LiveEntity) -> Option<String> {
    let is_it = |group: &&ExpectedHolder| {
        live.entity.kind == EntityKind::Group
            && group.arn.name() == live.entity.name
            && group.unique_id != live.unique_id
    };
    let then = expects.groups.iter().find(is_it)?;
    Some(format!("{} was deleted and made again: it is {}, and was {}", live.entity, live.unique_id, then.unique_id))
}

/// Says that the document in force is not the one that is expected, where one is.
fn changed(reads: &impl Reads, expects: &Expects, policy: &Arn) -> Result<Option<String>, CallError> {
    let Some(expected) = expects.document else { return Ok(None) };
    let is_same = in_force(reads, policy)? == Some(expected);
    Ok((!is_same).then(|| format!("{} is no longer what it was", policy.resource())))
}

/// The fingerprint of the document that is in force; none where there is no such policy.
pub(super) fn in_force(reads: &impl Reads, policy: &Arn) -> Result<Option<Sha256>, CallError> {
    let document = match reads.policy(policy)? {
        Some(live) => reads.version(policy, &live.default_version)?,
        None => None,
    };
    Ok(document.map(|document| fingerprint(&document)))
}

/// The members of a group, which hold what it bears.
fn members(
    reads: &impl Reads,
    expects: &Expects,
    entity: &EntityRef,
    gone: &BTreeSet<EntityRef>,
) -> Result<Option<String>, CallError> {
    if entity.kind != EntityKind::Group {
        return Ok(None);
    }
    let live = LiveEntity { entity: entity.clone(), unique_id: String::new() };
    holders(reads, expects, vec![live], gone)
}

/// Whether those who hold something by these entities are those who were expected.
fn holders(
    reads: &impl Reads,
    expects: &Expects,
    entities: Vec<LiveEntity>,
    gone: &BTreeSet<EntityRef>,
) -> Result<Option<String>, CallError> {
    let mut now: BTreeSet<(String, String)> = BTreeSet::new();
    for live in entities {
        match live.entity.kind {
            EntityKind::Group => {
                let members = reads.members(&live.entity.name)?;
                let mut expected: BTreeSet<String> = BTreeSet::new();
                let group = live.entity.to_string();
                for membership in &expects.memberships {
                    if let Some(user) = membership.strip_suffix(&format!(" in {group}")) {
                        expected.insert(user.to_owned());
                    }
                }
                let there: BTreeSet<String> = members.iter().map(|member| member.entity.to_string()).collect();
                if let Some(new) = there.difference(&expected).next() {
                    return Ok(Some(format!("{new} has joined {group} since the plan")));
                }
                if let Some(left) = expected.difference(&there).find(|who| !is_one_of(who, gone)) {
                    return Ok(Some(format!("{left} has left {group} since the plan")));
                }
                now.extend(members.into_iter().map(|member| (member.entity.to_string(), member.unique_id)));
            }
            _ => {
                now.insert((live.entity.to_string(), live.unique_id));
            }
        }
    }
    let then: BTreeSet<(String, String)> = (expects.holders.iter())
        .map(|holder| (format!("{}/{}", holder.arn.resource_type(), holder.arn.name()), holder.unique_id.clone()))
        .collect();
    Ok(now.difference(&then).next().map(|(who, id)| format!("{who} ({id}) is not who held it when the plan was made")))
}
