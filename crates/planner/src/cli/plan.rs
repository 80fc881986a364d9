//! `secateur plan`

use std::mem::ManuallyDrop;

use super::failure::Failure;
use super::flags::{Globals, PlanArgs, PlanFormat};
use super::inputs::Loaded;
use super::{Exit, Outcome, output};
use crate::plan::{Plan, Selection, build};
use crate::render;

pub(super) fn run(globals: &Globals, args: &PlanArgs) -> Outcome {
    // The process ends with the command: to give all this back piece by piece first takes longer than many a plan.
    let mut loaded = ManuallyDrop::new(Loaded::read(globals, &args.snapshot)?);
    let analysis = loaded.analysis()?;
    let selection = Selection { target: args.target.clone(), exclude: args.exclude.clone(), only: args.only.clone() };
    let options = loaded.plan_options(selection);
    let built = ManuallyDrop::new(build(&analysis, &options));
    drop(analysis);
    let reports = std::mem::take(&mut loaded.account.reports);
    let path = args.out.clone().unwrap_or_else(|| loaded.workspace.state("plan.json"));
    loaded.refuse_as_output(&path, globals)?;
    let (saved, page) = std::thread::scope(|scope| {
        // The page takes as long as the file: it is made meanwhile, and printed when the file is there.
        let page = scope.spawn(|| {
            // The page can have the memory of what the plan was made from.
            drop(reports);
            match args.format {
                PlanFormat::Text => Some(render::text_on(&built.plan, output::style(), loaded.threads)),
                PlanFormat::Markdown => Some(vec![render::markdown(&built.plan, render::MAX_BYTES)]),
                PlanFormat::Json => None,
            }
        });
        (output::write_json(&path, &built.plan), page.join())
    });
    saved?;
    match page {
        Ok(Some(page)) => output::print_pieces(&page)?,
        Ok(None) => output::print(&output::json(&built.plan)?)?,
        Err(panic) => std::panic::resume_unwind(panic),
    }
    if !globals.quiet {
        output::note(&format!("\nSaved the plan to: {}", path.display()));
    }
    if let Some((address, error)) = built.unproved.first() {
        let message = format!("the rewrite of {address} could not be proved: {error}");
        return Err(
            Failure::error("unproved", message).help("this is a bug of secateur: please report it with the document")
        );
    }
    verdict(&built.plan, args)
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
