//! Plan files that are none.

use std::fs;

use super::scene::{PLAN, Scene};

const MADE: &str = "make a plan with `secateur plan`";

/// Expects that both readers of plans name the file, and all of `words`.
#[track_caller]
fn check(scene: &Scene, name: &str, words: &[&str]) {
    for command in ["show", "verify"] {
        scene.check_error(&[command, name], 1, &[&[name], words].concat());
    }
}

#[track_caller]
fn check_text(bytes: impl AsRef<[u8]>, words: &[&str]) {
    let scene = Scene::empty();
    scene.write("broken.json", bytes);
    check(&scene, "broken.json", &[&["not a plan", MADE], words].concat());
}

#[test]
fn what_is_not_a_plan_is_named_with_its_place() {
    check_text("", &["line 1 column 0"]);
    check_text("nonsense", &["line 1 column 2"]);
    check_text("{\"format_version\": \"1.0\",\n}", &["line 2 column 1"]);
    check_text("7", &["line 1 column 1"]);
    check_text("[]", &["line 1 column "]);
    check_text("null", &["line 1 column "]);
    check_text("{}", &["`format_version`"]);
    check_text("{\"format_version\": 1}", &["line 1 column "]);
    check_text("{\"format_version\": \"1.0\"}", &["line 1 column "]);
    check_text(b"{\"format_version\": \"\xff\xfe\"}", &["line 1 column "]);
    check_text("[".repeat(10_000) + &"]".repeat(10_000), &["line 1 column "]);
    let deep = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
    check_text(format!("{{\"format_version\": \"1.0\", \"tool\": {deep}}}"), &["line 1 column "]);
}

#[test]
fn a_plan_with_more_or_less_in_it_is_named() {
    let scene = Scene::small();
    scene.plan(&[]);
    let whole = scene.text(PLAN);
    let edit = |from: &str, to: &str, word: &str| {
        assert!(whole.contains(from), "{from}");
        check_text(whole.replacen(from, to, 1), &[word]);
    };
    edit("\"complete\": true,", "\"complete\": true, \"extra\": 1,", "`extra`");
    edit("\"complete\": true,", "\"complete\": true, \"complete\": true,", "duplicate field `complete`");
    edit("\"complete\": true,", "", "`complete`");
    edit("\"action\": \"update\"", "\"action\": \"destroy\"", "`destroy`");
    edit("\"changes_digest\": \"", "\"changes_digest\": \"x", "SHA-256");
    check_text(whole.get(..whole.len() / 2).unwrap(), &["line "]);
    check_text(whole.clone() + "}", &["trailing characters"]);
}

#[test]
fn a_plan_of_another_format_is_named_before_it_is_read() {
    let scene = Scene::empty();
    for format in ["1.1", "2.0", "0.9"] {
        scene.write("newer.json", format!("{{\"format_version\": \"{format}\", \"new\": [{{}}]}}"));
        let said = format!("the plan is of format {format}, and this secateur reads 1.0");
        check(&scene, "newer.json", &[&said, "use the secateur that made the plan"]);
    }
}

#[test]
fn a_plan_that_cannot_be_read_is_named() {
    let scene = Scene::empty();
    check(&scene, "none.json", &["cannot read `none.json`"]);
    fs::create_dir(scene.path("folder")).unwrap();
    check(&scene, "folder", &["cannot read `folder`"]);
}
