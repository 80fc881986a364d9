//! What CloudTrail's event history says of when a policy was granted.
//!
//! A write that names the principal, one of its groups or the policy dates the grant, also one that takes something away: a
//! Deny may have gone with it. Calls that have nothing to do with permissions are passed over.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use super::bearing::{Bearing, may_depend_on_who, may_trust_providers};
use super::credentials;
use super::grant::{Granted, is_without_gap};
use super::lifted;
use super::report::{REPORTING_DELAY, ReportTimes};
use crate::account::{
    Account, GrantEvent, GrantHistory, Group, ManagedPolicy, PolicyVersion, Principal, PrincipalKind,
};
use crate::arn::Arn;
use crate::document::PolicyDocument;
use crate::graph::{Graph, Holder, Path, PolicyId, PolicyRef, PrincipalId};
use crate::rules::Settings;
use crate::time::{DAY, UnixTime};

/// CloudTrail keeps 90 days
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html>), and collecting takes its time:
/// so much later than it should may a history begin.
const TOLERANCE: i64 = DAY + REPORTING_DELAY;

/// How long the end of a history may be before the end of its collection, where nothing says when the authorization details
/// were read: the history takes its time to be read.
const READING: i64 = 15 * 60;

/// Events by whom they name; each list by time.
#[derive(Debug, Default)]
pub struct GrantIndex<'a> {
    history: Option<&'a GrantHistory>,
    /// Whether the history reaches as far as the documents and attachments that the account shows.
    covers_details: bool,
    /// Whether its span makes sense: only then does silence tell anything. What it has, it tells in any case.
    is_dated: bool,
    by_entity: HashMap<(char, String), Vec<&'a GrantEvent>>,
    /// Calls that change no policy, and may be what permissions wait for: tags, MFA devices, credentials.
    beside: HashMap<(char, String), Vec<&'a GrantEvent>>,
    /// Calls about identity providers, which they do not name here.
    federation: Vec<&'a GrantEvent>,
    by_policy: HashMap<String, VersionEvents>,
    /// Events that name nobody, or somebody who is not in the snapshot (any more, or under this name): by kind.
    unnamed: HashMap<char, UnixTime>,
    /// By principal, the latest write that may have changed all that it may do; found when first asked for, since a
    /// principal may hold many policies.
    of_principal: Vec<OnceLock<Option<UnixTime>>>,
    /// By principal, when the versions of its policies last let go a Deny; without any history too.
    deny_lifted: Vec<OnceLock<Option<UnixTime>>>,
}

/// The calls that made, chose or deleted a version of a policy.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct VersionEvents {
    /// The latest that made one.
    pub made: Option<UnixTime>,
    /// The latest that chose one, or may have.
    pub chosen: Option<UnixTime>,
    /// Whether one was deleted.
    pub has_deleted: bool,
}

const USER: char = 'u';
const ROLE: char = 'r';
const GROUP: char = 'g';
const POLICY: char = 'p';

impl VersionEvents {
    fn add(&mut self, event: &GrantEvent) {
        match event.name.as_str() {
            "DeletePolicyVersion" => self.has_deleted = true,
            "SetDefaultPolicyVersion" => self.chosen = self.chosen.max(Some(event.time)),
            name if kind_of(name) == Some(POLICY) => self.made = self.made.max(Some(event.time)),
            _ => {}
        }
    }
}

impl<'a> GrantIndex<'a> {
    /// Indexes the account's history, if it has one that makes sense at `now`.
    pub fn new(account: &'a Account, now: UnixTime) -> GrantIndex<'a> {
        let nothing = || account.principals.iter().map(|_| OnceLock::new()).collect();
        let silent = GrantIndex { deny_lifted: nothing(), ..GrantIndex::default() };
        let Some(history) = &account.grants else { return silent };
        let of_principal = nothing();
        // What was read at no known time may have been read after the end of any history.
        let covers_details = details_at(account).is_some_and(|at| history.to >= at);
        let is_dated = is_dated(history, now);
        let mut index = GrantIndex { history: Some(history), is_dated, covers_details, of_principal, ..silent };
        let names = known_names(account);
        for event in &history.events {
            match Bearing::of(&event.name) {
                Bearing::Permissions => index.add(event, &names),
                Bearing::Terms | Bearing::Credentials => index.add_beside(event),
                Bearing::Federation => index.federation.push(event),
                Bearing::Nothing => {}
            }
        }
        index
    }

    fn add_beside(&mut self, event: &'a GrantEvent) {
        for (kind, name) in [(USER, &event.user_name), (ROLE, &event.role_name)] {
            if let Some(name) = name {
                self.beside.entry((kind, name.to_ascii_lowercase())).or_default().push(event);
            }
        }
    }

    fn add(&mut self, event: &'a GrantEvent, known: &HashSet<(char, String)>) {
        let fold = |name: &Option<String>| name.as_ref().map(|name| name.to_ascii_lowercase());
        let named = [(USER, fold(&event.user_name)), (ROLE, fold(&event.role_name)), (GROUP, fold(&event.group_name))];
        let kind = kind_of(&event.name);
        for (own, name) in named {
            match name {
                Some(name) if known.contains(&(own, name.clone())) => {
                    self.by_entity.entry((own, name)).or_default().push(event);
                }
                // Renamed or deleted since: whoever it is now may be anybody.
                Some(_) if event.name.starts_with("Update") => self.note_unnamed(own, event.time),
                Some(_) => {}
                None if kind == Some(own) => self.note_unnamed(own, event.time),
                None => {}
            }
        }
        match (&event.policy_arn, kind) {
            (Some(arn), _) => self.by_policy.entry(folded(arn)).or_default().add(event),
            (None, Some(POLICY)) => self.note_unnamed(POLICY, event.time),
            (None, _) => {}
        }
    }

    fn note_unnamed(&mut self, kind: char, time: UnixTime) {
        let latest = self.unnamed.entry(kind).or_insert(time);
        *latest = time.max(*latest);
    }

    /// Returns when the holder was granted the policy, by the oldest of its paths.
    pub(super) fn granted(
        &self,
        graph: &Graph<'_>,
        policy: PolicyId,
        holder: &Holder,
        settings: &Settings,
        times: ReportTimes,
    ) -> Granted {
        let Some(history) = self.history else { return Granted::Unknown };
        let whole = match self.of_principal.get(holder.principal.0) {
            Some(known) => *known.get_or_init(|| self.latest_of_principal(graph, holder.principal)),
            None => None,
        };
        // By the path with the oldest grant the holder has had the permission for longest.
        let by_path = |path: &Path| self.latest_by_path(graph, policy, holder.principal, *path).max(whole);
        let is_whole = self.is_dated && history.to >= times.generated_at && self.covers_details;
        let written = holder.paths.iter().map(by_path).min().flatten();
        // A late write is proof, wherever the history ends. Silence is none after its end, nor after an early write.
        match written.filter(|time| is_whole || times.observed.since(*time) < settings.min_idle()) {
            Some(time) => Granted::At(time),
            None if !is_whole => Granted::Unknown,
            None if times.observed.since(history.from) + TOLERANCE >= settings.min_idle() => Granted::LongAgo,
            None => Granted::Unknown,
        }
    }

    /// The latest write that may have changed what any of the principal's policies lets it do.
    fn latest_of_principal(&self, graph: &Graph<'_>, id: PrincipalId) -> Option<UnixTime> {
        let account = graph.account();
        let principal = account.principals.get(id.0)?;
        let kind = kind_of_principal(principal);
        let own = self.events_of(kind, &principal.name).filter(|event| changes_all(event)).map(|event| event.time);
        let groups = principal.groups.iter().flat_map(|group| self.events_of(GROUP, group));
        let groups = groups.filter(|event| changes_all(event) && event.name != "RemoveUserFromGroup");
        // A version that dropped a Deny, or a boundary that was opened, lets through what other policies allow.
        let held = graph.policies_of(id).into_iter().filter_map(|policy| graph.policy(policy)?.managed());
        let denying = held.filter(|managed| self.may_have_denied(managed)).map(|managed| &managed.arn);
        // Whatever was not read may have had a Deny.
        let missing = attached(account, principal).filter(|arn| account.policy(arn).is_none());
        let versions = denying.chain(&principal.boundary).chain(missing).map(|arn| self.version_events(arn));
        let versions = versions.filter_map(|events| events.made.max(events.chosen));
        let unnamed = self.unnamed.get(&kind).copied();
        let beside = self.beside(graph, id, principal);
        let federated = self.federated(account, principal);
        own.chain(groups.map(|event| event.time)).chain(versions).chain(unnamed).chain(beside).chain(federated).max()
    }

    /// The latest call about identity providers that may have let somebody use the role who could not, if it may trust any.
    fn federated(&self, account: &Account, role: &Principal) -> Option<UnixTime> {
        if role.kind != PrincipalKind::Role || self.federation.is_empty() {
            return None;
        }
        let trusts =
            role.trust.as_ref().is_none_or(|trust| trust.policy().is_none() || may_trust_providers(trust.text()));
        let counts = |event: &&&GrantEvent| trusts && !credentials::were_there(account, role, event);
        self.federation.iter().filter(counts).map(|event| event.time).max()
    }

    /// The latest call that changed no policy, and that the principal's permissions may have waited for.
    fn beside(&self, graph: &Graph<'_>, id: PrincipalId, principal: &Principal) -> Option<UnixTime> {
        let account = graph.account();
        let own = self.beside.get(&(kind_of_principal(principal), principal.name.to_ascii_lowercase()))?;
        let boundary = principal.boundary.as_ref().and_then(|arn| account.policy(arn)).map(PolicyRef::Managed);
        let held = graph.policies_of(id).into_iter().filter_map(|policy| graph.policy(policy)).chain(boundary);
        // A policy that was not read may depend on anything.
        let has_terms = LazyCell::new(|| {
            let is_unread = |arn: &Arn| account.policy(arn).is_none();
            graph.is_dangling(id)
                || principal.boundary.as_ref().is_some_and(is_unread)
                || held
                    .into_iter()
                    .any(|policy| policy.document().is_none_or(|document| may_depend_on_who(document.text())))
        });
        let counts = |event: &&&GrantEvent| match Bearing::of(&event.name) {
            Bearing::Terms => *has_terms,
            Bearing::Credentials => !credentials::were_there(account, principal, event),
            Bearing::Permissions | Bearing::Federation | Bearing::Nothing => false,
        };
        own.iter().filter(counts).map(|event| event.time).max()
    }

    /// The latest write that can have granted the policy by this path.
    fn latest_by_path(&self, graph: &Graph<'_>, policy: PolicyId, id: PrincipalId, path: Path) -> Option<UnixTime> {
        let account = graph.account();
        let (kind, name) = match path {
            Path::Direct => {
                let principal = account.principals.get(id.0)?;
                (kind_of_principal(principal), principal.name.as_str())
            }
            Path::Group(group) => (GROUP, account.groups.get(group)?.name.as_str()),
        };
        let reference = graph.policy(policy);
        let owner = self.events_of(kind, name).filter(|event| is_about(event, reference)).map(|event| event.time);
        let unnamed = self.unnamed.get(&kind).copied();
        let membership = match path {
            Path::Direct => None,
            Path::Group(group) => self.joined(account, id, group),
        };
        owner.chain(unnamed).chain(membership).max()
    }

    /// When a policy that the principal holds last let go a Deny, as far as the versions of the policies tell.
    pub(super) fn deny_lifted(&self, graph: &Graph<'_>, id: PrincipalId) -> Option<UnixTime> {
        let find = || {
            let held = graph.policies_of(id).into_iter().filter_map(|policy| graph.policy(policy)?.managed());
            held.filter_map(lifted::deny_lifted).max()
        };
        self.deny_lifted.get(id.0).map_or_else(find, |known| *known.get_or_init(find))
    }

    /// The calls that made, chose or deleted a version of the policy.
    pub(super) fn version_events(&self, policy: &Arn) -> VersionEvents {
        let own = self.by_policy.get(&folded(policy)).copied().unwrap_or_default();
        VersionEvents { chosen: own.chosen.max(self.unnamed.get(&POLICY).copied()), ..own }
    }

    /// Whether a version of the policy denies something, or one that is gone may have.
    fn may_have_denied(&self, policy: &ManagedPolicy) -> bool {
        let denies = |version: &PolicyVersion| {
            version.document.as_ref().is_none_or(|document| document.policy().is_none_or(PolicyDocument::has_deny))
        };
        let is_whole = policy.versions.iter().any(|version| version.id == "v1") && is_without_gap(policy);
        policy.versions.iter().any(denies) || !is_whole || self.version_events(&policy.arn).has_deleted
    }

    /// When the user was added to the group.
    fn joined(&self, account: &Account, id: PrincipalId, group: usize) -> Option<UnixTime> {
        let user = account.principals.get(id.0)?;
        let group = account.groups.get(group)?;
        let is_group =
            |event: &&&GrantEvent| event.group_name.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(&group.name));
        let joins = self.events_of(USER, &user.name).filter(|event| event.name == "AddUserToGroup");
        joins.filter(is_group).map(|event| event.time).max()
    }

    fn events_of(&self, kind: char, name: &str) -> impl Iterator<Item = &&'a GrantEvent> {
        self.by_entity.get(&(kind, name.to_ascii_lowercase())).into_iter().flatten()
    }
}

/// Whether the span of a history makes sense at `now`.
pub(crate) fn is_dated(history: &GrantHistory, now: UnixTime) -> bool {
    history.from.is_possible() && history.from <= history.to && history.to <= now.plus(DAY)
}

/// Until when the history must reach, to say anything of what the authorization details show.
pub(crate) fn details_at(account: &Account) -> Option<UnixTime> {
    account.details_at.or_else(|| account.finished_at.map(|finished| finished.plus(-READING)))
}

fn known_names(account: &Account) -> HashSet<(char, String)> {
    let principals =
        account.principals.iter().map(|principal| (kind_of_principal(principal), principal.name.to_ascii_lowercase()));
    // Groups that were not read have members all the same.
    let groups = account.groups.iter().map(|group| &group.name);
    let groups = groups.chain(account.principals.iter().flat_map(|principal| &principal.groups));
    principals.chain(groups.map(|name| (GROUP, name.to_ascii_lowercase()))).collect()
}

/// The managed policies that a principal holds, directly and by its groups.
fn attached<'a>(account: &'a Account, principal: &'a Principal) -> impl Iterator<Item = &'a Arn> {
    let is_member = |group: &&Group| principal.groups.iter().any(|name| name.eq_ignore_ascii_case(&group.name));
    principal.attached.iter().chain(account.groups.iter().filter(is_member).flat_map(|group| &group.attached))
}

fn kind_of_principal(principal: &Principal) -> char {
    match principal.kind {
        PrincipalKind::User => USER,
        PrincipalKind::Role => ROLE,
    }
}

/// IAM takes the names of policies without regard to case, and an event has the ARN as it was asked with.
fn folded(arn: &Arn) -> String {
    arn.as_str().to_ascii_lowercase()
}

/// What a call is about, by its name.
fn kind_of(name: &str) -> Option<char> {
    match name {
        "CreatePolicy" | "CreatePolicyVersion" | "SetDefaultPolicyVersion" => Some(POLICY),
        "AddUserToGroup" | "RemoveUserFromGroup" => Some(USER),
        _ if name.contains("UserPolicy") || name.contains("UserPermissionsBoundary") || name == "UpdateUser" => {
            Some(USER)
        }
        _ if name.contains("RolePolicy") || name.contains("RolePermissionsBoundary") || name == "UpdateRole" => {
            Some(ROLE)
        }
        _ if name.contains("GroupPolicy") || name == "UpdateGroup" => Some(GROUP),
        _ => None,
    }
}

/// Whether the call may have changed what all of the entity's policies let it do: any but attaching another policy, which
/// can only add, or joining a group.
fn changes_all(event: &GrantEvent) -> bool {
    !(event.name.starts_with("Attach") || event.name == "AddUserToGroup")
}

/// Whether the call can have granted this very policy to the entity that it names.
fn is_about(event: &GrantEvent, policy: Option<PolicyRef<'_>>) -> bool {
    match (event.name.as_str(), policy) {
        ("AttachUserPolicy" | "AttachRolePolicy" | "AttachGroupPolicy", Some(PolicyRef::Managed(managed))) => {
            event.policy_arn.as_ref().is_none_or(|arn| folded(arn) == folded(&managed.arn))
        }
        ("AttachUserPolicy" | "AttachRolePolicy" | "AttachGroupPolicy", _) => false,
        // Somebody else's membership does not change what the group grants.
        ("AddUserToGroup" | "RemoveUserFromGroup", _) => false,
        _ => true,
    }
}
