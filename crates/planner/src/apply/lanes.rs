//! What may be written at the same time, and what has to wait for what.
//!
//! Two steps that write to the same entity, or to the same policy, or belong to the same unit, are in one *lane*: a lane is
//! gone through in the order of the steps, one write after the other. Lanes share nothing that one of them writes and another
//! reads, so several may be gone through at a time. An apply has two phases, and the second begins when the first has ended:
//! first what grows nothing, then what does. A rollback has one: each lane goes its way back.

use std::collections::BTreeMap;

use secateur_analyzer::document::counted_characters;

use super::approval::Origin;
use super::step::{Effect, Step};

/// Steps that are made one after the other, in this order.
pub(super) type Lane = Vec<usize>;

/// Returns the lanes of each phase, in the order in which they are begun: that of their first steps.
pub(super) fn phases(origin: &Origin, steps: &[Step]) -> Vec<Vec<Lane>> {
    let mut growing: BTreeMap<&str, bool> = BTreeMap::new();
    for step in steps {
        *growing.entry(&step.unit).or_default() |= matches!(origin, Origin::Plan { .. }) && grows(&step.effect);
    }
    let mut phases = Vec::new();
    for phase in [false, true] {
        let own = |step: &Step| growing.get(step.unit.as_str()) == Some(&phase);
        let lanes = lanes(steps.iter().enumerate().filter(|(_, step)| own(step)));
        if !lanes.is_empty() {
            phases.push(lanes);
        }
    }
    phases
}

/// Whether a write needs room that others may have to make first.
fn grows(effect: &Effect) -> bool {
    let grows = |before: &str, after: &str| counted_characters(after) > counted_characters(before);
    match effect {
        Effect::CreatePolicy { .. } | Effect::Attach { .. } => true,
        Effect::PutInline { before: None, .. } => true,
        Effect::PutInline { before: Some(before), after, .. } => grows(before, after),
        Effect::SetDefault { from, to, .. } => grows(&from.document, &to.document),
        Effect::SetKey { active, .. } => *active,
        Effect::DeleteInline { .. }
        | Effect::CreateVersion { .. }
        | Effect::DeleteVersion { .. }
        | Effect::DeletePolicy { .. }
        | Effect::Detach { .. } => false,
    }
}

/// Puts steps that share something into one lane.
fn lanes<'a>(steps: impl Iterator<Item = (usize, &'a Step)>) -> Vec<Lane> {
    let mut lanes: BTreeMap<usize, Lane> = BTreeMap::new();
    // Of each thing that is written to, the lane that writes to it: by its first step.
    let mut of: BTreeMap<String, usize> = BTreeMap::new();
    for (at, step) in steps {
        let keys = step.shares();
        let first = keys.iter().filter_map(|key| of.get(key)).min().copied().unwrap_or(at);
        let mut lane: Lane = vec![at];
        let others: Vec<usize> = keys.iter().filter_map(|key| of.get(key)).copied().collect();
        for other in others {
            lane.extend(lanes.remove(&other).unwrap_or_default());
        }
        lane.sort_unstable();
        if lane.len() > 1 {
            // What the lanes that have become one wrote to is written to by this one.
            of.values_mut().filter(|own| lane.binary_search(own).is_ok()).for_each(|own| *own = first);
        }
        lanes.insert(first, lane);
        of.extend(keys.into_iter().map(|key| (key, first)));
    }
    lanes.into_values().collect()
}

#[cfg(test)]
mod tests {
    use secateur_analyzer::document::sha256_of;

    use super::*;
    use crate::apply::cloud::EntityRef;

    const OWN: &str = "arn:aws:iam::111122223333:policy/own";
    const OTHER: &str = "arn:aws:iam::111122223333:policy/other";
    const OF_AWS: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

    fn step(unit: &str, effect: Effect) -> Step {
        Step {
            address: unit.to_owned(),
            unit: unit.to_owned(),
            effect,
            unique_id: None,
            entity_id: None,
            expects: None,
            versions: Vec::new(),
            beside: Vec::new(),
        }
    }

    fn entity(address: &str) -> EntityRef {
        EntityRef::of_address(address).unwrap()
    }

    fn delete(unit: &str, who: &str) -> Step {
        let effect = Effect::DeleteInline { entity: entity(who), policy: "p".to_owned(), before: String::new() };
        step(unit, effect)
    }

    fn detach(unit: &str, who: &str, policy: &str) -> Step {
        step(unit, Effect::Detach { entity: entity(who), policy: policy.parse().unwrap() })
    }

    fn attach(unit: &str, who: &str, policy: &str) -> Step {
        step(unit, Effect::Attach { entity: entity(who), policy: policy.parse().unwrap() })
    }

    fn of_plan(steps: &[Step]) -> Vec<Vec<Lane>> {
        phases(&Origin::Plan { digest: sha256_of(b"") }, steps)
    }

    #[test]
    fn entities_are_apart_and_one_entity_is_in_order() {
        let steps = [
            delete("a", "role/ci"),
            delete("b", "user/ci"),
            // IAM finds names without regard to case.
            delete("c", "role/CI"),
            delete("d", "role/other"),
        ];
        assert_eq!(of_plan(&steps), [vec![vec![0, 2], vec![1], vec![3]]]);
    }

    #[test]
    fn what_shares_a_policy_or_a_unit_is_in_order() {
        let steps = [
            detach("a", "role/ci", OWN),
            detach("b", "role/b", OTHER),
            detach("c", "role/c", OWN),
            // This one makes one lane of three.
            detach("d", "role/ci", OTHER),
            detach("e", "role/e", OF_AWS),
            detach("f", "role/f", OF_AWS),
            delete("f", "role/g"),
        ];
        assert_eq!(of_plan(&steps), [vec![vec![0, 1, 2, 3], vec![4], vec![5, 6]]]);
    }

    #[test]
    fn what_grows_waits_for_what_does_not_and_units_stay_whole() {
        let steps = [
            delete("a", "role/ci"),
            detach("b", "role/b", OTHER),
            attach("c", "role/c", OWN),
            detach("c", "role/c", OF_AWS),
            attach("d", "role/ci", OF_AWS),
        ];
        assert_eq!(of_plan(&steps), [vec![vec![0], vec![1]], vec![vec![2, 3], vec![4]]]);
        let (kept, left) = (Vec::new(), Vec::new());
        let back = Origin::Rollback { journal: "j".to_owned(), head: sha256_of(b""), whole: true, kept, left };
        assert_eq!(phases(&back, &steps), [vec![vec![0, 4], vec![1], vec![2, 3]]]);
    }

    #[test]
    fn a_lane_that_grows_together_late_has_all_its_steps() {
        let mut steps = Vec::new();
        for at in 0..50 {
            steps.push(detach(&format!("u{at}"), &format!("role/r{at}"), &OWN.replace("own", &format!("p{at}"))));
        }
        for at in 1..50 {
            let policy = OWN.replace("own", &format!("p{}", at - 1));
            steps.push(detach(&format!("v{at}"), &format!("role/r{at}"), &policy));
        }
        assert_eq!(of_plan(&steps), [vec![(0..99).collect::<Vec<_>>()]]);
    }
}
