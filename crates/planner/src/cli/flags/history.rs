//! The flags of `secateur history`.

use clap::Args;

use super::Format;

#[derive(Debug, Args)]
pub(in crate::cli) struct HistoryArgs {
    /// Close this open journal as it is; nothing is taken back
    #[cfg(feature = "aws")]
    #[arg(long, value_name = "ID", requires = "reason")]
    pub abandon: Option<String>,
    /// Why it is closed
    #[cfg(feature = "aws")]
    #[arg(long, value_name = "TEXT", requires = "abandon")]
    pub reason: Option<String>,
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}
