//! As few wildcards as fit, and those that a reader would write.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use super::exact;
use super::list::{List, Piece};
use super::readable;
use super::set_cover::{self, Shorter, is_admissible};
use super::slot::{Slot, cost};
use super::tree::Tree;
use super::words;

/// A part of the problem that is decided: stars that are written in any case, by node, for each tree.
pub(super) type Decided = Vec<Vec<usize>>;

/// Some trees, and what is found out about each when it is first asked for. A copy shares both, until one of its trees changes.
#[derive(Clone)]
pub(super) struct Trees<'a> {
    pub(super) slots: &'a [Slot],
    pub(super) trees: Vec<Rc<Tree<'a>>>,
    words: Vec<Option<Rc<[Piece]>>>,
    shorter: Vec<Option<Option<Rc<Shorter>>>>,
}

impl<'a> Trees<'a> {
    pub(super) fn new(slots: &'a [Slot], trees: Vec<Tree<'a>>) -> Trees<'a> {
        let (words, shorter) = (vec![None; trees.len()], vec![None; trees.len()]);
        Trees { slots, trees: trees.into_iter().map(Rc::new).collect(), words, shorter }
    }

    /// Changes a tree; what was known about it is found out again.
    pub(super) fn change(&mut self, at: usize, change: impl FnOnce(&mut Tree<'a>)) {
        let Some(tree) = self.trees.get_mut(at).map(Rc::make_mut) else { return };
        change(tree);
        tree.sum();
        if let (Some(words), Some(shorter)) = (self.words.get_mut(at), self.shorter.get_mut(at)) {
            (*words, *shorter) = (None, None);
        }
    }

    /// Finds, for each tree, the patterns of whole words, and the list that they make shorter than names and prefix-stars.
    pub(super) fn look(&mut self) {
        for ((tree, words), shorter) in self.trees.iter().zip(&mut self.words).zip(&mut self.shorter) {
            let Some(slot) = self.slots.get(tree.slot) else { continue };
            let pieces = words.get_or_insert_with(|| words::pieces(tree).into());
            shorter.get_or_insert_with(|| set_cover::improve(&slot.kind, tree, pieces).map(Rc::new));
        }
    }

    fn words(&self, at: usize) -> &[Piece] {
        self.words.get(at).and_then(Option::as_deref).unwrap_or_default()
    }

    pub(super) fn shorter(&self, at: usize) -> Option<&Shorter> {
        self.shorter.get(at)?.as_ref()?.as_deref()
    }

    /// Writes what the trees ask for within `budget` characters, with as few wildcards as that takes; one list for each tree.
    ///
    /// - **Names**, where they fit.
    /// - **Beginnings**: stars behind whole words, on nodes that hold at least two names and nothing that must not be
    ///   matched.
    /// - **Words**: those, and the patterns of [`words`].
    /// - **Prefixes**: the stars of the shortest cover by names and prefix-stars, cut at any character.
    /// - **Shorter**: for whole trees, the shortest list found.
    ///
    /// In each stage the largest saving comes first, and of two equal ones the narrower; the last is the smallest that
    /// suffices. What is left of the budget is spent on narrower and more readable patterns. An error is the number of
    /// characters that the shortest lists have too many.
    pub(super) fn write(&mut self, decided: &Decided, budget: usize) -> Result<Vec<Vec<String>>, usize> {
        let mut lists = self.lists(decided);
        if size(&lists) > budget {
            let candidates = beginnings(&lists);
            take(self, &mut lists, candidates, budget);
        }
        if size(&lists) > budget {
            drop(lists);
            self.look();
            lists = self.write_with_words(decided, budget)?;
        }
        readable::spend(&mut lists, budget);
        Ok(lists.iter().map(List::patterns).collect())
    }

    fn write_with_words(&self, decided: &Decided, budget: usize) -> Result<Vec<List<'_>>, usize> {
        let mut lists = self.lists(decided);
        let least: usize = lists.iter().enumerate().map(|(at, list)| self.least(at, list)).sum();
        if least > budget {
            return Err(least - budget);
        }
        let candidates = self.all_words(&lists);
        take(self, &mut lists, candidates, budget);
        lists.iter_mut().for_each(List::tidy);
        if size(&lists) > budget {
            let candidates = prefixes(&lists);
            take(self, &mut lists, candidates, budget);
            lists.iter_mut().for_each(List::tidy);
        }
        if size(&lists) > budget {
            self.take_shorter(&mut lists, budget);
        }
        match size(&lists).saturating_sub(budget) {
            0 => Ok(lists),
            too_many => Err(too_many),
        }
    }

    fn lists(&self, decided: &Decided) -> Vec<List<'_>> {
        let decided = decided.iter().map(Vec::as_slice).chain(std::iter::repeat(&[][..]));
        self.trees.iter().zip(decided).map(|(tree, decided)| List::new(tree, decided)).collect()
    }

    /// The fewest characters that a list can take.
    fn least(&self, at: usize, list: &List<'_>) -> usize {
        let shortest = |node| list.tree.node(node).shortest;
        let fixed = list.fixed.iter().map(|fixed| list.tree.star_cost(shortest(fixed.node).unwrap_or(fixed.depth)));
        let own = self.shorter(at).map_or_else(|| exact::least_size(list.tree), |shorter| shorter.size);
        fixed.sum::<usize>() + own
    }

    fn all_words(&self, lists: &[List<'_>]) -> Vec<Candidate> {
        let mut found = beginnings(lists);
        for at in 0..lists.len() {
            found.extend(self.words(at).iter().map(|piece| Candidate::new(at, piece.clone())));
        }
        found
    }

    /// Takes the shortest lists for whole trees.
    fn take_shorter(&self, lists: &mut [List<'_>], budget: usize) {
        let mut savings: Vec<(usize, usize)> = (lists.iter().enumerate())
            .map(|(at, list)| (list.size().saturating_sub(self.least(at, list)), at))
            .filter(|(saving, _)| *saving > 0)
            .collect();
        savings.sort_by_key(|(saving, at)| (Reverse(*saving), *at));
        let mut need = size(lists).saturating_sub(budget);
        let mut rest = savings.as_slice();
        while let (Some((first, others)), true) = (rest.split_first(), need > 0) {
            let enough = rest.partition_point(|(saving, _)| *saving >= need);
            let next = enough.checked_sub(1).and_then(|last| rest.get(last)).unwrap_or(first);
            if let Some(list) = lists.get_mut(next.1) {
                let pieces = match self.shorter(next.1) {
                    Some(shorter) => shorter.pieces.clone(),
                    None => shortest(list),
                };
                list.replace(pieces);
            }
            need = need.saturating_sub(next.0);
            rest = others;
        }
    }
}

fn size(lists: &[List<'_>]) -> usize {
    lists.iter().map(List::size).sum()
}

/// A piece that could be written in a list, or a shorter prefix for a star that is written in any case.
struct Candidate {
    list: usize,
    piece: Piece,
    fixed: Option<(usize, usize)>,
}

impl Candidate {
    fn new(list: usize, piece: Piece) -> Candidate {
        Candidate { list, piece, fixed: None }
    }

    fn gain(&self, lists: &[List<'_>]) -> usize {
        let Some(list) = lists.get(self.list) else { return 0 };
        match self.fixed {
            None => list.gain(&self.piece),
            Some((at, _)) => {
                list.fixed.get(at).map_or(0, |fixed| list.fixed_cost(fixed).saturating_sub(self.piece.cost))
            }
        }
    }

    fn write(self, lists: &mut [List<'_>]) {
        let Some(list) = lists.get_mut(self.list) else { return };
        match self.fixed {
            None => list.add(self.piece),
            Some((at, depth)) => {
                if let Some(fixed) = list.fixed.get_mut(at) {
                    fixed.depth = depth;
                }
            }
        }
    }
}

/// The star of a node, if it has at least two names and its prefix is of whole words.
fn beginning(list: &List<'_>, at: usize) -> Option<Piece> {
    let node = list.tree.node(at);
    let sums = list.tree.sums(node);
    let depth = list.tree.longest_word(node).filter(|_| sums.musts > 1)?;
    (list.tree.star_cost(depth) < sums.must_cost).then(|| list.star(at, depth))
}

fn beginnings(lists: &[List<'_>]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (place, list) in lists.iter().enumerate() {
        let mut open = list.tree.clean();
        while let Some(at) = open.pop() {
            found.extend(beginning(list, at).map(|piece| Candidate::new(place, piece)));
            open.extend(list.tree.node(at).children.iter().rev());
        }
    }
    found
}

fn shortest(list: &List<'_>) -> Vec<Piece> {
    exact::shortest_stars(list.tree).into_iter().map(|(at, depth)| list.star(at, depth)).collect()
}

fn prefixes(lists: &[List<'_>]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (place, list) in lists.iter().enumerate() {
        found.extend(shortest(list).into_iter().map(|piece| Candidate::new(place, piece)));
        for (at, fixed) in list.fixed.iter().enumerate() {
            let node = list.tree.node(fixed.node);
            if let Some(depth) = node.shortest.filter(|depth| *depth < fixed.depth) {
                let text = list.tree.star(node, depth);
                let piece = Piece { cost: cost(&text), text, musts: Vec::new() };
                found.push(Candidate { list: place, piece, fixed: Some((at, depth)) });
            }
        }
    }
    found
}

/// Takes the largest savings until the lists fit, and as the last the smallest that suffices.
fn take(trees: &Trees<'_>, lists: &mut [List<'_>], mut candidates: Vec<Candidate>, budget: usize) {
    candidates.sort_by_cached_key(|own| (words::rank(&own.piece.text), own.list, own.piece.text.clone()));
    let mut candidates: Vec<Option<Candidate>> = candidates.into_iter().map(Some).collect();
    let mut need = size(lists).saturating_sub(budget);
    let gain = |own: &Option<Candidate>, lists: &[List<'_>]| own.as_ref().map_or(0, |own| own.gain(lists));
    // What a piece saves only falls as others are written: a gain that was known is the most there can be.
    let mut open: BinaryHeap<(usize, Reverse<usize>)> =
        candidates.iter().enumerate().map(|(at, own)| (gain(own, lists), Reverse(at))).collect();
    while let (Some((known, Reverse(at))), true) = (open.pop(), need > 0) {
        let Some(own) = candidates.get_mut(at) else { continue };
        let now = gain(own, lists);
        if now == 0 {
            continue;
        }
        if now < known {
            open.push((now, Reverse(at)));
            continue;
        }
        if now >= need {
            open.push((now, Reverse(at)));
            break;
        }
        if let Some(own) = own.take().filter(|own| may_be_written(trees, lists, own)) {
            own.write(lists);
            need -= now;
        }
    }
    let enough = open.into_iter().filter(|(known, _)| need > 0 && *known >= need);
    let mut enough: Vec<(usize, usize)> =
        enough.map(|(_, Reverse(at))| (candidates.get(at).map_or(0, |own| gain(own, lists)), at)).collect();
    enough.retain(|(now, _)| *now >= need);
    enough.sort_unstable();
    let may_be = |own: &Candidate| may_be_written(trees, lists, own);
    let last = enough.into_iter().filter_map(|(_, at)| candidates.get_mut(at)?.take()).find(may_be);
    if let Some(last) = last {
        last.write(lists);
    }
}

/// Stars behind prefixes of the trie are in the slot's language; what else there is, the algebra judges.
fn may_be_written(trees: &Trees<'_>, lists: &[List<'_>], own: &Candidate) -> bool {
    let is_star = |list: &List<'_>| own.piece.text.find('*') == own.piece.text.len().checked_sub(list.tree.tail.len());
    let Some(list) = lists.get(own.list) else { return false };
    own.fixed.is_some()
        || is_star(list) && own.piece.text.ends_with(list.tree.tail)
        || trees.slots.get(list.tree.slot).is_some_and(|slot| is_admissible(&slot.kind, &own.piece.text))
}
