//! The flags of all commands.

#[cfg(feature = "aws")]
mod apply;
#[cfg(feature = "aws")]
mod aws;
mod history;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use secateur_analyzer::time::UnixTime;
use secateur_analyzer::verdict::RemovalReason;

#[cfg(feature = "aws")]
pub(super) use apply::{ApplyArgs, ApprovalArgs, RollbackArgs};
#[cfg(feature = "aws")]
pub(super) use aws::{AccessArgs, CollectArgs, GranularityFlag, IncludeFlag};
pub(super) use history::HistoryArgs;

/// terraform plan for AWS least privilege: removes unused IAM permissions, with evidence and proof.
#[derive(Debug, Parser)]
#[command(name = "secateur", version, max_term_width = 100, propagate_version = true)]
pub(super) struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Globals {
    /// The configuration [default: the secateur.toml of this directory or of the nearest one above]
    #[arg(long, global = true, value_name = "FILE", env = "SECATEUR_CONFIG")]
    pub config: Option<PathBuf>,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", env = "SECATEUR_COLOR")]
    pub color: ColorFlag,
    /// Print no notes on stderr; errors are printed
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorFlag {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl ColorFlag {
    /// Makes the choice hold for everything that is printed.
    pub fn write_global(self) {
        let choice = match self {
            ColorFlag::Auto => anstream::ColorChoice::Auto,
            ColorFlag::Always => anstream::ColorChoice::Always,
            ColorFlag::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read an AWS account into a snapshot: who may do what, and when it was last used
    #[cfg(feature = "aws")]
    Collect(CollectArgs),
    /// Show what every principal is granted, what it uses, and what could go
    Analyze(AnalyzeArgs),
    /// Write the plan file and show it
    Plan(PlanArgs),
    /// Show an existing plan
    Show(ShowArgs),
    /// Show why permissions are kept or removed, and what the plan makes of them
    Explain(ExplainArgs),
    /// Prove every change of a plan again, from the snapshot that the plan names
    Verify(VerifyArgs),
    /// Make the changes of a plan in AWS, exactly as they were reviewed
    #[cfg(feature = "aws")]
    Apply(ApplyArgs),
    /// Take back what an apply, or a rollback, has done
    #[cfg(feature = "aws")]
    Rollback(RollbackArgs),
    /// Show what was applied from here, and what is open
    History(HistoryArgs),
    /// Show how old the snapshot is, what the plan is, and whether an apply is open
    Status(StatusArgs),
    /// Show the catalogue's version, or what it knows of actions
    Catalog(CatalogArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
}

impl Command {
    /// Whether errors go to stdout as JSON too.
    pub fn wants_json(&self) -> bool {
        match self {
            #[cfg(feature = "aws")]
            Command::Collect(_) => false,
            Command::Plan(args) => args.format == PlanFormat::Json,
            Command::Show(args) => args.format == PlanFormat::Json,
            #[cfg(feature = "aws")]
            Command::Apply(args) => args.format == Format::Json,
            #[cfg(feature = "aws")]
            Command::Rollback(args) => args.format == Format::Json,
            Command::History(args) => args.format == Format::Json,
            Command::Verify(args) => args.format == Format::Json,
            Command::Catalog(args) => args.format == Format::Json,
            Command::Analyze(args) => args.format == Format::Json,
            Command::Explain(args) => args.format == Format::Json,
            Command::Status(args) => args.format == Format::Json,
            Command::Completions(_) => false,
        }
    }
}

/// How to show a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For a terminal
    Text,
    /// For a pull request
    Markdown,
    /// The plan file's own format
    Json,
}

/// How to show something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a terminal
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub(super) struct SnapshotArgs {
    /// The snapshot: a directory of files as the AWS CLI prints them, or a directory of such directories, one per account
    /// id [default: .secateur/snapshot beside secateur.toml]
    #[arg(long, value_name = "DIR", env = "SECATEUR_SNAPSHOT")]
    pub snapshot: Option<PathBuf>,
    /// Which account, where the snapshot directory holds several
    #[arg(long, value_name = "ID", env = "SECATEUR_ACCOUNT")]
    pub account: Option<String>,
    /// An older snapshot of the account, as witness that permissions were granted by then
    #[arg(long, value_name = "DIR")]
    pub older_snapshot: Option<PathBuf>,
    /// When to judge the age of reports, rules and catalogue, such as 2026-10-10T06:00:00Z [default: the end of the
    /// collection, else the newest report]
    #[arg(long, value_name = "TIME")]
    pub now: Option<UnixTime>,
    /// How many threads to use; the result does not depend on it [default: one per core]
    #[arg(long, value_name = "N", env = "SECATEUR_THREADS")]
    pub threads: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub snapshot: SnapshotArgs,
    /// Where to write the plan file [default: .secateur/plan.json beside secateur.toml]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How to show the plan
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: PlanFormat,
    /// Plan only changes whose address matches, such as `role/ci`, `policy/*`; groups of changes whole, and a managed policy
    /// with its attachments (`policy/aws:NAME` for what becomes of one of AWS's); may be given several times
    #[arg(long, value_name = "GLOB")]
    pub target: Vec<String>,
    /// Leave out changes whose address matches, as with --target; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Remove actions for this reason only; may be given several times
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub only: Vec<RemovalReason>,
    /// Exit with 2 when there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Exit with 1 when there is any gap
    #[arg(long)]
    pub require_full_coverage: bool,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The plan file
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// How to show the plan
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: PlanFormat,
    /// Write to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Leave details out of Markdown until it fits; the decision, the counts and the digest stay
    #[arg(long, value_name = "N", default_value_t = crate::render::MAX_BYTES)]
    pub max_bytes: usize,
    /// Take account ids, unique ids, caller and endpoint out
    #[arg(long)]
    pub redact: bool,
}

/// What a plan was made from, where it is not where the plan says.
#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// The snapshot [default: the one that the plan names; `rollback`: the one in the workspace]
    #[arg(long, value_name = "DIR")]
    pub snapshot: Option<PathBuf>,
    /// The older snapshot that the plan was made with: it is only believed when it is named here
    #[arg(long, value_name = "DIR")]
    pub older_snapshot: Option<PathBuf>,
    /// How many threads to use; the result does not depend on it [default: one per core]
    #[arg(long, value_name = "N", env = "SECATEUR_THREADS")]
    pub threads: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The plan file
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    #[command(flatten)]
    pub sources: SourceArgs,
    /// Compare with AWS too: whether all that the plan expects is still so
    #[cfg(feature = "aws")]
    #[arg(long)]
    pub live: bool,
    /// Exit with 2 when something is no longer as the plan expects
    #[cfg(feature = "aws")]
    #[arg(long, requires = "live")]
    pub detailed_exitcode: bool,
    /// How to tell the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub access: AccessArgs,
}

#[derive(Debug, Args)]
pub(super) struct AnalyzeArgs {
    #[command(flatten)]
    pub snapshot: SnapshotArgs,
    /// Only principals whose address matches, such as `role/ci`, `user/*`; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub principal: Vec<String>,
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A user or role: `role/ci`, its name or its ARN
    #[arg(value_name = "PRINCIPAL")]
    pub principal: String,
    /// An action, such as `s3:PutObject`; without one, all policies are summed up
    #[arg(value_name = "ACTION")]
    pub action: Option<String>,
    #[command(flatten)]
    pub snapshot: SnapshotArgs,
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub snapshot: SnapshotArgs,
    /// The plan file [default: .secateur/plan.json beside secateur.toml]
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct CatalogArgs {
    /// Actions or patterns, such as `s3:GetObject`, `kms:Re*`; without one, the catalogue's version is shown
    #[arg(value_name = "ACTION")]
    pub actions: Vec<String>,
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

fn reason(text: &str) -> Result<RemovalReason, String> {
    RemovalReason::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or_else(|| {
        let all: Vec<&str> = RemovalReason::ALL.iter().map(|reason| reason.as_str()).collect();
        format!("not a reason; the reasons are {}", all.join(", "))
    })
}
