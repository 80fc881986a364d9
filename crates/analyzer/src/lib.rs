//! The pure domain of secateur.
//!
//! Policies and their patterns, the action catalogue, the account and the graph of who holds what, last-accessed
//! evidence, and the verdict on every permission. No function here does IO, reads a clock or calls AWS.

pub mod account;
pub mod action;
pub mod analysis;
pub mod arn;
pub mod catalog;
pub mod document;
pub mod graph;
pub mod parallel;
pub mod risk;
pub mod rules;
pub mod time;
pub mod verdict;
pub mod wildcard;
