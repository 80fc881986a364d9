//! Accounts drawn from bytes: policies of a few kinds, those who hold them, and what their reports say.

use std::sync::{Arc, OnceLock};

use arbitrary::{Result, Unstructured};
use secateur::plan::{InputFile, PlanOptions};
use secateur::rewrite::NotActionRewrite;
use secateur_analyzer::account::Account;
use secateur_analyzer::account::sketch::{NOW, Sketch, time};
use secateur_analyzer::analysis::{Analysis, Inputs};
use secateur_analyzer::catalog::Catalog;
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::rules::{Dormant, Rules, Settings};
use serde_json::Value;

use super::evidence::{ACTIONS, Fate, INVENTED, Report};
use super::{document, judge};

/// Two roles, and a user who is a member of a group.
const PRINCIPALS: [&str; 3] = ["role/r", "role/s", "user/u"];

/// Where a policy is, and who holds it: places in [`PRINCIPALS`].
const KINDS: [(&str, &[&str], &[usize]); 4] = [
    ("inline role/r", &[], &[0]),
    ("inline group/g", &[], &[2]),
    ("managed", &["role/r", "role/s"], &[0, 1]),
    ("managed", &["role/s", "group/g"], &[1, 2]),
];

/// An account.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The policies.
    pub policies: Vec<Policy>,
    reports: Vec<Option<Report>>,
    prunes_dormant: bool,
    /// Whether patterns may be replaced by names.
    pub is_fresh: bool,
}

/// A policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its address in plans.
    pub address: String,
    /// Its document.
    pub text: String,
    name: String,
    kind: usize,
}

/// What an analysis is of.
pub struct Made {
    account: Account,
    settings: Settings,
    rules: Rules,
}

impl Scene {
    /// Draws an account.
    pub fn draw(u: &mut Unstructured<'_>) -> Result<Scene> {
        let mut policies = Vec::new();
        for at in 0..u.int_in_range(1..=3)? {
            let kind = u.choose_index(KINDS.len())?;
            let name = format!("p{at}");
            let address = match KINDS.get(kind).map(|(place, ..)| place.strip_prefix("inline ")) {
                Some(Some(owner)) => format!("{owner}/inline/{name}"),
                _ => format!("policy/{name}"),
            };
            policies.push(Policy { address, text: document::draw(u)?, name, kind });
        }
        let mut reports = Vec::new();
        for _ in PRINCIPALS {
            let is_missing = u.int_in_range(0..=15)? == 15;
            reports.push(if is_missing { None } else { Some(Report::draw(u)?) });
        }
        let prunes_dormant = u.int_in_range(0..=7)? != 7;
        Ok(Scene { policies, reports, prunes_dormant, is_fresh: u.int_in_range(0..=7)? != 7 })
    }

    /// Returns the account, for an analysis.
    pub fn make(&self) -> Made {
        let mut sketch = Sketch::new().catalog(catalog()).group("group/g");
        for (principal, report) in PRINCIPALS.iter().zip(&self.reports) {
            sketch = sketch.principal(principal);
            if let Some(report) = report {
                sketch = sketch.report(principal, &report.text());
            }
        }
        sketch = sketch.member("user/u", "group/g");
        for policy in &self.policies {
            let (place, attached, _) = policy.kind();
            sketch = match place.strip_prefix("inline ") {
                Some(owner) => sketch.inline(owner, &policy.name, &policy.text),
                None => sketch.managed(&policy.address, &policy.text),
            };
            for entity in attached {
                sketch = sketch.attach(entity, &policy.address);
            }
        }
        let settings = Settings {
            dormant: if self.prunes_dormant { Dormant::Prune } else { Dormant::Advise },
            max_catalog_age_days: if self.is_fresh { 36_500 } else { 0 },
            ..Settings::default()
        };
        Made { account: sketch.build(), settings, rules: Rules::default() }
    }

    /// Returns the actions of the catalogue that go, and all names that must stay, where those who lose them by the change at
    /// that address are concerned. What is in neither may go.
    pub fn fates(&self, policy: &Policy, address: &str) -> Fates {
        let entity = address.strip_suffix(&format!("/attached/{}", policy.name));
        let (_, attached, holders) = policy.kind();
        let is_reached = |at: &usize| attached.get(*at).is_none_or(|own| entity.is_none_or(|entity| entity == *own));
        let lose = holders.iter().enumerate().filter(|(at, _)| is_reached(at)).map(|(_, holder)| holder);
        let reports: Vec<Option<&Report>> = lose.map(|at| self.reports.get(*at).and_then(Option::as_ref)).collect();
        let mut fates = Fates { goes: Vec::new(), must_stay: Vec::new() };
        for (name, is_tracked) in ACTIONS {
            let fate = |report: &Option<&Report>| report.map_or(Fate::Stays, |report| report.fate(name, is_tracked));
            match reports.iter().map(fate).min() {
                Some(Fate::Goes) => fates.goes.push(name.to_owned()),
                Some(Fate::MayGo) => {}
                Some(Fate::Stays) | None => fates.must_stay.push(name.to_owned()),
            }
        }
        let document: Value = serde_json::from_str(&policy.text).unwrap_or_default();
        let written: Vec<String> = judge::statements(&document).iter().flat_map(judge::patterns).collect();
        let is_known = |name: &&str| {
            written.iter().any(|own| own.eq_ignore_ascii_case(name))
                || reports.iter().flatten().any(|report| report.knows(name))
        };
        fates.must_stay.extend(INVENTED.into_iter().filter(is_known).map(str::to_owned));
        fates
    }

    /// Returns the policy that a change at that address is about.
    pub fn policy(&self, address: &str) -> &Policy {
        let is_it =
            |policy: &&Policy| policy.address == address || address.ends_with(&format!("/attached/{}", policy.name));
        self.policies.iter().find(is_it).unwrap_or_else(|| panic!("{address} is no policy of the account"))
    }

    /// Returns the account with another document for one policy.
    pub fn with_text(&self, address: &str, text: &str) -> Scene {
        let mut other = self.clone();
        for policy in other.policies.iter_mut().filter(|policy| policy.address == address) {
            policy.text = text.to_owned();
        }
        other
    }
}

/// What becomes of names.
pub struct Fates {
    /// The actions that go.
    pub goes: Vec<String>,
    /// The actions, and names that the catalogue does not know, that must stay.
    pub must_stay: Vec<String>,
}

impl Policy {
    fn kind(&self) -> (&'static str, &'static [&'static str], &'static [usize]) {
        KINDS.get(self.kind).copied().unwrap_or(("", &[], &[]))
    }
}

impl Made {
    /// Returns the analysis.
    pub fn analyze(&self) -> Analysis<'_> {
        let inputs = Inputs::new(
            &self.account,
            &self.settings,
            &self.rules,
            time(NOW).unwrap_or_else(|| panic!("{NOW} is no time")),
        );
        Analysis::new(inputs).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Returns the options of a plan.
pub fn options(not_action: NotActionRewrite) -> PlanOptions {
    let snapshot = InputFile { path: "snapshot".to_owned(), sha256: sha256_of(b"") };
    let mut options = PlanOptions::new(snapshot);
    options.rewrite.not_action = not_action;
    options
}

fn catalog() -> Arc<Catalog> {
    static CATALOG: OnceLock<Arc<Catalog>> = OnceLock::new();
    let make = || {
        let mut table =
            "service\taction\taccess_level\ttracked\ttracked_since\tresource_types\tdependent_actions\timplied_actions\n"
                .to_owned();
        for (name, is_tracked) in ACTIONS {
            let tracked = if is_tracked { "yes" } else { "no" };
            table.push_str(&format!("{}\twrite\t{tracked}\t\t\t\t\n", name.replace(':', "\t")));
        }
        let catalog = Catalog::from_actions(table, Catalog::embedded().dates());
        Arc::new(catalog.unwrap_or_else(|error| panic!("{error}")))
    };
    Arc::clone(CATALOG.get_or_init(make))
}
