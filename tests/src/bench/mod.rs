//! `cargo xtask bench`: how fast secateur plans, against a program that does nothing but parse the same files.
//!
//! Everything is measured in one run on one machine, alternated, and printed with ratios: times of other machines, or of
//! other days, say nothing.

mod account;
mod catalogue;
mod collect;
mod details;
mod documents;
mod measure;
mod random;
mod report;
mod snapshot;
mod text;

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

pub use account::Size;
pub use collect::CollectBench;
use measure::Cost;
pub use snapshot::Snapshot;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The binary `secateur`.
    pub secateur: PathBuf,
    /// The binary `baseline`.
    pub baseline: PathBuf,
    /// The example `cover` of the crate `secateur`.
    pub cover: PathBuf,
    /// The folder for accounts and plans.
    pub folder: PathBuf,
    /// The account.
    pub large: Size,
    /// What the cost per role is compared with: accounts of this size.
    pub small: Size,
    /// How many of them, each of a seed of its own: one shared policy more or less is much in a small account.
    pub smalls: u64,
    /// How many times each is measured; the median counts.
    pub times: usize,
}

/// The account of the aims.
pub const LARGE: Size = Size { roles: 5_000, users: 1_000, policies: 1_500, shared: 100, seed: 1 };
/// The small account of the aims, of the same mix.
pub const SMALL: Size = Size { roles: 100, users: 20, policies: 30, shared: 2, seed: 1 };
/// The account that is collected at a limited rate.
pub const COLLECTED: Size = Size { roles: 1_000, users: 0, policies: 300, shared: 20, seed: 1 };
/// The account whose collection takes hardly more memory than that.
pub const COLLECTED_LARGE: Size = Size { roles: 5_000, users: 0, policies: 300, shared: 20, seed: 1 };
/// The short form's accounts.
pub const QUICK: Size = Size { roles: 300, users: 60, policies: 90, shared: 6, seed: 1 };

/// The threads that secateur may use; the baseline has one.
const THREADS: &str = "2";

impl Bench {
    /// Measures, and returns the tables.
    ///
    /// # Errors
    /// When files cannot be read or written, or one of the programs fails.
    pub fn run(&self) -> Result<String, Box<dyn Error>> {
        let large = Snapshot::of(self.large, &self.folder)?;
        let seeds = (0..self.smalls).map(|at| self.small.seed + at);
        let smalls = seeds.map(|seed| Snapshot::of(Size { seed, ..self.small }, &self.folder));
        let smalls = smalls.collect::<Result<Vec<_>, _>>()?;
        let first = smalls.first().map_or("", |small| small.mix.as_str());
        let mut page = format!("The account: {}\nThe first of {} small accounts: {first}\n", large.mix, smalls.len());
        let plan = self.folder.join("plan.json");
        let planning = |snapshot: &Snapshot, out: &Path| self.planning(snapshot, out);
        // Both read all files once, so that they are warm.
        measure::run(&mut self.parsing("value", &large))?;
        measure::run(&mut planning(&large, &plan))?;
        let (mut values, mut plans, mut typed, mut ignored) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.times {
            plans.push(measure::run(&mut planning(&large, &plan))?);
            values.push(measure::run(&mut self.parsing("value", &large))?);
            typed.push(measure::run(&mut self.parsing("typed", &large))?);
            ignored.push(measure::run(&mut self.parsing("ignored", &large))?);
        }
        let small_cost = self.mean_of(&smalls)?;
        let value = measure::median(&values);
        let planned = measure::median(&plans);
        let mut table = Table { page: &mut page, unit: value };
        table.head();
        table.row("baseline: serde_json::Value, one thread", value);
        table.row("floor: typed, one thread", measure::median(&typed));
        table.row("floor: IgnoredAny, one thread", measure::median(&ignored));
        table.row("secateur plan, two threads", planned);
        table.row("secateur show (text)", self.after(&["show"], &plan, &[])?);
        let snapshot = large.dir.display().to_string();
        table.row(
            "secateur verify, two threads",
            self.after(&["verify"], &plan, &["--snapshot", &snapshot, "--threads", THREADS])?,
        );
        let said = Said::of(&plan)?;
        let (each, small_each) =
            (per_role(planned.wall.as_secs_f64(), self.large), per_role(small_cost.as_secs_f64(), self.small));
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let size = fs::metadata(&plan)?.len();
        // Writing to a `String` cannot fail.
        let _ = writeln!(page, "\nAims, and what was measured:");
        let mut aim = |what: &str, aim: &str, found: String| {
            let _ = writeln!(page, "  {what:<34} {aim:>16} {found:>16}");
        };
        let ratio = planned.wall.as_secs_f64() / value.wall.as_secs_f64();
        aim("wall time, of the baseline's", "<= 1.00", format!("{ratio:.2}"));
        aim(
            "peak memory",
            "< 300 MB",
            planned.peak.map_or("-".to_owned(), |peak| format!("{:.0} MB", megabytes(peak))),
        );
        aim("plan file", "< 60 MB", format!("{:.1} MB", megabytes(size)));
        aim("cost a role, of the small account's", "<= 1.20", format!("{:.2}", each / small_each));
        let _ = writeln!(
            page,
            "\n  {each:.3} ms a role of {}, {small_each:.3} ms of {} ({} ms in all)",
            self.large.roles,
            self.small.roles,
            small_cost.as_millis()
        );
        let _ = writeln!(
            page,
            "  {} bytes a role, {} in the small account",
            large.bytes / self.large.roles.max(1) as u64,
            smalls.iter().map(|small| small.bytes).sum::<u64>() / (self.small.roles as u64 * self.smalls).max(1)
        );
        let _ = writeln!(
            page,
            "  the plan: {} changes, {} removed actions, {} withheld",
            said.changes.len(),
            said.summary.removed_actions,
            said.summary.withheld
        );
        let _ = writeln!(
            page,
            "  each of {} runs, alternated: plan {}; baseline {}",
            self.times,
            walls(&plans),
            walls(&values)
        );
        let _ = writeln!(page, "  peak memory is VmHWM of /proc, asked for every 5 ms\n");
        page.push_str(&self.cover()?);
        Ok(page)
    }

    /// How long planning takes, by the median of each and the mean of all.
    fn mean_of(&self, snapshots: &[Snapshot]) -> Result<Duration, Box<dyn Error>> {
        let out = self.folder.join("small-plan.json");
        let mut sum = Duration::ZERO;
        for snapshot in snapshots {
            measure::run(&mut self.planning(snapshot, &out))?;
            let costs = (0..self.times).map(|_| measure::run(&mut self.planning(snapshot, &out)));
            sum += measure::median(&costs.collect::<Result<Vec<_>, _>>()?).wall;
        }
        Ok(sum / u32::try_from(snapshots.len()).unwrap_or(1).max(1))
    }

    /// How short the list of a service becomes of which every other action goes.
    fn cover(&self) -> Result<String, Box<dyn Error>> {
        let output = Command::new(&self.cover).arg("ec2:*").output()?;
        if !output.status.success() {
            return Err(format!("{}: {}", self.cover.display(), output.status).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    fn parsing(&self, how: &str, snapshot: &Snapshot) -> Command {
        let mut command = Command::new(&self.baseline);
        command.arg(how).arg(&snapshot.dir);
        command
    }

    /// The whole process, as a user runs it, the text included, which goes nowhere.
    fn planning(&self, snapshot: &Snapshot, out: &Path) -> Command {
        let mut command = self.secateur();
        command.arg("plan").arg("--snapshot").arg(&snapshot.dir).arg("--out").arg(out).args(["--threads", THREADS]);
        command
    }

    fn after(&self, words: &[&str], plan: &Path, more: &[&str]) -> Result<Cost, Box<dyn Error>> {
        let mut costs = Vec::new();
        for _ in 0..self.times.min(3) {
            costs.push(measure::run(self.secateur().args(words).arg(plan).args(more))?);
        }
        Ok(measure::median(&costs))
    }

    /// The binary, in a folder without a configuration, and without one in the environment.
    fn secateur(&self) -> Command {
        let mut command = Command::new(&self.secateur);
        command.current_dir(&self.folder).env("NO_COLOR", "1");
        for name in ["SECATEUR_CONFIG", "SECATEUR_SNAPSHOT", "SECATEUR_ACCOUNT", "SECATEUR_THREADS"] {
            command.env_remove(name);
        }
        command
    }
}

/// Milliseconds.
fn per_role(seconds: f64, size: Size) -> f64 {
    seconds * 1e3 / size.roles.max(1) as f64
}

fn walls(costs: &[Cost]) -> String {
    costs.iter().map(|cost| format!("{:.2}", cost.wall.as_secs_f64())).collect::<Vec<_>>().join(" ") + " s"
}

struct Table<'a> {
    page: &'a mut String,
    unit: Cost,
}

impl Table<'_> {
    fn head(&mut self) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.page, "{:<42} {:>9} {:>9} {:>11}", "", "wall", "ratio", "peak memory");
    }

    fn row(&mut self, what: &str, cost: Cost) {
        let ratio = cost.wall.as_secs_f64() / self.unit.wall.as_secs_f64();
        let peak = cost.peak.map_or("-".to_owned(), |peak| format!("{:.1} MB", peak as f64 / 1e6));
        let wall = format!("{:.3} s", cost.wall.as_secs_f64());
        let _ = writeln!(self.page, "{what:<42} {wall:>9} {ratio:>9.2} {peak:>11}");
    }
}

/// What a plan says of itself, as far as it is printed here.
#[derive(Deserialize)]
struct Said {
    changes: Vec<serde::de::IgnoredAny>,
    summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    removed_actions: u64,
    withheld: u64,
}

impl Said {
    fn of(plan: &Path) -> Result<Said, Box<dyn Error>> {
        Ok(serde_json::from_slice(&fs::read(plan)?)?)
    }
}
