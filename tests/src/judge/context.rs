//! What a request brings along: the condition keys and their values.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/intro-structure.html#intro-structure-request>.

use std::collections::BTreeMap;

/// Condition keys, whatever their case, with one value or several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    keys: BTreeMap<String, Vec<String>>,
}

/// What a value with `${...}` comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resolved {
    /// A pattern without variables, in which [`literal`] characters stand for themselves.
    Pattern(String),
    /// The request does not say what some variable is: the pattern with those as they are written, and with anything
    /// in their place.
    Open {
        /// With the variables as written.
        written: String,
        /// With a star for each.
        widest: String,
    },
}

impl Context {
    /// Returns a context without keys.
    pub fn new() -> Context {
        Context::default()
    }

    /// Returns the context with one more key.
    #[must_use]
    pub fn with(mut self, key: &str, values: &[&str]) -> Context {
        self.set(key, values.iter().map(|value| (*value).to_owned()).collect());
        self
    }

    /// Sets a key.
    pub fn set(&mut self, key: &str, values: Vec<String>) {
        self.keys.insert(key.to_ascii_lowercase(), values);
    }

    /// Returns the values of a key; none if the request lacks it. A key without values is one that the request lacks.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.keys.get(&key.to_ascii_lowercase()).map(Vec::as_slice).filter(|values| !values.is_empty())
    }

    /// Puts the request's values in the place of variables: `${key}`, `${key, 'otherwise'}`, and `${*}`, `${?}`, `${$}` for the
    /// characters themselves. See
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>.
    pub(super) fn resolve(&self, text: &str) -> Resolved {
        let (mut written, mut widest, mut is_open) = (String::new(), String::new(), false);
        let mut rest = text;
        while let Some((head, tail)) = rest.split_once("${") {
            let Some((name, after)) = tail.split_once('}') else { break };
            written.push_str(head);
            widest.push_str(head);
            match self.variable(name) {
                Some(value) => {
                    written.push_str(&value);
                    widest.push_str(&value);
                }
                None => {
                    is_open = true;
                    written.push_str("${");
                    written.push_str(name);
                    written.push('}');
                    widest.push('*');
                }
            }
            rest = after;
        }
        written.push_str(rest);
        widest.push_str(rest);
        if is_open { Resolved::Open { written, widest } } else { Resolved::Pattern(written) }
    }

    fn variable(&self, name: &str) -> Option<String> {
        if matches!(name, "*" | "?" | "$") {
            return Some(literal(name));
        }
        let (key, otherwise) = match name.split_once(',') {
            Some((key, otherwise)) => (key.trim(), Some(otherwise.trim().trim_matches('\''))),
            None => (name.trim(), None),
        };
        match self.get(key) {
            Some([value]) => Some(literal(value)),
            Some(_) => None,
            None => otherwise.map(literal),
        }
    }
}

/// Wildcards in a variable's value are ordinary characters: they are moved to where no text has them.
pub(super) fn literal(value: &str) -> String {
    value.replace('*', "\u{f8ff}").replace('?', "\u{f8fe}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_where_the_request_knows_them() {
        let context = Context::new().with("aws:username", &["ann"]);
        let pattern = |text: &str| Resolved::Pattern(text.to_owned());
        assert_eq!(context.resolve("home/${aws:UserName}/*"), pattern("home/ann/*"));
        assert_eq!(context.resolve("${aws:x, 'nobody'}"), pattern("nobody"));
        assert_eq!(context.resolve("a${*}"), pattern("a\u{f8ff}"));
        assert_eq!(context.resolve("a${b"), pattern("a${b"));
        let open = Resolved::Open { written: "a${aws:x}b".into(), widest: "a*b".into() };
        assert_eq!(context.resolve("a${aws:x}b"), open);
    }
}
