//! The size of a document as IAM counts it.

/// Returns the number of characters that count towards IAM's size quotas.
///
/// White space is not counted (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>). AWS does not
/// say whether that includes white space within strings, so it is counted here: a document is never taken for smaller
/// than it is. `text` must be JSON.
pub fn counted_characters(text: &str) -> usize {
    let mut counted = 0;
    let mut in_string = false;
    let mut escaped = false;
    for byte in text.bytes() {
        // Characters are counted by their first bytes.
        let counts = byte & 0b1100_0000 != 0b1000_0000;
        if in_string {
            counted += usize::from(counts);
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
        } else if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            counted += usize::from(counts);
            in_string = byte == b'"';
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::counted_characters;

    #[test]
    fn white_space_counts_within_strings_only() {
        let check = |text: &str, expect: usize| assert_eq!(counted_characters(text), expect, "{text}");
        check("{ }", 2);
        check("{\n\t\"a b\" : 1 }", 9);
        check(r#"{"a\" b": 1}"#, 11);
        check("\"é\"", 3);
        check("\"\\é \" é\u{2028}x", 8);
    }
}
