//! Covers by names and prefix-stars that match all they must and nothing else: the shortest, by one walk over the trie.

use super::list::List;
use super::tree::{Sums, Tree};

/// Returns the least characters for which names and prefix-stars match all they must and nothing they must not.
pub(super) fn least_size(tree: &Tree<'_>) -> usize {
    let saving =
        |(at, depth): &(usize, usize)| tree.sums(tree.node(*at)).must_cost.saturating_sub(tree.star_cost(*depth));
    names_size(tree) - shortest_stars(tree).iter().map(saving).sum::<usize>()
}

fn names_size(tree: &Tree<'_>) -> usize {
    tree.sums(tree.node(tree.root())).must_cost
}

/// Returns the stars, as node and prefix length, that together with the names of all else are the shortest exact
/// cover by names and prefix-stars.
///
/// Why no other is shorter: the sets that stars match are the nodes of the trie, so two of them are disjoint or nested, and
/// the inner of two nested ones is superfluous. An optimal cover is therefore made of names and of stars on nodes of which
/// none lies below another, and what it does below one child of a node does not bear on what it does below another:
/// `best(node) = min(star(node), sum of best(child))`, with the shortest prefix for each star.
pub(super) fn shortest_stars(tree: &Tree<'_>) -> Vec<(usize, usize)> {
    let mut best: Vec<usize> = Vec::with_capacity(tree.nodes.len());
    let mut is_star: Vec<bool> = Vec::with_capacity(tree.nodes.len());
    for node in &tree.nodes {
        let sums = tree.sums(node);
        let below = if node.children.is_empty() {
            sums.must_cost
        } else {
            node.children.iter().filter_map(|child| best.get(*child)).sum()
        };
        let star = node.shortest.filter(|_| sums.musts > 0 && sums.nevers == 0).map(|depth| tree.star_cost(depth));
        let star = star.filter(|star| *star < below);
        best.push(star.unwrap_or(below));
        is_star.push(star.is_some());
    }
    let mut stars = Vec::new();
    let mut open = vec![tree.root()];
    while let Some(at) = open.pop() {
        let node = tree.node(at);
        match node.shortest {
            Some(depth) if is_star.get(at).is_some_and(|is_star| *is_star) => {
                stars.push((at, depth));
            }
            _ => open.extend(node.children.iter().rev()),
        }
    }
    stars
}

/// Returns the shortest list by names and prefix-stars.
pub(super) fn shortest_prefixes(tree: &Tree<'_>) -> Vec<String> {
    let mut list = List::new(tree, &[]);
    let pieces = shortest_stars(tree).into_iter().map(|(at, depth)| list.star(at, depth)).collect();
    list.replace(pieces);
    list.patterns()
}

/// Returns how many characters a tree takes at least when it may also match what it must not, by names and prefix-stars; the
/// star of the root does not count where `is_refused` says so of its prefix.
pub(super) fn least_size_of_any(tree: &Tree<'_>, is_refused: impl Fn(usize) -> bool) -> usize {
    let mut best: Vec<usize> = Vec::with_capacity(tree.nodes.len());
    for (at, node) in tree.nodes.iter().enumerate() {
        let Sums { musts, must_cost, nevers, .. } = tree.sums(node);
        let below = if node.children.is_empty() {
            must_cost
        } else {
            node.children.iter().filter_map(|child| best.get(*child)).sum()
        };
        let star = node.shortest.filter(|depth| musts > 0 && (nevers == 0 || at != tree.root() || !is_refused(*depth)));
        best.push(star.map_or(below, |depth| tree.star_cost(depth).min(below)));
    }
    best.last().copied().unwrap_or(0)
}
