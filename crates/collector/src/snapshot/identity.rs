//! Which account a snapshot is of.

use std::collections::BTreeMap;
use std::path::Path;

use secateur_analyzer::account::Gap;
use secateur_analyzer::arn::Arn;

use super::details::Details;
use super::{Manifest, SnapshotError};

/// An account and its partition, and what is of another one.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) partition: String,
    /// One gap for each entity of another account, in a snapshot without a manifest.
    pub(super) gaps: Vec<Gap>,
}

pub(super) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the account that the manifest, or else the authorization details are of.
///
/// With a manifest all ARNs must agree with it. Without one, the account of more than half of them counts; those of others
/// are gaps, and nothing of theirs is ever changed. `details_path` and `manifest_path` are for messages.
pub(super) fn of(
    manifest: Option<&Manifest>,
    manifest_path: &Path,
    details: &Details,
    details_path: &Path,
) -> Result<Identity, SnapshotError> {
    let Some(manifest) = manifest else { return by_majority(details, details_path) };
    let identity =
        Identity { id: manifest.account_id.clone(), partition: manifest.partition.clone(), gaps: Vec::new() };
    check_account_id(&identity, manifest_path)?;
    match own_arns(details).find(|arn| is_foreign(arn, &identity)) {
        None => Ok(identity),
        Some(foreign) => Err(SnapshotError::OtherAccount {
            path: details_path.to_owned(),
            arn: foreign.clone(),
            id: identity.id,
            partition: identity.partition,
        }),
    }
}

fn by_majority(details: &Details, details_path: &Path) -> Result<Identity, SnapshotError> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for arn in own_arns(details) {
        *counts.entry((arn.account(), arn.partition())).or_default() += 1;
    }
    let total: usize = counts.values().sum();
    let Some((&(id, partition), &count)) = counts.iter().max_by_key(|(_, count)| **count) else {
        return Err(SnapshotError::UnknownAccount { path: details_path.to_owned() });
    };
    let mut identity = Identity { id: id.to_owned(), partition: partition.to_owned(), gaps: Vec::new() };
    check_account_id(&identity, details_path)?;
    let foreign: Vec<&Arn> = own_arns(details).filter(|arn| is_foreign(arn, &identity)).collect();
    if count * 2 <= total
        && let Some(first) = own_arns(details).next()
        && let Some(second) = own_arns(details).find(|arn| arn.account() != first.account())
    {
        let (first, second) = (first.clone(), second.clone());
        return Err(SnapshotError::TwoAccounts { path: details_path.to_owned(), first, second });
    }
    let gap = |arn: &&Arn| Gap {
        subject: arn.to_string(),
        kind: "other-account".to_owned(),
        detail: format!("not of account {id}, which most of the snapshot is of: left alone"),
    };
    let gaps = foreign.iter().map(gap).collect();
    identity.gaps = gaps;
    Ok(identity)
}

fn check_account_id(identity: &Identity, origin: &Path) -> Result<(), SnapshotError> {
    if is_account_id(&identity.id) {
        return Ok(());
    }
    Err(SnapshotError::AccountId { path: origin.to_owned(), id: identity.id.clone() })
}

fn is_foreign(arn: &Arn, identity: &Identity) -> bool {
    arn.account() != identity.id || arn.partition() != identity.partition
}

fn own_arns(details: &Details) -> impl Iterator<Item = &Arn> {
    let policies = details.policies.iter().filter(|policy| !policy.is_aws_managed()).map(|policy| &policy.arn);
    let principals = details.principals.iter().map(|principal| &principal.arn);
    principals.chain(details.groups.iter().map(|group| &group.arn)).chain(policies)
}
