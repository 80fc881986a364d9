//! Whether use in every Region would have been seen.
//!
//! A Region without last-accessed data makes everything that is used only there look unused. See
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html#last-accessed_tracking-period>.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::account::{Account, KeyLastUsed};
use crate::rules::Settings;
use crate::time::{DAY, UnixTime};

/// Why use in some Region could have gone unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionProblem {
    /// Neither `regions.json` nor `regions_in_use` tells which Regions there are.
    Unknown,
    /// These Regions are enabled or in use and provide no last-accessed data.
    Untracked(Arc<[UntrackedRegion]>),
}

/// A Region that provides no last-accessed data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UntrackedRegion {
    /// Its name.
    pub name: String,
    /// Who AWS says was last used there: the address of a role or user, or an access key of one; none where `regions.json` or
    /// `regions_in_use` names the Region.
    pub used_by: Option<String>,
}

impl fmt::Display for RegionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegionProblem::Unknown => f.write_str("the Regions in use are not known"),
            RegionProblem::Untracked(regions) => {
                let one = |region: &UntrackedRegion| match &region.used_by {
                    Some(address) => format!("{}, where {address} was last used", region.name),
                    None => region.name.clone(),
                };
                let all: Vec<String> = regions.iter().map(one).collect();
                write!(f, "no last-accessed data is known to exist for {}", all.join(", "))
            }
        }
    }
}

/// What is known of the account's Regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionEvidence {
    /// Why use could have gone unseen, if it could.
    pub problem: Result<(), RegionProblem>,
    /// The latest start of tracking among the Regions: before it, use in one of them was not seen.
    pub tracking_start: UnixTime,
}

impl RegionEvidence {
    /// Looks at the Regions that are enabled, at those that the user says are in use, and at those that somebody was last used in.
    pub fn new(account: &Account, settings: &Settings, now: UnixTime) -> RegionEvidence {
        let named: BTreeSet<&str> =
            account.regions.iter().flatten().chain(&settings.regions_in_use).map(String::as_str).collect();
        let starts = |region: &str| account.catalog.regions().tracking_start(region);
        let used = used(account, settings, now);
        let is_untracked = |region: &&str| starts(region).is_none();
        let by_name = named.iter().copied().filter(is_untracked).map(|name| (name, None));
        let by_use = used.iter().map(|(name, by)| (*name, Some(by.clone())));
        let by_use = by_use.filter(|(name, _)| is_untracked(name) && !named.contains(name));
        let untracked: Arc<[UntrackedRegion]> =
            (by_name.chain(by_use)).map(|(name, used_by)| UntrackedRegion { name: name.to_owned(), used_by }).collect();
        let problem = if named.is_empty() {
            Err(RegionProblem::Unknown)
        } else if untracked.is_empty() {
            Ok(())
        } else {
            Err(RegionProblem::Untracked(untracked))
        };
        let all = named.iter().chain(used.keys()).copied();
        let tracking_start = all.filter_map(starts).max().unwrap_or(UnixTime(0));
        RegionEvidence { problem, tracking_start }
    }
}

/// Returns for how many days the use of a Region counts: as long as a report that counts may reach back.
pub fn region_use_days(settings: &Settings) -> u32 {
    settings.min_idle_days.saturating_add(settings.max_report_age_days).saturating_add(1)
}

/// The Regions that somebody, or an access key, was last used in, each with the first of those who were: in the time that reports which
/// count can see, or nobody knows when. What a report shows of a Region may be all that AWS recorded there.
fn used<'a>(account: &'a Account, settings: &Settings, now: UnixTime) -> BTreeMap<&'a str, String> {
    let span = i64::from(region_use_days(settings)) * DAY;
    let is_recent = |time: Option<UnixTime>| time.is_none_or(|time| now.since(time) < span);
    let mut found: BTreeMap<&str, String> = BTreeMap::new();
    for role in &account.principals {
        if let Some(region) = role.last_used_region.as_deref().filter(|_| is_recent(role.last_used)) {
            found.entry(region).or_insert_with(|| role.address());
        }
    }
    for report in account.reports.values() {
        for (region, _) in report.regions.iter().filter(|(_, last)| is_recent(Some(*last))) {
            let whose = || format!("{}/{}", report.arn.resource_type(), report.arn.name());
            found.entry(region).or_insert_with(whose);
        }
    }
    for (user, keys) in &account.access_keys {
        for key in keys {
            if let KeyLastUsed::At { time, region, .. } = &key.last_used
                && is_recent(Some(*time))
            {
                found.entry(region).or_insert_with(|| format!("an access key of user/{}", user.name()));
            }
        }
    }
    found.retain(|region, _| is_region(region));
    found
}

/// `eu-west-1`; neither `N/A` nor `aws-global`, which stand for services that have no Regions.
fn is_region(text: &str) -> bool {
    let number = text.rsplit('-').next().unwrap_or_default();
    text.matches('-').count() >= 2 && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}
