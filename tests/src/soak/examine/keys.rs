//! Keys: which access keys become inactive, and which KMS keys leave `Resource` lists.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::keys::{AccessKey, CRYPTOGRAPHIC, KmsKey};
use super::super::outcome::{changes, text};
use super::super::scene::{Document, Place, Principal, Scene};
use super::super::settings::Settings;
use super::grants;

/// Judges the changes of access keys.
///
/// # Errors
/// When one becomes inactive that must not, or stays active that must not.
pub fn access_keys(scene: &Scene, settings: &Settings, plan: &Value) -> Result<(), String> {
    let said = |list: &str| -> BTreeSet<&str> {
        plan.get(list).and_then(Value::as_array).into_iter().flatten().map(|entry| text(entry, "address")).collect()
    };
    let (changed, withheld) = (said("changes"), said("withheld"));
    let mut known = BTreeSet::new();
    for (at, user) in scene.principals.iter().enumerate() {
        let is_left_alone = scene.caller == Some(at) || settings.ignore.contains(&at) || user.is_owned;
        for key in user.keys.iter().flatten() {
            let address = address(user, key);
            let (is_idle, goes) = (key.is_idle(scene, settings), changed.contains(address.as_str()));
            if goes && (!is_idle || is_left_alone) {
                return Err(format!("{address}: becomes inactive, and must not: {key:?}"));
            }
            if !goes && is_idle && !is_left_alone && !withheld.contains(address.as_str()) {
                return Err(format!("{address}: stays active, and nothing says why: {key:?}"));
            }
            known.insert(address);
        }
    }
    let deactivated = changes(plan).iter().filter(|change| text(change, "action") == "deactivate");
    match deactivated.map(|change| text(change, "address")).find(|address| !known.contains(*address)) {
        Some(address) => Err(format!("{address}: there is no such key")),
        None => Ok(()),
    }
}

fn address(user: &Principal, key: &AccessKey) -> String {
    format!("user/{}/key/{}", user.name, key.id)
}

/// Takes the KMS keys that may leave out of the account and of what the plan says was there, so that what is left to judge
/// is actions.
///
/// # Errors
/// When a key leaves that must not.
pub fn without_unused(scene: &Scene, settings: &Settings, plan: &Value) -> Result<(Scene, Value), String> {
    let (mut scene_after, mut plan_after) = (scene.clone(), plan.clone());
    let places = scene.places();
    let all = plan_after.get_mut("changes").and_then(Value::as_array_mut).into_iter().flatten();
    for change in all {
        let cut: Vec<Value> = change.get("resources").and_then(Value::as_array).cloned().unwrap_or_default();
        if cut.is_empty() {
            continue;
        }
        let address = text(change, "address").to_owned();
        // A detachment is of the policy that is detached.
        let own = address.split_once("/attached/").map_or(address.clone(), |(_, name)| format!("policy/{name}"));
        let place = places.iter().find(|place| scene.address(**place) == own);
        let place = *place.ok_or_else(|| format!("{address}: keys leave what is not there"))?;
        let document = scene.document(place).ok_or("no document")?;
        if !settings.prunes_kms() || text(change, "before") != document.text {
            return Err(format!("{address}: keys leave, and nobody asked for it"));
        }
        for arn in cut.iter().map(|entry| text(entry, "arn")) {
            if let Some(why) = grants::surely_recent(scene, settings, place, arn) {
                return Err(format!("{address}: {arn} leaves, and {why}"));
            }
        }
        // What is split stands in the others of its group too.
        let group = change.get("group").and_then(Value::as_str).filter(|group| *group == address).map(str::to_owned);
        let others = changes(plan).iter().filter(|other| {
            text(other, "address") == address
                || group.is_some() && other.get("group").and_then(Value::as_str) == group.as_deref()
        });
        let after: Vec<&str> = others.filter_map(|other| other.get("after").and_then(Value::as_str)).collect();
        if let Some(name) = grants::lost_use(scene, settings, place, &after) {
            return Err(format!("{address}: {name} is in use, and allowed no more"));
        }
        let smaller = smaller(scene, settings, &document.text, &cut).map_err(|why| format!("{address}: {why}"))?;
        if let Some(members) = change.as_object_mut() {
            members.insert("before".to_owned(), Value::from(smaller.clone()));
        }
        *scene_after.document_mut(place).ok_or("no document")? = Document::new(smaller);
    }
    Ok((scene_after, plan_after))
}

/// The document without the keys that the plan says leave it.
fn smaller(scene: &Scene, settings: &Settings, text_before: &str, cut: &[Value]) -> Result<String, String> {
    let mut document: Value = serde_json::from_str(text_before).map_err(|error| error.to_string())?;
    let statements = document.get_mut("Statement").and_then(Value::as_array_mut).ok_or("no list of statements")?;
    for entry in cut {
        let at = entry.get("statement").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
        let statement = at.checked_sub(1).and_then(|at| statements.get_mut(at)).ok_or("no such statement")?;
        let arn = text(entry, "arn");
        let key = scene.kms.iter().find(|key| key.arn == arn).ok_or_else(|| format!("{arn} is no key"))?;
        if !key.is_unused(scene, settings) {
            return Err(format!("{arn} is not known to be unused, and leaves"));
        }
        if !may_lose_keys(statement) {
            return Err(format!("statement {at} loses {arn}, and must not: {statement}"));
        }
        let resources = statement.get_mut("Resource").and_then(Value::as_array_mut).ok_or("no list of resources")?;
        let was = resources.len();
        resources.retain(|resource| resource != arn);
        if resources.len() != was - 1 {
            return Err(format!("statement {at} does not name {arn} once"));
        }
    }
    statements
        .retain(|statement| statement.get("Resource").and_then(Value::as_array).is_none_or(|list| !list.is_empty()));
    Ok(document.to_string())
}

/// Whether a statement is of what KMS records on keys, and of nothing else.
fn may_lose_keys(statement: &Value) -> bool {
    let is_recorded = |name: &Value| {
        name.as_str().is_some_and(|name| CRYPTOGRAPHIC.contains(&name) || name == "kms:GenerateDataKey*")
    };
    text(statement, "Effect") == "Allow"
        && !text(statement, "Sid").starts_with("SecateurKeep")
        && statement.get("Action").and_then(Value::as_array).is_some_and(|list| list.iter().all(is_recorded))
}

/// Every unused key has left where nothing speaks against it: names alone, no rule, nobody who is left alone, nothing withheld.
pub fn unused_left(scene: &Scene, settings: &Settings, plan: &Value, place: Place) -> Result<(), String> {
    let address = scene.address(place);
    let Some(document) = scene.document(place).filter(|document| document.policy.is_ok()) else { return Ok(()) };
    if grants::perhaps_recent(scene, settings, place) {
        return Ok(());
    }
    let may_be_needed = grants::is_kms_used(scene, settings, place);
    let change = changes(plan).iter().find(|change| text(change, "address") == address);
    let attachment = address.strip_prefix("policy/").map(|name| format!("/attached/{name}"));
    let is_detached = |change: &Value| {
        text(change, "action") == "detach"
            && attachment.as_ref().is_some_and(|own| text(change, "address").ends_with(own))
    };
    if changes(plan).iter().any(is_detached) {
        return Ok(());
    }
    let after = match change {
        Some(change) => change.get("after").and_then(Value::as_str),
        None => Some(document.text.as_str()),
    };
    let Some(after) = after else { return Ok(()) };
    let unused = |arn: &str| scene.kms.iter().any(|key: &KmsKey| key.arn == arn && key.is_unused(scene, settings));
    // What a statement listed as its author wrote it counts, also when it goes.
    let before: Value = serde_json::from_str(&document.text).map_err(|error| error.to_string())?;
    let listed = before.get("Statement").and_then(Value::as_array).into_iter().flatten();
    let listed = listed.filter(|statement| !may_lose_keys(statement));
    let listed = listed.filter_map(|statement| statement.get("Resource")?.as_array()).flatten();
    let stays: Vec<&str> = listed.filter_map(Value::as_str).collect();
    let document: Value = serde_json::from_str(after).map_err(|error| error.to_string())?;
    let statements = document.get("Statement").and_then(Value::as_array).into_iter().flatten();
    for statement in statements.filter(|statement| may_lose_keys(statement)) {
        let resources = statement.get("Resource").and_then(Value::as_array).into_iter().flatten();
        let resources: Vec<&str> = resources.filter_map(Value::as_str).collect();
        // The last of them may be what it was used by, whatever KMS says.
        if may_be_needed && resources.iter().all(|arn| unused(arn)) {
            continue;
        }
        if let Some(left) = resources.into_iter().find(|arn| unused(arn) && !stays.contains(arn)) {
            return Err(format!("{address}: {left} is unused, and stays"));
        }
    }
    Ok(())
}
