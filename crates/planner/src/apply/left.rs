//! What is left of a journal that is open: by units, which were not begun, and which were.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use secateur_analyzer::time::UnixTime;

use super::cloud::{CallError, EntityRef, Reads, Wrote};
use super::engine::Clock;
use super::exchange;
use super::gone::gone;
use super::journal::{History, Progress};
use super::kept;
use super::look::{Stand, is_passed, look, settled, taken_back};
use super::rollback::Kept;
use super::step::Step;
use super::surroundings::surroundings;
use super::unseen::{Unseen, may_show_later};

/// What is left of an open journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// The units of which nothing is done.
    pub untouched: BTreeSet<String>,
    /// The units of which something is done, and something is left.
    pub begun: BTreeSet<String>,
    /// The addresses of all changes of which something is done, by whomever.
    pub touched: BTreeSet<String>,
    /// The steps that are done, and that this journal never began: somebody else did them, or the disk lost what it said it
    /// had.
    pub theirs: BTreeSet<usize>,
    /// The steps that this journal made, and that no longer stand: somebody else has changed it since, and this is what is there.
    pub changed: BTreeMap<usize, String>,
    /// The steps that AWS said are done, and that reads do not show: nothing is gone on with before they do.
    pub unseen: Unseen,
    /// The steps that a rollback that was given up did take back, as reads show by now.
    pub taken_back: BTreeSet<usize>,
    /// The steps that are still to be made, in order.
    pub to_make: Vec<usize>,
    /// The steps of a policy, a key or an attachment of somebody who is gone, or of a key that is gone: they are passed over, and this
    /// is what is said of them.
    pub passed: BTreeMap<usize, String>,
    /// Who is gone of those whom the journal reaches.
    pub gone: BTreeSet<EntityRef>,
}

impl Left {
    /// Reads what is left. Of a step that may be done, it is read from AWS whether it is; what cannot be told counts as done.
    /// Of one that was never begun too: what is done all the same is not this journal's. And of what was done, whether it stands.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub fn read(reads: &impl Reads, clock: &impl Clock, settle: i64, history: &History) -> Result<Left, CallError> {
        let mut left = Left::default();
        // What a clock that was ahead wrote down is as of now: it is waited for, and no longer than for any other.
        let asked_at = clock.now();
        let last_at = history.last_at().min(asked_at);
        // What is found of one step is what later ones rest on.
        let mut known = history.clone();
        for at in 0..history.steps().len() {
            match history.progress(at) {
                Progress::Intended { at: since } => {
                    let wrote = match settled(reads, clock, settle, &known, at, last_at)? {
                        Stand::After(wrote) => wrote,
                        Stand::Before => {
                            known.settle(at, Progress::Open);
                            continue;
                        }
                        Stand::Gone(detail) => {
                            known.settle(at, Progress::Skipped { found: Wrote::default(), withheld: true });
                            left.passed.insert(at, detail);
                            continue;
                        }
                        // Somebody else has been there, after us.
                        Stand::Other(_) => Wrote::default(),
                    };
                    known.settle(at, Progress::Done { at: *since, wrote });
                }
                Progress::Open => {
                    // Reads may still show what was there before the last write.
                    match calm(reads, clock, (settle, last_at), &known, at)? {
                        Stand::After(found) => {
                            left.theirs.insert(at);
                            known.settle(at, Progress::Skipped { found, withheld: false });
                        }
                        Stand::Gone(detail) => drop(left.passed.insert(at, detail)),
                        Stand::Before | Stand::Other(_) => {}
                    }
                }
                Progress::Done { .. } | Progress::Skipped { .. } => {}
            }
        }
        for at in 0..history.steps().len() {
            let Progress::Done { at: since, .. } = history.progress(at) else { continue };
            if let Some(since) = history.doubted_since(at)
                && taken_back(reads, clock, settle, &known, at, since.min(asked_at))? == Stand::Before
            {
                left.taken_back.insert(at);
            }
            let is_unseen = may_show_later(history, at, *since, (settle, asked_at));
            // When it ended, this did not show yet: it is waited for from now on.
            let from = if is_unseen { asked_at } else { asked_at.min(*since) };
            let detail = match settled(reads, clock, settle, &known, at, from)? {
                Stand::After(_) => continue,
                Stand::Before if is_unseen => {
                    let step = history.steps().get(at);
                    step.into_iter().for_each(|step| left.unseen.add(step, *since));
                    continue;
                }
                Stand::Before => "it is again as it was before".to_owned(),
                Stand::Other(detail) | Stand::Gone(detail) => detail,
            };
            left.changed.insert(at, detail);
        }
        let mut units: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
        for (at, step) in history.steps().iter().enumerate() {
            let done = left.theirs.contains(&at) || matches!(known.progress(at), Progress::Done { .. });
            if done {
                left.touched.insert(step.address.clone());
            }
            let is_passed = matches!(history.progress(at), Progress::Skipped { .. }) || left.passed.contains_key(&at);
            if !done && !is_passed {
                left.to_make.push(at);
            }
            let (any_done, any_left) = units.entry(&step.unit).or_default();
            *any_done |= done;
            *any_left |= !done && !is_passed;
        }
        for (unit, (any_done, any_left)) in units {
            if any_left {
                let own = if any_done { &mut left.begun } else { &mut left.untouched };
                own.insert(unit.to_owned());
            }
        }
        let is_left = |step: &&Step| left.untouched.contains(&step.unit) || left.begun.contains(&step.unit);
        let to_make = left.to_make.iter().filter_map(|at| history.steps().get(*at));
        let passed = left.passed.keys().filter_map(|at| history.steps().get(*at));
        left.gone = gone(reads, history.steps().iter().filter(is_left).chain(passed), to_make)?;
        Ok(left)
    }

    /// Says of what is to be made who lacks what they must have then: somebody else has taken it away since.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub fn broken(&self, reads: &impl Reads, history: &History) -> Result<Vec<Kept>, CallError> {
        let steps = history.steps();
        let broken = exchange::broken(reads, (steps, Some(history)), self.to_make.iter().copied())?;
        let of = |(at, detail): (usize, String)| {
            let step = steps.get(at)?;
            Some(Kept { address: step.address.clone(), detail: format!("{}: {detail}", step.effect) })
        };
        Ok(broken.into_iter().filter_map(of).collect())
    }

    /// Says of what a rollback kept, since it was as before, what no longer is so, where more of its unit is to be made: that rests on
    /// it. `below` is the journal that it takes back, as it stood when it was planned.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub fn moved(&self, reads: &impl Reads, history: &History, below: &History) -> Result<Vec<Kept>, CallError> {
        kept::moved(reads, history, below, &self.units_to_make(history))
    }

    /// Says of what a rollback kept, since it was as before, what is done, where nothing more of its unit is to be made. `below` is as
    /// of [`Left::moved`].
    ///
    /// # Errors
    /// When AWS does not answer.
    pub fn done_again(&self, reads: &impl Reads, history: &History, below: &History) -> Result<Vec<Kept>, CallError> {
        kept::done_again(reads, history, below, &self.units_to_make(history))
    }

    /// The units of the steps that are still to be made.
    fn units_to_make<'h>(&self, history: &'h History) -> BTreeSet<&'h str> {
        let to_make = self.to_make.iter().filter_map(|at| history.steps().get(*at));
        to_make.map(|step| step.unit.as_str()).collect()
    }

    /// Whether the steps of some units can be gone on with, as far as reads tell before they are: what was done stands, who holds
    /// what they are about is who was expected, and what is to be written next is what it was.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub fn is_clear(
        &self,
        reads: &impl Reads,
        history: &History,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<bool, CallError> {
        let mut begun: BTreeSet<&str> = BTreeSet::new();
        for (at, step) in history.steps().iter().enumerate().filter(|(_, step)| is_wanted(&step.unit)) {
            match history.progress(at) {
                // Nothing rests on what those have who are gone.
                Progress::Done { .. } if self.changed.contains_key(&at) && !is_passed(step, &self.gone) => {
                    return Ok(false);
                }
                Progress::Done { .. } | Progress::Skipped { .. } => continue,
                Progress::Open if self.theirs.contains(&at) => continue,
                _ if self.passed.contains_key(&at) => continue,
                Progress::Open | Progress::Intended { .. } => {}
            }
            // What those after the first start from, it makes.
            let is_first = begun.insert(&step.unit);
            if surroundings(reads, step, &self.gone)?.is_some()
                || (is_first && matches!(look(reads, history, at)?, Stand::Other(_) | Stand::Gone(_)))
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Reads where a step stands that was never begun. One that shows as done is looked at again as long as the journal's last write
/// is fresh: reads may still show what was there before it.
fn calm(
    reads: &impl Reads,
    clock: &impl Clock,
    (settle, last_at): (i64, UnixTime),
    history: &History,
    at: usize,
) -> Result<Stand, CallError> {
    loop {
        let is_late = clock.now().since(last_at) >= settle;
        let stand = look(reads, history, at)?;
        if is_late || !matches!(stand, Stand::After(_)) {
            return Ok(stand);
        }
        clock.sleep(Duration::from_millis(500));
    }
}
