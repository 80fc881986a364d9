//! What a list matches, counted by matching: the last word on every result.

use std::collections::HashSet;

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::wildcard;

use super::set_cover::is_admissible;
use super::slot::{Role, Slot, Writing, cost};

/// What a writing comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) size: usize,
    pub(super) risk: u64,
    /// Whether it re-admits a name, even one without risk.
    pub(super) readmits: bool,
}

/// Counts a writing; `None` if it loses what must stay, or if a pattern of it is not in the slot's language.
pub(super) fn count(slot: &Slot, writing: &Writing) -> Option<Counted> {
    let Writing::Patterns(patterns) = writing else {
        let readmits = slot.names.iter().any(|name| !name.stays);
        return Some(Counted { size: slot.whole_cost(), risk: slot.whole_risk(), readmits });
    };
    // The names are the slot's own: that they belong to its language is for the caller to say, and they may be many.
    let mut foreign: HashSet<&str> = patterns.iter().map(String::as_str).collect();
    for name in &slot.names {
        foreign.remove(name.text.as_str());
    }
    let mut foreign = patterns.iter().filter(|pattern| foreign.contains(pattern.as_str()));
    if !foreign.all(|pattern| is_admissible(&slot.kind, pattern)) {
        return None;
    }
    let mut counted = Counted { size: patterns.iter().map(|pattern| cost(pattern)).sum(), risk: 0, readmits: false };
    let mut matcher = Matcher::new(patterns);
    let (mut folded, mut last) = (String::new(), String::new());
    for name in &slot.names {
        std::mem::swap(&mut folded, &mut last);
        folded.clear();
        folded.extend(name.text.chars().map(|letter| letter.to_ascii_lowercase()));
        if folded < last {
            // Out of order, against what a slot promises.
            matcher = Matcher::new(patterns);
        }
        let is_matched = matcher.matches(&folded);
        let is_kept = is_matched != slot.is_exempt();
        if name.stays && !is_kept {
            return None;
        }
        if !name.stays && is_kept {
            counted.readmits = true;
            counted.risk += u64::from(name.risk);
        }
        debug_assert!(slot.role(name) == Role::Must || !name.stays || slot.is_exempt());
    }
    Some(counted)
}

/// Patterns by what stands before their first wildcard, gone through together with names in order.
struct Matcher {
    /// In order, the last first.
    ahead: Vec<(String, ActionPattern)>,
    /// Those whose beginning is that of the last name, shorter ones first.
    open: Vec<(String, ActionPattern)>,
}

impl Matcher {
    fn new(patterns: &[String]) -> Matcher {
        let with_head = |pattern: &String| {
            let pattern = ActionPattern::new(pattern);
            let head = pattern.folded().split(['*', '?']).next().unwrap_or_default();
            (head.to_owned(), pattern)
        };
        let mut ahead: Vec<_> = patterns.iter().map(with_head).collect();
        ahead.sort_by(|a, b| b.0.cmp(&a.0));
        Matcher { ahead, open: Vec::new() }
    }

    /// Returns whether one of the patterns matches; each name must not come before the last in order.
    fn matches(&mut self, folded: &str) -> bool {
        // Texts with one beginning are neighbours in order: what is no beginning of this name is none of a later one.
        while self.open.pop_if(|(head, _)| !folded.starts_with(head.as_str())).is_some() {}
        while let Some(next) = self.ahead.pop_if(|(head, _)| head.as_str() <= folded) {
            if folded.starts_with(next.0.as_str()) {
                self.open.push(next);
            }
        }
        self.open.iter().any(|(_, pattern)| wildcard::matches(pattern.folded().as_bytes(), folded.as_bytes()))
    }
}
