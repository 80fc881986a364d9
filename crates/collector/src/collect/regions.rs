//! The Regions of the account.

use std::sync::Arc;

use serde::Serialize;

use super::CollectError;
use super::pages::Pages;
use super::run::{Answer, Run};
use crate::aws::Call;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Regions {
    regions: Vec<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Region {
    region_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_opt_status: Option<String>,
}

/// Collects which Regions are enabled: use in some of them is not recorded.
pub(super) async fn collect(run: &Arc<Run>) -> Result<(), CollectError> {
    match run.whole(|| read(run)).await? {
        Ok(regions) => {
            let statuses = regions
                .iter()
                .map(|region| (region.region_name.clone(), region.region_opt_status.clone().unwrap_or_default()));
            run.knows_regions(statuses.collect());
            run.put("regions.json".to_owned(), &Regions { regions }).await?;
        }
        Err(error) => run.gap_of("regions.json", &error),
    }
    Ok(())
}

async fn read(run: &Run) -> Answer<Vec<Region>> {
    let call = Call::new("account:ListRegions");
    let (mut regions, mut pages, mut token) = (Vec::new(), Pages::default(), None::<String>);
    loop {
        let page = run.call(&call, async |aws| aws.list_regions(token.as_deref()).await).await?;
        let page = match page {
            Ok(page) => page.value,
            Err(error) => return Ok(Err(error)),
        };
        for region in page.regions.unwrap_or_default() {
            let Some(region_name) = region.region_name else {
                return Ok(Err(crate::aws::AwsError::answer(&call, "a Region has no name")));
            };
            regions.push(Region { region_name, region_opt_status: region.region_opt_status });
        }
        let next = page.next_token.as_deref().filter(|token| !token.is_empty());
        token = match pages.next(&call, next.is_some(), next) {
            Ok(Some(token)) => Some(token),
            Ok(None) if regions.is_empty() => {
                return Ok(Err(crate::aws::AwsError::answer(&call, "the list of Regions is empty")));
            }
            Ok(None) => return Ok(Ok(regions)),
            Err(error) => return Ok(Err(error)),
        };
    }
}
