//! The verdicts on many actions at once: those that follow each other and have the same.

use super::super::Verdict;
use super::super::in_order::InOrder;
use super::super::protection::Protection;
use super::{HolderEvidence, HolderPolicy, Keeps, RelatedActions, ServiceEvidence};
use crate::account::ActionRow;
use crate::catalog::{ActionId, ServiceId, Tracked};
use crate::time::UnixTime;

/// What most services have of actions, or less.
const RUN: usize = 256;

impl HolderEvidence<'_> {
    /// Calls `each` with the verdict on each of the actions, in their order: with all that follow each other and have the same
    /// verdict because they are of one service, at once.
    pub fn verdicts(
        &self,
        policy: &HolderPolicy<'_>,
        actions: impl IntoIterator<Item = ActionId>,
        related: Option<&RelatedActions>,
        mut each: impl FnMut(&[ActionId], &Verdict),
    ) {
        // Actions come by service, mostly, and in order.
        let mut actions = actions.into_iter().peekable();
        let mut own: Vec<ActionId> = Vec::with_capacity(RUN);
        let mut keeps = KeepsInOrder {
            everywhere: InOrder::of(&self.protected),
            needed: InOrder::of(related.map_or(&[][..], |related| &related.found)),
        };
        while let Some(first) = actions.next() {
            let service = self.catalog().service_of(first);
            let range = self.catalog().range_of(service);
            let mut last = first;
            own.clear();
            own.push(first);
            while let Some(next) = actions.next_if(|next| *next > last && range.contains(next)) {
                own.push(next);
                last = next;
            }
            self.verdicts_of_service(policy, (service, &own), &mut keeps, &mut each);
        }
    }

    /// Calls `each` with the verdict on each of some actions of a service, in order and none of them twice.
    fn verdicts_of_service(
        &self,
        policy: &HolderPolicy<'_>,
        (service, actions): (ServiceId, &[ActionId]),
        keeps: &mut KeepsInOrder<'_>,
        each: &mut impl FnMut(&[ActionId], &Verdict),
    ) {
        let (Some(first), Some(last)) = (actions.first(), actions.last()) else { return };
        let row = self.report.as_ref().ok().and_then(|(report, _)| report.service(service));
        let of_service = ServiceEvidence::new(self.catalog(), service, row);
        let are_plain = policy.grants.says_nothing()
            && policy.protected.range(*first..=*last).next().is_none()
            && !keeps.everywhere.has_any(*first, *last)
            && !keeps.needed.has_any(*first, *last);
        let mut rest = row.map_or(&[][..], |row| &row.actions);
        // What has the verdict that is on its way, and from where on.
        let mut on_its_way: Option<(Alike, Verdict)> = None;
        let mut from = 0;
        for (at, id) in actions.iter().enumerate() {
            let keeps = match are_plain {
                true => Keeps::default(),
                false => Keeps { everywhere: keeps.everywhere.find(*id), needed: keeps.needed.find(*id) },
            };
            let is_plain = are_plain
                || keeps.everywhere.is_none()
                    && keeps.needed.is_none()
                    && !policy.protected.contains_key(id)
                    && policy.grants.introduced(*id).is_none();
            if is_plain && matches!(on_its_way, Some((Alike::All, _))) {
                continue;
            }
            rest = from_action(rest, *id);
            let listed = rest.first().filter(|listed| listed.action == *id);
            let alike = Alike::By(self.catalog().tracked(*id), listed.map(ActionRow::last_accessed));
            if is_plain && on_its_way.as_ref().is_some_and(|(own, _)| *own == alike) {
                continue;
            }
            if let Some((_, verdict)) = &on_its_way {
                each(actions.get(from..at).unwrap_or_default(), verdict);
            }
            from = at;
            let facts = self.facts_by_row(policy, *id, of_service, listed, keeps);
            let verdict = facts.verdict();
            let alike = match (is_plain, facts.depends_on_action()) {
                (true, false) if are_plain => return each(actions.get(at..).unwrap_or_default(), &verdict),
                (true, false) => Alike::All,
                (true, true) => alike,
                (false, _) => Alike::None,
            };
            on_its_way = Some((alike, verdict));
        }
        if let Some((_, verdict)) = &on_its_way {
            each(actions.get(from..).unwrap_or_default(), verdict);
        }
    }
}

/// All that [`Keeps`] is found in.
struct KeepsInOrder<'a> {
    everywhere: InOrder<'a, Protection>,
    needed: InOrder<'a, ActionId>,
}

/// Which further actions of a service have the verdict of one, if nothing else is known of them.
#[derive(PartialEq, Eq)]
enum Alike {
    /// All: it is a verdict on the service.
    All,
    /// Those of which the catalogue and the report say the same.
    By(Tracked, Option<Option<UnixTime>>),
    /// None: something else is known of that one.
    None,
}

/// The rows from an action on, mostly one of the next few.
fn from_action(rows: &[ActionRow], id: ActionId) -> &[ActionRow] {
    const NEAR: usize = 8;
    let near = rows.iter().take(NEAR).position(|row| row.action >= id);
    let passed = near.unwrap_or_else(|| rows.partition_point(|row| row.action < id));
    rows.get(passed..).unwrap_or_default()
}
