//! The Account service: Regions and their opt-in status.
//!
//! See <https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html>.

use serde_json::{Value, json};

use super::call::{Call, Operation, Resource, Run};
use super::wire::Error;

/// The operations of the Account service.
pub const OPERATIONS: &[Operation] = &[Operation {
    service: "account",
    name: "ListRegions",
    writes: false,
    resource: Resource::Account,
    run: Run::Json(list),
}];

fn list(call: &mut Call<'_>) -> Result<Value, Error> {
    let wanted = call.params.json().get("RegionOptStatusContains").and_then(Value::as_array).cloned();
    let wanted: Vec<&str> = wanted.iter().flatten().filter_map(Value::as_str).collect();
    let refusal = || Error::new("ValidationException", 400, "Invalid NextToken");
    let page = call.page_of("MaxResults", "NextToken", &wanted.join(","), 50, 50, refusal)?;
    let regions = call.world.regions.iter();
    let is_wanted = |status: &str| wanted.is_empty() || wanted.contains(&status);
    let regions = regions.filter(|(_, status)| is_wanted(status)).map(|(name, status)| (name, (name, status)));
    let (regions, token) = page.take(regions);
    let regions: Vec<Value> =
        regions.iter().map(|(name, status)| json!({"RegionName": name, "RegionOptStatus": status})).collect();
    let mut answer = json!({ "Regions": regions });
    if let (Some(token), Some(members)) = (token, answer.as_object_mut()) {
        members.insert(String::from("NextToken"), token.into());
    }
    Ok(answer)
}
