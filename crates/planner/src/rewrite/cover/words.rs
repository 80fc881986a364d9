//! Patterns that are made of whole words: `ec2:Describe*Attribute`, `ec2:*Snapshot`, `s3:*Object*`.
//!
//! Whatever they match of what must be matched has these words as words of its own: `s3:*Tag*` is not written for `PutTags`.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::HashMap;

use secateur_analyzer::wildcard;

use super::bits::{self, Bits};
use super::hash::Quick;
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

/// All names, by their letters, once they are asked for.
struct Indices<'n, 'a> {
    names: &'n Names<'a>,
    musts: OnceCell<Index<'a>>,
    free: OnceCell<Index<'a>>,
    nevers: OnceCell<Index<'a>>,
}

impl<'a> Indices<'_, 'a> {
    fn musts(&self) -> &Index<'a> {
        let names = self.names;
        self.musts.get_or_init(|| Index::of(names.musts.iter().map(|must| must.folded), names.tree.service))
    }

    fn free(&self) -> &Index<'a> {
        let names = self.names;
        self.free.get_or_init(|| Index::of(names.free.iter().map(|must| must.folded), names.tree.service))
    }

    fn nevers(&self) -> &Index<'a> {
        let names = self.names;
        self.nevers.get_or_init(|| Index::of(names.nevers.iter().copied(), names.tree.service))
    }
}

/// The best pattern so far for each set of names that must be matched.
type Found = HashMap<Bits, Best, Quick>;

struct Best {
    cost: usize,
    text: String,
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
        let (musts, free, nevers) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        let indices = Indices { names: self, musts, free, nevers };
        let starts = self.classes(Place::Start);
        let mut found = Found::default();
        let mut musts = bits::none(self.musts.len());
        for place in [Place::End, Place::Anywhere] {
            let classes = self.classes(place);
            let mut sharing = Sharing::new(&classes, self.musts.len());
            for start in &starts {
                for class in sharing.two_with(start).filter_map(|at| classes.get(at)) {
                    if let Some(best) = self.combine(start, class, &indices, &mut musts, &found) {
                        found.insert(musts.clone(), best);
                    }
                }
            }
        }
        let pieces = found.into_iter().map(|(musts, Best { cost, text })| Piece { text, cost, musts });
        let mut pieces: Vec<Piece> = pieces.collect();
        // No two match the same.
        pieces.sort_unstable_by(|a, b| a.musts.cmp(&b.musts));
        pieces
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
        let mut places: HashMap<&'a str, usize, Quick> = HashMap::default();
        // Of each words how many names have them, and the last of those.
        let mut texts: Vec<(&'a str, usize, usize)> = Vec::new();
        let mut of_musts: Vec<(usize, usize)> = Vec::new();
        for (at, must) in self.musts.iter().enumerate() {
            for words in self.words(must, place) {
                let place = *places.entry(words).or_insert(texts.len());
                match texts.get_mut(place) {
                    None => texts.push((words, 1, at)),
                    Some((_, _, last)) if *last == at => continue,
                    Some((_, count, last)) => (*count, *last) = (*count + 1, at),
                }
                of_musts.push((at, place));
            }
        }
        let mut shared: Vec<usize> = (0..texts.len()).collect();
        let text = |at: &usize| texts.get(*at).copied().unwrap_or_default();
        shared.retain(|at| text(at).1 > 1);
        // No two have the same words: the order is that of these alone.
        shared.sort_unstable_by_key(|at| {
            let (words, count, _) = text(at);
            (Reverse(count), words)
        });
        shared.truncate(MAX_TEXTS);
        let mut classes: Vec<Class<'a>> = Vec::with_capacity(shared.len());
        let mut class_of: Vec<Option<usize>> = vec![None; texts.len()];
        for at in &shared {
            if let Some(class) = class_of.get_mut(*at) {
                *class = Some(classes.len());
            }
            classes.push(Class::new(text(at).0, place, self.musts.len()));
        }
        for (must, at) in of_musts {
            if let Some(class) = class_of.get(at).copied().flatten().and_then(|at| classes.get_mut(at)) {
                bits::set(&mut class.musts, must);
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

    /// Returns the pattern of two classes, and in `musts` what it matches, if it is better than what is found for that.
    fn combine(
        &self,
        start: &Class<'a>,
        class: &Class<'a>,
        indices: &Indices<'_, 'a>,
        musts: &mut Bits,
        found: &Found,
    ) -> Option<Best> {
        let (place, depth) = (class.place, start.words.len());
        // Names too short for both texts count here too: that can only refuse a pattern.
        if bits::meet(start.nevers(indices), class.nevers(indices)) {
            return None;
        }
        let (mut names, mut count, mut first) = (0, 0, None);
        musts.fill(0);
        for at in bits::ones_of_both(&start.musts, &class.musts) {
            let Some(must) = self.musts.get(at).filter(|must| must.has_behind(depth, class.words, place)) else {
                continue;
            };
            (names, count, first) = (names + cost(must.text), count + 1, first.or(Some(must)));
            bits::set(musts, at);
        }
        let end = if place == Place::End { "" } else { "*" };
        let cost = super::slot::cost_of_length(depth + 1 + class.words.len() + end.len());
        let known = found.get(musts.as_slice());
        if count < 2 || cost >= names || known.is_some_and(|known| known.cost < cost) {
            return None;
        }
        let first = first?;
        let from = first.behind(depth, class.words, place)?;
        let behind = first.text.get(from..from + class.words.len())?;
        let text = format!("{}*{behind}{end}", first.text.get(..depth)?);
        let is_better = known.is_none_or(|known| {
            let by_rank = || rank(&text).cmp(&rank(&known.text));
            cost.cmp(&known.cost).then_with(by_rank).then_with(|| text.cmp(&known.text)).is_lt()
        });
        // Behind a tail not every piece is in the language, and the cheapest of equals may not be.
        let is_allowed = is_better && (self.tree.tail == "*" || self.is_like_tail(&text));
        (is_allowed && self.is_by_words(start, class, indices, musts)).then_some(Best { cost, text })
    }

    /// Returns whether the pattern of two classes matches `musts` and no other names that must be matched, and of those that
    /// are matched already none but by their words.
    fn is_by_words(&self, start: &Class<'a>, class: &Class<'a>, indices: &Indices<'_, 'a>, musts: &Bits) -> bool {
        let alike = bits::without(&bits::both(start.alike(indices), class.alike(indices)), musts);
        let free = bits::both(start.free(indices), class.free(indices));
        if bits::is_none(&alike) && bits::is_none(&free) {
            return true;
        }
        let end = if class.place == Place::End { "" } else { "*" };
        let pattern = format!("{}*{}{end}", start.words, class.words);
        let is_matched = |at: usize| self.musts.get(at).is_some_and(|must| must.is_matched(&pattern));
        let is_alike = |free: &Must<'_>| {
            !free.has_behind(start.words.len(), class.words, class.place) && free.is_matched(&pattern)
        };
        !bits::ones(&alike).any(is_matched) && !bits::ones(&free).filter_map(|at| self.free.get(at)).any(is_alike)
    }
}

impl<'a> Class<'a> {
    fn new(words: &'a str, place: Place, musts: usize) -> Class<'a> {
        let musts = bits::none(musts);
        Class { words, place, musts, alike: OnceCell::new(), free: OnceCell::new(), nevers: OnceCell::new() }
    }

    fn alike(&self, indices: &Indices<'_, 'a>) -> &Bits {
        self.alike.get_or_init(|| indices.musts().having(self.words, self.place))
    }

    fn free(&self, indices: &Indices<'_, 'a>) -> &Bits {
        // A name that is a pattern matches more than what has its characters.
        self.free.get_or_init(|| match self.words.contains(['*', '?']) {
            true => indices.free().everything(),
            false => indices.free().having(self.words, self.place),
        })
    }

    fn nevers(&self, indices: &Indices<'_, 'a>) -> &Bits {
        self.nevers.get_or_init(|| indices.nevers().having(self.words, self.place))
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
