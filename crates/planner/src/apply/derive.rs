//! From changes to steps: from target, before and after. What a plan says in `calls` and `inverse` is for readers.

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::counted_characters;

use super::cloud::{EntityKind, EntityRef};
use super::step::{Effect, Step, Version, VersionRef};
use crate::plan::{Change, ChangeAction};

/// A change of which no steps can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address}: {detail}")]
pub struct DeriveError {
    /// The change's address.
    pub address: String,
    /// What does not fit.
    pub detail: String,
}

/// Whose changes may be made: every ARN must be of this account.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The account id.
    pub account: &'a str,
    /// The partition.
    pub partition: &'a str,
}

/// Returns the steps of the changes in the order in which they are made: what grows nothing first, each unit whole, and
/// within a unit what others depend on first. `evict` has the versions that make room, by policy.
///
/// # Errors
/// When a change is not one that can be made; a plan that was verified has none.
pub fn steps(changes: &[&Change], evict: &BTreeMap<Arn, Version>, place: Place<'_>) -> Result<Vec<Step>, DeriveError> {
    let mut units: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        units.entry(change.unit()).or_default().push(change);
    }
    let mut units: Vec<Vec<&Change>> = units.into_values().collect();
    units.sort_by_key(|unit| (unit.iter().any(|change| grows(change)), first_entity(unit)));
    let mut steps = Vec::new();
    for unit in units {
        for change in in_order(unit)? {
            push(change, evict, place, &mut steps)?;
        }
    }
    Ok(steps)
}

/// Whether something needs room that others may have to make first.
fn grows(change: &Change) -> bool {
    let size = |text: &Option<String>| text.as_deref().map_or(0, counted_characters);
    match change.action {
        ChangeAction::Create | ChangeAction::Attach => true,
        ChangeAction::Update => size(&change.after) > size(&change.before),
        ChangeAction::Delete | ChangeAction::Detach | ChangeAction::Deactivate => false,
    }
}

/// Changes of one entity are made one after the other.
fn first_entity(unit: &[&Change]) -> (String, String) {
    let of = |change: &&Change| {
        let entity = change.target.owner.clone().unwrap_or_else(|| change.address.clone());
        (entity, change.address.clone())
    };
    unit.iter().map(of).min().unwrap_or_default()
}

/// The changes of a unit, each after those that it depends on.
fn in_order(mut unit: Vec<&Change>) -> Result<Vec<&Change>, DeriveError> {
    let rank = |change: &Change| match change.action {
        ChangeAction::Create => 0,
        ChangeAction::Attach => 1,
        _ => 2,
    };
    unit.sort_by_key(|change| (rank(change), grows(change), change.address.clone()));
    let all: BTreeSet<String> = unit.iter().map(|change| change.address.clone()).collect();
    let mut done: BTreeSet<String> = BTreeSet::new();
    let mut ordered = Vec::with_capacity(unit.len());
    while !unit.is_empty() {
        let is_ready =
            |change: &&Change| change.depends_on.iter().all(|address| done.contains(address) || !all.contains(address));
        let Some(at) = unit.iter().position(is_ready) else {
            let address = unit.first().map_or(String::new(), |change| change.address.clone());
            return Err(DeriveError { address, detail: "depends_on goes round in a circle".to_owned() });
        };
        let change = unit.remove(at);
        if let Some(missing) = change.depends_on.iter().find(|address| !all.contains(*address)) {
            let detail = format!("depends on {missing}, which is not of its group");
            return Err(DeriveError { address: change.address.clone(), detail });
        }
        done.insert(change.address.clone());
        ordered.push(change);
    }
    Ok(ordered)
}

fn push(
    change: &Change,
    evict: &BTreeMap<Arn, Version>,
    place: Place<'_>,
    steps: &mut Vec<Step>,
) -> Result<(), DeriveError> {
    let wrong = |detail: &str| DeriveError { address: change.address.clone(), detail: detail.to_owned() };
    let target = &change.target;
    let is_of_aws = target.arn.is_aws_managed_policy();
    let is_attachment = matches!(change.action, ChangeAction::Attach | ChangeAction::Detach);
    if target.arn.partition() != place.partition
        || target.arn.service() != "iam"
        || (target.arn.account() != place.account && !(is_of_aws && is_attachment))
    {
        return Err(wrong("the target is not of the plan's account"));
    }
    let unique_id = (!target.unique_id.is_empty()).then(|| target.unique_id.clone());
    let mut step = |effect: Effect, unique_id: Option<String>, versions: Vec<String>| {
        steps.push(Step {
            address: change.address.clone(),
            unit: change.unit().to_owned(),
            entity_id: entity_id(change, &effect),
            effect,
            unique_id,
            expects: Some(change.expects.clone()),
            versions,
            beside: Vec::new(),
        });
        steps.len() - 1
    };
    let owner = target.owner.as_deref().and_then(EntityRef::of_address);
    let entity_of = |kinds: [(&str, EntityKind); 3]| {
        let kind = kinds.into_iter().find(|(name, _)| *name == target.kind).map(|(_, kind)| kind);
        owner.clone().filter(|owner| Some(owner.kind) == kind).ok_or_else(|| wrong("type and owner do not fit"))
    };
    let inline = [
        ("aws_iam_user_policy", EntityKind::User),
        ("aws_iam_role_policy", EntityKind::Role),
        ("aws_iam_group_policy", EntityKind::Group),
    ];
    let attachment = [
        ("aws_iam_user_policy_attachment", EntityKind::User),
        ("aws_iam_role_policy_attachment", EntityKind::Role),
        ("aws_iam_group_policy_attachment", EntityKind::Group),
    ];
    let policy = target.arn.clone();
    match (change.action, target.kind.as_str()) {
        (ChangeAction::Update, "aws_iam_policy") => {
            let (before, after) =
                change.before.clone().zip(change.after.clone()).ok_or_else(|| wrong("a document is missing"))?;
            let from = target.default_version.clone().ok_or_else(|| wrong("default_version is missing"))?;
            let mut versions = target.versions.clone();
            if let Some(version) = evict.get(&policy) {
                if version.version == VersionRef::Id(from.clone()) {
                    return Err(wrong("the version in force cannot make room"));
                }
                let effect = Effect::DeleteVersion { policy: policy.clone(), version: version.clone() };
                step(effect, unique_id.clone(), versions.clone());
                versions.retain(|id| VersionRef::Id(id.clone()) != version.version);
            }
            let create = Effect::CreateVersion { policy: policy.clone(), document: after.clone() };
            let at = step(create, unique_id.clone(), versions.clone());
            let effect = Effect::SetDefault {
                policy,
                from: Version { version: VersionRef::Id(from), document: before },
                to: Version { version: VersionRef::CreatedBy(at), document: after },
            };
            step(effect, unique_id, versions);
        }
        (ChangeAction::Update, _) => {
            let (entity, policy) = (entity_of(inline)?, target.name.clone());
            let (before, after) =
                change.before.clone().zip(change.after.clone()).ok_or_else(|| wrong("a document is missing"))?;
            step(Effect::PutInline { entity, policy, before: Some(before), after }, unique_id, Vec::new());
        }
        (ChangeAction::Delete, _) => {
            let (entity, policy) = (entity_of(inline)?, target.name.clone());
            let before = change.before.clone().ok_or_else(|| wrong("the document is missing"))?;
            step(Effect::DeleteInline { entity, policy, before }, unique_id, Vec::new());
        }
        (ChangeAction::Create, "aws_iam_policy") => {
            let document = change.after.clone().ok_or_else(|| wrong("the document is missing"))?;
            if policy.resource() != format!("policy/{}", target.name) {
                return Err(wrong("the ARN is not that of the name"));
            }
            step(Effect::CreatePolicy { policy, name: target.name.clone(), document }, None, Vec::new());
        }
        (ChangeAction::Attach, _) => {
            step(Effect::Attach { entity: entity_of(attachment)?, policy }, None, Vec::new());
        }
        (ChangeAction::Detach, _) => {
            step(Effect::Detach { entity: entity_of(attachment)?, policy }, unique_id, Vec::new());
        }
        (ChangeAction::Deactivate, "aws_iam_access_key") => {
            let user = owner.filter(|owner| owner.kind == EntityKind::User).ok_or_else(|| wrong("no user"))?.name;
            let created = change.expects.access_key.as_ref().map(|key| key.created);
            let created = created.ok_or_else(|| wrong("the key's creation is missing"))?;
            step(Effect::SetKey { user, key: target.name.clone(), created, active: false }, unique_id, Vec::new());
        }
        _ => return Err(wrong("action and type do not fit")),
    }
    Ok(())
}

/// The unique id of who gets or loses an attachment.
fn entity_id(change: &Change, effect: &Effect) -> Option<String> {
    let (Effect::Attach { entity, .. } | Effect::Detach { entity, .. }) = effect else { return None };
    let is_entity = |arn: &Arn| arn.resource_type() == entity.kind.as_str() && arn.name() == entity.name;
    if entity.kind == EntityKind::Group {
        return change.expects.group_id.clone();
    }
    let mut holders = change.expects.holders.iter();
    holders.find(|holder| is_entity(&holder.arn)).map(|holder| holder.unique_id.clone())
}
