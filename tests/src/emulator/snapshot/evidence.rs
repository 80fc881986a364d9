//! Use: the last-accessed reports and the last use of access keys, back into a usage log.

use std::collections::BTreeMap;

use serde_json::Value;

use super::files::{list, text, time};
use crate::emulator::state::{AccessKey, Account, KeyUse, Kind, Use, World};
use crate::emulator::time::Time;

/// Adds the access keys of users.
pub fn load_keys(account: &mut Account, files: &[Value]) {
    for row in files.iter().flat_map(|file| list(file, "AccessKeyMetadata")) {
        let (Some(user), Some(id)) = (text(row, "UserName"), text(row, "AccessKeyId")) else { continue };
        let last_used = row.get("AccessKeyLastUsed").and_then(|used| {
            Some(KeyUse {
                time: time(used, "LastUsedDate")?,
                service: text(used, "ServiceName").unwrap_or("N/A").to_owned(),
                region: text(used, "Region").unwrap_or("N/A").to_owned(),
            })
        });
        let key = AccessKey {
            id: id.to_owned(),
            status: text(row, "Status").unwrap_or("Active").to_owned(),
            created: time(row, "CreateDate").unwrap_or(Time(0)),
            last_used,
        };
        if let Ok(user) = account.entity_mut(Kind::User, user) {
            user.user.keys.push(key);
        }
    }
}

/// The reports by ARN; of two on one ARN the newer counts.
pub fn reports(files: Vec<Value>) -> BTreeMap<String, Value> {
    let mut reports: BTreeMap<String, Value> = BTreeMap::new();
    for file in files {
        let Some(arn) = text(&file, "Arn").map(str::to_owned) else { continue };
        let is_newer = |known: &Value| time(known, "JobCompletionDate") < time(&file, "JobCompletionDate");
        if reports.get(&arn).is_none_or(is_newer) {
            reports.insert(arn, file);
        }
    }
    reports
}

/// When the newest report was made.
pub fn newest(reports: &BTreeMap<String, Value>) -> Option<Time> {
    reports.values().filter_map(|report| time(report, "JobCompletionDate")).max()
}

/// Puts what the reports of users and roles say into the usage log, and the last use of roles.
pub fn load_usage(world: &mut World, reports: &BTreeMap<String, Value>, details: &Value) {
    for (arn, report) in reports {
        let Some(id) = world.account().by_arn(arn).map(|entity| entity.id.clone()) else { continue };
        for service in list(report, "ServicesLastAccessed") {
            let Some(namespace) = text(service, "ServiceNamespace") else { continue };
            let of_action = |action: &Value| {
                let used = used(action, "LastAccessedTime", "LastAccessedRegion")?;
                Some((text(action, "ActionName")?.to_owned(), used))
            };
            let actions: Vec<(String, Use)> =
                list(service, "TrackedActionsLastAccessed").filter_map(of_action).collect();
            let last = used(service, "LastAuthenticated", "LastAuthenticatedRegion");
            // What no tracked action accounts for was an action that is not tracked.
            if let Some(last) = last.filter(|last| !actions.iter().any(|(_, used)| used == last)) {
                world.usage.add(&id, namespace, "", last);
            }
            for (action, used) in actions {
                world.usage.add(&id, namespace, &action, used);
            }
        }
    }
    for role in list(details, "RoleDetailList") {
        let last = role.get("RoleLastUsed").and_then(|last| used(last, "LastUsedDate", "Region"));
        if let (Some(id), Some(last)) = (text(role, "RoleId"), last) {
            world.usage.add(id, "", "", last);
        }
    }
}

fn used(value: &Value, at: &str, region: &str) -> Option<Use> {
    Some(Use { time: time(value, at)?, region: text(value, region).unwrap_or("us-east-1").to_owned() })
}
