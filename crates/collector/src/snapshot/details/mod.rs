//! `account-authorization-details.json`: who and what is in the account.

mod wire;

use secateur_analyzer::account::{
    Document, Gap, Group, InlinePolicy, ManagedPolicy, PolicyVersion, Principal, PrincipalKind, Tag,
};
use secateur_analyzer::arn::Arn;

use super::inventory::SnapshotFile;
use super::policy_tags::TagRow;
use super::{SnapshotError, json};

/// The authorization details, sorted.
#[derive(Debug)]
pub(super) struct Details {
    pub(super) principals: Vec<Principal>,
    pub(super) groups: Vec<Group>,
    pub(super) policies: Vec<ManagedPolicy>,
    /// Whether nothing is known to be missing.
    pub(super) whole: bool,
    /// Why it is not whole.
    pub(super) gaps: Vec<Gap>,
}

pub(super) fn read(file: &SnapshotFile, bytes: &[u8]) -> Result<Details, SnapshotError> {
    let answer: wire::Answer<'_> = json::parse(file, bytes)?;
    let mut gaps = Vec::new();
    if answer.is_truncated() {
        let detail = "pages are missing: whoever holds a policy may be on one of them".to_owned();
        gaps.push(Gap { subject: file.name.clone(), kind: "authorization-details-truncated".to_owned(), detail });
    }
    let lists = [
        ("UserDetailList", answer.user_detail_list.is_none()),
        ("GroupDetailList", answer.group_detail_list.is_none()),
        ("RoleDetailList", answer.role_detail_list.is_none()),
        ("Policies", answer.policies.is_none()),
    ];
    // AWS prints empty lists; whoever left one out may have left out holders of policies.
    for (list, _) in lists.iter().filter(|(_, is_absent)| *is_absent) {
        let detail = format!("the list `{list}` is missing");
        gaps.push(Gap { subject: file.name.clone(), kind: "authorization-details-partial".to_owned(), detail });
    }
    let users = merge(answer.user_detail_list, |user| &user.arn, &mut gaps);
    let roles = merge(answer.role_detail_list, |role| &role.arn, &mut gaps);
    let groups = merge(answer.group_detail_list, |group| &group.arn, &mut gaps);
    let policies = merge(answer.policies, |policy| &policy.arn, &mut gaps);
    let mut principals: Vec<Principal> = users.into_iter().map(user).chain(roles.into_iter().map(role)).collect();
    principals.sort_by(|a, b| a.arn.cmp(&b.arn));
    Ok(Details {
        principals,
        groups: groups.into_iter().map(group).collect(),
        policies: policies.into_iter().map(policy).collect(),
        whole: gaps.is_empty(),
        gaps,
    })
}

/// Returns the rows by ARN. Pages show the account at different moments, so a row may come twice; of two that differ the
/// later one is kept, and a gap says so.
fn merge<T: PartialEq>(rows: Option<Vec<T>>, arn: impl Fn(&T) -> &Arn, gaps: &mut Vec<Gap>) -> Vec<T> {
    let mut rows = rows.unwrap_or_default();
    rows.sort_by(|a, b| arn(a).cmp(arn(b)));
    let mut merged: Vec<T> = Vec::with_capacity(rows.len());
    for row in rows {
        match merged.last_mut() {
            Some(last) if arn(last) == arn(&row) => {
                if *last != row {
                    let detail =
                        "listed twice with different content: it was changed while it was collected".to_owned();
                    gaps.push(Gap { subject: arn(&row).to_string(), kind: "torn-pages".to_owned(), detail });
                    *last = row;
                }
            }
            _ => merged.push(row),
        }
    }
    merged
}

fn user(user: wire::UserDetail<'_>) -> Principal {
    let mut groups = user.group_list.unwrap_or_default();
    groups.sort();
    groups.dedup();
    Principal {
        kind: PrincipalKind::User,
        arn: user.arn,
        name: user.user_name,
        unique_id: user.user_id,
        path: user.path,
        created: user.create_date,
        tags: tags(user.tags),
        inline: inline(user.user_policy_list),
        attached: attached(user.attached_managed_policies),
        groups,
        boundary: user.permissions_boundary.map(|boundary| boundary.permissions_boundary_arn),
        last_used: None,
        last_used_region: None,
        trust: None,
    }
}

fn role(role: wire::RoleDetail<'_>) -> Principal {
    let last_used = role.role_last_used;
    Principal {
        kind: PrincipalKind::Role,
        arn: role.arn,
        name: role.role_name,
        unique_id: role.role_id,
        path: role.path,
        created: role.create_date,
        tags: tags(role.tags),
        inline: inline(role.role_policy_list),
        attached: attached(role.attached_managed_policies),
        groups: Vec::new(),
        boundary: role.permissions_boundary.map(|boundary| boundary.permissions_boundary_arn),
        last_used: last_used.as_ref().and_then(|last_used| last_used.last_used_date),
        last_used_region: last_used.and_then(|last_used| last_used.region),
        trust: role.assume_role_policy_document.map(|value| value.document()),
    }
}

fn group(group: wire::GroupDetail<'_>) -> Group {
    Group {
        arn: group.arn,
        name: group.group_name,
        unique_id: group.group_id,
        path: group.path,
        inline: inline(group.group_policy_list),
        attached: attached(group.attached_managed_policies),
    }
}

fn policy(policy: wire::PolicyDetail<'_>) -> ManagedPolicy {
    let versions = policy.policy_version_list.unwrap_or_default();
    let is_default = |version: &wire::Version<'_>| version.version_id == policy.default_version_id;
    // Which document is in force has two answers then, and none that can be relied on.
    let is_contradicted = versions.iter().any(|own| own.is_default_version.is_some_and(|flag| flag != is_default(own)));
    let version = |version: wire::Version<'_>| PolicyVersion {
        document: if is_contradicted && is_default(&version) {
            None
        } else {
            version.document.map(|own| own.document())
        },
        id: version.version_id,
        created: version.create_date,
    };
    let versions = versions.into_iter().map(version).collect();
    ManagedPolicy {
        arn: policy.arn,
        name: policy.policy_name,
        unique_id: policy.policy_id,
        path: policy.path,
        default_version: policy.default_version_id,
        versions,
        attachment_count: policy.attachment_count,
        boundary_count: policy.permissions_boundary_usage_count,
        created: policy.create_date,
        tags: None,
        tags_lack_pages: false,
    }
}

fn inline(rows: Option<Vec<wire::Inline<'_>>>) -> Vec<InlinePolicy> {
    let document = |row: &wire::Inline<'_>| -> Document { row.policy_document.document() };
    let mut policies: Vec<InlinePolicy> = rows
        .unwrap_or_default()
        .into_iter()
        .map(|row| InlinePolicy { document: document(&row), name: row.policy_name })
        .collect();
    policies.sort_by(|a, b| a.name.cmp(&b.name));
    policies
}

fn attached(rows: Option<Vec<wire::Attached>>) -> Vec<Arn> {
    let mut arns: Vec<Arn> = rows.unwrap_or_default().into_iter().map(|row| row.policy_arn).collect();
    arns.sort();
    arns.dedup();
    arns
}

fn tags(rows: Option<Vec<TagRow>>) -> Vec<Tag> {
    rows.unwrap_or_default().into_iter().map(Tag::from).collect()
}

#[cfg(test)]
mod tests;
