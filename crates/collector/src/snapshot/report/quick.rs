//! Reports in the form in which AWS's tools print them, read several times as fast as by serde.
//!
//! A snapshot of a large account has hundreds of megabytes of reports, and nearly all of that are rows of actions that were
//! never used: they differ in nothing but a name, and the names come in the order of the last report. What is expected is
//! compared, and need not be taken apart.
//!
//! What is not plain is left to serde, and so is all that is wrong: nothing here has an error.

use secateur_analyzer::account::{Report, ReportStatus, ServiceKey, ServiceRow};
use secateur_analyzer::catalog::{ActionId, Catalog};
use secateur_analyzer::document::Sha256;
use secateur_analyzer::time::UnixTime;

use super::granularity;
use super::scan::Scan;

/// Reads reports, and remembers what they were like.
#[derive(Debug)]
pub(in super::super) struct QuickReader<'a> {
    catalog: &'a Catalog,
    /// By action, the one that came next in a list of its service; of no meaning where none did.
    next: Vec<Option<ActionId>>,
    /// By service, the first action of its last list, and how many the list had.
    lists: Vec<(Option<ActionId>, usize)>,
}

impl<'a> QuickReader<'a> {
    pub(in super::super) fn new(catalog: &'a Catalog) -> QuickReader<'a> {
        QuickReader { catalog, next: vec![None; catalog.len()], lists: vec![(None, 0); catalog.services().count()] }
    }

    pub(super) fn catalog(&self) -> &'a Catalog {
        self.catalog
    }

    /// Reads a report; none when it has something that is not plain.
    pub(super) fn read(&mut self, text: &str, sha256: Sha256) -> Option<Report> {
        let mut scan = Scan::new(text);
        let (mut arn, mut status, mut kind, mut generated_at) = (None, None, None, None);
        let (mut truncated, mut services) = (None, None);
        scan.object(|scan, name| match name {
            "Arn" => once(&mut arn, scan.string()?.parse().ok()?),
            "JobStatus" => once(&mut status, scan.string()?),
            "JobType" => once(&mut kind, scan.string()?),
            "JobCompletionDate" => once(&mut generated_at, time(scan)?),
            "IsTruncated" => once(&mut truncated, scan.boolean()?),
            "ServicesLastAccessed" => once(&mut services, self.services(scan)?),
            // What they are is not as plain as that they are there.
            "Marker" | "NextToken" | "Error" => None,
            _ => scan.scalar(),
        })?;
        scan.end()?;
        let report = Report {
            arn: arn?,
            sha256,
            status: match status? {
                "COMPLETED" => ReportStatus::Completed,
                _ => return None,
            },
            granularity: granularity(kind.unwrap_or_default()),
            generated_at,
            truncated: truncated == Some(true),
            services: Vec::new(),
        };
        Some(report.with_services(services.unwrap_or_default()))
    }

    fn services(&mut self, scan: &mut Scan<'_>) -> Option<Vec<ServiceRow>> {
        let mut rows = Vec::new();
        scan.list(|scan| {
            rows.push(self.service(scan)?);
            Some(())
        })?;
        Some(rows)
    }

    fn service(&mut self, scan: &mut Scan<'_>) -> Option<ServiceRow> {
        let (mut namespace, mut last_authenticated, mut row, mut is_told) = (None, None, None, false);
        scan.object(|scan, name| match name {
            "ServiceNamespace" => once(&mut namespace, scan.string()?),
            // All that a row is made of stands before its actions.
            "LastAuthenticated" if row.is_none() => once(&mut last_authenticated, time(scan)?),
            "LastAuthenticated" => None,
            "TrackedActionsLastAccessed" => {
                let new = ServiceRow::new(self.catalog, namespace?, last_authenticated);
                once(&mut row, self.actions(scan, new)?)
            }
            "LastAuthenticatedEntity" | "TotalAuthenticatedEntities" if last_authenticated.is_none() => {
                is_told |= says_something(scan)?;
                Some(())
            }
            _ => scan.scalar(),
        })?;
        if is_told && last_authenticated.is_none() {
            return None;
        }
        Some(row.unwrap_or(ServiceRow::new(self.catalog, namespace?, last_authenticated)))
    }

    fn actions(&mut self, scan: &mut Scan<'_>, mut row: ServiceRow) -> Option<ServiceRow> {
        row.lists_actions = true;
        if let Some((_, len)) = self.list_of(&row) {
            row.actions.reserve_exact(*len);
        }
        let mut like = Alike::default();
        scan.list(|scan| self.action(scan, &mut row, &mut like))?;
        let (first, len) = (row.actions.first().map(|row| row.action), row.actions.len());
        if let Some(list) = self.list_of(&row) {
            *list = (first, len);
        }
        Some(row)
    }

    /// Reads the row of an action, and those after it that differ in the name only.
    fn action<'t>(&mut self, scan: &mut Scan<'t>, row: &mut ServiceRow, alike: &mut Alike<'t>) -> Option<()> {
        let (mut name, mut last_accessed, mut members, mut is_told) = (None, None, 0_usize, false);
        scan.object(|scan, member| {
            members += 1;
            match member {
                "ActionName" => {
                    scan.opening_quote()?;
                    if members == 1 {
                        alike.begin(scan);
                    }
                    let mut read = self.name(scan, row)?;
                    while members == 1 && alike.follows(scan) {
                        self.push(row, &read, None);
                        read = self.name(scan, row)?;
                    }
                    if members == 1 {
                        alike.end(scan);
                    }
                    once(&mut name, read)
                }
                "LastAccessedTime" => once(&mut last_accessed, time(scan)?),
                "LastAccessedEntity" => {
                    is_told |= says_something(scan)?;
                    Some(())
                }
                _ => scan.scalar(),
            }
        })?;
        if is_told && last_accessed.is_none() {
            return None;
        }
        if members != 1 {
            alike.differs();
        }
        self.push(row, &name?, last_accessed);
        Some(())
    }

    /// Reads the name of an action of the row's service, from its first character on.
    fn name<'t>(&self, scan: &mut Scan<'t>, row: &ServiceRow) -> Option<Name<'t>> {
        if let Some(expected) = self.expected(row) {
            let mut ahead = *scan;
            if ahead.takes_exactly(self.catalog.name(expected)) && ahead.takes_exactly("\"") {
                *scan = ahead;
                return Some(Name::Expected(expected));
            }
        }
        scan.rest_of_string().map(Name::Other)
    }

    fn push(&mut self, row: &mut ServiceRow, name: &Name<'_>, last_accessed: Option<UnixTime>) {
        match name {
            Name::Expected(action) => row.push_known(*action, last_accessed),
            Name::Other(name) => {
                let last = row.actions.last().map(|row| row.action);
                row.push(self.catalog, name, last_accessed);
                let new = row.actions.last().map(|row| row.action);
                if let Some(next) = last.filter(|_| last != new).and_then(|last| self.next.get_mut(last.index())) {
                    *next = new;
                }
            }
        }
    }

    /// The action that came next in this service's list, the last time that it came to where `row` ends.
    fn expected(&self, row: &ServiceRow) -> Option<ActionId> {
        match (row.actions.last(), &row.service) {
            (Some(last), _) => self.next.get(last.action.index()).copied().flatten(),
            (None, ServiceKey::Known(service)) => self.lists.get(service.index()).and_then(|(first, _)| *first),
            (None, ServiceKey::Unknown(_)) => None,
        }
    }

    fn list_of(&mut self, row: &ServiceRow) -> Option<&mut (Option<ActionId>, usize)> {
        match &row.service {
            ServiceKey::Known(service) => self.lists.get_mut(service.index()),
            ServiceKey::Unknown(_) => None,
        }
    }
}

/// The name of an action.
enum Name<'a> {
    /// The one that was expected, in the catalogue's own spelling.
    Expected(ActionId),
    Other(&'a str),
}

/// What stands between the names of two actions of which nothing is said but the name: from the closing quote of one to the
/// opening quote of the other. Where it stands again behind such a name, such a name follows.
#[derive(Clone, Copy, Debug, Default)]
struct Alike<'a> {
    between: Option<&'a str>,
    /// Behind the name of the row before, if that has nothing but a name.
    end: Option<Scan<'a>>,
}

impl<'a> Alike<'a> {
    /// The first member of a row is its name, which begins here.
    fn begin(&mut self, scan: &Scan<'a>) {
        if let Some(end) = self.end.take() {
            self.between = Some(end.until(scan));
        }
    }

    /// The first member of a row is its name, which ends here.
    fn end(&mut self, scan: &Scan<'a>) {
        self.end = Some(*scan);
    }

    /// The row had more than its name, or no name.
    fn differs(&mut self) {
        self.end = None;
    }

    /// Passes over the end of a row and the beginning of the next, up to the first character of its name.
    fn follows(&self, scan: &mut Scan<'a>) -> bool {
        self.between.is_some_and(|between| scan.takes_exactly(between))
    }
}

/// Refuses what comes twice.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

/// Reads a scalar; whether it says that there was use. Who says so and not when is for serde to name.
fn says_something(scan: &mut Scan<'_>) -> Option<bool> {
    let start = *scan;
    scan.scalar()?;
    Some(!matches!(start.until(scan).trim_ascii(), "null" | "0"))
}

fn time(scan: &mut Scan<'_>) -> Option<UnixTime> {
    scan.string()?.parse().ok()
}

#[cfg(test)]
mod tests;
