//! What a change is about, as AWS has it now: read at the moment when it counts.
//!
//! A snapshot is what was; these reads are what is. Whoever writes to AWS compares the two just before. Nothing here writes.

mod entity;
mod policy;

use secateur_analyzer::time::UnixTime;

use crate::aws::{AwsError, Call, ErrorKind, Session};

/// A user, role or group, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer<'a> {
    /// A user.
    User(&'a str),
    /// A role.
    Role(&'a str),
    /// A group.
    Group(&'a str),
}

/// Whom a managed policy is attached to, or who is in a group: name and unique id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The unique id.
    pub unique_id: String,
}

/// Whom a managed policy is attached to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachments {
    /// Users.
    pub users: Vec<Named>,
    /// Roles.
    pub roles: Vec<Named>,
    /// Groups.
    pub groups: Vec<Named>,
}

/// A managed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedNow {
    /// `ANPA...`
    pub unique_id: String,
    /// The id of the version in force.
    pub default_version: String,
    /// The ids of all versions, as AWS lists them.
    pub versions: Vec<String>,
    /// How many principals have it as permissions boundary.
    pub boundary_count: i64,
}

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyNow {
    /// `Active`, `Inactive`, ...
    pub status: String,
    /// When it was created.
    pub created: Option<UnixTime>,
}

/// The reads.
#[derive(Clone, Copy, Debug)]
pub struct Live<'a> {
    session: &'a Session,
}

impl<'a> Live<'a> {
    /// Reads as this session.
    pub fn new(session: &'a Session) -> Live<'a> {
        Live { session }
    }
}

/// What is not there is none.
fn found<T>(result: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The marker of the next page; none after the last.
fn next(call: &Call<'_>, is_truncated: bool, marker: Option<&str>) -> Result<Option<String>, AwsError> {
    match (is_truncated, marker) {
        (false, _) => Ok(None),
        (true, Some(marker)) => Ok(Some(marker.to_owned())),
        (true, None) => Err(AwsError::answer(call, "there is another page, and no `Marker`")),
    }
}

fn lacks(call: &Call<'_>, member: &str) -> AwsError {
    AwsError::answer(call, format!("the answer has no `{member}`"))
}
