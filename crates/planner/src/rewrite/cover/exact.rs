//! Covers that match all they must and nothing else, as few stars as needed.

use std::collections::BTreeMap;

use super::infix;
use super::slot::{Role, Slot};
use super::tree::{Sums, Tree};

/// What is written for one tree.
#[derive(Clone, Debug, Default)]
struct Choice {
    /// Stars that replace names: the node and the length of the prefix.
    stars: BTreeMap<usize, usize>,
    /// A list that replaces all of it.
    instead: Option<Vec<String>>,
}

/// A star that could be written.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    tree: usize,
    node: usize,
    depth: usize,
    saving: usize,
}

/// A list of the fewest characters that matches all it must and nothing it must not, for one tree, if there is a shorter one
/// than names and prefix-stars give: see [`infix`].
#[derive(Clone, Debug)]
pub(super) struct Shorter {
    pub(super) patterns: Vec<String>,
    pub(super) size: usize,
}

/// Returns the least characters for which names and prefix-stars match all they must and nothing they must not.
pub(super) fn least_size(tree: &Tree<'_>) -> usize {
    names_size(tree) - shortest_stars(tree).iter().map(|(_, _, saving)| saving).sum::<usize>()
}

fn names_size(tree: &Tree<'_>) -> usize {
    tree.sums(tree.node(tree.root())).must_cost
}

/// Returns the stars, as node, prefix length and saving, that together with the names of all else are the shortest exact
/// cover by names and prefix-stars.
///
/// Why no other is shorter: the sets that stars match are the nodes of the trie, so two of them are disjoint or nested, and
/// the inner of two nested ones is superfluous. An optimal cover is therefore made of names and of stars on nodes of which
/// none lies below another, and what it does below one child of a node does not bear on what it does below another:
/// `best(node) = min(star(node), sum of best(child))`, with the shortest prefix for each star.
fn shortest_stars(tree: &Tree<'_>) -> Vec<(usize, usize, usize)> {
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
                let saving = tree.sums(node).must_cost.saturating_sub(tree.star_cost(depth));
                stars.push((at, depth, saving));
            }
            _ => open.extend(node.children.iter().rev()),
        }
    }
    stars
}

/// Returns the shortest list by names and prefix-stars.
pub(super) fn shortest_prefixes(tree: &Tree<'_>) -> Vec<String> {
    let stars = shortest_stars(tree).into_iter().map(|(node, depth, _)| (node, depth)).collect();
    patterns(tree, &[], &Choice { stars, instead: None })
}

/// Finds, for each tree, a list shorter than by names and prefix-stars.
pub(super) fn shorter(slots: &[Slot], trees: &[Tree<'_>]) -> Vec<Option<Shorter>> {
    let of_tree =
        |tree: &Tree<'_>| infix::improve(&slots.get(tree.slot)?.kind, tree, least_size(tree), shortest_prefixes);
    trees.iter().map(of_tree).collect()
}

/// A part of the problem that is decided: stars that are written in any case, by node. Their names are [`Role::Free`].
pub(super) type Fixed = Vec<Vec<usize>>;

/// Writes what the trees ask for within `budget` characters, with as few stars as that takes; one list for each tree.
///
/// - **Names**, where they fit.
/// - **Words**: stars behind whole words, on the largest nodes that hold nothing that must not be matched, and at least two
///   names. The prefix is the longest such: it matches least of what AWS may add. The largest savings come first; the last
///   star is the smallest that suffices.
/// - **Prefixes**: where all these do not suffice, the shortest prefixes at any character, chosen alike by what they save
///   beyond the words. All of them together are the shortest cover by names and prefix-stars.
/// - **Shorter**: where that does not suffice, the lists with suffixes and infixes.
///
/// What turns out not to be needed is written out again. An error is the number of characters too many.
pub(super) fn write(
    trees: &[Tree<'_>],
    fixed: &Fixed,
    budget: usize,
    shorter: impl FnOnce() -> Vec<Option<Shorter>>,
) -> Result<Vec<Vec<String>>, usize> {
    let mut choices = vec![Choice::default(); trees.len()];
    let size: usize = trees.iter().enumerate().map(|(at, tree)| start_size(tree, fixed_of(fixed, at))).sum();
    let mut need = size.saturating_sub(budget);
    if need > 0 {
        let words = pick(words(trees), &mut need);
        for star in &words {
            choose(trees, &mut choices, star);
        }
        if need > 0 {
            for star in pick(prefixes(trees, fixed, &choices), &mut need) {
                choose(trees, &mut choices, &star);
            }
        }
        if need > 0 {
            need = choose_shorter(trees, fixed, &mut choices, shorter(), need);
        }
        if need > 0 {
            return Err(need);
        }
        unpick(trees, fixed, &mut choices, words, budget);
    }
    let written = trees.iter().zip(&choices).enumerate();
    Ok(written.map(|(at, (tree, choice))| patterns(tree, fixed_of(fixed, at), choice)).collect())
}

fn fixed_of(fixed: &Fixed, tree: usize) -> &[usize] {
    fixed.get(tree).map_or(&[], Vec::as_slice)
}

/// The prefix of a star that is written in any case: whole words where there are some, else all that its names share.
fn fixed_depth(tree: &Tree<'_>, node: usize) -> usize {
    let node = tree.node(node);
    tree.longest_word(node).unwrap_or(node.depth)
}

fn start_size(tree: &Tree<'_>, fixed: &[usize]) -> usize {
    names_size(tree) + fixed.iter().map(|node| tree.star_cost(fixed_depth(tree, *node))).sum::<usize>()
}

/// Takes the largest savings until they suffice, and as the last the smallest that does.
fn pick(mut candidates: Vec<Candidate>, need: &mut usize) -> Vec<Candidate> {
    candidates.sort_by_key(|star| (std::cmp::Reverse(star.saving), star.tree, star.node));
    let mut taken = Vec::new();
    for (at, star) in candidates.iter().enumerate() {
        let rest = candidates.get(at..).unwrap_or_default();
        let enough = rest.partition_point(|star| star.saving >= *need);
        if let Some(last) = enough.checked_sub(1).and_then(|last| rest.get(last)) {
            taken.push(*last);
            *need = 0;
            break;
        }
        taken.push(*star);
        *need = need.saturating_sub(star.saving);
    }
    taken
}

/// Writes a star, in the place of those below it.
fn choose(trees: &[Tree<'_>], choices: &mut [Choice], star: &Candidate) {
    let (Some(tree), Some(choice)) = (trees.get(star.tree), choices.get_mut(star.tree)) else { return };
    let node = tree.node(star.node);
    choice.stars.retain(|other, _| {
        let other = tree.node(*other);
        other.first < node.first || node.end < other.end
    });
    choice.stars.insert(star.node, star.depth);
}

fn words(trees: &[Tree<'_>]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (place, tree) in trees.iter().enumerate() {
        let mut open = tree.clean();
        while let Some(at) = open.pop() {
            let node = tree.node(at);
            let sums = tree.sums(node);
            if sums.musts < 2 {
                continue;
            }
            match tree.longest_word(node) {
                Some(depth) if tree.star_cost(depth) < sums.must_cost => {
                    let saving = sums.must_cost - tree.star_cost(depth);
                    found.push(Candidate { tree: place, node: at, depth, saving });
                }
                Some(_) => {}
                None => open.extend(node.children.iter().rev()),
            }
        }
    }
    found
}

/// The stars of the shortest cover, with what each saves beyond what has been chosen.
fn prefixes(trees: &[Tree<'_>], fixed: &Fixed, choices: &[Choice]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (place, (tree, choice)) in trees.iter().zip(choices).enumerate() {
        let by_first: BTreeMap<usize, (usize, usize)> = choice
            .stars
            .iter()
            .map(|(node, depth)| {
                let node = tree.node(*node);
                (node.first, (node.end, tree.sums(node).must_cost.saturating_sub(tree.star_cost(*depth))))
            })
            .collect();
        for (at, depth, saving) in shortest_stars(tree) {
            let node = tree.node(at);
            let below = by_first.range(node.first..node.end).filter(|(_, (end, _))| *end <= node.end);
            let saved: usize = below.map(|(_, (_, saving))| saving).sum();
            if saving > saved {
                found.push(Candidate { tree: place, node: at, depth, saving: saving - saved });
            }
        }
        for &at in fixed_of(fixed, place) {
            let (long, short) = (fixed_depth(tree, at), tree.node(at).shortest);
            if let Some(depth) = short.filter(|short| *short < long) {
                found.push(Candidate { tree: place, node: at, depth, saving: long - depth });
            }
        }
    }
    found
}

fn size(tree: &Tree<'_>, fixed: &[usize], choice: &Choice) -> usize {
    patterns(tree, fixed, choice).iter().map(|pattern| super::cost(pattern)).sum()
}

/// Takes the lists with infixes for whole trees; returns how many characters are then still too many.
fn choose_shorter(
    trees: &[Tree<'_>],
    fixed: &Fixed,
    choices: &mut [Choice],
    shorter: Vec<Option<Shorter>>,
    mut need: usize,
) -> usize {
    let mut candidates = Vec::new();
    for (at, ((tree, choice), shorter)) in trees.iter().zip(choices.iter()).zip(&shorter).enumerate() {
        let Some(shorter) = shorter else { continue };
        let fixed_cost = |node: &usize| {
            let depth = choice.stars.get(node).copied().unwrap_or_else(|| fixed_depth(tree, *node));
            tree.star_cost(depth)
        };
        let own_fixed: usize = fixed_of(fixed, at).iter().map(fixed_cost).sum();
        let now = size(tree, fixed_of(fixed, at), choice);
        let then = shorter.size + own_fixed;
        if then < now {
            candidates.push(Candidate { tree: at, node: 0, depth: 0, saving: now - then });
        }
    }
    for candidate in pick(candidates, &mut need) {
        if let (Some(choice), Some(Some(shorter))) = (choices.get_mut(candidate.tree), shorter.get(candidate.tree)) {
            choice.instead = Some(shorter.patterns.clone());
        }
    }
    need
}

/// Writes out again what the budget has room for after all, the smallest first.
fn unpick(trees: &[Tree<'_>], fixed: &Fixed, choices: &mut [Choice], mut words: Vec<Candidate>, budget: usize) {
    let all = trees.iter().zip(choices.iter()).enumerate();
    let total: usize = all.map(|(at, (tree, choice))| size(tree, fixed_of(fixed, at), choice)).sum();
    let mut room = budget.saturating_sub(total);
    words.sort_by_key(|star| (star.saving, star.tree, star.node));
    for star in words {
        if star.saving > room {
            break;
        }
        let Some(choice) = choices.get_mut(star.tree).filter(|choice| choice.instead.is_none()) else { continue };
        if choice.stars.get(&star.node) == Some(&star.depth) {
            choice.stars.remove(&star.node);
            room -= star.saving;
        }
    }
}

/// Writes a tree: names, but for those that stars match.
fn patterns(tree: &Tree<'_>, fixed: &[usize], choice: &Choice) -> Vec<String> {
    let mut stars: BTreeMap<usize, usize> = fixed.iter().map(|node| (*node, fixed_depth(tree, *node))).collect();
    if let Some(instead) = &choice.instead {
        stars.extend(choice.stars.iter().filter(|(node, _)| fixed.contains(node)));
        let stars = stars.iter().map(|(node, depth)| tree.star(tree.node(*node), *depth));
        return stars.chain(instead.iter().cloned()).collect();
    }
    stars.extend(&choice.stars);
    let mut written = Vec::new();
    let mut matched = 0;
    let mut by_first: Vec<(usize, usize, usize)> =
        (stars.iter()).map(|(node, depth)| (tree.node(*node).first, *node, *depth)).collect();
    // The larger of two that begin alike comes first; what lies below a star is not written.
    by_first
        .sort_by_key(|(first, node, _)| (*first, std::cmp::Reverse(tree.node(*node).end), std::cmp::Reverse(*node)));
    let names = |from: usize, to: usize| {
        let leaves = tree.leaves.get(from..to).unwrap_or_default();
        leaves.iter().filter(|leaf| leaf.role == Role::Must).map(|leaf| leaf.text.to_owned())
    };
    for (first, at, depth) in by_first {
        let node = tree.node(at);
        if node.end <= matched {
            continue;
        }
        written.extend(names(matched, first));
        written.push(tree.star(node, depth));
        matched = node.end;
    }
    written.extend(names(matched, tree.leaves.len()));
    written
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
