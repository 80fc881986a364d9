//! What a version of a policy allowed on the same terms as the one in force.
//!
//! Terms are what a statement says beside its actions: `Resource`, `Condition` and the like. An action that was allowed on other
//! terms is no older grant: what was moved to another resource yesterday has had no time to be used there. Whatever cannot be
//! compared exactly counts for other terms.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::grant::document_of;
use crate::account::PolicyVersion;
use crate::catalog::{ActionSet, Catalog};
use crate::document::{Effect, PolicyDocument, Statement};

/// What the version in force allows, statement by statement.
pub(super) struct InForce<'c> {
    catalog: &'c Catalog,
    version: Option<Value>,
    allows: Vec<(ActionSet, Option<Terms>)>,
}

/// What a statement says beside its actions.
#[derive(Debug, PartialEq)]
struct Terms {
    resources: BTreeSet<String>,
    others: Map<String, Value>,
}

impl<'c> InForce<'c> {
    pub(super) fn new(catalog: &'c Catalog, document: &PolicyDocument) -> InForce<'c> {
        let (version, allows) = statements(catalog, document);
        InForce { catalog, version, allows }
    }

    /// The catalogue's actions that some Allow statement is about, whatever its terms.
    pub(super) fn allowed(&self) -> ActionSet {
        let mut set = self.catalog.empty_set();
        self.allows.iter().for_each(|(actions, _)| set.union_with(actions));
        set
    }

    /// What this version allowed too, wherever it is allowed now, and no Deny of it was about: with a Deny nobody could use it,
    /// or not all of it.
    pub(super) fn steady_in(&self, version: &PolicyVersion) -> ActionSet {
        let is_plain = |document: &&PolicyDocument| document.irregularities.is_empty();
        let Some(document) = document_of(version).filter(is_plain) else { return self.catalog.empty_set() };
        let mut steady = self.allowed();
        let (language, then) = statements(self.catalog, document);
        if language != self.version {
            return self.catalog.empty_set();
        }
        for (now, terms) in &self.allows {
            let mut new = now.clone();
            for (old, old_terms) in &then {
                if let (Some(terms), Some(old_terms)) = (terms, old_terms)
                    && old_terms.include(terms)
                {
                    new.difference_with(old);
                }
            }
            steady.difference_with(&new);
        }
        for denied in document.statements.iter().filter(|statement| statement.effect == Effect::Deny) {
            steady.difference_with(&self.catalog.covered(&denied.actions));
        }
        steady
    }
}

/// The document's [`language`], and its Allow statements.
fn statements(catalog: &Catalog, document: &PolicyDocument) -> (Option<Value>, Vec<(ActionSet, Option<Terms>)>) {
    let allows = document.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let one = |statement: &Statement| {
        let terms = document.text().get(statement.span.clone()).and_then(Terms::of);
        (catalog.covered(&statement.actions), terms)
    };
    (language(document), allows.map(one).collect())
}

impl Terms {
    /// The terms of a statement, or none where they cannot be compared.
    fn of(text: &str) -> Option<Terms> {
        let mut others: Map<String, Value> = serde_json::from_str(text).ok()?;
        for name in ["Sid", "Effect", "Action", "NotAction"] {
            others.remove(name);
        }
        let resources = match others.remove("Resource") {
            None => BTreeSet::new(),
            Some(Value::String(one)) => BTreeSet::from([one]),
            Some(Value::Array(list)) => {
                let one = |value: Value| match value {
                    Value::String(text) => Some(text),
                    _ => None,
                };
                list.into_iter().map(one).collect::<Option<_>>()?
            }
            Some(_) => return None,
        };
        others.values().all(is_exact).then_some(Terms { resources, others })
    }

    /// Whether whatever the other terms let through these did too.
    fn include(&self, other: &Terms) -> bool {
        self.others == other.others
            && self.resources.is_empty() == other.resources.is_empty()
            && (self.resources.contains("*") || self.resources.is_superset(&other.resources))
    }
}

/// Whether all numbers of a value can be compared exactly.
pub(super) fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_f64(),
        Value::Array(list) => list.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        _ => true,
    }
}

/// The Deny statements of a document, each without its name and with the document's `Version`; none where one of them cannot be
/// compared.
pub(super) fn denies(document: &PolicyDocument) -> Option<Vec<(Option<Value>, Value)>> {
    let denies = document.statements.iter().filter(|statement| statement.effect == Effect::Deny);
    let language = language(document);
    let one = |statement: &Statement| {
        let mut value: Value = serde_json::from_str(document.text().get(statement.span.clone())?).ok()?;
        value.as_object_mut()?.remove("Sid");
        is_exact(&value).then_some((language.clone(), value))
    };
    denies.map(one).collect()
}

/// The document's `Version`, which says what its variables mean. See
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>.
pub(super) fn language(document: &PolicyDocument) -> Option<Value> {
    let whole: Option<Map<String, Value>> = serde_json::from_str(document.text()).ok();
    whole.and_then(|mut whole| whole.remove("Version"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Document;
    use crate::time::UnixTime;

    fn version(statements: &str) -> PolicyVersion {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
        whole(&text)
    }

    fn whole(text: &str) -> PolicyVersion {
        PolicyVersion { id: "v1".to_owned(), created: Some(UnixTime(0)), document: Some(Document::new(text)) }
    }

    /// The names that `then` allowed on the terms of `now`.
    fn check(now: &PolicyVersion, then: &PolicyVersion, expect: &[&str]) {
        let catalog = Catalog::embedded();
        let in_force = InForce::new(catalog, document_of(now).unwrap());
        let found: Vec<String> = in_force.steady_in(then).iter().map(|id| catalog.full_name(id)).collect();
        assert_eq!(found, expect);
    }

    const A: &str =
        r#"{"Sid": "A", "Effect": "Allow", "Action": ["sqs:SendMessage", "s3:GetObject"], "Resource": ["b", "a"]}"#;

    #[test]
    fn other_actions_order_and_names_are_the_same_terms() {
        let then = r#"{"Effect": "Allow", "Resource": ["a", "b", "c"], "Action": ["s3:Get*"]}"#;
        check(&version(A), &version(then), &["s3:GetObject"]);
        check(&version(A), &version(&then.replace(r#"["a", "b", "c"]"#, r#""*""#)), &["s3:GetObject"]);
        check(&version(A), &version(A), &["s3:GetObject", "sqs:SendMessage"]);
    }

    #[test]
    fn other_resources_conditions_and_versions_are_other_terms() {
        for then in [
            r#"{"Effect": "Allow", "Resource": "a", "Action": "*"}"#,
            r#"{"Effect": "Allow", "NotResource": "c", "Action": "*"}"#,
            r#"{"Effect": "Allow", "Resource": "*", "Action": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}"#,
        ] {
            check(&version(A), &version(then), &[]);
        }
        check(&version(A), &whole(&format!(r#"{{"Version": "2008-10-17", "Statement": {A}}}"#)), &[]);
    }

    #[test]
    fn what_is_allowed_twice_must_have_been_allowed_twice() {
        let twice = format!(r#"{A}, {{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "d"}}"#);
        check(&version(&twice), &version(A), &["sqs:SendMessage"]);
        check(&version(&twice), &version(&twice), &["s3:GetObject", "sqs:SendMessage"]);
    }

    #[test]
    fn a_deny_is_no_grant() {
        let denied = format!(r#"{A}, {{"Effect": "Deny", "Action": "s3:*", "Resource": "x"}}"#);
        check(&version(A), &version(&denied), &["sqs:SendMessage"]);
    }
}
