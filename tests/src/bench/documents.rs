//! Policy documents of many kinds, and what each of them allows and is used for.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::catalogue::Catalogue;
use super::random::Random;
use super::text;

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// One to four statements of names, prefixes and whole services.
    Ordinary,
    /// Few statements, for inline policies of users, whose quota is small.
    Small,
    /// `*`
    Everything,
    /// Allow with `NotAction`.
    AllBut,
    /// `svc:Get*`, `svc:List*`, `svc:Describe*` of many services.
    ReadOnly,
}

/// A document, what it allows, and which part of that its holders use.
#[derive(Debug)]
pub(super) struct Document {
    /// The text.
    pub(super) text: String,
    /// The actions it allows, in order.
    pub(super) allows: Vec<usize>,
    /// Those among them that holders use.
    pub(super) used: Vec<usize>,
    /// Those among them that holders used long ago.
    pub(super) used_once: Vec<usize>,
    /// The kinds of patterns in it, for the mix.
    pub(super) patterns: Patterns,
}

/// How many patterns there are of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Patterns {
    pub(super) names: usize,
    pub(super) prefixes: usize,
    pub(super) services: usize,
    pub(super) everything: usize,
    pub(super) not_actions: usize,
    pub(super) denies: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Whole {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_action: Option<Value>,
    resource: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
}

/// The services that administrators use.
const BROADLY_USED: usize = 15;

/// Makes a document.
pub(super) fn document(catalogue: &Catalogue, kind: Kind, random: &mut Random) -> Document {
    let mut writing =
        Writing { catalogue, random, allows: BTreeSet::new(), used: BTreeSet::new(), patterns: Patterns::default() };
    let mut statement = Vec::new();
    match kind {
        Kind::Ordinary => {
            for _ in 0..writing.random.between(1, 4) {
                statement.push(writing.ordinary(12));
            }
            if writing.random.per_mille(60) {
                statement.push(writing.deny());
            }
        }
        Kind::Small => statement.push(writing.ordinary(6)),
        Kind::Everything => statement.push(writing.everything()),
        Kind::AllBut => statement.push(writing.all_but()),
        Kind::ReadOnly => statement.push(writing.read_only()),
    }
    let whole = Whole { version: "2012-10-17", statement };
    let layout = writing.random.below(3);
    let bytes = match layout {
        0 => text::indented(&whole, b"    "),
        1 => text::indented(&whole, b"  "),
        _ => serde_json::to_vec(&whole).map_err(Into::into),
    };
    let text = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
    let Writing { random, allows, used, patterns, .. } = writing;
    let left: Vec<usize> = allows.difference(&used).copied().collect();
    let used_once = left.into_iter().filter(|_| random.per_mille(30)).collect();
    Document { text, allows: allows.into_iter().collect(), used: used.into_iter().collect(), used_once, patterns }
}

struct Writing<'a> {
    catalogue: &'a Catalogue,
    random: &'a mut Random,
    allows: BTreeSet<usize>,
    used: BTreeSet<usize>,
    patterns: Patterns,
}

impl Writing<'_> {
    fn service(&mut self) -> usize {
        let popular = self.random.one_of(self.catalogue.popular()).copied();
        match popular {
            Some(service) if self.random.per_mille(850) => service,
            _ => self.random.below(self.catalogue.services()),
        }
    }

    fn ordinary(&mut self, longest: usize) -> Statement {
        let roll = self.random.below(100);
        let mut list = Vec::new();
        if roll < 48 {
            let service = self.service();
            self.names(service, longest, &mut list);
            if self.random.per_mille(300) {
                let other = self.service();
                self.names(other, longest / 2, &mut list);
            }
        } else if roll < 72 {
            let service = self.service();
            self.prefixes(service, &mut list);
        } else {
            for _ in 0..self.random.between(1, 2) {
                let service = self.service();
                self.whole(service, &mut list);
            }
        }
        let is_conditional = self.random.per_mille(80);
        Statement {
            sid: self.random.per_mille(400).then(|| format!("Statement{}", self.random.below(1_000))),
            effect: "Allow",
            action: Some(one_or_many(list)),
            resource: self.resource(),
            condition: is_conditional.then(|| json!({"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}})),
            ..Statement::default()
        }
    }

    fn names(&mut self, service: usize, longest: usize, list: &mut Vec<String>) {
        let actions = self.catalogue.actions(service);
        let count = self.random.between(2, longest.max(3));
        for offset in self.random.some_of(actions.len(), count) {
            let action = actions.start + offset;
            self.allows.insert(action);
            if self.random.per_mille(550) {
                self.used.insert(action);
            }
            list.push(format!("{}:{}", self.catalogue.prefix(service), self.catalogue.name(action)));
            self.patterns.names += 1;
        }
        if self.random.per_mille(10) {
            // Misspelt, or no longer there: people leave such names in.
            list.push(format!("{}:GetLegacySettings", self.catalogue.prefix(service)));
            self.patterns.names += 1;
        }
    }

    fn prefixes(&mut self, service: usize, list: &mut Vec<String>) {
        const VERBS: [&str; 8] = ["Get", "List", "Describe", "Get", "List", "Create", "Put", "Update"];
        let mut verbs = BTreeSet::new();
        for _ in 0..self.random.between(1, 3) {
            verbs.extend(self.random.one_of(&VERBS));
        }
        for verb in verbs {
            self.prefix(service, verb, 550, 250, list);
        }
        if list.is_empty() {
            self.names(service, 4, list);
        }
    }

    /// Adds `service:Verb*`, which is used at all, and of which so many actions are used, each in a thousand.
    fn prefix(&mut self, service: usize, verb: &str, active: usize, share: usize, list: &mut Vec<String>) {
        let is_meant = |action: &usize| self.catalogue.name(*action).starts_with(verb);
        let actions: Vec<usize> = self.catalogue.actions(service).filter(is_meant).collect();
        if actions.is_empty() {
            return;
        }
        list.push(format!("{}:{verb}*", self.catalogue.prefix(service)));
        self.patterns.prefixes += 1;
        self.allow(&actions, active, share);
    }

    fn whole(&mut self, service: usize, list: &mut Vec<String>) {
        list.push(format!("{}:*", self.catalogue.prefix(service)));
        self.patterns.services += 1;
        let actions: Vec<usize> = self.catalogue.actions(service).collect();
        self.allow(&actions, 600, 120);
    }

    fn allow(&mut self, actions: &[usize], active: usize, share: usize) {
        self.allows.extend(actions);
        if !self.random.per_mille(active) {
            return;
        }
        let used: Vec<usize> = actions.iter().copied().filter(|_| self.random.per_mille(share)).collect();
        self.used.extend(used);
        self.used.extend(self.random.one_of(actions));
    }

    fn everything(&mut self) -> Statement {
        self.allows.extend(self.catalogue.all());
        self.use_broadly();
        self.patterns.everything += 1;
        Statement { effect: "Allow", action: Some(json!("*")), resource: json!("*"), ..Statement::default() }
    }

    fn all_but(&mut self) -> Statement {
        let exempt = ["iam", "organizations", "account"];
        let places: Vec<usize> = exempt.iter().filter_map(|prefix| self.catalogue.service(prefix)).collect();
        let is_allowed = |action: &usize| !places.contains(&self.catalogue.service_of(*action));
        self.allows.extend(self.catalogue.all().filter(is_allowed));
        self.use_broadly();
        self.patterns.not_actions += exempt.len();
        let list = exempt.iter().map(|prefix| format!("{prefix}:*")).collect();
        Statement { effect: "Allow", not_action: Some(one_or_many(list)), resource: json!("*"), ..Statement::default() }
    }

    fn use_broadly(&mut self) {
        for _ in 0..BROADLY_USED {
            let service = self.service();
            let actions: Vec<usize> =
                self.catalogue.actions(service).filter(|action| self.allows.contains(action)).collect();
            self.allow(&actions, 1_000, 100);
        }
    }

    fn read_only(&mut self) -> Statement {
        let mut list = Vec::new();
        let services = self.catalogue.popular().to_vec();
        for service in services {
            for verb in ["Describe", "Get", "List"] {
                self.prefix(service, verb, 500, 150, &mut list);
            }
        }
        Statement { effect: "Allow", action: Some(one_or_many(list)), resource: json!("*"), ..Statement::default() }
    }

    fn deny(&mut self) -> Statement {
        let prefix = self.catalogue.prefix(self.random.one_of(self.catalogue.popular()).copied().unwrap_or_default());
        self.patterns.denies += 1;
        Statement {
            effect: "Deny",
            action: Some(json!([format!("{prefix}:Delete*")])),
            resource: json!("*"),
            condition: Some(json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}})),
            ..Statement::default()
        }
    }

    fn resource(&mut self) -> Value {
        if self.random.per_mille(500) {
            return json!("*");
        }
        let one = |number: usize| format!("arn:aws:s3:::team-{number}-data/*");
        let list = (0..self.random.between(1, 3)).map(|_| one(self.random.below(400))).collect();
        one_or_many(list)
    }
}

fn one_or_many(list: Vec<String>) -> Value {
    match list.as_slice() {
        [one] => json!(one),
        _ => json!(list),
    }
}
