//! What becomes of each pattern of an `Action` list.

use std::collections::{BTreeSet, HashSet};

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::document::ActionList;

use super::slot::{Slot, SlotKind};
use super::{Rewriting, Splitting, lacks_colon, unknown_matches};

/// What becomes of one pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EntryOutline {
    /// It stays as written.
    Stays,
    /// It would be replaced, and is not.
    Unsplit,
    /// It goes: all that it matches may go, or stands elsewhere in the list.
    Goes,
    /// This slot takes its place.
    Slot(usize),
}

/// Decides about every pattern of a list.
pub(super) fn entries(list: &ActionList, by: &Rewriting<'_>, slots: &mut Slots) -> Vec<EntryOutline> {
    let with_names = by.splitting == Splitting::Names && !slots.is_too_long();
    let drafts: Vec<Draft> = list.entries.iter().map(|entry| draft(&entry.pattern, by, with_names)).collect();
    // Most lists have nothing that is written anew.
    let is_partly = drafts.iter().any(|draft| matches!(draft, Draft::Partly(_)));
    let staying_names: HashSet<&str> = (list.entries.iter().zip(&drafts))
        .filter(|(entry, draft)| is_partly && matches!(draft, Draft::Stays) && !entry.pattern.has_wildcard())
        .map(|(entry, _)| entry.pattern.folded())
        .collect();
    // What stays as written already allows what it matches: such names need not be listed again.
    let staying: Vec<&ActionPattern> = (list.entries.iter().zip(&drafts))
        .filter(|(entry, draft)| matches!(draft, Draft::Stays) && entry.pattern.has_wildcard())
        .map(|(entry, _)| &entry.pattern)
        .collect();
    let mut listed: BTreeSet<String> = BTreeSet::new();
    let mut outlines = Vec::with_capacity(drafts.len());
    for (entry, draft) in list.entries.iter().zip(drafts) {
        outlines.push(match draft {
            Draft::Stays => EntryOutline::Stays,
            Draft::Goes => EntryOutline::Goes,
            Draft::Partly(_) if !with_names || slots.is_too_long() => EntryOutline::Unsplit,
            Draft::Partly(names) => {
                let needed: Vec<String> = names
                    .into_iter()
                    // A name may be a pattern itself (`newsvc:*`): it must be included, not matched as a text.
                    .filter(|name| !staying_names.contains(name.folded.as_str()) && !is_included(&name.text, &staying))
                    .filter_map(|name| listed.insert(name.folded).then_some(name.text))
                    .collect();
                match slots.add(SlotKind::Within(entry.pattern.clone()), needed) {
                    Some(slot) => EntryOutline::Slot(slot),
                    None => EntryOutline::Goes,
                }
            }
        });
    }
    outlines
}

/// The slots of a document, as far as they could be written by names.
#[derive(Debug, Default)]
pub(super) struct Slots {
    pub slots: Vec<Slot>,
    /// The characters of all names.
    names: usize,
}

impl Slots {
    /// Adds a slot; returns its place, or nothing when nothing has to be written there.
    pub fn add(&mut self, kind: SlotKind, names: Vec<String>) -> Option<usize> {
        if names.is_empty() {
            return None;
        }
        self.names += names.iter().map(String::len).sum::<usize>();
        self.slots.push(Slot { kind, names });
        Some(self.slots.len() - 1)
    }

    /// Whether the names come to more than anybody would write.
    pub fn is_too_long(&self) -> bool {
        self.names > super::MAX_NAMES
    }
}

fn is_included(name: &str, in_one_of: &[&ActionPattern]) -> bool {
    if in_one_of.is_empty() {
        return false;
    }
    let name = ActionPattern::new(name);
    in_one_of.iter().any(|pattern| pattern.includes(&name))
}

/// What a pattern alone asks for.
enum Draft {
    Stays,
    Goes,
    /// Only these names of what it matches must stay.
    Partly(Vec<Staying>),
}

/// A name that must stay.
struct Staying {
    /// In lower case.
    folded: String,
    text: String,
}

fn draft(pattern: &ActionPattern, by: &Rewriting<'_>, with_names: bool) -> Draft {
    if lacks_colon(pattern.as_str()) {
        return Draft::Stays;
    }
    let (mut matched, mut goes) = (0, 0);
    by.catalog.each_run(pattern, |run| {
        matched += run.end.index().saturating_sub(run.start.index());
        goes += by.removable.count_in(run);
    });
    if goes == 0 {
        return Draft::Stays;
    }
    if !with_names && goes < matched {
        return Draft::Partly(Vec::new());
    }
    let mut stays = Vec::new();
    if goes < matched {
        by.catalog.each_match(pattern, |id| stays.extend((!by.removable.contains(id)).then_some(id)));
    }
    let names = stays.into_iter().map(|id| by.catalog.full_name(id)).chain(unknown_matches(by.unknown, pattern));
    let mut names: Vec<Staying> = names.map(|text| Staying { folded: text.to_ascii_lowercase(), text }).collect();
    if names.is_empty() {
        return Draft::Goes;
    }
    names.sort_by(|a, b| a.folded.cmp(&b.folded));
    names.dedup_by(|a, b| a.folded == b.folded);
    Draft::Partly(names)
}
