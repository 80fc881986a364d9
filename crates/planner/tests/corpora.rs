//! Real policies, thousands of them: each is read byte for byte, and a rewrite of each is held against a naive evaluator.

#![expect(clippy::panic, reason = "a test fails by panicking, in the functions that its tests share too")]

#[path = "../src/rewrite/tests/evaluator.rs"]
#[expect(dead_code, reason = "the unit tests use the rest of it")]
mod evaluator;

use std::collections::BTreeMap;
use std::path::PathBuf;

use secateur::rewrite::{NotActionRewrite, Outcome, Rewriting, Splitting, rewrite};
use secateur_analyzer::catalog::{ActionId, ActionSet, Catalog};
use secateur_analyzer::document::{DocumentError, PolicyDocument};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// One line of a corpus.
#[derive(Deserialize)]
struct Line<'a> {
    name: String,
    #[serde(borrow)]
    document: &'a RawValue,
}

/// Calls `each` with the name and the exact text of every document; says so where the corpus is not there.
fn each_document(file: &str, mut each: impl FnMut(&str, &str)) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let Ok(lines) = std::fs::read_to_string(folder.join(file)) else {
        println!("skipped: the folder {} is absent", folder.display());
        return;
    };
    let mut count = 0;
    for (at, line) in lines.lines().enumerate() {
        let line: Line<'_> =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{file}, line {}: {error}", at + 1));
        each(&line.name, line.document.get());
        count += 1;
    }
    assert!(count > 500, "{file} has {count} documents only");
}

fn by<'a>(catalog: &'a Catalog, removable: &'a ActionSet) -> Rewriting<'a> {
    Rewriting { catalog, removable, unknown: &[], not_action: NotActionRewrite::Extend, splitting: Splitting::Names }
}

/// Reads every document, and prints which are refused and why.
fn check_reading(file: &str) {
    let catalog = Catalog::embedded();
    let nothing = catalog.empty_set();
    let (mut read, mut irregular) = (0, 0);
    each_document(file, |name, text| match PolicyDocument::parse(text) {
        Ok(document) => {
            read += 1;
            irregular += usize::from(!document.irregularities.is_empty());
            assert_eq!(document.text(), text, "{name}");
            assert_eq!(rewrite(&document, &by(catalog, &nothing)).outcome, Outcome::Unchanged, "{name}");
        }
        Err(error) => {
            let (DocumentError::NotJson { position, .. } | DocumentError::NotAPolicy { position, .. }) = &error;
            assert!(position.line >= 1 && position.column >= 1, "{name}: {error}");
            println!("{file}: {name} is refused: {error}");
        }
    });
    println!("{file}: {read} documents read, {irregular} of them irregular");
}

#[test]
fn documents_are_read_byte_for_byte() {
    check_reading("managed-policies.jsonl");
    check_reading("customer-policies.jsonl");
}

/// How many of a document's own actions, and of all others, are looked at.
const OWN: usize = 40;
const OTHERS: usize = 25;

/// A part of the catalogue, another for each document: of what the document names, and of the rest.
fn sample(catalog: &Catalog, document: &PolicyDocument, salt: usize) -> Vec<ActionId> {
    let mut own = catalog.empty_set();
    for statement in &document.statements {
        for entry in statement.actions.list().entries.iter().filter(|entry| entry.pattern.as_str() != "*") {
            own.union_with(&catalog.matches(&entry.pattern));
        }
    }
    let every = |all: Vec<ActionId>, count: usize| {
        let step = (all.len() / count).max(1);
        all.into_iter().skip(salt % step).step_by(step).collect::<Vec<_>>()
    };
    let mut sample = every(own.iter().collect(), OWN);
    sample.extend(every(catalog.actions().collect(), OTHERS));
    sample
}

/// The patterns of a statement, and whether it lists what it is not about.
struct Listed {
    statement: Value,
    patterns: Vec<String>,
    is_negated: bool,
}

impl Listed {
    fn all(text: &str) -> Vec<Listed> {
        let listed = |statement: Value| {
            let list = statement.get("Action").or(statement.get("NotAction")).map(evaluator::strings);
            let patterns = list.unwrap_or_default().iter().map(|pattern| pattern.to_ascii_lowercase()).collect();
            Listed { patterns, is_negated: statement.get("NotAction").is_some(), statement }
        };
        evaluator::statements(text).into_iter().map(listed).collect()
    }

    fn is_about(&self, name: &str) -> bool {
        self.is_negated != self.patterns.iter().any(|pattern| evaluator::matches(pattern.as_bytes(), name.as_bytes()))
    }
}

/// The statements of `after` by the place in `before` of what they come from: the first that is equal but for its actions.
fn heirs<'a>(before: &[Listed], after: &'a [Listed]) -> BTreeMap<usize, &'a Listed> {
    let mut heirs = BTreeMap::new();
    let mut next = 0;
    for new in after {
        let rest = evaluator::without_actions(&new.statement);
        let is_origin = |old: &Listed| {
            evaluator::without_actions(&old.statement) == rest
                && new.patterns.iter().all(|pattern| could_come_from(pattern, old))
        };
        let origin = before.iter().enumerate().skip(next).find(|(_, old)| is_origin(old));
        let (at, _) = origin.unwrap_or_else(|| panic!("{} comes from no statement", new.statement));
        heirs.insert(at, new);
        next = at + 1;
    }
    heirs
}

/// Whether a pattern stood in the statement, or is a name that the statement was about.
fn could_come_from(pattern: &str, old: &Listed) -> bool {
    old.patterns.iter().any(|own| own == pattern) || old.is_about(pattern)
}

/// Rewrites every document without every second action of the catalogue.
fn check_rewriting(file: &str) {
    let catalog = Catalog::embedded();
    let mut removable = catalog.empty_set();
    for id in catalog.actions().filter(|id| id.index() % 2 == 0) {
        removable.insert(id);
    }
    let mut salt = 0;
    let (mut changed, mut emptied, mut compared) = (0, 0, 0_usize);
    each_document(file, |name, text| {
        salt += 7;
        let Ok(document) = PolicyDocument::parse(text) else { return };
        let after = match rewrite(&document, &by(catalog, &removable)).outcome {
            Outcome::Unchanged => return,
            Outcome::Changed(after) => {
                changed += 1;
                after
            }
            Outcome::Empty => {
                emptied += 1;
                r#"{"Statement":[]}"#.to_owned()
            }
        };
        let (before, after) = (Listed::all(text), Listed::all(&after));
        let heirs = heirs(&before, &after);
        for (at, old) in before.iter().enumerate() {
            let new = heirs.get(&at);
            if !evaluator::is_open(&old.statement) {
                assert_eq!(new.map(|new| &new.statement), Some(&old.statement), "{name}");
                continue;
            }
            for id in sample(catalog, &document, salt) {
                let action = catalog.full_name(id).to_ascii_lowercase();
                let (was, is) = (old.is_about(&action), new.is_some_and(|new| new.is_about(&action)));
                assert_eq!(is, was && !removable.contains(id), "{name}, statement {}: {action}", at + 1);
                compared += 1;
            }
        }
    });
    println!("{file}: {changed} documents changed, {emptied} emptied, {compared} permissions compared");
}

#[test]
fn rewrites_of_managed_policies_lose_what_may_go_and_nothing_else() {
    check_rewriting("managed-policies.jsonl");
}

#[test]
fn rewrites_of_customer_policies_lose_what_may_go_and_nothing_else() {
    check_rewriting("customer-policies.jsonl");
}
