use std::num::NonZeroUsize;

use secateur_analyzer::account::Gap;

use super::super::fixture::{Fixture, details};
use super::super::{ReadOptions, read};
use super::*;

fn manifest() -> Manifest {
    Manifest {
        format_version: 0,
        account_id: "111122223333".to_owned(),
        partition: "aws".to_owned(),
        endpoint: Some("http://127.0.0.1:4566".to_owned()),
        caller_arn: "arn:aws:sts::111122223333:assumed-role/audit/me".parse().ok(),
        scope: Some(vec!["role/ci*".to_owned()]),
        started_at: "2026-10-10T05:00:00Z".parse().unwrap(),
        finished_at: "2026-10-10T06:00:00Z".parse().unwrap(),
        details_at: "2026-10-10T05:01:00Z".parse().ok(),
        complete: true,
        gaps: vec![Gap {
            subject: "arn:aws:iam::111122223333:role/ci".to_owned(),
            kind: "throttled".to_owned(),
            detail: "AWS refused 5 times".to_owned(),
        }],
        files: BTreeMap::new(),
    }
}

#[test]
fn what_is_written_is_read() {
    let parent = Fixture::new();
    let dir = parent.dir().join("new/snapshot");
    let mut writer = SnapshotWriter::create(&dir).unwrap();
    let report = r#"{"Arn":"arn:aws:iam::111122223333:role/ci","JobStatus":"IN_PROGRESS"}"#;
    writer.put("last-accessed/role/ci.json", b"replaced").unwrap();
    writer.put("last-accessed/role/ci.json", report.as_bytes()).unwrap();
    writer.put(place::DETAILS, details(serde_json::json!({})).to_string().as_bytes()).unwrap();
    writer.finish(manifest()).unwrap();

    let account = read(&dir, &ReadOptions { threads: NonZeroUsize::MIN }).unwrap();
    assert_eq!((account.id.as_str(), account.partition.as_str(), account.complete), ("111122223333", "aws", true));
    assert_eq!(account.endpoint, manifest().endpoint);
    assert_eq!(account.caller_arn, manifest().caller_arn);
    assert_eq!(account.finished_at, Some(manifest().finished_at));
    assert_eq!(account.details_at, manifest().details_at);
    assert_eq!(account.gaps, manifest().gaps);
    assert_eq!((account.principals.len(), account.reports.len()), (1, 1));

    let text = fs::read_to_string(dir.join(place::MANIFEST)).unwrap();
    let read_back: Manifest = serde_json::from_str(&text).unwrap();
    let names: Vec<&String> = read_back.files.keys().collect();
    assert_eq!(names, [place::DETAILS, "last-accessed/role/ci.json"]);
    assert_eq!(read_back, Manifest { format_version: 1, files: read_back.files.clone(), ..manifest() });
    assert!(text.ends_with("}\n"));
}

#[test]
fn an_unfinished_snapshot_is_one_without_a_manifest() {
    let parent = Fixture::new();
    let dir = parent.dir().join("snapshot");
    let mut writer = SnapshotWriter::create(&dir).unwrap();
    writer.put(place::DETAILS, details(serde_json::json!({})).to_string().as_bytes()).unwrap();
    writer.put("regions.json", br#"{"Regions":[]}"#).unwrap();
    // What a killed writer leaves behind.
    fs::write(dir.join(".aside-x.json"), "{").unwrap();
    drop(writer);
    let account = read(&dir, &ReadOptions { threads: NonZeroUsize::MIN }).unwrap();
    assert_eq!((account.finished_at, account.regions), (None, Some(Vec::new())));
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let parent = Fixture::new();
    let dir = parent.dir().join("a/b");
    let mut writer = SnapshotWriter::create(&dir).unwrap();
    writer.put("kms/eu-central-1/key.json", b"{}").unwrap();
    writer.finish(manifest()).unwrap();
    let check = |name: &str, expect: u32| {
        let mode = fs::metadata(parent.dir().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, expect, "{name}");
    };
    for folder in ["a", "a/b", "a/b/kms", "a/b/kms/eu-central-1"] {
        check(folder, 0o700);
    }
    for file in ["a/b/kms/eu-central-1/key.json", "a/b/manifest.json"] {
        check(file, 0o600);
    }
    assert_eq!(fs::read_dir(parent.dir().join("a/b")).unwrap().count(), 2, "nothing is left aside");
}

#[test]
fn only_places_of_a_snapshot_are_written() {
    let parent = Fixture::new();
    let mut writer = SnapshotWriter::create(parent.dir()).unwrap();
    for name in
        ["../x.json", "last-accessed/../../x.json", "x.json", "manifest.json", "kms/.x.json", "kms/a\n.json", "kms"]
    {
        let error = writer.put(name, b"{}").unwrap_err();
        assert!(matches!(error, SnapshotError::NotAPlace { .. }), "{name}");
    }
    assert_eq!(fs::read_dir(parent.dir()).unwrap().count(), 0);
}

#[test]
fn a_directory_with_a_snapshot_is_refused() {
    let snapshot = Fixture::with_details();
    let error = SnapshotWriter::create(snapshot.dir()).unwrap_err();
    assert_eq!(
        snapshot.tell(&error),
        "`DIR` already holds files of a snapshot, such as `account-authorization-details.json`\n\
         help: name a new directory, or remove this one"
    );
}

#[test]
fn a_place_that_cannot_be_made_is_named() {
    let snapshot = Fixture::new();
    snapshot.put("file", "");
    let error = SnapshotWriter::create(&snapshot.dir().join("file/below")).unwrap_err();
    assert!(snapshot.tell(&error).starts_with("cannot create `DIR/file"), "{}", snapshot.tell(&error));
}
