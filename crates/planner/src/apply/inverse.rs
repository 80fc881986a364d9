//! What the steps of a rollback follow from: the journal below, as it stood when the rollback was planned.
//!
//! A rollback reads who holds what it gives back, or takes away, and what the versions are; all else it takes from the journal
//! below. So whoever edits the journal of a rollback can change no more than the former, which is looked at again before each
//! write: what a step is of, what it expects, what must be attached beside it, and which steps there are have to be what follows.

use std::collections::BTreeSet;

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::Sha256;

use super::approval::Origin;
use super::cloud::EntityKind;
use super::derive::DeriveError;
use super::exchange::{self, Held};
use super::identity;
use super::journal::{History, Progress};
use super::standing::rests;
use super::step::{Effect, Step, VersionRef};
use crate::plan::Expects;

fn wrong(address: &str, detail: String) -> DeriveError {
    DeriveError { address: address.to_owned(), detail }
}

/// Returns what must be attached when the way back from a step is made: what the step was made beside, as it was then. Where a version
/// comes into force, of those who have the policy then. `before` is what leads back before it.
pub(super) fn beside(below: &History, at: usize, back: &Step, before: &[Step]) -> Vec<Held> {
    let mut all = match back.effect {
        Effect::Attach { .. } | Effect::Detach { .. } | Effect::SetDefault { .. } => {
            exchange::beside(below.steps(), at)
        }
        _ => Vec::new(),
    };
    if let Effect::SetDefault { .. } = back.effect {
        let attachments = back.expects.as_ref().map(|expects| expects.attachments.as_slice()).unwrap_or_default();
        all.retain(|held| attachments.contains(&held.entity.to_string()));
    }
    // The steps of this way need not be about what stands beside them: the last ones to be were those of the journal below.
    for held in all.iter_mut().filter(|held| !held.policy.is_aws_managed_policy()) {
        held.document = held.document.or_else(|| exchange::reviewed(below.steps(), &held.policy));
        let is_anew = before.iter().any(|step| identity::creates(step, &held.policy));
        held.unique_id = match is_anew {
            true => None,
            false => identity::known(below.steps(), Some(below), &held.policy),
        };
    }
    all
}

/// Returns what the policy of an attachment said when it was made: as the step expected, or as its journal created it.
pub(super) fn said(below: &History, step: &Step, policy: &Arn) -> Option<Sha256> {
    let reviewed = step.expects.as_ref().and_then(|expects| expects.document);
    reviewed.or_else(|| identity::created_with(below.steps(), policy))
}

/// Refuses a rollback whose steps do not follow from the journal below. `below` is that journal as it stood when the rollback was
/// planned.
///
/// # Errors
/// When a step is another one, or one is missing of a unit of which others are there.
pub(super) fn check(above: &History, below: &History) -> Result<(), DeriveError> {
    let journal = &below.begin().id;
    let back = WayBack { above: above.steps(), below };
    let (mut next, mut not_taken, mut touched) = (0, BTreeSet::new(), BTreeSet::new());
    for (at, step) in below.steps().iter().enumerate().rev() {
        let may_stand =
            !below.is_taken_back(at) && matches!(below.progress(at), Progress::Done { .. } | Progress::Intended { .. });
        if !may_stand {
            continue;
        }
        let made = back.steps_of(next, step);
        if made == 0 {
            not_taken.insert(at);
            continue;
        }
        back.check(next..next + made, at, step)?;
        touched.insert(step.unit.as_str());
        next += made;
    }
    if let Some(foreign) = above.steps().get(next) {
        return Err(wrong(&foreign.address, format!("it takes back nothing that {journal} did: it was edited")));
    }
    check_rest(above, below, &not_taken, &touched)
}

/// Refuses a rollback that leaves out what it does not say that it leaves out.
fn check_rest(
    above: &History,
    below: &History,
    not_taken: &BTreeSet<usize>,
    touched: &BTreeSet<&str>,
) -> Result<(), DeriveError> {
    let journal = &below.begin().id;
    let Origin::Rollback { whole, kept, left, .. } = &above.begin().origin else { return Ok(()) };
    let of = |at: &usize| below.steps().get(*at);
    let edited = |at: &usize, what: &str| {
        let (address, effect) = of(at).map(|step| (step.address.as_str(), step.effect.to_string())).unwrap_or_default();
        wrong(address, format!("{effect}: {what}: it was edited"))
    };
    if let Some(at) = kept.iter().chain(left).find(|at| !not_taken.contains(at)) {
        return Err(edited(at, &format!("it says that it leaves this of {journal}, which is not there to leave")));
    }
    if let Some(at) = kept.iter().find(|at| !may_be_kept(below, **at)) {
        return Err(edited(at, &format!("{journal} did it, and nobody can undo it: it is none to keep")));
    }
    if let Some(at) = left.iter().find(|at| !may_be_left(below, **at, left)) {
        return Err(edited(at, &format!("nothing of {journal} keeps it from being taken back")));
    }
    let missing = not_taken.iter().filter(|at| !kept.contains(at) && !left.contains(at));
    for at in missing {
        if of(at).is_some_and(|step| touched.contains(step.unit.as_str())) {
            return Err(edited(at, &format!("{journal} did it, with what is taken back, and it is left out")));
        }
        if *whole {
            return Err(edited(at, &format!("{journal} did it, and it is not all taken back")));
        }
    }
    match left.first() {
        Some(at) if *whole => Err(edited(at, "it is left, and it is not all taken back")),
        _ => Ok(()),
    }
}

/// Whether a step may have been as before when the rollback was planned: a version that was deleted does not come back under its id,
/// so it is so only where it was in doubt whether it was deleted.
fn may_be_kept(below: &History, at: usize) -> bool {
    let is_deletion = below.steps().get(at).is_some_and(|step| matches!(step.effect, Effect::DeleteVersion { .. }));
    !is_deletion || !matches!(below.progress(at), Progress::Done { .. })
}

/// Whether a step may stay as it is: a version that had made room, and what something rests on that the journal never did.
fn may_be_left(below: &History, at: usize, left: &[usize]) -> bool {
    let Some(step) = below.steps().get(at) else { return false };
    let is_version = matches!(step.effect, Effect::DeleteVersion { .. });
    if is_version && matches!(below.begin().origin, Origin::Plan { .. }) {
        return true;
    }
    let is_theirs = |own: usize| !matches!(below.progress(own), Progress::Done { .. }) || left.contains(&own);
    let mut later = below.steps().iter().enumerate().skip(at + 1);
    later.any(|(own, later)| is_theirs(own) && rests(later, at, below))
}

/// The steps of a rollback, and the journal below.
struct WayBack<'a> {
    above: &'a [Step],
    below: &'a History,
}

impl WayBack<'_> {
    /// Returns how many steps from one on lead back from a step of the journal below: none, one, or two where a version is created
    /// anew before it comes into force.
    fn steps_of(&self, next: usize, step: &Step) -> usize {
        let leads_back = |at: usize| {
            let own = self.above.get(at)?;
            (own.address == step.address && own.effect.undoes(&step.effect)).then_some(&own.effect)
        };
        match (leads_back(next), &step.effect) {
            (None, _) => 0,
            (Some(Effect::CreateVersion { .. }), Effect::SetDefault { .. }) => match leads_back(next + 1) {
                Some(Effect::SetDefault { to, .. }) if to.version == VersionRef::CreatedBy(next) => 2,
                _ => 0,
            },
            (Some(_), _) => 1,
        }
    }

    /// Refuses steps that lead back from one, and are not as a rollback makes them.
    fn check(&self, made: std::ops::Range<usize>, at: usize, step: &Step) -> Result<(), DeriveError> {
        for own in made {
            let Some(back) = self.above.get(own) else { continue };
            let follows = [
                ("unit", back.unit == step.unit),
                ("unique_id", self.has_its_id(own, back, at, step)),
                ("entity_id", back.entity_id == step.entity_id),
                ("expects", self.expects_what_it_must(own, back, step)),
                ("versions", self.has_its_versions(own, back, at, step)),
                ("beside", self.stands_beside_it(own, back, at)),
            ];
            if let Some((member, _)) = follows.into_iter().find(|(_, follows)| !follows) {
                let journal = &self.below.begin().id;
                let detail =
                    format!("{}: its {member} does not follow from what {journal} did: it was edited", back.effect);
                return Err(wrong(&back.address, detail));
            }
        }
        Ok(())
    }

    fn stands_beside_it(&self, own: usize, back: &Step, at: usize) -> bool {
        let then = beside(self.below, at, back, self.above.get(..own).unwrap_or_default());
        let is_it = |(own, then): (&Held, &Held)| {
            // The id of what was in doubt was read.
            let unique_id = match &then.unique_id {
                None if identity::is_in_doubt(self.below, &then.policy) => own.unique_id.clone(),
                known => known.clone(),
            };
            *own == Held { unique_id, ..then.clone() }
        };
        back.beside.len() == then.len() && back.beside.iter().zip(&then).all(is_it)
    }

    /// Whether a policy is put back before a step.
    fn puts_back(&self, before: usize, policy: &Arn) -> bool {
        self.above.iter().take(before).any(|step| identity::creates(step, policy))
    }

    fn has_its_id(&self, own: usize, back: &Step, at: usize, step: &Step) -> bool {
        let is_of = |step: &Step, policy: &Arn| identity::creates(step, policy) || identity::deletes(step, policy);
        match &back.effect {
            Effect::CreatePolicy { .. } => back.unique_id.is_none(),
            // What was created has the id that AWS gave it; where nobody heard of that, the one that was read.
            Effect::DeletePolicy { .. } => match self.below.progress(at) {
                Progress::Done { wrote, .. } if wrote.unique_id.is_some() => back.unique_id == wrote.unique_id,
                _ => back.unique_id.is_some(),
            },
            Effect::Attach { policy, .. } if policy.is_aws_managed_policy() || self.puts_back(own, policy) => {
                back.unique_id.is_none()
            }
            Effect::Attach { policy, .. } | Effect::Detach { policy, .. } => {
                match identity::id_of(self.below, step, policy) {
                    Some(id) => back.unique_id == Some(id),
                    // Of what was in doubt, it was read; what was made anew since has another one.
                    None if self.below.steps().iter().any(|step| is_of(step, policy)) => true,
                    None => back.unique_id.is_none(),
                }
            }
            _ => back.unique_id == step.unique_id,
        }
    }

    fn expects_what_it_must(&self, own: usize, back: &Step, step: &Step) -> bool {
        let is_guarded = matches!(
            back.effect,
            Effect::PutInline { .. }
                | Effect::DeleteInline { .. }
                | Effect::Attach { .. }
                | Effect::Detach { .. }
                | Effect::SetDefault { .. }
        );
        let Some(expects) = &back.expects else { return !is_guarded };
        let says_it = match &back.effect {
            Effect::Detach { policy, .. } => expects.document == said(self.below, step, policy),
            Effect::Attach { policy, .. } if self.puts_back(own, policy) => expects.document.is_none(),
            // It comes back as AWS keeps it, which was read.
            Effect::Attach { policy, .. } if policy.is_aws_managed_policy() => expects.document.is_some(),
            Effect::Attach { .. } => {
                expects.document.is_some()
                    && expects.document == step.expects.as_ref().and_then(|expects| expects.document)
            }
            _ => expects.document.is_none(),
        };
        // Whom it reaches was read, and is looked at again; nothing else was.
        let mut rest = Expects { document: None, ..expects.clone() };
        let is_of_policy = matches!(back.effect, Effect::SetDefault { .. });
        if is_of_policy || back.effect.entity().is_some_and(|entity| entity.kind == EntityKind::Group) {
            (rest.holders, rest.memberships) = (Vec::new(), Vec::new());
        }
        if is_of_policy {
            rest = Expects { attachments: Vec::new(), groups: Vec::new(), boundary_use: false, ..rest };
        }
        is_guarded && says_it && rest == Expects::default()
    }

    fn has_its_versions(&self, own: usize, back: &Step, at: usize, step: &Step) -> bool {
        // Which were there before one is created was read.
        let is_fresh = matches!(back.effect, Effect::CreateVersion { .. });
        if !is_fresh && !back.versions.is_empty() {
            return false;
        }
        // Of what was in doubt, the version was read.
        let is = |version: &VersionRef, then: &VersionRef| match (version, self.below.version(then)) {
            (VersionRef::Id(id), Some(then)) => *id == then,
            (VersionRef::Id(_), None) => true,
            (VersionRef::CreatedBy(_), _) => false,
        };
        match (&back.effect, &step.effect) {
            (Effect::DeleteVersion { version, .. }, _) => is(&version.version, &VersionRef::CreatedBy(at)),
            (Effect::SetDefault { policy, from, to }, Effect::SetDefault { from: start, to: end, .. }) => {
                let is_anew = |at: usize| {
                    at < own
                        && self.above.get(at).is_some_and(|step| match &step.effect {
                            Effect::CreateVersion { policy: of, document } => of == policy && *document == to.document,
                            _ => false,
                        })
                };
                let is_back = match &to.version {
                    VersionRef::CreatedBy(at) => is_anew(*at),
                    version => is(version, &start.version),
                };
                is_back && is(&from.version, &end.version)
            }
            _ => true,
        }
    }
}
