//! An explanation, for a terminal.

use std::fmt::Write as _;

use super::words::{visible, wrapped};
use crate::explain::{ActionExplanation, Explanation, PolicyExplanation, StatementGrant};

/// Returns the explanation as text, with a line break at the end.
pub fn explain(explanation: &Explanation) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}, judged at {}", visible(&explanation.principal), explanation.now);
    match (&explanation.report.generated_at, &explanation.report.problem) {
        (Some(time), _) => _ = writeln!(out, "  report of {time}"),
        (None, problem) => _ = writeln!(out, "  {}", visible(problem.as_deref().unwrap_or("no report"))),
    }
    if let Some(action) = &explanation.action {
        about_action(&mut out, action);
    }
    if explanation.policies.is_empty() {
        let what =
            if explanation.action.is_some() { "No policy of it grants the action." } else { "It holds no policy." };
        let _ = writeln!(out, "\n{what}");
    }
    for policy in &explanation.policies {
        about_policy(&mut out, policy);
    }
    out
}

fn about_action(out: &mut String, action: &ActionExplanation) {
    let _ = writeln!(out, "\n{} ({}, risk {})", visible(&action.action), action.access_level, action.risk);
    let tracked = match action.tracked {
        "yes" => "AWS reports its last use",
        "no" => "AWS does not report its last use",
        _ => "whether AWS reports its last use is not known",
    };
    let _ = writeln!(out, "  {tracked}");
    let service = match (action.service_listed, action.service_last_used) {
        (false, _) => "the report does not list the service".to_owned(),
        (true, None) => "the service was never used in the tracking period".to_owned(),
        (true, Some(time)) => format!("the service was last used at {time}"),
    };
    let _ = writeln!(out, "  {service}");
    let own = match (action.listed, action.last_used) {
        (false, _) => "the report does not list the action".to_owned(),
        (true, None) => "the action was never used in the tracking period".to_owned(),
        (true, Some(time)) => format!("the action was last used at {time}"),
    };
    let _ = writeln!(out, "  {own}");
    for deny in &action.denies {
        let _ = writeln!(out, "  denied by {}", statement(deny, true));
    }
}

fn about_policy(out: &mut String, policy: &PolicyExplanation) {
    let paths: Vec<String> = policy
        .paths
        .iter()
        .map(|path| if path == "direct" { "directly".to_owned() } else { format!("through {}", visible(path)) })
        .collect();
    let _ = writeln!(out, "\n{} (held {})", visible(&policy.policy), paths.join(" and "));
    if let Some(note) = policy.note {
        let _ = writeln!(out, "  {note}");
    }
    if !policy.verdicts.is_empty() {
        let verdicts: Vec<String> =
            policy.verdicts.iter().map(|(verdict, number)| format!("{number} {verdict}")).collect();
        let _ = writeln!(out, "{}", wrapped(&verdicts, 2, 80));
    }
    for grant in &policy.grants {
        let _ = writeln!(out, "  granted by {}", statement(grant, false));
    }
    if let Some(word) = &policy.verdict {
        let _ = writeln!(out, "  {} (row {})", word.verdict, word.row);
        let _ = writeln!(out, "    because: {}", visible(&word.because));
        let _ = writeln!(out, "    what would change it: {}", visible(&word.unless));
    }
    for blocker in &policy.blocked_by {
        let _ = writeln!(out, "  {} keeps it in this policy: {}", visible(&blocker.principal), blocker.verdict);
    }
}

fn statement(grant: &StatementGrant, with_policy: bool) -> String {
    let mut text = format!("statement {}", grant.statement);
    if let Some(sid) = &grant.sid {
        text.push_str(&format!(" \"{}\"", visible(sid)));
    }
    if with_policy {
        text.push_str(&format!(" of {}", visible(&grant.policy)));
    }
    let patterns: Vec<_> = grant.patterns.iter().map(|pattern| visible(pattern)).collect();
    let kind = if grant.not_action { "NotAction" } else { "Action" };
    text.push_str(&format!(": {kind} {}", patterns.join(", ")));
    if !grant.resources.is_empty() {
        let resources: Vec<_> = grant.resources.iter().map(|resource| visible(resource)).collect();
        text.push_str(&format!(" on {}", resources.join(", ")));
    }
    if grant.conditional {
        text.push_str(", with a condition");
    }
    text
}
