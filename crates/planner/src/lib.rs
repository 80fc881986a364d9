//! The planner of secateur: rewrites, proofs, the plan and its renderings.
//!
//! Planning, proving and rendering are functions over values: they see analyzer's `Account`, and neither files nor AWS.

pub mod plan;
pub mod proof;
pub mod rewrite;
