//! Quotas: what may be how long.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>. The account's own summary counts where
//! there is one; the numbers here are AWS's documented defaults.

use std::collections::BTreeMap;

use secateur_analyzer::account::{Account, PrincipalKind};
use secateur_analyzer::document::counted_characters;
use secateur_analyzer::graph::{Entity, Graph, PolicyRef};

use super::draft::Draft;
use super::{Change, ChangeAction, Withheld};

/// The size quotas of an account, in characters that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// A managed policy's document.
    pub managed: usize,
    /// All inline policies of one user.
    pub user: usize,
    /// All inline policies of one role.
    pub role: usize,
    /// All inline policies of one group.
    pub group: usize,
}

impl Quotas {
    /// Returns the account's quotas.
    pub fn of(account: &Account) -> Quotas {
        let quota = |name: &str, default: usize| {
            let own = account.summary.as_ref().and_then(|summary| summary.get(name));
            own.and_then(|quota| usize::try_from(*quota).ok()).unwrap_or(default)
        };
        Quotas {
            managed: quota("PolicySizeQuota", 6_144),
            user: quota("UserPolicySizeQuota", 2_048),
            role: quota("RolePolicySizeQuota", 10_240),
            group: quota("GroupPolicySizeQuota", 5_120),
        }
    }

    /// Returns the most that the policy's document alone may have.
    pub(super) fn of_policy(&self, account: &Account, policy: PolicyRef<'_>) -> usize {
        match policy {
            PolicyRef::Managed(_) => self.managed,
            PolicyRef::Inline(entity, _) => self.of_entity(account, entity),
        }
    }

    fn of_entity(&self, account: &Account, entity: Entity) -> usize {
        match entity {
            Entity::Group(_) => self.group,
            Entity::Principal(id) => match account.principals.get(id.0).map(|principal| principal.kind) {
                Some(PrincipalKind::Role) => self.role,
                _ => self.user,
            },
        }
    }
}

/// Returns the characters that count of all inline policies of an entity.
pub(super) fn inline_size(account: &Account, entity: Entity) -> usize {
    let inline = match entity {
        Entity::Principal(id) => account.principals.get(id.0).map(|principal| &principal.inline),
        Entity::Group(at) => account.groups.get(at).map(|group| &group.inline),
    };
    inline.into_iter().flatten().map(|policy| counted_characters(policy.document.text())).sum()
}

/// Makes drafts fit: where names in the place of a pattern are too long, the pattern stays as written.
///
/// Returns what is withheld for that.
pub(super) fn fit(graph: &Graph<'_>, drafts: &mut [Draft<'_>]) -> Vec<Withheld> {
    let quotas = Quotas::of(graph.account());
    let mut withheld = Vec::new();
    let mut by_entity: BTreeMap<Entity, Vec<usize>> = BTreeMap::new();
    for (at, draft) in drafts.iter_mut().enumerate() {
        match graph.policy(draft.policy) {
            Some(PolicyRef::Inline(entity, _)) => by_entity.entry(entity).or_default().push(at),
            _ => {
                withheld.extend(draft.fit_alone(graph, quotas.managed));
            }
        }
    }
    for (entity, own) in by_entity {
        let quota = quotas.of_entity(graph.account(), entity);
        let start = inline_size(graph.account(), entity);
        loop {
            let growth = |at: &usize| drafts.get(*at).map_or(0, Draft::growth);
            let total = own.iter().map(growth).fold(i64::try_from(start).unwrap_or(i64::MAX), i64::saturating_add);
            let excess = usize::try_from(total).unwrap_or(0).saturating_sub(quota);
            // The document that grows most falls back first; the earlier address among equals.
            let worst = own.iter().copied().filter(|at| drafts.get(*at).is_some_and(Draft::can_fall_back));
            let worst = worst.max_by_key(|at| (growth(at), std::cmp::Reverse(*at)));
            match worst.filter(|_| excess > 0).and_then(|at| drafts.get_mut(at)) {
                Some(draft) => withheld.extend(draft.fall_back(graph, excess, quota)),
                None => break,
            }
        }
    }
    withheld
}

/// Puts the changes of one entity's inline policies into a group where they only fit together, the shrinking ones first.
pub(super) fn group_inline(graph: &Graph<'_>, changes: &mut [Change]) {
    let quotas = Quotas::of(graph.account());
    let mut by_owner: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, change) in changes.iter().enumerate() {
        if let (Some(owner), ChangeAction::Update | ChangeAction::Delete) = (&change.target.owner, change.action) {
            by_owner.entry(owner.clone()).or_default().push(at);
        }
    }
    for (owner, own) in by_owner {
        let Some(first) = own.first().and_then(|at| changes.get(*at)) else { continue };
        let Some(quota) = quota_of_owner(&quotas, &first.target.kind) else { continue };
        let start = first.expects.inline_size.unwrap_or(0);
        let (growing, shrinking): (Vec<usize>, Vec<usize>) =
            own.iter().partition(|at| changes.get(**at).is_some_and(|change| growth(change) > 0));
        let grown: i64 = growing.iter().filter_map(|at| changes.get(*at)).map(growth).sum();
        if i64::try_from(start).unwrap_or(i64::MAX).saturating_add(grown) <= i64::try_from(quota).unwrap_or(i64::MAX) {
            continue;
        }
        let shrinking_addresses: Vec<String> =
            shrinking.iter().filter_map(|at| changes.get(*at)).map(|change| change.address.clone()).collect();
        for at in own {
            if let Some(change) = changes.get_mut(at) {
                change.group = Some(owner.clone());
                if growing.contains(&at) {
                    change.depends_on.clone_from(&shrinking_addresses);
                }
            }
        }
    }
}

fn quota_of_owner(quotas: &Quotas, kind: &str) -> Option<usize> {
    match kind {
        "aws_iam_user_policy" => Some(quotas.user),
        "aws_iam_role_policy" => Some(quotas.role),
        "aws_iam_group_policy" => Some(quotas.group),
        _ => None,
    }
}

fn growth(change: &Change) -> i64 {
    let size = |text: &Option<String>| text.as_deref().map_or(0, counted_characters);
    i64::try_from(size(&change.after)).unwrap_or(i64::MAX) - i64::try_from(size(&change.before)).unwrap_or(i64::MAX)
}
