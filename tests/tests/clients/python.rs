//! boto3 and the AWS CLI, in a virtual environment below `target`.
//!
//! Without Python, or without a registry to install from, their tests are skipped with a printed word; with
//! `SECATEUR_CLIENTS=require` in the environment they fail then.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// What is installed. Pinned, so that a run does not depend on the day.
const PACKAGES: [&str; 2] = ["awscli==1.45.11", "boto3==1.43.11"];

/// A Python with boto3 and the AWS CLI.
#[derive(Clone, Debug)]
pub struct Python(PathBuf);

/// Makes the environment once; none if that cannot be done here.
pub fn environment() -> Option<Python> {
    static MADE: OnceLock<Result<Python, String>> = OnceLock::new();
    match MADE.get_or_init(make) {
        Ok(python) => Some(python.clone()),
        Err(why) => {
            let required = std::env::var_os("SECATEUR_CLIENTS").is_some_and(|value| value == "require");
            assert!(!required, "{why}");
            // Not by a macro: what those print is not shown when a test passes.
            writeln!(std::io::stderr(), "skipped, the tests with boto3 and the AWS CLI: {why}").unwrap();
            None
        }
    }
}

fn make() -> Result<Python, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-clients");
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let installed = folder.join("installed.txt");
    let wanted = PACKAGES.join(" ");
    if std::fs::read_to_string(&installed).ok().as_deref() == Some(&wanted) {
        return Ok(Python(python));
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES))?;
    std::fs::write(&installed, wanted).map_err(|error| error.to_string())?;
    Ok(Python(python))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

impl Python {
    /// Runs a script of this folder against an emulator; returns the JSON that it prints.
    pub fn run(&self, script: &str, url: &str, region: &str) -> Value {
        self.run_with(script, &[], url, region)
    }

    /// The same, with arguments.
    pub fn run_with(&self, script: &str, arguments: &[&str], url: &str, region: &str) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
        let output = Command::new(&self.0)
            .arg(script)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("HOME", env!("CARGO_TARGET_TMPDIR"))
            .env("AWS_ENDPOINT_URL", url)
            .env("AWS_ACCESS_KEY_ID", secateur_tests::emulator::OPERATOR_KEY)
            .env("AWS_SECRET_ACCESS_KEY", secateur_tests::emulator::OPERATOR_SECRET)
            .env("AWS_DEFAULT_REGION", region)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
