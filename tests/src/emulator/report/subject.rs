//! Whom a report is about: the documents that count, and the principals whose use counts.

use std::sync::Arc;

use crate::emulator::state::{Account, Entity, Kind};
use crate::emulator::wire::Error;

/// The subject of a report.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The documents of permissions policies. Boundaries, trust policies and all else are not among them.
    pub documents: Vec<&'a str>,
    /// Whose use counts: the user or role; the members of the group; whoever the policy is attached to.
    pub members: Vec<&'a Arc<Entity>>,
}

/// Finds the subject of an ARN.
pub fn of<'a>(account: &'a Account, arn: &str) -> Result<Subject<'a>, Error> {
    check(account, arn)?;
    let missing = || Error::no_such_entity(format!("ARN {arn} does not exist."));
    if let Some(policy) = account.policies().get(arn) {
        let mut members = Vec::new();
        for entity in account.entities().filter(|entity| entity.attached.iter().any(|attached| attached == arn)) {
            match entity.kind {
                Kind::Group => members.extend(account.members(entity)),
                Kind::User | Kind::Role => members.push(entity),
            }
        }
        members.sort_by(|one, other| one.id.cmp(&other.id));
        members.dedup_by(|one, other| one.id == other.id);
        return Ok(Subject { documents: vec![policy.document()], members });
    }
    let entity = account.by_arn(arn).ok_or_else(missing)?;
    let members = match entity.kind {
        Kind::Group => account.members(entity).collect(),
        Kind::User | Kind::Role => vec![entity],
    };
    Ok(Subject { documents: account.documents(entity), members })
}

/// Refuses what is not the ARN of a user, group, role or managed policy that this account may ask about.
fn check(account: &Account, arn: &str) -> Result<(), Error> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, partition, service, _, owner, resource] = parts[..] else {
        return Err(Error::validation(format!("ARN {arn} is not valid.")));
    };
    if partition != account.partition || service != "iam" {
        return Err(Error::validation(format!("Invalid ARN: {arn}")));
    }
    if resource == "root" {
        return Err(Error::invalid_input(format!("Unsupported ARN: {arn}")));
    }
    if owner != account.id && !(owner == "aws" && resource.starts_with("policy/")) {
        return Err(Error::new("InvalidParameter", 400, format!("ARN {arn} is not of this account.")));
    }
    match resource.split('/').next() {
        Some("user" | "group" | "role" | "policy") => Ok(()),
        _ => Err(Error::invalid_input(format!("Unsupported ARN: {arn}"))),
    }
}
