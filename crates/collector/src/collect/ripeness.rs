//! When a job is worth asking about.
//!
//! A job that is not done costs a call and says nothing, so nobody asks before jobs like it were done. How long they took
//! stands in every report.

use std::collections::VecDeque;
use std::time::Duration;

/// How many durations are remembered.
const SAMPLES: usize = 200;
/// With so many of them the rare long one no longer sets the time for all.
const ENOUGH: usize = 40;

/// How long jobs take.
#[derive(Debug, Default)]
pub(super) struct Ripeness {
    samples: VecDeque<f64>,
    /// The age of the oldest job that was asked about and was not done, as long as there are few samples.
    floor: f64,
}

impl Ripeness {
    /// A job took so many seconds.
    pub fn took(&mut self, seconds: f64) {
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(seconds.clamp(0.0, 600.0));
    }

    /// A job was not done at that age.
    pub fn not_at(&mut self, age: Duration) {
        self.floor = self.floor.max(age.as_secs_f64());
    }

    /// Returns the age at which to ask about a job for the first time; none as long as nothing is known of any.
    pub fn age(&self) -> Option<Duration> {
        let mut sorted: Vec<f64> = self.samples.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let longest = *sorted.last()?;
        let seconds = if sorted.len() < ENOUGH {
            longest.max(self.floor * 1.25)
        } else {
            // The two longest of two hundred are chance.
            *sorted.get(sorted.len() - 1 - sorted.len() / 100)?
        };
        Some(Duration::from_secs_f64(seconds * 1.03 + 0.02))
    }

    /// Returns the age at which to ask again about a job that was not done at that age.
    pub fn again(age: Duration) -> Duration {
        age.mul_f64(1.3) + Duration::from_millis(200)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_few_and_nearly_the_longest_of_many() {
        let mut ripeness = Ripeness::default();
        assert_eq!(ripeness.age(), None);
        ripeness.not_at(Duration::from_secs(2));
        assert_eq!(ripeness.age(), None);
        ripeness.took(1.0);
        assert!((2.5..2.7).contains(&ripeness.age().unwrap().as_secs_f64()));
        for _ in 0..198 {
            ripeness.took(1.0);
        }
        ripeness.took(500.0);
        assert!((1.0..1.2).contains(&ripeness.age().unwrap().as_secs_f64()));
    }
}
