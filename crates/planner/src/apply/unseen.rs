//! What AWS has answered that it is done, and reads do not show: it may show later, and is nobody's work to have undone it.

use secateur_analyzer::time::UnixTime;

use super::journal::History;
use super::rollback::Kept;
use super::step::Step;

/// How long what AWS has answered may not show in reads, in seconds. IAM gives no bound: seconds are what is seen, and rarely a minute.
const LONGEST: i64 = 3_600;

/// What does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// The steps.
    pub steps: Vec<Kept>,
    /// Since when AWS says so of the last of them.
    last: Option<UnixTime>,
}

impl Unseen {
    /// Returns from when on it counts as undone by somebody else; none where there is nothing.
    pub fn until(&self) -> Option<UnixTime> {
        self.last.map(|last| UnixTime(last.0.saturating_add(LONGEST)))
    }

    /// Takes a step into account that does not show after all that was waited for.
    pub(super) fn add(&mut self, step: &Step, since: UnixTime) {
        let detail = format!("{}: AWS answered at {since} that it is done, and reads do not show it", step.effect);
        self.steps.push(Kept { address: step.address.clone(), detail });
        self.last = self.last.max(Some(since));
    }
}

/// Whether a step that AWS said is done may still not show. Where the journal is of a time that has not come, one clock was wrong, and
/// it is waited for as for any other: nobody could say until when else.
pub(super) fn may_show_later(history: &History, at: usize, since: UnixTime, (settle, now): (i64, UnixTime)) -> bool {
    history.is_unseen(at) && (-settle..LONGEST).contains(&now.since(since))
}
