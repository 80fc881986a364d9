//! `docs/runbook.md` has every failure of the commands that call AWS.

use std::collections::BTreeSet;

use crate::workspace::{files, text};

/// The words that stand in the code for a failure.
fn reasons() -> BTreeSet<String> {
    let cli = "crates/planner/src/cli/";
    let is_writing = |file: &&String| {
        let file = file.as_str();
        file.starts_with(&format!("{cli}apply/"))
            || ["collect.rs", "rollback.rs", "journals.rs", "history.rs"]
                .iter()
                .any(|name| file == format!("{cli}{name}"))
    };
    let mut found = BTreeSet::new();
    for file in files().iter().filter(is_writing) {
        let text = text(file);
        for call in ["Failure::refused(", "Failure::error(", "Failure::partly("] {
            let words =
                text.split(call).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
            found.extend(words.map(str::to_owned));
        }
    }
    let stops = text("crates/planner/src/apply/stop.rs");
    let arms = stops.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
    found.extend(arms.filter(|word| !word.contains(' ')).map(str::to_owned));
    // What happens to files is told by the operating system.
    found.remove("io");
    found
}

#[test]
fn the_runbook_has_every_failure() {
    let page = text("docs/runbook.md");
    let reasons = reasons();
    assert!(reasons.len() > 20, "{reasons:?}");
    let missing: Vec<&String> = reasons.iter().filter(|reason| !page.contains(&format!("`{reason}`"))).collect();
    assert_eq!(missing, [""; 0], "of {reasons:?}");
    assert!(reasons.contains("not-empty"), "those of `collect` are among them: {reasons:?}");
}
