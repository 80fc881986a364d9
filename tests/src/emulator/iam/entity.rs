//! Users, groups and roles: made, read, listed, deleted.

use super::shape::{self, Detail};
use super::{check, document};
use crate::emulator::call::{Call, page_end};
use crate::emulator::state::{Entity, Kind};
use crate::emulator::wire::{Error, Xml};

/// `GetUser`, `GetRole`. `GetUser` without a name is about the caller.
pub fn get(call: &mut Call<'_>, xml: &mut Xml, kind: Kind) -> Result<(), Error> {
    let account = call.account();
    let own;
    let name = match kind {
        Kind::User => {
            own = call.user_name()?;
            own.as_str()
        }
        _ => call.params.required(kind.name_member())?,
    };
    let entity = account.entity(kind, name)?;
    xml.object(kind.noun(), |xml| {
        shape::entity(xml, &account, &call.world.usage, entity, Detail::Whole, call.now);
    });
    Ok(())
}

/// `GetGroup`: the group and its members, in pages.
pub fn get_group(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let account = call.account();
    let group = account.entity(Kind::Group, call.params.required("GroupName")?)?;
    let page = call.page(&group.name)?;
    let members = account.members(group).map(|user| (user.name.to_lowercase(), user));
    let (members, marker) = page.take(members);
    let usage = &call.world.usage;
    xml.object("Group", |xml| shape::entity(xml, &account, usage, group, Detail::Listed, call.now));
    xml.list("Users", members, |xml, user| shape::entity(xml, &account, usage, user, Detail::Listed, call.now));
    page_end(xml, marker.as_deref());
    Ok(())
}

/// `ListUsers`, `ListGroups`, `ListRoles`.
pub fn list(call: &mut Call<'_>, xml: &mut Xml, kind: Kind) -> Result<(), Error> {
    let account = call.account();
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let page = call.page(prefix)?;
    let entities = account.of(kind).iter().filter(|(_, entity)| entity.path.starts_with(prefix));
    let (entities, marker) = page.take(entities);
    xml.list(&format!("{}s", kind.noun()), entities, |xml, entity| {
        shape::entity(xml, &account, &call.world.usage, entity, Detail::Listed, call.now);
    });
    page_end(xml, marker.as_deref());
    Ok(())
}

/// `CreateUser`, `CreateGroup`, `CreateRole`.
pub fn create(call: &mut Call<'_>, xml: &mut Xml, kind: Kind) -> Result<(), Error> {
    let params = call.params;
    let name = check::name(params, kind.name_member(), kind.longest_name())?;
    let path = check::path(params)?;
    if kind == Kind::Role && (path.starts_with("/aws-service-role/") || path.starts_with("/aws-reserved/")) {
        return Err(Error::access_denied(format!("Roles may not be created in the reserved path {path}.")));
    }
    let mut entity = Entity::new(kind, name, &path, call.world.ids.unique(kind.prefix()), call.second());
    entity.tags = super::tag::given(params)?;
    if kind == Kind::Role {
        let trust = params.required("AssumeRolePolicyDocument")?;
        document::check_trust(trust)?;
        trust.clone_into(&mut entity.role.trust);
        entity.role.description = params.get("Description").map(str::to_owned);
        if let Some(seconds) = params.number("MaxSessionDuration", 3600, 43_200)? {
            entity.role.max_session = i64::try_from(seconds).unwrap_or(3600);
        }
    }
    entity.boundary = params.get("PermissionsBoundary").map(str::to_owned);
    let now = call.now;
    let account = call.world.edit();
    if account.of(kind).contains_key(&name.to_lowercase()) {
        return Err(kind.taken(name));
    }
    if let Some(arn) = &entity.boundary {
        super::boundary::check(account, arn)?;
    }
    let quota = account.quotas.get(&format!("{}sQuota", kind.noun()));
    if account.of(kind).len() >= quota {
        return Err(Error::limit_exceeded(format!("Cannot exceed quota for {}sPerAccount: {quota}", kind.noun())));
    }
    if kind == Kind::Role {
        let quota = account.quotas.get("AssumeRolePolicySizeQuota");
        if crate::emulator::state::entity::size(&entity.role.trust) > quota {
            return Err(Error::limit_exceeded(format!("Cannot exceed quota for ACLSizePerRole: {quota}")));
        }
    }
    account.insert(entity.clone());
    let account = call.world.account();
    xml.object(kind.noun(), |xml| {
        shape::entity(xml, account, &call.world.usage, &entity, Detail::Listed, now);
        if !entity.tags.is_empty() {
            shape::tags(xml, &entity.tags);
        }
        shape::boundary(xml, &entity);
    });
    Ok(())
}

/// `DeleteUser`, `DeleteGroup`, `DeleteRole`: only when nothing hangs on it.
pub fn delete(call: &mut Call<'_>, kind: Kind) -> Result<(), Error> {
    let own;
    let name = match kind {
        Kind::User => {
            own = call.user_name()?;
            own.as_str()
        }
        _ => call.params.required(kind.name_member())?,
    };
    let account = call.world.edit();
    let entity = account.entity(kind, name)?;
    if entity.is_protected() {
        return Err(protected(entity));
    }
    let conflict = |what: &str| Err(Error::delete_conflict(format!("Cannot delete entity, must {what} first.")));
    if !entity.attached.is_empty() {
        return conflict("detach all policies");
    }
    if !entity.inline.is_empty() {
        return conflict("delete policies");
    }
    if !entity.user.keys.is_empty() {
        return conflict("delete access keys");
    }
    if !entity.user.groups.is_empty() || (kind == Kind::Group && account.members(entity).next().is_some()) {
        return conflict("remove users from group");
    }
    if !entity.role.instance_profiles.is_empty() {
        return conflict("remove roles from instance profile");
    }
    account.of_mut(kind).remove(&name.to_lowercase());
    Ok(())
}

/// The error for a role that only AWS may change.
pub fn protected(role: &Entity) -> Error {
    Error::unmodifiable(format!(
        "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
        role.name
    ))
}
