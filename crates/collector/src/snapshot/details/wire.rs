//! The answer of `aws iam get-account-authorization-details`, as far as it is kept.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>. Empty lists may be
//! absent.

use secateur_analyzer::arn::Arn;
use secateur_analyzer::time::UnixTime;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::document::DocumentValue;
use super::super::policy_tags::TagRow;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with the lists of users, groups, roles and policies")]
pub(super) struct Answer<'a> {
    #[serde(borrow)]
    pub(super) user_detail_list: Option<Vec<UserDetail<'a>>>,
    #[serde(borrow)]
    pub(super) group_detail_list: Option<Vec<GroupDetail<'a>>>,
    #[serde(borrow)]
    pub(super) role_detail_list: Option<Vec<RoleDetail<'a>>>,
    #[serde(borrow)]
    pub(super) policies: Option<Vec<PolicyDetail<'a>>>,
    is_truncated: Option<bool>,
    marker: Option<IgnoredAny>,
    // What the AWS CLI writes instead of `Marker` under `--max-items`.
    next_token: Option<IgnoredAny>,
}

impl Answer<'_> {
    pub(super) fn is_truncated(&self) -> bool {
        self.is_truncated == Some(true) || self.marker.is_some() || self.next_token.is_some()
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, a user")]
pub(super) struct UserDetail<'a> {
    pub(super) arn: Arn,
    pub(super) user_name: String,
    pub(super) user_id: String,
    pub(super) path: String,
    pub(super) create_date: Option<UnixTime>,
    #[serde(borrow)]
    pub(super) user_policy_list: Option<Vec<Inline<'a>>>,
    pub(super) group_list: Option<Vec<String>>,
    pub(super) attached_managed_policies: Option<Vec<Attached>>,
    pub(super) permissions_boundary: Option<Boundary>,
    pub(super) tags: Option<Vec<TagRow>>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, a role")]
pub(super) struct RoleDetail<'a> {
    pub(super) arn: Arn,
    pub(super) role_name: String,
    pub(super) role_id: String,
    pub(super) path: String,
    pub(super) create_date: Option<UnixTime>,
    #[serde(borrow)]
    pub(super) assume_role_policy_document: Option<DocumentValue<'a>>,
    #[serde(borrow)]
    pub(super) role_policy_list: Option<Vec<Inline<'a>>>,
    pub(super) attached_managed_policies: Option<Vec<Attached>>,
    pub(super) permissions_boundary: Option<Boundary>,
    pub(super) tags: Option<Vec<TagRow>>,
    pub(super) role_last_used: Option<LastUsed>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, a group")]
pub(super) struct GroupDetail<'a> {
    pub(super) arn: Arn,
    pub(super) group_name: String,
    pub(super) group_id: String,
    pub(super) path: String,
    #[serde(borrow)]
    pub(super) group_policy_list: Option<Vec<Inline<'a>>>,
    pub(super) attached_managed_policies: Option<Vec<Attached>>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, a managed policy")]
pub(super) struct PolicyDetail<'a> {
    pub(super) arn: Arn,
    pub(super) policy_name: String,
    pub(super) policy_id: String,
    pub(super) path: String,
    pub(super) default_version_id: String,
    pub(super) attachment_count: Option<i64>,
    pub(super) permissions_boundary_usage_count: Option<i64>,
    pub(super) create_date: Option<UnixTime>,
    #[serde(borrow)]
    pub(super) policy_version_list: Option<Vec<Version<'a>>>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, a version of a managed policy")]
pub(super) struct Version<'a> {
    pub(super) version_id: String,
    pub(super) is_default_version: Option<bool>,
    pub(super) create_date: Option<UnixTime>,
    #[serde(borrow)]
    pub(super) document: Option<DocumentValue<'a>>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `PolicyName` and `PolicyDocument`")]
pub(super) struct Inline<'a> {
    pub(super) policy_name: String,
    #[serde(borrow)]
    pub(super) policy_document: DocumentValue<'a>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `PolicyArn`")]
pub(super) struct Attached {
    pub(super) policy_arn: Arn,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `PermissionsBoundaryArn`")]
pub(super) struct Boundary {
    pub(super) permissions_boundary_arn: Arn,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object, empty or with `LastUsedDate`")]
pub(super) struct LastUsed {
    pub(super) last_used_date: Option<UnixTime>,
    pub(super) region: Option<String>,
}
