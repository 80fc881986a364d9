//! JSON, and where each value of it stands.
//!
//! A text of plain strings, `true`, `false` and `null`, as nearly every policy is, is checked whole while it is read. Escapes
//! and numbers have rules of their own: a text that has them is JSON only when `serde_json` says so too.

use std::borrow::Cow;
use std::ops::Range;

use super::{plain_prefix, white_prefix};

/// The deepest nesting that is read; `serde_json` goes no deeper.
const MAX_DEPTH: usize = 127;

/// A text that was read.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub(super) root: Value<'a>,
    /// Whether the text is known to be JSON.
    pub(super) is_plain: bool,
}

/// A value and its place in the text, in bytes.
#[derive(Debug)]
pub(super) struct Value<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) span: Range<usize>,
}

#[derive(Debug)]
pub(super) enum Kind<'a> {
    /// The string, unescaped.
    String(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object(Vec<Member<'a>>),
    /// A number, a boolean, or null.
    Other,
}

/// A member of an object.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) name: Cow<'a, str>,
    /// Where the name stands.
    pub(super) start: usize,
    pub(super) value: Value<'a>,
}

impl<'a> Tree<'a> {
    /// Reads a text; none when it is not JSON.
    pub(super) fn of(text: &'a str) -> Option<Tree<'a>> {
        let mut reader = Reader { text, at: 0, depth: 0, is_plain: true };
        let root = reader.value()?;
        let is_all = reader.next().is_none();
        is_all.then_some(Tree { root, is_plain: reader.is_plain })
    }
}

impl<'a> Value<'a> {
    /// Returns the elements of a list, or the one value that stands for a list of one.
    pub(super) fn one_or_many(&self) -> &[Value<'a>] {
        match &self.kind {
            Kind::List(elements) => elements,
            _ => std::slice::from_ref(self),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    is_plain: bool,
}

impl<'a> Reader<'a> {
    /// Passes over white space; returns the byte behind it.
    fn next(&mut self) -> Option<u8> {
        self.at += white_prefix(self.text.get(self.at..).unwrap_or_default());
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes over white space, and over the byte behind it if it is this one.
    fn takes(&mut self, byte: u8) -> bool {
        let is_it = self.next() == Some(byte);
        self.at += usize::from(is_it);
        is_it
    }

    fn value(&mut self) -> Option<Value<'a>> {
        let first = self.next()?;
        let start = self.at;
        let kind = match first {
            b'"' => Kind::String(self.string()?),
            b'[' => Kind::List(self.within(Reader::list)?),
            b'{' => Kind::Object(self.within(Reader::object)?),
            _ => {
                self.word()?;
                Kind::Other
            }
        };
        Some(Value { kind, span: start..self.at })
    }

    /// Reads a list or an object behind its first bracket.
    fn within<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.at += 1;
        self.depth += 1;
        let read = read(self).filter(|_| self.depth <= MAX_DEPTH)?;
        self.depth -= 1;
        Some(read)
    }

    fn list(&mut self) -> Option<Vec<Value<'a>>> {
        let mut elements = Vec::new();
        if self.takes(b']') || self.depth > MAX_DEPTH {
            return Some(elements);
        }
        loop {
            elements.push(self.value()?);
            if !self.takes(b',') {
                return self.takes(b']').then_some(elements);
            }
        }
    }

    fn object(&mut self) -> Option<Vec<Member<'a>>> {
        let mut members = Vec::new();
        if self.takes(b'}') || self.depth > MAX_DEPTH {
            return Some(members);
        }
        loop {
            self.next();
            let start = self.at;
            let name = self.string()?;
            if !self.takes(b':') {
                return None;
            }
            members.push(Member { name, start, value: self.value()? });
            if !self.takes(b',') {
                return self.takes(b'}').then_some(members);
            }
        }
    }

    /// Reads a string from its opening quote on.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.text.get(self.at..)?.strip_prefix('"')?;
        let end = plain_prefix(rest);
        if let (Some(string), Some(b'"')) = (rest.get(..end), rest.as_bytes().get(end)) {
            self.at += end + 2;
            return Some(Cow::Borrowed(string));
        }
        self.escaped()
    }

    fn escaped(&mut self) -> Option<Cow<'a, str>> {
        self.is_plain = false;
        let rest = self.text.as_bytes().get(self.at + 1..)?;
        let mut is_escaped = false;
        let end = rest.iter().position(|byte| {
            let is_end = *byte == b'"' && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            is_end
        })?;
        let start = self.at;
        self.at += end + 2;
        serde_json::from_str::<String>(self.text.get(start..self.at)?).ok().map(Cow::Owned)
    }

    fn word(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        if let Some(word) = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word)) {
            self.at += word.len();
            return Some(());
        }
        self.is_plain = false;
        let is_of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let len = rest.bytes().take_while(is_of_number).count();
        self.at += len;
        (len > 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A text that is plain is JSON, and what is JSON is read.
    fn check(text: &str) {
        let is_json = serde_json::from_str::<serde_json::Value>(text).is_ok();
        let tree = Tree::of(text);
        assert!(tree.is_some() || !is_json, "JSON is refused: {text}");
        assert!(is_json || !tree.is_some_and(|tree| tree.is_plain), "taken for JSON: {text}");
    }

    #[test]
    fn depth_ends_where_that_of_serde_json_ends() {
        for depth in [1, 126, 127, 128, 200] {
            let list = "[".repeat(depth) + &"]".repeat(depth);
            check(&list);
            let object = "{\"a\":".repeat(depth) + "null" + &"}".repeat(depth);
            check(&object);
            assert_eq!(Tree::of(&list).is_some(), depth <= 127, "{depth}");
            assert_eq!(Tree::of(&object).is_some(), depth <= 127, "{depth}");
        }
        // Even where most of it is never closed.
        check(&"[".repeat(1_000_000));
    }

    #[test]
    fn values_are_where_they_stand() {
        let text = " {\"a\\n\" : [ \"é\", -1.5e3,null ],\"\":{ }}\n";
        let tree = Tree::of(text).unwrap();
        assert!(!tree.is_plain);
        let at = |value: &Value<'_>| text.get(value.span.clone()).unwrap().to_owned();
        assert_eq!(at(&tree.root), text.trim());
        let Kind::Object(members) = &tree.root.kind else { panic!("an object") };
        let [list, empty] = members.as_slice() else { panic!("two members") };
        assert_eq!((&*list.name, at(&list.value).as_str()), ("a\n", "[ \"é\", -1.5e3,null ]"));
        assert_eq!((text.get(empty.start..empty.start + 3), at(&empty.value).as_str()), (Some("\"\":"), "{ }"));
        let Kind::List(elements) = &list.value.kind else { panic!("a list") };
        assert_eq!(elements.iter().map(at).collect::<Vec<_>>(), ["\"é\"", "-1.5e3", "null"]);
    }

    proptest! {
        #[test]
        fn plain_texts_are_json(text in r#"[\[\]{}:, a"\\u0e1\-.\n\u{1}é]{0,12}"#) {
            check(&text);
        }

        #[test]
        fn so_are_texts_of_tokens(tokens in proptest::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ":", ",", "\"a\"", "\"\"", "\"é\\n\"", "\"\\ud800\"", "\"\t\"", "true", "false", "null",
                "0", "01", "-1", "1.", "1e5", "1e999", " ", "\n", "\u{a0}", "tru", "\"",
            ]), 0..9)) {
            check(&tokens.concat());
        }
    }
}
