//! Answers in the form that the AWS CLI prints them in.

mod evidence;
mod identity;

pub(super) use evidence::{
    AccessKey, AccessKeys, Entities, EntityDetails, Granting, GrantingEntry, KeyUsage, Report, Service, Summary, Tags,
};
pub(super) use identity::{GroupDetail, PolicyDetail, RoleDetail, UserDetail};

use aws_sdk_iam::primitives::{DateTime, DateTimeFormat};
use aws_sdk_iam::types::Tag as SdkTag;
use serde::Serialize;

/// Returns a time as the AWS CLI prints it.
pub(super) fn time(time: &DateTime) -> String {
    // Years that RFC 3339 cannot write do not occur.
    let text = time.fmt(DateTimeFormat::DateTime).unwrap_or_default();
    match text.strip_suffix('Z') {
        Some(text) => format!("{text}+00:00"),
        None => text,
    }
}

pub(super) fn some_time(at: Option<&DateTime>) -> Option<String> {
    at.map(time)
}

/// A tag.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag<'a> {
    key: &'a str,
    value: &'a str,
}

pub(super) fn tags(tags: &[SdkTag]) -> Vec<Tag<'_>> {
    tags.iter().map(|tag| Tag { key: tag.key(), value: tag.value() }).collect()
}
