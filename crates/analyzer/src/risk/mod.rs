//! How bad it is to grant an action: one score, used for order everywhere.
//!
//! The score is the weight of the action's access level, and 1,000 more for an action by which its holder can get more
//! permissions than it has. Scores say which of two actions to look at first, and nothing else; no verdict depends on
//! them.

mod escalation;

pub use escalation::{ESCALATIONS, Escalation};

use crate::catalog::{AccessLevel, ActionId, ActionSet, Catalog};

/// The score of an action; more is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Risk(pub u32);

/// What an action of that access level weighs. Re-admitting by wildcards uses the same weights.
pub fn weight(level: AccessLevel) -> u32 {
    match level {
        // What nobody has classified may be the worst.
        AccessLevel::Permissions | AccessLevel::Unknown => 100,
        AccessLevel::Write => 10,
        AccessLevel::Tagging => 3,
        AccessLevel::Read | AccessLevel::List => 1,
    }
}

/// Returns the score of an action.
pub fn risk(catalog: &Catalog, id: ActionId) -> Risk {
    let escalates = escalation::of(catalog, id).is_some();
    Risk(weight(catalog.access_level(id)) + if escalates { 1_000 } else { 0 })
}

/// Returns the way by which the action leads to more permissions, if it is known for that.
pub fn escalation(catalog: &Catalog, id: ActionId) -> Option<&'static Escalation> {
    escalation::of(catalog, id)
}

/// Returns the sum of the scores.
pub fn total(catalog: &Catalog, set: &ActionSet) -> u64 {
    set.iter().map(|id| u64::from(risk(catalog, id).0)).sum()
}

/// Returns the actions, riskiest first, then by name.
pub fn riskiest_first(catalog: &Catalog, set: &ActionSet) -> Vec<ActionId> {
    let mut actions: Vec<ActionId> = set.iter().collect();
    actions.sort_by_key(|id| (std::cmp::Reverse(risk(catalog, *id)), *id));
    actions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escalation_outweighs_every_level() {
        let catalog = Catalog::embedded();
        let score = |name: &str| risk(catalog, catalog.parse_action(name).unwrap()).0;
        assert_eq!(score("iam:CreatePolicyVersion"), 1_100);
        assert_eq!(score("iam:PassRole"), 1_010);
        assert_eq!((score("s3:PutBucketPolicy"), score("sqs:DeleteQueue")), (100, 10));
        assert_eq!((score("sqs:TagQueue"), score("sqs:ListQueues"), score("sqs:GetQueueAttributes")), (3, 1, 1));
    }

    #[test]
    fn every_escalation_is_an_action_and_cites_its_page() {
        let catalog = Catalog::embedded();
        for escalation in ESCALATIONS {
            assert!(catalog.parse_action(escalation.action).is_some(), "{}", escalation.action);
            assert!(escalation.source.starts_with("https://docs.aws.amazon.com/"), "{}", escalation.action);
        }
        assert!(ESCALATIONS.windows(2).all(|pair| pair[0].action < pair[1].action));
    }
}
