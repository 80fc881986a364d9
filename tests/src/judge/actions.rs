//! AWS's actions, from the table that the product reads too: as data, by a reader of its own.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

use super::document::Listed;
use super::glob;
use super::time;

/// An action of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// `service:Action`, as AWS writes it.
    pub name: String,
    /// Whether IAM reports its last use.
    pub tracked: bool,
    /// Since when, if that is later than for the service.
    pub tracked_since: Option<i64>,
    /// The actions that AWS checks on its way: places in the table.
    pub related: Vec<usize>,
}

/// A set of actions, by their places in a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionSet {
    words: Vec<u64>,
}

impl ActionSet {
    /// Returns the set without actions.
    pub fn new() -> ActionSet {
        ActionSet::default()
    }

    /// Adds an action.
    pub fn insert(&mut self, at: usize) {
        if self.words.len() <= at / 64 {
            self.words.resize(at / 64 + 1, 0);
        }
        if let Some(word) = self.words.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    /// Returns whether the action is in the set.
    pub fn contains(&self, at: usize) -> bool {
        self.words.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Adds all of another set.
    pub fn add(&mut self, other: &ActionSet) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own |= other);
    }

    /// Takes out all of another set.
    pub fn remove_all(&mut self, other: &ActionSet) {
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own &= !other);
    }

    /// Keeps what is in another set too.
    pub fn keep_common(&mut self, other: &ActionSet) {
        self.words.truncate(other.words.len());
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own &= other);
    }

    /// Returns what is here and not in the other set.
    #[must_use]
    pub fn without(&self, other: &ActionSet) -> ActionSet {
        let mut rest = self.clone();
        rest.remove_all(other);
        rest
    }

    /// Returns whether there is nothing in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Returns the number of actions.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| usize::try_from(word.count_ones()).unwrap_or(0)).sum()
    }

    /// Returns the places of the actions, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let of_word = |(at, word): (usize, &u64)| {
            let word = *word;
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
        };
        self.words.iter().enumerate().flat_map(of_word)
    }
}

/// More patterns than this are not remembered at once.
const MAX_REMEMBERED: usize = 8_000;

/// The table of actions, by name.
#[derive(Debug)]
pub struct Catalogue {
    actions: Vec<Action>,
    /// The names in lower case.
    folded: Vec<String>,
    services: BTreeMap<String, Range<usize>>,
    remembered: RefCell<HashMap<String, Rc<ActionSet>>>,
}

impl Catalogue {
    /// Reads the table of this repository.
    ///
    /// # Errors
    /// When it is not there, or not such a table.
    pub fn load() -> Result<Catalogue, String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/analyzer/catalog/actions.tsv");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Catalogue::parse(&text)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// When a column that the judge needs is missing.
    pub fn parse(text: &str) -> Result<Catalogue, String> {
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
        let column = |name: &str| {
            header.iter().position(|own| *own == name).ok_or_else(|| format!("actions.tsv has no column `{name}`"))
        };
        let (service, action) = (column("service")?, column("action")?);
        let (tracked, since) = (column("tracked")?, column("tracked_since")?);
        let (dependent, implied) = (column("dependent_actions")?, column("implied_actions")?);
        let mut rows: Vec<(String, Vec<&str>)> = lines
            .map(|line| line.split('\t').collect::<Vec<&str>>())
            .filter_map(|row| Some((format!("{}:{}", row.get(service)?, row.get(action)?), row)))
            .collect();
        let key = |name: &str| name.to_ascii_lowercase().replacen(':', "\0", 1);
        rows.sort_by_cached_key(|(name, _)| key(name));
        let folded: Vec<String> = rows.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        let places: HashMap<&str, usize> = folded.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let mut actions = Vec::new();
        for (name, row) in &rows {
            let cell = |at: usize| row.get(at).copied().unwrap_or_default();
            let names = cell(dependent).split(',').chain(cell(implied).split(','));
            actions.push(Action {
                name: name.clone(),
                tracked: cell(tracked) == "yes",
                tracked_since: time::parse(cell(since)),
                related: names.filter_map(|name| places.get(name.to_ascii_lowercase().as_str()).copied()).collect(),
            });
        }
        let mut services: BTreeMap<String, Range<usize>> = BTreeMap::new();
        for (at, name) in folded.iter().enumerate() {
            let service = name.split(':').next().unwrap_or_default();
            services.entry(service.to_owned()).or_insert(at..at).end = at + 1;
        }
        Ok(Catalogue { actions, folded, services, remembered: RefCell::default() })
    }

    /// Returns the actions.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Returns the action at a place.
    pub fn action(&self, at: usize) -> Option<&Action> {
        self.actions.get(at)
    }

    /// Returns the place of an action, whatever the case of its name.
    pub fn find(&self, name: &str) -> Option<usize> {
        let folded = name.to_ascii_lowercase();
        let service = self.services.get(folded.split(':').next()?)?.clone();
        let own = self.folded.get(service.clone())?;
        own.iter().position(|name| *name == folded).map(|at| service.start + at)
    }

    /// Returns the services, by name, each with the places of its actions.
    pub fn services(&self) -> &BTreeMap<String, Range<usize>> {
        &self.services
    }

    /// Returns the service of an action, in lower case.
    pub fn service_of(&self, at: usize) -> &str {
        self.folded.get(at).and_then(|name| name.split(':').next()).unwrap_or_default()
    }

    /// Returns the actions that a pattern matches.
    pub fn matches(&self, pattern: &str) -> Rc<ActionSet> {
        let folded = pattern.to_ascii_lowercase();
        if let Some(found) = self.remembered.borrow().get(&folded) {
            return Rc::clone(found);
        }
        let service = folded.split(':').next().unwrap_or_default();
        // Without a star before the colon only one service can match.
        let places = match self.services.get(service) {
            Some(own) if folded.contains(':') => own.clone(),
            _ if folded.contains(':') && !service.contains(['*', '?']) => 0..0,
            _ => 0..self.folded.len(),
        };
        let mut set = ActionSet::new();
        for at in places {
            if self.folded.get(at).is_some_and(|name| glob::matches(&folded, name)) {
                set.insert(at);
            }
        }
        let set = Rc::new(set);
        let mut remembered = self.remembered.borrow_mut();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(folded, Rc::clone(&set));
        set
    }

    /// Returns the actions that a list is about.
    pub fn of(&self, listed: &Listed) -> ActionSet {
        let (Listed::These(list) | Listed::AllBut(list)) = listed;
        let mut set = ActionSet::new();
        list.iter().for_each(|pattern| set.add(&self.matches(pattern)));
        match listed {
            Listed::These(_) => set,
            Listed::AllBut(_) => self.all().without(&set),
        }
    }

    /// Returns all actions.
    pub fn all(&self) -> Rc<ActionSet> {
        self.matches("*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read() {
        let catalogue = Catalogue::load().unwrap();
        assert!(catalogue.actions().len() > 20_000);
        let find = |name: &str| catalogue.find(name).unwrap();
        assert!(catalogue.action(find("SQS:createqueue")).unwrap().tracked);
        assert!(!catalogue.action(find("iam:PassRole")).unwrap().tracked);
        let related = &catalogue.action(find("access-analyzer:StartPolicyGeneration")).unwrap().related;
        assert!(related.contains(&find("iam:PassRole")));
        assert_eq!(catalogue.service_of(find("iam:PassRole")), "iam");
    }

    #[test]
    fn patterns_match_by_service_as_by_the_whole_table() {
        let catalogue = Catalogue::load().unwrap();
        for pattern in ["s3:*", "S3:get*", "s3:?etObject", "*", "nosuch:*", "*:ListTags", "iam:PassRole", "*Queue"] {
            let naive = (0..catalogue.actions().len())
                .filter(|at| glob::matches_folded(pattern, &catalogue.actions()[*at].name))
                .collect::<Vec<_>>();
            assert_eq!(catalogue.matches(pattern).iter().collect::<Vec<_>>(), naive, "{pattern}");
        }
        assert_eq!(catalogue.all().len(), catalogue.actions().len());
    }

    #[test]
    fn sets_are_sets() {
        let of = |places: &[usize]| {
            let mut set = ActionSet::new();
            places.iter().for_each(|at| set.insert(*at));
            set
        };
        let (a, b) = (of(&[1, 64, 200]), of(&[64, 300]));
        assert_eq!(a.without(&b).iter().collect::<Vec<_>>(), [1, 200]);
        let mut both = a.clone();
        both.add(&b);
        assert_eq!((both.len(), both.contains(300), both.contains(2)), (4, true, false));
        both.keep_common(&b);
        assert_eq!(both.iter().collect::<Vec<_>>(), [64, 300]);
        assert!(of(&[]).is_empty() && a.without(&a).is_empty());
    }
}
