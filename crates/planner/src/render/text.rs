//! The plan for a terminal, in Terraform's symbols and wording.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use secateur_analyzer::parallel;

use super::diff::diff;
use super::evidence::{self, shows_diff};
use super::keys;
use super::words::{count, visible, wrapped};
use crate::plan::{Advice, Blocked, Change, ChangeAction, Plan, PlanGap, Withheld};

/// Whether to write ANSI colours. Colour never carries meaning alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// No colours.
    Plain,
    /// ANSI colours.
    Ansi,
}

/// More lines of one kind than this are summed up: the plan file has them all.
const MAX_LINES: usize = 20;
const WIDTH: usize = 100;

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

/// Returns the plan as text, with a line break at the end.
pub fn text(plan: &Plan, style: Style) -> String {
    text_on(plan, style, NonZeroUsize::MIN).concat()
}

/// Changes that are written by one thread at a time: few enough for texts that fit where others were given back.
const PART: usize = 16;

/// Returns the plan as text, in pieces, which several threads write.
pub(crate) fn text_on(plan: &Plan, style: Style, threads: NonZeroUsize) -> Vec<String> {
    let mut page = Page { out: String::new(), style };
    let mut pieces = Vec::new();
    page.expired_rules(plan);
    page.gaps(&plan.gaps);
    if plan.changes.is_empty() {
        page.no_changes(plan);
    } else {
        page.legend(plan);
        pieces.push(std::mem::take(&mut page.out));
        let parts: Vec<&[Change]> = plan.changes.chunks(PART).collect();
        pieces.extend(parallel::map(threads, &parts, |part| {
            let mut page = Page { out: String::new(), style };
            part.iter().for_each(|change| page.change(plan, change));
            page.out.shrink_to_fit();
            page.out
        }));
    }
    page.blocked(plan);
    page.withheld(&plan.withheld);
    page.advice(&plan.advice);
    page.summary(plan);
    pieces.push(page.out);
    pieces
}

struct Page {
    out: String,
    style: Style,
}

/// The symbol and the colour of an action, and what happens in words.
fn symbol(action: ChangeAction) -> (&'static str, &'static str, &'static str) {
    match action {
        ChangeAction::Create => ("+", GREEN, "will be created"),
        ChangeAction::Attach => ("+", GREEN, "will be attached"),
        ChangeAction::Update => ("~", YELLOW, "will be updated in-place"),
        ChangeAction::Deactivate => ("~", YELLOW, "will be deactivated"),
        ChangeAction::Delete => ("-", RED, "will be destroyed"),
        ChangeAction::Detach => ("-", RED, "will be detached"),
    }
}

impl Page {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        let mut painted = Page { out: String::new(), style: self.style };
        painted.push_painted(colour, text);
        painted.out
    }

    fn push_painted(&mut self, colour: &str, text: &str) {
        match self.style {
            Style::Plain => self.out.push_str(text),
            Style::Ansi => self.out.extend(["\u{1b}[", colour, "m", text, "\u{1b}[0m"]),
        }
    }

    fn expired_rules(&mut self, plan: &Plan) {
        let expired: Vec<&Advice> = plan.advice.iter().filter(|advice| advice.kind == "rule-expired").collect();
        for advice in &expired {
            let warning = self.paint(YELLOW, "Warning:");
            self.line(&format!("{warning} {}: {}", visible(&advice.subject), visible(&advice.detail)));
        }
        if !expired.is_empty() {
            self.line("");
        }
    }

    fn gaps(&mut self, gaps: &[PlanGap]) {
        if gaps.is_empty() {
            return;
        }
        let warning = self.paint(YELLOW, "Warning:");
        self.line(&format!("{warning} {}: this could not be seen.", count(gaps.len(), "gap")));
        let by_kind = by(gaps, |gap| gap.kind.as_str());
        for (_, gaps) in by_kind {
            let lines = gaps.iter().map(|gap| format!("  {}: {}", visible(&gap.subject), visible(&gap.detail)));
            self.some_lines(lines);
        }
        self.line("");
    }

    fn some_lines(&mut self, mut lines: impl ExactSizeIterator<Item = String>) {
        let more = lines.len().saturating_sub(MAX_LINES);
        for line in lines.by_ref().take(MAX_LINES) {
            self.line(&line);
        }
        if more > 0 {
            self.line(&format!("  ... and {more} more of this kind; `secateur show --format json` has them all"));
        }
    }

    fn no_changes(&mut self, plan: &Plan) {
        let title = self.paint(BOLD, "No changes.");
        self.line(&format!("{title} Nothing of account {} is to be removed.", visible(&plan.account.id)));
        let is_targeted = plan.advice.iter().any(|advice| advice.kind == "targeted");
        let names_nothing = plan.advice.iter().any(|advice| advice.kind == "glob-matches-nothing");
        let reason = if names_nothing {
            "A glob of --target or --exclude names nothing: see the advice below."
        } else if is_targeted {
            "--target, --exclude or --only left changes out: run `secateur plan` without them to see all."
        } else if plan.withheld.iter().any(|withheld| ["limit", "dormant"].contains(&withheld.reason.as_str())) {
            "What could go is withheld; see below why."
        } else if !plan.gaps.is_empty() {
            "What has gaps is kept: see the warnings above."
        } else if !plan.withheld.is_empty() {
            "What is withheld, and why, is listed below."
        } else if !plan.blocked.is_empty() {
            "What some holders of shared policies could lose, others keep: see below who."
        } else {
            "What is granted is in use, too recent, protected, not tracked by AWS, or in no report: `secateur explain` says which."
        };
        self.line("");
        self.line(reason);
    }

    fn legend(&mut self, plan: &Plan) {
        self.line(&format!(
            "secateur judged account {} at {}, by what was used within {} days, and generated the",
            visible(&plan.account.id),
            plan.window.now,
            plan.window.min_idle_days
        ));
        self.line("following plan. Changes are indicated with the following symbols:");
        let legend = [
            ("+", GREEN, "create or attach", [ChangeAction::Create, ChangeAction::Attach]),
            ("~", YELLOW, "update in-place", [ChangeAction::Update, ChangeAction::Deactivate]),
            ("-", RED, "destroy or detach", [ChangeAction::Delete, ChangeAction::Detach]),
        ];
        for (symbol, colour, words, actions) in legend {
            if plan.changes.iter().any(|change| actions.contains(&change.action)) {
                let symbol = self.paint(colour, symbol);
                self.line(&format!("  {symbol} {words}"));
            }
        }
        self.line("");
        self.line("secateur will perform the following actions:");
    }

    fn change(&mut self, plan: &Plan, change: &Change) {
        let (symbol, colour, words) = symbol(change.action);
        let title = self.paint(BOLD, &format!("# {}", visible(&change.address)));
        self.line("");
        self.line(&format!("  {title} {words}"));
        if let Some(group) = &change.group {
            self.line(&format!("  # (together with the other changes of {})", visible(group)));
        }
        let symbol = self.paint(colour, symbol);
        let owner = change.target.owner.as_deref().map(|owner| format!(" of {}", visible(owner))).unwrap_or_default();
        self.line(&format!("  {symbol} {} \"{}\"{owner}", visible(&change.target.kind), visible(&change.target.name)));
        if let Some(key) = &change.key {
            self.line(&format!("      deactivate: {}", keys::access_key(key)));
            return;
        }
        self.holders(plan, change);
        if shows_diff(change) {
            self.diff(change.before.as_deref().unwrap_or_default(), change.after.as_deref().unwrap_or_default());
        }
        for resource in &change.resources {
            let minus = self.paint(RED, "-");
            self.line(&format!("      {minus} {}", keys::kms_key(resource)));
        }
        for statement in &change.statements {
            let minus = self.paint(RED, "-");
            self.line(&format!("      {minus} {}", keys::statement(statement)));
            if statement.count > 0 {
                self.line(&wrapped(&statement.actions, 10, WIDTH));
            }
        }
        if !change.removed.is_empty() {
            self.removed(plan, change);
        }
        if let Some(size) = &change.size {
            self.line(&format!("      {}", evidence::size(size)));
        }
        for readmitted in &change.readmitted {
            let still = self.paint(YELLOW, "re-admits");
            self.line(&format!("      {still} {}:", evidence::readmitted(readmitted)));
            self.line(&wrapped(&readmitted.actions, 10, WIDTH));
        }
        for frozen in &change.frozen {
            self.line(&format!("      {}", evidence::frozen(frozen)));
        }
        self.still_granted(plan, change);
    }

    fn holders(&mut self, plan: &Plan, change: &Change) {
        let names: Vec<String> = change.holders.iter().map(|holder| evidence::principal(plan, *holder)).collect();
        let is_own = matches!(names.as_slice(), [only] if Some(only) == change.target.owner.as_ref());
        if !is_own {
            self.line(&format!("      held by {}:", count(names.len(), "principal")));
            self.line(&wrapped(&names, 8, WIDTH));
        }
    }

    fn diff(&mut self, before: &str, after: &str) {
        self.line("");
        let diff = diff(before, after);
        if diff.is_laid_out_anew {
            self.line("        (shown one element a line; the author's layout stays)");
        }
        for (at, hunk) in diff.hunks.iter().enumerate() {
            if at > 0 {
                self.line("          ...");
            }
            for (symbol, line) in hunk {
                let start = self.out.len();
                self.out.push_str("      ");
                match symbol {
                    '-' => self.push_painted(RED, "-"),
                    '+' => self.push_painted(GREEN, "+"),
                    _ => self.out.push(' '),
                }
                self.out.push(' ');
                self.out.push_str(line);
                let len = self.out.get(start..).map_or(0, |line| line.trim_end().len());
                self.out.truncate(start + len);
                self.out.push('\n');
            }
        }
        self.line("");
    }

    fn removed(&mut self, plan: &Plan, change: &Change) {
        let total: usize = change.removed.iter().map(|removed| removed.count).sum();
        self.line(&format!("      removes {} ({}):", count(total, "action"), evidence::own_levels(change)));
        for removed in &change.removed {
            let minus = self.paint(RED, "-");
            self.line(&format!("      {minus} {}, {}", count(removed.count, "action"), visible(&removed.reason)));
            for line in evidence::lines(plan, removed) {
                self.line(&format!("          {line}"));
            }
            self.line(&wrapped(&removed.actions, 10, WIDTH));
        }
    }

    fn still_granted(&mut self, plan: &Plan, change: &Change) {
        let lines = change
            .still_granted_by
            .iter()
            .map(|still| format!("      {}", evidence::still_granted(plan, change, still)));
        self.some_lines(lines);
    }

    fn blocked(&mut self, plan: &Plan) {
        if plan.blocked.is_empty() {
            return;
        }
        self.line("");
        let title = self.paint(BOLD, "Kept by some holders of a shared policy:");
        self.line(&title);
        let mut by_policy: Vec<(&str, Vec<&Blocked>)> = Vec::new();
        for blocked in &plan.blocked {
            match by_policy.last_mut().filter(|(address, _)| *address == blocked.address) {
                Some((_, same)) => same.push(blocked),
                None => by_policy.push((&blocked.address, vec![blocked])),
            }
        }
        for (address, entries) in by_policy {
            self.line(&format!("  {}", visible(address)));
            self.some_lines(entries.iter().map(|blocked| format!("    {}", evidence::blocked(plan, blocked))));
        }
    }

    fn withheld(&mut self, withheld: &[Withheld]) {
        if withheld.is_empty() {
            return;
        }
        self.line("");
        let title = self.paint(BOLD, "Withheld:");
        self.line(&title);
        for (reason, entries) in by(withheld, |withheld| withheld.reason.as_str()) {
            self.line(&format!("  {}", visible(reason)));
            let lines =
                entries.iter().map(|entry| format!("    {}: {}", visible(&entry.address), visible(&entry.detail)));
            self.some_lines(lines);
        }
    }

    fn advice(&mut self, advice: &[Advice]) {
        let advice: Vec<&Advice> = advice.iter().filter(|advice| advice.kind != "rule-expired").collect();
        if advice.is_empty() {
            return;
        }
        self.line("");
        let title = self.paint(BOLD, "Advice:");
        self.line(&title);
        let lines = advice.iter().map(|advice| format!("  {}: {}", visible(&advice.subject), visible(&advice.detail)));
        self.some_lines(lines);
    }

    fn summary(&mut self, plan: &Plan) {
        let summary = &plan.summary;
        self.line("");
        if !plan.changes.is_empty() {
            let line =
                format!("Plan: {} to add, {} to change, {} to destroy.", summary.add, summary.change, summary.destroy);
            let line = self.paint(BOLD, &line);
            self.line(&line);
            let removed = count(summary.removed_actions, "action");
            self.line(&format!("Removes {removed}{}.", keys::summary(plan)));
            if let Some(assumed) = evidence::assumed(summary) {
                self.line(&format!("{assumed} (unknown_grant_date = \"assume-old\")."));
            }
            if summary.readmitted > 0 {
                let readmitted = count(summary.readmitted, "action");
                self.line(&format!("Re-admits {readmitted} that could go, because only wildcards fit the quotas."));
            }
        }
        let mut notes = vec![count(summary.gaps, "gap"), format!("{} withheld", summary.withheld)];
        if summary.kept_statements > 0 {
            notes.push(format!("{} left alone by Sid (SecateurKeep)", count(summary.kept_statements, "statement")));
        }
        self.line(&format!("{}.", notes.join(", ")));
        if !plan.complete {
            let error = self.paint(RED, "Incomplete:");
            self.line(&format!("{error} the authorization details are not whole, so this plan cannot be applied."));
        }
        self.line(&format!("Digest: {}", plan.digest));
    }
}

/// The items by a key, in the order of the keys.
fn by<'a, T>(items: &'a [T], key: impl Fn(&'a T) -> &'a str) -> BTreeMap<&'a str, Vec<&'a T>> {
    let mut groups: BTreeMap<&str, Vec<&T>> = BTreeMap::new();
    for item in items {
        groups.entry(key(item)).or_default().push(item);
    }
    groups
}
