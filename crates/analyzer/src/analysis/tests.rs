mod beside;
mod grants;
mod in_order;
mod key_use;
mod keys;
mod lifted;

use super::*;
use crate::account::sketch::{Sketch, time};
use crate::account::{Document, Granularity, ReportStatus};
use crate::action::ActionPattern;
use crate::rules::{Expiry, IgnoreRule, KeepRule, KmsViaService};

const NOW: UnixTime = UnixTime(1_791_612_000);

struct Case {
    account: Account,
    settings: Settings,
    rules: Rules,
}

fn doc(actions: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#)
}

fn case(sketch: Sketch) -> Case {
    Case { account: sketch.build(), settings: Settings::default(), rules: Rules::default() }
}

impl Case {
    fn analyze(&self) -> Analysis<'_> {
        self.analyze_with(None, 1)
    }

    fn analyze_with<'a>(&'a self, older: Option<&'a Account>, threads: usize) -> Analysis<'a> {
        let inputs = Inputs {
            account: &self.account,
            older,
            settings: &self.settings,
            rules: &self.rules,
            now: NOW,
            threads: NonZeroUsize::new(threads).unwrap(),
        };
        Analysis::new(inputs).unwrap()
    }

    /// `name verdict` of every action of the first holder of a policy.
    fn verdicts(&self, address: &str, actions: &str) -> Vec<String> {
        verdicts(&self.analyze(), address, actions)
    }
}

fn verdicts(analysis: &Analysis<'_>, address: &str, actions: &str) -> Vec<String> {
    let graph = analysis.graph();
    let policy = graph.policies().find(|id| graph.address(*id) == address).expect("no such policy");
    let judged = analysis.policy(policy).unwrap();
    let mut found = Vec::new();
    for pattern in actions.split(' ') {
        let set = analysis.catalog().matches(&ActionPattern::new(pattern));
        analysis.verdicts(policy, &judged.holders[0], set.iter(), |id, verdict| {
            found.push(format!("{} {}", analysis.catalog().name(id), verdict.as_str()));
        });
    }
    found
}

fn removable(analysis: &Analysis<'_>, address: &str) -> Vec<String> {
    let graph = analysis.graph();
    let policy = graph.policies().find(|id| graph.address(*id) == address).expect("no such policy");
    analysis.policy(policy).unwrap().removable.iter().map(|id| analysis.catalog().full_name(id)).collect()
}

fn sqs_role() -> Sketch {
    Sketch::new()
        .principal("role/r")
        .inline(
            "role/r",
            "p",
            &doc("\"sqs:CreateQueue\",\"sqs:DeleteQueue\",\"sqs:SendMessage\",\"athena:ListWorkGroups\""),
        )
        .report("role/r", "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue\nathena -:")
}

const SQS: &str = "sqs:CreateQueue sqs:DeleteQueue sqs:SendMessage athena:ListWorkGroups";

#[test]
fn used_unused_and_untracked() {
    let expect =
        ["CreateQueue used", "DeleteQueue unused-action", "SendMessage untracked", "ListWorkGroups unused-service"];
    assert_eq!(case(sqs_role()).verdicts("role/r/inline/p", SQS), expect);
    assert_eq!(removable(&case(sqs_role()).analyze(), "role/r/inline/p"), ["athena:ListWorkGroups", "sqs:DeleteQueue"]);
}

#[test]
fn reports_that_do_not_count_remove_nothing() {
    let check = |sketch: Sketch, kind: &str| {
        let case = case(sketch);
        let analysis = case.analyze();
        assert_eq!(removable(&analysis, "role/r/inline/p"), Vec::<String>::new(), "{kind}");
        assert!(verdicts(&analysis, "role/r/inline/p", SQS).iter().all(|verdict| verdict.ends_with(" no-evidence")));
        assert!(analysis.gaps().iter().any(|gap| gap.kind == kind), "{kind}: {:?}", analysis.gaps());
    };
    let change = |change: fn(&mut crate::account::Report)| sqs_role().change_report("role/r", change);
    check(change(|report| report.status = ReportStatus::InProgress), "report-unfinished");
    check(change(|report| report.status = ReportStatus::Failed("ServiceFailure: x".into())), "report-failed");
    check(change(|report| report.status = ReportStatus::Unknown("NEW".into())), "report-unfinished");
    check(change(|report| report.status = ReportStatus::Contradictory("x".into())), "report-contradictory");
    check(change(|report| report.granularity = Granularity::Unknown), "report-unfinished");
    check(change(|report| report.truncated = true), "report-truncated");
    check(change(|report| report.generated_at = None), "report-without-date");
    check(change(|report| report.generated_at = time("2026-10-02")), "report-too-old");
    check(change(|report| report.arn = "arn:aws:iam::999999999999:role/r".parse().unwrap()), "report-of-other-account");
    check(sqs_role().change("role/r", |role| role.created = Some(NOW.plus(1))), "report-older-than-principal");
    let mut absent = sqs_role();
    absent.account.reports.clear();
    check(absent, "no-report");
}

#[test]
fn a_service_level_report_supports_the_service_rows_only() {
    let sketch = sqs_role().report("role/r", "sqs 2026-10-01\nathena -").change_report("role/r", |report| {
        report.granularity = Granularity::Service;
    });
    let expect =
        ["CreateQueue untracked", "DeleteQueue untracked", "SendMessage untracked", "ListWorkGroups unused-service"];
    assert_eq!(case(sketch).verdicts("role/r/inline/p", SQS), expect);
}

#[test]
fn a_report_of_the_future_is_an_error() {
    let case = case(sqs_role());
    let rules = Rules::default();
    let inputs = Inputs::new(&case.account, &case.settings, &rules, NOW.plus(-1));
    let error = Analysis::new(inputs).unwrap_err().to_string();
    assert_eq!(
        error,
        "the time of judgement 2026-10-10T05:59:59Z is before the report on arn:aws:iam::111122223333:role/r of 2026-10-10T06:00:00Z"
    );
}

#[test]
fn regions_must_be_known_and_tracked() {
    let check = |regions: Option<&[&str]>, in_use: &[&str], expect: &str| {
        let mut case = case(sqs_role());
        case.account.regions = regions.map(|regions| regions.iter().map(ToString::to_string).collect());
        case.settings.regions_in_use = in_use.iter().map(ToString::to_string).collect();
        assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    check(None, &[], "region-untracked");
    check(None, &["eu-west-1"], "unused-action");
    check(Some(&["us-east-1", "ca-west-1"]), &[], "region-untracked");
    check(Some(&["us-east-1", "ca-west-1"]), &["us-east-1"], "region-untracked");
    check(Some(&["us-east-1"]), &["cn-north-1"], "region-untracked");
}

#[test]
fn what_stays_protects_what_aws_checks_on_its_way() {
    let actions =
        "\"lambda:CreateFunction\",\"iam:PassRole\",\"iam:CreateServiceLinkedRole\",\"access-analyzer:CreateAnalyzer\"";
    let report = "access-analyzer 2026-10-01: CreateAnalyzer=2026-10-01\niam -: CreateServiceLinkedRole\nlambda -: CreateFunction";
    let sketch = Sketch::new().principal("role/r").inline("role/r", "p", &doc(actions)).report("role/r", report);
    let expect = [
        "CreateFunction unused-service",
        "PassRole protected",
        "CreateServiceLinkedRole protected",
        "CreateAnalyzer used",
    ];
    let names = "lambda:CreateFunction iam:PassRole iam:CreateServiceLinkedRole access-analyzer:CreateAnalyzer";
    assert_eq!(case(sketch).verdicts("role/r/inline/p", names), expect);
}

#[test]
fn kms_is_protected_while_another_service_is_active() {
    let sketch = |other: &str| {
        Sketch::new()
            .principal("role/r")
            .inline("role/r", "p", &doc("\"kms:Decrypt\",\"kms:ListKeys\",\"sqs:*\""))
            .report("role/r", &format!("kms 2026-10-01: Decrypt, ListKeys=2026-10-01\nsqs {other}: CreateQueue"))
    };
    let check = |other: &str, trust: bool, expect: &str| {
        let mut case = case(sketch(other));
        if trust {
            case.settings.kms_via_service = KmsViaService::Trust;
        }
        assert_eq!(case.verdicts("role/r/inline/p", "kms:Decrypt"), [format!("Decrypt {expect}")]);
    };
    check("2026-10-01", false, "protected");
    check("2026-10-01", true, "unused-action");
    check("-", false, "unused-action");
}

#[test]
fn a_role_keeps_what_the_service_it_runs_under_performs_with_it() {
    let trust = |service: &str| {
        format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"sts:AssumeRole"}}}}"#
        )
    };
    let check = |text: String, expect: &str| {
        let sketch = Sketch::new()
            .principal("role/r")
            .inline("role/r", "p", &doc("\"xray:PutTraceSegments\""))
            .report("role/r", "xray -: PutTraceSegments")
            .change("role/r", |role| role.trust = Some(Document::new(text)));
        assert_eq!(
            case(sketch).verdicts("role/r/inline/p", "xray:PutTraceSegments"),
            [format!("PutTraceSegments {expect}")]
        );
    };
    check(trust("lambda.amazonaws.com"), "protected");
    check(trust("ec2.amazonaws.com"), "unused-service");
    check("{".to_owned(), "protected");
}

#[test]
fn keep_rules_hold_expire_and_are_missed() {
    let check = |expires: Option<&str>, principals: &[&str], expect: &str| {
        let mut case = case(sqs_role());
        case.rules.keep.push(KeepRule {
            actions: vec![ActionPattern::new("SQS:Delete*")],
            principals: principals.iter().map(ToString::to_string).collect(),
            policies: Vec::new(),
            reason: "quarterly job".into(),
            expires: expires.map(|date| Expiry(date.parse().unwrap())),
        });
        assert_eq!(case.verdicts("role/r/inline/p", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    check(None, &[], "protected");
    check(Some("2026-10-10"), &[], "protected");
    check(Some("2026-10-09"), &[], "rule-expired");
    check(Some("2026-09-01"), &[], "unused-action");
    check(None, &["role/other"], "unused-action");
    check(None, &["role/r*"], "protected");
}

#[test]
fn ignored_and_left_alone_principals_block_shared_policies() {
    let shared = || {
        Sketch::new()
            .principal("role/a")
            .principal("role/b")
            .managed("policy/shared", &doc("\"sqs:CreateQueue\",\"sqs:DeleteQueue\""))
            .attach("role/a", "policy/shared")
            .attach("role/b", "policy/shared")
            .report("role/a", "sqs -: CreateQueue, DeleteQueue")
            .report("role/b", "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue")
    };
    assert_eq!(removable(&case(shared()).analyze(), "policy/shared"), ["sqs:DeleteQueue"]);
    let mut ignored = case(shared());
    ignored.rules.ignore.push(IgnoreRule {
        principals: vec!["role/b".into()],
        policies: Vec::new(),
        paths: Vec::new(),
        tags: Vec::new(),
        reason: "break glass".into(),
        expires: None,
    });
    assert_eq!(removable(&ignored.analyze(), "policy/shared"), Vec::<String>::new());
    let reserved = shared().change("role/b", |role| role.path = "/aws-reserved/sso.amazonaws.com/".into());
    assert_eq!(removable(&case(reserved).analyze(), "policy/shared"), Vec::<String>::new());
    let boundary = shared().change("role/a", |role| role.boundary = crate::account::sketch::arn("policy/shared"));
    assert_eq!(removable(&case(boundary).analyze(), "policy/shared"), Vec::<String>::new());
}

#[test]
fn a_group_policy_needs_the_evidence_of_all_members() {
    let sketch = Sketch::new()
        .principal("user/a")
        .principal("user/b")
        .group("group/g")
        .member("user/a", "g")
        .member("user/b", "g")
        .inline("group/g", "p", &doc("\"sqs:CreateQueue\",\"sqs:DeleteQueue\""))
        .report("user/a", "sqs -: CreateQueue, DeleteQueue");
    assert_eq!(removable(&case(sketch.clone()).analyze(), "group/g/inline/p"), Vec::<String>::new());
    let both = sketch.report("user/b", "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue");
    assert_eq!(removable(&case(both).analyze(), "group/g/inline/p"), ["sqs:DeleteQueue"]);
}

#[test]
fn owned_irregular_and_kept_documents_are_left_alone() {
    let check = |sketch: Sketch| {
        assert_eq!(case(sketch).verdicts("role/r/inline/p", "sqs:DeleteQueue"), ["DeleteQueue left-alone"]);
    };
    check(sqs_role().tag("role/r", "aws:cloudformation:stack-name", "web"));
    check(sqs_role().tag("role/r", "managed_by", "terraform"));
    let text = |statement: &str| format!(r#"{{"Statement":{{"Effect":"Allow",{statement},"Resource":"*"}}}}"#);
    let replaced =
        |statement: &str| sqs_role().change("role/r", |role| role.inline[0].document = Document::new(text(statement)));
    check(replaced(r#""Action":"sqs:DeleteQueue","Action":"sqs:CreateQueue""#));
    check(replaced(r#""Action":"sqs:DeleteQueue","Comment":"x""#));
    check(replaced(r#""Action":["sqs:DeleteQueue",1]"#));
    let kept = case(replaced(r#""Sid":"SecateurKeepQueues","Action":"sqs:DeleteQueue""#));
    assert_eq!(removable(&kept.analyze(), "role/r/inline/p"), Vec::<String>::new());
}

#[test]
fn kms_is_protected_for_a_role_that_uses_what_is_not_in_its_report() {
    let sketch = Sketch::new()
        .principal("role/r")
        .inline("role/r", "p", &doc("\"kms:Decrypt\""))
        .report("role/r", "kms -: Decrypt")
        .change("role/r", |role| role.last_used = time("2026-10-09"));
    assert_eq!(case(sketch).verdicts("role/r/inline/p", "kms:Decrypt"), ["Decrypt protected"]);
}

#[test]
fn an_ignore_rule_about_a_principal_and_a_policy_is_about_both_together() {
    let sketch = Sketch::new()
        .principal("role/a")
        .managed("policy/P", &doc("\"sqs:DeleteQueue\""))
        .attach("role/a", "policy/P")
        .report("role/a", "sqs -: DeleteQueue");
    let check = |principals: &str, policies: &str, expect: &str| {
        let mut case = case(sketch.clone());
        case.rules.ignore.push(IgnoreRule {
            principals: vec![principals.into()],
            policies: vec![policies.into()],
            paths: Vec::new(),
            tags: Vec::new(),
            reason: "x".into(),
            expires: None,
        });
        assert_eq!(case.verdicts("policy/P", "sqs:DeleteQueue"), [format!("DeleteQueue {expect}")]);
    };
    check("role/A", "policy/p", "ignored");
    check("role/b", "policy/P", "unused-service");
    check("role/a", "policy/Q", "unused-service");
}

#[test]
fn ambiguous_names_are_left_alone() {
    let sketch = Sketch::new()
        .principal("role/r")
        .inline("role/r", "Foo", &doc("\"sqs:DeleteQueue\""))
        .inline("role/r", "foo", &doc("\"sqs:DeleteQueue\""))
        .inline("role/r", "a/attached/b", &doc("\"sqs:DeleteQueue\""))
        .report("role/r", "sqs -: DeleteQueue");
    let case = case(sketch);
    for address in ["role/r/inline/Foo", "role/r/inline/foo", "role/r/inline/a/attached/b"] {
        assert_eq!(case.verdicts(address, "sqs:DeleteQueue"), ["DeleteQueue left-alone"], "{address}");
    }
}

#[test]
fn dormant_principals() {
    let check = |sketch: Sketch, expect: bool| {
        let case = case(sketch);
        assert_eq!(case.analyze().principals()[0].is_dormant, expect);
    };
    check(sqs_role(), false);
    check(sqs_role().report("role/r", "sqs 2026-01-01: CreateQueue"), true);
    let recently = |role: &mut crate::account::Principal| role.last_used = time("2026-10-01");
    check(sqs_role().report("role/r", "sqs -").change("role/r", recently), false);
    let undated = |role: &mut crate::account::Principal| role.last_used_region = Some("us-east-1".to_owned());
    check(sqs_role().report("role/r", "sqs -").change("role/r", undated), false);
    check(sqs_role().report("role/r", "sqs -").change("role/r", |role| role.created = time("2026-09-01")), false);
}

#[test]
fn a_new_principal_proves_nothing() {
    let sketch = sqs_role().change("role/r", |role| role.created = time("2026-09-01"));
    assert_eq!(removable(&case(sketch).analyze(), "role/r/inline/p"), Vec::<String>::new());
}

#[test]
fn what_could_not_be_collected_may_grant_anything() {
    // The missing policy may grant access-analyzer:CreateAnalyzer, on whose way AWS checks this one.
    let sketch = Sketch::new()
        .principal("role/r")
        .inline("role/r", "p", &doc("\"iam:CreateServiceLinkedRole\""))
        .attach("role/r", "policy/gone")
        .report("role/r", "iam -: CreateServiceLinkedRole");
    let case = case(sketch);
    assert_eq!(removable(&case.analyze(), "role/r/inline/p"), Vec::<String>::new());
    assert!(case.analyze().gaps().iter().any(|gap| gap.kind == "not-collected"));
}

#[test]
fn unknown_names_of_documents_and_reports() {
    let sketch = Sketch::new()
        .principal("role/r")
        .inline("role/r", "p", &doc("\"*\",\"SQS:NewThing\",\"sqs:DeleteQueue\""))
        .report("role/r", "newsvc 2026-10-01: Do\nsqs -: newthing, Other");
    let case = case(sketch);
    let analysis = case.analyze();
    let policy = analysis.graph().policies().next().unwrap();
    let document = analysis.graph().policy(policy).unwrap().document().unwrap().policy().unwrap();
    let action = |service: &str, name: &str| UnknownName::Action { service: service.into(), name: name.into() };
    let expect = vec![
        UnknownName::Service("newsvc".into()),
        action("newsvc", "Do"),
        action("SQS", "NewThing"),
        action("sqs", "Other"),
    ];
    assert_eq!(analysis.unknown_names(policy, document).names, expect);
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let mut sketch = Sketch::new().managed("policy/shared", &doc("\"sqs:*\",\"s3:*\""));
    for at in 0..40 {
        let role = format!("role/r{at}");
        let used = if at % 7 == 0 { "2026-10-01" } else { "-" };
        sketch = sketch.principal(&role).attach(&role, "policy/shared").tag(&role, "n", "x");
        sketch = sketch.report(&role, &format!("s3 {used}: CreateBucket={used}, DeleteBucket\nsqs -: CreateQueue"));
    }
    let case = case(sketch);
    let one = removable(&case.analyze_with(None, 1), "policy/shared");
    assert!(one.len() > 10 && !one.contains(&"s3:CreateBucket".to_owned()));
    assert_eq!(removable(&case.analyze_with(None, 8), "policy/shared"), one);
}
