//! Whether the caller may: the judge's answer on the caller's policies.

use crate::emulator::call::{Call, Operation, Resource};
use crate::emulator::state::{Entity, Identity, Kind, Tag, stored};
use crate::emulator::wire::Error;
use crate::judge::{Context, Decision, Policy, Request, decide_within};

/// Refuses a call that the caller's identity policies, within the boundary, do not allow. What the judge cannot decide is
/// refused too.
pub fn check(call: &Call<'_>, operation: &Operation) -> Result<(), Error> {
    if matches!(operation.resource, Resource::Free) || call.caller.identity == Identity::Root {
        return Ok(());
    }
    let resource = resource(call, operation.resource);
    let action = format!("{}:{}", operation.service, operation.name);
    let account = call.world.account();
    let entity = call.caller.entity_id().and_then(|id| account.by_id(id));
    let Some(entity) = entity else { return Err(denied(call, &action, &resource, "no identity-based policy allows")) };
    let documents = account.documents(entity);
    let policies: Vec<Policy> = documents.iter().filter_map(|document| stored::read(document)).collect();
    let boundary = entity.boundary.as_ref().map(|arn| {
        let document = account.policies().get(arn).map(|policy| policy.document()).unwrap_or_default();
        // A boundary that cannot be read allows nothing.
        stored::read(document).unwrap_or(Policy { version: None, statements: Vec::new() })
    });
    let mut context = context(call, entity);
    for tag in tags(call, operation.resource) {
        context.set(&format!("aws:ResourceTag/{}", tag.key), vec![tag.value.clone()]);
        context.set(&format!("iam:ResourceTag/{}", tag.key), vec![tag.value.clone()]);
    }
    let request = Request { action: action.clone(), resource: resource.clone(), context };
    match decide_within(&policies, boundary.as_ref(), &request) {
        Decision::Allowed => Ok(()),
        Decision::ExplicitDeny => Err(denied(call, &action, &resource, "an explicit deny in a policy forbids")),
        _ => Err(denied(call, &action, &resource, "no identity-based policy allows")),
    }
}

fn denied(call: &Call<'_>, action: &str, resource: &str, why: &str) -> Error {
    Error::access_denied(format!(
        "User: {} is not authorized to perform: {action} on resource: {resource} because {why} the {action} action",
        call.caller.arn
    ))
}

/// The tags of what a call is about.
fn tags(call: &Call<'_>, resource: Resource) -> Vec<Tag> {
    let account = call.world.account();
    match resource {
        Resource::Entity(kind) => {
            let name = match kind {
                Kind::User => call.user_name().unwrap_or_default(),
                _ => call.params.get(kind.name_member()).unwrap_or_default().to_owned(),
            };
            account.entity(kind, &name).map(|entity| entity.tags.clone()).unwrap_or_default()
        }
        Resource::Policy => {
            let policy = call.params.get("PolicyArn").and_then(|arn| account.policies().get(arn));
            policy.map(|policy| policy.tags.clone()).unwrap_or_default()
        }
        Resource::Arn(member) => {
            let entity = call.params.get(member).and_then(|arn| account.by_arn(arn));
            entity.map(|entity| entity.tags.clone()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The condition keys of a call.
pub fn context(call: &Call<'_>, entity: &Entity) -> Context {
    let account = call.world.account();
    let mut context = Context::new()
        .with("aws:PrincipalArn", &[&account.arn_of(entity)])
        .with("aws:PrincipalAccount", &[&account.id])
        .with("aws:PrincipalType", &[if entity.kind == Kind::User { "User" } else { "AssumedRole" }])
        .with("aws:userid", &[&call.caller.user_id])
        .with("aws:CurrentTime", &[&call.now.to_string()])
        .with("aws:EpochTime", &[&(call.now.0 / 1000).to_string()])
        .with("aws:RequestedRegion", &[&call.caller.region])
        .with("aws:SecureTransport", &["true"])
        .with("aws:ViaAWSService", &["false"])
        .with("aws:PrincipalIsAWSService", &["false"])
        .with("aws:SourceIp", &["127.0.0.1"])
        .with("aws:ResourceAccount", &[&account.id]);
    if entity.kind == Kind::User {
        context.set("aws:username", vec![entity.name.clone()]);
    }
    for tag in &entity.tags {
        context.set(&format!("aws:PrincipalTag/{}", tag.key), vec![tag.value.clone()]);
    }
    let given = call.params.pairs("Tags", "Key", "Value");
    for (key, value) in &given {
        context.set(&format!("aws:RequestTag/{key}"), vec![(*value).to_owned()]);
    }
    let removed = call.params.list("TagKeys").into_iter();
    context.set("aws:TagKeys", given.iter().map(|(key, _)| *key).chain(removed).map(str::to_owned).collect());
    for (key, member) in [("iam:PolicyARN", "PolicyArn"), ("iam:PermissionsBoundary", "PermissionsBoundary")] {
        if let Some(value) = call.params.get(member) {
            context.set(key, vec![value.to_owned()]);
        }
    }
    context
}

/// The resource that permission is needed on.
fn resource(call: &Call<'_>, resource: Resource) -> String {
    let account = call.world.account();
    let params = call.params;
    let made = |kind: &str, name: &str| {
        let path = params.get("Path").unwrap_or("/");
        format!("arn:{}:iam::{}:{kind}{path}{name}", account.partition, account.id)
    };
    match resource {
        Resource::Any | Resource::Free => String::from("*"),
        Resource::Entity(kind) => {
            let name = match kind {
                Kind::User => call.user_name().unwrap_or_default(),
                _ => params.get(kind.name_member()).unwrap_or_default().to_owned(),
            };
            let known = account.entity(kind, &name).ok();
            known.map_or_else(|| made(kind.word(), &name), |entity| account.arn_of(entity))
        }
        Resource::NewPolicy => made("policy", params.get("PolicyName").unwrap_or_default()),
        Resource::Policy => params.get("PolicyArn").unwrap_or("*").to_owned(),
        Resource::Arn(member) => params.get(member).unwrap_or("*").to_owned(),
        Resource::Account => format!("arn:{}:account::{}:account", account.partition, account.id),
        Resource::AccessKey => {
            let id = params.get("AccessKeyId").unwrap_or_default();
            let mut users = account.of(Kind::User).values();
            let owner = users.find(|user| user.user.keys.iter().any(|key| key.id == id));
            owner.map_or_else(|| String::from("*"), |user| account.arn_of(user))
        }
        Resource::Key => {
            let id = params.get("KeyId").unwrap_or_default();
            let region = &call.caller.region;
            let arn = || format!("arn:{}:kms:{region}:{}:key/{id}", account.partition, account.id);
            if id.starts_with("arn:") { id.to_owned() } else { arn() }
        }
    }
}
