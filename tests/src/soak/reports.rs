//! Draws last-accessed reports from what each principal's policies grant.
//!
//! As AWS derives them: the services of which the policies allow something, unconditional denies taken away; of each the
//! tracked actions that are allowed, with or without a last use. See
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html>.

use std::collections::{BTreeMap, BTreeSet};

use super::draw::DAY;
use super::scene::{Report, Row, Scene, State};
use super::settings::Settings;
use crate::judge::actions::{ActionSet, Catalogue};
use crate::judge::{Effect, Listed, Statement};
use crate::random::Random;

/// AWS shows use within about four hours.
pub const DELAY: i64 = 4 * 3_600;

/// Gives principals their reports, and roles their last use.
pub fn draw(catalogue: &Catalogue, random: &mut Random, scene: &mut Scene, settings: &Settings) {
    for at in 0..scene.principals.len() {
        let allowed = allowed(catalogue, scene, at);
        let report = report(catalogue, random, scene.now, settings, &allowed);
        let last_used = report.as_ref().and_then(|report| report.rows.values().filter_map(Row::last_use).max());
        if let Some(principal) = scene.principals.get_mut(at) {
            principal.last_used = last_used.filter(|_| principal.is_role);
            principal.report = report;
        }
    }
}

/// What some statement allows and none denies unconditionally.
fn allowed(catalogue: &Catalogue, scene: &Scene, principal: usize) -> ActionSet {
    let (mut allowed, mut denied) = (ActionSet::new(), ActionSet::new());
    let everything = Listed::These(vec!["*".to_owned()]);
    let is_plain = |own: &Statement| own.conditions.is_empty() && own.resources == everything;
    for place in scene.held_by(principal) {
        let policy = scene.document(place).and_then(|document| document.policy.as_ref().ok());
        for statement in policy.into_iter().flat_map(|policy| &policy.statements) {
            match statement.effect {
                Effect::Allow => allowed.add(&catalogue.of(&statement.actions)),
                Effect::Deny if is_plain(statement) => denied.add(&catalogue.of(&statement.actions)),
                Effect::Deny => {}
            }
        }
    }
    allowed.without(&denied)
}

fn report(
    catalogue: &Catalogue,
    random: &mut Random,
    now: i64,
    settings: &Settings,
    allowed: &ActionSet,
) -> Option<Report> {
    let (state, age) = match random.below(50) {
        0 => return None,
        1 => (State::Failed, 1),
        2 => (State::Unfinished, 1),
        3 => (State::Truncated, 1),
        4 | 5 => (State::ServicesOnly, 1),
        6 => (State::Whole, 9),
        _ => (State::Whole, i64::from(random.percent(30))),
    };
    let generated = now - age * DAY - random.between(60, 7_200);
    let mut drawing =
        Drawing { random, observed: generated - DELAY, min_idle: settings.min_idle(), in_use: 0, used_actions: 0 };
    drawing.in_use = *drawing.random.pick(&[0, 10, 30, 50, 80]).unwrap_or(&50);
    drawing.used_actions = *drawing.random.pick(&[5, 30, 70]).unwrap_or(&30);
    let mut rows = BTreeMap::new();
    let mut services: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for at in allowed.iter() {
        services.entry(catalogue.service_of(at)).or_default().push(at);
    }
    for (service, actions) in services {
        // Now and then a service is not listed although it should be.
        if !drawing.random.percent(2) {
            rows.insert(service.to_owned(), drawing.row(catalogue, &actions));
        }
    }
    if !rows.is_empty() && drawing.random.percent(5) {
        let last = drawing.some_time();
        let actions = BTreeMap::from([("DoSomethingNew".to_owned(), last)]);
        rows.insert("frobnicate".to_owned(), Row { last, actions });
    }
    Some(Report { state, generated, rows })
}

struct Drawing<'a> {
    random: &'a mut Random,
    observed: i64,
    min_idle: i64,
    /// The share of services in use.
    in_use: usize,
    /// The share of actions in use of a service in use.
    used_actions: usize,
}

impl Drawing<'_> {
    fn row(&mut self, catalogue: &Catalogue, actions: &[usize]) -> Row {
        let is_active = self.random.percent(self.in_use);
        let last = match is_active {
            // Use of an action alone makes a service active too.
            true if self.random.percent(85) => Some(self.lately()),
            true => None,
            false if self.random.percent(25) => self.long_ago(),
            false => None,
        };
        let mut listed = BTreeMap::new();
        for action in actions.iter().filter_map(|at| catalogue.action(*at)) {
            // Now and then the table and AWS do not agree.
            let is_listed = if action.tracked { !self.random.percent(2) } else { self.random.percent(1) };
            if !is_listed {
                continue;
            }
            let name = action.name.split(':').nth(1).unwrap_or_default().to_owned();
            let time = match is_active && self.random.percent(self.used_actions) {
                true => Some(self.lately()),
                false if last.is_some() && self.random.percent(15) => self.long_ago(),
                false => None,
            };
            listed.insert(name, time);
        }
        if is_active && self.random.percent(3) {
            let time = self.some_time();
            listed.insert("NotYetInTheTable".to_owned(), time);
        }
        Row { last, actions: listed }
    }

    /// Within the window.
    fn lately(&mut self) -> i64 {
        if self.random.percent(5) {
            return self.observed - self.min_idle + 1;
        }
        self.observed - self.random.between(0, self.min_idle - 1)
    }

    /// Before the window, if AWS would still know.
    fn long_ago(&mut self) -> Option<i64> {
        if self.random.percent(5) {
            return Some(self.observed - self.min_idle);
        }
        let longest = 395 * DAY;
        (self.min_idle < longest).then(|| self.observed - self.random.between(self.min_idle, longest))
    }

    fn some_time(&mut self) -> Option<i64> {
        match self.random.below(3) {
            0 => Some(self.lately()),
            1 => self.long_ago(),
            _ => None,
        }
    }
}

/// Returns the names in a report that the catalogue does not know. Of a service that it does not know, any name counts.
pub fn unknown_names(catalogue: &Catalogue, report: &Report) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (service, row) in &report.rows {
        if !catalogue.services().contains_key(service) {
            found.insert(format!("{service}:AnythingAtAll"));
        }
        found.extend(row.actions.keys().map(|action| format!("{service}:{action}")));
    }
    found.retain(|name| catalogue.find(name).is_none());
    found
}
