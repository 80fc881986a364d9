use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use tempfile::TempDir;

use super::*;
use crate::ReadOptions;

const REPORT: &str = "last-accessed/role/ci.json";
const DETAILS: &str = "account-authorization-details.json";

fn state() -> State {
    State {
        account_id: "111122223333".to_owned(),
        partition: "aws".to_owned(),
        endpoint: None,
        started_at: "2026-10-10T05:00:00Z".parse().unwrap(),
    }
}

fn manifest() -> Manifest {
    Manifest {
        format_version: 1,
        account_id: state().account_id,
        partition: state().partition,
        endpoint: None,
        caller_arn: None,
        scope: None,
        started_at: state().started_at,
        finished_at: state().started_at,
        details_at: None,
        complete: true,
        gaps: Vec::new(),
        files: std::collections::BTreeMap::new(),
    }
}

fn details(role: &str) -> String {
    let arn = format!("arn:aws:iam::111122223333:role/{role}");
    format!(
        r#"{{"UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList":
            [{{"Path": "/", "RoleName": "{role}", "RoleId": "AROA{role}", "Arn": "{arn}"}}]}}"#
    )
}

fn report(role: &str) -> String {
    format!(r#"{{"Arn": "arn:aws:iam::111122223333:role/{role}", "JobStatus": "IN_PROGRESS"}}"#)
}

fn open(dir: &Path, this: State, max_age: i64, limited: bool) -> Result<Stage, CollectError> {
    Stage::open(Lock::take(dir)?, dir, this, max_age, limited)
}

/// Stages a snapshot of one role.
fn staged(dir: &Path, role: &str) -> Stage {
    let mut stage = open(dir, state(), 0, false).unwrap();
    stage.put(DETAILS, details(role).as_bytes()).unwrap();
    stage.put(&format!("last-accessed/role/{role}.json"), report(role).as_bytes()).unwrap();
    stage
}

fn roles(dir: &Path) -> (Vec<String>, usize, bool) {
    let account = crate::read(dir, &ReadOptions { threads: NonZeroUsize::MIN }).unwrap();
    let names = account.principals.iter().map(|principal| principal.name.clone()).collect();
    (names, account.reports.len(), account.finished_at.is_some())
}

fn refusal(dir: &Path, this: State) -> String {
    let error = open(dir, this, 0, false).unwrap_err();
    error.to_string().replace(&dir.display().to_string(), "DIR")
}

#[test]
fn nothing_that_no_manifest_lists_is_touched() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    fs::create_dir_all(dir.join("last-accessed/role")).unwrap();
    fs::create_dir_all(dir.join("policy-tags")).unwrap();
    fs::create_dir_all(dir.join(".old-mine")).unwrap();
    let own =
        ["last-accessed/.gitkeep", "last-accessed/role/NOTES.txt", "policy-tags/.gitkeep", ".old-mine/a", "b.txt"];
    own.iter().for_each(|name| fs::write(dir.join(name), "mine").unwrap());
    staged(dir, "a").publish(manifest()).unwrap();
    assert_eq!(roles(dir), (vec!["a".to_owned()], 1, true));
    staged(dir, "b").publish(manifest()).unwrap();
    assert_eq!(roles(dir), (vec!["b".to_owned()], 1, true));
    assert!(!dir.join("last-accessed/role/a.json").exists() && !dir.join(STAGE).exists());
    own.iter().for_each(|name| assert_eq!(fs::read_to_string(dir.join(name)).unwrap(), "mine", "{name}"));
}

#[test]
fn what_somebody_added_is_refused_and_not_removed() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    staged(dir, "a").publish(manifest()).unwrap();
    fs::write(dir.join("last-accessed/role/mine.json"), report("a")).unwrap();
    assert_eq!(
        refusal(dir, state()),
        "`DIR` holds files of a snapshot that no collection made, such as `last-accessed/role/mine.json`: made by hand, or added"
    );
    assert!(dir.join("last-accessed/role/mine.json").exists());
}

#[test]
fn an_exchange_that_was_cut_off_is_one_snapshot_at_every_moment() {
    // By how many of the steps were done: the old manifest aside, then each file, then what goes, then the manifest.
    for steps in 0..=4 {
        let dir = TempDir::new().unwrap();
        let dir = dir.path();
        staged(dir, "old").publish(manifest()).unwrap();
        let writer = staged(dir, "ci").writer;
        writer.drop_the_rest().unwrap();
        writer.finish(manifest()).unwrap();
        let stage = dir.join(STAGE);
        let renames = [
            (dir.join(MANIFEST), stage.join(REPLACED)),
            (stage.join(DETAILS), dir.join(DETAILS)),
            (stage.join(REPORT), dir.join(REPORT)),
        ];
        for (from, to) in renames.iter().take(steps) {
            fs::rename(from, to).unwrap();
        }
        if steps == 4 {
            fs::remove_file(dir.join("last-accessed/role/old.json")).unwrap();
        }
        assert_eq!(roles(dir), (vec!["ci".to_owned()], 1, true), "{steps}");
        assert_eq!(crate::account_dirs(dir).unwrap(), [dir], "{steps}");
        drop(open(dir, state(), 0, false).unwrap());
        assert_eq!(roles(dir), (vec!["ci".to_owned()], 1, true), "{steps}");
        assert!(!dir.join("last-accessed/role/old.json").exists() && !stage.join(MANIFEST).exists());
    }
}

#[test]
fn what_an_earlier_exchange_replaced_is_no_concern_of_the_next() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    staged(dir, "a").publish(manifest()).unwrap();
    // Killed when all was done but for the removal of the stage.
    fs::create_dir(dir.join(STAGE)).unwrap();
    fs::write(dir.join(STAGE).join(STATE), serde_json::to_vec(&state()).unwrap()).unwrap();
    let older = serde_json::to_vec(&manifest()).unwrap();
    fs::write(dir.join(STAGE).join(REPLACED), older).unwrap();
    staged(dir, "b").publish(manifest()).unwrap();
    assert_eq!(roles(dir), (vec!["b".to_owned()], 1, true));
}

#[test]
fn whoever_reads_while_files_change_places_reads_one_snapshot() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    staged(dir, "a").publish(manifest()).unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..20 {
                staged(dir, if round % 2 == 0 { "b" } else { "a" }).publish(manifest()).unwrap();
            }
        });
        while !writer.is_finished() {
            let (names, reports, is_sealed) = roles(dir);
            assert!(names.len() == 1 && reports == 1 && is_sealed, "{names:?} {reports} {is_sealed}");
        }
        writer.join().unwrap();
    });
}

#[test]
fn a_manifest_that_cannot_be_read_is_refused() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    staged(dir, "a").publish(manifest()).unwrap();
    fs::write(dir.join(MANIFEST), r#"{"format_version": 1}"#).unwrap();
    let told = refusal(dir, state());
    assert!(told.starts_with("`DIR/manifest.json` cannot be read, so nobody knows"), "{told}");
    assert!(dir.join("last-accessed/role/a.json").exists());
}

#[test]
fn a_snapshot_of_another_format_is_neither_taken_over_nor_replaced() {
    let newer = Manifest { format_version: 99, ..manifest() };
    let said = "`DIR/manifest.json` has format version 99, and this secateur knows version 1: nothing of it is taken over, and \
                nothing replaced";
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    staged(dir, "a").publish(manifest()).unwrap();
    let files = fs::read(dir.join(MANIFEST)).unwrap();
    fs::write(
        dir.join(MANIFEST),
        String::from_utf8(files).unwrap().replacen("\"format_version\": 1", "\"format_version\": 99", 1),
    )
    .unwrap();
    let before = fs::read(dir.join(MANIFEST)).unwrap();
    assert_eq!(refusal(dir, state()), said);
    let help = open(dir, state(), 0, false).unwrap_err().help().unwrap();
    assert!(help.starts_with("collect with the newer secateur that wrote it, name another directory"), "{help}");
    assert_eq!(fs::read(dir.join(MANIFEST)).unwrap(), before);
    // One that was cut off while its files changed places.
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    fs::create_dir(dir.join(STAGE)).unwrap();
    fs::write(dir.join(STAGE).join(MANIFEST), serde_json::to_vec(&newer).unwrap()).unwrap();
    assert_eq!(refusal(dir, state()), said.replace("DIR/", "DIR/.collecting/"));
    assert!(dir.join(STAGE).join(MANIFEST).exists() && !dir.join(MANIFEST).exists());
}

#[test]
fn what_another_collection_has_read_is_not_dropped() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    drop(staged(dir, "a"));
    let other = State { account_id: "444455556666".to_owned(), ..state() };
    assert_eq!(
        refusal(dir, other),
        "`DIR` holds what was collected until now of account 111122223333 in partition aws, and the credentials are of account 444455556666 in partition aws"
    );
    let elsewhere = State { endpoint: Some("http://127.0.0.1:1".to_owned()), ..state() };
    assert!(refusal(dir, elsewhere).ends_with("of account 111122223333 in partition aws at http://127.0.0.1:1"));
    assert!(dir.join(STAGE).join("last-accessed/role/a.json").exists());
}

#[test]
fn what_is_of_an_earlier_one_of_that_name_is_not_taken_over() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    staged(dir, "a").publish(manifest()).unwrap();
    let later = State { started_at: state().started_at.plus(600), ..state() };
    let stage = open(dir, later, 3_600, false).unwrap();
    let existing = stage.earlier().existing(DETAILS).unwrap();
    let started = state().started_at;
    assert!(existing.is_fresh && !existing.is_older_than(None) && !existing.is_older_than(Some(started)));
    assert!(existing.is_older_than(Some(started.plus(1))), "made after the snapshot that it would be taken from");
}

#[test]
fn a_gap_of_what_is_read_anew_is_not_carried_on() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let arn = "arn:aws:iam::111122223333:policy/p";
    let gap = |detail: &str| super::super::gap(arn, "access-denied", detail);
    let gaps = vec![gap("iam:GenerateServiceLastAccessedDetails: x"), gap("iam:ListPolicyTags: x")];
    staged(dir, "a").publish(Manifest { gaps: gaps.clone(), ..manifest() }).unwrap();
    let stage = open(dir, state(), 0, true).unwrap();
    assert_eq!(stage.earlier().published_gaps(arn), gaps[..1]);
}

#[test]
fn who_still_writes_holds_the_lock() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let stage = Arc::new(Mutex::new(open(dir, state(), 0, false).unwrap()));
    let writers = Arc::clone(&stage);
    let (begun, has_begun) = mpsc::channel();
    let (end, may_end) = mpsc::channel::<()>();
    let writer = thread::spawn(move || {
        let slow = |file: &mut dyn Write| {
            begun.send(()).unwrap();
            may_end.recv().unwrap();
            file.write_all(b"{}")
        };
        writers.lock().unwrap().put_with("regions.json", slow).unwrap();
    });
    has_begun.recv().unwrap();
    // The collection ends, and its last write does not.
    drop(stage);
    assert!(matches!(Lock::take(dir), Err(CollectError::Locked { .. })));
    end.send(()).unwrap();
    writer.join().unwrap();
    assert!(Lock::take(dir).is_ok());
}
