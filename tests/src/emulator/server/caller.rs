//! From an access key to the caller.

use crate::emulator::state::{Account, Caller, Entity, Identity, Kind, World};
use crate::emulator::time::Time;
use crate::emulator::wire::{Error, signature::Signature};

/// The access key of whoever runs the emulator.
pub const OPERATOR_KEY: &str = "AKIAEMULATOROPERATOR";

/// Its secret. Nobody checks it, but clients want one.
pub const OPERATOR_SECRET: &str = "emulator";

/// Finds the caller of a request.
pub fn find(world: &World, signature: &Signature, now: Time) -> Result<Caller, Error> {
    let unknown = || Error::new("InvalidClientTokenId", 403, "The security token included in the request is invalid");
    let key = signature.access_key.as_str();
    let account = world.account();
    if key == OPERATOR_KEY {
        return Ok(operator(account, &world.operator, signature));
    }
    if let Some(session) = world.sessions.0.get(key) {
        if signature.token.as_deref() != Some(&session.token) {
            return Err(unknown());
        }
        if now >= session.expires {
            return Err(Error::new("ExpiredToken", 403, "The security token included in the request is expired"));
        }
        return match &session.identity {
            Identity::Root => Ok(root(account, signature)),
            Identity::User(id) | Identity::Role(id) => {
                let entity = account.by_id(id).ok_or_else(unknown)?;
                Ok(of_entity(account, entity, Some(&session.name), signature))
            }
        };
    }
    let mut users = account.of(Kind::User).values();
    let is_active = |user: &Entity| user.user.keys.iter().any(|own| own.id == key && own.status == "Active");
    let user = users.find(|user| is_active(user)).ok_or_else(unknown)?;
    Ok(of_entity(account, user, None, signature))
}

fn operator(account: &Account, arn: &str, signature: &Signature) -> Caller {
    if let Some((_, session)) = arn.split_once(":assumed-role/")
        && let Some((role, name)) = session.split_once('/')
        && let Ok(role) = account.entity(Kind::Role, role)
    {
        return of_entity(account, role, Some(name), signature);
    }
    match account.by_arn(arn) {
        Some(entity) => of_entity(account, entity, Some("emulator"), signature),
        None => root(account, signature),
    }
}

fn root(account: &Account, signature: &Signature) -> Caller {
    Caller {
        identity: Identity::Root,
        arn: format!("arn:{}:iam::{}:root", account.partition, account.id),
        user_id: account.id.clone(),
        access_key: signature.access_key.clone(),
        region: signature.region.clone(),
    }
}

fn of_entity(account: &Account, entity: &Entity, session: Option<&str>, signature: &Signature) -> Caller {
    let (access_key, region) = (signature.access_key.clone(), signature.region.clone());
    match (entity.kind, session) {
        (Kind::Role, Some(session)) => Caller {
            identity: Identity::Role(entity.id.clone()),
            arn: format!("arn:{}:sts::{}:assumed-role/{}/{session}", account.partition, account.id, entity.name),
            user_id: format!("{}:{session}", entity.id),
            access_key,
            region,
        },
        _ => Caller {
            identity: Identity::User(entity.id.clone()),
            arn: account.arn_of(entity),
            user_id: entity.id.clone(),
            access_key,
            region,
        },
    }
}
