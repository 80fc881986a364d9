//! What stands for itself in JSON.

/// How many bytes are looked at as one: few enough for short strings, and as many as a processor compares at once.
const CHUNK: usize = 16;

/// Returns how long the beginning of `text` is that stands for itself in a JSON string: up to the first quote, backslash or
/// control character.
#[inline]
pub fn plain_prefix(text: &str) -> usize {
    prefix(text.as_bytes(), |byte| !matches!(byte, b'"' | b'\\' | ..=0x1f))
}

/// Returns how long the white space is that `text` begins with, as JSON knows white space.
#[inline]
pub fn white_prefix(text: &str) -> usize {
    let is_white = |byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    // Mostly there is none.
    if text.bytes().next().is_some_and(is_white) { prefix(text.as_bytes(), is_white) } else { 0 }
}

/// How many bytes there are before the first that is not of a kind.
fn prefix(bytes: &[u8], is_of_kind: impl Fn(u8) -> bool) -> usize {
    let (chunks, _) = bytes.as_chunks::<CHUNK>();
    // Without a way out in between, the bytes of a chunk are compared at once.
    let are_of_kind = |chunk: &&[u8; CHUNK]| chunk.iter().fold(true, |all, byte| all & is_of_kind(*byte));
    let whole = chunks.iter().take_while(are_of_kind).count() * CHUNK;
    let rest = bytes.get(whole..).unwrap_or_default();
    whole + rest.iter().take_while(|byte| is_of_kind(**byte)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn prefixes_end_where_they_must(before in r#"[a é!\]]{0,40}"#, white in "[ \n\r\t]{0,40}", after in r#"["\\\n\u{1f}\u{7f} a]{0,20}"#) {
            let text = before + &after;
            let is_special = |c: char| matches!(c, '"' | '\\' | ..='\u{1f}');
            prop_assert_eq!(plain_prefix(&text), text.find(is_special).unwrap_or(text.len()));
            let text = white + &text;
            let is_other = |c: char| !matches!(c, ' ' | '\n' | '\r' | '\t');
            prop_assert_eq!(white_prefix(&text), text.find(is_other).unwrap_or(text.len()));
        }
    }
}
