//! Who must be looked at.

use super::*;

const BEFORE: &str = r#"{"Statement":{"Effect":"Allow","Action":["aab:Get","aab:Tag"],"Resource":"*"}}"#;
const AFTER: &str = r#"{"Statement":{"Effect":"Allow","Action":["aab:Get"],"Resource":"*"}}"#;

fn shared() -> Sketch {
    sketch().principal("role/s").managed("policy/p", BEFORE).attach("role/r", "policy/p").attach("role/s", "policy/p")
}

/// Proves for the first so many holders.
fn check(sketch: Sketch, holders: usize, after: Option<&str>, expect: &str) {
    let case = case(sketch);
    let analysis = case.analyze();
    let policy = only_policy(&analysis);
    let holders = &analysis.policy(policy).unwrap().holders[..holders];
    assert_eq!(name(prove(&Claim { policy, holders, before: BEFORE, after }, &analysis)), expect);
}

#[test]
fn every_holder_needs_evidence() {
    check(shared(), 2, Some(AFTER), "lost-action");
    check(shared(), 2, None, "lost-action");
    let both = || shared().report("role/s", "aab -: Get, Tag");
    check(both(), 2, Some(AFTER), "proved");
    check(both(), 2, None, "proved");
    check(shared().report("role/s", "aa -"), 2, Some(AFTER), "lost-action");
    check(shared().report("role/s", "aab 2026-10-01: Get, Tag=2026-10-01"), 2, Some(AFTER), "lost-action");
    check(shared().report("role/s", "aab 2026-10-01: Get=2026-10-01, Tag"), 2, Some(AFTER), "proved");
    check(both().tag("role/s", "aws:cloudformation:stack-name", "x"), 2, Some(AFTER), "proved");
    check(both().change("role/s", |role| role.path = "/aws-reserved/x/".to_owned()), 2, Some(AFTER), "lost-action");
}

#[test]
fn a_document_changes_for_all_its_holders() {
    check(shared(), 1, Some(AFTER), "missing-holder");
    // An attachment goes for those that it reaches.
    check(shared(), 1, None, "proved");
}

#[test]
fn nobody_holds_it() {
    check(sketch().managed("policy/p", BEFORE), 0, Some(AFTER), "no-holder");
    check(sketch().managed("policy/p", BEFORE), 0, None, "no-holder");
    check(sketch().group("group/g").inline("group/g", "p", BEFORE), 0, None, "no-holder");
    check(shared(), 0, Some(AFTER), "no-holder");
}

#[test]
fn a_policy_that_is_set_aside_loses_nothing() {
    check(
        shared().report("role/s", "aab -").change("role/r", |role| {
            role.boundary = secateur_analyzer::account::sketch::arn("policy/p");
        }),
        2,
        Some(AFTER),
        "lost-action",
    );
    let irregular = BEFORE.replace("\"Resource\"", "\"Comment\":\"\",\"Resource\"");
    let case = inline(&irregular);
    assert_eq!(case.prove(&irregular, Some(&irregular.replace(",\"aab:Tag\"", ""))), "lost-action");
}
