//! What becomes of each pattern of an `Action` list.

use std::collections::{BTreeSet, HashSet};

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::document::ActionList;

use super::{Rewriting, Rewritten, Splitting, unknown_matches};

/// What becomes of one pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays as written.
    Stays,
    /// It goes: all that it matches may go, or stands elsewhere in the list.
    Goes,
    /// These names take its place.
    Becomes(Vec<String>),
}

/// Decides about every pattern of a list.
pub(super) fn fates(list: &ActionList, by: &Rewriting<'_>, rewritten: &mut Rewritten) -> Vec<Fate> {
    let with_names = by.splitting == Splitting::Names && !rewritten.is_too_long;
    let drafts: Vec<Draft> = list.entries.iter().map(|entry| draft(&entry.pattern, by, with_names)).collect();
    let staying_names: HashSet<&str> = (list.entries.iter().zip(&drafts))
        .filter(|(entry, draft)| matches!(draft, Draft::Stays) && !entry.pattern.has_wildcard())
        .map(|(entry, _)| entry.pattern.folded())
        .collect();
    // What stays as written already allows what it matches: such names need not be listed again.
    let staying: Vec<&ActionPattern> = (list.entries.iter().zip(&drafts))
        .filter(|(_, draft)| matches!(draft, Draft::Stays) || by.splitting == Splitting::Never && draft.is_partial())
        .filter(|(entry, _)| entry.pattern.has_wildcard())
        .map(|(entry, _)| &entry.pattern)
        .collect();
    let mut listed: BTreeSet<String> = BTreeSet::new();
    let mut fates = Vec::with_capacity(drafts.len());
    for (entry, draft) in list.entries.iter().zip(drafts) {
        fates.push(match draft {
            Draft::Stays => Fate::Stays,
            Draft::Goes => Fate::Goes,
            Draft::Partly(_) if by.splitting == Splitting::Never => {
                rewritten.unsplit.push(entry.pattern.as_str().to_owned());
                Fate::Stays
            }
            Draft::Partly(_) if rewritten.is_too_long => Fate::Stays,
            Draft::Partly(names) => {
                rewritten.names += names.iter().map(String::len).sum::<usize>();
                rewritten.is_too_long = rewritten.names > super::MAX_NAMES;
                rewritten.split.push(entry.pattern.as_str().to_owned());
                let needed: Vec<String> = names
                    .into_iter()
                    // A name may be a pattern itself (`newsvc:*`): it must be included, not matched as a text.
                    .filter(|name| {
                        !staying_names.contains(name.to_ascii_lowercase().as_str()) && !is_included(name, &staying)
                    })
                    .filter(|name| listed.insert(name.to_ascii_lowercase()))
                    .collect();
                if needed.is_empty() { Fate::Goes } else { Fate::Becomes(needed) }
            }
        });
    }
    fates
}

fn is_included(name: &str, in_one_of: &[&ActionPattern]) -> bool {
    let name = ActionPattern::new(name);
    in_one_of.iter().any(|pattern| pattern.includes(&name))
}

/// What a pattern alone asks for.
enum Draft {
    Stays,
    Goes,
    /// Only these names of what it matches must stay.
    Partly(Vec<String>),
}

impl Draft {
    fn is_partial(&self) -> bool {
        matches!(self, Draft::Partly(_))
    }
}

fn draft(pattern: &ActionPattern, by: &Rewriting<'_>, with_names: bool) -> Draft {
    // AWS refuses a pattern without a colon. What such a pattern matches is not known, so it stays as written.
    if !pattern.as_str().contains(':') && pattern.as_str() != "*" {
        return Draft::Stays;
    }
    let mut goes = 0_usize;
    let mut stays = Vec::new();
    by.catalog.each_match(pattern, |id| if by.removable.contains(id) { goes += 1 } else { stays.push(id) });
    if goes == 0 {
        return Draft::Stays;
    }
    if !with_names && !stays.is_empty() {
        return Draft::Partly(Vec::new());
    }
    let mut names: Vec<String> = stays.into_iter().map(|id| by.catalog.full_name(id)).collect();
    names.extend(unknown_matches(by.unknown, pattern));
    if names.is_empty() {
        return Draft::Goes;
    }
    names.sort_by_cached_key(|name| name.to_ascii_lowercase());
    names.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    Draft::Partly(names)
}
