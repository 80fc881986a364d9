//! Matching, inclusion and disjointness of patterns, and their matches in a catalogue.

use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::catalog::{ActionId, Catalog};

use super::search::{Search, matches, search};

/// Letters of patterns; wildcards are frequent.
const LETTERS: [&str; 14] = ["a", "b", "A", "B", "-", "é", "É", "\t", ":", ":", "*", "*", "?", "?"];
/// How many of [`LETTERS`] a name may have: those before the colon.
const OF_NAMES: usize = 8;

/// Services and actions that patterns of a few letters match, in the columns of the catalogue.
const ACTIONS: [(&str, &[&str]); 4] =
    [("a", &["a", "AB", "aBa", "B"]), ("a-b", &["A", "bb"]), ("ab", &["A", "aa", "aB", "BA-B"]), ("b", &["ab", "B"])];

/// Draws patterns and names from the bytes, and asks everything there is to ask of them.
pub fn check(bytes: &[u8]) {
    let Ok(case) = Case::draw(&mut Unstructured::new(bytes)) else { return };
    for pattern in &case.patterns {
        check_matching(pattern, &case.names);
        check_catalog(pattern, small_catalog());
    }
    let [a, b, c] = &case.patterns;
    if case.asks_the_real_catalogue {
        check_catalog(a, Catalog::embedded());
    }
    for (one, other) in [(a, b), (b, a), (b, c), (c, a), (a, a)] {
        check_inclusion(one, other, &case.fillers);
        check_disjointness(one, other);
    }
    let [a, b, c] = [a, b, c].map(|text| ActionPattern::new(text));
    assert!(!(a.includes(&b) && b.includes(&c)) || is_shown_or_hard(&a, &c), "{a} {b} {c}: inclusion is transitive");
    assert!(!(a.includes(&b) && a.is_disjoint(&c)) || b.is_disjoint(&c), "{a} {b} {c}: a part is as disjoint");
}

struct Case {
    patterns: [String; 3],
    names: Vec<(String, String)>,
    /// What stands for stars when a name is made of a pattern.
    fillers: Vec<String>,
    asks_the_real_catalogue: bool,
}

impl Case {
    fn draw(u: &mut Unstructured<'_>) -> Result<Case> {
        let longest = if is_rare(u, 8)? { 40 } else { 6 };
        let asks_the_real_catalogue = is_rare(u, 64)?;
        let mut pattern = || match asks_the_real_catalogue {
            true => real_pattern(u),
            false => text(u, &LETTERS, longest),
        };
        let patterns = [pattern()?, pattern()?, pattern()?];
        let of_names = LETTERS.get(..OF_NAMES).unwrap_or_default();
        let mut names = Vec::new();
        let mut fillers = vec![String::new()];
        for _ in 0..4 {
            names.push((text(u, of_names, 3)?, text(u, of_names, 5)?));
            fillers.push(text(u, LETTERS.get(..=OF_NAMES).unwrap_or_default(), 3)?);
        }
        Ok(Case { patterns, names, fillers, asks_the_real_catalogue })
    }
}

/// Whether the bytes say what one in `count` says; no when there are no more bytes.
fn is_rare(u: &mut Unstructured<'_>, count: u8) -> Result<bool> {
    Ok(u.int_in_range(1..=count)? == count)
}

fn text(u: &mut Unstructured<'_>, letters: &[&str], longest: usize) -> Result<String> {
    let len = u.int_in_range(0..=longest)?;
    (0..len).map(|_| u.choose(letters).copied()).collect()
}

/// The name of a real action with some of its letters replaced by wildcards.
fn real_pattern(u: &mut Unstructured<'_>) -> Result<String> {
    let catalog = Catalog::embedded();
    let at = u.choose_index(catalog.len())?;
    let name = catalog.actions().nth(at).map(|id| catalog.full_name(id)).unwrap_or_default();
    let mut letters: Vec<char> = name.chars().collect();
    for _ in 0..u.int_in_range(1..=3)? {
        let at = u.choose_index(letters.len())?;
        match u.int_in_range(0..=3)? {
            0 => letters.truncate(at),
            1 => letters.splice(at..=at, ['?']).for_each(drop),
            _ => letters.splice(at..(at + 4).min(letters.len()), ['*']).for_each(drop),
        }
        if letters.is_empty() {
            letters.push('*');
        }
    }
    Ok(letters.into_iter().collect())
}

fn check_matching(text: &str, names: &[(String, String)]) {
    let pattern = ActionPattern::new(text);
    assert_eq!(pattern.as_str(), text);
    assert_eq!(pattern.has_wildcard(), text.contains(['*', '?']));
    assert_eq!(pattern, ActionPattern::new(&text.to_ascii_uppercase()));
    for (service, action) in names {
        let name = format!("{service}:{action}");
        let expect = matches(text.as_bytes(), name.as_bytes());
        assert_eq!(pattern.matches(&name), expect, "{pattern} {name}");
        assert_eq!(pattern.matches(&name.to_ascii_uppercase()), expect, "{pattern} {name}, in upper case");
        let (service, action) = (service.to_ascii_lowercase(), action.to_ascii_lowercase());
        assert_eq!(pattern.matches_folded(&service, &action), expect, "{pattern} {name}, in two parts");
    }
}

/// `outer` includes `inner`: then it matches whatever `inner` matches.
fn check_inclusion(outer: &str, inner: &str, fillers: &[String]) {
    let says = ActionPattern::new(outer).includes(&ActionPattern::new(inner));
    match search(inner, outer, |inner, outer| inner && !outer) {
        Search::Found(name) => assert!(!says, "{outer} does not include {inner}: {}", name.escape_ascii()),
        Search::None => assert!(says, "{outer} includes {inner}"),
        Search::TooLarge => {}
    }
    for filler in fillers.iter().filter(|_| says) {
        let name = inner.replace('*', filler).replace('?', "z");
        assert!(matches(outer.as_bytes(), name.as_bytes()), "{outer} does not include {inner}: {name}");
    }
}

fn check_disjointness(one: &str, other: &str) {
    let (a, b) = (ActionPattern::new(one), ActionPattern::new(other));
    let says = a.is_disjoint(&b);
    assert_eq!(says, b.is_disjoint(&a), "{one} {other}: disjointness is symmetric");
    match search(one, other, |one, other| one && other) {
        Search::Found(name) => assert!(!says, "{one} and {other} share {}", name.escape_ascii()),
        Search::None => assert!(says, "{one} and {other} share nothing"),
        Search::TooLarge => {}
    }
}

/// Inclusion is not always shown where the search for it would be large.
fn is_shown_or_hard(outer: &ActionPattern, inner: &ActionPattern) -> bool {
    outer.includes(inner) || search(inner.as_str(), outer.as_str(), |inner, outer| inner && !outer) == Search::TooLarge
}

fn small_catalog() -> &'static Catalog {
    static SMALL: OnceLock<Catalog> = OnceLock::new();
    SMALL.get_or_init(|| {
        let mut table =
            "service\taction\taccess_level\ttracked\ttracked_since\tresource_types\tdependent_actions\timplied_actions\n"
                .to_owned();
        for (service, names) in ACTIONS {
            names.iter().for_each(|name| table.push_str(&format!("{service}\t{name}\twrite\tyes\t\t\t\t\n")));
        }
        Catalog::from_actions(table, Catalog::embedded().dates()).unwrap_or_else(|error| panic!("{error}"))
    })
}

fn check_catalog(text: &str, catalog: &Catalog) {
    let pattern = ActionPattern::new(text);
    // Of the real catalogue, a part that is another for patterns of another length: it has tens of thousands of names.
    let is_in_part = |id: &ActionId| catalog.len() < 1_000 || id.index() % 16 == text.len() % 16;
    let mut found = Vec::new();
    catalog.each_match(&pattern, |id| found.push(id));
    assert!(catalog.matches(&pattern).iter().eq(found.iter().copied()), "{pattern:?} as a set");
    found.retain(is_in_part);
    let is_match = |id: &ActionId| matches(text.as_bytes(), catalog.full_name(*id).as_bytes());
    let expect: Vec<ActionId> = catalog.actions().filter(is_in_part).filter(is_match).collect();
    let names = |ids: &[ActionId]| ids.iter().map(|id| catalog.full_name(*id)).collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expect), "{pattern:?}");
}
