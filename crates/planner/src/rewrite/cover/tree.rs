//! The names of one service as a trie: what a pattern `service:prefix*` can match.
//!
//! A star behind a prefix matches what lies below one node of the trie of folded names. Two such sets are disjoint, or one
//! holds the other, and that makes covers by names and prefix-stars a matter of one walk from the leaves to the root.
//!
//! In the place of a pattern with more behind its first star, `s3:Get*Acl`, the stars are `prefix*Acl`. Such a star matches
//! the names that begin with the prefix and have `*Acl` behind it: the leaf of a name is therefore the longest prefix
//! behind which the rest still matches, `s3:GetObject` for `s3:GetObjectAcl`. The sets are nested as before.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::rc::Rc;

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::wildcard;

use super::slot::{Kind, Role, Slot, cost, cost_of_length};

/// The names of one service in one slot.
#[derive(Clone, Debug)]
pub(super) struct Tree<'a> {
    /// The place of the slot.
    pub(super) slot: usize,
    /// Whether the slot is added to a `NotAction`.
    pub(super) is_exempt: bool,
    /// What stands behind the prefix of a star pattern, from the star on.
    pub(super) tail: &'a str,
    /// The characters of `service:`.
    pub(super) service: usize,
    /// The shortest prefix that the slot's language has.
    pub(super) least: usize,
    /// By folded key.
    pub(super) leaves: Vec<Leaf<'a>>,
    /// Children before their parents; the root is the last.
    pub(super) nodes: Vec<Node>,
    /// The sums of the leaves before each place.
    sums: Vec<Sums>,
}

/// One name.
#[derive(Clone, Debug)]
pub(super) struct Leaf<'a> {
    /// As it is written.
    pub(super) text: &'a str,
    /// In lower case.
    pub(super) folded: Rc<str>,
    /// The longest prefix that a star pattern matching this name can have.
    pub(super) key: usize,
    /// What the list has to do about it.
    pub(super) role: Role,
    /// Its risk.
    pub(super) risk: u64,
}

/// A set of names that one star can match: those that share `depth` characters.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The length of the longest prefix that the names share.
    pub(super) depth: usize,
    /// The first leaf.
    pub(super) first: usize,
    /// Behind the last leaf.
    pub(super) end: usize,
    /// The sets that this one is made of; none for a leaf.
    pub(super) children: Vec<usize>,
    /// The length of the shortest prefix that matches these names alone and that may be written; `None` where there is none.
    pub(super) shortest: Option<usize>,
}

static NO_NODE: Node = Node { depth: 0, first: 0, end: 0, children: Vec::new(), shortest: None };

/// What some leaves come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    /// How many are to be matched.
    pub(super) musts: usize,
    /// What they cost as names.
    pub(super) must_cost: usize,
    /// How many are not to be matched.
    pub(super) nevers: usize,
    /// The risk of those.
    pub(super) never_risk: u64,
}

/// Makes the trees of a slot: one for each service of which something is to be matched, in order, and one for the names that
/// no star may match.
pub(super) fn trees<'a>(at: usize, slot: &'a Slot, without_stars: bool) -> Vec<Tree<'a>> {
    // Where nothing is to be matched, nothing is written, and of a `*` that is most services.
    let mut services: BTreeSet<String> = BTreeSet::new();
    // The names of a service stand together.
    let mut last = None;
    for service in slot.names.iter().filter(|name| slot.role(name) == Role::Must).map(|name| service_of(&name.text)) {
        if last.replace(service) != Some(service) {
            services.insert(service.to_ascii_lowercase());
        }
    }
    let mut by_service: BTreeMap<String, Vec<Leaf<'a>>> = BTreeMap::new();
    let mut loose = Vec::new();
    for names in slot.names.chunk_by(|a, b| service_of(&a.text) == service_of(&b.text)) {
        let service = names.first().map_or("", |name| service_of(&name.text)).to_ascii_lowercase();
        if !services.contains(&service) {
            continue;
        }
        let mut leaves = Vec::with_capacity(names.len());
        for name in names {
            let mut folded: Rc<str> = name.text.as_str().into();
            // Nobody else has it yet.
            Rc::get_mut(&mut folded).into_iter().for_each(str::make_ascii_lowercase);
            let key = if without_stars { None } else { key(&slot.kind, &folded) };
            let leaf = Leaf { text: &name.text, folded, key: 0, role: slot.role(name), risk: u64::from(name.risk) };
            match key {
                Some(key) => leaves.push(Leaf { key, ..leaf }),
                None => loose.push(leaf),
            }
        }
        match by_service.get_mut(&service) {
            Some(own) => own.append(&mut leaves),
            None if leaves.is_empty() => {}
            None => drop(by_service.insert(service, leaves)),
        }
    }
    let mut trees: Vec<Tree<'a>> = Vec::with_capacity(by_service.len() + 1);
    for (service, leaves) in by_service {
        trees.push(Tree::new(at, slot, service.len() + 1, leaves));
    }
    if !loose.is_empty() {
        trees.push(Tree::loose(at, slot, loose));
    }
    trees
}

/// What stands before the colon of a name.
fn service_of(name: &str) -> &str {
    name.split_once(':').map_or("", |(service, _)| service)
}

/// Splits a pattern into its service part, the action part before the first star, and the rest from that star on.
fn parts(pattern: &str) -> Option<(&str, &str, &str)> {
    let (service, action) = if pattern == "*" { ("*", "*") } else { pattern.split_once(':')? };
    let (head, tail) = action.split_at(action.find('*')?);
    Some((service, head, tail))
}

/// Returns the longest prefix that a star pattern matching this name can have in the slot's language.
fn key(kind: &Kind, folded: &str) -> Option<usize> {
    // A character of several bytes must not be cut in two; no action has one.
    if !folded.is_ascii() {
        return None;
    }
    let (service, action) = folded.split_once(':')?;
    let Kind::Within(pattern) = kind else { return Some(folded.len()) };
    let (own_service, head, tail) = parts(pattern.folded())?;
    let (start, rest) = action.split_at_checked(head.len())?;
    let is_in = wildcard::matches(own_service.as_bytes(), service.as_bytes())
        && wildcard::matches(head.as_bytes(), start.as_bytes())
        && wildcard::matches(tail.as_bytes(), rest.as_bytes())
        // A name may be a pattern itself, `newsvc:*`. A `?` would match its star as a text, and does not include it.
        && !(pattern.folded().contains('?') && folded.contains('*'));
    if !is_in {
        return None;
    }
    let before = service.len() + 1 + head.len();
    if tail == "*" {
        return Some(before + rest.len());
    }
    let rest = rest.as_bytes();
    // The more of the name the prefix takes, the less there is for the tail: the longest that matches is found by halving.
    let (mut fits, mut fails) = (0, rest.len() + 1);
    while fails - fits > 1 {
        let middle = fits + (fails - fits) / 2;
        let matches = rest.get(middle..).is_some_and(|rest| wildcard::matches(tail.as_bytes(), rest));
        if matches { fits = middle } else { fails = middle }
    }
    Some(before + fits)
}

/// A node whose last child has not come yet.
struct Open {
    depth: usize,
    first: usize,
    children: Vec<usize>,
}

impl<'a> Tree<'a> {
    fn new(at: usize, slot: &'a Slot, service: usize, mut leaves: Vec<Leaf<'a>>) -> Tree<'a> {
        leaves.sort_by(|a, b| a.prefix().cmp(b.prefix()).then_with(|| a.folded.cmp(&b.folded)));
        let (head, tail) = match &slot.kind {
            Kind::Within(pattern) => parts(pattern.as_str()).map_or((0, "*"), |(_, head, tail)| (head.len(), tail)),
            _ => (0, "*"),
        };
        let nodes = nodes(&leaves);
        let least = service + head;
        let mut tree =
            Tree { slot: at, is_exempt: slot.is_exempt(), tail, service, least, leaves, nodes, sums: Vec::new() };
        tree.find_shortest(slot);
        tree.sum();
        tree
    }

    /// A tree without any star.
    fn loose(at: usize, slot: &'a Slot, leaves: Vec<Leaf<'a>>) -> Tree<'a> {
        let leaf = |at: usize| Node { depth: 0, first: at, end: at + 1, children: Vec::new(), shortest: None };
        let mut nodes: Vec<Node> = (0..leaves.len()).map(leaf).collect();
        let children = (0..nodes.len()).collect();
        nodes.push(Node { depth: 0, first: 0, end: leaves.len(), children, shortest: None });
        let mut tree = Tree {
            slot: at,
            is_exempt: slot.is_exempt(),
            tail: "*",
            service: 0,
            least: 0,
            leaves,
            nodes,
            sums: Vec::new(),
        };
        tree.sum();
        tree
    }

    /// Finds the shortest prefix of each node, from the root down.
    fn find_shortest(&mut self, slot: &Slot) {
        let of_service = self.leaves.first().and_then(|leaf| leaf.folded.get(..self.service)).unwrap_or_default();
        let old = if let Kind::Outside(patterns) = &slot.kind { patterns.as_slice() } else { &[] };
        let old: Vec<&ActionPattern> = old.iter().filter(|pattern| meets(of_service, pattern)).collect();
        let mut open = vec![(self.root(), self.least)];
        while let Some((at, from)) = open.pop() {
            let node = self.node(at);
            let text = self.leaves.get(node.first).map_or("", |leaf| &*leaf.folded);
            let shortest = shortest_disjoint(text, from, node.depth, &old);
            for &child in &node.children {
                open.push((child, self.least.max(node.depth + 1)));
            }
            if let Some(node) = self.nodes.get_mut(at) {
                node.shortest = shortest;
            }
        }
    }

    /// Adds up the leaves, after their roles have changed.
    pub(super) fn sum(&mut self) {
        let mut sums = Sums::default();
        self.sums.clear();
        self.sums.reserve(self.leaves.len() + 1);
        self.sums.push(sums);
        for leaf in &self.leaves {
            match leaf.role {
                Role::Must => {
                    sums.musts += 1;
                    sums.must_cost += cost(leaf.text);
                }
                Role::Never => {
                    sums.nevers += 1;
                    sums.never_risk += leaf.risk;
                }
                Role::Free => {}
            }
            self.sums.push(sums);
        }
    }

    pub(super) fn root(&self) -> usize {
        self.nodes.len().saturating_sub(1)
    }

    pub(super) fn node(&self, at: usize) -> &Node {
        self.nodes.get(at).unwrap_or(&NO_NODE)
    }

    /// What the names below a node come to.
    pub(super) fn sums(&self, node: &Node) -> Sums {
        let at = |place: usize| self.sums.get(place).copied().unwrap_or_default();
        let (from, to) = (at(node.first), at(node.end));
        Sums {
            musts: to.musts - from.musts,
            must_cost: to.must_cost - from.must_cost,
            nevers: to.nevers - from.nevers,
            never_risk: to.never_risk - from.never_risk,
        }
    }

    /// The names below a node that are to be matched, as places among all such.
    pub(super) fn musts(&self, node: &Node) -> std::ops::Range<usize> {
        let before = |place: usize| self.sums.get(place).map_or(0, |sums| sums.musts);
        before(node.first)..before(node.end)
    }

    pub(super) fn star_cost(&self, depth: usize) -> usize {
        cost_of_length(depth + self.tail.len())
    }

    /// Writes the star of a node with a prefix of this length, in the case of its first name.
    pub(super) fn star(&self, node: &Node, depth: usize) -> String {
        let text = self.leaves.get(node.first).and_then(|leaf| leaf.text.get(..depth)).unwrap_or_default();
        format!("{text}{}", self.tail)
    }

    /// Returns the longest prefix of whole words that matches these names alone, `s3:GetObject` rather than `s3:GetObj`.
    pub(super) fn longest_word(&self, node: &Node) -> Option<usize> {
        let shortest = node.shortest?;
        let first = self.leaves.get(node.first)?;
        (shortest..=node.depth).rev().find(|&depth| {
            if depth == self.service {
                return true;
            }
            let ends_word = |leaf: &Leaf<'_>| is_word_boundary(leaf.text.as_bytes(), depth);
            if depth < node.depth || node.children.is_empty() {
                return ends_word(first);
            }
            node.children.iter().all(|child| self.leaves.get(self.node(*child).first).is_some_and(ends_word))
        })
    }

    /// Returns the largest nodes that hold nothing that must not be matched, and something that must be.
    pub(super) fn clean(&self) -> Vec<usize> {
        let mut found = Vec::new();
        let mut open = vec![self.root()];
        while let Some(at) = open.pop() {
            let node = self.node(at);
            let sums = self.sums(node);
            if sums.musts == 0 {
                continue;
            }
            if sums.nevers == 0 {
                found.push(at);
            } else {
                open.extend(node.children.iter().rev());
            }
        }
        found
    }
}

impl Leaf<'_> {
    fn prefix(&self) -> &[u8] {
        self.folded.as_bytes().get(..self.key).unwrap_or_default()
    }
}

/// Makes the nodes of a compressed trie over sorted keys, children before their parents.
fn nodes(leaves: &[Leaf<'_>]) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::with_capacity(leaves.len() * 2);
    let mut open: Vec<Open> = Vec::new();
    for (at, leaf) in leaves.iter().enumerate() {
        nodes.push(Node { depth: leaf.key, first: at, end: at + 1, children: Vec::new(), shortest: None });
        let mut last = nodes.len() - 1;
        let mut first = at;
        let shared = leaves.get(at + 1).map(|next| shared(leaf.prefix(), next.prefix()));
        while let Some(done) = open.pop_if(|open| shared.is_none_or(|shared| open.depth > shared)) {
            let mut children = done.children;
            children.push(last);
            nodes.push(Node { depth: done.depth, first: done.first, end: at + 1, children, shortest: None });
            last = nodes.len() - 1;
            first = done.first;
        }
        match (shared, open.last_mut()) {
            (Some(shared), Some(top)) if top.depth == shared => top.children.push(last),
            (Some(depth), _) => open.push(Open { depth, first, children: vec![last] }),
            (None, _) => {}
        }
    }
    nodes
}

fn shared(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Returns the shortest prefix of `text`, of `from` to `to` characters, that with a star behind it meets none of the patterns.
fn shortest_disjoint(text: &str, from: usize, to: usize, old: &[&ActionPattern]) -> Option<usize> {
    let meets = |depth: usize| {
        let prefix = text.get(..depth).unwrap_or_default();
        old.iter().any(|pattern| meets(prefix, pattern))
    };
    if from > to || meets(to) {
        return None;
    }
    // A longer prefix meets less: the shortest is found by halving.
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low) / 2;
        if meets(middle) { low = middle + 1 } else { high = middle }
    }
    Some(high)
}

/// Returns whether `prefix*` and the pattern match a text in common.
fn meets(prefix: &str, pattern: &ActionPattern) -> bool {
    // Most pairs differ before the first wildcard, and most patterns end with it; the algebra is for the others.
    let folded = pattern.folded();
    let head = folded.split(['*', '?']).next().unwrap_or_default();
    if !prefix.starts_with(head) && !head.starts_with(prefix) {
        return false;
    }
    match folded.len() - head.len() {
        0 => head.starts_with(prefix),
        1 if folded.ends_with('*') => true,
        _ => !pattern.is_disjoint(&ActionPattern::new(&format!("{prefix}*"))),
    }
}

/// Returns whether a word begins at this place, or the name ends: `Get|DB|Instance|2`.
pub(super) fn is_word_boundary(text: &[u8], at: usize) -> bool {
    let Some(next) = text.get(at) else { return true };
    let before = at.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(b':');
    let in_capitals = before.is_ascii_uppercase() && !text.get(at + 1).is_some_and(u8::is_ascii_lowercase);
    next.is_ascii_uppercase() && !in_capitals || next.is_ascii_digit() && !before.is_ascii_digit()
}
