//! The bodies of the fuzz targets in `crates/analyzer/fuzz`: plain functions over bytes, which `tests/replay.rs` runs too.

#![expect(clippy::panic, reason = "a body fails by panicking")]

pub mod document;
pub mod keys;
pub mod pattern;
pub mod search;
