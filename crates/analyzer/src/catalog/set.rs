//! Sets of actions.

use std::ops::{Range, RangeInclusive};

use fixedbitset::FixedBitSet;

use super::ActionId;

/// A set of actions of one [`Catalog`](super::Catalog).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionSet(FixedBitSet);

impl ActionSet {
    /// Returns an empty set of any catalogue that takes no memory. It equals no other set but another such.
    pub fn nothing() -> ActionSet {
        ActionSet(FixedBitSet::new())
    }

    /// The empty set of a catalogue with so many actions.
    pub(super) fn empty(actions: usize) -> ActionSet {
        ActionSet(FixedBitSet::with_capacity(actions))
    }

    /// The set of all actions of a catalogue with so many.
    pub(super) fn full(actions: usize) -> ActionSet {
        let mut all = ActionSet::empty(actions);
        all.0.insert_range(..);
        all
    }

    /// Returns whether the action is in the set.
    pub fn contains(&self, id: ActionId) -> bool {
        self.0.contains(id.index())
    }

    /// Adds the action; returns whether it was new.
    pub fn insert(&mut self, id: ActionId) -> bool {
        self.0.grow(id.index() + 1);
        !self.0.put(id.index())
    }

    /// Adds all of these actions.
    pub fn insert_all(&mut self, ids: &[ActionId]) {
        self.0.grow(ids.iter().max().map_or(0, |last| last.index() + 1));
        ids.iter().for_each(|id| self.0.insert(id.index()));
    }

    /// Adds all actions of a run.
    pub fn insert_run(&mut self, run: Range<ActionId>) {
        self.0.grow(run.end.index());
        self.0.insert_range(run.start.index()..run.end.index());
    }

    /// Returns how many actions of a run are in the set.
    pub fn count_in(&self, run: Range<ActionId>) -> usize {
        let end = run.end.index().min(self.0.len());
        self.0.count_ones(run.start.index().min(end)..end)
    }

    /// Takes the action out.
    pub fn remove(&mut self, id: ActionId) {
        if self.contains(id) {
            self.0.set(id.index(), false);
        }
    }

    /// Takes all actions of a run out.
    pub fn remove_run(&mut self, run: RangeInclusive<ActionId>) {
        let end = run.end().index().saturating_add(1).min(self.0.len());
        self.0.remove_range(run.start().index().min(end)..end);
    }

    /// Returns whether no action behind one and before another is in the set.
    pub fn has_none_between(&self, one: ActionId, other: ActionId) -> bool {
        let end = other.index().min(self.0.len());
        let start = one.index().saturating_add(1);
        start >= end || self.0.count_ones(start..end) == 0
    }

    /// Returns whether all of the set is in `other`.
    pub fn is_subset(&self, other: &ActionSet) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Returns whether no action is in both.
    pub fn is_disjoint(&self, other: &ActionSet) -> bool {
        self.0.is_disjoint(&other.0)
    }

    /// Adds all of `other`.
    pub fn union_with(&mut self, other: &ActionSet) {
        self.0.union_with(&other.0);
    }

    /// Keeps only what is in `other` too.
    pub fn intersect_with(&mut self, other: &ActionSet) {
        self.0.intersect_with(&other.0);
    }

    /// Takes out all of `other`.
    pub fn difference_with(&mut self, other: &ActionSet) {
        self.0.difference_with(&other.0);
    }

    /// Returns the actions in the catalogue's order.
    pub fn iter(&self) -> impl Iterator<Item = ActionId> + '_ {
        #[expect(clippy::cast_possible_truncation, reason = "the set was made for a catalogue, whose ids are u32")]
        self.0.ones().map(|index| ActionId(index as u32))
    }

    /// Returns the number of actions.
    pub fn len(&self) -> usize {
        self.0.count_ones(..)
    }

    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_clear()
    }
}
