//! Names and documents come from an account that others may influence: no rendering may act on them.

use secateur_analyzer::account::sketch::{NOW, Sketch};
use secateur_analyzer::analysis::{Analysis, Inputs};
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::rules::{Rules, Settings};
use secateur_analyzer::time::UnixTime;
use std::collections::BTreeMap;

use super::*;
use crate::plan::{Change, ChangeSize, InputFile, KeyEvidence, Plan, PlanOptions, RemovedResource, build};

const FENCE: &str = "```` </code></details> <img src=x onerror=alert(1)> @org/team [x](http://evil) <!-- \u{202e}rtl \u{1b}[2J\u{9b}31m";

fn hostile_plan() -> Plan {
    let long = "n".repeat(128);
    let sid = serde_json::Value::from(FENCE).to_string();
    let document = format!(
        "{{\n  \"Statement\": [\n    {{\n      \"Sid\": {sid},\n      \"Effect\": \"Allow\",\n      \"Action\": [\n        \
         \"sqs:CreateQueue\",\n        \"sqs:DeleteQueue\"\n      ],\n      \"Resource\": {sid}\n    }}\n  ]\n}}"
    );
    let report = "sqs 2026-10-01: CreateQueue=2026-10-01, DeleteQueue";
    let account = Sketch::new()
        .principal("role/ci")
        .change("role/ci", |role| role.unique_id = "AROAEXAMPLEEXAMPLE12".into())
        .principal(&format!("role/{long}"))
        .inline("role/ci", "p", &document)
        .inline("role/ci", FENCE, &document)
        .inline(&format!("role/{long}"), &long, &document)
        .report("role/ci", report)
        .report(&format!("role/{long}"), report)
        .build();
    let (settings, rules) = (Settings::default(), Rules::default());
    let inputs = Inputs::new(&account, &settings, &rules, NOW.parse().unwrap());
    let analysis = Analysis::new(inputs).unwrap();
    let options = PlanOptions::new(InputFile { path: FENCE.to_owned(), sha256: sha256_of(b"") });
    let plan = build(&analysis, &options).plan;
    assert_eq!(plan.changes.len(), 2, "{:?}", plan.withheld);
    assert!(plan.withheld.iter().any(|withheld| withheld.address.contains("@org/team")));
    plan
}

/// Characters that a terminal acts on, or that reorder or hide what stands around them.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || ('\u{200b}'..='\u{202e}').contains(&c)
}

#[test]
fn text_spells_out_what_a_terminal_would_act_on() {
    let text = text(&hostile_plan(), Style::Plain);
    assert!(!text.chars().any(acts), "{text:?}");
    assert!(text.contains("\\u{202e}rtl"), "{text}");
}

#[test]
fn markdown_keeps_names_where_they_stand() {
    let plan = hostile_plan();
    for max_bytes in [MAX_BYTES, 3_000, 1] {
        let page = markdown(&plan, max_bytes);
        assert!(!page.chars().any(acts), "{page:?}");
        assert!(page.contains(&plan.digest.to_string()), "{page}");
        let mut fence: Option<&str> = None;
        for line in page.lines() {
            let ticks = line.len() - line.trim_start_matches('`').len();
            match fence {
                None if ticks >= 3 => fence = line.get(..ticks),
                Some(open) if line == open => fence = None,
                Some(_) => {}
                // Outside of fences nothing of the hostile text stands as it is.
                None => {
                    for part in ["</code></details> ", "<img", "@org", "](http", "<!--"] {
                        assert!(!line.contains(part), "{part}: {line}");
                    }
                }
            }
        }
        assert_eq!(fence, None, "a fence is open: {page}");
        assert_eq!(page.matches("<details>").count(), page.lines().filter(|line| *line == "</details>").count());
    }
}

/// A change like the first one, elsewhere, with so many lines in its document and so many removed actions of a level.
fn another(plan: &Plan, address: &str, lines: usize, (level, number): (&str, usize)) -> Change {
    let mut change = plan.changes[0].clone();
    change.address = address.to_owned();
    let names: Vec<String> =
        (0..lines).map(|at| format!("        \"sqs:SomeRatherLongNameOfAnAction{at}\",\n")).collect();
    let text = change.before.clone().unwrap();
    change.before =
        Some(text.replace("        \"sqs:DeleteQueue\"", &(names.concat() + "        \"sqs:DeleteQueue\"")));
    change.removed[0].count = number;
    change.risk = BTreeMap::from([(level.to_owned(), number)]);
    change.size = Some(ChangeSize { by_names: 7_000, others: 0, after: 6_000, quota: 6_144 });
    change
}

#[test]
fn a_large_change_is_cut_and_the_others_are_shown_whole() {
    let mut plan = hostile_plan();
    plan.changes = vec![
        another(&plan, "policy/a-large", 1_500, ("permissions", 40)),
        another(&plan, "policy/b", 10, ("write", 2)),
        another(&plan, "policy/c", 10, ("list", 1)),
    ];
    assert!(markdown(&plan, usize::MAX).len() > MAX_BYTES);
    let page = markdown(&plan, MAX_BYTES);
    assert!(page.len() <= MAX_BYTES);
    assert!(page.contains("policy/a-large</code> removes 40 actions (risk: 40 permissions)</summary>"), "{page}");
    assert_eq!(page.matches("# does not fit by names (7000 characters of 6144); written in 6000\n").count(), 3);
    assert_eq!(page.matches("-        \"sqs:SomeRatherLongNameOfAnAction9\",\n").count(), 3, "{page}");
    // What is left out of it is counted.
    let shown = page.matches("-        \"sqs:SomeRatherLongNameOfAnAction").count() - 2 * 10;
    let all = markdown(&plan, usize::MAX).lines().filter(|line| line.starts_with(['-', '+', ' '])).count();
    let own = page.lines().filter(|line| line.starts_with(['-', '+', ' '])).count();
    assert!(
        shown > 500 && page.contains(&format!("\n# ... and {} more lines of the diff\n", all - own)),
        "{shown}: {page}"
    );
    let note = format!(
        "Left out to fit {MAX_BYTES} bytes: the longest lists of names and the longest diffs of 1 change. `secateur show` has all."
    );
    assert!(page.contains(&note), "{page}");
    assert!(page.contains("<summary>Withheld"), "{page}");
}

/// Of many names, the riskiest are shown; what the page says in numbers adds up.
#[test]
fn names_are_cut_riskiest_first_and_the_rest_is_counted() {
    let mut plan = hostile_plan();
    let mut large = another(&plan, "policy/large", 0, ("write", 900));
    let catalog = secateur_analyzer::catalog::Catalog::embedded();
    let ec2 = catalog.actions_of(catalog.service("ec2").unwrap()).map(|id| catalog.full_name(id));
    large.removed[0].actions = ec2.take(700).chain(["iam:CreateAccessKey".to_owned()]).collect();
    let small = ["a", "b", "c"].map(|name| another(&plan, &format!("policy/{name}"), 20, ("list", 1)));
    plan.changes = small.into_iter().chain([large]).collect();
    plan.withheld.clear();
    let room = markdown(&plan, usize::MAX).len() - 10_000;
    let page = markdown(&plan, room);
    assert!(page.len() <= room, "{}", page.len());
    assert_eq!(page.matches("NameOfAnAction19").count(), 3, "{page}");
    let block = page.split("policy/large</code>").nth(1).unwrap().split("\n</details>").next().unwrap();
    let shown = block.matches("ec2:").count();
    assert!(block.contains("iam:CreateAccessKey") && shown >= 140, "{block}");
    assert!(block.contains(&format!("\n#     and {} more\n", 700 - shown)), "{shown}: {block}");
    assert!(page.contains("bytes: the longest lists of names and the longest diffs of 1 change."), "{page}");
}

#[test]
fn keys_are_not_the_least_risky() {
    let read = another(&hostile_plan(), "policy/a", 200, ("read", 9));
    let mut access_key = read.clone();
    access_key.address = "user/u/key/AKIA1".to_owned();
    (access_key.removed, access_key.risk) = (Vec::new(), BTreeMap::new());
    access_key.key = Some(KeyEvidence {
        reason: "unused-key".to_owned(),
        created: UnixTime(0),
        last_used: None,
        service: None,
        region: None,
        since: UnixTime(0),
    });
    let mut kms_key = read.clone();
    kms_key.address = "policy/k".to_owned();
    (kms_key.removed, kms_key.risk) = (Vec::new(), BTreeMap::new());
    kms_key.resources = vec![RemovedResource {
        statement: 1,
        sid: None,
        arn: "arn:aws:kms:eu-west-1:111122223333:key/u".parse().unwrap(),
        last_used: None,
        since: UnixTime(0),
    }];
    let scores = [&access_key, &kms_key, &read].map(markdown::risk);
    assert!(scores.is_sorted_by(|riskier, safer| riskier > safer), "{scores:?}");
}

#[test]
fn the_least_risky_go_without_details_first() {
    let mut plan = hostile_plan();
    let sorts = [("list", 90), ("permissions", 5), ("write", 20), ("read", 3)];
    let changes = ["a", "b", "c", "d"].iter().zip(sorts);
    plan.changes = changes.map(|(name, sort)| another(&plan, &format!("policy/{name}"), 200, sort)).collect();
    plan.withheld.clear();
    let whole = markdown(&plan, usize::MAX).len();
    let mut seen = std::collections::BTreeSet::new();
    for max_bytes in (3_000..=whole).step_by(200).chain((0..3_000).step_by(20)).chain([whole]) {
        let page = markdown(&plan, max_bytes);
        assert!(page.len() <= max_bytes.max(markdown(&plan, 0).len() + 10), "{max_bytes}");
        // Of each change: nothing, a line, a block, or a block with its diff.
        let shown = ["b", "c", "a", "d"].map(|name| {
            let title = format!("policy/{name}</code>");
            match page.split_once(&title) {
                None => 0,
                Some((before, _)) if before.ends_with("- <code>~ ") => 1,
                Some((_, after)) => {
                    let block = after.split("</details>").next().unwrap();
                    if block.contains("NameOfAnAction9") { 3 } else { 2 }
                }
            }
        });
        assert!(shown.is_sorted_by(|riskier, safer| riskier >= safer), "{max_bytes}: {shown:?}");
        seen.insert(shown);
    }
    for expect in
        [[3, 3, 3, 3], [3, 3, 3, 2], [3, 2, 2, 2], [2, 2, 2, 2], [2, 2, 2, 1], [1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]]
    {
        assert!(seen.contains(&expect), "{expect:?} is not among {seen:?}");
    }
}

#[test]
fn json_is_read_back_as_it_was() {
    let plan = hostile_plan();
    let json = serde_json::to_vec(&plan).unwrap();
    assert_eq!(crate::plan::read(&json).unwrap(), plan);
}

#[test]
fn a_redacted_plan_has_no_ids_and_is_no_plan() {
    let plan = hostile_plan();
    let json = serde_json::to_string(&redact(&plan).unwrap()).unwrap();
    assert!(!json.contains(&plan.account.id) && !json.contains("AROAEXAMPLE"), "{json}");
    let refused = crate::plan::read(json.as_bytes()).unwrap_err();
    assert_eq!(refused.name(), "other-format");
}
