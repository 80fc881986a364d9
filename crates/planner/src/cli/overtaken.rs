//! What other journals of this directory have done since to what one is about: that is no work of somebody else.

use super::journals::Found;
use super::ways::taken_back;
use crate::apply::Step;
use crate::apply::journal::{History, Progress};
#[cfg(feature = "aws")]
use crate::apply::moves;

/// A later journal, and its step that has changed what an earlier one is about.
pub(super) type By<'a> = (&'a Found, &'a Step);

/// Returns the last journal that has changed what another is about at an address, or what that rests on, of those that began after it.
#[cfg(feature = "aws")]
pub(super) fn by<'a>(all: &[&'a Found], found: &Found, address: &str) -> Option<By<'a>> {
    let steps = found.history.steps();
    let is_own = |at: &usize| steps.get(*at).is_some_and(|own| own.address == address);
    let own: Vec<usize> = (0..steps.len()).filter(is_own).collect();
    last(all, found, |step| step.address == address || own.iter().any(|at| moves(step, steps, *at)))
}

/// Returns the last journal with a step that counts, of those that began after another. One that takes that back is none: what it does
/// is noted in both. `all` are in the order in which they began.
fn last<'a>(all: &[&'a Found], found: &Found, touches: impl Fn(&Step) -> bool) -> Option<By<'a>> {
    let at = all.iter().position(|own| own.id == found.id)?;
    let has_changed = |other: &&'a Found| {
        let steps = standing(&other.history).filter_map(|at| other.history.steps().get(at));
        let step = steps.filter(|step| touches(step)).last()?;
        (!taken_back(all, other).contains(found.id.as_str())).then_some((*other, step))
    };
    all.iter().skip(at + 1).rev().find_map(has_changed)
}

/// Returns the last of those that have changed since all that a journal did and nobody took back, if they have.
pub(super) fn whole<'a>(all: &[&'a Found], found: &Found) -> Option<&'a Found> {
    let steps = standing(&found.history).filter_map(|at| found.history.steps().get(at));
    let at_address = |step: &Step| Some(last(all, found, |own| own.address == step.address)?.0);
    let others: Option<Vec<&'a Found>> = steps.map(at_address).collect();
    let others = others?;
    all.iter().rev().copied().find(|own| others.iter().any(|other| other.id == own.id))
}

/// The steps that are done, and that nobody took back.
fn standing(history: &History) -> impl Iterator<Item = usize> {
    let is_done = |at: &usize| matches!(history.progress(*at), Progress::Done { .. }) && !history.is_taken_back(*at);
    (0..history.steps().len()).filter(is_done)
}
