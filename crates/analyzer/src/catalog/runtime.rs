//! The actions that services perform with the roles they run under.

use std::collections::BTreeMap;

use super::load::CatalogError;
use super::{ActionId, Catalog};

const RUNTIME: &str = include_str!("../../catalog/runtime.tsv");

/// By trusted service, the actions that it performs with the role it runs under and whose recording nobody documents.
#[derive(Clone, Debug, Default)]
pub struct RuntimeActions {
    by_service: BTreeMap<&'static str, Vec<ActionId>>,
}

impl RuntimeActions {
    pub(super) fn embedded(catalog: &Catalog) -> Result<RuntimeActions, CatalogError> {
        let mut by_service = BTreeMap::new();
        for (index, line) in RUNTIME.lines().enumerate().skip(1) {
            let (service, names) = line
                .split_once('\t')
                .ok_or_else(|| CatalogError::new("runtime.tsv", index + 1, "a service and its actions are needed"))?;
            // A name that a newer catalogue no longer has needs no protection: it is unknown, and kept for that.
            let actions = names.split(',').filter_map(|name| catalog.parse_action(name)).collect();
            by_service.insert(service, actions);
        }
        Ok(RuntimeActions { by_service })
    }

    /// Returns the actions for a service principal; none for a service that is not listed.
    ///
    /// A service principal may bear a Region (`states.eu-west-1.amazonaws.com`) or the domain of another partition
    /// (`lambda.amazonaws.com.cn`): it is the same service.
    pub fn of(&self, service_principal: &str) -> &[ActionId] {
        self.by_service
            .iter()
            .find(|(service, _)| same_service(service, service_principal))
            .map_or(&[], |(_, actions)| actions)
    }

    /// Returns the actions of every service in the table.
    pub fn all(&self) -> impl Iterator<Item = ActionId> + '_ {
        self.by_service.values().flatten().copied()
    }
}

fn same_service(listed: &str, principal: &str) -> bool {
    let first = |text: &str| text.split('.').next().unwrap_or_default().to_ascii_lowercase();
    first(listed) == first(principal)
}
