//! What a journal is told of the rollbacks of it, and of the rollbacks of those.

use super::history::{History, Progress, State};
use super::record::{Again, Record};
use crate::apply::approval::Origin;
use crate::apply::cloud::Wrote;
use crate::apply::step::Step;

impl History {
    /// Returns what is to be written into this journal about a rollback that is done, or was given up: which steps it took
    /// back; or, where it is the rollback of a rollback of this one (`is_back` is false), which it did again. None when that
    /// stands there already, or there is nothing to say.
    pub fn note(&self, own: &History, is_back: bool) -> Option<Record> {
        let journal = own.begin().id.clone();
        if self.noted.contains(&journal) {
            return None;
        }
        let found: Vec<(usize, Wrote)> = (self.steps().iter().enumerate())
            // What a rollback that did not end has taken back stands nowhere yet: what was done again counts all the same.
            .filter(|(at, _)| !is_back || !self.is_taken_back(*at))
            .filter_map(|(at, step)| Some((at, own.made(step, is_back)?)))
            .collect();
        if !is_back {
            let steps: Vec<Again> = found.into_iter().map(|(step, wrote)| Again { step, wrote }).collect();
            return (!steps.is_empty()).then_some(Record::DoneAgain { journal, steps });
        }
        let steps: Vec<usize> = found.into_iter().map(|(at, _)| at).collect();
        let is_own =
            matches!(&own.begin().origin, Origin::Rollback { journal, whole: true, .. } if *journal == self.begin().id);
        let is_left = |at: usize| {
            !self.is_taken_back(at) && !steps.contains(&at) && matches!(self.progress(at), Progress::Done { .. })
        };
        let nothing_is_left = *self.state() == State::Done && !(0..self.steps().len()).any(is_left);
        if (is_own && own.is_through()) || (nothing_is_left && !steps.is_empty()) {
            return Some(Record::RolledBack { journal });
        }
        (!steps.is_empty()).then_some(Record::TakenBack { journal, steps })
    }

    /// Whether no step is left: what is passed over is done, by whomever, and not withheld.
    fn is_through(&self) -> bool {
        let is_through =
            |progress: &Progress| matches!(progress, Progress::Done { .. } | Progress::Skipped { withheld: false, .. });
        (0..self.steps().len()).all(|at| is_through(self.progress(at)))
    }

    /// Whether this journal has done, or may have, what undoes or repeats a step of another, and nobody took it back since; and
    /// what AWS said.
    fn made(&self, other: &Step, is_back: bool) -> Option<Wrote> {
        let is_it = |step: &Step| {
            let fits = match is_back {
                true => step.effect.undoes(&other.effect),
                false => step.effect.repeats(&other.effect),
            };
            fits && step.address == other.address
        };
        let stands = |(at, step): &(usize, &Step)| is_it(step) && !self.is_taken_back(*at);
        self.steps().iter().enumerate().filter(stands).find_map(|(at, _)| match self.progress(at) {
            Progress::Done { wrote, .. } => Some(wrote.clone()),
            Progress::Intended { .. } => Some(Wrote::default()),
            _ => None,
        })
    }
}
