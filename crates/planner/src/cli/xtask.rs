//! secateur as a task of your own repository.
//!
//! A package `xtask` with `secateur` as dependency and these three lines, and the alias
//! `xtask = "run --quiet --package xtask --"` in `.cargo/config.toml`, make `cargo xtask plan` what `secateur plan` is:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     secateur::xtask::main()
//! }
//! ```
//!
//! `Cargo.lock` then says which secateur your repository uses.

use std::process::ExitCode;

/// Runs the command line with the arguments of the process, and returns its exit code.
///
/// The working directory stays the caller's, so `secateur.toml` is found from any subdirectory.
pub fn main() -> ExitCode {
    super::run(std::env::args_os())
}
