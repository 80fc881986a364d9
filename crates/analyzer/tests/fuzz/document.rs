//! Any text as a policy document: held against what `serde_json` alone makes of it.

use std::ops::Range;

use secateur_analyzer::document::{
    ActionBlock, DocumentError, Effect, PolicyDocument, Position, Statement, counted_characters, fingerprint, indented,
};
use serde_json::Value;

use super::keys;

/// Reads the bytes as a document; bytes that are no text are passed over.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let json = serde_json::from_str::<Value>(text);
    check_layout(text, json.as_ref().ok());
    match (PolicyDocument::parse(text), json) {
        // The position is `serde_json`'s own.
        (Err(DocumentError::NotJson { .. }), Err(_)) => {}
        (Err(DocumentError::NotJson { detail, .. }), Ok(_)) => panic!("JSON is refused as none: {detail}"),
        (_, Err(error)) => panic!("what is not JSON was looked into: {error}"),
        (Err(DocumentError::NotAPolicy { position, detail }), Ok(value)) => {
            check_position(text, position);
            assert!(keys::has_duplicate(text) || !is_policy(&value), "a policy is refused: {detail}");
        }
        (Ok(document), Ok(value)) => check_document(text, &document, &value),
    }
}

/// Layout, fingerprint and size of any text; `json` is its value if it is JSON.
fn check_layout(text: &str, json: Option<&Value>) {
    let laid_out = indented(text);
    let (counted, digest) = (counted_characters(text), fingerprint(text));
    let Some(value) = json else { return };
    assert_eq!(serde_json::from_str::<Value>(&laid_out).ok().as_ref(), Some(value), "{laid_out}");
    assert_eq!(indented(&laid_out), laid_out, "what is laid out is laid out again");
    assert_eq!(fingerprint(&laid_out), digest, "the fingerprint depends on the layout");
    assert_eq!(counted_characters(&laid_out), counted, "white space counts");
    // `serde_json` writes strings without superfluous escapes, floats in its own way, and each key once.
    if !text.contains('\\') && !has_float(value) && !keys::has_duplicate(text) {
        let minified = value.to_string();
        assert_eq!(counted, minified.chars().count(), "not the length of {minified}");
        assert_eq!(fingerprint(&minified), digest, "the fingerprint depends on the order of keys");
    }
}

fn has_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_float),
        Value::Object(members) => members.values().any(has_float),
        _ => false,
    }
}

fn check_position(text: &str, position: Position) {
    let line = text.split('\n').nth(position.line.wrapping_sub(1));
    let Some(line) = line else { panic!("there is no line {}", position.line) };
    assert!((1..=line.chars().count() + 1).contains(&position.column), "there is no column {position}");
}

/// Whether the value has the shape of a policy; no key occurs twice in it.
fn is_policy(value: &Value) -> bool {
    let is_string = |value: &Value, key: &str| value.get(key).is_none_or(Value::is_string);
    let is_list = |value: &Value, key: &str| value.get(key).is_none_or(|value| strings(value).is_some());
    let is_statement = |value: &Value| {
        value.is_object()
            && matches!(value.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny"))
            && value.get("Action").is_some() != value.get("NotAction").is_some()
            && ["Action", "NotAction", "Resource"].iter().all(|key| is_list(value, key))
            && is_string(value, "Sid")
    };
    let statements = statements(value);
    value.is_object() && is_string(value, "Version") && statements.is_some_and(|all| all.iter().all(is_statement))
}

fn statements(value: &Value) -> Option<&[Value]> {
    match value.get("Statement")? {
        Value::Array(list) => Some(list),
        single @ Value::Object(_) => Some(std::slice::from_ref(single)),
        _ => None,
    }
}

/// The strings of a string or of a list of strings.
fn strings(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::Array(list) => list.iter().map(Value::as_str).collect(),
        single => Some(vec![single.as_str()?]),
    }
}

fn check_document(text: &str, document: &PolicyDocument, value: &Value) {
    assert_eq!(document.text(), text);
    for entry in document.statements.iter().flat_map(|statement| &statement.actions.list().entries) {
        assert_eq!(at(text, &entry.span), entry.pattern.as_str(), "a pattern is not where it is said to be");
    }
    let has_duplicate = keys::has_duplicate(text);
    let is_irregular = has_duplicate || has_unknown_key(value);
    assert_eq!(document.irregularities.is_empty(), !is_irregular, "{:?}", document.irregularities);
    if has_duplicate {
        return;
    }
    assert!(is_policy(value), "what is no policy is read as one");
    assert_eq!(document.version.as_deref(), value.get("Version").and_then(Value::as_str));
    assert_eq!(at(text, &document.statements_span), value["Statement"]);
    assert_eq!(document.statements_are_a_list, value["Statement"].is_array());
    let own = statements(value).unwrap_or_default();
    assert_eq!(document.statements.len(), own.len());
    assert_eq!(document.has_deny(), own.iter().any(|own| own["Effect"] == "Deny"));
    let mut end = document.statements_span.start;
    for (statement, own) in document.statements.iter().zip(own) {
        assert!(end <= statement.span.start && statement.span.end <= document.statements_span.end);
        end = statement.span.end;
        check_statement(text, statement, own);
    }
    let again = PolicyDocument::parse(indented(text));
    assert!(again.is_ok_and(|again| again.statements.len() == own.len()), "the layout makes another policy");
}

fn check_statement(text: &str, statement: &Statement, own: &Value) {
    assert_eq!(at(text, &statement.span), *own);
    assert_eq!(statement.sid.as_deref(), own.get("Sid").and_then(Value::as_str));
    assert_eq!(statement.effect, if own["Effect"] == "Allow" { Effect::Allow } else { Effect::Deny });
    assert_eq!(statement.has_condition, own.get("Condition").is_some());
    let resources: Vec<&str> = statement.resources.iter().map(|resource| resource.text.as_str()).collect();
    assert_eq!(resources, own.get("Resource").and_then(strings).unwrap_or_default());
    let is_open = own.get("NotPrincipal").is_some() || own.get("Principal") == Some(&Value::from("*"));
    assert!(statement.open_principal || !is_open);
    let key = match statement.actions {
        ActionBlock::Action(_) => "Action",
        ActionBlock::NotAction(_) => "NotAction",
    };
    let list = statement.actions.list();
    let written: Vec<&str> = list.entries.iter().map(|entry| entry.pattern.as_str()).collect();
    assert_eq!(Some(written), own.get(key).and_then(strings));
    assert_eq!(list.is_list, own[key].is_array());
    assert_eq!(at(text, &list.span), own[key]);
    assert!(statement.span.start < list.span.start && list.span.end < statement.span.end);
    let mut end = list.span.start;
    for entry in &list.entries {
        assert!(end <= entry.span.start && entry.span.end <= list.span.end);
        end = entry.span.end;
    }
}

/// The JSON value at that place.
fn at(text: &str, span: &Range<usize>) -> Value {
    let part = text.get(span.clone()).unwrap_or_default();
    // White space around a value would not trouble the parser.
    assert_eq!(part.trim(), part, "{span:?} is wider than its value");
    serde_json::from_str(part).unwrap_or_else(|error| panic!("{span:?} is {part:?}: {error}"))
}

fn has_unknown_key(value: &Value) -> bool {
    const STATEMENT: [&str; 9] =
        ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal", "NotPrincipal"];
    let has_other =
        |value: &Value, known: &[&str]| value.as_object().is_some_and(|o| o.keys().any(|k| !known.contains(&&**k)));
    has_other(value, &["Version", "Id", "Statement"])
        || statements(value).unwrap_or_default().iter().any(|statement| has_other(statement, &STATEMENT))
}
