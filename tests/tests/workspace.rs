//! What cargo and git say about this workspace.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// Returns the folder of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Runs cargo on the workspace, without network and with the lock file as it is, and returns what it prints.
pub fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .args(["--offline", "--locked", "--color", "never"])
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`cargo {}` failed:\n{complaint}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the packages of the workspace, as `cargo metadata` describes them.
pub fn packages() -> &'static [Value] {
    static PACKAGES: OnceLock<Vec<Value>> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let metadata: Value =
            serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).unwrap();
        metadata["packages"].as_array().unwrap().clone()
    })
}

/// Returns the package of that name.
pub fn package(name: &str) -> &'static Value {
    packages().iter().find(|package| package["name"] == name).unwrap_or_else(|| panic!("no package `{name}`"))
}

/// Returns the files of the repository relative to its folder, with `/` between folders, in order: what git tracks or
/// would track; every file outside hidden folders and `target` where there is no git.
pub fn files() -> &'static BTreeSet<String> {
    static FILES: OnceLock<BTreeSet<String>> = OnceLock::new();
    FILES.get_or_init(|| tracked().unwrap_or_else(walked))
}

/// Returns the text of a file of the repository.
pub fn text(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn tracked() -> Option<BTreeSet<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let listed = String::from_utf8(output.stdout).ok()?;
    // A file that was deleted stays listed until the deletion is staged.
    let exists = |file: &&str| root().join(file).is_file();
    let files: BTreeSet<String> = listed.split('\0').filter(exists).map(str::to_owned).collect();
    // Unpacked inside another repository, a source archive looks empty to git.
    (output.status.success() && !files.is_empty()).then_some(files)
}

fn walked() -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = folder.join(&name);
            if entry.file_type().unwrap().is_file() {
                files.insert(path.to_str().unwrap().replace('\\', "/"));
            } else if !name.starts_with('.') && path != Path::new("target") {
                folders.push(path);
            }
        }
    }
    files
}

#[test]
fn a_walk_finds_what_git_tracks() {
    let walked = walked();
    let is_source = |file: &&String| !file.starts_with('.') && file.ends_with(".rs");
    let tracked = tracked().unwrap_or_default();
    let missed: Vec<&String> = tracked.iter().filter(is_source).filter(|file| !walked.contains(*file)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
