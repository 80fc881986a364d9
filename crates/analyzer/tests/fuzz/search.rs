//! Questions about patterns, answered by other means than the product's: what is found bears its own witness.
//!
//! Everything is in bytes, with ASCII case folded: in a name of ASCII characters, as AWS's are, bytes are characters.

use std::collections::{BTreeSet, HashSet};

/// Whether the pattern matches the whole name. A pattern has at most 127 bytes.
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    name.iter().fold(Places::of_nothing(pattern), |places, byte| places.read(pattern, *byte)).is_end(pattern)
}

/// The places of a pattern that a name has led to: bit `n` tells whether the first `n` bytes of the pattern match it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Places(u128);

impl Places {
    /// Where the empty name leads.
    fn of_nothing(pattern: &[u8]) -> Places {
        assert!(pattern.len() < 128, "a bit for each place");
        let mut places = Places::default();
        places.mark(pattern, 0);
        places
    }

    /// Where one more byte leads.
    fn read(self, pattern: &[u8], byte: u8) -> Places {
        let mut next = Places::default();
        for (at, own) in pattern.iter().enumerate().filter(|(at, _)| self.has(*at)) {
            match own {
                b'*' => next.mark(pattern, at),
                b'?' => next.mark(pattern, at + 1),
                own if own.eq_ignore_ascii_case(&byte) => next.mark(pattern, at + 1),
                _ => {}
            }
        }
        next
    }

    /// Marks a place, and those behind the stars that stand there.
    fn mark(&mut self, pattern: &[u8], at: usize) {
        self.0 |= 1 << at;
        if pattern.get(at) == Some(&b'*') {
            self.mark(pattern, at + 1);
        }
    }

    fn has(self, at: usize) -> bool {
        self.0 >> at & 1 == 1
    }

    fn is_end(self, pattern: &[u8]) -> bool {
        self.has(pattern.len())
    }
}

/// What a search came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Search {
    /// This is such a name.
    Found(Vec<u8>),
    /// There is none.
    None,
    /// Too much would have to be looked at.
    TooLarge,
}

/// More pairs of places than this are not looked at: far fewer than the product's own bound.
const PAIRS: usize = 400;

/// Searches the shortest name for which `is_wanted` holds, given whether the one and the other pattern match it.
pub fn search(one: &str, other: &str, is_wanted: fn(bool, bool) -> bool) -> Search {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let own: BTreeSet<u8> = one.iter().chain(other).map(u8::to_ascii_lowercase).collect();
    // One letter that no pattern names stands for all of them.
    let foreign = (b'a'..=b'z').find(|byte| !own.contains(byte));
    let letters: Vec<u8> = own.iter().copied().filter(|byte| !matches!(byte, b'*' | b'?')).chain(foreign).collect();
    let mut seen = HashSet::new();
    let mut open = vec![(Vec::new(), Places::of_nothing(one), Places::of_nothing(other))];
    while !open.is_empty() {
        let mut longer = Vec::new();
        for (name, in_one, in_other) in open {
            // A shorter name has led both patterns here before.
            if !seen.insert((in_one, in_other)) {
                continue;
            }
            if is_wanted(in_one.is_end(one), in_other.is_end(other)) {
                assert!(is_wanted(matches(one, &name), matches(other, &name)));
                return Search::Found(name);
            }
            if seen.len() > PAIRS {
                return Search::TooLarge;
            }
            longer.extend(letters.iter().map(|letter| {
                let name: Vec<u8> = [name.as_slice(), &[*letter]].concat();
                (name, in_one.read(one, *letter), in_other.read(other, *letter))
            }));
        }
        open = longer;
    }
    Search::None
}
