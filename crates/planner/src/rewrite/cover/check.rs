//! What a list matches, counted by matching: the last word on every result.

use std::collections::{BTreeMap, BTreeSet};

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
    let names: BTreeSet<&str> = slot.names.iter().map(|name| name.text.as_str()).collect();
    let own = |pattern: &&String| !names.contains(pattern.as_str());
    if !patterns.iter().filter(own).all(|pattern| is_admissible(&slot.kind, pattern)) {
        return None;
    }
    let matcher = Matcher::new(patterns);
    let mut counted = Counted { size: patterns.iter().map(|pattern| cost(pattern)).sum(), risk: 0, readmits: false };
    for name in &slot.names {
        let is_matched = matcher.matches(&name.text.to_ascii_lowercase());
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

/// Patterns by what stands before their first wildcard.
struct Matcher(BTreeMap<String, Vec<ActionPattern>>);

impl Matcher {
    fn new(patterns: &[String]) -> Matcher {
        let mut by_head: BTreeMap<String, Vec<ActionPattern>> = BTreeMap::new();
        for pattern in patterns {
            let pattern = ActionPattern::new(pattern);
            let head = pattern.folded().split(['*', '?']).next().unwrap_or_default();
            by_head.entry(head.to_owned()).or_default().push(pattern);
        }
        Matcher(by_head)
    }

    fn matches(&self, folded: &str) -> bool {
        (0..=folded.len()).filter_map(|to| folded.get(..to)).any(|head| {
            let own = self.0.get(head).into_iter().flatten();
            own.into_iter().any(|pattern| wildcard::matches(pattern.folded().as_bytes(), folded.as_bytes()))
        })
    }
}
