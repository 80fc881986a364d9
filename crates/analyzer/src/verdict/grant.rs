//! When a permission was granted: what was attached yesterday has had no time to be used.
//!
//! CloudTrail's event history tells of writes in its span, and by its silence that there were none. The versions of a
//! managed policy tell which actions came with the version in force: a late date proves a late grant, but an early one
//! proves nothing, since the policy may have been attached since. An older snapshot with the same grant proves an early
//! one.

use crate::account::{Account, GrantEvent, GrantHistory, ManagedPolicy, Principal};
use crate::catalog::{ActionId, ActionSet, Catalog};
use crate::document::{Effect, PolicyDocument};
use crate::graph::{Entity, Graph, Holder, Path, PolicyId, PolicyRef, PrincipalId};
use crate::rules::{Settings, UnknownGrantDate};
use crate::time::{DAY, UnixTime};

use super::report::ReportTimes;

/// The days that CloudTrail's event history goes back. See
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html>.
const EVENT_HISTORY_DAYS: u32 = 90;

/// When a holder was granted a policy, as far as anything tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// At this time at the earliest.
    At(UnixTime),
    /// Long enough ago.
    LongAgo,
    /// Nothing tells.
    Unknown,
}

/// What is known of a policy's grants, whoever holds it.
#[derive(Debug, Default)]
pub struct PolicyGrants {
    /// What came with the version in force: when, and which actions.
    introduced: Option<(UnixTime, ActionSet)>,
}

/// An older snapshot of the same account: what it grants was granted by then.
#[derive(Debug)]
pub struct GrantWitness<'a> {
    graph: Graph<'a>,
    at: UnixTime,
}

impl PolicyGrants {
    /// Looks at the versions of a managed policy; there is nothing to look at in an inline policy.
    pub fn new(catalog: &Catalog, policy: PolicyRef<'_>) -> PolicyGrants {
        PolicyGrants { introduced: policy.managed().and_then(|managed| introduced(catalog, managed)) }
    }

    /// Returns when the action came with the version in force; none when the version before had it, or there was none.
    pub fn introduced(&self, id: ActionId) -> Option<UnixTime> {
        self.introduced.as_ref().filter(|(_, actions)| actions.contains(id)).map(|(at, _)| *at)
    }
}

/// What the version in force allows and the version before did not, and when it was created.
fn introduced(catalog: &Catalog, policy: &ManagedPolicy) -> Option<(UnixTime, ActionSet)> {
    let current = policy.default()?;
    let at = current.created?;
    let before = policy
        .versions
        .iter()
        .filter(|version| version.id != current.id && version.created.is_some_and(|created| created < at))
        .max_by_key(|version| version.created);
    let mut actions = allowed(catalog, current.document.as_ref()?.policy()?);
    match before {
        Some(before) => {
            // When what it allowed is not known, all may be new.
            if let Some(document) = before.document.as_ref().and_then(|document| document.policy()) {
                actions.difference_with(&allowed(catalog, document));
            }
        }
        // The first version, or the only one that is left: new with the policy itself, if it is its first.
        None if policy.created.is_none_or(|created| created < at) => return None,
        None => {}
    }
    (!actions.is_empty()).then_some((at, actions))
}

/// The catalogue's actions that some Allow statement is about, whatever its resource and condition.
pub(crate) fn allowed(catalog: &Catalog, document: &PolicyDocument) -> ActionSet {
    let mut set = catalog.empty_set();
    for statement in document.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        set.union_with(&catalog.covered(&statement.actions));
    }
    set
}

/// What CloudTrail's event history says of when the holder was granted the policy, by the oldest of its paths.
pub(super) fn granted(
    graph: &Graph<'_>,
    policy: PolicyId,
    holder: &Holder,
    settings: &Settings,
    times: ReportTimes,
) -> Granted {
    let Some(history) = graph.account().grants.as_ref().filter(|history| history.to >= times.generated_at) else {
        return Granted::Unknown;
    };
    let by_path = |path: &Path| latest_write(graph, history, policy, holder.principal, *path);
    // By the path with the oldest grant the holder has had the permission for longest.
    match holder.paths.iter().map(by_path).min_by_key(|latest| latest.map_or(i64::MIN, |time| time.0)).flatten() {
        Some(time) => Granted::At(time),
        None if history.to.since(history.from) >= i64::from(settings.min_idle_days.min(EVENT_HISTORY_DAYS)) * DAY
            && settings.min_idle_days <= EVENT_HISTORY_DAYS =>
        {
            Granted::LongAgo
        }
        None if times.observed.since(history.from) >= settings.min_idle() => Granted::LongAgo,
        None => Granted::Unknown,
    }
}

/// The latest write that can have granted the policy by this path.
fn latest_write(
    graph: &Graph<'_>,
    history: &GrantHistory,
    policy: PolicyId,
    principal: PrincipalId,
    path: Path,
) -> Option<UnixTime> {
    let account = graph.account();
    let owner = match path {
        Path::Direct => Entity::Principal(principal),
        Path::Group(group) => Entity::Group(group),
    };
    let is_write = |event: &&GrantEvent| {
        grants_policy(account, event, graph.policy(policy), owner)
            || matches!(path, Path::Group(group) if grants_membership(account, event, principal, group))
            || names_whole(account, event, Entity::Principal(principal))
            || names_whole(account, event, owner)
    };
    history.events.iter().filter(is_write).map(|event| event.time).max()
}

/// Calls that take permissions away, or have nothing to do with them.
const NARROWING: [&str; 9] = [
    "DetachUserPolicy",
    "DetachRolePolicy",
    "DetachGroupPolicy",
    "DeleteUserPolicy",
    "DeleteRolePolicy",
    "DeleteGroupPolicy",
    "DeletePolicyVersion",
    "DeletePolicy",
    "RemoveUserFromGroup",
];

fn same(a: Option<&String>, b: &str) -> bool {
    a.is_some_and(|a| a.eq_ignore_ascii_case(b))
}

fn names_entity(account: &Account, event: &GrantEvent, entity: Entity) -> bool {
    match entity {
        Entity::Principal(PrincipalId(at)) => account.principals.get(at).is_some_and(|principal| {
            let name = match principal.kind {
                crate::account::PrincipalKind::User => event.user_name.as_ref(),
                crate::account::PrincipalKind::Role => event.role_name.as_ref(),
            };
            same(name, &principal.name)
        }),
        Entity::Group(at) => account.groups.get(at).is_some_and(|group| same(event.group_name.as_ref(), &group.name)),
    }
}

fn grants_policy(account: &Account, event: &GrantEvent, policy: Option<PolicyRef<'_>>, owner: Entity) -> bool {
    match (event.name.as_str(), policy) {
        ("PutUserPolicy" | "PutRolePolicy" | "PutGroupPolicy", Some(PolicyRef::Inline(_, inline))) => {
            names_entity(account, event, owner)
                && event.policy_name.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(&inline.name))
        }
        ("AttachUserPolicy" | "AttachRolePolicy" | "AttachGroupPolicy", Some(PolicyRef::Managed(managed))) => {
            names_entity(account, event, owner) && event.policy_arn.as_ref().is_none_or(|arn| *arn == managed.arn)
        }
        ("CreatePolicy" | "CreatePolicyVersion" | "SetDefaultPolicyVersion", Some(PolicyRef::Managed(managed))) => {
            event.policy_arn.as_ref().map_or_else(
                || event.policy_name.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(&managed.name)),
                |arn| *arn == managed.arn,
            )
        }
        _ => false,
    }
}

fn grants_membership(account: &Account, event: &GrantEvent, principal: PrincipalId, group: usize) -> bool {
    event.name == "AddUserToGroup"
        && names_entity(account, event, Entity::Principal(principal))
        && names_entity(account, event, Entity::Group(group))
}

/// Whether the call may have changed anything about the entity: it is none whose effect is known to be narrower.
fn names_whole(account: &Account, event: &GrantEvent, entity: Entity) -> bool {
    let known = ["PutUserPolicy", "PutRolePolicy", "PutGroupPolicy", "AddUserToGroup"];
    let attaches = event.name.starts_with("Attach") || event.name.starts_with("Tag") || event.name.starts_with("Untag");
    !NARROWING.contains(&event.name.as_str())
        && !known.contains(&event.name.as_str())
        && !attaches
        && names_entity(account, event, entity)
}

impl<'a> GrantWitness<'a> {
    /// Takes an older snapshot as witness; none when it does not say when it was finished.
    pub fn new(older: &'a Account) -> Option<GrantWitness<'a>> {
        Some(GrantWitness { at: older.finished_at?, graph: Graph::new(older) })
    }

    /// Returns when the witness saw the principal hold the policy, and which actions the policy allowed then.
    pub(super) fn saw(
        &self,
        catalog: &Catalog,
        principal: &Principal,
        policy: PolicyRef<'_>,
        address: &str,
    ) -> Option<(UnixTime, ActionSet)> {
        let older = self.graph.account();
        let at =
            older.principals.iter().position(|old| old.arn == principal.arn && old.unique_id == principal.unique_id)?;
        let id = self.graph.policies_of(PrincipalId(at)).into_iter().find(|id| self.graph.address(*id) == address)?;
        let old = self.graph.policy(id)?;
        let same_policy = match (old.managed(), policy.managed()) {
            (Some(old), Some(new)) => old.arn == new.arn && old.unique_id == new.unique_id,
            (None, None) => true,
            _ => false,
        };
        let document = old.document().filter(|_| same_policy)?.policy()?;
        Some((self.at, allowed(catalog, document)))
    }
}

/// Since when the holder can have used an action, as far as the grant goes, and whether that was assumed.
pub(super) fn grant_floor(
    granted: Granted,
    introduced: Option<UnixTime>,
    witnessed: Option<UnixTime>,
    settings: &Settings,
    times: ReportTimes,
) -> (UnixTime, bool) {
    let (floor, assumed) = match granted {
        Granted::At(time) => (time, false),
        Granted::LongAgo => (UnixTime(i64::MIN), false),
        Granted::Unknown => match (witnessed, settings.unknown_grant_date) {
            (Some(seen), _) if times.observed.since(seen) >= settings.min_idle() => (seen, false),
            (_, UnknownGrantDate::AssumeOld) => (UnixTime(i64::MIN), true),
            (_, UnknownGrantDate::Keep) => (times.observed, false),
        },
    };
    (introduced.map_or(floor, |introduced| floor.max(introduced)), assumed)
}
