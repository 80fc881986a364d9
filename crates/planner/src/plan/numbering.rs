//! Principals by their places in a plan.

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::arn::Arn;
use secateur_analyzer::graph::PrincipalId;

use super::PlanReport;

/// The principals of a plan, numbered in the order of their ARNs.
#[derive(Debug)]
pub(super) struct Numbering {
    principals: Vec<PrincipalId>,
}

impl Numbering {
    pub fn new(analysis: &Analysis<'_>, principals: impl IntoIterator<Item = PrincipalId>) -> Numbering {
        // Most are named many times.
        let mut is_in = vec![false; analysis.inputs().account.principals.len()];
        for PrincipalId(at) in principals {
            if let Some(is_in) = is_in.get_mut(at) {
                *is_in = true;
            }
        }
        let principals = is_in.into_iter().enumerate().filter(|(_, is_in)| *is_in).map(|(at, _)| PrincipalId(at));
        Numbering { principals: principals.collect() }
    }

    /// Returns the principal's place in the plan.
    pub fn principal(&self, id: PrincipalId) -> Option<usize> {
        self.principals.binary_search(&id).ok()
    }

    /// Returns the principal at a place in the plan.
    pub fn id(&self, at: usize) -> Option<PrincipalId> {
        self.principals.get(at).copied()
    }

    pub fn arns(&self, analysis: &Analysis<'_>) -> Vec<Arn> {
        let principals = &analysis.inputs().account.principals;
        self.principals.iter().filter_map(|id| principals.get(id.0)).map(|principal| principal.arn.clone()).collect()
    }

    pub fn reports(&self, analysis: &Analysis<'_>) -> Vec<PlanReport> {
        let report = |(at, id): (usize, &PrincipalId)| {
            let (report, times) = analysis.principal(*id)?.evidence.report().ok()?;
            Some(PlanReport { principal: at, sha256: report.sha256, generated_at: times.generated_at })
        };
        self.principals.iter().enumerate().filter_map(report).collect()
    }
}
