//! The least risk that has to be re-admitted for a list to fit.
//!
//! A tree knapsack. For each node of a trie the frontier of sizes and risks is made of those of its children and of its star;
//! a part of which nothing stays costs nothing and re-admits nothing. What is left in the end is one frontier for all slots.

use std::rc::Rc;

use super::bound::Bound;
use super::exact;
use super::frontier::{self, Decision, Frontier, Point, Traces};
use super::set_cover::Shorter;
use super::slot::Slot;
use super::tree::Tree;

/// What re-admits something, and nothing else: the rest of the list is an exact problem.
#[derive(Debug)]
pub(super) struct Decided {
    #[cfg_attr(not(test), expect(dead_code, reason = "compared with brute force"))]
    pub(super) size: usize,
    pub(super) risk: u64,
    pub(super) decisions: Vec<Decision>,
}

/// Decides what re-admits: the least risk, and among equals the fewest characters.
///
/// An error is the number of characters that the smallest list has too many.
pub(super) fn decide(
    slots: &[Slot],
    trees: &[Rc<Tree<'_>>],
    shorter: &[Option<&Shorter>],
    budget: usize,
) -> Result<Decided, usize> {
    let sizes: Vec<usize> =
        trees.iter().zip(shorter).map(|(tree, shorter)| least_size(slots, tree, *shorter)).collect();
    let mut least = 0;
    for (at, slot) in slots.iter().enumerate() {
        let own: usize = trees.iter().zip(&sizes).filter(|(tree, _)| tree.slot == at).map(|(_, size)| size).sum();
        least += own.min(slot.whole_cost());
    }
    let slack = budget.checked_sub(least).ok_or_else(|| least - budget)?;
    let mut traces = Traces::new();
    let mut total = vec![Point::NOTHING];
    let mut rest = trees.iter().zip(shorter).enumerate().peekable();
    let mut slots_left = slots.len();
    let mut fits = (slots_left == 0).then_some(Point::NOTHING);
    for (at, slot) in slots.iter().enumerate() {
        slots_left -= 1;
        let mut of_trees = Vec::new();
        while let Some((place, (tree, shorter))) = rest.next_if(|(_, (tree, _))| tree.slot == at) {
            of_trees.push(of_tree(slots, place, tree, *shorter, slack, &mut traces));
        }
        let whole = (!slot.is_exempt()).then(|| {
            let trace = traces.one(Decision::AsWritten { slot: at });
            Point { size: slot.whole_cost(), risk: slot.whole_risk(), trace }
        });
        // Of what comes last nothing is asked but the point that fits.
        let is_last = slots_left == 0 && total == [Point::NOTHING];
        if let Some(bound) = is_last.then(|| Bound::new(&of_trees, budget)).flatten() {
            of_trees.iter_mut().enumerate().for_each(|(at, part)| bound.leave(at, part));
        }
        let last_tree = of_trees.pop_if(|_| is_last);
        let of_trees = of_trees.into_iter();
        let mut of_slot = of_trees.fold(vec![Point::NOTHING], |sum, own| frontier::merge(sum, own, slack, &mut traces));
        if let Some(last) = last_tree {
            let in_parts = frontier::best(&of_slot, &last, budget, slack, &mut traces);
            let whole = whole.filter(|whole| whole.size <= budget);
            // Of equals the parts stay.
            fits = in_parts.into_iter().chain(whole).min_by_key(|point| (point.risk, point.size));
            break;
        }
        if let Some(whole) = whole {
            frontier::add(&mut of_slot, whole, slack);
        }
        if slots_left == 0 {
            fits = frontier::best(&total, &of_slot, budget, slack, &mut traces);
        } else {
            total = frontier::merge(total, of_slot, slack, &mut traces);
        }
    }
    let fits = fits.filter(|point| point.size <= budget).ok_or(1_usize)?;
    Ok(Decided { size: fits.size, risk: fits.risk, decisions: traces.decisions(fits.trace) })
}

/// Returns whether the star of this node would be the slot's old pattern: that is what [`Decision::AsWritten`] says.
fn is_as_written(slots: &[Slot], tree: &Tree<'_>, at: usize, depth: usize) -> bool {
    use super::slot::Kind;
    let Some(Kind::Within(pattern)) = slots.get(tree.slot).map(|slot| &slot.kind) else { return false };
    at == tree.root() && pattern.as_str().eq_ignore_ascii_case(&tree.star(tree.node(at), depth))
}

fn least_size(slots: &[Slot], tree: &Tree<'_>, shorter: Option<&Shorter>) -> usize {
    if tree.is_exempt {
        return 0;
    }
    let is_own = |depth| is_as_written(slots, tree, tree.root(), depth);
    let least = exact::least_size_of_any(tree, is_own);
    shorter.map_or(least, |shorter| shorter.size.min(least))
}

/// Returns the frontier of one tree.
fn of_tree(
    slots: &[Slot],
    place: usize,
    tree: &Tree<'_>,
    shorter: Option<&Shorter>,
    slack: usize,
    traces: &mut Traces,
) -> Frontier {
    let mut done: Vec<Option<Frontier>> = Vec::with_capacity(tree.nodes.len());
    for (at, node) in tree.nodes.iter().enumerate() {
        let sums = tree.sums(node);
        if sums.musts == 0 {
            // What was not asked for is nothing.
            done.push(None);
            continue;
        }
        let mut own = None;
        for child in &node.children {
            if let Some(child) = done.get_mut(*child).and_then(Option::take) {
                own = Some(match own {
                    None => child,
                    Some(own) => frontier::merge(own, child, slack, traces),
                });
            }
        }
        let mut own = own.unwrap_or_else(|| vec![Point { size: sums.must_cost, risk: 0, trace: 0 }]);
        if node.children.is_empty() && tree.is_exempt {
            let trace = traces.one(Decision::Skip { tree: place, leaf: node.first });
            let risk = tree.leaves.get(node.first).map_or(0, |leaf| leaf.risk);
            frontier::add(&mut own, Point { size: 0, risk, trace }, slack);
        }
        let star = node.shortest.filter(|depth| !is_as_written(slots, tree, at, *depth) || sums.nevers == 0);
        let is_exact = sums.nevers == 0;
        if let Some(depth) = star.filter(|_| is_exact || !tree.is_exempt) {
            let decision = Decision::Star { tree: place, node: at };
            let trace = if is_exact { 0 } else { traces.one(decision) };
            frontier::add(&mut own, Point { size: tree.star_cost(depth), risk: sums.never_risk, trace }, slack);
        }
        done.push(Some(own));
    }
    let mut own = done.pop().flatten().unwrap_or_else(|| vec![Point::NOTHING]);
    if let Some(shorter) = shorter {
        frontier::add(&mut own, Point { size: shorter.size, risk: 0, trace: 0 }, slack);
    }
    own
}
