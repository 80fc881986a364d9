//! AWS's services, actions and resource types, and since when their use is recorded: the tables of this repository, read
//! as data.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use crate::emulator::time::Time;

const ACTIONS: &str = include_str!("../../../../crates/analyzer/catalog/actions.tsv");
const TYPES: &str = include_str!("../../../../crates/analyzer/catalog/resource_types.tsv");
const REGIONS: &str = include_str!("../../../../crates/analyzer/catalog/regions.tsv");
const NAMES: &str = include_str!("service_names.tsv");

/// An action.
#[derive(Debug)]
pub struct Action {
    /// Its name, as AWS writes it.
    pub name: &'static str,
    /// `service:action` in lower case.
    pub folded: String,
    /// Whether its use is recorded by action.
    pub tracked: bool,
    /// Since when its use is recorded.
    pub since: Time,
    /// The ARNs of the resource types it works on, as patterns; none if it works on nothing in particular.
    pub types: Vec<usize>,
}

/// A service.
#[derive(Debug)]
pub struct Service {
    /// Its namespace.
    pub namespace: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// The places of its actions.
    pub actions: Range<usize>,
}

/// The tables.
#[derive(Debug)]
pub struct Catalogue {
    /// Services in the order of their namespaces.
    pub services: Vec<Service>,
    /// Actions, those of a service together.
    pub actions: Vec<Action>,
    /// Patterns of ARNs.
    pub types: Vec<&'static str>,
}

impl Catalogue {
    /// The tables, read once.
    pub fn get() -> &'static Self {
        static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
        CATALOGUE.get_or_init(Self::read)
    }

    fn read() -> Self {
        let mut types = Vec::new();
        let mut by_name: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for row in rows(TYPES) {
            if let [service, name, arn, ..] = row[..] {
                by_name.entry((service, name)).or_default().push(types.len());
                types.push(arn);
            }
        }
        let names: HashMap<&str, &str> = rows(NAMES).filter_map(|row| Some((*row.first()?, *row.get(1)?))).collect();
        let mut all: Vec<Vec<&'static str>> = rows(ACTIONS).collect();
        all.sort_by_key(|row| row.first().copied().unwrap_or_default());
        let mut services: Vec<Service> = Vec::new();
        let mut actions: Vec<Action> = Vec::new();
        for row in all {
            let cell = |at: usize| row.get(at).copied().unwrap_or_default();
            let (namespace, name) = (cell(0), cell(1));
            if services.last().is_none_or(|last| last.namespace != namespace) {
                let shown = names.get(namespace).copied().unwrap_or(namespace);
                services.push(Service { namespace, name: shown, actions: actions.len()..actions.len() });
            }
            let of_type = |name: &str| by_name.get(&(namespace, name)).cloned().unwrap_or_default();
            let since = Time::parse(&format!("{}T00:00:00Z", cell(4))).unwrap_or(Time(0));
            actions.push(Action {
                name,
                folded: format!("{namespace}:{name}").to_lowercase(),
                tracked: cell(3) == "yes",
                since: since.max(actions_since(namespace)),
                types: cell(5).split(',').flat_map(of_type).collect(),
            });
            if let Some(service) = services.last_mut() {
                service.actions.end = actions.len();
            }
        }
        Self { services, actions, types }
    }

    /// The place of a service.
    pub fn service(&self, namespace: &str) -> Option<usize> {
        self.services.binary_search_by_key(&namespace, |service| service.namespace).ok()
    }

    /// The place of an action, by service and name in lower case.
    pub fn action(&self, service: usize, name: &str) -> Option<usize> {
        let range = self.services.get(service)?.actions.clone();
        let mut own = self.actions.get(range.clone())?.iter();
        own.position(|action| action.name.eq_ignore_ascii_case(name)).map(|at| range.start + at)
    }

    /// The places of the actions that a pattern may match: those of one service, or all.
    pub fn candidates(&self, pattern: &str) -> Range<usize> {
        match pattern.split_once(':') {
            Some((service, _)) if !service.contains(['*', '?']) => {
                let at = self.service(&service.to_lowercase()).and_then(|at| self.services.get(at));
                at.map_or(0..0, |service| service.actions.clone())
            }
            _ => 0..self.actions.len(),
        }
    }
}

/// Since when actions are recorded: the dates of AWS's page.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html#last-accessed_tracking-period>.
fn actions_since(namespace: &str) -> Time {
    match namespace {
        "s3" => Time(1_586_649_600_000),
        "ec2" | "iam" | "lambda" => Time(1_617_753_600_000),
        _ => Time(1_684_800_000_000),
    }
}

/// Since when use in a Region is recorded; not at all in a Region that AWS's page does not list.
pub fn is_tracked_region(region: &str) -> Option<Time> {
    static STARTS: OnceLock<HashMap<&'static str, Time>> = OnceLock::new();
    let starts = STARTS.get_or_init(|| {
        let start = |row: Vec<&'static str>| Some((*row.first()?, Time::parse(&format!("{}T00:00:00Z", row.get(1)?))?));
        rows(REGIONS).filter_map(start).collect()
    });
    starts.get(region).copied()
}

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().skip(1).map(|line| line.split('\t').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_read() {
        let catalogue = Catalogue::get();
        let s3 = catalogue.service("s3").unwrap();
        assert_eq!(catalogue.services[s3].name, "Amazon S3");
        let list = &catalogue.actions[catalogue.action(s3, "listallmybuckets").unwrap()];
        assert!(list.tracked && list.types.is_empty());
        let get = &catalogue.actions[catalogue.action(s3, "getobject").unwrap()];
        assert!(!get.tracked && !get.types.is_empty());
        assert!(is_tracked_region("us-east-1").is_some() && is_tracked_region("ca-west-1").is_none());
        assert_eq!(actions_since("s3").to_string(), "2020-04-12T00:00:00Z");
        assert_eq!(actions_since("ec2").to_string(), "2021-04-07T00:00:00Z");
        assert_eq!(actions_since("sqs").to_string(), "2023-05-23T00:00:00Z");
    }
}
