//! From a catalogue and newer files of the service reference to the next catalogue.
//!
//! No name is ever lost: what AWS's reference no longer lists may still be authorized, and policies may still bear it, so
//! its row stays, and whether it is tracked becomes unknown. Phases: read the previous table, let each service's file
//! replace the facts of that service, derive anew which actions AWS authorizes together, write the table.

use std::collections::{BTreeMap, BTreeSet};

use super::load::{CatalogError, HEADER};
use super::service_reference::{self, ReferenceAction, ReferenceOperation, ServiceReference, ServiceReferenceError};
use super::{AccessLevel, Catalog, CatalogDates};
use crate::time::UnixTime;

/// What an update changed in a catalogue. Actions are written `service:Name`, all lists in bytewise order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogChanges {
    /// Actions that are new.
    pub added: Vec<String>,
    /// Actions that the reference no longer lists. They stay in the catalogue; whether they are tracked is unknown now.
    pub removed: Vec<String>,
    /// Actions known before that IAM reports now and did not report before.
    pub newly_tracked: Vec<String>,
    /// Actions that IAM reported before and reports no longer.
    pub no_longer_tracked: Vec<String>,
    /// Authorized actions of some operation that are in no row; they were left out.
    pub unresolved: Vec<String>,
    /// Services of the previous catalogue without a file; their rows stay as they were.
    pub missing_services: Vec<String>,
}

/// A row of the table of actions, its columns as they stand there.
struct Row {
    service: String,
    action: String,
    access_level: String,
    tracked: &'static str,
    tracked_since: String,
    resource_types: String,
    dependent_actions: String,
    implied_actions: String,
}

/// The rows by `service:name` in lower case.
type Rows = BTreeMap<String, Row>;

impl Catalog {
    /// Returns the catalogue that follows from `previous` and files of the service reference (name and content), which
    /// were read on `day`.
    ///
    /// Services without a file keep their rows. The dates become `day` only when every service of `previous` has a file:
    /// otherwise some of the facts are as old as before, and the catalogue must not look younger than they are.
    ///
    /// # Errors
    /// When a file cannot be read; the error names the file and the place.
    pub fn updated(
        previous: &Catalog,
        files: &[(String, Vec<u8>)],
        day: UnixTime,
    ) -> Result<(Catalog, CatalogChanges), ServiceReferenceError> {
        let services = service_reference::parse(files)?;
        let mut changes = CatalogChanges::default();
        let mut rows = rows_of(previous.actions_table());
        for (key, service) in &services {
            replace_facts(&mut rows, key, service, day, &mut changes);
        }
        replace_implied(&mut rows, &services, &mut changes);
        let prefixes = previous.services().map(|id| previous.service_prefix(id));
        changes.missing_services =
            prefixes.filter(|prefix| !services.contains_key(&prefix.to_ascii_lowercase())).map(str::to_owned).collect();
        changes.sort();
        let today = UnixTime::from_date(day.date());
        let is_whole = changes.missing_services.is_empty();
        let dates = if is_whole { CatalogDates { names: today, flags: today } } else { previous.dates() };
        let catalog = Catalog::from_actions(table_of(&rows), dates)?;
        Ok((catalog, changes))
    }
}

impl CatalogChanges {
    fn sort(&mut self) {
        let CatalogChanges { added, removed, newly_tracked, no_longer_tracked, unresolved, missing_services } = self;
        for names in [added, removed, newly_tracked, no_longer_tracked, unresolved, missing_services] {
            names.sort_unstable();
            names.dedup();
        }
    }
}

impl CatalogDates {
    /// Returns the dates in the form of `crates/analyzer/catalog/dates.tsv`.
    pub fn table(&self) -> String {
        format!("fact\tdate\nnames\t{}\nflags\t{}\n", self.names.date(), self.flags.date())
    }
}

impl From<CatalogError> for ServiceReferenceError {
    fn from(error: CatalogError) -> ServiceReferenceError {
        let CatalogError { table, line, detail } = error;
        ServiceReferenceError { file: table.to_owned(), place: format!("line {line}"), detail }
    }
}

/// Returns the table of resource types that follows from `previous` and files of the service reference, in the form of
/// `crates/analyzer/catalog/resource_types.tsv`: the forms of an ARN joined by a comma and a space.
///
/// # Errors
/// When a file cannot be read; the error names the file and the place.
pub fn updated_resource_types(previous: &str, files: &[(String, Vec<u8>)]) -> Result<String, ServiceReferenceError> {
    let services = service_reference::parse(files)?;
    let mut lines = previous.split_inclusive('\n');
    let header = lines.next().unwrap_or("service\tresource_type\tarn\n");
    let mut rows: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for line in lines {
        let mut columns = line.trim_end_matches('\n').splitn(3, '\t');
        let [service, name, arn] = [(); 3].map(|()| columns.next().unwrap_or_default());
        if !service.is_empty() && !services.contains_key(&service.to_ascii_lowercase()) {
            rows.insert((service, name), arn.to_owned());
        }
    }
    for service in services.values() {
        for resource in &service.resources {
            rows.insert((&service.name, &resource.name), resource.arn_formats.join(", "));
        }
    }
    let lines = rows.iter().map(|((service, name), arn)| format!("{service}\t{name}\t{arn}\n"));
    Ok(std::iter::once(header.to_owned()).chain(lines).collect())
}

impl Row {
    fn full_name(&self) -> String {
        format!("{}:{}", self.service, self.action)
    }
}

/// Reads the table of a catalogue, which was checked when the catalogue was made.
fn rows_of(table: &str) -> Rows {
    let mut rows = Rows::new();
    for line in table.lines().skip(1).filter(|line| !line.is_empty()) {
        let mut columns = line.split('\t');
        let mut next = || columns.next().unwrap_or_default().to_owned();
        let row = Row {
            service: next(),
            action: next(),
            access_level: next(),
            tracked: match next().as_str() {
                "yes" => "yes",
                "no" => "no",
                _ => "unknown",
            },
            tracked_since: next(),
            resource_types: next(),
            dependent_actions: next(),
            implied_actions: next(),
        };
        rows.insert(row.full_name().to_ascii_lowercase(), row);
    }
    rows
}

fn table_of(rows: &Rows) -> String {
    let mut ordered: Vec<&Row> = rows.values().collect();
    ordered.sort_unstable_by_key(|row| (&row.service, &row.action));
    let lines = ordered.into_iter().map(|row| {
        let facts = [&row.service, &row.action, &row.access_level, row.tracked, &row.tracked_since];
        let lists = [&*row.resource_types, &row.dependent_actions, &row.implied_actions];
        format!("{}\t{}\n", facts.join("\t"), lists.join("\t"))
    });
    std::iter::once(format!("{HEADER}\n")).chain(lines).collect()
}

/// Replaces what the table says of one service's actions, each by itself.
fn replace_facts(rows: &mut Rows, key: &str, service: &ServiceReference, day: UnixTime, changes: &mut CatalogChanges) {
    let mut listed = BTreeSet::new();
    for action in &service.actions {
        let name = format!("{key}:{}", action.name.to_ascii_lowercase());
        let known = rows.remove(&name);
        let row = row_of(service, action, known.as_ref(), day);
        match known.map(|known| known.tracked) {
            None => changes.added.push(row.full_name()),
            Some("yes") if row.tracked == "no" => changes.no_longer_tracked.push(row.full_name()),
            Some("no" | "unknown") if row.tracked == "yes" => changes.newly_tracked.push(row.full_name()),
            Some(_) => {}
        }
        rows.insert(name.clone(), row);
        listed.insert(name);
    }
    // `;` follows `:` in ASCII: between the two are the actions of this service and no other.
    for (name, row) in rows.range_mut(format!("{key}:")..format!("{key};")) {
        if !listed.contains(name) && row.tracked != "unknown" {
            changes.removed.push(row.full_name());
            row.tracked = "unknown";
            row.tracked_since.clear();
        }
    }
}

fn row_of(service: &ServiceReference, action: &ReferenceAction, known: Option<&Row>, day: UnixTime) -> Row {
    let kept = |column: fn(&Row) -> &String| known.map(column).cloned().unwrap_or_default();
    let level = action.access_level.map(AccessLevel::as_str);
    let mut resource_types = action.resource_types.clone();
    resource_types.sort_unstable();
    Row {
        service: service.name.clone(),
        action: action.name.clone(),
        access_level: level.or(known.map(|known| &*known.access_level)).unwrap_or("unknown").to_owned(),
        tracked: if action.tracked { "yes" } else { "no" },
        tracked_since: match (action.tracked, known.is_some_and(|known| known.tracked == "yes")) {
            (true, true) => kept(|known| &known.tracked_since),
            (true, false) => day.date().to_string(),
            (false, _) => String::new(),
        },
        resource_types: resource_types.join(","),
        dependent_actions: kept(|known| &known.dependent_actions),
        implied_actions: kept(|known| &known.implied_actions),
    }
}

/// Derives anew the implied actions of the services whose operations are known.
///
/// A link to an action of another service may come from that service's operations; where these are not at hand, it stays.
/// So do the links of actions that the reference no longer lists: a link only ever protects.
fn replace_implied(rows: &mut Rows, services: &BTreeMap<String, ServiceReference>, changes: &mut CatalogChanges) {
    let mut links: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (key, service) in services {
        for operation in service.operations.iter().flatten() {
            link(&mut links, rows, key, operation, &mut changes.unresolved);
        }
    }
    let has_operations = |name: &str| {
        let service = name.split(':').next().unwrap_or_default().to_ascii_lowercase();
        services.get(&service).is_some_and(|service| service.operations.is_some())
    };
    let names: Vec<String> = rows.keys().filter(|name| has_operations(name)).cloned().collect();
    for name in names {
        let Some(row) = rows.get(&name) else { continue };
        let is_listed = row.tracked != "unknown";
        let kept = row.implied_actions.split(',').filter(|link| !is_listed || !has_operations(link));
        let derived = links.get(&name).into_iter().flatten().map(String::as_str);
        let implied: BTreeSet<String> =
            derived.chain(kept).filter_map(|link| rows.get(&link.to_ascii_lowercase()).map(Row::full_name)).collect();
        let implied: Vec<String> = implied.into_iter().collect();
        if let Some(row) = rows.get_mut(&name) {
            row.implied_actions = implied.join(",");
        }
    }
}

/// Adds what one operation says: the action of its name implies the others that AWS authorizes within it; where none
/// bears its name, each implies the rest.
fn link(
    links: &mut BTreeMap<String, BTreeSet<String>>,
    rows: &Rows,
    service: &str,
    operation: &ReferenceOperation,
    unresolved: &mut Vec<String>,
) {
    let mut authorized = BTreeSet::new();
    for name in &operation.authorized_actions {
        let folded = name.to_ascii_lowercase();
        if rows.contains_key(&folded) {
            authorized.insert(folded);
        } else {
            unresolved.push(name.clone());
        }
    }
    let own = format!("{service}:{}", operation.name.to_ascii_lowercase());
    let implying = if authorized.contains(&own) { BTreeSet::from([own]) } else { authorized.clone() };
    for action in implying {
        let others = authorized.iter().filter(|other| **other != action).cloned();
        links.entry(action.clone()).or_default().extend(others);
    }
}

#[cfg(test)]
mod tests;
