//! Faults, planted one by one into an honest rewrite.

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::rules::KeepRule;

use super::*;

const BEFORE: &str = r#"{
  "Version": "2008-10-17",
  "Id": "fleet",
  "Statement": [
    {"Sid": "A", "Effect": "Allow", "Action": ["aa:*", "aab:*"], "Resource": ["x", "y"], "Condition": {"Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"s3:max-keys": 10}}},
    {"Sid": "D", "Effect": "Deny", "Action": ["aa:Put*", "bb:Put*"], "Resource": "*"},
    {"Sid": "E", "Effect": "Deny", "NotAction": ["aa:*", "bb:*"], "NotResource": "z"},
    {"Sid": "N", "Effect": "Allow", "NotAction": ["aa:*", "aab:*"], "Resource": "*"},
    {"Sid": "SecateurKeepMe", "Effect": "Allow", "Action": ["aab:Get*"], "Resource": "*"},
    {"Sid": "U", "Effect": "Allow", "Action": ["aa:Li*", "bb:Any", "aa:PutItem"], "Resource": "*"}
  ]
}"#;

const AFTER: &str = r#"{
  "Version": "2008-10-17",
  "Id": "fleet",
  "Statement": [
    {"Sid": "A", "Effect": "Allow", "Action": ["aa:DeleteItem", "aa:Get", "aa:ListItems"], "Resource": ["x", "y"], "Condition": {"Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"s3:max-keys": 10}}},
    {"Sid": "D", "Effect": "Deny", "Action": ["aa:Put*", "bb:Put*"], "Resource": "*"},
    {"Sid": "E", "Effect": "Deny", "NotAction": ["aa:*", "bb:*"], "NotResource": "z"},
    {"Sid": "N", "Effect": "Allow", "NotAction": ["aa:*", "aab:*", "bb:Decrypt", "bb:GetB", "bb:List", "bb:PutAll"], "Resource": "*"},
    {"Sid": "SecateurKeepMe", "Effect": "Allow", "Action": ["aab:Get*"], "Resource": "*"},
    {"Sid": "U", "Effect": "Allow", "Action": ["aa:Li*", "bb:Any"], "Resource": "*"}
  ]
}"#;

/// The honest text, with each `from` made `to`.
fn planted(edits: &[(&str, &str)]) -> String {
    let mut text = AFTER.to_owned();
    for (from, to) in edits {
        assert_eq!(text.matches(from).count(), 1, "{from} does not stand once in {text}");
        text = text.replace(from, to);
    }
    text
}

fn check(from: &str, to: &str, expect: &str) {
    check_all(&[(from, to)], expect);
}

fn check_all(edits: &[(&str, &str)], expect: &str) {
    let after = planted(edits);
    assert_eq!(inline(BEFORE).prove(BEFORE, Some(&after)), expect, "{edits:?}");
}

#[test]
fn the_honest_rewrite_is_proved() {
    let case = inline(BEFORE);
    assert_eq!(case.rewrite(Splitting::Names).as_deref(), Some(AFTER));
    let analysis = case.analyze();
    let policy = only_policy(&analysis);
    let proof = prove(&Claim { policy, through: None, before: BEFORE, after: &[AFTER] }, &analysis).unwrap();
    assert_eq!(proof.holders(), analysis.policy(policy).unwrap().holders);
    let lost: Vec<String> = proof.lost().iter().map(|id| analysis.catalog().full_name(id)).collect();
    let expect = "aa:GetItem aa:GetItemAcl aa:PutItem aab:Get aab:getItem aab:GetTHING aab:ListItems aab:putThing aab:Tag \
        bb:Decrypt bb:GetB bb:List bb:PutAll";
    assert_eq!(lost.join(" "), expect);
    // Kept are 3 of A; GetBb, Put, Any and all of zz of N, with zz:Any; 3 of the statement that is kept; 2 of U.
    let facts = ProofFacts { statements: 6, patterns: 16, kept: 13, lost: 13, holders: 1, resources: 0 };
    assert_eq!(proof.facts(), facts);
}

#[test]
fn what_is_as_narrow_or_narrower_is_proved() {
    check("\"aa:Li*\"", "\"AA:li*\", \"aa:Li?tItems\"", "proved");
    check("\"aa:Li*\"", "\"aa:ListItems\"", "proved");
    check("[\"aa:Li*\", \"bb:Any\"]", "[\"bb:Any\", \"aa:List*\"]", "proved");
    check("\"Sid\": \"A\", \"Effect\": \"Allow\",", "\"Effect\": \"Allow\", \"S\\u0069d\": \"A\",", "proved");
    check("\"bb:PutAll\"]", "\"aab:*\", \"bb:PutAll\"]", "proved");
}

#[test]
fn widened_actions() {
    check("\"aa:Li*\"", "\"aa:*\"", "widened-action");
    check("\"aa:Li*\"", "\"aa:L*\"", "widened-action");
    check("\"aa:Li*\"", "\"*\"", "widened-action");
    check("\"aa:Li*\"", "\"a?:Li*\"", "widened-action");
    check("\"aa:Li*\"", "\"aa:?istItems\"", "widened-action");
    check("\"aa:Li*\"", "\"aa:Li*\", \"aa:Get\"", "widened-action");
    check("\"aa:Li*\"", "\"aa:Li*\", \"aa:New\"", "widened-action");
    check("\"aa:Li*\"", "\"aa:Li*\", \"\"", "widened-action");
    check("\"aa:DeleteItem\"", "\"aa:DeleteItem\", \"bb:GetBb\"", "widened-action");
    check("\"bb:Any\"", "\"bb:A?y\"", "widened-action");
    check("\"bb:Any\"", "\"bb:Any*\"", "widened-action");
    check("\"bb:Any\"", "\"bb:Any \"", "widened-action");
}

#[test]
fn not_action() {
    check("\"NotAction\": [\"aa:*\", \"aab:*\",", "\"NotAction\": [\"aab:*\",", "widened-not-action");
    check("\"NotAction\": [\"aa:*\", \"aab:*\",", "\"NotAction\": [\"aa:Get*\", \"aab:*\",", "widened-not-action");
    check("\"NotAction\": [\"aa:*\", \"aab:*\",", "\"NotAction\": [\"aa?:*\", \"aa:G*\",", "widened-not-action");
    // Narrower, and AWS does not take it.
    check("\"NotAction\": [\"aa:*\", \"aab:*\",", "\"NotAction\": [\"aa*\",", "unwritable-action");
    check("\"NotAction\": [\"aa:*\", \"aab:*\",", "\"NotAction\": [\"aa*:*\",", "unwritable-action");
    check("\"bb:PutAll\"]", "\"bb:*\"]", "lost-action");
    check("\"bb:PutAll\"]", "\"zz:*\", \"bb:PutAll\"]", "lost-action");
    check("\"bb:PutAll\"]", "\"zz:Any\", \"bb:PutAll\"]", "lost-action");
    check("\"bb:PutAll\"]", "\"bb:Any\", \"bb:PutAll\"]", "lost-action");
    let list = "\"NotAction\": [\"aa:*\", \"aab:*\", \"bb:Decrypt\", \"bb:GetB\", \"bb:List\", \"bb:PutAll\"]";
    check(list, "\"Action\": [\"bb:GetBb\", \"aa:Get\"]", "overlapping-action");
    check(list, "\"Action\": [\"bb:GetBb\", \"aa*:x\"]", "overlapping-action");
    check(list, "\"Action\": \"*\"", "overlapping-action");
    // Disjoint, so narrower; but an Action list of names loses what nobody knows yet of `zz`.
    check(list, "\"Action\": [\"bb:GetBb\", \"bb:Put\", \"bb:Any\"]", "lost-action");
    check(list, "\"Action\": [\"bb:GetBb\", \"bb:Put\", \"bb:Any\", \"zz:*\"]", "proved");
    check("\"Action\": [\"aa:Li*\", \"bb:Any\"]", "\"NotAction\": [\"aab:*\"]", "action-became-not-action");
}

#[test]
fn lost_actions() {
    // Used, untracked, unknown to the catalogue.
    check("\"aa:Get\", ", "", "lost-action");
    check("\"aa:DeleteItem\", ", "", "lost-action");
    check("\"aa:Li*\"", "\"aa:Li?\"", "lost-action");
    check(", \"bb:Any\"]", "]", "lost-action");
    check(
        ",\n    {\"Sid\": \"U\", \"Effect\": \"Allow\", \"Action\": [\"aa:Li*\", \"bb:Any\"], \"Resource\": \"*\"}",
        "",
        "lost-action",
    );
    assert_eq!(inline(BEFORE).prove(BEFORE, Some(BEFORE)), "proved");
}

#[test]
fn what_a_rule_keeps_must_stay() {
    let mut case = inline(BEFORE);
    case.rules.keep.push(KeepRule {
        actions: vec![ActionPattern::new("aab:Tag")],
        principals: Vec::new(),
        policies: Vec::new(),
        reason: "yearly".to_owned(),
        expires: None,
    });
    assert_eq!(case.prove(BEFORE, Some(AFTER)), "lost-action");
    let kept = planted(&[("\"aa:ListItems\"]", "\"aa:ListItems\", \"aab:Tag\"]")]);
    assert_eq!(case.prove(BEFORE, Some(&kept)), "proved");
}

#[test]
fn unknown_services_of_a_star_must_stay() {
    let text = |actions: &str| format!(r#"{{"Statement":{{"Effect":"Allow","Action":{actions},"Resource":"*"}}}}"#);
    let check = |before: &str, after: &str, expect: &str| {
        let (before, after) = (text(before), text(after));
        assert_eq!(inline(&before).prove(&before, Some(&after)), expect, "{after}");
    };
    let known = r#""aa:DeleteItem","aa:Get","aa:ListItems","bb:GetBb","bb:Put","bb:Any""#;
    check(r#""*""#, &format!(r#"[{known},"zz:*"]"#), "proved");
    check(r#""*""#, &format!(r#"[{known},"zz:Any"]"#), "lost-action");
    check(r#""*""#, &format!(r#"[{known},"zz:?*"]"#), "lost-action");
    check(r#""*""#, &format!("[{known}]"), "lost-action");
    check(r#"["*:Get*"]"#, r#"["aa:Get","bb:GetBb","zz:Get*"]"#, "proved");
    check(r#"["*:Get*"]"#, r#"["aa:Get","bb:GetBb","zz:GetX"]"#, "lost-action");
    // AWS refuses such patterns; as they are, they lose nothing.
    check(r#"["*a:Get"]"#, r#"["*a:Get"]"#, "proved");
    check(r#"["**"]"#, r#"["**"]"#, "proved");
    check(r#"["*Get*"]"#, r#"["*:Get*"]"#, "lost-action");
}

#[test]
fn other_elements() {
    let condition =
        ", \"Condition\": {\"Bool\": {\"aws:SecureTransport\": true}, \"NumericLessThan\": {\"s3:max-keys\": 10}}";
    check(condition, "", "changed-condition");
    check("{\"Bool\": {\"aws:SecureTransport\": true}, ", "{", "changed-condition");
    check("Transport\": true", "Transport\": false", "changed-condition");
    check("Transport\": true", "Transport\": \"true\"", "changed-condition");
    check("\"s3:max-keys\": 10}", "\"s3:max-keys\": 11}", "changed-condition");
    check("\"Resource\": [\"x\", \"y\"]", "\"Resource\": [\"x\", \"*\"]", "changed-resource");
    check("\"Resource\": [\"x\", \"y\"]", "\"Resource\": [\"x\"]", "changed-resource");
    check("\"Resource\": [\"x\", \"y\"]", "\"NotResource\": [\"x\", \"y\"]", "changed-resource");
    check("\"Sid\": \"A\", ", "", "changed-sid");
    check("\"Sid\": \"A\"", "\"Sid\": \"a\"", "changed-sid");
    check("\"Sid\": \"A\"", "\"Sid\": \"A\", \"Principal\": \"*\"", "changed-principal");
    check("\"Sid\": \"A\"", "\"Sid\": \"A\", \"Comment\": \"\"", "changed-comment");
    check("\"Version\": \"2008-10-17\"", "\"Version\": \"2012-10-17\"", "changed-version");
    check("\"Version\": \"2008-10-17\",", "", "changed-version");
    check("\"Id\": \"fleet\"", "\"Id\": \"fleets\"", "changed-id");
    check("\"Id\": \"fleet\"", "\"Id\": \"fleet\", \"Comment\": 1", "changed-comment");
    let before = r#"{"Statement":{"Effect":"Allow","Action":["aa:Get","aa:PutItem"],"Resource":"${*}"}}"#;
    let raised = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["aa:Get"],"Resource":"${*}"}}"#;
    assert_eq!(inline(before).prove(before, Some(raised)), "changed-version");
}

#[test]
fn denies() {
    let d =
        "\n    {\"Sid\": \"D\", \"Effect\": \"Deny\", \"Action\": [\"aa:Put*\", \"bb:Put*\"], \"Resource\": \"*\"},";
    let e =
        "\n    {\"Sid\": \"E\", \"Effect\": \"Deny\", \"NotAction\": [\"aa:*\", \"bb:*\"], \"NotResource\": \"z\"},";
    check(d, "", "changed-deny");
    check(d, &format!("{d}{d}"), "changed-deny");
    check(&format!("{d}{e}"), &format!("{e}{d}"), "changed-deny");
    check("[\"aa:Put*\", \"bb:Put*\"]", "[\"aa:Put*\"]", "changed-deny");
    check("[\"aa:Put*\", \"bb:Put*\"]", "[\"bb:Put*\", \"aa:Put*\"]", "changed-deny");
    check("[\"aa:Put*\", \"bb:Put*\"]", "[\"aa:*\", \"bb:Put*\"]", "changed-deny");
    check("[\"aa:*\", \"bb:*\"]", "[\"aa:*\", \"bb:*\", \"cc:*\"]", "changed-deny");
    check("\"NotResource\": \"z\"", "\"Resource\": \"z\"", "changed-deny");
    check("\"Sid\": \"D\", \"Effect\": \"Deny\"", "\"Sid\": \"D\", \"Effect\": \"Allow\"", "changed-deny");
    check("\"Sid\": \"A\", \"Effect\": \"Allow\"", "\"Sid\": \"A\", \"Effect\": \"Deny\"", "changed-deny");
    assert_eq!(inline(BEFORE).prove(BEFORE, None), "dropped-deny");
}

#[test]
fn statements() {
    let a = "\n    {\"Sid\": \"A\", \"Effect\": \"Allow\", \"Action\": [\"aa:DeleteItem\", \"aa:Get\", \"aa:ListItems\"], \"Resource\": [\"x\", \"y\"], \"Condition\": {\"Bool\": {\"aws:SecureTransport\": true}, \"NumericLessThan\": {\"s3:max-keys\": 10}}},";
    let d =
        "\n    {\"Sid\": \"D\", \"Effect\": \"Deny\", \"Action\": [\"aa:Put*\", \"bb:Put*\"], \"Resource\": \"*\"},";
    let u = "\n    {\"Sid\": \"U\", \"Effect\": \"Allow\", \"Action\": [\"aa:Li*\", \"bb:Any\"], \"Resource\": \"*\"}";
    check(u, &format!("{u},{u}"), "added-statement");
    check(u, &format!("{u},{{\"Effect\": \"Allow\", \"Action\": \"aa:Get\", \"Resource\": \"*\"}}"), "added-statement");
    check(a, &format!("{a}{a}"), "changed-sid");
    check(&format!("{a}{d}"), &format!("{d}{a}"), "changed-sid");
    check_all(&[(a, ""), (u, &format!("{u},{}", a.trim_end_matches(',')))], "added-statement");
    check("\"Action\": [\"aa:Li*\", \"bb:Any\"]", "\"Action\": []", "empty-action");
    check("\"Action\": [\"aa:Put*\", \"bb:Put*\"]", "\"Action\": []", "changed-deny");
}

#[test]
fn statements_that_their_sid_keeps() {
    let kept = "\"Sid\": \"SecateurKeepMe\", \"Effect\": \"Allow\", \"Action\": [\"aab:Get*\"]";
    check(kept, &kept.replace("[\"aab:Get*\"]", "[\"aab:Get\"]"), "changed-kept");
    check(kept, &kept.replace("\"aab:Get*\"", "\"aab:Get\", \"aab:getItem\", \"aab:GetTHING\""), "changed-kept");
    let whole = format!("\n    {{{kept}, \"Resource\": \"*\"}},");
    check(&whole, "", "changed-kept");
    let alone = format!("{{\"Statement\":{{{kept}, \"Resource\": \"*\"}}}}");
    assert_eq!(inline(&alone).prove(&alone, None), "changed-kept");
}

#[test]
fn texts_that_are_no_policy() {
    check("\"Id\": \"fleet\"", "\"Id\": \"fleet\", \"Id\": \"fleet\"", "unreadable-after");
    check("\"Sid\": \"A\"", "\"Sid\": \"A\", \"S\\u0069d\": \"A\"", "unreadable-after");
    check(
        "\"Sid\": \"U\", \"Effect\": \"Allow\"",
        "\"Sid\": \"U\", \"Action\": \"aa:Get\", \"Effect\": \"Allow\"",
        "unreadable-after",
    );
    check(
        "\"Sid\": \"U\", \"Effect\": \"Allow\"",
        "\"Sid\": \"U\", \"NotAction\": \"aa:Get\", \"Effect\": \"Allow\"",
        "unreadable-after",
    );
    check("\"Transport\": true".trim_start_matches('"'), "Transport\": true, \"aws:x\": 1.5", "unreadable-after");
    check("\"s3:max-keys\": 10}", "\"s3:max-keys\": 10.0}", "unreadable-after");
    check("\"s3:max-keys\": 10}", "\"s3:max-keys\": 1e1}", "unreadable-after");
    check("\"bb:Any\"],", "1],", "unreadable-after");
    check("\"Sid\": \"U\", \"Effect\": \"Allow\"", "\"Sid\": \"U\"", "unreadable-after");
    check("\"Sid\": \"U\", \"Effect\": \"Allow\"", "\"Sid\": \"U\", \"Effect\": \"allow\"", "unreadable-after");
    let check =
        |after: &str| assert_eq!(inline(BEFORE).prove(BEFORE, Some(after)), "unreadable-after", "{:.40}", after);
    check("");
    check("null");
    check("[]");
    check("{}");
    check("{\"Statement\":[null]}");
    check(AFTER.strip_suffix('}').unwrap());
    check(&format!("{AFTER} x"));
    check(&format!("{AFTER}{AFTER}"));
    check(&"[".repeat(10_000));
    let deep = format!("{}0{}", "[".repeat(10_000), "]".repeat(10_000));
    check(&AFTER.replacen("10}", &format!("{deep}}}"), 1));
    let fraction = BEFORE.replacen("10}", "1.5}", 1);
    assert_eq!(inline(&fraction).prove(&fraction, Some(&fraction)), "unreadable-before");
}

#[test]
fn the_text_before_must_be_the_snapshots() {
    let other = BEFORE.replacen("fleet", "float", 1);
    assert_eq!(inline(BEFORE).prove(&other, Some(&other)), "changed-before");
    let same_but_for_space = format!("{BEFORE} ");
    assert_eq!(inline(BEFORE).prove(&same_but_for_space, Some(AFTER)), "changed-before");
}
