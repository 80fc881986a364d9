//! What a journal did not do, and is done all the same. It is nobody's to take back here, nor is what it rests on.

use std::collections::BTreeSet;

use secateur_analyzer::time::UnixTime;

use super::cloud::{CallError, Reads};
use super::engine::Clock;
use super::journal::{History, Progress};
use super::look::{Stand, settled};
use super::rollback::Kept;
use super::step::{Effect, Step, VersionRef};

/// What stands, and is not to be taken back.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// The steps that are done, and that the journal never began.
    theirs: BTreeSet<usize>,
    /// The steps of the journal on which one of those rests: without them, somebody would be left with neither the old nor
    /// the new.
    pub(super) stays: BTreeSet<usize>,
}

impl Standing {
    /// Reads what stands of the units that are wanted.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub(super) fn read(
        reads: &impl Reads,
        clock: &impl Clock,
        history: &History,
        wanted: &BTreeSet<&str>,
    ) -> Result<Standing, CallError> {
        let mut found = Standing::default();
        let is_ours = |at: usize| matches!(history.progress(at), Progress::Done { .. }) && !history.is_taken_back(at);
        let begun: BTreeSet<&str> = (history.steps().iter().enumerate())
            .filter(|(at, _)| is_ours(*at))
            .map(|(_, step)| step.unit.as_str())
            .collect();
        // From the end: a step rests on earlier ones.
        for (at, step) in history.steps().iter().enumerate().rev() {
            let unit = step.unit.as_str();
            let is_wanted = wanted.contains(unit);
            match history.progress(at) {
                Progress::Open if is_wanted => {}
                // What may no longer be made was left as a whole.
                Progress::Skipped { .. } if is_wanted && begun.contains(unit) => {}
                Progress::Done { .. } if is_wanted && is_ours(at) && found.bears(history, at) => {
                    found.stays.insert(at);
                    continue;
                }
                _ => continue,
            }
            // As it shows now: it was not written just before.
            if let Stand::After(_) = settled(reads, clock, 0, history, at, UnixTime(0))? {
                found.theirs.insert(at);
            }
        }
        Ok(found)
    }

    /// Whether something that stays rests on a step.
    fn bears(&self, history: &History, at: usize) -> bool {
        let later = |own: &usize| *own > at;
        let stands = self.theirs.iter().chain(&self.stays).copied().filter(later);
        stands.filter_map(|own| history.steps().get(own)).any(|own| rests(own, at, history))
    }

    /// Says what stands, and why it stays.
    pub(super) fn told(&self, history: &History) -> Vec<Kept> {
        let of = |at: usize, step: &Step| {
            let detail = if self.theirs.contains(&at) {
                "is done, and this journal never began it: somebody else did it, or the disk lost its record"
            } else if self.stays.contains(&at) {
                "was done by this journal, and stays: what is named here rests on it"
            } else {
                return None;
            };
            Some(Kept { address: step.address.clone(), detail: format!("{}: {detail}", step.effect) })
        };
        history.steps().iter().enumerate().filter_map(|(at, step)| of(at, step)).collect()
    }
}

/// Whether a step was made because an earlier one stood.
pub(super) fn rests(later: &Step, at: usize, history: &History) -> bool {
    let Some(earlier) = history.steps().get(at).filter(|earlier| earlier.unit == later.unit) else { return false };
    match (&earlier.effect, &later.effect) {
        (Effect::CreateVersion { .. }, Effect::SetDefault { to, .. }) => to.version == VersionRef::CreatedBy(at),
        (Effect::CreatePolicy { policy, .. }, Effect::Attach { policy: own, .. }) => policy == own,
        // The new is attached before the old goes, to each whom that reaches.
        (Effect::Attach { entity, .. }, Effect::Detach { entity: own, .. }) => entity == own,
        (Effect::Attach { .. }, Effect::SetDefault { .. }) => true,
        _ => false,
    }
}
