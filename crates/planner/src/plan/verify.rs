//! A plan, proved again: nothing in it is believed.
//!
//! Every change is proved from the snapshot. Then the plan is made anew from its inputs, and all that it says must be equal: a
//! plan whose digest was recomputed after an edit does not pass.

use std::collections::BTreeSet;

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::graph::{Entity, PolicyId, PrincipalId};

use super::build::build;
use super::derive::{self, ProvedChange};
use super::numbering::Numbering;
use super::subject::{self, Subject};
use super::{Change, ChangeAction, Plan, PlanOptions, keys, verify_group};

/// Why a change of a plan, or the plan itself, is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The change's address, or `plan`.
    pub address: String,
    /// A word for programs: a proof error's name, or `edited-` and what was edited.
    pub name: String,
    /// A sentence for people.
    pub detail: String,
}

/// Proves every change of a plan again, from an analysis of the snapshot that the plan was made from, and makes the plan anew
/// by `options`, which must be those of the plan's configuration and selection.
///
/// # Errors
/// All refusals, in the order of the changes; those of the plan as a whole come first.
pub fn verify(plan: &Plan, analysis: &Analysis<'_>, options: &PlanOptions) -> Result<(), Vec<Refusal>> {
    let mut refusals = whole(plan, analysis);
    let numbering = Numbering::new(analysis, numbered(plan, analysis));
    for change in plan.changes.iter().filter(|change| !verify_group::is_of_one(plan, change)) {
        let again = match change.action {
            ChangeAction::Deactivate => keys::prove_again(change, analysis),
            _ => prove_again(change, analysis, options, &numbering).map(|proved| proved.change),
        };
        match again {
            Ok(again) => refusals.extend(difference(change, &again)),
            Err(refusal) => refusals.push(refusal),
        }
    }
    refusals.extend(verify_group::all(plan, analysis, options, &numbering));
    if refusals.is_empty() {
        refusals = anew(plan, &build(analysis, options).plan);
    }
    if refusals.is_empty() { Ok(()) } else { Err(refusals) }
}

/// What the plan says and would not say if it were made now, by this secateur.
fn anew(plan: &Plan, again: &Plan) -> Vec<Refusal> {
    let members = [
        ("tool", plan.tool == again.tool),
        ("account", plan.account == again.account),
        ("window", plan.window == again.window),
        ("complete", plan.complete == again.complete),
        ("gaps", plan.gaps == again.gaps),
        ("inputs", plan.inputs == again.inputs),
        ("principals", plan.principals == again.principals),
        ("reports", plan.reports == again.reports),
        ("changes", plan.changes == again.changes),
        ("blocked", plan.blocked == again.blocked),
        ("withheld", plan.withheld == again.withheld),
        ("advice", plan.advice == again.advice),
        ("summary", plan.summary == again.summary),
    ];
    let differs = members.into_iter().filter(|(_, equal)| !equal);
    differs
        .map(|(member, _)| Refusal {
            address: "plan".to_owned(),
            name: format!("edited-{member}"),
            detail: if plan.tool == again.tool {
                format!("`{member}` is not what these inputs give")
            } else {
                format!(
                    "`{member}` is not what secateur {} gives; {} made the plan",
                    again.tool.version, plan.tool.version
                )
            },
        })
        .collect()
}

/// What the plan says besides its changes and must say of this analysis.
fn whole(plan: &Plan, analysis: &Analysis<'_>) -> Vec<Refusal> {
    let inputs = analysis.inputs();
    let mut refusals = Vec::new();
    let mut refuse = |name: &str, detail: &str| {
        refusals.push(Refusal { address: "plan".to_owned(), name: name.to_owned(), detail: detail.to_owned() });
    };
    if plan.account.id != inputs.account.id || plan.account.partition != inputs.account.partition {
        refuse("other-account", "the plan is of another account than the snapshot");
    }
    if plan.account.endpoint != inputs.account.endpoint || plan.account.caller_arn != inputs.account.caller_arn {
        refuse("edited-account", "endpoint or caller_arn is not the snapshot's");
    }
    if plan.complete != inputs.account.complete {
        refuse("edited-complete", "`complete` is not what the snapshot says");
    }
    if plan.inputs.catalog.sha256 != analysis.catalog().sha256() {
        refuse("other-catalog", "the plan was made with another catalogue");
    }
    if !plan.changes.is_sorted_by(|a, b| a.address < b.address) {
        refuse("edited-changes", "the changes are not in order, or an address occurs twice");
    }
    let numbering = Numbering::new(analysis, numbered(plan, analysis));
    if numbering.arns(analysis) != plan.principals {
        refuse("edited-principals", "`principals` is not in order, or has ARNs that the snapshot does not have");
    } else if numbering.reports(analysis) != plan.reports {
        refuse("edited-reports", "`reports` is not what the snapshot has");
    }
    refusals
}

/// The principals that the plan numbers, as far as the snapshot has them.
fn numbered(plan: &Plan, analysis: &Analysis<'_>) -> BTreeSet<PrincipalId> {
    let principals = &analysis.inputs().account.principals;
    let find = |arn| principals.binary_search_by(|principal| principal.arn.cmp(arn)).ok().map(PrincipalId);
    plan.principals.iter().filter_map(find).collect()
}

pub(super) fn prove_again(
    change: &Change,
    analysis: &Analysis<'_>,
    options: &PlanOptions,
    numbering: &Numbering,
) -> Result<ProvedChange, Refusal> {
    let refuse = |name: &str, detail: &str| refusal(change, name, detail);
    let (policy, entity) = subject::find(analysis.graph(), &change.address)
        .ok_or_else(|| refuse("unknown-address", "the snapshot has no such policy or attachment"))?;
    let is_inline = analysis.graph().policy(policy).is_some_and(|policy| policy.managed().is_none());
    let fits = match change.action {
        ChangeAction::Update => entity.is_none() && change.after.is_some(),
        ChangeAction::Delete => entity.is_none() && change.after.is_none() && is_inline,
        ChangeAction::Detach => entity.is_some() && change.after.is_none(),
        ChangeAction::Create | ChangeAction::Attach | ChangeAction::Deactivate => false,
    };
    let (Some(before), true) = (&change.before, fits) else {
        return Err(refuse("edited-action", "the action does not fit the address and the documents"));
    };
    is_changeable(analysis, change, policy, entity)?;
    let subject = Subject { policy, action: change.action, entity, before, after: change.after.as_deref() };
    derive::derive(analysis, &subject, &[], options, numbering)
        .map_err(|error| refusal(change, &error.name(), &error.to_string()))
}

/// Refuses what is left alone.
pub(super) fn is_changeable(
    analysis: &Analysis<'_>,
    change: &Change,
    policy: PolicyId,
    entity: Option<Entity>,
) -> Result<(), Refusal> {
    let is_owned = entity.is_some_and(|entity| subject::owner(analysis.graph(), entity).is_some());
    match !is_owned && analysis.policy(policy).is_some_and(|policy| policy.set_aside.is_none()) {
        true => Ok(()),
        false => Err(refusal(change, "left-alone", "the policy is left alone")),
    }
}

pub(super) fn refusal(change: &Change, name: &str, detail: &str) -> Refusal {
    Refusal { address: change.address.clone(), name: name.to_owned(), detail: detail.to_owned() }
}

/// What the plan says of a change and should not.
pub(super) fn difference(said: &Change, derived: &Change) -> Option<Refusal> {
    let members = [
        ("target", said.target == derived.target),
        ("holders", said.holders == derived.holders),
        ("expects", said.expects == derived.expects),
        ("removed", said.removed == derived.removed),
        ("resources", said.resources == derived.resources),
        ("statements", said.statements == derived.statements),
        ("key", said.key == derived.key),
        ("readmitted", said.readmitted == derived.readmitted),
        ("frozen", said.frozen == derived.frozen),
        ("risk", said.risk == derived.risk),
        ("proof", said.proof == derived.proof),
        ("calls", said.calls == derived.calls),
        ("inverse", said.inverse == derived.inverse),
    ];
    let (member, _) = members.into_iter().find(|(_, equal)| !equal)?;
    Some(Refusal {
        address: said.address.clone(),
        name: format!("edited-{member}"),
        detail: format!("`{member}` is not what the snapshot and the documents of the change say"),
    })
}
