//! The tags of managed policies, which the authorization details lack.

use std::sync::Arc;

use super::pages::Pages;
use super::run::{Answer, Run};
use super::target::Target;
use super::wire::{self, Tags};
use super::{CollectError, names};
use crate::aws::Call;

/// Collects the tags of the account's own policies.
pub(super) async fn collect(run: Arc<Run>, policies: Vec<Target>) -> Result<(), CollectError> {
    let mut missing = Vec::new();
    for policy in policies {
        if !run.keeps(&names::file("policy-tags", &policy.name), &policy.arn, policy.created)? {
            missing.push(policy);
        }
    }
    run.each(missing, one).await
}

async fn one(run: Arc<Run>, policy: Target) -> Result<(), CollectError> {
    match run.whole(|| read(&run, &policy.arn)).await? {
        Ok(tags) => {
            let content = Tags { tags: wire::tags(&tags), is_truncated: false, arn: &policy.arn };
            run.put(names::file("policy-tags", &policy.name), &content).await
        }
        Err(error) => {
            run.gap_of(&policy.arn, &error);
            Ok(())
        }
    }
}

async fn read(run: &Run, arn: &str) -> Answer<Vec<aws_sdk_iam::types::Tag>> {
    let call = Call::new("iam:ListPolicyTags").on(arn);
    let (mut tags, mut pages, mut marker) = (Vec::new(), Pages::default(), None::<String>);
    loop {
        let page =
            run.call(&call, |aws| aws.iam.list_policy_tags().policy_arn(arn).set_marker(marker.clone()).send()).await?;
        let page = match page {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        let next = pages.next(&call, page.is_truncated(), page.marker());
        tags.extend(page.tags);
        marker = match next {
            Ok(Some(marker)) => Some(marker),
            Ok(None) => return Ok(Ok(tags)),
            Err(error) => return Ok(Err(error)),
        };
    }
}
