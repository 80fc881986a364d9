//! Plain data as JSON text: the text that `serde_json` makes of it, made faster.
//!
//! A plan is tens of megabytes of texts, and is printed for its digest and for its file. Plain data has strings, integers,
//! booleans, lists, and objects with names that are strings; all else is refused.

use std::fmt::Write as _;
use std::io;

use secateur_analyzer::document::plain_prefix;
use serde::Serialize;
use serde::ser::{
    Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct, Serializer,
};

use super::canonical::{Member, put_in_order};

/// How a text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// RFC 8785: no white space, members in order.
    Canonical,
    /// One element or member a line, two spaces a level.
    Indented,
}

/// Why something is not printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrintError {
    /// The text could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no plain data.
    #[error("{0}")]
    NotPlain(String),
}

impl serde::ser::Error for PrintError {
    fn custom<T: std::fmt::Display>(message: T) -> PrintError {
        PrintError::NotPlain(message.to_string())
    }
}

impl From<PrintError> for io::Error {
    fn from(error: PrintError) -> io::Error {
        match error {
            PrintError::Io(error) => error,
            PrintError::NotPlain(_) => io::Error::other(error),
        }
    }
}

/// Writes the value as indented JSON, as it is printed.
pub(crate) fn write_indented(value: &impl Serialize, to: &mut dyn io::Write) -> Result<(), PrintError> {
    let mut printer = Printer::new(Layout::Indented, Some(to));
    value.serialize(&mut printer)?;
    printer.hand_over(0)
}

/// A text in the making.
pub(super) struct Printer<'w> {
    /// The text, or what of it was not handed over yet.
    pub(super) text: String,
    layout: Layout,
    to: Option<&'w mut dyn io::Write>,
    depth: usize,
    /// The members of the objects that are being printed, the innermost last.
    members: Vec<Member>,
    /// Members on their way to their place; kept to be used again.
    moved: String,
}

impl<'w> Printer<'w> {
    /// Returns a printer of RFC 8785 JSON, which keeps what it prints.
    pub(super) fn canonical() -> Printer<'w> {
        Printer::new(Layout::Canonical, None)
    }

    fn new(layout: Layout, to: Option<&'w mut dyn io::Write>) -> Printer<'w> {
        Printer { text: String::new(), layout, to, depth: 0, members: Vec::new(), moved: String::new() }
    }

    /// Hands the text over when there are more bytes than these, if there is anybody to take it.
    fn hand_over(&mut self, at_most: usize) -> Result<(), PrintError> {
        if self.text.len() > at_most
            && let Some(to) = &mut self.to
        {
            to.write_all(self.text.as_bytes())?;
            self.text.clear();
        }
        Ok(())
    }

    fn string(&mut self, string: &str) {
        self.text.push('"');
        let mut rest = string;
        while let Some((plain, special)) = rest.split_at_checked(plain_prefix(rest)) {
            self.text.push_str(plain);
            let mut chars = special.chars();
            let Some(special) = chars.next() else { break };
            rest = chars.as_str();
            match special {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\t' => self.text.push_str("\\t"),
                '\r' => self.text.push_str("\\r"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                // Writing to a `String` cannot fail.
                other => _ = write!(self.text, "\\u{:04x}", u32::from(other)),
            }
        }
        self.text.push('"');
    }

    fn open(&mut self, bracket: char) {
        self.text.push(bracket);
        self.depth += 1;
    }

    /// Goes to where the next element or member stands.
    fn next(&mut self, is_first: bool) -> Result<(), PrintError> {
        if !is_first {
            self.text.push(',');
        }
        if self.layout == Layout::Indented {
            self.hand_over(1 << 16)?;
            self.new_line();
        }
        Ok(())
    }

    fn close(&mut self, is_empty: bool, bracket: char) {
        self.depth = self.depth.saturating_sub(1);
        if !is_empty && self.layout == Layout::Indented {
            self.new_line();
        }
        self.text.push(bracket);
    }

    fn new_line(&mut self) {
        const SPACES: &str = "                                ";
        self.text.push('\n');
        let mut spaces = self.depth * 2;
        while let Some(more) = spaces.checked_sub(SPACES.len()) {
            self.text.push_str(SPACES);
            spaces = more;
        }
        self.text.push_str(SPACES.get(..spaces).unwrap_or_default());
    }
}

/// A list or an object in the making.
pub(super) struct Compound<'a, 'w> {
    printer: &'a mut Printer<'w>,
    is_empty: bool,
    /// Where its members begin among those of the printer.
    first: usize,
}

impl<'a, 'w> Compound<'a, 'w> {
    fn list(printer: &'a mut Printer<'w>) -> Compound<'a, 'w> {
        printer.open('[');
        Compound { printer, is_empty: true, first: 0 }
    }

    fn object(printer: &'a mut Printer<'w>) -> Compound<'a, 'w> {
        printer.open('{');
        let first = printer.members.len();
        Compound { printer, is_empty: true, first }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PrintError> {
        self.printer.next(std::mem::take(&mut self.is_empty))?;
        value.serialize(&mut *self.printer)
    }

    fn name<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), PrintError> {
        self.printer.next(std::mem::take(&mut self.is_empty))?;
        let start = self.printer.text.len();
        name.serialize(&mut *self.printer)?;
        let text = &mut self.printer.text;
        let name_end = text.len();
        if !text.get(start..).is_some_and(|name| name.starts_with('"')) {
            return Err(PrintError::NotPlain("a name is not a string".to_owned()));
        }
        text.push(':');
        match self.printer.layout {
            Layout::Canonical => self.printer.members.push(Member { start, name_end, end: name_end }),
            Layout::Indented => text.push(' '),
        }
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PrintError> {
        value.serialize(&mut *self.printer)?;
        let end = self.printer.text.len();
        if let Some(member) = self.printer.members.last_mut() {
            member.end = end;
        }
        Ok(())
    }

    fn end_list(self) {
        self.printer.close(self.is_empty, ']');
    }

    fn end_object(self) {
        let Printer { text, members, moved, .. } = &mut *self.printer;
        put_in_order(text, members.get_mut(self.first..).unwrap_or_default(), moved);
        members.truncate(self.first);
        self.printer.close(self.is_empty, '}');
    }
}

/// The methods that print a kind of integer.
macro_rules! integers {
    ($($method:ident: $integer:ty),*) => {
        $(fn $method(self, value: $integer) -> Result<(), PrintError> {
            // Writing to a `String` cannot fail.
            _ = write!(self.text, "{value}");
            Ok(())
        })*
    };
}

impl<'a, 'w> Serializer for &'a mut Printer<'w> {
    type Ok = ();
    type Error = PrintError;
    type SerializeSeq = Compound<'a, 'w>;
    type SerializeTuple = Compound<'a, 'w>;
    type SerializeTupleStruct = Compound<'a, 'w>;
    type SerializeTupleVariant = Impossible<(), PrintError>;
    type SerializeMap = Compound<'a, 'w>;
    type SerializeStruct = Compound<'a, 'w>;
    type SerializeStructVariant = Impossible<(), PrintError>;

    integers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    integers!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);

    fn serialize_bool(self, value: bool) -> Result<(), PrintError> {
        self.text.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_f32(self, _: f32) -> Result<(), PrintError> {
        Err(not_plain("a fraction"))
    }

    fn serialize_f64(self, _: f64) -> Result<(), PrintError> {
        Err(not_plain("a fraction"))
    }

    fn serialize_char(self, value: char) -> Result<(), PrintError> {
        self.string(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), PrintError> {
        self.string(value);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), PrintError> {
        Err(not_plain("bytes"))
    }

    fn serialize_none(self) -> Result<(), PrintError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), PrintError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), PrintError> {
        self.text.push_str("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), PrintError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), PrintError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), PrintError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), PrintError> {
        let mut object = Compound::object(self);
        SerializeStruct::serialize_field(&mut object, variant, value)?;
        SerializeStruct::end(object)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a, 'w>, PrintError> {
        Ok(Compound::list(self))
    }

    fn serialize_tuple(self, _: usize) -> Result<Compound<'a, 'w>, PrintError> {
        Ok(Compound::list(self))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Compound<'a, 'w>, PrintError> {
        Ok(Compound::list(self))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), PrintError>, PrintError> {
        Err(not_plain("a variant of several values"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a, 'w>, PrintError> {
        Ok(Compound::object(self))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Compound<'a, 'w>, PrintError> {
        Ok(Compound::object(self))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), PrintError>, PrintError> {
        Err(not_plain("a variant of several values"))
    }
}

fn not_plain(what: &str) -> PrintError {
    PrintError::NotPlain(format!("{what} is no plain data"))
}

/// The methods of a list in the making.
macro_rules! list {
    ($kind:ident, $element:ident) => {
        impl $kind for Compound<'_, '_> {
            type Ok = ();
            type Error = PrintError;

            fn $element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PrintError> {
                self.element(value)
            }

            fn end(self) -> Result<(), PrintError> {
                self.end_list();
                Ok(())
            }
        }
    };
}

list!(SerializeSeq, serialize_element);
list!(SerializeTuple, serialize_element);
list!(SerializeTupleStruct, serialize_field);

impl SerializeMap for Compound<'_, '_> {
    type Ok = ();
    type Error = PrintError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), PrintError> {
        self.name(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PrintError> {
        self.value(value)
    }

    fn end(self) -> Result<(), PrintError> {
        self.end_object();
        Ok(())
    }
}

impl SerializeStruct for Compound<'_, '_> {
    type Ok = ();
    type Error = PrintError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), PrintError> {
        self.name(key)?;
        self.value(value)
    }

    fn end(self) -> Result<(), PrintError> {
        self.end_object();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
