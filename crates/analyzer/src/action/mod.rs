//! Action patterns, as the `Action` and `NotAction` elements of a policy hold them.

mod pattern;
mod relation;

pub use pattern::ActionPattern;
