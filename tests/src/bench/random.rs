//! Random numbers that are the same on every machine: SplitMix64.

/// A source of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// Returns a source of its own for part number `part`: what one part draws does not move the others.
    pub(super) fn part(seed: u64, part: &str, number: usize) -> Random {
        let mut own = Random(seed);
        for byte in part.bytes() {
            own.0 = own.next() ^ u64::from(byte);
        }
        own.0 = own.next() ^ number as u64;
        own.next();
        own
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`; 0 when `end` is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            return 0;
        }
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }

    /// Returns a number from `from` to `to`, both included.
    pub(super) fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to.saturating_sub(from) + 1)
    }

    /// Returns whether one of so many in a thousand is drawn.
    pub(super) fn per_mille(&mut self, share: usize) -> bool {
        self.below(1_000) < share
    }

    /// Returns a time between two times, in seconds since 1970.
    pub(super) fn time(&mut self, from: i64, to: i64) -> i64 {
        let span = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
        from.saturating_add(i64::try_from(self.below(span)).unwrap_or(0))
    }

    /// Returns one of the list; none of an empty one.
    pub(super) fn one_of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }

    /// Returns up to `count` different numbers below `end`, in order.
    pub(super) fn some_of(&mut self, end: usize, count: usize) -> Vec<usize> {
        let count = count.min(end);
        let mut chosen = std::collections::BTreeSet::new();
        while chosen.len() < count {
            chosen.insert(self.below(end));
        }
        chosen.into_iter().collect()
    }

    /// Returns letters and digits as AWS's unique ids have them.
    pub(super) fn id(&mut self, prefix: &str) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let letters = (0..17).filter_map(|_| self.one_of(LETTERS).map(|letter| char::from(*letter)));
        prefix.chars().chain(letters).collect()
    }
}
