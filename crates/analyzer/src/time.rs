//! Points in time and durations, in whole seconds.
//!
//! Last-accessed data has whole seconds, plans print whole seconds, and eight bytes a time keep the reports of a large
//! account small. Nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The seconds of a day. A day is 86,400 s everywhere in secateur: no calendar and no time zone is involved.
pub const DAY: i64 = 86_400;

/// A point in time in whole seconds since 1970-01-01T00:00:00Z; fractions are cut off.
///
/// Printed as RFC 3339 in UTC (`2026-10-10T06:00:00Z`). Read with any offset, with `T` or a space, with or without a
/// fraction, as the AWS CLI and boto3 print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// Returns the first second of `date` in UTC.
    pub fn from_date(date: Date) -> UnixTime {
        date.to_zoned(TimeZone::UTC).map_or(UnixTime(i64::MAX), |zoned| UnixTime(zoned.timestamp().as_second()))
    }

    /// Returns the date in UTC.
    pub fn date(self) -> Date {
        self.timestamp().to_zoned(TimeZone::UTC).date()
    }

    /// Returns the time `seconds` later, or earlier for a negative number.
    pub fn plus(self, seconds: i64) -> UnixTime {
        UnixTime(self.0.saturating_add(seconds))
    }

    /// Returns the seconds from `earlier` to this time; negative when `earlier` is later.
    pub fn since(self, earlier: UnixTime) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    fn timestamp(self) -> jiff::Timestamp {
        let seconds = self.0.clamp(jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}

/// A text that is not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time such as 2026-10-10T06:00:00Z")]
pub struct ParseTimeError {
    text: String,
}

impl FromStr for UnixTime {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<UnixTime, ParseTimeError> {
        let parsed = jiff::Timestamp::from_str(text).map_err(|_| ParseTimeError { text: text.to_owned() })?;
        // `as_second` rounds towards zero; times before 1970 do not occur in AWS.
        Ok(UnixTime(parsed.as_second()))
    }
}

impl Serialize for UnixTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UnixTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<UnixTime, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = UnixTime;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as 2026-10-10T06:00:00Z")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<UnixTime, E> {
                text.parse().map_err(E::custom)
            }
            // The AWS CLI v1 prints the times of JSON protocols as seconds since the epoch.
            fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<UnixTime, E> {
                Ok(UnixTime(seconds))
            }
            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<UnixTime, E> {
                i64::try_from(seconds).map(UnixTime).map_err(E::custom)
            }
            #[expect(clippy::cast_possible_truncation, reason = "cutting the fraction off is the intent")]
            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<UnixTime, E> {
                Ok(UnixTime(seconds as i64))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_that_aws_tools_print() {
        let check = |text: &str, expect: &str| {
            assert_eq!(text.parse::<UnixTime>().map(|time| time.to_string()), Ok(expect.to_owned()), "{text}");
        };
        check("2026-10-10T06:00:00Z", "2026-10-10T06:00:00Z");
        check("2026-10-10T06:00:00.999Z", "2026-10-10T06:00:00Z");
        check("2023-03-09 10:41:45+00:00", "2023-03-09T10:41:45Z");
        check("2023-03-09T10:41:45+02:00", "2023-03-09T08:41:45Z");
        assert_eq!(serde_json::from_str::<UnixTime>("1678358505.25").ok(), "2023-03-09T10:41:45Z".parse().ok());
    }

    #[test]
    fn what_is_not_a_time_is_named() {
        let error = "yesterday".parse::<UnixTime>().unwrap_err();
        assert_eq!(error.to_string(), "`yesterday` is not a time such as 2026-10-10T06:00:00Z");
    }
}
