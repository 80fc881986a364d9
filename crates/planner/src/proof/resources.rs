//! KMS keys that leave `Resource` lists: why the document may have less of them than it had.
//!
//! This knows nothing of how keys are cut. It looks for statements of the old document that are in the new one with fewer
//! resources, or not at all, reads in the snapshot whether all that is missing is an unused key, and if so puts the smaller
//! statement in the old one's place. The smaller one is contained in the old one, and what is left to compare is equal.
//! Where the evidence does not suffice the statement stays, and the comparison that follows refuses the change.

mod heirs;
mod license;

use std::collections::HashSet;

use secateur_analyzer::account::{Granularity, KmsKey, KmsLastUsage, MultiRegion, ReportStatus, ServiceKey};
use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::analysis::{Analysis, UnknownName};
use secateur_analyzer::catalog::{ActionSet, Tracked};
use secateur_analyzer::document::PolicyDocument;
use secateur_analyzer::graph::{Entity, Holder, PrincipalId};
use secateur_analyzer::rules::{Force, KmsPruning, KmsViaService, PolicyFacts, PrincipalFacts};
use secateur_analyzer::time::{DAY, UnixTime};
use secateur_analyzer::verdict::{KMS_RECORDING_DELAY, REPORTING_DELAY};
use secateur_analyzer::wildcard;

use self::license::{License, Licensing};
use super::json::Json;
use super::key_use::Uses;
use super::statement::{self, Document, Kind, Statement};
use super::{Claim, ProofError, evidence, grants, kept};

/// A KMS key that leaves a statement, or leaves with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutResource {
    /// The statement of the old document, from 1.
    pub statement: usize,
    /// Its Sid.
    pub sid: Option<String>,
    /// The key's ARN.
    pub arn: String,
}

/// Returns the old document without the unused keys that the new one lacks, and those keys.
pub(super) fn licensed(
    claim: &Claim<'_>,
    holders: &[Holder],
    before: Document,
    after: &[Document],
    analysis: &Analysis<'_>,
) -> (Document, Vec<CutResource>) {
    let inputs = analysis.inputs();
    // A document loses keys for all who hold it, or goes whole; what takes its place for some does not.
    let is_for_all = after.is_empty() || claim.through.is_none();
    if inputs.settings.kms != KmsPruning::Prune || inputs.account.kms_keys.is_empty() || !is_for_all {
        return (before, Vec::new());
    }
    // Who was given the policy yesterday has had no time to use the keys.
    if deadline(analysis).is_none_or(|deadline| grants::is_recent(claim.policy, holders, deadline, analysis)) {
        return (before, Vec::new());
    }
    let used = Used::of(holders, analysis);
    let Document { elements, statements } = before;
    let licenses = Licensing { claim, holders, old: &statements, analysis }.licenses(after);
    let is_whole = |license: &Option<License>| license.as_ref().is_some_and(|license| license.smaller.is_none());
    let staying = statements.iter().zip(&licenses).filter(|(_, license)| !is_whole(license));
    let explained = explained(staying.map(|(statement, _)| statement), analysis);
    let (mut cut, mut left) = (Vec::new(), Vec::new());
    for ((at, mut statement), license) in statements.into_iter().enumerate().zip(licenses) {
        let is_contradicted =
            is_whole(&license) && used.any_of(&kept::covered(analysis.catalog(), &statement), &explained, analysis);
        match license.filter(|_| !is_contradicted) {
            None => left.push(statement),
            Some(License { keys, smaller }) => {
                let sid = match statement.rest.get("Sid") {
                    Some(Json::String(sid)) => Some(sid.clone()),
                    _ => None,
                };
                cut.extend(keys.into_iter().map(|arn| CutResource { statement: at + 1, sid: sid.clone(), arn }));
                if let Some(smaller) = smaller {
                    statement.rest = smaller;
                    left.push(statement);
                }
            }
        }
    }
    (Document { elements, statements: left }, cut)
}

/// What services may do on a holder's behalf is lost only where the old document allows it on unused keys alone.
pub(super) fn check_via_services(
    claim: &Claim<'_>,
    holders: &[Holder],
    lost: &ActionSet,
    analysis: &Analysis<'_>,
) -> Result<(), ProofError> {
    let inputs = analysis.inputs();
    // Without pruning nothing lifts the protection, and the verdicts have been asked.
    if inputs.settings.kms != KmsPruning::Prune || inputs.settings.kms_via_service == KmsViaService::Trust {
        return Ok(());
    }
    let catalog = analysis.catalog();
    let by_services = |name: &str| {
        ["kms:decrypt", "kms:encrypt", "kms:generatedatakey", "kms:reencrypt"].iter().any(|head| name.starts_with(head))
    };
    let before = statement::read("before", claim.before)?;
    for id in lost.iter().filter(|id| by_services(&catalog.full_name(*id).to_ascii_lowercase())) {
        let allowing = before.statements.iter().filter(|old| !old.denies && kept::covered(catalog, old).contains(id));
        let is_on_unused_keys = |old: &Statement| {
            old.kind == Kind::Action
                && old.rest.get("NotResource").is_none()
                && old.rest.get("Resource").and_then(strings).is_some_and(|resources| {
                    !resources.is_empty() && resources.iter().all(|arn| may_leave(claim, old, arn, analysis))
                })
        };
        let user = holders.iter().find(|holder| uses_other_services(holder.principal, analysis));
        if let (Some(user), false) = (user, allowing.into_iter().all(is_on_unused_keys)) {
            return Err(ProofError::NoEvidence {
                action: catalog.full_name(id),
                principal: analysis.graph().entity_address(Entity::Principal(user.principal)),
                detail: "other services are in use, and may use keys that are not known to be unused".to_owned(),
            });
        }
    }
    Ok(())
}

/// Whether the principal's report, its keys or a role's own record show that it uses other services than KMS, or may; without a
/// report, it may.
fn uses_other_services(principal: PrincipalId, analysis: &Analysis<'_>) -> bool {
    let inputs = analysis.inputs();
    let Some(own) = inputs.account.principals.get(principal.0) else { return true };
    let report = inputs.account.reports.get(&own.arn);
    let Some((report, generated_at)) = report.and_then(|report| Some((report, report.generated_at?))) else {
        return true;
    };
    let seen_to = generated_at.plus(-REPORTING_DELAY);
    let window_start = seen_to.plus(-inputs.settings.min_idle());
    if Uses::of(own, report, seen_to, analysis).are_of_more_than("kms") {
        return true;
    }
    let kms = analysis.catalog().service("kms").map(ServiceKey::Known);
    let kms_row = report.services.iter().find(|row| Some(&row.service) == kms.as_ref());
    let is_told = |time: UnixTime| kms_row.is_some_and(|row| evidence::in_use(row, time.plus(-DAY - 1)));
    match (own.last_used, &own.last_used_region) {
        // Something was used, and nobody knows when.
        (None, Some(_)) => return true,
        (Some(time), _) if time > window_start && !is_told(time) => return true,
        _ => {}
    }
    report.services.iter().any(|row| Some(&row.service) != kms.as_ref() && evidence::in_use(row, window_start))
}

/// What the holders' reports and access keys say was used within `min_idle_days`, of KMS.
struct Used {
    /// By name, in lower case.
    names: HashSet<String>,
    /// Whether some report, or some access key, does not say which actions were used, and KMS was, or may have been.
    may_be_any: bool,
    /// Where a report shows later use of KMS than of any action that it lists: those of which it says nothing.
    untold: ActionSet,
}

impl Used {
    fn of(holders: &[Holder], analysis: &Analysis<'_>) -> Used {
        let (inputs, catalog) = (analysis.inputs(), analysis.catalog());
        let mut used = Used { names: HashSet::new(), may_be_any: false, untold: catalog.empty_set() };
        for holder in holders {
            let principal = inputs.account.principals.get(holder.principal.0);
            let report = principal.and_then(|own| inputs.account.reports.get(&own.arn));
            let report = report.filter(|report| report.status == ReportStatus::Completed && !report.truncated);
            let Some((report, generated_at)) = report.and_then(|report| Some((report, report.generated_at?))) else {
                used.may_be_any = true;
                continue;
            };
            let seen_to = generated_at.plus(-REPORTING_DELAY);
            let (Some(principal), Some(kms)) = (principal, catalog.service("kms")) else { continue };
            used.may_be_any |= Uses::of(principal, report, seen_to, analysis).are_hidden(kms, analysis);
            let Some(row) = report.service(kms) else { continue };
            let window_start = seen_to.plus(-inputs.settings.min_idle());
            used.may_be_any |= report.granularity != Granularity::Action && evidence::in_use(row, window_start);
            let recent = row.actions.iter().filter(|own| own.last_accessed().is_some_and(|time| time > window_start));
            used.names.extend(recent.map(|own| catalog.full_name(own.action).to_ascii_lowercase()));
            let listed = row.actions.iter().map(|own| own.last_accessed());
            let listed = listed.chain(row.unknown_actions.iter().map(|(_, last)| *last)).max().flatten();
            if row.last_authenticated.is_some_and(|time| time > window_start) && listed < row.last_authenticated {
                let is_told = |id| {
                    matches!(catalog.tracked(id), Tracked::Yes { .. }) && row.actions.iter().any(|own| own.action == id)
                };
                let all = catalog.matches(&ActionPattern::new("kms:*"));
                used.untold.insert_all(&all.iter().filter(|id| !is_told(*id)).collect::<Vec<_>>());
            }
        }
        used
    }

    /// Whether an action that was used is among these, and nothing else of the document explains its use.
    fn any_of(&self, actions: &ActionSet, explained: &ActionSet, analysis: &Analysis<'_>) -> bool {
        let is_named = |id| self.names.contains(&analysis.catalog().full_name(id).to_ascii_lowercase());
        actions
            .iter()
            .filter(|id| !explained.contains(*id))
            .any(|id| self.may_be_any || self.untold.contains(id) || is_named(id))
    }
}

/// What statements allow on anything that may be a KMS key.
fn explained<'s>(staying: impl Iterator<Item = &'s Statement>, analysis: &Analysis<'_>) -> ActionSet {
    let is_of_kms = |resource: &&str| {
        resource.split(':').nth(2).is_none_or(|service| wildcard::matches_ignore_case(service, "kms"))
    };
    let mut explained = analysis.catalog().empty_set();
    for statement in staying.filter(|statement| !statement.denies) {
        let resources = statement.rest.get("Resource").and_then(strings);
        if resources.is_none_or(|resources| resources.is_empty() || resources.iter().any(&is_of_kms)) {
            explained.union_with(&kept::covered(analysis.catalog(), statement));
        }
    }
    explained
}

fn strings<'a>(value: &'a Json) -> Option<Vec<&'a str>> {
    let one = |value: &Json| matches!(value, Json::String(_));
    let text = |value: &'a Json| match value {
        Json::String(text) => Some(text.as_str()),
        _ => None,
    };
    match value {
        Json::Array(values) if values.iter().all(one) => Some(values.iter().filter_map(text).collect()),
        single => text(single).map(|text| vec![text]),
    }
}

/// Whether the statement may lose a key at all: an `Action` list of what KMS records, and no rule that keeps any of it.
fn may_shrink(claim: &Claim<'_>, holders: &[Holder], old: &Statement, analysis: &Analysis<'_>) -> bool {
    let has = |key: &str| old.rest.get(key).is_some();
    let is_kept = matches!(old.rest.get("Sid"), Some(Json::String(sid)) if sid.starts_with(kept::KEEP_SID));
    if is_kept || has("NotResource") || has("Principal") || has("NotPrincipal") || old.kind != Kind::Action {
        return false;
    }
    records_all(claim, old, analysis) && !rules_keep(claim, holders, old, analysis)
}

/// Whether the key may leave the statement: nobody used it, and the statement has named it for long enough to tell.
fn may_leave(claim: &Claim<'_>, old: &Statement, arn: &str, analysis: &Analysis<'_>) -> bool {
    let is_old = |deadline| !grants::is_new_in(claim.policy, old, arn, deadline, analysis);
    is_unused(arn, analysis) && deadline(analysis).is_some_and(is_old)
}

/// Whether KMS records the use of all that the statement lists.
fn records_all(claim: &Claim<'_>, old: &Statement, analysis: &Analysis<'_>) -> bool {
    let catalog = analysis.catalog();
    let Ok(document) = PolicyDocument::parse(claim.before) else { return false };
    let is_new = |name: &UnknownName| match name {
        UnknownName::Action { service, name } => old.lists(&format!("{service}:{name}")),
        UnknownName::Service(service) => service.eq_ignore_ascii_case("kms"),
    };
    if old.patterns.is_empty() || analysis.unknown_names(claim.policy, &document).names.iter().any(is_new) {
        return false;
    }
    old.patterns.iter().all(|pattern| {
        let names: Vec<String> =
            catalog.matches(pattern).iter().map(|id| catalog.full_name(id).to_ascii_lowercase()).collect();
        pattern.folded().starts_with("kms:") && !names.is_empty() && names.iter().all(|name| is_recorded(name))
    })
}

/// The operations of the API reference that count as use; `ReEncrypt` needs two permissions.
///
/// See <https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyLastUsageData.html>.
fn is_recorded(folded: &str) -> bool {
    let Some(action) = folded.strip_prefix("kms:") else { return false };
    match action {
        "encrypt" | "decrypt" | "reencryptfrom" | "reencryptto" | "encapsulate" | "decapsulate" => true,
        "sign" | "verify" | "generatemac" | "verifymac" | "derivesharedsecret" => true,
        _ => action
            .strip_prefix("generatedatakey")
            .is_some_and(|rest| ["", "pair", "withoutplaintext", "pairwithoutplaintext"].contains(&rest)),
    }
}

/// Whether a rule that has not run out keeps an action of the statement for some holder.
fn rules_keep(claim: &Claim<'_>, holders: &[Holder], old: &Statement, analysis: &Analysis<'_>) -> bool {
    let (inputs, graph) = (analysis.inputs(), analysis.graph());
    let Some(policy) = graph.policy(claim.policy) else { return true };
    let facts = PolicyFacts::of(policy, graph.address(claim.policy));
    let covered = kept::covered(analysis.catalog(), old);
    holders.iter().any(|holder| {
        let Some(principal) = inputs.account.principals.get(holder.principal.0) else { return true };
        let address = graph.entity_address(Entity::Principal(holder.principal));
        let principal = PrincipalFacts::of(principal, &address);
        let about = inputs.rules.keep.iter().filter(|rule| rule.is_about(&principal, &facts));
        about.filter(|rule| rule.force(inputs.now) != Force::Expired).any(|rule| {
            let matches = |pattern| analysis.catalog().matches(pattern).iter().any(|id| covered.contains(id));
            rule.actions.is_empty() || rule.actions.iter().any(matches)
        })
    })
}

/// The latest time of which the records show whether there was use for `min_idle_days` since.
fn deadline(analysis: &Analysis<'_>) -> Option<UnixTime> {
    let inputs = analysis.inputs();
    Some(inputs.account.started_at?.plus(-KMS_RECORDING_DELAY - inputs.settings.min_idle()))
}

/// Whether the snapshot shows that nobody used this key, nor any key of its family, for `min_idle_days`.
fn is_unused(arn: &str, analysis: &Analysis<'_>) -> bool {
    let inputs = analysis.inputs();
    let (account, deadline) = (inputs.account, deadline(analysis));
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", partition, "kms", region, owner, resource] = parts.as_slice() else { return false };
    let is_plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let Some(id) = resource.strip_prefix("key/").filter(|id| is_plain(id) && is_plain(region)) else { return false };
    let (Some(read_at), Some(deadline)) = (account.started_at, deadline) else { return false };
    let age = inputs.now.since(read_at);
    if *partition != account.partition
        || *owner != account.id
        || !(0..=i64::from(inputs.settings.max_report_age_days) * DAY).contains(&age)
    {
        return false;
    }
    let family: Vec<&KmsKey> =
        account.kms_keys.values().filter(|key| key.arn.as_str().ends_with(&format!(":key/{id}"))).collect();
    let is_quiet = |key: &&KmsKey| is_quiet_since(key, deadline);
    if !family.iter().any(|key| key.arn.as_str() == arn) || !family.iter().all(is_quiet) {
        return false;
    }
    // The family is whole: all of it is there, and all of it says so.
    let found: Vec<&str> = family.iter().map(|key| key.arn.as_str()).collect();
    family.iter().all(|key| match &key.multi_region {
        MultiRegion::Unknown => false,
        MultiRegion::No => found.len() == 1 && !id.starts_with("mrk-"),
        MultiRegion::Yes(relatives) => {
            let same_account = relatives.iter().all(|own| own.account() == *owner && own.partition() == *partition);
            let mut said: Vec<&str> = relatives.iter().map(|own| own.as_str()).collect();
            said.sort_unstable();
            id.starts_with("mrk-") && same_account && said == found
        }
    })
}

/// Whether the key's own record shows no use after that time, and would show it.
fn is_quiet_since(key: &KmsKey, deadline: UnixTime) -> bool {
    match key.last_usage {
        KmsLastUsage::Unknown => false,
        // What lies before the key, or before all records, is not a use of it.
        KmsLastUsage::At(time) => {
            let begins = [key.created, key.tracking_start, Some(UnixTime(DAY))].into_iter().flatten();
            (begins.max().is_some_and(|begin| begin <= time)) && time <= deadline
        }
        // Recorded from its first day, which is long ago.
        KmsLastUsage::Nothing => match (key.created, key.tracking_start) {
            (Some(created), Some(tracking_start)) => tracking_start <= created && created <= deadline,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests;
