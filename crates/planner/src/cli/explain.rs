//! `secateur explain`

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::graph::{Entity, PrincipalId};

use super::failure::Failure;
use super::flags::{ExplainArgs, Format, Globals};
use super::inputs::Loaded;
use super::{Exit, Outcome, output};
use crate::plan::{Selection, build};
use crate::{explain, render};

pub(super) fn run(globals: &Globals, args: &ExplainArgs) -> Outcome {
    let loaded = Loaded::read(globals, &args.snapshot)?;
    let analysis = loaded.analysis()?;
    let principal = principal(&analysis, &args.principal)?;
    let action = match &args.action {
        None => None,
        Some(text) => Some(analysis.catalog().parse_action(text).ok_or_else(|| {
            Failure::error("unknown-action", format!("the catalogue does not know the action `{text}`")).help(
                "write `service:Action`; `secateur catalog 's3:Get*'` looks names up, and what the catalogue does not know is kept",
            )
        })?),
    };
    let plan = build(&analysis, &loaded.plan_options(Selection::default())).plan;
    let explanation = explain::explain(&analysis, &plan, principal, action);
    output::print(&match args.format {
        Format::Text => render::explain(&explanation),
        Format::Json => output::json(&explanation)?,
    })?;
    Ok(Exit::Done)
}

fn principal(analysis: &Analysis<'_>, text: &str) -> Result<PrincipalId, Failure> {
    let address = |id: &PrincipalId| analysis.graph().entity_address(Entity::Principal(*id));
    match explain::find(analysis, text).as_slice() {
        [only] => Ok(*only),
        [] => {
            let failure = Failure::error("unknown-principal", format!("the snapshot has no user or role `{text}`"));
            let all: Vec<String> = (0..analysis.principals().len()).map(PrincipalId).map(|id| address(&id)).collect();
            let nearest = all.iter().max_by(|a, b| {
                strsim::jaro_winkler(text, a).total_cmp(&strsim::jaro_winkler(text, b)).then_with(|| b.cmp(a))
            });
            Err(match nearest {
                Some(nearest) => failure.help(format!("did you mean `{nearest}`? `secateur analyze` lists all")),
                None => failure,
            })
        }
        several => {
            let names: Vec<String> = several.iter().map(address).collect();
            Err(Failure::error("unknown-principal", format!("`{text}` is more than one principal"))
                .help(format!("write one of {}", names.join(", "))))
        }
    }
}
