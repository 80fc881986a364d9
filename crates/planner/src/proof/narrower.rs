//! The new document allows nothing that the old one did not. No catalogue is needed.

use secateur_analyzer::action::ActionPattern;

use super::ProofError;
use super::json::Json;
use super::statement::{Document, Kind, Statement};

/// How much was compared.
pub(super) struct Narrower {
    pub statements: usize,
    pub patterns: usize,
}

pub(super) fn check(before: &Document, after: &[Document]) -> Result<Narrower, ProofError> {
    let mut compared = Narrower { statements: 0, patterns: 0 };
    for part in after {
        let own = check_part(before, part)?;
        compared.statements += own.statements;
        compared.patterns += own.patterns;
    }
    Ok(compared)
}

/// Each document alone is narrower: so is what they allow together.
fn check_part(before: &Document, after: &Document) -> Result<Narrower, ProofError> {
    elements(before, after)?;
    denies(before, after)?;
    // The earliest statement that a new one can come from leaves the most for those behind it.
    let mut candidates = before.statements.iter();
    for (at, statement) in after.statements.iter().enumerate() {
        // IAM takes no such list; a document made by hand that has one keeps it.
        if statement.patterns.is_empty() && !before.statements.iter().any(|old| old.is_same(statement)) {
            return Err(ProofError::EmptyAction { statement: at + 1 });
        }
        let rest = candidates.clone();
        if !candidates.by_ref().any(|old| comes_from(old, statement, at).is_ok()) {
            return Err(explain(rest, statement, at));
        }
    }
    Ok(Narrower {
        statements: after.statements.len(),
        patterns: after.statements.iter().map(|statement| statement.patterns.len()).sum(),
    })
}

fn elements(before: &Document, after: &Document) -> Result<(), ProofError> {
    let find = |document: &Document, key: &str| {
        document.elements.iter().find(|(own, _)| own == key).map(|(_, value)| value.clone())
    };
    for (key, _) in before.elements.iter().chain(&after.elements) {
        if find(before, key) != find(after, key) {
            return Err(ProofError::ChangedDocument { element: key.clone() });
        }
    }
    Ok(())
}

fn denies(before: &Document, after: &Document) -> Result<(), ProofError> {
    let of = |document: &Document| -> Vec<usize> {
        (0..document.statements.len())
            .filter(|at| document.statements.get(*at).is_some_and(|statement| statement.denies))
            .collect()
    };
    let (old, new) = (of(before), of(after));
    let same = |(old, new): (&usize, &usize)| match (before.statements.get(*old), after.statements.get(*new)) {
        (Some(old), Some(new)) => old.is_same(new),
        _ => false,
    };
    if old.len() == new.len() && old.iter().zip(&new).all(same) { Ok(()) } else { Err(ProofError::ChangedDeny) }
}

/// Whether `new` can come from `old`: equal in all but actions, and about no action that `old` is not about.
pub(super) fn comes_from(old: &Statement, new: &Statement, at: usize) -> Result<(), ProofError> {
    if let Some(element) = first_difference(&old.rest, &new.rest) {
        return Err(ProofError::ChangedElement { element, statement: at + 1 });
    }
    let statement = at + 1;
    match (old.kind, new.kind) {
        (Kind::Action, Kind::Action) => match old.first_not_included(&new.patterns) {
            Some(wider) => Err(ProofError::WidenedAction { pattern: wider.to_string(), statement }),
            None => Ok(()),
        },
        (Kind::NotAction, Kind::NotAction) => match new.first_not_included(&old.patterns) {
            Some(lost) => Err(ProofError::WidenedNotAction { pattern: lost.to_string(), statement }),
            None => Ok(()),
        },
        (Kind::NotAction, Kind::Action) => {
            let is_disjoint = |new: &ActionPattern| old.patterns.iter().all(|old| old.is_disjoint(new));
            match new.patterns.iter().find(|new| !is_disjoint(new)) {
                Some(overlap) => Err(ProofError::OverlappingAction { pattern: overlap.to_string(), statement }),
                None => Ok(()),
            }
        }
        (Kind::Action, Kind::NotAction) => Err(ProofError::ActionBecameNotAction { statement }),
    }
}

fn first_difference(old: &Json, new: &Json) -> Option<String> {
    let keys = |json: &Json| match json {
        Json::Object(members) => members.iter().map(|(key, _)| key.clone()).collect(),
        _ => Vec::new(),
    };
    keys(old).into_iter().chain(keys(new)).find(|key| old.get(key) != new.get(key))
}

/// Why the statement comes from none: what it lacks of the one that it is most like.
fn explain<'a>(old: impl Iterator<Item = &'a Statement> + Clone, new: &Statement, at: usize) -> ProofError {
    let sid = new.rest.get("Sid");
    let like = |old: &&Statement| sid.is_some() && old.rest.get("Sid") == sid;
    let same_rest = |old: &&Statement| first_difference(&old.rest, &new.rest).is_none();
    let nearest = old.clone().find(like).or_else(|| old.clone().find(same_rest)).or_else(|| old.clone().next());
    match nearest {
        Some(nearest) => comes_from(nearest, new, at).err().unwrap_or(ProofError::AddedStatement { statement: at + 1 }),
        None => ProofError::AddedStatement { statement: at + 1 },
    }
}
