//! What may go and stays, because nothing narrower fits.

use std::collections::BTreeMap;

use secateur_analyzer::catalog::Catalog;

use super::super::Readmitted;
use super::*;
use crate::rewrite::NotActionRewrite;
use crate::rewrite::cover::Wildcards;

/// A user of one action of S3, with an inline policy for which there is little room.
fn case(statements: &[String], not_action: NotActionRewrite) -> Case {
    let catalog = Catalog::embedded();
    let all = catalog.service("s3").into_iter().flat_map(|service| catalog.actions_of(service));
    let names: Vec<String> = all
        .map(|id| catalog.full_name(id).replacen("s3:", "", 1))
        .map(|name| if name == "GetBucketAcl" { format!("{name}=2026-10-09") } else { name })
        .collect();
    let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
    let text = document(&statements);
    let quota = i64::try_from(text.len() + 320).unwrap();
    let mut sketch = Sketch::new()
        .principal("user/u")
        .inline("user/u", "p", &text)
        .report("user/u", &format!("s3 2026-10-09: {}\niam -", names.join(", ")));
    sketch.account.summary = Some(BTreeMap::from([("UserPolicySizeQuota".to_owned(), quota)]));
    let rewrite = RewriteSettings { not_action, wildcards: Wildcards::Never, ..RewriteSettings::default() };
    Case { rewrite, ..Case::new(sketch) }
}

/// Each pattern that re-admits something, and how many actions.
fn entries(plan: &Plan) -> Vec<(&str, usize)> {
    let readmitted = plan.changes.iter().flat_map(|change| &change.readmitted);
    readmitted.map(|Readmitted { by, count, .. }| (by.as_str(), *count)).collect()
}

#[test]
fn a_not_action_that_is_left_for_want_of_room_is_named() {
    let all_but_iam = allow(r#""NotAction":["iam:*"]"#);
    let statements = [all_but_iam, allow(r#""Action":["iam:CreateUser","s3:GetBucketAcl"],"Sid":"A""#)];
    for not_action in [NotActionRewrite::Extend, NotActionRewrite::Invert, NotActionRewrite::Advise] {
        let plan = case(&statements, not_action).plan();
        assert_eq!(change(&plan, "user/u/inline/p").proof.lost, 1, "{not_action:?}");
        let said = entries(&plan);
        if not_action == NotActionRewrite::Advise {
            assert_eq!(said, [], "what is advised is no matter of room");
            continue;
        }
        let [("NotAction", count)] = said.as_slice() else { panic!("{not_action:?}: {said:?}") };
        assert!(*count > 50, "{count}");
        assert_eq!(plan.summary.readmitted, *count);
        assert!(plan.withheld.iter().any(|withheld| withheld.reason == "does-not-fit"));
    }
}

#[test]
fn each_action_is_named_once_by_the_first_pattern_that_allows_it() {
    let statements = [
        allow(r#""Action":["s3:Get*","s3:DeleteBucket"]"#),
        allow(r#""Sid":"B","Action":["s3:*Bucket*","s3:PutObject"]"#),
    ];
    let mut case = case(&statements, NotActionRewrite::Extend);
    case.sketch.account.summary = Some(BTreeMap::from([("UserPolicySizeQuota".to_owned(), 300)]));
    let plan = case.plan();
    let own = change(&plan, "user/u/inline/p");
    let [("s3:Get*", _), ("s3:*Bucket*", _)] = entries(&plan).as_slice() else { panic!("{:?}", entries(&plan)) };
    let mut names: Vec<&String> = own.readmitted.iter().flat_map(|entry| &entry.actions).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), plan.summary.readmitted), (all, all));
    assert!(own.readmitted[0].actions.iter().any(|name| name == "s3:GetBucketLocation"));
}

#[test]
fn a_single_value_has_the_room_of_a_list_of_one() {
    let planned = |actions: &str, room: usize| {
        let statement = allow(&format!("\"Action\":{actions}"));
        let mut case = case(std::slice::from_ref(&statement), NotActionRewrite::Extend);
        let quota = i64::try_from(document(&[&allow("\"Action\":[]")]).len() + room).unwrap();
        case.sketch.account.summary = Some(BTreeMap::from([("UserPolicySizeQuota".to_owned(), quota)]));
        case.rewrite.wildcards = Wildcards::Fit;
        case.plan().changes.iter().find_map(|change| change.after.clone())
    };
    let mut found = Vec::new();
    for room in (100..700).step_by(17) {
        let list = planned("[\"s3:*\"]", room);
        assert_eq!(planned("\"s3:*\"", room), list, "{room}");
        found.push(list.unwrap());
    }
    // More room makes another text.
    found.dedup();
    assert!(found.len() > 1, "{found:?}");
}
