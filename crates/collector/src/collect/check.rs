//! `--check`: what a collection would take, without collecting.
//!
//! Each operation is asked once: that tells what the caller may do better than any reading of policies.

mod tries;

use std::path::Path;

use secateur_analyzer::arn::Arn;

use super::details::{self, Account};
use super::earlier::{Earlier, Existing};
use super::outages::is_vital;
use super::stage::Lock;
use super::target::Target;
use super::{CollectError, Options, access_keys, grants, kms, names, regions, reports};
use crate::aws::{AwsError, ErrorKind, LOOKUPS, Session};

/// What a collection would take.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// The permissions that the caller lacks, and what is missing without each.
    pub missing: Vec<(String, &'static str)>,
    /// The operations that failed for other reasons than a permission, and why: nobody knows whether they are allowed. A
    /// collection would go on with gaps.
    pub failed: Vec<(&'static str, String)>,
    /// The operations that could not be tried, since there is nobody to try them on.
    pub untried: Vec<&'static str>,
    /// Whether nobody knows how many calls there would be, since nobody knows who is in the account.
    pub is_uncounted: bool,
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
                ErrorKind::Credentials | ErrorKind::Expired | ErrorKind::Clock if is_vital(error.operation()) => {
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
    Lock::probe(dir)?;
    let mut check = Check::default();
    let summary = details::summary(session).await?;
    match summary {
        // A collection goes on without it.
        Err(error) if error.is_of_server() => check.failed.push((error.operation(), error.message().to_owned())),
        summary => _ = check.note("the quotas are those of AWS's documentation", summary)?,
    }
    session.keep_to_published_rates();
    let earlier = Earlier::peek(dir, &super::state_of(session), options.max_age)?;
    let regions = regions::ask(session).await?;
    let regions = check.note("nothing is removed, unless `regions_in_use` says which Regions are in use", regions)?;
    let (regions, pages_of_regions) = regions.unwrap_or_default();
    check.expect("iam:GetAccountSummary", 1);
    check.expect("account:ListRegions", pages_of_regions.max(1));
    let account = match details::read(session, options.include, None).await {
        Ok(account) => {
            super::everybody_is_there(options, &account)?;
            account
        }
        Err(CollectError::Aws(error)) if matches!(error.kind(), ErrorKind::Denied(_)) => {
            check.note("there is no snapshot", Err::<(), _>(error))?;
            check.is_uncounted = true;
            Account::default()
        }
        Err(error) => return Err(error),
    };
    let is_in_scope = |target: &&Target| target.is_among(&options.principals);
    let (kept, asked): (Vec<&Target>, Vec<&Target>) =
        (account.targets.iter().filter(is_in_scope)).partition(|target| reports::is_kept(&earlier, target, options));
    (check.reports, check.reports_kept) = (asked.len(), kept.len());
    check.expect("iam:GetAccountAuthorizationDetails", account.pages.max(1));
    check.expect("iam:GenerateServiceLastAccessedDetails", check.reports);
    check.expect("iam:GetServiceLastAccessedDetails", check.reports);
    if options.include.granting {
        // AWS tells it of nobody else.
        let granted = asked.iter().filter(|target| target.is_granted());
        check.expect("iam:ListPoliciesGrantingServiceAccess", granted.count());
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
    tries::reports(&mut check, session, options, &account).await?;
    tries::access_keys(&mut check, session, options, &account).await?;
    tries::tags(&mut check, session, &account).await?;
    let mut keys = kms::own_keys(account.key_arns, session.identity());
    // Nobody answers in a Region that is off.
    keys.retain(|arn| arn.parse::<Arn>().is_ok_and(|arn| !regions.is_off(arn.region())));
    let is_untold = |arn: &Arn| !has(&kms::file(arn), &|existing| existing.stands_for(arn.as_str(), None));
    let asked = keys.iter().filter_map(|arn| arn.parse::<Arn>().ok()).filter(is_untold).count();
    check.expect(tries::DESCRIBE.operation, asked);
    check.expect(tries::USAGE.operation, asked);
    tries::kms_keys(&mut check, session, &keys).await?;
    tries::events(&mut check, session).await?;
    check.missing.sort();
    check.missing.dedup();
    Ok(check)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Call;

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
        let mut of_iam = |kind| check.note("", Err::<(), _>(AwsError::instead(&iam, kind, "x".to_owned()))).is_err();
        assert!(of_iam(ErrorKind::Credentials) && of_iam(ErrorKind::Expired) && of_iam(ErrorKind::Clock));
        // As a collection does, which ends only when IAM does not answer what it cannot do without.
        assert!(!of_iam(ErrorKind::Transient));
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
