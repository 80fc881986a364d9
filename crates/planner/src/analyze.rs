//! What every principal is granted, what it uses, and what could go.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use secateur_analyzer::analysis::{Analysis, PrincipalAnalysis};
use secateur_analyzer::arn::Arn;
use secateur_analyzer::catalog::{ActionId, ActionSet};
use secateur_analyzer::graph::{Entity, PrincipalId};
use secateur_analyzer::risk;
use secateur_analyzer::time::UnixTime;
use secateur_analyzer::verdict::Verdict;
use serde::Serialize;

/// How many of the riskiest removable actions are named.
const RISKIEST: usize = 5;

/// What an account grants and uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The account id.
    pub account: String,
    /// When it was judged.
    pub now: UnixTime,
    /// `min_idle_days`
    pub min_idle_days: u32,
    /// Added up over the principals.
    pub totals: Totals,
    /// How much is missing: what has gaps is kept.
    pub gaps: usize,
    /// The principals, those first whose removable actions are riskiest.
    pub principals: Vec<PrincipalOverview>,
}

/// Numbers of actions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Allowed by some policy, whatever its resources and conditions; of the catalogue.
    pub granted: usize,
    /// Used within `min_idle_days`, as far as AWS reports it.
    pub used: usize,
    /// Removable, as far as this principal is concerned.
    pub removable: usize,
    /// Of those, in policies that another holder blocks, or that are not changed for another reason.
    pub blocked: usize,
    /// Kept, by verdict; those that are used too.
    pub kept: BTreeMap<&'static str, usize>,
}

/// What a principal is granted and uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrincipalOverview {
    /// `role/NAME`, `user/NAME`
    pub address: String,
    /// The ARN.
    pub arn: Arn,
    /// How many policies it holds.
    pub policies: usize,
    /// Whether it used nothing at all.
    pub dormant: bool,
    /// When its report was completed; none when there is none that counts.
    pub report: Option<UnixTime>,
    /// Why there is no report that counts.
    pub no_report: Option<String>,
    /// The numbers.
    pub actions: Totals,
    /// The sum of the scores of its removable actions.
    pub risk: u64,
    /// The riskiest of them.
    pub riskiest: Vec<String>,
}

/// Returns what every principal whose address `wants` likes is granted and uses.
pub fn overview(analysis: &Analysis<'_>, wants: impl Fn(&str) -> bool) -> Overview {
    let inputs = analysis.inputs();
    let mut principals: Vec<PrincipalOverview> = (0..analysis.principals().len())
        .map(PrincipalId)
        .filter(|id| wants(&analysis.graph().entity_address(Entity::Principal(*id))))
        .filter_map(|id| principal(analysis, id))
        .collect();
    principals.sort_by(|a, b| (Reverse(a.risk), &a.address).cmp(&(Reverse(b.risk), &b.address)));
    let mut totals = Totals::default();
    for own in principals.iter().map(|principal| &principal.actions) {
        totals.granted += own.granted;
        totals.used += own.used;
        totals.removable += own.removable;
        totals.blocked += own.blocked;
        for (verdict, count) in &own.kept {
            *totals.kept.entry(verdict).or_default() += count;
        }
    }
    Overview {
        account: inputs.account.id.clone(),
        now: inputs.now,
        min_idle_days: inputs.settings.min_idle_days,
        totals,
        gaps: analysis.gaps().len(),
        principals,
    }
}

fn principal(analysis: &Analysis<'_>, id: PrincipalId) -> Option<PrincipalOverview> {
    let judged = analysis.principal(id)?;
    let graph = analysis.graph();
    let policies = graph.policies_of(id);
    let mut kept: BTreeMap<ActionId, &'static str> = BTreeMap::new();
    let mut removable = analysis.catalog().empty_set();
    let mut blocked = analysis.catalog().empty_set();
    for policy in &policies {
        let Some(held) = analysis.policy(*policy) else { continue };
        let Some(holder) = held.holders.iter().find(|holder| holder.principal == id) else { continue };
        analysis.verdicts(*policy, holder, held.granted.iter(), |action, verdict| match verdict {
            Verdict::Removable(_) => {
                removable.insert(action);
                if !held.removable.contains(action) {
                    blocked.insert(action);
                }
            }
            other => _ = kept.entry(action).or_insert(other.as_str()),
        });
        held.left_alone.iter().for_each(|action| _ = kept.entry(action).or_insert("left-alone"));
    }
    // What stays in one policy is not gone, whatever becomes of it in another.
    kept.keys().for_each(|action| {
        removable.remove(*action);
        blocked.remove(*action);
    });
    let report = judged.evidence.report();
    Some(PrincipalOverview {
        address: graph.entity_address(Entity::Principal(id)),
        arn: judged.evidence.principal().arn.clone(),
        policies: policies.len(),
        dormant: judged.is_dormant,
        report: report.ok().map(|(_, times)| times.generated_at),
        no_report: report.err().map(ToString::to_string),
        risk: risk::total(analysis.catalog(), &removable),
        riskiest: riskiest(analysis, &removable),
        actions: Totals {
            used: used(judged, &kept, analysis.inputs().settings.min_idle()),
            ..totals(&kept, &removable, &blocked)
        },
    })
}

/// How many of the kept actions the report shows as used in the window, whichever row of the table keeps them.
fn used(judged: &PrincipalAnalysis<'_>, kept: &BTreeMap<ActionId, &'static str>, min_idle: i64) -> usize {
    let Ok((report, times)) = judged.evidence.report() else { return 0 };
    let in_window = |last: Option<UnixTime>| last.is_some_and(|last| times.observed.since(last) < min_idle);
    let rows = report.services.iter().flat_map(|row| &row.actions);
    rows.filter(|row| in_window(row.last_accessed()) && kept.contains_key(&row.action)).count()
}

fn totals(kept: &BTreeMap<ActionId, &'static str>, removable: &ActionSet, blocked: &ActionSet) -> Totals {
    let mut by_verdict: BTreeMap<&'static str, usize> = BTreeMap::new();
    for verdict in kept.values() {
        *by_verdict.entry(verdict).or_default() += 1;
    }
    Totals {
        granted: kept.len() + removable.len(),
        used: 0,
        removable: removable.len(),
        blocked: blocked.len(),
        kept: by_verdict,
    }
}

fn riskiest(analysis: &Analysis<'_>, removable: &ActionSet) -> Vec<String> {
    let catalog = analysis.catalog();
    risk::riskiest_first(catalog, removable).into_iter().take(RISKIEST).map(|id| catalog.full_name(id)).collect()
}
