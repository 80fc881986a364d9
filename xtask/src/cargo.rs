//! Cargo, started as a process: the one that runs this task, on the workspace that this task belongs to.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

/// Returns the folder of the workspace.
pub fn workspace() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// Returns a call of cargo, without arguments yet.
pub fn command() -> Command {
    // Cargo names itself to what it runs: another one in `PATH` may be of another toolchain.
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    // What it says of this package is not about those that it builds next: build scripts that look at it would run anew.
    let is_of_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_of_package)) {
        command.env_remove(name);
    }
    command
}

/// Runs the binary of a package with its arguments, in the current folder, and returns its exit code.
pub fn binary(package: &str, word: &OsString, rest: &[OsString]) -> ExitCode {
    let mut run = run_of(package);
    run.arg("--").arg(word).args(rest);
    finish(&mut run)
}

/// Runs one of a package's binaries with its arguments, in the current folder, and returns its exit code.
pub fn own_binary(package: &str, name: &str, arguments: &[OsString]) -> ExitCode {
    let mut run = run_of(package);
    run.args(["--bin", name, "--"]).args(arguments);
    finish(&mut run)
}

/// Runs an optimized binary of a package with its arguments, in the current folder, and returns its exit code.
pub fn release(package: &str, binary: &str, arguments: &[OsString]) -> ExitCode {
    let mut run = run_of(package);
    run.args(["--release", "--locked", "--bin", binary, "--"]).args(arguments);
    finish(&mut run)
}

/// Runs an example of a package with its arguments, in the current folder, and returns its exit code.
pub fn example(package: &str, example: &str, arguments: &[OsString]) -> ExitCode {
    let mut run = run_of(package);
    run.args(["--example", example, "--"]).args(arguments);
    finish(&mut run)
}

/// Runs one of a package's binaries with its arguments, optimised, in the current folder, and returns its exit code.
pub fn tool(package: &str, tool: &str, arguments: &[OsString]) -> ExitCode {
    let mut run = run_of(package);
    run.args(["--release", "--bin", tool, "--"]).args(arguments);
    finish(&mut run)
}

/// Returns the code to exit with after a process: its own, or as a shell has it when a signal ended it.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    if status.success() {
        return ExitCode::SUCCESS;
    }
    let code = status.code().or_else(|| code_of_signal(status)).unwrap_or(1);
    // Zero would say that all went well, so a code that does not fit becomes a plain failure.
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn run_of(package: &str) -> Command {
    let mut run = command();
    run.args(["run", "--quiet", "--manifest-path"]).arg(workspace().join("Cargo.toml")).args(["--package", package]);
    run
}

fn finish(command: &mut Command) -> ExitCode {
    match command.status() {
        Ok(status) => exit_code(status),
        Err(error) => {
            eprintln!("error: cargo does not start: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(unix)]
fn code_of_signal(status: ExitStatus) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt;
    status.signal().map(|signal| 128 + signal)
}

#[cfg(not(unix))]
fn code_of_signal(_status: ExitStatus) -> Option<i32> {
    None
}
