//! What a statement may lack, and why: the keys that nobody used.

use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::graph::Holder;

use super::super::json::Json;
use super::super::statement::{Document, Kind, Statement};
use super::super::{Claim, kept, narrower};
use super::{heirs, may_leave, may_shrink, strings};

/// The keys that may be missing, and the statement without them: none when nothing is left of it.
pub(super) struct License {
    pub keys: Vec<String>,
    pub smaller: Option<Json>,
}

/// The statements of an old document, and why they may be smaller.
pub(super) struct Licensing<'l, 'a> {
    pub claim: &'l Claim<'l>,
    pub holders: &'l [Holder],
    pub old: &'l [Statement],
    pub analysis: &'l Analysis<'a>,
}

impl Licensing<'_, '_> {
    /// For every old statement, what it may lack in the new documents and does lack.
    pub fn licenses(&self, after: &[Document]) -> Vec<Option<License>> {
        let allows = |(at, statement): (usize, &Statement)| (!statement.denies).then_some(at);
        let own: Vec<usize> = self.old.iter().enumerate().filter_map(allows).collect();
        let mut heirs: Vec<Vec<&Statement>> = self.old.iter().map(|_| Vec::new()).collect();
        for document in after {
            let new: Vec<&Statement> = document.statements.iter().filter(|statement| !statement.denies).collect();
            let pair = |old: usize, new_at: usize| Some((self.old.get(*own.get(old)?)?, *new.get(new_at)?));
            let may_become = |old, at| pair(old, at).is_some_and(|(old, new)| self.may_become(old, new));
            // What is in no place of one document may be in another.
            let may_go = |old: usize| {
                let old = own.get(old).and_then(|at| self.old.get(*at));
                after.len() > 1 || old.is_some_and(|old| self.goes_by_actions(old) || self.whole(old).is_some())
            };
            let may_lack = |old, at| pair(old, at).is_some_and(|(old, new)| self.may_lack(old, new));
            // What is no proof is licensed as far as it goes, so that it is refused for what is wrong with it.
            let aligned = heirs::align(own.len(), new.len(), may_become, may_go)
                .or_else(|| heirs::align(own.len(), new.len(), may_become, |_| true))
                .or_else(|| heirs::align(own.len(), new.len(), may_lack, |_| true));
            for (at, heir) in own.iter().zip(aligned.unwrap_or_default()) {
                let heir = heir.and_then(|heir| new.get(heir).copied());
                heirs.get_mut(*at).into_iter().for_each(|own| own.extend(heir));
            }
        }
        self.old.iter().zip(heirs).map(|(old, heirs)| self.license(old, &heirs)).collect()
    }

    /// Whether the new statement may be what is left of the old one.
    fn may_become(&self, old: &Statement, new: &Statement) -> bool {
        let is_narrower = || new.kind == Kind::Action && new.patterns.iter().all(|new| old.includes(new));
        narrower::comes_from(old, new, 0).is_ok() || (is_narrower() && self.shrunk(old, new).is_some())
    }

    /// Whether the new statement may be what is left of the old one, but for actions.
    fn may_lack(&self, old: &Statement, new: &Statement) -> bool {
        old.rest == new.rest || self.shrunk(old, new).is_some()
    }

    fn license(&self, old: &Statement, heirs: &[&Statement]) -> Option<License> {
        if old.denies || heirs.iter().any(|new| new.rest == old.rest) {
            return None;
        }
        if heirs.is_empty() {
            // A statement whose actions may all go needs no licence to go.
            return self.whole(old).filter(|_| !self.goes_by_actions(old));
        }
        heirs.iter().find_map(|new| self.shrunk(old, new))
    }

    /// The licence to have fewer keys, as the new statement has.
    fn shrunk(&self, old: &Statement, new: &Statement) -> Option<License> {
        let keys = missing(old, new, &strings(old.rest.get("Resource")?)?)?;
        let may_leave = |arn: &String| may_leave(self.claim, old, arn, self.analysis);
        (may_shrink(self.claim, self.holders, old, self.analysis) && keys.iter().all(may_leave))
            .then(|| License { keys, smaller: Some(new.rest.clone()) })
    }

    /// The licence to go: of the keys that the statement names none was used.
    fn whole(&self, old: &Statement) -> Option<License> {
        let keys = strings(old.rest.get("Resource")?)?;
        let may_leave = |arn: &&str| may_leave(self.claim, old, arn, self.analysis);
        (!keys.is_empty() && may_shrink(self.claim, self.holders, old, self.analysis) && keys.iter().all(may_leave))
            .then(|| License { keys: keys.iter().map(|arn| (*arn).to_owned()).collect(), smaller: None })
    }

    fn goes_by_actions(&self, old: &Statement) -> bool {
        let Some(policy) = self.analysis.policy(self.claim.policy) else { return false };
        kept::covered(self.analysis.catalog(), old).iter().all(|id| policy.removable.contains(id))
    }
}

/// What the new statement lacks of the old one's resources, if it is equal in all but actions and has the others in order.
fn missing(old: &Statement, new: &Statement, resources: &[&str]) -> Option<Vec<String>> {
    let (Json::Object(own), Json::Object(others)) = (&old.rest, &new.rest) else { return None };
    let is_equal = |(key, value): &(String, Json)| key == "Resource" || new.rest.get(key) == Some(value);
    let (Json::Array(_), Json::Array(_)) = (old.rest.get("Resource")?, new.rest.get("Resource")?) else { return None };
    if own.len() != others.len() || !own.iter().all(is_equal) {
        return None;
    }
    let rest = strings(new.rest.get("Resource")?)?;
    let mut wanted = rest.iter().peekable();
    let mut missing = Vec::new();
    for resource in resources {
        if wanted.next_if(|next| *next == resource).is_none() {
            missing.push((*resource).to_owned());
        }
    }
    (wanted.next().is_none() && !rest.is_empty() && !missing.is_empty()).then_some(missing)
}
