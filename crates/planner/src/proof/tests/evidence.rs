//! The second reading of the reports, asked directly: the table of verdicts refuses all of this before.

use secateur_analyzer::account::{Granularity, ReportStatus};

use super::super::evidence;
use super::*;

const TEXT: &str = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// Compares the detail with which the loss of these actions is refused; empty when it is not.
fn check(sketch: Sketch, lost: &str, expect: &str) {
    let case = case(sketch.inline("role/r", "p", TEXT));
    let analysis = case.analyze();
    let policy = only_policy(&analysis);
    let holders = &analysis.policy(policy).unwrap().holders;
    let mut set = analysis.catalog().empty_set();
    for name in lost.split(' ') {
        set.insert(analysis.catalog().parse_action(name).unwrap());
    }
    let detail = match evidence::check(holders, &set, &analysis) {
        Ok(()) => String::new(),
        Err(ProofError::NoEvidence { detail, .. }) => detail,
        Err(other) => other.to_string(),
    };
    assert_eq!(detail, expect, "{lost}");
}

#[test]
fn actions() {
    check(sketch(), "aa:GetItem aa:PutItem aab:Get aab:Tag bb:List", "");
    check(sketch(), "aa:GetItem aa:Get", "the report shows that it was used");
    check(sketch(), "aa:DeleteItem", "the service is in use, and AWS does not report the action's use");
    check(
        sketch().report("role/r", "aa 2026-10-01: Get"),
        "aa:PutItem",
        "the service is in use, and the report does not list the action",
    );
    check(
        sketch().report("role/r", "aa -: Get=2026-10-01"),
        "aa:PutItem",
        "the service is in use, and the report does not list the action",
    );
    check(
        sketch().report("role/r", "aa -: New=2026-10-01"),
        "aa:PutItem",
        "the service is in use, and the report does not list the action",
    );
    check(sketch().report("role/r", "aa 2026-01-01: Get"), "aa:PutItem aa:DeleteItem", "");
    check(sketch().report("role/r", "bb -"), "aa:PutItem", "the report does not list the service");
}

#[test]
fn reports() {
    let change = |change: fn(&mut secateur_analyzer::account::Report)| sketch().change_report("role/r", change);
    let check = |sketch: Sketch, expect: &str| check(sketch, "aab:Get", expect);
    check(change(|report| report.status = ReportStatus::InProgress), "the report is not complete");
    check(change(|report| report.truncated = true), "the report is not complete");
    check(change(|report| report.granularity = Granularity::Unknown), "the report does not say its granularity");
    check(change(|report| report.granularity = Granularity::Service), "");
    check(change(|report| report.generated_at = None), "the report has no date");
    check(change(|report| report.generated_at = time("2026-10-01")), "the report is too old, or of the future");
    check(
        change(|report| report.arn = "arn:aws:iam::999999999999:role/r".parse().unwrap()),
        "the report is of another account",
    );
    check(sketch().change("role/r", |role| role.created = None), "the principal is younger than min_idle_days");
    check(
        sketch().change("role/r", |role| role.created = time("2026-09-01")),
        "the principal is younger than min_idle_days",
    );
    let mut absent = sketch();
    absent.account.reports.clear();
    check(absent, "there is no report");
}

#[test]
fn pass_role() {
    let sketch = Sketch::new().principal("role/r").report("role/r", "iam -: PassRole");
    check(sketch, "iam:PassRole", "the use of iam:PassRole is never recorded");
}
