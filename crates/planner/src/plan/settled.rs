//! What is withheld, once it is known which changes are made.

use super::{Change, ChangeAction, Withheld};

/// Takes back what the changes belie, and says where applying them makes room for what they leave.
pub(super) fn settle(changes: &[Change], withheld: &mut Vec<Withheld>) {
    let is_attached = |address: &str| {
        let named = |change: &Change| address.strip_prefix("policy/") == Some(change.target.name.as_str());
        changes.iter().any(|change| change.action == ChangeAction::Attach && named(change))
    };
    // Whom this plan gives it, holds it from then on.
    withheld.retain(|own| own.reason != "no-holder" || !is_attached(&own.address));
    for own in withheld.iter_mut().filter(|own| ["not-replaced", "not-split"].contains(&own.reason.as_str())) {
        // Names of users, groups and roles have no spaces.
        let full = own.detail.split_once(" has ").filter(|(_, rest)| rest.contains(" managed policies attached"));
        let Some((entity, _)) = full else { continue };
        let goes = |change: &&Change| {
            change.action == ChangeAction::Detach
                && change.group.is_none()
                && change.target.owner.as_deref() == Some(entity)
        };
        match changes.iter().filter(goes).count() {
            0 => {}
            1 => own.detail.push_str("; this plan detaches one: apply it, and plan again"),
            number => own.detail.push_str(&format!("; this plan detaches {number}: apply it, and plan again")),
        }
    }
}
