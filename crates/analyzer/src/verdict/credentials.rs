//! Whether a user could call AWS before it was given other credentials; or somebody a role, before another identity provider.
//!
//! Who had none could use nothing, and that nothing was used until then says nothing.

use super::bearing::may_trust_providers;
use crate::account::{Account, GrantEvent, KeyStatus, Principal, PrincipalKind};
use crate::time::{DAY, UnixTime};

/// How long before a call credentials must have been seen: as long as CloudTrail's event history reaches back
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html>).
const SEEN: i64 = 90 * DAY;

/// Returns whether the user, or a role, had credentials before this call about credentials: it used something within 90 days before, or has
/// an active access key that is so old.
pub(super) fn were_there(account: &Account, user: &Principal, event: &GrantEvent) -> bool {
    let used = shows_use(account, user, event.time);
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

/// Whether the principal's report shows use of something within 90 days before a time.
fn shows_use(account: &Account, principal: &Principal, at: UnixTime) -> bool {
    let report = account.reports.get(&principal.arn);
    report.is_some_and(|report| report.services.iter().filter_map(|row| row.last_use()).any(|time| is_before(time, at)))
}

fn is_before(time: UnixTime, at: UnixTime) -> bool {
    (1..=SEEN).contains(&at.since(time))
}

/// Returns whether somebody could call AWS as the principal when a snapshot was finished, as far as that tells: it had used something
/// shortly before, or the user had an active access key; a role is there for whom its trust policy names, but for those whom an
/// identity provider vouches for, which may have come since.
pub(super) fn had(account: &Account, principal: &Principal, at: UnixTime) -> bool {
    shows_use(account, principal, at)
        || principal.last_used.is_some_and(|time| is_before(time, at))
        || match principal.kind {
            PrincipalKind::User => {
                let mut keys = account.access_keys.get(&principal.arn).into_iter().flatten();
                keys.any(|key| key.status == KeyStatus::Active)
            }
            PrincipalKind::Role => principal
                .trust
                .as_ref()
                .is_some_and(|trust| trust.policy().is_some() && !may_trust_providers(trust.text())),
        }
}
