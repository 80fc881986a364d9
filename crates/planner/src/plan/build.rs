//! From an analysis to a plan.

use std::collections::{BTreeMap, BTreeSet};

use secateur_analyzer::account::ManagedPolicy;
use secateur_analyzer::analysis::{Analysis, is_kept_by_sid};
use secateur_analyzer::catalog::ActionSet;
use secateur_analyzer::document::{Effect, Sha256, counted_characters};
use secateur_analyzer::graph::{Holder, PolicyId, PolicyRef, PrincipalId};
use secateur_analyzer::parallel;
use secateur_analyzer::rules::Dormant;

use super::attachments::AttachmentSlots;
use super::aws_managed;
use super::blocked::{self, BlockedPolicy};
use super::derive::{self, ProvedChange};
use super::draft::{self, ByNames, Draft};
use super::numbering::Numbering;
use super::still_granted::Loss;
use super::{
    Advice, Blocked, Change, ChangeAction, ChangeSize, FORMAT_VERSION, Plan, PlanAccount, PlanCatalog, PlanGap,
    PlanInputs, PlanOptions, PlanSelection, Summary, Tool, Window, Withheld, advice, digest, fit, group, keys,
    resources, settled, still_granted, subject, unwritable, withheld,
};
use crate::proof::ProofError;
use crate::rewrite::Outcome;

/// A plan, and what went wrong in making it.
#[derive(Debug)]
pub struct Built {
    /// The plan.
    pub plan: Plan,
    /// Rewrites that could not be proved, with their policies. They are not in the plan; each is a bug of secateur.
    pub unproved: Vec<(String, ProofError)>,
}

/// Makes a plan.
pub fn build(analysis: &Analysis<'_>, options: &PlanOptions) -> Built {
    let mut left = BTreeMap::new();
    loop {
        match attempt(analysis, options, &left) {
            Ok(built) => return built,
            // Each time there is less to draft: this comes to an end.
            Err(unproved) => left.extend(unproved),
        }
    }
}

/// Rewrites that could not be proved, by the policy that stays as it is.
type Unproved = BTreeMap<PolicyId, (String, ProofError)>;

/// Makes a plan in which these policies stay as they are.
///
/// # Errors
/// Returns further inline policies whose rewrites cannot be proved, where others of the same entity may have been given the room
/// that these rewrites leave.
fn attempt(analysis: &Analysis<'_>, options: &PlanOptions, left: &Unproved) -> Result<Built, Unproved> {
    let graph = analysis.graph();
    let threads = analysis.inputs().threads;
    let Drafted { drafts, blocked, mut withheld, advice, reused } = drafted(analysis, options, left);
    let holders = drafts.iter().filter_map(|draft| analysis.policy(draft.policy)).flat_map(|policy| &policy.holders);
    let holders = holders.map(|holder| holder.principal);
    let numbering = Numbering::new(analysis, holders.chain(blocked.iter().flat_map(BlockedPolicy::principals)));
    let mut changes: Vec<Change> = Vec::with_capacity(drafts.len());
    let mut losses: BTreeMap<String, Loss> = BTreeMap::new();
    let mut refused: Vec<(PolicyId, String, ProofError)> = Vec::new();
    let policies: Vec<PolicyId> = drafts.iter().map(|draft| draft.policy).collect();
    let derived = parallel::map_into(threads, drafts, |draft| derived(analysis, &draft, options, &numbering));
    for (policy, results) in policies.iter().zip(derived) {
        for (address, result) in results {
            match result {
                // What takes nothing away is no change: the document stays as its author wrote it.
                Ok(proved) if !proved.iter().any(|(change, _)| takes_something(change)) => {}
                Ok(proved) => {
                    for (change, loss) in proved {
                        losses.insert(change.address.clone(), loss);
                        changes.push(change);
                    }
                }
                Err(error) => refused.push((*policy, address, error)),
            }
        }
    }
    let shares_room = |own: &PolicyId| {
        let entity = |policy: &PolicyId| match graph.policy(*policy) {
            Some(PolicyRef::Inline(entity, _)) => Some(entity),
            _ => None,
        };
        entity(own).is_some() && policies.iter().any(|other| other != own && entity(other) == entity(own))
    };
    let (again, refused): (Vec<_>, Vec<_>) = refused.into_iter().partition(|(policy, ..)| shares_room(policy));
    if !again.is_empty() {
        return Err(again.into_iter().map(|(policy, address, error)| (policy, (address, error))).collect());
    }
    let mut unproved = Vec::new();
    let left = left.iter().map(|(policy, (address, error))| (*policy, address.clone(), error.clone()));
    for (policy, address, error) in left.chain(refused) {
        if let ProofError::UnwritableAction { pattern, .. } = &error {
            let whole = unwritable::withheld(analysis, policy, address, pattern, options);
            // What the pattern itself keeps is said with it.
            let is_said =
                |other: &Withheld| [unwritable::WITHOUT_COLON, &whole.reason].contains(&other.reason.as_str());
            withheld.retain(|other| other.address != whole.address || !is_said(other));
            withheld.push(whole);
            continue;
        }
        // Legal, and beyond what can be compared exactly: a number that is no integer, say.
        let is_beyond = matches!(error, ProofError::Unreadable { which: "before", .. });
        let why = if is_beyond { "left as written" } else { "which is a bug of secateur" };
        let detail = format!("the rewrite could not be proved, {why}: {error}");
        withheld.push(Withheld { address: address.clone(), reason: "unproved".to_owned(), detail });
        if !is_beyond {
            unproved.push((address, error));
        }
    }
    let mut said = Said { advice: Vec::new(), blocked: Vec::new(), losses, reused };
    let say = |blocked: &BlockedPolicy| (blocked.advice(analysis), blocked.entries(analysis, &numbering));
    for (more, entries) in parallel::map(threads, &blocked, say) {
        said.advice.extend(more);
        said.blocked.extend(entries);
    }
    drop(blocked);
    said.advice.extend(advice);
    let keys = keys::keys(analysis, options);
    changes.extend(keys.changes);
    withheld.extend(keys.withheld);
    unproved.extend(keys.unproved);
    let plan = assemble(analysis, options, &numbering, changes, withheld, said);
    Ok(Built { plan, unproved })
}

/// What is to be proved, and what is said before that.
struct Drafted<'a> {
    drafts: Vec<Draft<'a>>,
    blocked: Vec<BlockedPolicy>,
    withheld: Vec<Withheld>,
    advice: Vec<Advice>,
    /// The policies that are there already and are attached to more entities.
    reused: BTreeSet<PolicyId>,
}

/// Rewrites all policies but those that are left, and makes them fit.
fn drafted<'a>(analysis: &Analysis<'a>, options: &PlanOptions, left: &Unproved) -> Drafted<'a> {
    let graph = analysis.graph();
    let mut withheld = withheld::policies(analysis);
    let is_withheld: BTreeSet<&str> = withheld.iter().map(|withheld| withheld.address.as_str()).collect();
    let mut slots = AttachmentSlots::of(analysis);
    let threads = analysis.inputs().threads;
    let is_of_aws = |policy: &PolicyId| {
        graph.policy(*policy).and_then(|policy| policy.managed()).is_some_and(ManagedPolicy::is_aws_managed)
    };
    let (of_aws, own): (Vec<PolicyId>, Vec<PolicyId>) =
        graph.policies().filter(|policy| !is_withheld.contains(graph.address(*policy))).partition(is_of_aws);
    let mut drafts = Vec::new();
    let mut blocked = Vec::new();
    let draft_own = |policy: &PolicyId| (draft(analysis, *policy, options), blocked::of(analysis, *policy, options));
    let holders = |policy: &PolicyId| analysis.policy(*policy).map_or(0, |judged| judged.holders.len());
    for ((more, draft), blocking) in parallel::map_longest_first(threads, &own, holders, draft_own) {
        withheld.extend(more);
        drafts.extend(draft.filter(|draft| !left.contains_key(&draft.policy)));
        blocked.extend(blocking);
    }
    blocked.extend(of_aws.iter().flat_map(|policy| blocked::of_groups(analysis, *policy, options)));
    let blocked = blocked::writable(analysis, blocked, &mut withheld, options);
    let owned_by_aws = aws_managed::drafts(analysis, &of_aws, options, &mut slots);
    withheld.extend(withheld::expired_keep_rules(analysis));
    withheld.extend(fit::fit(graph, &mut drafts, &options.rewrite, &mut slots, threads));
    withheld.extend(owned_by_aws.withheld);
    drafts.extend(owned_by_aws.drafts);
    drafts.retain(|draft| draft.rewritten.outcome != Outcome::Unchanged);
    drafts.iter_mut().for_each(Draft::settle);
    Drafted { drafts, blocked, withheld, advice: owned_by_aws.advice, reused: slots.into_reused() }
}

/// Leaves as they are the policies that this plan attaches to others: who gets them needs what they have now.
fn keep_reused(analysis: &Analysis<'_>, said: &Said, changes: &mut Vec<Change>) -> Vec<Withheld> {
    let graph = analysis.graph();
    let is_attached = |policy: &PolicyId| {
        let arn = graph.policy(*policy).and_then(|policy| policy.managed()).map(|policy| &policy.arn);
        changes.iter().any(|change| change.action == ChangeAction::Attach && Some(&change.target.arn) == arn)
    };
    let reused: BTreeSet<PolicyId> = said.reused.iter().copied().filter(is_attached).collect();
    let of =
        |change: &Change| said.losses.get(&change.address).map(|loss| loss.policy).filter(|own| reused.contains(own));
    let own: BTreeSet<PolicyId> = changes.iter().filter_map(of).collect();
    changes.retain(|change| of(change).is_none());
    let entry = |policy: &PolicyId| Withheld {
        address: graph.address(*policy).to_owned(),
        reason: "reused".to_owned(),
        detail: "this plan attaches it to others, as it is: apply that, and plan again".to_owned(),
    };
    own.iter().map(entry).collect()
}

/// Whether anything is lost by a change.
fn takes_something(change: &Change) -> bool {
    change.proof.lost > 0 || change.proof.resources > 0
}

/// What is said beside the changes.
struct Said {
    advice: Vec<Advice>,
    blocked: Vec<Blocked>,
    /// By address, what is lost.
    losses: BTreeMap<String, Loss>,
    /// The policies that are there already and may be attached to more entities.
    reused: BTreeSet<PolicyId>,
}

/// What became of a change or a group at an address: its changes, each with what it takes away.
type Derived = (String, Result<Vec<(Change, Loss)>, ProofError>);

/// The changes of a draft, proved, each with what it takes away: each alone, or all as one.
fn derived(analysis: &Analysis<'_>, draft: &Draft<'_>, options: &PlanOptions, numbering: &Numbering) -> Vec<Derived> {
    let graph = analysis.graph();
    let sized = |mut change: ProvedChange| {
        if let (Some(ByNames { own, others, quota }), Some(after)) = (draft.by_names, &change.change.after) {
            change.change.size = Some(ChangeSize { by_names: own, others, after: counted_characters(after), quota });
        }
        Loss::of(change)
    };
    if !draft.parts.is_empty() {
        let group = group::derive(analysis, draft, options, numbering);
        let sized = |group: Vec<ProvedChange>| group.into_iter().map(sized).collect();
        return vec![(graph.address(draft.policy).to_owned(), group.map(sized))];
    }
    (subject::subjects(graph, draft).into_iter())
        .map(|subject| {
            let change = derive::derive(analysis, &subject, &[], options, numbering);
            (subject::address(graph, &subject), change.map(|change| vec![sized(change)]))
        })
        .collect()
}

/// Rewrites one policy; returns what is withheld of it, and what is not.
fn draft<'a>(analysis: &Analysis<'a>, policy: PolicyId, options: &PlanOptions) -> (Vec<Withheld>, Option<Draft<'a>>) {
    let graph = analysis.graph();
    let nothing = (Vec::new(), None);
    let (Some(judged), Some(reference)) = (analysis.policy(policy), graph.policy(policy)) else { return nothing };
    let Some(document) = reference.document().and_then(|document| document.policy()) else { return nothing };
    let removable = wanted(analysis, policy, &judged.holders, judged.removable.clone(), options);
    // Keys go first: what they leave is room for names.
    let keys = resources::prune(analysis, policy, options);
    if removable.is_empty() && keys.outcome == Outcome::Unchanged {
        return (keys.withheld, None);
    }
    let draft = Draft::new(analysis, policy, document, &judged.holders, removable, keys.outcome, options);
    let mut withheld = keys.withheld;
    withheld.extend(subject::owned_attachments(graph, &draft));
    withheld.extend(notes(analysis, &draft));
    if draft.rewritten.outcome == Outcome::Unchanged && !draft.is_open() {
        return (withheld, None);
    }
    if let Some(detail) = is_withheld_as_dormant(analysis, &judged.holders) {
        withheld.push(Withheld { address: graph.address(policy).to_owned(), reason: "dormant".to_owned(), detail });
        return (withheld, None);
    }
    (withheld, Some(draft))
}

/// What a draft leaves by its settings, or because the catalogue is too old.
pub(super) fn notes(analysis: &Analysis<'_>, draft: &Draft<'_>) -> Vec<Withheld> {
    let mut withheld = Vec::new();
    let mut withhold = |reason: &str, detail: String| {
        let address = analysis.graph().address(draft.policy).to_owned();
        withheld.push(Withheld { address, reason: reason.to_owned(), detail });
    };
    if !draft::is_fresh(analysis) && !draft.rewritten.unsplit.is_empty() {
        let patterns = draft.rewritten.unsplit.join("`, `");
        let days = analysis.inputs().settings.max_catalog_age_days;
        withhold(
            "catalog-too-old",
            format!(
                "`{patterns}` is left as written: the catalogue is of {}, older than max_catalog_age_days ({days})",
                analysis.catalog().dates().names.date()
            ),
        );
    }
    for (pattern, number) in draft.without_colon() {
        withhold(unwritable::WITHOUT_COLON, unwritable::left_as_written(pattern, number));
    }
    if !draft.rewritten.advised.is_empty() {
        withhold("not-action", "a NotAction could exempt more: not_action = \"advise\"".to_owned());
    }
    for why in &draft.rewritten.uninverted {
        let detail =
            format!("a NotAction could become an Action list, but {why}; not_action = \"extend\" adds to it instead");
        withhold("not-inverted", detail);
    }
    withheld
}

/// Why changes for these holders are withheld: all of them are dormant.
pub(super) fn is_withheld_as_dormant(analysis: &Analysis<'_>, holders: &[Holder]) -> Option<String> {
    let settings = analysis.inputs().settings;
    let is_dormant = |id: PrincipalId| analysis.principal(id).is_some_and(|principal| principal.is_dormant);
    let all_dormant = holders.iter().all(|holder| is_dormant(holder.principal));
    (all_dormant && settings.dormant == Dormant::Advise).then(|| {
        let who = withheld::names(analysis, holders.iter().map(|holder| holder.principal));
        format!(
            "{who} used nothing within {} days: delete what is not needed, or set dormant = \"prune\"",
            settings.min_idle_days
        )
    })
}

/// The removable actions whose reason is wanted; where holders differ, the weakest reason counts.
pub(super) fn wanted(
    analysis: &Analysis<'_>,
    policy: PolicyId,
    holders: &[Holder],
    removable: ActionSet,
    options: &PlanOptions,
) -> ActionSet {
    if options.selection.only.is_empty() {
        return removable;
    }
    let mut weakest = BTreeMap::new();
    for holder in holders {
        analysis.verdicts(policy, holder, removable.iter(), |id, verdict| {
            if let Some(removal) = verdict.removal() {
                let reason = weakest.entry(id).or_insert(removal.reason);
                *reason = removal.reason.max(*reason);
            }
        });
    }
    let mut wanted = removable.clone();
    for id in removable.iter() {
        if !weakest.get(&id).is_some_and(|reason| options.selection.wants_reason(*reason)) {
            wanted.remove(id);
        }
    }
    wanted
}

/// Puts proved changes, and all that is to be said beside them, into a plan.
fn assemble(
    analysis: &Analysis<'_>,
    options: &PlanOptions,
    numbering: &Numbering,
    mut changes: Vec<Change>,
    mut withheld: Vec<Withheld>,
    mut said: Said,
) -> Plan {
    changes.sort_by(|a, b| a.address.cmp(&b.address));
    fit::group_inline(analysis.graph(), &mut changes);
    let mut chosen = advice::choice(analysis, &options.selection, &changes);
    let (all, all_withheld) = (changes.len(), withheld.len() + said.blocked.len());
    options.selection.keep(&mut changes);
    if !options.selection.is_everything() {
        withheld.retain(|withheld| options.selection.wants(&withheld.address));
        said.blocked.retain(|blocked| options.selection.wants(&blocked.address));
    }
    let (left, unsaid) = (all - changes.len(), all_withheld - withheld.len() - said.blocked.len());
    chosen.splice(0..0, advice::targeted(&options.selection, left, unsaid));
    withheld.extend(withheld::limits(&mut changes, &options.limits));
    // Only of what is attached in the end.
    withheld.extend(keep_reused(analysis, &said, &mut changes));
    settled::settle(&changes, &mut withheld);
    withheld.sort();
    withheld.dedup();
    // Only now is it known which changes are made.
    still_granted::still_granted(analysis, &mut changes, &said.losses, numbering);
    let losses = || changes.iter().filter_map(|change| Some((change, said.losses.get(&change.address)?)));
    let assumed_actions: usize = losses().map(|(_, loss)| loss.assumed_grant_dates).sum();
    let keys = losses().filter(|(_, loss)| analysis.assumes_key_grants(loss.policy));
    let keys = keys.flat_map(|(change, _)| &change.resources).map(|resource| &resource.arn);
    let assumed_kms_keys = keys.collect::<BTreeSet<_>>().len();
    let assumed_grant_dates = assumed_actions + assumed_kms_keys;
    // Thousands of sets, which nobody needs any more.
    drop(said.losses);
    let gaps: Vec<PlanGap> = (analysis.gaps().iter())
        .map(|gap| PlanGap { subject: gap.subject.clone(), kind: gap.kind.clone(), detail: gap.detail.clone() })
        .collect();
    let blocked = said.blocked.iter().map(|blocked| blocked.count).sum();
    let summary =
        Summary { assumed_grant_dates, assumed_kms_keys, blocked, ..summary(analysis, &changes, &withheld, &gaps) };
    let inputs = analysis.inputs();
    let settings = inputs.settings;
    let mut plan = Plan {
        format_version: FORMAT_VERSION.to_owned(),
        tool: Tool { name: "secateur".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        digest: Sha256([0; 32]),
        changes_digest: Sha256([0; 32]),
        account: PlanAccount {
            id: inputs.account.id.clone(),
            partition: inputs.account.partition.clone(),
            caller_arn: inputs.account.caller_arn.clone(),
            endpoint: inputs.account.endpoint.clone(),
        },
        window: Window {
            now: inputs.now,
            min_idle_days: settings.min_idle_days,
            max_report_age_days: settings.max_report_age_days,
            max_catalog_age_days: settings.max_catalog_age_days,
            max_key_idle_days: settings.max_key_idle_days,
            unknown_grant_date: settings.unknown_grant_date.as_str().to_owned(),
            kms_via_service: settings.kms_via_service.as_str().to_owned(),
            kms: settings.kms.as_str().to_owned(),
            dormant: settings.dormant.as_str().to_owned(),
            regions: regions(analysis),
        },
        complete: inputs.account.complete,
        inputs: PlanInputs {
            snapshot: options.snapshot.clone(),
            older_snapshot: options.older_snapshot.clone(),
            config: options.config.clone(),
            selection: PlanSelection {
                target: options.selection.target.clone(),
                exclude: options.selection.exclude.clone(),
                only: options.selection.only.iter().map(|reason| reason.as_str().to_owned()).collect(),
            },
            catalog: PlanCatalog { sha256: analysis.catalog().sha256(), date: analysis.catalog().dates().names },
        },
        principals: numbering.arns(analysis),
        reports: numbering.reports(analysis),
        advice: advice::advice(analysis, options, chosen, said.advice),
        changes,
        blocked: said.blocked,
        withheld,
        gaps,
        summary,
    };
    digest::fill_in(&mut plan, inputs.threads);
    plan
}

fn regions(analysis: &Analysis<'_>) -> Vec<String> {
    let inputs = analysis.inputs();
    let all: BTreeSet<&String> =
        inputs.account.regions.iter().flatten().chain(&inputs.settings.regions_in_use).collect();
    all.into_iter().cloned().collect()
}

fn summary(analysis: &Analysis<'_>, changes: &[Change], withheld: &[Withheld], gaps: &[PlanGap]) -> Summary {
    let count = |actions: &[ChangeAction]| changes.iter().filter(|change| actions.contains(&change.action)).count();
    let graph = analysis.graph();
    let documents = graph.policies().filter_map(|id| graph.policy(id)).filter_map(|policy| policy.document()?.policy());
    let kept = documents.flat_map(|document| &document.statements);
    Summary {
        add: count(&[ChangeAction::Create, ChangeAction::Attach]),
        change: count(&[ChangeAction::Update, ChangeAction::Deactivate]),
        destroy: count(&[ChangeAction::Delete, ChangeAction::Detach]),
        removed_actions: changes.iter().flat_map(|change| &change.removed).map(|removed| removed.count).sum(),
        assumed_grant_dates: 0,
        assumed_kms_keys: 0,
        frozen: changes.iter().map(|change| change.frozen.len()).sum(),
        readmitted: changes.iter().flat_map(|change| &change.readmitted).map(|readmitted| readmitted.count).sum(),
        blocked: 0,
        kept_statements: kept
            .filter(|statement| statement.effect == Effect::Allow && is_kept_by_sid(statement))
            .count(),
        withheld: withheld.len(),
        gaps: gaps.len(),
    }
}
