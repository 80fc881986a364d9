//! `account-summary.json`: what `aws iam get-account-summary` prints.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::SnapshotError;
use super::inventory::SnapshotFile;
use super::json;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with `SummaryMap`")]
struct Answer {
    summary_map: BTreeMap<String, i64>,
}

pub(super) fn read(file: &SnapshotFile, bytes: &[u8]) -> Result<BTreeMap<String, i64>, SnapshotError> {
    Ok(json::parse::<Answer>(file, bytes)?.summary_map)
}
