//! What is left of a journal that is open: by units, which were not begun, and which were.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::cloud::{CallError, Reads};
use super::engine::Clock;
use super::journal::{History, Progress};
use super::look::{Stand, look};

/// What is left of an open journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// The units of which nothing is done.
    pub untouched: BTreeSet<String>,
    /// The units of which something is done, and something is left.
    pub begun: BTreeSet<String>,
    /// The addresses of all changes of which something is done.
    pub touched: BTreeSet<String>,
}

impl Left {
    /// Reads what is left. Of a step that may be done, it is read from AWS whether it is; what cannot be told counts as done.
    ///
    /// # Errors
    /// When AWS does not answer.
    pub fn read(reads: &impl Reads, clock: &impl Clock, settle: i64, history: &History) -> Result<Left, CallError> {
        let may_be_done = |at: usize| matches!(history.progress(at), Progress::Intended { .. });
        let all = 0..history.steps().len();
        let said = all.clone().filter(|at| may_be_done(*at)).map(|at| (at, true));
        let pending: Vec<(usize, bool)> =
            said.chain(history.may_have_begun().into_iter().map(|at| (at, false))).collect();
        let mut is_done: Vec<bool> = all.map(|at| matches!(history.progress(at), Progress::Done { .. })).collect();
        for (at, is_said) in pending {
            let stand = loop {
                let is_late = clock.now().since(history.last_at()) >= settle;
                let stand = look(reads, history, at)?;
                if matches!(stand, Stand::After(_)) || is_late {
                    break stand;
                }
                clock.sleep(Duration::from_millis(500));
            };
            let is_ours = match stand {
                Stand::After(_) => true,
                Stand::Before => false,
                // Somebody else has been there: after us, if it was tried at all.
                Stand::Other(_) => is_said,
            };
            if let (Some(own), true) = (is_done.get_mut(at), is_ours) {
                *own = true;
            }
        }
        // What somebody else has done is passed over, as long as it stands.
        for (at, own) in is_done.iter_mut().enumerate() {
            if history.was_done_by_others(at) && *history.progress(at) == Progress::Open {
                *own = matches!(look(reads, history, at)?, Stand::After(_));
            }
        }
        let mut left = Left::default();
        let mut units: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
        for (at, step) in history.steps().iter().enumerate() {
            let done = is_done.get(at).copied().unwrap_or_default();
            if done {
                left.touched.insert(step.address.clone());
            }
            let (any_done, any_left) = units.entry(&step.unit).or_default();
            *any_done |= done;
            *any_left |= !done && *history.progress(at) != Progress::Skipped;
        }
        for (unit, (any_done, any_left)) in units {
            if any_left {
                let own = if any_done { &mut left.begun } else { &mut left.untouched };
                own.insert(unit.to_owned());
            }
        }
        Ok(left)
    }
}
