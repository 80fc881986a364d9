//! What is written for one tree, while it is being decided.

use super::bits::{self, Bits};
use super::slot::{Role, cost};
use super::tree::{Leaf, Tree};

/// A pattern, and what it matches of what must be matched. It matches nothing that must not be.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) cost: usize,
    /// Places among the names that must be matched.
    pub(super) musts: Bits,
}

/// A star that is written in any case, because that has been decided. Its names are [`Role::Free`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed {
    pub(super) node: usize,
    /// The length of its prefix.
    pub(super) depth: usize,
}

/// Patterns for a tree; what they do not match of what must be matched is written by name.
#[derive(Debug)]
pub(super) struct List<'t> {
    pub(super) tree: &'t Tree<'t>,
    /// The leaves that must be matched.
    pub(super) musts: Vec<usize>,
    pub(super) fixed: Vec<Fixed>,
    pub(super) pieces: Vec<Piece>,
    /// How many pieces match each.
    times: Vec<usize>,
}

impl<'t> List<'t> {
    /// A list of names, and of stars on the nodes of `fixed`, with whole words for prefixes where there are some.
    pub(super) fn new(tree: &'t Tree<'t>, fixed: &[usize]) -> List<'t> {
        let leaves = tree.leaves.iter().enumerate();
        let musts: Vec<usize> = leaves.filter(|(_, leaf)| leaf.role == Role::Must).map(|(at, _)| at).collect();
        let depth = |node| tree.longest_word(node).unwrap_or(node.depth);
        let fixed = fixed.iter().map(|node| Fixed { node: *node, depth: depth(tree.node(*node)) }).collect();
        let times = vec![0; musts.len()];
        List { tree, musts, fixed, pieces: Vec::new(), times }
    }

    /// The star of a node.
    pub(super) fn star(&self, at: usize, depth: usize) -> Piece {
        let node = self.tree.node(at);
        let text = self.tree.star(node, depth);
        let mut musts = bits::none(self.musts.len());
        for place in self.tree.musts(node) {
            bits::set(&mut musts, place);
        }
        Piece { cost: cost(&text), text, musts }
    }

    pub(super) fn must(&self, must: usize) -> Option<&'t Leaf<'t>> {
        self.musts.get(must).and_then(|at| self.tree.leaves.get(*at))
    }

    pub(super) fn name(&self, must: usize) -> &'t str {
        self.must(must).map_or("", |leaf| leaf.text)
    }

    /// What names cost of which this many pieces match each.
    fn names_cost(&self, piece: &Piece, times: usize) -> usize {
        let of = bits::ones(&piece.musts).filter(|must| self.times.get(*must) == Some(&times));
        of.map(|must| cost(self.name(must))).sum()
    }

    /// What a piece saves: the names still written that it matches, and the pieces that match nothing else, less itself.
    pub(super) fn gain(&self, piece: &Piece) -> usize {
        let within = self.pieces.iter().filter(|other| bits::is_within(&other.musts, &piece.musts));
        let pieces: usize = within.map(|other| other.cost).sum();
        (self.names_cost(piece, 0) + pieces).saturating_sub(piece.cost)
    }

    /// Adds a piece, in the place of those that match nothing else.
    pub(super) fn add(&mut self, piece: Piece) {
        let mut at = 0;
        while let Some(other) = self.pieces.get(at) {
            if bits::is_within(&other.musts, &piece.musts) { self.remove(at) } else { at += 1 }
        }
        for must in bits::ones(&piece.musts) {
            if let Some(times) = self.times.get_mut(must) {
                *times += 1;
            }
        }
        self.pieces.push(piece);
    }

    fn remove(&mut self, at: usize) {
        let piece = self.pieces.remove(at);
        for must in bits::ones(&piece.musts) {
            if let Some(times) = self.times.get_mut(must) {
                *times -= 1;
            }
        }
    }

    /// Writes these pieces in the place of all others; a piece that is a name needs not be said.
    pub(super) fn replace(&mut self, pieces: Vec<Piece>) {
        self.pieces.clear();
        self.times.fill(0);
        for piece in pieces.into_iter().filter(|piece| piece.text.contains('*')) {
            self.add(piece);
        }
    }

    /// Leaves out what the other pieces match as well, or what names say in fewer characters, the dearest first.
    pub(super) fn tidy(&mut self) {
        let mut order: Vec<String> = self.pieces.iter().map(|piece| piece.text.clone()).collect();
        order.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        for text in order {
            let Some(at) = self.pieces.iter().position(|piece| piece.text == text) else { continue };
            if self.extra(at).is_some_and(|extra| extra == 0) {
                self.remove(at);
            }
        }
    }

    /// How many characters more it takes to write names in the place of a piece; 0 if it takes fewer.
    pub(super) fn extra(&self, at: usize) -> Option<usize> {
        let piece = self.pieces.get(at)?;
        Some(self.names_cost(piece, 1).saturating_sub(piece.cost))
    }

    /// Writes names in the place of a piece.
    pub(super) fn write_out(&mut self, at: usize) {
        if at < self.pieces.len() {
            self.remove(at);
        }
    }

    pub(super) fn fixed_cost(&self, fixed: &Fixed) -> usize {
        self.tree.star_cost(fixed.depth)
    }

    pub(super) fn size(&self) -> usize {
        let fixed: usize = self.fixed.iter().map(|fixed| self.fixed_cost(fixed)).sum();
        let pieces: usize = self.pieces.iter().map(|piece| piece.cost).sum();
        fixed + pieces + self.names().map(cost).sum::<usize>()
    }

    fn names(&self) -> impl Iterator<Item = &'t str> + '_ {
        let unmatched = self.times.iter().enumerate().filter(|(_, times)| **times == 0);
        unmatched.map(|(must, _)| self.name(must))
    }

    pub(super) fn patterns(&self) -> Vec<String> {
        let fixed = self.fixed.iter().map(|fixed| self.tree.star(self.tree.node(fixed.node), fixed.depth));
        let pieces = self.pieces.iter().map(|piece| piece.text.clone());
        fixed.chain(pieces).chain(self.names().map(str::to_owned)).collect()
    }
}
