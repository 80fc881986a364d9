//! The diff of a document, in lines.

use std::borrow::Cow;

use secateur_analyzer::document::indented;
use similar::{ChangeTag, TextDiff};

use super::words::visible_line;

/// A changed line that is longer than this cannot be read as a diff.
const LONG_LINE: usize = 160;

/// Lines, each with its symbol, in hunks with three lines around every change.
type Hunks<'a> = Vec<Vec<(char, Cow<'a, str>)>>;

/// A document's diff.
pub(super) struct DocumentDiff<'a> {
    /// The lines.
    pub hunks: Hunks<'a>,
    /// Whether the documents are shown in another layout than their own, since theirs puts all on one line.
    pub is_laid_out_anew: bool,
}

/// Compares two documents, made harmless for a terminal.
pub(super) fn diff<'a>(before: &'a str, after: &'a str) -> DocumentDiff<'a> {
    let own = hunks(before, after);
    let is_long = |(symbol, line): &(char, Cow<'_, str>)| {
        *symbol != ' ' && line.len() > LONG_LINE && line.chars().count() > LONG_LINE
    };
    if own.iter().flatten().any(is_long) {
        let (before, after) = (indented(before), indented(after));
        let owned = |(symbol, line): (char, Cow<'_, str>)| (symbol, Cow::Owned(line.into_owned()));
        let hunks = hunks(&before, &after).into_iter().map(|hunk| hunk.into_iter().map(owned).collect()).collect();
        return DocumentDiff { hunks, is_laid_out_anew: true };
    }
    DocumentDiff { hunks: own, is_laid_out_anew: false }
}

fn hunks<'a>(before: &'a str, after: &'a str) -> Hunks<'a> {
    let (old, new): (Vec<&'a str>, Vec<&'a str>) = (before.lines().collect(), after.lines().collect());
    // A comma behind the last element comes and goes with its neighbours, and means nothing.
    fn keys<'t>(lines: &[&'t str]) -> Vec<&'t str> {
        lines.iter().map(|line| line.trim_end().trim_end_matches(',')).collect()
    }
    let (old_keys, new_keys) = (keys(&old), keys(&new));
    let diff = TextDiff::from_slices(&old_keys, &new_keys);
    let line = |change: similar::Change<&str>| {
        let of = |lines: &[&'a str], at: Option<usize>| {
            visible_line(at.and_then(|at| lines.get(at)).copied().unwrap_or_default())
        };
        match change.tag() {
            ChangeTag::Equal => (' ', of(&new, change.new_index())),
            ChangeTag::Delete => ('-', of(&old, change.old_index())),
            ChangeTag::Insert => ('+', of(&new, change.new_index())),
        }
    };
    let groups = diff.grouped_ops(3);
    groups.iter().map(|ops| ops.iter().flat_map(|op| diff.iter_changes(op)).map(line).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_at_the_end_are_no_change() {
        let hunks = diff("[\n  1,\n  2,\n  3\n]", "[\n  1,\n  2\n]").hunks;
        let lines: Vec<String> = hunks.concat().iter().map(|(symbol, line)| format!("{symbol}{line}")).collect();
        assert_eq!(lines, [" [", "   1,", "   2", "-  3", " ]"]);
    }

    #[test]
    fn one_long_line_is_laid_out() {
        let list = |last: &str| format!("{{\"Action\":[\"{}\",\"b\"{last}]}}", "a".repeat(200));
        let (before, after) = (list(",\"c\""), list(""));
        let diff = diff(&before, &after);
        let lines: Vec<String> = diff.hunks.concat().iter().map(|(symbol, line)| format!("{symbol}{line}")).collect();
        assert!(diff.is_laid_out_anew);
        assert_eq!(lines[2..], ["         \"b\"", "-        \"c\"", "     ]", " }"]);
    }
}
