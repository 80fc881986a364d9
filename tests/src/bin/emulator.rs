//! Serves the emulator of AWS alone: see `docs/emulator.md`.

use std::process::ExitCode;

use secateur_tests::emulator::{OPERATOR_KEY, OPERATOR_SECRET, Options, Running};

const HELP: &str = "\
An emulator of AWS: IAM, STS, KMS, CloudTrail and Account, with last-accessed reports.

usage: emulator [OPTIONS]

  --account DIR           the snapshot directory to load; without it an empty account
  --account-id ID         the id of an empty account
  --port N                the port; 0, the default, for any that is free
  --now TIME              where the clock starts: else when the snapshot was made, or now
  --frozen                the clock stands still until it is set
  --caller ARN            who stands behind the operator's key: else the snapshot's caller, or root
  --page-size N           the most items of a page
  --job-seconds N[-M]     how long a report takes
  --rate N, --burst N     a token bucket over all calls: tokens a second, and how many it holds
  --enforce               enforce the callers' policies
  --report-delay SECONDS  how old use must be for a report to show it; at AWS up to 14400
  --consistency SECONDS   how long reads see the state before a write
  --silent                calls to the emulator are no use themselves
  --seed N                the seed of all ids
  --help                  this text

The first line on stdout is the address, for AWS_ENDPOINT_URL. docs/emulator.md says more.";

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(words) => {
            eprintln!("error: {words}\nhelp: cargo xtask emulator --help");
            return ExitCode::from(64);
        }
    };
    match Running::start(&options) {
        Ok(running) => {
            println!("{}", running.url());
            eprintln!(
                "The operator's credentials, for everything: {OPERATOR_KEY} with the secret `{OPERATOR_SECRET}`."
            );
            running.wait();
            ExitCode::SUCCESS
        }
        Err(words) => {
            eprintln!("error: {words}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options::default();
    while let Some(word) = words.next() {
        // `--name value` and `--name=value` are the same.
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        let mut value = || attached.clone().or_else(|| words.next()).ok_or_else(|| format!("`{name}` needs a value"));
        match name.as_str() {
            "--help" | "-h" => return Ok(None),
            "--account" => options.account = Some(value()?.into()),
            "--account-id" => options.account_id = Some(value()?),
            "--port" => options.port = number(&name, &value()?)?,
            "--now" => options.now = Some(value()?),
            "--frozen" => options.frozen = true,
            "--caller" => options.caller = Some(value()?),
            "--page-size" => options.page_size = Some(number(&name, &value()?)?),
            "--job-seconds" => options.job_seconds = Some(span(&name, &value()?)?),
            "--rate" => options.rate = Some(number(&name, &value()?)?),
            "--burst" => options.burst = Some(number(&name, &value()?)?),
            "--enforce" => options.enforce = true,
            "--report-delay" => options.report_delay = number(&name, &value()?)?,
            "--consistency" => options.consistency = number(&name, &value()?)?,
            "--silent" => options.silent = true,
            "--seed" => options.seed = number(&name, &value()?)?,
            other => return Err(format!("unknown option `{other}`")),
        }
    }
    Ok(Some(options))
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{name}` takes a number, not `{value}`"))
}

fn span(name: &str, value: &str) -> Result<(f64, f64), String> {
    let (from, to) = value.split_once('-').unwrap_or((value, value));
    Ok((number(name, from)?, number(name, to)?))
}
