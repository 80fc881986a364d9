//! Permissions boundaries of users and roles.

use super::check as checks;
use super::entity::protected;
use crate::emulator::call::Call;
use crate::emulator::state::{Account, Kind};
use crate::emulator::wire::Error;

/// Checks that a boundary is a managed policy.
pub fn check(account: &Account, arn: &str) -> Result<(), Error> {
    match account.policies().contains_key(arn) {
        true => Ok(()),
        false => Err(Error::no_such_entity(format!("Scope ARN: {arn} does not exist or is not attachable."))),
    }
}

/// `PutUserPermissionsBoundary`, `PutRolePermissionsBoundary`.
pub fn put(call: &mut Call<'_>, kind: Kind) -> Result<(), Error> {
    let arn = checks::arn(call.params, "PermissionsBoundary")?;
    let owner = call.params.required(kind.name_member())?;
    let account = call.world.edit();
    let entity = account.entity(kind, owner)?;
    if entity.is_protected() {
        return Err(protected(entity));
    }
    check(account, arn)?;
    account.entity_mut(kind, owner)?.boundary = Some(arn.to_owned());
    Ok(())
}

/// `DeleteUserPermissionsBoundary`, `DeleteRolePermissionsBoundary`.
pub fn delete(call: &mut Call<'_>, kind: Kind) -> Result<(), Error> {
    let owner = call.params.required(kind.name_member())?;
    let account = call.world.edit();
    let entity = account.entity(kind, owner)?;
    if entity.is_protected() {
        return Err(protected(entity));
    }
    if entity.boundary.is_none() {
        let words = format!("The permissions boundary of {} {} cannot be found.", kind.word(), entity.name);
        return Err(Error::no_such_entity(words));
    }
    account.entity_mut(kind, owner)?.boundary = None;
    Ok(())
}
