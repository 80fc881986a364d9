//! `cargo xtask bench`: builds secateur and the baseline, optimized, and measures them.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use secateur_tests::bench::{Bench, COLLECTED, COLLECTED_LARGE, CollectBench, LARGE, QUICK, SMALL, Size};
use secateur_tests::{Build, built};

const USAGE: &str = "\
usage: cargo xtask bench [--quick] [plan] [collect]

plan: generates an account of 5,000 roles once, in the target folder, and measures `secateur plan` on it against a program
that does nothing but parse the same files. With --quick, an account of 300 roles, once.

collect: collects an account of 1,000 roles from the emulator, at 20 calls a second and without a limit, beside a plain loop
with boto3, and one of 5,000. With --quick, 60 and 120 roles. Takes some five minutes.

Without a word, both.";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| !matches!(word.as_str(), "--quick" | "plan" | "collect")) {
        return Err(USAGE.into());
    }
    let has = |name: &str| words.iter().any(|word| word == name);
    let is_all = !has("plan") && !has("collect");
    if is_all || has("plan") {
        print!("{}", plan(has("--quick"))?);
    }
    if is_all || has("collect") {
        print!("{}", collect(has("--quick"))?);
    }
    Ok(())
}

fn plan(is_quick: bool) -> Result<String, Box<dyn Error>> {
    eprintln!("Building secateur and the baseline, optimized ...");
    let secateur = built(&Build {
        package: "secateur",
        binary: "secateur",
        kind: "bin",
        more: &["--release", "--no-default-features", "--features", "cli,jemalloc"],
    })?;
    let baseline = built(&Build { package: "secateur-tests", binary: "baseline", kind: "bin", more: &["--release"] })?;
    let cover = built(&Build {
        package: "secateur",
        binary: "cover",
        kind: "example",
        more: &["--release", "--no-default-features", "--features", "cli"],
    })?;
    let folder = folder(&secateur)?;
    let (large, times, smalls) = if is_quick { (QUICK, 1, 1) } else { (LARGE, 5, 8) };
    eprintln!("Generating the accounts, unless they are there, and measuring ...");
    Bench { secateur, baseline, cover, folder, large, small: SMALL, smalls, times }.run()
}

fn collect(is_quick: bool) -> Result<String, Box<dyn Error>> {
    eprintln!("Building secateur with the SDK, optimized ...");
    let secateur = built(&Build { package: "secateur", binary: "secateur", kind: "bin", more: &["--release"] })?;
    let folder = folder(&secateur)?;
    let python = python(&folder);
    let of = |size: Size, roles| if is_quick { Size { roles, policies: 40, shared: 2, ..size } } else { size };
    eprintln!("Generating the accounts, unless they are there, and collecting ...");
    let bench = CollectBench {
        secateur,
        folder,
        small: of(COLLECTED, 60),
        large: of(COLLECTED_LARGE, 120),
        rate: 20.0,
        burst: 50.0,
        job_seconds: (1.0, 8.0),
        python,
    };
    bench.run()
}

fn folder(binary: &Path) -> Result<PathBuf, Box<dyn Error>> {
    // Cargo puts binaries two folders deep into its target folder.
    let target = binary.parent().and_then(Path::parent).ok_or("cargo's binary lies in no folder")?;
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Returns a Python with boto3, which is installed once; none where that cannot be done.
fn python(folder: &Path) -> Option<PathBuf> {
    let own = folder.join("python");
    let python = own.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let runs = |command: &mut Command| {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|end| end.success())
    };
    let has_boto3 = || runs(Command::new(&python).args(["-c", "import boto3"]));
    if has_boto3() {
        return Some(python);
    }
    let made = runs(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&own))
        && runs(Command::new(&python).args(["-m", "pip", "install", "--quiet", "boto3==1.43.11"]));
    (made && has_boto3()).then_some(python)
}
