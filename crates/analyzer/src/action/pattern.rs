//! One pattern of an `Action` or `NotAction` element.

use std::fmt;
use std::sync::Arc;

use super::relation;
use crate::wildcard;

/// An action pattern such as `s3:Get*`, matched without regard to case and printed as the author wrote it.
///
/// `*` matches any text and `?` any one character. A text that AWS would refuse (no colon, say) is a pattern too: it
/// matches no action, so it stays as written. See
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>.
#[derive(Clone)]
pub struct ActionPattern {
    written: Arc<str>,
    folded: Arc<str>,
}

impl ActionPattern {
    /// Returns the pattern that `written` stands for; any text is one.
    pub fn new(written: &str) -> ActionPattern {
        let written: Arc<str> = written.into();
        let folded = if written.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let mut folded: Arc<str> = (&*written).into();
            // Nobody else has it yet.
            Arc::get_mut(&mut folded).into_iter().for_each(str::make_ascii_lowercase);
            folded
        } else {
            Arc::clone(&written)
        };
        ActionPattern { written, folded }
    }

    /// Returns the pattern as the author wrote it.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Returns the pattern in lower case.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Returns the service part in lower case, which may hold wildcards; `*` for the pattern `*`; empty without a colon.
    pub fn service(&self) -> &str {
        match self.folded.split_once(':') {
            Some((service, _)) => service,
            None if &*self.folded == "*" => "*",
            None => "",
        }
    }

    /// Returns the action part in lower case; `*` for the pattern `*`; empty without a colon.
    pub fn action(&self) -> &str {
        match self.folded.split_once(':') {
            Some((_, action)) => action,
            None if &*self.folded == "*" => "*",
            None => "",
        }
    }

    /// Returns whether the pattern holds a `*` or a `?`.
    pub fn has_wildcard(&self) -> bool {
        self.folded.bytes().any(|byte| matches!(byte, b'*' | b'?'))
    }

    /// Returns whether the pattern matches `service:action`; both must be in lower case.
    pub fn matches_folded(&self, service: &str, action: &str) -> bool {
        match self.folded.split_once(':') {
            // A colon in the pattern can only stand for the colon of the name, unless a star before it swallows that one.
            Some((own_service, own_action)) if !own_service.contains('*') && !own_action.contains(':') => {
                wildcard::matches(own_service.as_bytes(), service.as_bytes())
                    && wildcard::matches(own_action.as_bytes(), action.as_bytes())
            }
            _ => wildcard::matches(self.folded.as_bytes(), format!("{service}:{action}").as_bytes()),
        }
    }

    /// Returns whether the pattern matches the action `name` (`s3:GetObject`), in any case.
    pub fn matches(&self, name: &str) -> bool {
        wildcard::matches(self.folded.as_bytes(), name.to_ascii_lowercase().as_bytes())
    }

    /// Returns whether every text that `other` matches is matched by this pattern, case folded.
    ///
    /// A `true` is exact. A `false` may also mean that the question was too hard: patterns with many `?` behind a `*` can
    /// need exponentially many steps, and the search is bounded. Whoever asks must treat `false` as "not shown".
    pub fn includes(&self, other: &ActionPattern) -> bool {
        relation::includes(&self.folded, &other.folded)
    }

    /// Returns whether no text is matched by both patterns, case folded; exact.
    pub fn is_disjoint(&self, other: &ActionPattern) -> bool {
        relation::is_disjoint(&self.folded, &other.folded)
    }
}

/// Equal when they match the same by letter: case is folded, and nothing else.
impl PartialEq for ActionPattern {
    fn eq(&self, other: &ActionPattern) -> bool {
        self.folded == other.folded
    }
}

impl Eq for ActionPattern {}

impl fmt::Display for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Debug for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.written)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same language, by another engine.
    fn twin(pattern: &str) -> regex_lite::Regex {
        let mut regex = String::from("(?is)^");
        for c in pattern.chars() {
            match c {
                '*' => regex.push_str(".*"),
                '?' => regex.push('.'),
                other => regex.push_str(&regex_lite::escape(&other.to_string())),
            }
        }
        regex.push('$');
        regex_lite::Regex::new(&regex).unwrap()
    }

    proptest! {
        #[test]
        fn matching_agrees_with_a_regex(pattern in "[abA:*?.]{0,8}", text in "[abB:.]{0,10}") {
            let expect = twin(&pattern).is_match(&text);
            prop_assert_eq!(ActionPattern::new(&pattern).matches(&text), expect);
        }

        #[test]
        fn matching_in_two_parts_agrees_with_a_regex(pattern in "[ab:*?]{0,7}", service in "[ab]{1,3}", action in "[ab]{1,4}") {
            let expect = twin(&pattern).is_match(&format!("{service}:{action}"));
            prop_assert_eq!(ActionPattern::new(&pattern).matches_folded(&service, &action), expect);
        }
    }

    #[test]
    fn parts_of_a_pattern() {
        let check = |text: &str, service: &str, action: &str| {
            let pattern = ActionPattern::new(text);
            assert_eq!((pattern.service(), pattern.action(), pattern.as_str()), (service, action, text));
        };
        check("S3:Get*", "s3", "get*");
        check("*", "*", "*");
        check("*:*", "*", "*");
        check("s3", "", "");
    }
}
