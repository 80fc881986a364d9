//! Words for readers: names made harmless, plurals, wrapped lists.

use std::borrow::Cow;

/// Returns the text with characters that a terminal would act on, or that would reorder what stands around them, spelled
/// out. Names and documents come from an account that others may influence.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_harmless = |c: char| !c.is_control() && !is_invisible(c);
    // Nearly all there is.
    if is_printable_ascii(text) {
        return Cow::Borrowed(text);
    }
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let spell = |c: char| if is_harmless(c) { c.to_string() } else { c.escape_unicode().to_string() };
    Cow::Owned(text.chars().map(spell).collect())
}

/// Whether there are no other characters than a typewriter has. All are looked at, even behind one that is not, so that
/// many are looked at at once.
fn is_printable_ascii(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
}

/// Returns a line of a document, made harmless; a tab stays a tab, and a carriage return at the end is the line's.
pub(super) fn visible_line(line: &str) -> Cow<'_, str> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if !line.contains('\t') {
        return visible(line);
    }
    Cow::Owned(line.split('\t').map(visible).collect::<Vec<_>>().join("\t"))
}

/// Bidirectional controls, zero-width characters, line separators, tags.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// Returns `1 gap`, `2 gaps`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Returns a sentence in lines of at most `width` characters, as far as its words let, each indented.
pub(super) fn folded(text: &str, indent: usize, width: usize) -> String {
    let pad = " ".repeat(indent);
    let mut lines: Vec<String> = Vec::new();
    for word in visible(text).split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{pad}{word}")),
        }
    }
    lines.join("\n")
}

/// Returns the items with commas, in lines of at most `width` characters, each indented.
pub(super) fn wrapped(items: &[String], indent: usize, width: usize) -> String {
    let pad = " ".repeat(indent);
    let mut lines = String::new();
    // The characters of the last line.
    let mut length = 0;
    for (at, item) in items.iter().enumerate() {
        let comma = if at + 1 < items.len() { "," } else { "" };
        let item = visible(item);
        let own = if item.is_ascii() { item.len() } else { item.chars().count() } + comma.len();
        if at > 0 && length + 1 + own <= width {
            lines.push(' ');
            length += 1 + own;
        } else {
            if at > 0 {
                lines.push('\n');
            }
            lines.push_str(&pad);
            length = indent + own;
        }
        lines.push_str(&item);
        lines.push_str(comma);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_spelled_out() {
        let check = |text: &str, expect: &str| assert_eq!(visible(text), expect);
        check("deploy-é", "deploy-é");
        check("a\u{1b}[31mb", "a\\u{1b}[31mb");
        check("a\u{202e}b\u{9b}", "a\\u{202e}b\\u{9b}");
        assert_eq!(visible_line("\t\"a\"\r\n"), "\t\"a\"");
    }

    #[test]
    fn lists_are_wrapped() {
        let items = ["a:B", "c:D", "e:F"].map(str::to_owned);
        assert_eq!(wrapped(&items, 2, 11), "  a:B, c:D,\n  e:F");
        assert_eq!(folded("one two three", 2, 9), "  one two\n  three");
    }
}
