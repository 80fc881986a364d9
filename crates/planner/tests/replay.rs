//! The bodies of the fuzz targets, run by the stable compiler: over the seeds of `fuzz/seeds`, and over bytes by chance
//! that are the same in every run.

#![expect(clippy::panic, reason = "a test fails by panicking, in the functions that its tests share too")]

mod fuzz;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

/// Runs a body over the seeds of a target, in the order of their file names.
fn replay_seeds(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no seeds");
    for file in files {
        body(&fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())));
    }
}

/// Runs a body over bytes by chance, the same in every run.
fn replay(cases: u32, body: fn(&[u8])) {
    let seed = RngSeed::Fixed(4);
    let config = ProptestConfig { rng_seed: seed, failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    let run = |bytes: Vec<u8>| {
        body(&bytes);
        Ok(())
    };
    TestRunner::new(config).run(&vec(any::<u8>(), 0..600), run).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn seeds_are_replayed() {
    replay_seeds("rewrite", fuzz::rewrite::check);
    replay_seeds("prove", fuzz::prove::check);
}

#[test]
fn rewrites_by_chance() {
    replay(500, fuzz::rewrite::check);
}

#[test]
fn proofs_by_chance() {
    replay(500, fuzz::prove::check);
}
