//! `secateur plan`

use secateur_analyzer::analysis::{Analysis, Inputs, default_now};

use super::failure::Failure;
use super::flags::{Format, Globals, PlanArgs};
use super::inputs::{self, Workspace};
use super::{Exit, Outcome, output};
use crate::plan::{Plan, PlanOptions, Selection, build};
use crate::render::{self, Style};

pub(super) fn run(globals: &Globals, args: &PlanArgs) -> Outcome {
    let workspace = Workspace::find(globals)?;
    let threads = inputs::threads(&args.snapshot);
    let dir = workspace.snapshot_dir(&args.snapshot)?;
    let account = inputs::read_snapshot(&dir, args.snapshot.account.as_deref(), threads)?;
    let older = match &args.older_snapshot {
        Some(dir) => Some((dir, inputs::read_snapshot(dir, Some(&account.id), threads)?)),
        None => None,
    };
    let now = args.now.unwrap_or_else(|| default_now(&account));
    let config = &workspace.config;
    let analysis = Analysis::new(Inputs {
        account: &account,
        older: older.as_ref().map(|(_, older)| older),
        settings: &config.settings,
        rules: &config.rules,
        now,
        threads,
    })
    .map_err(|error| Failure::analysis(&error))?;
    let options = PlanOptions {
        rewrite: config.rewrite,
        limits: config.limits,
        selection: Selection { target: args.target.clone(), exclude: args.exclude.clone(), only: args.only.clone() },
        snapshot: inputs::snapshot_file(&dir, &account),
        older_snapshot: older.as_ref().map(|(dir, older)| inputs::snapshot_file(dir, older)),
        config: workspace.config_file.clone(),
    };
    let built = build(&analysis, &options);
    let path = args.out.clone().unwrap_or_else(|| workspace.state("plan.json"));
    let json = to_json(&built.plan)?;
    output::write_file(&path, json.as_bytes())?;
    match args.format {
        Format::Text => output::print(&render::text(&built.plan, Style::Ansi))?,
        Format::Json => output::print(&json)?,
    }
    if !globals.quiet {
        anstream::eprintln!("\nSaved the plan to: {}", path.display());
    }
    if let Some((address, error)) = built.unproved.first() {
        let message = format!("the rewrite of {address} could not be proved: {error}");
        return Err(
            Failure::error("unproved", message).help("this is a bug of secateur: please report it with the document")
        );
    }
    verdict(&built.plan, args)
}

/// Returns the plan file's text.
pub(super) fn to_json(plan: &Plan) -> Result<String, Failure> {
    let json = serde_json::to_string_pretty(plan).map_err(|error| Failure::error("io", error.to_string()))?;
    Ok(format!("{json}\n"))
}

fn verdict(plan: &Plan, args: &PlanArgs) -> Outcome {
    if !plan.complete {
        let message = "the authorization details are not whole: this plan cannot be applied";
        let help = "read all pages: aws iam get-account-authorization-details --output json";
        return Err(Failure::error("incomplete", message).help(help));
    }
    if args.require_full_coverage && !plan.gaps.is_empty() {
        let message = format!("--require-full-coverage: there are gaps: {}", plan.gaps.len());
        return Err(Failure::error("gaps", message).help("collect what is missing, or leave the flag out"));
    }
    let changes = args.detailed_exitcode && !plan.is_empty();
    Ok(if changes { Exit::Changes } else { Exit::Done })
}
