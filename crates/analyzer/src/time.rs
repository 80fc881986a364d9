//! Points in time and durations, in whole seconds.
//!
//! Last-accessed data has whole seconds, plans print whole seconds, and eight bytes a time keep the reports of a large
//! account small. Nothing here reads a clock.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::Offset;
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
    /// Returns whether something of AWS can be of that time. What lies before 1970-01-02 stands for a date that is missing: the
    /// zero of a clock, or of a programming language (`0001-01-01`).
    pub fn is_possible(self) -> bool {
        self.0 >= DAY
    }

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

    /// The text for the years that have four digits.
    fn text(self) -> Option<[u8; 20]> {
        let time = Offset::UTC.to_datetime(self.timestamp());
        let (year, month, day) = (u16::try_from(time.year()).ok()?, time.month(), time.day());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        let digit = |number: i8, unit: i8| b'0' + (number / unit % 10).unsigned_abs();
        let of_year = |unit: u16| b'0' + u8::try_from(year / unit % 10).unwrap_or_default();
        #[rustfmt::skip]
        let text = [
            of_year(1000), of_year(100), of_year(10), of_year(1), b'-',
            digit(month, 10), digit(month, 1), b'-',
            digit(day, 10), digit(day, 1), b'T',
            digit(hour, 10), digit(hour, 1), b':',
            digit(minute, 10), digit(minute, 1), b':',
            digit(second, 10), digit(second, 1), b'Z',
        ];
        Some(text)
    }

    /// Reads the one form that AWS's tools print of times in UTC, to whole seconds: nearly all that is read.
    fn in_utc(text: &str) -> Option<UnixTime> {
        let (time, zone) = text.as_bytes().split_first_chunk::<19>()?;
        if zone != b"+00:00" && zone != b"Z" {
            return None;
        }
        let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1, s2] = *time else {
            return None;
        };
        let number = |tens: u8, ones: u8| {
            let number =
                tens.is_ascii_digit().then(|| tens - b'0')? * 10 + ones.is_ascii_digit().then(|| ones - b'0')?;
            i8::try_from(number).ok()
        };
        let year = i16::from(number(y1, y2)?) * 100 + i16::from(number(y3, y4)?);
        let date = Date::new(year, number(mo1, mo2)?, number(d1, d2)?).ok()?;
        // A leap second is left to the other way.
        let second = number(s1, s2).filter(|second| *second < 60)?;
        let time = jiff::civil::Time::new(number(h1, h2)?, number(mi1, mi2)?, second, 0).ok()?;
        Offset::UTC.to_timestamp(date.to_datetime(time)).ok().map(|timestamp| UnixTime(timestamp.as_second()))
    }

    fn timestamp(self) -> jiff::Timestamp {
        let seconds = self.0.clamp(jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => f.write_str(std::str::from_utf8(&text).unwrap_or_default()),
            None => write!(f, "{}", self.timestamp()),
        }
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
        if let Some(time) = UnixTime::in_utc(text) {
            return Ok(time);
        }
        let parsed = jiff::Timestamp::from_str(text).map_err(|_| ParseTimeError { text: text.to_owned() })?;
        // `as_second` rounds towards zero; times before 1970 do not occur in AWS.
        Ok(UnixTime(parsed.as_second()))
    }
}

impl Serialize for UnixTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default()),
            None => serializer.collect_str(self),
        }
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

    fn by_jiff(text: &str) -> Option<UnixTime> {
        jiff::Timestamp::from_str(text).ok().map(|timestamp| UnixTime(timestamp.as_second()))
    }

    #[test]
    fn the_quick_way_reads_and_prints_as_the_other_does() {
        for text in [
            "0000-01-01T00:00:00Z",
            "1969-12-31T23:59:59+00:00",
            "2024-02-29T23:59:59Z",
            "2023-02-29T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-13-10T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-10-10T24:00:00Z",
            "2026-10-10T23:60:00Z",
            "2016-12-31T23:59:60Z",
            "2026-10-10T06:00:00-00:00",
            "2026-10-10T06:00:00+00:01",
            "2026-10-10T06:00:00z",
            "2026-10-10t06:00:00Z",
            "2026-10-10T06:00:0aZ",
            "2026-1/-10T06:00:00Z",
            "9999-12-30T21:59:59Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(text.parse().ok(), by_jiff(text), "{text}");
        }
        // Before the year 0, at the ends of what jiff takes, and many between.
        let seconds = [i64::MIN, -62_167_219_201, -62_167_219_200, -1, 0, 1_790_834_400, 253_402_207_200, i64::MAX];
        let many = (0..10_000).map(|at| -62_200_000_000 + at * 31_556_951);
        for time in seconds.into_iter().chain(many).map(UnixTime) {
            let expect = time.timestamp().to_string();
            assert_eq!(time.to_string(), expect);
            assert_eq!(serde_json::to_value(time).ok(), Some(expect.as_str().into()));
            assert_eq!(expect.parse().ok(), by_jiff(&expect));
        }
    }

    #[test]
    fn what_is_not_a_time_is_named() {
        let error = "yesterday".parse::<UnixTime>().unwrap_err();
        assert_eq!(error.to_string(), "`yesterday` is not a time such as 2026-10-10T06:00:00Z");
    }
}
