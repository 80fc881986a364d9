//! Who is gone of those whom the steps of a journal reach: they have lost nothing, and nothing can be attached to them. Whoever
//! was made again under the same name is there.

use std::collections::BTreeSet;

use super::cloud::{CallError, EntityKind, EntityRef, Reads};
use super::step::{Effect, Step};

/// Reads who is gone: of those who bear what some steps write, or have it attached; and of those by whom `to_make`, the steps that are
/// still to be made, expect the policy to be held.
///
/// # Errors
/// When AWS does not answer.
pub(super) fn gone<'a>(
    reads: &impl Reads,
    steps: impl Iterator<Item = &'a Step>,
    to_make: impl Iterator<Item = &'a Step>,
) -> Result<BTreeSet<EntityRef>, CallError> {
    let mut missing: BTreeSet<EntityRef> = steps.filter_map(|step| step.effect.bearer()).collect();
    for step in to_make {
        missing.extend(missed(reads, step)?);
    }
    let mut gone = BTreeSet::new();
    for entity in missing {
        if reads.entity(&entity)?.is_none() {
            gone.insert(entity);
        }
    }
    Ok(gone)
}

/// Those of whom a step expects that they hold the policy, and who do not.
fn missed(reads: &impl Reads, step: &Step) -> Result<BTreeSet<EntityRef>, CallError> {
    let mut missed = BTreeSet::new();
    let Some(expects) = &step.expects else { return Ok(missed) };
    let mut groups: Vec<EntityRef> = step.effect.entity().cloned().into_iter().collect();
    if let Effect::CreateVersion { policy, .. }
    | Effect::DeleteVersion { policy, .. }
    | Effect::SetDefault { policy, .. } = &step.effect
    {
        let live: BTreeSet<EntityRef> = reads.attached_to(policy)?.into_iter().map(|live| live.entity).collect();
        let expected = expects.attachments.iter().filter_map(|who| EntityRef::of_address(who));
        missed.extend(expected.filter(|who| !live.contains(who)));
        groups.extend(live);
    }
    groups.retain(|entity| entity.kind == EntityKind::Group);
    for group in groups {
        let of_group = format!(" in {group}");
        let expected: BTreeSet<EntityRef> = (expects.memberships.iter())
            .filter_map(|own| EntityRef::of_address(own.strip_suffix(&of_group)?))
            .collect();
        if !expected.is_empty() && reads.entity(&group)?.is_some() {
            let live: BTreeSet<EntityRef> =
                reads.members(&group.name)?.into_iter().map(|member| member.entity).collect();
            missed.extend(expected.difference(&live).cloned());
        }
    }
    Ok(missed)
}
