//! The bodies of the fuzz targets in `crates/planner/fuzz`: plain functions over bytes, which `tests/replay.rs` runs too.
//!
//! Accounts are drawn from the bytes, plans are made of them, and `judge` says what it thinks of their changes. It shares no
//! line with the product.

#![expect(clippy::panic, reason = "a body fails by panicking")]

pub mod document;
pub mod evidence;
pub mod judge;
pub mod prove;
pub mod raw;
pub mod rewrite;
pub mod scene;
