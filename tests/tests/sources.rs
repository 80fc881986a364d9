//! What the source of the pure parts must not mention.
//!
//! Plain text is searched, not syntax: comments and code that only tests compile are left out, and a `use std::{...}`,
//! which would hide what it names, is refused.

use std::collections::BTreeSet;

use crate::workspace::{files, text};

/// What a function over values has no use for: files, network, processes, environment, clock.
const EFFECTS: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "std::{",
];

/// Beginnings of the names that the SDK gives to calls that write, and that no call has that only reads.
const WRITES: [&str; 32] = [
    "add_user_to_group",
    "attach_group",
    "attach_role",
    "attach_user",
    "cancel_key_deletion",
    "create_access_key",
    "create_group",
    "create_policy",
    "create_role",
    "create_user",
    "delete_access_key",
    "delete_group",
    "delete_policy",
    "delete_role",
    "delete_user",
    "detach_",
    "disable_key",
    "put_group",
    "put_key",
    "put_role",
    "put_user",
    "remove_user_from_group",
    "schedule_key",
    "set_default_policy",
    "tag_policy",
    "tag_role",
    "tag_user",
    "untag_",
    "update_access_key",
    "update_assume_role",
    "update_role",
    "update_user",
];

/// Where the planner may do what a function over values must not.
const PLANNER_EDGE: [&str; 6] = ["main.rs", "fault_points.rs", "cli.rs", "cli/", "apply.rs", "apply/"];

/// Returns each place in a text's code where one of the words stands by itself, as `file:line: word`.
fn mentions(file: &str, text: &str, words: &[&str]) -> Vec<String> {
    let code = code_lines(text);
    let of_line = |&(number, line): &(usize, &str)| -> Vec<String> {
        let found = words.iter().filter(|word| has_word(line, word));
        found.map(|word| format!("{file}:{number}: {word}")).collect()
    };
    code.iter().flat_map(of_line).collect()
}

/// Returns the numbered lines that are neither comments nor in a module at the end that only tests compile.
fn code_lines(text: &str) -> Vec<(usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let is_test_module =
        |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    let end = lines.windows(2).position(is_test_module).unwrap_or(lines.len());
    let numbered = lines[..end].iter().enumerate().map(|(index, line)| (index + 1, *line));
    numbered.filter(|(_, line)| !line.trim_start().starts_with("//")).collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |neighbour: Option<char>| neighbour.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let stands_alone = |(at, found): (usize, &str)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + found.len()..).and_then(|after| after.chars().next());
        !is_part(before) && (!word.ends_with(char::is_alphanumeric) || !is_part(after))
    };
    line.match_indices(word).any(stands_alone)
}

/// Returns the files that only tests compile: those of modules declared under `#[cfg(test)]`, and what is below them.
fn test_only<'a>(sources: impl IntoIterator<Item = (&'a str, String)>) -> BTreeSet<String> {
    let mut stems = BTreeSet::new();
    for (file, text) in sources {
        let stem = file.trim_end_matches(".rs");
        let folder = match stem.rsplit_once('/') {
            Some((folder, "lib" | "main" | "mod")) => folder,
            _ => stem,
        };
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]") {
            let declared = pair[1].trim().trim_start_matches("pub(crate) ").strip_prefix("mod ");
            if let Some(name) = declared.and_then(|rest| rest.strip_suffix(';')) {
                stems.insert(format!("{folder}/{name}"));
            }
        }
    }
    stems
}

/// Returns the sources in a folder that users' builds compile.
fn shipped(folder: &str) -> Vec<(&'static str, String)> {
    let all = || {
        let in_folder = files().iter().filter(|file| file.starts_with(folder) && file.ends_with(".rs"));
        in_folder.map(|file| (file.as_str(), text(file)))
    };
    let stems = test_only(all());
    let is_test = |file: &str| {
        let below =
            |stem: &String| file.strip_prefix(stem.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'));
        stems.iter().any(below)
    };
    all().filter(|(file, _)| !is_test(file)).collect()
}

fn all_mentions(sources: &[(&str, String)], words: &[&str]) -> Vec<String> {
    sources.iter().flat_map(|(file, text)| mentions(file, text, words)).collect()
}

fn planner_core() -> Vec<(&'static str, String)> {
    const SOURCE: &str = "crates/planner/src/";
    let mut sources = shipped(SOURCE);
    let is_edge = |file: &str| {
        PLANNER_EDGE.iter().any(|edge| match file.strip_prefix(SOURCE) {
            Some(rest) if edge.ends_with('/') => rest.starts_with(edge),
            rest => rest == Some(*edge),
        })
    };
    sources.retain(|(file, _)| !is_edge(file));
    sources
}

#[test]
fn the_analyzer_is_pure() {
    let sources = shipped("crates/analyzer/src/");
    assert!(sources.len() > 10, "the analyzer's sources were not found");
    assert_eq!(all_mentions(&sources, &EFFECTS), [""; 0]);
}

#[test]
fn planning_proving_and_rendering_are_pure() {
    let sources = planner_core();
    assert!(!sources.is_empty(), "the planner's sources were not found");
    assert_eq!(all_mentions(&sources, &EFFECTS), [""; 0]);
    assert_eq!(all_mentions(&sources, &["secateur_collector"]), [""; 0], "the planner's core never sees a snapshot");
}

#[test]
fn the_proof_shares_nothing_with_the_rewriter() {
    let mut sources = shipped("crates/planner/src/proof");
    sources.retain(|(file, _)| file.starts_with("crates/planner/src/proof/") || *file == "crates/planner/src/proof.rs");
    assert_eq!(all_mentions(&sources, &["rewrite"]), [""; 0]);
}

/// Where the writes are, and nowhere else.
const WRITES_FILE: &str = "crates/planner/src/apply/aws/writes.rs";

/// The operations that a text calls on clients of AWS: the first word of each.
fn operations(text: &str) -> BTreeSet<String> {
    let code: String = code_lines(text).into_iter().map(|(_, line)| line.trim()).collect();
    let mut found = BTreeSet::new();
    for client in [".iam.", ".sts.", "aws.account.", "aws.kms(", "aws.cloudtrail("] {
        for (at, _) in code.match_indices(client) {
            let rest = code.get(at + client.len()..).unwrap_or_default();
            // Clients of a Region are made by a call.
            let rest = if client.ends_with('(') { rest.split_once(").").map_or("", |(_, rest)| rest) } else { rest };
            let name: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            if rest.get(name.len()..).is_some_and(|rest| rest.starts_with('(')) {
                found.insert(name);
            }
        }
    }
    found
}

#[test]
fn writes_to_aws_are_in_one_place() {
    let reads = ["get", "list", "generate", "lookup", "describe", "simulate"];
    let mut seen = 0;
    let sources = ["crates/collector/src/", "crates/planner/src/"].into_iter().flat_map(shipped);
    for (file, text) in sources.filter(|(file, _)| *file != WRITES_FILE) {
        let calls = operations(&text);
        seen += calls.len();
        let writes: Vec<&String> =
            calls.iter().filter(|name| !reads.contains(&name.split('_').next().unwrap_or_default())).collect();
        assert_eq!(writes, [""; 0], "{file} calls what may write");
    }
    assert!(seen > 20, "the calls were not found: {seen}");
    let writes = operations(&text(WRITES_FILE));
    assert!(writes.contains("put_role_policy") && writes.contains("update_access_key"), "{writes:?}");
    assert!(!writes.iter().any(|name| name.contains("boundary") || name == "delete_access_key"), "{writes:?}");
}

#[test]
fn what_is_written_stands_in_a_journal() {
    let sources = shipped("crates/planner/src/");
    let made: Vec<_> =
        sources.iter().filter(|(_, text)| text.contains("Intended { write")).map(|(file, _)| *file).collect();
    assert_eq!(made, ["crates/planner/src/apply/journal/mod.rs"], "only a journal makes an intended write");
    let all = shipped("crates/");
    let does: Vec<_> = all.iter().filter(|(_, text)| text.contains("Writes for ")).map(|(file, _)| *file).collect();
    assert_eq!(does, [WRITES_FILE]);
}

#[test]
fn the_state_machine_of_apply_is_free_of_aws_files_and_clocks() {
    const APPLY: &str = "crates/planner/src/apply/";
    let mut sources = shipped(APPLY);
    assert!(sources.len() > 8, "the sources of apply were not found");
    sources.retain(|(file, _)| !file.starts_with("crates/planner/src/apply/aws/"));
    assert_eq!(all_mentions(&sources, &["secateur_collector", "aws_sdk_iam", "tokio"]), [""; 0]);
    // The file of a journal, and the end that tests ask for.
    sources.retain(|(file, _)| !file.ends_with("/journal/store.rs") && !file.ends_with("/fault.rs"));
    assert_eq!(all_mentions(&sources, &EFFECTS), [""; 0]);
}

/// Returns each place in the sources where a word begins so.
fn words_beginning(sources: &[(&str, String)], beginnings: &[&str]) -> Vec<String> {
    let words = |line: &str| -> Vec<String> {
        line.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect()
    };
    let begins = |word: &String| beginnings.iter().any(|beginning| word.starts_with(beginning));
    let of_source = |(file, text): &(&str, String)| -> Vec<String> {
        let of_line = |(number, line): (usize, &str)| {
            words(line).into_iter().filter(begins).map(move |word| format!("{file}:{number}: {word}"))
        };
        code_lines(text).into_iter().flat_map(of_line).collect()
    };
    sources.iter().flat_map(of_source).collect()
}

#[test]
fn the_collector_writes_nothing_to_aws() {
    let sources = shipped("crates/collector/src/");
    assert!(sources.iter().any(|(file, _)| file.contains("/aws/")), "the collector's calls were not found");
    assert_eq!(words_beginning(&sources, &WRITES), [""; 0], "calls that write belong into planner's `apply`");
    let writing = [("a.rs", "aws.iam.put_role_policy().send();\nlet tag_user = 1;\nlet output = row.tag;".to_owned())];
    assert_eq!(words_beginning(&writing, &WRITES), ["a.rs:1: put_role_policy", "a.rs:2: tag_user"]);
}

#[test]
fn every_call_of_the_collector_is_on_the_page_of_permissions() {
    let page = text("docs/permissions.md");
    let mut calls = BTreeSet::new();
    for (_, text) in shipped("crates/collector/src/") {
        for (_, line) in code_lines(&text) {
            let named = line.split("Call::new(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
            calls.extend(named);
        }
    }
    assert!(calls.len() > 10, "{calls:?}");
    for call in calls {
        assert!(page.contains(&format!("`{call}`")), "docs/permissions.md does not name {call}");
    }
}

#[test]
fn nothing_is_unsafe() {
    // Put together, so that this line is not found.
    let block = concat!("unsafe", " {");
    let sources: Vec<_> = files().iter().filter(|file| file.ends_with(".rs")).map(|file| (file, text(file))).collect();
    let offending: Vec<_> =
        sources.iter().filter(|(_, text)| text.contains(block)).map(|(file, _)| file.as_str()).collect();
    assert_eq!(offending, [""; 0]);
}

#[test]
fn a_mention_is_found_with_its_place() {
    let text = "\
//! Calls std::fs nowhere.
use std::fs;
use std::{env, fmt};
let my_std::fs_like = 1;
let now = jiff::Timestamp::now();
let rewrite = crate::rewrite::x();
let rewrites = 1; // and no_rewrite
#[cfg(test)]
mod tests {
    use std::fs;
}";
    assert_eq!(mentions("a.rs", text, &EFFECTS), ["a.rs:2: std::fs", "a.rs:3: std::{", "a.rs:5: Timestamp::now"]);
    assert_eq!(mentions("a.rs", text, &["rewrite"]), ["a.rs:6: rewrite"]);
}

#[test]
fn files_of_test_modules_are_known_by_their_declaration() {
    let declaring = "mod shipped;\n#[cfg(test)]\nmod tests;\n#[cfg(test)]\npub(crate) mod sketch;\n".to_owned();
    let stems = |file| test_only([(file, declaring.clone())]).into_iter().collect::<Vec<_>>();
    assert_eq!(stems("a/src/lib.rs"), ["a/src/sketch", "a/src/tests"]);
    assert_eq!(stems("a/src/plan/mod.rs"), ["a/src/plan/sketch", "a/src/plan/tests"]);
    assert_eq!(stems("a/src/plan.rs"), ["a/src/plan/sketch", "a/src/plan/tests"]);
}
