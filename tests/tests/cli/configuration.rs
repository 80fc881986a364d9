//! Configurations that secateur refuses.

use std::fs;

use super::scene::{SNAPSHOT, Scene};

const PLAN: [&str; 3] = ["plan", "--snapshot", SNAPSHOT];

/// Expects an error that names the file, all of `words`, and a remedy.
#[track_caller]
fn check(config: impl AsRef<[u8]>, words: &[&str]) {
    let scene = Scene::small();
    scene.write("secateur.toml", config);
    scene.check_error(&PLAN, 1, &[&["`secateur.toml`"], words].concat());
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    check("[evidence]\nmin_idel_days = 3\n", &["line 2, column 1", "`min_idel_days`", "did you mean `min_idle_days`?"]);
    check("[evidences]\n", &["line 1, column 2", "`evidences`", "did you mean `evidence`?"]);
    check("[[kepp]]\nreason = 'x'\n", &["`kepp`", "did you mean `keep`?"]);
    check("[limits]\nmax_change = 3\n", &["`max_change`", "did you mean `max_changes`?"]);
    check("[[ignore]]\nreason = 'x'\nprincipal = ['x']\n", &["line 3, column 1", "did you mean `principals`?"]);
}

#[test]
fn what_is_not_toml_is_named_with_its_place() {
    check("[evidence\n", &["line 1, column 10"]);
    check("min_idle_days == 3\n", &["line 1, column "]);
    check("[evidence]\nmin_idle_days = 3\nmin_idle_days = 4\n", &["line 3, column 1"]);
}

#[test]
fn a_value_of_another_kind_is_named_in_the_words_of_toml() {
    let scene = Scene::small();
    let checks = [
        ("[evidence]\nmin_idle_days = 'x'\n", "line 2, column 17"),
        ("[evidence]\nmin_idle_days = -1\n", "line 2, column 17"),
        ("[[keep]]\nactions = ['s3:*']\nreason = 'x'\nexpires = 5\n", "line 4, column 11"),
    ];
    for (config, place) in checks {
        scene.write("secateur.toml", config);
        let answer = scene.check_error(&PLAN, 1, &["`secateur.toml`", place]);
        for name in ["u32", "enum", "struct", "ExpiryDate"] {
            assert!(!answer.stderr.contains(name), "`{name}` is a word of Rust: {answer}");
        }
    }
}

#[test]
fn a_value_that_is_not_allowed_is_named() {
    check("[evidence]\nmin_idle_days = 0\n", &["evidence.min_idle_days", "at least 1"]);
    check("[evidence]\nunknown_grant_date = 'kept'\n", &["`kept` is none of `assume-old`, `keep`"]);
    check("[[keep]]\nactions = ['s3']\nreason = 'x'\n", &["keep[0]", "`s3` has no service"]);
    check("[[keep]]\nactions = ['s3:*']\n", &["reason"]);
}

#[test]
fn deep_nesting_is_no_crash() {
    let deep = 10_000;
    check(format!("a = {}{}", "[".repeat(deep), "]".repeat(deep)), &["recur"]);
    check(format!("a = {}1{}", "{a = ".repeat(deep), "}".repeat(deep)), &["recur"]);
    check(format!("[{}a]", "a.".repeat(deep)), &["recur"]);
    check(format!("{}a = 1", "a.".repeat(deep)), &["recur"]);
}

#[test]
fn text_that_is_not_utf8_is_named() {
    check(b"[evidence]\n# \xff\n", &["UTF-8"]);
}

#[test]
fn a_configuration_that_cannot_be_read_is_named() {
    let scene = Scene::small();
    fs::create_dir(scene.path("folder.toml")).unwrap();
    scene.check_error(&[&PLAN[..], &["--config", "folder.toml"]].concat(), 1, &["cannot read `folder.toml`"]);
    scene.check_error(&[&PLAN[..], &["--config", "none.toml"]].concat(), 1, &["cannot read `none.toml`"]);
}

/// To pass over it would remove what its rules protect.
#[test]
fn a_configuration_that_is_found_and_is_no_file_is_not_passed_over() {
    let scene = Scene::small();
    fs::create_dir(scene.path("secateur.toml")).unwrap();
    scene.check_error(&PLAN, 1, &["`secateur.toml`"]);
}

#[cfg(unix)]
#[test]
fn a_configuration_that_is_a_broken_link_is_not_passed_over() {
    let scene = Scene::small();
    std::os::unix::fs::symlink("gone.toml", scene.path("secateur.toml")).unwrap();
    scene.check_error(&PLAN, 1, &["`secateur.toml`"]);
}

#[test]
fn an_empty_configuration_means_the_defaults() {
    let scene = Scene::small();
    let without = scene.plan(&[]);
    scene.write("secateur.toml", "");
    let with = scene.plan(&[]);
    assert_eq!(with["changes"], without["changes"]);
    assert_eq!(with["inputs"]["config"]["path"], "secateur.toml");
}
