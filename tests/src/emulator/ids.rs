//! Ids as AWS makes them, from a seed: the same calls get the same ids.

use std::fmt::Write;

/// A source of ids.
#[derive(Clone, Debug)]
pub struct Ids(u64);

impl Ids {
    /// Starts from a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits, by splitmix64: nothing here is a secret.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A UUID, as request ids, job ids and event ids are.
    pub fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        let version = 0x4000 | (a & 0x0fff);
        let variant = 0x8000 | ((b >> 48) & 0x3fff);
        format!("{:08x}-{:04x}-{version:04x}-{variant:04x}-{:012x}", a >> 32, (a >> 16) & 0xffff, b & 0xffff_ffff_ffff)
    }

    /// A unique id of IAM: a prefix of four letters, and letters and digits up to 21 characters.
    pub fn unique(&mut self, prefix: &str) -> String {
        self.letters(prefix, 17)
    }

    /// The id of an access key, of 20 characters.
    pub fn access_key(&mut self, prefix: &str) -> String {
        self.letters(prefix, 16)
    }

    /// A secret, or a session token, of some length.
    pub fn secret(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 16);
        while text.len() < length {
            // Writing to a string does not fail.
            let _ = write!(text, "{:016x}", self.next());
        }
        text.truncate(length);
        text
    }

    fn letters(&mut self, prefix: &str, count: usize) -> String {
        const ALPHABET: [char; 32] = [
            'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U',
            'V', 'W', 'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7',
        ];
        let mut text = String::from(prefix);
        for _ in 0..count {
            let at = usize::try_from(self.next() % 32).unwrap_or(0);
            text.push(ALPHABET.get(at).copied().unwrap_or('A'));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (mut one, mut other) = (Ids::new(7), Ids::new(7));
        assert_eq!(one.uuid(), other.uuid());
        let id = one.unique("AROA");
        assert_eq!(id, other.unique("AROA"));
        assert_eq!(id.len(), 21);
        assert_eq!(one.access_key("AKIA").len(), 20);
        assert_eq!(one.uuid().len(), 36);
        assert_eq!(one.secret(40).len(), 40);
        assert_ne!(Ids::new(8).uuid(), Ids::new(7).uuid());
    }
}
