//! How an open journal is closed of which nothing is to be taken back.

use super::journal::{Ending, Record};
use super::rollback::{Kept, Rollback};

impl Rollback {
    /// Returns the record that closes the journal where the way back has no steps: that nothing was done; or, where that is not all
    /// that there is to say, what stays, or what is as before though it was done: whoever finds it done after all takes it back then.
    pub fn closing(&self) -> Record {
        let named = |all: &[Kept]| {
            let first = all.first()?;
            let more = match all.len() {
                1 => String::new(),
                more => format!(" ({} more)", more - 1),
            };
            Some(format!("{}: {}{more}", first.address, first.detail))
        };
        let stays = named(&self.standing).map(|stays| format!("this stays: {stays}"));
        let kept = named(&self.kept).map(|kept| format!("nothing is left to take back of this: {kept}"));
        let all: Vec<String> = stays.into_iter().chain(kept).collect();
        match all.is_empty() {
            true => Record::End { outcome: Ending::NothingDone },
            false => Record::Abandoned { reason: format!("rolled back as far as it can be; {}", all.join("; ")) },
        }
    }
}
