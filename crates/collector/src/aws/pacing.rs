//! How fast calls are made.
//!
//! AWS does not publish IAM's rates, and shares them among all callers of the account
//! (<https://repost.aws/knowledge-center/iam-sts-throttling-errors>). Each operation has a pace of its own. It rises as long
//! as calls wait for it and AWS takes them; a throttle cuts it.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How fast to call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Rate {
    /// Slower after a throttle, for a minute: others need the quota too.
    #[default]
    Polite,
    /// As `Polite`, and never more calls a second than this, over all operations.
    Cap(f64),
    /// As fast as AWS allows.
    Max,
}

/// A text that is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `max` nor a number of calls a second, such as 10")]
pub struct RateError(String);

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Rate, RateError> {
        match text {
            "max" => Ok(Rate::Max),
            _ => match text.parse::<f64>() {
                Ok(rate) if (0.01..=10_000.0).contains(&rate) => Ok(Rate::Cap(rate)),
                _ => Err(RateError(text.to_owned())),
            },
        }
    }
}

impl Display for Rate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Rate::Polite => f.write_str("polite"),
            Rate::Cap(rate) => write!(f, "{rate}"),
            Rate::Max => f.write_str("max"),
        }
    }
}

/// Calls a second at the start.
const FIRST: f64 = 20.0;
/// Calls a second at the start of who wants as many as AWS allows.
const FIRST_AT_MOST: f64 = 50.0;
/// Calls a second at least.
const LOWEST: f64 = 0.2;
/// Calls a second at most.
const HIGHEST: f64 = 5_000.0;
/// Until the first throttle the pace doubles in this time.
const DOUBLING: f64 = 1.0;
/// After it the pace rises by so much a second,
const ADDITION: f64 = 0.3;
/// and by so much more for every second since the throttle: room that others have left is found soon.
const ACCELERATION: f64 = 0.12;
/// What a throttle leaves of the pace of who wants as many calls as AWS allows.
const LEFT: f64 = 0.75;
/// How long the pace stays where a throttle has put it.
const YIELD: Duration = Duration::from_secs(60);
/// How far a pace may catch up with time that went by unnoticed, such as by a coarse clock.
const SLACK: Duration = Duration::from_millis(20);

/// The paces of all operations.
#[derive(Debug)]
pub(super) struct Pacing {
    rate: Rate,
    /// Over all operations, with `Rate::Cap`.
    cap: Option<Arc<Lane>>,
    lanes: Mutex<BTreeMap<&'static str, Arc<Lane>>>,
}

/// The way of one operation's calls: one waits at its head, the others behind it, in order.
#[derive(Debug)]
struct Lane {
    head: tokio::sync::Mutex<()>,
    pace: Mutex<Pace>,
}

/// When the next call may go, and what is known of how fast they may.
#[derive(Debug)]
struct Pace {
    rate: f64,
    highest: f64,
    next: Instant,
    /// Whether there has been no throttle yet.
    starts: bool,
    last_cut: Option<Instant>,
    yields_until: Option<Instant>,
    grown_at: Instant,
}

impl Pacing {
    pub(super) fn new(rate: Rate) -> Pacing {
        let cap = match rate {
            Rate::Cap(rate) => Some(Arc::new(Lane::new(rate, rate))),
            Rate::Polite | Rate::Max => None,
        };
        Pacing { rate, cap, lanes: Mutex::default() }
    }

    /// Makes an operation's rate one that AWS has published, from the first call on.
    pub(super) fn limit(&self, operation: &'static str, rate: f64) {
        locked(&self.lanes).insert(operation, Arc::new(Lane::new(rate, rate)));
    }

    /// Takes a published rate back, once: it is not AWS that is asked.
    pub(super) fn free(&self, operation: &'static str) {
        let mut lanes = locked(&self.lanes);
        if lanes.get(operation).is_some_and(|lane| locked(&lane.pace).highest < HIGHEST) {
            lanes.remove(operation);
        }
    }

    /// Waits until a call may go.
    pub(super) async fn turn(&self, operation: &'static str) {
        self.lane(operation).turn().await;
        if let Some(cap) = &self.cap {
            cap.turn().await;
        }
    }

    /// A call that went at `sent` was throttled.
    pub(super) fn throttled(&self, operation: &'static str, sent: Instant) {
        let now = Instant::now();
        let lane = self.lane(operation);
        locked(&lane.pace).cut(sent, now, self.rate != Rate::Max);
        // Operations may share a quota. Whoever still doubles has not found its end, and would find it at the others' cost.
        let others: Vec<Arc<Lane>> = locked(&self.lanes).values().cloned().collect();
        others.iter().for_each(|other| locked(&other.pace).calm(now));
    }

    fn lane(&self, operation: &'static str) -> Arc<Lane> {
        let mut lanes = locked(&self.lanes);
        let first = if self.rate == Rate::Max { FIRST_AT_MOST } else { FIRST };
        let lane = lanes.entry(operation).or_insert_with(|| Arc::new(Lane::new(first, HIGHEST)));
        Arc::clone(lane)
    }
}

/// A panic elsewhere leaves numbers behind that are as good as any.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lane {
    fn new(rate: f64, highest: f64) -> Lane {
        Lane { head: tokio::sync::Mutex::default(), pace: Mutex::new(Pace::new(rate, highest, Instant::now())) }
    }

    async fn turn(&self) {
        let _head = self.head.lock().await;
        loop {
            let wait = locked(&self.pace).take(Instant::now());
            match wait {
                None => return,
                Some(wait) => tokio::time::sleep(wait).await,
            }
        }
    }
}

impl Pace {
    fn new(rate: f64, highest: f64, now: Instant) -> Pace {
        Pace { rate, highest, next: now, starts: true, last_cut: None, yields_until: None, grown_at: now }
    }

    /// Takes the next place, or returns how long to wait for it.
    fn take(&mut self, now: Instant) -> Option<Duration> {
        if self.next > now {
            self.grow(now);
            return Some(self.next - now);
        }
        let from = self.next.max(now.checked_sub(SLACK).unwrap_or(now));
        // A tenth by chance: many callers in step would look like bursts.
        let between = (0.95 + 0.1 * fastrand::f64()) / self.rate;
        self.next = from + Duration::from_secs_f64(between);
        None
    }

    /// Calls are waiting: the pace, and not the work, is what limits them.
    fn grow(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.grown_at).as_secs_f64().min(0.1);
        self.grown_at = now;
        if self.yields_until.is_some_and(|until| now < until) {
            return;
        }
        let grown = match self.quiet_since(now) {
            None => self.rate * (seconds / DOUBLING).exp2(),
            Some(quiet) => self.rate + (ADDITION + ACCELERATION * quiet) * seconds,
        };
        self.rate = grown.min(self.highest);
    }

    /// Returns the seconds since the last throttle, or since it has been yielded to; none before the first.
    fn quiet_since(&self, now: Instant) -> Option<f64> {
        let since = if self.starts { None } else { self.yields_until.or(self.last_cut) };
        since.map(|since| now.saturating_duration_since(since).as_secs_f64())
    }

    /// Another operation was throttled.
    fn calm(&mut self, now: Instant) {
        if self.starts && self.highest > self.rate {
            self.starts = false;
            self.rate = (self.rate * 0.5).max(LOWEST);
            self.last_cut = Some(now);
            self.grown_at = now;
        }
    }

    /// Calls that were on their way together are throttled together, and that counts once.
    fn cut(&mut self, sent: Instant, now: Instant, yields: bool) {
        if self.last_cut.is_some_and(|last| sent <= last) {
            return;
        }
        let factor = if yields || self.starts { 0.5 } else { LEFT };
        self.rate = (self.rate * factor).max(LOWEST);
        self.starts = false;
        self.last_cut = Some(now);
        self.grown_at = now;
        self.yields_until = yields.then(|| now + YIELD);
        self.next = self.next.max(now + Duration::from_secs_f64(1.0 / self.rate));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_published_rate_is_taken_back_once() {
        let pacing = Pacing::new(Rate::Max);
        pacing.limit("a", 2.0);
        pacing.free("a");
        let lane = pacing.lane("a");
        assert_eq!(locked(&lane.pace).rate, FIRST_AT_MOST);
        pacing.free("a");
        assert!(Arc::ptr_eq(&lane, &pacing.lane("a")));
    }

    #[test]
    fn rates_are_read() {
        assert_eq!("max".parse(), Ok(Rate::Max));
        assert_eq!("2.5".parse(), Ok(Rate::Cap(2.5)));
        for text in ["", "0", "-1", "fast", "NaN", "inf"] {
            assert_eq!(text.parse::<Rate>(), Err(RateError(text.to_owned())));
        }
    }

    #[test]
    fn the_pace_doubles_until_it_is_throttled_and_stays_at_half_for_a_minute() {
        let start = Instant::now();
        let mut pace = Pace::new(20.0, HIGHEST, start);
        for step in 1..=20 {
            pace.grow(start + seconds(f64::from(step) * 0.1));
        }
        assert!((79.0..81.0).contains(&pace.rate), "{}", pace.rate);
        let cut = start + seconds(2.0);
        pace.cut(start, cut, true);
        assert!((39.0..41.0).contains(&pace.rate), "{}", pace.rate);
        // What went before the cut says nothing new.
        pace.cut(start + seconds(1.9), cut + seconds(0.1), true);
        assert!((39.0..41.0).contains(&pace.rate), "{}", pace.rate);
        pace.grow(cut + seconds(59.0));
        assert!((39.0..41.0).contains(&pace.rate), "{}", pace.rate);
        pace.grow(cut + seconds(60.1));
        assert!((39.0..41.1).contains(&pace.rate), "{}", pace.rate);
        pace.cut(cut + seconds(61.0), cut + seconds(61.0), true);
        assert!((19.0..21.0).contains(&pace.rate), "{}", pace.rate);
    }

    #[test]
    fn the_fastest_pace_gives_way_and_comes_back() {
        let start = Instant::now();
        let mut pace = Pace::new(20.0, HIGHEST, start);
        pace.cut(start, start, false);
        pace.cut(start + seconds(0.1), start + seconds(0.1), false);
        assert!((7.4..7.6).contains(&pace.rate), "{}", pace.rate);
        // 0.3 a second, and 0.12 more for each second.
        for step in 2..=41 {
            pace.grow(start + seconds(f64::from(step) * 0.1));
        }
        assert!((9.5..9.9).contains(&pace.rate), "{}", pace.rate);
    }

    #[test]
    fn what_has_found_no_end_gives_way_to_what_has() {
        let start = Instant::now();
        let mut pace = Pace::new(40.0, HIGHEST, start);
        pace.calm(start);
        assert_eq!(pace.rate, 20.0);
        pace.calm(start);
        assert_eq!(pace.rate, 20.0);
        let mut published = Pace::new(2.0, 2.0, start);
        published.calm(start);
        assert_eq!(published.rate, 2.0);
    }

    #[test]
    fn calls_go_at_the_pace() {
        let start = Instant::now();
        let mut pace = Pace::new(10.0, 10.0, start);
        let (mut now, mut calls) = (start, 0);
        while now < start + seconds(10.0) {
            match pace.take(now) {
                None => calls += 1,
                Some(wait) => now += wait,
            }
        }
        assert!((98..=103).contains(&calls), "{calls}");
    }
}
