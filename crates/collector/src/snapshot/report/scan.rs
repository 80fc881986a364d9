//! Plain JSON, read from front to back.

use secateur_analyzer::document::{plain_prefix, white_prefix};

/// What is left of a JSON text.
///
/// Takes less than JSON allows: no escapes, no fractions, nothing within members that nobody asked for. `None` says that the
/// text has such a thing, or is no JSON; which of the two is for another parser to say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Scan<'a> {
        Scan { rest: text }
    }

    /// What stands before `later`, which has read on in the same text.
    pub(super) fn until(&self, later: &Scan<'a>) -> &'a str {
        self.rest.get(..self.rest.len().saturating_sub(later.rest.len())).unwrap_or_default()
    }

    /// Passes over this very text, if it is what comes next.
    #[inline]
    pub(super) fn takes_exactly(&mut self, text: &str) -> bool {
        match self.rest.get(text.len()..) {
            Some(rest) if begins_with(self.rest.as_bytes(), text.as_bytes()) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Passes over white space and the ASCII character behind it, if it is this one; else over white space only.
    fn takes(&mut self, byte: u8) -> bool {
        let spaces = white_prefix(self.rest);
        let is_it = self.rest.as_bytes().get(spaces) == Some(&byte);
        self.rest = self.rest.get(spaces + usize::from(is_it)..).unwrap_or_default();
        is_it
    }

    fn token(&mut self, byte: u8) -> Option<()> {
        self.takes(byte).then_some(())
    }

    /// Reads a string.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        self.opening_quote()?;
        self.rest_of_string()
    }

    /// Reads what comes before the characters of a string.
    pub(super) fn opening_quote(&mut self) -> Option<()> {
        self.token(b'"')
    }

    /// Reads a string from its first character on.
    pub(super) fn rest_of_string(&mut self) -> Option<&'a str> {
        let (string, rest) = self.rest.split_at_checked(plain_prefix(self.rest))?;
        self.rest = rest.strip_prefix('"')?;
        Some(string)
    }

    /// Reads `true` or `false`.
    pub(super) fn boolean(&mut self) -> Option<bool> {
        self.word("true").map(|()| true).or_else(|| self.word("false").map(|()| false))
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.rest = self.rest.get(white_prefix(self.rest)..)?;
        self.takes_exactly(word).then_some(())
    }

    /// Reads a string, a boolean, null, or a number without sign, fraction and exponent.
    pub(super) fn scalar(&mut self) -> Option<()> {
        if self.takes(b'"') {
            return self.rest_of_string().map(|_| ());
        }
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return self.boolean().map(|_| ()).or_else(|| self.word("null"));
        }
        let (number, rest) = self.rest.split_at_checked(digits)?;
        let is_number = number.len() == 1 || !number.starts_with('0');
        self.rest = rest;
        (is_number && !rest.starts_with(['.', 'e', 'E'])).then_some(())
    }

    /// Reads an object; calls `value` with the name of each member, to read the value behind it.
    pub(super) fn object(&mut self, mut value: impl FnMut(&mut Scan<'a>, &'a str) -> Option<()>) -> Option<()> {
        let mut is_first = true;
        while let Some(name) = self.member(is_first)? {
            value(self, name)?;
            is_first = false;
        }
        Some(())
    }

    /// Reads up to the value of the next member of an object, and returns the member's name; or reads the end of the object,
    /// and returns nothing.
    pub(super) fn member(&mut self, is_first: bool) -> Option<Option<&'a str>> {
        let is_end = if is_first {
            self.token(b'{')?;
            self.takes(b'}')
        } else {
            !self.takes(b',')
        };
        if is_end {
            return if is_first { Some(None) } else { self.token(b'}').map(|()| None) };
        }
        let name = self.string()?;
        self.token(b':')?;
        self.rest = self.rest.get(white_prefix(self.rest)..)?;
        Some(Some(name))
    }

    /// Reads a list; calls `element` to read each element.
    pub(super) fn list(&mut self, mut element: impl FnMut(&mut Scan<'a>) -> Option<()>) -> Option<()> {
        self.token(b'[')?;
        if self.takes(b']') {
            return Some(());
        }
        loop {
            element(self)?;
            if !self.takes(b',') {
                return self.token(b']');
            }
        }
    }

    /// Reads the white space up to the end of the text.
    pub(super) fn end(self) -> Option<()> {
        (white_prefix(self.rest) == self.rest.len()).then_some(())
    }
}

/// As `starts_with` of slices, and without a call: short texts are compared millions of times.
#[inline]
fn begins_with(bytes: &[u8], expected: &[u8]) -> bool {
    const CHUNK: usize = 16;
    let Some(bytes) = bytes.get(..expected.len()) else { return false };
    // The last chunks overlap those before.
    match (bytes.last_chunk::<CHUNK>(), expected.last_chunk::<CHUNK>()) {
        (Some(last), Some(expected_last)) => {
            let (chunks, expected) = (bytes.as_chunks::<CHUNK>().0, expected.as_chunks::<CHUNK>().0);
            last == expected_last && chunks.iter().zip(expected).all(|(chunk, expected)| chunk == expected)
        }
        _ => match (bytes.split_first_chunk::<8>(), expected.split_first_chunk::<8>()) {
            (Some((first, _)), Some((expected_first, _))) => {
                first == expected_first && bytes.last_chunk::<8>() == expected.last_chunk::<8>()
            }
            _ => bytes == expected,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_scalars_are_taken() {
        for text in ["\"\"", "\"a é\"", " \n\r\t0", "10", "true", "false", "null", "\"a\"  "] {
            let mut scan = Scan::new(text);
            assert!(scan.scalar().and_then(|()| scan.end()).is_some(), "{text}");
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
        }
        for text in [
            "", "\"", "\"\\n\"", "\"\n\"", "01", "-1", "1.5", "1e3", "tru", "nul", "[]", "{}", "\u{a0}1", "\u{b}1",
            "1 2",
        ] {
            let mut scan = Scan::new(text);
            assert!(scan.scalar().and_then(|()| scan.end()).is_none(), "{text}");
        }
    }

    #[test]
    fn only_the_very_text_is_passed_over() {
        let text: String = ('0'..='z').collect();
        for len in 0..=text.len() {
            let (begin, end) = text.split_at(len);
            let mut scan = Scan::new(&text);
            assert!(scan.takes_exactly(begin));
            assert_eq!(scan.rest, end);
            for at in 0..len {
                let mut other = begin.to_owned();
                other.replace_range(at..=at, "~");
                let mut scan = Scan::new(&text);
                assert!(!scan.takes_exactly(&other), "{other}");
                assert_eq!(scan.rest, text);
            }
            assert!(!Scan::new(begin).takes_exactly(&text) || end.is_empty());
        }
        assert!(!Scan::new("é").takes_exactly("\u{c3}"));
    }

    #[test]
    fn lists_and_objects_are_taken_as_json_has_them() {
        let check = |text: &str, expect: Option<Vec<&str>>| {
            let (mut scan, mut found) = (Scan::new(text), Vec::new());
            let read = scan.object(|scan, name| {
                found.push(name.to_owned());
                scan.list(|scan| {
                    found.push(scan.string()?.to_owned());
                    Some(())
                })
            });
            let read = read.and_then(|()| scan.end());
            assert_eq!(
                read.map(|()| found),
                expect.map(|names| names.into_iter().map(str::to_owned).collect()),
                "{text}"
            );
        };
        check("{}", Some(vec![]));
        check(" { } ", Some(vec![]));
        check(r#"{"a":[],"b" : [ "x" , "y" ] }"#, Some(vec!["a", "b", "x", "y"]));
        for text in [
            r#"{"a":[],}"#,
            r#"{"a":["x",]}"#,
            r#"{"a":["x""y"]}"#,
            r#"{"a":[]"b":[]}"#,
            r#"{"a":["x"}"#,
            r#"{"a":["x"]"#,
            r#"{,}"#,
            r#"{"a" []}"#,
            r#"{} {}"#,
            r#"{a:[]}"#,
        ] {
            check(text, None);
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
        }
    }
}
