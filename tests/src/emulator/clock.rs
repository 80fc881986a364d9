//! The emulator's clock: it starts where it is told, and ticks or stands still.

use std::time::Instant;

use super::time::Time;

/// A clock that can be set.
#[derive(Clone, Debug)]
pub struct Clock {
    /// What it showed at `set`.
    shown: Time,
    set: Instant,
    frozen: bool,
}

impl Clock {
    /// A clock that ticks from a moment on.
    pub fn ticking(from: Time) -> Self {
        Self { shown: from, set: Instant::now(), frozen: false }
    }

    /// A clock that stands still until it is set.
    pub fn frozen(at: Time) -> Self {
        Self { frozen: true, ..Self::ticking(at) }
    }

    /// What it shows.
    pub fn now(&self) -> Time {
        if self.frozen {
            return self.shown;
        }
        self.shown.plus(i64::try_from(self.set.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// Whether it stands still.
    pub const fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Sets it.
    pub fn set(&mut self, to: Time) {
        self.shown = to;
        self.set = Instant::now();
    }

    /// Stops it, or lets it go on from what it shows.
    pub fn freeze(&mut self, frozen: bool) {
        self.set(self.now());
        self.frozen = frozen;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_when_it_is_set() {
        let mut clock = Clock::frozen(Time(1_000));
        assert_eq!(clock.now(), Time(1_000));
        clock.set(Time(5_000));
        assert_eq!(clock.now(), Time(5_000));
        clock.freeze(false);
        assert!(clock.now() >= Time(5_000));
    }
}
