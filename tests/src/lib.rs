//! Support for the end-to-end tests of secateur, its bench, and the independent judge of what it does.
//!
//! Depends on none of secateur's crates: what is tested end to end is the binary, as users have it.

pub mod bench;
mod binary;
pub mod emulator;
pub mod judge;
mod random;
pub mod soak;

pub use binary::{Build, binary, built, release_binary};
pub use random::Random;
