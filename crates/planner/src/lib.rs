//! The planner of secateur: rewrites, proofs, the plan and its renderings.
//!
//! Planning, proving and rendering are functions over values: they see analyzer's `Account`, and neither files nor AWS.

pub mod analyze;
pub mod apply;
#[cfg(feature = "cli")]
pub mod cli;
pub mod explain;
pub mod plan;
pub mod proof;
pub mod render;
pub mod rewrite;
#[cfg(feature = "cli")]
pub use cli::xtask;
