//! From tab-separated tables to a [`Catalog`].

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use super::index::NameIndex;
use super::{AccessLevel, Catalog, CatalogDates, Regions, Row, RuntimeActions, Service, ServiceId, Tracked};
use crate::time::UnixTime;

const ACTIONS: &str = include_str!("../../catalog/actions.tsv");
const DATES: &str = include_str!("../../catalog/dates.tsv");

/// The columns of the table of actions.
pub(super) const HEADER: &str =
    "service\taction\taccess_level\ttracked\ttracked_since\tresource_types\tdependent_actions\timplied_actions";

/// What is wrong with a table of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}, line {line}: {detail}")]
pub struct CatalogError {
    /// The table: `actions.tsv`, ...
    pub table: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub detail: String,
}

impl CatalogError {
    pub(super) fn new(table: &'static str, line: usize, detail: impl Into<String>) -> CatalogError {
        CatalogError { table, line, detail: detail.into() }
    }
}

#[expect(clippy::panic, reason = "a test reads the embedded tables; they cannot be malformed in a build that passed")]
pub(super) fn embedded() -> Catalog {
    dates(DATES)
        .and_then(|dates| catalog(Cow::Borrowed(ACTIONS), dates))
        .unwrap_or_else(|error| panic!("the embedded catalogue: {error}"))
}

fn dates(table: &'static str) -> Result<CatalogDates, CatalogError> {
    let find = |fact: &str| {
        table
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .find(|(name, _)| *name == fact)
            .and_then(|(_, date)| day(date))
            .ok_or_else(|| CatalogError::new("dates.tsv", 1, format!("no date for `{fact}`")))
    };
    Ok(CatalogDates { names: find("names")?, flags: find("flags")? })
}

pub(super) fn day(text: &str) -> Option<UnixTime> {
    text.parse().ok().map(UnixTime::from_date)
}

pub(super) fn catalog(text: Cow<'static, str>, dates: CatalogDates) -> Result<Catalog, CatalogError> {
    let folded = text.to_ascii_lowercase();
    let mut drafts = drafts(&text)?;
    // `sort_by` and not `sort_unstable_by`: the tables are nearly sorted already.
    drafts.sort_by(|a, b| {
        let key = |draft: &Draft| (folded.get(draft.service.clone()), folded.get(draft.name.clone()));
        key(a).cmp(&key(b))
    });
    let mut catalog = Catalog {
        services: Vec::new(),
        actions: Vec::with_capacity(drafts.len()),
        by_name: NameIndex::default(),
        services_by_name: NameIndex::default(),
        related: Vec::new(),
        dates,
        regions: Regions::embedded()?,
        runtime: RuntimeActions::default(),
        sha256: OnceLock::new(),
        escalations: OnceLock::new(),
        kms_data_plane: OnceLock::new(),
        folded,
        text,
    };
    for draft in &drafts {
        catalog.push(draft)?;
    }
    let name = |row: &Row| {
        let service =
            catalog.services.get(row.service.index()).map_or("", |service| catalog.folded_text(&service.name));
        (service, catalog.folded_text(&row.name))
    };
    catalog.by_name = NameIndex::of(catalog.actions.iter().map(name));
    let name = |service: &Service| (catalog.folded_text(&service.name), "");
    catalog.services_by_name = NameIndex::of(catalog.services.iter().map(name));
    catalog.relate(&drafts)?;
    catalog.runtime = RuntimeActions::embedded(&catalog)?;
    Ok(catalog)
}

struct Draft {
    line: usize,
    service: Range<usize>,
    name: Range<usize>,
    access_level: AccessLevel,
    tracked: Tracked,
    resource_types: Range<usize>,
    related: [Range<usize>; 2],
}

fn drafts(text: &str) -> Result<Vec<Draft>, CatalogError> {
    let mut drafts = Vec::with_capacity(text.len() / 64);
    let mut offset = 0;
    for (index, line) in text.split('\n').enumerate() {
        let start = offset;
        offset += line.len() + 1;
        let refuse = |detail: &str| Err(CatalogError::new("actions.tsv", index + 1, detail));
        if index == 0 {
            if line != HEADER {
                return refuse(&format!("the first line must be `{HEADER}`"));
            }
            continue;
        }
        if line.is_empty() {
            continue;
        }
        let mut at = start;
        let mut ranges: [Range<usize>; 8] = Default::default();
        let mut count = 0;
        for column in line.split('\t') {
            let Some(range) = ranges.get_mut(count) else { return refuse("more than 8 columns") };
            *range = at..at + column.len();
            at += column.len() + 1;
            count += 1;
        }
        let [service, name, level, tracked, since, resource_types, dependent, implied] = ranges;
        if count != 8 || service.is_empty() || name.is_empty() {
            return refuse("8 columns are needed, the first two of them not empty");
        }
        let text_of = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        let Some(access_level) = access_level(text_of(&level)) else { return refuse("unknown access level") };
        let tracked = match (text_of(&tracked), text_of(&since)) {
            ("yes", "") => Tracked::Yes { since: None },
            ("yes", date) => match day(date) {
                Some(since) => Tracked::Yes { since: Some(since) },
                None => return refuse("tracked_since is not a date"),
            },
            ("no", _) => Tracked::No,
            ("unknown", _) => Tracked::Unknown,
            _ => return refuse("tracked must be yes, no or unknown"),
        };
        let related = [dependent, implied];
        drafts.push(Draft { line: index + 1, service, name, access_level, tracked, resource_types, related });
    }
    Ok(drafts)
}

fn access_level(text: &str) -> Option<AccessLevel> {
    Some(match text {
        "list" => AccessLevel::List,
        "read" => AccessLevel::Read,
        "tagging" => AccessLevel::Tagging,
        "write" => AccessLevel::Write,
        "permissions" => AccessLevel::Permissions,
        "unknown" => AccessLevel::Unknown,
        _ => return None,
    })
}

impl Catalog {
    fn push(&mut self, draft: &Draft) -> Result<(), CatalogError> {
        let refuse = |detail: &str| CatalogError::new("actions.tsv", draft.line, detail);
        let next = u32::try_from(self.actions.len()).map_err(|_| refuse("too many actions"))?;
        let is_new = self
            .services
            .last()
            .is_none_or(|service| self.folded_text(&service.name) != self.folded_text(&draft.service));
        if is_new {
            self.services.push(Service { name: draft.service.clone(), actions: next..next });
        } else if self.actions.last().is_some_and(|row| self.folded_text(&row.name) == self.folded_text(&draft.name)) {
            return Err(refuse("the action stands in the table twice"));
        }
        let service = u16::try_from(self.services.len() - 1).map_err(|_| refuse("too many services"))?;
        if let Some(service) = self.services.last_mut() {
            service.actions.end = next + 1;
        }
        self.actions.push(Row {
            service: ServiceId(service),
            name: draft.name.clone(),
            access_level: draft.access_level,
            tracked: draft.tracked,
            resource_types: draft.resource_types.clone(),
            related: 0..0,
        });
        Ok(())
    }

    /// Resolves the names of dependent and implied actions, which may stand anywhere in the table.
    fn relate(&mut self, drafts: &[Draft]) -> Result<(), CatalogError> {
        for (index, draft) in drafts.iter().enumerate() {
            let mut own = Vec::new();
            for range in &draft.related {
                for name in self.own_text(range).split(',').filter(|name| !name.is_empty()) {
                    let Some(id) = self.parse_action(name) else {
                        let detail = format!("`{name}` is not an action of the table");
                        return Err(CatalogError::new("actions.tsv", draft.line, detail));
                    };
                    own.push(id);
                }
            }
            own.sort_unstable();
            own.dedup();
            let start = self.related.len();
            self.related.append(&mut own);
            let end = self.related.len();
            if let Some(row) = self.actions.get_mut(index) {
                row.related = start..end;
            }
        }
        Ok(())
    }
}
