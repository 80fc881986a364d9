//! Killed anywhere, gone on with, and started twice.

use std::fs;
use std::path::Path;
use std::time::Duration;

use secateur_tests::Random;
use serde_json::{Value, json};

use super::scene::{Content, Scene, answer, assert_same};

/// What a reader makes of what is on disk: nothing, or a snapshot that can be read.
fn check_on_disk(scene: &Scene, old: Option<&Content>) {
    let snapshot = scene.snapshot();
    let has_details = snapshot.join("account-authorization-details.json").exists();
    if snapshot.join("manifest.json").exists() {
        let found = content_without_stage(&snapshot);
        if let Some(old) = old {
            let same = |content: &Content| content.keys().eq(found.keys());
            assert!(same(old), "neither the old snapshot nor the new one");
        }
    }
    if has_details {
        let status = scene.run(&["analyze", "--snapshot", "snap", "--format", "json"]);
        assert_eq!(status.code, 0, "{status:?}");
    }
}

fn content_without_stage(dir: &Path) -> Content {
    let copy = tempfile::tempdir().unwrap();
    copy_visible(dir, copy.path());
    super::scene::content(copy.path())
}

fn copy_visible(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_name().to_str().unwrap().starts_with('.') {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_visible(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn killed_at_twenty_moments_it_goes_on_to_the_same_snapshot() {
    let expected = Scene::acme().collect_all(&[]);
    let scene = Scene::acme();
    let mut random = Random::new(20);
    for _ in 0..20 {
        let mut child = scene.spawn(&[]);
        std::thread::sleep(Duration::from_millis(u64::try_from(100 + random.below(1_500)).unwrap()));
        child.kill().unwrap();
        child.wait().unwrap();
        check_on_disk(&scene, Some(&expected));
    }
    assert_same(&scene.collect_all(&[]), &expected);
    let hidden: Vec<_> = fs::read_dir(scene.snapshot())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(hidden, [".lock"]);
}

#[test]
fn killed_by_the_call_it_goes_on_from_there() {
    let expected = Scene::small().collect_all(&[]);
    for (operation, after) in [
        ("GetAccountAuthorizationDetails", false),
        ("GenerateServiceLastAccessedDetails", true),
        ("GetServiceLastAccessedDetails", true),
        ("LookupEvents", false),
        ("LookupEvents", true),
    ] {
        let scene = Scene::small();
        let child = scene.spawn(&[]);
        scene.control(
            "faults",
            json!({"operation": operation, "skip": 1, "effect": "kill", "pid": child.id(), "after": after}),
        );
        let output = child.wait_with_output().unwrap();
        // Where there is no second call, it went to its end.
        if output.status.code().is_none() {
            check_on_disk(&scene, None);
        }
        scene.cloud.running.control("DELETE", "faults", &Value::Null).unwrap();
        assert_same(&scene.collect_all(&[]), &expected);
    }
}

#[test]
fn of_two_collections_the_second_is_refused() {
    let scene = Scene::small();
    scene.control("faults", json!({"operation": "ListRegions", "effect": "hold"}));
    let first = scene.spawn(&[]);
    wait_until(|| {
        scene
            .cloud
            .running
            .control("GET", "held", &Value::Null)
            .unwrap()
            .as_array()
            .is_some_and(|held| !held.is_empty())
    });
    let second = scene.collect(&[]);
    assert_eq!(second.code, 3, "{second:?}");
    assert!(
        second.stderr.contains(&format!("another collection into `snap` is running (process {})", first.id())),
        "{second:?}"
    );
    scene.control("release", json!({}));
    let first = answer(first.wait_with_output().unwrap());
    assert_eq!(first.code, 0, "{first:?}");
}

/// Starts a collection, and kills it while it waits for the answer to a call.
fn kill_at(scene: &Scene, operation: &str) {
    scene.control("faults", json!({"operation": operation, "effect": "hold"}));
    let mut child = scene.spawn(&[]);
    let held = || scene.cloud.running.control("GET", "held", &Value::Null).unwrap();
    wait_until(|| held().as_array().is_some_and(|held| !held.is_empty()));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_another_account_has_collected_until_it_was_killed_is_not_gone_on_with() {
    let scene = Scene::small();
    kill_at(&scene, "LookupEvents");
    assert!(!scene.snapshot().join("manifest.json").exists());
    let other = Scene::acme();
    let refused = other.run(&["collect", "--snapshot", scene.snapshot().to_str().unwrap()]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("holds what was collected until now of account"), "{refused:?}");
    // The same account elsewhere is another one.
    let twin = Scene::small();
    let refused = twin.run(&["collect", "--snapshot", scene.snapshot().to_str().unwrap()]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains(&scene.cloud.running.url()), "{refused:?}");
    scene.control("release", json!({}));
    scene.collect_all(&[]);
}

#[test]
fn a_manifest_that_cannot_be_read_is_not_overwritten() {
    let scene = Scene::small();
    scene.collect_all(&[]);
    let manifest = scene.snapshot().join("manifest.json");
    let whole = fs::read(&manifest).unwrap();
    for broken in [&whole[..whole.len() / 2], b"[]", b"", b"{\"format_version\": 1}"] {
        fs::write(&manifest, broken).unwrap();
        let refused = scene.collect(&[]);
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(
            refused.stderr.contains("cannot be read, so nobody knows which files are of the snapshot"),
            "{refused:?}"
        );
        assert_eq!(fs::read(&manifest).unwrap(), broken);
    }
    fs::write(&manifest, &whole).unwrap();
    scene.collect_all(&[]);
}

pub fn wait_until(is_so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it never came to that");
}

#[test]
fn the_snapshot_of_another_account_or_of_nobody_is_not_replaced() {
    let scene = Scene::small();
    scene.collect_all(&[]);
    let other = Scene::acme();
    let taken = scene.snapshot();
    let path = taken.to_str().unwrap();
    let refused = other.run(&["collect", "--snapshot", path]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("holds a snapshot of account"), "{refused:?}");
    fs::remove_file(taken.join("manifest.json")).unwrap();
    let refused = scene.collect(&[]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.stderr.contains("made by hand"), "{refused:?}");
}

#[test]
fn the_exchange_is_finished_by_whoever_comes_next() {
    let scene = Scene::small();
    let expected = scene.collect_all(&[]);
    let snapshot = scene.snapshot();
    // As it is when somebody is killed in the middle: the manifest and some of the files are not in their places yet.
    let stage = snapshot.join(".collecting");
    fs::create_dir(&stage).unwrap();
    for name in ["manifest.json", "regions.json", "last-accessed"] {
        fs::rename(snapshot.join(name), stage.join(name)).unwrap();
    }
    fs::create_dir_all(snapshot.join("policy-tags")).unwrap();
    fs::write(snapshot.join("policy-tags/old.json"), r#"{"Arn": "arn:aws:iam::111122223333:policy/old", "Tags": []}"#)
        .unwrap();
    let mut replaced: Value = serde_json::from_slice(&fs::read(stage.join("manifest.json")).unwrap()).unwrap();
    replaced["files"]["policy-tags/old.json"] = "0".repeat(64).into();
    fs::write(stage.join(".replaced.json"), replaced.to_string()).unwrap();
    // Whoever reads meanwhile follows the new manifest.
    let analyzed = scene.run(&["analyze", "--snapshot", "snap", "--format", "json"]);
    assert_eq!(analyzed.code, 0, "{analyzed:?}");
    assert_same(&scene.collect_all(&[]), &expected);
    assert!(!stage.exists());
}

#[cfg(unix)]
#[test]
fn whoever_interrupts_it_is_told_how_it_goes_on() {
    let expected = Scene::small().collect_all(&[]);
    let scene = Scene::small();
    for (kind, there) in
        [("INT", "there is no snapshot in snap yet"), ("TERM", "the snapshot in snap is what it was before")]
    {
        let before = (kind == "TERM").then(|| scene.content());
        scene.control("faults", json!({"operation": "LookupEvents", "effect": "hold"}));
        let child = scene.spawn(&["--max-age", "0"]);
        let held = || scene.cloud.running.control("GET", "held", &Value::Null).unwrap();
        wait_until(|| held().as_array().is_some_and(|held| !held.is_empty()));
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args([&format!("-{kind}"), &id]).status().unwrap().success());
        let ended = answer(child.wait_with_output().unwrap());
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
        assert!(
            ended.stderr.contains(&format!("Error: interrupted: {there}; what was read until now is kept")),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("help: `secateur collect` with the same flags goes on from there"), "{ended:?}");
        check_on_disk(&scene, before.as_ref());
        scene.control("release", json!({}));
        scene.cloud.running.control("DELETE", "calls", &Value::Null).unwrap();
        assert_same(&scene.collect_all(&[]), &expected);
        // What was read before is not read again.
        assert_eq!(scene.calls("GenerateServiceLastAccessedDetails"), 0);
    }
}

#[cfg(unix)]
#[test]
fn whoever_interrupts_its_first_calls_is_told_what_there_is() {
    let scene = Scene::small();
    let interrupted = |operation: &str, more: &[&str]| {
        scene.control("faults", json!({"operation": operation, "effect": "hold"}));
        let child = scene.spawn(more);
        let held = || scene.cloud.running.control("GET", "held", &Value::Null).unwrap();
        wait_until(|| held().as_array().is_some_and(|held| !held.is_empty()));
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let ended = answer(child.wait_with_output().unwrap());
        scene.control("release", json!({}));
        assert_eq!(ended.code, 1, "{ended:?}");
        ended.stderr
    };
    let nothing = "Error: interrupted: there is no snapshot in snap yet; nothing was read yet\n  help: `secateur collect` with the same \
                   flags begins again";
    for operation in ["GetCallerIdentity", "GetAccountSummary"] {
        let said = interrupted(operation, &[]);
        assert!(said.contains(nothing), "{said}");
    }
    let said = interrupted("GetCallerIdentity", &["--check"]);
    assert!(said.contains("Error: interrupted: a check changes nothing"), "{said}");
    // One whose files are changing places is a snapshot.
    scene.collect_all(&[]);
    let moved = scene.dir.path().join("moved");
    fs::rename(scene.snapshot(), &moved).unwrap();
    fs::create_dir(scene.snapshot()).unwrap();
    fs::rename(&moved, scene.snapshot().join(".collecting")).unwrap();
    let said = interrupted("GetAccountSummary", &[]);
    assert!(said.contains("interrupted: the snapshot in snap is what it was before; nothing was read yet"), "{said}");
}
