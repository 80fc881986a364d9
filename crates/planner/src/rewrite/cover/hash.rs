//! A quick hash of short texts and sets. What is looked up by it is bounded, and nothing depends on its order.

use std::hash::BuildHasherDefault;
use std::hash::Hasher;

/// Makes the hashes of a map.
pub(super) type Quick = BuildHasherDefault<QuickHasher>;

/// Mixes eight bytes at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct QuickHasher(u64);

/// An odd number with bits in no order.
const FACTOR: u64 = 0xf135_7aea_2e62_a9c5;

impl QuickHasher {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for QuickHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.mix(rest.iter().fold(1, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.mix(word as u64);
    }

    fn finish(&self) -> u64 {
        // The upper bits of a product are the better mixed ones, and maps look at both ends.
        self.0 ^ self.0.rotate_left(32)
    }
}
