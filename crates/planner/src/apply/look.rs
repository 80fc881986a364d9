//! Where a step stands in AWS: still before it, after it, or somewhere else.

use std::collections::BTreeSet;
use std::time::Duration;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::fingerprint;
use secateur_analyzer::time::UnixTime;

use super::cloud::{CallError, EntityKind, EntityRef, LivePolicy, Reads, Wrote};
use super::engine::Clock;
use super::identity;
use super::journal::{History, Progress};
use super::step::{Effect, Step, VersionRef};
use super::surroundings::in_force;

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// What the step starts from is there.
    Before,
    /// What the step leads to is there; with what is known of it.
    After(Wrote),
    /// Neither.
    Other(String),
    /// Who bears the policy or the key, has the policy attached, or is to have it, is no more, or the key itself: nothing can be given
    /// to them, and they have lost nothing.
    Gone(String),
}

/// Reads where a step of a journal, or of a proposal whose history is empty, stands.
///
/// # Errors
/// When AWS does not answer.
pub fn look(reads: &impl Reads, history: &History, at: usize) -> Result<Stand, CallError> {
    let Some(step) = history.steps().get(at) else { return Ok(Stand::Other("there is no such step".to_owned())) };
    match &step.effect {
        Effect::PutInline { entity, policy, before, after } => {
            let live = match inline(reads, step, entity, policy)? {
                Ok(live) => live,
                Err(other) => return Ok(other),
            };
            Ok(between(live.as_deref(), before.as_deref(), Some(after)))
        }
        Effect::DeleteInline { entity, policy, before } => {
            let live = match inline(reads, step, entity, policy)? {
                Ok(live) => live,
                Err(other) => return Ok(other),
            };
            Ok(between(live.as_deref(), Some(before), None))
        }
        Effect::CreateVersion { policy, document } => {
            let known = history.version(&VersionRef::CreatedBy(at));
            let own = others_created(history, at, policy);
            create_version(reads, step, policy, document, (known.as_deref(), &own))
        }
        Effect::DeleteVersion { policy, version } => {
            let live = match managed(reads, step.unique_id.as_deref(), policy)? {
                Ok(live) => live,
                Err(other) => return Ok(other),
            };
            let Some(id) = history.version(&version.version) else { return Ok(other("its version is not known")) };
            if !live.versions.contains(&id) {
                return Ok(Stand::After(Wrote::default()));
            }
            if live.default_version == id {
                return Ok(other(format!("{id} is in force")));
            }
            is_version(reads, policy, &id, &version.document)
        }
        Effect::SetDefault { policy, from, to } => {
            let live = match managed(reads, step.unique_id.as_deref(), policy)? {
                Ok(live) => live,
                Err(other) => return Ok(other),
            };
            let Some(to_id) = history.version(&to.version) else { return Ok(other("the new version is not known")) };
            let from_id = history.version(&from.version).unwrap_or_default();
            let (id, document, is_after) = if live.default_version == to_id {
                (&to_id, &to.document, true)
            } else if live.default_version == from_id {
                (&from_id, &from.document, false)
            } else {
                return Ok(other(format!("{} is in force, set by somebody else", live.default_version)));
            };
            if !is_after && !live.versions.contains(&to_id) {
                return Ok(other(format!("{to_id} is gone")));
            }
            // What comes into force is looked at before it does, and not only behind it.
            if !is_after && let Stand::Other(why) = is_version(reads, policy, &to_id, &to.document)? {
                return Ok(Stand::Other(why));
            }
            Ok(match (is_version(reads, policy, id, document)?, is_after) {
                (Stand::Before, true) => Stand::After(Wrote::default()),
                (stand, _) => stand,
            })
        }
        Effect::CreatePolicy { policy, document, .. } => {
            let Some(live) = reads.policy(policy)? else { return Ok(Stand::Before) };
            if let Progress::Done { wrote, .. } | Progress::Skipped { found: wrote, .. } = history.progress(at)
                && let Some(own) = &wrote.unique_id
                && *own != live.unique_id
            {
                return Ok(other("the policy was deleted and made again"));
            }
            let Stand::Before = is_version(reads, policy, &live.default_version, document)? else {
                return Ok(other("there is a policy of that name, with other content"));
            };
            Ok(Stand::After(Wrote { unique_id: Some(live.unique_id), ..Wrote::default() }))
        }
        Effect::DeletePolicy { policy, document, .. } => delete_policy(reads, step, policy, document),
        Effect::Attach { entity, policy } => attachment(reads, (history, step), (entity, policy), true),
        Effect::Detach { entity, policy } => attachment(reads, (history, step), (entity, policy), false),
        Effect::SetKey { user, key, created, active } => {
            let owner = EntityRef { kind: EntityKind::User, name: user.clone() };
            let other_owner = other_entity(reads, step, &owner)?;
            if let Some(gone @ Stand::Gone(_)) = other_owner {
                return Ok(gone);
            }
            // AWS makes no key of that id again: nobody can use it, and nobody can get it back, whoever has the user's name now.
            let Some(live) = reads.key(user, key)? else {
                return Ok(Stand::Gone(format!("access key {key} of {owner} is gone")));
            };
            if let Some(other) = other_owner {
                return Ok(other);
            }
            if live.created != Some(*created) {
                return Ok(other("the key was created at another time"));
            }
            Ok(match (live.status.as_str(), active) {
                ("Active", true) | ("Inactive", false) => Stand::After(Wrote::default()),
                ("Active", false) | ("Inactive", true) => Stand::Before,
                (status, _) => other(format!("the key is {status}")),
            })
        }
    }
}

/// Whether a step of what is gone is passed over. Of what those bear who are gone it is so where somebody has seen that; a key that
/// is gone is of no use to anybody, and nothing rests on it.
pub(super) fn is_passed(step: &Step, gone: &BTreeSet<EntityRef>) -> bool {
    step.is_of(gone) || matches!(step.effect, Effect::SetKey { .. })
}

/// Reads where a step stands; one that was just made may not show yet.
pub(super) fn settled(
    reads: &impl Reads,
    clock: &impl Clock,
    settle: i64,
    history: &History,
    at: usize,
    since: UnixTime,
) -> Result<Stand, CallError> {
    let mut failures = 0;
    loop {
        let is_late = clock.now().since(since) >= settle;
        match look(reads, history, at) {
            Ok(stand @ Stand::After(_)) => return Ok(stand),
            Ok(stand) if is_late => return Ok(stand),
            Ok(_) => clock.sleep(Duration::from_millis(500)),
            Err(error @ CallError::Refused { .. }) => return Err(error),
            Err(error) if failures >= 6 => return Err(error),
            Err(_) => {
                failures += 1;
                clock.sleep(Duration::from_millis(500));
            }
        }
    }
}

/// Reads where a step stands that was done, and was perhaps taken back: that may not show yet.
pub(super) fn taken_back(
    reads: &impl Reads,
    clock: &impl Clock,
    settle: i64,
    history: &History,
    at: usize,
    since: UnixTime,
) -> Result<Stand, CallError> {
    loop {
        let is_late = clock.now().since(since) >= settle;
        let stand = settled(reads, clock, 0, history, at, since)?;
        if is_late || !matches!(stand, Stand::After(_)) {
            return Ok(stand);
        }
        clock.sleep(Duration::from_millis(500));
    }
}

fn other(detail: impl Into<String>) -> Stand {
    Stand::Other(detail.into())
}

fn same(a: &str, b: &str) -> bool {
    a == b || fingerprint(a) == fingerprint(b)
}

fn between(live: Option<&str>, before: Option<&str>, after: Option<&str>) -> Stand {
    let is = |expected: Option<&str>| match (live, expected) {
        (Some(live), Some(expected)) => same(live, expected),
        (None, None) => true,
        _ => false,
    };
    if is(after) {
        Stand::After(Wrote::default())
    } else if is(before) {
        Stand::Before
    } else {
        match live {
            None => other("it is gone"),
            Some(live) => other(format!("its document is another: {}", fingerprint(live))),
        }
    }
}

/// An inline policy, of the very entity that is meant.
fn inline(
    reads: &impl Reads,
    step: &Step,
    entity: &EntityRef,
    policy: &str,
) -> Result<Result<Option<String>, Stand>, CallError> {
    match other_entity(reads, step, entity)? {
        Some(other) => Ok(Err(other)),
        None => reads.inline(entity, policy).map(Ok),
    }
}

/// What is wrong with an entity: it is gone, or another one of its name.
fn other_entity(reads: &impl Reads, step: &Step, entity: &EntityRef) -> Result<Option<Stand>, CallError> {
    Ok(match (reads.entity(entity)?, &step.unique_id) {
        (None, _) => Some(Stand::Gone(format!("{entity} is gone"))),
        (Some(live), Some(expected)) if live != *expected => Some(other(made_again(entity, &live, expected))),
        _ => None,
    })
}

fn made_again(entity: &EntityRef, live: &str, expected: &str) -> String {
    format!("{entity} was deleted and made again: it is {live}, and was {expected}")
}

fn managed(reads: &impl Reads, id: Option<&str>, policy: &Arn) -> Result<Result<LivePolicy, Stand>, CallError> {
    let live = reads.policy(policy)?;
    if let Some(why) = identity::other_than(live.as_ref(), id) {
        return Ok(Err(other(why)));
    }
    Ok(live.ok_or_else(|| other("the policy is gone")))
}

/// Whether a version has that document: `Before` where it has.
fn is_version(reads: &impl Reads, policy: &Arn, id: &str, document: &str) -> Result<Stand, CallError> {
    Ok(match reads.version(policy, id)? {
        Some(live) if same(&live, document) => Stand::Before,
        Some(live) => other(format!("the document of {id} is another: {}", fingerprint(&live))),
        None => other(format!("{id} is gone")),
    })
}

/// The versions of a policy that other steps of the journal created.
fn others_created(history: &History, at: usize, policy: &Arn) -> Vec<String> {
    let others = history.steps().iter().enumerate().filter(|(other, _)| *other != at);
    let created = others.filter(|(_, step)| match &step.effect {
        Effect::CreateVersion { policy: own, .. } => own == policy,
        _ => false,
    });
    created.filter_map(|(other, _)| history.version(&VersionRef::CreatedBy(other))).collect()
}

/// What is there beside the versions that were there before is the one that was created, if it has its document.
fn create_version(
    reads: &impl Reads,
    step: &Step,
    policy: &Arn,
    document: &str,
    (known, own): (Option<&str>, &[String]),
) -> Result<Stand, CallError> {
    let live = match managed(reads, step.unique_id.as_deref(), policy)? {
        Ok(live) => live,
        Err(other) => return Ok(other),
    };
    // One that is known to be created is there, or gone again; whatever became of the others.
    if let Some(id) = known {
        return Ok(match live.versions.iter().any(|own| own == id) {
            true => match is_version(reads, policy, id, document)? {
                Stand::Before => Stand::After(Wrote { version: Some(id.to_owned()), ..Wrote::default() }),
                other => other,
            },
            false => Stand::Before,
        });
    }
    if let Some(gone) = step.versions.iter().find(|id| !live.versions.contains(id)) {
        return Ok(other(format!("{gone} is gone")));
    }
    let new: Vec<&String> =
        live.versions.iter().filter(|id| !step.versions.contains(id) && !own.contains(id)).collect();
    // A call whose answer was lost may show late, beside the one that was made after it: both are our own.
    let number = |id: &str| id.strip_prefix('v').and_then(|number| number.parse::<u64>().ok());
    let Some(newest) = new.iter().max_by_key(|id| number(id)) else { return Ok(Stand::Before) };
    for id in &new {
        if is_version(reads, policy, id, document)? != Stand::Before {
            return Ok(other(format!("somebody else created {id}")));
        }
        if live.default_version == ***id {
            return Ok(other(format!("{id} is already in force")));
        }
    }
    Ok(Stand::After(Wrote { version: Some((*newest).clone()), ..Wrote::default() }))
}

fn delete_policy(reads: &impl Reads, step: &Step, policy: &Arn, document: &str) -> Result<Stand, CallError> {
    if reads.policy(policy)?.is_none() {
        return Ok(Stand::After(Wrote::default()));
    }
    let live = match managed(reads, step.unique_id.as_deref(), policy)? {
        Ok(live) => live,
        Err(other) => return Ok(other),
    };
    if live.boundary_count > 0 {
        return Ok(other("it has become a permissions boundary"));
    }
    if let Some(holder) = reads.attached_to(policy)?.first() {
        return Ok(other(format!("{} has it", holder.entity)));
    }
    if live.versions.len() != 1 {
        return Ok(other("it has got further versions"));
    }
    is_version(reads, policy, &live.default_version, document)
}

fn attachment(
    reads: &impl Reads,
    (history, step): (&History, &Step),
    (entity, policy): (&EntityRef, &Arn),
    attach: bool,
) -> Result<Stand, CallError> {
    let gone = || Stand::Gone(format!("{entity} is gone"));
    if let Some(expected) = &step.entity_id {
        match reads.entity(entity)? {
            None => return Ok(gone()),
            Some(live) if live != *expected => return Ok(other(made_again(entity, &live, expected))),
            Some(_) => {}
        }
    }
    let Some(attached) = reads.attached(entity)? else { return Ok(gone()) };
    let is_attached = attached.contains(policy);
    // What is not there is not there, whatever has its name now. A policy of AWS may be what it likes: it is detached, or attached again.
    if (attach || is_attached)
        && !policy.is_aws_managed_policy()
        && let Some(why) =
            identity::other_than(reads.policy(policy)?.as_ref(), identity::id_of(history, step, policy).as_deref())
    {
        return Ok(other(why));
    }
    Ok(if is_attached == attach { Stand::After(Wrote::default()) } else { Stand::Before })
}

/// Where a step stands for whoever takes it back: a policy that somebody has deleted since is attached to nobody, as before. It cannot
/// be attached all the same.
pub(super) fn to_undo(reads: &impl Reads, step: &Step, stand: Stand) -> Result<Stand, CallError> {
    let (Stand::Other(_), Effect::Attach { entity, policy }) = (&stand, &step.effect) else { return Ok(stand) };
    let is_meant = match &step.entity_id {
        Some(expected) => reads.entity(entity)?.as_ref() == Some(expected),
        None => true,
    };
    let is_deleted = is_meant && !policy.is_aws_managed_policy() && reads.policy(policy)?.is_none();
    Ok(if is_deleted { Stand::Before } else { stand })
}

/// Whether all that a journal did at an address, and with it, and that nobody took back, is there as it left it: nobody has changed it
/// since.
///
/// # Errors
/// When AWS does not answer.
pub fn is_as_left(reads: &impl Reads, history: &History, address: &str) -> Result<bool, CallError> {
    let at_address = history.steps().iter().filter(|step| step.address == address);
    let units: BTreeSet<&str> = at_address.map(|step| step.unit.as_str()).collect();
    for (at, _) in history.steps().iter().enumerate().filter(|(_, step)| units.contains(step.unit.as_str())) {
        let is_done = matches!(history.progress(at), Progress::Done { .. }) && !history.is_taken_back(at);
        if is_done && !matches!(look(reads, history, at)?, Stand::After(_)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Says what has become of a step that is done, where it no longer stands: a later step of its unit must not rest on it. Nothing
/// rests on what those have who are gone, as far as that was seen.
///
/// # Errors
/// When AWS does not answer.
pub fn undone(
    reads: &impl Reads,
    history: &History,
    at: usize,
    gone: &BTreeSet<EntityRef>,
) -> Result<Option<String>, CallError> {
    let Some(step) = history.steps().get(at) else { return Ok(None) };
    let detail = match look(reads, history, at)? {
        Stand::After(_) => return Ok(None),
        Stand::Gone(_) if is_passed(step, gone) => return Ok(None),
        Stand::Before => "somebody else has undone it".to_owned(),
        Stand::Other(detail) | Stand::Gone(detail) => detail,
    };
    // Whoever put another version of the same text into force has changed nothing that anything rests on; whoever made the policy
    // again has: nobody has that one.
    if let Effect::SetDefault { policy, to, .. } = &step.effect
        && managed(reads, step.unique_id.as_deref(), policy)?.is_ok()
        && in_force(reads, policy)? == Some(fingerprint(&to.document))
    {
        return Ok(None);
    }
    Ok(Some(format!("it rests on what was done before, which no longer stands: {}: {detail}", step.effect)))
}
