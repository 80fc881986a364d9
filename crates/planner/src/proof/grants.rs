//! Whether somebody was granted a KMS key too lately to have used it: read anew, of the snapshot itself.
//!
//! The analysis has its own reading, which keeps more. Here only what is plain counts: a principal, a boundary, a call or a version
//! that is younger than what the records of the key can show.

use secateur_analyzer::account::{
    Account, GrantEvent, GrantHistory, ManagedPolicy, PolicyVersion, Principal, PrincipalKind,
};
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::catalog::Catalog;
use secateur_analyzer::graph::{Holder, Path, PolicyId};
use secateur_analyzer::rules::UnknownGrantDate;
use secateur_analyzer::time::{DAY, UnixTime};
use secateur_analyzer::verdict::REPORTING_DELAY;

use super::evidence;
use super::json::Json;
use super::kept;
use super::statement::{self, Statement};

/// Whether one of the holders, or the statement, has had the keys of a policy for less time than up to `deadline`.
pub(super) fn is_recent(policy: PolicyId, holders: &[Holder], deadline: UnixTime, analysis: &Analysis<'_>) -> bool {
    holders.iter().any(|holder| holds_since_later(policy, holder, deadline, analysis))
}

fn holds_since_later(policy: PolicyId, holder: &Holder, deadline: UnixTime, analysis: &Analysis<'_>) -> bool {
    let inputs = analysis.inputs();
    let account = inputs.account;
    let Some(principal) = account.principals.get(holder.principal.0) else { return true };
    let is_late = |created: Option<UnixTime>| created.is_none_or(|created| created > deadline);
    // A boundary that was not read may be of today.
    if is_late(principal.created) || evidence::boundary(principal, account).is_some_and(is_late) {
        return true;
    }
    let managed = analysis.graph().policy(policy).and_then(|policy| policy.managed());
    // A call is proof whatever its history's span; silence is none where that makes no sense.
    let told = account.grants.as_ref();
    let is_span = |told: &&GrantHistory| told.from.0 >= DAY && told.from <= told.to && told.to <= inputs.now.plus(DAY);
    let history = told.filter(is_span);
    let late: Vec<&GrantEvent> =
        told.iter().flat_map(|told| &told.events).filter(|event| event.time > deadline).collect();
    let by_path = |path: &Path| late.iter().any(|event| is_by(event, principal, *path, managed, account));
    if late.iter().any(|event| rewrites(event, principal)) || holder.paths.iter().all(by_path) {
        return true;
    }
    // Silence is proof from the first day of the history on, which may begin a little late.
    let is_silent = history.is_some_and(|told| {
        told.from <= deadline.plus(DAY + REPORTING_DELAY) && account.started_at.is_some_and(|read| told.to >= read)
    });
    let is_witnessed = inputs.older.is_some_and(|older| {
        older.finished_at.is_some_and(|at| at <= deadline) && older.principal(&principal.arn).is_some()
    });
    !is_silent && !is_witnessed && inputs.settings.unknown_grant_date == UnknownGrantDate::Keep
}

/// Whether the call wrote a document of the principal, or moved its boundary.
fn rewrites(event: &GrantEvent, principal: &Principal) -> bool {
    let (names, name) = match principal.kind {
        PrincipalKind::User => (["PutUserPolicy", "PutUserPermissionsBoundary", "CreateUser"], &event.user_name),
        PrincipalKind::Role => (["PutRolePolicy", "PutRolePermissionsBoundary", "CreateRole"], &event.role_name),
    };
    names.contains(&event.name.as_str()) && is_named(name, &principal.name)
}

/// Whether the call gave the principal the policy by that path.
fn is_by(
    event: &GrantEvent,
    principal: &Principal,
    path: Path,
    managed: Option<&ManagedPolicy>,
    account: &Account,
) -> bool {
    let is_it = managed.is_some_and(|managed| is_policy(event, managed));
    match (event.name.as_str(), path) {
        ("AttachUserPolicy", Path::Direct) => is_it && is_named(&event.user_name, &principal.name),
        ("AttachRolePolicy", Path::Direct) => is_it && is_named(&event.role_name, &principal.name),
        ("AttachGroupPolicy" | "PutGroupPolicy" | "AddUserToGroup", Path::Group(at)) => {
            let is_group = account.groups.get(at).is_some_and(|group| is_named(&event.group_name, &group.name));
            is_group
                && match event.name.as_str() {
                    "AttachGroupPolicy" => is_it,
                    "AddUserToGroup" => is_named(&event.user_name, &principal.name),
                    _ => true,
                }
        }
        _ => false,
    }
}

/// Whether the call names the policy, in whatever case.
fn is_policy(event: &GrantEvent, managed: &ManagedPolicy) -> bool {
    event.policy_arn.as_ref().is_some_and(|said| said.as_str().eq_ignore_ascii_case(managed.arn.as_str()))
}

fn is_named(said: &Option<String>, name: &str) -> bool {
    said.as_ref().is_some_and(|said| said.eq_ignore_ascii_case(name))
}

/// Whether the versions of a managed policy show that the statement has named the key for no longer than since `deadline`.
pub(super) fn is_new_in(
    policy: PolicyId,
    statement: &Statement,
    arn: &str,
    deadline: UnixTime,
    analysis: &Analysis<'_>,
) -> bool {
    let Some(managed) = analysis.graph().policy(policy).and_then(|policy| policy.managed()) else { return false };
    let catalog = analysis.catalog();
    let Some(in_force) = managed.default() else { return true };
    let is_late = |version: &PolicyVersion| version.created.is_none_or(|created| created > deadline);
    let says =
        |version: &PolicyVersion| version.id == in_force.id || names_key(catalog, (version, in_force), statement, arn);
    // Whichever was in force since then: it named the key, and the one before all of them did.
    let all_say = managed.versions.iter().all(says);
    let numbered = |number: u64| managed.versions.iter().find(|version| version.id == format!("v{number}"));
    let mut first = in_force;
    while let Some(before) = number(first).and_then(|own| own.checked_sub(1)).and_then(numbered).filter(|own| says(own))
    {
        first = before;
    }
    let was_another =
        managed.versions.iter().any(|version| version.created > in_force.created && is_late(version) && !says(version));
    let chosen = analysis
        .inputs()
        .account
        .grants
        .iter()
        .flat_map(|told| &told.events)
        .any(|event| event.name == "SetDefaultPolicyVersion" && is_policy(event, managed) && event.time > deadline);
    is_late(first) || was_another || (chosen && !all_say)
}

fn number(version: &PolicyVersion) -> Option<u64> {
    version.id.trim_start_matches('v').parse().ok()
}

/// The `Version` of a document, which says what its variables mean.
fn language(elements: &[(String, Json)]) -> Option<Json> {
    elements.iter().find(|(name, _)| name == "Version").map(|(_, value)| value.clone())
}

fn language_of(version: &PolicyVersion) -> Option<Json> {
    let document = version.document.as_ref().and_then(|document| statement::read("before", document.text()).ok());
    document.and_then(|document| language(&document.elements))
}

/// Whether a version allows on the key all that the statement allows, under the same condition, in the same language, and denies
/// none of it.
fn names_key(
    catalog: &Catalog,
    (version, in_force): (&PolicyVersion, &PolicyVersion),
    wanted: &Statement,
    arn: &str,
) -> bool {
    let Some(text) = version.document.as_ref().map(|document| document.text()) else { return false };
    let Ok(document) = statement::read("before", text) else { return false };
    if language(&document.elements) != language_of(in_force) {
        return false;
    }
    let actions = kept::covered(catalog, wanted);
    let is_named = |resource: &Json| match resource {
        Json::String(text) => text == arn,
        Json::Array(list) => list.iter().any(|one| matches!(one, Json::String(text) if text == arn)),
        _ => false,
    };
    let touches = |own: &Statement| {
        let covered = kept::covered(catalog, own);
        (actions.iter().any(|id| covered.contains(id)), actions.iter().all(|id| covered.contains(id)))
    };
    let allows = |own: &Statement| {
        let is_on_key = own.rest.get("NotResource").is_none() && own.rest.get("Resource").is_some_and(is_named);
        !own.denies && is_on_key && own.rest.get("Condition") == wanted.rest.get("Condition") && touches(own).1
    };
    document.statements.iter().any(allows) && !document.statements.iter().any(|own| own.denies && touches(own).0)
}
