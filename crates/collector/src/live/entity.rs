//! Users, roles and groups: who they are, and what they bear.

use std::sync::Arc;

use secateur_analyzer::time::UnixTime;

use super::{Bearer, KeyNow, Live, Named, found, lacks, next};
use crate::aws::{AwsError, Call, Clients, ErrorKind};
use crate::snapshot::decoded;

impl Live<'_> {
    /// Returns the unique id; none when there is nobody of that name.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub async fn unique_id(&self, bearer: Bearer<'_>) -> Result<Option<String>, AwsError> {
        Ok(match bearer {
            Bearer::User(name) => {
                let call = Call::new("iam:GetUser").on(name);
                let send = |aws: Arc<Clients>| async move { aws.iam.get_user().user_name(name).send().await };
                let answer = found(self.session.call(&call, send).await)?;
                answer.and_then(|answer| answer.user).map(|user| user.user_id)
            }
            Bearer::Role(name) => {
                let call = Call::new("iam:GetRole").on(name);
                let send = |aws: Arc<Clients>| async move { aws.iam.get_role().role_name(name).send().await };
                let answer = found(self.session.call(&call, send).await)?;
                answer.and_then(|answer| answer.role).map(|role| role.role_id)
            }
            Bearer::Group(name) => {
                let call = Call::new("iam:GetGroup").on(name);
                let send =
                    |aws: Arc<Clients>| async move { aws.iam.get_group().group_name(name).max_items(1).send().await };
                let answer = found(self.session.call(&call, send).await)?;
                answer.and_then(|answer| answer.group).map(|group| group.group_id)
            }
        })
    }

    /// Returns the users of a group; nobody when it is gone.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub async fn members(&self, group: &str) -> Result<Vec<Named>, AwsError> {
        let call = Call::new("iam:GetGroup").on(group);
        let mut members = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let from = marker.clone();
            let send = |aws: Arc<Clients>| {
                let from = from.clone();
                async move { aws.iam.get_group().group_name(group).set_marker(from).send().await }
            };
            let Some(answer) = found(self.session.call(&call, send).await)? else { return Ok(Vec::new()) };
            members.extend(
                answer
                    .users()
                    .iter()
                    .map(|user| Named { name: user.user_name().to_owned(), unique_id: user.user_id().to_owned() }),
            );
            marker = next(&call, answer.is_truncated(), answer.marker())?;
            if marker.is_none() {
                return Ok(members);
            }
        }
    }

    /// Returns the document of an inline policy, decoded; none when it is not there.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub async fn inline(&self, bearer: Bearer<'_>, policy: &str) -> Result<Option<String>, AwsError> {
        let text = match bearer {
            Bearer::User(name) => {
                let call = Call::new("iam:GetUserPolicy").on(name);
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.get_user_policy().user_name(name).policy_name(policy).send().await
                };
                found(self.session.call(&call, send).await)?.map(|answer| answer.policy_document)
            }
            Bearer::Role(name) => {
                let call = Call::new("iam:GetRolePolicy").on(name);
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.get_role_policy().role_name(name).policy_name(policy).send().await
                };
                found(self.session.call(&call, send).await)?.map(|answer| answer.policy_document)
            }
            Bearer::Group(name) => {
                let call = Call::new("iam:GetGroupPolicy").on(name);
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.get_group_policy().group_name(name).policy_name(policy).send().await
                };
                found(self.session.call(&call, send).await)?.map(|answer| answer.policy_document)
            }
        };
        Ok(text.map(|text| decoded(&text).into_owned()))
    }

    /// Returns the ARNs of the attached policies; none when there is nobody of that name.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub async fn attached(&self, bearer: Bearer<'_>) -> Result<Option<Vec<String>>, AwsError> {
        let mut arns: Vec<String> = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let from = marker.clone();
            let page = self.attached_page(bearer, from).await?;
            let Some((attached, then)) = page else { return Ok(None) };
            arns.extend(attached.into_iter().filter_map(|policy| policy.policy_arn));
            marker = then;
            if marker.is_none() {
                return Ok(Some(arns));
            }
        }
    }

    async fn attached_page(
        &self,
        bearer: Bearer<'_>,
        from: Option<String>,
    ) -> Result<Option<(Vec<aws_sdk_iam::types::AttachedPolicy>, Option<String>)>, AwsError> {
        match bearer {
            Bearer::User(name) => {
                let call = Call::new("iam:ListAttachedUserPolicies").on(name);
                let send = |aws: Arc<Clients>| {
                    let from = from.clone();
                    async move { aws.iam.list_attached_user_policies().user_name(name).set_marker(from).send().await }
                };
                let Some(page) = found(self.session.call(&call, send).await)? else { return Ok(None) };
                let then = next(&call, page.is_truncated(), page.marker())?;
                Ok(Some((page.attached_policies.unwrap_or_default(), then)))
            }
            Bearer::Role(name) => {
                let call = Call::new("iam:ListAttachedRolePolicies").on(name);
                let send = |aws: Arc<Clients>| {
                    let from = from.clone();
                    async move { aws.iam.list_attached_role_policies().role_name(name).set_marker(from).send().await }
                };
                let Some(page) = found(self.session.call(&call, send).await)? else { return Ok(None) };
                let then = next(&call, page.is_truncated(), page.marker())?;
                Ok(Some((page.attached_policies.unwrap_or_default(), then)))
            }
            Bearer::Group(name) => {
                let call = Call::new("iam:ListAttachedGroupPolicies").on(name);
                let send = |aws: Arc<Clients>| {
                    let from = from.clone();
                    async move { aws.iam.list_attached_group_policies().group_name(name).set_marker(from).send().await }
                };
                let Some(page) = found(self.session.call(&call, send).await)? else { return Ok(None) };
                let then = next(&call, page.is_truncated(), page.marker())?;
                Ok(Some((page.attached_policies.unwrap_or_default(), then)))
            }
        }
    }

    /// Returns an access key of a user; none when it is not there.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub async fn key(&self, user: &str, key: &str) -> Result<Option<KeyNow>, AwsError> {
        let call = Call::new("iam:ListAccessKeys").on(user);
        let mut marker: Option<String> = None;
        loop {
            let from = marker.clone();
            let send = |aws: Arc<Clients>| {
                let from = from.clone();
                async move { aws.iam.list_access_keys().user_name(user).set_marker(from).send().await }
            };
            let Some(page) = found(self.session.call(&call, send).await)? else { return Ok(None) };
            let own = page.access_key_metadata().iter().find(|own| own.access_key_id() == Some(key));
            if let Some(own) = own {
                let status = own.status().ok_or_else(|| lacks(&call, "Status"))?.as_str().to_owned();
                let created = own.create_date().map(|date| UnixTime(date.secs()));
                return Ok(Some(KeyNow { status, created }));
            }
            marker = next(&call, page.is_truncated(), page.marker())?;
            if marker.is_none() {
                return Ok(None);
            }
        }
    }

    /// Returns a number of the account's summary, such as a quota; none where the summary does not have it, or may not be read.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub async fn in_summary(&self, name: &str) -> Result<Option<i64>, AwsError> {
        let call = Call::new("iam:GetAccountSummary");
        let send = |aws: Arc<Clients>| async move { aws.iam.get_account_summary().send().await };
        match self.session.call(&call, send).await {
            Ok(answer) => {
                let mut all = answer.summary_map().into_iter().flatten();
                Ok(all.find(|(key, _)| key.as_str() == name).map(|(_, number)| i64::from(*number)))
            }
            Err(error) if matches!(error.kind(), ErrorKind::Denied(_) | ErrorKind::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
