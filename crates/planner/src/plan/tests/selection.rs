//! What a choice takes and leaves, what rules name, and what is said of both.

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::rules::KeepRule;

use super::*;
use crate::plan::AwsManaged;
use crate::render::{Style, markdown, text};

/// Two roles with a policy of AWS's, of which both use one action.
fn case() -> Case {
    let report = "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue";
    let document = document(&[&allow(r#""Action":["sqs:CreateQueue","sqs:DeleteQueue"]"#)]);
    let sketch = Sketch::new()
        .principal("role/r")
        .principal("role/r2")
        .principal("role/unused")
        .managed("policy/aws:Sqs", &document)
        .attach("role/r", "policy/aws:Sqs")
        .attach("role/r2", "policy/aws:Sqs")
        .report("role/r", report)
        .report("role/r2", report);
    let rewrite = RewriteSettings { aws_managed: AwsManaged::Replace, ..RewriteSettings::default() };
    Case { rewrite, ..Case::new(sketch) }
}

fn chosen(target: &[&str], exclude: &[&str]) -> Plan {
    let own = |globs: &[&str]| globs.iter().map(ToString::to_string).collect();
    let selection = Selection { target: own(target), exclude: own(exclude), only: Vec::new() };
    Case { selection, ..case() }.plan()
}

/// What is advised, but that something was chosen.
fn advised(plan: &Plan) -> Vec<String> {
    let advice = plan.advice.iter().filter(|advice| !["targeted", "rule-expired"].contains(&advice.kind.as_str()));
    advice.map(|advice| format!("{} {}: {}", advice.kind, advice.subject, advice.detail)).collect()
}

/// The name of the copy, and its group.
fn copy() -> (String, String) {
    let plan = case().plan();
    let create = plan.changes.iter().find(|change| change.action == super::super::ChangeAction::Create).unwrap();
    (create.target.name.clone(), create.group.clone().unwrap())
}

#[test]
fn a_group_that_is_taken_whole_is_told() {
    let (copy, group) = copy();
    let plan = chosen(&["role/r"], &[]);
    assert_eq!(plan.changes.len(), 5);
    let expect = format!(
        "group-taken {group}: --target `role/r` names role/r/attached/{copy}; groups go whole, so these are taken too: \
         policy/{copy}, role/r2/attached/{copy}, role/r2/attached/aws:Sqs"
    );
    assert_eq!(advised(&plan), [expect.as_str()]);
    assert!(text(&plan, Style::Plain).contains(expect.split_once(' ').unwrap().1));
    let page = markdown(&plan, usize::MAX);
    assert!(page.contains("\nHas 1 group of changes, which is taken or left whole.\n"), "{page}");
    assert_eq!(
        page.matches(", together with the other changes of <code>policy/aws&#58;Sqs -&#62; policy/Sqs-").count(),
        5
    );
}

#[test]
fn a_group_that_is_left_whole_is_told() {
    let (copy, group) = copy();
    let plan = chosen(&[], &["role/r2"]);
    assert_eq!(changes(&plan), [""; 0]);
    let expect = format!(
        "group-left {group}: --exclude `role/r2` names role/r2/attached/{copy}; groups go whole, so these are left out \
         too: policy/{copy}, role/r/attached/{copy}, role/r/attached/aws:Sqs"
    );
    assert_eq!(advised(&plan), [expect.as_str()]);
    // What is not a target is not left because of what is excluded.
    assert_eq!(advised(&chosen(&["role/unused"], &["role/r2"])), [""; 0]);
    // Nothing is to be said where all of a group is named.
    assert_eq!(advised(&chosen(&["role/r*", &format!("policy/{copy}")], &[])), [""; 0]);
}

#[test]
fn a_policy_is_chosen_with_its_attachments_and_case_does_not_matter() {
    let (copy, _) = copy();
    for glob in ["policy/aws:Sqs", "policy/AWS:sqs", "policy/aws:*", &format!("policy/{copy}"), "ROLE/R", "policy"] {
        assert_eq!(chosen(&[glob], &[]).changes.len(), 5, "{glob}");
        assert_eq!(chosen(&[], &[glob]).changes.len(), 0, "{glob}");
        assert!(!advised(&chosen(&[glob], &[])).iter().any(|advice| advice.starts_with("glob")), "{glob}");
    }
    // Documents, where no single policy is meant.
    let selection = |glob: &str| Selection { target: vec![glob.to_owned()], ..Selection::default() };
    let attached = ["role/r/attached/aws:Sqs", "role/r/attached/Own"];
    for (glob, expect) in [("policy/*", [false, false]), ("policy/own", [false, true]), ("*/attached/*", [true, true])]
    {
        assert_eq!(attached.map(|address| selection(glob).wants(address)), expect, "{glob}");
    }
}

#[test]
fn a_glob_that_names_nothing_is_told() {
    let plan = chosen(&["nonsense", "role/r"], &["role/none/*"]);
    let said: Vec<String> = advised(&plan).into_iter().filter(|advice| advice.starts_with("glob")).collect();
    let expect = |flag: &str, glob: &str| {
        format!(
            "glob-matches-nothing {flag}: `{glob}` names no change, and no user, role, group or policy of the account"
        )
    };
    assert_eq!(said, [expect("--target", "nonsense"), expect("--exclude", "role/none/*")]);
    let nothing = text(&chosen(&["nonsense"], &[]), Style::Plain);
    assert!(nothing.contains("\nA glob of --target or --exclude names nothing: see the advice below.\n"), "{nothing}");
    // What is there and does not change is named all the same.
    assert_eq!(advised(&chosen(&["role/unused"], &[])), [""; 0]);
}

fn kept(policies: &[&str]) -> Plan {
    let actions = vec![ActionPattern::new("sqs:DeleteQueue")];
    let rule = KeepRule {
        actions,
        principals: vec!["role/unused".to_owned(), "role/r".to_owned()],
        policies: policies.iter().map(ToString::to_string).collect(),
        reason: "x".to_owned(),
        expires: None,
    };
    Case { rules: Rules { keep: vec![rule], ..Rules::default() }, ..with_two_actions() }.plan()
}

/// As [`case`], with something that no rule keeps.
fn with_two_actions() -> Case {
    let mut case = case();
    let text = document(&[&allow(r#""Action":["sqs:CreateQueue","sqs:DeleteQueue","sqs:PurgeQueue"]"#)]);
    case.sketch = case.sketch.change_policy("policy/aws:Sqs", |policy| {
        policy.versions[0].document = Some(secateur_analyzer::account::Document::new(text));
    });
    for role in ["role/r", "role/r2"] {
        case.sketch = case.sketch.report(role, "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue, PurgeQueue");
    }
    case
}

#[test]
fn what_the_advice_on_a_keep_rule_says_to_add_names_the_copy() {
    let plan = kept(&["policy/aws:Sqs"]);
    let copy = plan.withheld.iter().find(|withheld| withheld.address == "role/r/attached/aws:Sqs").unwrap();
    assert_eq!(copy.reason, "not-replaced");
    assert!(copy.detail.contains("add \"policy/Sqs-*\" to the rule's policies;"), "{}", copy.detail);
    let name = copy.detail.split("this one is policy/").nth(1).unwrap();
    for glob in ["policy/Sqs-*", "Sqs-????????", &format!("policy/{name}"), &format!("arn:aws:iam::*:policy/{name}")] {
        let plan = kept(&["policy/aws:Sqs", glob]);
        assert!(!plan.withheld.iter().any(|withheld| withheld.address == "role/r/attached/aws:Sqs"), "{glob}");
        assert_eq!(advised(&plan), [""; 0], "{glob}");
    }
    // A typing error is told all the same.
    for glob in ["policy/Sqz-*", "policy/Sqs-4b267fbaa", "policy/Sqs-part-2"] {
        let said = advised(&kept(&["policy/aws:Sqs", glob]));
        assert!(said.iter().any(|advice| advice.starts_with("rule-matches-nothing keep[0]")), "{glob}: {said:?}");
    }
}

#[test]
fn a_policy_of_the_copys_name_elsewhere_is_told_as_what_it_is() {
    let plan = case().plan();
    let create = plan.changes.iter().find(|change| change.action == super::super::ChangeAction::Create).unwrap();
    let mut elsewhere = case();
    let address = format!("policy/{}", create.target.name);
    elsewhere.sketch = elsewhere.sketch.managed(&address, create.after.as_deref().unwrap());
    elsewhere.sketch = elsewhere.sketch.change_policy(&address, |policy| policy.path = "/x/".to_owned());
    let withheld = elsewhere.plan().withheld;
    let said = withheld.iter().find(|withheld| withheld.reason == "not-replaced").unwrap();
    assert_eq!(
        said.detail,
        format!(
            "there is a policy `{}` already, with the same content under the path /x/: only one under / is taken",
            create.target.name
        )
    );
}
