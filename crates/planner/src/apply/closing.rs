//! How an open journal is closed of which nothing is to be taken back.

use super::journal::{Ending, Progress, Record};
use super::rollback::{Kept, Rollback};
use super::unseen::told;

impl Rollback {
    /// Returns the record that closes the journal where the way back has no steps: that nothing was done; or, where that is not all
    /// that there is to say, what stays. What AWS has answered, and reads have never shown, is not called not done: whoever finds it
    /// done after all takes it back then.
    pub fn closing(&self) -> Record {
        let is_unseen = |at: &usize| {
            self.known.is_unseen(*at)
                && !self.known.is_taken_back(*at)
                && matches!(self.known.progress(*at), Progress::Done { .. })
        };
        let unseen = (0..self.known.steps().len()).filter(is_unseen).filter_map(|at| self.known.steps().get(at));
        let mut stays: Vec<Kept> = self.standing.clone();
        stays.extend(unseen.map(|step| told(step, "")));
        let Some(first) = stays.first() else { return Record::End { outcome: Ending::NothingDone } };
        let more = match stays.len() {
            1 => String::new(),
            more => format!(" ({} more)", more - 1),
        };
        Record::Abandoned {
            reason: format!("rolled back as far as it can be; this stays: {}: {}{more}", first.address, first.detail),
        }
    }
}
