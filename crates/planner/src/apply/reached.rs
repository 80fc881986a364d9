//! Whom a rollback reaches, when it is planned: its digest covers them, and whoever comes later was not seen.

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::Sha256;

use super::cloud::{CallError, EntityKind, EntityRef, LiveEntity, Reads};
use super::rollback::Way;
use super::step::Effect;
use crate::plan::{ExpectedHolder, Expects};

impl<R: Reads> Way<'_, R> {
    /// Whether somebody has a policy when the steps before are made.
    pub(super) fn has(&self, entity: &EntityRef, policy: &Arn) -> Result<bool, CallError> {
        Ok(self.attached_by_then(policy)?.iter().any(|live| live.entity == *entity))
    }

    /// What is expected when somebody gets something again, or loses it: what the policy says, and who are the members of a group
    /// now.
    pub(super) fn whom(&self, entity: &EntityRef, document: Option<Sha256>) -> Result<Expects, CallError> {
        let members = match entity.kind {
            EntityKind::Group => self.reads.members(&entity.name)?,
            _ => Vec::new(),
        };
        let memberships = members.iter().map(|member| format!("{} in {entity}", member.entity)).collect();
        Ok(self.expects(document, &members, memberships))
    }

    /// What is expected when a version comes into force again: who holds the policy now. Whoever comes later was not seen.
    pub(super) fn holders(&self, policy: &Arn) -> Result<Expects, CallError> {
        let (mut holders, mut memberships, mut attachments) = (Vec::new(), Vec::new(), Vec::new());
        let mut groups = Vec::new();
        for live in self.attached_by_then(policy)? {
            attachments.push(live.entity.to_string());
            if live.entity.kind != EntityKind::Group {
                holders.push(live);
                continue;
            }
            for member in self.reads.members(&live.entity.name)? {
                memberships.push(format!("{} in {}", member.entity, live.entity));
                holders.push(member);
            }
            groups.push(live);
        }
        let boundary_use = self.reads.policy(policy)?.is_some_and(|live| live.boundary_count > 0);
        // AWS lists them in an order of its own, and the digest is of what is said here.
        holders.sort();
        holders.dedup();
        memberships.sort();
        attachments.sort();
        let groups = self.expects(None, &groups, Vec::new()).holders;
        Ok(Expects { attachments, groups, boundary_use, ..self.expects(None, &holders, memberships) })
    }

    /// Whom a policy is attached to when the steps before are made.
    fn attached_by_then(&self, policy: &Arn) -> Result<Vec<LiveEntity>, CallError> {
        let mut attached = self.reads.attached_to(policy)?;
        for step in &self.steps {
            match &step.effect {
                Effect::Attach { entity, policy: own } if own == policy => {
                    let unique_id = self.reads.entity(entity)?.unwrap_or_default();
                    attached.push(LiveEntity { entity: entity.clone(), unique_id });
                }
                Effect::Detach { entity, policy: own } if own == policy => {
                    attached.retain(|live| live.entity != *entity);
                }
                _ => {}
            }
        }
        Ok(attached)
    }

    fn expects(&self, document: Option<Sha256>, holders: &[LiveEntity], mut memberships: Vec<String>) -> Expects {
        let place = &self.history.begin().destination;
        let holder = |live: &LiveEntity| {
            let arn = format!("arn:{}:iam::{}:{}", place.partition, place.account, live.entity);
            arn.parse().ok().map(|arn| ExpectedHolder { arn, unique_id: live.unique_id.clone() })
        };
        memberships.sort();
        let mut holders: Vec<ExpectedHolder> = holders.iter().filter_map(holder).collect();
        holders.sort_by(|a, b| a.arn.as_str().cmp(b.arn.as_str()));
        Expects { document, holders, memberships, ..Expects::default() }
    }
}
