//! A town behind a port, a folder with a snapshot of it, and the binary that runs there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use secateur_tests::binary;
use secateur_tests::emulator::{OPERATOR_KEY, OPERATOR_SECRET};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::town::{self, Kind, More};
use crate::cli::{Answer, files_below};
use crate::emulator::cloud::Cloud;

/// The moment at which all towns of this process are: a snapshot of one is that of another.
fn now() -> &'static str {
    static NOW: OnceLock<String> = OnceLock::new();
    NOW.get_or_init(|| {
        let output = Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    })
}

/// A town that was collected once, and is built anew for every play.
pub struct Stage {
    port: u16,
    snapshot: TempDir,
    /// The plans that were made already, by kind.
    plans: Mutex<BTreeMap<&'static str, Vec<u8>>>,
    more: Box<More>,
}

/// One play: a town as it was, and a folder with its snapshot and a plan.
pub struct Play {
    pub cloud: Cloud,
    dir: TempDir,
    program: PathBuf,
}

/// The plan of a play.
pub const PLAN: &str = "plan.json";

impl Stage {
    pub fn new() -> Stage {
        Stage::with(Box::new(|_, _| {}))
    }

    /// A stage whose towns have something more, which was there all the time.
    pub fn with(more: Box<More>) -> Stage {
        let cloud = town::build(0, now(), &*more);
        let snapshot = TempDir::new().unwrap();
        let stage = Stage { port: cloud.running.port(), snapshot, plans: Mutex::default(), more };
        let play = Play { cloud, dir: TempDir::new().unwrap(), program: binary() };
        play.run(&["collect", "--rate", "max", "-q"]).ended_with(0);
        copy(&play.path(".secateur/snapshot"), &stage.snapshot.path().join("snapshot"));
        stage
    }

    /// A play with the plan of one kind of change.
    pub fn play(&self, kind: &Kind) -> Play {
        let play = self.open(kind.config);
        let mut plans = self.plans.lock().unwrap();
        if let Some(plan) = plans.get(kind.name) {
            fs::write(play.path(PLAN), plan).unwrap();
            return play;
        }
        let targets: Vec<&str> = kind.target.iter().flat_map(|target| ["--target", target]).collect();
        play.run(&[&["plan", "-q", "--out", PLAN], &targets[..]].concat()).ended_with(0);
        assert!(!play.plan()["changes"].as_array().unwrap().is_empty(), "{}: {}", kind.name, play.plan()["withheld"]);
        plans.insert(kind.name, fs::read(play.path(PLAN)).unwrap());
        play
    }

    /// A play without a plan yet.
    pub fn open(&self, config: &str) -> Play {
        let play =
            Play { cloud: town::build(self.port, now(), &*self.more), dir: TempDir::new().unwrap(), program: binary() };
        fs::write(play.path("secateur.toml"), format!("{}{config}", town::CONFIG)).unwrap();
        copy(&self.snapshot.path().join("snapshot"), &play.path(".secateur/snapshot"));
        play
    }
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files_below(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

impl Play {
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn plan(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path(PLAN)).unwrap()).unwrap()
    }

    /// Runs another build of the binary from now on.
    pub fn with_program(self, program: PathBuf) -> Play {
        Play { program, ..self }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_clear().env("HOME", self.dir.path()).env("NO_COLOR", "1").env("PATH", "/usr/bin:/bin");
        command.env("AWS_ENDPOINT_URL", self.cloud.running.url()).env("AWS_DEFAULT_REGION", "eu-west-1");
        command.env("AWS_ACCESS_KEY_ID", OPERATOR_KEY).env("AWS_SECRET_ACCESS_KEY", OPERATOR_SECRET);
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("SECATEUR_RATE", "max");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Answer {
        answer(self.command(arguments).output().unwrap())
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Waits until the emulator holds a call.
    pub fn wait_until_held(&self) {
        for _ in 0..1_200 {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let held = self.cloud.running.control("GET", "held", &Value::Null).unwrap();
            if held.to_string().contains('1') {
                return;
            }
        }
        panic!("no write was held");
    }

    /// Applies all of the plan.
    pub fn apply(&self, more: &[&str]) -> Answer {
        let settle: &[&str] = if more.contains(&"--settle") { &[] } else { &["--settle", "2"] };
        self.run(&[&["apply", PLAN, "--auto-approve", "--no-recheck"], settle, more].concat())
    }

    /// Applies, and is denied the second write. Returns the id of the journal, which is open.
    pub fn stop_after_one_write(&self) -> String {
        let fault =
            json!({ "operation": "writes", "skip": 1, "effect": "error", "code": "AccessDenied", "status": 403 });
        self.cloud.control("faults", fault);
        self.apply(&[]).ended_with(4);
        self.journals().remove(0)
    }

    pub fn resume(&self) -> Answer {
        self.run(&["apply", "--resume", "--auto-approve", "--settle", "2"])
    }

    /// Takes the last apply back.
    pub fn rollback(&self, more: &[&str]) -> Answer {
        let id = self.journals().into_iter().rev().find(|id| id.contains("-apply-")).unwrap();
        let settle: &[&str] = if more.contains(&"--settle") { &[] } else { &["--settle", "2"] };
        self.run(&[&["rollback", &id, "--auto-approve"], settle, more].concat())
    }

    /// The ids of all journals, the oldest first.
    pub fn journals(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(".secateur/journal")) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut ids: Vec<String> = names.filter_map(|name| name.strip_suffix(".jsonl").map(str::to_owned)).collect();
        ids.sort();
        ids
    }

    /// The records of a journal.
    pub fn records(&self, id: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(&format!(".secateur/journal/{id}.jsonl"))).unwrap();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.map(|mut line| line["entry"]["record"].take()).collect()
    }

    /// How the journals ended: the last record of each, `intent` and the like where one is open.
    pub fn ends(&self) -> Vec<String> {
        let last = |id: String| self.records(&id).last().map(|record| record["record"].as_str().unwrap().to_owned());
        self.journals().into_iter().filter_map(last).collect()
    }
}

pub fn answer(output: std::process::Output) -> Answer {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let answer =
        Answer { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) };
    assert!(!answer.stderr.contains("panicked"), "{answer}");
    answer
}
