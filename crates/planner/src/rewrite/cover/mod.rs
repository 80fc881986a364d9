//! From what a pattern matches to the shortest list of patterns, or to one that fits.
//!
//! Values in, values out: nothing here knows of documents. What is written is checked by matching before it is returned.

mod bits;
mod check;
mod exact;
mod fitted;
mod frontier;
mod infix;
mod slot;
mod tree;

pub use slot::{Fit, Kind, Name, Slot, Way, Wildcards, Writing, cost};

use frontier::Decision;
use slot::Role;
use tree::Tree;

/// Returns the names that a list has to match, and nothing else.
pub fn explicit(slot: &Slot) -> Writing {
    let names = slot.names.iter().filter(|name| slot.role(name) == Role::Must);
    Writing::Patterns(sorted(names.map(|name| name.text.clone()).collect()))
}

/// Returns the shortest list that matches all it must and nothing it must not.
///
/// Over names and stars behind prefixes, none is shorter (see [`exact`]); with suffixes and infixes it may be shorter yet.
pub fn shortest(slot: &Slot) -> Vec<String> {
    let slots = std::slice::from_ref(slot);
    let trees = tree::trees(0, slot, false);
    let shorter = exact::shorter(slots, &trees);
    let lists = trees.iter().zip(shorter).flat_map(|(tree, shorter)| match shorter {
        Some(shorter) => shorter.patterns,
        None => exact::shortest_prefixes(tree),
    });
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
    let names: Vec<Writing> = slots.iter().map(explicit).collect();
    let size: usize = names.iter().flat_map(patterns_of).map(|name| cost(name)).sum();
    if size <= budget {
        return Ok(Fit { way: Way::Names, writings: names, size, risk: 0 });
    }
    if wildcards == Wildcards::Never {
        return Err(size - budget);
    }
    let mut without_stars = vec![false; slots.len()];
    // A slot whose patterns the algebra cannot judge gets no stars in the next round.
    loop {
        let fit = attempt(slots, budget, wildcards, &without_stars)?;
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

fn attempt(slots: &[Slot], budget: usize, wildcards: Wildcards, without_stars: &[bool]) -> Result<Fit, usize> {
    let mut trees: Vec<Tree<'_>> = Vec::new();
    for (at, (slot, without)) in slots.iter().zip(without_stars).enumerate() {
        trees.extend(tree::trees(at, slot, *without));
    }
    let mut shorter = None;
    let too_many =
        match exact::write(&trees, &Vec::new(), budget, || shorter.insert(exact::shorter(slots, &trees)).clone()) {
            Ok(lists) => return Ok(assemble(slots, &trees, lists, &[], 0)),
            Err(too_many) => too_many,
        };
    if wildcards == Wildcards::Exact {
        return Err(too_many);
    }
    let shorter = shorter.unwrap_or_else(|| exact::shorter(slots, &trees));
    let decided = fitted::decide(slots, &trees, &shorter, budget)?;
    fill(slots, trees, &decided, budget)
}

/// Gives what the decisions leave of the budget back to names.
fn fill<'a>(
    slots: &'a [Slot],
    mut trees: Vec<Tree<'a>>,
    decided: &fitted::Decided,
    budget: usize,
) -> Result<Fit, usize> {
    let mut fixed = vec![Vec::new(); trees.len()];
    let mut as_written = vec![false; slots.len()];
    for decision in &decided.decisions {
        match *decision {
            Decision::Star { tree, node } => {
                if let (Some(tree), Some(fixed)) = (trees.get_mut(tree), fixed.get_mut(tree)) {
                    let (first, end) = (tree.node(node).first, tree.node(node).end);
                    free(tree, first, end);
                    fixed.push(node);
                }
            }
            Decision::Skip { tree, leaf } => {
                if let Some(tree) = trees.get_mut(tree) {
                    free(tree, leaf, leaf + 1);
                }
            }
            Decision::AsWritten { slot } => {
                if let Some(as_written) = as_written.get_mut(slot) {
                    *as_written = true;
                }
            }
        }
    }
    let whole: usize = slots.iter().zip(&as_written).filter(|(_, is)| **is).map(|(slot, _)| slot.whole_cost()).sum();
    for tree in &mut trees {
        if as_written.get(tree.slot).is_some_and(|is| *is) {
            let end = tree.leaves.len();
            free(tree, 0, end);
        }
        tree.sum();
    }
    let rest = budget.saturating_sub(whole);
    let lists = exact::write(&trees, &fixed, rest, || exact::shorter(slots, &trees))?;
    Ok(Fit { way: Way::Fitted, ..assemble(slots, &trees, lists, &as_written, decided.risk) })
}

fn free(tree: &mut Tree<'_>, first: usize, end: usize) {
    for leaf in tree.leaves.get_mut(first..end).unwrap_or_default() {
        leaf.role = Role::Free;
    }
}

/// Puts the lists of the trees together, slot by slot.
fn assemble(slots: &[Slot], trees: &[Tree<'_>], lists: Vec<Vec<String>>, as_written: &[bool], risk: u64) -> Fit {
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

fn patterns_of(writing: &Writing) -> &[String] {
    match writing {
        Writing::AsWritten => &[],
        Writing::Patterns(patterns) => patterns,
    }
}

fn sorted(mut patterns: Vec<String>) -> Vec<String> {
    patterns.sort_by_cached_key(|pattern| pattern.to_ascii_lowercase());
    patterns
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "the names of the tests are cut where they are ASCII")]
mod tests;
