//! How fast `secateur collect` is against the emulator, beside a plain loop in Python that starts all jobs and then asks for each.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::account::Size;
use super::measure;
use super::snapshot::Snapshot;
use crate::emulator::{OPERATOR_KEY, OPERATOR_SECRET, Options, Running};

/// What is measured.
#[derive(Clone, Debug)]
pub struct CollectBench {
    /// The binary `secateur`, with the SDK.
    pub secateur: PathBuf,
    /// The folder for accounts and snapshots.
    pub folder: PathBuf,
    /// The account that is collected at a limited rate.
    pub small: Size,
    /// The account whose memory is held against the small one's.
    pub large: Size,
    /// Calls a second, and how many at once.
    pub rate: f64,
    /// The tokens of the bucket.
    pub burst: f64,
    /// How long a job takes, in seconds.
    pub job_seconds: (f64, f64),
    /// A Python with boto3.
    pub python: Option<PathBuf>,
}

/// One collection.
struct Run {
    wall: Duration,
    cpu: Duration,
    peak: Option<u64>,
    calls: Calls,
}

/// What the emulator received.
struct Calls {
    all: u64,
    throttled: u64,
    generated: u64,
    read: u64,
}

impl Calls {
    fn of(running: &Running) -> Result<Calls, Box<dyn Error>> {
        let counts = running.control("GET", "calls/counts", &Value::Null)?;
        let number = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or_default();
        let of = |list: &str, name: &str| number(counts.get(list).and_then(|list| list.get(name)));
        Ok(Calls {
            all: number(counts.get("calls")),
            throttled: of("errors", "Throttling") + of("errors", "ThrottlingException"),
            generated: of("operations", "iam:GenerateServiceLastAccessedDetails"),
            read: of("operations", "iam:GetServiceLastAccessedDetails"),
        })
    }
}

impl CollectBench {
    /// Measures, and returns what there is to say.
    ///
    /// # Errors
    /// When files cannot be read or written, or a collection fails.
    pub fn run(&self) -> Result<String, Box<dyn Error>> {
        let small = Snapshot::of(self.small, &self.folder)?;
        let large = Snapshot::of(self.large, &self.folder)?;
        let mut page = format!("\nCollecting, from the emulator on this machine. The account: {}\n", small.mix);
        let principals = (self.small.roles + self.small.users) as f64;
        let limited = self.collect(&small, true)?;
        let (all, calls) = (limited.wall.as_secs_f64(), &limited.calls);
        // Everything that is neither of the pipeline nor was refused is fixed; reports have one page here.
        let fixed = calls.all.saturating_sub(calls.generated + calls.read + calls.throttled) as f64;
        let ideal = (fixed + principals * 2.0 - self.burst) / self.rate + self.job_seconds.1;
        let throttled = calls.throttled as f64 / calls.all.max(1) as f64;
        let _ = writeln!(
            page,
            "  a bucket of {} a second, burst {}, jobs of {} to {} s, `--rate max`:",
            self.rate, self.burst, self.job_seconds.0, self.job_seconds.1
        );
        let _ = writeln!(
            page,
            "    {all:.1} s; ({fixed:.0} fixed calls + {principals:.0} x 2 - {}) / {} + {} = {ideal:.1} s",
            self.burst, self.rate, self.job_seconds.1
        );
        let mut aim = |what: &str, aim: &str, found: String| {
            let _ = writeln!(page, "    {what:<40} {aim:>10} {found:>10}");
        };
        aim("wall time, of that", "<= 1.05", format!("{:.3}", all / ideal));
        aim("throttled", "<= 5 %", format!("{:.1} %", throttled * 100.0));
        aim("reports that are missing", "0", missing(&self.out(), self.small)?.to_string());
        let _ =
            writeln!(page, "    {} calls: {} to start jobs, {} to read them", calls.all, calls.generated, calls.read);
        match &self.python {
            Some(python) => {
                let (wall, calls) = self.boto3(python, &small)?;
                let _ = writeln!(
                    page,
                    "  boto3, a loop that starts all jobs and then asks for each, same bucket, reports alone: {:.1} s, {} calls, {} \
                     throttled",
                    wall.as_secs_f64(),
                    calls.all,
                    calls.throttled
                );
            }
            None => page.push_str("  boto3: not measured, there is no Python with boto3 and none could be made\n"),
        }
        let one = self.collect(&small, false)?;
        let many = self.collect(&large, false)?;
        for (run, size) in [(&one, self.small), (&many, self.large)] {
            let principals = (size.roles + size.users) as f64;
            let _ = writeln!(
                page,
                "  without limits, {principals:.0} principals: {:.1} s, {:.0} principals a second, {:.2} ms CPU a call ({} calls), \
                 peak {}",
                run.wall.as_secs_f64(),
                principals / run.wall.as_secs_f64(),
                run.cpu.as_secs_f64() * 1e3 / run.calls.all.max(1) as f64,
                run.calls.all,
                run.peak.map_or("-".to_owned(), |peak| format!("{:.1} MB", peak as f64 / 1e6)),
            );
        }
        if let (Some(one), Some(many)) = (one.peak, many.peak) {
            let ratio = many as f64 / one as f64;
            let _ = writeln!(page, "    {:<40} {:>10} {ratio:>10.2}", "peak memory, of the small account's", "<= 1.30");
        }
        Ok(page)
    }

    fn out(&self) -> PathBuf {
        self.folder.join("collected")
    }

    fn start(&self, account: &Snapshot, is_limited: bool) -> Result<Running, String> {
        Running::start(&Options {
            account: Some(account.dir.clone()),
            silent: true,
            rate: is_limited.then_some(self.rate),
            burst: is_limited.then_some(self.burst),
            job_seconds: is_limited.then_some(self.job_seconds),
            ..Options::default()
        })
    }

    fn collect(&self, account: &Snapshot, is_limited: bool) -> Result<Run, Box<dyn Error>> {
        let running = self.start(account, is_limited)?;
        if self.out().exists() {
            fs::remove_dir_all(self.out())?;
        }
        let mut command = Command::new(&self.secateur);
        command.args(["collect", "--rate", "max", "--snapshot"]).arg(self.out()).current_dir(&self.folder);
        for name in ["SECATEUR_CONFIG", "SECATEUR_SNAPSHOT", "SECATEUR_RATE", "AWS_PROFILE", "AWS_SESSION_TOKEN"] {
            command.env_remove(name);
        }
        environment(&mut command, &running);
        let before = children_cpu();
        let cost = measure::run(&mut command)?;
        let cpu = children_cpu().saturating_sub(before);
        Ok(Run { wall: cost.wall, cpu, peak: cost.peak, calls: Calls::of(&running)? })
    }

    fn boto3(&self, python: &Path, account: &Snapshot) -> Result<(Duration, Calls), Box<dyn Error>> {
        let running = self.start(account, true)?;
        let script = self.folder.join("loop.py");
        fs::write(&script, include_str!("loop.py"))?;
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::null()).stdout(Stdio::null());
        environment(&mut command, &running);
        let start = Instant::now();
        let status = command.status()?;
        if !status.success() {
            return Err(format!("the loop in Python failed: {status}").into());
        }
        Ok((start.elapsed(), Calls::of(&running)?))
    }
}

fn environment(command: &mut Command, running: &Running) {
    command
        .env("AWS_ENDPOINT_URL", running.url())
        .env("AWS_ACCESS_KEY_ID", OPERATOR_KEY)
        .env("AWS_SECRET_ACCESS_KEY", OPERATOR_SECRET)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true");
}

/// How many principals have no report that is done.
fn missing(snapshot: &Path, size: Size) -> Result<usize, Box<dyn Error>> {
    let mut found = 0;
    for folder in ["role", "user"] {
        let folder = snapshot.join("last-accessed").join(folder);
        // An account may have nobody of a kind.
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(folder)? {
            let report: Value = serde_json::from_slice(&fs::read(entry?.path())?)?;
            found += usize::from(report.get("JobStatus").is_some_and(|status| status == "COMPLETED"));
        }
    }
    Ok((size.roles + size.users).saturating_sub(found))
}

/// The processor time of all children that have ended, see <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>.
fn children_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    // A hundred ticks a second, on every Linux of today.
    Duration::from_millis(ticks * 10)
}
