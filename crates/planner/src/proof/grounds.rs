//! Why what is lost may go, for each holder.

use std::ops::Range;

use secateur_analyzer::verdict::Removal;

/// Why the lost actions may go, for one holder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// In the catalogue's order, actions that may go for the same reason and by the same evidence, each with the place behind
    /// the last of them.
    runs: Vec<(Removal, usize)>,
}

impl Grounds {
    /// Adds the next actions.
    pub(super) fn push(&mut self, removal: Removal, count: usize) {
        match self.runs.last_mut() {
            Some((last, end)) if *last == removal => *end += count,
            _ => self.runs.push((removal, self.len() + count)),
        }
    }

    /// Returns how many actions there are.
    pub fn len(&self) -> usize {
        self.runs.last().map_or(0, |(_, end)| *end)
    }

    /// Returns whether nothing goes.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Returns why each action may go, in the catalogue's order: places in a row that have it in common, and it.
    pub fn runs(&self) -> impl Iterator<Item = (Range<usize>, Removal)> + '_ {
        let starts = std::iter::once(0).chain(self.runs.iter().map(|(_, end)| *end));
        starts.zip(&self.runs).map(|(start, (removal, end))| (start..*end, *removal))
    }

    /// Returns why the action at a place among the lost ones may go.
    pub fn of(&self, place: usize) -> Option<Removal> {
        self.runs.get(self.runs.partition_point(|(_, end)| *end <= place)).map(|(removal, _)| *removal)
    }
}
