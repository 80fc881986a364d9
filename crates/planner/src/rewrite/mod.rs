//! From a document and what is removable to a document that differs only in its `Action` and `NotAction` lists.
//!
//! An [`Outline`] knows what becomes of every list, and has a slot for each list that must be written anew; what is written
//! there, names or wildcards, is decided from outside, since several documents may share a quota. Nothing here is trusted:
//! `proof` looks at the two texts anew, with other parsers and without knowing how they came about.

pub mod cover;
mod layout;
mod left;
mod not_action;
mod outline;
mod patterns;
mod resources;
mod slot;
mod splice;
mod split;

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::analysis::UnknownName;
use secateur_analyzer::catalog::{ActionSet, Catalog};
use secateur_analyzer::document::{ActionList, PolicyDocument};
use secateur_analyzer::wildcard;

pub use outline::{Outline, Written};
pub use resources::{KeyCut, KeyPruning, prune_resources};
pub use split::split;

/// What a rewrite goes by.
#[derive(Clone, Copy, Debug)]
pub struct Rewriting<'a> {
    /// The catalogue.
    pub catalog: &'a Catalog,
    /// What may leave the document.
    pub removable: &'a ActionSet,
    /// Names that the catalogue does not know and that must stay where a pattern matches them.
    pub unknown: &'a [UnknownName],
    /// What to do with `NotAction` in an Allow statement.
    pub not_action: NotActionRewrite,
    /// Whether patterns may be replaced by names.
    pub splitting: Splitting,
}

/// `not_action`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotActionRewrite {
    /// `extend`: add what may go to the list.
    Extend,
    /// `invert`: list what stays instead.
    Invert,
    /// `advise`: leave it, and say what could go.
    Advise,
}

/// Whether a pattern of which a part may go is replaced by what must stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Splitting {
    /// By names.
    Names,
    /// It stays as written; only what goes whole goes.
    Never,
}

/// What became of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The new text, or that nothing is left, or that nothing changes.
    pub outcome: Outcome,
    /// The patterns that were replaced, as written, in order.
    pub split: Vec<String>,
    /// The patterns that would have been replaced, but for [`Splitting::Never`] or because they were to stay as written.
    pub unsplit: Vec<String>,
    /// The places, from 0, of Allow statements with `NotAction` that were left by [`NotActionRewrite::Advise`].
    pub advised: Vec<usize>,
    /// Why Allow statements with `NotAction` cannot be inverted, in words, in order.
    pub uninverted: Vec<&'static str>,
}

/// More characters of names than this are not written down: no quota is near, and a document may repeat `*` hundreds of times.
pub const MAX_NAMES: usize = 1_000_000;

/// What became of a document's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing changes.
    Unchanged,
    /// This is the new text.
    Changed(String),
    /// No statement is left.
    Empty,
}

/// Rewrites a document by names. Deny statements, and statements whose Sid begins with `SecateurKeep`, are not looked at; nor
/// is an irregular document, in which one list may stand in several places.
pub fn rewrite(document: &PolicyDocument, by: &Rewriting<'_>) -> Rewritten {
    let outline = Outline::new(document, by);
    outline.write(&outline.by_names())
}

/// Returns whether a `NotAction` list can become an `Action` list: it must not exempt a part of a service that the catalogue does
/// not know, since the rest of such a service cannot be listed.
pub fn can_invert(list: &ActionList, unknown: &[UnknownName]) -> bool {
    let everything = ActionPattern::new("*");
    let patterns = || list.entries.iter().map(|entry| &entry.pattern);
    unknown_matches(unknown, &everything).map(|name| ActionPattern::new(&name)).all(|name| {
        patterns().any(|pattern| pattern.includes(&name)) || patterns().all(|pattern| pattern.is_disjoint(&name))
    })
}

/// Returns whether a pattern stays as written, whatever of it could go: AWS refuses one without a colon in a new document, so
/// that nobody can tell what it matches in an old one.
pub fn lacks_colon(pattern: &str) -> bool {
    !pattern.contains(':') && pattern != "*"
}

/// Returns the unknown names that the pattern matches, as they are written when they must stay.
///
/// Of a whole service that the catalogue does not know, the part that the pattern matches stays, `svc:*` of `*`; the
/// service's names are then not listed beside it.
fn unknown_matches<'a>(
    unknown: &'a [UnknownName],
    pattern: &'a ActionPattern,
) -> impl Iterator<Item = String> + use<'a> {
    let is_in_part = |service: &str| {
        let is_it = |name: &UnknownName| matches!(name, UnknownName::Service(own) if own.eq_ignore_ascii_case(service));
        unknown.iter().any(is_it) && part_of_service(pattern, service).is_some()
    };
    unknown.iter().filter_map(move |name| match name {
        UnknownName::Action { service, name } => {
            let full = format!("{service}:{name}");
            (pattern.matches(&full) && !is_in_part(service)).then_some(full)
        }
        UnknownName::Service(service) => part_of_service(pattern, service),
    })
}

/// Returns the part of a service that a pattern with wildcards matches, as a pattern.
fn part_of_service(pattern: &ActionPattern, service: &str) -> Option<String> {
    let service_matches = wildcard::matches_ignore_case(pattern.service(), service);
    let written = pattern.as_str().split_once(':').map_or("*", |(_, action)| action);
    (service_matches && pattern.has_wildcard()).then(|| format!("{service}:{written}"))
}

#[cfg(test)]
pub(crate) mod tests;
