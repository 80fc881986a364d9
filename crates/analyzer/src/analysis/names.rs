//! Names that the catalogue does not know, and that must not be lost when a pattern is replaced by names.

use std::collections::BTreeMap;

use super::Analysis;
use crate::account::ServiceKey;
use crate::catalog::Catalog;
use crate::document::PolicyDocument;
use crate::graph::{Holder, PolicyId};
use crate::verdict::HolderEvidence;

/// Something that a pattern may match and that the catalogue does not know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnknownName {
    /// An action, with its service, as a policy or a report writes it.
    Action {
        /// The service's prefix.
        service: String,
        /// The action's name.
        name: String,
    },
    /// A whole service, of which a report tells that the holder may use it.
    Service(String),
}

/// The unknown names that matter for one policy, in order; one spelling of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameUniverse {
    /// The names.
    pub names: Vec<UnknownName>,
}

impl Analysis<'_> {
    /// Returns the unknown names that occur in the policy's document, or in the report of one of its holders.
    pub fn unknown_names(&self, policy: PolicyId, document: &PolicyDocument) -> NameUniverse {
        let holders = self.policy(policy).map(|policy| policy.holders.as_slice()).unwrap_or_default();
        self.unknown_names_of(holders, document)
    }

    /// Returns the unknown names that occur in a document, or in the report of one of these of its holders.
    pub fn unknown_names_of(&self, holders: &[Holder], document: &PolicyDocument) -> NameUniverse {
        let mut names = BTreeMap::new();
        let catalog = self.catalog();
        of_document(catalog, document, &mut names);
        for holder in holders {
            let Some(principal) = self.principal(holder.principal) else { continue };
            principal.unknown.iter().for_each(|name| insert(&mut names, name.clone()));
        }
        NameUniverse { names: names.into_values().collect() }
    }
}

/// The names in a principal's report that the catalogue does not know, in the report's order.
pub(super) fn of_report(catalog: &Catalog, evidence: &HolderEvidence<'_>) -> Vec<UnknownName> {
    let mut names = Vec::new();
    let Ok((report, _)) = evidence.report() else { return names };
    for row in &report.services {
        let service = match &row.service {
            ServiceKey::Unknown(service) => {
                names.push(UnknownName::Service(service.to_string()));
                service
            }
            ServiceKey::Known(service) => catalog.service_prefix(*service),
        };
        names.extend(row.unknown_actions.iter().map(|(name, _)| sane(service.to_owned(), name.to_string())));
    }
    names
}

fn of_document(catalog: &Catalog, document: &PolicyDocument, names: &mut BTreeMap<String, UnknownName>) {
    for entry in document.statements.iter().flat_map(|statement| &statement.actions.list().entries) {
        if entry.pattern.has_wildcard() {
            // Who names a service that the catalogue does not know means all that the pattern may match of it.
            let service = entry.pattern.as_str().split_once(':').map_or("", |(service, _)| service);
            if is_sane(service) && catalog.service(service).is_none() {
                insert(names, UnknownName::Service(service.to_owned()));
            }
            continue;
        }
        if catalog.named(&entry.pattern).is_some() {
            continue;
        }
        if let Some((service, name)) = entry.pattern.as_str().split_once(':') {
            insert(names, UnknownName::Action { service: service.to_owned(), name: name.to_owned() });
        }
    }
}

/// A name that a policy can bear. Of any other nothing can be written, so the whole service stays.
fn sane(service: String, name: String) -> UnknownName {
    if is_sane(&name) { UnknownName::Action { service, name } } else { UnknownName::Service(service) }
}

/// Whether a policy can name a service or an action so.
fn is_sane(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn insert(names: &mut BTreeMap<String, UnknownName>, name: UnknownName) {
    let key = match &name {
        UnknownName::Action { service, name } => format!("{service}:{name}"),
        UnknownName::Service(service) => format!("{service}:*"),
    };
    names.entry(key.to_ascii_lowercase()).or_insert(name);
}
