//! A document's text, taken apart without the product's parser.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object in their order, keys that occur twice included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'a>, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = access.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// Whether no object of the JSON text has a key twice.
pub fn has_unique_keys(text: &str) -> bool {
    if let Ok(Members(members)) = serde_json::from_str(text) {
        let keys: BTreeSet<&String> = members.iter().map(|(key, _)| key).collect();
        return keys.len() == members.len() && members.iter().all(|(_, value)| has_unique_keys(value.get()));
    }
    serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default().iter().all(|value| has_unique_keys(value.get()))
}

/// A document's text in its parts.
pub struct Skeleton<'a> {
    /// What stands before the first statement, and behind the last.
    pub around: [&'a str; 2],
    /// What stands between two statements.
    pub separators: Vec<&'a str>,
    /// The statements.
    pub statements: Vec<Part<'a>>,
}

/// A statement's text in its parts.
pub struct Part<'a> {
    /// All of it.
    pub text: &'a str,
    /// What stands before the list of actions, and behind it.
    pub around: [&'a str; 2],
    /// The elements of the list.
    pub elements: Vec<&'a str>,
}

impl<'a> Skeleton<'a> {
    /// Takes a policy apart; none when the text is of another shape.
    pub fn of(text: &'a str) -> Option<Skeleton<'a>> {
        let own = elements(member(text, &["Statement"])?);
        let spans: Vec<Range<usize>> = own.iter().map(|element| span(text, element)).collect();
        let between = |pair: &[Range<usize>]| text.get(pair.first()?.end..pair.last()?.start);
        Some(Skeleton {
            around: [text.get(..spans.first()?.start)?, text.get(spans.last()?.end..)?],
            separators: spans.windows(2).map(between).collect::<Option<_>>()?,
            statements: own.into_iter().map(Part::of).collect::<Option<_>>()?,
        })
    }
}

impl<'a> Part<'a> {
    fn of(text: &'a str) -> Option<Part<'a>> {
        let list = member(text, &["Action", "NotAction"])?;
        let span = span(text, list);
        Some(Part { text, around: [text.get(..span.start)?, text.get(span.end..)?], elements: elements(list) })
    }
}

/// The text of the first member with one of the names.
fn member<'a>(text: &'a str, names: &[&str]) -> Option<&'a str> {
    let Members(members) = serde_json::from_str(text).ok()?;
    members.into_iter().find(|(key, _)| names.contains(&key.as_str())).map(|(_, value)| value.get())
}

/// The elements of a list, or the one value that is none.
fn elements(text: &str) -> Vec<&str> {
    match serde_json::from_str::<Vec<&RawValue>>(text) {
        Ok(list) => list.into_iter().map(RawValue::get).collect(),
        Err(_) => vec![text],
    }
}

/// Where a part that was borrowed from the text stands in it.
fn span(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    start..start + part.len()
}
