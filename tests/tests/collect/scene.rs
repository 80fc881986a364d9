//! An emulator, a folder, and the binary between them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use secateur_tests::binary;
use secateur_tests::emulator::{OPERATOR_KEY, OPERATOR_SECRET, Options};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::emulator::cloud::Cloud;

/// An emulator, and a folder to collect into.
pub struct Scene {
    pub cloud: Cloud,
    pub dir: TempDir,
    key: (String, String, Option<String>),
}

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A snapshot without what differs from run to run: names of files to their content.
pub type Content = BTreeMap<String, Value>;

/// The folder of the sample account's snapshot.
pub fn acme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/acme/snapshot")
}

impl Scene {
    pub fn with(options: Options) -> Scene {
        let key = (OPERATOR_KEY.to_owned(), OPERATOR_SECRET.to_owned(), None);
        let options = Options { silent: true, ..options };
        Scene { cloud: Cloud::with(options), dir: TempDir::new().unwrap(), key }
    }

    /// The sample account, at a clock that stands still.
    pub fn acme() -> Scene {
        Scene::with(Options { account: Some(acme()), frozen: true, ..Options::default() })
    }

    /// The account of a few principals, at a clock that stands still.
    pub fn small() -> Scene {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/small");
        Scene::with(Options { account: Some(folder), frozen: true, ..Options::default() })
    }

    pub fn control(&self, path: &str, body: Value) -> Value {
        self.cloud.running.control("POST", path, &body).unwrap()
    }

    /// Uses other credentials from now on.
    pub fn become_session(&mut self, arn: &str) {
        let made = self.control("credentials", json!({"arn": arn, "session": "nightly", "seconds": 3600}));
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        self.key = (text("AccessKeyId"), text("SecretAccessKey"), Some(text("SessionToken")));
    }

    pub fn snapshot(&self) -> PathBuf {
        self.dir.path().join("snap")
    }

    /// The binary, with nothing of the environment but credentials and endpoint.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(words).current_dir(self.dir.path()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.dir.path()).env("AWS_EC2_METADATA_DISABLED", "true").env("NO_COLOR", "1");
        command.env("AWS_ENDPOINT_URL", self.cloud.running.url());
        command.env("AWS_ACCESS_KEY_ID", &self.key.0).env("AWS_SECRET_ACCESS_KEY", &self.key.1);
        if let Some(token) = &self.key.2 {
            command.env("AWS_SESSION_TOKEN", token);
        }
        command
    }

    pub fn run(&self, words: &[&str]) -> Answer {
        answer(self.command(words).output().unwrap())
    }

    /// Collects as fast as the emulator allows.
    pub fn collect(&self, more: &[&str]) -> Answer {
        self.run(&[&["collect", "--snapshot", "snap", "--rate", "max"], more].concat())
    }

    /// Collects, which must leave nothing out.
    #[track_caller]
    pub fn collect_all(&self, more: &[&str]) -> Content {
        let answer = self.collect(more);
        assert_eq!(answer.code, 0, "{answer:?}");
        self.content()
    }

    /// Starts a collection and does not wait for it.
    pub fn spawn(&self, more: &[&str]) -> Child {
        let mut command = self.command(&[&["collect", "--snapshot", "snap", "--rate", "max"], more].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub fn content(&self) -> Content {
        content(&self.snapshot())
    }

    pub fn manifest(&self) -> Value {
        serde_json::from_slice(&fs::read(self.snapshot().join("manifest.json")).unwrap()).unwrap()
    }

    /// The gaps of the manifest: subject and kind.
    pub fn gaps(&self) -> Vec<(String, String)> {
        let text = |gap: &Value, name: &str| gap[name].as_str().unwrap().to_owned();
        let manifest = self.manifest();
        manifest["gaps"].as_array().unwrap().iter().map(|gap| (text(gap, "subject"), text(gap, "kind"))).collect()
    }

    /// How many calls of each operation the emulator received.
    pub fn calls(&self, operation: &str) -> u64 {
        let counts = self.cloud.running.control("GET", "calls/counts", &Value::Null).unwrap();
        let operations = counts["operations"].as_object().unwrap().clone();
        let of = |(name, count): (&String, &Value)| {
            name.ends_with(&format!(":{operation}")).then(|| count.as_u64().unwrap())
        };
        operations.iter().find_map(of).unwrap_or_default()
    }

    /// How many calls of an operation did not ask for another page.
    pub fn first_pages(&self, operation: &str) -> usize {
        let answer = self.cloud.running.control("GET", "calls", &Value::Null).unwrap();
        let calls = answer["calls"].as_array().or(answer.as_array()).unwrap().iter();
        calls.filter(|call| call["operation"] == operation && call["parameters"].get("Marker").is_none()).count()
    }
}

pub fn answer(output: Output) -> Answer {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or_else(|| panic!("ended by a signal: {:?}", output.status));
    Answer { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Reads a snapshot. Times of the run go; the files that the manifest lists must be those that are there.
pub fn content(dir: &Path) -> Content {
    let mut found = Content::new();
    let mut folders = vec![(String::new(), dir.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
            // The lock, and what a collection left that did not come to its end.
            if name == ".lock" || name == ".collecting" {
                continue;
            }
            if entry.path().is_dir() {
                folders.push((format!("{name}/"), entry.path()));
            } else {
                let value = serde_json::from_slice(&fs::read(entry.path()).unwrap());
                found.insert(name, value.unwrap());
            }
        }
    }
    let manifest = found.remove("manifest.json").unwrap();
    let listed: Vec<&String> = manifest["files"].as_object().unwrap().keys().collect();
    assert_eq!(listed, found.keys().collect::<Vec<_>>());
    for (name, value) in &mut found {
        if name.starts_with("last-accessed/") || name.starts_with("entities/") {
            forget(value, &["JobCreationDate", "JobCompletionDate"]);
        } else if name == "grants.json" {
            forget(value, &["from", "to"]);
        }
    }
    found
}

fn forget(value: &mut Value, members: &[&str]) {
    let object = value.as_object_mut().unwrap();
    for member in members {
        object.remove(*member);
    }
}

/// Checks that two snapshots are the same, and says where they are not.
#[track_caller]
pub fn assert_same(found: &Content, expected: &Content) {
    let names = |content: &Content| content.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected));
    for (name, value) in found {
        assert!(*value == expected[name], "{name} differs:\n{value:#}\n{:#}", expected[name]);
    }
}
