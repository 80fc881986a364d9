//! XML in the manner of the Query protocol: elements, `member` lists, `entry` maps.

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

/// A document that grows. Writing into memory does not fail, so nothing here returns an error.
pub struct Xml {
    writer: Writer<Vec<u8>>,
}

impl Default for Xml {
    fn default() -> Self {
        Self { writer: Writer::new(Vec::with_capacity(1024)) }
    }
}

impl Xml {
    /// Writes the outermost element with its namespace.
    pub fn root(&mut self, name: &str, namespace: &str, content: impl FnOnce(&mut Self)) {
        let start = BytesStart::new(name).with_attributes([("xmlns", namespace)]);
        self.event(Event::Start(start));
        content(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// Writes an element with elements in it.
    pub fn object(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.event(Event::Start(BytesStart::new(name)));
        content(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// Writes an element with text in it. What no XML may hold, a message that quotes a caller's nonsense, is replaced.
    pub fn text(&mut self, name: &str, value: impl AsRef<str>) {
        let is_xml =
            |c: char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
        let value = value.as_ref();
        let clean = (!value.chars().all(is_xml)).then(|| value.replace(|c| !is_xml(c), "\u{fffd}"));
        let value = clean.as_deref().unwrap_or(value);
        self.object(name, |xml| xml.event(Event::Text(BytesText::new(value))));
    }

    /// Writes an element with text in it, if there is a text.
    pub fn optional(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// Writes a number, a truth value or a time.
    pub fn value(&mut self, name: &str, value: impl ToString) {
        self.text(name, value.to_string());
    }

    /// Writes a list of elements.
    pub fn list<T>(&mut self, name: &str, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.object(name, |xml| {
            for item in items {
                xml.object("member", |xml| each(xml, item));
            }
        });
    }

    /// Writes a list of texts.
    pub fn texts<T: AsRef<str>>(&mut self, name: &str, items: impl IntoIterator<Item = T>) {
        self.object(name, |xml| {
            for item in items {
                xml.text("member", item);
            }
        });
    }

    /// Whether nothing is written yet.
    pub fn is_empty(&self) -> bool {
        self.writer.get_ref().is_empty()
    }

    /// Returns the document.
    pub fn into_bytes(self) -> Vec<u8> {
        self.writer.into_inner()
    }

    /// Writes what another document has.
    pub fn append(&mut self, other: Self) {
        self.writer.get_mut().extend_from_slice(&other.into_bytes());
    }

    fn event(&mut self, event: Event<'_>) {
        // A vector takes every byte.
        let _ = self.writer.write_event(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_members_and_text_is_escaped() {
        let mut xml = Xml::default();
        xml.root("R", "https://iam.amazonaws.com/doc/2010-05-08/", |xml| {
            xml.texts("Names", ["a<b", "c&d", "e\0f"]);
            xml.list("Tags", [("k", "v")], |xml, (key, value)| {
                xml.text("Key", key);
                xml.text("Value", value);
            });
            xml.value("IsTruncated", false);
            xml.optional("Marker", None::<&str>);
        });
        assert_eq!(
            String::from_utf8(xml.into_bytes()).unwrap(),
            "<R xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Names><member>a&lt;b</member><member>c&amp;d</member><member>e\u{fffd}f</member></Names>\
             <Tags><member><Key>k</Key><Value>v</Value></member></Tags><IsTruncated>false</IsTruncated></R>"
        );
    }
}
