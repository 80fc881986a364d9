//! Users, groups, roles and policies, as the authorization details have them. Documents stay as AWS sent them.

use aws_sdk_iam::types;
use serde::Serialize;

use super::{Tag, some_time, tags, time};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Inline<'a> {
    policy_name: Option<&'a str>,
    policy_document: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attached<'a> {
    policy_name: Option<&'a str>,
    policy_arn: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Boundary<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary_type: Option<&'a str>,
    permissions_boundary_arn: Option<&'a str>,
}

fn inline(policies: &[types::PolicyDetail]) -> Vec<Inline<'_>> {
    let one = |policy| -> Inline<'_> {
        let policy: &types::PolicyDetail = policy;
        Inline { policy_name: policy.policy_name(), policy_document: policy.policy_document() }
    };
    policies.iter().map(one).collect()
}

fn attached(policies: &[types::AttachedPolicy]) -> Vec<Attached<'_>> {
    let one = |policy| -> Attached<'_> {
        let policy: &types::AttachedPolicy = policy;
        Attached { policy_name: policy.policy_name(), policy_arn: policy.policy_arn() }
    };
    policies.iter().map(one).collect()
}

fn boundary(boundary: Option<&types::AttachedPermissionsBoundary>) -> Option<Boundary<'_>> {
    let boundary = boundary?;
    Some(Boundary {
        permissions_boundary_type: boundary.permissions_boundary_type().map(|kind| kind.as_str()),
        permissions_boundary_arn: boundary.permissions_boundary_arn(),
    })
}

/// A user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct UserDetail<'a> {
    path: Option<&'a str>,
    user_name: Option<&'a str>,
    user_id: Option<&'a str>,
    arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_date: Option<String>,
    user_policy_list: Vec<Inline<'a>>,
    group_list: &'a [String],
    attached_managed_policies: Vec<Attached<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<Boundary<'a>>,
    tags: Vec<Tag<'a>>,
}

impl<'a> From<&'a types::UserDetail> for UserDetail<'a> {
    fn from(user: &'a types::UserDetail) -> UserDetail<'a> {
        UserDetail {
            path: user.path(),
            user_name: user.user_name(),
            user_id: user.user_id(),
            arn: user.arn(),
            create_date: some_time(user.create_date()),
            user_policy_list: inline(user.user_policy_list()),
            group_list: user.group_list(),
            attached_managed_policies: attached(user.attached_managed_policies()),
            permissions_boundary: boundary(user.permissions_boundary()),
            tags: tags(user.tags()),
        }
    }
}

/// A group.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct GroupDetail<'a> {
    path: Option<&'a str>,
    group_name: Option<&'a str>,
    group_id: Option<&'a str>,
    arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_date: Option<String>,
    group_policy_list: Vec<Inline<'a>>,
    attached_managed_policies: Vec<Attached<'a>>,
}

impl<'a> From<&'a types::GroupDetail> for GroupDetail<'a> {
    fn from(group: &'a types::GroupDetail) -> GroupDetail<'a> {
        GroupDetail {
            path: group.path(),
            group_name: group.group_name(),
            group_id: group.group_id(),
            arn: group.arn(),
            create_date: some_time(group.create_date()),
            group_policy_list: inline(group.group_policy_list()),
            attached_managed_policies: attached(group.attached_managed_policies()),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceProfile<'a> {
    path: &'a str,
    instance_profile_name: &'a str,
    instance_profile_id: &'a str,
    arn: &'a str,
    create_date: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RoleLastUsed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
}

/// A role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct RoleDetail<'a> {
    path: Option<&'a str>,
    role_name: Option<&'a str>,
    role_id: Option<&'a str>,
    arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assume_role_policy_document: Option<&'a str>,
    instance_profile_list: Vec<InstanceProfile<'a>>,
    role_policy_list: Vec<Inline<'a>>,
    attached_managed_policies: Vec<Attached<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<Boundary<'a>>,
    tags: Vec<Tag<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_last_used: Option<RoleLastUsed<'a>>,
}

impl<'a> From<&'a types::RoleDetail> for RoleDetail<'a> {
    fn from(role: &'a types::RoleDetail) -> RoleDetail<'a> {
        let profile = |profile: &'a types::InstanceProfile| InstanceProfile {
            path: profile.path(),
            instance_profile_name: profile.instance_profile_name(),
            instance_profile_id: profile.instance_profile_id(),
            arn: profile.arn(),
            create_date: time(profile.create_date()),
        };
        RoleDetail {
            path: role.path(),
            role_name: role.role_name(),
            role_id: role.role_id(),
            arn: role.arn(),
            create_date: some_time(role.create_date()),
            assume_role_policy_document: role.assume_role_policy_document(),
            instance_profile_list: role.instance_profile_list().iter().map(profile).collect(),
            role_policy_list: inline(role.role_policy_list()),
            attached_managed_policies: attached(role.attached_managed_policies()),
            permissions_boundary: boundary(role.permissions_boundary()),
            tags: tags(role.tags()),
            role_last_used: role
                .role_last_used()
                .map(|last| RoleLastUsed { last_used_date: some_time(last.last_used_date()), region: last.region() }),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyVersion<'a> {
    document: Option<&'a str>,
    version_id: Option<&'a str>,
    is_default_version: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_date: Option<String>,
}

/// A managed policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::collect) struct PolicyDetail<'a> {
    policy_name: Option<&'a str>,
    policy_id: Option<&'a str>,
    arn: Option<&'a str>,
    path: Option<&'a str>,
    default_version_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment_count: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary_usage_count: Option<i32>,
    is_attachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_date: Option<String>,
    policy_version_list: Vec<PolicyVersion<'a>>,
}

impl<'a> From<&'a types::ManagedPolicyDetail> for PolicyDetail<'a> {
    fn from(policy: &'a types::ManagedPolicyDetail) -> PolicyDetail<'a> {
        let version = |version: &'a types::PolicyVersion| PolicyVersion {
            document: version.document(),
            version_id: version.version_id(),
            is_default_version: version.is_default_version(),
            create_date: some_time(version.create_date()),
        };
        PolicyDetail {
            policy_name: policy.policy_name(),
            policy_id: policy.policy_id(),
            arn: policy.arn(),
            path: policy.path(),
            default_version_id: policy.default_version_id(),
            attachment_count: policy.attachment_count(),
            permissions_boundary_usage_count: policy.permissions_boundary_usage_count(),
            is_attachable: policy.is_attachable(),
            description: policy.description(),
            create_date: some_time(policy.create_date()),
            update_date: some_time(policy.update_date()),
            policy_version_list: policy.policy_version_list().iter().map(version).collect(),
        }
    }
}
