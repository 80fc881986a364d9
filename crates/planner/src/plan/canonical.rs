//! The RFC 8785 form of a plan's parts, made quickly: members are put in order where they stand.
//!
//! For plain data only. Files are read by another implementation, which must find the same digest.

use serde::Serialize;

use super::print::{PrintError, Printer};

/// A printer that is used again and again.
pub(super) struct Canonical {
    printer: Printer<'static>,
}

impl Default for Canonical {
    fn default() -> Canonical {
        Canonical { printer: Printer::canonical() }
    }
}

impl Canonical {
    /// Calls `then` with the RFC 8785 form of a value.
    pub fn write<T: Serialize + ?Sized>(&mut self, value: &T, then: impl FnOnce(&[u8])) -> Result<(), PrintError> {
        self.printer.text.clear();
        value.serialize(&mut self.printer)?;
        then(self.printer.text.as_bytes());
        Ok(())
    }
}

/// Where a member of an object stands in a text: its name, quotes included, then a colon and the value.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub start: usize,
    pub name_end: usize,
    pub end: usize,
}

/// Puts the members of an object, the last thing in the text, in the order of their names; `moved` is overwritten.
pub(super) fn put_in_order(text: &mut String, members: &mut [Member], moved: &mut String) {
    let Some(start) = members.first().map(|member| member.start) else { return };
    let quoted = |member: &Member| text.get(member.start..member.name_end).unwrap_or_default();
    let are_plain = members.iter().all(|member| is_plain(quoted(member)));
    if are_plain && members.is_sorted_by(|a, b| bare(quoted(a)) <= bare(quoted(b))) {
        return;
    }
    if are_plain {
        members.sort_by(|a, b| bare(quoted(a)).cmp(bare(quoted(b))));
    } else {
        members.sort_by_cached_key(|member| code_units(quoted(member)));
    }
    moved.clear();
    for (at, member) in members.iter().enumerate() {
        moved.push_str(if at > 0 { "," } else { "" });
        moved.push_str(text.get(member.start..member.end).unwrap_or_default());
    }
    text.truncate(start);
    text.push_str(moved);
}

/// The name without its quotes; they would come before some characters of names, and behind others.
fn bare(quoted: &str) -> &str {
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default()
}

/// Whether the name stands for itself, and its bytes are in the order of its UTF-16 code units.
fn is_plain(quoted: &str) -> bool {
    quoted.bytes().all(|byte| byte.is_ascii() && byte != b'\\')
}

fn code_units(quoted: &str) -> Vec<u16> {
    serde_json::from_str::<String>(quoted).unwrap_or_default().encode_utf16().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::ser::Serializer;

    use super::*;

    fn check(value: &impl Serialize) {
        let mut expect = Vec::new();
        let formatter = canon_json::CanonicalFormatter::new();
        value.serialize(&mut Serializer::with_formatter(&mut expect, formatter)).unwrap();
        let mut found = Vec::new();
        Canonical::default().write(value, |bytes| found.extend_from_slice(bytes)).unwrap();
        assert_eq!(String::from_utf8(found), String::from_utf8(expect));
    }

    #[derive(Serialize)]
    struct Unordered<'a> {
        zebra: u8,
        ant: &'a [Option<i64>],
        ab: BTreeMap<&'a str, Vec<bool>>,
        a: &'a str,
    }

    #[test]
    fn members_are_in_order_at_every_depth() {
        let names = ["\u{e000}", "\u{1f600}", "b\\", "b\"", "b", "", "\n", "\u{7f}", "é"];
        let ab = names.into_iter().map(|name| (name, vec![true, false])).collect();
        let whole = Unordered { zebra: 1, ant: &[Some(-2), None], ab, a: "\u{1}\u{1f}/\\\"é\u{2028}" };
        check(&[&whole, &whole]);
        check(&BTreeMap::from([("x", &whole), ("X", &whole)]));
        check(&BTreeMap::<String, u8>::new());
        check(&"text");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn both_implementations_agree(value in any_json()) {
            check(&value);
        }
    }
}
