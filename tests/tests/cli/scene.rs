//! A folder of its own for each test, in which the binary runs with nothing of the environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use secateur_tests::binary;
use serde_json::Value;
use tempfile::TempDir;

use super::planfile::sha256_hex;
use crate::workspace::root;

/// Where a scene has its snapshot.
pub const SNAPSHOT: &str = "snap";
/// The snapshot's manifest.
pub const MANIFEST: &str = "snap/manifest.json";
/// The authorization details.
pub const DETAILS: &str = "snap/account-authorization-details.json";
/// The report that the changes of role/ci and policy/shared rest on.
pub const CI_REPORT: &str = "snap/last-accessed/role-ci.json";
/// Where [`Scene::plan`] writes the plan.
pub const PLAN: &str = "plan.json";

/// A folder, and what is in it.
pub struct Scene {
    dir: TempDir,
}

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Scene {
    /// Returns an empty folder.
    pub fn empty() -> Scene {
        Scene { dir: TempDir::new().unwrap() }
    }

    /// Returns a folder with a copy of the small account in `snap`.
    pub fn small() -> Scene {
        let scene = Scene::empty();
        scene.copy_small(SNAPSHOT);
        scene
    }

    /// Returns the small account without a manifest, which edits need not keep true.
    pub fn unsealed() -> Scene {
        let scene = Scene::small();
        scene.remove(MANIFEST);
        scene
    }

    /// Copies the small account into a folder.
    pub fn copy_small(&self, to: &str) {
        for (name, bytes) in files_below(&root().join("tests/fixtures/small")) {
            self.write(&format!("{to}/{name}"), bytes);
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, and the folders it needs.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// Edits a file of JSON.
    pub fn edit(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        let mut value = self.json(name);
        edit(&mut value);
        self.write(name, value.to_string());
    }

    /// Makes the manifest true of the files that it lists.
    pub fn seal(&self) {
        self.edit(MANIFEST, |manifest| {
            for (name, sha256) in manifest["files"].as_object_mut().unwrap() {
                let bytes = fs::read(self.path(SNAPSHOT).join(name)).unwrap();
                *sha256 = Value::from(sha256_hex(&bytes));
            }
        });
    }

    /// Returns the names of all files and empty folders, in order.
    pub fn listing(&self) -> Vec<String> {
        files_below(self.dir.path()).into_iter().map(|(name, _)| name).collect()
    }

    /// Runs the binary in the folder.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        self.run_in(".", arguments, &[])
    }

    /// Runs the binary in a folder below, with more in its environment.
    pub fn run_in(&self, folder: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Answer {
        let output = self.command(folder, arguments).envs(environment.iter().copied()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("ended by a signal: {:?}", output.status));
        let answer = Answer { code, stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!answer.stderr.contains("panicked"), "{arguments:?}: {answer}");
        answer
    }

    /// Returns the command, for tests with streams of their own.
    pub fn command(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.path(folder)).stdin(Stdio::null());
        command.env_clear().env("HOME", self.dir.path()).env("NO_COLOR", "1");
        command
    }

    /// Plans with more arguments and returns the plan, which is in [`PLAN`] too.
    pub fn plan(&self, more: &[&str]) -> Value {
        self.run(&[&["plan", "--snapshot", SNAPSHOT, "--out", PLAN], more].concat()).ended_with(0);
        self.json(PLAN)
    }

    /// Runs a command that must fail, name all of `words` and a remedy, and write nothing.
    #[track_caller]
    pub fn check_error(&self, arguments: &[&str], code: i32, words: &[&str]) -> Answer {
        let before = self.listing();
        let answer = self.run(arguments);
        assert_eq!(answer.code, code, "{arguments:?}: {answer}");
        for word in words.iter().chain(&["help: "]) {
            assert!(answer.stderr.contains(word), "`{word}` is not in the error of {arguments:?}: {answer}");
        }
        assert_eq!(answer.stdout, "", "{arguments:?} failed and printed a product");
        assert_eq!(self.listing(), before, "{arguments:?} failed and wrote files");
        answer
    }
}

impl Answer {
    /// Returns the answer, if it has this exit code.
    #[track_caller]
    pub fn ended_with(self, code: i32) -> Answer {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// Returns the word for programs of an error with `--format json`.
    #[track_caller]
    pub fn reason(&self) -> String {
        let error: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("not an object: {self}"));
        error["reason"].as_str().unwrap().to_owned()
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {}\nstdout:\n{}\nstderr:\n{}", self.code, self.stdout, self.stderr)
    }
}

/// The addresses of a plan's changes.
pub fn addresses(plan: &Value) -> Vec<&str> {
    plan["changes"].as_array().unwrap().iter().map(|change| change["address"].as_str().unwrap()).collect()
}

/// A plan's change.
#[track_caller]
pub fn change<'a>(plan: &'a Value, address: &str) -> &'a Value {
    let found = plan["changes"].as_array().unwrap().iter().find(|change| change["address"] == address);
    found.unwrap_or_else(|| panic!("{address} is not among {:?}", addresses(plan)))
}

/// The reasons for which a change removes actions.
pub fn reasons(change: &Value) -> Vec<&str> {
    change["removed"].as_array().unwrap().iter().map(|removed| removed["reason"].as_str().unwrap()).collect()
}

/// Why an address is withheld: reason and detail.
pub fn withheld<'a>(plan: &'a Value, address: &str) -> Vec<(&'a str, &'a str)> {
    let entries = plan["withheld"].as_array().unwrap().iter().filter(|entry| entry["address"] == address);
    entries.map(|entry| (entry["reason"].as_str().unwrap(), entry["detail"].as_str().unwrap())).collect()
}

/// The kinds of the gaps with this subject.
pub fn gaps<'a>(plan: &'a Value, subject: &str) -> Vec<&'a str> {
    let gaps = plan["gaps"].as_array().unwrap().iter().filter(|gap| gap["subject"] == subject);
    gaps.map(|gap| gap["kind"].as_str().unwrap()).collect()
}

/// The files below a folder with their bytes, by name; an empty folder counts as a file whose name ends in `/`.
pub fn files_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            let below = files_below(&entry.path());
            if below.is_empty() {
                found.push((format!("{name}/"), Vec::new()));
            }
            found.extend(below.into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            let is_file = entry.file_type().unwrap().is_file();
            found.push((name, if is_file { fs::read(entry.path()).unwrap() } else { Vec::new() }));
        }
    }
    found
}
