//! A call, and how often it is tried.

use std::time::Duration;

use super::{AwsError, ErrorKind};

/// What is called, and about whom: for errors and logs.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Service and operation, such as `iam:GetRole`. It is the name of the permission too.
    pub operation: &'static str,
    /// Whom it is about, such as an ARN; empty when it is about the account.
    pub subject: &'a str,
    /// The Region that is asked; empty where a service is asked in one alone.
    pub region: &'a str,
}

impl<'a> Call<'a> {
    /// A call about the account.
    pub fn new(operation: &'static str) -> Call<'a> {
        Call { operation, subject: "", region: "" }
    }

    /// Says whom the call is about.
    #[must_use]
    pub fn on(self, subject: &'a str) -> Call<'a> {
        Call { subject, ..self }
    }

    /// Says which Region is asked.
    #[must_use]
    pub fn at(self, region: &'a str) -> Call<'a> {
        Call { region, ..self }
    }
}

/// How often a throttled call is tried: the pace gets slower with each.
const THROTTLED_ATTEMPTS: u32 = 12;
/// How often a call is tried when network or AWS fail.
const TRANSIENT_ATTEMPTS: u32 = 6;

/// How often a call is tried that is answered with nonsense: whoever stands on the way may have said it, once.
const ANSWER_ATTEMPTS: u32 = 3;

/// Returns how long to wait before the next attempt of a read; none when there is none.
///
/// The wait doubles, and half of it is by chance, so that calls that failed together do not come back together.
pub(super) fn wait(error: &AwsError, attempt: u32) -> Option<Duration> {
    let (attempts, first, longest) = match error.kind() {
        ErrorKind::Throttled => (THROTTLED_ATTEMPTS, 0.5, 20.0),
        ErrorKind::Transient => (TRANSIENT_ATTEMPTS, 0.1, 5.0),
        ErrorKind::Answer => (ANSWER_ATTEMPTS, 0.2, 1.0),
        _ => return None,
    };
    if attempt >= attempts {
        return None;
    }
    let doubled: f64 = first * f64::from(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX));
    let whole = doubled.min(longest);
    Some(Duration::from_secs_f64(whole / 2.0 + fastrand::f64() * whole / 2.0))
}
