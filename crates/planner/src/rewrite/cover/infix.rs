//! Patterns with more than a star at the end, where they make an exact cover shorter: `svc:prefix*suffix`, `svc:prefix*infix*`.
//!
//! The shortest cover in this language is a set cover, which nobody solves fast. What is here is greedy: it may only improve
//! on the shortest cover by names and prefix-stars, and where it does not, that one stands. All bounds are on work, none on
//! time: the result is the same everywhere.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use secateur_analyzer::action::ActionPattern;

use super::bits::{self, Bits};
use super::exact::Shorter;
use super::slot::{Kind, Role, cost, cost_of_length};
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

/// Looks for an exact cover of a tree of fewer than `least` characters, the size of the one that `prefixes` gives.
pub(super) fn improve(
    kind: &Kind,
    tree: &Tree<'_>,
    least: usize,
    prefixes: impl Fn(&Tree<'_>) -> Vec<String>,
) -> Option<Shorter> {
    let names = Names::of(tree)?;
    let prefixes = prefixes(tree);
    let mut candidates = names.candidates();
    let known = prefixes.into_iter().chain(names.musts.iter().map(|(text, _)| (*text).to_owned()));
    candidates.extend(known.map(|text| names.known(text)));
    let mut cover = Greedy { kind, candidates: &candidates, refused: vec![false; candidates.len()], questions: 0 };
    let counts = vec![1 << 12; names.musts.len()];
    let prices = names.prices(&candidates);
    let found = [cover.run(&counts), cover.run(&prices)].into_iter().flatten();
    let best = found.min_by_key(|chosen| chosen.iter().map(|candidate| candidate.cost).sum::<usize>())?;
    let size = best.iter().map(|candidate| candidate.cost).sum();
    let patterns = best.into_iter().map(|candidate| candidate.text.clone()).collect();
    (size < least).then_some(Shorter { patterns, size })
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

struct Candidate {
    text: String,
    cost: usize,
    musts: Bits,
    /// Whether it is written already, or a name.
    is_known: bool,
}

impl<'a> Names<'a> {
    /// `None` where nothing can be won, or the work would be too much.
    fn of(tree: &'a Tree<'a>) -> Option<Names<'a>> {
        let of_role = |role| tree.leaves.iter().filter(move |leaf| leaf.role == role);
        let musts: Vec<_> = of_role(Role::Must).map(|leaf| (leaf.text, leaf.folded.as_str())).collect();
        let nevers: Vec<_> = of_role(Role::Never).map(|leaf| leaf.folded.as_str()).collect();
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

    fn candidates(&self) -> Vec<Candidate> {
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
        found.sort_by(|a: &Candidate, b| (&a.musts, a.cost, &a.text).cmp(&(&b.musts, b.cost, &b.text)));
        found.dedup_by(|a, b| a.musts == b.musts && !self.has_tail());
        found
    }

    /// Behind a tail not every candidate is admissible, and the cheapest of equals may not be.
    fn has_tail(&self) -> bool {
        self.tree.tail != "*"
    }

    fn combine(&self, prefixes: &[Class<'a>], others: &[Class<'a>], end: &str, found: &mut Vec<Candidate>) {
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
                found.push(Candidate {
                    text: self.text(prefix, other, end, &musts),
                    cost: cost_of_length(length),
                    musts,
                    is_known: false,
                });
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

    /// A name, or a pattern of the cover that is to be beaten.
    fn known(&self, text: String) -> Candidate {
        let pattern = ActionPattern::new(&text);
        let mut musts = bits::none(self.musts.len());
        for (at, (_, folded)) in self.musts.iter().enumerate() {
            if secateur_analyzer::wildcard::matches(pattern.folded().as_bytes(), folded.as_bytes()) {
                bits::set(&mut musts, at);
            }
        }
        Candidate { cost: cost(&text), text, musts, is_known: true }
    }

    /// What each name costs in the cover that is to be beaten: its part of the pattern that matches it.
    fn prices(&self, candidates: &[Candidate]) -> Vec<u64> {
        let mut prices = vec![u64::MAX; self.musts.len()];
        for candidate in candidates.iter().filter(|candidate| candidate.is_known) {
            let price = ((candidate.cost as u64) << 12) / (bits::count(&candidate.musts) as u64).max(1);
            for at in bits::ones(&candidate.musts) {
                if let Some(own) = prices.get_mut(at) {
                    *own = price.min(*own);
                }
            }
        }
        prices
    }
}

/// A set cover by the least price for what is newly covered.
struct Greedy<'a> {
    kind: &'a Kind,
    candidates: &'a [Candidate],
    refused: Vec<bool>,
    questions: usize,
}

impl<'a> Greedy<'a> {
    /// Returns a cover; `None` where something is left out.
    fn run(&mut self, values: &[u64]) -> Option<Vec<&'a Candidate>> {
        let value = |bits: &Bits| bits::ones(bits).filter_map(|at| values.get(at)).sum::<u64>();
        let price = |candidate: &Candidate, value: u64| (candidate.cost as u64) * (1 << 32) / value.max(1);
        let mut open: BinaryHeap<Reverse<(u64, usize)>> = (self.candidates.iter().enumerate())
            .map(|(at, candidate)| Reverse((price(candidate, value(&candidate.musts)), at)))
            .collect();
        let mut left = bits::all(values.len());
        let mut chosen: Vec<&Candidate> = Vec::new();
        while let Some(Reverse((known_price, at))) = open.pop() {
            let Some(candidate) = self.candidates.get(at) else { continue };
            let new = bits::both(&candidate.musts, &left);
            if bits::is_none(&new) {
                continue;
            }
            let now = price(candidate, value(&new));
            if now > known_price {
                // Others may be better by now.
                open.push(Reverse((now, at)));
            } else if self.is_admissible(at, candidate) {
                left = bits::without(&left, &candidate.musts);
                chosen.push(candidate);
            }
        }
        bits::is_none(&left).then(|| needed(chosen, values.len()))
    }

    fn is_admissible(&mut self, at: usize, candidate: &Candidate) -> bool {
        if candidate.is_known {
            return true;
        }
        let Some(refused) = self.refused.get_mut(at) else { return false };
        self.questions += 1;
        *refused = *refused || self.questions > MAX_QUESTIONS || !is_admissible(self.kind, &candidate.text);
        !*refused
    }
}

/// Leaves out what the others match as well, the dearest first.
fn needed(mut chosen: Vec<&Candidate>, musts: usize) -> Vec<&Candidate> {
    chosen.sort_by(|a, b| (Reverse(a.cost), &a.text).cmp(&(Reverse(b.cost), &b.text)));
    let mut times = vec![0_usize; musts];
    for at in chosen.iter().flat_map(|candidate| bits::ones(&candidate.musts)) {
        if let Some(times) = times.get_mut(at) {
            *times += 1;
        }
    }
    chosen.retain(|candidate| {
        let is_needed = bits::ones(&candidate.musts).any(|at| times.get(at).is_some_and(|times| *times < 2));
        if !is_needed {
            for at in bits::ones(&candidate.musts) {
                if let Some(times) = times.get_mut(at) {
                    *times -= 1;
                }
            }
        }
        is_needed
    });
    chosen
}
