//! What stands between the values of objects that are printed alike.
//!
//! A tool prints all its objects of one kind in the same way: the same members in the same order, but for those that one
//! lacks, with the same white space between them. So what stands between two values is compared with what stood there before,
//! and taken apart where it differs only. A text that was taken apart once, between two values or before the first one, means
//! the same wherever it stands between two values, or before the first one.

use super::scan::Scan;

/// How many texts are remembered of one kind of objects. What no tool prints is not remembered for ever.
const MOST: usize = 64;

/// No text.
const NONE: usize = usize::MAX;

/// The texts between the values of objects of one kind; `M` is what their members are to who reads them.
#[derive(Debug)]
pub(super) struct Layout<M> {
    /// What a member of this name is.
    member: fn(&str) -> M,
    texts: Vec<Between<M>>,
    /// With what the last two objects of different beginnings began.
    first: [usize; 2],
}

/// A text between two values, before the first one, or behind the last one.
#[derive(Debug)]
struct Between<M> {
    text: Box<str>,
    /// The member whose value comes behind the text; none at the end of an object.
    member: Option<M>,
    /// The last two different texts that came behind that value.
    next: [usize; 2],
}

/// How far an object is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// The object comes next.
    Start,
    /// A value was read that stands behind this text.
    Behind(usize),
}

impl<M: Copy> Layout<M> {
    pub(super) fn new(member: fn(&str) -> M) -> Layout<M> {
        Layout { member, texts: Vec::new(), first: [NONE; 2] }
    }

    /// Reads up to the next value of an object, and returns whose it is; or reads the end of the object, and returns nothing.
    #[inline]
    pub(super) fn next(&mut self, scan: &mut Scan<'_>, place: &mut Place) -> Option<Option<M>> {
        for at in self.expected(*place) {
            if let Some(between) = self.texts.get(at)
                && scan.takes_exactly(&between.text)
            {
                *place = Place::Behind(at);
                return Some(between.member);
            }
        }
        self.learn(scan, place)
    }

    /// The texts that came at this place before, the last one first.
    fn expected(&self, place: Place) -> [usize; 2] {
        match place {
            Place::Start => self.first,
            Place::Behind(at) => self.texts.get(at).map_or([NONE; 2], |between| between.next),
        }
    }

    #[cold]
    fn learn(&mut self, scan: &mut Scan<'_>, place: &mut Place) -> Option<Option<M>> {
        let start = *scan;
        let member = scan.member(matches!(place, Place::Start))?.map(self.member);
        let text = start.until(scan);
        let known = self.texts.iter().position(|between| *between.text == *text);
        let at = known.unwrap_or(if self.texts.len() < MOST { self.texts.len() } else { NONE });
        if at == self.texts.len() {
            self.texts.push(Between { text: text.into(), member, next: [NONE; 2] });
        }
        let next = match *place {
            Place::Start => Some(&mut self.first),
            Place::Behind(last) => self.texts.get_mut(last).map(|between| &mut between.next),
        };
        if let Some(next) = next.filter(|_| at != NONE) {
            *next = [at, next[0]];
        }
        *place = Place::Behind(at);
        Some(member)
    }
}
