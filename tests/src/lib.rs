//! Support for the end-to-end tests of secateur, and its bench.
//!
//! Depends on none of secateur's crates: what is tested end to end is the binary, as users have it.

pub mod bench;
mod binary;

pub use binary::{Build, binary, built};
