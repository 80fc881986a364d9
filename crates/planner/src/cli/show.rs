//! `secateur show`

use std::path::Path;

use super::failure::Failure;
use super::flags::{Globals, PlanFormat, ShowArgs};
use super::{Exit, Outcome, output};
use crate::plan::{self, Plan};
use crate::render::{self, Style};

pub(super) fn run(_: &Globals, args: &ShowArgs) -> Outcome {
    let mut plan = read_plan(&args.plan)?;
    if args.redact {
        plan = render::redact(&plan).ok_or_else(|| Failure::error("io", "the plan cannot be redacted"))?;
    }
    let page = |style| -> Result<String, Failure> {
        Ok(match args.format {
            PlanFormat::Text => render::text(&plan, style),
            PlanFormat::Markdown => render::markdown(&plan, args.max_bytes),
            PlanFormat::Json => output::json(&plan)?,
        })
    };
    match &args.out {
        Some(path) if path.canonicalize().ok().is_some_and(|out| args.plan.canonicalize().ok() == Some(out)) => {
            let message = format!("`{}` is the plan that is shown: it would be replaced", path.display());
            return Err(Failure::usage(message).help("name another file with --out"));
        }
        Some(path) => output::write_file(path, page(Style::Plain)?.as_bytes())?,
        None => output::print(&page(Style::Ansi)?)?,
    }
    Ok(Exit::Done)
}

/// Reads a plan file, and checks its digests.
pub(super) fn read_plan(path: &Path) -> Result<Plan, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::io("read", path, &error).help("give the file that `secateur plan` wrote, or make one with it")
    })?;
    plan::read(&bytes).map_err(|error| Failure::plan_file(path, &error))
}
