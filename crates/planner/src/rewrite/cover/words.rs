//! Patterns that are made of whole words: `ec2:Describe*Attribute`, `ec2:*Snapshot`, `s3:*Object*`.
//!
//! Whatever they match of what must be matched has these words as words of its own: `s3:*Tag*` is not written for `PutTags`.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use secateur_analyzer::wildcard;

use super::bits::{self, Bits};
use super::index::{Index, Place};
use super::list::Piece;
use super::slot::{Role, cost};
use super::tree::{Leaf, Tree, is_word_boundary};

/// Services with more names, or more characters in them, are not looked at: AWS has none.
const MAX_NAMES: usize = 1_500;
const MAX_CHARACTERS: usize = 60_000;
/// The least characters behind a star.
const MIN_PIECE: usize = 3;
/// The most words between two stars.
const MAX_WORDS: usize = 4;
/// Prefixes, suffixes and infixes looked at, those that the most names share.
const MAX_TEXTS: usize = 1_000;

/// Returns the patterns of this kind that are shorter than the names they match.
pub(super) fn pieces(tree: &Tree<'_>) -> Vec<Piece> {
    Names::of(tree).map_or_else(Vec::new, |names| names.pieces())
}

/// A name that must be matched.
struct Must<'a> {
    text: &'a str,
    folded: &'a str,
    /// Where a word begins or the name ends.
    boundaries: Vec<usize>,
}

struct Names<'a> {
    tree: &'a Tree<'a>,
    musts: Vec<Must<'a>>,
    /// Those that are matched already: that they are matched again does no harm, if it is by their words.
    free: Vec<Must<'a>>,
    nevers: Vec<&'a str>,
}

/// All names, by their letters.
struct Indices<'a> {
    musts: Index<'a>,
    free: Index<'a>,
    nevers: Index<'a>,
}

/// Names that have words in common.
struct Class<'a> {
    words: &'a str,
    place: Place,
    /// Those that have them as words.
    musts: Bits,
    /// Those that have their characters, once they are asked for.
    alike: OnceCell<Bits>,
    free: OnceCell<Bits>,
    nevers: OnceCell<Bits>,
}

impl<'a> Names<'a> {
    /// `None` where nothing can be won, or the work would be too much.
    fn of(tree: &'a Tree<'a>) -> Option<Names<'a>> {
        let sums = tree.sums(tree.node(tree.root()));
        let characters: usize = tree.leaves.iter().map(|leaf| leaf.folded.len()).sum();
        let is_bounded = tree.leaves.len() <= MAX_NAMES && characters <= MAX_CHARACTERS;
        if tree.service == 0 || sums.musts < 2 || sums.nevers == 0 || !is_bounded {
            return None;
        }
        let must = |leaf: &'a Leaf<'a>| {
            let is_boundary = |at: &usize| is_word_boundary(leaf.text.as_bytes(), *at);
            let boundaries = (tree.service..=leaf.text.len()).filter(is_boundary).collect();
            Must { text: leaf.text, folded: &leaf.folded, boundaries }
        };
        let of_role = |role| tree.leaves.iter().filter(move |leaf| leaf.role == role);
        Some(Names {
            tree,
            musts: of_role(Role::Must).map(must).collect(),
            free: of_role(Role::Free).map(must).collect(),
            nevers: of_role(Role::Never).map(|leaf| &*leaf.folded).collect(),
        })
    }

    fn pieces(&self) -> Vec<Piece> {
        let service = self.tree.service;
        let indices = Indices {
            musts: Index::of(self.musts.iter().map(|must| must.folded), service),
            free: Index::of(self.free.iter().map(|must| must.folded), service),
            nevers: Index::of(self.nevers.iter().copied(), service),
        };
        let starts = self.classes(Place::Start);
        let mut found: BTreeMap<Bits, Piece> = BTreeMap::new();
        for place in [Place::End, Place::Anywhere] {
            let classes = self.classes(place);
            let mut sharing = Sharing::new(&classes, self.musts.len());
            for start in &starts {
                for class in sharing.two_with(start).filter_map(|at| classes.get(at)) {
                    let Some(piece) = self.combine(start, class, &indices) else { continue };
                    let is_better = |other: &Piece| {
                        let by_rank = || rank(&piece.text).cmp(&rank(&other.text));
                        let order = piece.cost.cmp(&other.cost).then_with(by_rank);
                        order.then_with(|| piece.text.cmp(&other.text)).is_lt()
                    };
                    let best = found.get(&piece.musts).is_none_or(is_better);
                    // Behind a tail not every piece is in the language, and the cheapest of equals may not be.
                    if best && (self.tree.tail == "*" || self.is_like_tail(&piece.text)) {
                        found.insert(piece.musts.clone(), piece);
                    }
                }
            }
        }
        found.into_values().collect()
    }

    /// Returns whether what follows the first star ends as the author's tail does.
    fn is_like_tail(&self, text: &str) -> bool {
        let tail = self.tree.tail.to_ascii_lowercase();
        text.find('*').and_then(|star| text.get(star..)).is_some_and(|own| {
            let own = own.to_ascii_lowercase();
            wildcard::matches(tail.as_bytes(), own.as_bytes())
        })
    }

    /// The words that several names share in this place, those of the most names first.
    fn classes(&self, place: Place) -> Vec<Class<'a>> {
        let of_musts: Vec<Vec<&'a str>> = self.musts.iter().map(|must| self.words(must, place)).collect();
        // How many names have the words, and the last of them.
        let mut counts: HashMap<&'a str, (usize, usize)> = HashMap::new();
        for (at, words) in of_musts.iter().enumerate() {
            for words in words {
                let (count, last) = counts.entry(words).or_insert((0, usize::MAX));
                if *last != at {
                    (*count, *last) = (*count + 1, at);
                }
            }
        }
        let counts = counts.into_iter().map(|(words, (count, _))| (words, count));
        let mut shared: Vec<(&'a str, usize)> = counts.filter(|(_, count)| *count > 1).collect();
        // No two have the same words: the order is that of these alone.
        shared.sort_unstable_by_key(|(words, count)| (Reverse(*count), *words));
        shared.truncate(MAX_TEXTS);
        let places: HashMap<&'a str, usize> = shared.iter().enumerate().map(|(at, (words, _))| (*words, at)).collect();
        let mut classes: Vec<Class<'a>> =
            shared.into_iter().map(|(words, _)| Class::new(words, place, self.musts.len())).collect();
        for (at, words) in of_musts.iter().enumerate() {
            for place in words.iter().filter_map(|words| places.get(words)) {
                if let Some(class) = classes.get_mut(*place) {
                    bits::set(&mut class.musts, at);
                }
            }
        }
        classes
    }

    fn words(&self, must: &Must<'a>, place: Place) -> Vec<&'a str> {
        let (service, least, folded) = (self.tree.service, self.tree.least, must.folded);
        let inner = || must.boundaries.iter().copied().filter(|at| *at > service);
        match place {
            // The author's own beginning may end anywhere.
            Place::Start => {
                let ends = inner().filter(|at| *at > least && *at >= service + MIN_PIECE);
                std::iter::once(least).chain(ends).filter_map(|to| folded.get(..to)).collect()
            }
            Place::End => {
                let words = inner().filter_map(|from| folded.get(from..));
                words.filter(|words| words.len() >= MIN_PIECE).collect()
            }
            Place::Anywhere => {
                let mut found = Vec::new();
                for (at, from) in must.boundaries.iter().enumerate() {
                    let ends = must.boundaries.iter().skip(at + 1).take(MAX_WORDS);
                    let words = ends.filter_map(|to| folded.get(*from..*to));
                    found.extend(words.filter(|words| words.len() >= MIN_PIECE));
                }
                found
            }
        }
    }

    fn combine(&self, start: &Class<'a>, class: &Class<'a>, indices: &Indices<'a>) -> Option<Piece> {
        let place = class.place;
        // Names too short for both texts count here too: that can only refuse a pattern.
        if bits::meet(start.nevers(indices), class.nevers(indices)) {
            return None;
        }
        let shared = bits::both(&start.musts, &class.musts);
        let mut musts = shared.clone();
        for at in bits::ones(&shared) {
            if !self.musts.get(at).is_some_and(|must| must.has_behind(start.words.len(), class.words, place)) {
                bits::clear(&mut musts, at);
            }
        }
        let end = if place == Place::End { "" } else { "*" };
        let cost = super::slot::cost_of_length(start.words.len() + 1 + class.words.len() + end.len());
        let names: usize =
            bits::ones(&musts).filter_map(|at| self.musts.get(at)).map(|must| self::cost(must.text)).sum();
        if bits::count(&musts) < 2 || cost >= names {
            return None;
        }
        let alike = bits::without(&bits::both(start.alike(indices), class.alike(indices)), &musts);
        let free = bits::both(start.free(indices), class.free(indices));
        if !bits::is_none(&alike) || !bits::is_none(&free) {
            let pattern = format!("{}*{}{end}", start.words, class.words);
            let is_matched = |at: usize| self.musts.get(at).is_some_and(|must| must.is_matched(&pattern));
            let is_alike =
                |free: &Must<'_>| !free.has_behind(start.words.len(), class.words, place) && free.is_matched(&pattern);
            let mut free = bits::ones(&free).filter_map(|at| self.free.get(at));
            if bits::ones(&alike).any(is_matched) || free.any(is_alike) {
                return None;
            }
        }
        let first = bits::ones(&musts).next().and_then(|at| self.musts.get(at))?;
        let from = first.behind(start.words.len(), class.words, place)?;
        let start = first.text.get(..start.words.len())?;
        let behind = first.text.get(from..from + class.words.len())?;
        Some(Piece { text: format!("{start}*{behind}{end}"), cost, musts })
    }
}

impl<'a> Class<'a> {
    fn new(words: &'a str, place: Place, musts: usize) -> Class<'a> {
        let musts = bits::none(musts);
        Class { words, place, musts, alike: OnceCell::new(), free: OnceCell::new(), nevers: OnceCell::new() }
    }

    fn alike(&self, indices: &Indices<'a>) -> &Bits {
        self.alike.get_or_init(|| indices.musts.having(self.words, self.place))
    }

    fn free(&self, indices: &Indices<'a>) -> &Bits {
        // A name that is a pattern matches more than what has its characters.
        self.free.get_or_init(|| match self.words.contains(['*', '?']) {
            true => indices.free.everything(),
            false => indices.free.having(self.words, self.place),
        })
    }

    fn nevers(&self, indices: &Indices<'a>) -> &Bits {
        self.nevers.get_or_init(|| indices.nevers.having(self.words, self.place))
    }
}

/// Which classes have names in common with another: most have none, and so are not looked at.
struct Sharing {
    /// For each name that must be matched, the classes that have it.
    classes: Vec<Vec<usize>>,
    /// For each class, how many names it shares with the one that is asked about.
    times: Vec<usize>,
}

impl Sharing {
    fn new(classes: &[Class<'_>], musts: usize) -> Sharing {
        let mut by_must = vec![Vec::new(); musts];
        for (at, class) in classes.iter().enumerate() {
            for must in bits::ones(&class.musts) {
                if let Some(own) = by_must.get_mut(must) {
                    own.push(at);
                }
            }
        }
        Sharing { classes: by_must, times: vec![0; classes.len()] }
    }

    /// The classes that share two names or more with this one.
    fn two_with(&mut self, start: &Class<'_>) -> impl Iterator<Item = usize> + use<> {
        self.times.fill(0);
        let mut found = Vec::new();
        for at in bits::ones(&start.musts).filter_map(|must| self.classes.get(must)).flatten() {
            if let Some(times) = self.times.get_mut(*at) {
                *times += 1;
                if *times == 2 {
                    found.push(*at);
                }
            }
        }
        found.into_iter()
    }
}

impl Must<'_> {
    /// Where these words stand behind the first `start` characters.
    fn behind(&self, start: usize, words: &str, place: Place) -> Option<usize> {
        if place == Place::End {
            let from = self.folded.len().checked_sub(words.len()).filter(|from| *from >= start)?;
            return (self.folded.ends_with(words) && self.boundaries.binary_search(&from).is_ok()).then_some(from);
        }
        let stands = |from: usize| {
            self.folded.get(from..).is_some_and(|rest| rest.starts_with(words))
                && self.boundaries.binary_search(&(from + words.len())).is_ok()
        };
        self.boundaries.iter().copied().find(|from| *from >= start && stands(*from))
    }

    fn has_behind(&self, start: usize, words: &str, place: Place) -> bool {
        self.behind(start, words, place).is_some()
    }

    fn is_matched(&self, pattern: &str) -> bool {
        wildcard::matches(pattern.as_bytes(), self.folded.as_bytes())
    }
}

/// Of two patterns that save the same the one with the lower rank is narrower: fewer stars, and a longer beginning.
pub(super) fn rank(pattern: &str) -> (usize, Reverse<usize>) {
    let stars = pattern.bytes().filter(|byte| *byte == b'*').count();
    (stars, Reverse(pattern.find('*').unwrap_or(pattern.len())))
}
