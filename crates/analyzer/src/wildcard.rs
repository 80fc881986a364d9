//! The glob language of IAM: `*` matches any text, `?` any one character, nothing is escaped.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>. The same language
//! serves the globs of `secateur.toml`; there `/` has no special meaning either.

/// Returns whether `pattern` matches the whole of `text`, byte by byte; fold case before the call where it matters.
///
/// Runs in `pattern.len() * text.len()` steps at worst and never recurses.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on after the latest star: the pattern behind it, and the first byte it has not swallowed yet.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(p), text.get(t)) {
            (Some(b'*'), _) => {
                retry = Some((p + 1, t));
                p += 1;
            }
            (Some(b'?'), Some(_)) => (p, t) = (p + 1, t + 1),
            (Some(expected), Some(found)) if expected == found => (p, t) = (p + 1, t + 1),
            (None, None) => return true,
            _ => match retry {
                Some((behind, swallowed)) if swallowed < text.len() => {
                    retry = Some((behind, swallowed + 1));
                    (p, t) = (behind, swallowed + 1);
                }
                _ => return false,
            },
        }
    }
}

/// Returns whether `glob` matches the whole of `text`, without regard to ASCII case.
pub fn matches_ignore_case(glob: &str, text: &str) -> bool {
    matches(glob.to_ascii_lowercase().as_bytes(), text.to_ascii_lowercase().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        let check = |pattern: &str, text: &str, expect: bool| {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expect, "{pattern} {text}");
        };
        check("*", "", true);
        check("", "", true);
        check("", "a", false);
        check("?", "", false);
        check("a*c", "abcbc", true);
        check("a*c", "abcb", false);
        check("*a*b*", "xxaxxbxx", true);
        check("a**b", "ab", true);
        check("a?*", "a", false);
        check("cdk-*-cfn-exec-role*", "cdk-hnb659fds-cfn-exec-role-111122223333-eu-west-1", true);
    }
}
