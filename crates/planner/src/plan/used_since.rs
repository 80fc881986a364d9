//! Why a change may no longer be made, in words: what was used since, and when, or what could not be looked up.

use std::collections::BTreeSet;

use secateur_analyzer::account::{Account, KeyLastUsed};
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::PolicyDocument;
use secateur_analyzer::rules::KmsPruning;
use secateur_analyzer::time::UnixTime;
use secateur_analyzer::verdict::{KmsVerdict, NoKmsEvidence};

use super::{Change, ChangeAction, Plan, PlanOptions, Refusal, resources, subject};

/// Says of a refusal by whom and when the action that it names was last used; of an access key, when; of the KMS keys that were to
/// leave, which may no longer, and why.
pub(super) fn told(
    refusal: Refusal,
    plan: &Plan,
    changes: &[&Change],
    (live, options): (&Analysis<'_>, &PlanOptions),
) -> Refusal {
    // The documents are those that were planned: nothing but what is known of keys makes another of them.
    if refusal.name == "changed-resource" {
        return of_cut_keys(refusal, changes, (live, options));
    }
    let action = refusal.detail.split('`').nth(1).unwrap_or_default().to_ascii_lowercase();
    let mut keys: BTreeSet<&Arn> = BTreeSet::new();
    let named: BTreeSet<Arn> = changes.iter().flat_map(|change| keys_of_documents(change)).collect();
    if action.starts_with("kms:") && live.inputs().settings.kms == KmsPruning::Prune {
        keys.extend(changes.iter().flat_map(|change| &change.resources).map(|cut| &cut.arn));
        // What services may do on somebody's behalf could go since all keys were unused that it is allowed on.
        if refusal.detail.ends_with(": protected)") || refusal.detail.contains("not known to be unused") {
            keys.extend(&named);
        }
    }
    let mut refusal = with_use(refusal, plan, changes, live);
    if let Some(why) = why_stay(&keys, live) {
        refusal.detail = format!("{}; {why}", refusal.detail);
    }
    refusal
}

/// Adds by whom and when the action that a refusal names was last used; of an access key, when.
fn with_use(mut refusal: Refusal, plan: &Plan, changes: &[&Change], live: &Analysis<'_>) -> Refusal {
    let account: &Account = live.inputs().account;
    let mut last: Option<(UnixTime, String)> = None;
    let action = refusal.detail.split('`').nth(1).and_then(|name| live.catalog().parse_action(name));
    for change in changes {
        let holders = change.holders.iter().filter_map(|at| plan.principals.get(*at));
        for holder in holders {
            let row = action.and_then(|id| account.reports.get(holder)?.service(live.catalog().service_of(id)));
            let used = action.zip(row).and_then(|(id, row)| row.action(id)?.last_accessed());
            let who = format!("{}/{}", holder.resource_type(), holder.name());
            last = last.max(used.map(|time| (time, who)));
        }
        let keys = account.access_keys.get(&change.target.arn).into_iter().flatten();
        for key in keys.filter(|key| change.action == ChangeAction::Deactivate && key.id == change.target.name) {
            if let KeyLastUsed::At { time, .. } = &key.last_used {
                last = last.max(Some((*time, key.id.clone())));
            }
        }
    }
    if let Some((time, who)) = last {
        refusal.detail = format!("{}; last used by {who} at {time}", refusal.detail);
    }
    refusal
}

/// Says why KMS keys may no longer leave `Resource` lists.
fn of_cut_keys(refusal: Refusal, changes: &[&Change], (live, options): (&Analysis<'_>, &PlanOptions)) -> Refusal {
    let keys: BTreeSet<&Arn> = changes.iter().flat_map(|change| &change.resources).map(|cut| &cut.arn).collect();
    // They are unused, and were granted anew, or reports show a use that nothing else explains.
    let withheld = || {
        let policies = changes.iter().filter_map(|change| Some(subject::find(live.graph(), &change.address)?.0));
        let mut withheld = policies.flat_map(|policy| resources::prune(live, policy, options).withheld);
        // Of other keys there may be more to say.
        withheld.find(|own| keys.iter().any(|key| own.detail.contains(key.as_str()))).map(|withheld| withheld.detail)
    };
    match why_stay(&keys, live).or_else(withheld) {
        Some(why) => {
            let name = "no-evidence".to_owned();
            Refusal { detail: format!("{name}: {why}"), name, ..refusal }
        }
        None => refusal,
    }
}

/// Says of the first of some KMS keys that is not unused why it is none: one that was used, sooner than one of which nothing is known.
fn why_stay(keys: &BTreeSet<&Arn>, live: &Analysis<'_>) -> Option<String> {
    let staying = || keys.iter().filter(|key| live.kms().unused(key.as_str()).is_none());
    let used = staying().filter_map(|key| match live.kms().keys().get(*key) {
        Some(KmsVerdict::Used(time)) => Some((*time, *key)),
        _ => None,
    });
    let (why, all) = match used.max() {
        Some((time, key)) => (format!("key {key} was last used at {time}"), staying().count()),
        None => (not_known(staying().next()?, live), staying().count()),
    };
    Some(match all {
        1 => why,
        2 => format!("{why} (and 1 other may not leave)"),
        more => format!("{why} (and {} others may not leave)", more - 1),
    })
}

/// Says why it is not known of a KMS key that it is unused.
fn not_known(key: &Arn, live: &Analysis<'_>) -> String {
    let gap = |arn: &Arn| {
        let gap = live.inputs().account.gaps.iter().find(|gap| gap.subject == arn.as_str())?;
        Some(format!("key {arn} could not be looked up: {}", gap.detail))
    };
    match live.kms().keys().get(key) {
        Some(KmsVerdict::TooRecent { since }) => format!("key {key}, or a replica of it, is there since {since} only"),
        Some(KmsVerdict::Unrecorded { tracking_start }) => {
            format!("key {key}, or a replica of it, is older than its records, which begin at {tracking_start}")
        }
        Some(KmsVerdict::NoEvidence(NoKmsEvidence::ReplicaMissing(replica))) => {
            gap(replica).unwrap_or_else(|| format!("key {replica}, a replica, could not be looked up"))
        }
        Some(_) => gap(key).unwrap_or_else(|| format!("AWS does not say when key {key} was last used")),
        None => gap(key).unwrap_or_else(|| format!("key {key} is gone, or could not be looked up")),
    }
}

/// Returns the KMS keys whose use some changes rest on, or may.
pub fn keys_at_stake(changes: &[&Change]) -> BTreeSet<Arn> {
    let cut = changes.iter().flat_map(|change| &change.resources).map(|cut| cut.arn.clone());
    cut.chain(changes.iter().flat_map(|change| keys_of_documents(change))).collect()
}

/// The KMS keys that the document of a change names before, and no longer after.
fn keys_of_documents(change: &Change) -> BTreeSet<Arn> {
    let keys = |text: &Option<String>| -> BTreeSet<Arn> {
        let document = text.as_ref().and_then(|text| PolicyDocument::parse(text.as_str()).ok());
        let statements = document.into_iter().flat_map(|document| document.statements);
        let resources = statements.flat_map(|statement| statement.resources);
        let arns = resources.filter_map(|resource| resource.text.parse::<Arn>().ok());
        arns.filter(|arn| arn.service() == "kms" && arn.resource().starts_with("key/")).collect()
    };
    let after = keys(&change.after);
    keys(&change.before).into_iter().filter(|key| !after.contains(key)).collect()
}

#[cfg(test)]
mod tests;
