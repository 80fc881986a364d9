//! The RFC 8785 form of a plan's parts, made quickly: members are put in order where they stand.
//!
//! For plain data only: strings, integers, lists, and objects. Files are read by another implementation, which must find
//! the same digest.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// A buffer that the writer fills and the formatter puts in order.
#[derive(Debug, Default)]
pub(super) struct Canonical {
    bytes: Rc<RefCell<Vec<u8>>>,
}

impl Canonical {
    /// Calls `then` with the RFC 8785 form of a value.
    pub fn write<T: Serialize + ?Sized>(&mut self, value: &T, then: impl FnOnce(&[u8])) -> serde_json::Result<()> {
        self.bytes.borrow_mut().clear();
        let formatter =
            Ordering { bytes: Rc::clone(&self.bytes), open: Vec::new(), spare: Vec::new(), moved: Vec::new() };
        value.serialize(&mut Serializer::with_formatter(Writer(Rc::clone(&self.bytes)), formatter))?;
        then(&self.bytes.borrow());
        Ok(())
    }
}

struct Writer(Rc<RefCell<Vec<u8>>>);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where a member stands, in bytes of the buffer: its name, quotes included, then a colon and the value.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    name_end: usize,
    end: usize,
}

struct Ordering {
    bytes: Rc<RefCell<Vec<u8>>>,
    /// The members of the objects that are being written, the innermost last.
    open: Vec<Vec<Member>>,
    /// What the members of finished objects stood in, and members on their way to their place; kept to be used again.
    spare: Vec<Vec<Member>>,
    moved: Vec<u8>,
}

impl Ordering {
    fn at(&self) -> usize {
        self.bytes.borrow().len()
    }

    fn note(&mut self, note: impl FnOnce(&mut Member)) {
        if let Some(member) = self.open.last_mut().and_then(|members| members.last_mut()) {
            note(member);
        }
    }
}

impl Formatter for Ordering {
    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open.push(self.spare.pop().unwrap_or_default());
        CompactFormatter.begin_object(writer)
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        CompactFormatter.begin_object_key(writer, first)?;
        let start = self.at();
        if let Some(members) = self.open.last_mut() {
            members.push(Member { start, name_end: start, end: start });
        }
        Ok(())
    }

    fn end_object_key<W: io::Write + ?Sized>(&mut self, _writer: &mut W) -> io::Result<()> {
        let at = self.at();
        self.note(|member| member.name_end = at);
        Ok(())
    }

    fn end_object_value<W: io::Write + ?Sized>(&mut self, _writer: &mut W) -> io::Result<()> {
        let at = self.at();
        self.note(|member| member.end = at);
        Ok(())
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        if let Some(mut members) = self.open.pop() {
            put_in_order(&mut self.bytes.borrow_mut(), &mut members, &mut self.moved);
            members.clear();
            self.spare.push(members);
        }
        CompactFormatter.end_object(writer)
    }
}

fn put_in_order(bytes: &mut Vec<u8>, members: &mut [Member], moved: &mut Vec<u8>) {
    let Some(start) = members.first().map(|member| member.start) else { return };
    let name = |member: &Member| bytes.get(member.start + 1..member.name_end.saturating_sub(1)).unwrap_or_default();
    if members.is_sorted_by(|a, b| name(a) <= name(b)) && members.iter().all(|member| is_plain(name(member))) {
        return;
    }
    if members.iter().all(|member| is_plain(name(member))) {
        members.sort_by(|a, b| name(a).cmp(name(b)));
    } else {
        members.sort_by_cached_key(|member| code_units(bytes.get(member.start..member.name_end).unwrap_or_default()));
    }
    moved.clear();
    for (at, member) in members.iter().enumerate() {
        if at > 0 {
            moved.push(b',');
        }
        moved.extend_from_slice(bytes.get(member.start..member.end).unwrap_or_default());
    }
    bytes.truncate(start);
    bytes.extend_from_slice(moved);
}

/// Whether the name's bytes are in the order of its UTF-16 code units.
fn is_plain(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii() && *byte != b'\\')
}

fn code_units(name: &[u8]) -> Vec<u16> {
    serde_json::from_slice::<String>(name).unwrap_or_default().encode_utf16().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;

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
