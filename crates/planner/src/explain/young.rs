//! Since when use would have been seen, and why only since then.

use secateur_analyzer::account::{Account, GrantEvent, ManagedPolicy, Principal, PrincipalKind};
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::graph::{Holder, PolicyId};
use secateur_analyzer::time::UnixTime;

/// Why use would have been seen since a certain time only.
pub(super) struct Young {
    /// The cause, in words.
    pub cause: String,
    /// What would change it other than the time that passes; none where that time stands still.
    pub instead: Option<&'static str>,
}

/// Returns what is of just that time: what a reader can look at. Nothing when nothing is.
pub(super) fn cause(
    analysis: &Analysis<'_>,
    (policy, holder): (PolicyId, &Holder),
    since: UnixTime,
    observed: Option<UnixTime>,
) -> Option<Young> {
    let account = analysis.inputs().account;
    let own = account.principals.get(holder.principal.0)?;
    let day = since.date();
    let dated = |cause: String| Some(Young { cause, instead: None });
    if own.created == Some(since) {
        return dated(format!("{} was created on {day}", own.address()));
    }
    let boundary = own.boundary.as_ref().map(|arn| (arn, account.policy(arn).and_then(ManagedPolicy::default)));
    if let Some((arn, version)) = boundary
        && version.is_some_and(|version| version.created == Some(since))
    {
        return dated(format!("its permissions boundary {arn} has stood as it is since {day} only"));
    }
    let reference = analysis.graph().policy(policy);
    let managed = reference.and_then(|policy| policy.managed());
    if let Some(version) = managed.and_then(|managed| version_of(managed, since)) {
        return dated(format!("version {version} of the policy is of {day}"));
    }
    let events = account.grants.iter().flat_map(|history| &history.events);
    let mut events = events.into_iter().filter(|event| event.time == since);
    if let Some(event) = events.find(|event| may_concern(event, account, own, managed)) {
        return dated(format!("the event history has {} on {day}", event.name));
    }
    let others = attached(analysis, own).find_map(|other| Some((other, version_of(other, since)?)));
    if let Some((other, version)) = others {
        let address = format!("policy/{}", other.name);
        return dated(format!(
            "{address}, which the principal has too, may have denied it before its version {version} of {day}"
        ));
    }
    if analysis.regions().tracking_start == since {
        return dated(format!("AWS reports use in all Regions since {day} only"));
    }
    // What is of the time that the report sees is of none: the next report would have another.
    if observed.is_some_and(|observed| since >= observed) {
        let (cause, instead) = match boundary {
            _ if own.created.is_none() => {
                ("the snapshot does not say when the principal was created", "a snapshot that says when it was created")
            }
            Some((_, version)) if version.is_none_or(|version| version.created.is_none()) => (
                "the snapshot does not have its permissions boundary, which may be of today",
                "a snapshot that has the policy that is its permissions boundary",
            ),
            _ => ("nothing in the snapshot tells since when it is as it is", "a snapshot that tells, or an older one"),
        };
        return Some(Young { cause: cause.to_owned(), instead: Some(instead) });
    }
    None
}

/// Whether a call names the principal, a group or a policy of it; or nobody, or by another name somebody who was renamed.
fn may_concern(event: &GrantEvent, account: &Account, own: &Principal, managed: Option<&ManagedPolicy>) -> bool {
    let is = |name: &str, said: &Option<String>| said.as_ref().is_some_and(|said| said.eq_ignore_ascii_case(name));
    let is_of_own = match own.kind {
        PrincipalKind::User => is(&own.name, &event.user_name),
        PrincipalKind::Role => is(&own.name, &event.role_name),
    };
    let is_member = |group: &str| own.groups.iter().any(|name| name.eq_ignore_ascii_case(group));
    // Who else joined a group changes nothing for its members.
    let is_of_group = event.group_name.as_deref().is_some_and(is_member) && event.user_name.is_none();
    let names_nobody = event.user_name.is_none() && event.role_name.is_none() && event.group_name.is_none();
    let of_groups = account.groups.iter().filter(|group| is_member(&group.name)).flat_map(|group| &group.attached);
    let mut held = of_groups.chain(managed.map(|managed| &managed.arn)).chain(&own.attached).chain(&own.boundary);
    let is_of_policy = match &event.policy_arn {
        Some(arn) => names_nobody && held.any(|other| other.as_str().eq_ignore_ascii_case(arn.as_str())),
        None => names_nobody,
    };
    let is_there = |other: &Principal| match other.kind {
        PrincipalKind::User => is(&other.name, &event.user_name),
        PrincipalKind::Role => is(&other.name, &event.role_name),
    };
    let is_renamed = || {
        event.name.starts_with("Update")
            && !account.principals.iter().any(is_there)
            && !account.groups.iter().any(|group| is(&group.name, &event.group_name))
    };
    is_of_own || is_of_group || is_of_policy || is_renamed()
}

fn version_of(policy: &ManagedPolicy, created: UnixTime) -> Option<&str> {
    let version = policy.versions.iter().find(|version| version.created == Some(created));
    version.map(|version| version.id.as_str())
}

/// The managed policies of a principal, by whatever way it has them.
fn attached<'a>(analysis: &Analysis<'a>, own: &'a Principal) -> impl Iterator<Item = &'a ManagedPolicy> {
    let account = analysis.inputs().account;
    let of_groups = account.groups.iter().filter(|group| own.groups.contains(&group.name));
    let all = own.attached.iter().chain(of_groups.flat_map(|group| &group.attached));
    all.filter_map(|arn| account.policy(arn))
}
