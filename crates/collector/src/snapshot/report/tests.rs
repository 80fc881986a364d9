use serde_json::{Value, json};

use secateur_analyzer::account::ServiceKey;

use super::super::fixture::Fixture;
use super::*;

const ARN: &str = "arn:aws:iam::111122223333:role/ci";

fn only_report(members: &Value) -> Report {
    let mut answer = members.clone();
    answer["Arn"] = ARN.into();
    let snapshot = Fixture::with_details();
    snapshot.put("last-accessed/r.json", answer.to_string());
    snapshot.read().unwrap().reports.remove(&ARN.parse().unwrap()).unwrap()
}

#[test]
fn a_whole_report_is_read() {
    let catalog = Catalog::shared();
    let report = only_report(&json!({
        "JobStatus": "COMPLETED", "JobType": "ACTION_LEVEL", "JobCreationDate": "2026-10-10T05:00:00+00:00",
        "JobCompletionDate": "2026-10-10T05:00:08.123000+00:00", "IsTruncated": false, "Marker": null, "Error": null,
        "ResponseMetadata": {"unknown": "member"},
        "ServicesLastAccessed": [
            {"ServiceName": "AWS \u{e9}", "ServiceNamespace": "s3", "LastAuthenticated": null, "TotalAuthenticatedEntities": 0},
            {"ServiceNamespace": "lambda", "LastAuthenticated": "2026-09-01T00:00:00Z", "TrackedActionsLastAccessed": [
                {"ActionName": "ListFunctions20150331", "LastAccessedEntity": ARN, "LastAccessedTime": "2026-08-01T00:00:00Z"},
                {"ActionName": "CreateFunction"},
                {"ActionName": "InventedLater", "LastAccessedTime": null},
            ]},
            {"ServiceNamespace": "iam", "TrackedActionsLastAccessed": []},
            {"ServiceNamespace": "quantum\u{2d}service", "TrackedActionsLastAccessed": null},
        ],
    }));
    assert_eq!(report.status, ReportStatus::Completed);
    assert_eq!(report.granularity, Granularity::Action);
    assert_eq!(report.generated_at, "2026-10-10T05:00:08Z".parse().ok());
    assert!(!report.truncated);
    let row = |name: &str| report.service(catalog.service(name).unwrap()).unwrap();
    assert_eq!((row("s3").lists_actions, row("iam").lists_actions, row("lambda").lists_actions), (false, true, true));
    assert_eq!(row("s3").last_authenticated, None);
    assert_eq!(row("lambda").last_authenticated, "2026-09-01T00:00:00Z".parse().ok());
    let create = row("lambda").action(catalog.action("lambda", "CreateFunction").unwrap()).unwrap();
    assert_eq!(create.last_accessed(), None);
    assert!(
        row("lambda")
            .unknown_actions
            .iter()
            .any(|(name, last)| name.eq_ignore_ascii_case("inventedlater") && last.is_none())
    );
    assert!(report.services.iter().any(|row| row.service == ServiceKey::Unknown("quantum-service".into())));
}

#[test]
fn the_state_of_a_job_is_kept_for_the_analyzer_to_judge() {
    let check = |members: Value, status: ReportStatus, truncated: bool| {
        let report = only_report(&members);
        assert_eq!((report.status, report.truncated), (status, truncated), "{members}");
    };
    check(json!({}), ReportStatus::Unknown(String::new()), false);
    check(json!({"JobStatus": "IN_PROGRESS", "ServicesLastAccessed": []}), ReportStatus::InProgress, false);
    check(json!({"JobStatus": "PAUSED"}), ReportStatus::Unknown("PAUSED".to_owned()), false);
    check(json!({"JobStatus": "FAILED"}), ReportStatus::Failed("no reason given".to_owned()), false);
    let failed = json!({"JobStatus": "FAILED", "Error": {"Code": "X", "Message": "why"}});
    check(failed, ReportStatus::Failed("X: why".to_owned()), false);
    check(json!({"JobStatus": "COMPLETED", "IsTruncated": true}), ReportStatus::Completed, true);
    check(json!({"JobStatus": "COMPLETED", "Marker": "m"}), ReportStatus::Completed, true);
    check(json!({"JobStatus": "COMPLETED", "NextToken": "m"}), ReportStatus::Completed, true);
    for (kind, expect) in
        [("SERVICE_LEVEL", Granularity::Service), ("ACTION_LEVEL", Granularity::Action), ("NEW", Granularity::Unknown)]
    {
        assert_eq!(only_report(&json!({"JobType": kind})).granularity, expect);
    }
}

/// The use that a row without a name tells of must not be lost.
#[test]
fn rows_without_names_are_kept_as_unknown() {
    let report = only_report(&json!({"ServicesLastAccessed": [
        {"LastAuthenticated": "2026-09-01T00:00:00Z"},
        {"ServiceNamespace": "s3", "TrackedActionsLastAccessed": [{"LastAccessedTime": "2026-09-02T00:00:00Z"}]},
    ]}));
    let uses: Vec<_> = report.services.iter().map(|row| row.last_use().unwrap().to_string()).collect();
    assert_eq!(uses.len(), 2);
    assert!(uses.contains(&"2026-09-01T00:00:00Z".to_owned()) && uses.contains(&"2026-09-02T00:00:00Z".to_owned()));
}

#[test]
fn reports_of_other_accounts_are_kept() {
    let snapshot = Fixture::with_details();
    snapshot.put("last-accessed/other.json", r#"{"Arn":"arn:aws:iam::999999999999:role/x"}"#);
    assert_eq!(snapshot.read().unwrap().reports.len(), 1);
}

/// Writes reports in the given order of names and returns the `Marker`s of the one that won, or the error.
fn winner(reports: &[Value]) -> Vec<Result<String, String>> {
    let forward: Vec<usize> = (0..reports.len()).collect();
    let backward: Vec<usize> = forward.iter().rev().copied().collect();
    let outcome = |order: Vec<usize>| {
        let snapshot = Fixture::with_details();
        for (name, at) in order.into_iter().enumerate() {
            let mut answer = reports[at].clone();
            answer["Arn"] = ARN.into();
            snapshot.put(&format!("last-accessed/{name}.json"), answer.to_string());
        }
        match snapshot.read() {
            Ok(account) => match &account.reports[&ARN.parse().unwrap()].status {
                ReportStatus::Unknown(status) => Ok(status.clone()),
                other => Ok(format!("{other:?}")),
            },
            Err(error) => Err(snapshot.tell(&error)),
        }
    };
    vec![outcome(forward), outcome(backward)]
}

#[test]
fn the_newest_of_several_reports_wins_whatever_the_names() {
    let old = json!({"JobStatus": "old", "JobCompletionDate": "2026-10-01T00:00:00Z"});
    let old_too = json!({"JobStatus": "old too", "JobCompletionDate": "2026-10-01T00:00:00Z"});
    let new = json!({"JobStatus": "new", "JobCompletionDate": "2026-10-02T02:00:00+02:00"});
    let undated = json!({"JobStatus": "undated"});
    let check = |reports: &[&Value], expect: &str| {
        let reports: Vec<Value> = reports.iter().map(|report| (*report).clone()).collect();
        assert_eq!(winner(&reports), vec![Ok(expect.to_owned()); 2]);
    };
    check(&[&old, &new], "new");
    check(&[&undated, &old], "old");
    check(&[&old, &old], "old");
    check(&[&undated, &undated], "undated");
    check(&[&old, &new, &old_too, &new, &undated], "new");

    let help = "remove the wrong one, or both and generate a new report: `aws iam generate-service-last-accessed-details \
                --arn arn:aws:iam::111122223333:role/ci --granularity ACTION_LEVEL`";
    let expect = format!(
        "two reports of `arn:aws:iam::111122223333:role/ci` with one time differ: `DIR/last-accessed/0.json` and \
         `DIR/last-accessed/1.json`\nhelp: {help}"
    );
    assert_eq!(winner(&[old.clone(), old_too]), vec![Err(expect.clone()); 2]);
    assert_eq!(winner(&[undated, json!({"JobStatus": "undated too"})]), vec![Err(expect); 2]);
}
