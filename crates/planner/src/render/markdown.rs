//! The plan for a pull request.
//!
//! The decision comes first and is never left out: counts, gaps, digest. Everything that the account's names or documents
//! have a part in stands within a fence that is longer than any run of backticks in it, or escaped in a `<code>`: nothing
//! can ping anybody, close a fence, open HTML or link out.

use super::diff::diff;
use super::evidence::{self, shows_diff};
use super::keys;
use super::words::{count, visible, visible_line, wrapped};
use crate::plan::{Change, ChangeAction, Plan};

/// What forges take in one comment, with some room: GitHub's limit is 65,536 characters.
pub const MAX_BYTES: usize = 60_000;

/// Gaps beyond this many are counted only.
const MAX_GAPS: usize = 10;
const WIDTH: usize = 100;

/// Returns the plan as Markdown of at most `max_bytes`, as far as details can be left out to that end.
pub fn markdown(plan: &Plan, max_bytes: usize) -> String {
    let head = head(plan);
    let changes: Vec<String> = plan.changes.iter().map(|change| block(plan, change)).collect();
    let lines: Vec<String> = plan.changes.iter().map(line).collect();
    let rest = [
        list("Kept by some holders of a shared policy", &blocked(plan)),
        list("Withheld", &withheld(plan)),
        list("Advice", &advice(plan)),
    ]
    .concat();
    let whole = [head.as_str(), &changes.concat(), &rest].concat();
    if whole.len() <= max_bytes {
        return whole;
    }
    // Blocks become lines from the end, which is the least risky of what is left; then what is said beside the changes goes;
    // then lines.
    let left_out = |what: &str| format!("\nLeft out to fit {max_bytes} bytes: {what}. `secateur show` has all.\n");
    for (rest, beside) in [(rest.as_str(), ""), ("", " and what is withheld or advised")] {
        for kept in (0..changes.len()).rev() {
            let (blocks, tail) = (changes.iter().take(kept), lines.iter().skip(kept));
            let what = left_out(&format!("the details of {}{beside}", count(changes.len() - kept, "change")));
            let page: String =
                std::iter::once(&head).chain(blocks).chain(tail).map(String::as_str).chain([rest, &what]).collect();
            if page.len() <= max_bytes {
                return page;
            }
        }
    }
    for kept in (0..lines.len()).rev() {
        let gone = count(lines.len() - kept, "change");
        let what = left_out(&format!("all details, and {gone} altogether"));
        let page: String =
            std::iter::once(&head).chain(lines.iter().take(kept)).chain([&what]).map(String::as_str).collect();
        if page.len() <= max_bytes || kept == 0 {
            return page;
        }
    }
    [head, left_out("all details")].concat()
}

fn head(plan: &Plan) -> String {
    let summary = &plan.summary;
    let decision = if plan.changes.is_empty() {
        "**No changes.**".to_owned()
    } else {
        format!(
            "**Plan: {} to add, {} to change, {} to destroy.** Removes {}{}.",
            summary.add,
            summary.change,
            summary.destroy,
            count(summary.removed_actions, "action"),
            keys::summary(plan)
        )
    };
    let mut head = format!(
        "## secateur: account {}\n\n{decision} {}, {} withheld.\n",
        code(&plan.account.id),
        count(summary.gaps, "gap"),
        summary.withheld
    );
    if summary.assumed_grant_dates > 0 {
        head.push_str(&format!(
            "\n{} rest on an assumed date of grant (`unknown_grant_date = \"assume-old\"`).\n",
            count(summary.assumed_grant_dates, "removal")
        ));
    }
    if summary.readmitted > 0 {
        head.push_str(&format!(
            "\nRe-admits {} that could go, because only wildcards fit the quotas.\n",
            count(summary.readmitted, "action")
        ));
    }
    if !plan.complete {
        head.push_str("\n**Incomplete: the authorization details are not whole, so this plan cannot be applied.**\n");
    }
    head.push_str(&format!("\nDigest: `{}`\n", plan.digest));
    let expired = plan.advice.iter().filter(|advice| advice.kind == "rule-expired");
    let expired: Vec<String> = expired.map(|advice| format!("{}: {}", advice.subject, advice.detail)).collect();
    if !expired.is_empty() {
        head.push_str(&format!("\nRules that have expired:\n\n{}", fence("text", &expired)));
    }
    if !plan.gaps.is_empty() {
        let mut gaps: Vec<String> =
            plan.gaps.iter().take(MAX_GAPS).map(|gap| format!("{}: {}", gap.subject, gap.detail)).collect();
        if plan.gaps.len() > MAX_GAPS {
            gaps.push(format!("... and {} more", plan.gaps.len() - MAX_GAPS));
        }
        head.push_str(&format!("\nGaps: this could not be seen.\n\n{}", fence("text", &gaps)));
    }
    head.push('\n');
    head
}

fn symbol(action: ChangeAction) -> &'static str {
    match action {
        ChangeAction::Create | ChangeAction::Attach => "+",
        ChangeAction::Update | ChangeAction::Deactivate => "~",
        ChangeAction::Delete | ChangeAction::Detach => "-",
    }
}

fn title(change: &Change) -> String {
    if let Some(key) = &change.key {
        let why = html(&keys::access_key(key));
        return format!("<code>{} {}</code> deactivate: {why}", symbol(change.action), html(&change.address));
    }
    let keys = match change.resources.len() {
        0 => String::new(),
        number => format!(", takes out {}", count(number, "KMS key")),
    };
    let removed = change.removed.iter().map(|removed| removed.count).sum();
    let effect = match change.action {
        ChangeAction::Attach if removed == 0 => "attached".to_owned(),
        ChangeAction::Create if removed == 0 => "created".to_owned(),
        ChangeAction::Detach if removed == 0 => "detached".to_owned(),
        _ => format!("removes {}{keys}", count(removed, "action")),
    };
    format!("<code>{} {}</code> {effect}", symbol(change.action), html(&change.address))
}

/// A change without its details.
fn line(change: &Change) -> String {
    format!("- {}\n", title(change))
}

/// A change with its diff and its evidence, collapsed.
fn block(plan: &Plan, change: &Change) -> String {
    if change.key.is_some() {
        return format!("{}\n", line(change));
    }
    let mut lines = Vec::new();
    if shows_diff(change) {
        lines.extend(diff_lines(change));
    }
    let note = |text: String| format!("# {text}");
    let holders: Vec<String> = change.holders.iter().map(|holder| evidence::principal(plan, *holder)).collect();
    lines.push(note(format!("held by {}", holders.join(", "))));
    lines.extend(change.resources.iter().map(|resource| note(keys::kms_key(resource))));
    for removed in &change.removed {
        lines.push(note(format!("{}, {}", count(removed.count, "action"), visible(&removed.reason))));
        lines.extend(evidence::lines(plan, removed).into_iter().map(|line| note(format!("    {line}"))));
        let names = wrapped(&removed.actions, 4, WIDTH);
        lines.extend(names.lines().map(|line| note(line.to_owned())));
    }
    lines.extend(change.size.iter().map(|size| note(evidence::size(size))));
    for readmitted in &change.readmitted {
        lines.push(note(format!("re-admits {}", evidence::readmitted(readmitted))));
        let names = wrapped(&readmitted.actions, 4, WIDTH);
        lines.extend(names.lines().map(|line| note(line.to_owned())));
    }
    lines.extend(change.frozen.iter().map(|frozen| note(evidence::frozen(frozen))));
    lines.extend(change.still_granted_by.iter().map(|still| note(evidence::still_granted(plan, change, still))));
    format!("<details><summary>{}</summary>\n\n{}\n</details>\n\n", title(change), fence("diff", &lines))
}

fn diff_lines(change: &Change) -> Vec<String> {
    let (before, after) = (change.before.as_deref().unwrap_or_default(), change.after.as_deref().unwrap_or_default());
    let diff = diff(before, after);
    let mut lines = Vec::new();
    if diff.is_laid_out_anew {
        lines.push("# shown one element a line; the author's layout stays".to_owned());
    }
    for (at, hunk) in diff.hunks.iter().enumerate() {
        if at > 0 {
            lines.push("@@ ... @@".to_owned());
        }
        lines.extend(hunk.iter().map(|(symbol, line)| format!("{symbol}{line}")));
    }
    lines
}

fn blocked(plan: &Plan) -> Vec<String> {
    plan.blocked.iter().map(|blocked| format!("{}: {}", blocked.address, evidence::blocked(plan, blocked))).collect()
}

fn withheld(plan: &Plan) -> Vec<String> {
    plan.withheld
        .iter()
        .map(|withheld| format!("{}: {}: {}", withheld.reason, withheld.address, withheld.detail))
        .collect()
}

fn advice(plan: &Plan) -> Vec<String> {
    let advice = plan.advice.iter().filter(|advice| advice.kind != "rule-expired");
    advice.map(|advice| format!("{}: {}", advice.subject, advice.detail)).collect()
}

fn list(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!("<details><summary>{title} ({})</summary>\n\n{}\n</details>\n\n", lines.len(), fence("text", lines))
}

/// Lines in a fence that nothing in them can close.
fn fence(language: &str, lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| visible_line(line)).collect();
    let longest = lines.iter().map(|line| longest_run(line, '`')).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// A name as a code span that it cannot leave.
fn code(text: &str) -> String {
    let text = visible(text);
    let ticks = "`".repeat(longest_run(&text, '`') + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// A text for HTML: all but letters, digits and a few harmless signs as numbers, so that Markdown sees nothing in it.
fn html(text: &str) -> String {
    let mut escaped = String::new();
    for c in visible(text).chars() {
        if c.is_alphanumeric() || matches!(c, '/' | '-' | '.' | ' ') {
            escaped.push(c);
        } else {
            escaped.push_str(&format!("&#{};", u32::from(c)));
        }
    }
    escaped
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_where_they_stand() {
        assert_eq!(html("<b>@team [x](http://y)"), "&#60;b&#62;&#64;team &#91;x&#93;&#40;http&#58;//y&#41;");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`"), "`` ` ``");
        let fenced = fence("text", &["```\n</details>".to_owned(), "````".to_owned()]);
        assert!(fenced.starts_with("`````text\n") && fenced.ends_with("\n`````\n"), "{fenced}");
        assert!(fenced.contains("\\u{a}"), "{fenced}");
    }
}
