//! Names that AWS has not thought of. No times are asserted: a test that hangs says enough.

use secateur_analyzer::action::ActionPattern;

use super::super::slot::{Kind, Name, Slot, Wildcards};
use super::super::{fit, shortest};

fn slot(kind: Kind, texts: impl Iterator<Item = String>) -> Slot {
    let mut names: Vec<Name> = texts
        .enumerate()
        .map(|(at, text)| Name { text, stays: at % 3 == 0, risk: if at % 3 == 0 { 0 } else { 1 + at as u32 % 97 } })
        .collect();
    names.sort_by_key(|name| name.text.to_ascii_lowercase());
    Slot { kind, names, written: 1 }
}

fn try_all(texts: impl Fn() -> Vec<String>) {
    let kinds = [
        Kind::Within(ActionPattern::new("*")),
        Kind::Within(ActionPattern::new("s:*a*")),
        Kind::Outside(vec![ActionPattern::new("t:*"), ActionPattern::new("s:*?b?b?b?b*b?c")]),
        Kind::Exempt,
    ];
    for kind in kinds {
        let inside = |text: &String| match &kind {
            Kind::Within(old) => old.matches(text),
            Kind::Outside(old) => !old.iter().any(|old| old.matches(text)),
            Kind::Exempt => true,
        };
        let slot = slot(kind.clone(), texts().into_iter().filter(inside));
        let _ = shortest(&slot);
        let fit = fit(std::slice::from_ref(&slot), 6_144, Wildcards::Fit).map(|fit| (fit.way, fit.size, fit.risk));
        println!("{} {fit:?}", slot.names.len());
    }
}

#[test]
fn eighty_thousand_names_with_a_long_beginning_in_common() {
    let start = "a".repeat(120);
    // Without optimisation a part of them will do.
    let most = if cfg!(debug_assertions) { 4_000 } else { 80_000 };
    try_all(|| (0..most).map(|at| format!("s:{start}{at:05}")).collect());
}

#[test]
fn each_name_begins_the_next() {
    let most = if cfg!(debug_assertions) { 500 } else { 1_200 };
    try_all(|| (1..most).map(|length| format!("s:{}", "a".repeat(length))).collect());
    try_all(|| (0..20).map(|less| format!("s:{}", "ab".repeat(2_500 - less))).collect());
}

#[test]
fn many_services_with_one_name() {
    let most = if cfg!(debug_assertions) { 4_000 } else { 20_000 };
    try_all(|| (0..most).map(|at| format!("s{at:05}:A")).collect());
}

#[test]
fn names_that_are_none() {
    try_all(|| {
        ["", ":", "s", "s:", "*", "s:*", "s:?", "s:Ä", "s:Äb", "ß:a", "s:a:b", "s:a:c"].map(String::from).to_vec()
    });
    try_all(Vec::new);
}
