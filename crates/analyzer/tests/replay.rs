//! The bodies of the fuzz targets, run by the stable compiler: over the seeds of `fuzz/seeds`, and over bytes by chance
//! that are the same in every run.

#![expect(clippy::panic, reason = "a test fails by panicking, in the functions that its tests share too")]

mod fuzz;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{RngSeed, TestRunner};

/// What texts are put together of, by chance.
const TOKENS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\u00e9",
    " ",
    "\r\n",
    "\"Action\"",
    "\"NotAction\"",
    "\"Effect\"",
    "\"Deny\"",
    "\"Sid\"",
    "\"Statement\"",
    "\"s3:Get*\"",
    "null",
    "-0",
    "1e5",
    "é",
    "[]",
    "/**/",
];

/// The bytes of every seed of a target, by file name.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no seeds");
    let read = |file: PathBuf| fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    files.into_iter().map(read).collect()
}

/// Runs a body over bytes by chance, the same in every run.
fn replay(cases: u32, bytes: &impl Strategy<Value = Vec<u8>>, body: fn(&[u8])) {
    let seed = RngSeed::Fixed(4);
    let config = ProptestConfig { rng_seed: seed, failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    let run = |bytes: Vec<u8>| {
        body(&bytes);
        Ok(())
    };
    TestRunner::new(config).run(bytes, run).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn seeds_are_replayed() {
    seeds("document").iter().for_each(|seed| fuzz::document::check(seed));
    seeds("pattern").iter().for_each(|seed| fuzz::pattern::check(seed));
}

#[test]
fn documents_by_chance() {
    let edit = (any::<Index>(), 0..4_usize, prop::option::weighted(0.8, select(&TOKENS[..])));
    let edited = (select(seeds("document")), vec(edit, 0..4)).prop_map(|(mut text, edits)| {
        for (at, len, token) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + len).min(text.len());
            text.splice(at..end, token.unwrap_or_default().bytes());
        }
        text
    });
    replay(3_000, &edited, fuzz::document::check);
}

#[test]
fn patterns_by_chance() {
    replay(1_000, &vec(any::<u8>(), 0..120), fuzz::pattern::check);
}
