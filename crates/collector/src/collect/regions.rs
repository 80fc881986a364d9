//! The Regions of the account.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use serde::Serialize;

use super::CollectError;
use super::pages::Pages;
use super::run::{Answer, Run};
use crate::aws::account::Regions as Page;
use crate::aws::{AwsError, Call, Session};

/// Whether each Region of the account is enabled, as AWS spells it.
#[derive(Debug, Default)]
pub(super) struct Statuses(BTreeMap<String, String>);

impl Statuses {
    fn of(regions: &[Region]) -> Statuses {
        let status = |region: &Region| region.region_opt_status.clone().unwrap_or_default();
        Statuses(regions.iter().map(|region| (region.region_name.clone(), status(region))).collect())
    }

    /// Returns whether AWS says that a Region is off: then nobody answers there.
    pub fn is_off(&self, region: &str) -> bool {
        self.0.get(region).is_some_and(|status| matches!(status.as_str(), "DISABLED" | "DISABLING"))
    }
}

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
    let ask = async |token: Option<String>| {
        let answer = run.call(&CALL, async |aws| aws.list_regions(token.as_deref()).await).await?;
        Ok(answer.map(|answer| answer.value))
    };
    match run.whole(|| read(ask)).await? {
        Ok((regions, _)) => {
            run.knows_regions(Statuses::of(&regions));
            run.put("regions.json".to_owned(), &Regions { regions }).await?;
        }
        Err(error) => run.gap_of("regions.json", &error),
    }
    Ok(())
}

/// Asks which Regions are enabled, without a collection; returns how many pages it took, too.
pub(super) async fn ask(session: &Session) -> Answer<(Statuses, usize)> {
    let ask = async |token: Option<String>| {
        let answer = session.call(&CALL, async |aws| aws.list_regions(token.as_deref()).await).await;
        Ok(answer.map(|answer| answer.value))
    };
    Ok(read(ask).await?.map(|(regions, pages)| (Statuses::of(&regions), pages)))
}

const CALL: Call<'static> = Call { operation: "account:ListRegions", subject: "", region: "" };

/// Reads all pages; returns how many there are, too.
async fn read<F>(ask: impl Fn(Option<String>) -> F) -> Answer<(Vec<Region>, usize)>
where
    F: Future<Output = Answer<Page>>,
{
    let (mut regions, mut pages, mut token) = (Vec::new(), Pages::default(), None::<String>);
    for count in 1.. {
        let page = match ask(token).await? {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        for region in page.regions.unwrap_or_default() {
            let Some(region_name) = region.region_name else {
                return Ok(Err(AwsError::answer(&CALL, "a Region has no name")));
            };
            regions.push(Region { region_name, region_opt_status: region.region_opt_status });
        }
        let next = page.next_token.as_deref().filter(|token| !token.is_empty());
        token = match pages.next(&CALL, next.is_some(), next) {
            Ok(Some(token)) => Some(token),
            Ok(None) if regions.is_empty() => {
                return Ok(Err(AwsError::answer(&CALL, "the list of Regions is empty")));
            }
            Ok(None) => return Ok(Ok((regions, count))),
            Err(error) => return Ok(Err(error)),
        };
    }
    Err(CollectError::Unfinished)
}
