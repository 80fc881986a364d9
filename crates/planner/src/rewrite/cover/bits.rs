//! Small sets of places, a bit each.

/// A set; those that are combined have the same length.
pub(super) type Bits = Vec<u64>;

pub(super) fn none(length: usize) -> Bits {
    vec![0; length.div_ceil(64)]
}

pub(super) fn all(length: usize) -> Bits {
    let mut bits = vec![u64::MAX; length.div_ceil(64)];
    if let (Some(last), rest @ 1..) = (bits.last_mut(), length % 64) {
        *last = (1 << rest) - 1;
    }
    bits
}

pub(super) fn set(bits: &mut Bits, at: usize) {
    if let Some(word) = bits.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

pub(super) fn clear(bits: &mut Bits, at: usize) {
    if let Some(word) = bits.get_mut(at / 64) {
        *word &= !(1 << (at % 64));
    }
}

pub(super) fn is_none(bits: &Bits) -> bool {
    bits.iter().all(|word| *word == 0)
}

pub(super) fn meet(a: &Bits, b: &Bits) -> bool {
    a.iter().zip(b).any(|(a, b)| a & b != 0)
}

pub(super) fn is_within(a: &Bits, b: &Bits) -> bool {
    a.iter().zip(b).all(|(a, b)| a & !b == 0)
}

pub(super) fn both(a: &Bits, b: &Bits) -> Bits {
    a.iter().zip(b).map(|(a, b)| a & b).collect()
}

pub(super) fn without(a: &Bits, b: &Bits) -> Bits {
    a.iter().zip(b).map(|(a, b)| a & !b).collect()
}

pub(super) fn count(bits: &Bits) -> u32 {
    bits.iter().map(|word| word.count_ones()).sum()
}

/// The places in a set, in order.
pub(super) fn ones(bits: &Bits) -> impl Iterator<Item = usize> + '_ {
    bits.iter().enumerate().flat_map(|(at, word)| ones_of(*word).map(move |bit| at * 64 + bit))
}

/// The places that are in two sets, in order.
pub(super) fn ones_of_both<'b>(a: &'b Bits, b: &'b Bits) -> impl Iterator<Item = usize> + 'b {
    a.iter().zip(b).enumerate().flat_map(|(at, (a, b))| ones_of(a & b).map(move |bit| at * 64 + bit))
}

/// The places in one word of a set, in order.
pub(super) fn ones_of(word: u64) -> impl Iterator<Item = usize> {
    let mut rest = word;
    std::iter::from_fn(move || {
        (rest != 0).then(|| {
            let bit = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            bit
        })
    })
}
