//! Looking up one action after the other.

use crate::catalog::ActionId;

/// What is known of some actions, by action, looked up for actions that mostly come in order.
pub(super) struct InOrder<'a, T> {
    all: &'a [(ActionId, T)],
    /// The place of the first that is not before the action that was asked for last.
    at: usize,
}

impl<'a, T> InOrder<'a, T> {
    /// Begins; `all` is by action, and has none twice.
    pub(super) fn of(all: &'a [(ActionId, T)]) -> InOrder<'a, T> {
        InOrder { all, at: 0 }
    }

    /// Returns what is known of the action.
    pub(super) fn find(&mut self, id: ActionId) -> Option<&'a T> {
        if self.at.checked_sub(1).and_then(|before| self.all.get(before)).is_some_and(|(before, _)| *before >= id) {
            self.at = 0;
        }
        if self.all.get(self.at).is_some_and(|(own, _)| *own < id) {
            self.at += self.all.get(self.at..).unwrap_or_default().partition_point(|(own, _)| *own < id);
        }
        self.all.get(self.at).filter(|(own, _)| *own == id).map(|(_, known)| known)
    }

    /// Returns whether anything is known of an action from `first` to `last`.
    pub(super) fn has_any(&self, first: ActionId, last: ActionId) -> bool {
        let at = self.all.partition_point(|(own, _)| *own < first);
        self.all.get(at).is_some_and(|(own, _)| *own <= last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn what_is_known_is_found_in_any_order() {
        let ids: Vec<ActionId> = Catalog::embedded().actions().take(40).collect();
        let known: Vec<(ActionId, usize)> =
            ids.iter().copied().zip(0..).filter(|(_, at)| [3, 4, 9, 30].contains(at)).collect();
        let mut in_order = InOrder::of(&known);
        let orders: [Vec<usize>; 3] =
            [(0..40).collect(), (0..40).rev().collect(), (0..40).map(|at| at * 7 % 40).collect()];
        for at in orders.concat() {
            assert_eq!(in_order.find(ids[at]), known.iter().find(|(_, own)| *own == at).map(|(_, own)| own), "{at}");
        }
        for first in 0..40 {
            for last in first..40 {
                let expect = known.iter().any(|(_, at)| (first..=last).contains(at));
                assert_eq!(in_order.has_any(ids[first], ids[last]), expect, "{first} {last}");
            }
        }
        assert_eq!(InOrder::<usize>::of(&[]).find(ids[0]), None);
    }
}
