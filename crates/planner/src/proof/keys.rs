//! The evidence that an access key is idle, read from the snapshot a second time.
//!
//! Analyzer's verdict has already been asked. Nothing of it is used here: the key's own data, the rules and the tags are read
//! again, and the conditions stand in other words.

use secateur_analyzer::account::{AccessKey, KeyLastUsed, Principal, PrincipalKind};
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::rules::{Dormant, Force, PrincipalFacts};
use secateur_analyzer::time::{DAY, UnixTime};
use secateur_analyzer::verdict::{KEY_USE_PRECISION, KEY_USE_RECORDED_SINCE, REPORTING_DELAY, owner_by_tags};

use super::ProofError;

/// An access key that is shown to be idle. There is no way to make one but [`prove_key`].
#[derive(Clone, Copy, Debug)]
pub struct KeyProof<'a> {
    user: &'a Principal,
    key: &'a AccessKey,
    created: UnixTime,
    since: UnixTime,
}

impl<'a> KeyProof<'a> {
    /// Returns the user.
    pub fn user(&self) -> &'a Principal {
        self.user
    }

    /// Returns the key.
    pub fn key(&self) -> &'a AccessKey {
        self.key
    }

    /// Returns when the key was created.
    pub fn created(&self) -> UnixTime {
        self.created
    }

    /// Returns since when it is idle: the latest of its creation, its last use, and its last change of status.
    pub fn since(&self) -> UnixTime {
        self.since
    }
}

/// Proves that the key `id` of the user with this name is active, idle, and nobody's business but its user's.
///
/// # Errors
/// The first thing that does not hold.
pub fn prove_key<'a>(user: &str, id: &str, analysis: &Analysis<'a>) -> Result<KeyProof<'a>, ProofError> {
    let refuse = |detail: &str| ProofError::NoKeyEvidence {
        key: id.to_owned(),
        user: user.to_owned(),
        detail: detail.to_owned(),
    };
    let inputs = analysis.inputs();
    let account = inputs.account;
    let mut users = (account.principals.iter())
        .filter(|principal| principal.kind == PrincipalKind::User && principal.name.eq_ignore_ascii_case(user));
    let (Some(owner), None) = (users.next(), users.next()) else { return Err(refuse("not one user of that name")) };
    let mut keys = account.access_keys.get(&owner.arn).into_iter().flatten().filter(|key| key.id == id);
    let (Some(key), None) = (keys.next(), keys.next()) else { return Err(refuse("not one key of that id")) };
    if owner.name != user || owner.arn.account() != account.id || key.status.as_str() != "Active" {
        return Err(refuse("the user is another, or the key is not active"));
    }
    let read_at = account.started_at.ok_or_else(|| refuse("nothing says when it was looked at"))?;
    let age = inputs.now.since(read_at);
    if !(0..=i64::from(inputs.settings.max_report_age_days) * DAY).contains(&age) {
        return Err(refuse("it was looked at too long ago, or in the future"));
    }
    let created = key.created.ok_or_else(|| refuse("nothing says when it was created"))?;
    // Any later use would have been seen, and would be within the window.
    let deadline = read_at.plus(-REPORTING_DELAY - i64::from(inputs.settings.max_key_idle_days) * DAY);
    let mut since = created;
    match &key.last_used {
        KeyLastUsed::Unknown => return Err(refuse("nothing says when it was last used")),
        KeyLastUsed::NoRecord if created < KEY_USE_RECORDED_SINCE => {
            return Err(refuse("it is older than the records of use"));
        }
        KeyLastUsed::NoRecord => {}
        KeyLastUsed::At { time, .. } if time.plus(KEY_USE_PRECISION) > deadline => {
            return Err(refuse("it was used within max_key_idle_days"));
        }
        KeyLastUsed::At { time, .. } => since = since.max(*time),
    }
    since = since.max(switched(owner, analysis).unwrap_or(since));
    if since > deadline {
        return Err(refuse("it was created or switched on within max_key_idle_days"));
    }
    may_be_changed(owner, id, analysis).map_err(refuse)?;
    Ok(KeyProof { user: owner, key, created, since })
}

/// When a key of the user was last switched on or off, as far as the event history tells; by another name that the user may have
/// had too.
fn switched(user: &Principal, analysis: &Analysis<'_>) -> Option<UnixTime> {
    let (account, now) = (analysis.inputs().account, analysis.inputs().now);
    let told = account.grants.as_ref()?;
    // Whether the history would have each renaming that the snapshot can show.
    let read = account.details_at.or(account.finished_at.map(|end| end.plus(-15 * 60)));
    let is_told_whole = told.from >= UnixTime(DAY)
        && told.from <= told.to
        && told.to <= now.plus(DAY)
        && read.is_some_and(|read| read <= told.to);
    let mut latest = None;
    for (at, event) in told.events.iter().enumerate().filter(|(_, event)| event.name == "UpdateAccessKey") {
        let is_own = event.user_name.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(&user.name));
        // By time; those of one second in any order.
        let mut renamings = told.events.iter().enumerate().filter(|(_, other)| other.name == "UpdateUser");
        let may_be_own = renamings.any(|(other, renaming)| other > at || renaming.time == event.time)
            || !is_told_whole
                && !account.principals.iter().any(|own| {
                    own.kind == PrincipalKind::User
                        && event.user_name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(&own.name))
                });
        if is_own || may_be_own {
            latest = latest.max(Some(event.time));
        }
    }
    latest
}

/// Whether rules, tags and the like leave the user to secateur.
fn may_be_changed(user: &Principal, id: &str, analysis: &Analysis<'_>) -> Result<(), &'static str> {
    let inputs = analysis.inputs();
    let judged = analysis.principals().iter().find(|judged| judged.evidence.principal().arn == user.arn);
    let Some(judged) = judged else { return Err("the user was not judged") };
    if judged.evidence.set_aside.is_some() {
        return Err("the user is left alone or ignored");
    }
    if inputs.account.caller_arn.as_ref() == Some(&user.arn) {
        return Err("the snapshot was collected with it, or with another key of its user");
    }
    let address = user.address();
    if owner_by_tags(&user.tags).is_some() || inputs.rules.source_of(&format!("{address}/key/{id}")).is_some() {
        return Err("the user is written down elsewhere");
    }
    let facts = PrincipalFacts::of(user, &address);
    for rule in inputs.rules.keep.iter().filter(|rule| rule.actions.is_empty() && rule.policies.is_empty()) {
        if rule.force(inputs.now) != Force::Expired && facts.is_named(&rule.principals) {
            return Err("a keep rule names the user");
        }
    }
    if inputs.settings.dormant == Dormant::Advise && judged.is_dormant {
        return Err("the user is dormant, and is only advised on");
    }
    Ok(())
}
