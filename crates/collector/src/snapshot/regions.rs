//! `regions.json`: what `aws account list-regions` prints.
//!
//! See <https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html>.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::SnapshotError;
use super::inventory::SnapshotFile;
use super::json;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with a list `Regions`")]
struct Answer {
    regions: Vec<Region>,
    next_token: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `RegionName` and `RegionOptStatus`")]
struct Region {
    region_name: String,
    region_opt_status: Option<String>,
}

/// Returns the enabled Regions, sorted; none when pages are missing, since a Region may be on one of them.
///
/// Only `DISABLED` is not enabled: work may go on in a Region that is being enabled or disabled.
pub(super) fn read(file: &SnapshotFile, bytes: &[u8]) -> Result<Option<Vec<String>>, SnapshotError> {
    let answer: Answer = json::parse(file, bytes)?;
    if answer.next_token.is_some() {
        return Ok(None);
    }
    let enabled = |region: &Region| region.region_opt_status.as_deref() != Some("DISABLED");
    let mut names: Vec<String> = answer.regions.into_iter().filter(enabled).map(|region| region.region_name).collect();
    names.sort();
    names.dedup();
    Ok(Some(names))
}
