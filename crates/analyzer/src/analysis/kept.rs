//! What stays of a policy for one of its holders, in little room: there are as many as attachments.

use std::ops::RangeInclusive;

use crate::catalog::{ActionId, ActionSet};

/// The actions of a policy that stay for one holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept(Box<[(ActionId, ActionId)]>);

impl Kept {
    /// Of what a policy grants, what may not go.
    pub(super) fn of(granted: &ActionSet, may_go: &ActionSet) -> Kept {
        let mut stays = granted.clone();
        stays.difference_with(may_go);
        let mut runs: Vec<(ActionId, ActionId)> = Vec::new();
        for action in stays.iter() {
            match runs.last_mut() {
                Some((_, last)) if may_go.has_none_between(*last, action) => *last = action,
                _ => runs.push((action, action)),
            }
        }
        Kept(runs.into())
    }

    /// Returns the first and the last actions of runs, in the catalogue's order: all that the policy grants between them stays, and
    /// what is not between two of them may go.
    pub fn runs(&self) -> impl Iterator<Item = RangeInclusive<ActionId>> + '_ {
        self.0.iter().map(|(first, last)| *first..=*last)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::Catalog;

    /// Three times in four as the one before: runs, and gaps in them.
    fn in_runs(dice: &[u8]) -> impl Iterator<Item = bool> + '_ {
        dice.iter().scan(false, |last, dice| {
            *last ^= dice % 4 == 0;
            Some(*last)
        })
    }

    proptest! {
        #[test]
        fn what_is_in_no_run_may_go(dice in prop::collection::vec(any::<[u8; 2]>(), 0..300)) {
            let catalog = Catalog::embedded();
            let [is_granted, may_go] = [0, 1].map(|at| dice.iter().filter_map(|own| own.get(at).copied()).collect::<Vec<u8>>());
            let (mut granted, mut goes) = (catalog.empty_set(), catalog.empty_set());
            for ((id, is_granted), may_go) in catalog.actions().zip(in_runs(&is_granted)).zip(in_runs(&may_go)) {
                if is_granted {
                    granted.insert(id);
                }
                if is_granted && may_go {
                    goes.insert(id);
                }
            }
            let kept = Kept::of(&granted, &goes);
            let mut left = granted.clone();
            kept.runs().for_each(|run| left.remove_run(run));
            prop_assert_eq!(left, goes);
            let runs: Vec<_> = kept.runs().collect();
            prop_assert!(runs.windows(2).all(|two| two[0].end() < two[1].start()));
        }
    }
}
