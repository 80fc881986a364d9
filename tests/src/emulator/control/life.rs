//! What somebody else does: deletes an entity, kills a process.

use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::emulator::state::{Account, Kind, World};

/// Deletes an entity or a policy with all that hangs on it, as if somebody else had.
pub fn delete_with_all(world: &mut World, arn: &str) {
    delete(world.edit(), arn);
}

fn delete(account: &mut Account, arn: &str) {
    if let Some(entity) = account.by_arn(arn).cloned() {
        let key = entity.name.to_lowercase();
        account.of_mut(entity.kind).remove(&key);
        if entity.kind == Kind::Group {
            for user in account.of_mut(Kind::User).values_mut() {
                if user.user.groups.contains(&key) {
                    Arc::make_mut(user).user.groups.retain(|group| *group != key);
                }
            }
        }
    }
    if account.policies_mut().remove(arn).is_some() {
        for kind in Kind::ALL {
            for entity in account.of_mut(kind).values_mut() {
                if entity.attached.iter().any(|attached| attached == arn) {
                    Arc::make_mut(entity).attached.retain(|attached| attached != arn);
                }
            }
        }
    }
}

/// Kills a process, as `kill -9` does; returns when it was told.
pub fn kill(pid: u32) {
    let told = Command::new("kill").arg("-9").arg(pid.to_string()).stdin(Stdio::null()).status();
    if !told.is_ok_and(|status| status.success()) {
        eprintln!("warning: process {pid} was not killed");
    }
}
