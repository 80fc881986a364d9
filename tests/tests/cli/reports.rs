//! A report that does not count removes nothing, and is a gap.

use serde_json::{Value, json};

use super::scene::{CI_REPORT, DETAILS, MANIFEST, PLAN, SNAPSHOT, Scene, addresses, change, gaps, reasons, withheld};

const CI: &str = "arn:aws:iam::111122223333:role/ci";
/// The changes that rest on the report of role/ci.
const OF_CI: [&str; 3] = ["policy/shared", "role/ci/inline/deploy", "role/ci/inline/messages"];
const OF_OTHERS: [&str; 4] = [
    "group/data/attached/warehouse",
    "group/data/inline/lake",
    "role/api/attached/aws:ReadOnlyAccess",
    "role/power/inline/power",
];

/// Edits the report and expects that nothing rests on it any more, and why.
#[track_caller]
fn check_worthless(kind: &str, edit: impl FnOnce(&mut Value)) {
    let scene = Scene::small();
    scene.edit(CI_REPORT, edit);
    scene.seal();
    check_kept(&scene, kind);
}

#[track_caller]
fn check_kept(scene: &Scene, kind: &str) {
    let plan = scene.plan(&[]);
    assert_eq!(addresses(&plan), OF_OTHERS, "{kind}");
    assert_eq!(gaps(&plan, CI), [kind]);
    assert_eq!(plan["summary"]["gaps"].as_u64().unwrap(), plan["gaps"].as_array().unwrap().len() as u64);
    for address in OF_CI {
        assert!(matches!(withheld(&plan, address)[..], [("no-evidence", _)]), "{address} after {kind}");
    }
    let shown = scene.run(&["show", PLAN]).ended_with(0).stdout;
    assert!(shown.contains(&format!("\n{} gaps, ", plan["summary"]["gaps"])), "{shown}");
    let covered = ["plan", "--snapshot", SNAPSHOT, "--out", PLAN, "--require-full-coverage"];
    scene.run(&covered).ended_with(1);
}

#[test]
fn the_report_as_it_is_removes() {
    let plan = Scene::small().plan(&[]);
    let mut all = [&OF_CI[..], &OF_OTHERS].concat();
    all.sort_unstable();
    assert_eq!(addresses(&plan), all);
    assert_eq!(gaps(&plan, CI), [""; 0]);
}

#[test]
fn an_unfinished_report_removes_nothing() {
    // As AWS answers: without JobType, completion date and rows.
    let in_progress = json!({"JobStatus": "IN_PROGRESS", "JobCreationDate": "2026-10-10T05:59:50Z", "Arn": CI});
    check_worthless("report-unfinished", |report| *report = in_progress.clone());
    // As the SDKs that cannot leave a date out write it.
    check_worthless("report-unfinished", |report| {
        *report = in_progress.clone();
        report["JobCompletionDate"] = json!("1970-01-01T00:00:00Z");
        report["ServicesLastAccessed"] = json!([]);
    });
    check_worthless("report-unfinished", |report| report["JobStatus"] = json!("IN_PROGRESS"));
    check_worthless("report-unfinished", |report| report["JobStatus"] = json!("completed"));
    check_worthless("report-unfinished", |report| report["JobStatus"] = Value::Null);
    check_worthless("report-unfinished", |report| report["JobType"] = Value::Null);
    check_worthless("report-without-date", |report| report["JobCompletionDate"] = Value::Null);
}

/// Somebody is named or counted, and no time is given: that is not "unused".
#[test]
fn a_report_that_contradicts_itself_removes_nothing() {
    let row = |report: &Value, is_used: bool| {
        let rows = report["ServicesLastAccessed"].as_array().unwrap();
        rows.iter().position(|row| row["LastAuthenticated"].is_string() == is_used).unwrap()
    };
    for (member, value) in [("LastAuthenticatedEntity", json!(CI)), ("TotalAuthenticatedEntities", json!(1))] {
        check_worthless("report-contradictory", |report| {
            let at = row(report, false);
            report["ServicesLastAccessed"][at][member] = value.clone();
        });
    }
    check_worthless("report-contradictory", |report| {
        let at = row(report, true);
        let actions = report["ServicesLastAccessed"][at]["TrackedActionsLastAccessed"].as_array_mut().unwrap();
        let unused = actions.iter_mut().find(|action| action["LastAccessedTime"].is_null()).unwrap();
        unused["LastAccessedEntity"] = json!(CI);
    });
}

#[test]
fn a_failed_report_removes_nothing() {
    check_worthless("report-failed", |report| {
        report["JobStatus"] = json!("FAILED");
        report["Error"] = json!({"Code": "ServiceFailure", "Message": "try again"});
    });
}

#[test]
fn a_truncated_report_removes_nothing() {
    check_worthless("report-truncated", |report| report["IsTruncated"] = json!(true));
    check_worthless("report-truncated", |report| report["Marker"] = json!("m"));
    check_worthless("report-truncated", |report| report["NextToken"] = json!("n"));
}

#[test]
fn a_report_of_another_account_removes_nothing() {
    check_worthless("no-report", |report| report["Arn"] = json!("arn:aws:iam::444455556666:role/ci"));
    check_worthless("no-report", |report| report["Arn"] = json!("arn:aws-cn:iam::111122223333:role/ci"));
}

#[test]
fn an_absent_report_removes_nothing() {
    let scene = Scene::small();
    scene.remove(CI_REPORT);
    scene.edit(MANIFEST, |manifest| {
        manifest["files"].as_object_mut().unwrap().remove("last-accessed/role-ci.json");
    });
    check_kept(&scene, "no-report");
}

#[test]
fn an_old_report_removes_nothing() {
    check_worthless("report-too-old", |report| report["JobCompletionDate"] = json!("2026-10-03T06:29:59Z"));
    let scene = Scene::small();
    scene.edit(CI_REPORT, |report| report["JobCompletionDate"] = json!("2026-10-03T06:30:00Z"));
    scene.seal();
    assert_eq!(addresses(&scene.plan(&[])).len(), 7, "seven days and no second more is not too old");
}

#[test]
fn when_all_reports_are_old_nothing_is_removed() {
    let scene = Scene::small();
    let plan = scene.plan(&["--now", "2027-10-10T00:00:00Z"]);
    assert_eq!(addresses(&plan), [""; 0]);
    let old = plan["gaps"].as_array().unwrap().iter().filter(|gap| gap["kind"] == "report-too-old");
    assert_eq!(old.count(), 8, "all but role/unseen have a report");
    let answer = scene.run(&["show", PLAN]).ended_with(0);
    assert!(answer.stdout.contains("\nNo changes. "), "{answer}");
    assert!(answer.stdout.contains(&format!("\n{} gaps, ", plan["summary"]["gaps"])), "{answer}");
}

#[test]
fn a_report_older_than_its_principal_removes_nothing() {
    let scene = Scene::small();
    scene.edit(DETAILS, |details| details["RoleDetailList"][0]["CreateDate"] = json!("2026-10-10T06:00:01Z"));
    scene.seal();
    check_kept(&scene, "report-older-than-principal");
}

/// As AWS answers: without rows of actions.
#[test]
fn a_service_level_report_supports_services_only() {
    let scene = Scene::small();
    scene.edit(CI_REPORT, |report| {
        report["JobType"] = json!("SERVICE_LEVEL");
        for service in report["ServicesLastAccessed"].as_array_mut().unwrap() {
            service.as_object_mut().unwrap().remove("TrackedActionsLastAccessed");
        }
    });
    check_service_rows(&scene);
}

/// Not as AWS answers, but the type of the report decides.
#[test]
fn a_service_level_report_with_rows_of_actions_supports_services_only() {
    let scene = Scene::small();
    scene.edit(CI_REPORT, |report| report["JobType"] = json!("SERVICE_LEVEL"));
    check_service_rows(&scene);
}

#[track_caller]
fn check_service_rows(scene: &Scene) {
    scene.seal();
    let plan = scene.plan(&[]);
    assert_eq!(reasons(change(&plan, "role/ci/inline/deploy")), ["unused-service"]);
    assert_eq!(addresses(&plan), [&OF_OTHERS[..3], &["role/ci/inline/deploy"], &OF_OTHERS[3..]].concat());
}

#[test]
fn of_two_reports_the_newer_counts() {
    let scene = Scene::unsealed();
    scene.write("snap/last-accessed/newer.json", scene.text(CI_REPORT));
    scene.edit("snap/last-accessed/newer.json", |report| {
        report["JobCompletionDate"] = json!("2026-10-10T06:00:01Z");
        report["ServicesLastAccessed"] = json!([]);
    });
    assert_eq!(addresses(&scene.plan(&[])), OF_OTHERS);
    scene.edit("snap/last-accessed/newer.json", |report| report["JobCompletionDate"] = json!("2026-10-10T06:00:00Z"));
    let plan = ["plan", "--snapshot", SNAPSHOT, "--out", "other.json"];
    scene.check_error(&plan, 1, &["newer.json", "role-ci.json", CI]);
}
