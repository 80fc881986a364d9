//! The command line: files, streams, flags and exit codes around the pure planner.
//!
//! stdout carries the product, stderr all else. Exit codes: [`Exit`].

mod analyze;
#[cfg(feature = "aws")]
mod apply;
#[cfg(feature = "aws")]
mod bearing;
mod catalog;
#[cfg(feature = "aws")]
mod collect;
mod completions;
mod config;
mod explain;
mod failure;
mod flags;
mod history;
mod inputs;
#[cfg(feature = "aws")]
mod interrupts;
mod journals;
mod output;
mod overtaken;
mod plan;
#[cfg(feature = "aws")]
mod progress;
mod reproof;
#[cfg(feature = "aws")]
mod rollback;
mod show;
mod status;
mod verify;
mod ways;
pub mod xtask;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use failure::Failure;
use flags::{Cli, Command};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or no changes.
    Done = 0,
    /// An error.
    Error = 1,
    /// Changes are present, with `--detailed-exitcode`.
    Changes = 2,
    /// Refused: edited, unproved, drifted. Nothing was written.
    Refused = 3,
    /// Partly done: something is missing, and what it is was told.
    Partly = 4,
    /// The command line cannot be understood.
    Usage = 64,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Runs the command line and returns its exit code; the first argument is the program's name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for and go to stdout; everything else is a usage error, which clap would end with 2,
            // the code for "changes present".
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            return match error.print() {
                Ok(()) => exit.into(),
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => exit.into(),
                Err(_) => Exit::Error.into(),
            };
        }
    };
    let globals = &cli.globals;
    globals.color.write_global();
    let json_errors = cli.command.wants_json();
    let result = match &cli.command {
        #[cfg(feature = "aws")]
        Command::Collect(args) => collect::run(globals, args),
        Command::Plan(args) => plan::run(globals, args),
        #[cfg(feature = "aws")]
        Command::Apply(args) => apply::run(globals, args),
        #[cfg(feature = "aws")]
        Command::Rollback(args) => rollback::run(globals, args),
        Command::History(args) => history::run(globals, args),
        Command::Show(args) => show::run(globals, args),
        Command::Verify(args) => verify::run(globals, args),
        Command::Catalog(args) => catalog::run(globals, args),
        Command::Analyze(args) => analyze::run(globals, args),
        Command::Explain(args) => explain::run(globals, args),
        Command::Status(args) => status::run(globals, args),
        Command::Completions(args) => completions::run(args),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(json_errors).into(),
    }
}

/// What a command returns.
type Outcome = Result<Exit, Failure>;
