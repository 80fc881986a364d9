//! The tasks of this repository: `cargo xtask help` lists them.
//!
//! Depends on no crate of the workspace: tasks must run when the workspace does not build. All work is done by cargo,
//! started as a process of its own.

mod cargo;
mod ci;
mod demo;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

const HELP: &str = "\
The tasks of this repository.

usage: cargo xtask TASK [ARGS]

  demo                         the main job on the sample account, with an emulator of AWS: collect, analyze,
                               plan, explain, verify, apply, and back
  ci                           every check that a change has to pass: format, lints, docs, the code
                               for offline use, tests
  bench [--quick] [plan] [collect]
                               how fast `plan` is, on a generated account of 5,000 roles, against mere parsing;
                               how fast `collect` is, beside boto3
  catalog DIR --date YYYY-MM-DD
                               rebuild the catalogue from files of the AWS service reference, fetched
                               on that day
  emulator [--account DIR] [--port N] ...
                               an emulator of AWS that knows last-accessed reports, on this machine;
                               docs/emulator.md says what it can do, `emulator --help` its options
  soak [--minutes N] [--seed S]
                               draw accounts, plan for them with the shipped binary, and judge every
                               plan, until told to stop; `soak --help` has the rest
  help                         this text

Any other word runs the secateur command line, built from this repository:
`cargo xtask plan --help` is `secateur plan --help`.";

/// The exit code of a call that cannot be understood.
const USAGE_ERROR: u8 = 64;

fn main() -> ExitCode {
    let mut words = env::args_os().skip(1);
    let Some(task) = words.next() else { return help() };
    let rest: Vec<OsString> = words.collect();
    match task.to_str() {
        Some("help" | "--help" | "-h") => help(),
        Some("ci") => match rest.first() {
            None => ci::run(),
            Some(word) if word == "--help" || word == "-h" => help(),
            Some(word) => {
                eprintln!("error: `cargo xtask ci` takes no arguments; what is `{}`?", word.display());
                ExitCode::from(USAGE_ERROR)
            }
        },
        Some("demo") => match rest.first() {
            None => demo::run(),
            Some(_) => {
                eprintln!("error: `cargo xtask demo` takes no arguments");
                ExitCode::from(USAGE_ERROR)
            }
        },
        Some("emulator") => cargo::own_binary("secateur-tests", "emulator", &rest),
        Some("soak") => cargo::tool("secateur-tests", "soak", &rest),
        Some("bench") => cargo::release("secateur-tests", "bench", &rest),
        Some("catalog") => cargo::example("secateur-analyzer", "rebuild_catalog", &rest),
        _ => cargo::binary("secateur", &task, &rest),
    }
}

fn help() -> ExitCode {
    println!("{HELP}");
    ExitCode::SUCCESS
}
