//! What an account grants and uses, in tables of 80 columns.

use std::fmt::Write as _;

use super::words::{count, folded, visible, wrapped};
use crate::analyze::{Overview, PrincipalOverview};

/// The width of the column of names.
const NAME: usize = 34;

/// Returns the overview as text, with a line break at the end.
pub fn analyze(overview: &Overview) -> String {
    let mut out = String::new();
    let totals = &overview.totals;
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "Account {}, judged at {}\nby what was used within {} days\n",
        visible(&overview.account),
        overview.now,
        overview.min_idle_days
    );
    let _ = writeln!(
        out,
        "{:<NAME$} {:>8} {:>6} {:>10} {:>8}  risk",
        "principal", "granted", "used", "removable", "blocked"
    );
    for principal in &overview.principals {
        row(&mut out, principal);
    }
    let _ = writeln!(
        out,
        "{:<NAME$} {:>8} {:>6} {:>10} {:>8}",
        count(overview.principals.len(), "principal"),
        totals.granted,
        totals.used,
        totals.removable,
        totals.blocked
    );
    let kept: Vec<String> = totals.kept.iter().map(|(verdict, number)| format!("{number} {verdict}")).collect();
    if !kept.is_empty() {
        let _ = writeln!(out, "\nKept, by verdict:");
        let _ = writeln!(out, "{}", wrapped(&kept, 2, 80));
    }
    let _ = writeln!(out, "\n{}. `secateur explain PRINCIPAL` tells why.", count(overview.gaps, "gap"));
    out
}

fn row(out: &mut String, principal: &PrincipalOverview) {
    let actions = &principal.actions;
    let _ = writeln!(
        out,
        "{:<NAME$} {:>8} {:>6} {:>10} {:>8}  {}",
        shortened(&principal.address),
        actions.granted,
        actions.used,
        actions.removable,
        actions.blocked,
        principal.risk
    );
    let mut notes = Vec::new();
    if let Some(problem) = &principal.no_report {
        notes.push(problem.clone());
    }
    if principal.dormant {
        notes.push("dormant: it used nothing in the window".to_owned());
    }
    if !notes.is_empty() {
        let _ = writeln!(out, "{}", folded(&notes.join("; "), 4, 80));
    }
    let kept: Vec<String> = actions.kept.iter().map(|(verdict, number)| format!("{number} {verdict}")).collect();
    for (title, items) in [("riskiest unused: ", &principal.riskiest), ("kept: ", &kept)] {
        if !items.is_empty() {
            let lines = wrapped(items, 4 + title.len(), 80);
            let _ = writeln!(out, "    {title}{}", lines.trim_start());
        }
    }
}

/// A name that fits its column; the end tells names apart more often than the middle.
fn shortened(name: &str) -> String {
    let name = visible(name);
    let length = name.chars().count();
    if length <= NAME {
        return name.into_owned();
    }
    let tail = NAME / 2;
    let head = NAME - tail - 3;
    let chars: Vec<char> = name.chars().collect();
    let start: String = chars.iter().take(head).collect();
    let end: String = chars.iter().skip(length - tail).collect();
    format!("{start}...{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(shortened("role/ci"), "role/ci");
        let long = shortened(&format!("role/{}-production", "a".repeat(60)));
        assert_eq!((long.chars().count(), long.ends_with("-production")), (NAME, true));
    }
}
