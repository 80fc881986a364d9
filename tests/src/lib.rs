//! Support for the end-to-end tests of secateur.
//!
//! Depends on none of secateur's crates: what is tested end to end is the binary, as users have it.

mod binary;

pub use binary::binary;
