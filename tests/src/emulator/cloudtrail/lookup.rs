//! `LookupEvents`.

use serde_json::{Value, json};

use super::event::Event;
use crate::emulator::call::{Call, Operation, Resource, Run};
use crate::emulator::time::{DAY, Time};
use crate::emulator::wire::Error;

/// How far back the event history goes.
const HISTORY: i64 = 90 * DAY;

/// The operations of CloudTrail.
pub const OPERATIONS: &[Operation] = &[Operation {
    service: "cloudtrail",
    name: "LookupEvents",
    writes: false,
    resource: Resource::Any,
    run: Run::Json(lookup),
}];

fn lookup(call: &mut Call<'_>) -> Result<Value, Error> {
    let json = call.params.json();
    let time = |name: &str| json.get(name).and_then(|value| Time::parse(&value.to_string()));
    let (start, end) = (time("StartTime"), time("EndTime"));
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(Error::new("InvalidTimeRangeException", 400, "StartTime cannot be after EndTime"));
    }
    let attribute = attribute(json)?;
    let refusal = || Error::new("InvalidNextTokenException", 400, "Invalid next token");
    if call.params.number("MaxResults", 1, 50).is_err() {
        return Err(Error::new("InvalidMaxResultsException", 400, "MaxResults must be between 1 and 50"));
    }
    let bound_to = format!("{attribute:?}|{start:?}|{end:?}");
    let page = call.page_of("MaxResults", "NextToken", &bound_to, 50, 50, refusal)?;
    let oldest = call.now.plus(-HISTORY);
    let matched = call.world.trail.0.iter().rev().filter(|event| {
        event.region == call.caller.region
            && event.time >= oldest
            && event.time <= call.now
            && start.is_none_or(|start| event.time >= start)
            && end.is_none_or(|end| event.time <= end)
            && attribute.as_ref().is_none_or(|(key, value)| has(event, key, value))
    });
    let (events, token) = page.take_listed(matched);
    let events: Vec<Value> = events.into_iter().map(Event::answer).collect();
    let mut answer = json!({ "Events": events });
    if let (Some(token), Some(members)) = (token, answer.as_object_mut()) {
        members.insert(String::from("NextToken"), token.into());
    }
    Ok(answer)
}

/// The one attribute that a call may look for.
fn attribute(json: &Value) -> Result<Option<(String, String)>, Error> {
    const KEYS: [&str; 8] =
        ["AccessKeyId", "EventId", "EventName", "EventSource", "ReadOnly", "ResourceName", "ResourceType", "Username"];
    let invalid = |words: &str| Err(Error::new("InvalidLookupAttributesException", 400, words));
    let all = json.get("LookupAttributes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let [one] = all else {
        return if all.is_empty() { Ok(None) } else { invalid("Only one lookup attribute can be specified") };
    };
    let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (key, value) = (text("AttributeKey"), text("AttributeValue"));
    if !KEYS.contains(&key.as_str()) || value.is_empty() {
        return invalid("Invalid lookup attribute");
    }
    Ok(Some((key, value)))
}

fn has(event: &Event, key: &str, value: &str) -> bool {
    match key {
        "AccessKeyId" => event.access_key == value,
        "EventId" => event.id == value,
        "EventName" => event.name == value,
        "EventSource" => event.source == value,
        "ReadOnly" => value == "false",
        "ResourceName" => event.resources().iter().any(|(_, name)| *name == value),
        "ResourceType" => event.resources().iter().any(|(kind, _)| *kind == value),
        _ => event.user_name == value,
    }
}
