//! Which crate may know which.

use crate::workspace::{cargo, package, packages};

/// The AWS SDK, the network, and an async runtime. A name ending in `-` stands for all names that begin with it.
const NETWORK: [&str; 9] = ["aws-", "hyper", "hyper-", "reqwest", "ring", "rustls", "rustls-", "tokio", "tokio-"];

/// The features of serde_json that change what other crates of the user read and write, or slow them down.
const LOUD_FEATURES: [&str; 3] = ["arbitrary_precision", "float_roundtrip", "preserve_order"];

/// Returns the lines of a `cargo tree --prefix none` that begin with a crate of the list.
fn crates_among<'a>(tree: &'a str, banned: &[&str]) -> Vec<&'a str> {
    let is_banned = |line: &&str| {
        let name = line.split(' ').next().unwrap_or_default();
        banned.iter().any(|ban| if ban.ends_with('-') { name.starts_with(ban) } else { name == *ban })
    };
    tree.lines().filter(is_banned).collect()
}

/// Returns the features of a crate that are both enabled and in the list, from a `cargo tree --format "{p}|{f}"`.
fn features_among<'a>(tree: &'a str, name: &str, banned: &[&str]) -> Vec<&'a str> {
    let lines = tree.lines().filter(|line| line.split(' ').next() == Some(name));
    let features = lines.filter_map(|line| line.rsplit_once('|')).flat_map(|(_, features)| features.split([',', ' ']));
    features.filter(|feature| banned.contains(feature)).collect()
}

/// Returns the crates of the workspace that a package depends on, of the kinds of dependency that `is_counted` takes.
fn arrows(name: &str, is_counted: fn(&str) -> bool) -> Vec<&'static str> {
    let all: Vec<_> = packages().iter().filter_map(|package| package["name"].as_str()).collect();
    let kind = |dependency: &serde_json::Value| is_counted(dependency["kind"].as_str().unwrap_or("normal"));
    let dependencies = package(name)["dependencies"].as_array().unwrap().iter();
    let mut names: Vec<_> = dependencies
        .filter(|dependency| kind(dependency))
        .filter_map(|dependency| dependency["name"].as_str())
        .filter(|name| all.contains(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn arrows_are_those_of_the_house() {
    let linked = |name| arrows(name, |kind| kind != "dev");
    let any = |name| arrows(name, |_| true);
    assert_eq!(any("secateur-analyzer"), [""; 0]);
    assert_eq!(any("xtask"), [""; 0]);
    assert_eq!(linked("secateur-collector"), ["secateur-analyzer"]);
    assert_eq!(linked("secateur"), ["secateur-analyzer", "secateur-collector"]);
    assert_eq!(linked("secateur-tests"), [""; 0], "the judge must share nothing with what it judges");
}

#[test]
fn planning_does_not_need_the_collector() {
    let dependencies = package("secateur")["dependencies"].as_array().unwrap();
    let collector = dependencies.iter().find(|dependency| dependency["name"] == "secateur-collector").unwrap();
    assert_eq!(collector["optional"], true);
}

#[test]
fn the_analyzer_links_no_network() {
    let tree = cargo(&["tree", "-p", "secateur-analyzer", "--all-features", "-e", "normal,build", "--prefix", "none"]);
    assert_eq!(crates_among(&tree, &NETWORK), [""; 0], "secateur-analyzer must link none of {NETWORK:?}");
}

#[test]
fn offline_use_links_no_network() {
    let offline = ["--no-default-features", "--features", "cli", "-e", "normal,build", "--prefix", "none"];
    let tree = cargo(&[&["tree", "-p", "secateur"], &offline[..]].concat());
    assert!(!crates_among(&tree, &["clap"]).is_empty(), "this is not the tree of the command line:\n{tree}");
    assert_eq!(crates_among(&tree, &NETWORK), [""; 0], "offline use must link none of {NETWORK:?}");
}

#[test]
fn serde_json_is_left_as_other_crates_expect_it() {
    let tree = cargo(&["tree", "-p", "secateur", "-e", "normal", "--prefix", "none", "--format", "{p}|{f}"]);
    assert!(!features_among(&tree, "serde_json", &["std"]).is_empty(), "no serde_json with features:\n{tree}");
    assert_eq!(features_among(&tree, "serde_json", &LOUD_FEATURES), [""; 0]);
}

#[test]
fn a_banned_crate_is_found() {
    let tree = "secateur v0.1.0 (/src/tokio)\naws-config v1.8.0\nawsome v1.0.0\nhyper v1.0.0\nhyper-util v0.1.0\nhyperx v1.0.0\n\
                rustls-pki-types v1.0.0 (*)\nstring v0.3.0\nring v0.17.0\ntokio v1.0.0";
    assert_eq!(
        crates_among(tree, &NETWORK),
        [
            "aws-config v1.8.0",
            "hyper v1.0.0",
            "hyper-util v0.1.0",
            "rustls-pki-types v1.0.0 (*)",
            "ring v0.17.0",
            "tokio v1.0.0",
        ]
    );
}

#[test]
fn a_banned_feature_is_found() {
    let tree =
        "serde v1.0.0|default,preserve_order\nserde_json v1.0.0|default,preserve_order,std\nserde_json v1.0.0|std (*)";
    assert_eq!(features_among(tree, "serde_json", &LOUD_FEATURES), ["preserve_order"]);
}
