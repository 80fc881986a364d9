//! What may not go is still allowed, and what is lost may go.
//!
//! Statements that are equal in all but their actions are one grant: what one of them allowed, any of them may still allow.

use std::collections::HashMap;

use secateur_analyzer::account::{Document, DocumentState};
use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::analysis::{Analysis, UnknownName};
use secateur_analyzer::catalog::{ActionSet, Catalog};
use secateur_analyzer::graph::Holder;

use super::json::Json;
use super::statement::{self, Kind, Statement};
use super::{Claim, Grounds, ProofError, evidence};

/// Statements whose Sid begins so are left alone.
pub(super) const KEEP_SID: &str = "SecateurKeep";

/// How much was compared.
pub(super) struct Kept {
    pub kept: usize,
    pub lost: ActionSet,
    /// What of it other statements still allow.
    pub still: Option<ActionSet>,
    /// Why it may go, by holder.
    pub grounds: Vec<Grounds>,
}

pub(super) fn check(
    claim: &Claim<'_>,
    holders: &[Holder],
    before: &statement::Document,
    after: &[statement::Document],
    analysis: &Analysis<'_>,
) -> Result<Kept, ProofError> {
    let catalog = analysis.catalog();
    let unknown = unknown_names(claim, holders, analysis)?;
    let grants = grants(catalog, after);
    let nothing = Grant { statements: Vec::new(), covered: catalog.empty_set() };
    let mut lost = catalog.empty_set();
    let mut kept = 0;
    let allowing = before.statements.iter().enumerate().filter(|(_, statement)| !statement.denies);
    let compared: Vec<Compared<'_>> = allowing
        .map(|(at, statement)| {
            let heirs = grants.get(&statement.rest.key()).unwrap_or(&nothing);
            let mut own = covered(catalog, statement);
            let before = own.len();
            own.difference_with(&heirs.covered);
            kept += before - own.len();
            lost.union_with(&own);
            Compared { at, statement, heirs: &heirs.statements, lost: own }
        })
        .collect();
    let grounds = grounds(claim, holders, &lost, analysis);
    for Compared { at, statement, heirs, lost } in compared {
        check_kept_by_sid(statement, heirs, at)?;
        if grounds.is_none() {
            check_may_go(claim, holders, &lost, at, analysis)?;
        }
        for name in &unknown {
            kept += usize::from(check_unknown(name, statement, heirs, at)?);
        }
    }
    // Not reached without grounds: what has none belongs to some statement.
    let grounds = grounds.ok_or_else(|| ProofError::LostAction {
        action: lost.iter().next().map(|id| catalog.full_name(id)).unwrap_or_default(),
        statement: 1,
        verdict: "a holder was not judged".to_owned(),
    })?;
    evidence::check(holders, &lost, analysis)?;
    let still = still(&lost, &grants);
    Ok(Kept { kept, lost, still, grounds })
}

/// An Allow statement of the old document, held against those of the new ones.
struct Compared<'a> {
    at: usize,
    statement: &'a Statement,
    heirs: &'a [&'a Statement],
    lost: ActionSet,
}

/// Why all lost actions may go, for every holder, by the table of verdicts; none when one of them may not go for somebody.
fn grounds(claim: &Claim<'_>, holders: &[Holder], lost: &ActionSet, analysis: &Analysis<'_>) -> Option<Vec<Grounds>> {
    let count = lost.len();
    let of_holder = |holder: &Holder| {
        let mut grounds = Grounds::default();
        let mut may_go = true;
        analysis.verdicts_in_runs(claim.policy, holder, lost.iter(), |run, verdict| match verdict.removal() {
            Some(removal) => grounds.push(removal, run.len()),
            None => may_go = false,
        });
        // A holder that the analysis does not know has no verdicts: that is no evidence either.
        (may_go && grounds.len() == count).then_some(grounds)
    };
    holders.iter().map(of_holder).collect()
}

/// What of the lost actions the new statements allow in some way, if anything.
fn still(lost: &ActionSet, grants: &HashMap<String, Grant<'_>>) -> Option<ActionSet> {
    let mut gone = lost.clone();
    grants.values().for_each(|grant| gone.difference_with(&grant.covered));
    let mut still = lost.clone();
    still.difference_with(&gone);
    (!still.is_empty()).then_some(still)
}

/// Whether every action of the catalogue that a statement allowed is still allowed by statements that are equal in all else.
pub(super) fn takes_nothing(catalog: &Catalog, before: &statement::Document, after: &[statement::Document]) -> bool {
    let grants = grants(catalog, after);
    before.statements.iter().filter(|statement| !statement.denies).all(|statement| {
        let own = covered(catalog, statement);
        own.is_empty() || grants.get(&statement.rest.key()).is_some_and(|heirs| own.is_subset(&heirs.covered))
    })
}

/// The names that the catalogue does not know. The text before is the snapshot's, which has been read already.
fn unknown_names(
    claim: &Claim<'_>,
    holders: &[Holder],
    analysis: &Analysis<'_>,
) -> Result<Vec<UnknownName>, ProofError> {
    let document = analysis.graph().policy(claim.policy).and_then(|policy| policy.document());
    let unreadable = |detail: String| ProofError::Unreadable { which: "before", detail };
    match document.map(Document::state) {
        Some(DocumentState::Regular(document) | DocumentState::Irregular(document)) => {
            Ok(analysis.unknown_names_of(holders, document).names)
        }
        Some(DocumentState::Unreadable(error)) => Err(unreadable(error.to_string())),
        None => Err(unreadable("the snapshot does not have it".to_owned())),
    }
}

pub(super) fn covered(catalog: &Catalog, statement: &Statement) -> ActionSet {
    let mut listed = catalog.empty_set();
    for pattern in &statement.patterns {
        catalog.each_run(pattern, |run| listed.insert_run(run));
    }
    match statement.kind {
        Kind::Action => listed,
        Kind::NotAction => {
            let mut others = catalog.full_set();
            others.difference_with(&listed);
            others
        }
    }
}

/// A statement that its Sid keeps must still be there as it was: the verdicts are on actions, and do not know of it.
fn check_kept_by_sid(statement: &Statement, heirs: &[&Statement], at: usize) -> Result<(), ProofError> {
    let is_kept = matches!(statement.rest.get("Sid"), Some(Json::String(sid)) if sid.starts_with(KEEP_SID));
    if !is_kept || heirs.iter().any(|heir| heir.is_same(statement)) {
        return Ok(());
    }
    Err(ProofError::ChangedKept { statement: at + 1 })
}

/// The Allow statements that are equal in all but their actions, and what they are about together.
struct Grant<'a> {
    statements: Vec<&'a Statement>,
    covered: ActionSet,
}

fn grants<'a>(catalog: &Catalog, documents: &'a [statement::Document]) -> HashMap<String, Grant<'a>> {
    let mut grants: HashMap<String, Grant<'a>> = HashMap::new();
    let statements = documents.iter().flat_map(|document| &document.statements);
    for statement in statements.filter(|statement| !statement.denies) {
        let grant = grants
            .entry(statement.rest.key())
            .or_insert_with(|| Grant { statements: Vec::new(), covered: catalog.empty_set() });
        grant.covered.union_with(&covered(catalog, statement));
        grant.statements.push(statement);
    }
    grants
}

/// Finds which of the lost actions is not removable for every holder, by the table of verdicts.
fn check_may_go(
    claim: &Claim<'_>,
    holders: &[Holder],
    lost: &ActionSet,
    at: usize,
    analysis: &Analysis<'_>,
) -> Result<(), ProofError> {
    let mut first: Result<(), ProofError> = Ok(());
    let count = lost.len();
    if count == 0 {
        return first;
    }
    for holder in holders {
        let mut judged = 0;
        analysis.verdicts(claim.policy, holder, lost.iter(), |id, verdict| {
            judged += 1;
            if first.is_ok() && verdict.removal().is_none() {
                let who =
                    analysis.principal(holder.principal).map(|principal| principal.evidence.principal().name.clone());
                first = Err(ProofError::LostAction {
                    action: analysis.catalog().full_name(id),
                    statement: at + 1,
                    verdict: format!("{}: {}", who.unwrap_or_default(), verdict.as_str()),
                });
            }
        });
        // A holder that the analysis does not know has no verdicts: that is no evidence either.
        if first.is_ok() && judged != count {
            first = Err(ProofError::LostAction {
                action: lost.iter().next().map(|id| analysis.catalog().full_name(id)).unwrap_or_default(),
                statement: at + 1,
                verdict: "a holder was not judged".to_owned(),
            });
        }
    }
    first
}

/// An unknown name that the statement covered must still be covered. Returns whether it was covered at all.
fn check_unknown(
    name: &UnknownName,
    statement: &Statement,
    heirs: &[&Statement],
    at: usize,
) -> Result<bool, ProofError> {
    let lost = |action: String| ProofError::LostAction {
        action,
        statement: at + 1,
        verdict: "the catalogue does not know it".to_owned(),
    };
    match name {
        UnknownName::Action { service, name } => {
            let full = format!("{service}:{name}");
            if !covers(statement, &full) {
                return Ok(false);
            }
            if heirs.iter().any(|heir| covers(heir, &full)) { Ok(true) } else { Err(lost(full)) }
        }
        UnknownName::Service(service) => {
            if statement.kind == Kind::NotAction {
                return check_unknown_exemptions(service, statement, heirs).map_err(lost);
            }
            let parts = parts_in_service(statement, service);
            for Part { within, of } in &parts {
                // Where the pattern itself is still included, so is its part.
                if !heirs.iter().any(|heir| covers_all(heir, within) || covers_all(heir, of)) {
                    return Err(lost(within.to_string()));
                }
            }
            Ok(!parts.is_empty())
        }
    }
}

fn covers(statement: &Statement, name: &str) -> bool {
    (statement.kind == Kind::Action) == statement.lists(name)
}

fn covers_all(statement: &Statement, part: &ActionPattern) -> bool {
    match statement.kind {
        Kind::Action => statement.patterns.iter().any(|pattern| pattern.includes(part)),
        Kind::NotAction => statement.patterns.iter().all(|pattern| pattern.is_disjoint(part)),
    }
}

/// What a statement allows of a service.
struct Part {
    /// The part, as a pattern within the service.
    within: ActionPattern,
    /// The pattern that it is a part of.
    of: ActionPattern,
}

/// Of an unknown service that a `NotAction` allows, or allows a part of, nothing more may be exempt. Returns whether it
/// allowed anything of it.
fn check_unknown_exemptions(service: &str, statement: &Statement, heirs: &[&Statement]) -> Result<bool, String> {
    let whole = ActionPattern::new(&format!("{service}:*"));
    if statement.includes(&whole) {
        return Ok(false);
    }
    let exempts_no_more = |heir: &&&Statement| match heir.kind {
        Kind::NotAction => {
            heir.patterns.iter().all(|pattern| pattern.is_disjoint(&whole) || statement.includes(pattern))
        }
        // A list of what is allowed can take its place only where the service was allowed whole.
        Kind::Action => covers_all(statement, &whole) && heir.includes(&whole),
    };
    match heirs.iter().any(|heir| exempts_no_more(&heir)) {
        true => Ok(true),
        false => Err(whole.to_string()),
    }
}

/// The parts of a service that the patterns of an `Action` allow.
fn parts_in_service(statement: &Statement, service: &str) -> Vec<Part> {
    let whole = ActionPattern::new(&format!("{service}:*"));
    let part = |pattern: &ActionPattern| {
        let within = match pattern.as_str().split_once(':') {
            Some((head, _)) if !ActionPattern::new(head).matches(service) => return None,
            Some((_, action)) => ActionPattern::new(&format!("{service}:{action}")),
            None if pattern.is_disjoint(&whole) => return None,
            None => whole.clone(),
        };
        pattern.has_wildcard().then(|| Part { within, of: pattern.clone() })
    };
    match statement.kind {
        Kind::Action => statement.patterns.iter().filter_map(part).collect(),
        Kind::NotAction => Vec::new(),
    }
}
