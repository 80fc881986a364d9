//! The binary `secateur`.

use std::process::ExitCode;

fn main() -> ExitCode {
    secateur::cli::run(std::env::args_os())
}
