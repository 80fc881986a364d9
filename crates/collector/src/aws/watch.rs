//! What is told of calls while they are made.

use std::time::Duration;

use super::AwsError;

/// Whoever wants to know of calls: progress, logs.
pub trait Watch: Send + Sync {
    /// A call came to an end, or to one of its attempts.
    fn call(&self, event: &CallEvent<'_>);
}

/// One attempt of a call. It holds nothing of credentials or of what was answered.
#[derive(Clone, Copy, Debug)]
pub struct CallEvent<'a> {
    /// Service and operation, such as `iam:GetRole`.
    pub operation: &'static str,
    /// Whom the call was about; empty when it is about the account.
    pub subject: &'a str,
    /// Which attempt this was, from 1.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome<'a>,
    /// The id under which AWS finds the request again.
    pub request_id: Option<&'a str>,
    /// From sending to the end of the answer.
    pub elapsed: Duration,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// AWS did it.
    Done,
    /// It failed, and is tried again after this time.
    Retried(&'a AwsError, Duration),
    /// It failed.
    Failed(&'a AwsError),
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Watch for Silent {
    fn call(&self, _event: &CallEvent<'_>) {}
}
