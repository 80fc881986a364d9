//! Words that promise what the plan does not do, or leave out what it does.

use super::*;
use crate::plan::{AwsManaged, ChangeAction};
use crate::render::{Style, markdown, text};

const USED: &str = "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue";
const QUEUES: &str = r#""Action":["sqs:CreateQueue","sqs:DeleteQueue"]"#;

fn targeted(plan: &Plan) -> Vec<&str> {
    let own = plan.advice.iter().filter(|advice| ["targeted", "unsaid"].contains(&advice.kind.as_str()));
    own.map(|advice| advice.kind.as_str()).collect()
}

#[test]
fn a_choice_that_leaves_nothing_out_is_not_said_to() {
    let chosen = |target: &[&str], exclude: &[&str]| {
        let own = |globs: &[&str]| globs.iter().map(ToString::to_string).collect();
        let selection = Selection { target: own(target), exclude: own(exclude), only: Vec::new() };
        let sketch = Sketch::new()
            .principal("role/r")
            .report("role/r", USED)
            .inline("role/r", "i", &document(&[&allow(QUEUES)]))
            .principal("role/none")
            .inline("role/none", "n", &document(&[&allow(QUEUES)]))
            .principal("role/other");
        Case { selection, ..Case::new(sketch) }.plan()
    };
    assert_eq!(targeted(&chosen(&[], &[])), [""; 0]);
    assert_eq!(targeted(&chosen(&[], &["role/other"])), [""; 0]);
    assert_eq!(targeted(&chosen(&[], &["role/none"])), ["unsaid"]);
    assert_eq!(targeted(&chosen(&["role/r"], &[])), ["unsaid"]);
    assert_eq!(targeted(&chosen(&[], &["role/r"])), ["targeted"]);
    assert_eq!(targeted(&chosen(&["role/other"], &[])), ["targeted"]);
}

#[test]
fn what_dormant_holders_could_lose_is_not_promised() {
    let plan = |other: &str| {
        let sketch = Sketch::new()
            .principal("role/a")
            .principal("role/b")
            .managed("policy/p", &document(&[&allow(QUEUES)]))
            .attach("role/a", "policy/p")
            .attach("role/b", "policy/p")
            .report("role/a", USED)
            .report("role/b", other);
        Case::new(sketch).plan()
    };
    let check = |other: &str, end: &str| {
        let plan = plan(other);
        assert_eq!(changes(&plan), ["policy/p"]);
        for page in [text(&plan, Style::Plain), markdown(&plan, usize::MAX)] {
            let kept = format!("sqs:CreateQueue: kept by role/a; 1 other holder could lose it{end}\n");
            let advice = format!("with a policy of its own, the other holder could lose it{end}\n");
            assert!(page.contains(&kept) && page.contains(&advice), "{page}");
        }
    };
    check("s3 2026-10-01\nsqs 2026-10-01: CreateQueue, DeleteQueue", "");
    check("sqs -: CreateQueue, DeleteQueue", " by dormant = \"prune\" only");
}

/// A role with a policy of AWS's, which a copy replaces.
fn replaced() -> Case {
    let sketch = Sketch::new()
        .principal("role/r")
        .managed("policy/aws:Sqs", &document(&[&allow(QUEUES)]))
        .attach("role/r", "policy/aws:Sqs")
        .report("role/r", &format!("{USED}\nathena -: ListWorkGroups"));
    let rewrite = RewriteSettings { aws_managed: AwsManaged::Replace, ..RewriteSettings::default() };
    Case { rewrite, ..Case::new(sketch) }
}

#[test]
fn a_policy_that_the_plan_attaches_is_held() {
    let plan = replaced().plan();
    let create = plan.changes.iter().find(|change| change.action == ChangeAction::Create).unwrap();
    let (address, copy) = (create.address.clone(), create.after.clone().unwrap());
    let mut case = replaced();
    case.sketch = case.sketch.managed(&address, &copy);
    let plan = case.plan();
    assert!(plan.changes.iter().all(|change| change.action != ChangeAction::Create), "{:?}", changes(&plan));
    assert_eq!(plan.withheld, []);
    let mut case = replaced();
    case.sketch = case.sketch.managed("policy/another", &copy);
    let plan = case.plan();
    let reasons: Vec<_> = plan.withheld.iter().map(|own| (own.address.as_str(), own.reason.as_str())).collect();
    assert_eq!(reasons, [("policy/another", "no-holder")]);
}

#[test]
fn room_that_this_plan_makes_is_told() {
    let full = |more: &str| {
        let mut case = replaced();
        for at in 0..8 {
            let address = format!("policy/p{at}");
            let used = document(&[&allow(r#""Action":"sqs:CreateQueue""#)]);
            case.sketch = case.sketch.managed(&address, &used).attach("role/r", &address);
        }
        case.sketch = case.sketch.managed("policy/aws:More", more).attach("role/r", "policy/aws:More");
        case.plan()
    };
    let why = "role/r has 10 managed policies attached, and may have 10 (AttachedPoliciesPerRoleQuota)";
    let check = |plan: &Plan, end: &str| {
        let said: Vec<&str> = plan.withheld.iter().map(|own| own.detail.as_str()).collect();
        assert_eq!(said, [format!("{why}{end}")]);
    };
    let goes = full(&document(&[&allow(r#""Action":"athena:ListWorkGroups""#)]));
    assert_eq!(changes(&goes), ["role/r/attached/aws:More"]);
    check(&goes, "; this plan detaches one: apply it, and plan again");
    check(&full(&document(&[&allow(r#""Action":"sqs:CreateQueue""#)])), "");
}

#[test]
fn one_is_not_many() {
    let gap = |sketch: Sketch, kind: &str| {
        let plan = Case::new(sketch).plan();
        plan.gaps.iter().find(|gap| gap.kind == kind).map(|gap| gap.detail.clone()).unwrap_or_default()
    };
    let one = || Sketch::new().principal("user/a").managed("policy/p", &document(&[&allow(QUEUES)]));
    let two = || one().principal("user/b").managed("policy/q", &document(&[&allow(QUEUES)]));
    assert!(gap(one(), "no-access-keys").starts_with("the access keys of 1 user are "));
    assert!(gap(two(), "no-access-keys").starts_with("the access keys of 2 users are "));
    let tags = "the tags of 1 managed policy are not known, nor whether CloudFormation or Terraform owns it";
    assert_eq!(gap(one(), "no-policy-tags"), tags);
    assert!(gap(two(), "no-policy-tags").starts_with("the tags of 2 managed policies are "));
}
