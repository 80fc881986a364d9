//! Who must be looked at.

use super::*;

const BEFORE: &str = r#"{"Statement":{"Effect":"Allow","Action":["aab:Get","aab:Tag"],"Resource":"*"}}"#;
const AFTER: &str = r#"{"Statement":{"Effect":"Allow","Action":["aab:Get"],"Resource":"*"}}"#;

fn shared() -> Sketch {
    sketch().principal("role/s").managed("policy/p", BEFORE).attach("role/r", "policy/p").attach("role/s", "policy/p")
}

/// Proves for everybody.
fn check(sketch: Sketch, after: Option<&str>, expect: &str) {
    let case = case(sketch);
    let analysis = case.analyze();
    let policy = only_policy(&analysis);
    assert_eq!(
        name(prove(&Claim { policy, through: None, before: BEFORE, after: after.as_slice() }, &analysis)),
        expect
    );
}

/// Proves for those who have the policy by the first so many attachments.
fn check_through(sketch: Sketch, attachments: usize, after: &[&str], expect: &str) {
    let case = case(sketch);
    let analysis = case.analyze();
    let policy = only_policy(&analysis);
    let before = analysis.graph().policy(policy).unwrap().document().unwrap().text();
    let all = analysis.graph().attached_to(policy);
    assert_eq!(name(prove(&Claim { policy, through: Some(&all[..attachments]), before, after }, &analysis)), expect);
}

#[test]
fn every_holder_needs_evidence() {
    check(shared(), Some(AFTER), "lost-action");
    check(shared(), None, "lost-action");
    let both = || shared().report("role/s", "aab -: Get, Tag");
    check(both(), Some(AFTER), "proved");
    check(both(), None, "proved");
    check(shared().report("role/s", "aa -"), Some(AFTER), "lost-action");
    check(shared().report("role/s", "aab 2026-10-01: Get, Tag=2026-10-01"), Some(AFTER), "lost-action");
    check(shared().report("role/s", "aab 2026-10-01: Get=2026-10-01, Tag"), Some(AFTER), "proved");
    check(both().tag("role/s", "aws:cloudformation:stack-name", "x"), Some(AFTER), "proved");
    check(both().change("role/s", |role| role.path = "/aws-reserved/x/".to_owned()), Some(AFTER), "lost-action");
}

#[test]
fn a_document_changes_for_all_its_holders() {
    check_through(shared(), 1, &[AFTER], "missing-holder");
    // An attachment goes for those that it reaches.
    check_through(shared(), 1, &[], "proved");
    check_through(shared(), 2, &[], "lost-action");
    check_through(shared(), 0, &[], "no-holder");
    // An inline policy is not attached.
    check_through(sketch().inline("role/r", "p", BEFORE), 0, &[], "missing-holder");
}

#[test]
fn nobody_holds_it() {
    check(sketch().managed("policy/p", BEFORE), Some(AFTER), "no-holder");
    check(sketch().managed("policy/p", BEFORE), None, "no-holder");
    check(sketch().group("group/g").inline("group/g", "p", BEFORE), None, "no-holder");
}

#[test]
fn a_policy_that_is_set_aside_loses_nothing() {
    check(
        shared().report("role/s", "aab -").change("role/r", |role| {
            role.boundary = secateur_analyzer::account::sketch::arn("policy/p");
        }),
        Some(AFTER),
        "lost-action",
    );
    let irregular = BEFORE.replace("\"Resource\"", "\"Comment\":\"\",\"Resource\"");
    let case = inline(&irregular);
    assert_eq!(case.prove(&irregular, Some(&irregular.replace(",\"aab:Tag\"", ""))), "lost-action");
}

const DENY: &str = r#"{"Statement":[{"Effect":"Deny","Action":"bb:*","Resource":"*"},{"Effect":"Allow","Action":["aab:Get","aab:Tag"],"Resource":"*"}]}"#;

#[test]
fn what_aws_owns_can_be_replaced_for_some() {
    let shared = |text| {
        sketch()
            .principal("role/s")
            .managed("policy/aws:p", text)
            .attach("role/r", "policy/aws:p")
            .attach("role/s", "policy/aws:p")
    };
    check_through(shared(BEFORE), 1, &[AFTER], "proved");
    check_through(shared(BEFORE), 2, &[AFTER], "lost-action");
    check_through(shared(BEFORE), 1, &[], "proved");
    check_through(shared(DENY), 1, &[], "dropped-deny");
    check_through(shared(DENY), 1, &[&DENY.replace(",\"aab:Tag\"", "")], "dropped-deny");
}

#[test]
fn documents_that_take_the_place_of_one_allow_together_what_may_not_go() {
    let before = r#"{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"aa:*","Resource":"*"},{"Effect":"Allow","Action":["bb:GetBb","bb:Put"],"Resource":"x"}]}"#;
    let part = |statements: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let a = |actions: &str| format!(r#"{{"Sid":"A","Effect":"Allow","Action":[{actions}],"Resource":"*"}}"#);
    let b = r#"{"Effect":"Allow","Action":["bb:GetBb","bb:Put"],"Resource":"x"}"#;
    let check = |parts: &[String], expect: &str| {
        let case = inline(before);
        let analysis = case.analyze();
        let after: Vec<&str> = parts.iter().map(String::as_str).collect();
        let claim = Claim { policy: only_policy(&analysis), through: None, before, after: &after };
        assert_eq!(name(prove(&claim, &analysis)), expect, "{parts:?}");
    };
    let (first, second) = (r#""aa:Get","aa:DeleteItem""#, r#""aa:ListItems""#);
    check(&[part(&a(first)), part(&format!("{},{b}", a(second)))], "proved");
    check(&[part(&a(first)), part(&a(second))], "lost-action");
    check(&[part(&a(first)), part(b)], "lost-action");
    check(&[part(&a(first)), part(b), part(&a(r#""bb:List""#))], "widened-action");
    check(&[part(&a(first)), part(b), part(&a(second)).replace("2012-10-17", "2008-10-17")], "changed-version");
}
