//! An emulator of AWS: IAM, STS, KMS, CloudTrail and Account, as far as secateur talks to them, over HTTP on loopback.
//!
//! It holds an account in memory and derives last-accessed reports as AWS derives them. See `docs/emulator.md`.

mod behaviour;
mod call;
mod clock;
mod cloudtrail;
mod control;
mod iam;
mod ids;
mod kms;
mod options;
mod regions;
mod report;
mod server;
mod snapshot;
mod state;
mod sts;
mod time;
mod wire;

pub use options::Options;
pub use server::{OPERATOR_KEY, OPERATOR_SECRET, Running};
