//! `cargo xtask bench`: builds secateur and the baseline, optimized, and measures them.

use std::error::Error;
use std::path::Path;

use secateur_tests::bench::{Bench, LARGE, QUICK, SMALL};
use secateur_tests::{Build, built};

const USAGE: &str = "\
usage: cargo xtask bench [--quick]

Generates an account of 5,000 roles once, in the target folder, and measures `secateur plan` on it against a program
that does nothing but parse the same files. With --quick, an account of 300 roles, once.";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_quick = match words.as_slice() {
        [] => false,
        ["--quick"] => true,
        _ => return Err(USAGE.into()),
    };
    eprintln!("Building secateur and the baseline, optimized ...");
    let secateur = built(&Build {
        package: "secateur",
        binary: "secateur",
        kind: "bin",
        more: &["--release", "--no-default-features", "--features", "cli"],
    })?;
    let baseline = built(&Build { package: "secateur-tests", binary: "baseline", kind: "bin", more: &["--release"] })?;
    let cover = built(&Build {
        package: "secateur",
        binary: "cover",
        kind: "example",
        more: &["--release", "--no-default-features", "--features", "cli"],
    })?;
    // Cargo puts binaries two folders deep into its target folder.
    let target = secateur.parent().and_then(Path::parent).ok_or("cargo's binary lies in no folder")?;
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder)?;
    let (large, times, smalls) = if is_quick { (QUICK, 1, 1) } else { (LARGE, 5, 8) };
    eprintln!("Generating the accounts, unless they are there, and measuring ...");
    let page = Bench { secateur, baseline, cover, folder, large, small: SMALL, smalls, times }.run()?;
    print!("{page}");
    Ok(())
}
