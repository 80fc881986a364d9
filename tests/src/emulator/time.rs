//! Moments, to the millisecond, and how AWS writes them.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

/// Milliseconds of a second, a minute, an hour and a day.
pub const SECOND: i64 = 1_000;
/// Milliseconds of a day.
pub const DAY: i64 = 86_400 * SECOND;

/// A moment: milliseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// Reads RFC 3339, with or without an offset of zero; seconds since 1970 are read too.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Some(Self(moment.as_millisecond()));
        }
        let seconds: f64 = text.parse().ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "a cast of a float stops at the limits")]
        let millis = (seconds * 1000.0).round() as i64;
        seconds.is_finite().then_some(Self(millis))
    }

    /// The moment by the machine's clock.
    pub fn of_the_machine() -> Self {
        Self(Timestamp::now().as_millisecond())
    }

    /// The moment that many milliseconds later.
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The second that it is in.
    pub const fn to_second(self) -> Self {
        Self(self.0.div_euclid(SECOND) * SECOND)
    }

    /// The milliseconds from then until this.
    pub const fn since(self, then: Self) -> i64 {
        self.0.saturating_sub(then.0)
    }

    /// As HTTP's header `date` has it.
    pub fn http_date(self) -> String {
        let moment = Timestamp::from_millisecond(self.0).unwrap_or_default();
        DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).unwrap_or_default()
    }

    /// Seconds since 1970, as the JSON protocols write time.
    pub fn epoch(self) -> serde_json::Value {
        if self.0 % SECOND == 0 {
            return (self.0 / SECOND).into();
        }
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of these centuries fit 53 bits")]
        let seconds = self.0 as f64 / 1000.0;
        seconds.into()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_millisecond(self.0) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => write!(f, "1970-01-01T00:00:00Z"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_the_command_line_and_the_wire_write_them() {
        let time = Time::parse("2026-10-10T06:20:01+00:00").unwrap();
        assert_eq!(time.to_string(), "2026-10-10T06:20:01Z");
        assert_eq!(Time::parse("2026-10-10T06:20:01Z"), Some(time));
        assert_eq!(Time::parse("1791613201"), Some(time));
        assert_eq!(time.plus(250).to_string(), "2026-10-10T06:20:01.25Z");
        assert_eq!(time.plus(250).epoch().to_string(), "1791613201.25");
        assert_eq!((time.plus(999).to_second(), time.plus(-1).to_second()), (time, time.plus(-1_000)));
        assert_eq!(time.http_date(), "Sat, 10 Oct 2026 06:20:01 GMT");
        assert_eq!(Time::parse("yesterday"), None);
    }
}
