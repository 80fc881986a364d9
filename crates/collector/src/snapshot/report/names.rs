//! The names of actions, which come in an order that is nearly always the same.

use std::collections::HashMap;

use secateur_analyzer::account::{ServiceKey, ServiceRow};
use secateur_analyzer::catalog::{ActionId, Catalog, ServiceId, Tracked};
use secateur_analyzer::time::UnixTime;

use super::scan::Scan;

/// The names of tracked actions. Those of a service lie side by side, in the order in which AWS lists them, as they are
/// compared.
#[derive(Debug)]
pub(super) struct Names<'a> {
    catalog: &'a Catalog,
    /// The services in the catalogue's own spelling.
    prefixes: HashMap<&'a str, ServiceId>,
    text: String,
    /// Before those of a service there is an empty one.
    names: Vec<Named>,
    /// By service, a list of which nothing is read yet; none before the service's first one.
    services: Vec<Option<List>>,
}

/// An action, and where its name stands in the text.
#[derive(Clone, Copy, Debug)]
struct Named {
    action: Option<ActionId>,
    from: u32,
    to: u32,
    /// What came behind this one, where that was not the next one.
    jump: usize,
}

/// How far the list of a service is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct List {
    /// Where the names of the service begin: the empty one.
    start: usize,
    /// The name that came last; at first the empty one.
    last: usize,
    /// Where the names of the service end.
    end: usize,
}

/// The name of an action.
pub(super) enum Name<'t> {
    /// The one that was expected, in the catalogue's own spelling.
    Expected(ActionId),
    Other(&'t str),
}

impl<'a> Names<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Names<'a> {
        let prefixes: HashMap<_, _> = catalog.services().map(|id| (catalog.service_prefix(id), id)).collect();
        let services = vec![None; catalog.services().count()];
        Names { catalog, prefixes, text: String::new(), names: Vec::new(), services }
    }

    /// Returns the row of `namespace`, still without actions.
    pub(super) fn row(&self, namespace: &str, last_authenticated: Option<UnixTime>) -> ServiceRow {
        match self.prefixes.get(namespace) {
            Some(service) => ServiceRow::of(ServiceKey::Known(*service), last_authenticated),
            None => ServiceRow::new(self.catalog, namespace, last_authenticated),
        }
    }

    /// The beginning of a list of the row's service.
    pub(super) fn list(&mut self, row: &ServiceRow) -> List {
        let ServiceKey::Known(service) = row.service else { return List::default() };
        match self.services.get(service.index()) {
            Some(Some(list)) => *list,
            _ => self.meet(service),
        }
    }

    fn meet(&mut self, service: ServiceId) -> List {
        let catalog = self.catalog;
        let is_listed = |action: &ActionId| catalog.tracked(*action) != Tracked::No;
        let mut actions: Vec<ActionId> = catalog.actions_of(service).filter(is_listed).collect();
        actions.sort_unstable_by_key(|action| catalog.name(*action));
        let start = self.names.len();
        for action in std::iter::once(None).chain(actions.into_iter().map(Some)) {
            let from = self.text.len();
            self.text.push_str(action.map_or("", |action| catalog.name(action)));
            // A catalogue of more text than this is none; its names are not found here, and left to the catalogue.
            let [from, to] = [from, self.text.len()].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
            self.names.push(Named { action, from, to, jump: start });
        }
        let list = List { start, last: start, end: self.names.len() };
        if let Some(place) = self.services.get_mut(service.index()) {
            *place = Some(list);
        }
        list
    }

    /// Passes over the name that comes next in the list, or that came next when it was there before, and over what stands
    /// behind it; if that is what comes next.
    #[inline]
    pub(super) fn takes_expected(&self, scan: &mut Scan<'_>, list: &mut List, behind: &str) -> Option<ActionId> {
        let jump = self.names.get(list.last)?.jump;
        for at in [list.last + 1, jump] {
            if at < list.end
                && let Some(named) = self.names.get(at)
                && let Some(action) = named.action
            {
                let mut ahead = *scan;
                if ahead.takes_exactly(self.text(named)) && ahead.takes_exactly(behind) {
                    (*scan, list.last) = (ahead, at);
                    return Some(action);
                }
            }
        }
        None
    }

    /// Reads the name of an action, from its first character on.
    pub(super) fn read<'t>(&self, scan: &mut Scan<'t>, list: &mut List) -> Option<Name<'t>> {
        match self.takes_expected(scan, list, "\"") {
            Some(action) => Some(Name::Expected(action)),
            None => scan.rest_of_string().map(Name::Other),
        }
    }

    /// Adds an action to the row.
    pub(super) fn push(
        &mut self,
        row: &mut ServiceRow,
        list: &mut List,
        name: &Name<'_>,
        last_accessed: Option<UnixTime>,
    ) {
        let other = match name {
            Name::Expected(action) => return row.push_known(*action, last_accessed),
            Name::Other(name) => *name,
        };
        let first = list.start + 1;
        let names = self.names.get(first..list.end).unwrap_or_default();
        let found = names.binary_search_by(|named| self.text(named).cmp(other)).ok().map(|at| first + at);
        let named = found.and_then(|at| self.names.get(at)?.action.map(|action| (at, action)));
        let Some((at, action)) = named else { return row.push(self.catalog, other, last_accessed) };
        row.push_known(action, last_accessed);
        if let Some(last) = self.names.get_mut(list.last) {
            last.jump = at;
        }
        list.last = at;
    }

    fn text(&self, named: &Named) -> &str {
        self.text.get(named.from as usize..named.to as usize).unwrap_or_default()
    }
}
