//! The plan for a pull request.
//!
//! The decision comes first and is never left out: counts, gaps, digest. Everything that the account's names or documents
//! have a part in stands within a fence that is longer than any run of backticks in it, or escaped in a `<code>`: nothing
//! can ping anybody, close a fence, open HTML or link out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::diff::diff;
use super::evidence::{self, shows_diff};
use super::keys;
use super::riskiest::riskiest_first;
use super::words::{count, visible, visible_line, wrapped};
use crate::plan::{Change, ChangeAction, Plan};

/// What forges take in one comment, with some room: GitHub's limit is 65,536 characters.
pub const MAX_BYTES: usize = 60_000;

/// Gaps beyond this many are counted only.
const MAX_GAPS: usize = 10;
const WIDTH: usize = 100;
/// More lines of one kind than these are counted only, where a change is shown in short.
const MAX_SHORT: usize = 5;

/// Returns the plan as Markdown of at most `max_bytes`, as far as details can be left out to that end.
pub fn markdown(plan: &Plan, max_bytes: usize) -> String {
    let head = head(plan);
    let forms: Vec<Forms> = plan.changes.iter().map(|change| Forms::of(plan, change)).collect();
    let lists = [
        ("who keeps what of shared policies", list("Kept by some holders of a shared policy", &blocked(plan))),
        ("what is withheld", list("Withheld", &withheld(plan))),
        ("advice", list("Advice", &advice(plan))),
    ];
    let whole = head.len() + sum(forms.iter().map(|forms| &forms.whole)) + sum(lists.iter().map(|(_, list)| list));
    let mut page = Page { room: max_bytes.saturating_sub(head.len()), shown: vec![Form::Nothing; forms.len()] };
    if whole <= max_bytes {
        page.shown.fill(Form::Whole);
        return [head, page.changes(&forms), lists.map(|(_, list)| list).concat()].concat();
    }
    // The riskiest first, so that it is the least risky that goes without: each change at all, then in short, then what is
    // said beside the changes, then as much of all diffs and lists of names as there is room for, the longest cut first, then
    // the rest of some. A change too large for the room that is left does not keep others from it.
    page.room = page.room.saturating_sub(MAX_NOTE);
    let mut order: Vec<usize> = (0..forms.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(plan.changes.get(*at).map_or(0, risk)));
    page.show(&forms, &order, Form::Line);
    page.show(&forms, &order, Form::Short);
    let mut left_out = Vec::new();
    let mut beside = String::new();
    for (name, list) in lists {
        match page.room.checked_sub(list.len()) {
            Some(room) => {
                page.room = room;
                beside.push_str(&list);
            }
            None => left_out.push(name.to_owned()),
        }
    }
    let mut forms = forms;
    page.cut(plan, &mut forms);
    page.show(&forms, &order, Form::Cut);
    page.show(&forms, &order, Form::Whole);
    let number = |form: Form| page.shown.iter().filter(|shown| **shown == form).count();
    for (form, what) in [
        (Form::Cut, "the longest lists of names and the longest diffs of"),
        (Form::Short, "the diffs and names of"),
        (Form::Line, "all details of"),
        (Form::Nothing, "altogether, the least risky of all:"),
    ] {
        if number(form) > 0 {
            left_out.push(format!("{what} {}", count(number(form), "change")));
        }
    }
    let note = format!("\nLeft out to fit {max_bytes} bytes: {}. `secateur show` has all.\n", left_out.join("; "));
    [head, page.changes(&forms), beside, note].concat()
}

/// More than the note on what is left out takes.
const MAX_NOTE: usize = 400;

fn sum<'s>(texts: impl Iterator<Item = &'s String>) -> usize {
    texts.map(String::len).sum()
}

/// The risk of what a change removes: by access level, worst first. An access key is for anything that its user may do, and a
/// KMS key for what its statement writes.
pub(super) fn risk(change: &Change) -> u64 {
    let weigh = |(level, number): (&String, &usize)| {
        let weight = match level.as_str() {
            "permissions" | "unknown" => 100,
            "write" => 10,
            "tagging" => 3,
            _ => 1,
        };
        u64::try_from(*number).unwrap_or(u64::MAX).saturating_mul(weight)
    };
    let access_key = if change.key.is_some() { 100 } else { 0 };
    let kms_keys = u64::try_from(change.resources.len()).unwrap_or(u64::MAX).saturating_mul(10);
    change.risk.iter().map(weigh).chain([access_key, kms_keys]).fold(0, u64::saturating_add)
}

/// How many lines of its diff, and how many names, a change may have: the first of these for which all fit, or the last.
const CUTS: [usize; 11] = [1_000, 600, 400, 280, 200, 140, 100, 70, 50, 30, 15];

/// How many lines of its diff, and how many names, are shown of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// None, and few lines of any other kind.
    Short,
    UpTo(usize),
}

/// How much is shown of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Nothing,
    /// What is done, in a line.
    Line,
    /// Risk, reasons and consequences, without the diff and the names of actions.
    Short,
    /// With so many lines of the diff, and so many names, as each change may have.
    Cut,
    Whole,
}

/// A change in each form.
struct Forms {
    line: String,
    short: String,
    /// Empty until it is known how much each change may have.
    cut: String,
    whole: String,
    diff: Vec<String>,
}

impl Forms {
    fn of(plan: &Plan, change: &Change) -> Forms {
        let diff = if shows_diff(change) { diff_lines(change) } else { Vec::new() };
        Forms {
            line: line(change),
            short: block(plan, change, &diff, Detail::Short),
            cut: String::new(),
            whole: block(plan, change, &diff, Detail::UpTo(usize::MAX)),
            diff,
        }
    }

    fn text(&self, form: Form) -> &str {
        match form {
            Form::Nothing => "",
            Form::Line => &self.line,
            Form::Short => &self.short,
            Form::Cut => &self.cut,
            Form::Whole => &self.whole,
        }
    }
}

/// What is shown of the changes, and the room that is left.
struct Page {
    room: usize,
    shown: Vec<Form>,
}

impl Page {
    /// Shows so much of each change, in this order, as far as there is room.
    fn show(&mut self, forms: &[Forms], order: &[usize], form: Form) {
        for at in order {
            let (Some(shown), Some(forms)) = (self.shown.get_mut(*at), forms.get(*at)) else { continue };
            let room = self.room + forms.text(*shown).len();
            match room.checked_sub(forms.text(form).len()) {
                // What is not even shown in a line is not shown at length.
                _ if form != Form::Line && *shown == Form::Nothing => {}
                // Nor is what is not shown in short.
                _ if matches!(form, Form::Cut | Form::Whole) && *shown == Form::Line => {}
                // All of it is no cut.
                Some(room) if forms.text(form) == forms.whole => (self.room, *shown) = (room, Form::Whole),
                Some(room) => (self.room, *shown) = (room, form),
                // No safer change stands where a riskier one is left out; the diff of a shorter one may.
                None if matches!(form, Form::Line | Form::Short) => return,
                None => {}
            }
        }
    }

    /// Cuts the changes that are shown in short to as many lines and names each as there is room for in all.
    fn cut(&self, plan: &Plan, forms: &mut [Forms]) {
        for most in CUTS {
            let mut more = 0;
            for ((change, forms), _) in
                plan.changes.iter().zip(forms.iter_mut()).zip(&self.shown).filter(|(_, shown)| **shown == Form::Short)
            {
                forms.cut = block(plan, change, &forms.diff, Detail::UpTo(most));
                more += forms.cut.len().saturating_sub(forms.short.len());
            }
            if more <= self.room {
                return;
            }
        }
    }

    fn changes(&self, forms: &[Forms]) -> String {
        forms.iter().zip(&self.shown).map(|(forms, form)| forms.text(*form)).collect()
    }
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
    if let Some(assumed) = evidence::assumed(summary) {
        head.push_str(&format!("\n{assumed} (`unknown_grant_date = \"assume-old\"`).\n"));
    }
    if summary.readmitted > 0 {
        head.push_str(&format!(
            "\nRe-admits {} that could go, because only wildcards fit the quotas.\n",
            count(summary.readmitted, "action")
        ));
    }
    let groups: BTreeSet<&String> = plan.changes.iter().filter_map(|change| change.group.as_ref()).collect();
    if !groups.is_empty() {
        let (number, each) = (count(groups.len(), "group"), if groups.len() == 1 { "which" } else { "each of which" });
        head.push_str(&format!("\nHas {number} of changes, {each} is taken or left whole.\n"));
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
    let group = match &change.group {
        Some(group) => format!(", together with the other changes of <code>{}</code>", html(group)),
        None => String::new(),
    };
    format!("{}{group}", own_title(change))
}

fn own_title(change: &Change) -> String {
    if let Some(key) = &change.key {
        let why = html(&keys::access_key(key));
        return format!("<code>{} {}</code> deactivate: {why}", symbol(change.action), html(&change.address));
    }
    let keys = match keys::kms_keys(std::slice::from_ref(change)) {
        0 => String::new(),
        number => {
            let statements = keys::statements(std::slice::from_ref(change));
            format!(", takes out {}{statements}", count(number, "KMS key"))
        }
    };
    let removed = change.removed.iter().map(|removed| removed.count).sum();
    let effect = match change.action {
        ChangeAction::Attach if removed == 0 => "attached".to_owned(),
        ChangeAction::Create if removed == 0 => "created".to_owned(),
        ChangeAction::Detach if removed == 0 => "detached".to_owned(),
        _ if change.risk.is_empty() => format!("removes {}{keys}", count(removed, "action")),
        _ => format!("removes {}{keys} (risk: {})", count(removed, "action"), evidence::levels(&change.risk)),
    };
    format!("<code>{} {}</code> {effect}", symbol(change.action), html(&change.address))
}

/// A change without its details.
fn line(change: &Change) -> String {
    format!("- {}\n", title(change))
}

/// A change with its diff and its evidence, collapsed; or, in short, without the diff and names, and with few of a kind.
fn block(plan: &Plan, change: &Change, diff: &[String], detail: Detail) -> String {
    if change.key.is_some() {
        return format!("{}\n", line(change));
    }
    let is_short = detail == Detail::Short;
    let (max, most) = match detail {
        Detail::Short => (MAX_SHORT, 0),
        Detail::UpTo(most) => (usize::MAX, most),
    };
    let note = |text: String| format!("# {text}");
    let mut lines: Vec<String> = diff.iter().take(most).cloned().collect();
    if let (false, more @ 1..) = (is_short, diff.len() - lines.len()) {
        lines.push(note(format!("... and {} of the diff", count(more, "more line"))));
    }
    let some = |lines: &mut Vec<String>, all: Vec<String>, what: &str| {
        let more = all.len().saturating_sub(max);
        lines.extend(all.into_iter().take(max).map(note));
        if more > 0 {
            lines.push(note(format!("... and {more} more {what}")));
        }
    };
    // Entries come riskiest first, and where one is cut, so do its names.
    let mut names_left = most;
    let mut names = |lines: &mut Vec<String>, names: &[String]| {
        if is_short {
            return;
        }
        let ordered = if names.len() > names_left { riskiest_first(names) } else { Cow::Borrowed(names) };
        let (shown, more) = ordered.split_at(names_left.min(names.len()));
        names_left -= shown.len();
        lines.extend(wrapped(shown, 4, WIDTH).lines().map(|line| note(line.to_owned())));
        if !more.is_empty() {
            lines.push(note(format!("    and {} more", more.len())));
        }
    };
    let holders = change.holders.iter().take(max).map(|holder| evidence::principal(plan, *holder));
    let more = change.holders.len().saturating_sub(max);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    lines.push(note(format!("held by {}{more}", holders.collect::<Vec<_>>().join(", "))));
    some(&mut lines, change.resources.iter().map(keys::kms_key).collect(), "KMS keys");
    for statement in change.statements.iter().take(max) {
        lines.push(note(keys::statement(statement)));
        names(&mut lines, &statement.actions);
    }
    if let Some(more) = change.statements.len().checked_sub(max).filter(|more| *more > 0) {
        lines.push(note(format!("... and {more} more statements that go with their KMS keys")));
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for removed in &change.removed {
        *reasons.entry(&removed.reason).or_default() += removed.count;
        if !is_short {
            lines.push(note(format!("{}, {}", count(removed.count, "action"), visible(&removed.reason))));
            lines.extend(evidence::lines(plan, removed).into_iter().map(|line| note(format!("    {line}"))));
        }
        names(&mut lines, &removed.actions);
    }
    if is_short {
        let reasons = reasons.into_iter();
        lines.extend(reasons.map(|(reason, number)| note(format!("{}, {}", count(number, "action"), visible(reason)))));
    }
    lines.extend(change.size.iter().map(|size| note(evidence::size(size))));
    for readmitted in change.readmitted.iter().take(max) {
        lines.push(note(format!("re-admits {}", evidence::readmitted(readmitted))));
        names(&mut lines, &readmitted.actions);
    }
    if let Some(more) = change.readmitted.get(max.min(change.readmitted.len())..).filter(|more| !more.is_empty()) {
        let actions = more.iter().map(|readmitted| readmitted.count).sum();
        lines.push(note(format!("re-admits {} by {}", count(actions, "action"), count(more.len(), "more pattern"))));
    }
    some(&mut lines, change.frozen.iter().map(evidence::frozen).collect(), "frozen patterns");
    let still = change.still_granted_by.iter().map(|still| evidence::still_granted(plan, change, still));
    some(&mut lines, still.collect(), "that still grant some of them");
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
    let lines: Vec<String> = lines.iter().map(|line| visible_line(line).into_owned()).collect();
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
