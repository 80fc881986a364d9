//! `secateur catalog`

use std::fmt::Write as _;

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::catalog::{ActionId, Catalog, Tracked};
use serde::Serialize;

use super::failure::Failure;
use super::flags::{CatalogArgs, Format, Globals};
use super::{Exit, Outcome, output};

#[derive(Serialize)]
struct Version {
    names: String,
    flags: String,
    sha256: String,
    services: usize,
    actions: usize,
    tracked: usize,
}

#[derive(Serialize)]
struct Action {
    action: String,
    access_level: &'static str,
    tracked: &'static str,
    tracked_since: Option<String>,
    resource_types: Vec<String>,
    related: Vec<String>,
}

pub(super) fn run(_: &Globals, args: &CatalogArgs) -> Outcome {
    let catalog = Catalog::embedded();
    if args.actions.is_empty() {
        let version = version(catalog);
        output::print(&match args.format {
            Format::Json => output::json(&version)?,
            Format::Text => format!(
                "The catalogue of AWS actions\n  names as of    {}\n  tracking as of {}\n  services       {}\n  \
                 actions        {}, of which IAM reports the last use of {}\n  sha256         {}\n",
                version.names, version.flags, version.services, version.actions, version.tracked, version.sha256
            ),
        })?;
        return Ok(Exit::Done);
    }
    let mut found = Vec::new();
    for text in &args.actions {
        let before = found.len();
        catalog.each_match(&ActionPattern::new(text), |id| found.push(action(catalog, id)));
        if found.len() == before {
            let failure =
                Failure::error("unknown-action", format!("the catalogue knows no action that `{text}` matches"));
            let dates = catalog.dates().names.date();
            return Err(failure.help(format!(
                "check the spelling (`secateur catalog 's3:*'` lists a service); the catalogue is of {dates}, and newer names are kept"
            )));
        }
    }
    output::print(&match args.format {
        Format::Json => output::json(&found)?,
        Format::Text => table(&found),
    })?;
    Ok(Exit::Done)
}

fn version(catalog: &Catalog) -> Version {
    let dates = catalog.dates();
    Version {
        names: dates.names.date().to_string(),
        flags: dates.flags.date().to_string(),
        sha256: catalog.sha256().to_string(),
        services: catalog.services().count(),
        actions: catalog.len(),
        tracked: catalog.actions().filter(|id| matches!(catalog.tracked(*id), Tracked::Yes { .. })).count(),
    }
}

fn action(catalog: &Catalog, id: ActionId) -> Action {
    let (tracked, since) = match catalog.tracked(id) {
        Tracked::Yes { since } => ("yes", since),
        Tracked::No => ("no", None),
        Tracked::Unknown => ("unknown", None),
    };
    Action {
        action: catalog.full_name(id),
        access_level: catalog.access_level(id).as_str(),
        tracked,
        tracked_since: since.map(|since| since.date().to_string()),
        resource_types: catalog.resource_types(id).map(str::to_owned).collect(),
        related: catalog.related(id).iter().map(|id| catalog.full_name(*id)).collect(),
    }
}

fn table(actions: &[Action]) -> String {
    let width = actions.iter().map(|action| action.action.len()).max().unwrap_or(0).max(6);
    let mut table = format!("{:width$}  {:<11}  {:<7}  {}\n", "action", "level", "tracked", "checked on its way");
    for action in actions {
        let related = if action.related.len() > 4 {
            format!("{} actions", action.related.len())
        } else {
            action.related.join(", ")
        };
        let row = format!("{:width$}  {:<11}  {:<7}  {related}", action.action, action.access_level, action.tracked);
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{}", row.trim_end());
    }
    table
}
