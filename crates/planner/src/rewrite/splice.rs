//! Cutting texts: what is not edited stays byte for byte.

use std::ops::Range;

/// A part of the text, and what takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// The part, in bytes.
    pub span: Range<usize>,
    /// What takes its place.
    pub with: String,
}

/// Applies edits that do not overlap.
pub(super) fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        result.push_str(text.get(at..edit.span.start).unwrap_or_default());
        result.push_str(&edit.with);
        at = edit.span.end;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}

/// Returns the edits that take elements out of a JSON list and leave its layout.
///
/// `elements` are the places of all elements, in order; at least one must stay. Between two that stay, one of the author's
/// own separators is left: one that breaks the line, if there is one.
pub(super) fn cut(text: &str, elements: &[Range<usize>], stays: &[bool]) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut before: Option<&Range<usize>> = None;
    let mut pending: Vec<&Range<usize>> = Vec::new();
    for (element, stays) in elements.iter().zip(stays) {
        if !stays {
            pending.push(element);
            continue;
        }
        if let Some(first) = pending.first() {
            edits.push(match before {
                None => Edit { span: first.start..element.start, with: String::new() },
                Some(before) => Edit {
                    span: before.end..element.start,
                    with: separator(text, before, &pending, element).to_owned(),
                },
            });
        }
        pending.clear();
        before = Some(element);
    }
    if let (Some(last), Some(before)) = (pending.last(), before) {
        edits.push(Edit { span: before.end..last.end, with: String::new() });
    }
    edits
}

/// The text between two elements that become neighbours.
fn separator<'a>(text: &'a str, before: &Range<usize>, gone: &[&Range<usize>], after: &Range<usize>) -> &'a str {
    let ends = std::iter::once(before.end).chain(gone.iter().map(|range| range.end));
    let starts = gone.iter().map(|range| range.start).chain(std::iter::once(after.start));
    let separators: Vec<&str> = ends.zip(starts).map(|(end, start)| text.get(end..start).unwrap_or(",")).collect();
    let breaks = separators.iter().find(|separator| separator.contains('\n'));
    breaks.or(separators.last()).copied().unwrap_or(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, gone: &[&str], expect: &str) {
        let mut elements = Vec::new();
        let mut stays = Vec::new();
        for (at, _) in text.char_indices().filter(|(_, c)| c.is_ascii_lowercase()) {
            elements.push(at..at + 1);
            stays.push(!gone.iter().any(|gone| text.get(at..).unwrap().starts_with(gone)));
        }
        assert_eq!(apply(text, cut(text, &elements, &stays)), expect, "{text} without {gone:?}");
    }

    #[test]
    fn elements_leave_with_one_separator_each() {
        check("[a, b, c]", &["b"], "[a, c]");
        check("[a, b, c]", &["a"], "[b, c]");
        check("[a, b, c]", &["c"], "[a, b]");
        check("[ a,b ,c ]", &["a", "c"], "[ b ]");
        check("[a,b,c,d]", &["b", "c"], "[a,d]");
        check("[\n  a,\n  b,\n  c\n]", &["b"], "[\n  a,\n  c\n]");
        check("[\n  a,\n  b,\n  c\n]", &["c"], "[\n  a,\n  b\n]");
        check("[a, b,\n c, d]", &["c"], "[a, b,\n d]");
        check("[a, b,\n c, d]", &["b"], "[a,\n c, d]");
    }
}
