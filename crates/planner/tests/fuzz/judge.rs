//! What is wrong with a change: an evaluator of its own, naive, on `serde_json` values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::evidence::{ACTIONS, INVENTED};
use super::raw;

/// The Allow statements of a document, those that are equal in all but their actions together, by all but their actions.
type Grants<'a> = BTreeMap<String, Vec<&'a Value>>;

/// Returns the first thing that is wrong with `after` in the place of `before`: something is wider, a Deny or a statement
/// that is kept by its Sid is not as it was, or a name that must stay is lost.
pub fn complaint(before: &str, after: Option<&str>, must_stay: &[String]) -> Option<String> {
    let nothing = r#"{"Statement":[]}"#;
    let is_json = |text| raw::has_unique_keys(text) && serde_json::from_str::<Value>(text).is_ok();
    if let Some(text) = [before, after.unwrap_or(nothing)].into_iter().find(|text| !is_json(text)) {
        return Some(format!("no JSON, or a key that occurs twice: {text}"));
    }
    let [old, new] =
        [before, after.unwrap_or(nothing)].map(|text| serde_json::from_str::<Value>(text).unwrap_or_default());
    if after.is_some() && without(&old, &["Statement"]) != without(&new, &["Statement"]) {
        return Some("something beside the statements differs".to_owned());
    }
    let (old, new) = (statements(&old), statements(&new));
    if let Some(odd) = new.iter().find(|statement| !is_statement(statement)) {
        return Some(format!("not a statement: {odd}"));
    }
    let of = |statements: &[Value], is_it: fn(&Value) -> bool| -> Vec<Value> {
        statements.iter().filter(|statement| is_it(statement)).cloned().map(with_lists).collect()
    };
    if of(&old, denies) != of(&new, denies) {
        return Some("the Deny statements differ".to_owned());
    }
    if of(&old, is_kept).iter().any(|kept| !of(&new, is_kept).contains(kept)) {
        return Some("a statement that is kept by its Sid differs".to_owned());
    }
    wider_or_lost(&grants(&old), &grants(&new), must_stay)
}

fn wider_or_lost(old: &Grants<'_>, new: &Grants<'_>, must_stay: &[String]) -> Option<String> {
    let universe = universe(old.values().chain(new.values()).flatten());
    for (rest, statements) in new {
        let Some(before) = old.get(rest) else { return Some(format!("a statement is new: {rest}")) };
        if let Some(name) = universe.iter().find(|name| is_about(statements, name) && !is_about(before, name)) {
            return Some(format!("{name} is new in {rest}"));
        }
    }
    for (rest, statements) in old {
        let after = new.get(rest).map(Vec::as_slice).unwrap_or_default();
        if let Some(name) = must_stay.iter().find(|name| is_about(statements, name) && !is_about(after, name)) {
            return Some(format!("{name} is lost from {rest}"));
        }
    }
    None
}

/// Returns the first statement that is still about a name that goes, though it could be taken out, with that name.
pub fn left_over(after: &str, goes: &[String]) -> Option<String> {
    let document: Value = serde_json::from_str(after).unwrap_or_default();
    for statement in statements(&document).iter().filter(|statement| !denies(statement) && !is_kept(statement)) {
        // What a pattern without a colon matches is not known, so it stays.
        let is_odd = patterns(statement).iter().any(|pattern| !pattern.contains(':') && pattern != "*");
        if let Some(name) = goes.iter().find(|name| !is_odd && is_about(&[statement], name)) {
            return Some(format!("{name} in {statement}"));
        }
    }
    None
}

/// Names to look at: those of the catalogue, invented ones, and what the patterns themselves suggest.
fn universe<'a>(statements: impl Iterator<Item = &'a &'a Value>) -> BTreeSet<String> {
    let own = statements.flat_map(|statement| patterns(statement));
    let suggested = own.flat_map(|pattern| {
        ["", "x", "Get", "aa:Get"].map(|filler| pattern.replace('*', filler).replace('?', "q").to_ascii_lowercase())
    });
    let known = ACTIONS.iter().map(|(name, _)| name).chain(&INVENTED).map(|name| name.to_ascii_lowercase());
    let is_name = |name: &String| name.matches(':').count() == 1 && name.chars().all(|c| c.is_ascii_graphic());
    known.chain(suggested).filter(is_name).collect()
}

/// The statements of a document.
pub fn statements(document: &Value) -> Vec<Value> {
    match document.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(single) => vec![single.clone()],
        None => Vec::new(),
    }
}

fn is_statement(statement: &Value) -> bool {
    let list = match (statement.get("Action"), statement.get("NotAction")) {
        (Some(list), None) | (None, Some(list)) => list,
        _ => return false,
    };
    let is_list = list.is_string() || list.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    is_list && matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny"))
}

fn denies(statement: &Value) -> bool {
    statement.get("Effect").and_then(Value::as_str) == Some("Deny")
}

fn is_kept(statement: &Value) -> bool {
    !denies(statement)
        && statement.get("Sid").and_then(Value::as_str).is_some_and(|sid| sid.starts_with("SecateurKeep"))
}

/// Returns whether a statement may be changed at all.
pub fn is_open(statement: &Value) -> bool {
    !denies(statement) && !is_kept(statement)
}

fn grants(statements: &[Value]) -> Grants<'_> {
    let mut grants = Grants::new();
    for statement in statements.iter().filter(|statement| !denies(statement)) {
        grants.entry(rest(statement)).or_default().push(statement);
    }
    grants
}

/// Returns all of a statement but its actions.
pub fn rest(statement: &Value) -> String {
    without(statement, &["Action", "NotAction"]).to_string()
}

fn without(value: &Value, keys: &[&str]) -> Value {
    let mut rest = value.clone();
    if let Some(members) = rest.as_object_mut() {
        keys.iter().for_each(|key| drop(members.remove(*key)));
    }
    rest
}

/// The statement with its actions as a list, also where it is one string.
fn with_lists(mut statement: Value) -> Value {
    for key in ["Action", "NotAction"] {
        if let Some(single) = statement.get_mut(key).filter(|list| list.is_string()) {
            *single = Value::Array(vec![single.take()]);
        }
    }
    statement
}

/// Returns the patterns that a statement lists.
pub fn patterns(statement: &Value) -> Vec<String> {
    match statement.get("Action").or(statement.get("NotAction")) {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(single) => single.as_str().map(str::to_owned).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Returns whether one of the statements is about the name.
pub fn is_about(statements: &[&Value], name: &str) -> bool {
    let is_about = |statement: &&Value| {
        let is_listed = patterns(statement).iter().any(|pattern| glob(pattern, name));
        is_listed == statement.get("Action").is_some()
    };
    statements.iter().any(is_about)
}

/// Whether the glob matches the whole text, without regard to case: row by row, a cell for each length of the text.
fn glob(pattern: &str, text: &str) -> bool {
    let text = text.as_bytes();
    let mut row = vec![false; text.len() + 1];
    if let Some(first) = row.first_mut() {
        *first = true;
    }
    for own in pattern.bytes() {
        let mut last = own == b'*' && row.first() == Some(&true);
        let mut next = vec![last];
        for (at, letter) in text.iter().enumerate() {
            let came = row.get(at) == Some(&true);
            last = match own {
                b'*' => last || row.get(at + 1) == Some(&true),
                b'?' => came,
                own => came && own.eq_ignore_ascii_case(letter),
            };
            next.push(last);
        }
        row = next;
    }
    row.last() == Some(&true)
}
