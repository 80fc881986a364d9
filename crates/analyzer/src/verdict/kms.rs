//! The verdict on a KMS key: was it unused, by anybody and in every Region?
//!
//! KMS records the last successful cryptographic use of each key, not by whom. See
//! <https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-determining-usage.html>.

use std::collections::BTreeMap;
use std::fmt;

use super::ReportTimes;
use crate::account::{Account, KmsKey, KmsLastUsage, MultiRegion};
use crate::action::ActionPattern;
use crate::arn::Arn;
use crate::catalog::{ActionSet, Catalog};
use crate::document::{ActionBlock, Effect, PolicyDocument, ResourceEntry, Statement};
use crate::rules::{KmsPruning, Settings};
use crate::time::{DAY, UnixTime};

/// KMS records use within an hour.
pub const KMS_RECORDING_DELAY: i64 = 3_600;

/// The actions whose use KMS records on the key. `DescribeKey`, `CreateGrant` and the like are not among them.
pub const CRYPTOGRAPHIC_ACTIONS: [&str; 15] = [
    "kms:Decapsulate",
    "kms:Decrypt",
    "kms:DeriveSharedSecret",
    "kms:Encapsulate",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:GenerateMac",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:Sign",
    "kms:Verify",
    "kms:VerifyMac",
];

/// The verdict on a KMS key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KmsVerdict {
    /// It was not used for `min_idle_days`, in any Region.
    Unused(UnusedKmsKey),
    /// It was used within `min_idle_days`, in some Region.
    Used(UnixTime),
    /// It was not used, and is younger than `min_idle_days`.
    TooRecent {
        /// When it, or its youngest replica, was created.
        since: UnixTime,
    },
    /// Nothing is recorded, and it is older than the records: nobody can tell.
    Unrecorded {
        /// When the records begin.
        tracking_start: UnixTime,
    },
    /// Nothing shows whether it was used.
    NoEvidence(NoKmsEvidence),
}

/// What shows that a KMS key is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnusedKmsKey {
    /// Its last use in any Region; none if it was never used since its creation.
    pub last_used: Option<UnixTime>,
    /// Since when it is unused: its last use, or its creation.
    pub since: UnixTime,
}

/// Why nothing shows whether a KMS key was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoKmsEvidence {
    /// The ARN is not that of a key of this account.
    OtherAccount,
    /// Nothing says when its use was looked up.
    NoDate,
    /// Its use was looked up after the time of judgement.
    Future,
    /// Its use was looked up longer than `max_report_age_days` ago.
    TooOld,
    /// Its replicas are not known, or its relatives' lists of them differ.
    RelativesUnknown,
    /// The use of a replica, or of the primary key, was not collected.
    ReplicaMissing(Arn),
    /// What was collected says neither that there was use nor that there was none, or tells of use before the key was there.
    NotSaid,
}

impl KmsVerdict {
    /// Returns the verdict as a word.
    pub fn as_str(&self) -> &'static str {
        match self {
            KmsVerdict::Unused(_) => "unused",
            KmsVerdict::Used(_) => "used",
            KmsVerdict::TooRecent { .. } => "too-recent",
            KmsVerdict::Unrecorded { .. } => "unrecorded",
            KmsVerdict::NoEvidence(_) => "no-evidence",
        }
    }
}

impl fmt::Display for UnusedKmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last_used {
            None => write!(f, "never used since its creation on {}", self.since.date()),
            Some(time) => write!(f, "last used on {}", time.date()),
        }
    }
}

/// The verdicts on the KMS keys whose use was collected, by ARN; none when `kms` is `off`.
#[derive(Clone, Debug, Default)]
pub struct KmsEvidence {
    keys: BTreeMap<Arn, KmsVerdict>,
    times: Option<ReportTimes>,
}

impl KmsEvidence {
    /// Judges the account's KMS keys.
    pub fn new(account: &Account, settings: &Settings, now: UnixTime) -> KmsEvidence {
        if settings.kms == KmsPruning::Off {
            return KmsEvidence::default();
        }
        let judged = account.kms_keys.values().map(|key| (key.arn.clone(), judge(account, key, settings, now)));
        let times = account
            .started_at
            .map(|collected| ReportTimes { generated_at: collected, observed: collected.plus(-KMS_RECORDING_DELAY) });
        KmsEvidence { keys: judged.collect(), times }
    }

    /// Returns the verdicts, by ARN.
    pub fn keys(&self) -> &BTreeMap<Arn, KmsVerdict> {
        &self.keys
    }

    /// Returns when use was looked up, and up to when it was seen; none when nothing says so.
    pub fn times(&self) -> Option<ReportTimes> {
        self.times
    }

    /// Returns whether any key is unused.
    pub fn has_unused(&self) -> bool {
        self.keys.values().any(|verdict| matches!(verdict, KmsVerdict::Unused(_)))
    }

    /// Returns what shows that the key is unused which a resource of a policy is: the ARN, letter by letter.
    pub fn unused(&self, resource: &str) -> Option<UnusedKmsKey> {
        match self.keys.get(&resource.parse::<Arn>().ok()?)? {
            KmsVerdict::Unused(unused) => Some(*unused),
            _ => None,
        }
    }

    /// Returns the cryptographic actions that a policy allows on unused keys only: services cannot have used them by it.
    ///
    /// Every Allow statement about the action must name nothing but such keys, and must have named them for long enough, as
    /// `is_settled` says of a statement and a key.
    pub fn lifted(
        &self,
        catalog: &Catalog,
        document: &PolicyDocument,
        is_settled: &dyn Fn(&Statement, &str) -> bool,
    ) -> ActionSet {
        let mut lifted = catalog.empty_set();
        if !self.has_unused() {
            return lifted;
        }
        let mut elsewhere = catalog.empty_set();
        for statement in document.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
            let covered = catalog.covered(&statement.actions);
            let is_settled = |resource: &ResourceEntry| is_settled(statement, &resource.text);
            if self.names_unused_keys_only(statement) && statement.resources.iter().all(is_settled) {
                lifted.union_with(&covered)
            } else {
                elsewhere.union_with(&covered)
            }
        }
        lifted.difference_with(&elsewhere);
        lifted.intersect_with(&cryptographic(catalog));
        lifted
    }

    fn names_unused_keys_only(&self, statement: &Statement) -> bool {
        matches!(statement.actions, ActionBlock::Action(_))
            && !statement.has_not_resource
            && !statement.resources.is_empty()
            && statement.resources.iter().all(|resource| self.unused(&resource.text).is_some())
    }
}

/// The cryptographic actions of the catalogue.
fn cryptographic(catalog: &Catalog) -> ActionSet {
    let mut set = catalog.empty_set();
    for pattern in CRYPTOGRAPHIC_ACTIONS {
        set.union_with(&catalog.matches(&ActionPattern::new(pattern)));
    }
    set
}

fn judge(account: &Account, key: &KmsKey, settings: &Settings, now: UnixTime) -> KmsVerdict {
    match family(account, key, settings, now) {
        Ok((relatives, observed)) => {
            let mut unused: Option<UnusedKmsKey> = None;
            for relative in relatives {
                match judge_one(relative, observed, settings.min_idle()) {
                    KmsVerdict::Unused(own) => {
                        unused = Some(unused.map_or(own, |all| UnusedKmsKey {
                            last_used: all.last_used.max(own.last_used),
                            since: all.since.max(own.since),
                        }));
                    }
                    other => return other,
                }
            }
            unused.map_or(KmsVerdict::NoEvidence(NoKmsEvidence::NotSaid), KmsVerdict::Unused)
        }
        Err(why) => KmsVerdict::NoEvidence(why),
    }
}

/// The key with all its replicas, and up to when their records show use.
fn family<'a>(
    account: &'a Account,
    key: &'a KmsKey,
    settings: &Settings,
    now: UnixTime,
) -> Result<(Vec<&'a KmsKey>, UnixTime), NoKmsEvidence> {
    let collected = account.started_at.ok_or(NoKmsEvidence::NoDate)?;
    match now.since(collected) {
        ..0 => return Err(NoKmsEvidence::Future),
        age if age > i64::from(settings.max_report_age_days) * DAY => return Err(NoKmsEvidence::TooOld),
        _ => {}
    }
    if !is_own_key(account, &key.arn) {
        return Err(NoKmsEvidence::OtherAccount);
    }
    let observed = collected.plus(-KMS_RECORDING_DELAY);
    let relatives = match &key.multi_region {
        MultiRegion::Unknown => return Err(NoKmsEvidence::RelativesUnknown),
        // Ids of multi-Region keys begin so, and no others.
        MultiRegion::No if key.arn.name().starts_with("mrk-") => return Err(NoKmsEvidence::RelativesUnknown),
        MultiRegion::No => return Ok((vec![key], observed)),
        MultiRegion::Yes(relatives) => relatives,
    };
    let is_relative = |arn: &Arn| is_own_key(account, arn) && arn.resource() == key.arn.resource();
    if !relatives.contains(&key.arn) || !relatives.iter().all(is_relative) {
        return Err(NoKmsEvidence::RelativesUnknown);
    }
    // A replica that one of them does not know of may be new: then the lists are of different moments.
    let mut known = account.kms_keys.values().filter(|other| other.arn.resource() == key.arn.resource());
    if known.any(|other| other.multi_region != key.multi_region) {
        return Err(NoKmsEvidence::RelativesUnknown);
    }
    let find = |arn: &Arn| account.kms_keys.get(arn).ok_or_else(|| NoKmsEvidence::ReplicaMissing(arn.clone()));
    Ok((relatives.iter().map(find).collect::<Result<_, _>>()?, observed))
}

/// Whether the ARN is that of one key of this account, and no pattern.
fn is_own_key(account: &Account, arn: &Arn) -> bool {
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    arn.service() == "kms"
        && arn.partition() == account.partition
        && arn.account() == account.id
        && is_id(arn.region())
        && arn.resource().strip_prefix("key/").is_some_and(is_id)
}

/// The verdict on one key in one Region.
fn judge_one(key: &KmsKey, observed: UnixTime, min_idle: i64) -> KmsVerdict {
    let is_recent = |time: UnixTime| observed.since(time) < min_idle;
    let since = match (&key.last_usage, key.created, key.tracking_start) {
        (KmsLastUsage::At(last), ..) if is_recent(*last) => return KmsVerdict::Used(*last),
        // There was no such use: the key did not exist, or nothing was recorded yet. So it is not known when the last one was.
        (KmsLastUsage::At(last), created, tracking_start)
            if last.0 < DAY || [created, tracking_start].into_iter().flatten().any(|begin| *last < begin) =>
        {
            return KmsVerdict::NoEvidence(NoKmsEvidence::NotSaid);
        }
        (KmsLastUsage::At(last), ..) => {
            return KmsVerdict::Unused(UnusedKmsKey { last_used: Some(*last), since: *last });
        }
        (KmsLastUsage::Unknown, ..) | (_, None, _) | (_, _, None) => {
            return KmsVerdict::NoEvidence(NoKmsEvidence::NotSaid);
        }
        (KmsLastUsage::Nothing, Some(created), Some(tracking_start)) if created < tracking_start => {
            return KmsVerdict::Unrecorded { tracking_start };
        }
        // Recorded since its creation. AWS prints equal times then; a later creation means the same.
        (KmsLastUsage::Nothing, Some(created), Some(_)) => created,
    };
    if is_recent(since) {
        return KmsVerdict::TooRecent { since };
    }
    KmsVerdict::Unused(UnusedKmsKey { last_used: None, since })
}

#[cfg(test)]
mod tests;
