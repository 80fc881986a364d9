//! Judges a plan against what the drawn account lets one expect.

mod attached;
mod grants;
pub mod keys;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::oracle::Oracle;
use super::outcome::{Outcome, changes, size, text};
use super::reports;
use super::scene::{Bearer, Place, Scene};
use super::settings::Settings;
use crate::judge::actions::{ActionSet, Catalogue};
use crate::judge::compare::{Before, Compared, Comparison};
use crate::judge::{Effect, Policy, probe, structure};

/// What was looked at.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Accounts.
    pub accounts: usize,
    /// Users and roles.
    pub principals: usize,
    /// Documents.
    pub documents: usize,
    /// Pairs of action and atom that were compared.
    pub judged: usize,
    /// Of these, what is allowed no more.
    pub removed: usize,
    /// Concrete requests.
    pub requests: usize,
    /// Changes by what they do.
    pub changes: BTreeMap<String, usize>,
    /// Documents that kept something for a reason that the plan names.
    pub withheld: BTreeMap<String, usize>,
}

impl Counts {
    /// Adds others.
    pub fn add(&mut self, other: &Counts) {
        self.accounts += other.accounts;
        self.principals += other.principals;
        self.documents += other.documents;
        self.judged += other.judged;
        self.removed += other.removed;
        self.requests += other.requests;
        other.changes.iter().for_each(|(kind, count)| *self.changes.entry(kind.clone()).or_default() += count);
        other.withheld.iter().for_each(|(kind, count)| *self.withheld.entry(kind.clone()).or_default() += count);
    }
}

/// Reasons for which something may be withheld although it could go.
const GOOD_REASONS: [&str; 9] = [
    "does-not-fit",
    "not-action",
    "not-inverted",
    "dormant",
    "catalog-too-old",
    "without-colon",
    "refused-pattern",
    "limit",
    "left-alone",
];

/// Reasons for which unused KMS keys may stay, judged on their own.
const KEY_REASONS: [&str; 2] = ["too-recent", "contradicted"];

/// A plan, and all that it is judged by.
struct Examination<'a> {
    catalogue: &'a Catalogue,
    scene: &'a Scene,
    oracle: Oracle,
    plan: &'a Value,
    before: Outcome,
    after: Outcome,
    /// The documents after that the judge has read.
    read: BTreeMap<String, Policy>,
    /// Groups of changes in which documents hand over to new ones.
    handing_over: BTreeSet<String>,
    seed: u64,
    counts: Counts,
}

/// Judges a plan.
///
/// # Errors
/// When anything is wrong with it; says what.
pub fn examine(
    catalogue: &Catalogue,
    scene: &Scene,
    settings: &Settings,
    plan: &Value,
    seed: u64,
) -> Result<Counts, String> {
    let oracle = Oracle::new(catalogue, scene, settings)?;
    keys::access_keys(scene, settings, plan)?;
    let (drawn, said) = (scene, plan);
    let (scene, plan) = keys::without_unused(scene, settings, plan)?;
    let (scene, plan) = (&scene, &plan);
    let before = Outcome::before(scene);
    let mut after = before.clone();
    after.apply(plan)?;
    let mut read = BTreeMap::new();
    for (address, text) in &after.documents {
        match Policy::parse(text) {
            Ok(policy) => {
                read.insert(address.clone(), policy);
            }
            Err(_) if before.documents.get(address) == Some(text) => {}
            Err(why) => return Err(format!("{address}: what was written is no policy: {why}")),
        }
    }
    let creating = changes(plan).iter().filter(|change| matches!(text(change, "action"), "create" | "attach"));
    let mut examination = Examination {
        catalogue,
        scene,
        oracle,
        plan,
        handing_over: creating.filter_map(group_of).map(str::to_owned).collect(),
        before,
        after,
        read,
        seed,
        counts: Counts { accounts: 1, principals: scene.principals.len(), ..Counts::default() },
    };
    examination.form()?;
    examination.sizes(&Outcome::before(drawn))?;
    examination.documents()?;
    examination.attachments(settings)?;
    examination.principals()?;
    examination.kms(drawn, settings, said)?;
    Ok(examination.counts)
}

impl Examination<'_> {
    fn change_of(&self, address: &str) -> Option<&Value> {
        changes(self.plan).iter().find(|change| text(change, "address") == address)
    }

    /// The document of the account that a new one takes the place of, or a part of: it says so, or its group updates it.
    fn origin<'c>(&'c self, creation: &'c Value) -> Option<&'c str> {
        let own = changes(self.plan).iter().filter(|change| group_of(change) == group_of(creation));
        let updated = own.filter(|change| text(change, "action") == "update").map(|change| text(change, "before"));
        let mut texts = std::iter::once(text(creation, "before")).chain(updated);
        texts.find(|text| self.before.documents.values().any(|own| own == text))
    }

    /// The documents that a group of changes makes.
    fn created_in(&self, group: &str) -> Vec<&Policy> {
        let own = changes(self.plan).iter().filter(|change| group_of(change) == Some(group));
        let created = own.filter(|change| text(change, "action") == "create");
        created.filter_map(|change| self.read.get(text(change, "address"))).collect()
    }

    /// What the changes say that they re-admit.
    fn readmitted<'c>(&self, of: impl Iterator<Item = &'c Value>) -> ActionSet {
        let mut set = ActionSet::new();
        let entries = of.filter_map(|change| change.get("readmitted")?.as_array()).flatten();
        for name in entries.filter_map(|entry| entry.get("actions")?.as_array()).flatten().filter_map(Value::as_str) {
            set.add(&self.catalogue.matches(name));
        }
        set
    }

    /// What changes leave of the form of documents, and that none with a Deny goes away.
    fn form(&mut self) -> Result<(), String> {
        for change in changes(self.plan) {
            let (address, action) = (text(change, "address"), text(change, "action"));
            let mut count = |what: &str| *self.counts.changes.entry(what.to_owned()).or_default() += 1;
            count(action);
            if change.get("readmitted").and_then(Value::as_array).is_some_and(|entries| !entries.is_empty()) {
                count("re-admitting");
            }
            if action == "update" && group_of(change).is_some_and(|group| self.handing_over.contains(group)) {
                count("split");
            }
            let wrong = |why: String| format!("{address}: {why}");
            let parse = |name: &str| Policy::parse(text(change, name));
            match action {
                "update" => {
                    let before = parse("before").map_err(|why| wrong(format!("the judge cannot read it: {why}")))?;
                    structure::check(&before, &parse("after").map_err(wrong)?).map_err(wrong)?;
                }
                "delete" | "detach" => {
                    // A detachment that hands over to a copy has no text of its own.
                    let own = address.split_once("/attached/").map(|(_, name)| format!("policy/{name}"));
                    let own = own.and_then(|own| self.before.documents.get(&own));
                    let before = own.map_or_else(|| parse("before"), |own| Policy::parse(own));
                    let before = before.map_err(|why| wrong(format!("the judge cannot read it: {why}")))?;
                    if before.statements.iter().any(|statement| statement.effect == Effect::Deny) {
                        return Err(wrong("a document with a Deny goes away".to_owned()));
                    }
                }
                "create" => {
                    let origin = self.origin(change).ok_or_else(|| wrong("it comes from no document".to_owned()))?;
                    let before =
                        Policy::parse(origin).map_err(|why| wrong(format!("the judge cannot read it: {why}")))?;
                    structure::check(&before, &parse("after").map_err(wrong)?).map_err(wrong)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Nothing is too large that was not before, or is larger than before.
    fn sizes(&self, before: &Outcome) -> Result<(), String> {
        let quotas = self.scene.quotas();
        let check = |what: &str, was: usize, is: usize, quota: usize| match is > quota.max(was) {
            true => Err(format!("{what} has {is} characters, had {was}, may have {quota}")),
            false => Ok(()),
        };
        for (address, text) in &self.after.documents {
            if address.starts_with("policy/") && !address.starts_with("policy/aws:") {
                let was = before.documents.get(address).map_or(0, |text| size(text));
                check(address, was, size(text), quotas.managed)?;
            }
        }
        for bearer in self.scene.bearers() {
            let quota = match bearer {
                Bearer::Group(_) => quotas.group,
                Bearer::Principal(at) if self.scene.principals.get(at).is_some_and(|own| own.is_role) => quotas.role,
                Bearer::Principal(_) => quotas.user,
            };
            let (was, is) = (before.inline_size(self.scene, bearer), self.after.inline_size(self.scene, bearer));
            let address = self.scene.bearer_address(bearer);
            check(&format!("inline of {address}"), was, is, quota)?;
            let attached = |outcome: &Outcome| outcome.attached.get(&address).map_or(0, BTreeSet::len);
            if attached(&self.after) > attached(&self.before).max(10) {
                return Err(format!("{address} has {} policies attached", attached(&self.after)));
            }
        }
        Ok(())
    }

    /// Each document by itself, for all that hold it.
    fn documents(&mut self) -> Result<(), String> {
        for place in self.scene.places() {
            let address = self.scene.address(place);
            self.counts.documents += 1;
            let (compared, keeps) = self.document(place, &address).map_err(|why| format!("{address}: {why}"))?;
            self.counts.judged += compared.judged;
            self.counts.removed += compared.removed;
            if let Some(fault) = compared.faults.first() {
                return Err(format!("{address}: {fault:?}, one of {}", compared.faults.len()));
            }
            if keeps {
                self.note_withheld(&address)?;
            }
        }
        Ok(())
    }

    /// Judges a document; says too whether it kept what must go and the plan says why.
    fn document(&self, place: Place, address: &str) -> Result<(Compared, bool), String> {
        let holders = self.holders(place);
        let is_aws = matches!(place, Place::Managed(at) if self.scene.managed.get(at).is_some_and(|own| own.is_aws));
        let before = match self.scene.document(place).map(|document| &document.policy) {
            Some(Ok(before)) if !is_aws && !holders.is_empty() => before,
            _ if self.before.documents.get(address) == self.after.documents.get(address) => {
                return Ok(Default::default());
            }
            _ => return Err("changed, and nobody holds it, it is AWS's, or the judge cannot read it".to_owned()),
        };
        let goes = self.oracle.of_place(place);
        let mut is_still_held = false;
        for holder in &holders {
            is_still_held |= self.after.held_by(self.scene, *holder)?.contains(address);
        }
        let mut after: Vec<&Policy> = self.read.get(address).filter(|_| is_still_held).into_iter().collect();
        let group = self.change_of(address).and_then(group_of).filter(|group| self.handing_over.contains(*group));
        after.extend(group.into_iter().flat_map(|group| self.created_in(group)));
        let excused = self.excused(place, address);
        let (unknown, nothing) = (self.unknown(&holders), ActionSet::new());
        let own = [Before { policy: before, may_go: &goes.may, must_go: &goes.must }];
        let compare = |excused: &ActionSet| {
            let (catalogue, seed) = (self.catalogue, self.seed);
            Comparison { catalogue, before: &own, after: &after, unknown: &unknown, excused, seed }.compare()
        };
        let compared = compare(excused.as_ref().unwrap_or(&goes.must));
        let keeps = excused.is_none() && compared.faults.is_empty() && !compare(&nothing).faults.is_empty();
        Ok((compared, keeps))
    }

    /// That unused KMS keys have left what they must leave.
    fn kms(&mut self, drawn: &Scene, settings: &Settings, said: &Value) -> Result<(), String> {
        for change in changes(said) {
            let keys = change.get("resources").and_then(Value::as_array).map_or(0, Vec::len);
            if keys > 0 {
                *self.counts.changes.entry("kms keys".to_owned()).or_default() += keys;
            }
        }
        let withheld = said.get("withheld").and_then(Value::as_array).into_iter().flatten();
        for reason in withheld.map(|entry| text(entry, "reason")).filter(|reason| KEY_REASONS.contains(reason)) {
            *self.counts.withheld.entry(reason.to_owned()).or_default() += 1;
        }
        if !settings.prunes_kms() || !settings.keep.is_empty() {
            return Ok(());
        }
        for place in drawn.places() {
            let address = drawn.address(place);
            let holders = self.holders(place);
            let are_open = holders.iter().all(|at| !self.oracle.is_left_alone(*at)) && self.oracle.is_open(place);
            if !holders.is_empty()
                && are_open
                && self.reasons(&address).iter().all(|reason| KEY_REASONS.contains(reason))
            {
                keys::unused_left(drawn, settings, said, place)?;
            }
        }
        Ok(())
    }

    fn holders(&self, place: Place) -> BTreeSet<usize> {
        (0..self.scene.principals.len()).filter(|at| self.scene.held_by(*at).contains(&place)).collect()
    }

    fn unknown(&self, holders: &BTreeSet<usize>) -> BTreeSet<String> {
        let reports = holders.iter().filter_map(|at| self.scene.principals.get(*at)?.report.as_ref());
        let usable = reports.filter(|report| report.state == super::scene::State::Whole);
        usable.flat_map(|report| reports::unknown_names(self.catalogue, report)).collect()
    }

    /// The reasons for which the plan withholds something of a document.
    fn reasons(&self, address: &str) -> Vec<&str> {
        let attached = address.strip_prefix("policy/").map(|name| format!("/attached/{name}"));
        let entries = self.plan.get("withheld").and_then(Value::as_array).into_iter().flatten();
        let is_about = |own: &str| own == address || attached.as_ref().is_some_and(|end| own.ends_with(end));
        let about = entries.filter(|entry| is_about(text(entry, "address"))).map(|entry| text(entry, "reason"));
        // A policy that cannot be split may fit in another way, or be withheld for another reason too.
        about.filter(|reason| *reason != "not-split").collect()
    }

    /// Those of them that are about actions.
    fn reasons_of_actions(&self, address: &str) -> Vec<&str> {
        self.reasons(address).into_iter().filter(|reason| !KEY_REASONS.contains(reason)).collect()
    }

    /// What need not go: what the plan re-admits; none if it withholds something, so that nothing need go.
    fn excused(&self, place: Place, address: &str) -> Option<ActionSet> {
        if !self.reasons_of_actions(address).is_empty() {
            return None;
        }
        let group = self.change_of(address).and_then(group_of);
        let is_about = |change: &&Value| {
            text(change, "address") == address || group.is_some() && group_of(change) == group && is_creation(change)
        };
        let set = self.readmitted(changes(self.plan).iter().filter(is_about));
        // What is attached to somebody who is written down elsewhere is detached there.
        if let Place::Managed(at) = place
            && self.scene.principals.iter().any(|own| own.is_owned && own.attached.contains(&at))
        {
            return None;
        }
        Some(set)
    }

    fn note_withheld(&mut self, address: &str) -> Result<(), String> {
        let reasons: Vec<String> = self.reasons_of_actions(address).into_iter().map(str::to_owned).collect();
        if !reasons.is_empty() && !reasons.iter().any(|reason| GOOD_REASONS.contains(&reason.as_str())) {
            return Err(format!("{address}: withheld for {reasons:?}, and something of it must go"));
        }
        for reason in reasons {
            *self.counts.withheld.entry(reason).or_default() += 1;
        }
        Ok(())
    }

    /// All that each principal holds, together: nothing wider, nothing lost that may not go from any of it.
    fn principals(&mut self) -> Result<(), String> {
        for at in 0..self.scene.principals.len() {
            let addresses = self.after.held_by(self.scene, at)?;
            let places = self.scene.held_by(at);
            let is_changed = places.len() != addresses.len()
                || addresses.iter().any(|own| self.before.documents.get(own) != self.after.documents.get(own));
            if !is_changed {
                continue;
            }
            let goes: Vec<(Place, super::oracle::Goes)> =
                places.iter().map(|place| (*place, self.oracle.of_holder(at, *place))).collect();
            let nothing = ActionSet::new();
            let before: Vec<Before<'_>> = (goes.iter())
                .filter_map(|(place, goes)| {
                    let policy = self.scene.document(*place)?.policy.as_ref().ok()?;
                    Some(Before { policy, may_go: &goes.may, must_go: &nothing })
                })
                .collect();
            let after: Vec<&Policy> = addresses.iter().filter_map(|address| self.read.get(address)).collect();
            let unknown = self.unknown(&BTreeSet::from([at]));
            let comparison = Comparison {
                catalogue: self.catalogue,
                before: &before,
                after: &after,
                unknown: &unknown,
                excused: &nothing,
                seed: self.seed,
            };
            let who = self.scene.bearer_address(Bearer::Principal(at));
            let compared = comparison.compare();
            self.counts.judged += compared.judged;
            if let Some(fault) = compared.faults.first() {
                return Err(format!("{who}: {fault:?}, one of {}", compared.faults.len()));
            }
            let mut may_go = ActionSet::new();
            goes.iter().for_each(|(_, goes)| may_go.add(&goes.may));
            let policies: Vec<&Policy> = before.iter().map(|before| before.policy).collect();
            let tried = probe::probe(self.catalogue, &policies, &after, &may_go, self.seed)
                .map_err(|why| format!("{who}: {why}"))?;
            self.counts.requests += tried;
        }
        Ok(())
    }
}

/// The group of a change.
fn group_of(change: &Value) -> Option<&str> {
    change.get("group").and_then(Value::as_str)
}

fn is_creation(change: &Value) -> bool {
    text(change, "action") == "create"
}
