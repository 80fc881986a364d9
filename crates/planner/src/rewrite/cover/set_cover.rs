//! The shortest exact cover from given patterns.
//!
//! That is a set cover, which nobody solves fast. What is here is greedy: it may only improve on the shortest cover by names
//! and prefix-stars, and where it does not, that one stands. All bounds are on work, none on time: the result is the same
//! everywhere.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use secateur_analyzer::action::ActionPattern;

use super::bits::{self, Bits};
use super::exact;
use super::list::{List, Piece};
use super::slot::{Kind, cost};
use super::tree::Tree;

/// Questions to the pattern algebra.
const MAX_QUESTIONS: usize = 2_000;

/// Returns whether a pattern belongs to the slot's language.
pub(super) fn is_admissible(kind: &Kind, pattern: &str) -> bool {
    let pattern = ActionPattern::new(pattern);
    match kind {
        Kind::Within(old) => old.includes(&pattern),
        Kind::Outside(old) => old.iter().all(|old| old.is_disjoint(&pattern)),
        Kind::Exempt => true,
    }
}

/// An exact cover of a tree, of names too, that is shorter than by names and prefix-stars.
#[derive(Clone, Debug)]
pub(super) struct Shorter {
    pub(super) pieces: Vec<Piece>,
    pub(super) size: usize,
}

impl Shorter {
    pub(super) fn patterns(self) -> impl Iterator<Item = String> {
        self.pieces.into_iter().map(|piece| piece.text)
    }
}

struct Candidate<'p> {
    piece: Cow<'p, Piece>,
    /// Whether it is a name, or belongs to the cover that is to be beaten.
    is_known: bool,
}

/// Looks for an exact cover of a tree that these pieces make shorter than names and prefix-stars do.
pub(super) fn improve(kind: &Kind, tree: &Tree<'_>, pieces: &[Piece]) -> Option<Shorter> {
    if pieces.is_empty() {
        return None;
    }
    let list = List::new(tree, &[]);
    let own = pieces.iter().map(|piece| Candidate { piece: Cow::Borrowed(piece), is_known: false });
    let mut candidates: Vec<Candidate<'_>> = own.collect();
    let stars = exact::shortest_stars(tree).into_iter().map(|(at, depth)| list.star(at, depth));
    let names = (0..list.musts.len()).map(|must| {
        let text = list.name(must).to_owned();
        let mut musts = bits::none(list.musts.len());
        bits::set(&mut musts, must);
        Piece { cost: cost(&text), text, musts }
    });
    candidates.extend(stars.chain(names).map(|piece| Candidate { piece: Cow::Owned(piece), is_known: true }));
    let mut cover = Greedy { kind, candidates: &candidates, refused: vec![false; candidates.len()], questions: 0 };
    let counts = vec![1 << 12; list.musts.len()];
    let prices = prices(list.musts.len(), &candidates);
    let found = [cover.run(&counts), cover.run(&prices)].into_iter().flatten();
    let best = found.min_by_key(|chosen| chosen.iter().map(|candidate| candidate.piece.cost).sum::<usize>())?;
    let size = best.iter().map(|candidate| candidate.piece.cost).sum();
    let pieces = best.into_iter().map(|candidate| Piece::clone(&candidate.piece)).collect();
    (size < exact::least_size(tree)).then_some(Shorter { pieces, size })
}

/// What each name costs in the cover that is to be beaten: its part of the pattern that matches it.
fn prices(musts: usize, candidates: &[Candidate<'_>]) -> Vec<u64> {
    let mut prices = vec![u64::MAX; musts];
    for candidate in candidates.iter().filter(|candidate| candidate.is_known) {
        let price = ((candidate.piece.cost as u64) << 12) / (bits::count(&candidate.piece.musts) as u64).max(1);
        for at in bits::ones(&candidate.piece.musts) {
            if let Some(own) = prices.get_mut(at) {
                *own = price.min(*own);
            }
        }
    }
    prices
}

/// A set cover by the least price for what is newly covered.
struct Greedy<'a> {
    kind: &'a Kind,
    candidates: &'a [Candidate<'a>],
    refused: Vec<bool>,
    questions: usize,
}

impl<'a> Greedy<'a> {
    /// Returns a cover; `None` where something is left out.
    fn run(&mut self, values: &[u64]) -> Option<Vec<&'a Candidate<'a>>> {
        let value = |bits: &Bits| bits::ones(bits).filter_map(|at| values.get(at)).sum::<u64>();
        let price = |candidate: &Candidate<'_>, value: u64| (candidate.piece.cost as u64) * (1 << 32) / value.max(1);
        let mut open: BinaryHeap<Reverse<(u64, usize)>> = (self.candidates.iter().enumerate())
            .map(|(at, candidate)| Reverse((price(candidate, value(&candidate.piece.musts)), at)))
            .collect();
        let mut left = bits::all(values.len());
        let mut chosen: Vec<&Candidate<'_>> = Vec::new();
        while let Some(Reverse((known_price, at))) = open.pop() {
            let Some(candidate) = self.candidates.get(at) else { continue };
            let new = bits::both(&candidate.piece.musts, &left);
            if bits::is_none(&new) {
                continue;
            }
            let now = price(candidate, value(&new));
            if now > known_price {
                // Others may be better by now.
                open.push(Reverse((now, at)));
            } else if self.is_admissible(at, candidate) {
                left = bits::without(&left, &candidate.piece.musts);
                chosen.push(candidate);
            }
        }
        bits::is_none(&left).then(|| needed(chosen, values.len()))
    }

    fn is_admissible(&mut self, at: usize, candidate: &Candidate<'_>) -> bool {
        if candidate.is_known {
            return true;
        }
        let Some(refused) = self.refused.get_mut(at) else { return false };
        self.questions += 1;
        *refused = *refused || self.questions > MAX_QUESTIONS || !is_admissible(self.kind, &candidate.piece.text);
        !*refused
    }
}

/// Leaves out what the others match as well, the dearest first.
fn needed<'c>(mut chosen: Vec<&'c Candidate<'c>>, musts: usize) -> Vec<&'c Candidate<'c>> {
    chosen.sort_by(|a, b| (Reverse(a.piece.cost), &a.piece.text).cmp(&(Reverse(b.piece.cost), &b.piece.text)));
    let mut times = vec![0_usize; musts];
    for at in chosen.iter().flat_map(|candidate| bits::ones(&candidate.piece.musts)) {
        if let Some(times) = times.get_mut(at) {
            *times += 1;
        }
    }
    chosen.retain(|candidate| {
        let is_needed = bits::ones(&candidate.piece.musts).any(|at| times.get(at).is_some_and(|times| *times < 2));
        if !is_needed {
            for at in bits::ones(&candidate.piece.musts) {
                if let Some(times) = times.get_mut(at) {
                    *times -= 1;
                }
            }
        }
        is_needed
    });
    chosen
}
