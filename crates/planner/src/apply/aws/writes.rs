//! The writes: all that secateur can change in AWS. Each is made once, and only when it stands in a journal.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;
use aws_sdk_iam::types::StatusType;
use secateur_collector::aws::{Call, Clients};

use super::{Cloud, call_error};
use crate::apply::cloud::{CallError, EntityKind, EntityRef, Write, Writes, Wrote};
use crate::apply::journal::Intended;

impl Writes for Cloud {
    fn turn(&self, operation: &'static str) {
        self.wait(self.session().turn(operation));
    }

    fn perform(&self, intended: &Intended) -> Result<Wrote, CallError> {
        match intended.write() {
            Write::PutInline { entity, policy, document } => self.put_inline(entity, policy, document),
            Write::DeleteInline { entity, policy } => self.delete_inline(entity, policy),
            Write::Attach { entity, policy } => self.attach(entity, policy.as_str()),
            Write::Detach { entity, policy } => self.detach(entity, policy.as_str()),
            Write::CreateVersion { policy, document } => {
                let call = Call::new("iam:CreatePolicyVersion").on(policy.as_str());
                let send = |aws: Arc<Clients>| async move {
                    let request = aws.iam.create_policy_version().policy_arn(policy.as_str());
                    request.policy_document(document).set_as_default(false).send().await
                };
                let wrote = |answer: &aws_sdk_iam::operation::create_policy_version::CreatePolicyVersionOutput| {
                    let version = answer.policy_version().and_then(|version| version.version_id());
                    Wrote { version: version.map(str::to_owned), ..Wrote::default() }
                };
                let wrote = self.once(&call, send, wrote)?;
                match wrote.version {
                    Some(_) => Ok(wrote),
                    // It was created: which one it is, is read.
                    None => Err(CallError::Ambiguous("the answer has no `VersionId`".to_owned())),
                }
            }
            Write::SetDefault { policy, version } => {
                let call = Call::new("iam:SetDefaultPolicyVersion").on(policy.as_str());
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.set_default_policy_version().policy_arn(policy.as_str()).version_id(version).send().await
                };
                self.once(&call, send, |_| Wrote::default())
            }
            Write::DeleteVersion { policy, version } => {
                let call = Call::new("iam:DeletePolicyVersion").on(policy.as_str());
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.delete_policy_version().policy_arn(policy.as_str()).version_id(version).send().await
                };
                self.once(&call, send, |_| Wrote::default())
            }
            Write::CreatePolicy { name, document } => {
                let call = Call::new("iam:CreatePolicy").on(name);
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.create_policy().policy_name(name).policy_document(document).send().await
                };
                self.once(&call, send, |answer| {
                    let id = answer.policy().and_then(|policy| policy.policy_id());
                    Wrote { unique_id: id.map(str::to_owned), ..Wrote::default() }
                })
            }
            Write::DeletePolicy { policy } => {
                let call = Call::new("iam:DeletePolicy").on(policy.as_str());
                let send =
                    |aws: Arc<Clients>| async move { aws.iam.delete_policy().policy_arn(policy.as_str()).send().await };
                self.once(&call, send, |_| Wrote::default())
            }
            Write::SetKey { user, key, active } => {
                let call = Call::new("iam:UpdateAccessKey").on(user);
                let status = if *active { StatusType::Active } else { StatusType::Inactive };
                // Without a name, AWS takes the key of whoever calls.
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.update_access_key().user_name(user).access_key_id(key).status(status).send().await
                };
                self.once(&call, send, |_| Wrote::default())
            }
        }
    }
}

impl Cloud {
    fn once<O, E, F>(
        &self,
        call: &Call<'_>,
        send: impl FnOnce(Arc<Clients>) -> F,
        wrote: impl FnOnce(&O) -> Wrote,
    ) -> Result<Wrote, CallError>
    where
        O: RequestId + Send + 'static,
        E: Error + ProvideErrorMetadata + 'static,
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>> + Send,
    {
        let answer = self.wait(self.session().once(call, send)).map_err(|error| call_error(&error))?;
        Ok(Wrote { request_id: answer.request_id().map(str::to_owned), ..wrote(&answer) })
    }

    fn put_inline(&self, entity: &EntityRef, policy: &str, document: &str) -> Result<Wrote, CallError> {
        let name = entity.name.as_str();
        match entity.kind {
            EntityKind::User => {
                let send = |aws: Arc<Clients>| async move {
                    let request = aws.iam.put_user_policy().user_name(name);
                    request.policy_name(policy).policy_document(document).send().await
                };
                self.once(&Call::new("iam:PutUserPolicy").on(name), send, |_| Wrote::default())
            }
            EntityKind::Role => {
                let send = |aws: Arc<Clients>| async move {
                    let request = aws.iam.put_role_policy().role_name(name);
                    request.policy_name(policy).policy_document(document).send().await
                };
                self.once(&Call::new("iam:PutRolePolicy").on(name), send, |_| Wrote::default())
            }
            EntityKind::Group => {
                let send = |aws: Arc<Clients>| async move {
                    let request = aws.iam.put_group_policy().group_name(name);
                    request.policy_name(policy).policy_document(document).send().await
                };
                self.once(&Call::new("iam:PutGroupPolicy").on(name), send, |_| Wrote::default())
            }
        }
    }

    fn delete_inline(&self, entity: &EntityRef, policy: &str) -> Result<Wrote, CallError> {
        let name = entity.name.as_str();
        match entity.kind {
            EntityKind::User => {
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.delete_user_policy().user_name(name).policy_name(policy).send().await
                };
                self.once(&Call::new("iam:DeleteUserPolicy").on(name), send, |_| Wrote::default())
            }
            EntityKind::Role => {
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.delete_role_policy().role_name(name).policy_name(policy).send().await
                };
                self.once(&Call::new("iam:DeleteRolePolicy").on(name), send, |_| Wrote::default())
            }
            EntityKind::Group => {
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.delete_group_policy().group_name(name).policy_name(policy).send().await
                };
                self.once(&Call::new("iam:DeleteGroupPolicy").on(name), send, |_| Wrote::default())
            }
        }
    }

    fn attach(&self, entity: &EntityRef, policy: &str) -> Result<Wrote, CallError> {
        let name = entity.name.as_str();
        match entity.kind {
            EntityKind::User => {
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.attach_user_policy().user_name(name).policy_arn(policy).send().await
                };
                self.once(&Call::new("iam:AttachUserPolicy").on(name), send, |_| Wrote::default())
            }
            EntityKind::Role => {
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.attach_role_policy().role_name(name).policy_arn(policy).send().await
                };
                self.once(&Call::new("iam:AttachRolePolicy").on(name), send, |_| Wrote::default())
            }
            EntityKind::Group => {
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.attach_group_policy().group_name(name).policy_arn(policy).send().await
                };
                self.once(&Call::new("iam:AttachGroupPolicy").on(name), send, |_| Wrote::default())
            }
        }
    }

    fn detach(&self, entity: &EntityRef, policy: &str) -> Result<Wrote, CallError> {
        let name = entity.name.as_str();
        match entity.kind {
            EntityKind::User => {
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.detach_user_policy().user_name(name).policy_arn(policy).send().await
                };
                self.once(&Call::new("iam:DetachUserPolicy").on(name), send, |_| Wrote::default())
            }
            EntityKind::Role => {
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.detach_role_policy().role_name(name).policy_arn(policy).send().await
                };
                self.once(&Call::new("iam:DetachRolePolicy").on(name), send, |_| Wrote::default())
            }
            EntityKind::Group => {
                let send = |aws: Arc<Clients>| async move {
                    aws.iam.detach_group_policy().group_name(name).policy_arn(policy).send().await
                };
                self.once(&Call::new("iam:DetachGroupPolicy").on(name), send, |_| Wrote::default())
            }
        }
    }
}
