//! `cargo xtask ci`: every check that a change has to pass, the quick ones first.

use std::process::ExitCode;

use crate::cargo;

/// A check: what it is called, the environment and the arguments of cargo.
struct Step {
    name: &'static str,
    environment: &'static [(&'static str, &'static str)],
    arguments: &'static [&'static str],
}

/// The steps in order. The tests come last, so that the output ends with their result.
const STEPS: [Step; 5] = [
    Step { name: "format", environment: &[], arguments: &["fmt", "--all", "--check"] },
    Step {
        name: "lints",
        environment: &[],
        arguments: &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            "secateur-tests/sdk",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    },
    Step {
        name: "docs",
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
        arguments: &["doc", "--workspace", "--no-deps", "--features", "secateur-tests/sdk", "--locked"],
    },
    // With `-p`: with the whole workspace features are unified, and the AWS SDK is in. A test builds and runs it, in the repository
    // of a user.
    Step {
        name: "offline use",
        environment: &[],
        arguments: &["check", "-p", "secateur", "--no-default-features", "--features", "cli", "--locked"],
    },
    // With the real clients of AWS, as the lints: what a step has in common with another is built once. Many tests wait, for a
    // clock, a lock or another process: with as many at a time as processors, these have nothing to do meanwhile.
    Step {
        name: "tests",
        environment: &[("RUST_TEST_THREADS", "4")],
        arguments: &["test", "--workspace", "--features", "secateur-tests/sdk", "--locked"],
    },
];

/// Runs the steps and stops at the first that fails, with its exit code.
pub fn run() -> ExitCode {
    for (index, step) in STEPS.iter().enumerate() {
        eprintln!("[{}/{}] {}: {}", index + 1, STEPS.len(), step.name, step.shell());
        let mut command = cargo::command();
        // Each crate is built once: what would make a second build quicker is twice the size of the build itself.
        command.env("CARGO_INCREMENTAL", "0");
        command.args(step.arguments).envs(step.environment.iter().copied()).current_dir(cargo::workspace());
        match command.status() {
            Ok(status) if status.success() => {}
            Ok(status) => {
                step.blame();
                return cargo::exit_code(status);
            }
            Err(error) => {
                eprintln!("error: cargo does not start: {error}");
                step.blame();
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

impl Step {
    /// Returns the step as a line for a shell.
    fn shell(&self) -> String {
        let environment = self.environment.iter().map(|(name, value)| format!("{name}=\"{value}\" "));
        environment.chain([format!("cargo {}", self.arguments.join(" "))]).collect()
    }

    fn blame(&self) {
        eprintln!("\nerror: step `{}` failed\nhelp: to run it alone: {}", self.name, self.shell());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_shown_as_one_would_type_it() {
        let docs = STEPS.iter().find(|step| step.name == "docs").map(Step::shell);
        let shown =
            "RUSTDOCFLAGS=\"-D warnings\" cargo doc --workspace --no-deps --features secateur-tests/sdk --locked";
        assert_eq!(docs.as_deref(), Some(shown));
    }

    #[test]
    fn the_output_ends_with_the_result_of_the_tests() {
        assert_eq!(STEPS.last().map(|step| step.name), Some("tests"));
    }
}
