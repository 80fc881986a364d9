//! What may leave which document, derived from the drawn account alone.
//!
//! The rules are those of the documentation (`docs/semantics.md`), written down a second time by code that has not seen the
//! product's. Where they leave a case open, an action may go and need not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::draw::DAY;
use super::reports::DELAY;
use super::scene::{Bearer, Document, EventKind, Place, Principal, Report, Scene, State};
use super::settings::{MAX_REPORT_AGE_DAYS, Settings};
use crate::judge::actions::{ActionSet, Catalogue};
use crate::judge::{Effect, Listed, Policy, Statement, time};

/// What may go, and what of it must.
#[derive(Clone, Debug, Default)]
pub struct Goes {
    /// What may.
    pub may: ActionSet,
    /// What must.
    pub must: ActionSet,
}

/// The expectations about an account.
#[derive(Debug)]
pub struct Oracle {
    by_holder: BTreeMap<(usize, Place), Goes>,
    by_place: BTreeMap<Place, Goes>,
    /// Principals that are left alone.
    left_alone: BTreeSet<usize>,
    /// Documents that may be changed.
    open: BTreeSet<Place>,
}

/// Since when something was granted.
#[derive(Clone, Copy, Debug)]
struct Granted {
    /// At the latest, so that what is not idle since then surely stays.
    surely: i64,
    /// At the latest, by a reading that keeps more.
    perhaps: i64,
}

const NEVER: i64 = i64::MIN / 4;

impl Oracle {
    /// Derives the expectations.
    ///
    /// # Errors
    /// When the table of what services do with roles cannot be read.
    pub fn new(catalogue: &Catalogue, scene: &Scene, settings: &Settings) -> Result<Oracle, String> {
        let runtime = runtime()?;
        let mut by_holder = BTreeMap::new();
        let (mut left_alone, mut open) = (BTreeSet::new(), BTreeSet::new());
        for (at, principal) in scene.principals.iter().enumerate() {
            let judging = Judging { catalogue, scene, settings, at, principal };
            left_alone.extend(judging.is_left_alone().then_some(at));
            open.extend(scene.held_by(at).into_iter().filter(|place| !judging.is_place_left_alone(*place)));
            by_holder.extend(judging.goes(&runtime).into_iter().map(|(place, goes)| ((at, place), goes)));
        }
        let mut by_place: BTreeMap<Place, Goes> = BTreeMap::new();
        for ((_, place), goes) in &by_holder {
            by_place
                .entry(*place)
                .and_modify(|common| {
                    common.may.keep_common(&goes.may);
                    common.must.keep_common(&goes.must);
                })
                .or_insert_with(|| goes.clone());
        }
        Ok(Oracle { by_holder, by_place, left_alone, open })
    }

    /// Returns whether a principal is left alone.
    pub fn is_left_alone(&self, principal: usize) -> bool {
        self.left_alone.contains(&principal)
    }

    /// Returns whether somebody holds a document, and it is not written down elsewhere.
    pub fn is_open(&self, place: Place) -> bool {
        self.open.contains(&place)
    }

    /// Returns what may leave a document, as far as one holder is concerned.
    pub fn of_holder(&self, holder: usize, place: Place) -> Goes {
        self.by_holder.get(&(holder, place)).cloned().unwrap_or_default()
    }

    /// Returns what may leave a document: what may for all that hold it, and nothing if nobody does.
    pub fn of_place(&self, place: Place) -> Goes {
        self.by_place.get(&place).cloned().unwrap_or_default()
    }
}

/// By the first word of a service principal, what the service does with the roles it runs under.
fn runtime() -> Result<BTreeMap<String, Vec<String>>, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/analyzer/catalog/runtime.tsv");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let rows = text.lines().skip(1).filter_map(|line| line.split_once('\t'));
    let names = |list: &str| list.split(',').map(str::to_owned).collect();
    Ok(rows.map(|(service, list)| (first_word(service), names(list))).collect())
}

fn first_word(service: &str) -> String {
    service.split('.').next().unwrap_or_default().to_ascii_lowercase()
}

/// Whether what the statement of now allows was allowed by the one of then.
fn is_on_terms_of(then: &Statement, now: &Statement) -> bool {
    let is_less = match (&then.resources, &now.resources) {
        (Listed::These(then), Listed::These(now)) => {
            then.iter().any(|own| own == "*") || now.iter().all(|own| then.contains(own))
        }
        _ => false,
    };
    then.atom == now.atom || is_less && then.conditions == now.conditions
}

struct Judging<'a> {
    catalogue: &'a Catalogue,
    scene: &'a Scene,
    settings: &'a Settings,
    at: usize,
    principal: &'a Principal,
}

impl Judging<'_> {
    fn goes(&self, runtime: &BTreeMap<String, Vec<String>>) -> BTreeMap<Place, Goes> {
        let mut found = BTreeMap::new();
        // What stays of all that the principal holds: surely, and by a reading that keeps more.
        let (mut stays, mut may_stay) = (ActionSet::new(), ActionSet::new());
        for place in self.scene.held_by(self.at) {
            let Some((granted, kept)) = self.granted(place) else {
                may_stay.add(&self.catalogue.all());
                found.insert(place, Goes::default());
                continue;
            };
            let goes = self.by_table(place, &granted, runtime);
            stays.add(&kept);
            stays.add(&granted.without(&goes.may));
            may_stay.add(&kept);
            may_stay.add(&granted.without(&goes.must));
            found.insert(place, goes);
        }
        let (checked, may_be_checked) = (self.closure(&stays), self.closure(&may_stay));
        for goes in found.values_mut() {
            goes.may.remove_all(&checked);
            goes.must.remove_all(&may_be_checked);
        }
        found
    }

    /// What a document allows, and what of it by statements that stay as they are; none if it cannot be read.
    fn granted(&self, place: Place) -> Option<(ActionSet, ActionSet)> {
        let policy = self.scene.document(place)?.policy.as_ref().ok()?;
        let (mut granted, mut kept) = (ActionSet::new(), ActionSet::new());
        for statement in policy.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
            let is_kept = statement.sid.as_deref().is_some_and(|sid| sid.starts_with("SecateurKeep"));
            let set = if is_kept { &mut kept } else { &mut granted };
            set.add(&self.catalogue.of(&statement.actions));
        }
        Some((granted, kept))
    }

    /// All that AWS checks on the way of these actions, and on the way of those.
    fn closure(&self, of: &ActionSet) -> ActionSet {
        let mut reached = ActionSet::new();
        let mut open: Vec<usize> = of.iter().collect();
        while let Some(next) = open.pop() {
            for related in self.catalogue.action(next).into_iter().flat_map(|action| &action.related) {
                if !reached.contains(*related) {
                    reached.insert(*related);
                    open.push(*related);
                }
            }
        }
        reached
    }

    fn by_table(&self, place: Place, granted: &ActionSet, runtime: &BTreeMap<String, Vec<String>>) -> Goes {
        let mut goes = Goes::default();
        let Some(report) = self.report().filter(|_| !self.is_left_alone() && !self.is_place_left_alone(place)) else {
            return goes;
        };
        let candidates = granted.without(&self.protected(runtime));
        let (kms, kms_is_open) = self.kms(report);
        let lifted = if self.settings.prunes_kms() { self.on_unused_keys(place) } else { ActionSet::new() };
        for at in candidates.iter() {
            let granted = self.since(place, at, report);
            let by = |since: i64| self.is_idle(report, at, since);
            let (surely, perhaps) = (by(granted.perhaps), by(granted.surely));
            let is_kms = kms.contains(at);
            if perhaps && (kms_is_open || !is_kms || lifted.contains(at)) {
                goes.may.insert(at);
                if surely && !is_kms {
                    goes.must.insert(at);
                }
            }
        }
        goes
    }

    /// What a document allows on unused KMS keys alone: nobody uses them, and no service does on somebody's behalf.
    fn on_unused_keys(&self, place: Place) -> ActionSet {
        let (mut lifted, mut elsewhere) = (ActionSet::new(), ActionSet::new());
        let policy = self.scene.document(place).and_then(|document| document.policy.as_ref().ok());
        let is_unused =
            |arn: &String| self.scene.kms.iter().any(|key| key.arn == *arn && key.is_unused(self.scene, self.settings));
        for statement in policy.into_iter().flat_map(|policy| &policy.statements) {
            let is_alone = matches!(&statement.resources, Listed::These(list) if list.iter().all(is_unused));
            if statement.effect == Effect::Allow {
                let set = if is_alone { &mut lifted } else { &mut elsewhere };
                set.add(&self.catalogue.of(&statement.actions));
            }
        }
        lifted.without(&elsewhere)
    }

    fn is_left_alone(&self) -> bool {
        let own = self.principal;
        self.scene.caller == Some(self.at)
            || self.settings.ignore.contains(&self.at)
            || own.path.starts_with("/aws-service-role/")
            || own.path.starts_with("/aws-reserved/")
            || own.name.starts_with("AWSReservedSSO_")
            || own.is_role && own.name.starts_with("cdk-") && own.name.contains("-cfn-exec-role")
    }

    fn is_place_left_alone(&self, place: Place) -> bool {
        match place {
            Place::Managed(at) => {
                self.scene.managed.get(at).is_none_or(|managed| managed.is_owned)
                    || self.scene.principals.iter().any(|principal| principal.boundary == Some(at))
            }
            Place::Inline(Bearer::Principal(at), _) => self.scene.principals.get(at).is_none_or(|own| own.is_owned),
            Place::Inline(Bearer::Group(_), _) => false,
        }
    }

    fn report(&self) -> Option<&Report> {
        let report = self.principal.report.as_ref()?;
        let is_whole = matches!(report.state, State::Whole | State::ServicesOnly);
        let is_fresh = self.scene.now - report.generated <= MAX_REPORT_AGE_DAYS * DAY;
        let regions_are_tracked = self.scene.regions.as_ref().is_some_and(|regions| !regions.contains(&"mx-central-1"));
        let counts = is_whole && is_fresh && regions_are_tracked && self.principal.created <= report.generated;
        counts.then_some(report)
    }

    /// What stays whatever its use, the KMS actions aside.
    fn protected(&self, runtime: &BTreeMap<String, Vec<String>>) -> ActionSet {
        let mut set = (*self.catalogue.matches("iam:PassRole")).clone();
        let trusted = self.principal.trusts.iter().filter(|_| self.principal.is_role);
        for name in trusted.filter_map(|service| runtime.get(&first_word(service))).flatten() {
            set.add(&self.catalogue.matches(name));
        }
        let keep = self.settings.keep.iter().filter(|keep| keep.principal.is_none_or(|at| at == self.at));
        keep.for_each(|keep| set.add(&self.catalogue.matches(&keep.actions)));
        set
    }

    /// The KMS actions that services perform for the principal, and whether they may go all the same: another service may be
    /// in use that the report does not list.
    fn kms(&self, report: &Report) -> (ActionSet, bool) {
        let mut set = ActionSet::new();
        if self.settings.trusts_kms {
            return (set, false);
        }
        let is_active = |(_, row): &(&String, &super::scene::Row)| {
            self.is_recent(report, if report.state == State::Whole { row.last_use() } else { row.last })
        };
        let others = report.rows.iter().filter(is_active).any(|(service, _)| service != "kms")
            || self.key_uses(report).next().is_some();
        let may_use_others = others || self.is_recent(report, self.principal.last_used);
        if may_use_others {
            for name in ["Decrypt", "Encrypt", "GenerateDataKey*", "ReEncrypt*", "CreateGrant", "DescribeKey"] {
                set.add(&self.catalogue.matches(&format!("kms:{name}")));
            }
        }
        (set, !others)
    }

    /// The last uses of the user's keys that are recent; all of them were of S3.
    fn key_uses(&self, report: &Report) -> impl Iterator<Item = i64> {
        let used = self.principal.keys.iter().flatten().filter_map(|key| key.used.flatten());
        used.filter(|last| self.is_recent(report, Some(*last)))
    }

    /// Whether a key was used for S3, and the report does not show it.
    fn contradicts(&self, report: &Report, service: &str, last: Option<i64>) -> bool {
        service == "s3"
            && self.key_uses(report).any(|used| match used > report.generated - DELAY {
                true => !self.is_recent(report, last),
                false => last.is_none_or(|last| last < used - DAY),
            })
    }

    fn is_recent(&self, report: &Report, time: Option<i64>) -> bool {
        time.is_some_and(|time| report.generated - DELAY - time < self.settings.min_idle())
    }

    /// Whether the report shows an action idle for long enough, if use could be seen since then.
    fn is_idle(&self, report: &Report, at: usize, since: i64) -> bool {
        let Some(action) = self.catalogue.action(at) else { return false };
        let service = self.catalogue.service_of(at);
        let Some(row) = report.rows.get(service) else { return false };
        let name = action.name.split(':').nth(1).unwrap_or_default();
        let whole = report.state == State::Whole;
        let listed = row.actions.get(name).copied().filter(|_| whole);
        let last = if whole { row.last_use() } else { row.last };
        if self.is_recent(report, listed.flatten()) || self.contradicts(report, service, last) {
            return false;
        }
        if !self.is_recent(report, last) {
            let since = since.max(report.generated - 400 * DAY);
            return !self.is_recent(report, Some(last.map_or(since, |last| last.max(since))));
        }
        let Some(listed) = listed.filter(|_| action.tracked) else { return false };
        let start = time::parse(match service {
            "s3" => "2020-04-12",
            "ec2" | "iam" | "lambda" => "2021-04-07",
            _ => "2023-05-23",
        });
        let since = since.max(start.unwrap_or_default()).max(action.tracked_since.unwrap_or(NEVER));
        !self.is_recent(report, Some(listed.map_or(since, |last| last.max(since))))
    }

    /// Since when the principal can have used an action by a document.
    fn since(&self, place: Place, at: usize, report: &Report) -> Granted {
        let boundary = self.principal.boundary.and_then(|at| self.scene.managed.get(at));
        let floor = self.principal.created.max(boundary.map_or(NEVER, |boundary| boundary.created));
        let history = self.by_history(place, report);
        let (version, lifted) = (self.by_versions(place, at), self.by_lifted_denies());
        Granted {
            surely: floor.max(history.surely).max(version.surely).max(lifted.surely),
            perhaps: floor.max(history.perhaps).max(version.perhaps).max(lifted.perhaps),
        }
    }

    fn by_versions(&self, place: Place, at: usize) -> Granted {
        let Place::Managed(place) = place else { return Granted { surely: NEVER, perhaps: NEVER } };
        let Some(managed) = self.scene.managed.get(place) else { return Granted { surely: NEVER, perhaps: NEVER } };
        let Some((before, created)) = &managed.previous else {
            return Granted { surely: managed.created, perhaps: managed.created };
        };
        let loose = Granted { surely: *created, perhaps: managed.created };
        let (Ok(then), Ok(now), Some(action)) = (&before.policy, &managed.document.policy, self.catalogue.action(at))
        else {
            return loose;
        };
        let about = |policy: &'_ Policy, effect: Effect| -> Vec<Statement> {
            let own = policy.statements.iter().filter(|own| own.effect == effect && own.is_about(&action.name));
            own.cloned().collect()
        };
        let (then_allowed, now_allowed) = (about(then, Effect::Allow), about(now, Effect::Allow));
        let is_steady = then.version == now.version
            && now_allowed.iter().all(|now| then_allowed.iter().any(|then| is_on_terms_of(then, now)));
        match (is_steady, about(then, Effect::Deny).is_empty()) {
            (true, true) if before.text == managed.document.text => Granted { surely: *created, perhaps: *created },
            (true, _) => loose,
            (false, _) => Granted { surely: managed.created, perhaps: managed.created },
        }
    }

    /// Since when no policy of the principal denies what it does not deny now, as far as its versions tell.
    fn by_lifted_denies(&self) -> Granted {
        let mut granted = Granted { surely: NEVER, perhaps: NEVER };
        let held = self.scene.held_by(self.at).into_iter().filter_map(|place| match place {
            Place::Managed(at) => self.scene.managed.get(at),
            Place::Inline(..) => None,
        });
        for managed in held {
            let Some((before, _)) = &managed.previous else { continue };
            let (Ok(then), Ok(now)) = (&before.policy, &managed.document.policy) else {
                granted.perhaps = granted.perhaps.max(managed.created);
                continue;
            };
            let denies = then.statements.iter().filter(|own| own.effect == Effect::Deny);
            for deny in denies {
                granted.perhaps = granted.perhaps.max(managed.created);
                if !now.statements.iter().any(|own| own.atom == deny.atom && own.actions == deny.actions) {
                    granted.surely = granted.surely.max(managed.created);
                }
            }
        }
        granted
    }

    fn by_history(&self, place: Place, report: &Report) -> Granted {
        let observed = report.generated - DELAY;
        let unknown = if self.settings.keeps_unknown_grants { observed } else { NEVER };
        let Some(history) = &self.scene.history else { return Granted { surely: unknown, perhaps: unknown } };
        let paths: BTreeSet<Bearer> = match place {
            Place::Inline(bearer, _) => BTreeSet::from([bearer]),
            Place::Managed(at) => {
                let sources = self.scene.sources_of(self.at).into_iter();
                sources.filter(|source| self.scene.attached_to(*source).any(|own| own == at)).collect()
            }
        };
        let own = Bearer::Principal(self.at);
        let mut granted = Granted { surely: NEVER, perhaps: NEVER };
        let mut is_dated = false;
        for event in history.events.iter().filter(|event| event.principal == self.at) {
            let is_exact = match event.kind {
                EventKind::Attach(at) if place == Place::Managed(at) => paths == BTreeSet::from([own]),
                EventKind::Put(at) => place == Place::Inline(own, at),
                EventKind::Tag if self.scene.document(place).is_some_and(Document::asks_who) => true,
                EventKind::Tag if self.scene.minds_tags(self.at) => false,
                EventKind::Attach(_) | EventKind::Tag => continue,
            };
            granted.perhaps = granted.perhaps.max(event.time);
            if is_exact {
                is_dated = true;
                granted.surely = granted.surely.max(event.time);
            }
        }
        // What was read nobody knows when may be younger than any history.
        if !self.scene.has_manifest {
            granted.perhaps = granted.perhaps.max(unknown);
            granted.surely = granted.surely.max(unknown);
        }
        let window_start = observed - self.settings.min_idle();
        // Silence is proof from the start of the history on; AWS keeps 90 days, and collecting takes its time.
        if history.from > window_start && !is_dated {
            granted.perhaps = granted.perhaps.max(unknown);
            let is_far = history.from - DAY - DELAY > window_start;
            if is_far && granted.perhaps == unknown {
                granted.surely = granted.surely.max(unknown);
            }
        }
        granted
    }
}
