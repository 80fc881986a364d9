//! Documents before and after, held against each other.
//!
//! What a statement does depends on its actions and on its *atom*: effect, resources and conditions. For each atom that
//! stands anywhere, the actions of all statements with this atom are put together, before and after. If after every atom
//! has no more actions than before, and each Deny has the same, then no request whatever is allowed after that was not
//! allowed before. The other way around, what may not go must be there after, in the same atom.
//!
//! Actions are those of the catalogue; the names of the documents and reports that it does not know, which must stay; and
//! names that nobody has invented yet, near to what the documents say, which must not be allowed anew.

use std::collections::{BTreeMap, BTreeSet};

use super::actions::{ActionSet, Catalogue};
use super::document::{Effect, Listed, Policy, Statement};
use super::glob;
use crate::random::Random;

/// The statements of this Sid stay as they are.
const KEEP_SID: &str = "SecateurKeep";

/// A document before the change, and what may leave it.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The document.
    pub policy: &'a Policy,
    /// The actions that it may lose.
    pub may_go: &'a ActionSet,
    /// Those of them that it must lose.
    pub must_go: &'a ActionSet,
}

/// What is to be compared.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// The table of actions.
    pub catalogue: &'a Catalogue,
    /// The documents before.
    pub before: &'a [Before<'a>],
    /// The documents after.
    pub after: &'a [&'a Policy],
    /// Names that the catalogue does not know and that must stay, as the reports have them.
    pub unknown: &'a BTreeSet<String>,
    /// What is excused from going.
    pub excused: &'a ActionSet,
    /// For the names that nobody has invented yet.
    pub seed: u64,
}

/// What is wrong with a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Something is allowed that was not.
    Widened {
        /// The action.
        action: String,
        /// Effect, resources and conditions.
        atom: String,
    },
    /// A Deny is about other actions than before.
    DenyChanged {
        /// The action.
        action: String,
        /// Effect, resources and conditions.
        atom: String,
    },
    /// Something is lost that must stay.
    Lost {
        /// The action.
        action: String,
        /// Effect, resources and conditions.
        atom: String,
    },
    /// Something is left that should go.
    Left {
        /// The action.
        action: String,
        /// Effect, resources and conditions.
        atom: String,
    },
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// How many pairs of action and atom were looked at.
    pub judged: usize,
    /// How many such pairs were allowed before and are not after.
    pub removed: usize,
    /// What is wrong; some of each kind.
    pub faults: Vec<Fault>,
}

/// No more faults of a kind than this are named for an atom.
const NAMED: usize = 3;

/// The sets of an atom.
#[derive(Default)]
struct Atom {
    effect: Option<Effect>,
    before: ActionSet,
    after: ActionSet,
    /// What must be there after.
    needed: ActionSet,
    /// What may be there after.
    welcome: ActionSet,
}

impl Comparison<'_> {
    /// Holds the documents against each other.
    pub fn compare(&self) -> Compared {
        let names = Names::new(self);
        let mut atoms: BTreeMap<&str, Atom> = BTreeMap::new();
        for own in self.before {
            let elsewhere = names.elsewhere(own.policy, self.unknown);
            for statement in &own.policy.statements {
                let set = names.of(statement);
                let atom = atoms.entry(&statement.atom).or_default();
                atom.effect = Some(statement.effect);
                let is_kept = statement.sid.as_deref().is_some_and(|sid| sid.starts_with(KEEP_SID));
                let nothing = ActionSet::new();
                let (may_go, must_go) = if is_kept { (&nothing, &nothing) } else { (own.may_go, own.must_go) };
                atom.needed.add(&set.without(may_go).without(&elsewhere));
                atom.welcome.add(&set.without(must_go));
                atom.before.add(&set);
            }
        }
        for statement in self.after.iter().flat_map(|policy| &policy.statements) {
            let set = names.of(statement);
            let atom = atoms.entry(&statement.atom).or_default();
            atom.effect = Some(statement.effect);
            atom.after.add(&set);
        }
        let mut compared = Compared::default();
        for (name, atom) in &atoms {
            compared.judged += names.len();
            self.judge(&names, name, atom, &mut compared);
        }
        compared
    }

    fn judge(&self, names: &Names<'_>, name: &str, atom: &Atom, compared: &mut Compared) {
        let mut report = |set: ActionSet, fault: fn(String, String) -> Fault| {
            compared.faults.extend(set.iter().take(NAMED).map(|at| fault(names.name(at).to_owned(), name.to_owned())));
        };
        let more = atom.after.without(&atom.before);
        let less = atom.before.without(&atom.after);
        if atom.effect == Some(Effect::Deny) {
            report(more, |action, atom| Fault::DenyChanged { action, atom });
            report(less, |action, atom| Fault::DenyChanged { action, atom });
            return;
        }
        let left = atom.after.without(&atom.welcome).without(&more).without(self.excused);
        report(more, |action, atom| Fault::Widened { action, atom });
        // What nobody has invented yet may go: names in the place of a pattern do not have it.
        let needed = atom.needed.without(&names.invented).without(&atom.after);
        report(needed, |action, atom| Fault::Lost { action, atom });
        report(left, |action, atom| Fault::Left { action, atom });
        compared.removed += less.without(&names.invented).len();
    }
}

/// The catalogue's actions, and after them other names.
struct Names<'a> {
    catalogue: &'a Catalogue,
    others: Vec<String>,
    /// The places of those that need not stay.
    invented: ActionSet,
}

impl<'a> Names<'a> {
    fn new(comparison: &Comparison<'a>) -> Names<'a> {
        let mut random = Random::new(comparison.seed);
        let before = comparison.before.iter().map(|before| before.policy);
        let policies = before.chain(comparison.after.iter().copied());
        let patterns: BTreeSet<&str> = policies.flat_map(patterns).collect();
        let literal = patterns.iter().filter(|pattern| !pattern.contains(['*', '?']));
        let mut known: BTreeSet<String> = literal.map(|name| name.to_ascii_lowercase()).collect();
        known.extend(comparison.unknown.iter().map(|name| name.to_ascii_lowercase()));
        known.retain(|name| comparison.catalogue.find(name).is_none());
        let mut near = BTreeSet::new();
        patterns.iter().for_each(|pattern| invent(pattern, &mut random, &mut near));
        for name in ["s3:GetFooBarBaz", "ec2:DescribeEverythingAtOnce", "newservice:CreateThing", "x:Y"] {
            near.insert(name.to_ascii_lowercase());
        }
        near.retain(|name| comparison.catalogue.find(name).is_none() && !known.contains(name));
        let first = comparison.catalogue.actions().len();
        let mut invented = ActionSet::new();
        (0..near.len()).for_each(|at| invented.insert(first + known.len() + at));
        Names { catalogue: comparison.catalogue, others: known.into_iter().chain(near).collect(), invented }
    }

    fn len(&self) -> usize {
        self.catalogue.actions().len() + self.others.len()
    }

    fn name(&self, at: usize) -> &str {
        let other = || self.others.get(at.checked_sub(self.catalogue.actions().len())?).map(String::as_str);
        self.catalogue.action(at).map(|action| action.name.as_str()).or_else(other).unwrap_or_default()
    }

    /// The unknown names that only other documents bear: nothing says that this one, too, means them.
    fn elsewhere(&self, policy: &Policy, unknown: &BTreeSet<String>) -> ActionSet {
        let mut own: BTreeSet<String> = unknown.iter().map(|name| name.to_ascii_lowercase()).collect();
        own.extend(patterns(policy).map(str::to_ascii_lowercase));
        let mut set = ActionSet::new();
        let numbered = self.others.iter().enumerate().filter(|(_, name)| !own.contains(*name));
        numbered.for_each(|(at, _)| set.insert(self.catalogue.actions().len() + at));
        set
    }

    /// The actions that a statement is about.
    fn of(&self, statement: &Statement) -> ActionSet {
        let listed = |list: &[String]| {
            let mut set = ActionSet::new();
            for pattern in list {
                set.add(&self.catalogue.matches(pattern));
            }
            let folded: Vec<String> = list.iter().map(|pattern| pattern.to_ascii_lowercase()).collect();
            // Most patterns are told from most names by how they begin.
            let starts: Vec<(&str, &str)> = folded
                .iter()
                .map(|pattern| (pattern.as_str(), pattern.split(['*', '?']).next().unwrap_or_default()))
                .collect();
            for (at, name) in self.others.iter().enumerate() {
                let is_about =
                    |(pattern, start): &(&str, &str)| name.starts_with(start) && glob::matches(pattern, name);
                if starts.iter().any(is_about) {
                    set.insert(self.catalogue.actions().len() + at);
                }
            }
            set
        };
        match &statement.actions {
            Listed::These(list) => listed(list),
            Listed::AllBut(list) => {
                let mut all = ActionSet::new();
                (0..self.len()).for_each(|at| all.insert(at));
                all.without(&listed(list))
            }
        }
    }
}

/// The names and patterns of a document's lists of actions.
fn patterns(policy: &Policy) -> impl Iterator<Item = &str> {
    policy.statements.iter().flat_map(|statement| match &statement.actions {
        Listed::These(list) | Listed::AllBut(list) => list.iter().map(String::as_str),
    })
}

/// Names near to a pattern: with something and with nothing in the place of its wildcards, longer, shorter, of a service
/// whose name is longer.
fn invent(pattern: &str, random: &mut Random, names: &mut BTreeSet<String>) {
    let pattern = pattern.to_ascii_lowercase();
    let word = random.word(4);
    let filled = pattern.replace('*', &word).replace('?', "q");
    let bare = pattern.replace('*', "").replace('?', "q");
    let mut shorter = bare.clone();
    shorter.pop();
    let longer = format!("{bare}{}", random.word(1));
    let (service, action) = bare.split_once(':').unwrap_or(("other", &bare));
    let before = format!("{service}:{word}{action}");
    let other = format!("{service}{}:{action}", random.word(1));
    for name in [filled, bare.clone(), shorter, longer, before, other] {
        if name.contains(':') {
            names.insert(name);
        }
    }
}

#[cfg(test)]
mod tests;
