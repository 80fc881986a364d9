//! One call of each operation that a collection would make.

use aws_sdk_iam::types::AccessAdvisorUsageGranularityType;
use secateur_analyzer::arn::Arn;

use super::{Check, LOOKUP};
use crate::aws::cloudtrail::Lookup;
use crate::aws::{Call, ErrorKind, Session};
use crate::collect::details::Account;
use crate::collect::{CollectError, Options, grants};

/// Of how many something is looked for that most do not have.
const AMONG: usize = 20;

pub(super) async fn reports(
    check: &mut Check,
    session: &Session,
    options: &Options,
    account: &Account,
) -> Result<(), CollectError> {
    const WITHOUT: &str = "no report: nothing is removed";
    let call = Call::new("iam:GenerateServiceLastAccessedDetails");
    let read = Call::new("iam:GetServiceLastAccessedDetails");
    let entities = Call::new("iam:GetServiceLastAccessedDetailsWithEntities");
    let granting = Call::new("iam:ListPoliciesGrantingServiceAccess");
    let has_entities = options.include.groups || options.include.policies;
    let mut targets = account.targets.iter().filter(|target| target.is_among(&options.principals));
    let granted = targets.clone().find(|target| target.is_granted());
    let Some(target) = targets.next() else {
        check.untried.extend([call.operation, read.operation]);
        return Ok(());
    };
    let level = AccessAdvisorUsageGranularityType::ActionLevel;
    let started = session
        .call(&call.on(&target.arn), |aws| {
            let call = aws.iam.generate_service_last_accessed_details();
            call.arn(&target.arn).granularity(level.clone()).send()
        })
        .await;
    let job = check.note(WITHOUT, started)?.and_then(|started| started.job_id);
    match &job {
        None => check.untried.push(read.operation),
        Some(job) => {
            let answer = session
                .call(&read.on(&target.arn), |aws| aws.iam.get_service_last_accessed_details().job_id(job).send())
                .await;
            check.note(WITHOUT, answer)?;
        }
    }
    if let (true, Some(job)) = (has_entities, &job) {
        let answer = session
            .call(&entities.on(&target.arn), |aws| {
                let call = aws.iam.get_service_last_accessed_details_with_entities();
                call.job_id(job).service_namespace("iam").send()
            })
            .await;
        check.note("nobody knows who used a service through a group or a policy", answer)?;
    }
    match granted.filter(|_| options.include.granting) {
        Some(target) => {
            let answer = session
                .call(&granting.on(&target.arn), |aws| {
                    let call = aws.iam.list_policies_granting_service_access();
                    call.arn(&target.arn).service_namespaces("iam").send()
                })
                .await;
            check.note("nobody knows which policies grant a service", answer)?;
        }
        None if options.include.granting => check.untried.push(granting.operation),
        None => {}
    }
    Ok(())
}

pub(super) async fn access_keys(
    check: &mut Check,
    session: &Session,
    options: &Options,
    account: &Account,
) -> Result<(), CollectError> {
    const WITHOUT: &str = "access keys are kept";
    let (list, last) = (Call::new("iam:ListAccessKeys"), Call::new("iam:GetAccessKeyLastUsed"));
    // Most users have no key; one who has is looked for among a few.
    let users: Vec<_> = account.users.iter().filter(|user| user.is_among(&options.principals)).collect();
    for (at, user) in users.iter().take(AMONG).enumerate() {
        let call = list.on(&user.arn);
        let answer = session.call(&call, |aws| aws.iam.list_access_keys().user_name(&user.name).send()).await;
        let answer = if at == 0 { check.note(WITHOUT, answer)? } else { answer.ok() };
        let key = answer.as_ref().and_then(|answer| answer.access_key_metadata().first()?.access_key_id());
        if let Some(id) = key {
            let call = last.on(&user.arn);
            let answer = session.call(&call, |aws| aws.iam.get_access_key_last_used().access_key_id(id).send()).await;
            check.note(WITHOUT, answer)?;
            return Ok(());
        }
    }
    if users.is_empty() {
        check.untried.push(list.operation);
    }
    check.untried.push(last.operation);
    Ok(())
}

pub(super) async fn tags(check: &mut Check, session: &Session, account: &Account) -> Result<(), CollectError> {
    let call = Call::new("iam:ListPolicyTags");
    let Some(policy) = account.own_policies.first() else {
        check.untried.push(call.operation);
        return Ok(());
    };
    let answer =
        session.call(&call.on(&policy.arn), |aws| aws.iam.list_policy_tags().policy_arn(&policy.arn).send()).await;
    check.note("nobody knows whether a policy belongs to CloudFormation or Terraform", answer)?;
    Ok(())
}

pub(super) const DESCRIBE: Call<'static> = Call { operation: "kms:DescribeKey", subject: "", region: "" };
pub(super) const USAGE: Call<'static> = Call { operation: "kms:GetKeyLastUsage", subject: "", region: "" };

/// Policies name keys that are gone: of one of those nobody learns what the caller may do.
pub(super) async fn kms_keys(check: &mut Check, session: &Session, keys: &[String]) -> Result<(), CollectError> {
    const WITHOUT: &str = "KMS keys are kept";
    for arn in keys.iter().take(AMONG) {
        let Ok(parsed) = arn.parse::<Arn>() else { continue };
        let region = parsed.region();
        let answer = session.call(&DESCRIBE.on(arn), async |aws| aws.describe_key(region, arn).await).await;
        if answer.as_ref().is_err_and(|error| *error.kind() == ErrorKind::NotFound) {
            continue;
        }
        check.note(WITHOUT, answer)?;
        let answer = session.call(&USAGE.on(arn), async |aws| aws.get_key_last_usage(region, arn).await).await;
        if answer.as_ref().is_err_and(|error| *error.kind() == ErrorKind::NotFound) {
            check.untried.push(USAGE.operation);
        }
        check.note(WITHOUT, answer)?;
        return Ok(());
    }
    check.untried.extend([DESCRIBE.operation, USAGE.operation]);
    Ok(())
}

pub(super) async fn events(check: &mut Check, session: &Session) -> Result<(), CollectError> {
    let call = Call::new(LOOKUP);
    let region = session.identity().home_region();
    let event_name = grants::CALLS.first().copied().unwrap_or_default();
    let lookup = Lookup { event_name, between: None, max_results: 1, next_token: None };
    let answer = session.call(&call, async |aws| aws.lookup_events(region, lookup).await).await;
    check.note("`unknown_grant_date` decides when permissions were granted", answer)?;
    Ok(())
}
