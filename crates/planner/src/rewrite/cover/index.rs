//! Names by the pairs of letters in them: which have a text is found without looking at each.

use super::bits::{self, Bits};

/// Where a text stands in names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the beginning, the service included.
    Start,
    /// At the end.
    End,
    /// Anywhere behind the service.
    Anywhere,
}

/// Letters and digits have classes of their own, all else shares one.
const CLASSES: usize = 37;

/// Names in lower case.
#[derive(Debug)]
pub(super) struct Index<'a> {
    names: Vec<&'a str>,
    /// The characters of `service:`.
    service: usize,
    /// For each pair of classes the names that have it, one word behind the other.
    pairs: Bits,
    words: usize,
}

fn class(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => usize::from(byte - b'a'),
        b'0'..=b'9' => usize::from(byte - b'0') + 26,
        _ => CLASSES - 1,
    }
}

/// The pairs of a text.
fn pairs(text: &str) -> impl Iterator<Item = usize> + '_ {
    let bytes = text.as_bytes();
    bytes.iter().zip(bytes.iter().skip(1)).map(|(a, b)| class(*a) * CLASSES + class(*b))
}

impl<'a> Index<'a> {
    pub(super) fn of(names: impl Iterator<Item = &'a str>, service: usize) -> Index<'a> {
        let names: Vec<&str> = names.collect();
        let words = names.len().div_ceil(64);
        let mut all = vec![0; CLASSES * CLASSES * words];
        for (at, name) in names.iter().enumerate() {
            for pair in pairs(name) {
                if let Some(word) = all.get_mut(pair * words + at / 64) {
                    *word |= 1 << (at % 64);
                }
            }
        }
        Index { names, service, pairs: all, words }
    }

    /// All names.
    pub(super) fn everything(&self) -> Bits {
        bits::all(self.names.len())
    }

    /// The names that have a text in this place.
    pub(super) fn having(&self, text: &str, place: Place) -> Bits {
        let mut found = bits::all(self.names.len());
        for pair in pairs(text) {
            let with_pair = self.pairs.get(pair * self.words..(pair + 1) * self.words).unwrap_or_default();
            found.iter_mut().zip(with_pair).for_each(|(own, with_pair)| *own &= with_pair);
        }
        // Names that have all pairs may have them elsewhere, or in another order.
        for at in 0..self.words {
            for bit in bits::ones_of(found.get(at).copied().unwrap_or_default()) {
                let name = self.names.get(at * 64 + bit).copied().unwrap_or_default();
                let has = match place {
                    Place::Start => name.starts_with(text),
                    Place::End => name.ends_with(text),
                    Place::Anywhere => name.get(self.service..).is_some_and(|action| action.contains(text)),
                };
                if !has {
                    bits::clear(&mut found, at * 64 + bit);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_what_a_look_at_each_name_finds() {
        let names: Vec<String> = (0..300_u32)
            .map(|at| format!("s3:{}{}obj{}", ["get", "put", "tag-", ""][at as usize % 4], at % 7, at * 7919 % 97))
            .collect();
        let index = Index::of(names.iter().map(String::as_str), 3);
        let texts: Vec<&str> =
            names.iter().flat_map(|name| (0..name.len()).filter_map(|from| name.get(from..))).collect();
        for text in texts.into_iter().chain(["", "s", "s3:g", "bj1", "jo", "g-0", "obj"]) {
            for place in [Place::Start, Place::End, Place::Anywhere] {
                let has = |name: &str| match place {
                    Place::Start => name.starts_with(text),
                    Place::End => name.ends_with(text),
                    Place::Anywhere => name.get(3..).is_some_and(|action| action.contains(text)),
                };
                let expect: Vec<usize> = (0..names.len()).filter(|at| has(&names[*at])).collect();
                assert_eq!(bits::ones(&index.having(text, place)).collect::<Vec<_>>(), expect, "{text} {place:?}");
            }
        }
    }
}
