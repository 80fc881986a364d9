//! Changing how the emulator behaves.

use serde_json::{Value, json};

use crate::emulator::behaviour::Bucket;
use crate::emulator::options::millis;
use crate::emulator::state::World;
use crate::emulator::time::Time;

/// Sets what the object names.
pub fn set(world: &mut World, body: &Value) -> Result<Value, String> {
    let members = body.as_object().ok_or("an object is needed")?;
    for (name, value) in members {
        let seconds = || value.as_f64().map(millis).ok_or_else(|| format!("`{name}` is a number of seconds"));
        let truth = || value.as_bool().ok_or_else(|| format!("`{name}` is true or false"));
        let behaviour = &mut world.behaviour;
        match name.as_str() {
            "page_size" => {
                let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
                behaviour.page_size = size.filter(|size| *size > 0).unwrap_or(usize::MAX);
            }
            "job_seconds" => {
                let pair = value.as_array().map(|pair| pair.iter().filter_map(Value::as_f64).map(millis).collect());
                let pair: Vec<i64> = pair.unwrap_or_else(|| seconds().into_iter().collect());
                let from = pair.first().copied().ok_or("`job_seconds` is a number, or two")?;
                behaviour.job_millis = (from, pair.last().copied().unwrap_or(from).max(from));
            }
            "report_delay_seconds" => behaviour.report_delay_millis = seconds()?,
            "consistency_seconds" => behaviour.consistency_millis = seconds()?,
            "enforce" => behaviour.enforce = truth()?,
            "records_calls" => behaviour.records_calls = truth()?,
            "operator" => value.as_str().unwrap_or_default().clone_into(&mut world.operator),
            other => return Err(format!("unknown setting `{other}`")),
        }
    }
    Ok(json!({}))
}

/// Sets a token bucket: `over`, `rate`, `burst`; without a rate it is taken away.
pub fn pace(world: &mut World, body: &Value) -> Result<Value, String> {
    let over = body.get("over").and_then(Value::as_str).unwrap_or("*");
    let number = |name: &str| body.get(name).and_then(Value::as_f64);
    let bucket = number("rate").map(|rate| Bucket::new(rate, number("burst").unwrap_or_else(|| rate.max(1.0))));
    world.behaviour.pacing.set(over, bucket);
    Ok(json!({}))
}

/// Sets the clock: `now`, `advance_seconds`, `frozen`.
pub fn clock(world: &mut World, body: &Value) -> Result<Value, String> {
    if let Some(frozen) = body.get("frozen").and_then(Value::as_bool) {
        world.clock.freeze(frozen);
    }
    if let Some(text) = body.get("now").and_then(Value::as_str) {
        world.clock.set(Time::parse(text).ok_or_else(|| format!("`{text}` is not a time"))?);
    }
    if let Some(seconds) = body.get("advance_seconds").and_then(Value::as_f64) {
        world.clock.set(world.clock.now().plus(millis(seconds)));
    }
    Ok(json!({"now": world.clock.now().to_string(), "frozen": world.clock.is_frozen()}))
}
