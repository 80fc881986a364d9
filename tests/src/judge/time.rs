//! Times as AWS writes them, in seconds since 1970.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date>.

/// Reads a time: `2026-10-01`, `2026-10-01T12:30:00Z`, with a fraction or an offset, or seconds since 1970.
pub fn parse(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        // Four digits are a year.
        return if text.len() == 4 { Some(days_before(seconds, 1, 1) * 86_400) } else { Some(seconds) };
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let mut parts = date.split('-').map(str::parse::<i64>);
    let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some(days_before(year, month, day) * 86_400 + clock(time)?)
}

/// Seconds of the day, in UTC.
fn clock(text: &str) -> Option<i64> {
    let (text, offset) = match text.strip_suffix('Z') {
        Some(text) => (text, 0),
        None => {
            let at = text.rfind(['+', '-'])?;
            let (text, offset) = text.split_at_checked(at)?;
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
            let (hours, minutes) = digits.split_at_checked(2)?;
            let minutes = if minutes.is_empty() { 0 } else { minutes.parse::<i64>().ok()? };
            (text, sign * (hours.parse::<i64>().ok()? * 3_600 + minutes * 60))
        }
    };
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let mut parts = whole.split(':').map(str::parse::<i64>);
    let hours = parts.next()?.ok()?;
    let minutes = parts.next().unwrap_or(Ok(0)).ok()?;
    let seconds = parts.next().unwrap_or(Ok(0)).ok()?;
    Some(hours * 3_600 + minutes * 60 + seconds - offset)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// Writes a time as AWS does: `2026-10-01T12:30:00Z`.
pub fn format(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // A guess that is never too late, and then on.
    let mut year = 1970 + days.div_euclid(366) - 1;
    while days_before(year + 1, 1, 1) <= days {
        year += 1;
    }
    let month = (2..=12).take_while(|month| days_before(year, *month, 1) <= days).last().unwrap_or(1);
    let day = days - days_before(year, month, 1) + 1;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, expect) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2026-10-01T12:30:05Z", 1_790_857_805),
            ("1969-12-31T23:59:59Z", -1),
        ] {
            assert_eq!(parse(text), Some(expect), "{text}");
            assert_eq!(format(expect), text);
        }
        assert_eq!(parse("2026-10-01"), parse("2026-10-01T02:00:00+02:00"));
        assert_eq!(parse("2026-10-01T12:30:05.123Z"), Some(1_790_857_805));
        assert_eq!(parse("1790857805"), Some(1_790_857_805));
        assert_eq!(parse("2013"), parse("2013-01-01"));
        assert_eq!((parse("soon"), parse("2026-13-01")), (None, None));
    }

    #[test]
    fn every_day_comes_back() {
        for day in -1000..40_000 {
            assert_eq!(parse(&format(day * 86_400)), Some(day * 86_400));
        }
    }
}
