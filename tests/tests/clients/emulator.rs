//! An emulator of the sample account, at a clock that stands still.

use secateur_tests::emulator::{Options, Running};

/// The Region of the sample account.
pub const REGION: &str = "eu-west-1";

pub fn start() -> Running {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/acme/snapshot");
    // Pages of a few rows, so that all clients turn them.
    let options =
        Options { account: Some(folder.into()), frozen: true, silent: true, page_size: Some(7), ..Options::default() };
    Running::start(&options).unwrap()
}
