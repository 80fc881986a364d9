//! The wildcards of IAM: `*` stands for any characters, `?` for one.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards>.

/// Returns whether the pattern matches the whole text. Case counts.
pub fn matches(pattern: &str, text: &str) -> bool {
    matches_by(pattern, text, |a, b| a == b)
}

/// Returns whether the pattern matches the whole text, whatever the case of ASCII letters.
pub fn matches_folded(pattern: &str, text: &str) -> bool {
    matches_by(pattern, text, |a, b| a.eq_ignore_ascii_case(&b))
}

/// Row by row of the table "does this much of the pattern match that much of the text". Slower than need be, and plain.
fn matches_by(pattern: &str, text: &str, same: impl Fn(char, char) -> bool) -> bool {
    let text: Vec<char> = text.chars().collect();
    // Whether the pattern so far matches the first n characters.
    let mut reached = vec![false; text.len() + 1];
    if let Some(empty) = reached.first_mut() {
        *empty = true;
    }
    for c in pattern.chars() {
        let mut next = Vec::with_capacity(reached.len());
        let mut any_before = false;
        let mut previous = false;
        for (at, &here) in reached.iter().enumerate() {
            any_before |= here;
            let own = at.checked_sub(1).and_then(|at| text.get(at).copied());
            next.push(match c {
                '*' => any_before,
                '?' => previous,
                _ => previous && own.is_some_and(|own| same(c, own)),
            });
            previous = here;
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

/// Returns whether a pattern of an ARN matches an ARN: each of the six parts by itself, so that a star does not reach into
/// the next part. Parts that the pattern lacks may be anything.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN>.
pub fn matches_arn(pattern: &str, arn: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let mut parts = arn.splitn(6, ':');
    let mut own = pattern.splitn(6, ':');
    loop {
        match (own.next(), parts.next()) {
            (Some(own), Some(part)) if matches(own, part) => {}
            (Some(_), _) => return false,
            (None, _) => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expect) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a*", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "abcb", false),
            ("*a*b*", "xaxbx", true),
            ("?", "", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("**?", "x", true),
        ] {
            assert_eq!(matches(pattern, text), expect, "{pattern} {text}");
        }
        assert!(!matches("A", "a") && matches_folded("A*", "aB"));
    }

    #[test]
    fn equal_to_the_definition_on_all_short_texts() {
        fn by_definition(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern.split_first(), text.split_first()) {
                (None, None) => true,
                (Some((b'*', rest)), _) => (0..=text.len()).any(|at| by_definition(rest, &text[at..])),
                (Some((b'?', rest)), Some((_, text))) => by_definition(rest, text),
                (Some((a, rest)), Some((b, text))) => a == b && by_definition(rest, text),
                _ => false,
            }
        }
        let words = |letters: &[u8], longest: u32| -> Vec<Vec<u8>> {
            let base = letters.len();
            let of = |length: u32| {
                (0..base.pow(length)).map(move |mut number| {
                    let digit = |_| {
                        let letter = letters[number % base];
                        number /= base;
                        letter
                    };
                    (0..length).map(digit).collect()
                })
            };
            (0..=longest).flat_map(of).collect()
        };
        for pattern in words(b"ab*?", 4) {
            for text in words(b"ab", 4) {
                let (p, t) = (std::str::from_utf8(&pattern).unwrap(), std::str::from_utf8(&text).unwrap());
                assert_eq!(matches(p, t), by_definition(&pattern, &text), "{p} {t}");
            }
        }
    }

    #[test]
    fn parts_of_arns_are_matched_each_by_itself() {
        assert!(matches_arn("arn:aws:s3:::b/*", "arn:aws:s3:::b/k:x/y"));
        assert!(!matches_arn("arn:aws:sqs:*:111122223333:q", "arn:aws:sqs:eu:west:111122223333:q"));
        assert!(matches_arn("arn:aws:sqs:*:*:*", "arn:aws:sqs:eu-west-1:111122223333:q"));
        assert!(matches_arn("arn:aws:s3", "arn:aws:s3:::b"));
        assert!(!matches_arn("arn:aws:s3:::b", "arn:aws:s3"));
    }
}
