//! Attachments of managed policies to users, groups and roles.

use super::check;
use super::entity::protected;
use super::shape;
use crate::emulator::call::{Call, page_end};
use crate::emulator::state::Kind;
use crate::emulator::wire::{Error, Xml};

/// `ListAttachedUserPolicies` and its likes.
pub fn list(call: &mut Call<'_>, xml: &mut Xml, kind: Kind) -> Result<(), Error> {
    let account = call.account();
    let entity = account.entity(kind, call.params.required(kind.name_member())?)?;
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let page = call.page(&format!("{}|{prefix}", entity.name))?;
    let is_below = |arn: &&String| account.policies().get(*arn).is_none_or(|policy| policy.path.starts_with(prefix));
    let (arns, marker) = page.take_listed(entity.attached.iter().filter(is_below));
    xml.list("AttachedPolicies", arns, |xml, arn| shape::attached_policy(xml, &account, arn));
    page_end(xml, marker.as_deref());
    Ok(())
}

/// `AttachUserPolicy` and its likes: attaching what is attached changes nothing.
pub fn attach(call: &mut Call<'_>, kind: Kind) -> Result<(), Error> {
    let arn = check::arn(call.params, "PolicyArn")?;
    let owner = call.params.required(kind.name_member())?;
    let account = call.world.edit();
    let quota = account.quotas.get(&format!("AttachedPoliciesPer{}Quota", kind.noun()));
    let entity = account.entity(kind, owner)?;
    let Some(policy) = account.policies().get(arn).filter(|policy| policy.attachable) else {
        return Err(Error::no_such_entity(format!("Policy {arn} does not exist or is not attachable.")));
    };
    if entity.is_protected() {
        return Err(protected(entity));
    }
    if policy.is_for_services() {
        let words = "Cannot attach a Service Role Policy to a customer role.";
        return Err(Error::new("PolicyNotAttachable", 400, words));
    }
    if entity.attached.iter().any(|attached| attached == arn) {
        return Ok(());
    }
    if entity.attached.len() >= quota {
        let words = format!("Cannot exceed quota for PoliciesPer{}: {quota}", kind.noun());
        return Err(Error::limit_exceeded(words));
    }
    account.entity_mut(kind, owner)?.attached.push(arn.to_owned());
    Ok(())
}

/// `DetachUserPolicy` and its likes: what is not attached cannot be found.
pub fn detach(call: &mut Call<'_>, kind: Kind) -> Result<(), Error> {
    let arn = check::arn(call.params, "PolicyArn")?;
    let owner = call.params.required(kind.name_member())?;
    let account = call.world.edit();
    let entity = account.entity(kind, owner)?;
    if entity.is_protected() {
        return Err(protected(entity));
    }
    if !entity.attached.iter().any(|attached| attached == arn) {
        return Err(Error::no_such_entity(format!("Policy {arn} was not found.")));
    }
    account.entity_mut(kind, owner)?.attached.retain(|attached| attached != arn);
    Ok(())
}
