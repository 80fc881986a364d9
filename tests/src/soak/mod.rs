//! The soak: draws accounts without end, has the shipped binary plan for them, and judges every plan.
//!
//! Nothing of the product is used but its binary: the account, its reports, what may go, and whether it went are all derived
//! here, from [`judge`](crate::judge) and AWS's table of actions. A seed draws the same account everywhere.

mod corpus;
mod draw;
mod examine;
mod keys;
mod oracle;
mod outcome;
mod reports;
mod scene;
mod settings;
mod snapshot;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub use draw::Size;
pub use examine::Counts;

use crate::judge::actions::Catalogue;
use crate::random::Random;
use corpus::Corpus;
use scene::Scene;
use settings::{OPTIONAL, Settings};

/// A setting: table, key, value.
type Setting = (&'static str, &'static str, &'static str);

/// A soak of one binary.
#[derive(Debug)]
pub struct Soak {
    binary: PathBuf,
    catalogue: Catalogue,
    corpus: Corpus,
    accepted: Vec<Setting>,
    size: Size,
}

/// Something that is wrong, and what is kept of it.
#[derive(Debug)]
pub struct Failure {
    /// The seed of the account.
    pub seed: u64,
    /// Where the snapshot, the configuration and the plan are.
    pub folder: PathBuf,
    /// What is wrong.
    pub why: String,
}

impl Soak {
    /// Prepares a soak: reads what is drawn from, and asks the binary which settings it takes.
    ///
    /// # Errors
    /// When a table or corpus cannot be read, or the binary does not start.
    pub fn new(binary: &Path, size: Size) -> Result<Soak, String> {
        let mut soak = Soak {
            binary: binary.to_owned(),
            catalogue: Catalogue::load()?,
            corpus: Corpus::load()?,
            accepted: Vec::new(),
            size,
        };
        soak.accepted = soak.ask_for_settings()?;
        Ok(soak)
    }

    /// Returns what the accounts are drawn from, in words.
    pub fn sources(&self) -> String {
        let documents = match self.corpus.counts() {
            (0, 0) => "generated documents alone: the corpora are not there".to_owned(),
            (managed, customer) => format!("{managed} managed and {customer} customer policies, and generated ones"),
        };
        let settings: Vec<String> = self.accepted.iter().map(|(_, key, value)| format!("{key} = {value}")).collect();
        let refused: Vec<String> = (OPTIONAL.iter().filter(|setting| !self.accepted.contains(setting)))
            .map(|(_, key, value)| format!("{key} = {value}"))
            .collect();
        let refused = if refused.is_empty() { "none".to_owned() } else { refused.join(", ") };
        format!(
            "documents: {documents}\nsettings drawn: {}\nsettings this binary refuses: {refused}",
            settings.join(", ")
        )
    }

    /// Draws, plans and judges accounts, from the seed on, until there were so many or the time is over, or `each` says so.
    /// It is called after each account, with its seed, what is wrong with its plan, and the counts of those that were right.
    pub fn run(
        &self,
        first: u64,
        accounts: Option<usize>,
        time: Option<Duration>,
        mut each: impl FnMut(u64, Result<(), Failure>, &Counts) -> ControlFlow<()>,
    ) -> Counts {
        let start = Instant::now();
        let mut counts = Counts::default();
        for (seed, number) in (first..).zip(0_usize..) {
            let is_over = accounts.is_some_and(|accounts| number >= accounts);
            if is_over || time.is_some_and(|time| start.elapsed() >= time) {
                break;
            }
            let judged = self.account(seed).map(|own| counts.add(&own));
            if each(seed, judged, &counts).is_break() {
                break;
            }
        }
        counts
    }

    /// Draws one account, plans and judges.
    fn account(&self, seed: u64) -> Result<Counts, Failure> {
        let fail = |folder: PathBuf, why: String| Failure { seed, folder, why };
        let folder = TempDir::with_prefix("secateur-soak-").map_err(|error| fail(PathBuf::new(), error.to_string()))?;
        let judged = self.judge(seed, folder.path());
        judged.map_err(|why| fail(folder.keep(), why))
    }

    fn judge(&self, seed: u64, folder: &Path) -> Result<Counts, String> {
        let (scene, settings, plan) = self.plan(seed, folder)?;
        check(&self.command(folder, &["verify", "plan.json"])?)?;
        examine::examine(&self.catalogue, &scene, &settings, &plan, seed)
    }

    /// Draws an account, writes it, and has the binary plan for it.
    fn plan(&self, seed: u64, folder: &Path) -> Result<(Scene, Settings, Value), String> {
        let mut random = Random::new(seed);
        let mut settings = Settings::draw(&mut random, &self.accepted);
        let scene = draw::draw(&self.catalogue, &self.corpus, &mut random, &mut settings, self.size);
        snapshot::write(&scene, &folder.join("snapshot"))?;
        write(&folder.join("secateur.toml"), &settings.to_toml(&scene))?;
        check(&self.command(folder, &["plan", "--snapshot", "snapshot", "--out", "plan.json"])?)?;
        let path = folder.join("plan.json");
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let plan: Value = serde_json::from_slice(&bytes).map_err(|error| format!("the plan is not JSON: {error}"))?;
        Ok((scene, settings, plan))
    }

    fn command(&self, folder: &Path, arguments: &[&str]) -> Result<(String, Output), String> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
        command.env_clear().env("HOME", folder).env("NO_COLOR", "1").env("SECATEUR_THREADS", "2");
        let output = command.output().map_err(|error| format!("{}: {error}", self.binary.display()))?;
        Ok((arguments.join(" "), output))
    }

    /// Tries each setting on a small account.
    fn ask_for_settings(&self) -> Result<Vec<Setting>, String> {
        let folder = TempDir::with_prefix("secateur-soak-").map_err(|error| error.to_string())?;
        let mut random = Random::new(0);
        let mut settings = Settings::draw(&mut random, &[]);
        let size = Size { fewest: 1, most: 1 };
        let scene = draw::draw(&self.catalogue, &Corpus::default(), &mut random, &mut settings, size);
        snapshot::write(&scene, &folder.path().join("snapshot"))?;
        let mut accepted = Vec::new();
        for (table, key, value) in OPTIONAL {
            write(&folder.path().join("secateur.toml"), &format!("[{table}]\n{key} = {value}\n"))?;
            let (_, output) = self.command(folder.path(), &["plan", "--snapshot", "snapshot", "--out", "plan.json"])?;
            let message = String::from_utf8_lossy(&output.stderr);
            if output.status.success() {
                accepted.push((table, key, value));
            } else if !message.contains("not available") {
                return Err(format!("{key} = {value}: {message}"));
            }
        }
        Ok(accepted)
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Fails unless the command went well.
fn check((what, output): &(String, Output)) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`secateur {what}` ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
}

#[cfg(test)]
mod tests;
