//! The way back: the inverse of what a journal says was done, and the way on with a journal that is open.

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::arn::Arn;
use secateur_analyzer::time::UnixTime;

use super::approval::{Origin, Proposal, Proved};
use super::cloud::{CallError, EntityRef, Reads, Wrote};
use super::derive::DeriveError;
use super::engine::Clock;
use super::journal::{History, Progress};
use super::look::{Stand, look};
use super::step::{Effect, Step, Version, VersionRef, digest_of};
use crate::plan::Change;

/// A step that needs no way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The address of its change.
    pub address: String,
    /// Why.
    pub detail: String,
}

/// A way back.
#[derive(Clone, Debug)]
pub struct Rollback {
    /// What is proposed, with a digest of its own.
    pub proposal: Proposal,
    /// What needs no way back.
    pub kept: Vec<Kept>,
    /// Whether everything that the journal did is taken back.
    pub is_whole: bool,
}

/// Why there is no way back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RollbackError {
    /// Something is neither what the journal left nor what was there before.
    #[error("{} is neither what it was before nor what the journal left", .0.first().map_or("something", |kept| kept.address.as_str()))]
    Drifted(Vec<Kept>),
    /// AWS does not answer.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Plans the way back from a journal for the steps that `wants` names; units are taken whole.
///
/// # Errors
/// When AWS does not answer, or a target is neither what the journal left nor what was there before.
pub fn rollback(
    reads: &impl Reads,
    clock: &impl Clock,
    settle: i64,
    history: &History,
    wants: impl Fn(&Step) -> bool,
) -> Result<Rollback, RollbackError> {
    let wanted: BTreeSet<&str> =
        history.steps().iter().filter(|step| wants(step)).map(|step| step.unit.as_str()).collect();
    // First what may be done, or not: later steps may depend on it.
    let mut known = history.clone();
    let pending = (0..history.steps().len()).find_map(|at| match history.progress(at) {
        Progress::Intended { at: since } => Some((at, *since)),
        _ => None,
    });
    if let Some((at, since)) = pending.or_else(|| history.may_have_begun().map(|at| (at, history.last_at()))) {
        match settled(reads, clock, settle, history, at, since)? {
            Stand::After(wrote) => known.settle(at, Progress::Done { at: since, wrote }),
            Stand::Before => known.settle(at, Progress::Open),
            // Somebody else has been there; so they have if it was never done.
            Stand::Other(_) if pending.is_none() => {}
            Stand::Other(_) => known.settle(at, Progress::Done { at: since, wrote: Wrote::default() }),
        }
    }
    let history = &known;
    let mut way = Way { history, reads, steps: Vec::new(), kept: Vec::new(), drifted: Vec::new() };
    let mut is_whole = true;
    for (at, step) in history.steps().iter().enumerate().rev() {
        let Progress::Done { at: since, .. } = history.progress(at) else { continue };
        if !wanted.contains(step.unit.as_str()) {
            is_whole = false;
            continue;
        }
        let stand = settled(reads, clock, settle, history, at, *since)?;
        way.take(at, step, stand)?;
    }
    if !way.drifted.is_empty() {
        return Err(RollbackError::Drifted(way.drifted));
    }
    let begin = history.begin();
    let origin = Origin::Rollback { journal: begin.id.clone(), head: history.head(), whole: is_whole };
    let proposal = Proposal { origin, destination: begin.destination.clone(), steps: way.steps };
    Ok(Rollback { proposal, kept: way.kept, is_whole })
}

/// Reads where a step stands; one that was just made may not show yet.
fn settled(
    reads: &impl Reads,
    clock: &impl Clock,
    settle: i64,
    history: &History,
    at: usize,
    since: UnixTime,
) -> Result<Stand, CallError> {
    let mut failures = 0;
    loop {
        match look(reads, history, at) {
            Ok(stand @ Stand::After(_)) => return Ok(stand),
            Ok(stand) if clock.now().since(since) >= settle => return Ok(stand),
            Ok(_) => clock.sleep(std::time::Duration::from_millis(500)),
            Err(error @ CallError::Refused { .. }) => return Err(error),
            Err(error) if failures >= 6 => return Err(error),
            Err(_) => {
                failures += 1;
                clock.sleep(std::time::Duration::from_millis(500));
            }
        }
    }
}

struct Way<'a, R> {
    history: &'a History,
    reads: &'a R,
    steps: Vec<Step>,
    kept: Vec<Kept>,
    drifted: Vec<Kept>,
}

impl<R: Reads> Way<'_, R> {
    fn take(&mut self, at: usize, step: &Step, stand: Stand) -> Result<(), CallError> {
        let wrote = match stand {
            Stand::After(wrote) => wrote,
            Stand::Before => {
                let detail = format!("{}: was not done, or is as before again", step.effect);
                self.kept.push(Kept { address: step.address.clone(), detail });
                return Ok(());
            }
            Stand::Other(detail) => {
                let detail = format!("{}: {detail}", step.effect);
                self.drifted.push(Kept { address: step.address.clone(), detail });
                return Ok(());
            }
        };
        let back = |effect| Step { effect, expects: None, versions: Vec::new(), ..step.clone() };
        match step.effect.clone() {
            Effect::PutInline { entity, policy, before: Some(before), after } => {
                let effect = Effect::PutInline { entity, policy, before: Some(after), after: before };
                self.steps.push(back(effect));
            }
            Effect::PutInline { entity, policy, before: None, after } => {
                self.steps.push(back(Effect::DeleteInline { entity, policy, before: after }));
            }
            Effect::DeleteInline { entity, policy, before } => {
                self.steps.push(back(Effect::PutInline { entity, policy, before: None, after: before }));
            }
            Effect::SetDefault { policy, from, to } => self.set_default(step, policy, &from, &to)?,
            Effect::CreateVersion { policy, document } => {
                let id = self.history.version(&VersionRef::CreatedBy(at)).or(wrote.version).unwrap_or_default();
                let version = Version { version: VersionRef::Id(id), document };
                self.steps.push(back(Effect::DeleteVersion { policy, version }));
            }
            Effect::DeleteVersion { policy, version } => {
                let live = self.reads.policy(&policy)?;
                let gone: BTreeSet<String> = (self.steps.iter())
                    .filter_map(|step| match &step.effect {
                        Effect::DeleteVersion { policy: own, version } if *own == policy => Some(&version.version),
                        _ => None,
                    })
                    .filter_map(|version| self.history.version(version))
                    .collect();
                let mut versions = live.map(|live| live.versions).unwrap_or_default();
                versions.retain(|id| !gone.contains(id));
                let effect = Effect::CreateVersion { policy, document: version.document };
                self.steps.push(Step { versions, ..back(effect) });
            }
            Effect::CreatePolicy { policy, name, document } => {
                self.refuse_foreign_attachments(step, &policy)?;
                let unique_id = wrote.unique_id;
                let effect = Effect::DeletePolicy { policy, name, document };
                self.steps.push(Step { unique_id, ..back(effect) });
            }
            Effect::DeletePolicy { policy, name, document } => {
                self.steps.push(Step { unique_id: None, ..back(Effect::CreatePolicy { policy, name, document }) });
            }
            Effect::Attach { entity, policy } => self.steps.push(back(Effect::Detach { entity, policy })),
            Effect::Detach { entity, policy } => {
                // What this rollback creates anew has another id.
                let is_anew = self.steps.iter().any(|step| match &step.effect {
                    Effect::CreatePolicy { policy: own, .. } => *own == policy,
                    _ => false,
                });
                let unique_id = match policy.is_aws_managed_policy() || is_anew {
                    true => None,
                    false => {
                        self.refuse_missing(step, &policy)?;
                        step.unique_id.clone()
                    }
                };
                self.steps.push(Step { unique_id, ..back(Effect::Attach { entity, policy }) });
            }
            Effect::SetKey { user, key, created, active } => {
                self.steps.push(back(Effect::SetKey { user, key, created, active: !active }));
            }
        }
        Ok(())
    }

    /// The version that was in force comes into force again; if it is gone, it is created anew.
    fn set_default(&mut self, step: &Step, policy: Arn, from: &Version, to: &Version) -> Result<(), CallError> {
        let resolved = |version: &Version| {
            let id = self.history.version(&version.version).unwrap_or_default();
            Version { version: VersionRef::Id(id), document: version.document.clone() }
        };
        let (from, to) = (resolved(from), resolved(to));
        let live = self.reads.policy(&policy)?;
        let versions = live.map(|live| live.versions).unwrap_or_default();
        let is_there = versions.iter().any(|id| VersionRef::Id(id.clone()) == from.version);
        let back = |effect, versions| Step { effect, expects: None, versions, ..step.clone() };
        // A version that this rollback creates anew is the one, where it has the document.
        let anew = self.steps.iter().position(|step| match &step.effect {
            Effect::CreateVersion { policy: own, document } => *own == policy && *document == from.document,
            _ => false,
        });
        let target = match (is_there, anew) {
            (true, _) => from,
            (false, Some(at)) => Version { version: VersionRef::CreatedBy(at), document: from.document },
            (false, None) => {
                let effect = Effect::CreateVersion { policy: policy.clone(), document: from.document.clone() };
                self.steps.push(back(effect, versions));
                Version { version: VersionRef::CreatedBy(self.steps.len() - 1), document: from.document }
            }
        };
        self.steps.push(back(Effect::SetDefault { policy, from: to, to: target }, Vec::new()));
        Ok(())
    }

    /// A policy that somebody else has deleted since, or made again, cannot be attached again.
    fn refuse_missing(&mut self, step: &Step, policy: &Arn) -> Result<(), CallError> {
        let live = self.reads.policy(policy)?;
        let is_there = live.is_some_and(|live| step.unique_id.as_ref().is_none_or(|own| *own == live.unique_id));
        if !is_there {
            let detail = format!("{}: the policy is gone, or another one of its name", step.effect);
            self.drifted.push(Kept { address: step.address.clone(), detail });
        }
        Ok(())
    }

    /// A policy that somebody else has attached since cannot go.
    fn refuse_foreign_attachments(&mut self, step: &Step, policy: &Arn) -> Result<(), CallError> {
        let own: BTreeSet<&EntityRef> = (self.history.steps().iter())
            .filter_map(|step| match &step.effect {
                Effect::Attach { entity, policy: own } if own == policy => Some(entity),
                _ => None,
            })
            .collect();
        let attached = self.reads.attached_to(policy)?;
        if let Some(foreign) = attached.iter().find(|live| !own.contains(&live.entity)) {
            let detail = format!("{}: {} has got it since, by somebody else", step.effect, foreign.entity);
            self.drifted.push(Kept { address: step.address.clone(), detail });
        }
        Ok(())
    }
}

/// Derives the steps of an open journal anew from its plan: what they are to write is what the plan, proved again, bears.
///
/// # Errors
/// When the journal is not of this plan, or has other steps than the plan gives.
pub fn resume_plan(history: &History, proved: &Proved<'_>) -> Result<Proposal, DeriveError> {
    let wrong = |detail: &str| DeriveError { address: "journal".to_owned(), detail: detail.to_owned() };
    if history.begin().origin != (Origin::Plan { digest: proved.plan().digest }) {
        return Err(wrong("it is of another plan"));
    }
    let addresses: BTreeSet<&str> = history.steps().iter().map(|step| step.address.as_str()).collect();
    let chosen: Vec<&Change> =
        proved.plan().changes.iter().filter(|change| addresses.contains(change.address.as_str())).collect();
    let mut evict = BTreeMap::new();
    for step in history.steps() {
        if let Effect::DeleteVersion { policy, version } = &step.effect {
            evict.insert(policy.clone(), version.clone());
        }
    }
    let proposal = Proposal::of_plan(proved, &chosen, &evict)?;
    match proposal.steps == history.steps() && proposal.destination == history.begin().destination {
        true => Ok(proposal),
        false => Err(wrong("its steps are not those of the plan: it was edited")),
    }
}

/// Returns the steps of an open rollback, to be approved again: their digest covers all that they write.
///
/// # Errors
/// When the journal is not of a rollback, or not the one that was approved.
pub fn resume_rollback(history: &History) -> Result<Proposal, DeriveError> {
    let wrong = |detail: &str| DeriveError { address: "journal".to_owned(), detail: detail.to_owned() };
    let begin = history.begin();
    if let Origin::Plan { .. } = begin.origin {
        return Err(wrong("it is not of a rollback"));
    }
    let proposal =
        Proposal { origin: begin.origin.clone(), destination: begin.destination.clone(), steps: begin.steps.clone() };
    match digest_of(&proposal) == begin.digest {
        true => Ok(proposal),
        false => Err(wrong("its steps are not those that were approved: it was edited")),
    }
}
