//! Patterns with more than a star at the end, cut at any character: `svc:prefix*suffix`, `svc:prefix*infix*`.
//!
//! They make the shortest covers, and nobody would sign them: how short a list can be is measured with them, no more.

use std::cmp::Reverse;

use super::bits::{self, Bits};
use super::list::Piece;
use super::slot::{Role, cost, cost_of_length};
use super::tree::Tree;

/// Services with more names, or more characters in them, are not looked at: AWS has none.
const MAX_NAMES: usize = 1_500;
const MAX_CHARACTERS: usize = 60_000;
/// The lengths of infixes. A shorter one matches nearly everything, a longer one saves little.
const MIN_INFIX: usize = 2;
const MAX_INFIX: usize = 10;
/// Steps spent on combining prefixes with suffixes, and with infixes.
const MAX_STEPS: usize = 20_000_000;
/// Candidates kept.
const MAX_CANDIDATES: usize = 100_000;
/// Returns the patterns of this kind that are shorter than the names they match.
pub(super) fn pieces(tree: &Tree<'_>) -> Vec<Piece> {
    Names::of(tree).map_or_else(Vec::new, |names| names.candidates())
}

/// The names of a tree, by what the list has to do about them.
struct Names<'a> {
    tree: &'a Tree<'a>,
    musts: Vec<(&'a str, &'a str)>,
    nevers: Vec<&'a str>,
}

/// Names that have a text in common, at the beginning, at the end or anywhere.
struct Class<'a> {
    text: &'a [u8],
    musts: Bits,
    nevers: Bits,
}

impl<'a> Names<'a> {
    /// `None` where nothing can be won, or the work would be too much.
    fn of(tree: &'a Tree<'a>) -> Option<Names<'a>> {
        let of_role = |role| tree.leaves.iter().filter(move |leaf| leaf.role == role);
        let musts: Vec<_> = of_role(Role::Must).map(|leaf| (leaf.text, &*leaf.folded)).collect();
        let nevers: Vec<_> = of_role(Role::Never).map(|leaf| &*leaf.folded).collect();
        let has_star = tree.nodes.iter().any(|node| node.shortest.is_some());
        let characters: usize = tree.leaves.iter().map(|leaf| leaf.folded.len()).sum();
        let is_worth_it = !musts.is_empty() && !nevers.is_empty() && tree.service > 0 && (has_star || musts.len() > 1);
        let is_bounded = tree.leaves.len() <= MAX_NAMES && characters <= MAX_CHARACTERS;
        (is_worth_it && is_bounded).then_some(Names { tree, musts, nevers })
    }

    /// Groups the names by the texts that `texts` finds in each; of texts with the same names only the shortest stays.
    fn classes(&self, texts: impl Fn(&'a [u8], &mut Vec<&'a [u8]>)) -> Vec<Class<'a>> {
        let mut pairs: Vec<(&[u8], usize)> = Vec::new();
        let all = self.musts.iter().map(|(_, folded)| *folded).chain(self.nevers.iter().copied());
        let mut found = Vec::new();
        for (at, name) in all.enumerate() {
            texts(name.as_bytes(), &mut found);
            pairs.extend(found.drain(..).map(|text| (text, at)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut classes: Vec<Class<'a>> = Vec::new();
        for group in pairs.chunk_by(|a, b| a.0 == b.0) {
            let Some((text, first)) = group.first() else { continue };
            if *first >= self.musts.len() {
                continue;
            }
            let mut class = Class { text, musts: bits::none(self.musts.len()), nevers: bits::none(self.nevers.len()) };
            for &(_, at) in group {
                match at.checked_sub(self.musts.len()) {
                    Some(at) => bits::set(&mut class.nevers, at),
                    None => bits::set(&mut class.musts, at),
                }
            }
            classes.push(class);
        }
        let same = |class: &Class<'a>| (class.musts.clone(), class.nevers.clone());
        classes.sort_by(|a, b| {
            (&a.musts, &a.nevers, a.text.len(), a.text).cmp(&(&b.musts, &b.nevers, b.text.len(), b.text))
        });
        classes.dedup_by(|a, b| same(a) == same(b));
        classes.sort_by_cached_key(|class| (Reverse(bits::count(&class.musts)), class.text.len(), class.text));
        classes
    }

    fn candidates(&self) -> Vec<Piece> {
        let (least, service) = (self.tree.least, self.tree.service);
        let prefixes = self.classes(|name, found| found.extend((least..=name.len()).filter_map(|to| name.get(..to))));
        let suffixes = self.classes(|name, found| {
            found.extend((service..name.len()).filter_map(|from| name.get(from..)));
        });
        let infixes = self.classes(|name, found| {
            for from in service..name.len() {
                found.extend((MIN_INFIX..=MAX_INFIX).filter_map(|length| name.get(from..from + length)));
            }
        });
        let mut found = Vec::new();
        self.combine(&prefixes, &suffixes, "", &mut found);
        self.combine(&prefixes, &infixes, "*", &mut found);
        found.sort_by(|a: &Piece, b| (&a.musts, a.cost, &a.text).cmp(&(&b.musts, b.cost, &b.text)));
        found.dedup_by(|a, b| a.musts == b.musts && !self.has_tail());
        found
    }

    /// Behind a tail not every candidate is admissible, and the cheapest of equals may not be.
    fn has_tail(&self) -> bool {
        self.tree.tail != "*"
    }

    fn combine(&self, prefixes: &[Class<'a>], others: &[Class<'a>], end: &str, found: &mut Vec<Piece>) {
        let words = self.musts.len() / 64 + self.nevers.len() / 64 + 2;
        let mut steps = 0;
        let most = found.len() + MAX_CANDIDATES;
        for prefix in prefixes {
            steps += others.len() * words;
            if steps > MAX_STEPS {
                return;
            }
            for other in others {
                // Names too short for both texts count here too: that can only refuse a candidate.
                if bits::meet(&prefix.nevers, &other.nevers) || !bits::meet(&prefix.musts, &other.musts) {
                    continue;
                }
                let length = prefix.text.len() + 1 + other.text.len() + end.len();
                let musts = self.matched(prefix, other, !end.is_empty());
                let names = bits::ones(&musts).filter_map(|at| self.musts.get(at));
                let names_cost: usize = names.map(|(name, _)| cost(name)).sum();
                if cost_of_length(length) >= names_cost || found.len() >= most {
                    continue;
                }
                found.push(Piece { text: self.text(prefix, other, end, &musts), cost: cost_of_length(length), musts });
            }
        }
    }

    /// The names that are to be matched, and are.
    fn matched(&self, prefix: &Class<'a>, other: &Class<'a>, anywhere: bool) -> Bits {
        let mut musts = bits::both(&prefix.musts, &other.musts);
        let places: Vec<usize> = bits::ones(&musts).collect();
        for at in places {
            let name = self.musts.get(at).map_or(&[][..], |(_, folded)| folded.as_bytes());
            let rest = name.get(prefix.text.len()..).unwrap_or_default();
            let is_matched = if anywhere {
                rest.windows(other.text.len()).any(|window| window == other.text)
            } else {
                rest.len() >= other.text.len()
            };
            if !is_matched {
                bits::clear(&mut musts, at);
            }
        }
        musts
    }

    /// Writes a pattern in the case of the first name that it matches.
    fn text(&self, prefix: &Class<'a>, other: &Class<'a>, end: &str, musts: &Bits) -> String {
        let (text, folded) = bits::ones(musts).next().and_then(|at| self.musts.get(at)).copied().unwrap_or_default();
        let split = prefix.text.len();
        let rest = folded.as_bytes().get(split..).unwrap_or_default();
        let from = if end.is_empty() {
            rest.len().saturating_sub(other.text.len())
        } else {
            rest.windows(other.text.len().max(1)).position(|window| window == other.text).unwrap_or(0)
        };
        let start = text.get(..split).unwrap_or_default();
        let behind = text.get(split + from..split + from + other.text.len()).unwrap_or_default();
        format!("{start}*{behind}{end}")
    }
}
