//! What holds for every document and every removable set.

#![expect(clippy::string_slice, reason = "the spans are of JSON tokens, and the names are ASCII")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use proptest::prelude::*;
use secateur_analyzer::catalog::Catalog;
use serde_json::Value;
use serde_json::value::RawValue;

use super::documents::{DocumentSpec, INVENTED, document, small_catalog, small_names};
use super::evaluator::{glob, is_about, is_open, statements, strings, without_actions};
use super::*;

/// A rewrite by chance.
#[derive(Clone, Debug)]
struct Case {
    spec: DocumentSpec,
    /// The places of removable actions in the small catalogue, as bits.
    removable: u32,
    /// Which of [`UNKNOWN`] the rewriter is told, as bits.
    unknown: u8,
    splitting: Splitting,
    not_action: NotActionRewrite,
}

const UNKNOWN: [&str; 5] = ["aa:New", "bb:Any", "zz:*", "zz:Any", "aac:ListItems"];

fn case() -> impl Strategy<Value = Case> {
    let splitting = prop_oneof![3 => Just(Splitting::Names), 1 => Just(Splitting::Never)];
    let not_action = prop_oneof![3 => Just(NotActionRewrite::Extend), 1 => Just(NotActionRewrite::Advise)];
    let removable = prop_oneof![4 => any::<u32>(), 1 => Just(u32::MAX), 1 => Just(0b11_1111)];
    (document(), removable, any::<u8>(), splitting, not_action).prop_map(
        |(spec, removable, unknown, splitting, not_action)| Case { spec, removable, unknown, splitting, not_action },
    )
}

impl Case {
    fn unknown(&self) -> Vec<&'static str> {
        UNKNOWN.into_iter().enumerate().filter(|(at, _)| self.unknown >> at & 1 == 1).map(|(_, name)| name).collect()
    }

    fn removable(&self) -> BTreeSet<String> {
        let names = small_names().into_iter().enumerate();
        names.filter(|(at, _)| self.removable >> at & 1 == 1).map(|(_, name)| name).collect()
    }

    /// What must not be lost: the rest of the catalogue, and what the rewriter was told of.
    fn must_stay(&self) -> Vec<String> {
        let removable = self.removable();
        let told = |name: &&&str| self.unknown().iter().any(|unknown| glob(unknown, name));
        let known = small_names().into_iter().filter(|name| !removable.contains(name));
        known.chain(INVENTED.iter().filter(told).map(|name| (*name).to_owned())).collect()
    }

    fn rewrite_text(&self, catalog: &Catalog, text: &str) -> Option<String> {
        let removable: Vec<String> = self.removable().into_iter().collect();
        let unknown = self.unknown().join(" ");
        let how = How {
            catalog,
            removable: &removable.join(" "),
            unknown: &unknown,
            not_action: self.not_action,
            splitting: self.splitting,
        };
        match how.rewrite(text).outcome {
            Outcome::Unchanged => Some(text.to_owned()),
            Outcome::Changed(after) => {
                assert_ne!(after, text);
                Some(after)
            }
            Outcome::Empty => None,
        }
    }
}

fn everything() -> Vec<String> {
    small_names().into_iter().chain(INVENTED.map(str::to_owned)).collect()
}

/// The statements by their Resource, which is the place they had when they were made.
fn by_place(text: &str) -> BTreeMap<String, Value> {
    statements(text)
        .into_iter()
        .map(|statement| (statement["Resource"].as_str().unwrap().to_owned(), statement))
        .collect()
}

/// Patterns that AWS refuses because a colon is missing stay as written, whatever they match by letter.
fn has_colonless(statement: &Value) -> bool {
    let list = statement.get("Action").or(statement.get("NotAction")).map(strings).unwrap_or_default();
    list.iter().any(|pattern| !pattern.contains(':') && pattern != "*")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn rewriting_narrows_keeps_and_removes(case in case()) {
        let catalog = small_catalog();
        let text = case.spec.text();
        let before = by_place(&text);
        let Some(after) = case.rewrite_text(&catalog, &text) else {
            // All goes: nothing in it had to stay.
            for statement in before.values() {
                prop_assert!(is_open(statement), "{}", statement);
                for name in case.must_stay() {
                    prop_assert!(!is_about(statement, &name), "{} lost from {}", name, text);
                }
            }
            return Ok(());
        };

        // It is still a policy, equal but for actions.
        prop_assert!(PolicyDocument::parse(after.as_str()).unwrap().irregularities.is_empty());
        let (mut old, mut new): (Value, Value) = (serde_json::from_str(&text).unwrap(), serde_json::from_str(&after).unwrap());
        prop_assert_eq!(old["Statement"].is_array(), new["Statement"].is_array());
        (old["Statement"], new["Statement"]) = (Value::Null, Value::Null);
        prop_assert_eq!(old, new);
        let places = |text: &str| -> Vec<String> {
            statements(text).iter().map(|statement| statement["Resource"].as_str().unwrap().to_owned()).collect()
        };
        let order = places(&text);
        let survivors = places(&after);
        let in_order: Vec<String> = order.iter().filter(|place| survivors.contains(place)).cloned().collect();
        prop_assert_eq!(&survivors, &in_order);

        let after_by_place = by_place(&after);
        for (place, old) in &before {
            let new = after_by_place.get(place);
            if let Some(new) = new {
                prop_assert_eq!(without_actions(old), without_actions(new));
            }
            if !is_open(old) {
                prop_assert_eq!(Some(old), new, "a statement that is left alone");
                continue;
            }
            for name in everything() {
                let (was, is) = (is_about(old, &name), new.is_some_and(|new| is_about(new, &name)));
                prop_assert!(was || !is, "{} was widened by {}: {} from {}", place, name, after, text);
            }
            for name in case.must_stay() {
                let (was, is) = (is_about(old, &name), new.is_some_and(|new| is_about(new, &name)));
                prop_assert!(!was || is, "{} lost {}: {} from {}", place, name, after, text);
            }
            let takes_all = case.splitting == Splitting::Names
                && (old.get("Action").is_some() || case.not_action == NotActionRewrite::Extend)
                && !has_colonless(old);
            for name in case.removable().iter().filter(|_| takes_all) {
                prop_assert!(!new.is_some_and(|new| is_about(new, name)), "{} still has {}: {} from {}", place, name, after, text);
            }
        }
    }

    #[test]
    fn rewriting_twice_changes_nothing_more(case in case()) {
        let catalog = small_catalog();
        if let Some(after) = case.rewrite_text(&catalog, &case.spec.text()) {
            prop_assert_eq!(case.rewrite_text(&catalog, &after), Some(after));
        }
    }

    #[test]
    fn the_order_of_a_list_does_not_matter(case in case()) {
        let catalog = small_catalog();
        let names = |text: Option<String>| -> BTreeMap<String, BTreeSet<String>> {
            let statements = text.map(|text| by_place(&text)).unwrap_or_default();
            let list = |statement: Value| statement.get("Action").or(statement.get("NotAction")).map(strings).unwrap_or_default();
            let folded = |list: Vec<String>| list.iter().map(|name| name.to_ascii_lowercase()).collect();
            statements.into_iter().map(|(place, statement)| (place, folded(list(statement)))).collect()
        };
        let one = names(case.rewrite_text(&catalog, &case.spec.text()));
        let other = names(case.rewrite_text(&catalog, &case.spec.reversed().text()));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn without_splitting_nothing_grows(case in case()) {
        let case = Case { splitting: Splitting::Never, not_action: NotActionRewrite::Advise, ..case };
        let text = case.spec.text();
        if let Some(after) = case.rewrite_text(&small_catalog(), &text) {
            prop_assert!(after.len() <= text.len(), "{} from {}", after, text);
        }
    }

    #[test]
    fn what_is_not_a_list_of_actions_stays_byte_for_byte(case in case()) {
        let text = case.spec.text();
        let Some(after) = case.rewrite_text(&small_catalog(), &text) else { return Ok(()) };
        let (old, new) = (Skeleton::of(&text), Skeleton::of(&after));
        prop_assert_eq!((old.head, old.tail), (new.head, new.tail));
        for separator in &new.separators {
            prop_assert!(old.separators.contains(separator), "{:?} is none of {:?}", separator, old.separators);
        }
        for statement in &new.statements {
            let own = old.statements.iter().find(|own| own.place == statement.place).unwrap();
            prop_assert_eq!(&own.around, &statement.around);
            // An element of a list is the author's own literal, or a name as JSON writes it; the author's stay in order.
            let mut authors = own.elements.iter();
            for element in &statement.elements {
                let is_kept = authors.clone().any(|own| own == element);
                if is_kept {
                    authors.find(|own| *own == element);
                } else {
                    let name: String = serde_json::from_str(element).unwrap();
                    prop_assert_eq!(&serde_json::to_string(&name).unwrap(), element);
                }
            }
            let touches = |name: &String| is_about(&own.value, name);
            if !is_open(&own.value) || !case.removable().iter().any(touches) {
                prop_assert_eq!(own.list, statement.list);
            }
        }
    }
}

/// A document's text, taken apart without the product's parser.
struct Skeleton<'a> {
    head: &'a str,
    separators: Vec<&'a str>,
    tail: &'a str,
    statements: Vec<StatementSkeleton<'a>>,
}

struct StatementSkeleton<'a> {
    place: String,
    value: Value,
    /// The text before and behind the list of actions.
    around: [&'a str; 2],
    list: &'a str,
    elements: Vec<&'a str>,
}

impl<'a> Skeleton<'a> {
    fn of(text: &'a str) -> Skeleton<'a> {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap();
        let own = elements(members["Statement"].get());
        let spans: Vec<Range<usize>> = own.iter().map(|element| span(text, element)).collect();
        Skeleton {
            head: &text[..spans[0].start],
            separators: spans.windows(2).map(|pair| &text[pair[0].end..pair[1].start]).collect(),
            tail: &text[spans[spans.len() - 1].end..],
            statements: own.into_iter().map(StatementSkeleton::of).collect(),
        }
    }
}

impl<'a> StatementSkeleton<'a> {
    fn of(text: &'a str) -> StatementSkeleton<'a> {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap();
        let list = members.get("Action").or(members.get("NotAction")).unwrap().get();
        let value: Value = serde_json::from_str(text).unwrap();
        let span = span(text, list);
        StatementSkeleton {
            place: value["Resource"].as_str().unwrap().to_owned(),
            value,
            around: [&text[..span.start], &text[span.end..]],
            list,
            elements: elements(list),
        }
    }
}

/// The elements of a list, or the one value that is none.
fn elements(text: &str) -> Vec<&str> {
    match serde_json::from_str::<Vec<&RawValue>>(text) {
        Ok(list) => list.into_iter().map(RawValue::get).collect(),
        Err(_) => vec![text],
    }
}

/// Where a part that was borrowed from the text stands in it.
fn span(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.len()
}
