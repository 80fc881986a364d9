//! What the control endpoint answers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::life::delete_with_all;
use super::{behaviour, usage};
use crate::emulator::behaviour::Fault;
use crate::emulator::kms::Key;
use crate::emulator::state::{Identity, Inline, Kind, Policy, Version, World};
use crate::emulator::sts;
use crate::emulator::time::{SECOND, Time};

/// Answers a call of the control endpoint, or says what is wrong with it.
pub fn answer(world: &mut World, method: &str, path: &str, query: &str, body: &Value) -> Result<Value, String> {
    match (method, path) {
        ("GET", "" | "state") => Ok(state(world)),
        ("GET", "calls") => {
            let after = query.split('&').find_map(|pair| pair.strip_prefix("after="));
            Ok(world.calls.after(after.and_then(|number| number.parse().ok()).unwrap_or(0)))
        }
        ("GET", "calls/counts") => Ok(world.calls.counts()),
        ("DELETE", "calls") => {
            world.calls.clear();
            Ok(json!({}))
        }
        ("POST", "clock") => behaviour::clock(world, body),
        ("POST", "behaviour") => behaviour::set(world, body),
        ("POST", "pacing") => behaviour::pace(world, body),
        ("POST", "faults") => {
            for fault in each(body) {
                let fault: Fault = serde_json::from_value(fault.clone()).map_err(|error| error.to_string())?;
                world.behaviour.faults.add(fault);
            }
            Ok(json!({"left": world.behaviour.faults.left()}))
        }
        ("GET", "faults") => Ok(json!({"left": world.behaviour.faults.left()})),
        ("DELETE", "faults") => {
            world.behaviour.faults.clear();
            Ok(json!({}))
        }
        ("GET", "held") => Ok(world.behaviour.holds.list()),
        ("POST", "release") => Ok(json!({"released": world.behaviour.holds.release()})),
        ("POST", "usage") => {
            for entry in each(body) {
                usage::add(world, entry)?;
            }
            Ok(json!({}))
        }
        ("POST", "credentials") => credentials(world, body),
        ("POST", "sessions/expire") => {
            let now = world.clock.now();
            let ended = world.sessions.expire(body.get("access_key").and_then(Value::as_str), now);
            Ok(json!({ "ended": ended }))
        }
        ("POST", "delete") => {
            delete_with_all(world, body.get("arn").and_then(Value::as_str).ok_or("`arn` is needed")?);
            Ok(json!({}))
        }
        ("POST", "keys") => {
            for key in each(body) {
                add_key(world, key)?;
            }
            Ok(json!({}))
        }
        ("POST", "aws-policies") => {
            for policy in each(body) {
                add_policy(world, policy)?;
            }
            Ok(json!({}))
        }
        ("POST", "old-documents") => {
            for own in each(body) {
                add_document(world, own)?;
            }
            Ok(json!({}))
        }
        ("POST", "regions") => {
            let regions = body.as_object().ok_or("an object of Regions and their status is needed")?;
            let text = |value: &Value| value.as_str().unwrap_or("ENABLED").to_owned();
            world.regions = regions.iter().map(|(name, status)| (name.clone(), text(status))).collect();
            Ok(json!({}))
        }
        _ => Err(format!("there is no {method} /_emulator/{path}; see docs/emulator.md")),
    }
}

/// The members of a list, or the one thing.
fn each(body: &Value) -> &[Value] {
    match body {
        Value::Array(all) => all,
        one => std::slice::from_ref(one),
    }
}

fn state(world: &World) -> Value {
    let account = world.account();
    json!({
        "account": account.id,
        "partition": account.partition,
        "now": world.clock.now().to_string(),
        "frozen": world.clock.is_frozen(),
        "operator": world.operator,
        "users": account.of(Kind::User).len(),
        "groups": account.of(Kind::Group).len(),
        "roles": account.of(Kind::Role).len(),
        "policies": account.policies().len(),
        "jobs": world.jobs.0.len(),
        "calls": world.calls.count(),
        "faults": world.behaviour.faults.left(),
    })
}

/// Makes credentials for a user or for a new session of a role.
fn credentials(world: &mut World, body: &Value) -> Result<Value, String> {
    let arn = body.get("arn").and_then(Value::as_str).ok_or("`arn` is needed")?;
    let name = body.get("session").and_then(Value::as_str).unwrap_or("emulator");
    let seconds = body.get("seconds").and_then(Value::as_i64).unwrap_or(3600);
    let identity = match world.account().by_arn(arn) {
        Some(entity) if entity.kind == Kind::Role => Identity::Role(entity.id.clone()),
        Some(entity) if entity.kind == Kind::User => Identity::User(entity.id.clone()),
        _ if arn.ends_with(":root") => Identity::Root,
        _ => return Err(format!("there is no user or role {arn}")),
    };
    let expires = world.clock.now().plus(seconds.saturating_mul(SECOND));
    let (key, secret, token) = sts::issue(world, identity, name, expires);
    Ok(json!({"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token}))
}

/// Adds a managed policy of AWS: `arn`, `document`. AWS changes its policies too: one that is there gets a new version.
fn add_policy(world: &mut World, body: &Value) -> Result<(), String> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is needed"));
    let (arn, document) = (text("arn")?, text("document")?);
    let Some((_, path)) = arn.split_once(":iam::aws:policy/") else { return Err(format!("{arn} is not of AWS")) };
    let (now, id) = (world.clock.now(), world.ids.unique("ANPA"));
    let policies = world.unseen_edit().policies_mut();
    let (path, name) =
        path.rsplit_once('/').map_or((String::from("/"), path), |(path, name)| (format!("/{path}/"), name));
    let policy = policies.entry(arn.to_owned()).or_insert_with(|| {
        Policy {
            name: name.to_owned(),
            id,
            path,
            arn: arn.to_owned(),
            description: None,
            created: now,
            updated: now,
            default: String::new(),
            next: 1,
            versions: Vec::new(),
            tags: Vec::new(),
            attachable: true,
        }
        .into()
    });
    let policy = Arc::make_mut(policy);
    policy.default = format!("v{}", policy.next);
    policy.next += 1;
    policy.updated = now;
    policy.versions.insert(0, Version { id: policy.default.clone(), document: document.to_owned(), created: now });
    Ok(())
}

/// Gives a user, role or group an inline policy with a document that AWS took once, unchecked: `arn`, `policy`, `document`.
fn add_document(world: &mut World, body: &Value) -> Result<(), String> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is needed"));
    let (arn, policy, document) = (text("arn")?, text("policy")?, text("document")?);
    let account = world.unseen_edit();
    let found = account.by_arn(arn).map(|entity| (entity.kind, entity.name.clone()));
    let (kind, name) = found.ok_or_else(|| format!("there is no user, role or group {arn}"))?;
    let entity = account.entity_mut(kind, &name).map_err(|error| error.message().to_owned())?;
    entity.inline.retain(|own| !own.name.eq_ignore_ascii_case(policy));
    entity.inline.push(Inline { name: policy.to_owned(), document: document.to_owned() });
    Ok(())
}

/// Adds a KMS key: `arn`; `created`, `tracked`, `multi_region`, `aliases` if wanted.
fn add_key(world: &mut World, body: &Value) -> Result<(), String> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let arn = text("arn").ok_or("`arn` is needed")?;
    let now = world.clock.now();
    let created = text("created").and_then(Time::parse).unwrap_or(now);
    let mut key = Key::new(arn, created).ok_or_else(|| format!("{arn} is no ARN of a key"))?;
    if let Some(tracked) = text("tracked").and_then(Time::parse) {
        key.tracked = tracked;
    }
    key.multi_region = body.get("multi_region").cloned();
    let aliases = body.get("aliases").and_then(Value::as_array).into_iter().flatten();
    key.aliases = aliases.filter_map(Value::as_str).map(str::to_owned).collect();
    world.keys.0.insert(arn.to_owned(), key);
    Ok(())
}
