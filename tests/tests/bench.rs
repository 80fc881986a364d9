//! `cargo xtask bench`, on an account so small that it ends soon. No time is asserted: this machine may be any.

use std::path::Path;

use secateur_tests::bench::{Bench, CollectBench, Size, Snapshot};
use secateur_tests::{Build, binary, built};
use tempfile::TempDir;

use crate::cli::files_below;

const TINY: Size = Size { roles: 12, users: 6, policies: 14, shared: 1, seed: 7 };

#[test]
fn the_bench_runs_to_its_end() {
    let folder = TempDir::new().unwrap();
    let bench = Bench {
        secateur: binary(),
        baseline: env!("CARGO_BIN_EXE_baseline").into(),
        cover: built(&Build { package: "secateur", binary: "cover", kind: "example", more: &[] }).unwrap(),
        folder: folder.path().to_owned(),
        large: Size { roles: 24, ..TINY },
        small: TINY,
        smalls: 1,
        times: 1,
    };
    let page = bench.run().unwrap();
    for part in [
        "24 roles, 6 users",
        "\nsecateur plan, two threads",
        "cost a role",
        " changes, ",
        "\nec2:*, every other of ",
        " names ",
    ] {
        assert!(page.contains(part), "{part:?} is not in\n{page}");
    }
}

#[test]
fn an_account_is_the_same_wherever_it_is_made() {
    let made = |below: &Path| files_below(&Snapshot::of(TINY, below).unwrap().dir);
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let files = made(one.path());
    assert!(files.len() > 30, "{}", files.len());
    assert_eq!(made(other.path()), files);
    // The second time it is found.
    assert_eq!(made(one.path()), files);
}

#[test]
fn the_bench_of_collecting_runs_to_its_end() {
    let folder = TempDir::new().unwrap();
    let bench = CollectBench {
        secateur: binary(),
        folder: folder.path().to_owned(),
        // Nobody of a kind, as in the accounts that are measured.
        small: Size { users: 0, ..TINY },
        large: Size { roles: 24, ..TINY },
        rate: 200.0,
        burst: 50.0,
        job_seconds: (0.1, 0.3),
        python: None,
    };
    let page = bench.run().unwrap();
    for part in [
        "wall time, of that",
        "reports that are missing                          0          0\n",
        "without limits, 30 principals",
    ] {
        assert!(page.contains(part), "{part:?} is not in\n{page}");
    }
}
