//! What stays as its author wrote it, since what would take its place does not fit.

use std::cell::OnceCell;

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::catalog::ActionSet;

use super::Rewriting;

/// The patterns of one list that stay as written although something of them may go.
pub(super) struct LeftAsWritten<'l> {
    patterns: Vec<&'l ActionPattern>,
    matched: OnceCell<ActionSet>,
}

impl<'l> LeftAsWritten<'l> {
    pub fn new(patterns: Vec<&'l ActionPattern>) -> LeftAsWritten<'l> {
        LeftAsWritten { patterns, matched: OnceCell::new() }
    }

    /// Returns whether these patterns go on allowing all of `other` that may go: then it takes nothing away to write it anew, or
    /// to leave it out.
    ///
    /// A pattern that is left itself is one of them.
    pub fn allows_all_of(&self, other: &ActionPattern, by: &Rewriting<'_>) -> bool {
        if self.patterns.is_empty() || self.patterns.iter().any(|pattern| std::ptr::eq(*pattern, other)) {
            return false;
        }
        if self.patterns.iter().any(|pattern| pattern.includes(other)) {
            return true;
        }
        let matched = self.matched.get_or_init(|| {
            let mut all = by.catalog.empty_set();
            self.patterns.iter().for_each(|pattern| all.union_with(&by.catalog.matches(pattern)));
            all
        });
        let mut is_lost = false;
        by.catalog.each_match(other, |id| is_lost |= by.removable.contains(id) && !matched.contains(id));
        !is_lost
    }
}
