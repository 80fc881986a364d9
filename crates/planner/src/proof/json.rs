//! JSON that loses nothing: keys in order, none twice, numbers exact.

use std::collections::HashSet;
use std::fmt::{self, Write};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value. Two objects are equal when they have the same members in any order.
#[derive(Clone, Debug)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer; others cannot be compared exactly and are refused.
    Number(i128),
    /// A string.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// An object; no key occurs twice.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Returns the member of an object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(own, _)| own == key).map(|(_, value)| value),
            _ => None,
        }
    }
}

impl Json {
    /// Returns a text that two values have in common when, and only when, they are equal.
    pub fn key(&self) -> String {
        let mut key = String::new();
        self.write_key(&mut key);
        key
    }

    fn write_key(&self, key: &mut String) {
        match self {
            Json::Null => key.push('n'),
            Json::Bool(value) => key.push(if *value { 't' } else { 'f' }),
            // What is written to a string is written.
            Json::Number(number) => _ = write!(key, "#{number};"),
            Json::String(text) => _ = write!(key, "{}\"{text}", text.len()),
            Json::Array(values) => {
                key.push('[');
                values.iter().for_each(|value| value.write_key(key));
                key.push(']');
            }
            Json::Object(members) => {
                let mut members: Vec<&(String, Json)> = members.iter().collect();
                members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
                key.push('{');
                for (name, value) in members {
                    _ = write!(key, "{}\"{name}", name.len());
                    value.write_key(key);
                }
                key.push('}');
            }
        }
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Null, Json::Null) => true,
            (Json::Bool(a), Json::Bool(b)) => a == b,
            (Json::Number(a), Json::Number(b)) => a == b,
            (Json::String(a), Json::String(b)) => a == b,
            (Json::Array(a), Json::Array(b)) => a == b,
            (Json::Object(a), Json::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, value)| other.get(key) == Some(value))
            }
            _ => false,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

/// The keys of an object that are compared one by one.
const FEW: usize = 16;

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Err(E::custom(format_args!("the number {value} is no integer of 64 bits and cannot be compared exactly")))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element()? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        // Hardly an object of a policy has more keys than are quicker gone through than hashed.
        let mut seen: HashSet<String> = HashSet::new();
        while let Some((key, value)) = access.next_entry::<String, Json>()? {
            if members.len() == FEW {
                seen.extend(members.iter().map(|(own, _)| own.clone()));
            }
            let is_seen = match members.len() {
                0..FEW => members.iter().any(|(own, _)| *own == key),
                _ => !seen.insert(key.clone()),
            };
            if is_seen {
                return Err(A::Error::custom(format_args!("duplicate key `{key}`")));
            }
            members.push((key, value));
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_equal_in_any_order_and_keys_are_unique() {
        let parse = |text: &str| serde_json::from_str::<Json>(text);
        assert_eq!(parse(r#"{"a":1,"b":[true,null]}"#).unwrap(), parse(r#"{"b":[true,null],"a":1}"#).unwrap());
        assert_ne!(parse("[1,2]").unwrap(), parse("[2,1]").unwrap());
        let key = |text: &str| parse(text).unwrap().key();
        assert_eq!(key(r#"{"a":1,"b":[true,null]}"#), key(r#"{"b":[true,null],"a":1}"#));
        for (a, b) in
            [("[1,2]", "[12]"), (r#"["a","b"]"#, r#"["a1\"b"]"#), (r#"{"a":"b"}"#, r#"["a","b"]"#), ("1", "\"1\"")]
        {
            assert_ne!(key(a), key(b), "{a} {b}");
        }
        assert!(parse(r#"{"a":1,"\u0061":2}"#).unwrap_err().to_string().starts_with("duplicate key `a`"));
        // However many there are, and wherever the first one stands.
        for count in [2, 15, 16, 17, 40] {
            let members = |again: usize| {
                let keys = (0..count).chain([again]).map(|at| format!("\"k{at}\":0"));
                format!("{{{}}}", keys.collect::<Vec<_>>().join(","))
            };
            assert!(parse(&members(count)).is_ok());
            for again in [0, count / 2, count - 1] {
                assert!(
                    parse(&members(again)).unwrap_err().to_string().starts_with(&format!("duplicate key `k{again}`"))
                );
            }
        }
        assert!(parse("[1.5]").is_err() && parse("[1e2]").is_err());
    }
}
