//! Names and documents come from an account that others may influence: no rendering may act on them.

use std::num::NonZeroUsize;

use secateur_analyzer::account::sketch::{NOW, Sketch};
use secateur_analyzer::analysis::{Analysis, Inputs};
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::rules::{Rules, Settings};

use super::*;
use crate::plan::{InputFile, Limits, Plan, PlanOptions, RewriteSettings, Selection, build};

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
    let inputs = Inputs {
        account: &account,
        older: None,
        settings: &settings,
        rules: &rules,
        now: NOW.parse().unwrap(),
        threads: NonZeroUsize::MIN,
    };
    let analysis = Analysis::new(inputs).unwrap();
    let options = PlanOptions {
        rewrite: RewriteSettings::default(),
        limits: Limits::default(),
        selection: Selection::default(),
        snapshot: InputFile { path: FENCE.to_owned(), sha256: sha256_of(b"") },
        older_snapshot: None,
        config: None,
    };
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
