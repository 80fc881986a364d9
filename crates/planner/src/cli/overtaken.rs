//! What other journals of this directory have done since to what one is about: that is no work of somebody else.

use super::journals::Found;
use super::ways::taken_back;
use crate::apply::journal::{History, Progress};

/// Returns the last journal that has changed what another is about at an address, of those that began after it. One that takes it back
/// is none: what it does is noted in both. `all` are in the order in which they began.
pub(super) fn by<'a>(all: &[&'a Found], found: &Found, address: &str) -> Option<&'a Found> {
    let at = all.iter().position(|own| own.id == found.id)?;
    let has_changed = |own: &&&'a Found| {
        !taken_back(all, own).contains(found.id.as_str())
            && standing(&own.history).any(|at| own.history.steps().get(at).is_some_and(|step| step.address == address))
    };
    all.iter().skip(at + 1).rfind(has_changed).copied()
}

/// Returns the last of those that have changed since all that a journal did and nobody took back, if they have.
pub(super) fn whole<'a>(all: &[&'a Found], found: &Found) -> Option<&'a Found> {
    let steps = standing(&found.history).filter_map(|at| found.history.steps().get(at));
    let others: Option<Vec<&'a Found>> = steps.map(|step| by(all, found, &step.address)).collect();
    let others = others?;
    all.iter().rev().copied().find(|own| others.iter().any(|other| other.id == own.id))
}

/// The steps that are done, and that nobody took back.
fn standing(history: &History) -> impl Iterator<Item = usize> {
    let is_done = |at: &usize| matches!(history.progress(*at), Progress::Done { .. }) && !history.is_taken_back(*at);
    (0..history.steps().len()).filter(is_done)
}
