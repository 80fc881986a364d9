//! JSON as it was written: the members of objects in order, duplicates included, and numbers as text.
//!
//! Old policies may have duplicate keys, and a reader that keeps the last one says nothing of them. See
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_policies.html#morethanonepolicyblock>.

use std::iter::Peekable;
use std::str::Chars;

/// Lists and objects within each other beyond this are refused.
const MAX_DEPTH: usize = 64;

/// A value of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A string, its escapes resolved.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object: its members in order, duplicates included.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text.
    ///
    /// # Errors
    /// When the text is not JSON; says why.
    pub fn parse(text: &str) -> Result<Json, String> {
        let mut reader = Reader { rest: text.chars().peekable() };
        let value = reader.value(0)?;
        reader.blank();
        match reader.rest.next() {
            None => Ok(value),
            Some(c) => Err(format!("`{c}` after the end")),
        }
    }

    /// Returns the text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the members of an object.
    pub fn members(&self) -> Option<&[(String, Json)]> {
        match self {
            Json::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Returns the items of a list, or the value itself: AWS takes one for the other wherever a list may stand.
    pub fn items(&self) -> &[Json] {
        match self {
            Json::List(items) => items,
            other => std::slice::from_ref(other),
        }
    }
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    fn blank(&mut self) {
        while self.rest.next_if(|c| matches!(c, ' ' | '\t' | '\r' | '\n')).is_some() {}
    }

    fn next(&mut self) -> Result<char, String> {
        self.rest.next().ok_or_else(|| "the text ends too early".to_owned())
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        match self.next()? {
            c if c == wanted => Ok(()),
            c => Err(format!("`{c}` where `{wanted}` belongs")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, String> {
        if depth > MAX_DEPTH {
            return Err("too deep".to_owned());
        }
        self.blank();
        match self.rest.peek().copied() {
            Some('{') => self.object(depth),
            Some('[') => self.list(depth),
            Some('"') => Ok(Json::Text(self.string()?)),
            Some('-' | '0'..='9') => self.number(),
            Some(_) => self.word(),
            None => Err("the text ends too early".to_owned()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, String> {
        self.expect('{')?;
        let mut members = Vec::new();
        self.blank();
        if self.rest.next_if_eq(&'}').is_some() {
            return Ok(Json::Object(members));
        }
        loop {
            self.blank();
            let key = self.string()?;
            self.blank();
            self.expect(':')?;
            members.push((key, self.value(depth + 1)?));
            self.blank();
            match self.next()? {
                ',' => {}
                '}' => return Ok(Json::Object(members)),
                c => return Err(format!("`{c}` within an object")),
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, String> {
        self.expect('[')?;
        let mut items = Vec::new();
        self.blank();
        if self.rest.next_if_eq(&']').is_some() {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blank();
            match self.next()? {
                ',' => {}
                ']' => return Ok(Json::List(items)),
                c => return Err(format!("`{c}` within a list")),
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                c if u32::from(c) < 0x20 => return Err("a control character within a string".to_owned()),
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        Ok(match self.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.unit()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first).ok_or_else(|| "half a character".to_owned());
                }
                self.expect('\\')?;
                self.expect('u')?;
                let second = self.unit()?;
                if !(0xdc00..0xe000).contains(&second) {
                    return Err("half a character".to_owned());
                }
                char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
                    .ok_or_else(|| "no character".to_owned())?
            }
            c => return Err(format!("the escape `\\{c}`")),
        })
    }

    fn unit(&mut self) -> Result<u32, String> {
        let mut unit = 0;
        for _ in 0..4 {
            let c = self.next()?;
            unit = unit * 16 + c.to_digit(16).ok_or_else(|| format!("`{c}` is no digit of an escape"))?;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<Json, String> {
        let mut text = String::new();
        while let Some(c) = self.rest.next_if(|c| matches!(c, '-' | '+' | '.' | 'e' | 'E' | '0'..='9')) {
            text.push(c);
        }
        match text.parse::<f64>() {
            Ok(_) => Ok(Json::Number(text)),
            Err(_) => Err(format!("`{text}` is no number")),
        }
    }

    fn word(&mut self) -> Result<Json, String> {
        let mut text = String::new();
        while let Some(c) = self.rest.next_if(char::is_ascii_alphanumeric) {
            text.push(c);
        }
        match text.as_str() {
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            "null" => Ok(Json::Null),
            _ => Err(format!("`{text}` is no value")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = r#" {"a": [1, -2.5e3, true, null, "x\"\u00e9\ud83d\ude00\n"], "a": {}} "#;
        let list = vec![
            Json::Number("1".into()),
            Json::Number("-2.5e3".into()),
            Json::Bool(true),
            Json::Null,
            Json::Text("x\"é😀\n".into()),
        ];
        let members = vec![("a".to_owned(), Json::List(list)), ("a".to_owned(), Json::Object(Vec::new()))];
        assert_eq!(Json::parse(text), Ok(Json::Object(members)));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "{", "[1,]", "{\"a\" 1}", "\"\\x\"", "\"\\ud800\"", "tru", "1 2", "\"\n\""] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
        assert!(Json::parse(&"[".repeat(100)).is_err());
    }
}
