//! Managed policies: their versions, and who has them.

use std::sync::Arc;

use aws_sdk_iam::types::PolicyUsageType;

use super::{Attachments, Live, ManagedNow, Named, found, lacks, next};
use crate::aws::{AwsError, Call, Clients};
use crate::snapshot::decoded;

impl Live<'_> {
    /// Returns a managed policy; none when it is gone.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub async fn managed(&self, arn: &str) -> Result<Option<ManagedNow>, AwsError> {
        let call = Call::new("iam:GetPolicy").on(arn);
        let send = |aws: Arc<Clients>| async move { aws.iam.get_policy().policy_arn(arn).send().await };
        let Some(answer) = found(self.session.call(&call, send).await)? else { return Ok(None) };
        let policy = answer.policy().ok_or_else(|| lacks(&call, "Policy"))?;
        let Some(versions) = self.versions(arn).await? else { return Ok(None) };
        Ok(Some(ManagedNow {
            unique_id: policy.policy_id().ok_or_else(|| lacks(&call, "PolicyId"))?.to_owned(),
            default_version: policy.default_version_id().ok_or_else(|| lacks(&call, "DefaultVersionId"))?.to_owned(),
            versions,
            boundary_count: policy.permissions_boundary_usage_count().unwrap_or(0).into(),
        }))
    }

    async fn versions(&self, arn: &str) -> Result<Option<Vec<String>>, AwsError> {
        let call = Call::new("iam:ListPolicyVersions").on(arn);
        let mut ids = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let from = marker.clone();
            let send = |aws: Arc<Clients>| {
                let from = from.clone();
                async move { aws.iam.list_policy_versions().policy_arn(arn).set_marker(from).send().await }
            };
            let Some(page) = found(self.session.call(&call, send).await)? else { return Ok(None) };
            for version in page.versions() {
                ids.push(version.version_id().ok_or_else(|| lacks(&call, "VersionId"))?.to_owned());
            }
            marker = next(&call, page.is_truncated(), page.marker())?;
            if marker.is_none() {
                return Ok(Some(ids));
            }
        }
    }

    /// Returns the document of a version, decoded; none when it is gone.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub async fn version(&self, arn: &str, id: &str) -> Result<Option<String>, AwsError> {
        let call = Call::new("iam:GetPolicyVersion").on(arn);
        let send =
            |aws: Arc<Clients>| async move { aws.iam.get_policy_version().policy_arn(arn).version_id(id).send().await };
        let Some(answer) = found(self.session.call(&call, send).await)? else { return Ok(None) };
        let version = answer.policy_version().ok_or_else(|| lacks(&call, "PolicyVersion"))?;
        let text = version.document().ok_or_else(|| lacks(&call, "Document"))?;
        Ok(Some(decoded(text).into_owned()))
    }

    /// Returns whom a policy is attached to, as a permissions policy; nobody when it is gone.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub async fn attachments(&self, arn: &str) -> Result<Attachments, AwsError> {
        let call = Call::new("iam:ListEntitiesForPolicy").on(arn);
        let mut all = Attachments::default();
        let mut marker: Option<String> = None;
        loop {
            let from = marker.clone();
            let send = |aws: Arc<Clients>| {
                let from = from.clone();
                async move {
                    let usage = PolicyUsageType::PermissionsPolicy;
                    let request = aws.iam.list_entities_for_policy().policy_arn(arn).policy_usage_filter(usage);
                    request.set_marker(from).send().await
                }
            };
            let Some(page) = found(self.session.call(&call, send).await)? else { return Ok(all) };
            let named = |name: Option<&str>, id: Option<&str>| {
                let name = name.ok_or_else(|| lacks(&call, "a name"))?.to_owned();
                Ok::<Named, AwsError>(Named { name, unique_id: id.unwrap_or_default().to_owned() })
            };
            for user in page.policy_users() {
                all.users.push(named(user.user_name(), user.user_id())?);
            }
            for role in page.policy_roles() {
                all.roles.push(named(role.role_name(), role.role_id())?);
            }
            for group in page.policy_groups() {
                all.groups.push(named(group.group_name(), group.group_id())?);
            }
            marker = next(&call, page.is_truncated(), page.marker())?;
            if marker.is_none() {
                return Ok(all);
            }
        }
    }
}
