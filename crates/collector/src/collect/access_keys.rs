//! Access keys, and when each was last used.

use std::sync::Arc;

use super::earlier::Existing;
use super::pages::Pages;
use super::run::{Answer, Run};
use super::target::Target;
use super::wire::{AccessKey, AccessKeys};
use super::{CollectError, names};
use crate::aws::{AwsError, Call, ErrorKind};

/// How often keys are listed when one of them is not there any more.
const READINGS: u32 = 3;

/// Collects the access keys of users. Whoever is out of scope keeps what is there of them; it has no time of its own, so the
/// snapshot is as old as that. Returns of how many of those there is nothing: their keys have no file, which is no list of none.
pub(super) async fn collect(run: Arc<Run>, users: Vec<Target>) -> Result<usize, CollectError> {
    let (mut missing, mut without) = (Vec::new(), 0);
    for user in users {
        let name = names::file("access-keys", &user.name);
        if !run.is_in_scope(&user) {
            run.carry_gaps(&user.arn, |gap| gap.detail.contains("AccessKey"));
            let is_theirs = |existing: &Existing| !existing.is_older_than(user.created) && existing.is_of(&user.arn);
            without += usize::from(!run.keeps_if(&name, is_theirs)?);
        } else if !run.keeps_if(&name, |existing| is_kept(existing, &user))? {
            missing.push(user);
        }
    }
    run.each(missing, one).await?;
    Ok(without)
}

/// Returns whether the keys that are there need not be listed again: each of them has its last use.
pub(super) fn is_kept(existing: &Existing, user: &Target) -> bool {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Keys {
        access_key_metadata: Vec<Key>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Key {
        access_key_last_used: Option<serde::de::IgnoredAny>,
    }
    let is_whole = |keys: Keys| keys.access_key_metadata.iter().all(|key| key.access_key_last_used.is_some());
    existing.stands_for(&user.arn, user.created) && serde_json::from_slice(&existing.content).is_ok_and(is_whole)
}

async fn one(run: Arc<Run>, user: Target) -> Result<(), CollectError> {
    for reading in 1.. {
        let mut keys = match run.whole(|| list(&run, &user)).await? {
            Ok(keys) => keys,
            Err(error) => {
                run.gap_of(&user.arn, &error);
                return Ok(());
            }
        };
        let lacks = last_uses(&run, &user, &mut keys).await?;
        // A key that is not there any more is not listed any more either: the list without it is whole.
        let is_gone = lacks.iter().any(|error| *error.kind() == ErrorKind::NotFound);
        if is_gone && reading < READINGS {
            continue;
        }
        // Half of it would be taken over by the next collection; without a file it is read again.
        if lacks.is_empty() {
            let content = AccessKeys { access_key_metadata: &keys, is_truncated: false, arn: &user.arn };
            return run.put(names::file("access-keys", &user.name), &content).await;
        }
        lacks.iter().for_each(|error| run.gap_of(&user.arn, error));
        return Ok(());
    }
    Ok(())
}

/// Reads the last use of keys; returns why some lack it.
async fn last_uses(run: &Run, user: &Target, keys: &mut [AccessKey]) -> Result<Vec<AwsError>, CollectError> {
    let call = Call::new("iam:GetAccessKeyLastUsed").on(&user.arn);
    let mut lacks = Vec::new();
    for key in keys {
        let id = key.access_key_id.clone();
        let answer = run.call(&call, |aws| aws.iam.get_access_key_last_used().access_key_id(&id).send()).await?;
        match answer {
            // Another user's use would be evidence against this one's key.
            Ok(answer) if answer.user_name().is_some_and(|name| name != user.name) => {
                lacks.push(AwsError::answer(&call, "the answer is about another user"));
            }
            Ok(answer) => match answer.access_key_last_used() {
                Some(last) if last.last_used_date().is_none() && tells_of_use(last.service_name()) => {
                    lacks.push(AwsError::answer(
                        &call,
                        "the answer names a service that the key was used for, and no date",
                    ));
                }
                Some(last) => key.set_last_used(last),
                None => lacks.push(AwsError::answer(&call, "the answer has no `AccessKeyLastUsed`")),
            },
            Err(error) => lacks.push(error),
        }
    }
    Ok(lacks)
}

/// `N/A` stands for no use.
fn tells_of_use(service: &str) -> bool {
    !service.is_empty() && service != "N/A"
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
