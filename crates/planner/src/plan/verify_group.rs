//! Groups of changes, proved again as one: what replaces and what is replaced.

use std::collections::BTreeMap;

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::graph::{Entity, PolicyId};

use super::attachments::NewPolicy;
use super::derive::ProvedChange;
use super::group::{self, Parts};
use super::numbering::Numbering;
use super::subject;
use super::verify::{Refusal, difference, is_changeable, refusal};
use super::{Change, ChangeAction, Plan, PlanOptions};

/// Whether the change is proved only together with its group: something new is created or attached there.
pub(super) fn is_of_one(plan: &Plan, change: &Change) -> bool {
    let is_new = |change: &Change| matches!(change.action, ChangeAction::Create | ChangeAction::Attach);
    change.group.is_some() && plan.changes.iter().any(|other| other.group == change.group && is_new(other))
}

/// Proves every group again, and compares every change of it.
pub(super) fn all(plan: &Plan, analysis: &Analysis<'_>, options: &PlanOptions, numbering: &Numbering) -> Vec<Refusal> {
    let mut groups: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in plan.changes.iter().filter(|change| is_of_one(plan, change)) {
        groups.entry(change.unit()).or_default().push(change);
    }
    let mut refusals = Vec::new();
    // Who gets a policy that is there already needs what it has now.
    let changed = |name: &str| {
        let address = format!("policy/{name}");
        plan.changes.iter().find(|change| change.address == address && change.action != ChangeAction::Create)
    };
    for attach in plan.changes.iter().filter(|change| change.action == ChangeAction::Attach) {
        if let Some(other) = changed(&attach.target.name) {
            let why = format!("the plan changes {}, which it attaches", other.address);
            refusals.push(refusal(attach, "edited-group", &why));
        }
    }
    for changes in groups.into_values() {
        match prove_again(&changes, analysis, options, numbering) {
            Ok(again) => {
                for said in &changes {
                    match again.iter().find(|again| again.change.address == said.address) {
                        Some(again) => refusals.extend(difference(said, &again.change)),
                        None => refusals.push(refusal(said, "edited-group", "the change is not of its group")),
                    }
                }
                if again.len() != changes.len() {
                    refusals
                        .extend(changes.first().map(|first| refusal(first, "edited-group", "the group is not whole")));
                }
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    refusals
}

/// Makes a group anew from what its changes say.
pub(super) fn prove_again(
    changes: &[&Change],
    analysis: &Analysis<'_>,
    options: &PlanOptions,
    numbering: &Numbering,
) -> Result<Vec<ProvedChange>, Refusal> {
    let Some(first) = changes.first() else { return Ok(Vec::new()) };
    let broken = || refusal(first, "edited-group", "the group neither splits a policy nor replaces one");
    let of = |action: ChangeAction| changes.iter().copied().filter(move |change| change.action == action);
    let proved = if let Some(update) = of(ChangeAction::Update).next() {
        let (policy, _) = subject::find(analysis.graph(), &update.address).ok_or_else(broken)?;
        is_changeable(analysis, update, policy, None)?;
        let (before, after) = update.before.as_deref().zip(update.after.as_deref()).ok_or_else(broken)?;
        let further = new_policies(changes, analysis);
        group::split(analysis, policy, Parts { before, first: after, further: &further }, options, numbering)
    } else {
        let mut through: Vec<(PolicyId, Entity)> = Vec::new();
        for detach in of(ChangeAction::Detach) {
            let (policy, entity) = subject::find(analysis.graph(), &detach.address).ok_or_else(broken)?;
            is_changeable(analysis, detach, policy, entity)?;
            through.push((policy, entity.ok_or_else(broken)?));
        }
        let policy = through.first().map(|(policy, _)| *policy).ok_or_else(broken)?;
        let bearer = changes.iter().find(|change| change.before.is_some()).ok_or_else(broken)?;
        let (before, after) = bearer.before.as_deref().zip(bearer.after.as_deref()).ok_or_else(broken)?;
        let mut entities: Vec<Entity> = through.iter().map(|(_, entity)| *entity).collect();
        entities.sort_unstable();
        let copy = NewPolicy {
            name: bearer.target.name.clone(),
            text: after.to_owned(),
            is_new: bearer.action == ChangeAction::Create,
        };
        if through.iter().any(|(own, _)| *own != policy) {
            return Err(broken());
        }
        group::replace(analysis, policy, &entities, before, &copy, options, numbering)
    };
    proved.map_err(|error| refusal(first, &error.name(), &error.to_string()))
}

/// The policies that a group creates, or attaches as they are, in the order of their names.
fn new_policies(changes: &[&Change], analysis: &Analysis<'_>) -> Vec<NewPolicy> {
    let mut found: BTreeMap<&str, NewPolicy> = BTreeMap::new();
    let existing = |name: &str| {
        let policy = analysis.graph().find(&format!("policy/{name}"))?;
        Some(analysis.graph().policy(policy)?.document()?.text().to_owned())
    };
    for change in changes {
        let name = change.target.name.as_str();
        match change.action {
            ChangeAction::Create => {
                let text = change.after.clone().unwrap_or_default();
                found.insert(name, NewPolicy { name: name.to_owned(), text, is_new: true });
            }
            ChangeAction::Attach => {
                if let Some(text) = existing(name) {
                    found.entry(name).or_insert(NewPolicy { name: name.to_owned(), text, is_new: false });
                }
            }
            _ => {}
        }
    }
    found.into_values().collect()
}
