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
    pub(super) fn takes_exactly(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
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

    /// Reads an object; calls `member` with each name, to read the value behind it.
    pub(super) fn object(&mut self, mut member: impl FnMut(&mut Scan<'a>, &'a str) -> Option<()>) -> Option<()> {
        self.token(b'{')?;
        if self.takes(b'}') {
            return Some(());
        }
        loop {
            let name = self.string()?;
            self.token(b':')?;
            member(self, name)?;
            if !self.takes(b',') {
                return self.token(b'}');
            }
        }
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
