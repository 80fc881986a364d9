//! The Regions that provide last-accessed data.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html#last-accessed_tracking-period>.

use std::collections::BTreeMap;

use super::load::{CatalogError, day};
use crate::time::UnixTime;

const REGIONS: &str = include_str!("../../catalog/regions.tsv");

/// The Regions that provide last-accessed data, and since when. A Region that is not here provides none: work done only
/// there looks unused.
#[derive(Clone, Debug)]
pub struct Regions {
    tracking_start: BTreeMap<&'static str, UnixTime>,
}

impl Regions {
    pub(super) fn embedded() -> Result<Regions, CatalogError> {
        let mut tracking_start = BTreeMap::new();
        for (index, line) in REGIONS.lines().enumerate().skip(1) {
            let row = line.split_once('\t').and_then(|(region, date)| Some((region, day(date)?)));
            let (region, start) =
                row.ok_or_else(|| CatalogError::new("regions.tsv", index + 1, "a Region and a date are needed"))?;
            tracking_start.insert(region, start);
        }
        Ok(Regions { tracking_start })
    }

    /// Returns when tracking began in the Region; none when it provides no last-accessed data.
    pub fn tracking_start(&self, region: &str) -> Option<UnixTime> {
        self.tracking_start.get(region).copied()
    }
}
