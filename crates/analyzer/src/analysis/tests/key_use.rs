//! What the access keys of a user tell, where the report tells otherwise or nothing.

use super::*;
use crate::account::KeyLastUsed;

/// A user whose report lists SQS in use, and S3, Athena and KMS never; a key with this last use.
fn user(last_used: &str, service: &str, region: &str) -> Case {
    let mut case = case(
        Sketch::new()
            .principal("user/u")
            .inline(
                "user/u",
                "p",
                &doc("\"sqs:CreateQueue\",\"sqs:DeleteQueue\",\"s3:PutBucketPolicy\",\"athena:ListWorkGroups\",\"kms:Decrypt\""),
            )
            .report(
                "user/u",
                "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue\ns3 -: PutBucketPolicy\nathena -:\nkms -:",
            )
            .access_key("user/u", "AKIAIOSFODNN7EXAMPLE", "2022-01-01", "-"),
    );
    let key = case.account.access_keys.values_mut().flatten().next().unwrap();
    if let Some(time) = time(last_used) {
        key.last_used = KeyLastUsed::At { time, service: service.to_owned(), region: region.to_owned() };
    }
    case
}

fn check(case: &Case, expect: &[&str]) {
    let actions = "sqs:DeleteQueue s3:PutBucketPolicy athena:ListWorkGroups";
    let found = case.verdicts("user/u/inline/p", actions);
    let found: Vec<&str> = found.iter().filter_map(|verdict| verdict.split_once(' ')).map(|(_, word)| word).collect();
    assert_eq!(found, expect);
}

const UNUSED: [&str; 3] = ["unused-action", "unused-service", "unused-service"];

#[test]
fn a_service_that_a_key_was_used_for_is_not_unused() {
    check(&user("-", "", ""), &UNUSED);
    check(&user("2026-10-09", "s3", "us-east-1"), &["unused-action", "protected", "unused-service"]);
    check(&user("2026-10-09", "S3", "N/A"), &["unused-action", "protected", "unused-service"]);
    // Long ago, or for a service that the report shows at that time, or that only other policies than its own allow.
    check(&user("2026-06-01", "s3", "us-east-1"), &UNUSED);
    check(&user("2026-10-01", "sqs", "us-east-1"), &UNUSED);
    check(&user("2026-10-09", "ec2", "us-east-1"), &UNUSED);
    // The report must show a use of that time, not just any.
    check(&user("2026-10-04", "sqs", "us-east-1"), &["protected", "unused-service", "unused-service"]);
    // After the report another use of what is in use anyway.
    check(&user("2026-10-10T05:00:00Z", "sqs", "us-east-1"), &UNUSED);
    check(&user("2026-10-10T05:00:00Z", "s3", "us-east-1"), &["unused-action", "protected", "unused-service"]);
}

#[test]
fn a_service_by_another_name_may_be_any_that_the_report_does_not_rule_out() {
    check(&user("2026-10-01", "monitoring", "us-east-1"), &UNUSED);
    // What the report shows is of later: then it may have been another one.
    check(&user("2026-09-01", "monitoring", "us-east-1"), &["protected"; 3]);
    check(&user("2026-10-09", "monitoring", "us-east-1"), &["protected"; 3]);
    check(&user("2026-10-09", "N/A", "N/A"), &["protected"; 3]);
}

#[test]
fn use_in_a_region_without_data_may_have_gone_unseen() {
    let abroad = user("2026-10-09", "ec2", "xx-nowhere-7");
    check(&abroad, &["region-untracked"; 3]);
    // Others may have been there too; and the plan says who was.
    let mut with_other = case(sqs_role());
    with_other.account.access_keys = abroad.account.access_keys;
    assert_eq!(with_other.verdicts("role/r/inline/p", "sqs:DeleteQueue"), ["DeleteQueue region-untracked"]);
    let analysis = with_other.analyze();
    let gap = analysis.gaps().iter().find(|gap| gap.kind == "region-untracked").unwrap();
    assert!(gap.detail.contains("xx-nowhere-7, where an access key of user/u was last used"), "{}", gap.detail);
    check(&user("2026-10-09", "ec2", "aws-global"), &UNUSED);
    check(&user("2026-06-01", "ec2", "xx-nowhere-7"), &UNUSED);
}

#[test]
fn so_it_is_with_the_last_use_of_a_role() {
    let check = |last_used: &str, region: &str, expect: &[&str]| {
        let used = |role: &mut crate::account::Principal| {
            role.last_used = time(last_used);
            role.last_used_region = Some(region.to_owned());
        };
        let found = case(sqs_role().change("role/r", used)).verdicts("role/r/inline/p", "sqs:DeleteQueue");
        assert_eq!(found, expect, "{last_used} {region}");
    };
    check("2026-10-09", "us-east-1", &["DeleteQueue unused-action"]);
    check("2026-10-09", "xx-nowhere-7", &["DeleteQueue region-untracked"]);
    check("2026-10-09", "", &["DeleteQueue unused-action"]);
    check("2026-06-01", "xx-nowhere-7", &["DeleteQueue unused-action"]);
    // Nobody knows when that was.
    check("-", "xx-nowhere-7", &["DeleteQueue region-untracked"]);
    check("-", "us-east-1", &["DeleteQueue unused-action"]);
}

#[test]
fn who_uses_a_key_is_not_dormant_and_may_have_services_that_call_kms() {
    let is_dormant = |case: &Case| case.analyze().principals.first().map(|principal| principal.is_dormant);
    let idle = |last_used: &str, service: &str| {
        let mut case = user(last_used, service, "us-east-1");
        for report in case.account.reports.values_mut() {
            report.services.retain(|row| row.last_use().is_none());
        }
        case
    };
    assert_eq!(is_dormant(&idle("-", "")), Some(true));
    assert_eq!(is_dormant(&idle("2026-06-01", "ec2")), Some(true));
    assert_eq!(is_dormant(&idle("2026-10-09", "ec2")), Some(false));
    let kms = |case: &Case| case.verdicts("user/u/inline/p", "kms:Decrypt");
    assert_eq!(kms(&idle("-", "")), ["Decrypt unused-service"]);
    assert_eq!(kms(&idle("2026-10-09", "ec2")), ["Decrypt protected"]);
}

#[test]
fn a_role_that_was_used_nobody_knows_when_may_use_services_that_call_kms() {
    let check = |last: &str, region: Option<&str>, expect: &str| {
        let sketch = Sketch::new().principal("role/r").inline("role/r", "p", &doc("\"kms:Decrypt\",\"kms:Sign\""));
        let sketch = sketch.report("role/r", "kms 2026-10-01: Decrypt, Sign=2026-10-01").change("role/r", |role| {
            (role.last_used, role.last_used_region) = (time(last), region.map(str::to_owned));
        });
        assert_eq!(case(sketch).verdicts("role/r/inline/p", "kms:Decrypt"), [format!("Decrypt {expect}")]);
    };
    check("-", None, "unused-action");
    check("2026-10-01", Some("us-east-1"), "unused-action");
    check("2026-10-05", Some("us-east-1"), "protected");
    check("-", Some("us-east-1"), "protected");
}

#[test]
fn a_region_that_a_report_shows_use_in_counts() {
    let check = |region: &str, last: i64, expect: &str| {
        let mut case = case(sqs_role());
        for report in case.account.reports.values_mut() {
            report.regions.add(region, NOW.plus(last * DAY));
        }
        assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")], "{region}");
    };
    check("eu-west-1", -1, "unused-action");
    check("xx-north-9", -1, "region-untracked");
    // Where AWS keeps nothing, a report that counts may be of then; and what has no Region is everywhere.
    check("xx-north-9", -400, "unused-action");
    check("aws-global", -1, "unused-action");
}

#[test]
fn a_region_that_is_known_by_use_alone_has_its_start_of_tracking() {
    let start = |region: &str, last: &str| {
        let used = |role: &mut crate::account::Principal| {
            (role.last_used, role.last_used_region) = (time(last), Some(region.to_owned()));
        };
        case(sqs_role().change("role/r", used)).analyze().regions().tracking_start
    };
    let of = |region: &str| Catalog::embedded().regions().tracking_start(region).unwrap();
    assert!(of("il-central-1") > of("us-east-1"));
    assert_eq!(start("il-central-1", "2026-10-09"), of("il-central-1"));
    assert_eq!(start("il-central-1", "2026-01-09"), of("us-east-1"));
    assert_eq!(start("us-east-1", "2026-10-09"), of("us-east-1"));
}
