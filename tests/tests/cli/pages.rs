//! Pages that are reviewed: the help of every command, and the plan of the small account.

use std::fs;
use std::path::PathBuf;

use secateur_tests::binary;

use super::scene::{PLAN, SNAPSHOT, Scene};
use crate::workspace::root;

fn page(name: &str) -> PathBuf {
    root().join("tests/cmd").join(name)
}

/// `TRYCMD=overwrite` writes the pages anew.
#[test]
fn help_and_usage_are_as_reviewed() {
    let cases = trycmd::TestCases::new();
    for (name, value) in [("NO_COLOR", "1"), ("COLUMNS", "100"), ("LC_ALL", "C")] {
        cases.env(name, value);
    }
    cases.register_bin("secateur", binary()).case(page("*.trycmd")).run();
}

#[test]
fn the_help_of_every_command_is_reviewed() {
    let help = Scene::empty().run(&["--help"]).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let reviewed = fs::read_to_string(page("help.trycmd")).unwrap();
    for command in commands.filter_map(|line| line.split_whitespace().next()).filter(|command| *command != "help") {
        assert!(
            reviewed.contains(&format!("\n$ secateur {command} --help\n")),
            "tests/cmd/help.trycmd lacks {command}"
        );
    }
}

/// `UPDATE=1` writes the page anew.
#[track_caller]
fn check_page(name: &str, found: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(page(name), found).unwrap();
    }
    let expect = fs::read_to_string(page(name)).unwrap_or_default();
    let different = || {
        let mut lines = expect.lines().zip(found.lines()).enumerate();
        let first = lines.find(|(_, (expect, found))| expect != found);
        first.map_or_else(
            || format!("{} lines were reviewed, {} found", expect.lines().count(), found.lines().count()),
            |(at, (expect, found))| format!("line {}\n reviewed: {expect}\n found:    {found}", at + 1),
        )
    };
    assert!(expect == found, "tests/cmd/{name} differs in {}\nUPDATE=1 writes it anew, for review", different());
}

#[test]
fn the_plan_of_the_small_account_is_as_reviewed() {
    let scene = Scene::small();
    let planned = scene.run(&["plan", "--snapshot", SNAPSHOT, "--out", PLAN]).ended_with(0);
    check_page("plan.txt", &planned.stdout);
}
