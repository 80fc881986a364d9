//! Use: of actions by principals, of access keys, of KMS keys.

use serde_json::Value;

use crate::emulator::kms::is_cryptographic;
use crate::emulator::state::{KeyUse, Kind, Use, World};
use crate::emulator::time::Time;

/// Uses of a key within this span after a use do not show.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>.
const KEY_PRECISION: i64 = 15 * 60_000;

/// Services of which the last use of an access key names no Region.
const GLOBAL: [&str; 1] = ["s3"];

/// Records an attempt of a principal, and the use of its access key.
pub fn record_use(
    world: &mut World,
    id: &str,
    service: &str,
    action: &str,
    region: &str,
    time: Time,
    access_key: Option<&str>,
) {
    world.usage.add(id, service, action, Use { time, region: region.to_owned() });
    let Some(key) = access_key.filter(|key| key.starts_with("AKIA")) else { return };
    let account = world.account();
    let user = account.by_id(id).filter(|entity| entity.kind == Kind::User);
    let known = user.and_then(|user| user.user.keys.iter().find(|own| own.id == key));
    let Some((user, known)) = user.zip(known) else { return };
    if known.last_used.as_ref().is_some_and(|last| time.since(last.time) < KEY_PRECISION) {
        return;
    }
    let name = user.name.clone();
    let region = if GLOBAL.contains(&service) { "N/A" } else { region };
    let used = KeyUse { time, service: service.to_owned(), region: region.to_owned() };
    if let Ok(user) = world.unseen_edit().entity_mut(Kind::User, &name)
        && let Some(own) = user.user.keys.iter_mut().find(|own| own.id == key)
    {
        own.last_used = Some(used);
    }
}

/// Adds an entry of the usage log: `principal`, `action`; `time`, `region`, `access_key`, `key` if wanted.
pub fn add(world: &mut World, entry: &Value) -> Result<(), String> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let now = world.clock.now();
    let time = match text("time") {
        Some(written) => Time::parse(written).ok_or_else(|| format!("`{written}` is not a time"))?,
        None => now,
    };
    let region = text("region").unwrap_or("us-east-1");
    let action = text("action").ok_or("an entry has no `action`")?;
    let (service, name) = action.split_once(':').unwrap_or((action, ""));
    let succeeds = entry.get("succeeds").and_then(Value::as_bool).unwrap_or(true);
    if let Some(arn) = text("principal") {
        let entity = world.account().by_arn(arn).ok_or_else(|| format!("there is no {arn}"))?;
        let id = entity.id.clone();
        record_use(world, &id, service, name, region, time, text("access_key"));
    }
    if let Some(arn) = text("key").filter(|_| succeeds && is_cryptographic(name)) {
        let (event, request) = (world.ids.uuid(), world.ids.uuid());
        let key = world.keys.0.get_mut(arn).ok_or_else(|| format!("there is no {arn}"))?;
        key.record(name, time, event, request);
    }
    Ok(())
}
