//! The elements that entities, policies and tags are on the wire.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::emulator::state::{Account, Entity, Kind, Policy, Tag, UsageLog, Use, Version};
use crate::emulator::time::{DAY, Time};
use crate::emulator::wire::Xml;

/// What RFC 3986 does not call unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A policy document as IAM answers it.
pub fn encoded(document: &str) -> String {
    utf8_percent_encode(document, RESERVED).to_string()
}

/// How much of an entity an operation shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// As `ListRoles` shows it: without boundary, tags and last use.
    Listed,
    /// As `GetRole` shows it.
    Whole,
}

/// Writes the members of a user, a group or a role.
pub fn entity(xml: &mut Xml, account: &Account, usage: &UsageLog, entity: &Entity, detail: Detail, now: Time) {
    xml.text("Path", &entity.path);
    xml.text(entity.kind.name_member(), &entity.name);
    xml.text(entity.kind.id_member(), &entity.id);
    xml.text("Arn", account.arn_of(entity));
    xml.value("CreateDate", entity.created);
    if entity.kind == Kind::Role {
        xml.text("AssumeRolePolicyDocument", encoded(&entity.role.trust));
        xml.optional("Description", entity.role.description.as_deref());
        xml.value("MaxSessionDuration", entity.role.max_session);
    }
    if let Some(time) = entity.user.password_last_used {
        xml.value("PasswordLastUsed", time);
    }
    if detail == Detail::Listed || entity.kind == Kind::Group {
        return;
    }
    boundary(xml, entity);
    if !entity.tags.is_empty() {
        tags(xml, &entity.tags);
    }
    if entity.kind == Kind::Role {
        role_last_used(xml, usage, entity, now);
    }
}

/// Writes the permissions boundary, if there is one.
pub fn boundary(xml: &mut Xml, entity: &Entity) {
    if let Some(arn) = &entity.boundary {
        xml.object("PermissionsBoundary", |xml| {
            xml.text("PermissionsBoundaryType", "Policy");
            xml.text("PermissionsBoundaryArn", arn);
        });
    }
}

/// Writes tags.
pub fn tags(xml: &mut Xml, tags: &[Tag]) {
    xml.list("Tags", tags, |xml, tag| {
        xml.text("Key", &tag.key);
        xml.text("Value", &tag.value);
    });
}

/// Writes the last use of a role: of any service, in the trailing 400 days; empty if there was none.
pub fn role_last_used(xml: &mut Xml, usage: &UsageLog, role: &Entity, now: Time) {
    let all = usage.of(&role.id).flat_map(|(_, _, uses)| uses);
    let counted = all.filter(|used| used.time <= now && now.since(used.time) <= 400 * DAY);
    let last: Option<&Use> = counted.max_by_key(|used| used.time);
    xml.object("RoleLastUsed", |xml| {
        if let Some(last) = last {
            xml.value("LastUsedDate", last.time);
            xml.text("Region", &last.region);
        }
    });
}

/// Writes names and ARNs of attached policies.
pub fn attached(xml: &mut Xml, name: &str, account: &Account, arns: &[String]) {
    xml.list(name, arns, |xml, arn| attached_policy(xml, account, arn));
}

/// Writes name and ARN of an attached policy.
pub fn attached_policy(xml: &mut Xml, account: &Account, arn: &str) {
    let by_arn = || arn.rsplit('/').next().unwrap_or_default().to_owned();
    let name = account.policies().get(arn).map_or_else(by_arn, |policy| policy.name.clone());
    xml.text("PolicyName", name);
    xml.text("PolicyArn", arn);
}

/// Writes the members of a managed policy that lists and details share.
pub fn policy(xml: &mut Xml, policy: &Policy, (attached, bounds): (usize, usize)) {
    xml.text("PolicyName", &policy.name);
    xml.text("PolicyId", &policy.id);
    xml.text("Arn", &policy.arn);
    xml.text("Path", &policy.path);
    xml.text("DefaultVersionId", &policy.default);
    xml.value("AttachmentCount", attached);
    xml.value("PermissionsBoundaryUsageCount", bounds);
    xml.value("IsAttachable", policy.attachable);
    xml.value("CreateDate", policy.created);
    xml.value("UpdateDate", policy.updated);
}

/// Writes a version, with its document where the operation gives it.
pub fn version(xml: &mut Xml, policy: &Policy, version: &Version, with_document: bool) {
    if with_document {
        xml.text("Document", encoded(&version.document));
    }
    xml.text("VersionId", &version.id);
    xml.value("IsDefaultVersion", version.id == policy.default);
    xml.value("CreateDate", version.created);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_encoded_as_rfc_3986_says() {
        assert_eq!(encoded("{\"a\": \"b+c*~\"}"), "%7B%22a%22%3A%20%22b%2Bc%2A~%22%7D");
    }
}
