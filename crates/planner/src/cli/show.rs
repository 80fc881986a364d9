//! `secateur show`

use std::path::Path;

use super::failure::Failure;
use super::flags::{Format, Globals, ShowArgs};
use super::plan::to_json;
use super::{Exit, Outcome, output};
use crate::plan::{self, Plan};
use crate::render::{self, Style};

pub(super) fn run(_: &Globals, args: &ShowArgs) -> Outcome {
    let plan = read_plan(&args.plan)?;
    let (shown, plain) = match args.format {
        Format::Text => (render::text(&plan, Style::Ansi), render::text(&plan, Style::Plain)),
        Format::Json => {
            let json = to_json(&plan)?;
            (json.clone(), json)
        }
    };
    match &args.out {
        Some(path) => output::write_file(path, plain.as_bytes())?,
        None => output::print(&shown)?,
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
