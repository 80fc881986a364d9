//! Reports in the form in which AWS's tools print them, read several times as fast as by serde.
//!
//! A snapshot of a large account has hundreds of megabytes of reports, and nearly all of that are rows of actions that were
//! never used: they differ in nothing but a name, and the names come in nearly always the same order (`names`). What stands
//! between the values is what stood there before (`layout`). What is expected is compared, and need not be taken apart.
//!
//! What is not plain is left to serde, and so is all that is wrong: nothing here has an error.

use secateur_analyzer::account::{ActionRow, RegionUses, Report, ReportStatus, ServiceRow};
use secateur_analyzer::catalog::Catalog;
use secateur_analyzer::document::Sha256;
use secateur_analyzer::time::UnixTime;

use super::granularity;
use super::layout::{Layout, Place};
use super::names::{List, Name, Names};
use super::scan::Scan;

/// Reads reports, and remembers what they were like.
#[derive(Debug)]
pub(in super::super) struct QuickReader<'a> {
    catalog: &'a Catalog,
    services: Layout<ServiceMember>,
    actions: Layout<ActionMember>,
    names: Names<'a>,
    /// What stood between the names of two actions of which nothing is said but the name: from the closing quote of one to
    /// the opening quote of the other. Where it stands again behind such a name, such a name follows. Empty when there were
    /// no such actions yet.
    between: String,
    /// The rows of the last list; kept for its room.
    rows: Vec<ActionRow>,
    /// The Regions of the report that is being read.
    regions: RegionUses,
}

/// What a member of a service's row is.
#[derive(Clone, Copy, Debug)]
enum ServiceMember {
    Namespace,
    LastAuthenticated,
    /// Who used the service last, or how many did.
    Users,
    /// Where that was.
    Region,
    TrackedActions,
    Other,
}

/// What a member of an action's row is.
#[derive(Clone, Copy, Debug)]
enum ActionMember {
    Name,
    LastAccessed,
    /// Who used the action last.
    User,
    /// Where that was.
    Region,
    Other,
}

impl<'a> QuickReader<'a> {
    pub(in super::super) fn new(catalog: &'a Catalog) -> QuickReader<'a> {
        QuickReader {
            catalog,
            services: Layout::new(|name| match name {
                "ServiceNamespace" => ServiceMember::Namespace,
                "LastAuthenticated" => ServiceMember::LastAuthenticated,
                "LastAuthenticatedEntity" | "TotalAuthenticatedEntities" => ServiceMember::Users,
                "LastAuthenticatedRegion" => ServiceMember::Region,
                "TrackedActionsLastAccessed" => ServiceMember::TrackedActions,
                _ => ServiceMember::Other,
            }),
            actions: Layout::new(|name| match name {
                "ActionName" => ActionMember::Name,
                "LastAccessedTime" => ActionMember::LastAccessed,
                "LastAccessedEntity" => ActionMember::User,
                "LastAccessedRegion" => ActionMember::Region,
                _ => ActionMember::Other,
            }),
            names: Names::new(catalog),
            between: String::new(),
            rows: Vec::new(),
            regions: RegionUses::default(),
        }
    }

    pub(super) fn catalog(&self) -> &'a Catalog {
        self.catalog
    }

    /// Reads a report; none when it has something that is not plain.
    pub(super) fn read(&mut self, text: &str, sha256: Sha256) -> Option<Report> {
        self.regions = RegionUses::default();
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
            regions: std::mem::take(&mut self.regions),
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
        let mut last_region = None;
        let mut place = Place::Start;
        while let Some(member) = self.services.next(scan, &mut place)? {
            match member {
                ServiceMember::Namespace => once(&mut namespace, scan.string()?)?,
                // All that a row is made of stands before its actions.
                ServiceMember::LastAuthenticated if row.is_none() => once(&mut last_authenticated, time(scan)?)?,
                ServiceMember::LastAuthenticated => return None,
                ServiceMember::TrackedActions => {
                    let new = self.names.row(namespace?, last_authenticated);
                    once(&mut row, self.actions(scan, new)?)?;
                }
                ServiceMember::Users if last_authenticated.is_none() => is_told |= says_something(scan)?,
                ServiceMember::Region => once(&mut last_region, region(scan)?)?,
                ServiceMember::Users | ServiceMember::Other => scan.scalar()?,
            }
        }
        if let (Some(Some(region)), Some(last)) = (last_region, last_authenticated) {
            self.regions.add(region, last);
        }
        if is_told && last_authenticated.is_none() {
            return None;
        }
        match row {
            Some(row) => Some(row),
            None => Some(self.names.row(namespace?, last_authenticated)),
        }
    }

    fn actions(&mut self, scan: &mut Scan<'_>, mut row: ServiceRow) -> Option<ServiceRow> {
        row.lists_actions = true;
        row.actions = std::mem::take(&mut self.rows);
        row.actions.clear();
        let (mut list, mut end_of_last) = (self.names.list(&row), None);
        scan.list(|scan| self.action(scan, &mut row, &mut list, &mut end_of_last))?;
        let rows = row.actions.as_slice().to_vec();
        self.rows = std::mem::replace(&mut row.actions, rows);
        Some(row)
    }

    /// Reads the row of an action, and those after it that differ in the name only. `end_of_last` is where the name of the
    /// row before ends, if that has nothing but a name.
    fn action<'t>(
        &mut self,
        scan: &mut Scan<'t>,
        row: &mut ServiceRow,
        list: &mut List,
        end_of_last: &mut Option<Scan<'t>>,
    ) -> Option<()> {
        let (mut name, mut last_accessed, mut members, mut is_told) = (None, None, 0_usize, false);
        let (mut place, mut end, mut last_region) = (Place::Start, None, None);
        while let Some(member) = self.actions.next(scan, &mut place)? {
            members += 1;
            match member {
                ActionMember::Name => {
                    scan.opening_quote()?;
                    let read = if members == 1 {
                        if let Some(last) = end_of_last.take() {
                            self.between = format!("\"{}", last.until(scan));
                        }
                        let read = self.alike(scan, row, list)?;
                        end = Some(*scan);
                        read
                    } else {
                        self.names.read(scan, list)?
                    };
                    once(&mut name, read)?;
                }
                ActionMember::LastAccessed => once(&mut last_accessed, time(scan)?)?,
                ActionMember::User => is_told |= says_something(scan)?,
                ActionMember::Region => once(&mut last_region, region(scan)?)?,
                ActionMember::Other => scan.scalar()?,
            }
        }
        if let (Some(Some(region)), Some(last)) = (last_region, last_accessed) {
            self.regions.add(region, last);
        }
        if is_told && last_accessed.is_none() {
            return None;
        }
        *end_of_last = end.filter(|_| members == 1);
        self.names.push(row, list, &name?, last_accessed);
        Some(())
    }

    /// Reads the names of actions, from the first character of one on, as long as nothing is said of an action but its name
    /// and another one comes next. Returns the last name: of that action more may be said.
    fn alike<'t>(&mut self, scan: &mut Scan<'t>, row: &mut ServiceRow, list: &mut List) -> Option<Name<'t>> {
        let behind_quote = self.between.get(1..).unwrap_or_default();
        if behind_quote.is_empty() {
            return self.names.read(scan, list);
        }
        loop {
            if let Some(action) = self.names.takes_expected(scan, list, &self.between) {
                row.push_known(action, None);
                continue;
            }
            let name = self.names.read(scan, list)?;
            if !scan.takes_exactly(behind_quote) {
                return Some(name);
            }
            self.names.push(row, list, &name, None);
        }
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

/// Reads the name of a Region; what is no text names none, and one with escapes is for serde to read.
fn region<'t>(scan: &mut Scan<'t>) -> Option<Option<&'t str>> {
    let mut text = *scan;
    if let Some(region) = text.string() {
        *scan = text;
        return Some(Some(region));
    }
    let start = *scan;
    scan.scalar()?;
    (!start.until(scan).trim_ascii().starts_with('"')).then_some(None)
}

/// Reads a time; one that is impossible is for serde to name.
fn time(scan: &mut Scan<'_>) -> Option<UnixTime> {
    scan.string()?.parse().ok().filter(|time: &UnixTime| time.is_possible())
}

#[cfg(test)]
mod tests;
