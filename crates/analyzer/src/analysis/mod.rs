//! The whole account, judged: for every policy, which actions may leave it.
//!
//! Phases: the graph; what is set aside; for every principal its evidence, the verdicts on all it holds, and what is
//! protected because of what stays; for every policy what is removable for all its holders. The work on principals is
//! spread over threads; nothing depends on how.

mod gaps;
mod kept;
mod keys;
mod kms_grants;
mod names;
mod principals;
mod set_aside;

use std::num::NonZeroUsize;

use thiserror::Error;

pub use kept::Kept;
pub use keys::AccessKeyAnalysis;
pub use names::{NameUniverse, UnknownName};

use crate::account::{Account, Gap};
use crate::catalog::{ActionId, ActionSet, Catalog};
use crate::document::{Effect, PolicyDocument, Statement};
use crate::graph::{Graph, Holder, PolicyId, PrincipalId};
use crate::parallel;
use crate::rules::{KmsPruning, Rules, Settings};
use crate::time::{DAY, UnixTime};
use crate::verdict::{
    AboutPolicy, Facts, GrantIndex, GrantWitness, HolderEvidence, KEEP_SID, KmsEvidence, LeftAlone, PolicyGrants,
    RegionEvidence, RelatedActions, SetAside, Verdict,
};

/// What an analysis is about.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The account.
    pub account: &'a Account,
    /// An older snapshot of it, as witness of older grants.
    pub older: Option<&'a Account>,
    /// The settings of `[evidence]`.
    pub settings: &'a Settings,
    /// The rules.
    pub rules: &'a Rules,
    /// When the age of reports and rules is judged.
    pub now: UnixTime,
    /// How many threads to use; the result does not depend on it.
    pub threads: NonZeroUsize,
}

impl<'a> Inputs<'a> {
    /// Returns the inputs of one snapshot, without an older one, for one thread.
    pub const fn new(account: &'a Account, settings: &'a Settings, rules: &'a Rules, now: UnixTime) -> Inputs<'a> {
        Inputs { account, older: None, settings, rules, now, threads: NonZeroUsize::MIN }
    }
}

/// An account, judged.
#[derive(Debug)]
pub struct Analysis<'a> {
    inputs: Inputs<'a>,
    graph: Graph<'a>,
    witness: Option<GrantWitness<'a>>,
    history: GrantIndex<'a>,
    regions: RegionEvidence,
    kms: KmsEvidence,
    policies: Vec<PolicyAnalysis>,
    principals: Vec<PrincipalAnalysis<'a>>,
    gaps: Vec<Gap>,
}

/// A policy, judged.
#[derive(Debug)]
pub struct PolicyAnalysis {
    /// Why the policy is not changed, whoever holds it.
    pub set_aside: Option<SetAside>,
    /// The holders, by principal.
    pub holders: Vec<Holder>,
    /// What the policy's versions tell of its grants.
    pub grants: PolicyGrants,
    /// The catalogue's actions that its Allow statements are about, but for those that are left alone by their Sid.
    pub granted: ActionSet,
    /// The actions of the Allow statements that are left alone by their Sid.
    pub left_alone: ActionSet,
    /// The actions that are removable for every holder.
    pub removable: ActionSet,
    /// The actions that the policy allows on unused KMS keys only, when `kms` is `prune`.
    pub kms_lifted: ActionSet,
}

/// A principal, judged.
#[derive(Debug)]
pub struct PrincipalAnalysis<'a> {
    /// What is known about it.
    pub evidence: HolderEvidence<'a>,
    /// What AWS checks on the way of what stays.
    pub related: RelatedActions,
    /// Whether it used nothing at all in the window.
    pub is_dormant: bool,
    /// The names in its report that the catalogue does not know.
    unknown: Vec<UnknownName>,
    /// What stays of the policies that it shares with others, by policy.
    kept: Vec<(PolicyId, Kept)>,
}

/// Why an account cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AnalysisError {
    /// A report is of the future.
    #[error("the time of judgement {now} is before the report on {arn} of {generated_at}")]
    NowBeforeReport {
        /// The time of judgement.
        now: UnixTime,
        /// Whom the report is about.
        arn: String,
        /// When it was generated.
        generated_at: UnixTime,
    },
}

impl AnalysisError {
    /// Returns the edit that mends it.
    pub fn help(&self) -> String {
        match self {
            AnalysisError::NowBeforeReport { generated_at, .. } => {
                format!(
                    "give --now {generated_at} or later; without it the end of the collection counts, and the report is newer"
                )
            }
        }
    }
}

/// Returns whether the statement is left alone by its Sid.
pub fn is_kept_by_sid(statement: &Statement) -> bool {
    statement.sid.as_deref().is_some_and(|sid| sid.starts_with(KEEP_SID))
}

/// Returns the time at which an account is judged when the user gives none: the end of its collection, else its newest
/// report, else the day of the catalogue.
pub fn default_now(account: &Account) -> UnixTime {
    let newest = account.reports.values().filter_map(|report| report.generated_at).max();
    account.finished_at.or(newest).unwrap_or(account.catalog.dates().names)
}

impl<'a> Analysis<'a> {
    /// Judges an account.
    ///
    /// # Errors
    /// When a report is later than `now`.
    pub fn new(inputs: Inputs<'a>) -> Result<Analysis<'a>, AnalysisError> {
        for report in inputs.account.reports.values() {
            if let Some(generated_at) = report.generated_at.filter(|generated_at| *generated_at > inputs.now) {
                return Err(AnalysisError::NowBeforeReport {
                    now: inputs.now,
                    arn: report.arn.to_string(),
                    generated_at,
                });
            }
        }
        let graph = Graph::new(inputs.account);
        let regions = RegionEvidence::new(inputs.account, inputs.settings, inputs.now);
        let witness = inputs.older.and_then(GrantWitness::new);
        let history = GrantIndex::new(inputs.account, inputs.now);
        let kms = KmsEvidence::new(inputs.account, inputs.settings, inputs.now);
        let policies = judge_policies(&inputs, &graph, &history, &kms);
        let (principals, gaps) = (Vec::new(), Vec::new());
        let mut analysis = Analysis { inputs, graph, witness, history, regions, kms, policies, principals, gaps };
        principals::judge(&mut analysis);
        analysis.gaps = gaps::gaps(&analysis);
        Ok(analysis)
    }

    /// Returns what the analysis is about.
    pub fn inputs(&self) -> &Inputs<'a> {
        &self.inputs
    }

    /// Returns the catalogue.
    pub fn catalog(&self) -> &'a Catalog {
        &self.inputs.account.catalog
    }

    /// Returns the graph of holders.
    pub fn graph(&self) -> &Graph<'a> {
        &self.graph
    }

    /// Returns what is known of the account's Regions.
    pub fn regions(&self) -> &RegionEvidence {
        &self.regions
    }

    /// Returns what is known of the use of KMS keys.
    pub fn kms(&self) -> &KmsEvidence {
        &self.kms
    }

    /// Returns what is missing, in order: the collection's own gaps, then what the analysis missed.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Returns the judged policy.
    pub fn policy(&self, id: PolicyId) -> Option<&PolicyAnalysis> {
        self.policies.get(id.index())
    }

    /// Returns the judged principal.
    pub fn principal(&self, id: PrincipalId) -> Option<&PrincipalAnalysis<'a>> {
        self.principals.get(id.0)
    }

    /// Returns the judged principals, by ARN.
    pub fn principals(&self) -> &[PrincipalAnalysis<'a>] {
        &self.principals
    }

    /// Calls `each` with the verdict on each of `actions` in the policy, for one of its holders.
    pub fn verdicts(
        &self,
        policy: PolicyId,
        holder: &Holder,
        actions: impl IntoIterator<Item = ActionId>,
        mut each: impl FnMut(ActionId, &Verdict),
    ) {
        self.verdicts_in_runs(policy, holder, actions, |ids, verdict| ids.iter().for_each(|id| each(*id, verdict)));
    }

    /// Calls `each` with the verdict on each of `actions` in the policy, for one of its holders; with several at once where
    /// their whole service has it.
    pub fn verdicts_in_runs(
        &self,
        policy: PolicyId,
        holder: &Holder,
        actions: impl IntoIterator<Item = ActionId>,
        each: impl FnMut(&[ActionId], &Verdict),
    ) {
        let (Some(judged), Some(principal)) = (self.policy(policy), self.principal(holder.principal)) else { return };
        let about = self.about(policy, judged);
        let held = principal.evidence.policy(holder, &about);
        principal.evidence.verdicts(&held, actions, Some(&principal.related), each);
    }

    /// Returns what of a policy stays for one of its several holders; none where that was not asked for when it was judged: of a
    /// policy with one holder, and of a holder by some of its attachments only.
    pub fn kept(&self, policy: PolicyId, holder: &Holder) -> Option<&Kept> {
        let judged = self.policy(policy)?;
        let at = judged.holders.binary_search_by_key(&holder.principal, |own| own.principal).ok()?;
        judged.holders.get(at).filter(|own| *own == holder)?;
        let kept = &self.principal(holder.principal)?.kept;
        kept.binary_search_by_key(&policy, |(own, _)| *own).ok().and_then(|at| kept.get(at)).map(|(_, kept)| kept)
    }

    /// Returns the granted actions of the policy that are removable for each of these of its holders; none without holders.
    pub fn removable_for(&self, policy: PolicyId, holders: &[Holder]) -> ActionSet {
        let mut common = self.catalog().empty_set();
        let Some(judged) = self.policy(policy).filter(|_| !holders.is_empty()) else { return common };
        common.union_with(&judged.granted);
        for holder in holders {
            if let Some(kept) = self.kept(policy, holder) {
                kept.runs().for_each(|run| common.remove_run(run));
                continue;
            }
            let mut own = self.catalog().empty_set();
            self.verdicts_in_runs(policy, holder, common.iter(), |ids, verdict| {
                if verdict.removal().is_some() {
                    own.insert_all(ids);
                }
            });
            common = own;
        }
        common
    }

    /// Returns all that the verdict on an action in a policy depends on, for one of its holders.
    pub fn facts(&self, policy: PolicyId, holder: &Holder, action: ActionId) -> Option<Facts> {
        let (judged, principal) = (self.policy(policy)?, self.principal(holder.principal)?);
        let held = principal.evidence.policy(holder, &self.about(policy, judged));
        Some(principal.evidence.facts(&held, action, Some(&principal.related)))
    }

    fn about<'s>(&'s self, policy: PolicyId, judged: &'s PolicyAnalysis) -> AboutPolicy<'s, 's> {
        AboutPolicy {
            graph: &self.graph,
            policy,
            set_aside: judged.set_aside.as_ref(),
            grants: &judged.grants,
            kms_lifted: &judged.kms_lifted,
            witness: self.witness.as_ref(),
            history: &self.history,
            rules: self.inputs.rules,
            now: self.inputs.now,
        }
    }
}

fn judge_policies(
    inputs: &Inputs<'_>,
    graph: &Graph<'_>,
    history: &GrantIndex<'_>,
    kms: &KmsEvidence,
) -> Vec<PolicyAnalysis> {
    let catalog = &inputs.account.catalog;
    let boundaries = set_aside::boundaries(graph);
    let ambiguous = set_aside::ambiguous(graph);
    // What was created before this is old enough in every report that counts.
    let settings = inputs.settings;
    let horizon = inputs.now.plus(-settings.min_idle() - (i64::from(settings.max_report_age_days) + 1) * DAY);
    let ids: Vec<PolicyId> = graph.policies().collect();
    parallel::map(inputs.threads, &ids, |&id| {
        let document = graph.policy(id).and_then(|policy| policy.document()).and_then(|document| document.policy());
        let (granted, left_alone) = match document {
            Some(document) => granted(catalog, document),
            // What cannot be read may grant anything.
            None => (catalog.full_set(), ActionSet::nothing()),
        };
        PolicyAnalysis {
            set_aside: match ambiguous.contains(&id) {
                true => Some(SetAside::LeftAlone(LeftAlone::AmbiguousName)),
                false => set_aside::policy(graph, id, &boundaries, inputs),
            },
            holders: graph.holders(id),
            grants: graph
                .policy(id)
                .map(|policy| PolicyGrants::new(catalog, policy, horizon, history))
                .unwrap_or_default(),
            // Found when the holders are judged; there are thousands of sets.
            removable: ActionSet::nothing(),
            kms_lifted: match document {
                Some(document) if settings.kms == KmsPruning::Prune => {
                    let is_settled = |statement: &Statement, arn: &str| {
                        let since = kms_grants::allowed_since(graph, history, id, statement, arn);
                        kms_grants::is_settled(kms, settings, since)
                    };
                    kms.lifted(catalog, document, &is_settled)
                }
                _ => ActionSet::nothing(),
            },
            granted,
            left_alone,
        }
    })
}

/// The actions of the Allow statements: those that may be changed, and those that are left alone by their Sid.
fn granted(catalog: &Catalog, document: &PolicyDocument) -> (ActionSet, ActionSet) {
    // Hardly a policy has statements that are left alone, and there are thousands of policies.
    let (mut granted, mut left_alone) = (catalog.empty_set(), ActionSet::nothing());
    for statement in document.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        let covered = catalog.covered(&statement.actions);
        if is_kept_by_sid(statement) { left_alone.union_with(&covered) } else { granted.union_with(&covered) }
    }
    (granted, left_alone)
}

#[cfg(test)]
mod tests;
