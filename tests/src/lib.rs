//! Support for the end-to-end tests of secateur, and the independent judge of what it does.
//!
//! Depends on none of secateur's crates: what is tested end to end is the binary, as users have it.

mod binary;
pub mod emulator;
pub mod judge;
mod random;

pub use binary::binary;
pub use random::Random;
