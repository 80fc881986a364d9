//! `secateur completions`

use clap::CommandFactory;

use super::flags::{Cli, CompletionsArgs};
use super::{Exit, Outcome, output};

pub(super) fn run(args: &CompletionsArgs) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "secateur", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
