//! Whatever the document and the report: what the rewriter makes is proved, and what is made of that is not.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use super::*;
use crate::rewrite::tests::documents::{DocumentSpec, INVENTED, document, pattern, small_names};
use crate::rewrite::tests::evaluator::{is_about, is_open, statements, strings};

/// A report by chance: for each service whether it is listed, for each action whether it was used; and unknown names.
fn report() -> impl Strategy<Value = String> {
    let listed = prop::bool::weighted(0.9);
    let service = (listed, prop::collection::vec(prop::bool::weighted(0.3), 6), any::<bool>());
    let unknown = select(vec!["", "zz -: Any", "zz 2026-10-01", "qq -:"]);
    (prop::collection::vec(service, 3), unknown).prop_map(|(services, unknown)| {
        let names = small_names();
        let mut rows = vec![unknown.to_owned()];
        for (at, (listed, used, has_unknown)) in services.into_iter().enumerate() {
            let own = names
                .iter()
                .skip(at * 6)
                .zip(&used)
                .filter(|(name, _)| !["aa:DeleteItem", "bb:Put"].contains(&name.as_str()));
            let mut actions: Vec<String> = own
                .map(|(name, used)| {
                    let (_, name) = name.split_once(':').unwrap();
                    if *used { format!("{name}=2026-10-01") } else { name.to_owned() }
                })
                .collect();
            if has_unknown {
                actions.push("New".to_owned());
            }
            if listed {
                rows.push(format!("{} -: {}", ["aa", "aab", "bb"][at], actions.join(", ")));
            }
        }
        rows.join("\n")
    })
}

fn splitting() -> impl Strategy<Value = Splitting> {
    prop_oneof![3 => Just(Splitting::Names), 1 => Just(Splitting::Never)]
}

fn role(spec: &DocumentSpec, report: &str) -> (Case, String) {
    let text = spec.text();
    (case(sketch().report("role/r", report).inline("role/r", "p", &text)), text)
}

/// A document's statements, as they may be changed one by one.
fn with_statement(text: &str, at: usize, change: impl FnOnce(&mut Value)) -> String {
    let mut document: Value = serde_json::from_str(text).unwrap();
    match &mut document["Statement"] {
        Value::Array(list) => change(&mut list[at]),
        single => change(single),
    }
    document.to_string()
}

fn key(statement: &Value) -> &'static str {
    if statement.get("Action").is_some() { "Action" } else { "NotAction" }
}

/// Whether AWS takes all patterns of a document.
fn is_taken(text: &str) -> bool {
    let lists = statements(text).into_iter().map(|statement| strings(&statement[key(&statement)]));
    let is_service = |text: &str| !text.is_empty() && !text.contains(['*', '?', '{', '}', ' ']);
    lists.flatten().all(|pattern| {
        pattern == "*" || pattern.split_once(':').is_some_and(|(service, name)| is_service(service) && !name.is_empty())
    })
}

/// Whether a change is refused for what it does, and not only because AWS does not take the text.
fn is_refused(case: &Case, before: &str, after: &str) -> bool {
    !["proved", "unwritable-action"].contains(&case.prove(before, Some(after)).as_str())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_rewriters_result_is_proved(spec in document(), report in report(), splitting in splitting()) {
        let (case, before) = role(&spec, &report);
        let after = case.rewrite(splitting);
        let got = case.prove(&before, after.as_deref());
        // What AWS does not take is refused when all else holds.
        let holds = got == "proved" || got == "unwritable-action" && !after.as_deref().is_none_or(is_taken);
        prop_assert!(holds, "{}: {:?} from {}", got, after, before);
    }

    #[test]
    fn what_allows_more_is_refused(spec in document(), report in report(), at: Index, wider in pattern()) {
        let (case, before) = role(&spec, &report);
        let Some(after) = case.rewrite(Splitting::Names) else { return Ok(()) };
        let own = statements(&after);
        let at = at.index(own.len());
        let old = statements(&before).into_iter().find(|old| old["Resource"] == own[at]["Resource"]).unwrap();
        let planted = with_statement(&after, at, |statement| {
            let key = key(statement);
            let mut list = strings(&statement[key]);
            if key == "Action" { list.push(wider.clone()) } else { list.retain(|name| *name != wider); list.pop(); }
            statement[key] = list.into();
        });
        let new = &statements(&planted)[at];
        let names = || small_names().into_iter().chain(INVENTED.map(str::to_owned));
        let widens = names().any(|name| is_about(new, &name) && !is_about(&old, &name));
        let is_deny = old["Effect"] == "Deny" && *new != own[at];
        if widens || is_deny {
            prop_assert!(is_refused(&case, &before, &planted), "{} from {}", planted, before);
        }
    }

    #[test]
    fn what_loses_more_is_refused(spec in document(), report in report(), at: Index, nth: Index) {
        let (case, before) = role(&spec, &report);
        let Some(after) = case.rewrite(Splitting::Names) else { return Ok(()) };
        let own = statements(&after);
        let at = at.index(own.len());
        let exempt = small_names()[nth.index(small_names().len())].clone();
        let planted = with_statement(&after, at, |statement| {
            let key = key(statement);
            let mut list = strings(&statement[key]);
            if key == "Action" { list.remove(nth.index(list.len())); } else { list.push(exempt); }
            statement[key] = list.into();
        });
        let new = &statements(&planted)[at];
        // The names of the catalogue that the rewriter left have no evidence; its document is as narrow as can be.
        let loses = small_names().iter().any(|name| is_about(&own[at], name) && !is_about(new, name));
        let list = strings(&own[at][key(&own[at])]);
        let was_split = list.iter().all(|pattern| pattern.contains(':') || pattern == "*");
        if loses && was_split || *new != own[at] && !is_open(&own[at]) {
            prop_assert!(is_refused(&case, &before, &planted), "{} from {}", planted, before);
        }
    }
}
