//! What stands where, under which licence, and how large it may be.

use std::collections::BTreeSet;

use crate::workspace::{files, package, packages, text};

/// The folders of the repository; hidden ones aside.
const FOLDERS: [&str; 4] = ["crates", "docs", "tests", "xtask"];

/// The lines that a source file has at most.
const LINES: usize = 500;

fn too_long<'a>(sources: impl IntoIterator<Item = (&'a str, String)>) -> Vec<String> {
    let measured = sources.into_iter().map(|(file, text)| (file, text.lines().count()));
    measured.filter(|(_, lines)| *lines > LINES).map(|(file, lines)| format!("{file}: {lines} lines")).collect()
}

#[test]
fn there_are_no_folders_but_those_of_the_house() {
    let folders: BTreeSet<&str> = files().iter().filter_map(|file| Some(file.split_once('/')?.0)).collect();
    let strange: Vec<_> = folders.iter().filter(|name| !name.starts_with('.') && !FOLDERS.contains(name)).collect();
    assert!(strange.is_empty(), "{strange:?} stand beside {FOLDERS:?}");
}

#[test]
fn every_package_names_its_licence_and_its_oldest_compiler() {
    for package in packages() {
        assert_eq!(package["license"], "MIT OR Apache-2.0", "{}", package["name"]);
        assert!(package["rust_version"].is_string(), "{} has no rust-version", package["name"]);
    }
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(files().contains(file), "{file} is missing");
    }
}

#[test]
fn tools_of_this_repository_are_not_published() {
    for name in ["secateur-tests", "xtask"] {
        assert_eq!(package(name)["publish"].as_array().map(Vec::len), Some(0), "{name} needs `publish = false`");
    }
}

#[test]
fn source_files_stay_small() {
    let sources = files().iter().filter(|file| file.ends_with(".rs")).map(|file| (file.as_str(), text(file)));
    assert_eq!(too_long(sources), [""; 0], "a file has at most {LINES} lines: split it by its nouns");
}

#[test]
fn a_long_file_is_found() {
    let sources = [("short.rs", "\n".repeat(LINES)), ("long.rs", "\n".repeat(LINES + 1))];
    assert_eq!(too_long(sources), ["long.rs: 501 lines"]);
}
