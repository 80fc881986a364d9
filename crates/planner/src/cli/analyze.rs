//! `secateur analyze`

use secateur_analyzer::wildcard;

use super::flags::{AnalyzeArgs, Format, Globals};
use super::inputs::Loaded;
use super::{Exit, Outcome, output};
use crate::{analyze, render};

pub(super) fn run(globals: &Globals, args: &AnalyzeArgs) -> Outcome {
    let loaded = Loaded::read(globals, &args.snapshot)?;
    let analysis = loaded.analysis()?;
    let wants = |address: &str| {
        args.principal.is_empty() || args.principal.iter().any(|glob| wildcard::matches_ignore_case(glob, address))
    };
    let overview = analyze::overview(&analysis, wants);
    output::print(&match args.format {
        Format::Text => render::analyze(&overview),
        Format::Json => output::json(&overview)?,
    })?;
    Ok(Exit::Done)
}
