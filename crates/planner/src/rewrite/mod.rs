//! From a document and what is removable to a document that differs only in its `Action` and `NotAction` lists.
//!
//! Nothing here is trusted: `proof` looks at the two texts anew, with other parsers and without knowing how they came about.

mod layout;
mod not_action;
mod patterns;
mod resources;
mod splice;

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::analysis::{UnknownName, is_kept_by_sid};
use secateur_analyzer::catalog::{ActionSet, Catalog};
use secateur_analyzer::document::{ActionBlock, Effect, PolicyDocument, Statement};
use secateur_analyzer::wildcard;

pub use resources::{KeyCut, KeyPruning, prune_resources};
use splice::Edit;

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
    /// Add only services of which nothing stays: what [`NotActionRewrite::Extend`] falls back to where names do not fit.
    ExtendByService,
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
    /// The patterns that were replaced by names, as written, in order.
    pub split: Vec<String>,
    /// The patterns that would have been replaced, but for [`Splitting::Never`].
    pub unsplit: Vec<String>,
    /// Whether the names came to more than [`MAX_NAMES`]: the outcome is that of [`Splitting::Never`] from there on.
    pub is_too_long: bool,
    names: usize,
    /// The places, from 0, of Allow statements with `NotAction` that were left by [`NotActionRewrite::Advise`].
    pub advised: Vec<usize>,
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

/// What becomes of one statement.
enum StatementOutcome {
    Unchanged,
    Edited(Vec<Edit>),
    Gone,
}

/// Rewrites a document. Deny statements, and statements whose Sid begins with `SecateurKeep`, are not looked at; nor is an
/// irregular document, in which one list may stand in several places.
pub fn rewrite(document: &PolicyDocument, by: &Rewriting<'_>) -> Rewritten {
    let mut rewritten = Rewritten {
        outcome: Outcome::Unchanged,
        split: Vec::new(),
        unsplit: Vec::new(),
        advised: Vec::new(),
        is_too_long: false,
        names: 0,
    };
    if !document.irregularities.is_empty() {
        return rewritten;
    }
    let mut edits = Vec::new();
    let mut stays = Vec::with_capacity(document.statements.len());
    for (at, statement) in document.statements.iter().enumerate() {
        match rewrite_statement(document, at, statement, by, &mut rewritten) {
            StatementOutcome::Unchanged => stays.push(true),
            StatementOutcome::Edited(own) => {
                stays.push(true);
                edits.extend(own);
            }
            StatementOutcome::Gone => stays.push(false),
        }
    }
    if stays.iter().all(|stays| !stays) && !stays.is_empty() {
        rewritten.outcome = Outcome::Empty;
        return rewritten;
    }
    let spans: Vec<_> = document.statements.iter().map(|statement| statement.span.clone()).collect();
    edits.extend(splice::cut(document.text(), &spans, &stays));
    if !edits.is_empty() {
        rewritten.outcome = Outcome::Changed(splice::apply(document.text(), edits));
    }
    rewritten
}

fn rewrite_statement(
    document: &PolicyDocument,
    at: usize,
    statement: &Statement,
    by: &Rewriting<'_>,
    rewritten: &mut Rewritten,
) -> StatementOutcome {
    if statement.effect == Effect::Deny || is_kept_by_sid(statement) {
        return StatementOutcome::Unchanged;
    }
    match &statement.actions {
        ActionBlock::Action(list) => {
            let fates = patterns::fates(list, by, rewritten);
            if fates.iter().all(|fate| *fate == patterns::Fate::Stays) {
                return StatementOutcome::Unchanged;
            }
            if fates.iter().all(|fate| *fate == patterns::Fate::Goes) {
                return StatementOutcome::Gone;
            }
            StatementOutcome::Edited(layout::edits(document.text(), statement, list, &fates))
        }
        ActionBlock::NotAction(list) => not_action::rewrite(document.text(), at, statement, list, by, rewritten),
    }
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
