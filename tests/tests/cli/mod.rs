//! The shipped binary, as its users meet it: files in, streams, files and exit codes out.

mod accounts;
mod configuration;
mod copies;
mod documents;
mod edited;
mod exits;
mod faults;
mod files;
mod pages;
pub mod planfile;
mod plans;
mod reports;
mod rules;
mod sameness;
mod scene;
mod selection;
mod snapshots;
mod streams;
mod wide;

pub use scene::{Answer, files_below};
