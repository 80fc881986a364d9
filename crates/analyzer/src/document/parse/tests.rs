use super::*;

fn check_refused(text: &str, expect: &str) {
    assert_eq!(PolicyDocument::parse(text).unwrap_err().to_string(), expect, "{text}");
}

#[test]
fn what_is_not_a_policy_is_refused_with_its_place() {
    check_refused("", "not JSON at line 1, column 0: EOF while parsing a value");
    check_refused("{\"Statement\": [,]}", "not JSON at line 1, column 16: expected value");
    check_refused("[]", "a policy document must be an object at line 1, column 1");
    check_refused("{}", "a policy document must have a `Statement` at line 1, column 1");
    check_refused("{\"Statement\": 1}", "`Statement` must be an object or a list of objects at line 1, column 15");
    check_refused("{\"Statement\":\n [\"x\"]}", "a statement must be an object at line 2, column 3");
    check_refused("{\"Statement\":{}}", "a statement must have an `Effect` at line 1, column 14");
    check_refused(
        r#"{"Statement":{"Effect":"allow","Action":"*"}}"#,
        "`Effect` must be `Allow` or `Deny` at line 1, column 24",
    );
    check_refused(
        r#"{"Statement":{"Effect":"Allow"}}"#,
        "a statement must have an `Action` or a `NotAction` at line 1, column 14",
    );
    check_refused(
        r#"{"Statement":{"Effect":"Allow","Action":"a:B","NotAction":"a:C"}}"#,
        "a statement must not have both `Action` and `NotAction` at line 1, column 14",
    );
    check_refused(
        r#"{"Statement":{"Effect":"Allow","Action":["a:B",1]}}"#,
        "`Action` must be a string or a list of strings at line 1, column 48",
    );
}

#[test]
fn what_json_does_not_have_is_refused() {
    for text in ["{'Statement':[]}", "{\"Statement\":[],}", "{\"Statement\":[]} // x", "\u{feff}{\"Statement\":[]}"] {
        assert!(matches!(PolicyDocument::parse(text), Err(DocumentError::NotJson { .. })), "{text}");
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = format!("{{\"Statement\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let error = PolicyDocument::parse(deep).unwrap_err();
    assert!(error.to_string().starts_with("not JSON at line 1, column 1"), "{error}");
}

#[test]
fn places_and_forms_are_kept() {
    let text = r#"{ "Statement" : { "Effect":"Allow", "Action": "S3:Get*", "Resource":"*" } }"#;
    let document = PolicyDocument::parse(text).unwrap();
    let [statement] = document.statements.as_slice() else { panic!("one statement") };
    let list = statement.actions.list();
    assert_eq!(document.text(), text);
    assert!(!list.is_list && !document.statements_are_a_list);
    assert_eq!(text.get(list.span.clone()), Some("\"S3:Get*\""));
    assert_eq!(text.get(list.entries[0].span.clone()), Some("\"S3:Get*\""));
    let object = r#"{ "Effect":"Allow", "Action": "S3:Get*", "Resource":"*" }"#;
    assert_eq!(text.get(statement.span.clone()), Some(object));
}

#[test]
fn duplicate_and_unknown_keys_are_found_wherever_they_are() {
    let check = |text: &str, expect: &[&str]| {
        let document = PolicyDocument::parse(text).unwrap();
        let got: Vec<String> = document.irregularities.iter().map(ToString::to_string).collect();
        assert_eq!(got, expect, "{text}");
    };
    check(
        r#"{"Statement":{"Effect":"Allow","Action":"a:B","Action":"a:C","Resource":"*"}}"#,
        &["duplicate key `Action` at line 1, column 47"],
    );
    check(
        r#"{"Statement":{"Effect":"Allow","Action":"a:B","Condition":{"Bool":{"k":true,"k":false}}}}"#,
        &["duplicate key `k` at line 1, column 77"],
    );
    check(
        r#"{"Comment":"x","Statement":{"Effect":"Allow","Action":"a:B","resource":"*"}}"#,
        &["unknown key `Comment` at line 1, column 2", "unknown key `resource` at line 1, column 61"],
    );
    // A key can be written with escapes.
    check(
        r#"{"Statement":{"Effect":"Deny","\u0045ffect":"Allow","Action":"a:B"}}"#,
        &["duplicate key `Effect` at line 1, column 31"],
    );
}

#[test]
fn merged_as_iam_merges_them() {
    let text = r#"{"Statement":{"Effect":"Deny","Effect":"Allow","Action":"a:B","Action":["a:C"]}}"#;
    let document = PolicyDocument::parse(text).unwrap();
    assert_eq!(document.statements[0].effect, Effect::Allow);
    let patterns: Vec<_> = document.statements[0].actions.list().entries.iter().map(|e| e.pattern.as_str()).collect();
    assert_eq!(patterns, ["a:B", "a:C"]);
}

#[test]
fn trust_policies_name_their_services() {
    let check = |principal: &str, services: &[&str], open: bool| {
        let text = format!(r#"{{"Statement":{{"Effect":"Allow",{principal},"Action":"sts:AssumeRole"}}}}"#);
        let document = PolicyDocument::parse(text).unwrap();
        let statement = &document.statements[0];
        assert_eq!(
            (statement.service_principals.as_slice(), statement.open_principal),
            (services.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice(), open)
        );
    };
    check(r#""Principal":{"Service":"lambda.amazonaws.com"}"#, &["lambda.amazonaws.com"], false);
    check(
        r#""Principal":{"Service":["a.amazonaws.com","b.amazonaws.com"],"AWS":"x"}"#,
        &["a.amazonaws.com", "b.amazonaws.com"],
        false,
    );
    check(r#""Principal":"*""#, &[], true);
    check(r#""Principal":{"AWS":"*"}"#, &[], true);
    check(r#""NotPrincipal":{"AWS":"x"}"#, &[], true);
}

proptest::proptest! {
    /// Whatever the white space and the escapes: the text stays, and every pattern is where it says it is.
    #[test]
    fn text_and_places_survive_reading(
        gaps in proptest::collection::vec("[ \\t\\r\\n]{0,3}", 24),
        actions in proptest::collection::vec("[a-z]{1,3}:[A-Za-z*?]{1,6}", 1..5),
        escape in proptest::bool::ANY,
        scalar in proptest::bool::ANY,
    ) {
        let literal = |action: &String| if escape {
            let first = action.chars().next().map_or(0, u32::from);
            format!("\"\\u{first:04x}{}\"", action.get(1..).unwrap_or_default())
        } else {
            format!("\"{action}\"")
        };
        let literals: Vec<String> = actions.iter().map(literal).collect();
        let list = match literals.as_slice() {
            [one] if scalar => one.clone(),
            many => format!("[{}]", many.join(",")),
        };
        let mut gap = gaps.iter().cycle();
        let mut text = String::new();
        for token in ["{", "\"Version\"", ":", "\"2012-10-17\"", ",", "\"Statement\"", ":", "[", "{", "\"Effect\"", ":",
            "\"Allow\"", ",", "\"Action\"", ":", &list, ",", "\"Resource\"", ":", "\"*\"", "}", "]", "}"] {
            text.push_str(gap.next().unwrap());
            text.push_str(token);
        }
        let document = PolicyDocument::parse(text.as_str()).unwrap();
        proptest::prop_assert_eq!(document.text(), text.as_str());
        let entries = &document.statements[0].actions.list().entries;
        let found: Vec<&str> = entries.iter().map(|entry| entry.pattern.as_str()).collect();
        proptest::prop_assert_eq!(found, actions.iter().map(String::as_str).collect::<Vec<_>>());
        for (entry, literal) in entries.iter().zip(&literals) {
            proptest::prop_assert_eq!(text.get(entry.span.clone()), Some(literal.as_str()));
        }
    }
}
