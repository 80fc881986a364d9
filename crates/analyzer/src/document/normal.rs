//! The normal form of a document, by which documents are compared, straight from its text.

use std::borrow::Cow;

use super::tree::{Kind, Member, Tree, Value};

/// Returns the normal form in RFC 8785 JSON; none for what is not plain: escapes and numbers, keys that are not ASCII, and
/// keys that occur twice.
pub(super) fn normal_form(text: &str) -> Option<String> {
    let tree = Tree::of(text).filter(|tree| tree.is_plain)?;
    let mut writer = Writer { text, out: String::with_capacity(text.len()) };
    writer.document(&tree.root)?;
    Some(writer.out)
}

struct Writer<'a> {
    text: &'a str,
    out: String,
}

impl<'a> Writer<'a> {
    fn document(&mut self, root: &Value<'_>) -> Option<()> {
        let Kind::Object(members) = &root.kind else { return self.value(root) };
        self.object(members, |writer, name, value| match name {
            "Statement" => writer.list(value.one_or_many(), Writer::statement),
            _ => writer.value(value),
        })
    }

    fn statement(&mut self, statement: &Value<'_>) -> Option<()> {
        let Kind::Object(members) = &statement.kind else { return self.value(statement) };
        self.object(members, |writer, name, value| match (name, &value.kind) {
            ("Action" | "NotAction" | "Resource" | "NotResource", _) => writer.set(value),
            ("Condition", Kind::Object(operators)) => writer.object(operators, |writer, _, keys| match &keys.kind {
                Kind::Object(keys) => writer.object(keys, |writer, _, values| writer.set(values)),
                _ => writer.value(keys),
            }),
            _ => writer.value(value),
        })
    }

    /// Writes a value as it is, but for the order of keys.
    fn value(&mut self, value: &Value<'_>) -> Option<()> {
        match &value.kind {
            // What is plain is written as it is read.
            Kind::String(_) | Kind::Other => self.out.push_str(self.text.get(value.span.clone())?),
            Kind::List(elements) => self.list(elements, Writer::value)?,
            Kind::Object(members) => self.object(members, |writer, _, value| writer.value(value))?,
        }
        Some(())
    }

    fn list<'v>(
        &mut self,
        values: &'v [Value<'v>],
        write: impl Fn(&mut Writer<'a>, &'v Value<'v>) -> Option<()>,
    ) -> Option<()> {
        self.out.push('[');
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            write(self, value)?;
        }
        self.out.push(']');
        Some(())
    }

    fn object<'v>(
        &mut self,
        members: &'v [Member<'v>],
        write: impl Fn(&mut Writer<'a>, &'v str, &'v Value<'v>) -> Option<()>,
    ) -> Option<()> {
        let mut sorted: Vec<&Member<'_>> = members.iter().collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        // RFC 8785 has the order of UTF-16, which is that of bytes among ASCII.
        let are_distinct = sorted.is_sorted_by(|a, b| a.name < b.name);
        if !are_distinct || !sorted.iter().all(|member| member.name.is_ascii()) {
            return None;
        }
        self.out.push('{');
        for (at, member) in sorted.into_iter().enumerate() {
            let opening = if at > 0 { ",\"" } else { "\"" };
            self.out.extend([opening, &*member.name, "\":"]);
            write(self, &member.name, &member.value)?;
        }
        self.out.push('}');
        Some(())
    }

    /// Writes a set, in the order of its elements' texts.
    fn set(&mut self, value: &Value<'_>) -> Option<()> {
        let element = |value: &Value<'_>| match &value.kind {
            Kind::String(_) | Kind::Other => self.text.get(value.span.clone()).map(Cow::Borrowed),
            Kind::List(_) | Kind::Object(_) => {
                let mut writer = Writer { text: self.text, out: String::new() };
                writer.value(value).map(|()| Cow::Owned(writer.out))
            }
        };
        let mut elements: Vec<Cow<'a, str>> = value.one_or_many().iter().map(element).collect::<Option<_>>()?;
        elements.sort_unstable();
        elements.dedup();
        self.out.push('[');
        for (at, element) in elements.iter().enumerate() {
            self.out.extend([if at > 0 { "," } else { "" }, element]);
        }
        self.out.push(']');
        Some(())
    }
}
