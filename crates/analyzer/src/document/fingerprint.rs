//! The identity of a document whatever its layout.
//!
//! IAM may return a document in another layout than it was sent
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_policies.html>), so documents are compared by a hash of
//! their meaning's letter: parsed, a scalar and a list of one unified, sets sorted and deduplicated, statements in order.

use std::fmt;
use std::io;

use serde::Serialize;
use serde_json::{Map, Value};

use super::normal::normal_form;
use sha2::Digest;

/// A SHA-256, printed as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// The hex digits, which are ASCII.
    fn digits(&self) -> [u8; 64] {
        let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
        let mut digits = [0; 64];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        digits
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Sha256 {
    type Err = ParseSha256Error;

    fn from_str(text: &str) -> Result<Sha256, ParseSha256Error> {
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return Err(ParseSha256Error);
        }
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(ParseSha256Error),
        };
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digits.iter().try_fold(0, |byte, own| Ok(byte << 4 | digit(*own)?))?;
        }
        Ok(Sha256(bytes))
    }
}

/// A text that is not a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 in 64 lower-case hex digits")]
pub struct ParseSha256Error;

impl Serialize for Sha256 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl<'de> serde::Deserialize<'de> for Sha256 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Sha256, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A SHA-256 in the making: what is written to it is hashed.
#[derive(Clone, Debug, Default)]
pub struct Sha256Writer(sha2::Sha256);

impl Sha256Writer {
    /// Returns the hash of nothing.
    pub fn new() -> Sha256Writer {
        Sha256Writer::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the SHA-256 of all bytes.
    pub fn finish(self) -> Sha256 {
        Sha256(self.0.finalize().into())
    }
}

impl io::Write for Sha256Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the SHA-256 of `bytes`.
pub fn sha256_of(bytes: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(bytes).into())
}

/// Returns the document's fingerprint: the SHA-256 of its normal form in RFC 8785 JSON.
///
/// A text that is not JSON is hashed as it stands. Two keys of one name cannot be told apart here; documents with such keys
/// are never rewritten.
pub fn fingerprint(text: &str) -> Sha256 {
    match normal_form(text) {
        Some(normal) => sha256_of(normal.as_bytes()),
        None => fingerprint_of_any(text),
    }
}

/// The same by way of a value, for what is not plain.
fn fingerprint_of_any(text: &str) -> Sha256 {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return sha256_of(text.as_bytes());
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, canon_json::CanonicalFormatter::new());
    match normal_document(value).serialize(&mut serializer) {
        Ok(()) => sha256_of(&bytes),
        Err(_) => sha256_of(text.as_bytes()),
    }
}

fn normal_document(value: Value) -> Value {
    let Value::Object(members) = value else {
        return value;
    };
    rebuild(members, |key, value| match key {
        "Statement" => Value::Array(list(value).into_iter().map(normal_statement).collect()),
        _ => value,
    })
}

fn normal_statement(value: Value) -> Value {
    let Value::Object(members) = value else {
        return value;
    };
    rebuild(members, |key, value| match (key, value) {
        ("Action" | "NotAction" | "Resource" | "NotResource", value) => set(value),
        ("Condition", Value::Object(operators)) => Value::Object(rebuild_map(operators, |_, keys| match keys {
            Value::Object(keys) => rebuild(keys, |_, values| set(values)),
            other => other,
        })),
        (_, other) => other,
    })
}

fn rebuild(members: Map<String, Value>, normal: impl Fn(&str, Value) -> Value) -> Value {
    Value::Object(rebuild_map(members, normal))
}

fn rebuild_map(members: Map<String, Value>, normal: impl Fn(&str, Value) -> Value) -> Map<String, Value> {
    members
        .into_iter()
        .map(|(key, value)| {
            let value = normal(&key, value);
            (key, value)
        })
        .collect()
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        other => vec![other],
    }
}

/// A set of strings, booleans and numbers, sorted by its JSON text.
fn set(value: Value) -> Value {
    let mut values: Vec<(String, Value)> = list(value).into_iter().map(|value| (value.to_string(), value)).collect();
    values.sort_by(|a, b| a.0.cmp(&b.0));
    values.dedup_by(|a, b| a.0 == b.0);
    Value::Array(values.into_iter().map(|(_, value)| value).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn layout_order_of_sets_and_single_values_do_not_matter() {
        let check = |a: &str, b: &str, expect: bool| assert_eq!(fingerprint(a) == fingerprint(b), expect, "{a}\n{b}");
        let plain =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["a:B","a:C"],"Resource":"*"}]}"#;
        let other =
            r#"{"Statement":{"Resource":["*"],"Action":["a:C","a:B","a:C"],"Effect":"Allow"}, "Version":"2012-10-17"}"#;
        check(plain, other, true);
        check(plain, &plain.replace("a:C", "a:D"), false);
        check(plain, &plain.replace("2012-10-17", "2008-10-17"), false);
        let condition = |values: &str| {
            format!(r#"{{"Statement":{{"Effect":"Allow","Condition":{{"StringEquals":{{"k":{values}}}}}}}}}"#)
        };
        check(&condition(r#"["x","y"]"#), &condition(r#"["y","x"]"#), true);
        check(&condition(r#"["x"]"#), &condition(r#""x""#), true);
        check(&condition(r#"["x"]"#), &condition(r#""z""#), false);
        let two = |a: &str, b: &str| format!(r#"{{"Statement":[{{"Sid":"{a}"}},{{"Sid":"{b}"}}]}}"#);
        check(&two("A", "B"), &two("B", "A"), false);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-2..2).prop_map(Value::from),
            "[ab*:]{0,2}|\"|\\\\|é|\n".prop_map(Value::from),
        ];
        let key = "Statement|Action|Resource|Condition|Principal|a|b|é|\"";
        leaf.prop_recursive(6, 48, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(key, inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn both_ways_lead_to_one_fingerprint(statement in any_json(), condition in any_json()) {
            let statement = serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [statement, {"Effect": "Allow", "Condition": {"StringLike": condition}}],
            });
            for text in [statement.to_string(), serde_json::to_string_pretty(&statement).unwrap()] {
                prop_assert_eq!(fingerprint(&text), fingerprint_of_any(&text), "{}", text);
            }
        }
    }

    #[test]
    fn plain_texts_take_the_short_way() {
        let check = |text: &str, expect: Option<&str>| assert_eq!(normal_form(text).as_deref(), expect, "{text}");
        check(
            r#"{"Statement":{"Resource":"é","Action":["b","a","b"],"Condition":{"Bool":{"k":true}}},"Id":null}"#,
            Some(
                r#"{"Id":null,"Statement":[{"Action":["a","b"],"Condition":{"Bool":{"k":[true]}},"Resource":["é"]}]}"#,
            ),
        );
        check(r#"["b", {"y": [], "x": "a"}]"#, Some(r#"["b",{"x":"a","y":[]}]"#));
        for text in [r#"{"a":1}"#, r#"{"a":"\n"}"#, r#"{"é":"a"}"#, r#"{"a":"a","a":"b"}"#, "{", "[] []"] {
            check(text, None);
        }
    }

    #[test]
    fn hex_digits_round_trip() {
        let sha = sha256_of(b"");
        assert_eq!(sha.to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(sha.to_string().parse(), Ok(sha));
        assert!("E3".parse::<Sha256>().is_err());
        let mut hash = Sha256Writer::new();
        hash.update(b"a");
        io::Write::write_all(&mut hash, b"bc").unwrap();
        assert_eq!(hash.finish(), sha256_of(b"abc"));
    }
}
