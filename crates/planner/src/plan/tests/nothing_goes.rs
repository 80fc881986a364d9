//! What takes nothing away is no change.

use std::collections::BTreeMap;

use super::*;
use crate::rewrite::NotActionRewrite;
use crate::rewrite::cover::Wildcards;

/// A user who starts instances, and uses S3.
fn user(used: &str) -> Sketch {
    Sketch::new().principal("user/u").report("user/u", used)
}

const USED: &str = "ec2 2026-10-09: RunInstances=2026-10-09, CreateVpc, DescribeVpcs, DescribeInstances, DeleteVpc\n\
                    s3 2026-10-09: GetBucketAcl=2026-10-09, DeleteBucket";

fn never(sketch: Sketch) -> Case {
    let rewrite = RewriteSettings { wildcards: Wildcards::Never, ..RewriteSettings::default() };
    Case { rewrite, ..Case::new(sketch) }
}

fn reasons(plan: &Plan) -> Vec<&str> {
    plan.withheld.iter().map(|withheld| withheld.reason.as_str()).collect()
}

#[test]
fn what_a_pattern_that_is_left_allows_stays_as_written() {
    for list in [
        r#"["ec2:*","ec2:Describe*","ec2:CreateVpc"]"#,
        r#"["ec2:CreateVpc","ec2:*","ec2:*"]"#,
        r#"["*:*","ec2:*","ec2:D?scribe*"]"#,
    ] {
        let own = document(&[&allow(&format!("\"Action\":{list}"))]);
        let plan = never(user(USED).inline("user/u", "p", &own)).plan();
        assert_eq!(changes(&plan), [] as [&str; 0], "{list}");
        assert_eq!(reasons(&plan), ["does-not-fit"], "{list}");
    }
    // So does what is allowed without being included as a pattern; what is not allowed otherwise goes.
    let own = document(&[&allow(r#""Action":["ec2:*e*","ec2:*Vpc*","s3:DeleteBucket"]"#)]);
    let plan = never(user(USED).inline("user/u", "p", &own)).plan();
    let after = own.replace(",\"s3:DeleteBucket\"", "");
    assert_eq!(change(&plan, "user/u/inline/p").after.as_deref(), Some(after.as_str()));
}

#[test]
fn what_cannot_be_proved_leaves_no_room_to_others() {
    // A number that is no integer cannot be compared exactly: its policy stays, and the other must fit beside it.
    let beyond =
        allow(r#""Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":[3600.5]}},"Action":["s3:DeleteBucket"]"#);
    let beyond = document(&[&beyond.replace("[3600.5]", &format!("[3600.5,{}]", vec!["1"; 300].join(",")))]);
    let wide = document(&[&allow(r#""Action":["ec2:*","s3:GetBucketAcl"]"#)]);
    let mut sketch = user(USED).inline("user/u", "a", &wide).inline("user/u", "b", &beyond);
    sketch.account.summary = Some(BTreeMap::from([("UserPolicySizeQuota".to_owned(), 1_000)]));
    let plan = Case::new(sketch).plan();
    assert!(reasons(&plan).contains(&"unproved"), "{:?}", plan.withheld);
    assert!(plan.changes.iter().all(|change| change.address != "user/u/inline/b"));
    let size = |text: &str| secateur_analyzer::document::counted_characters(text);
    let after: usize = plan.changes.iter().map(|change| change.after.as_deref().map_or(0, size)).sum();
    assert!(plan.changes.is_empty() || after + size(&beyond) <= 1_000, "{after} + {}", size(&beyond));
}

#[test]
fn a_list_that_was_empty_stays_empty() {
    let own = document(&[&allow("\"Action\":[]"), &allow(r#""Action":["s3:DeleteBucket","s3:GetBucketAcl"]"#)]);
    let plan = never(user(USED).inline("user/u", "p", &own)).plan();
    assert_eq!(change(&plan, "user/u/inline/p").after, Some(own.replace("\"s3:DeleteBucket\",", "")));
}

#[test]
fn a_service_that_only_a_pattern_names_stays() {
    let own = document(&[&allow(r#""Action":"*""#), &allow(r#""Sid":"A","Action":"aaasvc:Get*""#)]);
    let sketch = Sketch::new().principal("role/r").report("role/r", USED).inline("role/r", "p", &own);
    let plan = Case::new(sketch).plan();
    let after = change(&plan, "role/r/inline/p").after.clone().unwrap_or_default();
    assert!(after.contains("\"aaasvc:*\"") && after.contains("\"aaasvc:Get*\""), "{after}");
}

#[test]
fn what_an_equal_statement_grants_is_no_loss() {
    let own = allow(r#""Action":["s3:DeleteBucket","s3:GetBucketAcl"]"#);
    let advised = all_of_s3("");
    let sketch = user(USED).inline("user/u", "p", &document(&[&own, &advised]));
    let rewrite = RewriteSettings { not_action: NotActionRewrite::Advise, ..RewriteSettings::default() };
    let plan = Case { rewrite, ..Case::new(sketch) }.plan();
    assert_eq!(changes(&plan), [] as [&str; 0]);
    assert_eq!(reasons(&plan), ["not-action"]);
}

/// Two documents of which `a` would shrink by names that an equal statement of it goes on granting, and `z` would grow.
#[track_caller]
fn check_room(a: &[&str], z: &str, expect: &[&str]) {
    let names =
        ["DeleteBucket", "PutBucketPolicy", "PutBucketAcl", "DeleteObject"].map(|name| format!("\"s3:{name}\""));
    let list = allow(&format!("\"Action\":[{},\"s3:GetBucketAcl\"]", names.join(",")));
    let a = document(&[&[list.as_str()], a].concat());
    let z = document(&[&allow(&format!("\"Action\":\"{z}\""))]);
    let used = "s3 2026-10-09: GetBucketAcl=2026-10-09, DeleteBucket, PutBucketPolicy, PutBucketAcl, DeleteObject, GetBucketPolicy";
    let planned = |quota: Option<i64>| {
        let mut sketch = user(used).inline("user/u", "a", &a).inline("user/u", "z", &z);
        sketch.account.summary = quota.map(|quota| BTreeMap::from([("UserPolicySizeQuota".to_owned(), quota)]));
        let mut case = never(sketch);
        case.rewrite.not_action = NotActionRewrite::Advise;
        case.plan()
    };
    let alone = planned(Some(100_000));
    let after = change(&alone, "user/u/inline/z").after.clone().unwrap();
    // One character too few, unless `a` shrinks.
    let room = i64::try_from(a.len() + after.len()).unwrap();
    let plan = planned(Some(room - 1));
    assert_eq!(changes(&plan), [] as [&str; 0]);
    assert_eq!(reasons(&plan), expect);
    assert!(changes(&planned(Some(room))).contains(&"user/u/inline/z"));
}

#[test]
fn what_is_not_changed_gives_no_room() {
    check_room(&[&all_of_s3("")], "s3:Get*", &["not-action", "does-not-fit"]);
    check_room(&[&allow(r#""Action":"s3:*""#)], "s3:Get*", &["does-not-fit", "does-not-fit"]);
}
