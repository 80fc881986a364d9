//! What a journal is told of the rollbacks of it, and of the rollbacks of those.

use super::history::{History, Progress, State};
use super::record::{Again, Record};
use crate::apply::approval::Origin;
use crate::apply::cloud::Wrote;
use crate::apply::step::{Effect, Step};

impl History {
    /// Returns what is to be written into this journal about a rollback that is done, or was given up: which steps it took
    /// back; or, where it is the rollback of a rollback of this one (`is_back` is false), which it did again. None when that
    /// stands there already, or there is nothing to say.
    pub fn note(&self, own: &History, is_back: bool) -> Option<Record> {
        let journal = own.begin().id.clone();
        if self.noted.contains(&journal) {
            return None;
        }
        let (mut found, mut in_doubt, mut unseen) = (Vec::new(), Vec::new(), Vec::new());
        for (at, step) in self.steps().iter().enumerate() {
            // What a rollback that did not end has taken back stands nowhere yet: what was done again counts all the same.
            if is_back && self.is_taken_back(at) {
                continue;
            }
            match own.made(step, is_back) {
                Some(Made::Done { wrote, is_unseen }) => {
                    found.push((at, wrote));
                    unseen.extend(is_unseen.then_some(at));
                }
                // Where it may be that nothing was there to take back, it is in doubt already.
                Some(Made::InDoubt) if !is_back || matches!(self.progress(at), Progress::Done { .. }) => {
                    in_doubt.push(at)
                }
                _ => {}
            }
        }
        if !is_back {
            let steps: Vec<Again> = found.into_iter().map(|(step, wrote)| Again { step, wrote }).collect();
            let is_any = !steps.is_empty() || !in_doubt.is_empty();
            return is_any.then_some(Record::DoneAgain { journal, steps, in_doubt, unseen });
        }
        let mut steps: Vec<usize> = found.into_iter().map(|(at, _)| at).collect();
        let (mut is_own, mut kept) = (false, &Vec::new());
        if let Origin::Rollback { journal, whole, kept: own, .. } = &own.begin().origin
            && *journal == self.begin().id
        {
            (is_own, kept) = (*whole, own);
        }
        // What was as before already is nobody's to take back any more: whoever does it again is somebody else.
        // What was in doubt, and not done, was nobody's to take back, and can still be done.
        let is_new = |at: &&usize| {
            !self.is_taken_back(**at)
                && !steps.contains(at)
                && **at < self.steps().len()
                && !matches!(self.progress(**at), Progress::Intended { .. })
        };
        let more: Vec<usize> = kept.iter().filter(is_new).copied().collect();
        steps.extend(more);
        steps.sort_unstable();
        in_doubt.retain(|at| !steps.contains(at));
        let is_left = |at: usize| {
            !self.is_taken_back(at) && !steps.contains(&at) && matches!(self.progress(at), Progress::Done { .. })
        };
        let nothing_is_left = *self.state() == State::Done && !(0..self.steps().len()).any(is_left);
        if (is_own && own.is_through()) || (nothing_is_left && !steps.is_empty()) {
            let is_settled = |at: &usize| matches!(self.progress(*at), Progress::Intended { .. });
            return Some(Record::RolledBack { journal, settled: steps.into_iter().filter(is_settled).collect() });
        }
        let is_any = !steps.is_empty() || !in_doubt.is_empty();
        is_any.then_some(Record::TakenBack { journal, steps, in_doubt })
    }

    /// Whether no step is left: what is passed over is done, by whomever, and not withheld.
    fn is_through(&self) -> bool {
        let is_through =
            |progress: &Progress| matches!(progress, Progress::Done { .. } | Progress::Skipped { withheld: false, .. });
        (0..self.steps().len()).all(|at| is_through(self.progress(at)))
    }

    /// Whether this journal has done what undoes a step of another, or has repeated it, or may have; and nobody took that back
    /// since.
    fn made(&self, other: &Step, is_back: bool) -> Option<Made> {
        let is_it = |step: &Step| {
            // A version that is created anew leads back, and is not in force yet.
            let is_half =
                matches!((&step.effect, &other.effect), (Effect::CreateVersion { .. }, Effect::SetDefault { .. }));
            let fits = match is_back {
                true => step.effect.undoes(&other.effect) && !is_half,
                false => step.effect.repeats(&other.effect),
            };
            fits && step.address == other.address
        };
        let stands = |(at, step): &(usize, &Step)| is_it(step) && !self.is_taken_back(*at);
        self.steps().iter().enumerate().filter(stands).find_map(|(at, _)| match self.progress(at) {
            Progress::Done { .. } if self.doubted_since(at).is_some() => Some(Made::InDoubt),
            Progress::Done { wrote, .. } => Some(Made::Done { wrote: wrote.clone(), is_unseen: self.is_unseen(at) }),
            Progress::Intended { .. } => Some(Made::InDoubt),
            Progress::Open | Progress::Skipped { .. } => None,
        })
    }
}

/// What a journal has made of a step of another.
enum Made {
    /// It is done; with what AWS said, and whether reads have not shown it.
    Done { wrote: Wrote, is_unseen: bool },
    /// Nobody has heard of the write: whoever uses the other looks whether it is done.
    InDoubt,
}
