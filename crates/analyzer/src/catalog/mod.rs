//! The catalogue of AWS actions: names, access levels, and whether IAM reports their last use.
//!
//! Facts only, from AWS's service reference
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/service-reference.html>), embedded as tab-separated
//! tables and parsed once, on first use. Names that the catalogue does not know are kept by all who ask it.

mod dates;
mod index;
mod load;
mod matching;
mod rebuild;
mod regions;
mod runtime;
pub mod service_reference;
mod set;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub use dates::CatalogDates;
pub use load::CatalogError;
pub use rebuild::{CatalogChanges, updated_resource_types};
pub use regions::Regions;
pub use runtime::RuntimeActions;
pub use set::ActionSet;

use index::NameIndex;

use crate::action::ActionPattern;
use crate::document::{Sha256, sha256_of};
use crate::time::UnixTime;

/// An action of one [`Catalog`], by its place there; meaningless in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(u32);

/// A service of one [`Catalog`], by its place there; meaningless in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(u16);

/// What an action can do, in AWS's own five levels.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessLevel {
    /// Sees that a resource exists.
    List,
    /// Reads a resource's content or attributes.
    Read,
    /// Changes tags only.
    Tagging,
    /// Creates, changes or deletes a resource.
    Write,
    /// Grants or changes permissions.
    Permissions,
    /// The catalogue does not know.
    Unknown,
}

/// Whether IAM reports an action's last use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracked {
    /// It does; `since` is when AWS was first seen to do so, where that is later than the documented start.
    Yes {
        /// The first day, in UTC, on which the action was seen as tracked.
        since: Option<UnixTime>,
    },
    /// It does not.
    No,
    /// The catalogue does not know: the action is newer than its snapshot of this fact.
    Unknown,
}

/// The catalogue.
#[derive(Debug)]
pub struct Catalog {
    /// The table of actions, in its own case and folded; names are ranges of both.
    text: Cow<'static, str>,
    folded: String,
    services: Vec<Service>,
    actions: Vec<Row>,
    by_name: NameIndex,
    services_by_name: NameIndex,
    related: Vec<ActionId>,
    dates: CatalogDates,
    regions: Regions,
    runtime: RuntimeActions,
    sha256: OnceLock<Sha256>,
    /// The actions of [`crate::risk::ESCALATIONS`].
    escalations: OnceLock<ActionSet>,
    /// Those that services call on a principal's behalf, of KMS.
    kms_data_plane: OnceLock<ActionSet>,
}

#[derive(Debug)]
struct Service {
    name: Range<usize>,
    actions: Range<u32>,
}

#[derive(Debug)]
struct Row {
    service: ServiceId,
    name: Range<usize>,
    access_level: AccessLevel,
    tracked: Tracked,
    resource_types: Range<usize>,
    related: Range<usize>,
}

impl ActionId {
    /// Returns the place in an [`ActionSet`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ServiceId {
    /// Returns the place among the services.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl AccessLevel {
    /// Returns the level as the tables and the plan spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            AccessLevel::List => "list",
            AccessLevel::Read => "read",
            AccessLevel::Tagging => "tagging",
            AccessLevel::Write => "write",
            AccessLevel::Permissions => "permissions",
            AccessLevel::Unknown => "unknown",
        }
    }
}

impl Catalog {
    /// Returns the catalogue that this build of secateur carries.
    pub fn embedded() -> &'static Catalog {
        Catalog::embedded_arc()
    }

    /// Returns the catalogue that this build of secateur carries, shared.
    pub fn shared() -> Arc<Catalog> {
        Arc::clone(Catalog::embedded_arc())
    }

    fn embedded_arc() -> &'static Arc<Catalog> {
        static EMBEDDED: OnceLock<Arc<Catalog>> = OnceLock::new();
        EMBEDDED.get_or_init(|| Arc::new(load::embedded()))
    }

    /// Reads a table of actions in the form of `crates/analyzer/catalog/actions.tsv`.
    ///
    /// # Errors
    /// When the table is malformed; the error names the line.
    pub fn from_actions(actions: String, dates: CatalogDates) -> Result<Catalog, CatalogError> {
        load::catalog(Cow::Owned(actions), dates)
    }

    /// Returns how many actions there are.
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Returns whether there are no actions.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Returns the days that the facts are from.
    pub fn dates(&self) -> CatalogDates {
        self.dates
    }

    /// Returns the SHA-256 of the table of actions.
    pub fn sha256(&self) -> Sha256 {
        *self.sha256.get_or_init(|| sha256_of(self.text.as_bytes()))
    }

    /// Returns the table of actions, in the form of `crates/analyzer/catalog/actions.tsv`.
    pub fn actions_table(&self) -> &str {
        &self.text
    }

    /// Returns the Regions that provide last-accessed data.
    pub fn regions(&self) -> &Regions {
        &self.regions
    }

    /// Returns the actions that services perform with the roles they run under.
    pub fn runtime(&self) -> &RuntimeActions {
        &self.runtime
    }

    /// Returns the service with that prefix, in any case.
    pub fn service(&self, prefix: &str) -> Option<ServiceId> {
        let is_it = |number: u32| {
            let service = self.services.get(number as usize);
            service.is_some_and(|service| self.is_name(&service.name, prefix))
        };
        self.services_by_name.find(prefix, "", is_it).and_then(|at| u16::try_from(at).ok()).map(ServiceId)
    }

    /// Returns the action with that name, in any case.
    pub fn action(&self, service: &str, name: &str) -> Option<ActionId> {
        let is_it = |number: u32| {
            let row = self.actions.get(number as usize);
            let own_service = row.and_then(|row| self.services.get(row.service.index()));
            row.is_some_and(|row| self.is_name(&row.name, name))
                && own_service.is_some_and(|own| self.is_name(&own.name, service))
        };
        self.by_name.find(service, name, is_it).map(ActionId)
    }

    /// Returns the action that a pattern names without a wildcard.
    pub fn named(&self, pattern: &ActionPattern) -> Option<ActionId> {
        let (service, name) = pattern.folded().split_once(':')?;
        self.action(service, name)
    }

    /// Returns the service's action with that name, in any case.
    pub fn action_of(&self, service: ServiceId, name: &str) -> Option<ActionId> {
        let service = self.services.get(service.index())?;
        self.action(self.folded_text(&service.name), name)
    }

    /// Returns the service's action with that name, in any case; quickly, where it comes soon after `last`, as it does in
    /// lists that are in order.
    pub fn action_after(&self, service: ServiceId, last: Option<ActionId>, name: &str) -> Option<ActionId> {
        const NEAR: usize = 8;
        let range = self.services.get(service.index())?.actions.clone();
        let start = last.map_or(range.start, |last| last.0.saturating_add(1)).max(range.start);
        let mut near = (start..range.end).take(NEAR);
        let is_it = |at: &u32| self.actions.get(*at as usize).is_some_and(|row| self.own_text(&row.name) == name);
        near.find(is_it).map(ActionId).or_else(|| self.action_of(service, name))
    }

    /// Returns the action written `service:name`, in any case.
    pub fn parse_action(&self, text: &str) -> Option<ActionId> {
        let (service, name) = text.split_once(':')?;
        self.action(service, name)
    }

    /// Returns all services in order.
    pub fn services(&self) -> impl Iterator<Item = ServiceId> + '_ {
        (0..self.services.len()).filter_map(|index| u16::try_from(index).ok().map(ServiceId))
    }

    /// Returns all actions in order: by service, then by name in lower case.
    pub fn actions(&self) -> impl Iterator<Item = ActionId> + use<> {
        let len = u32::try_from(self.actions.len()).unwrap_or(u32::MAX);
        (0..len).map(ActionId)
    }

    /// Returns the service's actions in order.
    pub fn actions_of(&self, service: ServiceId) -> impl Iterator<Item = ActionId> + use<> {
        self.services.get(service.index()).map_or(0..0, |service| service.actions.clone()).map(ActionId)
    }

    /// Returns where the service's actions stand.
    pub(crate) fn range_of(&self, service: ServiceId) -> Range<ActionId> {
        let range = self.services.get(service.index()).map_or(0..0, |service| service.actions.clone());
        ActionId(range.start)..ActionId(range.end)
    }

    /// Returns the service's prefix.
    pub fn service_prefix(&self, service: ServiceId) -> &str {
        self.services.get(service.index()).map_or("", |service| self.own_text(&service.name))
    }

    /// Returns the service of an action.
    pub fn service_of(&self, id: ActionId) -> ServiceId {
        self.row(id).map_or(ServiceId(0), |row| row.service)
    }

    /// Returns the action's name without its service, in AWS's case.
    pub fn name(&self, id: ActionId) -> &str {
        self.row(id).map_or("", |row| self.own_text(&row.name))
    }

    /// Returns the action's name without its service, in lower case.
    pub fn folded_name(&self, id: ActionId) -> &str {
        self.row(id).map_or("", |row| self.folded_text(&row.name))
    }

    /// Returns `service:Name`.
    pub fn full_name(&self, id: ActionId) -> String {
        let (service, name) = (self.service_prefix(self.service_of(id)), self.name(id));
        let mut full = String::with_capacity(service.len() + 1 + name.len());
        full.push_str(service);
        full.push(':');
        full.push_str(name);
        full
    }

    /// Returns the action's access level.
    pub fn access_level(&self, id: ActionId) -> AccessLevel {
        self.row(id).map_or(AccessLevel::Unknown, |row| row.access_level)
    }

    /// Returns whether IAM reports the action's last use.
    pub fn tracked(&self, id: ActionId) -> Tracked {
        self.row(id).map_or(Tracked::Unknown, |row| row.tracked)
    }

    /// Returns the KMS actions that services call on a principal's behalf, found when they are first asked for.
    pub(crate) fn kms_data_plane(&self, find: impl FnOnce() -> ActionSet) -> &ActionSet {
        self.kms_data_plane.get_or_init(find)
    }

    /// Returns those of the actions with these names that there are, found when they are first asked for.
    pub(crate) fn escalations(&self, names: impl Iterator<Item = &'static str>) -> &ActionSet {
        self.escalations.get_or_init(|| {
            let mut set = self.empty_set();
            names.filter_map(|name| self.parse_action(name)).for_each(|id| {
                set.insert(id);
            });
            set
        })
    }

    /// Returns the names of the resource types that the action works on.
    pub fn resource_types(&self, id: ActionId) -> impl Iterator<Item = &str> {
        self.row(id).map_or("", |row| self.own_text(&row.resource_types)).split(',').filter(|name| !name.is_empty())
    }

    /// Returns the actions that AWS checks on the way of this one: its dependent and its implied actions.
    pub fn related(&self, id: ActionId) -> &[ActionId] {
        self.row(id).and_then(|row| self.related.get(row.related.clone())).unwrap_or_default()
    }

    /// Returns an empty set for this catalogue.
    pub fn empty_set(&self) -> ActionSet {
        ActionSet::empty(self.actions.len())
    }

    /// Returns the set of all actions.
    pub fn full_set(&self) -> ActionSet {
        ActionSet::full(self.actions.len())
    }

    fn row(&self, id: ActionId) -> Option<&Row> {
        self.actions.get(id.index())
    }

    /// The action's `service` and `name` as they stand in the table, with a tab between them, in lower case.
    fn folded_line(&self, id: ActionId) -> &str {
        let Some(row) = self.row(id) else { return "" };
        let prefix = self.services.get(row.service.index()).map_or(0, |service| service.name.len());
        self.folded.get(row.name.start.saturating_sub(prefix + 1)..row.name.end).unwrap_or_default()
    }

    /// Whether that is the name, in any case: mostly its own or lower case, which is seen at once.
    fn is_name(&self, own: &Range<usize>, name: &str) -> bool {
        let folded = self.folded_text(own);
        folded == name || self.own_text(own) == name || folded.eq_ignore_ascii_case(name)
    }

    fn own_text(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    fn folded_text(&self, range: &Range<usize>) -> &str {
        self.folded.get(range.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
