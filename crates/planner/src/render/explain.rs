//! An explanation, for a terminal.

use std::fmt::Write as _;

use super::words::{count, visible, wrapped};
use super::{evidence, keys};
use crate::explain::{ActionExplanation, Explanation, Planned, PlannedChange, PolicyExplanation, StatementGrant};
use crate::plan::ChangeAction;

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
    for key in &explanation.access_keys {
        let _ = writeln!(out, "\n{}", visible(&key.address));
        if let Some(evidence) = &key.deactivated {
            let _ = writeln!(out, "  in the plan: deactivated: {}", keys::access_key(evidence));
        }
        if let Some(withheld) = &key.withheld {
            let _ = writeln!(out, "  withheld, {}: {}", visible(&withheld.reason), visible(&withheld.detail));
        }
    }
    let after = explanation.action.as_ref().and_then(|action| action.granted_after.as_ref());
    match after.map(Vec::as_slice) {
        None => {}
        Some([]) => out.push_str("\nAfter the plan no policy of it grants the action.\n"),
        Some(some) => {
            let some: Vec<_> = some.iter().map(|policy| visible(policy)).collect();
            let _ = writeln!(out, "\nAfter the plan the action is still granted by {}.", some.join(", "));
        }
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
    about_plan(out, policy);
}

/// What the plan makes of a policy, or of the action in it.
fn about_plan(out: &mut String, policy: &PolicyExplanation) {
    let planned = &policy.planned;
    if !planned.changes.is_empty() {
        let changes: Vec<String> = planned.changes.iter().map(done).collect();
        let what = match planned.action {
            None | Some("removed") => changes.join("; "),
            Some(_) => stays(policy, planned),
        };
        let what = if planned.action == Some("removed") { format!("it goes: {what}") } else { what };
        let _ = writeln!(out, "  in the plan: {what}");
    }
    for change in &planned.changes {
        if planned.action.is_none() && change.removed > 0 {
            let _ = writeln!(out, "    removes {}", count(change.removed, "action"));
        }
        for resource in &change.resources {
            let _ = writeln!(out, "    {}", keys::kms_key(resource));
        }
        for statement in &change.statements {
            let _ = writeln!(out, "    {}", keys::statement(statement));
        }
        if let Some(size) = &change.size {
            let _ = writeln!(out, "    {}", evidence::size(size));
        }
        if planned.action.is_none() {
            for readmitted in &change.readmitted {
                let _ = writeln!(out, "    re-admits {}", evidence::readmitted(readmitted));
            }
        }
        for frozen in &change.frozen {
            let _ = writeln!(out, "    {}", evidence::frozen(frozen));
        }
        for still in &change.still_granted_by {
            let by = if still.policy == policy.policy { "this policy still".into() } else { visible(&still.policy) };
            let _ = writeln!(out, "    still granted: {} of them by {by}", still.count);
        }
    }
    for withheld in &planned.withheld {
        let _ = writeln!(out, "  withheld, {}: {}", visible(&withheld.reason), visible(&withheld.detail));
    }
    for advice in &planned.advice {
        let _ = writeln!(out, "  {}", visible(&advice.detail));
    }
}

/// What a change does to the policy.
fn done(change: &PlannedChange) -> String {
    let with: Vec<_> = change.with.iter().map(|policy| visible(policy)).collect();
    let verb = |one: &str, many: &str| if with.len() == 1 { one.to_owned() } else { many.to_owned() };
    let from = change.address.split("/attached/").next().unwrap_or_default();
    let done = match change.action {
        ChangeAction::Update => "the document is rewritten".to_owned(),
        ChangeAction::Delete => "the policy is deleted".to_owned(),
        ChangeAction::Detach => format!("the policy is detached from {}", visible(from)),
        ChangeAction::Create | ChangeAction::Attach | ChangeAction::Deactivate => String::new(),
    };
    match (with.is_empty(), change.action) {
        (true, _) => done,
        (false, ChangeAction::Detach) => format!("{done}, and {} {} its place", with.join(", "), verb("takes", "take")),
        (false, _) => format!("{done}, and {} {} beside it", with.join(", "), verb("comes", "come")),
    }
}

/// Where and why the action stays.
fn stays(policy: &PolicyExplanation, planned: &Planned) -> String {
    let mut places: Vec<&str> = planned.granted_after.iter().map(|grant| grant.policy.as_str()).collect();
    places.dedup();
    let is_here = places == [policy.policy.as_str()];
    let places: Vec<_> = places.into_iter().map(visible).collect();
    let place = if is_here { String::new() } else { format!(" in {}", places.join(", ")) };
    let by: Vec<String> = (planned.changes.iter())
        .flat_map(|change| &change.readmitted)
        .map(|readmitted| format!("\"{}\"", visible(&readmitted.by)))
        .collect();
    if by.is_empty() {
        format!("it stays{place}")
    } else {
        format!("it stays{place}, re-admitted by {}: it could go but for the quota", by.join(", "))
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
