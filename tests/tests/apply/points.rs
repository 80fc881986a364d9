//! The process ends at the journal's own steps: before a record is written, before it is on the disk, after, and between a call
//! and its record.

use std::path::{Path, PathBuf};
use std::process::Command;

use secateur_tests::{Build, binary, built};
use serde_json::Value;
use tempfile::TempDir;

use super::stage::{PLAN, Play, Stage, answer};
use super::town::{KINDS, MANY, essence};
use crate::cli::Answer;
use crate::workspace::{package, root};

/// Everything between which a crash can come, by the names that the code gives it.
const POINTS: [&str; 13] = [
    "begin-unwritten",
    "begin-unsynced",
    "begin-synced",
    "intent-unwritten",
    "intent-unsynced",
    "intent-synced",
    "performed",
    "done-unwritten",
    "done-unsynced",
    "done-synced",
    "end-unwritten",
    "end-unsynced",
    "end-synced",
];

pub fn run_until(play: &Play, arguments: &[&str], point: &str) -> Answer {
    answer(play.command(arguments).env("SECATEUR_FAULT_POINT", point).output().unwrap())
}

fn is_rollback_open(play: &Play) -> bool {
    let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).stdout).unwrap();
    rows.as_array().unwrap().iter().any(|row| row["kind"] == "rollback" && row["state"] == "open")
}

#[test]
fn a_crash_at_every_step_of_the_journal_is_survived() {
    let program = with_points();
    let stage = Stage::new();
    let kind = KINDS.iter().find(|kind| kind.name == "replace").unwrap();
    let play = stage.play(kind);
    let start = essence(&play.cloud);
    play.apply(&[]).ended_with(0);
    let end = essence(&play.cloud);
    drop(play);
    let apply = ["apply", PLAN, "--auto-approve", "--no-recheck", "--settle", "1"];
    let mut tried = 0;
    for point in POINTS {
        for time in 0.. {
            let play = stage.play(kind).with_program(program.clone());
            let crashed = run_until(&play, &apply, &format!("{point}:{time}"));
            if crashed.code != -1 {
                // Past the last time.
                assert_eq!(crashed.code, 0, "{point}:{time}: {crashed}");
                assert!(time > 0, "{point} is never passed");
                break;
            }
            tried += 1;
            let ended = play.ends();
            if ended.is_empty() || ended == [""; 0] {
                assert_eq!(essence(&play.cloud), start, "{point}:{time}");
                play.apply(&["--settle", "1"]).ended_with(0);
            } else if ended != ["end"] && tried % 2 == 0 {
                play.resume().ended_with(0);
                assert_eq!(essence(&play.cloud), end, "{point}:{time}");
            }
            // Back, with a crash on that way too.
            let id = play.journals().into_iter().rev().find(|id| id.contains("-apply-")).unwrap();
            let rollback = ["rollback", &id, "--auto-approve", "--settle", "1"];
            let crashed = run_until(&play, &rollback, &format!("{point}:{}", tried % 3));
            if crashed.code == -1 && is_rollback_open(&play) {
                play.resume().ended_with(0);
            }
            play.run(&rollback).ended_with(0);
            assert_eq!(essence(&play.cloud), start, "{point}:{time}: taken back");
        }
    }
    println!("{tried} crashes");
    assert!(tried > 20, "{tried}");
}

#[test]
fn a_crash_with_several_writes_on_their_way_is_survived() {
    let program = with_points();
    let stage = Stage::new();
    let play = stage.play(&MANY);
    let start = essence(&play.cloud);
    play.apply(&[]).ended_with(0);
    let end = essence(&play.cloud);
    drop(play);
    let apply = ["apply", PLAN, "--auto-approve", "--no-recheck", "--settle", "1"];
    for (at, point) in
        ["intent-unwritten", "intent-unsynced", "intent-synced", "performed", "done-unsynced"].iter().enumerate()
    {
        for time in [0, 2, 5] {
            let play = stage.play(&MANY).with_program(program.clone());
            let crashed = run_until(&play, &apply, &format!("{point}:{time}"));
            assert_eq!(crashed.code, -1, "{point}:{time}: {crashed}");
            if (at + time) % 2 == 0 {
                play.resume().ended_with(0);
                assert_eq!(essence(&play.cloud), end, "{point}:{time}");
            }
            play.rollback(&["--settle", "1"]).ended_with(0);
            assert_eq!(essence(&play.cloud), start, "{point}:{time}: taken back");
        }
    }
}

/// The binary that has the points.
pub fn with_points() -> PathBuf {
    let build = Build {
        package: "secateur",
        binary: "secateur-fault-points",
        kind: "bin",
        more: &["--features", "fault-points"],
    };
    built(&build).unwrap()
}

#[test]
fn the_shipped_binary_has_no_such_points() {
    let features = &package("secateur")["features"];
    assert!(!features["default"].to_string().contains("fault-points"), "{features}");
    let name = concat!("SECATEUR_FAULT", "_POINT").as_bytes();
    let has_points = |path: &Path| std::fs::read(path).unwrap().windows(name.len()).any(|window| window == name);
    assert!(!has_points(&binary()));
    // One that somebody has built, whenever that was.
    let release = binary().parent().unwrap().with_file_name("release").join("secateur");
    match release.is_file() {
        true => assert!(!has_points(&release), "{}", release.display()),
        false => println!("there is no release build here: only the compiler was asked"),
    }
}

/// Compiles the points alone, as a release or not, with the feature or not; says what the compiler says.
fn compiled(arguments: &[&str]) -> Result<(), String> {
    let folder = TempDir::new().unwrap();
    let source = root().join("crates/planner/src/apply/fault.rs");
    let text = format!("mod outer {{ #[path = {source:?}] mod fault; pub fn pass() {{ fault::point(\"x\") }} }}");
    std::fs::write(folder.path().join("points.rs"), text).unwrap();
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["points.rs", "--crate-type=lib", "--edition=2024", "--emit=metadata"]).args(arguments);
    let output = rustc.current_dir(folder.path()).output().unwrap();
    output.status.success().then_some(()).ok_or_else(|| String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_release_build_with_such_points_does_not_compile() {
    let (with, release) = ("--cfg=feature=\"fault-points\"", "-Cdebug-assertions=off");
    let refusal = compiled(&[with, release]).unwrap_err();
    assert!(refusal.contains("a release build has none"), "{refusal}");
    compiled(&[with, "-Cdebug-assertions=on"]).unwrap();
    compiled(&[release]).unwrap();
    // The release profile is cargo's own: it leaves debug assertions out.
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("debug-assertions"), "a profile changes what a release is");
}
