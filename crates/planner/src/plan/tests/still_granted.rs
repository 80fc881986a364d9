//! What goes on granting what a change removes.

use super::super::AwsManaged;
use super::*;
use crate::rewrite::NotActionRewrite;

const REPORT: &str = "s3 2026-10-09: GetBucketAcl=2026-10-09, DeleteBucket, DeleteBucketPolicy, PutBucketPolicy";

/// A role with the same actions by an inline policy `p`, and by a managed policy `shared` that allows more.
fn both() -> Sketch {
    let own = document(&[&allow(r#""Action":["s3:DeleteBucket","s3:GetBucketAcl"]"#)]);
    let more = own.replace("\"s3:DeleteBucket\"", "\"s3:DeleteBucket\",\"s3:DeleteBucketPolicy\"");
    Sketch::new()
        .principal("role/r")
        .report("role/r", REPORT)
        .inline("role/r", "p", &own)
        .managed("policy/shared", &more)
        .attach("role/r", "policy/shared")
}

/// Expects these changes, each with what still grants what it removes.
#[track_caller]
fn check(case: Case, expect: &[&str]) -> Plan {
    let plan = case.plan();
    let said = |change: &Change| {
        let still = change.still_granted_by.iter().map(|still| format!(" {}:{}", still.policy, still.count));
        format!("{}{}", change.address, still.collect::<String>())
    };
    assert_eq!(plan.changes.iter().map(said).collect::<Vec<_>>(), expect);
    plan
}

#[test]
fn a_change_that_is_not_made_takes_nothing_away() {
    check(Case::new(both()), &["policy/shared", "role/r/inline/p"]);
    let globs = |glob: &str| vec![glob.to_owned()];
    let selection = Selection { target: globs("role/r"), ..Selection::default() };
    check(Case { selection, ..Case::new(both()) }, &["role/r/inline/p policy/shared:1"]);
    let selection = Selection { exclude: globs("policy/*"), ..Selection::default() };
    check(Case { selection, ..Case::new(both()) }, &["role/r/inline/p policy/shared:1"]);
    let limits = Limits { max_changes: Some(1), ..Limits::default() };
    check(Case { limits, ..Case::new(both()) }, &["policy/shared role/r/inline/p:1"]);
    let limits = Limits { max_removed_per_policy: Some(1), ..Limits::default() };
    check(Case { limits, ..Case::new(both()) }, &["role/r/inline/p policy/shared:1"]);
}

#[test]
fn another_statement_of_the_same_document_is_named() {
    let sketch = |statement: &str| {
        let own = allow(r#""Sid":"A","Action":["s3:DeleteBucket","s3:GetBucketAcl"]"#);
        let sketch = Sketch::new().principal("role/r").report("role/r", REPORT);
        sketch.inline("role/r", "p", &document(&[&own, statement]))
    };
    let rewrite = RewriteSettings { not_action: NotActionRewrite::Advise, ..RewriteSettings::default() };
    let kept = sketch(&allow(r#""Sid":"SecateurKeepB","Action":"s3:DeleteBucket""#));
    let plan = check(Case::new(kept), &["role/r/inline/p role/r/inline/p:1"]);
    let text = crate::render::text(&plan, crate::render::Style::Plain);
    assert!(text.contains("still granted: 1 of them to role/r by another statement of role/r/inline/p\n"), "{text}");
    let advised = sketch(&all_of_s3(r#""Sid":"B","#));
    check(Case { rewrite, ..Case::new(advised) }, &["role/r/inline/p role/r/inline/p:1"]);
    // Statements that are pruned too grant nothing more.
    check(Case::new(sketch(&allow(r#""Sid":"B","Action":"s3:DeleteBucket""#))), &["role/r/inline/p"]);
}

#[test]
fn a_statement_that_stays_counts_whatever_its_sid() {
    let own = allow(r#""Action":["s3:DeleteBucket","s3:GetBucketAcl"]"#);
    let advised = all_of_s3(r#""Sid":"B","#);
    let sketch = Sketch::new()
        .principal("role/r")
        .report("role/r", REPORT)
        .inline("role/r", "p", &document(&[&own]))
        .inline("role/r", "q", &document(&[&own, &advised]));
    let rewrite = RewriteSettings { not_action: NotActionRewrite::Advise, ..RewriteSettings::default() };
    let expect = ["role/r/inline/p role/r/inline/q:1", "role/r/inline/q role/r/inline/q:1"];
    check(Case { rewrite, ..Case::new(sketch) }, &expect);
}

#[test]
fn another_attachment_is_named() {
    // The role's own attachment goes; ann keeps hers by the group, of which bob uses it.
    let text = document(&[&allow(r#""Action":["s3:DeleteBucket","s3:GetBucketAcl"]"#)]);
    let used = "s3 2026-10-09: GetBucketAcl=2026-10-09, DeleteBucket=2026-10-09";
    let sketch = Sketch::new()
        .principal("user/ann")
        .principal("user/bob")
        .group("group/g")
        .member("user/ann", "group/g")
        .member("user/bob", "group/g")
        .managed("policy/aws:X", &text)
        .attach("user/ann", "policy/aws:X")
        .attach("group/g", "policy/aws:X")
        .inline("user/ann", "p", &document(&[&allow(r#""Action":"sqs:SendMessage""#)]))
        .report("user/ann", "s3 -\nsqs 2026-10-09")
        .report("user/bob", used);
    let plan = check(Case::new(sketch), &["user/ann/attached/aws:X policy/aws:X:2"]);
    let text = crate::render::text(&plan, crate::render::Style::Plain);
    let expect = "still granted: 2 of them to user/ann by policy/aws:X through another attachment\n";
    assert!(text.contains(expect), "{text}");
}

#[test]
fn a_copy_is_named_and_not_what_it_replaces() {
    let aws = document(&[
        &allow(r#""Sid":"A","Action":["s3:DeleteBucket","s3:PutBucketPolicy","s3:GetBucketAcl"]"#),
        &allow(r#""Sid":"SecateurKeepB","Action":"s3:DeleteBucket""#),
    ]);
    let sketch = Sketch::new()
        .principal("role/r")
        .report("role/r", REPORT)
        .inline("role/r", "p", &document(&[&allow(r#""Action":["s3:DeleteBucket","s3:GetBucketAcl"]"#)]))
        .managed("policy/aws:X", &aws)
        .attach("role/r", "policy/aws:X");
    let rewrite = RewriteSettings { aws_managed: AwsManaged::Replace, ..RewriteSettings::default() };
    let plan = Case { rewrite, ..Case::new(sketch) }.plan();
    let copy = plan.changes.iter().find(|change| change.action == super::super::ChangeAction::Create).unwrap();
    for own in [copy, change(&plan, "role/r/inline/p")] {
        let still: Vec<(&str, usize)> =
            own.still_granted_by.iter().map(|still| (still.policy.as_str(), still.count)).collect();
        assert_eq!(still, [(copy.address.as_str(), 1)], "{}", own.address);
    }
}
