//! Errors of commands, all in one shape: what happened, where, and the command or edit that mends it.

use std::io::Write as _;
use std::path::Path;

use secateur_analyzer::analysis::AnalysisError;
use secateur_collector::SnapshotError;
use serde::Serialize;

use super::Exit;
use crate::plan::{ReadPlanError, Refusal};
use crate::render::visible;

/// Why a command ended without doing what it was asked.
#[derive(Debug)]
pub(super) struct Failure {
    exit: Exit,
    reason: &'static str,
    message: String,
    help: Option<String>,
}

impl Failure {
    /// An error: exit code 1.
    pub fn error(reason: &'static str, message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Error, reason, message: message.into(), help: None }
    }

    /// A refusal: exit code 3.
    pub fn refused(reason: &'static str, message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Refused, ..Failure::error(reason, message) }
    }

    /// Something is done, and something is left: exit code 4.
    #[cfg(feature = "aws")]
    pub fn partly(reason: &'static str, message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Partly, ..Failure::error(reason, message) }
    }

    /// A command line that makes no sense: exit code 64.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, ..Failure::error("usage", message) }
    }

    /// Adds what mends it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    /// A file that could not be read or written.
    pub fn io(doing: &str, path: &Path, error: &std::io::Error) -> Failure {
        let failure = Failure::error("io", format!("cannot {doing} `{}`: {error}", path.display()));
        match error.kind() {
            std::io::ErrorKind::NotFound => failure.help("check the path"),
            std::io::ErrorKind::PermissionDenied => failure.help("check who may read and write there"),
            std::io::ErrorKind::IsADirectory | std::io::ErrorKind::NotADirectory => {
                failure.help("name a file, in a folder that is one")
            }
            std::io::ErrorKind::StorageFull => failure.help("make room on the disk"),
            _ => failure.help("check the path"),
        }
    }

    /// A snapshot that could not be read.
    pub fn snapshot(error: &SnapshotError) -> Failure {
        let mut message = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            message.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        let failure = Failure::error("snapshot", message);
        match error.help() {
            Some(help) => failure.help(help),
            None => failure,
        }
    }

    /// A plan file that is refused.
    pub fn plan_file(path: &Path, error: &ReadPlanError) -> Failure {
        let message = format!("{}: {error}", path.display());
        let failure = match error {
            ReadPlanError::Edited { .. } | ReadPlanError::ChangesEdited { .. } => {
                Failure::refused(error.name(), message)
            }
            ReadPlanError::NotAPlan(_) | ReadPlanError::OtherFormat { .. } => Failure::error(error.name(), message),
        };
        failure.help(error.help())
    }

    /// A plan whose changes do not hold.
    pub fn refusals(path: &Path, refusals: &[Refusal]) -> Failure {
        let lines: Vec<String> = refusals
            .iter()
            .map(|refusal| {
                let detail = refusal.detail.strip_prefix(&format!("{}: ", refusal.name)).unwrap_or(&refusal.detail);
                format!("\n{}: {}: {}", visible(&refusal.address), refusal.name, visible(detail))
            })
            .collect();
        Failure::refused("unproved", format!("{} does not hold:{}", path.display(), lines.concat()))
            .help("make a new plan with `secateur plan`, and review it again")
    }

    /// An account that cannot be judged.
    pub fn analysis(error: &AnalysisError) -> Failure {
        Failure::error("now-before-report", error.to_string()).help(error.help())
    }

    /// Returns the exit code.
    #[cfg(test)]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Returns the word for programs.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Returns what happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns message and help.
    #[cfg(test)]
    pub fn to_text(&self) -> String {
        match &self.help {
            Some(help) => format!("{}\nhelp: {help}", self.message),
            None => self.message.clone(),
        }
    }

    /// Turns the error into a refusal: what a plan rests on is not what it was.
    pub fn into_refusal(self) -> Failure {
        Failure { exit: Exit::Refused, ..self }
    }

    /// Turns the error into a refusal of that name.
    pub fn into_refusal_named(self, reason: &'static str) -> Failure {
        Failure { exit: Exit::Refused, reason, ..self }
    }

    /// Prints the error; with `json` also as an object on stdout. Returns the exit code.
    pub fn report(&self, json: bool) -> Exit {
        #[derive(Serialize)]
        struct Object<'a> {
            reason: &'a str,
            message: &'a str,
            help: Option<&'a str>,
        }
        if json {
            let object = Object { reason: self.reason, message: &self.message, help: self.help.as_deref() };
            if let Ok(text) = serde_json::to_string_pretty(&object) {
                // Where stdout cannot be written to, stderr still tells.
                let _ = writeln!(anstream::stdout(), "{text}");
            }
        }
        // Lines after the first are indented: a name with a line break in it cannot pass for a message of its own.
        let indented = |text: &str| text.lines().map(visible).collect::<Vec<_>>().join("\n  ");
        // There is nowhere left to tell that stderr cannot be written to.
        let _ = writeln!(anstream::stderr(), "\u{1b}[1;31mError:\u{1b}[0m {}", indented(&self.message));
        if let Some(help) = &self.help {
            let _ = writeln!(anstream::stderr(), "  help: {}", indented(help));
        }
        self.exit
    }
}
