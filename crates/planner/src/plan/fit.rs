//! Quotas: what may be how long.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>. The account's own summary counts where
//! there is one; the numbers here are AWS's documented defaults.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use secateur_analyzer::account::{Account, InlinePolicy, PrincipalKind};
use secateur_analyzer::document::counted_characters;
use secateur_analyzer::graph::{Entity, Graph, PolicyRef};
use secateur_analyzer::parallel;

use super::attachments::AttachmentSlots;
use super::draft::Draft;
use super::room::{Fitted, Room};
use super::{Change, ChangeAction, RewriteSettings, Withheld};
use crate::rewrite::Outcome;
use crate::rewrite::cover::Wildcards;

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
    inline(account, entity).map(|policy| counted_characters(policy.document.text())).sum()
}

fn inline(account: &Account, entity: Entity) -> impl Iterator<Item = &InlinePolicy> {
    let inline = match entity {
        Entity::Principal(id) => account.principals.get(id.0).map(|principal| &principal.inline),
        Entity::Group(at) => account.groups.get(at).map(|group| &group.inline),
    };
    inline.into_iter().flatten()
}

/// Makes the drafts fit their quotas, those of one entity's inline policies together. Returns what is withheld for that.
pub(super) fn fit(
    graph: &Graph<'_>,
    drafts: &mut [Draft<'_>],
    settings: &RewriteSettings,
    slots: &mut AttachmentSlots<'_, '_>,
    threads: NonZeroUsize,
) -> Vec<Withheld> {
    let quotas = Quotas::of(graph.account());
    let mut withheld = Vec::new();
    let mut rooms: Vec<(Room, Vec<usize>)> = Vec::new();
    let mut by_entity: BTreeMap<Entity, Vec<usize>> = BTreeMap::new();
    for (at, draft) in drafts.iter_mut().enumerate() {
        match graph.policy(draft.policy) {
            Some(PolicyRef::Inline(entity, _)) => by_entity.entry(entity).or_default().push(at),
            _ => {
                let room = room_alone(graph, draft, quotas.managed, settings, slots, &mut withheld);
                rooms.extend(room.map(|room| (room, vec![at])));
            }
        }
    }
    for (entity, own) in by_entity {
        let quota = quotas.of_entity(graph.account(), entity);
        // Mostly there is room without counting.
        let after: usize =
            own.iter().filter_map(|at| drafts.get(*at)).map(Draft::size_at_most).fold(0, usize::saturating_add);
        let before: usize = inline(graph.account(), entity).map(|policy| policy.document.text().len()).sum();
        if after.saturating_add(before) <= quota {
            continue;
        }
        let start = inline_size(graph.account(), entity);
        leave_what_takes_nothing(drafts, &own, start, quota);
        let growth = own.iter().filter_map(|at| drafts.get(*at)).map(Draft::growth).fold(0, i64::saturating_add);
        if i64::try_from(start).unwrap_or(i64::MAX).saturating_add(growth) <= i64::try_from(quota).unwrap_or(i64::MAX) {
            continue;
        }
        let changed: usize =
            (own.iter().filter_map(|at| drafts.get(*at))).map(|draft| counted_characters(draft.document.text())).sum();
        // What is over the quota already, which AWS lets nobody write, must not grow.
        let others = start.saturating_sub(changed);
        rooms.push((Room { room: quota.max(start).saturating_sub(others), quota, others }, own));
    }
    // No two rooms have a draft in common. What takes longest comes first, so that no thread ends long after the others.
    let all: &[Draft<'_>] = drafts;
    rooms.sort_by_cached_key(|(_, own)| {
        let names = own.iter().filter_map(|at| all.get(*at)).map(Draft::removable_names);
        Reverse(names.sum::<usize>())
    });
    let fitted = parallel::map(threads, &rooms, |(room, own)| {
        let own: Vec<(usize, &Draft<'_>)> = own.iter().filter_map(|at| Some((*at, all.get(*at)?))).collect();
        fitted_together(*room, own, settings.wildcards)
    });
    for (at, fitted) in fitted.into_iter().flatten() {
        withheld.extend(drafts.get_mut(at).and_then(|draft| Room::take(graph, draft, fitted)));
    }
    withheld
}

/// Leaves what would only be written anew, where others may need the room that it gives: such a change is not made.
fn leave_what_takes_nothing(drafts: &mut [Draft<'_>], own: &[usize], start: usize, quota: usize) {
    let growth = own.iter().filter_map(|at| drafts.get(*at)).map(Draft::growth).filter(|growth| *growth > 0);
    let grown = growth.fold(i64::try_from(start).unwrap_or(i64::MAX), i64::saturating_add);
    if own.len() < 2 || grown <= i64::try_from(quota).unwrap_or(i64::MAX) {
        return;
    }
    for at in own {
        if let Some(draft) = drafts.get_mut(*at).filter(|draft| {
            !draft.is_open()
                && draft.rewritten.outcome != Outcome::Unchanged
                && draft.takes_nothing(&draft.rewritten.outcome)
        }) {
            draft.leave();
        }
    }
}

/// Finds what makes some drafts fit, by place. Those of which nothing goes, as far as they fit, stay as they are, so that the
/// others have only the room that is really there.
fn fitted_together(mut room: Room, mut own: Vec<(usize, &Draft<'_>)>, wildcards: Wildcards) -> Vec<(usize, Fitted)> {
    let mut all = Vec::new();
    loop {
        let drafts: Vec<&Draft<'_>> = own.iter().map(|(_, draft)| *draft).collect();
        let fitted = room.fitted(&drafts, wildcards);
        // Alone, and with nothing re-admitted, it need not be asked: a change that takes nothing is not made, and nobody waits
        // for its room.
        let is_alone = own.len() < 2;
        let is_left = |(draft, fitted): (&&Draft<'_>, &Fitted)| {
            fitted.is_rewritten() && !(is_alone && fitted.is_exact) && fitted.takes_nothing(draft)
        };
        let left: Vec<bool> = drafts.iter().zip(&fitted).map(is_left).collect();
        let is_last = own.len() < 2 || !left.contains(&true);
        let mut others = Vec::new();
        for (((at, draft), fitted), is_left) in own.into_iter().zip(fitted).zip(left) {
            if is_left {
                let size = counted_characters(draft.document.text());
                (room.room, room.others) = (room.room.saturating_sub(size), room.others + size);
                all.push((at, fitted.unchanged()));
            } else if is_last {
                all.push((at, fitted));
            } else {
                others.push((at, draft));
            }
        }
        if is_last || others.is_empty() {
            return all;
        }
        own = others;
    }
}

/// Makes one managed policy's draft fit.
pub(super) fn fit_alone(
    graph: &Graph<'_>,
    draft: &mut Draft<'_>,
    quota: usize,
    settings: &RewriteSettings,
    slots: &mut AttachmentSlots<'_, '_>,
) -> Vec<Withheld> {
    let mut withheld = Vec::new();
    if let Some(room) = room_alone(graph, draft, quota, settings, slots, &mut withheld) {
        let fitted = room.fitted(&[&*draft], settings.wildcards);
        withheld.extend(fitted.into_iter().filter_map(|fitted| Room::take(graph, draft, fitted)));
    }
    withheld
}

/// Returns the room that one managed policy's draft has; none where it fits without counting, and once it is split over several
/// policies, which then fit.
fn room_alone(
    graph: &Graph<'_>,
    draft: &mut Draft<'_>,
    quota: usize,
    settings: &RewriteSettings,
    slots: &mut AttachmentSlots<'_, '_>,
    withheld: &mut Vec<Withheld>,
) -> Option<Room> {
    if draft.size_at_most() <= quota {
        return None;
    }
    let is_own = draft.through.is_none();
    let start = if is_own { counted_characters(draft.document.text()) } else { 0 };
    let room = Room { room: quota.max(start), quota, others: 0 };
    if is_own && settings.split && !draft.document.has_deny() {
        // Several policies admit nothing again, and so come before wildcards that would.
        let wildcards = if settings.wildcards == Wildcards::Never { Wildcards::Never } else { Wildcards::Exact };
        if !room.suits(draft, wildcards) {
            match draft.split(quota).and_then(|parts| slots.take_parts(draft.policy, parts)) {
                Ok(parts) => {
                    draft.set_parts(parts);
                    return None;
                }
                Err(detail) => withheld.push(Withheld {
                    address: graph.address(draft.policy).to_owned(),
                    reason: "not-split".to_owned(),
                    detail,
                }),
            }
        }
    }
    Some(room)
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
        let texts = own.iter().filter_map(|at| changes.get(*at)).filter_map(|change| change.after.as_ref());
        if texts.map(String::len).fold(start, usize::saturating_add) <= quota {
            continue;
        }
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
