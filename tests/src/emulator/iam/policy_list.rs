//! `ListPolicies`.

use super::shape;
use crate::emulator::call::{Call, page_end};
use crate::emulator::wire::{Error, Xml, params::constraint};

/// `ListPolicies`.
pub fn list(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let account = call.account();
    let scope = call.params.get("Scope").unwrap_or("All");
    if !matches!(scope, "All" | "AWS" | "Local") {
        return Err(constraint("scope", scope, "Member must satisfy enum value set: [All, AWS, Local]"));
    }
    let usage = call.params.get("PolicyUsageFilter").unwrap_or_default();
    let only_attached = call.params.is_true("OnlyAttached");
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let page = call.page(&format!("{scope}|{usage}|{only_attached}|{prefix}"))?;
    let uses = account.uses_of_policies();
    let policies = account.policies().iter().filter(|(arn, policy)| {
        let (attached, bounds) = uses.get(arn.as_str()).copied().unwrap_or_default();
        let in_scope = scope == "All" || policy.is_of_aws() == (scope == "AWS");
        let in_use = match usage {
            "PermissionsPolicy" => attached > 0,
            "PermissionsBoundary" => bounds > 0,
            _ => true,
        };
        in_scope && in_use && (!only_attached || attached > 0) && policy.path.starts_with(prefix)
    });
    let (policies, marker) = page.take(policies);
    xml.list("Policies", policies, |xml, policy| {
        shape::policy(xml, policy, uses.get(policy.arn.as_str()).copied().unwrap_or_default());
    });
    page_end(xml, marker.as_deref());
    Ok(())
}
