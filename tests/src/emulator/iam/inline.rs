//! Inline policies of users, groups and roles.

use super::entity::protected;
use super::shape::encoded;
use super::{check, document};
use crate::emulator::call::{Call, page_end};
use crate::emulator::state::{Inline, Kind, entity::size};
use crate::emulator::wire::{Error, Xml};

/// `ListUserPolicies` and its likes: names only.
pub fn list(call: &mut Call<'_>, xml: &mut Xml, kind: Kind) -> Result<(), Error> {
    let account = call.account();
    let entity = account.entity(kind, call.params.required(kind.name_member())?)?;
    let page = call.page(&entity.name)?;
    let (inline, marker) = page.take_listed(&entity.inline);
    xml.texts("PolicyNames", inline.iter().map(|inline| &inline.name));
    page_end(xml, marker.as_deref());
    Ok(())
}

/// `GetUserPolicy` and its likes.
pub fn get(call: &mut Call<'_>, xml: &mut Xml, kind: Kind) -> Result<(), Error> {
    let account = call.account();
    let entity = account.entity(kind, call.params.required(kind.name_member())?)?;
    let name = call.params.required("PolicyName")?;
    let inline = entity.inline(name).ok_or_else(|| missing(kind, name))?;
    xml.text(kind.name_member(), &entity.name);
    xml.text("PolicyName", &inline.name);
    xml.text("PolicyDocument", encoded(&inline.document));
    Ok(())
}

/// `PutUserPolicy` and its likes: makes the policy, or replaces what is there without a word.
pub fn put(call: &mut Call<'_>, kind: Kind) -> Result<(), Error> {
    let params = call.params;
    let name = check::name(params, "PolicyName", 128)?;
    let text = params.required("PolicyDocument")?;
    document::check(text)?;
    let owner = params.required(kind.name_member())?;
    let account = call.world.edit();
    let quota = account.quotas.get(&format!("{}PolicySizeQuota", kind.noun()));
    let entity = account.entity(kind, owner)?;
    if entity.is_protected() {
        return Err(protected(entity));
    }
    let replaced = entity.inline(name).map_or(0, |inline| size(&inline.document));
    if entity.inline_size() - replaced + size(text) > quota {
        let words = format!("Maximum policy size of {quota} bytes exceeded for {} {}", kind.word(), entity.name);
        return Err(Error::limit_exceeded(words));
    }
    let entity = account.entity_mut(kind, owner)?;
    // Names are matched without regard to case, and keep the case that they came with.
    match entity.inline.iter_mut().find(|inline| inline.name.eq_ignore_ascii_case(name)) {
        Some(inline) => text.clone_into(&mut inline.document),
        None => entity.inline.push(Inline { name: name.to_owned(), document: text.to_owned() }),
    }
    Ok(())
}

/// `DeleteUserPolicy` and its likes.
pub fn delete(call: &mut Call<'_>, kind: Kind) -> Result<(), Error> {
    let name = call.params.required("PolicyName")?;
    let owner = call.params.required(kind.name_member())?;
    let account = call.world.edit();
    let entity = account.entity(kind, owner)?;
    if entity.is_protected() {
        return Err(protected(entity));
    }
    if entity.inline(name).is_none() {
        return Err(missing(kind, name));
    }
    account.entity_mut(kind, owner)?.inline.retain(|inline| !inline.name.eq_ignore_ascii_case(name));
    Ok(())
}

fn missing(kind: Kind, name: &str) -> Error {
    Error::no_such_entity(format!("The {} policy with name {name} cannot be found.", kind.word()))
}
