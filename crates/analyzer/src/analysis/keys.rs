//! The verdicts on the access keys of all users.

use super::{Analysis, PrincipalAnalysis};
use crate::account::{AccessKey, GrantEvent, Principal, PrincipalKind};
use crate::arn::Arn;
use crate::graph::PrincipalId;
use crate::rules::{Dormant, Force, PrincipalFacts};
use crate::time::{DAY, UnixTime};
use crate::verdict::{
    AccessKeyFacts, AccessKeyVerdict, KeepsKey, LeftAlone, NoKeyEvidence, Owner, SetAside, details_at, is_dated,
    owner_by_tags,
};

/// An access key, judged.
#[derive(Clone, Debug)]
pub struct AccessKeyAnalysis<'a> {
    /// The user.
    pub principal: PrincipalId,
    /// `user/NAME/key/ID`
    pub address: String,
    /// The key.
    pub key: &'a AccessKey,
    /// The verdict on it.
    pub verdict: AccessKeyVerdict,
}

impl<'a> Analysis<'a> {
    /// Judges the access keys of all users whose keys were collected; by user, then by id.
    pub fn access_keys(&self) -> Vec<AccessKeyAnalysis<'a>> {
        let account = self.inputs.account;
        let mut judged = Vec::new();
        for (at, analysis) in self.principals.iter().enumerate() {
            let user = analysis.evidence.principal();
            for key in account.access_keys.get(&user.arn).into_iter().flatten() {
                let address = format!("{}/key/{}", user.address(), key.id);
                let facts = self.access_key_facts(analysis, user, key, &address);
                judged.push(AccessKeyAnalysis { principal: PrincipalId(at), verdict: facts.verdict(), address, key });
            }
        }
        judged
    }

    fn access_key_facts<'k>(
        &self,
        analysis: &PrincipalAnalysis<'_>,
        user: &Principal,
        key: &'k AccessKey,
        address: &str,
    ) -> AccessKeyFacts<'k> {
        let settings = self.inputs.settings;
        AccessKeyFacts {
            key,
            collected: self.keys_collected(),
            handled: self.keys_handled(user),
            set_aside: analysis.evidence.set_aside.clone().or_else(|| self.owned_key(user, key, address)),
            kept: self.keeps_key(user),
            is_dormant: analysis.is_dormant && settings.dormant == Dormant::Advise,
            max_idle: i64::from(settings.max_key_idle_days) * DAY,
        }
    }

    /// When the last use of keys was looked up: at the earliest when the collection began.
    fn keys_collected(&self) -> Result<UnixTime, NoKeyEvidence> {
        let inputs = &self.inputs;
        let collected = inputs.account.started_at.ok_or(NoKeyEvidence::NoDate)?;
        match inputs.now.since(collected) {
            ..0 => Err(NoKeyEvidence::Future { collected }),
            age if age > i64::from(inputs.settings.max_report_age_days) * DAY => {
                Err(NoKeyEvidence::TooOld { collected })
            }
            _ => Ok(collected),
        }
    }

    /// When a key of the user was last switched on or off; a call that names nobody is about the caller's own keys, whoever
    /// that was. Users are renamed: whom a call names that is older than a renaming may be anybody, and so may one that is not
    /// there, unless the history shows that nobody was renamed.
    fn keys_handled(&self, user: &Principal) -> Option<UnixTime> {
        let account = self.inputs.account;
        let history = account.grants.as_ref()?;
        let is_whole =
            is_dated(history, self.inputs.now) && details_at(account).is_some_and(|details| history.to >= details);
        let times = |name: &'static str| history.events.iter().filter(move |event| event.name == name);
        let renamed = times("UpdateUser").map(|event| event.time).max();
        let is_there = |name: &str| {
            let users = account.principals.iter().filter(|own| own.kind == PrincipalKind::User);
            users.into_iter().any(|own| own.name.eq_ignore_ascii_case(name))
        };
        let may_be = |event: &&GrantEvent| match &event.user_name {
            None => true,
            Some(name) if name.eq_ignore_ascii_case(&user.name) => true,
            Some(_) if renamed.is_some_and(|renamed| renamed >= event.time) => true,
            Some(name) => !is_whole && !is_there(name),
        };
        times("UpdateAccessKey").filter(may_be).map(|event| event.time).max()
    }

    /// Whether the user, and so its keys, are written down elsewhere; or the key's id is none.
    fn owned_key(&self, user: &Principal, key: &AccessKey, address: &str) -> Option<SetAside> {
        let is_legal = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        let is_id = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if key.id.is_empty() || !key.id.chars().all(is_id) || !user.name.chars().all(is_legal) {
            return Some(SetAside::LeftAlone(LeftAlone::AmbiguousName));
        }
        let source = self.inputs.rules.source_of(address).map(|source| Owner::Source(source.file.as_str().into()));
        source.or_else(|| owner_by_tags(&user.tags)).map(|owner| SetAside::LeftAlone(LeftAlone::Owned(owner)))
    }

    /// The first `[[keep]]` rule in force that names the user and neither actions nor policies, else the first that has
    /// just expired.
    fn keeps_key(&self, user: &Principal) -> Option<KeepsKey> {
        let address = user.address();
        let facts = PrincipalFacts::of(user, &address);
        let rules = self.inputs.rules.keep.iter().enumerate();
        let mut about: Vec<(Force, usize)> = rules
            .filter(|(_, rule)| rule.actions.is_empty() && rule.policies.is_empty() && facts.is_named(&rule.principals))
            .map(|(at, rule)| (rule.force(self.inputs.now), at))
            .collect();
        about.sort_unstable();
        match about.first()? {
            (Force::InForce, at) => Some(KeepsKey::InForce(*at)),
            (Force::Grace, at) => Some(KeepsKey::Expired(*at)),
            (Force::Expired, _) => None,
        }
    }

    /// Returns the users whose access keys are not known.
    pub fn users_without_keys(&self) -> impl Iterator<Item = &'a Arn> + '_ {
        let account = self.inputs.account;
        let users = account.principals.iter().filter(|user| user.kind == PrincipalKind::User);
        users.map(|user| &user.arn).filter(|arn| !account.access_keys.contains_key(*arn))
    }
}
