//! `GetAccountAuthorizationDetails`: one budget of rows a page, over users, roles, groups and policies.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>.

use std::sync::Arc;

use super::shape;
use crate::emulator::call::{Call, page_end};
use crate::emulator::state::{Account, Entity, Kind, Policy, UsageLog};
use crate::emulator::time::Time;
use crate::emulator::wire::{Error, Xml, params::constraint};

/// A row of a page.
enum Row<'a> {
    Entity(&'a Arc<Entity>),
    Policy(&'a Arc<Policy>),
}

const FILTERS: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];

/// `GetAccountAuthorizationDetails`.
pub fn get(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let account = call.account();
    let mut filters = call.params.list("Filter");
    filters.sort_unstable();
    filters.dedup();
    if let Some(strange) = filters.iter().find(|filter| !FILTERS.contains(filter)) {
        let words = "Member must satisfy constraint: [Member must satisfy enum value set: \
                     [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]]";
        return Err(constraint("filter", strange, words));
    }
    let refusal = || Error::validation("Marker and Filter do not match");
    let page = call.page_of("MaxItems", "Marker", &filters.join(","), 100, 1000, refusal)?;
    let wanted = |filter: &str| filters.is_empty() || filters.contains(&filter);
    let uses = account.uses_of_policies();
    let entities = Kind::ALL.into_iter().enumerate().filter(|(_, kind)| wanted(kind.noun())).flat_map(|(at, kind)| {
        account.of(kind).iter().map(move |(key, entity)| (format!("{at}{key}"), Row::Entity(entity)))
    });
    let is_shown = |policy: &Policy| match policy.is_of_aws() {
        true => wanted("AWSManagedPolicy") && uses.contains_key(policy.arn.as_str()),
        false => wanted("LocalManagedPolicy"),
    };
    let policies = account.policies().iter().filter(|(_, policy)| is_shown(policy));
    let policies = policies.map(|(arn, policy)| (format!("3{arn}"), Row::Policy(policy)));
    let (rows, marker) = page.take(entities.chain(policies));
    for kind in Kind::ALL {
        let of_kind = rows.iter().filter_map(|row| match row {
            Row::Entity(entity) if entity.kind == kind => Some(*entity),
            _ => None,
        });
        xml.list(&format!("{}DetailList", kind.noun()), of_kind, |xml, entity| {
            write_entity(xml, &account, &call.world.usage, entity, call.now);
        });
    }
    let policies = rows.iter().filter_map(|row| match row {
        Row::Policy(policy) => Some(*policy),
        Row::Entity(_) => None,
    });
    xml.list("Policies", policies, |xml, policy| {
        shape::policy(xml, policy, uses.get(policy.arn.as_str()).copied().unwrap_or_default());
        xml.list("PolicyVersionList", &policy.versions, |xml, version| shape::version(xml, policy, version, true));
    });
    page_end(xml, marker.as_deref());
    Ok(())
}

fn write_entity(xml: &mut Xml, account: &Account, usage: &UsageLog, entity: &Entity, now: Time) {
    let kind = entity.kind;
    xml.text("Path", &entity.path);
    xml.text(kind.name_member(), &entity.name);
    xml.text(kind.id_member(), &entity.id);
    xml.text("Arn", account.arn_of(entity));
    xml.value("CreateDate", entity.created);
    if kind == Kind::Role {
        xml.text("AssumeRolePolicyDocument", shape::encoded(&entity.role.trust));
        xml.list("InstanceProfileList", &entity.role.instance_profiles, |xml, profile| {
            write_profile(xml, account, entity, profile);
        });
    }
    // A user without inline policies has no list of them; groups and roles have an empty one.
    if kind != Kind::User || !entity.inline.is_empty() {
        xml.list(&format!("{}PolicyList", kind.noun()), &entity.inline, |xml, inline| {
            xml.text("PolicyName", &inline.name);
            xml.text("PolicyDocument", shape::encoded(&inline.document));
        });
    }
    if kind == Kind::User {
        xml.texts("GroupList", account.groups_of(entity).map(|group| &group.name));
    }
    shape::attached(xml, "AttachedManagedPolicies", account, &entity.attached);
    shape::boundary(xml, entity);
    if kind != Kind::Group {
        shape::tags(xml, &entity.tags);
    }
    if kind == Kind::Role {
        shape::role_last_used(xml, usage, entity, now);
    }
}

fn write_profile(xml: &mut Xml, account: &Account, role: &Entity, profile: &serde_json::Value) {
    for member in ["Path", "InstanceProfileName", "InstanceProfileId", "Arn", "CreateDate"] {
        xml.optional(member, profile.get(member).and_then(serde_json::Value::as_str));
    }
    xml.object("Roles", |xml| {
        xml.object("member", |xml| {
            xml.text("Path", &role.path);
            xml.text("RoleName", &role.name);
            xml.text("RoleId", &role.id);
            xml.text("Arn", account.arn_of(role));
            xml.value("CreateDate", role.created);
            xml.text("AssumeRolePolicyDocument", shape::encoded(&role.role.trust));
        });
    });
}
