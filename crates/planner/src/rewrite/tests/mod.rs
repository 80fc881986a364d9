//! Tables of whole texts, and properties over documents by chance.

pub(crate) mod documents;
pub(crate) mod evaluator;
mod layouts;
mod patterns;
mod properties;

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::analysis::UnknownName;
use secateur_analyzer::catalog::{ActionSet, Catalog};
use secateur_analyzer::document::PolicyDocument;

use super::{NotActionRewrite, Outcome, Rewriting, Rewritten, Splitting, rewrite};

/// How a test rewrites.
#[derive(Clone, Copy)]
struct How<'a> {
    catalog: &'a Catalog,
    /// Patterns with spaces between, of what is removable; with `!` of what is not after all.
    removable: &'a str,
    /// Names, or whole services as `svc:*`, that the catalogue does not know.
    unknown: &'a str,
    not_action: NotActionRewrite,
    splitting: Splitting,
}

impl How<'_> {
    fn removing(removable: &str) -> How<'_> {
        How {
            catalog: Catalog::embedded(),
            removable,
            unknown: "",
            not_action: NotActionRewrite::Extend,
            splitting: Splitting::Names,
        }
    }

    fn rewrite(&self, text: &str) -> Rewritten {
        let unknown: Vec<UnknownName> = self.unknown.split_whitespace().map(unknown).collect();
        let by = Rewriting {
            catalog: self.catalog,
            removable: &set(self.catalog, self.removable),
            unknown: &unknown,
            not_action: self.not_action,
            splitting: self.splitting,
        };
        rewrite(&PolicyDocument::parse(text).unwrap(), &by)
    }

    /// Rewrites and compares the text; the same text means [`Outcome::Unchanged`], an empty one [`Outcome::Empty`].
    fn check(&self, before: &str, after: &str) {
        let expect = match after {
            "" => Outcome::Empty,
            same if same == before => Outcome::Unchanged,
            other => Outcome::Changed(other.to_owned()),
        };
        assert_eq!(self.rewrite(before).outcome, expect, "\n{before}\nwithout {}", self.removable);
    }
}

pub(crate) fn unknown(text: &str) -> UnknownName {
    match text.split_once(':') {
        Some((service, "*")) => UnknownName::Service(service.to_owned()),
        Some((service, name)) => UnknownName::Action { service: service.to_owned(), name: name.to_owned() },
        None => panic!("{text} has no colon"),
    }
}

fn set(catalog: &Catalog, patterns: &str) -> ActionSet {
    let mut set = catalog.empty_set();
    for pattern in patterns.split_whitespace() {
        match pattern.strip_prefix('!') {
            Some(pattern) => set.difference_with(&catalog.matches(&ActionPattern::new(pattern))),
            None => set.union_with(&catalog.matches(&ActionPattern::new(pattern))),
        }
    }
    set
}

/// A compact document with one Allow statement of this element: `"Action":...`.
fn allow(element: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{element},"Resource":"*"}}]}}"#)
}
