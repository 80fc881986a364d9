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
#[inline]
fn prefix(bytes: &[u8], is_of_kind: impl Fn(u8) -> bool) -> usize {
    let (chunks, rest) = bytes.as_chunks::<CHUNK>();
    let mut passed = 0;
    for chunk in chunks {
        // Without a way out in between, the bytes of a chunk are compared at once; the lowest bit that is set is in the first
        // byte of another kind.
        let mut others = [0; CHUNK];
        for (other, byte) in others.iter_mut().zip(chunk) {
            *other = u8::from(!is_of_kind(*byte));
        }
        let others = u128::from_le_bytes(others);
        if others != 0 {
            return passed + others.trailing_zeros() as usize / 8;
        }
        passed += CHUNK;
    }
    passed + rest.iter().take_while(|byte| is_of_kind(**byte)).count()
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
