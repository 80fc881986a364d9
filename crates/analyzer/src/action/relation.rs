//! Inclusion and disjointness of glob patterns, as languages over all texts.
//!
//! A pattern is an automaton with one state per position. Both questions walk the texts of two patterns side by side;
//! the letters are those that occur in either pattern, and one letter that stands for all others.

use std::collections::{BTreeSet, HashSet};

/// A pathological pair such as `*` and `*a????????????????????` needs more pairs of states than this; real ones need
/// a few dozen.
const MAX_EXPLORED: usize = 20_000;

/// A letter: one of the patterns' own bytes, or any other.
type Letter = Option<u8>;

fn letters(a: &[u8], b: &[u8]) -> Vec<Letter> {
    let own: BTreeSet<u8> = a.iter().chain(b).copied().filter(|byte| !matches!(byte, b'*' | b'?')).collect();
    own.into_iter().map(Some).chain([None]).collect()
}

/// Adds `position` and those reachable from it without reading: a star may match nothing.
fn close(pattern: &[u8], position: usize, into: &mut Vec<usize>) {
    let mut at = position;
    into.push(at);
    while pattern.get(at) == Some(&b'*') {
        at += 1;
        into.push(at);
    }
}

fn start(pattern: &[u8]) -> Vec<usize> {
    let mut states = Vec::new();
    close(pattern, 0, &mut states);
    states
}

fn step(pattern: &[u8], states: &[usize], letter: Letter) -> Vec<usize> {
    let mut next = Vec::with_capacity(states.len() + 1);
    for &state in states {
        match pattern.get(state) {
            Some(b'*') => close(pattern, state, &mut next),
            Some(b'?') => close(pattern, state + 1, &mut next),
            Some(own) if letter == Some(*own) => close(pattern, state + 1, &mut next),
            _ => {}
        }
    }
    next.sort_unstable();
    next.dedup();
    next
}

fn accepts(pattern: &[u8], states: &[usize]) -> bool {
    states.contains(&pattern.len())
}

/// Returns whether every text of `inner` is a text of `outer`; `false` also when the search grew too large.
pub(super) fn includes(outer: &str, inner: &str) -> bool {
    let (outer, inner) = (outer.as_bytes(), inner.as_bytes());
    if outer == inner {
        return true;
    }
    if !inner.iter().any(|byte| matches!(byte, b'*' | b'?')) {
        return crate::wildcard::matches(outer, inner);
    }
    // The common case by far: `s3:Get*` within `s3:*`.
    if let Some((b'*', prefix)) = outer.split_last()
        && !prefix.iter().any(|byte| matches!(byte, b'*' | b'?'))
    {
        return inner.starts_with(prefix);
    }
    let letters = letters(outer, inner);
    let mut seen: HashSet<(Vec<usize>, Vec<usize>)> = HashSet::new();
    let mut open = vec![(start(inner), start(outer))];
    while let Some((inner_states, outer_states)) = open.pop() {
        if accepts(inner, &inner_states) && !accepts(outer, &outer_states) {
            return false;
        }
        if seen.len() >= MAX_EXPLORED {
            return false;
        }
        for &letter in &letters {
            let inner_next = step(inner, &inner_states, letter);
            if inner_next.is_empty() {
                continue;
            }
            let pair = (inner_next, step(outer, &outer_states, letter));
            if !seen.contains(&pair) {
                seen.insert(pair.clone());
                open.push(pair);
            }
        }
    }
    true
}

/// Returns whether no text belongs to both patterns.
pub(super) fn is_disjoint(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    // reachable[j]: some text leads to position i of `a` and j of `b`; one row per position of `a`.
    let width = b.len() + 1;
    let mut row = vec![false; width];
    for i in 0..=a.len() {
        let mut next = vec![false; width];
        if i == 0 {
            set(&mut row, 0);
        }
        for j in 0..width {
            if !row.get(j).copied().unwrap_or_default() {
                continue;
            }
            let (own, other) = (a.get(i), b.get(j));
            // A star of either side may match nothing, or swallow what the other side asks for.
            if other == Some(&b'*') {
                set(&mut row, j + 1);
            }
            if own == Some(&b'*') {
                set(&mut next, j);
                if other.is_some() {
                    set(&mut row, j + 1);
                }
            }
            match (own, other) {
                (Some(_), Some(b'*')) => set(&mut next, j),
                (Some(x), Some(y)) if x == y || *x == b'?' || *y == b'?' => set(&mut next, j + 1),
                _ => {}
            }
        }
        if i == a.len() {
            return !row.get(b.len()).copied().unwrap_or_default();
        }
        row = next;
    }
    true
}

fn set(row: &mut [bool], at: usize) {
    if let Some(cell) = row.get_mut(at) {
        *cell = true;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wildcard;

    /// All texts of up to seven letters over `a`, `b` and a third letter that no pattern names.
    fn texts() -> Vec<Vec<u8>> {
        let mut all = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..7 {
            last = last
                .iter()
                .flat_map(|text: &Vec<u8>| b"abz".iter().map(move |&letter| [text.as_slice(), &[letter]].concat()))
                .collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        // Where a text of both needs a letter, one of the patterns has an element for it that is no star: with a star in each
        // of two patterns of up to four elements that is six letters at most.
        #[test]
        fn relations_agree_with_brute_force(a in "[ab*?]{0,4}", b in "[ab*?]{0,4}") {
            let all = texts();
            let included = all.iter().all(|t| !wildcard::matches(b.as_bytes(), t) || wildcard::matches(a.as_bytes(), t));
            let disjoint = !all.iter().any(|t| wildcard::matches(b.as_bytes(), t) && wildcard::matches(a.as_bytes(), t));
            prop_assert_eq!(includes(&a, &b), included, "{} includes {}", a, b);
            prop_assert_eq!(is_disjoint(&a, &b), disjoint, "{} disjoint {}", a, b);
        }
    }

    #[test]
    fn inclusion_of_real_patterns() {
        let check =
            |outer: &str, inner: &str, expect: bool| assert_eq!(includes(outer, inner), expect, "{outer} {inner}");
        check("*", "s3:*", true);
        check("s3:*", "*", false);
        check("s3:*", "s3:get*", true);
        check("s3:get*", "s3:*", false);
        check("s3:*object*", "s3:get*object", true);
        check("s3:get?bject", "s3:getobject", true);
        check("s3:getobject", "s3:get?bject", false);
        check("ec2:describe*", "ec2:?escribe*", false);
    }

    #[test]
    fn a_question_that_is_too_hard_is_answered_no() {
        let outer = format!("*a{}", "?".repeat(40));
        assert!(!includes(&format!("*{outer}"), &format!("*a*b*{}", "?".repeat(40))));
    }

    #[test]
    fn disjointness_of_real_patterns() {
        let check = |a: &str, b: &str, expect: bool| {
            assert_eq!((is_disjoint(a, b), is_disjoint(b, a)), (expect, expect), "{a} {b}");
        };
        check("s3:get*", "s3:put*", true);
        check("s3:*object", "s3:get*", false);
        check("*", "s3:getobject", false);
        check("iam:*", "ec2:*", true);
        check("s3:get*acl", "s3:*version", true);
    }
}
