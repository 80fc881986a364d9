//! Same inputs, same bytes.

use serde_json::Value;

use super::scene::{PLAN, Scene, files_below};
use crate::workspace::root;

/// A generator of numbers that is the same on every machine (Knuth's MMIX), for shuffling.
struct Shuffle(u64);

impl Shuffle {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.next(last + 1));
        }
    }
}

/// Copies the small account, its files created in an order of their own.
fn shuffled(seed: u64, rename: impl Fn(usize, &str) -> Option<String>) -> Scene {
    let scene = Scene::empty();
    let mut files: Vec<_> = files_below(&root().join("tests/fixtures/small")).into_iter().enumerate().collect();
    Shuffle(seed).shuffle(&mut files);
    for (at, (name, bytes)) in files {
        if let Some(name) = rename(at, &name) {
            scene.write(&format!("snap/{name}"), bytes);
        }
    }
    scene
}

/// Runs `plan` and returns the plan file, what was printed, and what was printed as JSON.
fn outputs(scene: &Scene, more: &[&str], environment: &[(&str, &str)]) -> [String; 4] {
    let arguments = [&["plan", "--snapshot", "snap", "--out", PLAN], more].concat();
    let text = scene.run_in(".", &arguments, environment).ended_with(0);
    let plan = scene.text(PLAN);
    let json = scene.run_in(".", &[&arguments[..], &["--format", "json"]].concat(), environment).ended_with(0);
    assert_eq!(json.stdout, plan);
    [plan, text.stdout, text.stderr, scene.run_in(".", &["show", PLAN], environment).stdout]
}

#[test]
fn neither_threads_nor_locale_nor_time_zone_nor_the_order_of_files_matter() {
    let as_is = |_: usize, name: &str| Some(name.to_owned());
    let expect = outputs(&Scene::small(), &[], &[]);
    let check = |seed: u64, more: &[&str], environment: &[(&str, &str)]| {
        let found = outputs(&shuffled(seed, as_is), more, environment);
        assert_eq!(found, expect, "{more:?} {environment:?}");
    };
    check(1, &["--threads", "1"], &[("TZ", "UTC")]);
    check(2, &["--threads", "8"], &[("TZ", "Asia/Kathmandu")]);
    check(3, &["--threads", "3"], &[("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8"), ("TZ", "Asia/Kathmandu")]);
    check(4, &[], &[("LC_ALL", "C"), ("COLUMNS", "20"), ("TERM", "xterm-256color")]);
}

#[test]
fn the_names_of_reports_matter_to_the_digest_of_the_snapshot_only() {
    let rename = |turn: usize| {
        move |at: usize, name: &str| match name.split_once('/') {
            _ if name == "manifest.json" => None,
            Some(("last-accessed", _)) => Some(format!("last-accessed/{}/{}.json", at % turn, (at * 7 + turn) % 31)),
            _ => Some(name.to_owned()),
        }
    };
    let neutral = |scene: &Scene| -> (Value, Vec<String>) {
        let [plan, text, ..] = outputs(scene, &[], &[]);
        let mut plan: Value = serde_json::from_str(&plan).unwrap();
        plan["digest"] = Value::Null;
        plan["inputs"]["snapshot"]["sha256"] = Value::Null;
        (plan, text.lines().filter(|line| !line.starts_with("Digest: ")).map(str::to_owned).collect())
    };
    let expect = neutral(&Scene::unsealed());
    assert!(neutral(&shuffled(5, rename(2))) == expect);
    assert!(neutral(&shuffled(6, rename(3))) == expect);
    // The same names again are the same bytes again.
    assert_eq!(outputs(&shuffled(7, rename(2)), &[], &[]), outputs(&shuffled(8, rename(2)), &["--threads", "8"], &[]));
}

#[test]
fn the_order_of_lists_in_the_authorization_details_does_not_matter_to_the_changes() {
    let expect = Scene::unsealed().plan(&[]);
    let scene = Scene::unsealed();
    scene.edit(super::scene::DETAILS, |details| {
        for list in ["UserDetailList", "RoleDetailList", "Policies"] {
            details[list].as_array_mut().unwrap().reverse();
        }
    });
    let found = scene.plan(&[]);
    assert_eq!(found["changes"], expect["changes"]);
    assert_eq!(found["changes_digest"], expect["changes_digest"]);
    assert_eq!(found["withheld"], expect["withheld"]);
}
