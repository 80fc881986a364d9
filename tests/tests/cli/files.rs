//! Which files a plan makes, where, and who may read them.

use std::fs;

use super::scene::{PLAN, SNAPSHOT, Scene, addresses};

const STATE_PLAN: &str = ".secateur/plan.json";

#[cfg(unix)]
fn mode(scene: &Scene, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::symlink_metadata(scene.path(name)).unwrap().permissions().mode() & 0o7777
}

#[cfg(unix)]
#[test]
fn plans_are_readable_by_their_owner_only() {
    let scene = Scene::small();
    scene.run(&["plan", "--snapshot", SNAPSHOT]).ended_with(0);
    assert_eq!(mode(&scene, STATE_PLAN), 0o600);
    assert_eq!(mode(&scene, ".secateur"), 0o700);
    scene.run(&["plan", "--snapshot", SNAPSHOT, "--out", "a/b/plan.json"]).ended_with(0);
    assert_eq!((mode(&scene, "a"), mode(&scene, "a/b"), mode(&scene, "a/b/plan.json")), (0o700, 0o700, 0o600));
    scene.plan(&[]);
    assert_eq!(mode(&scene, PLAN), 0o600);
    scene.run(&["show", PLAN, "--out", "page.txt"]).ended_with(0);
    assert_eq!(mode(&scene, "page.txt"), 0o600);
}

#[test]
fn state_is_ignored_by_git() {
    let scene = Scene::small();
    scene.run(&["plan", "--snapshot", SNAPSHOT]).ended_with(0);
    assert_eq!(scene.text(".secateur/.gitignore"), "*\n");
}

/// The default place of the snapshot is in the folder for state, so the folder is often there before the first plan.
#[test]
fn state_is_ignored_by_git_where_the_folder_was_made_by_hand() {
    let scene = Scene::empty();
    scene.copy_small(".secateur/snapshot");
    scene.run(&["plan"]).ended_with(0);
    assert_eq!(scene.text(".secateur/.gitignore"), "*\n");
}

#[test]
fn a_gitignore_of_the_user_is_kept() {
    let scene = Scene::empty();
    scene.copy_small(".secateur/snapshot");
    scene.write(".secateur/.gitignore", "*\n!plan.json\n");
    scene.run(&["plan"]).ended_with(0);
    assert_eq!(scene.text(".secateur/.gitignore"), "*\n!plan.json\n");
}

#[test]
fn the_configuration_is_found_by_walking_up_and_state_is_beside_it() {
    let scene = Scene::empty();
    scene.copy_small("repo/.secateur/snapshot");
    scene.write("repo/secateur.toml", "[limits]\nmax_changes = 1\n");
    scene.write("repo/a/b/.keep", "");
    scene.run_in("repo/a/b", &["plan"], &[]).ended_with(0);
    let plan = scene.json("repo/.secateur/plan.json");
    assert_eq!(addresses(&plan).len(), 1);
    assert_eq!(plan["inputs"]["config"]["path"], "secateur.toml");
    assert_eq!(plan["inputs"]["snapshot"]["path"], ".secateur/snapshot");
    assert!(!scene.path("repo/a/b/.secateur").exists());
    // The nearest one counts.
    scene.write("repo/a/secateur.toml", "[limits]\nmax_changes = 2\n");
    let answer = scene.run_in("repo/a/b", &["plan"], &[]).ended_with(1);
    assert!(answer.stderr.contains("there is no snapshot at `../.secateur/snapshot`"), "{answer}");
}

#[test]
fn a_configuration_that_is_named_decides_where_state_is() {
    let scene = Scene::small();
    scene.write("conf/secateur.toml", "");
    scene.run(&["plan", "--snapshot", SNAPSHOT, "--config", "conf/secateur.toml"]).ended_with(0);
    assert!(scene.path("conf/.secateur/plan.json").is_file());
    let environment = [("SECATEUR_CONFIG", "conf/secateur.toml"), ("SECATEUR_SNAPSHOT", SNAPSHOT)];
    let answer = scene.run_in(".", &["plan"], &environment).ended_with(0);
    assert!(answer.stderr.contains("Saved the plan to: conf/.secateur/plan.json"), "{answer}");
    assert!(!scene.path(".secateur").exists());
}

#[test]
fn a_plan_replaces_the_plan_before_it_and_leaves_nothing_else() {
    let scene = Scene::small();
    let before = scene.listing();
    scene.plan(&[]);
    scene.plan(&["--target", "policy/shared"]);
    let made: Vec<String> = scene.listing().into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(made, [PLAN]);
    assert_eq!(addresses(&scene.json(PLAN)), ["policy/shared"]);
}

#[test]
fn where_a_plan_cannot_be_written_is_named() {
    let scene = Scene::small();
    let plan = |out| ["plan", "--snapshot", SNAPSHOT, "--out", out];
    fs::create_dir(scene.path("folder")).unwrap();
    scene.write("file", "");
    scene.check_error(&plan("folder"), 1, &["cannot write `folder`"]);
    scene.check_error(&plan("file/plan.json"), 1, &["cannot write `file/plan.json`"]);
    // What is read is not written over.
    scene.check_error(&plan("snap/plan.json"), 64, &["`snap/plan.json` lies within the snapshot"]);
    scene.write("secateur.toml", "");
    scene.check_error(&plan("secateur.toml"), 64, &["`secateur.toml` is the configuration"]);
    scene.plan(&[]);
    scene.check_error(&["show", PLAN, "--redact", "--out", PLAN], 64, &["is the plan that is shown"]);
}

/// `--out /dev/null` by root would replace the device.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_written_to_and_not_replaced() {
    use std::os::unix::fs::FileTypeExt;
    let scene = Scene::small();
    let made = std::process::Command::new("mkfifo").arg(scene.path("pipe")).status().unwrap();
    assert!(made.success());
    let _reader = fs::File::options().read(true).write(true).open(scene.path("pipe")).unwrap();
    // Whether it is written or refused, the pipe stays.
    let child = scene.command(".", &["show", "none", "--out", "pipe"]).output().unwrap();
    assert_eq!(child.status.code(), Some(1));
    scene.plan(&["--target", "policy/shared"]);
    scene.command(".", &["show", PLAN, "--out", "pipe"]).output().unwrap();
    assert!(fs::symlink_metadata(scene.path("pipe")).unwrap().file_type().is_fifo(), "the pipe became a file");
}

#[cfg(unix)]
#[test]
fn a_link_leads_to_the_file_that_is_written() {
    let scene = Scene::small();
    scene.write("kept/old.json", "{}");
    std::os::unix::fs::symlink("kept/old.json", scene.path(PLAN)).unwrap();
    let plan = scene.plan(&["--target", "policy/shared"]);
    assert!(fs::symlink_metadata(scene.path(PLAN)).unwrap().is_symlink(), "the link became a file");
    assert_eq!(scene.json("kept/old.json"), plan);
}
