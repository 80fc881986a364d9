//! Draws an account: who there is, and who has which policies.

use std::collections::BTreeSet;

use super::corpus::Corpus;
use super::keys::{self, KmsKey};
use super::reports;
use super::scene::{Bearer, Event, EventKind, Group, History, Inline, Managed, Principal, Scene};
use super::settings::Settings;
use crate::judge::actions::Catalogue;
use crate::judge::time;
use crate::random::Random;

/// A day in seconds.
pub const DAY: i64 = 86_400;

/// How large an account is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Users and roles at least.
    pub fewest: usize,
    /// Users and roles at most.
    pub most: usize,
}

/// Services that roles trust: some that the product's table lists, some that it does not.
const TRUSTED: [&str; 8] = [
    "lambda.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "ec2.amazonaws.com",
    "states.amazonaws.com",
    "glue.amazonaws.com",
    "codebuild.amazonaws.com",
    "events.amazonaws.com",
    "states.eu-west-1.amazonaws.com",
];

/// Draws an account and completes the settings by rules about it.
pub fn draw(catalogue: &Catalogue, corpus: &Corpus, random: &mut Random, settings: &mut Settings, size: Size) -> Scene {
    // A few days after the catalogue's date: a catalogue that is too old splits no patterns.
    let now = time::parse("2026-10-01T06:00:00Z").unwrap_or_default() + random.between(0, 5 * DAY);
    let kms = keys::draw_kms(random, now);
    let mut drawing = Drawing { catalogue, corpus, random, now, kms: &kms };
    let managed = drawing.managed(size.most / 2 + 4);
    let groups = (0..drawing.random.below(5)).map(|at| drawing.group(at, &managed)).collect::<Vec<_>>();
    let count = size.fewest + drawing.random.below(size.most - size.fewest + 1);
    let principals = (0..count).map(|at| drawing.principal(at, &managed, groups.len())).collect();
    let regions = match drawing.random.below(20) {
        0 => None,
        1 => Some(vec!["us-east-1", "mx-central-1"]),
        _ => Some(vec!["us-east-1", "eu-west-1", "us-west-2"]),
    };
    let quota_divisor = *random.pick(&[1, 1, 1, 4, 8]).unwrap_or(&1);
    let caller = random.percent(20).then(|| random.below(count));
    // Without a manifest nothing says who collected, so that nobody is the caller.
    let has_manifest = caller.is_some() || random.percent(80);
    let mut scene =
        Scene { now, regions, history: None, quota_divisor, principals, groups, managed, caller, has_manifest, kms };
    scene.history = history(&scene, random);
    settings.draw_rules(random, count);
    reports::draw(catalogue, random, &mut scene, settings);
    scene
}

struct Drawing<'a> {
    catalogue: &'a Catalogue,
    corpus: &'a Corpus,
    random: &'a mut Random,
    now: i64,
    kms: &'a [KmsKey],
}

impl Drawing<'_> {
    /// Long ago, or now and then lately.
    fn age(&mut self) -> i64 {
        let days = if self.random.percent(8) { self.random.between(0, 120) } else { self.random.between(500, 2_000) };
        self.now - days * DAY - self.random.between(3_600, DAY)
    }

    fn managed(&mut self, most: usize) -> Vec<Managed> {
        let own = 3 + self.random.below(most);
        let mut found: Vec<Managed> = (0..own).map(|at| self.own_managed(at)).collect();
        let mut names = BTreeSet::new();
        for _ in 0..self.random.below(6) {
            let (name, document) = self.corpus.draw_managed(self.catalogue, self.random);
            if names.insert(name.to_ascii_lowercase()) {
                let created = self.now - 900 * DAY;
                found.push(Managed { name, is_aws: true, document, created, previous: None, is_owned: false });
            }
        }
        found
    }

    fn own_managed(&mut self, at: usize) -> Managed {
        let most = if self.random.percent(5) { 60_000 } else { 6_144 };
        let document = match self.random.percent(6) {
            true => keys::document(self.random, self.kms),
            false => self.corpus.draw(self.catalogue, self.random, most),
        };
        let created = self.age();
        let previous = self.random.percent(15).then(|| {
            let same = self.random.percent(50);
            let before = if same { document.clone() } else { self.corpus.draw(self.catalogue, self.random, 6_144) };
            (before, created - self.random.between(10, 700) * DAY)
        });
        Managed {
            name: format!("shared-{at}"),
            is_aws: false,
            document,
            created,
            previous,
            is_owned: self.random.percent(4),
        }
    }

    fn attached(&mut self, managed: &[Managed], most: usize) -> BTreeSet<usize> {
        (0..self.random.below(most + 1)).map(|_| self.random.below(managed.len())).collect()
    }

    /// Inline policies; mostly within the quota of all together.
    fn inline(&mut self, quota: usize) -> Vec<Inline> {
        let count = *self.random.pick(&[0, 0, 1, 1, 1, 2, 3]).unwrap_or(&1);
        let each = if self.random.percent(5) { quota * 2 } else { quota / count.max(1) };
        let one = |at: usize| Inline {
            name: format!("inline-{at}"),
            document: match self.random.percent(12) {
                true => keys::document(self.random, self.kms),
                false => self.corpus.draw(self.catalogue, self.random, each),
            },
        };
        (0..count).map(one).collect()
    }

    fn group(&mut self, at: usize, managed: &[Managed]) -> Group {
        Group { name: format!("group-{at}"), inline: self.inline(5_120), attached: self.attached(managed, 2) }
    }

    fn principal(&mut self, at: usize, managed: &[Managed], groups: usize) -> Principal {
        let is_role = self.random.percent(70);
        let (name, path) = match self.random.below(60) {
            0 if is_role => (format!("AWSServiceRoleFor{at}"), format!("/aws-service-role/svc{at}.amazonaws.com/")),
            1 if is_role => {
                (format!("AWSReservedSSO_Set{at}_0123456789abcdef"), "/aws-reserved/sso.amazonaws.com/".to_owned())
            }
            2 if is_role => (format!("cdk-hnb659fds-cfn-exec-role-{at}"), "/".to_owned()),
            3..12 => (format!("p{at}"), "/team/x/".to_owned()),
            _ => (format!("p{at}"), "/".to_owned()),
        };
        let joined = if is_role || groups == 0 { 0 } else { self.random.below(3) };
        let trusts = if self.random.percent(60) { Vec::new() } else { self.trusts() };
        Principal {
            is_role,
            name,
            path,
            created: self.age(),
            trusts,
            is_owned: self.random.percent(4),
            inline: self.inline(if is_role { 10_240 } else { 2_048 }),
            attached: self.attached(managed, 3),
            groups: (0..joined).map(|_| self.random.below(groups)).collect(),
            boundary: self.random.percent(6).then(|| self.random.below(managed.len())),
            report: None,
            last_used: None,
            keys: if is_role { None } else { keys::draw_access_keys(self.random, self.now, at) },
        }
    }

    fn trusts(&mut self) -> Vec<String> {
        (0..1 + self.random.below(2)).filter_map(|_| self.random.pick(&TRUSTED).map(|own| (*own).to_owned())).collect()
    }
}

/// The event history; now and then there is none.
fn history(scene: &Scene, random: &mut Random) -> Option<History> {
    if random.percent(25) {
        return None;
    }
    let from = scene.now - 90 * DAY;
    let mut events = Vec::new();
    for _ in 0..random.below(6) {
        let principal = random.below(scene.principals.len());
        let bearer = Bearer::Principal(principal);
        let attached: Vec<usize> = scene.attached_to(bearer).collect();
        let kind = match random.below(3) {
            0 => random.pick(&attached).map(|at| EventKind::Attach(*at)),
            1 if !scene.inline_of(bearer).is_empty() => {
                Some(EventKind::Put(random.below(scene.inline_of(bearer).len())))
            }
            _ => Some(EventKind::Tag),
        };
        let time = random.between(from, scene.now - 1);
        events.extend(kind.map(|kind| Event { time, principal, kind }));
    }
    Some(History { from, events })
}
