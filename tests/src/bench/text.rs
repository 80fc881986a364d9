//! Texts in the forms that AWS and its command line print.

use std::fmt::Write;
use std::io;

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

/// Returns JSON as the AWS CLI prints it: indented by four spaces, a line break at the end.
pub(super) fn printed(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = indented(value, b"    ")?;
    text.push(b'\n');
    Ok(text)
}

/// Returns JSON with an indent of the author's own.
pub(super) fn indented(value: &impl Serialize, indent: &[u8]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let formatter = PrettyFormatter::with_indent(indent);
    value.serialize(&mut Serializer::with_formatter(&mut text, formatter))?;
    Ok(text)
}

/// Returns a text percent-encoded, as IAM's API returns policy documents.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Returns a time, in seconds since 1970, as the AWS CLI prints it.
pub(super) fn time(seconds: i64) -> String {
    format!("{}+00:00", civil(seconds))
}

/// Returns a time, in seconds since 1970, as secateur's own files have it.
pub(super) fn zulu(seconds: i64) -> String {
    format!("{}Z", civil(seconds))
}

/// The proleptic Gregorian calendar, counted in eras of 400 years from 1 March of the year 0.
fn civil(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_documents_are_printed_as_aws_does() {
        assert_eq!(time(1_790_834_400), "2026-10-01T06:00:00+00:00");
        assert_eq!(zulu(1_582_934_400 + 59), "2020-02-29T00:00:59Z");
        assert_eq!(zulu(1_609_459_199), "2020-12-31T23:59:59Z");
        assert_eq!(percent_encoded("{\"a\": é}"), "%7B%22a%22%3A%20%C3%A9%7D");
    }
}
