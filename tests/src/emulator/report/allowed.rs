//! Which services and actions a set of documents potentially allows.
//!
//! Conditions are not looked at: a statement that allows under a condition allows, one that denies under a condition does
//! not deny. A deny without a condition takes away what it covers.

use std::collections::HashMap;
use std::sync::Arc;

use super::catalogue::{Action, Catalogue};
use super::overlap;
use crate::emulator::state::stored;
use crate::judge::{Effect, Listed, Policy, Statement};

/// What documents allow.
#[derive(Debug, Default)]
pub struct Allowed {
    /// The services with some allowed action, in order, each with its allowed tracked actions.
    pub services: Vec<(usize, Vec<usize>)>,
}

impl Allowed {
    /// Whether some action of a service is allowed.
    pub fn has(&self, service: usize) -> bool {
        self.services.binary_search_by_key(&service, |(at, _)| *at).is_ok()
    }
}

/// What was derived before, by the documents it was derived from.
#[derive(Debug, Default)]
pub struct Derivation {
    known: HashMap<Vec<String>, Arc<Allowed>>,
}

/// More sets of documents than this are not remembered at once.
const REMEMBERED: usize = 4_096;

impl Derivation {
    /// What the documents allow together.
    pub fn of(&mut self, documents: &[&str]) -> Arc<Allowed> {
        let mut key: Vec<String> = documents.iter().map(|document| (*document).to_owned()).collect();
        key.sort_unstable();
        key.dedup();
        if let Some(known) = self.known.get(&key) {
            return Arc::clone(known);
        }
        let allowed = Arc::new(derive(Catalogue::get(), &key));
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(key, Arc::clone(&allowed));
        allowed
    }
}

/// A deny that holds always.
struct Denial<'a> {
    statement: &'a Statement,
    has_variables: bool,
}

fn derive(catalogue: &Catalogue, documents: &[String]) -> Allowed {
    // What cannot be read grants nothing.
    let policies: Vec<Policy> = documents.iter().filter_map(|document| stored::read(document)).collect();
    let all = || policies.iter().flat_map(|policy| policy.statements.iter().map(move |own| (policy, own)));
    let denials: Vec<Denial<'_>> = all().filter_map(|(policy, statement)| denial(policy, statement)).collect();
    let mut allowed = vec![false; catalogue.actions.len()];
    for (policy, statement) in all().filter(|(_, statement)| statement.effect == Effect::Allow) {
        let mut seen: HashMap<(usize, &str), bool> = HashMap::new();
        for at in about(catalogue, statement) {
            let Some(action) = catalogue.actions.get(at) else { continue };
            let Some(slot) = allowed.get_mut(at).filter(|known| !**known) else { continue };
            let mut applies = |resource| applies(catalogue, policy, action, resource, &mut seen);
            *slot = match &statement.resources {
                Listed::These(list) => list.iter().any(|own| applies(own) && !is_denied(&denials, action, own)),
                Listed::AllBut(list) => !list.iter().any(|own| own == "*") && !is_denied(&denials, action, "*"),
            };
        }
    }
    let mut services = Vec::new();
    for (at, service) in catalogue.services.iter().enumerate() {
        let own = service.actions.clone().filter(|at| allowed.get(*at) == Some(&true));
        let is_tracked = |at: &usize| catalogue.actions.get(*at).is_some_and(|action| action.tracked);
        let own: Vec<usize> = own.collect();
        if !own.is_empty() {
            services.push((at, own.into_iter().filter(is_tracked).collect()));
        }
    }
    Allowed { services }
}

fn denial<'a>(policy: &Policy, statement: &'a Statement) -> Option<Denial<'a>> {
    let is_one = statement.effect == Effect::Deny && statement.conditions.is_empty();
    is_one.then(|| Denial { statement, has_variables: policy.has_variables() })
}

fn is_denied(denials: &[Denial<'_>], action: &Action, resource: &str) -> bool {
    denials.iter().any(|denial| {
        let is_covered = match &denial.statement.resources {
            Listed::These(list) => list.iter().any(|own| overlap::covers(own, resource)),
            // All but these: what has nothing in common with any of them.
            Listed::AllBut(list) => !list.iter().any(|own| overlap::meets(own, resource, denial.has_variables)),
        };
        is_covered && is_about(denial.statement, &action.folded)
    })
}

/// Whether a statement is about an action, given in lower case.
fn is_about(statement: &Statement, folded: &str) -> bool {
    let matches = |pattern: &String| matches(&pattern.to_lowercase(), folded);
    match &statement.actions {
        Listed::These(list) => list.iter().any(matches),
        Listed::AllBut(list) => !list.iter().any(matches),
    }
}

/// The places of the actions that a statement is about.
fn about(catalogue: &Catalogue, statement: &Statement) -> Vec<usize> {
    let matched = |list: &[String]| {
        let mut set = vec![false; catalogue.actions.len()];
        for pattern in list {
            let folded = pattern.to_lowercase();
            for at in catalogue.candidates(&folded) {
                let is_match = catalogue.actions.get(at).is_some_and(|action| matches(&folded, &action.folded));
                if let Some(slot) = set.get_mut(at).filter(|_| is_match) {
                    *slot = true;
                }
            }
        }
        set
    };
    let (set, wanted) = match &statement.actions {
        Listed::These(list) => (matched(list), true),
        Listed::AllBut(list) => (matched(list), false),
    };
    set.into_iter().enumerate().filter(|(_, is_in)| *is_in == wanted).map(|(at, _)| at).collect()
}

/// Whether an action can be allowed on what a pattern stands for.
fn applies<'a>(
    catalogue: &Catalogue,
    policy: &Policy,
    action: &Action,
    resource: &'a str,
    seen: &mut HashMap<(usize, &'a str), bool>,
) -> bool {
    if resource.chars().all(|c| c == '*') {
        return true;
    }
    action.types.iter().any(|at| {
        *seen.entry((*at, resource)).or_insert_with(|| {
            let template = catalogue.types.get(*at).copied().unwrap_or_default();
            overlap::applies(resource, template, policy.has_variables())
        })
    })
}

/// The wildcards of actions, on texts in lower case: the last star takes back what it gave.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut to) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(to) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, to));
                at += 1;
            }
            Some(own) if own == byte || *own == b'?' => {
                at += 1;
                to += 1;
            }
            _ => {
                let Some((starred, taken)) = star else { return false };
                star = Some((starred, taken + 1));
                at = starred + 1;
                to = taken + 1;
            }
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(documents: &[&str]) -> Vec<(&'static str, usize)> {
        let catalogue = Catalogue::get();
        let allowed = Derivation::default().of(documents);
        allowed.services.iter().map(|(at, actions)| (catalogue.services[*at].namespace, actions.len())).collect()
    }

    #[test]
    fn wildcards_match() {
        assert!(
            matches("s3:*", "s3:getobject") && matches("*", "s3:getobject") && matches("s3:get*ct", "s3:getobject")
        );
        assert!(matches("s3:?etobject", "s3:getobject") && !matches("s3:get", "s3:getobject"));
    }

    #[test]
    fn an_administrator_may_use_every_service() {
        let all = services(&[r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#]);
        assert_eq!(all.len(), Catalogue::get().services.len());
    }

    #[test]
    fn unconditional_denies_are_subtracted_and_conditional_ones_are_not() {
        let allow = r#"{"Statement":[{"Effect":"Allow","Action":["s3:*","sqs:SendMessage"],"Resource":"*"}]}"#;
        let deny = r#"{"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
        assert_eq!(services(&[allow, deny]), [("sqs", 0)]);
        let condition = r#"{"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*",
            "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;
        assert_eq!(services(&[allow, condition]).len(), 2);
        let elsewhere = r#"{"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b"}]}"#;
        assert_eq!(services(&[allow, elsewhere]).len(), 2);
        let all_but =
            |arn: &str| format!(r#"{{"Statement":[{{"Effect":"Deny","Action":"s3:*","NotResource":"{arn}"}}]}}"#);
        let own = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::own"}]}"#;
        assert_eq!(services(&[own, &all_but("arn:aws:s3:::other*")]), []);
        assert_eq!(services(&[own, &all_but("arn:aws:s3:::o*")]).len(), 1);
        assert_eq!(services(&[allow, &all_but("arn:aws:s3:::own")]).len(), 2);
    }
}
