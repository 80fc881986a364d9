//! When permissions were granted: CloudTrail's event history of IAM's write calls.
//!
//! See <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html>: 90 days of management events.

use crate::arn::Arn;
use crate::time::UnixTime;

/// The IAM write calls of a span of time, all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantHistory {
    /// Where the span begins.
    pub from: UnixTime,
    /// Where it ends.
    pub to: UnixTime,
    /// The calls that succeeded, by time.
    pub events: Vec<GrantEvent>,
}

/// One successful IAM write call, with the names it was called with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantEvent {
    /// When.
    pub time: UnixTime,
    /// The operation: `PutRolePolicy`, ...
    pub name: String,
    /// `userName`
    pub user_name: Option<String>,
    /// `roleName`
    pub role_name: Option<String>,
    /// `groupName`
    pub group_name: Option<String>,
    /// `policyName`
    pub policy_name: Option<String>,
    /// `policyArn`
    pub policy_arn: Option<Arn>,
}
