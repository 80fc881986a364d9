//! `cargo xtask soak`: judges plans for accounts drawn at random, until told to stop.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use secateur_tests::soak::{Counts, Failure, Size, Soak};

const HELP: &str = "\
Draws accounts, has secateur plan for them, and judges every plan, until told to stop.

usage: cargo xtask soak [--minutes N] [--accounts N] [--seed S] [--keep-going] [--binary FILE]

  --minutes N    stop after so many minutes; 0.5 is half of one
  --accounts N   stop after so many accounts
  --seed S       the seed of the first account; the next has the next number [default: 1]
  --keep-going   after a wrong plan too, up to 20 of them
  --binary FILE  the secateur to judge [default: built from this repository, release]

Ends with 1 at the first plan that is wrong, and keeps its folder.";

/// How many wrong plans are enough.
const ENOUGH: usize = 20;

/// The exit code of a call that cannot be understood.
const USAGE_ERROR: u8 = 64;

/// What is asked for.
#[derive(Default)]
struct Wanted {
    time: Option<Duration>,
    accounts: Option<usize>,
    seed: Option<u64>,
    binary: Option<PathBuf>,
    keeps_going: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match wanted(&arguments) {
        Ok(wanted) => soak(&wanted),
        Err(what) => {
            eprintln!("error: {what}\n\n{HELP}");
            ExitCode::from(USAGE_ERROR)
        }
    }
}

fn wanted(arguments: &[String]) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        if flag == "--keep-going" {
            wanted.keeps_going = true;
            continue;
        }
        let value = rest.next().ok_or_else(|| format!("`{flag}` needs a value"))?;
        let wrong = || format!("`{value}` is no value for {flag}");
        match flag.as_str() {
            "--minutes" => {
                let minutes: f64 = value.parse().map_err(|_| wrong())?;
                wanted.time = Some(Duration::try_from_secs_f64(minutes * 60.0).map_err(|_| wrong())?);
            }
            "--accounts" => wanted.accounts = Some(value.parse().map_err(|_| wrong())?),
            "--seed" => wanted.seed = Some(value.parse().map_err(|_| wrong())?),
            "--binary" => wanted.binary = Some(PathBuf::from(value)),
            _ => return Err(format!("unknown argument `{flag}`")),
        }
    }
    Ok(wanted)
}

fn soak(wanted: &Wanted) -> ExitCode {
    let binary = wanted.binary.clone().unwrap_or_else(secateur_tests::release_binary);
    let soak = match Soak::new(&binary, Size { fewest: 20, most: 60 }) {
        Ok(soak) => soak,
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}", soak.sources());
    let mut wrong = 0;
    let each = |seed: u64, judged: Result<(), Failure>, counts: &Counts| {
        if let Err(failure) = judged {
            wrong += 1;
            println!("\nseed {seed} is wrong: {}", failure.why);
            println!("kept: {}", failure.folder.display());
            println!("again: cargo xtask soak --accounts 1 --seed {seed}\n");
        } else {
            println!("seed {seed}: so far {}", summary(counts));
        }
        let is_enough = wrong > 0 && (!wanted.keeps_going || wrong >= ENOUGH);
        if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let counts = soak.run(wanted.seed.unwrap_or(1), wanted.accounts, wanted.time, each);
    println!("\n{wrong} wrong, the rest right: {}", summary(&counts));
    println!("changes: {}", list(&counts.changes));
    println!("documents that kept what could go, by the plan's reason: {}", list(&counts.withheld));
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn summary(counts: &Counts) -> String {
    format!(
        "{} accounts, {} principals, {} documents, {} changes, {} actions judged, {} removed, {} requests tried",
        counts.accounts,
        counts.principals,
        counts.documents,
        counts.changes.values().sum::<usize>(),
        counts.judged,
        counts.removed,
        counts.requests,
    )
}

fn list(counts: &std::collections::BTreeMap<String, usize>) -> String {
    let entries: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    if entries.is_empty() { "none".to_owned() } else { entries.join(", ") }
}
