//! Since when the holders of a policy can have used the KMS keys that it names.

use super::Analysis;
use crate::document::Statement;
use crate::graph::{Graph, PolicyId, PrincipalId};
use crate::rules::Settings;
use crate::time::UnixTime;
use crate::verdict::{GrantIndex, KeyGrant, KmsEvidence};

impl Analysis<'_> {
    /// Returns the holder who has had a policy for the shortest time by which KMS keys may leave it, and since when; none when
    /// all have had it for `min_idle_days` before the use of the keys was looked up.
    pub fn recent_key_holder(&self, policy: PolicyId) -> Option<(PrincipalId, UnixTime)> {
        let (judged, times) = (self.policy(policy)?, self.kms.times()?);
        let about = self.about(policy, judged);
        let found = judged.holders.iter().filter_map(|holder| {
            let (since, _) = self.principal(holder.principal)?.evidence.granted_since(holder, &about, times);
            Some((holder.principal, since.min(times.observed)))
        });
        let recent = found.filter(|(_, since)| times.observed.since(*since) < self.inputs.settings.min_idle());
        // The first among equals.
        recent.reduce(|youngest, next| if next.1 > youngest.1 { next } else { youngest })
    }

    /// Returns whether some holder of a policy has had it since a date that is not known and was assumed to be long ago, as far
    /// as its KMS keys go.
    pub fn assumes_key_grants(&self, policy: PolicyId) -> bool {
        let (Some(judged), Some(times)) = (self.policy(policy), self.kms.times()) else { return false };
        let about = self.about(policy, judged);
        judged.holders.iter().any(|holder| {
            self.principal(holder.principal).is_some_and(|own| own.evidence.granted_since(holder, &about, times).1)
        })
    }

    /// Returns since when a statement of a managed policy has named a KMS key, when that is less than `min_idle_days` before the
    /// use of the key was looked up, by the policy's versions and the calls about them.
    pub fn recent_key_grant(&self, policy: PolicyId, statement: &Statement, arn: &str) -> Option<UnixTime> {
        let since = allowed_since(&self.graph, &self.history, policy, statement, arn);
        let times = self.kms.times()?;
        since.map(|since| since.min(times.observed)).filter(|_| !is_settled(&self.kms, self.inputs.settings, since))
    }
}

/// Since when a statement of a policy has named the key, by its versions; none for what has no versions.
pub(super) fn allowed_since(
    graph: &Graph<'_>,
    history: &GrantIndex<'_>,
    policy: PolicyId,
    statement: &Statement,
    arn: &str,
) -> Option<UnixTime> {
    let reference = graph.policy(policy)?;
    let (managed, document) = (reference.managed()?, reference.document()?.policy()?);
    KeyGrant::new(&graph.account().catalog, document, statement, arn).allowed_since(managed, history)
}

/// Whether what was allowed since then had time to be used before the use of keys was looked up.
pub(super) fn is_settled(kms: &KmsEvidence, settings: &Settings, since: Option<UnixTime>) -> bool {
    let Some(times) = kms.times() else { return false };
    since.is_none_or(|since| times.observed.since(since.min(times.observed)) >= settings.min_idle())
}
