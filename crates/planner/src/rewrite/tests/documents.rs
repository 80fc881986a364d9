//! Documents by chance, in the layouts that people and programs write.

#![expect(clippy::string_slice, reason = "the spans are of JSON tokens, and the names are ASCII")]

use proptest::prelude::*;
use proptest::sample::{Index, select};
use secateur_analyzer::catalog::Catalog;

/// Three services with shared prefixes, in the columns of the catalogue; `aa:DeleteItem` and `bb:Put` are not tracked.
const ACTIONS: [(&str, &[&str]); 3] = [
    ("aa", &["Get", "GetItem", "GetItemAcl", "ListItems", "PutItem", "DeleteItem"]),
    ("aab", &["Get", "getItem", "GetTHING", "ListItems", "putThing", "Tag"]),
    ("bb", &["GetB", "GetBb", "Put", "PutAll", "List", "Decrypt"]),
];
const UNTRACKED: [&str; 2] = ["aa:DeleteItem", "bb:Put"];

/// Names that the small catalogue does not have.
pub const INVENTED: [&str; 8] =
    ["aa:New", "aa:GetFuture", "bb:Any", "zz:Any", "zz:GetItem", "zz:x", "qq:Get", "aac:ListItems"];

/// The small catalogue.
pub fn small_catalog() -> Catalog {
    let mut table =
        "service\taction\taccess_level\ttracked\ttracked_since\tresource_types\tdependent_actions\timplied_actions\n"
            .to_owned();
    for name in small_names() {
        let tracked = if UNTRACKED.contains(&name.as_str()) { "no" } else { "yes" };
        table.push_str(&format!("{}\twrite\t{tracked}\t\t\t\t\n", name.replace(':', "\t")));
    }
    Catalog::from_actions(table, Catalog::embedded().dates()).unwrap()
}

/// The names of the small catalogue.
pub fn small_names() -> Vec<String> {
    ACTIONS.iter().flat_map(|(service, names)| names.iter().map(move |name| format!("{service}:{name}"))).collect()
}

/// A statement by chance.
#[derive(Clone, Debug)]
pub struct StatementSpec {
    pub deny: bool,
    pub not_action: bool,
    pub patterns: Vec<String>,
    /// Whether one pattern is written without brackets.
    pub scalar: bool,
    pub sid: Option<String>,
    pub condition: bool,
    /// Where the actions stand among the elements.
    pub place: usize,
    /// Whether the first letter of each pattern is written as an escape.
    pub escape: bool,
}

/// A document by chance.
#[derive(Clone, Debug)]
pub struct DocumentSpec {
    pub statements: Vec<StatementSpec>,
    /// Whether one statement is written without brackets.
    pub single: bool,
    pub version: bool,
    pub layout: Layout,
}

/// How a document is laid out.
#[derive(Clone, Debug)]
pub enum Layout {
    Compact,
    /// On one line, with a space behind commas and colons.
    Spaced,
    /// In lines, with this indentation and end of line; lists of strings on one line, or an element a line.
    Lines {
        unit: &'static str,
        newline: &'static str,
        inline_lists: bool,
    },
    /// Any white space between any two tokens.
    Random(u64),
}

/// JSON with an order of its own.
enum Json {
    Raw(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

pub fn pattern() -> impl Strategy<Value = String> {
    let names: Vec<String> = small_names().into_iter().chain(INVENTED.map(str::to_owned)).collect();
    let name = select(names);
    prop_oneof![
        6 => name.clone(),
        1 => name.clone().prop_map(|name| name.to_uppercase()),
        // A prefix and a star, behind the colon.
        4 => (name.clone(), any::<Index>()).prop_map(|(name, at)| {
            let (service, action) = name.split_once(':').unwrap();
            format!("{service}:{}*", &action[..at.index(action.len())])
        }),
        // One letter by chance becomes a `?` or a `*`, the service's letters included.
        3 => (name, any::<Index>(), select(vec!["?", "*"])).prop_map(|(name, at, with)| {
            let at = at.index(name.len());
            if &name[at..=at] == ":" { name } else { format!("{}{with}{}", &name[..at], &name[at + 1..]) }
        }),
        2 => select(vec!["*", "aa:*", "AAB:*", "bb:*", "zz:*", "*:*", "a*:Get*", "*:get*", "aa:**", "aa:?et*", "zz:?"])
            .prop_map(str::to_owned),
        1 => select(vec!["aa", "", "aa:", ":Get"]).prop_map(str::to_owned),
    ]
}

fn statement() -> impl Strategy<Value = StatementSpec> {
    let flags =
        (prop::bool::weighted(0.2), prop::bool::weighted(0.2), any::<bool>(), any::<bool>(), prop::bool::weighted(0.1));
    let sid = prop_oneof![3 => Just(None), 2 => Just(Some("S")), 1 => Just(Some("SecateurKeep"))];
    (flags, prop::collection::vec(pattern(), 1..6), sid, 0..4_usize).prop_map(
        |((deny, not_action, scalar, condition, escape), patterns, sid, place)| StatementSpec {
            deny,
            not_action,
            patterns,
            scalar,
            sid: sid.map(str::to_owned),
            condition,
            place,
            escape,
        },
    )
}

fn layout() -> impl Strategy<Value = Layout> {
    let lines = (select(vec!["  ", "    ", "\t", ""]), select(vec!["\n", "\r\n"]), any::<bool>());
    prop_oneof![
        Just(Layout::Compact),
        Just(Layout::Spaced),
        lines.prop_map(|(unit, newline, inline_lists)| Layout::Lines { unit, newline, inline_lists }),
        any::<u64>().prop_map(Layout::Random),
    ]
}

pub fn document() -> impl Strategy<Value = DocumentSpec> {
    (prop::collection::vec(statement(), 1..5), any::<bool>(), any::<bool>(), layout())
        .prop_map(|(statements, single, version, layout)| DocumentSpec { statements, single, version, layout })
}

impl DocumentSpec {
    /// The document's text. Statement `n` has the Resource `rn`, by which a test finds it again.
    pub fn text(&self) -> String {
        let mut statements: Vec<Json> = self.statements.iter().enumerate().map(|(at, own)| own.json(at)).collect();
        let statements = match statements.len() {
            1 if self.single => statements.remove(0),
            _ => Json::List(statements),
        };
        let mut members = vec![("Statement", statements)];
        if self.version {
            members.insert(0, ("Version", Json::Raw("\"2012-10-17\"".to_owned())));
        }
        let mut printer = Printer { layout: &self.layout, text: String::new(), depth: 0 };
        printer.print(&Json::Object(members));
        printer.gap(false);
        printer.text
    }

    /// The same document, with the actions of each statement in reverse order.
    pub fn reversed(&self) -> DocumentSpec {
        let mut reversed = self.clone();
        reversed.statements.iter_mut().for_each(|statement| statement.patterns.reverse());
        reversed
    }
}

impl StatementSpec {
    fn json(&self, at: usize) -> Json {
        let string = |text: &str| Json::Raw(serde_json::to_string(text).unwrap());
        let mut patterns: Vec<Json> = self.patterns.iter().map(|pattern| Json::Raw(self.literal(pattern))).collect();
        let actions = if patterns.len() == 1 && self.scalar { patterns.remove(0) } else { Json::List(patterns) };
        let mut members =
            vec![("Effect", string(if self.deny { "Deny" } else { "Allow" })), ("Resource", string(&format!("r{at}")))];
        if let Some(sid) = &self.sid {
            members.push(("Sid", string(&format!("{sid}{at}"))));
        }
        if self.condition {
            let bool = Json::Object(vec![("aws:ViaAWSService", Json::Raw("false".to_owned()))]);
            members.push(("Condition", Json::Object(vec![("Bool", bool)])));
        }
        members.insert(self.place.min(members.len()), (if self.not_action { "NotAction" } else { "Action" }, actions));
        Json::Object(members)
    }

    fn literal(&self, pattern: &str) -> String {
        match pattern.chars().next().filter(|_| self.escape) {
            Some(first) => format!("\"\\u{:04X}{}\"", u32::from(first), &pattern[first.len_utf8()..]),
            None => serde_json::to_string(pattern).unwrap(),
        }
    }
}

struct Printer<'a> {
    layout: &'a Layout,
    text: String,
    depth: usize,
}

impl Printer<'_> {
    fn print(&mut self, json: &Json) {
        match json {
            Json::Raw(raw) => self.text.push_str(raw),
            Json::List(elements) => {
                let is_inline = elements.iter().all(|element| matches!(element, Json::Raw(_)))
                    && matches!(self.layout, Layout::Lines { inline_lists: true, .. });
                self.block('[', ']', elements.len(), is_inline, |printer, at| printer.print(&elements[at]));
            }
            Json::Object(members) => self.block('{', '}', members.len(), false, |printer, at| {
                let (key, value) = &members[at];
                printer.text.push_str(&format!("\"{key}\""));
                if let Layout::Random(_) = printer.layout {
                    printer.gap(false);
                }
                printer.text.push(':');
                match printer.layout {
                    Layout::Compact => {}
                    Layout::Random(_) => printer.gap(false),
                    _ => printer.text.push(' '),
                }
                printer.print(value);
            }),
        }
    }

    fn block(&mut self, open: char, close: char, len: usize, is_inline: bool, mut each: impl FnMut(&mut Self, usize)) {
        self.text.push(open);
        self.depth += 1;
        for at in 0..len {
            if at > 0 {
                if let Layout::Random(_) = self.layout {
                    self.gap(false);
                }
                self.text.push(',');
            }
            if at > 0 && (is_inline || matches!(self.layout, Layout::Spaced)) {
                self.text.push(' ');
            } else {
                self.gap(is_inline);
            }
            each(self, at);
        }
        self.depth -= 1;
        self.gap(is_inline);
        self.text.push(close);
    }

    /// White space where the layout has some.
    fn gap(&mut self, is_inline: bool) {
        match self.layout {
            Layout::Lines { unit, newline, .. } if !is_inline => {
                self.text.push_str(newline);
                self.text.push_str(&unit.repeat(self.depth));
            }
            Layout::Random(seed) => {
                // A step of Knuth's generator for each byte so far: the same seed, the same text.
                let steps = self.text.len() as u64;
                let state = seed.wrapping_add(steps).wrapping_mul(6_364_136_223_846_793_005).rotate_left(29);
                self.text.push_str(["", "", " ", "\n", "\r\n", "\t", " \n\t ", "  "][(state % 8) as usize]);
            }
            _ => {}
        }
    }
}
