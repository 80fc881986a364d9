//! Versions of managed policies.

use super::policy::{checked, own};
use super::{check, shape};
use crate::emulator::call::{Call, page_end};
use crate::emulator::state::Version;
use crate::emulator::wire::{Error, Xml};

/// `GetPolicyVersion`.
pub fn get(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let account = call.account();
    let policy = account.policy(check::arn(call.params, "PolicyArn")?)?;
    let id = call.params.required("VersionId")?;
    let version = policy.version(id).ok_or_else(|| missing(&policy.arn, id))?;
    xml.object("PolicyVersion", |xml| shape::version(xml, policy, version, true));
    Ok(())
}

/// `ListPolicyVersions`: without documents.
pub fn list(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let account = call.account();
    let policy = account.policy(check::arn(call.params, "PolicyArn")?)?;
    let (versions, marker) = call.page(&policy.arn)?.take_listed(&policy.versions);
    xml.list("Versions", versions, |xml, version| shape::version(xml, policy, version, false));
    page_end(xml, marker.as_deref());
    Ok(())
}

/// `CreatePolicyVersion`: there is no room for a sixth.
pub fn create(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let params = call.params;
    let arn = check::arn(params, "PolicyArn")?;
    let text = params.required("PolicyDocument")?;
    let is_default = params.is_true("SetAsDefault");
    let now = call.second();
    let account = call.world.edit();
    own(account.policy(arn)?)?;
    checked(text, account.quotas.get("PolicySizeQuota"))?;
    let quota = account.quotas.get("VersionsPerPolicyQuota");
    if account.policy(arn)?.versions.len() >= quota {
        return Err(Error::limit_exceeded(format!(
            "A managed policy can have up to {quota} versions. Before you create a new version, you must delete an existing version."
        )));
    }
    let in_use = account.policies().values().filter(|policy| !policy.is_of_aws());
    let quota = account.quotas.get("PolicyVersionsInUseQuota");
    if in_use.map(|policy| policy.versions.len()).sum::<usize>() >= quota {
        return Err(Error::limit_exceeded(format!("Cannot exceed quota for PolicyVersionsInUse: {quota}")));
    }
    let policy = account.policy_mut(arn)?;
    let version = Version { id: format!("v{}", policy.next), document: text.to_owned(), created: now };
    policy.next += 1;
    policy.updated = now;
    if is_default {
        policy.default.clone_from(&version.id);
    }
    xml.object("PolicyVersion", |xml| shape::version(xml, policy, &version, false));
    policy.versions.insert(0, version);
    Ok(())
}

/// `SetDefaultPolicyVersion`.
pub fn set_default(call: &mut Call<'_>) -> Result<(), Error> {
    let arn = check::arn(call.params, "PolicyArn")?;
    let id = call.params.required("VersionId")?;
    let policy = call.world.edit().policy_mut(arn)?;
    own(policy)?;
    if policy.version(id).is_none() {
        return Err(missing(arn, id));
    }
    id.clone_into(&mut policy.default);
    Ok(())
}

/// `DeletePolicyVersion`: not the default.
pub fn delete(call: &mut Call<'_>) -> Result<(), Error> {
    let arn = check::arn(call.params, "PolicyArn")?;
    let id = call.params.required("VersionId")?;
    let policy = call.world.edit().policy_mut(arn)?;
    own(policy)?;
    if policy.version(id).is_none() {
        return Err(missing(arn, id));
    }
    if policy.default == id {
        return Err(Error::delete_conflict("Cannot delete the default version of a policy."));
    }
    policy.versions.retain(|version| version.id != id);
    Ok(())
}

fn missing(arn: &str, id: &str) -> Error {
    Error::no_such_entity(format!("Policy {arn} version {id} does not exist or is not attachable."))
}
