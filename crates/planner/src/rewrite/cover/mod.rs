//! From what a pattern matches to the shortest list of patterns, or to one that fits.
//!
//! Values in, values out: nothing here knows of documents. What is written is checked by matching before it is returned.

mod bits;
mod bound;
mod check;
mod exact;
mod fitted;
mod frontier;
mod hash;
mod index;
mod infix;
mod list;
mod readable;
mod set_cover;
mod slot;
mod stages;
mod tree;
mod words;

pub use slot::{Fit, Kind, Name, Slot, Way, Wildcards, Writing, cost};

use std::rc::Rc;

use frontier::Decision;
use slot::Role;
use stages::Trees;
use tree::Tree;

/// Returns the names that a list has to match, and nothing else.
pub fn explicit(slot: &Slot) -> Writing {
    let names = slot.names.iter().filter(|name| slot.role(name) == Role::Must);
    Writing::Patterns(sorted(names.map(|name| name.text.clone()).collect()))
}

/// Returns the shortest list that matches all it must and nothing it must not.
///
/// Over names and stars behind prefixes, none is shorter; with suffixes and infixes it may be shorter yet.
/// They are cut at any character, and nobody would sign that: this is for measurement, and [`fit`] writes whole words.
pub fn shortest(slot: &Slot) -> Vec<String> {
    let trees = tree::trees(0, slot, false);
    let list = |tree: &Tree<'_>| match set_cover::improve(&slot.kind, tree, &infix::pieces(tree)) {
        Some(shorter) => shorter.patterns().collect(),
        None => exact::shortest_prefixes(tree),
    };
    let lists = trees.iter().flat_map(list);
    let patterns = Writing::Patterns(sorted(lists.collect()));
    let counted = check::count(slot, &patterns);
    match (patterns, explicit(slot)) {
        (Writing::Patterns(patterns), _) if counted.is_some_and(|counted| !counted.readmits) => patterns,
        // Not reached, unless the pattern algebra finds a question too hard.
        (_, Writing::Patterns(names)) => names,
        (_, Writing::AsWritten) => Vec::new(),
    }
}

/// Writes lists of at most `budget` characters together: by names if they fit, else with wildcards that re-admit nothing,
/// else with those that re-admit the least risk, and among these the fewest characters; as far as `wildcards` allows.
///
/// An error is the number of characters that the smallest list found has too many.
pub fn fit(slots: &[Slot], budget: usize, wildcards: Wildcards) -> Result<Fit, usize> {
    Fitting::new(slots).fit(budget, wildcards)
}

/// Lists that share a budget, for more than one of them: what is found out about them does not depend on it.
pub struct Fitting<'a> {
    slots: &'a [Slot],
    /// Once they are needed.
    trees: Option<Trees<'a>>,
}

impl<'a> Fitting<'a> {
    /// Begins.
    pub fn new(slots: &'a [Slot]) -> Fitting<'a> {
        Fitting { slots, trees: None }
    }

    /// Does what [`fit`] does.
    ///
    /// # Errors
    /// The number of characters that the smallest list found has too many.
    pub fn fit(&mut self, budget: usize, wildcards: Wildcards) -> Result<Fit, usize> {
        fit_with(self.slots, &mut self.trees, budget, wildcards)
    }
}

fn fit_with<'a>(
    slots: &'a [Slot],
    known: &mut Option<Trees<'a>>,
    budget: usize,
    wildcards: Wildcards,
) -> Result<Fit, usize> {
    let musts = |slot: &Slot| -> usize {
        slot.names.iter().filter(|name| slot.role(name) == Role::Must).map(|name| cost(&name.text)).sum()
    };
    let size: usize = slots.iter().map(musts).sum();
    if size <= budget {
        return Ok(Fit { way: Way::Names, writings: slots.iter().map(explicit).collect(), size, risk: 0 });
    }
    if wildcards == Wildcards::Never {
        return Err(size - budget);
    }
    let mut without_stars = vec![false; slots.len()];
    // A slot whose patterns the algebra cannot judge gets no stars in the next round.
    loop {
        let fit = match without_stars.contains(&true) {
            true => attempt(&mut trees(slots, &without_stars), budget, wildcards)?,
            false => attempt(known.get_or_insert_with(|| trees(slots, &without_stars)), budget, wildcards)?,
        };
        match counted(slots, &fit) {
            Ok((size, risk)) if size <= budget => return Ok(Fit { size, risk, ..fit }),
            Ok((size, _)) => return Err(size - budget),
            Err(at) => match without_stars.get_mut(at) {
                Some(without) if !*without => *without = true,
                _ => return Err(size - budget),
            },
        }
    }
}

/// Counts size and risk by matching; an error is the place of a slot that is not as it should be.
fn counted(slots: &[Slot], fit: &Fit) -> Result<(usize, u64), usize> {
    let (mut size, mut risk) = (0, 0);
    for (at, (slot, writing)) in slots.iter().zip(&fit.writings).enumerate() {
        let counted = check::count(slot, writing).ok_or(at)?;
        if counted.readmits && fit.way != Way::Fitted {
            return Err(at);
        }
        size += counted.size;
        risk += counted.risk;
    }
    debug_assert!(size == fit.size, "{size} and not {}", fit.size);
    Ok((size, risk))
}

fn trees<'a>(slots: &'a [Slot], without_stars: &[bool]) -> Trees<'a> {
    let mut trees: Vec<Tree<'a>> = Vec::new();
    for (at, (slot, without)) in slots.iter().zip(without_stars).enumerate() {
        trees.extend(tree::trees(at, slot, *without));
    }
    Trees::new(slots, trees)
}

fn attempt(trees: &mut Trees<'_>, budget: usize, wildcards: Wildcards) -> Result<Fit, usize> {
    let slots = trees.slots;
    let too_many = match trees.write(&Vec::new(), budget) {
        Ok(lists) => return Ok(assemble(slots, &trees.trees, lists, &[], 0)),
        Err(too_many) => too_many,
    };
    if wildcards == Wildcards::Exact {
        return Err(too_many);
    }
    let shorter: Vec<_> = (0..trees.trees.len()).map(|at| trees.shorter(at)).collect();
    let decided = fitted::decide(slots, &trees.trees, &shorter, budget)?;
    fill(trees.clone(), &decided, budget)
}

/// Gives what the decisions leave of the budget back to names.
fn fill(mut trees: Trees<'_>, decided: &fitted::Decided, budget: usize) -> Result<Fit, usize> {
    let slots = trees.slots;
    let mut fixed = vec![Vec::new(); trees.trees.len()];
    let mut as_written = vec![false; slots.len()];
    for decision in &decided.decisions {
        match *decision {
            Decision::Star { tree, node } => {
                trees.change(tree, |tree| {
                    let (first, end) = (tree.node(node).first, tree.node(node).end);
                    free(tree, first, end);
                });
                if let Some(fixed) = fixed.get_mut(tree) {
                    fixed.push(node);
                }
            }
            Decision::Skip { tree, leaf } => trees.change(tree, |tree| free(tree, leaf, leaf + 1)),
            Decision::AsWritten { slot } => {
                if let Some(as_written) = as_written.get_mut(slot) {
                    *as_written = true;
                }
            }
        }
    }
    let whole: usize = slots.iter().zip(&as_written).filter(|(_, is)| **is).map(|(slot, _)| slot.whole_cost()).sum();
    for at in 0..trees.trees.len() {
        let slot = trees.trees.get(at).and_then(|tree| as_written.get(tree.slot));
        if slot.is_some_and(|is| *is) {
            trees.change(at, |tree| {
                let end = tree.leaves.len();
                free(tree, 0, end);
            });
        }
    }
    let rest = budget.saturating_sub(whole);
    let lists = trees.write(&fixed, rest)?;
    Ok(Fit { way: Way::Fitted, ..assemble(slots, &trees.trees, lists, &as_written, decided.risk) })
}

fn free(tree: &mut Tree<'_>, first: usize, end: usize) {
    for leaf in tree.leaves.get_mut(first..end).unwrap_or_default() {
        leaf.role = Role::Free;
    }
}

/// Puts the lists of the trees together, slot by slot.
fn assemble(slots: &[Slot], trees: &[Rc<Tree<'_>>], lists: Vec<Vec<String>>, as_written: &[bool], risk: u64) -> Fit {
    let mut by_slot: Vec<Vec<String>> = vec![Vec::new(); slots.len()];
    for (tree, list) in trees.iter().zip(lists) {
        if let Some(own) = by_slot.get_mut(tree.slot) {
            own.extend(list);
        }
    }
    let mut writings = Vec::with_capacity(slots.len());
    let mut size = 0;
    for (at, (slot, patterns)) in slots.iter().zip(by_slot).enumerate() {
        // Nothing added to a `NotAction` that something could be added to is the author's own list.
        let adds_nothing = slot.is_exempt() && patterns.is_empty() && slot.names.iter().any(|name| !name.stays);
        if adds_nothing || as_written.get(at).is_some_and(|is| *is) {
            size += slot.whole_cost();
            writings.push(Writing::AsWritten);
        } else {
            size += patterns.iter().map(|pattern| cost(pattern)).sum::<usize>();
            writings.push(Writing::Patterns(sorted(patterns)));
        }
    }
    Fit { way: Way::Exact, writings, size, risk }
}

fn sorted(mut patterns: Vec<String>) -> Vec<String> {
    patterns.sort_by_cached_key(|pattern| pattern.to_ascii_lowercase());
    patterns
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "the names of the tests are cut where they are ASCII")]
mod tests;
