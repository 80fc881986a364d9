//! Which statement of a new document is what is left of which old one.

use std::collections::HashSet;

/// Dead ends after which the search ends: such documents are none that AWS takes.
const MOST_DEAD_ENDS: usize = 100_000;

/// Finds for every old statement the new one that it became, or that it went: all new ones have come of an old one, and stay
/// in order. Of several ways the first counts, by which early statements stay.
///
/// None when there is no way, or none is found in time.
pub(super) fn align(
    olds: usize,
    news: usize,
    may_become: impl Fn(usize, usize) -> bool,
    may_go: impl Fn(usize) -> bool,
) -> Option<Vec<Option<usize>>> {
    let mut heirs: Vec<Option<usize>> = Vec::with_capacity(olds);
    let mut next = 0;
    // Old and new statements from which on there is no way.
    let mut dead: HashSet<(usize, usize)> = HashSet::new();
    loop {
        let old = heirs.len();
        if old == olds && next == news {
            return Some(heirs);
        }
        let is_open = old < olds && !dead.contains(&(old, next)) && dead.len() < MOST_DEAD_ENDS;
        if is_open && next < news && may_become(old, next) {
            heirs.push(Some(next));
            next += 1;
        } else if is_open && may_go(old) {
            heirs.push(None);
        } else {
            dead.insert((old, next));
            next = step_back(&mut heirs, next, &mut dead, &may_go)?;
        }
    }
}

/// Goes back to the last statement that stayed and may go instead. Returns the new statement that is free again.
fn step_back(
    heirs: &mut Vec<Option<usize>>,
    mut next: usize,
    dead: &mut HashSet<(usize, usize)>,
    may_go: &impl Fn(usize) -> bool,
) -> Option<usize> {
    loop {
        let heir = heirs.pop()?;
        next = heir.unwrap_or(next);
        let old = heirs.len();
        if heir.is_some() && may_go(old) && !dead.contains(&(old + 1, next)) && dead.len() < MOST_DEAD_ENDS {
            heirs.push(None);
            return Some(next);
        }
        dead.insert((old, next));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Old statements are letters, in upper case where they may go; new ones are letters, and come of the same ones.
    fn check(old: &str, new: &str, expect: Option<&str>) {
        let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
        let heirs = align(
            old.len(),
            new.len(),
            |at, to| old[at].eq_ignore_ascii_case(&new[to]) || old[at] == '?',
            |at| !old[at].is_ascii_lowercase(),
        );
        let written =
            heirs.map(|heirs| heirs.iter().map(|heir| heir.map_or('-', |heir| new[heir])).collect::<String>());
        assert_eq!(written.as_deref(), expect, "{old:?} {new:?}");
    }

    #[test]
    fn every_new_statement_has_one_old_one_in_order() {
        check("", "", Some(""));
        check("abc", "abc", Some("abc"));
        check("ABC", "", Some("---"));
        check("ABC", "ac", Some("a-c"));
        check("abC", "ac", None);
        check("AA", "a", Some("a-"));
        check("Aa", "a", Some("-a"));
        check("A", "aa", None);
        check("A", "b", None);
        // What could become anything leaves its place to what can become only that.
        check("?a", "a", Some("-a"));
        check("?a?b", "ab", Some("-a-b"));
        check("??ab", "xab", Some("x-ab"));
    }

    #[test]
    fn dead_ends_are_walked_once() {
        let (olds, news) = (400, 200);
        assert_eq!(align(olds, news, |old, _| old < 399, |old| old < 399), None);
    }
}
