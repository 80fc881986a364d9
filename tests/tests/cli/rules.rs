//! What the rules of `secateur.toml` do to a plan.

use serde_json::Value;

use super::scene::{PLAN, SNAPSHOT, Scene, addresses, change, withheld};

const DEPLOY: &str = "role/ci/inline/deploy";

fn plan_with(config: &str) -> (Scene, Value) {
    let scene = Scene::small();
    scene.write("secateur.toml", config);
    let plan = scene.plan(&[]);
    scene.run(&["verify", PLAN]).ended_with(0);
    (scene, plan)
}

fn names(change: &Value) -> Vec<&str> {
    let removed = change["removed"].as_array().unwrap().iter();
    removed.flat_map(|removed| removed["actions"].as_array().unwrap()).map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn keep_rules_keep() {
    let (_, plan) = plan_with("[[keep]]\nactions = ['SQS:delete*']\nreason = 'clean-up'\n");
    assert_eq!(names(change(&plan, DEPLOY)), ["athena:*"]);
    assert!(!names(change(&plan, "role/ci/inline/messages")).contains(&"sqs:DeleteQueue"));
    let (_, plan) = plan_with("[[keep]]\nactions = ['*']\nprincipals = ['role/ci']\nreason = 'frozen'\n");
    // Who holds policy/shared too does not lose by it.
    assert!(!addresses(&plan).iter().any(|address| address.starts_with("role/ci/") || *address == "policy/shared"));
    let (_, plan) = plan_with("[[keep]]\npolicies = ['policy/shared', 'role/ci/*']\nreason = 'frozen'\n");
    assert!(!addresses(&plan).iter().any(|address| address.starts_with("role/ci/") || *address == "policy/shared"));
}

#[test]
fn ignore_rules_leave_principals_and_policies_alone() {
    let (scene, plan) = plan_with("[[ignore]]\nprincipals = ['role/ci']\nreason = 'break glass'\n");
    assert!(!addresses(&plan).iter().any(|address| address.starts_with("role/ci/")));
    assert_eq!(withheld(&plan, DEPLOY)[0].0, "ignored");
    assert_eq!(withheld(&plan, "policy/shared")[0].0, "holder-left-alone");
    assert!(scene.run(&["show", PLAN]).stdout.contains("break glass"));
    let (_, plan) = plan_with("[[ignore]]\npolicies = ['shared']\nreason = 'x'\n");
    assert_eq!(withheld(&plan, "policy/shared")[0].0, "ignored");
    let (_, plan) = plan_with("[[ignore]]\npaths = ['/']\nreason = 'x'\n");
    assert_eq!(addresses(&plan), [""; 0]);
    let (_, plan) = plan_with("[[ignore]]\ntags = ['aws:cloudformation:*']\nreason = 'x'\n");
    // The tags of managed policies are not known here: they may be such.
    assert_eq!(addresses(&plan).len(), 4);
    assert_eq!(withheld(&plan, "policy/shared")[0].0, "ignored");
}

#[test]
fn a_policy_with_a_source_is_left_alone_and_its_file_named() {
    let (_, plan) = plan_with("[[source]]\npolicy = 'policy/shared'\nfile = 'infra/shared.tf'\n");
    assert!(matches!(withheld(&plan, "policy/shared")[..], [("left-alone", why)] if why.contains("infra/shared.tf")));
    assert_eq!(addresses(&plan).len(), 6);
}

#[test]
fn an_expired_rule_is_reported_first_and_what_it_protected_is_withheld_for_a_while() {
    // Judged on 2026-10-10: two days after the rule's last day.
    let config = "[[keep]]\nactions = ['sqs:DeleteQueue']\nreason = 'clean-up'\nexpires = 2026-10-08\n";
    let (scene, plan) = plan_with(config);
    assert!(!names(change(&plan, DEPLOY)).contains(&"sqs:DeleteQueue"));
    assert_eq!(plan["advice"][0]["kind"], "rule-expired");
    let shown = scene.run(&["show", PLAN]).stdout;
    let first = shown.lines().next().unwrap();
    assert!(first.starts_with("Warning: keep[0]: the rule \"clean-up\" expired on 2026-10-08"), "{first}");
    assert!(shown.contains("\n  rule-expired\n"), "what is withheld is not named:\n{shown}");

    let (scene, plan) = plan_with(&config.replace("10-08", "09-01"));
    assert!(names(change(&plan, DEPLOY)).contains(&"sqs:DeleteQueue"));
    assert!(scene.run(&["show", PLAN]).stdout.starts_with("Warning: keep[0]: the rule \"clean-up\" expired"));

    let (scene, plan) = plan_with(&config.replace("10-08", "10-10"));
    assert!(!names(change(&plan, DEPLOY)).contains(&"sqs:DeleteQueue"));
    assert!(!scene.run(&["show", PLAN]).stdout.contains("expired"));
}

#[test]
fn an_expired_ignore_rule_withholds_too() {
    let config = "[[ignore]]\nprincipals = ['role/ci']\nreason = 'break glass'\nexpires = '2026-10-08'\n";
    let (_, plan) = plan_with(config);
    assert_eq!(withheld(&plan, DEPLOY)[0].0, "rule-expired");
    let (_, plan) = plan_with(&config.replace("10-08", "09-01"));
    assert!(addresses(&plan).contains(&DEPLOY));
}

#[test]
fn limits_withhold() {
    let (_, plan) = plan_with("[limits]\nmax_changes = 2\n");
    assert_eq!(addresses(&plan), ["group/data/attached/warehouse", "group/data/inline/lake"]);
    assert!(matches!(withheld(&plan, DEPLOY)[..], [("limit", why)] if why.contains("max_changes (2)")));
    let (_, plan) = plan_with("[limits]\nmax_removed_per_policy = 81\n");
    assert_eq!(addresses(&plan), ["group/data/inline/lake", "policy/shared", "role/ci/inline/messages"]);
    assert!(matches!(withheld(&plan, DEPLOY)[..], [("limit", why)] if why.contains("removes 82 actions")));
    let (_, plan) = plan_with("[limits]\nmax_changes = 0\n");
    assert_eq!(addresses(&plan), [""; 0]);
}

#[test]
fn settings_of_evidence_decide() {
    let (_, plan) = plan_with("[evidence]\nmin_idle_days = 400\n");
    assert!(!addresses(&plan).contains(&"group/data/inline/lake"));
    let (_, plan) = plan_with("[evidence]\ndormant = 'prune'\n");
    assert!(addresses(&plan).contains(&"role/sleeper/inline/old"));
    let (_, plan) = plan_with("[rewrite]\nnot_action = 'advise'\n");
    assert_eq!(withheld(&plan, "role/power/inline/power")[0].0, "not-action");
    let (_, plan) = plan_with("[evidence]\nregions_in_use = ['xx-nowhere-1']\n");
    assert_eq!(addresses(&plan), [""; 0]);
}

#[test]
fn an_old_catalogue_splits_no_pattern() {
    let scene = Scene::small();
    scene.write("secateur.toml", "[evidence]\nmax_catalog_age_days = 1\n");
    let plan = scene.plan(&[]);
    let entry = withheld(&plan, "role/ci/inline/messages");
    assert!(matches!(entry[..], [("catalog-too-old", why)] if why.contains("`kinesis:*`")), "{entry:?}");
    assert!(addresses(&plan).contains(&DEPLOY), "what goes whole needs no names");
    let answer = scene.run(&["plan", "--snapshot", SNAPSHOT]).ended_with(0);
    assert!(answer.stdout.contains("  catalog-too-old\n"), "{answer}");
}
