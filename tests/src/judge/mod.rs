//! An evaluator of IAM policies, independent of the product: the judge of what it does, and the emulator's gatekeeper.
//!
//! Written from AWS's pages alone; shares no code with the product's crates. [`Policy::parse`] reads a document,
//! [`decide`] answers a [`Request`] by identity policies, [`decide_within`] within a permissions boundary. What the judge
//! does not know (an operator, the value of a variable) makes a decision [`Decision::Undecided`], never a guess.
//!
//! [`compare::Comparison`] holds the documents before and after a change against each other: not by requests alone,
//! but for every action of the catalogue and many that it does not know, for every combination of resources and conditions
//! that stands in the documents.

pub mod actions;
pub mod compare;
mod condition;
mod context;
mod decide;
mod document;
#[cfg(test)]
mod documented;
pub mod glob;
mod json;
mod operator;
pub mod probe;
pub mod structure;
pub mod time;
mod truth;

pub use condition::Condition;
pub use context::Context;
pub use decide::{Decision, Request, decide, decide_within};
pub use document::{Effect, Listed, Policy, Statement};
pub use json::Json;
pub use truth::Truth;
