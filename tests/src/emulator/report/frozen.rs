//! A report as it was when it was generated.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::allowed::Allowed;
use super::catalogue::{Catalogue, is_tracked_region};
use super::subject::Subject;
use crate::emulator::state::{Account, Kind, UsageLog, Use};
use crate::emulator::time::{DAY, Time};

/// How far back the use of a service is seen at least.
const PERIOD: i64 = 400 * DAY;

/// A principal whose use counts.
#[derive(Clone, Debug)]
pub struct Member {
    /// The unique id.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The path.
    pub path: String,
    /// User or role.
    pub kind: Kind,
}

/// The last use by a member.
#[derive(Clone, Debug)]
pub struct Last {
    /// The member's place.
    pub member: usize,
    /// When and where.
    pub used: Use,
}

/// What a report says: it does not change after it is generated.
#[derive(Debug)]
pub struct Frozen {
    /// What is allowed.
    pub allowed: Arc<Allowed>,
    /// Whose use counted.
    pub members: Vec<Member>,
    /// Per service the last use of each member that used it.
    pub services: BTreeMap<usize, Vec<Last>>,
    /// Per tracked action the last use.
    pub actions: BTreeMap<usize, Last>,
}

impl Frozen {
    /// Takes what the log has of the members, as far as reports see it at that moment.
    pub fn new(account: &Account, subject: &Subject<'_>, allowed: Arc<Allowed>, usage: &UsageLog, seen: Time) -> Self {
        let catalogue = Catalogue::get();
        let mut services: BTreeMap<usize, Vec<Last>> = BTreeMap::new();
        let mut actions: BTreeMap<usize, Last> = BTreeMap::new();
        for (member, entity) in subject.members.iter().enumerate() {
            for (namespace, name, uses) in usage.of(&entity.id) {
                let Some(service) = catalogue.service(namespace).filter(|at| allowed.has(*at)) else { continue };
                let is_recorded = |used: &&Use| {
                    used.time <= seen && is_tracked_region(&used.region).is_some_and(|start| used.time >= start)
                };
                let Some(used) = uses.iter().rev().find(is_recorded) else { continue };
                let last = || Last { member, used: used.clone() };
                if seen.since(used.time) <= PERIOD {
                    add_to_service(services.entry(service).or_default(), last());
                }
                let action = catalogue.action(service, name).and_then(|at| Some((at, catalogue.actions.get(at)?)));
                let Some((at, _)) = action.filter(|(_, action)| action.tracked && used.time >= action.since) else {
                    continue;
                };
                let entry = actions.entry(at).or_insert_with(last);
                if entry.used.time < used.time {
                    *entry = last();
                }
            }
        }
        let member = |entity: &&Arc<crate::emulator::state::Entity>| Member {
            id: entity.id.clone(),
            arn: account.arn_of(entity),
            name: entity.name.clone(),
            path: entity.path.clone(),
            kind: entity.kind,
        };
        Self { allowed, members: subject.members.iter().map(member).collect(), services, actions }
    }

    /// The last use of a service by anyone.
    pub fn last(&self, service: usize) -> Option<&Last> {
        self.services.get(&service)?.iter().max_by_key(|last| last.used.time)
    }

    /// The ARN of a member.
    pub fn arn(&self, last: &Last) -> &str {
        self.members.get(last.member).map(|member| member.arn.as_str()).unwrap_or_default()
    }
}

fn add_to_service(uses: &mut Vec<Last>, last: Last) {
    match uses.iter_mut().find(|known| known.member == last.member) {
        Some(known) if known.used.time < last.used.time => *known = last,
        Some(_) => {}
        None => uses.push(last),
    }
}
