//! `cargo xtask demo`: the main job on the sample account, offline.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::cargo;

/// What the demo shows: a title, and the command that a user would type.
struct Step {
    title: &'static str,
    arguments: &'static [&'static str],
    /// What is said in the place of an output that is too long to be looked at here.
    instead: Option<&'static str>,
}

const ACME: [&str; 2] = ["--config", "docs/examples/acme/secateur.toml"];
const SNAPSHOT: [&str; 2] = ["--snapshot", "docs/examples/acme/snapshot"];
const PLAN: &str = "target/demo/plan.json";

const TWO: [&str; 4] = ["--target", "role/github-deploy/inline/deploy", "--target", "policy/service-baseline"];
const ONE_PLAN: &str = "target/demo/two-changes.json";

const STEPS: [Step; 6] = [
    Step { title: "What the account grants, and what is used", arguments: &["analyze"], instead: None },
    Step {
        title: "Two of the changes: a pipeline's role, and a policy of four roles",
        arguments: &["plan", "two"],
        instead: None,
    },
    Step {
        title: "Why one permission stays",
        arguments: &["explain", "role/github-deploy", "iam:PassRole"],
        instead: None,
    },
    Step { title: "The whole plan", arguments: &["plan"], instead: Some("(its text is docs/examples/acme/plan.txt)") },
    Step { title: "What it comes to", arguments: &["status"], instead: None },
    Step { title: "Every change, proved again from the snapshot", arguments: &["verify"], instead: None },
];

/// Builds secateur for offline use, and runs the steps.
pub fn run() -> ExitCode {
    eprintln!("Building secateur for offline use ...");
    let mut build = cargo::command();
    build.args(["build", "--quiet", "--locked", "-p", "secateur", "--no-default-features", "--features", "cli"]);
    match build.current_dir(cargo::workspace()).status() {
        Ok(status) if status.success() => {}
        Ok(status) => return cargo::exit_code(status),
        Err(error) => {
            eprintln!("error: cargo does not start: {error}");
            return ExitCode::FAILURE;
        }
    }
    let Some(binary) = binary() else {
        eprintln!("error: the built secateur is not where cargo says\nhelp: cargo build -p secateur");
        return ExitCode::FAILURE;
    };
    for (at, step) in STEPS.iter().enumerate() {
        let arguments = step.arguments();
        println!("\n{}. {}\n\n$ secateur {}\n", at + 1, step.title, arguments.join(" "));
        let mut secateur = Command::new(&binary);
        secateur.args(&arguments).current_dir(cargo::workspace());
        if let Some(instead) = step.instead {
            println!("{instead}");
            secateur.stdout(Stdio::null());
        }
        let status = secateur.status();
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => return cargo::exit_code(status),
            Err(error) => {
                eprintln!("error: secateur does not start: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("\nThat was the sample account of docs/examples/acme. docs/guide.md goes through it, and on to your own.");
    ExitCode::SUCCESS
}

impl Step {
    fn arguments(&self) -> Vec<&'static str> {
        let mut arguments = self.arguments.to_vec();
        match self.arguments {
            ["verify"] => arguments.extend([PLAN].iter().chain(&ACME)),
            ["status"] => arguments.extend(ACME.iter().chain(&SNAPSHOT).chain(&["--plan", PLAN])),
            ["plan", "two"] => {
                arguments.truncate(1);
                arguments.extend(TWO.iter().chain(&ACME).chain(&SNAPSHOT).chain(&["--out", ONE_PLAN]));
            }
            ["plan"] => arguments.extend(ACME.iter().chain(&SNAPSHOT).chain(&["--out", PLAN])),
            _ => arguments.extend(ACME.iter().chain(&SNAPSHOT)),
        }
        arguments
    }
}

/// The binary's path, from cargo's own messages: the line of the artifact that is an executable.
fn binary() -> Option<PathBuf> {
    let mut build = cargo::command();
    build.args(["build", "--quiet", "--locked", "-p", "secateur", "--no-default-features", "--features", "cli"]);
    let output = build.arg("--message-format=json").current_dir(cargo::workspace()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let executable = text.lines().rev().find_map(|line| {
        let (_, rest) = line.split_once("\"executable\":\"")?;
        // Paths hold no quotes; backslashes are doubled in JSON.
        rest.split('"').next().map(|path| path.replace("\\\\", "\\"))
    })?;
    Some(Path::new(&executable).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_that_a_user_would_type() {
        let lines: Vec<String> = STEPS.iter().map(|step| step.arguments().join(" ")).collect();
        assert_eq!(lines[5], "verify target/demo/plan.json --config docs/examples/acme/secateur.toml");
        assert!(lines[3].starts_with("plan --config docs/examples/acme/secateur.toml --snapshot "), "{lines:?}");
    }
}
