//! The operations of KMS.

use serde_json::{Value, json};

use super::key::Key;
use crate::emulator::call::{Call, Operation, Resource, Run};
use crate::emulator::wire::Error;

const fn reads(name: &'static str, resource: Resource, run: fn(&mut Call<'_>) -> Result<Value, Error>) -> Operation {
    Operation { service: "kms", name, writes: false, resource, run: Run::Json(run) }
}

/// The operations of KMS.
pub const OPERATIONS: &[Operation] = &[
    reads("DescribeKey", Resource::Key, describe),
    reads("GetKeyLastUsage", Resource::Key, last_usage),
    reads("ListKeys", Resource::Any, list),
];

/// Finds the key of the call's Region.
fn find<'a>(call: &'a Call<'_>, with_aliases: bool) -> Result<&'a Key, Error> {
    let id = call.params.get("KeyId").filter(|id| !id.is_empty()).ok_or_else(|| {
        Error::new(
            "ValidationException",
            400,
            "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null",
        )
    })?;
    let missing = |what: &str| Error::new("NotFoundException", 400, what);
    let region = call.caller.region.as_str();
    let account = call.world.account();
    let (own, alias) = match id.strip_prefix("arn:") {
        Some(rest) => {
            let parts: Vec<&str> = rest.splitn(5, ':').collect();
            let [_, "kms", named, owner, resource] = parts[..] else {
                return Err(Error::new("InvalidArnException", 400, format!("{id} is not a valid ARN")));
            };
            if named != region {
                return Err(missing(&format!("Invalid arn {named}")));
            }
            if owner != account.id {
                return Err(Error::access_denied(format!(
                    "User: {} is not authorized to perform: kms:{} on resource: {id}",
                    call.caller.arn, call.operation
                )));
            }
            match (resource.strip_prefix("key/"), resource.strip_prefix("alias/")) {
                (Some(own), _) => (own, None),
                (_, Some(alias)) => ("", Some(alias)),
                _ => return Err(Error::new("InvalidArnException", 400, format!("{id} is not a valid ARN"))),
            }
        }
        None => (id, id.strip_prefix("alias/")),
    };
    if alias.is_some() && !with_aliases {
        return Err(Error::new(
            "InvalidArnException",
            400,
            format!("{id} is an alias, which this operation does not take"),
        ));
    }
    let mut of_region = call.world.keys.0.values().filter(|key| key.region == region);
    let found = match alias {
        Some(alias) => of_region.find(|key| key.aliases.iter().any(|known| known == alias)),
        None => of_region.find(|key| key.id == own),
    };
    let arn = format!("arn:{}:kms:{region}:{}:key/{own}", account.partition, account.id);
    found.ok_or_else(|| match alias {
        Some(alias) => missing(&format!("Alias alias/{alias} is not found.")),
        None => missing(&format!("Key '{arn}' does not exist")),
    })
}

fn describe(call: &mut Call<'_>) -> Result<Value, Error> {
    let key = find(call, true)?;
    Ok(json!({ "KeyMetadata": key.metadata(&call.world.account().id) }))
}

fn last_usage(call: &mut Call<'_>) -> Result<Value, Error> {
    let key = find(call, false)?;
    let usage = match &key.usage {
        Some(usage) if usage.time >= key.tracked => json!({
            "Operation": usage.operation,
            "Timestamp": usage.time.epoch(),
            "CloudTrailEventId": usage.event_id,
            "KmsRequestId": usage.request_id,
        }),
        _ => json!({}),
    };
    Ok(json!({
        "KeyId": key.id,
        "KeyCreationDate": key.created.epoch(),
        "TrackingStartDate": key.tracked.epoch(),
        "KeyLastUsage": usage,
    }))
}

fn list(call: &mut Call<'_>) -> Result<Value, Error> {
    let region = call.caller.region.as_str();
    let refusal = || Error::new("InvalidMarkerException", 400, "Could not deserialize marker");
    let page = call.page_of("Limit", "Marker", region, 100, 1000, refusal)?;
    let own = call.world.keys.0.iter().filter(|(_, key)| key.region == region);
    let (keys, marker) = page.take(own);
    let keys: Vec<Value> = keys.iter().map(|key| json!({"KeyId": key.id, "KeyArn": key.arn})).collect();
    let mut answer = json!({"Keys": keys, "Truncated": marker.is_some()});
    if let (Some(marker), Some(members)) = (marker, answer.as_object_mut()) {
        members.insert(String::from("NextMarker"), marker.into());
    }
    Ok(answer)
}
