//! The binary `secateur` with points at which a test ends it. It is built for tests alone.

use std::process::ExitCode;

fn main() -> ExitCode {
    secateur::cli::run(std::env::args_os())
}
