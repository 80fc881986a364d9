//! Whether a user could call AWS before it was given other credentials; or somebody a role, before another identity provider.
//!
//! Who had none could use nothing, and that nothing was used until then says nothing.

use crate::account::{Account, GrantEvent, KeyStatus, Principal};
use crate::time::{DAY, UnixTime};

/// How long before a call credentials must have been seen: as long as CloudTrail's event history reaches back
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html>).
const SEEN: i64 = 90 * DAY;

/// Returns whether the user, or a role, had credentials before this call about credentials: it used something within 90 days before, or has
/// an active access key that is so old.
pub(super) fn were_there(account: &Account, user: &Principal, event: &GrantEvent) -> bool {
    let before = |time: UnixTime| (1..=SEEN).contains(&event.time.since(time));
    let used = account
        .reports
        .get(&user.arn)
        .is_some_and(|report| report.services.iter().filter_map(|row| row.last_use()).any(before));
    // A key that was made active may be the very one.
    let has_old_key = || {
        let mut keys = account.access_keys.get(&user.arn).into_iter().flatten();
        event.name != "UpdateAccessKey"
            && keys.any(|key| {
                key.status == KeyStatus::Active && key.created.is_some_and(|created| event.time.since(created) >= SEEN)
            })
    };
    used || has_old_key()
}
