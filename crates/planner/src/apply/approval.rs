//! From a plan to what may be written: proved, then proposed, then approved. Each has a type, and each type one way in.

use std::collections::BTreeMap;

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::Sha256;
use serde::{Deserialize, Serialize};

use super::derive::{DeriveError, Place, steps};
use super::step::{Step, Version, digest_of};
use crate::plan::{Change, Plan, PlanOptions, Refusal, verify};

/// A plan that was proved again from its snapshot, and is what its inputs give. Made by [`Proved::new`] alone.
#[derive(Debug)]
pub struct Proved<'a> {
    plan: &'a Plan,
}

impl<'a> Proved<'a> {
    /// Proves a plan again.
    ///
    /// # Errors
    /// All that does not hold.
    pub fn new(plan: &'a Plan, analysis: &Analysis<'_>, options: &PlanOptions) -> Result<Proved<'a>, Vec<Refusal>> {
        verify(plan, analysis, options)?;
        if plan.complete {
            return Ok(Proved { plan });
        }
        Err(vec![Refusal {
            address: "plan".to_owned(),
            name: "incomplete".to_owned(),
            detail: "the authorization details of its snapshot are not whole: the plan cannot be applied".to_owned(),
        }])
    }

    /// Returns the plan.
    pub fn plan(&self) -> &'a Plan {
        self.plan
    }
}

/// Where something is to be written: a plan of one account must not reach another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// The account id.
    pub account: String,
    /// The partition.
    pub partition: String,
    /// The endpoint; none for AWS's own.
    pub endpoint: Option<String>,
}

/// What a proposal comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Origin {
    /// A plan.
    Plan {
        /// The plan's digest.
        digest: Sha256,
    },
    /// The rollback of a journal.
    Rollback {
        /// The journal's id.
        journal: String,
        /// The hash of its last record when the rollback was planned.
        head: Sha256,
        /// Whether it takes back all that the journal did.
        whole: bool,
        /// The steps of the journal that were as before already when it was planned: somebody else has taken them back, they
        /// were in doubt and not done, or who has them is gone.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        kept: Vec<usize>,
        /// The steps of the journal that stay as it made them: what somebody else did rests on them, or AWS would not take them
        /// back.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<usize>,
    },
}

impl Origin {
    /// Returns the id of the journal that is taken back; none for a plan.
    pub fn takes_back(&self) -> Option<&str> {
        match self {
            Origin::Plan { .. } => None,
            Origin::Rollback { journal, .. } => Some(journal),
        }
    }
}

/// Steps that could be made, if somebody approves of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    pub(super) origin: Origin,
    pub(super) destination: Destination,
    pub(super) steps: Vec<Step>,
}

impl Proposal {
    /// Proposes some changes of a proved plan. Units are taken whole by who chooses.
    ///
    /// # Errors
    /// When a change is not of the plan, or is none that can be made.
    pub fn of_plan(
        proved: &Proved<'_>,
        chosen: &[&Change],
        evict: &BTreeMap<Arn, Version>,
    ) -> Result<Proposal, DeriveError> {
        let plan = proved.plan;
        let is_of_plan = |change: &Change| plan.changes.iter().any(|own| own == change);
        if let Some(foreign) = chosen.iter().find(|change| !is_of_plan(change)) {
            let detail = "the change is not of the plan".to_owned();
            return Err(DeriveError { address: foreign.address.clone(), detail });
        }
        // A group that is taken in part would leave somebody with less than what was reviewed.
        let is_chosen = |change: &Change| chosen.iter().any(|own| own.address == change.address);
        let torn = chosen.iter().find(|change| {
            change.group.is_some() && plan.changes.iter().any(|own| own.group == change.group && !is_chosen(own))
        });
        if let Some(torn) = torn {
            let detail = "its group is not taken whole".to_owned();
            return Err(DeriveError { address: torn.address.clone(), detail });
        }
        let place = Place { account: &plan.account.id, partition: &plan.account.partition };
        Ok(Proposal {
            origin: Origin::Plan { digest: plan.digest },
            destination: Destination {
                account: plan.account.id.clone(),
                partition: plan.account.partition.clone(),
                endpoint: plan.account.endpoint.clone(),
            },
            steps: steps(chosen, evict, place)?,
        })
    }

    /// Returns the digest that is approved: the plan's own, or that of a rollback.
    pub fn digest(&self) -> Sha256 {
        match &self.origin {
            Origin::Plan { digest } => *digest,
            Origin::Rollback { .. } => digest_of(self),
        }
    }

    /// Returns what it comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns where it leads.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Returns its steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Takes somebody's word for it.
    ///
    /// # Errors
    /// When the word is not for this proposal.
    pub fn approve(self, approval: &Approval) -> Result<Approved, NotApproved> {
        let digest = self.digest();
        let how = match approval {
            Approval::Digest(said) if *said == digest => "digest",
            Approval::Digest(said) => return Err(NotApproved { said: *said, digest }),
            Approval::Prompt(said) if *said == digest => "prompt",
            Approval::Prompt(said) => return Err(NotApproved { said: *said, digest }),
            Approval::Auto => "auto-approve",
        };
        Ok(Approved { proposal: self, how })
    }
}

/// How somebody says yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// By all 64 digits: `--approve`.
    Digest(Sha256),
    /// By `yes`, after being shown this digest.
    Prompt(Sha256),
    /// By `--auto-approve`.
    Auto,
}

/// The approval is for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said} is approved, and the digest here is {digest}")]
pub struct NotApproved {
    /// What was approved.
    pub said: Sha256,
    /// What is here.
    pub digest: Sha256,
}

/// A proposal that somebody approved of. Only from one of these does a journal begin, and only from a journal a write.
#[derive(Debug)]
pub struct Approved {
    proposal: Proposal,
    how: &'static str,
}

impl Approved {
    /// Returns the proposal.
    pub fn proposal(&self) -> &Proposal {
        &self.proposal
    }

    /// Returns how it was approved: `digest`, `prompt` or `auto-approve`.
    pub fn how(&self) -> &'static str {
        self.how
    }
}
