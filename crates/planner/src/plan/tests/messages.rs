//! What is said of sizes and limits.

use std::collections::BTreeMap;

use super::*;
use crate::render::{Style, text};
use crate::rewrite::cover::Wildcards;

const S3: &str =
    "s3 2026-10-09: GetBucketAcl=2026-10-09, PutBucketAcl=2026-10-09, GetBucketCORS, GetBucketLogging, PutBucketCORS";
const EC2: &str = "ec2 -: CreateVpc, DeleteVpc, DescribeVpcs";

/// A user with an inline policy that shrinks, if the report has EC2, and one that grows; and a quota for both.
fn case(report: &str, quota: i64, wildcards: Wildcards) -> Case {
    let mut sketch = Sketch::new()
        .principal("user/u")
        .report("user/u", report)
        .inline("user/u", "grows", &document(&[&allow(r#""Action":["s3:Get*","s3:PutBucket*"]"#)]))
        .inline("user/u", "shrinks", &shrinks());
    sketch.account.summary = Some(BTreeMap::from([("UserPolicySizeQuota".to_owned(), quota)]));
    let rewrite = RewriteSettings { wildcards, ..RewriteSettings::default() };
    Case { rewrite, ..Case::new(sketch) }
}

fn shrinks() -> String {
    document(&[&allow(r#""Action":["ec2:CreateVpc","ec2:DeleteVpc"]"#)])
}

#[test]
fn what_the_other_inline_policies_take_of_the_quota_is_said() {
    let quota = 1_000;
    let plan = case(S3, quota, Wildcards::Fit).plan();
    let size = change(&plan, "user/u/inline/grows").size.unwrap();
    let (quota, others) = (1_000, shrinks().len());
    assert_eq!((size.others, size.quota), (others, quota));
    assert!(size.after + others <= quota && size.by_names + others > quota, "{size:?}");
    let expect = format!(
        "does not fit by names ({} characters, and {others} characters of the entity's other inline policies, of {quota} \
         for all); written in {}\n",
        size.by_names, size.after
    );
    let page = text(&plan, Style::Plain);
    assert!(page.contains(&expect), "{page}");
}

#[test]
fn what_does_not_fit_is_said_of_what_it_is() {
    let plan = case(S3, 300, Wildcards::Never).plan();
    let withheld = plan.withheld.iter().find(|withheld| withheld.reason == "does-not-fit").unwrap();
    assert_eq!(withheld.address, "user/u/inline/grows");
    let detail = &withheld.detail;
    assert!(detail.starts_with("left as written: `s3:Get*` ("), "{detail}");
    assert!(detail.contains("; by names all inline policies of user/u together would have "), "{detail}");
    // Each has its own number, and the whole has its own.
    let numbers: Vec<usize> =
        detail.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
    let &[3, own, .., total, 300, over] = numbers.as_slice() else { panic!("{detail}") };
    assert!(own < total && total == over + 300, "{detail}");
}

#[test]
fn the_change_that_is_over_a_limit_is_named() {
    let report = format!("{S3}\n{EC2}");
    let alone = case(&report, 10_000, Wildcards::Never).plan();
    let grown = change(&alone, "user/u/inline/grows").after.as_ref().unwrap().len();
    let grown = i64::try_from(grown).unwrap();
    let plan = case(&report, grown, Wildcards::Never).plan();
    let own = change(&plan, "user/u/inline/grows");
    assert_eq!(own.group.as_deref(), Some("user/u"));
    let removed = |address: &str| change(&plan, address).proof.lost;
    assert_eq!((removed("user/u/inline/grows"), removed("user/u/inline/shrinks")), (3, 2));
    let mut case = case(&report, grown, Wildcards::Never);
    case.limits.max_removed_per_policy = Some(2);
    let plan = case.plan();
    let said: Vec<(&str, &str)> =
        plan.withheld.iter().map(|withheld| (withheld.address.as_str(), withheld.detail.as_str())).collect();
    let over = "removes 3 actions, more than max_removed_per_policy (2)";
    let with = format!("made together with user/u/inline/grows, which {over}");
    assert_eq!(said, [("user/u/inline/grows", over), ("user/u/inline/shrinks", with.as_str())]);
}
