//! Writing action lists in the layout of their author.

use std::ops::Range;

use secateur_analyzer::document::{ActionList, Statement};

use super::splice::{self, Edit};

/// What becomes of one pattern's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate<'n> {
    /// It stays as written.
    Stays,
    /// It goes.
    Goes,
    /// These take its place.
    Becomes(&'n [String]),
}

/// Lists of up to this many characters stay on their author's one line.
const ONE_LINE: usize = 100;

/// Returns the edits that bring the fates into the list; at least one pattern stays or becomes something.
pub(super) fn edits(text: &str, statement: &Statement, list: &ActionList, fates: &[Fate<'_>]) -> Vec<Edit> {
    let spans: Vec<Range<usize>> = list.entries.iter().map(|entry| entry.span.clone()).collect();
    let stays: Vec<bool> = fates.iter().map(|fate| *fate != Fate::Goes).collect();
    let grows = fates.iter().any(|fate| matches!(fate, Fate::Becomes(names) if names.len() > 1));
    if !list.is_list && grows {
        let names = fates.iter().flat_map(|fate| match fate {
            Fate::Becomes(names) => *names,
            _ => &[],
        });
        let block = block(text, statement, list, names.map(|name| quoted(name)).collect());
        return vec![Edit { span: list.span.clone(), with: block }];
    }
    // A list that its author wrote on one line is broken into lines when it would grow long.
    let on_one_line = !text.get(list.span.clone()).unwrap_or_default().contains('\n');
    if list.is_list && grows && on_one_line && is_laid_out(text) && length(list, fates) > ONE_LINE {
        let items = list.entries.iter().zip(fates).flat_map(|(entry, fate)| match fate {
            Fate::Stays => vec![text.get(entry.span.clone()).unwrap_or_default().to_owned()],
            Fate::Goes => Vec::new(),
            Fate::Becomes(names) => names.iter().map(|name| quoted(name)).collect(),
        });
        return vec![Edit { span: list.span.clone(), with: block(text, statement, list, items.collect()) }];
    }
    let mut edits = splice::cut(text, &spans, &stays);
    for (at, fate) in fates.iter().enumerate() {
        if let (Fate::Becomes(names), Some(span)) = (fate, spans.get(at)) {
            let separator = separator(text, list, &spans, at);
            let mut with = String::with_capacity(names.iter().map(|name| name.len() + separator.len() + 2).sum());
            for (at, name) in names.iter().enumerate() {
                with.push_str(if at > 0 { &separator } else { "" });
                push_quoted(&mut with, name);
            }
            edits.push(Edit { span: span.clone(), with });
        }
    }
    edits
}

/// Returns the edit that adds patterns behind a list.
pub(super) fn append(text: &str, statement: &Statement, list: &ActionList, names: &[String]) -> Edit {
    let own = list.entries.iter().map(|entry| text.get(entry.span.clone()).unwrap_or_default().to_owned());
    let added: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    match list.entries.last() {
        Some(last) if list.is_list && list.entries.len() > 1 => {
            let spans: Vec<Range<usize>> = list.entries.iter().map(|entry| entry.span.clone()).collect();
            let separator = separator(text, list, &spans, spans.len() - 1);
            let with = added.iter().map(|name| format!("{separator}{name}")).collect();
            Edit { span: last.span.end..last.span.end, with }
        }
        _ => Edit { span: list.span.clone(), with: block(text, statement, list, own.chain(added).collect()) },
    }
}

/// Returns the edits that put an `Action` list of these patterns in the place of a `NotAction` list.
pub(super) fn invert(text: &str, statement: &Statement, list: &ActionList, names: &[String]) -> Vec<Edit> {
    let Some(key) = not_action_key(text, list) else { return Vec::new() };
    let items: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let with = match items.as_slice() {
        [only] if !list.is_list => only.clone(),
        _ => block(text, statement, list, items),
    };
    vec![Edit { span: key, with: "\"Action\"".to_owned() }, Edit { span: list.span.clone(), with }]
}

/// Where the key of a `NotAction` list stands; none when it is spelled otherwise, with escapes: that is not touched.
pub(super) fn not_action_key(text: &str, list: &ActionList) -> Option<Range<usize>> {
    const KEY: &str = "\"NotAction\"";
    let before = text.get(..list.span.start)?;
    let is_key = |at: usize| before.get(at + KEY.len()..).is_some_and(|between| between.trim() == ":");
    before.rfind(KEY).filter(|at| is_key(*at)).map(|at| at..at + KEY.len())
}

fn quoted(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 2);
    push_quoted(&mut text, name);
    text
}

fn push_quoted(text: &mut String, name: &str) {
    // Nearly all names: nothing in them is escaped.
    if name.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
        text.push('"');
        text.push_str(name);
        text.push('"');
    } else {
        text.push_str(&serde_json::Value::from(name).to_string());
    }
}

fn is_laid_out(text: &str) -> bool {
    text.trim_end().contains('\n')
}

fn length(list: &ActionList, fates: &[Fate<'_>]) -> usize {
    list.entries
        .iter()
        .zip(fates)
        .map(|(entry, fate)| match fate {
            Fate::Stays => entry.span.len() + 2,
            Fate::Goes => 0,
            Fate::Becomes(names) => names.iter().map(|name| name.len() + 4).sum(),
        })
        .sum()
}

/// The separator to put between the names that take the place of element `at`.
fn separator(text: &str, list: &ActionList, spans: &[Range<usize>], at: usize) -> String {
    let between = |a: usize, b: usize| {
        let (a, b) = (spans.get(a)?, spans.get(b)?);
        text.get(a.end..b.start).map(str::to_owned)
    };
    let before = at.checked_sub(1).and_then(|before| between(before, at));
    let after = between(at, at + 1);
    // Between several on one line and a line break, the author's usual separator is the one without the break.
    match (before, after) {
        (Some(before), Some(after)) => {
            if before.contains('\n') && !after.contains('\n') {
                after
            } else {
                before
            }
        }
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => {
            let lead = spans.first().and_then(|first| text.get(list.span.start + 1..first.start)).unwrap_or_default();
            if lead.contains('\n') {
                format!(",{lead}")
            } else if is_laid_out(text) || text.contains(", ") {
                ", ".to_owned()
            } else {
                ",".to_owned()
            }
        }
    }
}

/// A list of its own, one name a line where the document is laid out in lines, else on one line.
fn block(text: &str, statement: &Statement, list: &ActionList, items: Vec<String>) -> String {
    let one_line = |separator: &str| format!("[{}]", items.join(separator));
    if !is_laid_out(text) {
        return one_line(if text.contains("\": ") { ", " } else { "," });
    }
    let indent = indent_of_line(text, list.span.start);
    let outer = indent_of_line(text, statement.span.start);
    let usual = if indent.ends_with('\t') { "\t" } else { "    " };
    let unit = indent.strip_prefix(outer).filter(|unit| !unit.is_empty()).unwrap_or(usual);
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let lines: Vec<String> = items.iter().map(|item| format!("{indent}{unit}{item}")).collect();
    format!("[{newline}{}{newline}{indent}]", lines.join(&format!(",{newline}")))
}

/// The white space at the start of the line that holds byte `at`.
fn indent_of_line(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(start..).unwrap_or_default();
    let end = line.find(|c| c != ' ' && c != '\t').unwrap_or(0);
    line.get(..end).unwrap_or_default()
}
