//! Managed policies: made, read, deleted, and who has them.

use super::shape;
use super::{check, document};
use crate::emulator::call::{Call, page_end};
use crate::emulator::state::{Kind, Policy, Version, entity::size};
use crate::emulator::wire::{Error, Xml};

/// Refuses to change what is AWS's.
pub fn own(policy: &Policy) -> Result<(), Error> {
    match policy.is_of_aws() {
        true => Err(Error::access_denied(format!("Policy {} is AWS managed and cannot be changed.", policy.arn))),
        false => Ok(()),
    }
}

/// Checks a document against grammar and quota.
pub fn checked(text: &str, quota: usize) -> Result<(), Error> {
    document::check(text)?;
    match size(text) > quota {
        true => Err(Error::limit_exceeded(format!("Cannot exceed quota for PolicySize: {quota}"))),
        false => Ok(()),
    }
}

/// `GetPolicy`.
pub fn get(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let account = call.account();
    let policy = account.policy(check::arn(call.params, "PolicyArn")?)?;
    let uses = account.uses_of_policies().get(policy.arn.as_str()).copied().unwrap_or_default();
    xml.object("Policy", |xml| {
        shape::policy(xml, policy, uses);
        xml.optional("Description", policy.description.as_deref());
        shape::tags(xml, &policy.tags);
    });
    Ok(())
}

/// `CreatePolicy`.
pub fn create(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let params = call.params;
    let name = check::name(params, "PolicyName", 128)?;
    let path = check::path(params)?;
    let text = params.required("PolicyDocument")?;
    let tags = super::tag::given(params)?;
    let (now, id) = (call.second(), call.world.ids.unique("ANPA"));
    let account = call.world.edit();
    checked(text, account.quotas.get("PolicySizeQuota"))?;
    let mut of_customer = account.policies().values().filter(|policy| !policy.is_of_aws());
    // Names are unique whatever the path.
    if of_customer.clone().any(|policy| policy.name.eq_ignore_ascii_case(name)) {
        let words = format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(Error::already_exists(words));
    }
    let quota = account.quotas.get("PoliciesQuota");
    if of_customer.by_ref().count() >= quota {
        return Err(Error::limit_exceeded(format!("Cannot exceed quota for PoliciesPerAccount: {quota}")));
    }
    let arn = format!("arn:{}:iam::{}:policy{path}{name}", account.partition, account.id);
    let policy = Policy {
        name: name.to_owned(),
        id,
        path,
        arn: arn.clone(),
        description: params.get("Description").map(str::to_owned),
        created: now,
        updated: now,
        default: String::from("v1"),
        next: 2,
        versions: vec![Version { id: String::from("v1"), document: text.to_owned(), created: now }],
        tags,
        attachable: true,
    };
    xml.object("Policy", |xml| {
        shape::policy(xml, &policy, (0, 0));
        if !policy.tags.is_empty() {
            shape::tags(xml, &policy.tags);
        }
    });
    account.policies_mut().insert(arn, policy.into());
    Ok(())
}

/// `DeletePolicy`: only when nobody has it, and no version but the default is left.
pub fn delete(call: &mut Call<'_>) -> Result<(), Error> {
    let arn = check::arn(call.params, "PolicyArn")?;
    let account = call.world.edit();
    let policy = account.policy(arn)?;
    own(policy)?;
    if account.uses_of_policies().contains_key(arn) {
        return Err(Error::delete_conflict("Cannot delete a policy attached to entities."));
    }
    if policy.versions.len() > 1 {
        return Err(Error::delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
             The default version is deleted with the policy.",
        ));
    }
    account.policies_mut().remove(arn);
    Ok(())
}

/// `ListEntitiesForPolicy`: one budget over groups, users and roles.
pub fn entities(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let account = call.account();
    let arn = check::arn(call.params, "PolicyArn")?;
    account.policy(arn)?;
    let filter = call.params.get("EntityFilter").unwrap_or_default();
    let usage = call.params.get("PolicyUsageFilter").unwrap_or_default();
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let page = call.page(&format!("{arn}|{filter}|{usage}|{prefix}"))?;
    let counts = |entity: &&std::sync::Arc<crate::emulator::state::Entity>| {
        let attached = usage != "PermissionsBoundary" && entity.attached.iter().any(|attached| attached == arn);
        let bounds = matches!(usage, "" | "PermissionsBoundary") && entity.boundary.as_deref() == Some(arn);
        let kind = matches!(filter, "" | "LocalManagedPolicy" | "AWSManagedPolicy") || filter == entity.kind.noun();
        kind && (attached || bounds) && entity.path.starts_with(prefix)
    };
    let (entities, marker) = page.take_listed(account.entities().filter(counts));
    for kind in [Kind::Group, Kind::User, Kind::Role] {
        let of_kind = entities.iter().filter(|entity| entity.kind == kind);
        xml.list(&format!("Policy{}s", kind.noun()), of_kind, |xml, entity| {
            xml.text(kind.name_member(), &entity.name);
            xml.text(kind.id_member(), &entity.id);
        });
    }
    page_end(xml, marker.as_deref());
    Ok(())
}
