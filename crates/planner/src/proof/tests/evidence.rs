//! The second reading of the reports, asked directly: the table of verdicts refuses all of this before.

use secateur_analyzer::account::{Granularity, KeyLastUsed, ReportStatus};

use super::super::evidence;
use super::*;

const TEXT: &str = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// Compares the detail with which the loss of these actions is refused; empty when it is not.
fn check(sketch: Sketch, lost: &str, expect: &str) {
    check_in(sketch.inline("role/r", "p", TEXT), lost, expect);
}

#[track_caller]
fn check_in(sketch: Sketch, lost: &str, expect: &str) {
    let case = case(sketch);
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

/// A user of the small catalogue with one access key.
fn check_key(service: &str, region: &str, day: &str, report: &str, lost: &str, expect: &str) {
    let mut sketch = Sketch::new()
        .catalog(Arc::new(small_catalog()))
        .principal("user/u")
        .report("user/u", report)
        .access_key("user/u", "AKIA1", "2023-01-01", day)
        .inline("user/u", "p", TEXT);
    for key in sketch.account.access_keys.values_mut().flatten() {
        if let KeyLastUsed::At { service: own, region: place, .. } = &mut key.last_used {
            (*own, *place) = (service.to_owned(), region.to_owned());
        }
    }
    check_in(sketch, lost, expect);
}

#[test]
fn access_keys_tell_of_services() {
    let hidden = "an access key was used for the service, or may have been";
    let (region, report) = ("eu-west-1", "aa 2026-08-01: Get=2026-08-01, PutItem\naab -: Get");
    let check = |service: &str, day: &str, lost: &str, expect: &str| {
        check_key(service, region, day, report, lost, expect);
    };
    check("aab", "2026-10-01", "aab:Get", hidden);
    check("AAB", "2026-10-01", "aab:Get", hidden);
    check("aab", "2026-06-01", "aab:Get", "");
    check("aab", "2026-10-01", "aa:PutItem", "");
    // In use, but not then.
    check("aa", "2026-10-01", "aa:PutItem", hidden);
    check("aa", "2026-08-02", "aa:PutItem", "");
    check("aa", "2026-08-02T00:00:01Z", "aa:PutItem", hidden);
    // At the end of what the report sees.
    check("aa", "2026-10-10T05:00:00Z", "aa:PutItem", "");
    check("aab", "2026-10-10T05:00:00Z", "aab:Get", hidden);
    // A name that nobody knows is of what was in use then, or may be of all.
    check("odd", "2026-08-01", "aab:Get aa:PutItem", "");
    check("odd", "2026-07-20", "aab:Get", hidden);
    check("odd", "2026-10-01", "aab:Get", hidden);
    check("odd", "2026-10-01", "aa:PutItem", hidden);
}

#[test]
fn regions_without_reports_hide_all_use() {
    let report = "aa 2026-10-05: Get=2026-10-05, PutItem";
    let check = |region: &str, day: &str, expect: &str| check_key("aa", region, day, report, "aa:PutItem", expect);
    check("eu-west-1", "2026-10-05", "");
    check("N/A", "2026-10-05", "");
    check("aws-global", "2026-10-05", "");
    check("xx-none-1", "2026-10-05", "it was used in xx-none-1, of which AWS reports nothing");
    check("xx-none-1", "2026-05-05", "");
    let role = |day: &str| {
        sketch().change("role/r", |role| {
            (role.last_used, role.last_used_region) = (time(day), Some("xx-none-1".to_owned()));
        })
    };
    let with = |sketch: Sketch, expect: &str| check_in(sketch.inline("role/r", "p", TEXT), "aab:Get", expect);
    with(role("2026-10-01"), "it was used in xx-none-1, of which AWS reports nothing");
    with(role("2026-05-01"), "");
}
