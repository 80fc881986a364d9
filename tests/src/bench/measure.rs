//! Processes, how long they take, and how much memory they need.

use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often a process is asked for its memory. The kernel keeps the peak itself, so that only growth in the last moment
/// before the end can be missed.
const PERIOD: Duration = Duration::from_millis(5);

/// What a process took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// From its start to its end.
    pub(super) wall: Duration,
    /// The peak of its resident memory in bytes; none where there is no `/proc`.
    pub(super) peak: Option<u64>,
}

/// Runs a process to its end.
pub(super) fn run(command: &mut Command) -> Result<Cost, Box<dyn Error>> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let id = child.id();
    let is_over = AtomicBool::new(false);
    let (ended, wall, peak) = thread::scope(|scope| {
        let watch = scope.spawn(|| watch(id, &is_over));
        let ended = finish(&mut child);
        let wall = start.elapsed();
        is_over.store(true, Ordering::Relaxed);
        (ended, wall, watch.join().ok().flatten())
    });
    let complaint = ended?;
    match complaint {
        None => Ok(Cost { wall, peak }),
        Some(complaint) => Err(format!("{command:?} failed: {complaint}").into()),
    }
}

/// Waits for the end; returns what the process complained of, if it failed.
fn finish(child: &mut Child) -> std::io::Result<Option<String>> {
    let mut complaint = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        std::io::Read::read_to_string(&mut stderr, &mut complaint)?;
    }
    let status = child.wait()?;
    Ok((!status.success()).then(|| format!("{status}\n{complaint}")))
}

fn watch(id: u32, is_over: &AtomicBool) -> Option<u64> {
    let mut peak = None;
    while !is_over.load(Ordering::Relaxed) {
        peak = peak.max(resident_peak(id));
        thread::sleep(PERIOD);
    }
    peak
}

/// `VmHWM`, see <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>.
fn resident_peak(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}

/// The median of each; the higher of the two in the middle of an even number.
pub(super) fn median(costs: &[Cost]) -> Cost {
    let mut walls: Vec<Duration> = costs.iter().map(|cost| cost.wall).collect();
    let mut peaks: Vec<Option<u64>> = costs.iter().map(|cost| cost.peak).collect();
    walls.sort_unstable();
    peaks.sort_unstable();
    let middle = costs.len() / 2;
    Cost { wall: walls.get(middle).copied().unwrap_or_default(), peak: peaks.get(middle).copied().flatten() }
}
