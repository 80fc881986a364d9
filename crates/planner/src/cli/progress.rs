//! What a command that calls AWS shows while it does: bars on a terminal, a line for each milestone elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use secateur_collector::aws::{CallEvent, ErrorKind, Outcome, Watch};
use secateur_collector::collect::{Phase, Progress};

use super::output;
use crate::render::visible;

/// The time between two milestones, where there is no terminal.
const BETWEEN: Duration = Duration::from_secs(10);

/// What is shown, and counted for the end.
#[derive(Debug)]
pub(super) struct Shown {
    bar: Option<ProgressBar>,
    tells_milestones: bool,
    tells_calls: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    started: Instant,
    calls: u64,
    throttled: u64,
    repeated: u64,
    /// When and how many reports were there when reading them began.
    reports_from: Option<(Instant, usize)>,
    told: Option<Instant>,
}

impl Shown {
    /// Chooses by whether stderr is a terminal.
    pub fn new(quiet: bool, verbose: bool) -> Shown {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = (is_terminal && !quiet && !verbose).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            // A template that does not parse leaves the crate's own, which is as good.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        let state =
            State { started: Instant::now(), calls: 0, throttled: 0, repeated: 0, reports_from: None, told: None };
        Shown { tells_milestones: bar.is_none() && !quiet, tells_calls: verbose, bar, state: Mutex::new(state) }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Returns what all calls came to.
    pub fn totals(&self) -> String {
        let state = self.state();
        let seconds = state.started.elapsed().as_secs_f64();
        format!(
            "{} calls in {}, {} throttled, {} repeated for other reasons",
            state.calls,
            span(seconds),
            state.throttled,
            state.repeated
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, text: &str) {
        match &self.bar {
            Some(bar) => {
                // Not before there is something to show: who calls is printed first, and would leave an empty bar behind.
                if bar.message().is_empty() {
                    bar.enable_steady_tick(Duration::from_millis(200));
                }
                bar.set_message(text.to_owned());
            }
            None if self.tells_milestones => output::note(text),
            None => {}
        }
    }
}

impl State {
    fn line(&self, done: usize, total: usize) -> String {
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = self.calls as f64 / seconds;
        let left = self.left(done, total).map(|left| format!(", {} left", span(left))).unwrap_or_default();
        let throttled = if self.throttled == 0 { String::new() } else { format!(", {} throttled", self.throttled) };
        format!("Reports: {done} of {total}, {rate:.1} calls a second{throttled}{left}")
    }

    /// The seconds until the last report, at the pace until now.
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    fn left(&self, done: usize, total: usize) -> Option<f64> {
        let (from, before) = self.reports_from?;
        let made = done.checked_sub(before).filter(|made| *made > 0)?;
        let pace = from.elapsed().as_secs_f64() / made as f64;
        Some(pace * total.saturating_sub(done) as f64)
    }
}

/// Returns a time for people.
pub(super) fn span(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time for people, never negative")]
    let whole = seconds.ceil() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

impl Watch for Shown {
    fn call(&self, event: &CallEvent<'_>) {
        let mut state = self.state();
        state.calls += 1;
        match event.outcome {
            Outcome::Retried(error, _) if *error.kind() == ErrorKind::Throttled => state.throttled += 1,
            Outcome::Retried(..) => state.repeated += 1,
            Outcome::Done | Outcome::Failed(_) => {}
        }
        drop(state);
        if self.tells_calls {
            output::note(&log_line(event));
        }
    }
}

fn log_line(event: &CallEvent<'_>) -> String {
    let subject = if event.subject.is_empty() { String::new() } else { format!(" {}", visible(event.subject)) };
    let attempt = if event.attempt > 1 { format!(" (attempt {})", event.attempt) } else { String::new() };
    let outcome = match event.outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Retried(error, delay) => {
            format!("{}; again in {:.1} s", visible(error.message()), delay.as_secs_f64())
        }
        Outcome::Failed(error) => visible(error.message()).to_string(),
    };
    let id = event.request_id.map(|id| format!(", request {}", visible(id))).unwrap_or_default();
    format!("{}{subject}{attempt}: {outcome}, {} ms{id}", event.operation, event.elapsed.as_millis())
}

impl Progress for Shown {
    fn phase(&self, phase: Phase) {
        self.tell(match phase {
            Phase::Details => "Reading users, groups, roles and policies",
            Phase::Evidence => "Reading reports, keys and tags",
            Phase::Grants => "Reading the event history of IAM",
        });
    }

    fn reports(&self, done: usize, total: usize) {
        let mut state = self.state();
        let now = Instant::now();
        state.reports_from.get_or_insert((now, done));
        let is_time = state.told.is_none_or(|told| now.duration_since(told) >= BETWEEN);
        if self.bar.is_none() && !is_time && done < total {
            return;
        }
        if state.told.is_some() || self.bar.is_some() || done == total {
            let line = state.line(done, total);
            state.told = Some(now);
            drop(state);
            self.tell(&line);
        } else {
            state.told = Some(now);
        }
    }
}
