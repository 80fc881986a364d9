//! Access keys, and when each was last used.

use std::sync::Arc;

use super::pages::Pages;
use super::run::{Answer, Run};
use super::target::Target;
use super::wire::{AccessKey, AccessKeys};
use super::{CollectError, names};
use crate::aws::{AwsError, Call, ErrorKind};

/// Collects the access keys of users. Whoever is out of scope keeps what is there of them.
pub(super) async fn collect(run: Arc<Run>, users: Vec<Target>) -> Result<(), CollectError> {
    let mut missing = Vec::new();
    for user in users {
        let name = names::file("access-keys", &user.name);
        if !run.is_in_scope(&user) {
            run.carry_gaps(&user.arn, |gap| gap.detail.contains("AccessKey"));
            if let Some(existing) = run.existing(&name) {
                run.stage(|stage| stage.keep(&name, &existing))?;
            }
        } else if !run.keeps(&name, &user.arn, user.created)? {
            missing.push(user);
        }
    }
    run.each(missing, one).await
}

async fn one(run: Arc<Run>, user: Target) -> Result<(), CollectError> {
    let mut keys = match run.whole(|| list(&run, &user)).await? {
        Ok(keys) => keys,
        Err(error) => {
            run.gap_of(&user.arn, &error);
            return Ok(());
        }
    };
    let mut is_whole = true;
    for key in &mut keys {
        let call = Call::new("iam:GetAccessKeyLastUsed").on(&user.arn);
        let id = key.access_key_id.clone();
        let answer = run.call(&call, |aws| aws.iam.get_access_key_last_used().access_key_id(&id).send()).await?;
        match answer {
            // Another user's use would be evidence against this one's key.
            Ok(answer) if answer.user_name().is_some_and(|name| name != user.name) => {
                run.gap_of(&user.arn, &AwsError::answer(&call, "the answer is about another user"));
                is_whole = false;
            }
            Ok(answer) => match answer.access_key_last_used() {
                Some(last) => key.set_last_used(last),
                None => {
                    run.gap_of(&user.arn, &AwsError::answer(&call, "the answer has no `AccessKeyLastUsed`"));
                    is_whole = false;
                }
            },
            Err(error) => {
                run.gap_of(&user.arn, &error);
                is_whole &= *error.kind() == ErrorKind::NotFound;
            }
        }
    }
    // Half of it would be taken over by the next collection; without a file it is read again.
    if !is_whole {
        return Ok(());
    }
    let content = AccessKeys { access_key_metadata: &keys, is_truncated: false, arn: &user.arn };
    run.put(names::file("access-keys", &user.name), &content).await
}

async fn list(run: &Run, user: &Target) -> Answer<Vec<AccessKey>> {
    let call = Call::new("iam:ListAccessKeys").on(&user.arn);
    let (mut keys, mut pages, mut marker) = (Vec::new(), Pages::default(), None::<String>);
    loop {
        let page = run
            .call(&call, |aws| aws.iam.list_access_keys().user_name(&user.name).set_marker(marker.clone()).send())
            .await?;
        let page = match page {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        let next = pages.next(&call, page.is_truncated(), page.marker());
        for key in page.access_key_metadata {
            match AccessKey::of(key) {
                Some(key) => keys.push(key),
                None => return Ok(Err(AwsError::answer(&call, "an access key has no id or no user"))),
            }
        }
        marker = match next {
            Ok(Some(marker)) => Some(marker),
            Ok(None) => return Ok(Ok(keys)),
            Err(error) => return Ok(Err(error)),
        };
    }
}
