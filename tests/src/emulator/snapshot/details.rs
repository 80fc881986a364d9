//! Users, groups, roles and policies, from the authorization details.

use serde_json::Value;

use super::files::{document, list, text, time};
use super::tag;
use crate::emulator::state::{Account, Entity, Inline, Kind, Policy, Tag, Version};
use crate::emulator::time::Time;

/// Adds all that the authorization details hold.
pub fn load(account: &mut Account, details: &Value) -> Result<(), String> {
    for kind in Kind::ALL {
        for row in list(details, &format!("{}DetailList", kind.noun())) {
            account.insert(entity(kind, row)?);
        }
    }
    for row in list(details, "Policies") {
        let policy = policy(row)?;
        account.policies_mut().insert(policy.arn.clone(), policy.into());
    }
    Ok(())
}

/// The tags of anything.
pub fn tags(value: &Value) -> Vec<Tag> {
    list(value, "Tags").filter_map(tag).collect()
}

fn required<'a>(row: &'a Value, name: &str) -> Result<&'a str, String> {
    text(row, name).ok_or_else(|| format!("an entry of the authorization details has no {name}"))
}

fn entity(kind: Kind, row: &Value) -> Result<Entity, String> {
    let (name, id) = (required(row, kind.name_member())?, required(row, kind.id_member())?);
    let path = text(row, "Path").unwrap_or("/");
    let created = time(row, "CreateDate").unwrap_or(Time(0));
    let mut entity = Entity::new(kind, name, path, id.to_owned(), created);
    let inline = |row: &Value| {
        Some(Inline { name: text(row, "PolicyName")?.to_owned(), document: document(row, "PolicyDocument") })
    };
    entity.inline = list(row, &format!("{}PolicyList", kind.noun())).filter_map(inline).collect();
    let arn = |row: &Value| text(row, "PolicyArn").map(str::to_owned);
    entity.attached = list(row, "AttachedManagedPolicies").filter_map(arn).collect();
    let boundary = row.get("PermissionsBoundary").and_then(|boundary| text(boundary, "PermissionsBoundaryArn"));
    entity.boundary = boundary.map(str::to_owned);
    entity.tags = tags(row);
    entity.user.groups = list(row, "GroupList").filter_map(Value::as_str).map(str::to_lowercase).collect();
    entity.user.password_last_used = time(row, "PasswordLastUsed");
    if kind == Kind::Role {
        entity.role.trust = document(row, "AssumeRolePolicyDocument");
        entity.role.description = text(row, "Description").map(str::to_owned);
        entity.role.instance_profiles = list(row, "InstanceProfileList").cloned().collect();
    }
    Ok(entity)
}

fn policy(row: &Value) -> Result<Policy, String> {
    let created = time(row, "CreateDate").unwrap_or(Time(0));
    let version = |row: &Value| {
        Some(Version {
            id: text(row, "VersionId")?.to_owned(),
            document: document(row, "Document"),
            created: time(row, "CreateDate").unwrap_or(created),
        })
    };
    let mut versions: Vec<Version> = list(row, "PolicyVersionList").filter_map(version).collect();
    let number = |version: &Version| version.id.trim_start_matches('v').parse::<u32>().unwrap_or(0);
    versions.sort_by_key(|version| std::cmp::Reverse(number(version)));
    Ok(Policy {
        name: required(row, "PolicyName")?.to_owned(),
        id: required(row, "PolicyId")?.to_owned(),
        path: text(row, "Path").unwrap_or("/").to_owned(),
        arn: required(row, "Arn")?.to_owned(),
        description: text(row, "Description").map(str::to_owned),
        created,
        updated: time(row, "UpdateDate").unwrap_or(created),
        default: text(row, "DefaultVersionId").unwrap_or("v1").to_owned(),
        next: versions.first().map_or(0, number) + 1,
        versions,
        tags: Vec::new(),
        attachable: row.get("IsAttachable").and_then(Value::as_bool).unwrap_or(true),
    })
}
