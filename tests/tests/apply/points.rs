//! The process ends at the journal's own steps: before a record is written, before it is on the disk, after, and between a call
//! and its record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use secateur_tests::{Build, binary, built};
use serde_json::Value;
use tempfile::TempDir;

use super::stage::{PLAN, Play, Stage, answer};
use super::town::{KINDS, Kind, MANY, essence};
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

/// The points that are passed once in a journal, and those that are passed at each write.
fn is_once(point: &str) -> bool {
    point.starts_with("begin-") || point.starts_with("end-")
}

/// The kind that is crashed at all points, and on its way back too.
const WHOLLY: &str = "replace";

/// The points that leave another state each, of every kind. Where a journal begins and ends, all kinds are the same; the end of a
/// process takes nothing of what it wrote, synced or not (a disk that loses that is tried in memory); and `intent-synced` and
/// `performed` leave what a kill before and after a write leaves, which is tried of every kind too (`kills.rs`).
const OF_EACH: [&str; 2] = ["intent-unwritten", "done-synced"];

#[test]
fn a_crash_at_every_step_of_the_journal_is_survived_by_every_kind() {
    let program = with_points();
    let mut kinds = KINDS.to_vec();
    kinds.sort_by_key(|kind| ![WHOLLY, "split", "evict"].contains(&kind.name));
    let (next, tried) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let stage = Stage::new();
                while let Some(kind) = kinds.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let own = crash_at_every_point(&stage, kind, &program);
                    tried.lock().unwrap().insert(kind.name, own);
                }
            });
        }
    });
    let tried = tried.into_inner().unwrap();
    for (kind, (writes, crashes)) in &tried {
        println!("{kind}: {crashes} crashes in {writes} writes");
        assert!(*crashes >= OF_EACH.len() * writes, "{kind}");
    }
    println!("{} crashes", tried.values().map(|(_, crashes)| crashes).sum::<usize>());
    assert_eq!(tried.len(), KINDS.len(), "a kind was not tried");
}

/// Returns how many writes a kind makes, and how many crashes there were.
fn crash_at_every_point(stage: &Stage, kind: &Kind, program: &Path) -> (usize, usize) {
    let play = stage.play(kind);
    let start = essence(&play.cloud);
    play.apply(&[]).ended_with(0);
    let end = essence(&play.cloud);
    let records = play.records(&play.journals()[0]);
    let writes = records.iter().filter(|record| record["record"] == "intent").count();
    drop(play);
    let apply = ["apply", PLAN, "--auto-approve", "--no-recheck", "--settle", "1"];
    let mut crashes = 0;
    let points: &[&str] = if kind.name == WHOLLY { &POINTS } else { &OF_EACH };
    for point in points {
        for time in 0..if is_once(point) { 1 } else { writes } {
            let context = format!("{}: {point}:{time}", kind.name);
            let play = stage.play(kind).with_program(program.to_owned());
            let crashed = run_until(&play, &apply, &format!("{point}:{time}"));
            assert_eq!(crashed.code, -1, "{context}: {crashed}");
            crashes += 1;
            let ended = play.ends();
            if ended.is_empty() {
                assert_eq!(essence(&play.cloud), start, "{context}");
                play.apply(&["--settle", "1"]).ended_with(0);
            } else if ended != ["end"] && crashes % 2 == 0 {
                play.run(&["apply", "--resume", "--auto-approve", "--settle", "1"]).ended_with(0);
                assert_eq!(essence(&play.cloud), end, "{context}");
            }
            let id = play.journals().into_iter().rev().find(|id| id.contains("-apply-")).unwrap();
            let rollback = ["rollback", &id, "--auto-approve", "--settle", "1"];
            if kind.name == WHOLLY {
                // Back, with a crash on that way too.
                let crashed = run_until(&play, &rollback, &format!("{point}:{}", crashes % 3));
                if crashed.code == -1 && is_rollback_open(&play) {
                    play.run(&["apply", "--resume", "--auto-approve", "--settle", "1"]).ended_with(0);
                }
            }
            play.run(&rollback).ended_with(0);
            assert_eq!(essence(&play.cloud), start, "{context}: taken back");
        }
    }
    // Past the last write there is no such point.
    let play = stage.play(kind).with_program(program.to_owned());
    run_until(&play, &apply, &format!("intent-synced:{writes}")).ended_with(0);
    (writes, crashes)
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
