//! Access keys, and their last use.

use crate::emulator::call::{Call, page_end};
use crate::emulator::state::{AccessKey, Account, Entity, Kind};
use crate::emulator::time::Time;
use crate::emulator::wire::{Error, Xml, params::constraint};

/// Since when uses of access keys are recorded: 22 April 2015.
///
/// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html>.
pub const TRACKED_SINCE: Time = Time(1_429_660_800_000);

/// `ListAccessKeys`: without a name, those of the caller.
pub fn list(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let account = call.account();
    let user = account.entity(Kind::User, &call.user_name()?)?;
    let (keys, marker) = call.page(&user.name)?.take_listed(&user.user.keys);
    xml.list("AccessKeyMetadata", keys, |xml, key| {
        xml.text("UserName", &user.name);
        xml.text("AccessKeyId", &key.id);
        xml.text("Status", &key.status);
        xml.value("CreateDate", key.created);
    });
    page_end(xml, marker.as_deref());
    Ok(())
}

/// `GetAccessKeyLastUsed`: what AWS answers for a key that nobody has is not documented.
pub fn last_used(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let account = call.account();
    let id = call.params.required("AccessKeyId")?;
    let Some((user, key)) = find(&account, id) else {
        let words = format!("The Access Key with id {id} cannot be found");
        return Err(Error::no_such_entity(words));
    };
    xml.text("UserName", &user.name);
    let used = key.last_used.as_ref().filter(|used| used.time >= TRACKED_SINCE);
    xml.object("AccessKeyLastUsed", |xml| {
        if let Some(used) = used {
            xml.value("LastUsedDate", used.time);
        }
        xml.text("ServiceName", used.map_or("N/A", |used| &used.service));
        xml.text("Region", used.map_or("N/A", |used| &used.region));
    });
    Ok(())
}

/// `CreateAccessKey`.
pub fn create(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let user = call.user_name()?;
    let (id, secret) = (call.world.ids.access_key("AKIA"), call.world.ids.secret(40));
    let now = call.second();
    let account = call.world.edit();
    let quota = account.quotas.get("AccessKeysPerUserQuota");
    let user = account.entity_mut(Kind::User, &user)?;
    if user.user.keys.len() >= quota {
        return Err(Error::limit_exceeded(format!("Cannot exceed quota for AccessKeysPerUser: {quota}")));
    }
    user.user.keys.push(AccessKey { id: id.clone(), status: String::from("Active"), created: now, last_used: None });
    xml.object("AccessKey", |xml| {
        xml.text("UserName", &user.name);
        xml.text("AccessKeyId", &id);
        xml.text("Status", "Active");
        xml.text("SecretAccessKey", &secret);
        xml.value("CreateDate", now);
    });
    Ok(())
}

/// `UpdateAccessKey`.
pub fn update(call: &mut Call<'_>) -> Result<(), Error> {
    let id = call.params.required("AccessKeyId")?;
    let status = call.params.required("Status")?;
    if !matches!(status, "Active" | "Inactive") {
        return Err(constraint("status", status, "Member must satisfy enum value set: [Active, Inactive]"));
    }
    let user = call.user_name()?;
    let keys = &mut call.world.edit().entity_mut(Kind::User, &user)?.user.keys;
    let key = keys.iter_mut().find(|key| key.id == id).ok_or_else(|| missing(id))?;
    status.clone_into(&mut key.status);
    Ok(())
}

/// `DeleteAccessKey`.
pub fn delete(call: &mut Call<'_>) -> Result<(), Error> {
    let id = call.params.required("AccessKeyId")?;
    let user = call.user_name()?;
    let keys = &mut call.world.edit().entity_mut(Kind::User, &user)?.user.keys;
    let count = keys.len();
    keys.retain(|key| key.id != id);
    if keys.len() == count { Err(missing(id)) } else { Ok(()) }
}

fn missing(id: &str) -> Error {
    Error::no_such_entity(format!("The Access Key with id {id} cannot be found."))
}

fn find<'a>(account: &'a Account, id: &str) -> Option<(&'a Entity, &'a AccessKey)> {
    let users = account.of(Kind::User).values();
    users.flat_map(|user| user.user.keys.iter().map(move |key| (&**user, key))).find(|(_, key)| key.id == id)
}
