//! What becomes of patterns.

use super::*;

fn action(how: How<'_>, before: &str, after: &str) {
    let wrap = |list: &str| if list.is_empty() { String::new() } else { allow(&format!("\"Action\":{list}")) };
    how.check(&wrap(before), &wrap(after));
}

fn not_action(how: How<'_>, before: &str, after: &str) {
    let wrap = |list: &str| if list.is_empty() { String::new() } else { allow(&format!("\"NotAction\":{list}")) };
    how.check(&wrap(before), &wrap(after));
}

#[test]
fn a_pattern_stays_goes_or_is_split() {
    let check = |removable: &str, before: &str, after: &str| action(How::removing(removable), before, after);
    check("sqs:*", r#""pricing:*""#, r#""pricing:*""#);
    check("sqs:PurgeQueue", r#""sqs:Purge*""#, "");
    check("sqs:PurgeQueue sqs:SendMessage", r#"["sqs:Purge*","sqs:S?ndMessage","sqs:List*"]"#, r#"["sqs:List*"]"#);
    check(
        "mobileanalytics:PutEvents",
        r#""mobileanalytics:*""#,
        r#"["mobileanalytics:GetFinancialReports","mobileanalytics:GetReports"]"#,
    );
    check(
        "mobileanalytics:PutEvents",
        r#""MobileAnalytics:*""#,
        r#"["mobileanalytics:GetFinancialReports","mobileanalytics:GetReports"]"#,
    );
    check("mobileanalytics:GetReports", r#""mobileanalytics:*Reports""#, r#""mobileanalytics:GetFinancialReports""#);
}

#[test]
fn names_are_not_listed_twice() {
    let check = |before: &str, after: &str| action(How::removing("mobileanalytics:PutEvents"), before, after);
    check(
        r#"["mobileanalytics:*","MOBILEANALYTICS:getreports"]"#,
        r#"["mobileanalytics:GetFinancialReports","MOBILEANALYTICS:getreports"]"#,
    );
    check(r#"["mobileanalytics:Get*","mobileanalytics:*"]"#, r#"["mobileanalytics:Get*"]"#);
    check(
        r#"["mobileanalytics:*","mobileanalytics:**"]"#,
        r#"["mobileanalytics:GetFinancialReports","mobileanalytics:GetReports"]"#,
    );
    // What the author lists twice is the author's.
    check(r#"["sqs:SendMessage","sqs:SendMessage"]"#, r#"["sqs:SendMessage","sqs:SendMessage"]"#);
}

#[test]
fn unknown_names_stay() {
    let check = |unknown: &str, before: &str, after: &str| {
        action(How { unknown, ..How::removing("mobileanalytics:* pricing:*") }, before, after);
    };
    check("mobileanalytics:New", r#""mobileanalytics:*""#, r#""mobileanalytics:New""#);
    check("MobileAnalytics:New", r#""mobileanalytics:*""#, r#""MobileAnalytics:New""#);
    check("mobileanalytics:New", r#""mobileanalytics:Get*""#, "");
    check("mobileanalytics:New", r#"["mobileanalytics:*","mobileanalytics:N*"]"#, r#"["mobileanalytics:N*"]"#);
    check("mobileanalytics:New", r#"["mobileanalytics:*","mobileanalytics:NEW"]"#, r#"["mobileanalytics:NEW"]"#);
    // An unknown name that the author lists stays although nobody told of it.
    check("", r#"["mobileanalytics:PutEvents","mobileanalytics:New"]"#, r#"["mobileanalytics:New"]"#);
    check("", r#"["nosuch:*","pricing:*"]"#, r#"["nosuch:*"]"#);
}

#[test]
fn of_an_unknown_service_the_part_that_the_pattern_matches_stays() {
    let check = |unknown: &str, before: &str, after: &str| {
        action(How { unknown, ..How::removing("* !pricing:GetProducts") }, before, after);
    };
    check("newsvc:*", r#""*""#, r#"["newsvc:*","pricing:GetProducts"]"#);
    check("newsvc:* newsvc:Do", r#""*""#, r#"["newsvc:*","pricing:GetProducts"]"#);
    check("NewSvc:* newsvc:Do", r#""*""#, r#"["NewSvc:*","pricing:GetProducts"]"#);
    check("newsvc:Do", r#""*""#, r#"["newsvc:Do","pricing:GetProducts"]"#);
    check("newsvc:*", r#""*:*""#, r#"["newsvc:*","pricing:GetProducts"]"#);
    check("newsvc:* newsvc:Do newsvc:GetX", r#""*:Get*""#, r#"["newsvc:Get*","pricing:GetProducts"]"#);
    check("newsvc:*", r#"["*","newsvc:*"]"#, r#"["pricing:GetProducts","newsvc:*"]"#);
    // `newsvc:?` matches the text `newsvc:*`, and does not include the pattern.
    check("newsvc:*", r#"["*","newsvc:?"]"#, r#"["newsvc:*","pricing:GetProducts","newsvc:?"]"#);
    check("newsvc:*", r#"["*","newsvc:Get*"]"#, r#"["newsvc:*","pricing:GetProducts","newsvc:Get*"]"#);
}

#[test]
fn patterns_that_aws_refuses() {
    let check =
        |before: &str, after: &str| action(How::removing("* !pricing:GetProducts !sqs:GetQueueUrl"), before, after);
    check(r#"["sqs","sqs:PurgeQueue"]"#, r#"["sqs"]"#);
    check(r#""""#, r#""""#);
    check(r#""s*""#, r#""s*""#);
    check(r#""**""#, r#""**""#);
    check(r#""sq*:Get*""#, r#""sqs:GetQueueUrl""#);
    check(r#""*:*""#, r#"["pricing:GetProducts","sqs:GetQueueUrl"]"#);
    check(r#""sqs:Get:*""#, r#""sqs:Get:*""#);
    check("[]", "[]");
}

#[test]
fn without_splitting_a_pattern_stays_whole() {
    let how = How { splitting: Splitting::Never, ..How::removing("mobileanalytics:* !mobileanalytics:GetReports") };
    action(how, r#""mobileanalytics:*""#, r#""mobileanalytics:*""#);
    action(how, r#"["mobileanalytics:Put*","mobileanalytics:Get*"]"#, r#"["mobileanalytics:Get*"]"#);
    let rewritten = how.rewrite(&allow(r#""Action":["mobileanalytics:Put*","mobileanalytics:Get*","*"]"#));
    assert_eq!((rewritten.split, rewritten.unsplit), (vec![], vec!["mobileanalytics:Get*".to_owned(), "*".to_owned()]));
    let split = How { splitting: Splitting::Names, ..how }
        .rewrite(&allow(r#""Action":["mobileanalytics:Put*","mobileanalytics:get*"]"#));
    assert_eq!((split.split, split.unsplit), (vec!["mobileanalytics:get*".to_owned()], vec![]));
}

#[test]
fn not_action_is_extended() {
    let catalog = documents::small_catalog();
    let check = |removable: &str, unknown: &str, before: &str, after: &str| {
        not_action(How { catalog: &catalog, unknown, ..How::removing(removable) }, before, after);
    };
    check("aa:PutItem", "", r#""bb:*""#, r#"["bb:*","aa:PutItem"]"#);
    check("aa:PutItem", "", r#"["bb:*"]"#, r#"["bb:*","aa:PutItem"]"#);
    check("aa:PutItem aa:Get", "", r#"["bb:*", "aab:Get"]"#, r#"["bb:*", "aab:Get", "aa:Get", "aa:PutItem"]"#);
    check("aa:*", "", r#""bb:*""#, r#"["bb:*","aa:*"]"#);
    check("aa:* bb:Put", "", r#""bb:Get*""#, r#"["bb:Get*","aa:*","bb:Put"]"#);
    // What the author exempts already needs no addition.
    check("bb:*", "", r#""BB:*""#, r#""BB:*""#);
    check("aa:*", "", r#"["aa:Get*","bb:*"]"#, r#"["aa:Get*","bb:*","aa:*"]"#);
    // A whole service is not exempt while it may have a name that nobody knows.
    check(
        "bb:*",
        "bb:Any",
        r#""aa:*""#,
        r#"["aa:*","bb:Decrypt","bb:GetB","bb:GetBb","bb:List","bb:Put","bb:PutAll"]"#,
    );
    check("bb:*", "bb:Any", r#"["aa:*","bb:Any"]"#, r#"["aa:*","bb:Any","bb:*"]"#);
    // Nothing that is known stays: then the statement goes, but for unknown names.
    check("*", "", r#""bb:*""#, "");
    check("*", "zz:*", r#""bb:*""#, r#"["bb:*","aa:*","aab:*"]"#);
    check("*", "zz:*", r#"["bb:*","zz:*"]"#, "");
    check("*", "bb:Any", r#"["bb:*"]"#, "");
    // An empty list exempts nothing.
    check("aa:*", "", "[]", r#"["aa:*"]"#);
}

#[test]
fn not_action_is_extended_in_its_authors_layout() {
    let catalog = documents::small_catalog();
    let how = How { catalog: &catalog, ..How::removing("aa:Get* bb:*") };
    how.check(
        "{\n  \"Statement\": {\n    \"Effect\": \"Allow\",\n    \"NotAction\": \"aab:*\",\n    \"Resource\": \"*\"\n  }\n}",
        "{\n  \"Statement\": {\n    \"Effect\": \"Allow\",\n    \"NotAction\": [\n      \"aab:*\",\n      \"aa:Get\",\n      \"aa:GetItem\",\n      \"aa:GetItemAcl\",\n      \"bb:*\"\n    ],\n    \"Resource\": \"*\"\n  }\n}",
    );
    how.check(
        "{\"Statement\":{\"Effect\":\"Allow\",\"Resource\":\"*\",\"NotAction\":[\n  \"aab:*\",\n  \"aa:Get*\"\n]}}",
        "{\"Statement\":{\"Effect\":\"Allow\",\"Resource\":\"*\",\"NotAction\":[\n  \"aab:*\",\n  \"aa:Get*\",\n  \"bb:*\"\n]}}",
    );
}

#[test]
fn not_action_may_be_advised_only() {
    let how = How { not_action: NotActionRewrite::Advise, ..How::removing("sqs:*") };
    let text = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Allow","NotAction":"iam:*","Resource":"*"},{"Effect":"Allow","NotAction":"sqs:*","Resource":"*"}]}"#;
    how.check(text, text);
    assert_eq!(how.rewrite(text).advised, [1]);
}
