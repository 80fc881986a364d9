//! What is left of a budget is spent on patterns that read better and match less of what AWS may add.

use secateur_analyzer::wildcard;

use super::bits;
use super::list::{List, Piece};
use super::slot::cost;
use super::tree::{Leaf, is_word_boundary};
use super::words;

/// How far a beginning is made longer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Until it ends with a word.
    NextWord,
    /// As far as all it matches has it in common, in whole words if it can be.
    LastWord,
}

/// Where a pattern is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Fixed(usize),
    Piece(usize),
}

/// Writes narrower and more readable patterns while the budget allows, the cheapest first: beginnings that end with a word;
/// names for what matches but one, or a few; and beginnings as long as what is matched has in common.
pub(super) fn spend(lists: &mut [List<'_>], budget: usize) {
    let size: usize = lists.iter().map(List::size).sum();
    let Some(mut room) = budget.checked_sub(size) else { return };
    lengthen(lists, &mut room, Until::NextWord);
    write_out(lists, &mut room, |_, matched| matched == 1);
    write_out(lists, &mut room, |piece, _| !is_plain(piece));
    write_out(lists, &mut room, |_, _| true);
    lengthen(lists, &mut room, Until::LastWord);
}

/// Returns whether a pattern is a beginning and a star behind it.
fn is_plain(piece: &Piece) -> bool {
    words::rank(&piece.text).0 == 1 && piece.text.ends_with('*')
}

/// Writes names in the place of the pieces that `is_meant`, asked with how many names they match, while there is room.
fn write_out(lists: &mut [List<'_>], room: &mut usize, is_meant: impl Fn(&Piece, u32) -> bool) {
    let mut found: Vec<(usize, usize, String)> = Vec::new();
    for (at, list) in lists.iter().enumerate() {
        for (place, piece) in list.pieces.iter().enumerate() {
            if let Some(extra) = list.extra(place).filter(|_| is_meant(piece, bits::count(&piece.musts))) {
                found.push((extra, at, piece.text.clone()));
            }
        }
    }
    found.sort_unstable();
    for (_, at, text) in found {
        let Some(list) = lists.get_mut(at) else { continue };
        let Some(place) = list.pieces.iter().position(|piece| piece.text == text) else { continue };
        // What was written out meanwhile may be matched by this one alone now.
        let before = list.size();
        if list.extra(place).is_some_and(|extra| extra <= *room) {
            list.write_out(place);
            *room = (*room + before).saturating_sub(list.size());
        }
    }
}

fn lengthen(lists: &mut [List<'_>], room: &mut usize, until: Until) {
    let mut found = Vec::new();
    for (at, list) in lists.iter().enumerate() {
        let fixed = (0..list.fixed.len()).map(Place::Fixed);
        for place in fixed.chain((0..list.pieces.len()).map(Place::Piece)) {
            let options = options(list, place, until);
            if let Some(extra) = options.first() {
                found.push((*extra, at, place, options));
            }
        }
    }
    found.sort_unstable();
    for (_, at, place, options) in found {
        let Some(extra) = options.into_iter().find(|extra| extra <= room) else { continue };
        if let Some(list) = lists.get_mut(at) {
            list.lengthen(place, extra);
            *room -= extra;
        }
    }
}

/// By how many characters a beginning may be made longer, the best first.
fn options(list: &List<'_>, place: Place, until: Until) -> Vec<usize> {
    let (start, rest, leaves) = match place {
        Place::Fixed(at) => {
            let Some(fixed) = list.fixed.get(at) else { return Vec::new() };
            let node = list.tree.node(fixed.node);
            (
                fixed.depth,
                list.tree.tail,
                list.tree.leaves.get(node.first..node.end).unwrap_or_default().iter().collect(),
            )
        }
        Place::Piece(at) => {
            let Some(piece) = list.pieces.get(at) else { return Vec::new() };
            let Some((start, rest)) = piece.text.find('*').and_then(|star| piece.text.split_at_checked(star)) else {
                return Vec::new();
            };
            let leaves: Vec<&Leaf<'_>> = bits::ones(&piece.musts).filter_map(|must| list.must(must)).collect();
            (start.len(), rest, leaves)
        }
    };
    let common = in_common(&leaves);
    let rest = rest.to_ascii_lowercase();
    let is_still_matched = |depth: usize| {
        leaves
            .iter()
            .all(|leaf| leaf.folded.get(depth..).is_some_and(|own| wildcard::matches(rest.as_bytes(), own.as_bytes())))
    };
    let ends_word = |depth: usize| leaves.iter().all(|leaf| is_word_boundary(leaf.text.as_bytes(), depth));
    // The more the beginning takes, the less is left for the rest.
    let longer: Vec<usize> = (start + 1..=common).take_while(|depth| is_still_matched(*depth)).collect();
    let mut found: Vec<usize> = longer.iter().copied().filter(|depth| ends_word(*depth)).collect();
    let is_readable = ends_word(start);
    match until {
        Until::NextWord if is_readable => found.clear(),
        Until::NextWord => found.truncate(1),
        Until::LastWord => found.reverse(),
    }
    if found.is_empty() && !is_readable && until == Until::LastWord {
        found.extend(longer.last());
    }
    found.into_iter().map(|depth| depth - start).collect()
}

/// How many characters all these names begin with alike.
fn in_common(leaves: &[&Leaf<'_>]) -> usize {
    let Some((first, others)) = leaves.split_first() else { return 0 };
    others.iter().fold(first.folded.len(), |most, leaf| {
        let alike = first.folded.bytes().zip(leaf.folded.bytes()).take_while(|(a, b)| a == b).count();
        most.min(alike)
    })
}

impl List<'_> {
    /// Makes the beginning of a pattern longer.
    fn lengthen(&mut self, place: Place, by: usize) {
        match place {
            Place::Fixed(at) => {
                if let Some(fixed) = self.fixed.get_mut(at) {
                    fixed.depth += by;
                }
            }
            Place::Piece(at) => {
                let Some(piece) = self.pieces.get(at) else { return };
                let first = bits::ones(&piece.musts).next().and_then(|must| self.must(must));
                let split = piece.text.find('*').and_then(|star| piece.text.split_at_checked(star));
                let (Some(first), Some((start, rest))) = (first, split) else { return };
                let Some(start) = first.text.get(..start.len() + by) else { return };
                let text = format!("{start}{rest}");
                if let Some(piece) = self.pieces.get_mut(at) {
                    (piece.cost, piece.text) = (cost(&text), text);
                }
            }
        }
    }
}
