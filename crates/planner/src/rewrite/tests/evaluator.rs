//! A second reading of policies, for tests: naive, on `serde_json` values, and without a line of the product.

use serde_json::Value;

/// Whether the glob matches the whole text, without regard to case.
pub fn glob(pattern: &str, text: &str) -> bool {
    matches(pattern.to_ascii_lowercase().as_bytes(), text.to_ascii_lowercase().as_bytes())
}

/// Whether the glob matches the whole text, letter by letter.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, _) => text.is_empty(),
        (Some((b'*', rest)), None) => matches(rest, text),
        (Some((b'*', rest)), Some((_, behind))) => matches(rest, text) || matches(pattern, behind),
        (Some((own, rest)), Some((first, behind))) => (*own == b'?' || own == first) && matches(rest, behind),
        (Some(_), None) => false,
    }
}

/// The statements of a document.
pub fn statements(text: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    match document.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(single) => vec![single.clone()],
        None => Vec::new(),
    }
}

/// The strings of an element that is a string or a list of strings.
pub fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        single => single.as_str().map(str::to_owned).into_iter().collect(),
    }
}

/// Whether a statement, whatever its effect, is about the action.
pub fn is_about(statement: &Value, name: &str) -> bool {
    match (statement.get("Action"), statement.get("NotAction")) {
        (Some(list), _) => strings(list).iter().any(|pattern| glob(pattern, name)),
        (None, Some(list)) => !strings(list).iter().any(|pattern| glob(pattern, name)),
        (None, None) => false,
    }
}

/// Whether the statement allows, and may be rewritten.
pub fn is_open(statement: &Value) -> bool {
    let is_kept = statement.get("Sid").and_then(Value::as_str).is_some_and(|sid| sid.starts_with("SecateurKeep"));
    statement.get("Effect").and_then(Value::as_str) == Some("Allow") && !is_kept
}

/// The document, or statement, without the values of `Action` and `NotAction`.
pub fn without_actions(value: &Value) -> Value {
    let mut rest = value.clone();
    if let Some(object) = rest.as_object_mut() {
        for key in ["Action", "NotAction"] {
            if object.contains_key(key) {
                object.insert(key.to_owned(), Value::Null);
            }
        }
    }
    rest
}
