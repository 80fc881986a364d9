//! What a list matches, counted by matching: the last word on every result.

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
    let mut counted = Counted { size: patterns.iter().map(|pattern| cost(pattern)).sum(), risk: 0, readmits: false };
    let (mut matcher, mut own) = (Matcher::new(patterns), Own::new(patterns));
    let (mut folded, mut last) = (String::new(), String::new());
    for name in &slot.names {
        std::mem::swap(&mut folded, &mut last);
        folded.clear();
        folded.push_str(&name.text);
        folded.make_ascii_lowercase();
        if folded < last {
            // Out of order, against what a slot promises.
            matcher = Matcher::new(patterns);
            own.next = 0;
        }
        own.see(&name.text, &folded);
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
    own.foreign().all(|pattern| is_admissible(&slot.kind, pattern)).then_some(counted)
}

/// Which patterns are names of the slot: that those belong to its language is for the caller to say, and they may be many.
struct Own<'p> {
    /// In lower case and as written, in order, and whether it is such a name.
    patterns: Vec<(String, &'p str, bool)>,
    /// The first that does not come before the last name.
    next: usize,
}

impl<'p> Own<'p> {
    fn new(patterns: &'p [String]) -> Own<'p> {
        let mut patterns: Vec<(String, &str, bool)> =
            patterns.iter().map(|pattern| (pattern.to_ascii_lowercase(), pattern.as_str(), false)).collect();
        patterns.sort_unstable();
        Own { patterns, next: 0 }
    }

    /// Looks whether a name is one of the patterns; each must not come before the last in order.
    fn see(&mut self, name: &str, folded: &str) {
        let ahead = self.patterns.get(self.next..).unwrap_or_default();
        self.next += ahead.iter().take_while(|(pattern, ..)| pattern.as_str() < folded).count();
        let ahead = self.patterns.get_mut(self.next..).unwrap_or_default();
        for (_, pattern, is_own) in ahead.iter_mut().take_while(|(pattern, ..)| pattern == folded) {
            *is_own |= *pattern == name;
        }
    }

    fn foreign(&self) -> impl Iterator<Item = &'p str> {
        self.patterns.iter().filter(|(.., is_own)| !is_own).map(|(_, pattern, _)| *pattern)
    }
}

/// A pattern, and what is looked at before it is matched.
struct Head {
    /// What stands before its first wildcard.
    head: String,
    /// The letters that it has.
    letters: u64,
    pattern: ActionPattern,
}

/// A bit for each letter of a text; a few letters share one.
fn letters(text: &str) -> u64 {
    text.bytes().fold(0, |letters, byte| letters | 1 << (byte % 64))
}

/// Patterns by what stands before their first wildcard, gone through together with names in order.
struct Matcher {
    /// In order, the last first.
    ahead: Vec<Head>,
    /// Those whose beginning is that of the last name, shorter ones first.
    open: Vec<Head>,
}

impl Matcher {
    fn new(patterns: &[String]) -> Matcher {
        let with_head = |pattern: &String| {
            let pattern = ActionPattern::new(pattern);
            let head = pattern.folded().split(['*', '?']).next().unwrap_or_default().to_owned();
            let letters = pattern.folded().split(['*', '?']).fold(0, |all, part| all | letters(part));
            Head { head, letters, pattern }
        };
        let mut ahead: Vec<_> = patterns.iter().map(with_head).collect();
        ahead.sort_by(|a, b| b.head.cmp(&a.head));
        Matcher { ahead, open: Vec::new() }
    }

    /// Returns whether one of the patterns matches; each name must not come before the last in order.
    fn matches(&mut self, folded: &str) -> bool {
        // Texts with one beginning are neighbours in order: what is no beginning of this name is none of a later one.
        while self.open.pop_if(|open| !folded.starts_with(open.head.as_str())).is_some() {}
        while let Some(next) = self.ahead.pop_if(|next| next.head.as_str() <= folded) {
            if folded.starts_with(next.head.as_str()) {
                self.open.push(next);
            }
        }
        if self.open.is_empty() {
            return false;
        }
        let letters = letters(folded);
        let is_matched = |open: &Head| wildcard::matches(open.pattern.folded().as_bytes(), folded.as_bytes());
        self.open.iter().any(|open| open.letters & !letters == 0 && is_matched(open))
    }
}
