//! An older snapshot of the account as witness of older grants: what somebody held then, and could use, was granted by then.

use super::bearing::{may_depend_on_mfa, may_depend_on_who};
use super::credentials;
use crate::account::{Account, Document, Principal, PrincipalKind, Tag};
use crate::document::{PolicyDocument, Sha256, fingerprint};
use crate::graph::{Graph, PolicyId, PolicyRef, PrincipalId};
use crate::time::UnixTime;

/// An older snapshot of the same account: what it grants was granted by then.
#[derive(Debug)]
pub struct GrantWitness<'a> {
    graph: Graph<'a>,
    at: UnixTime,
}

impl<'a> GrantWitness<'a> {
    /// Takes an older snapshot as witness; none when it does not say when it was finished, or lacks some of what there was.
    pub fn new(older: &'a Account) -> Option<GrantWitness<'a>> {
        let at = older.finished_at.filter(|_| older.complete)?;
        Some(GrantWitness { at, graph: Graph::new(older) })
    }

    /// Returns when the witness saw the principal hold the policy with this very document, and nothing deny what it denies
    /// no longer: the principal's other policies must be the same too.
    pub(super) fn saw(
        &self,
        graph: &Graph<'_>,
        id: PrincipalId,
        principal: &Principal,
        policy: PolicyRef<'_>,
        address: &str,
    ) -> Option<UnixTime> {
        let older = self.graph.account();
        let is_same = |old: &Principal| old.arn == principal.arn && old.unique_id == principal.unique_id;
        let old_id = PrincipalId(older.principals.iter().position(is_same)?);
        let old_policies = self.graph.policies_of(old_id);
        let old_at = old_policies.iter().find(|old| self.graph.address(**old) == address)?;
        let old = self.graph.policy(*old_at)?;
        let same_policy = match (old.managed(), policy.managed()) {
            (Some(old), Some(new)) => old.arn == new.arn && old.unique_id == new.unique_id,
            (None, None) => true,
            _ => false,
        };
        let same_document = fingerprint_of(old)? == fingerprint_of(policy)?;
        // Under a narrower boundary nothing could be used, whatever the policy said.
        let ceiling = |account: &Account, principal: &Principal| {
            let arn = principal.boundary.clone();
            let policy = arn.as_ref().and_then(|arn| account.policy(arn)).map(PolicyRef::Managed);
            (arn, policy.and_then(fingerprint_of))
        };
        let old_principal = older.principals.get(old_id.0)?;
        let same_ceiling = ceiling(older, old_principal) == ceiling(graph.account(), principal);
        // A policy with a Deny that is gone, or is another one now, may have forbidden all until yesterday.
        let denied_otherwise = old_policies.iter().any(|old| {
            let document = self.graph.policy(*old).and_then(|policy| policy.document());
            let denies = document.is_none_or(|document| document.policy().is_none_or(PolicyDocument::has_deny));
            denies && !self.is_unchanged(graph, id, *old)
        });
        let is_same_grant = same_policy && same_document && same_ceiling && !denied_otherwise;
        (is_same_grant && self.could_use(graph, (old_id, old_principal), (id, principal))).then_some(self.at)
    }

    /// Whether the principal could use then what it has now: all that it held was read, somebody could call AWS as it, and what its
    /// policies ask of who it is was so.
    fn could_use(
        &self,
        graph: &Graph<'_>,
        (old_id, old): (PrincipalId, &Principal),
        (id, principal): (PrincipalId, &Principal),
    ) -> bool {
        let older = self.graph.account();
        if self.graph.is_dangling(old_id) || !credentials::had(older, old, self.at) {
            return false;
        }
        let trust = |principal: &Principal| principal.trust.as_ref().map(|trust| fingerprint(trust.text()));
        if principal.kind == PrincipalKind::Role && (trust(old).is_none() || trust(old) != trust(principal)) {
            return false;
        }
        let boundary = principal.boundary.as_ref().and_then(|arn| graph.account().policy(arn)).map(PolicyRef::Managed);
        let held = graph.policies_of(id).into_iter().filter_map(|policy| graph.policy(policy)).chain(boundary);
        let texts = held.filter_map(|policy| policy.document().map(Document::text)).collect::<Vec<_>>();
        // Since when somebody has an MFA device, no snapshot tells.
        let has_same_tags = || in_order(&old.tags) == in_order(&principal.tags);
        !texts.iter().any(|text| may_depend_on_mfa(text) || may_depend_on_who(text) && !has_same_tags())
    }

    fn is_unchanged(&self, graph: &Graph<'_>, id: PrincipalId, old: PolicyId) -> bool {
        let address = self.graph.address(old);
        let new = graph.policies_of(id).into_iter().find(|new| graph.address(*new) == address);
        let (old, new) = (self.graph.policy(old), new.and_then(|new| graph.policy(new)));
        old.and_then(fingerprint_of).is_some_and(|old| new.and_then(fingerprint_of) == Some(old))
    }
}

fn fingerprint_of(policy: PolicyRef<'_>) -> Option<Sha256> {
    policy.document().map(|document| fingerprint(document.text()))
}

/// Tags, which AWS names in no order.
fn in_order(tags: &[Tag]) -> Vec<(&str, &str)> {
    let mut tags: Vec<_> = tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    tags.sort_unstable();
    tags
}
