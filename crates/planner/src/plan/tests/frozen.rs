//! Patterns that became names.

use super::*;
use crate::rewrite::NotActionRewrite;

fn case(statements: &[&str]) -> Case {
    let text = document(statements);
    Case::new(Sketch::new().principal("role/r").inline("role/r", "p", &text).report("role/r", "s3 2026-10-09\nsqs -"))
}

/// Which patterns the plan says are frozen, and which re-admit what may go.
fn check(case: Case, frozen: &[&str], readmitted: &[&str]) {
    let plan = case.plan();
    let change = change(&plan, "role/r/inline/p");
    assert_eq!(change.frozen.iter().map(|frozen| frozen.pattern.as_str()).collect::<Vec<_>>(), frozen);
    assert_eq!(change.readmitted.iter().map(|own| own.by.as_str()).collect::<Vec<_>>(), readmitted);
    assert_eq!((plan.summary.frozen, plan.summary.readmitted > 0), (frozen.len(), !readmitted.is_empty()));
    let text = crate::render::text(&plan, crate::render::Style::Plain);
    assert_eq!(text.contains("frozen"), !frozen.is_empty(), "{text}");
}

const SQS: &str = r#"{"Effect":"Allow","Action":"sqs:DeleteQueue","Resource":"*"}"#;

#[test]
fn a_statement_that_goes_whole_before_one_that_is_written_alike_hides_nothing() {
    check(case(&[SQS, r#"{"Effect":"Allow","Action":["*"],"Resource":"*"}"#]), &["*"], &[]);
    let inverted = case(&[SQS, r#"{"Effect":"Allow","NotAction":["iam:*","ec2:*"],"Resource":"*"}"#]);
    let rewrite = RewriteSettings { not_action: NotActionRewrite::Invert, ..RewriteSettings::default() };
    check(Case { rewrite, ..inverted }, &["NotAction"], &[]);
}

#[test]
fn what_stays_as_its_author_wrote_it_is_neither_frozen_nor_readmitted() {
    let pattern = r#"{"Effect":"Allow","Action":["s3:GetObj*","s3:ListBucket"],"Resource":"*"}"#;
    check(case(&[SQS, pattern]), &[], &[]);
    let other = r#"{"Effect":"Allow","Action":"sqs:DeleteQueue","Resource":"arn:aws:sqs:*:*:q"}"#;
    check(case(&[other, pattern]), &[], &[]);
}
