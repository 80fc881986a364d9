//! Whether use in every Region would have been seen.
//!
//! A Region without last-accessed data makes everything that is used only there look unused. See
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html#last-accessed_tracking-period>.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::account::Account;
use crate::rules::Settings;
use crate::time::UnixTime;

/// Why use in some Region could have gone unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionProblem {
    /// Neither `regions.json` nor `regions_in_use` tells which Regions there are.
    Unknown,
    /// These Regions are enabled or in use and provide no last-accessed data.
    Untracked(Arc<[String]>),
}

impl fmt::Display for RegionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegionProblem::Unknown => f.write_str("the Regions in use are not known"),
            RegionProblem::Untracked(regions) => {
                write!(f, "no last-accessed data is known to exist for {}", regions.join(", "))
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
    /// Looks at the Regions that are enabled, and at those that the user says are in use.
    pub fn new(account: &Account, settings: &Settings) -> RegionEvidence {
        let named: BTreeSet<&String> = account.regions.iter().flatten().chain(&settings.regions_in_use).collect();
        let starts = |region: &&String| account.catalog.regions().tracking_start(region);
        let untracked: Vec<String> =
            named.iter().filter(|region| starts(region).is_none()).map(ToString::to_string).collect();
        let problem = if named.is_empty() {
            Err(RegionProblem::Unknown)
        } else if untracked.is_empty() {
            Ok(())
        } else {
            Err(RegionProblem::Untracked(untracked.into()))
        };
        let tracking_start = named.iter().filter_map(starts).max().unwrap_or(UnixTime(0));
        RegionEvidence { problem, tracking_start }
    }
}
