//! Verdicts on many actions at once, held against each alone.

use super::*;
use crate::account::PolicyVersion;

const REPORT: &str = "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue, ListQueues=2026-01-01\nathena -:\n\
    lambda 2026-01-01: InvokeFunction=2026-01-01\nkms 2025-01-01:\niam -:\nlogs -:\nsns 2026-10-01:";

/// A role with protections of every kind, with a policy of which the half came lately.
fn role() -> Sketch {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let old = doc("\"sqs:*\",\"athena:Get*\",\"logs:Describe*\",\"lambda:List*\"");
    Sketch::new()
        .principal("role/r")
        .change("role/r", |principal| principal.trust = Some(Document::new(trust)))
        .managed("policy/P", &old)
        .change_policy("policy/P", |policy| {
            policy.versions.push(PolicyVersion {
                id: "v2".to_owned(),
                created: time("2026-10-01T00:00:00Z"),
                document: Some(Document::new(doc("\"*\""))),
            });
            policy.default_version = "v2".to_owned();
        })
        .attach("role/r", "policy/P")
        .inline("role/r", "p", &doc("\"*\""))
        .report("role/r", REPORT)
}

/// Compares all verdicts on the role, however the actions come.
fn check(case: &Case) {
    let analysis = case.analyze();
    let services = ["athena", "ds", "kms", "lambda", "logs", "sns", "sqs"];
    let catalog = analysis.catalog();
    let ids = services.iter().filter_map(|service| catalog.service(service));
    let all: Vec<ActionId> = ids.flat_map(|service| catalog.actions_of(service)).collect();
    let backwards: Vec<ActionId> = all.iter().rev().copied().collect();
    let scattered: Vec<ActionId> = (0..all.len()).map(|at| all[at * 7_919 % all.len()]).collect();
    for policy in analysis.graph().policies() {
        for holder in &analysis.policy(policy).unwrap().holders {
            for order in [&all, &backwards, &scattered] {
                let mut found = Vec::with_capacity(order.len());
                analysis
                    .verdicts(policy, holder, order.iter().copied(), |id, verdict| found.push((id, verdict.clone())));
                assert_eq!(found.len(), order.len());
                for (id, verdict) in found {
                    let alone = analysis.facts(policy, holder, id).unwrap().verdict();
                    assert_eq!(verdict, alone, "{}", analysis.catalog().full_name(id));
                }
            }
        }
    }
}

#[test]
fn what_holds_for_a_service_holds_for_each_of_its_actions_alone() {
    check(&case(role()));
    check(&case(role().change_report("role/r", |report| report.granularity = Granularity::Service)));
    check(&case(role().change_report("role/r", |report| report.status = ReportStatus::InProgress)));
    check(&case(role().change("role/r", |principal| principal.trust = None)));
    let mut nowhere = case(role());
    nowhere.account.regions = None;
    check(&nowhere);
    let mut trusting = case(role());
    trusting.settings.kms_via_service = KmsViaService::Trust;
    check(&trusting);
}

#[test]
fn rules_count_for_their_actions_only() {
    let mut case = case(role());
    for (action, policy) in [("athena:*Query*", ""), ("logs:Describe*", "P"), ("sqs:Delete*", "p")] {
        case.rules.keep.push(KeepRule {
            actions: vec![ActionPattern::new(action)],
            principals: Vec::new(),
            policies: if policy.is_empty() { Vec::new() } else { vec![policy.to_owned()] },
            reason: "test".into(),
            expires: None,
        });
    }
    check(&case);
    case.rules.ignore.push(IgnoreRule {
        principals: vec!["r".to_owned()],
        policies: vec!["P".to_owned()],
        paths: Vec::new(),
        tags: Vec::new(),
        reason: "test".into(),
        expires: None,
    });
    check(&case);
}
