//! `--check`: what a collection would take, without collecting.
//!
//! Each operation is asked once: that tells what the caller may do better than any reading of policies.

use std::path::Path;

use secateur_analyzer::arn::Arn;

use aws_sdk_iam::types::AccessAdvisorUsageGranularityType;

use super::details::{self, Account};
use super::earlier::{Earlier, Existing};
use super::outages::is_vital;
use super::target::Target;
use super::{CollectError, Options, access_keys, grants, kms, names, reports};
use crate::aws::cloudtrail::Lookup;
use crate::aws::{AwsError, Call, ErrorKind, LOOKUPS, Session};

/// What a collection would take.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// The permissions that the caller lacks, and what is missing without each.
    pub missing: Vec<(String, &'static str)>,
    /// The operations that failed for other reasons than a permission, and why: nobody knows whether they are allowed.
    pub failed: Vec<(&'static str, String)>,
    /// The operations that could not be tried, since there is nobody to try them on.
    pub untried: Vec<&'static str>,
    /// How many calls of each operation there would be.
    pub calls: Vec<Estimate>,
    /// How many reports would be asked of AWS.
    pub reports: usize,
    /// How many reports of an earlier collection are young enough to be taken over.
    pub reports_kept: usize,
}

const LOOKUP: &str = "cloudtrail:LookupEvents";

/// How many calls of an operation there would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Service and operation.
    pub operation: &'static str,
    /// How many calls, about: pages ask for more, and nobody knows before how many keys and services there are.
    pub calls: usize,
}

impl Check {
    /// Returns how many calls there would be in all.
    pub fn total(&self) -> usize {
        self.calls.iter().map(|estimate| estimate.calls).sum()
    }

    /// Returns whether all that could be tried is allowed.
    pub fn is_good(&self) -> bool {
        self.missing.is_empty() && self.failed.is_empty()
    }

    /// Returns how many seconds they take at so many calls a second. The event history comes last, at the rate that CloudTrail
    /// allows.
    #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
    pub fn seconds(&self, rate: f64) -> f64 {
        let lookups = self.calls.iter().filter(|estimate| estimate.operation == LOOKUP);
        let lookups: usize = lookups.map(|estimate| estimate.calls).sum();
        (self.total() - lookups) as f64 / rate + lookups as f64 / rate.min(LOOKUPS)
    }

    fn expect(&mut self, operation: &'static str, calls: usize) {
        self.calls.push(Estimate { operation, calls });
    }

    /// Notes whether the call was allowed, and returns what it answered.
    fn note<T>(&mut self, without: &'static str, result: Result<T, AwsError>) -> Result<Option<T>, CollectError> {
        match result {
            Ok(output) => Ok(Some(output)),
            Err(error) => match error.kind() {
                ErrorKind::Denied(permission) => {
                    self.missing.push((permission.clone(), without));
                    Ok(None)
                }
                // Whom it is about was deleted meanwhile, or has nothing of the kind: a denial would have come first.
                ErrorKind::NotFound => Ok(None),
                ErrorKind::Credentials | ErrorKind::Expired | ErrorKind::Clock | ErrorKind::Transient
                    if is_vital(error.operation()) =>
                {
                    Err(error.into())
                }
                _ => {
                    self.failed.push((error.operation(), error.message().to_owned()));
                    Ok(None)
                }
            },
        }
    }
}

/// Asks each operation that a collection with these options into this directory would use. Nothing is written.
///
/// # Errors
/// When AWS does not take the credentials, or cannot be reached; when the directory holds what no collection may replace.
pub async fn check(session: &Session, dir: &Path, options: &Options) -> Result<Check, CollectError> {
    let mut check = Check::default();
    let summary = details::summary(session).await?;
    check.note("the quotas are those of AWS's documentation", summary)?;
    session.keep_to_published_rates();
    let earlier = Earlier::peek(dir, &super::state_of(session), options.max_age)?;
    let regions = session.call(&Call::new("account:ListRegions"), async |aws| aws.list_regions(None).await).await;
    let regions = check.note("nothing is removed, unless `regions_in_use` says which Regions are in use", regions)?;
    let is_off = |region: &str| {
        let mut listed = regions.iter().flat_map(|answer| answer.value.regions.iter().flatten());
        let listed = listed.find(|listed| listed.region_name.as_deref() == Some(region));
        let status = listed.and_then(|listed| listed.region_opt_status.as_deref());
        matches!(status, Some("DISABLED" | "DISABLING"))
    };
    check.expect("iam:GetAccountSummary", 1);
    check.expect("account:ListRegions", 1);
    let account = match details::read(session, options.include, None).await {
        Ok(account) => {
            super::everybody_is_there(options, &account)?;
            account
        }
        Err(CollectError::Aws(error)) if matches!(error.kind(), ErrorKind::Denied(_)) => {
            check.note("there is no snapshot", Err::<(), _>(error))?;
            Account::default()
        }
        Err(error) => return Err(error),
    };
    let is_in_scope = |target: &&Target| target.is_among(&options.principals);
    let (kept, asked): (Vec<&Target>, Vec<&Target>) = (account.targets.iter().filter(is_in_scope))
        .partition(|target| reports::is_kept(&earlier, target, options.granularity));
    (check.reports, check.reports_kept) = (asked.len(), kept.len());
    check.expect("iam:GetAccountAuthorizationDetails", account.pages.max(1));
    check.expect("iam:GenerateServiceLastAccessedDetails", check.reports);
    check.expect("iam:GetServiceLastAccessedDetails", check.reports);
    if options.include.granting {
        check.expect("iam:ListPoliciesGrantingServiceAccess", check.reports);
    }
    if options.include.groups || options.include.policies {
        let with_entities = asked.iter().filter(|target| target.has_entities());
        check.expect("iam:GetServiceLastAccessedDetailsWithEntities", with_entities.count());
    }
    let has = |name: &str, is_kept: &dyn Fn(&Existing) -> bool| earlier.existing(name).is_some_and(|it| is_kept(&it));
    let is_listed = |user: &&Target| {
        !has(&names::file("access-keys", &user.name), &|existing| access_keys::is_kept(existing, user))
    };
    let users = account.users.iter().filter(is_in_scope).filter(is_listed).count();
    check.expect("iam:ListAccessKeys", users);
    // One for each user, though some have two and most have none.
    check.expect("iam:GetAccessKeyLastUsed", users);
    let is_untold = |policy: &&Target| {
        let file = names::file("policy-tags", &policy.name);
        !has(&file, &|existing| existing.stands_for(&policy.arn, policy.created))
    };
    check.expect("iam:ListPolicyTags", account.own_policies.iter().filter(is_untold).count());
    check.expect(LOOKUP, grants::CALLS.len());
    try_reports(&mut check, session, options, &account).await?;
    keys(&mut check, session, options, &account).await?;
    tags(&mut check, session, &account).await?;
    let is_kept = |arn: &Arn| has(&kms::file(arn), &|existing| existing.stands_for(arn.as_str(), None));
    kms_keys(&mut check, session, account, is_off, is_kept).await?;
    events(&mut check, session).await?;
    check.missing.sort();
    check.missing.dedup();
    Ok(check)
}

async fn try_reports(
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
    let Some(target) = account.targets.iter().find(|target| target.is_among(&options.principals)) else {
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
    if options.include.granting {
        let answer = session
            .call(&granting.on(&target.arn), |aws| {
                let call = aws.iam.list_policies_granting_service_access();
                call.arn(&target.arn).service_namespaces("iam").send()
            })
            .await;
        check.note("nobody knows which policies grant a service", answer)?;
    }
    Ok(())
}

async fn keys(check: &mut Check, session: &Session, options: &Options, account: &Account) -> Result<(), CollectError> {
    const WITHOUT: &str = "access keys are kept";
    let (list, last) = (Call::new("iam:ListAccessKeys"), Call::new("iam:GetAccessKeyLastUsed"));
    // Most users have no key; one who has is looked for among a few.
    let users: Vec<_> = account.users.iter().filter(|user| user.is_among(&options.principals)).collect();
    for (at, user) in users.iter().take(20).enumerate() {
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

async fn tags(check: &mut Check, session: &Session, account: &Account) -> Result<(), CollectError> {
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

async fn kms_keys(
    check: &mut Check,
    session: &Session,
    account: Account,
    is_off: impl Fn(&str) -> bool,
    is_kept: impl Fn(&Arn) -> bool,
) -> Result<(), CollectError> {
    const WITHOUT: &str = "KMS keys are kept";
    let (describe, usage) = (Call::new("kms:DescribeKey"), Call::new("kms:GetKeyLastUsage"));
    let mut own = kms::own_keys(account.key_arns, session.identity());
    // Nobody answers in a Region that is off.
    own.retain(|arn| arn.parse::<Arn>().is_ok_and(|arn| !is_off(arn.region())));
    let asked = own.iter().filter_map(|arn| arn.parse::<Arn>().ok()).filter(|arn| !is_kept(arn)).count();
    check.expect(describe.operation, asked);
    check.expect(usage.operation, asked);
    let Some(arn) = own.first() else {
        check.untried.extend([describe.operation, usage.operation]);
        return Ok(());
    };
    let Ok(region) = arn.parse::<Arn>().map(|arn| arn.region().to_owned()) else { return Ok(()) };
    let answer = session.call(&describe.on(arn), async |aws| aws.describe_key(&region, arn).await).await;
    check.note(WITHOUT, answer)?;
    let answer = session.call(&usage.on(arn), async |aws| aws.get_key_last_usage(&region, arn).await).await;
    check.note(WITHOUT, answer)?;
    Ok(())
}

async fn events(check: &mut Check, session: &Session) -> Result<(), CollectError> {
    let call = Call::new(LOOKUP);
    let region = session.identity().home_region();
    let event_name = grants::CALLS.first().copied().unwrap_or_default();
    let lookup = Lookup { event_name, between: None, max_results: 1, next_token: None };
    let answer = session.call(&call, async |aws| aws.lookup_events(region, lookup).await).await;
    check.note("`unknown_grant_date` decides when permissions were granted", answer)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_for_another_reason_than_a_permission_is_told() {
        let mut check = Check::default();
        let kms = Call::new("kms:DescribeKey");
        for kind in [ErrorKind::Credentials, ErrorKind::Transient, ErrorKind::Refused("X".to_owned())] {
            let error = AwsError::instead(&kms, kind, "x".to_owned());
            assert!(check.note("", Err::<(), _>(error)).is_ok_and(|answer| answer.is_none()));
        }
        assert_eq!(check.failed.len(), 3);
        assert!(check.missing.is_empty() && !check.is_good());
        let iam = Call::new("iam:ListAccessKeys");
        assert!(check.note("", Err::<(), _>(AwsError::instead(&iam, ErrorKind::Transient, "x".to_owned()))).is_err());
    }

    #[test]
    fn the_event_history_takes_as_long_as_cloudtrail_has_it_take() {
        let mut check = Check::default();
        check.expect("iam:ListAccessKeys", 100);
        check.expect(LOOKUP, 32);
        assert_eq!(check.seconds(10.0), 10.0 + 16.0);
        assert_eq!(check.seconds(1.0), 132.0);
    }
}
