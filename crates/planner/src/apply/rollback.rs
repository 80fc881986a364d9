//! The way back: the inverse of what a journal says was done.

use std::collections::BTreeSet;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::{Sha256, fingerprint};

use super::approval::{Origin, Proposal};
use super::borne::{SLOTS, check_documents};
use super::cloud::{CallError, LivePolicy, Reads, Wrote};
use super::derive::DeriveError;
use super::engine::Clock;
use super::final_writes::taken_no_more;
use super::identity;
use super::inverse;
use super::journal::{History, Progress, State};
use super::look::{Stand, settled, taken_back, to_undo};
use super::standing::Standing;
use super::step::{Effect, Step, Version, VersionRef};
use super::surroundings::in_force;
use super::unseen::{Unseen, may_show_later};
use super::widened::widened;

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
    /// Who gets, by the way back, what they did not have: they have come since. Who loses it, where it takes away.
    pub widened: Vec<Kept>,
    /// What is not as it was before, and stays so: the journal never began it, or what it did cannot be taken from under it.
    pub standing: Vec<Kept>,
    /// Whether everything that the journal did is taken back.
    pub is_whole: bool,
    /// Whether everything that the journal did, or may still do, was wanted.
    pub is_all: bool,
    /// What the journal says, and of what was in doubt what was read.
    pub known: History,
}

/// Why there is no way back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RollbackError {
    /// Something is neither what the journal left nor what was there before.
    #[error("{} is neither what it was before nor what the journal left", .drifted.first().map_or("something", |kept| kept.address.as_str()))]
    Drifted {
        /// What is so.
        drifted: Vec<Kept>,
        /// The addresses of what was wanted too, and can be taken back without it.
        rest: Vec<String>,
    },
    /// AWS has answered that something is done, and reads do not show it: it may show once it counts as undone.
    #[error("AWS has answered that {} is done, and reads do not show it", .unseen.steps.first().map_or("something", |kept| kept.address.as_str()))]
    NotSeen {
        /// What is so.
        unseen: Unseen,
        /// The addresses of what was wanted too, and can be taken back without it.
        rest: Vec<String>,
    },
    /// AWS takes a document no more that would have to be put back.
    #[error("AWS takes no new document as that of {} was", .refused.first().map_or("something", |kept| kept.address.as_str()))]
    TakenNoMore {
        /// What is so.
        refused: Vec<Kept>,
        /// The addresses of what was wanted too, and can be taken back without it.
        rest: Vec<String>,
    },
    /// The journal bears what its own steps did not start from.
    #[error(transparent)]
    Edited(#[from] DeriveError),
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
    check_documents(history)?;
    let wanted: BTreeSet<&str> =
        history.steps().iter().filter(|step| wants(step)).map(|step| step.unit.as_str()).collect();
    // First what may be done, or not: later steps may depend on it.
    let mut known = history.clone();
    let mut not_done: Vec<usize> = Vec::new();
    let intended = |at: usize| match history.progress(at) {
        Progress::Intended { at: since } => Some((at, *since)),
        _ => None,
    };
    let pending = (0..history.steps().len()).filter_map(intended);
    // What a clock that was ahead wrote down is as of now: it is waited for, and no longer than for any other.
    let asked_at = clock.now();
    for (at, since) in pending {
        match settled(reads, clock, settle, history, at, since.min(asked_at))? {
            Stand::After(wrote) => known.settle(at, Progress::Done { at: since, wrote }),
            Stand::Before => {
                known.settle(at, Progress::Open);
                not_done.push(at);
            }
            // Somebody else has been there, after us.
            Stand::Other(_) | Stand::Gone(_) => {
                known.settle(at, Progress::Done { at: since, wrote: Wrote::default() });
            }
        }
    }
    for at in 0..history.steps().len() {
        let Some(since) = history.doubted_since(at) else { continue };
        match taken_back(reads, clock, settle, &known, at, since.min(asked_at))? {
            Stand::Before => {
                known.settle(at, Progress::Open);
                not_done.push(at);
            }
            Stand::After(_) | Stand::Other(_) | Stand::Gone(_) => {}
        }
    }
    let history = &known;
    let mut way = Way {
        history,
        reads,
        steps: Vec::new(),
        kept: Vec::new(),
        // What was in doubt, and is not done, was kept too.
        kept_steps: not_done,
        drifted: Vec::new(),
        unseen: Unseen::default(),
        lost: Vec::new(),
        lost_steps: Vec::new(),
    };
    let mut widens = Vec::new();
    let is_left = |at: usize, step: &Step| {
        let may_be_left = match history.progress(at) {
            Progress::Done { .. } | Progress::Intended { .. } => !history.is_taken_back(at),
            // As long as it is open, it may go on with what was not chosen.
            Progress::Open => *history.state() == State::Open,
            Progress::Skipped { .. } => false,
        };
        may_be_left && !wanted.contains(step.unit.as_str())
    };
    let is_all = !history.steps().iter().enumerate().any(|(at, step)| is_left(at, step));
    let standing = Standing::read(reads, clock, history, &wanted)?;
    for (at, step) in history.steps().iter().enumerate().rev() {
        let Progress::Done { at: since, .. } = history.progress(at) else { continue };
        if history.is_taken_back(at) || !wanted.contains(step.unit.as_str()) || standing.stays.contains(&at) {
            continue;
        }
        // When it ended, this did not show yet: it is waited for from now on, and what does not show then is no sign of somebody else.
        let is_unseen = may_show_later(history, at, *since, (settle, asked_at));
        let stand =
            settled(reads, clock, settle, history, at, if is_unseen { asked_at } else { asked_at.min(*since) })?;
        let stand = to_undo(reads, step, stand)?;
        if is_unseen && stand == Stand::Before {
            way.unseen.add(step, *since);
            continue;
        }
        if let Stand::After(_) = stand {
            let kept = |detail| Kept { address: step.address.clone(), detail };
            widens.extend(widened(reads, step)?.into_iter().map(kept));
        }
        way.take(at, step, stand)?;
    }
    way.refuse_unseen()?;
    way.refuse_full()?;
    way.refuse_crowded()?;
    way.refuse_broken(clock, settle, asked_at)?;
    way.refuse()?;
    let begin = history.begin();
    let is_whole = is_all && standing.stays.is_empty() && way.lost.is_empty();
    let (mut kept, mut left) = (way.kept_steps, way.lost_steps);
    left.extend(&standing.stays);
    kept.sort_unstable();
    kept.dedup();
    left.sort_unstable();
    let origin = Origin::Rollback { journal: begin.id.clone(), head: history.head(), whole: is_whole, kept, left };
    let proposal = Proposal { origin, destination: begin.destination.clone(), steps: way.steps };
    let mut standing = standing.told(history);
    standing.extend(way.lost);
    Ok(Rollback { proposal, kept: way.kept, widened: widens, standing, is_whole, is_all, known })
}

/// A way back, step by step.
pub(super) struct Way<'a, R> {
    pub(super) history: &'a History,
    pub(super) reads: &'a R,
    pub(super) steps: Vec<Step>,
    kept: Vec<Kept>,
    kept_steps: Vec<usize>,
    pub(super) drifted: Vec<Kept>,
    pub(super) unseen: Unseen,
    /// The versions that had made room, and for which there is none, or that AWS takes no more.
    lost: Vec<Kept>,
    /// Their steps.
    lost_steps: Vec<usize>,
}

impl<R: Reads> Way<'_, R> {
    fn take(&mut self, at: usize, step: &Step, stand: Stand) -> Result<(), CallError> {
        let wrote = match stand {
            Stand::After(wrote) => wrote,
            // AWS gives no version an id that another has had: what is read is not what is there, or the journal not what was written.
            Stand::Before if matches!(step.effect, Effect::DeleteVersion { .. }) => {
                self.drift(step, "the version that was deleted is there, and none comes back under its id");
                return Ok(());
            }
            Stand::Before => {
                if let Some(detail) = self.lost_since(at, step)? {
                    self.drift(step, &detail);
                    return Ok(());
                }
                let what = match self.history.is_unseen(at) {
                    true => "AWS answered that it is done, and reads do not show it: it is as before, or shows later",
                    false => "was not done, or is as before again",
                };
                let detail = format!("{}: {what}", step.effect);
                self.kept.push(Kept { address: step.address.clone(), detail });
                self.kept_steps.push(at);
                return Ok(());
            }
            Stand::Gone(detail) => {
                let what = match &step.effect {
                    Effect::Attach { .. }
                    | Effect::PutInline { before: None, .. }
                    | Effect::SetKey { active: true, .. } => "nothing is taken from it",
                    _ => "nothing is given back to it",
                };
                self.kept.push(Kept { address: step.address.clone(), detail: format!("{detail}: {what}") });
                self.kept_steps.push(at);
                return Ok(());
            }
            Stand::Other(detail) => {
                let detail = format!("{}: {detail}", step.effect);
                self.drifted.push(Kept { address: step.address.clone(), detail });
                return Ok(());
            }
        };
        let made = self.steps.len();
        let back = |effect| Step { effect, expects: None, versions: Vec::new(), beside: Vec::new(), ..step.clone() };
        match step.effect.clone() {
            Effect::PutInline { entity, policy, before: Some(before), after } => {
                let expects = Some(self.whom(&entity, None)?);
                let effect = Effect::PutInline { entity, policy, before: Some(after), after: before };
                self.steps.push(Step { expects, ..back(effect) });
            }
            Effect::PutInline { entity, policy, before: None, after } => {
                let expects = Some(self.whom(&entity, None)?);
                let effect = Effect::DeleteInline { entity, policy, before: after };
                self.steps.push(Step { expects, ..back(effect) });
            }
            Effect::DeleteInline { entity, policy, before } => {
                let expects = Some(self.whom(&entity, None)?);
                let effect = Effect::PutInline { entity, policy, before: None, after: before };
                self.steps.push(Step { expects, ..back(effect) });
            }
            Effect::SetDefault { policy, from, to } => self.set_default(step, policy, &from, &to)?,
            Effect::CreateVersion { policy, document } => {
                let id = self.history.version(&VersionRef::CreatedBy(at)).or(wrote.version).unwrap_or_default();
                let version = Version { version: VersionRef::Id(id), document };
                self.steps.push(back(Effect::DeleteVersion { policy, version }));
            }
            Effect::DeleteVersion { policy, version } => {
                let live = self.reads.policy(&policy)?;
                if let Some(why) = self.stays_away(&policy, &version, live.as_ref()) {
                    let detail = "it made room, and stays away";
                    let detail = format!("{}: {detail}: {why}; the journal has its document", step.effect);
                    self.lost.push(Kept { address: step.address.clone(), detail });
                    self.lost_steps.push(at);
                    return Ok(());
                }
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
                self.refuse_taken(step, &policy)?;
                let unique_id = wrote.unique_id;
                let effect = Effect::DeletePolicy { policy, name, document };
                self.steps.push(Step { unique_id, ..back(effect) });
            }
            Effect::DeletePolicy { policy, name, document } => {
                self.steps.push(Step { unique_id: None, ..back(Effect::CreatePolicy { policy, name, document }) });
            }
            Effect::Attach { entity, policy } => {
                let expects = self.whom(&entity, inverse::said(self.history, step, &policy))?;
                let unique_id = identity::id_of(self.history, step, &policy);
                let effect = Effect::Detach { entity, policy };
                self.steps.push(Step { unique_id, expects: Some(expects), ..back(effect) });
            }
            Effect::Detach { entity, policy } => {
                let document = self.reattachable(step, &policy)?;
                // What this rollback creates anew has another id.
                let is_anew = self.steps.iter().any(|step| identity::creates(step, &policy));
                let unique_id = match policy.is_aws_managed_policy() || is_anew {
                    true => None,
                    false => identity::id_of(self.history, step, &policy),
                };
                let expects = self.whom(&entity, document)?;
                let effect = Effect::Attach { entity, policy };
                self.steps.push(Step { unique_id, expects: Some(expects), ..back(effect) });
            }
            Effect::SetKey { user, key, created, active } => {
                self.steps.push(back(Effect::SetKey { user, key, created, active: !active }));
            }
        }
        for own in made..self.steps.len() {
            let (before, rest) = self.steps.split_at_mut(own);
            if let Some(own) = rest.first_mut() {
                own.beside = inverse::beside(self.history, at, own, before);
            }
        }
        Ok(())
    }

    /// Whether an attachment that the journal made in the place of another is gone, while its rest stands: somebody has taken it
    /// away, and taking back the rest would give them more than they have.
    fn lost_since(&self, at: usize, step: &Step) -> Result<Option<String>, CallError> {
        let Effect::Attach { entity, .. } = &step.effect else { return Ok(None) };
        if !matches!(self.history.progress(at), Progress::Done { .. }) {
            return Ok(None);
        }
        for own in self.steps.iter().filter(|own| own.unit == step.unit) {
            let gives_back = match &own.effect {
                Effect::Attach { entity: own, .. } => own == entity,
                // Whoever has it no more gets nothing by it.
                Effect::SetDefault { policy, .. } => self.has(entity, policy)?,
                _ => false,
            };
            if gives_back {
                let detail = format!("{entity} has lost it since, by somebody else, and would get more again");
                return Ok(Some(format!("{detail}: {}", own.effect)));
            }
        }
        Ok(None)
    }

    /// Why a version that made room does not come back.
    fn stays_away(&self, policy: &Arn, version: &Version, live: Option<&LivePolicy>) -> Option<String> {
        if !matches!(self.history.begin().origin, Origin::Plan { .. }) {
            return None;
        }
        if self.versions_by_then(policy, live) >= SLOTS {
            return Some("all slots are taken".to_owned());
        }
        taken_no_more(&version.document).map(|refused| refused.to_string())
    }

    /// How many versions a policy has when the steps before are made.
    fn versions_by_then(&self, policy: &Arn, live: Option<&LivePolicy>) -> usize {
        let own = self.steps.iter().filter(|step| step.effect.policy() == Some(policy));
        own.fold(live.map_or(0, |live| live.versions.len()), |count, step| match &step.effect {
            Effect::CreateVersion { .. } => count + 1,
            Effect::DeleteVersion { .. } => count.saturating_sub(1),
            _ => count,
        })
    }

    /// The step that creates anew what a version of a policy was, if one of those before does.
    fn created_anew(&self, policy: &Arn, document: &str) -> Option<usize> {
        self.steps.iter().position(|step| match &step.effect {
            Effect::CreateVersion { policy: own, document: text } => own == policy && text == document,
            _ => false,
        })
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
        let back = |effect, versions| Step { effect, expects: None, versions, beside: Vec::new(), ..step.clone() };
        if is_there {
            self.refuse_other_document(step, &policy, &from)?;
        }
        let target = match (is_there, self.created_anew(&policy, &from.document)) {
            (true, _) => from,
            (false, Some(at)) => Version { version: VersionRef::CreatedBy(at), document: from.document },
            (false, None) => {
                let effect = Effect::CreateVersion { policy: policy.clone(), document: from.document.clone() };
                self.steps.push(back(effect, versions));
                Version { version: VersionRef::CreatedBy(self.steps.len() - 1), document: from.document }
            }
        };
        let expects = Some(self.holders(&policy)?);
        let effect = Effect::SetDefault { policy, from: to, to: target };
        self.steps.push(Step { expects, ..back(effect, Vec::new()) });
        Ok(())
    }

    /// A policy that somebody else has deleted, made again, or written anew since cannot be attached again. Returns the
    /// fingerprint of what it must say; none for one that is put back before. A policy of AWS says what AWS makes of it: it comes
    /// back as it is now, and must be that when it does.
    fn reattachable(&mut self, step: &Step, policy: &Arn) -> Result<Option<Sha256>, CallError> {
        if self.steps.iter().any(|step| identity::creates(step, policy)) {
            return Ok(None);
        }
        if policy.is_aws_managed_policy() {
            let now = in_force(self.reads, policy)?;
            if now.is_none() {
                self.drift(step, "AWS has taken the policy away");
            }
            return Ok(now);
        }
        let expected = step.expects.as_ref().and_then(|expects| expects.document);
        let live = self.reads.policy(policy)?;
        let id = identity::id_of(self.history, step, policy);
        let live = live.filter(|live| id.as_ref().is_none_or(|own| *own == live.unique_id));
        let document = match &live {
            Some(live) => self.reads.version(policy, &live.default_version)?,
            None => None,
        };
        let problem = match (document, expected) {
            (None, _) => "the policy is gone, or another one of its name".to_owned(),
            (Some(_), None) => "the journal does not say what the policy said".to_owned(),
            (Some(document), Some(expected)) if fingerprint(&document) != expected => {
                format!("the policy says something else now: {}", fingerprint(&document))
            }
            _ => return Ok(expected),
        };
        self.drift(step, &problem);
        Ok(None)
    }
}
