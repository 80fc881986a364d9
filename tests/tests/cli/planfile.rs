//! The digests of a plan file, computed here anew, as somebody who forges a plan would.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes both digests true of the plan.
///
/// The form of RFC 8785 is what serde_json prints of a value, as long as keys are ASCII and numbers are integers.
pub fn seal(plan: &mut Value) {
    let essence = |change: &Value| {
        let removed = change["removed"].as_array().unwrap().iter();
        let mut names: Vec<&Value> = removed.flat_map(|removed| removed["actions"].as_array().unwrap()).collect();
        names.sort_by_key(|name| name.as_str());
        json!({
            "address": change["address"],
            "action": change["action"],
            "expects": change["expects"],
            "after": change["after"],
            "removed": names,
        })
    };
    let essences: Value = plan["changes"].as_array().unwrap().iter().map(essence).collect();
    plan["changes_digest"] = Value::from(sha256_hex(essences.to_string().as_bytes()));
    seal_whole(plan);
}

/// Makes `digest` true of the plan, and leaves `changes_digest` as it is.
pub fn seal_whole(plan: &mut Value) {
    plan.as_object_mut().unwrap().remove("digest");
    plan["digest"] = Value::from(sha256_hex(plan.to_string().as_bytes()));
}

#[test]
fn the_digests_of_a_plan_are_those_that_the_format_tells() {
    let plan = super::scene::Scene::small().plan(&[]);
    let mut sealed = plan.clone();
    sealed["digest"] = Value::Null;
    sealed["changes_digest"] = Value::Null;
    seal(&mut sealed);
    assert_eq!(sealed["digest"], plan["digest"]);
    assert_eq!(sealed["changes_digest"], plan["changes_digest"]);
}
