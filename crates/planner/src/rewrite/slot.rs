//! A list, or a part of one, that must be written anew.

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::catalog::{ActionId, ActionSet};
use secateur_analyzer::risk::risk;

use super::{Rewriting, cover};

/// A list, or a part of one, that must be written anew.
#[derive(Debug)]
pub(super) struct Slot {
    pub kind: SlotKind,
    /// What stands there when it is written by names: names, and patterns where a service is unknown or goes whole.
    pub names: Vec<String>,
}

/// Where the slot is.
#[derive(Debug)]
pub(super) enum SlotKind {
    /// In the place of this pattern of an `Action` list.
    Within(ActionPattern),
    /// In the place of the `NotAction` of a statement, with what it is about.
    Outside(NotActionList),
    /// Behind the `NotAction` of a statement.
    Exempt(NotActionList),
}

/// A `NotAction` list.
#[derive(Debug)]
pub(super) struct NotActionList {
    pub patterns: Vec<ActionPattern>,
    /// The actions of the catalogue that the statement is about.
    pub covered: ActionSet,
}

impl Slot {
    /// The author's words for what the slot takes the place of.
    pub fn written(&self) -> &str {
        match &self.kind {
            SlotKind::Within(pattern) => pattern.as_str(),
            SlotKind::Outside(_) | SlotKind::Exempt(_) => "NotAction",
        }
    }

    /// The slot as a problem of covering: what must be matched and what must not, each with what it costs to go wrong.
    ///
    /// `fixed` are patterns that must be written whatever is decided.
    pub fn problem(&self, by: &Rewriting<'_>) -> Problem {
        let is_fixed = |name: &&String| name.contains(['*', '?']);
        let own = |stays: bool| move |name: &String| cover::Name { text: name.clone(), stays, risk: 0 };
        let plain = || self.names.iter().filter(|name| !is_fixed(name));
        let (kind, names, fixed) = match &self.kind {
            SlotKind::Within(pattern) => {
                let mut names: Vec<cover::Name> = plain().map(own(true)).collect();
                by.catalog.each_match(pattern, |id| names.extend(going(id, by)));
                (cover::Kind::Within(pattern.clone()), names, self.names.iter().filter(is_fixed).cloned().collect())
            }
            SlotKind::Outside(list) => {
                let mut names: Vec<cover::Name> = plain().map(own(true)).collect();
                names.extend(list.covered.iter().filter_map(|id| going(id, by)));
                let fixed = self.names.iter().filter(is_fixed).cloned().collect();
                (cover::Kind::Outside(list.patterns.clone()), names, fixed)
            }
            SlotKind::Exempt(list) => (cover::Kind::Exempt, self.exemptions(list, by), Vec::new()),
        };
        let mut names = names;
        names.sort_by_cached_key(|name| name.text.to_ascii_lowercase());
        names.dedup_by(|a, b| a.text.eq_ignore_ascii_case(&b.text));
        let written = match &self.kind {
            SlotKind::Within(pattern) => pattern.as_str().len(),
            SlotKind::Outside(list) => {
                list.patterns.iter().map(|pattern| cover::cost(pattern.as_str())).sum::<usize>().saturating_sub(3)
            }
            SlotKind::Exempt(_) => 0,
        };
        Problem { slot: cover::Slot { kind, names, written }, fixed }
    }

    /// What is to be exempt, services that go whole as one; and what of the same services must not be.
    fn exemptions(&self, list: &NotActionList, by: &Rewriting<'_>) -> Vec<cover::Name> {
        let catalog = by.catalog;
        let mut names = Vec::new();
        for name in &self.names {
            let weight = match (name.strip_suffix(":*"), catalog.parse_action(name)) {
                (Some(service), None) => catalog
                    .service(service)
                    .into_iter()
                    .flat_map(|service| catalog.actions_of(service))
                    .filter(|id| list.covered.contains(*id))
                    .map(|id| risk(catalog, id).0)
                    .sum(),
                (_, Some(id)) => risk(catalog, id).0,
                (None, None) => 0,
            };
            names.push(cover::Name { text: name.clone(), stays: false, risk: weight });
        }
        // What must stay allowed matters in the services that something is exempt of.
        for service in catalog.services() {
            let mut ids = catalog.actions_of(service);
            if !ids.any(|id| list.covered.contains(id) && by.removable.contains(id)) {
                continue;
            }
            let stays =
                catalog.actions_of(service).filter(|id| list.covered.contains(*id) && !by.removable.contains(*id));
            names.extend(stays.map(|id| cover::Name { text: catalog.full_name(id), stays: true, risk: 0 }));
        }
        let everything = ActionPattern::new("*");
        let unknown = super::unknown_matches(by.unknown, &everything).map(|name| ActionPattern::new(&name));
        let is_exempt = |name: &ActionPattern| list.patterns.iter().any(|pattern| pattern.includes(name));
        names.extend(unknown.filter(|name| !name.has_wildcard() && !is_exempt(name)).map(|name| cover::Name {
            text: name.as_str().to_owned(),
            stays: true,
            risk: 0,
        }));
        names
    }
}

/// A slot as a problem, and what is written there in any case.
#[derive(Debug)]
pub struct Problem {
    /// The problem.
    pub slot: cover::Slot,
    /// Patterns that are written in any case.
    pub fixed: Vec<String>,
}

fn going(id: ActionId, by: &Rewriting<'_>) -> Option<cover::Name> {
    by.removable.contains(id).then(|| cover::Name {
        text: by.catalog.full_name(id),
        stays: false,
        risk: risk(by.catalog, id).0,
    })
}
