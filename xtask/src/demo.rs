//! `cargo xtask demo`: the main job on the sample account, over HTTP: an emulator of AWS, and the commands in their order.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use crate::cargo;

/// What the demo shows: a title, and the command that a user would type.
struct Step {
    title: &'static str,
    arguments: &'static [&'static str],
    /// What is said in the place of an output that is too long to be looked at here.
    instead: Option<&'static str>,
    /// How it ends.
    ends_with: i32,
}

impl Step {
    const fn new(title: &'static str, arguments: &'static [&'static str]) -> Step {
        Step { title, arguments, instead: None, ends_with: 0 }
    }
}

const ACME: [&str; 2] = ["--config", "docs/examples/acme/secateur.toml"];
const SNAPSHOT: [&str; 2] = ["--snapshot", "target/demo/snapshot"];
/// What the demo writes; it begins with none of it.
const FOLDER: &str = "target/demo";
const PLAN: &str = "target/demo/plan.json";

const TWO: [&str; 4] = ["--target", "role/github-deploy/inline/deploy", "--target", "policy/service-baseline"];
const OWN: [&str; 2] = ["--config", "target/demo/secateur.toml"];
const ONE_PLAN: &str = "target/demo/two-changes.json";

const STEPS: [Step; 10] = [
    Step::new("Read the account, as from AWS: here an emulator answers", &["collect"]),
    Step::new("What the account grants, and what is used", &["analyze"]),
    Step::new("Two of the changes: a pipeline's role, and a policy of four roles", &["plan", "two"]),
    Step::new("Why one permission stays", &["explain", "role/github-deploy", "iam:PassRole"]),
    Step { instead: Some("(docs/examples/acme/plan.txt is such a text)"), ..Step::new("The whole plan", &["plan"]) },
    Step::new("What it comes to", &["status"]),
    Step::new("Every change, proved again from the snapshot", &["verify"]),
    Step::new("The two changes, made: in earnest somebody approves of the digest that was reviewed", &["apply"]),
    Step {
        ends_with: 3,
        ..Step::new("The same plan once more: AWS is no longer as it expects, and nothing is written", &["apply"])
    },
    Step::new("And back, from the journal", &["rollback"]),
];

/// The emulator, and where it is. It ends with the demo, however that ends.
struct Emulator {
    process: Child,
    url: String,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It has ended already, or there is nobody left to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Emulator {
    fn start(binary: &Path) -> Option<Emulator> {
        let mut command = Command::new(binary);
        command.args(["--account", "docs/examples/acme/snapshot", "--frozen", "--silent"]);
        command.current_dir(cargo::workspace()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut emulator = Emulator { process: command.spawn().ok()?, url: String::new() };
        BufReader::new(emulator.process.stdout.take()?).read_line(&mut emulator.url).ok()?;
        emulator.url = emulator.url.trim().to_owned();
        emulator.url.starts_with("http://").then_some(emulator)
    }

    /// Makes it AWS for a command. The key is in `docs/emulator.md`; nobody checks its secret.
    fn stand_in(&self, command: &mut Command) {
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS"] {
            command.env_remove(name);
        }
        command.env("AWS_ENDPOINT_URL", &self.url).env("AWS_REGION", "eu-west-1");
        command.env("AWS_ACCESS_KEY_ID", "AKIAEMULATOROPERATOR").env("AWS_SECRET_ACCESS_KEY", "emulator");
    }
}

/// Builds secateur and the emulator, and runs the steps.
pub fn run() -> ExitCode {
    eprintln!("Building secateur and the emulator; the AWS SDK takes some minutes the first time ...");
    let (Some(binary), Some(emulator)) = (built("secateur"), built("emulator")) else {
        eprintln!(
            "error: they do not build, or are not where cargo says\nhelp: cargo build --workspace --features secateur-tests/sdk"
        );
        return ExitCode::FAILURE;
    };
    let folder = cargo::workspace().join(FOLDER);
    if folder.exists()
        && let Err(error) = fs::remove_dir_all(&folder)
    {
        eprintln!("error: cannot remove {}: {error}", folder.display());
        return ExitCode::FAILURE;
    }
    let Some(emulator) = Emulator::start(&emulator) else {
        eprintln!(
            "error: the emulator does not start\nhelp: cargo xtask emulator --account docs/examples/acme/snapshot"
        );
        return ExitCode::FAILURE;
    };
    if let Err(error) = fs::create_dir_all(&folder).and_then(|()| {
        // A configuration of the demo's own: journals are kept beside it.
        fs::copy(cargo::workspace().join(ACME[1]), folder.join("secateur.toml")).map(|_| ())
    }) {
        eprintln!("error: cannot write {}: {error}", folder.display());
        return ExitCode::FAILURE;
    }
    for (at, step) in STEPS.iter().enumerate() {
        let mut arguments: Vec<String> = step.arguments().into_iter().map(str::to_owned).collect();
        if arguments.first().is_some_and(|command| command == "rollback") {
            arguments.insert(1, journal(&folder).unwrap_or_default());
        }
        println!("\n{}. {}\n\n$ secateur {}\n", at + 1, step.title, arguments.join(" "));
        let mut secateur = Command::new(&binary);
        secateur.args(&arguments).current_dir(cargo::workspace());
        emulator.stand_in(&mut secateur);
        if let Some(instead) = step.instead {
            println!("{instead}");
            secateur.stdout(Stdio::null());
        }
        let status = secateur.status();
        match status {
            Ok(status) if status.code() == Some(step.ends_with) => {}
            Ok(status) if status.success() => return ExitCode::FAILURE,
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

/// The id of the only journal.
fn journal(folder: &Path) -> Option<String> {
    let mut entries = fs::read_dir(folder.join(".secateur/journal")).ok()?.filter_map(Result::ok);
    entries.find_map(|entry| entry.file_name().to_str()?.strip_suffix(".jsonl").map(str::to_owned))
}

impl Step {
    fn arguments(&self) -> Vec<&'static str> {
        let mut arguments = self.arguments.to_vec();
        match self.arguments {
            ["verify"] => arguments.extend([PLAN].iter().chain(&ACME)),
            ["status"] => arguments.extend(ACME.iter().chain(&SNAPSHOT).chain(&["--plan", PLAN])),
            ["collect"] => arguments.extend(ACME.iter().chain(&SNAPSHOT).chain(&["--rate", "max"])),
            ["plan", "two"] => {
                arguments.truncate(1);
                arguments.extend(TWO.iter().chain(&ACME).chain(&SNAPSHOT).chain(&["--out", ONE_PLAN]));
            }
            ["apply"] => arguments.extend([ONE_PLAN].iter().chain(&OWN).chain(&SNAPSHOT).chain(&["--auto-approve"])),
            ["rollback"] => {
                arguments.extend(OWN.iter().chain(&SNAPSHOT).chain(&["--auto-approve", "--settle", "1"]));
            }
            ["plan"] => arguments.extend(ACME.iter().chain(&SNAPSHOT).chain(&["--out", PLAN])),
            _ => arguments.extend(ACME.iter().chain(&SNAPSHOT)),
        }
        arguments
    }
}

/// Builds a binary, as a part of all that the checks build: of one package alone the dependencies have other features, and the SDK of AWS
/// would be built once for each. Its path is from cargo's own messages: the line of the artifact that is an executable.
fn built(name: &str) -> Option<PathBuf> {
    let mut build = cargo::command();
    build.args(["build", "--quiet", "--locked", "--workspace", "--features", "secateur-tests/sdk", "--bin", name]);
    let build = build.arg("--message-format=json-render-diagnostics").current_dir(cargo::workspace());
    let output = build.stderr(Stdio::inherit()).output().ok().filter(|output| output.status.success())?;
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
        assert_eq!(lines[6], "verify target/demo/plan.json --config docs/examples/acme/secateur.toml");
        assert!(lines[4].starts_with("plan --config docs/examples/acme/secateur.toml --snapshot "), "{lines:?}");
    }
}
