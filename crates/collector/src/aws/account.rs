//! Account management: the one call that is made to it.

use serde::{Deserialize, Serialize};

use super::Clients;
use super::endpoint::Service;
use super::json::{Action, Protocol, Sent};

static LIST_REGIONS: Action = Action {
    service: Service { name: "account", id: "Account", is_global: true },
    name: "ListRegions",
    protocol: Protocol::Path("/listRegions"),
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<&'a str>,
}

/// A page of Regions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Regions {
    pub regions: Option<Vec<Region>>,
    pub next_token: Option<String>,
}

/// A Region, and whether it is enabled.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Region {
    pub region_name: Option<String>,
    pub region_opt_status: Option<String>,
}

impl Clients {
    /// See <https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html>.
    pub(crate) async fn list_regions(&self, next_token: Option<&str>) -> Sent<Regions> {
        self.json().call(&LIST_REGIONS, None, &Input { next_token }).await
    }
}
