//! The emulator, over HTTP: each test names a fact of AWS. `docs/emulator.md` has their list.

mod behaviour;
mod binary;
pub mod cloud;
mod details;
mod documented;
mod faults;
mod history;
mod jobs;
mod keys;
mod kms;
mod permissions;
mod quotas;
mod reports;
mod sample;
mod speed;
mod wire;
mod writes;
