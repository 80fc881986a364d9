//! Who is in which group.

use super::shape::{self, Detail};
use crate::emulator::call::{Call, page_end};
use crate::emulator::state::Kind;
use crate::emulator::wire::{Error, Xml};

/// `ListGroupsForUser`.
pub fn list(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let account = call.account();
    let user = account.entity(Kind::User, call.params.required("UserName")?)?;
    let page = call.page(&user.name)?;
    let (groups, marker) = page.take_listed(account.groups_of(user));
    xml.list("Groups", groups, |xml, group| {
        shape::entity(xml, &account, &call.world.usage, group, Detail::Listed, call.now);
    });
    page_end(xml, marker.as_deref());
    Ok(())
}

/// `AddUserToGroup`: adding who is in it changes nothing.
pub fn add(call: &mut Call<'_>) -> Result<(), Error> {
    let (user, group) = (call.params.required("UserName")?, call.params.required("GroupName")?);
    let account = call.world.edit();
    account.entity(Kind::Group, group)?;
    let quota = account.quotas.get("GroupsPerUserQuota");
    let groups = &account.entity(Kind::User, user)?.user.groups;
    let key = group.to_lowercase();
    if groups.contains(&key) {
        return Ok(());
    }
    if groups.len() >= quota {
        return Err(Error::limit_exceeded(format!("Cannot exceed quota for GroupsPerUser: {quota}")));
    }
    account.entity_mut(Kind::User, user)?.user.groups.push(key);
    Ok(())
}

/// `RemoveUserFromGroup`.
pub fn remove(call: &mut Call<'_>) -> Result<(), Error> {
    let (user, group) = (call.params.required("UserName")?, call.params.required("GroupName")?);
    let account = call.world.edit();
    account.entity(Kind::Group, group)?;
    let key = group.to_lowercase();
    if !account.entity(Kind::User, user)?.user.groups.contains(&key) {
        return Err(Error::no_such_entity(format!("The user with name {user} is not in group {group}.")));
    }
    account.entity_mut(Kind::User, user)?.user.groups.retain(|group| *group != key);
    Ok(())
}
