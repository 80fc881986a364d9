//! An account from a snapshot directory, see `docs/formats.md`; read by code of its own.

mod details;
mod evidence;
mod files;

use std::path::Path;

use serde_json::Value;

use self::files::{read, text, time};
use super::clock::Clock;
use super::cloudtrail::{Event, home_region};
use super::kms::{Key, KeyUsage};
use super::state::{Account, Quotas, Tag, World};
use super::time::Time;

/// Reads a snapshot directory. The clock starts when the snapshot was made.
pub fn load(folder: &Path, clock: impl FnOnce(Time) -> Clock, seed: u64) -> Result<World, String> {
    let details = read(&folder.join("account-authorization-details.json"))?;
    let details = details.ok_or_else(|| format!("{} holds no account-authorization-details.json", folder.display()))?;
    let manifest = read(&folder.join("manifest.json"))?.unwrap_or_default();
    let (partition, id) = whose(&manifest, &details)?;
    let mut account = Account::new(&id, &partition);
    details::load(&mut account, &details)?;
    let summary = read(&folder.join("account-summary.json"))?.unwrap_or_default();
    if let Some(entries) = summary.get("SummaryMap").and_then(Value::as_object) {
        let entries = entries.iter().filter_map(|(name, value)| Some((name.clone(), value.as_i64()?)));
        account.quotas = Quotas(entries.collect());
    }
    for tags in files::all(&folder.join("policy-tags"))? {
        let Some(policy) = text(&tags, "Arn").and_then(|arn| account.policy_mut(arn).ok()) else { continue };
        policy.tags = details::tags(&tags);
    }
    evidence::load_keys(&mut account, &files::all(&folder.join("access-keys"))?);
    let reports = evidence::reports(files::all(&folder.join("last-accessed"))?);
    let made = time(&manifest, "finished_at").or_else(|| evidence::newest(&reports));
    let mut world = World::new(account, clock(made.unwrap_or_else(Time::of_the_machine)), seed);
    if let Some(caller) = text(&manifest, "caller_arn") {
        caller.clone_into(&mut world.operator);
    }
    evidence::load_usage(&mut world, &reports, &details);
    if let Some(regions) = read(&folder.join("regions.json"))? {
        let all = regions.get("Regions").and_then(Value::as_array).into_iter().flatten();
        let region = |region: &Value| {
            Some((text(region, "RegionName")?.to_owned(), text(region, "RegionOptStatus")?.to_owned()))
        };
        world.regions = all.filter_map(region).collect();
    }
    for key in files::all(&folder.join("kms"))? {
        load_key(&mut world, &key);
    }
    load_events(&mut world, &read(&folder.join("grants.json"))?.unwrap_or_default());
    Ok(world)
}

/// Partition and id of the account: from the manifest, or from any ARN.
fn whose(manifest: &Value, details: &Value) -> Result<(String, String), String> {
    let arns = ["UserDetailList", "RoleDetailList", "GroupDetailList", "Policies"].into_iter();
    let lists = arns.filter_map(|name| details.get(name)?.as_array()).flatten();
    let own = |arn: &&str| arn.split(':').nth(4).is_some_and(|id| id.len() == 12);
    let arn = lists.filter_map(|row| text(row, "Arn")).find(own).unwrap_or_default();
    let mut parts = arn.splitn(6, ':');
    let (partition, id) = (parts.nth(1), parts.nth(2));
    let id = text(manifest, "account_id").or(id).ok_or("nothing tells whose account this is")?;
    Ok((text(manifest, "partition").or(partition).unwrap_or("aws").to_owned(), id.to_owned()))
}

fn load_key(world: &mut World, value: &Value) {
    let created = time(value, "KeyCreationDate").unwrap_or(Time(0));
    let Some(mut key) = text(value, "Arn").and_then(|arn| Key::new(arn, created)) else { return };
    if let Some(tracked) = time(value, "TrackingStartDate") {
        key.tracked = tracked;
    }
    key.multi_region = value.get("MultiRegionConfiguration").cloned();
    key.usage = value.get("KeyLastUsage").and_then(|usage| {
        let own = |name: &str| text(usage, name).unwrap_or_default().to_owned();
        Some(KeyUsage {
            operation: own("Operation"),
            time: time(usage, "Timestamp")?,
            event_id: own("CloudTrailEventId"),
            request_id: own("KmsRequestId"),
        })
    });
    world.keys.0.insert(key.arn.clone(), key);
}

/// The event history, from the events of `grants.json`.
fn load_events(world: &mut World, grants: &Value) {
    const MEMBERS: [(&str, &str); 5] = [
        ("user_name", "UserName"),
        ("role_name", "RoleName"),
        ("group_name", "GroupName"),
        ("policy_name", "PolicyName"),
        ("policy_arn", "PolicyArn"),
    ];
    for event in grants.get("events").and_then(Value::as_array).into_iter().flatten() {
        let (Some(name), Some(time)) = (text(event, "event_name"), time(event, "event_time")) else { continue };
        let parameter = |(own, aws): (&str, &str)| Some((aws.to_owned(), text(event, own)?.to_owned()));
        let id = text(event, "event_id").map_or_else(|| world.ids.uuid(), str::to_owned);
        let (account, partition) = (world.account().id.clone(), world.account().partition.clone());
        let request_id = world.ids.uuid();
        world.trail.add(Event {
            id,
            name: name.to_owned(),
            source: String::from("iam.amazonaws.com"),
            time,
            user_name: String::from("root"),
            user_arn: format!("arn:{partition}:iam::{account}:root"),
            access_key: String::new(),
            account,
            region: home_region(&partition).to_owned(),
            parameters: MEMBERS.into_iter().filter_map(parameter).collect(),
            error: None,
            request_id,
        });
    }
}

/// A tag.
fn tag(value: &Value) -> Option<Tag> {
    Some(Tag { key: text(value, "Key")?.to_owned(), value: text(value, "Value").unwrap_or_default().to_owned() })
}
