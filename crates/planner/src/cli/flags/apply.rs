//! The flags of commands that write to AWS, and of their journals.

use std::path::PathBuf;

use clap::Args;
use secateur_analyzer::document::Sha256;

use super::AccessArgs;
use super::Format;
use super::SourceArgs;

/// How somebody says yes.
#[derive(Debug, Args)]
pub(in crate::cli) struct ApprovalArgs {
    /// Approve of what has this digest, and of nothing else: all 64 digits
    #[arg(long, value_name = "DIGEST", conflicts_with = "auto_approve")]
    pub approve: Option<Sha256>,
    /// Approve of whatever there is, without being asked
    #[arg(long)]
    pub auto_approve: bool,
    /// How long a write may take until reads show it; until then one that was perhaps made is not made again
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(i64).range(0..=600))]
    pub settle: i64,
    /// How many writes may be on their way at a time; those to one role, user, group or policy are made one after the other
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub parallelism: u8,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ApplyArgs {
    /// The plan file; with --resume, that of the open journal unless it is named
    #[arg(value_name = "PLAN", required_unless_present = "resume")]
    pub plan: Option<PathBuf>,
    /// Apply only changes whose address matches, such as `role/ci`, `policy/*`, groups whole; may be given several times
    #[arg(long, value_name = "GLOB", conflicts_with = "resume")]
    pub target: Vec<String>,
    /// Leave out changes whose address matches, groups whole; may be given several times
    #[arg(long, value_name = "GLOB", conflicts_with = "resume")]
    pub exclude: Vec<String>,
    /// Go on with the open journal
    #[arg(long)]
    pub resume: bool,
    /// With --resume: refuse unless the journal's last record has this hash, as `secateur history` shows it
    #[arg(long, value_name = "HASH", requires = "resume")]
    pub expect_head: Option<Sha256>,
    /// Do not read fresh reports: what was used since the plan is removed all the same
    #[arg(long)]
    pub no_recheck: bool,
    #[command(flatten)]
    pub approval: ApprovalArgs,
    #[command(flatten)]
    pub sources: SourceArgs,
    /// How to tell the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    #[command(flatten)]
    pub access: AccessArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RollbackArgs {
    /// The journal: its id, or its file
    #[arg(value_name = "JOURNAL")]
    pub journal: String,
    /// Take back only changes whose address matches, groups whole; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub target: Vec<String>,
    /// Refuse unless the journal's last record has this hash, as `secateur history` shows it
    #[arg(long, value_name = "HASH")]
    pub expect_head: Option<Sha256>,
    /// When a rollback is taken back: do not read fresh reports; what was used since it gave it back is removed all the same
    #[arg(long)]
    pub no_recheck: bool,
    #[command(flatten)]
    pub sources: SourceArgs,
    #[command(flatten)]
    pub approval: ApprovalArgs,
    /// How to tell the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    #[command(flatten)]
    pub access: AccessArgs,
}
