//! STS: who calls, and sessions of roles.
//!
//! See <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>.

use serde_json::Value;

use super::behaviour::context;
use super::call::{Call, Operation, Resource, Run};
use super::state::{Identity, Kind, Session, World};
use super::time::{SECOND, Time};
use super::wire::{Error, Xml};
use crate::judge::{Decision, Policy, Request, decide};

/// The operations of STS.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        service: "sts",
        name: "GetCallerIdentity",
        writes: false,
        resource: Resource::Free,
        run: Run::Xml(caller_identity),
    },
    Operation {
        service: "sts",
        name: "AssumeRole",
        writes: false,
        resource: Resource::Arn("RoleArn"),
        run: Run::Xml(assume_role),
    },
];

fn caller_identity(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    xml.text("UserId", &call.caller.user_id);
    xml.text("Account", &call.world.account().id);
    xml.text("Arn", &call.caller.arn);
    Ok(())
}

fn assume_role(call: &mut Call<'_>, xml: &mut Xml) -> Result<(), Error> {
    let arn = call.params.required("RoleArn")?;
    let name = call.params.required("RoleSessionName")?;
    if call.caller.identity == Identity::Root {
        return Err(Error::access_denied("Roles may not be assumed by root accounts."));
    }
    let seconds = call.params.number("DurationSeconds", 900, 43_200)?.unwrap_or(3600);
    let account = call.account();
    let role = account.by_arn(arn).filter(|entity| entity.kind == Kind::Role);
    let denied = || {
        let caller = &call.caller.arn;
        Error::access_denied(format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"))
    };
    // AWS does not tell whether a role is missing or closed.
    let role = role.ok_or_else(denied)?;
    if call.world.behaviour.enforce && !trusts(&role.role.trust, &account.id, call) {
        return Err(denied());
    }
    let millis = i64::try_from(seconds).unwrap_or(3600) * SECOND;
    if seconds > usize::try_from(role.role.max_session).unwrap_or(3600) {
        let words = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Error::validation(words));
    }
    let identity = Identity::Role(role.id.clone());
    let role_id = role.id.clone();
    let (key, secret, token) = issue(call.world, identity, name, call.now.plus(millis));
    let session_arn = session_arn(call.world, &role.name, name);
    xml.object("Credentials", |xml| {
        xml.text("AccessKeyId", key);
        xml.text("SecretAccessKey", secret);
        xml.text("SessionToken", token);
        // Clients hold this against the machine's clock, whatever the emulator's shows.
        xml.value("Expiration", Time(Time::of_the_machine().plus(millis).0 / SECOND * SECOND));
    });
    xml.object("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", format!("{role_id}:{name}"));
        xml.text("Arn", session_arn);
    });
    Ok(())
}

/// The ARN of a session, which does not have the role's path.
pub fn session_arn(world: &World, role: &str, session: &str) -> String {
    let account = world.account();
    format!("arn:{}:sts::{}:assumed-role/{role}/{session}", account.partition, account.id)
}

/// Makes temporary credentials: access key, secret and token.
pub fn issue(world: &mut World, identity: Identity, name: &str, expires: Time) -> (String, String, String) {
    let (key, secret, token) = (world.ids.access_key("ASIA"), world.ids.secret(40), world.ids.secret(64));
    let session = Session { identity, name: name.to_owned(), token: token.clone(), expires };
    world.sessions.0.insert(key.clone(), session);
    (key, secret, token)
}

/// Whether a trust policy lets the caller in: its statements about the caller, by ARN or account, decided by the judge like
/// an identity policy's.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.
fn trusts(trust: &str, account: &str, call: &Call<'_>) -> bool {
    let Ok(mut document) = serde_json::from_str::<Value>(trust) else { return false };
    let own = call.caller.entity_id().and_then(|id| call.world.account().by_id(id));
    let Some(own) = own else { return false };
    let own_arn = call.world.account().arn_of(own);
    let root = format!(":iam::{account}:root");
    let lets_in = |principal: &str| {
        principal == "*"
            || principal == account
            || principal.ends_with(&root)
            || principal == own_arn
            || principal == call.caller.arn
    };
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement) => vec![statement.clone()],
        None => return false,
    };
    let about = |mut statement: Value| {
        let members = statement.as_object_mut()?;
        let principal = members.remove("Principal")?;
        let is_about = match principal.get("AWS").unwrap_or(&principal) {
            Value::String(one) => lets_in(one),
            Value::Array(all) => all.iter().filter_map(Value::as_str).any(lets_in),
            _ => false,
        };
        members.insert(String::from("Resource"), "*".into());
        is_about.then_some(statement)
    };
    let about: Vec<Value> = statements.into_iter().filter_map(about).collect();
    document.as_object_mut().map(|members| members.insert(String::from("Statement"), about.into()));
    let Ok(policy) = Policy::parse(&document.to_string()) else { return false };
    let mut context = context(call, own);
    for (key, member) in [("sts:ExternalId", "ExternalId"), ("sts:RoleSessionName", "RoleSessionName")] {
        if let Some(value) = call.params.get(member) {
            context.set(key, vec![value.to_owned()]);
        }
    }
    let request = Request { action: String::from("sts:AssumeRole"), resource: String::from("*"), context };
    decide([&policy], &request) == Decision::Allowed
}
