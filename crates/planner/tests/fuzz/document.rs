//! Policy documents drawn from bytes, in the layouts that people and programs write.

use arbitrary::{Result, Unstructured};

use super::evidence::{ACTIONS, INVENTED};

/// A document's layout.
enum Layout {
    /// No white space.
    Compact,
    /// One line, with a space behind commas and colons.
    Spaced,
    /// In lines, with this indentation and this end of line; lists of strings on one line or not.
    Lines { unit: &'static str, newline: &'static str, is_inline: bool },
    /// Any white space between any two tokens.
    Any,
}

/// JSON with an order of its own.
enum Json {
    Raw(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

/// Draws a document.
pub fn draw(u: &mut Unstructured<'_>) -> Result<String> {
    let count = u.int_in_range(1..=4)?;
    let mut statements = (0..count).map(|_| statement(u)).collect::<Result<Vec<_>>>()?;
    let is_single = count == 1 && u.arbitrary()?;
    let statements = if is_single { statements.remove(0) } else { Json::List(statements) };
    let mut members = vec![("Statement", statements)];
    match u.int_in_range(0..=2)? {
        0 => {}
        1 => members.insert(0, ("Version", string("2012-10-17"))),
        _ => members.push(("Version", string("2008-10-17"))),
    }
    let layout = match u.int_in_range(0..=3)? {
        0 => Layout::Compact,
        1 => Layout::Spaced,
        2 => Layout::Lines {
            unit: u.choose(&["  ", "    ", "\t", ""])?,
            newline: u.choose(&["\n", "\r\n"])?,
            is_inline: u.arbitrary()?,
        },
        _ => Layout::Any,
    };
    let mut printer = Printer { layout, u, text: String::new(), depth: 0 };
    printer.print(&Json::Object(members))?;
    printer.gap(false)?;
    Ok(printer.text)
}

/// Draws a pattern: a name, a part of one with a star, one with a wildcard anywhere, or an odd one.
pub fn pattern(u: &mut Unstructured<'_>) -> Result<String> {
    const ODD: [&str; 19] = [
        "*", "aa:*", "AAB:*", "bb:*", "zz:*", "kms:*", "iam:*", "*:*", "a*:Get*", "*:get*", "aa:**", "aa:?et*", "zz:?",
        "*Get*", "aa", "", "aa:", ":Get", "aa\tGet*",
    ];
    let names: Vec<String> =
        ACTIONS.iter().map(|(name, _)| (*name).to_owned()).chain(INVENTED.map(str::to_owned)).collect();
    let name = u.choose(&names)?.clone();
    let at = u.choose_index(name.len())?;
    let (head, tail) = name.split_at(at);
    Ok(match u.int_in_range(0..=9)? {
        0..=3 => name,
        4 => name.to_uppercase(),
        5 | 6 => format!("{head}*"),
        7 => format!("{head}*{}", tail.get(1..).unwrap_or_default()),
        8 => format!("{head}?{}", tail.get(1..).unwrap_or_default()),
        _ => (*u.choose(&ODD)?).to_owned(),
    })
}

fn statement(u: &mut Unstructured<'_>) -> Result<Json> {
    let count = u.int_in_range(1..=5)?;
    let mut patterns = Vec::new();
    for _ in 0..count {
        let text = pattern(u)?;
        let is_escaped = u.int_in_range(0..=15)? == 15;
        patterns.push(if is_escaped { escaped(&text) } else { string(&text) });
    }
    let is_scalar = count == 1 && u.arbitrary()?;
    let actions = if is_scalar { patterns.remove(0) } else { Json::List(patterns) };
    let key = *u.choose(&["Action", "Action", "Action", "NotAction"])?;
    let effect = *u.choose(&["Allow", "Allow", "Allow", "Allow", "Deny"])?;
    // With few resources, statements that differ in their actions alone are frequent.
    let mut members = vec![("Effect", string(effect)), ("Resource", string(u.choose(&["r0", "r1", "*"])?))];
    match u.int_in_range(0..=7)? {
        0..=4 => {}
        5 | 6 => members.push(("Sid", string("S"))),
        _ => members.push(("Sid", string("SecateurKeepIt"))),
    }
    if u.int_in_range(0..=3)? == 3 {
        let bool = Json::Object(vec![("aws:ViaAWSService", Json::Raw("false".to_owned()))]);
        members.push(("Condition", Json::Object(vec![("Bool", bool)])));
    }
    members.insert(u.int_in_range(0..=members.len())?, (key, actions));
    Ok(Json::Object(members))
}

fn string(text: &str) -> Json {
    Json::Raw(serde_json::Value::from(text).to_string())
}

/// The text with its first letter written as an escape.
fn escaped(text: &str) -> Json {
    let Some(first) = text.chars().next() else { return string(text) };
    let rest = string(text.get(first.len_utf8()..).unwrap_or_default());
    let Json::Raw(rest) = rest else { return rest };
    Json::Raw(format!("\"\\u{:04X}{}", u32::from(first), rest.trim_start_matches('"')))
}

struct Printer<'a, 'b> {
    layout: Layout,
    u: &'a mut Unstructured<'b>,
    text: String,
    depth: usize,
}

impl Printer<'_, '_> {
    fn print(&mut self, json: &Json) -> Result<()> {
        match json {
            Json::Raw(raw) => self.text.push_str(raw),
            Json::List(elements) => {
                let is_flat = elements.iter().all(|element| matches!(element, Json::Raw(_)));
                let is_inline = is_flat && matches!(self.layout, Layout::Lines { is_inline: true, .. });
                self.open('[');
                for (at, element) in elements.iter().enumerate() {
                    self.comma(at, is_inline)?;
                    self.print(element)?;
                }
                self.close(']', is_inline)?;
            }
            Json::Object(members) => {
                self.open('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    self.comma(at, false)?;
                    self.text.push_str(&format!("\"{key}\""));
                    self.gap(true)?;
                    self.text.push_str(if matches!(self.layout, Layout::Compact | Layout::Any) { ":" } else { ": " });
                    self.gap(true)?;
                    self.print(value)?;
                }
                self.close('}', false)?;
            }
        }
        Ok(())
    }

    fn open(&mut self, bracket: char) {
        self.text.push(bracket);
        self.depth += 1;
    }

    fn close(&mut self, bracket: char, is_inline: bool) -> Result<()> {
        self.depth -= 1;
        self.gap(is_inline)?;
        self.text.push(bracket);
        Ok(())
    }

    /// What stands before element `at`.
    fn comma(&mut self, at: usize, is_inline: bool) -> Result<()> {
        if at > 0 {
            self.gap(true)?;
            let is_spaced = is_inline || matches!(self.layout, Layout::Spaced);
            self.text.push_str(if is_spaced { ", " } else { "," });
        }
        self.gap(is_inline)
    }

    /// White space where the layout has some; lines are broken only where a gap may break one.
    fn gap(&mut self, is_inline: bool) -> Result<()> {
        match self.layout {
            Layout::Lines { unit, newline, .. } if !is_inline => {
                self.text.push_str(newline);
                self.text.push_str(&unit.repeat(self.depth));
            }
            Layout::Any => {
                let space = *self.u.choose(&["", "", "", " ", "\n", "\r\n", "\t", " \n\t "])?;
                self.text.push_str(space);
            }
            _ => {}
        }
        Ok(())
    }
}
