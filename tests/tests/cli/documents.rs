//! Policy documents that nobody would write, and some do.

use serde_json::{Value, json};

use super::scene::{DETAILS, PLAN, Scene, addresses, change, withheld};

const DEPLOY: &str = "role/ci/inline/deploy";

/// Returns the small account with another document as role/ci's inline policy `deploy`.
fn scene_with(document: Value) -> Scene {
    let scene = Scene::unsealed();
    scene.edit(DETAILS, |details| details["RoleDetailList"][0]["RolePolicyList"][0]["PolicyDocument"] = document);
    scene
}

/// Expects that the document is left alone for that reason, and that everything else is planned and proved.
#[track_caller]
fn check_left_alone(document: Value, why: &str) {
    let scene = scene_with(document);
    let plan = scene.plan(&[]);
    assert!(!addresses(&plan).contains(&DEPLOY));
    assert!(addresses(&plan).contains(&"policy/shared"));
    let [(reason, detail)] = withheld(&plan, DEPLOY)[..] else { panic!("{:?}", withheld(&plan, DEPLOY)) };
    assert_eq!(reason, "left-alone");
    assert!(detail.contains(why), "`{why}` is not in `{detail}`");
}

fn statement(members: &str) -> String {
    format!("{{\n\"Version\": \"2012-10-17\",\n\"Statement\": [{{{members}}}]}}")
}

#[test]
fn duplicate_keys_are_left_alone_and_named_with_their_place() {
    let check = |members: &str, why: &str| check_left_alone(json!(statement(members)), why);
    let allow = "\"Effect\": \"Allow\", \"Resource\": \"*\"";
    check(
        &format!("{allow},\n\"Action\": \"athena:*\", \"Action\": \"sqs:*\""),
        "duplicate key `Action` at line 4, column 23",
    );
    check(
        &format!("{allow}, \"Action\": \"athena:*\",\n\"Effect\": \"Allow\""),
        "duplicate key `Effect` at line 4, column 1",
    );
    let condition = "\"Condition\": {\"Bool\": {\"a\": \"true\",\n \"a\": \"false\"}}";
    check(&format!("{allow}, \"Action\": \"athena:*\", {condition}"), "duplicate key `a` at line 4, column 2");
    check(&format!("{allow}, \"Action\": \"athena:*\", \"action\": \"sqs:*\""), "key `action`");
    let twice = "{\"Statement\": [],\n \"Statement\": []}";
    check_left_alone(json!(twice), "duplicate key `Statement` at line 2, column 2");
}

#[test]
fn duplicate_keys_in_a_document_that_the_aws_cli_has_decoded_are_left_alone() {
    let scene = scene_with(json!("@@"));
    let document = "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"athena:*\", \
                    \"Action\": \"sqs:*\", \"Resource\": \"*\"}]}";
    scene.write(DETAILS, scene.text(DETAILS).replace("\"@@\"", document));
    let plan = scene.plan(&[]);
    assert!(matches!(withheld(&plan, DEPLOY)[..], [("left-alone", why)] if why.contains("duplicate key `Action`")));
    scene.run(&["verify", PLAN]).ended_with(0);
}

#[test]
fn what_cannot_be_read_is_left_alone() {
    let check = |document: Value, why: &str| check_left_alone(document, why);
    check(json!(""), "cannot be read");
    check(json!("nonsense"), "line 1, column ");
    check(json!("%FF%FE"), "cannot be read");
    check(json!("{\"Version\": "), "line 1, column ");
    check(json!("{\"Statement\": 7}"), "line 1, column ");
    check(Value::Null, "cannot be read");
    check(json!(7), "cannot be read");
    check(json!([]), "cannot be read");
    check(json!(statement("\"Effect\": \"Permit\", \"Action\": \"athena:*\", \"Resource\": \"*\"")), "line 3, column ");
}

#[test]
fn deep_nesting_is_left_alone() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
    check_left_alone(json!(deep("[", "]")), "recursion limit");
    let condition = format!("\"Condition\": {}", deep("{\"a\":", "}"));
    let allow = "\"Effect\": \"Allow\", \"Action\": \"athena:*\", \"Resource\": \"*\"";
    check_left_alone(json!(statement(&format!("{allow}, {condition}"))), "recursion limit");
    // As an object, which no parser of ours may follow to its end either.
    let scene = scene_with(json!("@@"));
    scene.write(DETAILS, scene.text(DETAILS).replace("\"@@\"", &deep("{\"a\":", "}")));
    let plan = scene.plan(&[]);
    assert!(matches!(withheld(&plan, DEPLOY)[..], [("left-alone", why)] if why.contains("recursion limit")));
}

#[test]
fn three_megabytes_are_read() {
    let arns: Vec<String> = (0..30_000).map(|at| format!("\"arn:aws:s3:::{at:0>88}\"")).collect();
    let resources = arns.join(",");
    assert!(resources.len() > 3_000_000);
    let actions = "\"Effect\": \"Allow\", \"Action\": [\"athena:*\", \"sqs:SendMessage\"]";
    let scene = scene_with(json!(statement(&format!("{actions}, \"Resource\": [{resources}]"))));
    let plan = scene.plan(&["--target", DEPLOY]);
    let after = change(&plan, DEPLOY)["after"].as_str().unwrap();
    assert!(after.contains("\"Action\": [\"sqs:SendMessage\"]") && after.contains(&resources));
}

#[test]
fn ten_thousand_statements_are_read() {
    let of = |at: usize| match at % 100 {
        0 => format!("{{\"Effect\":\"Allow\",\"Action\":\"sqs:SendMessage\",\"Resource\":\"arn:aws:sqs:*:*:q{at}\"}}"),
        _ => format!("{{\"Effect\":\"Allow\",\"Action\":\"athena:*\",\"Resource\":\"arn:aws:athena:*:*:w{at}\"}}"),
    };
    let statements: Vec<String> = (0..10_000).map(of).collect();
    let document = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", statements.join(",\n"));
    let plan = scene_with(json!(document)).plan(&["--target", DEPLOY]);
    let after: Value = serde_json::from_str(change(&plan, DEPLOY)["after"].as_str().unwrap()).unwrap();
    assert_eq!(after["Statement"].as_array().unwrap().len(), 100);
}
