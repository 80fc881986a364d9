//! What a rollback refuses before its first write.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::fingerprint;
use secateur_analyzer::time::UnixTime;

use super::borne::SLOTS;
use super::cloud::{CallError, EntityRef, Reads};
use super::engine::Clock;
use super::exchange;
use super::final_writes::taken_no_more;
use super::rollback::{Kept, RollbackError, Way};
use super::step::{Effect, Step, Version, VersionRef};

impl<R: Reads> Way<'_, R> {
    /// Refuses what somebody else has changed, and what AWS would not take.
    pub(super) fn refuse(&mut self) -> Result<(), RollbackError> {
        let of = |step: &Step| {
            // Where nobody knows, AWS answers.
            let refused = match &step.effect {
                Effect::PutInline { after: document, .. }
                | Effect::CreateVersion { document, .. }
                | Effect::CreatePolicy { document, .. } => taken_no_more(document).filter(|own| own.is_certain)?,
                _ => return None,
            };
            let detail = format!("{}: {refused}", step.effect);
            Some(Kept { address: step.address.clone(), detail })
        };
        let mut refused: Vec<Kept> = std::mem::take(&mut self.drifted);
        let has_drifted = !refused.is_empty();
        refused.extend(self.steps.iter().filter_map(of));
        if refused.is_empty() {
            return Ok(());
        }
        let rest = self.without(refused.iter());
        Err(match has_drifted {
            true => RollbackError::Drifted { drifted: refused, rest },
            false => RollbackError::TakenNoMore { refused, rest },
        })
    }

    /// The addresses of what leads back without the units of what is refused.
    fn without<'k>(&self, refused: impl Iterator<Item = &'k Kept>) -> Vec<String> {
        let refused: BTreeSet<&str> = refused.map(|kept| kept.address.as_str()).collect();
        let is_refused = |step: &&Step| refused.contains(step.address.as_str());
        let units: BTreeSet<&str> =
            self.history.steps().iter().filter(is_refused).map(|step| step.unit.as_str()).collect();
        let rest = self.steps.iter().filter(|step| !units.contains(step.unit.as_str()));
        let rest: BTreeSet<String> = rest.map(|step| step.address.clone()).collect();
        rest.into_iter().collect()
    }

    /// Refuses what may show later: whatever else is read of it says nothing of anybody.
    pub(super) fn refuse_unseen(&mut self) -> Result<(), RollbackError> {
        let unseen = std::mem::take(&mut self.unseen);
        if unseen.steps.is_empty() {
            return Ok(());
        }
        let rest = self.without(unseen.steps.iter().chain(&self.drifted));
        Err(RollbackError::NotSeen { unseen, rest })
    }

    pub(super) fn drift(&mut self, step: &Step, detail: &str) {
        let detail = format!("{}: {detail}", step.effect);
        self.drifted.push(Kept { address: step.address.clone(), detail });
    }

    /// A policy that somebody else has attached since, has given further versions, or made a boundary, cannot go.
    pub(super) fn refuse_taken(&mut self, step: &Step, policy: &Arn) -> Result<(), CallError> {
        if let Some(live) = self.reads.policy(policy)? {
            if live.boundary_count > 0 {
                self.drift(step, "it has become a permissions boundary");
            }
            if live.versions.len() != 1 {
                self.drift(step, "it has got further versions");
            }
        }
        let own: BTreeSet<&EntityRef> = (self.history.steps().iter())
            .filter_map(|step| match &step.effect {
                Effect::Attach { entity, policy: own } if own == policy => Some(entity),
                _ => None,
            })
            .collect();
        let attached = self.reads.attached_to(policy)?;
        let foreign = attached.iter().find(|live| !own.contains(&live.entity)).map(|live| live.entity.to_string());
        if let Some(foreign) = foreign {
            self.drift(step, &format!("{foreign} has got it since, by somebody else"));
        }
        Ok(())
    }

    /// What comes into force again must say what it said.
    pub(super) fn refuse_other_document(
        &mut self,
        step: &Step,
        policy: &Arn,
        version: &Version,
    ) -> Result<(), CallError> {
        let VersionRef::Id(id) = &version.version else { return Ok(()) };
        let live = self.reads.version(policy, id)?;
        if live.is_none_or(|live| fingerprint(&live) != fingerprint(&version.document)) {
            self.drift(step, &format!("{id} does not say what the journal says"));
        }
        Ok(())
    }

    /// Whoever gets something must have what it takes the place of, and whoever loses something what takes its place.
    pub(super) fn refuse_broken(
        &mut self,
        clock: &impl Clock,
        settle: i64,
        asked_at: UnixTime,
    ) -> Result<(), CallError> {
        let last_at = self.history.last_at().min(asked_at);
        let broken = loop {
            let broken = exchange::broken(self.reads, (&self.steps, None), 0..self.steps.len())?;
            // What was written just before may not show yet.
            if broken.is_empty() || clock.now().since(last_at) >= settle {
                break broken;
            }
            clock.sleep(Duration::from_millis(500));
        };
        let unit =
            |address: &str| self.history.steps().iter().find(|step| step.address == address).map(|step| &step.unit);
        let told: BTreeSet<String> = self.drifted.iter().filter_map(|kept| unit(&kept.address)).cloned().collect();
        for (at, detail) in broken {
            let Some(step) = self.steps.get(at).filter(|step| !told.contains(&step.unit)).cloned() else { continue };
            self.drift(&step, &detail);
        }
        Ok(())
    }

    /// There must be room for every attachment, when its turn comes.
    pub(super) fn refuse_crowded(&mut self) -> Result<(), CallError> {
        let (mut counts, mut quotas) = (BTreeMap::new(), BTreeMap::new());
        for step in self.steps.clone() {
            let (entity, more) = match &step.effect {
                Effect::Attach { entity, .. } => (entity, true),
                Effect::Detach { entity, .. } => (entity, false),
                _ => continue,
            };
            let count = match counts.get(entity) {
                Some(count) => *count,
                None => self.reads.attached(entity)?.map_or(0, |attached| attached.len()),
            };
            if more {
                let quota = match quotas.get(&entity.kind) {
                    Some(quota) => *quota,
                    None => self.reads.attachments_quota(entity.kind)?,
                };
                quotas.insert(entity.kind, quota);
                if let Some(quota) = quota.filter(|quota| count >= *quota) {
                    self.drift(&step, &format!("{entity} has {count} managed policies by then, and may have {quota}"));
                }
            }
            counts.insert(entity.clone(), if more { count + 1 } else { count.saturating_sub(1) });
        }
        Ok(())
    }

    /// There must be a slot for every version that is created, when its turn comes.
    pub(super) fn refuse_full(&mut self) -> Result<(), CallError> {
        let mut counts: BTreeMap<Arn, usize> = BTreeMap::new();
        for step in self.steps.clone() {
            let Some(policy) = step.effect.policy() else { continue };
            let (more, less) = match &step.effect {
                Effect::CreateVersion { .. } => (1, 0),
                Effect::DeleteVersion { .. } => (0, 1),
                _ => continue,
            };
            let count = match counts.get(policy) {
                Some(count) => *count,
                None => self.reads.policy(policy)?.map_or(0, |live| live.versions.len()),
            };
            if count + more > SLOTS {
                self.drift(&step, "all slots for versions are taken by now");
            }
            counts.insert(policy.clone(), (count + more).saturating_sub(less));
        }
        Ok(())
    }
}
