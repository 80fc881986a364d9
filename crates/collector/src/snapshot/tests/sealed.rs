//! Snapshots with a manifest.

use super::*;

#[test]
fn the_manifest_tells_what_no_other_file_does() {
    let snapshot = Fixture::with_details();
    snapshot.put(DETAILS, details(json!({"RoleDetailList": []})).to_string());
    snapshot.seal(json!({
        "endpoint": "http://127.0.0.1:4566", "caller_arn": "arn:aws:iam::111122223333:user/me", "complete": false,
        "scope": ["role/*"], "gaps": [{"subject": "s", "kind": "throttled", "detail": "d"}],
    }));
    let account = snapshot.read().unwrap();
    assert_eq!((account.id.as_str(), account.partition.as_str(), account.complete), ("111122223333", "aws", false));
    assert_eq!(account.endpoint.as_deref(), Some("http://127.0.0.1:4566"));
    assert_eq!(account.caller_arn.unwrap().name(), "me");
    assert_eq!(account.finished_at, "2026-10-10T06:00:00Z".parse().ok());
    assert_eq!(account.gaps[0].kind, "throttled");
}

#[test]
fn altered_missing_and_added_files_are_refused() {
    let report = r#"{"Arn":"arn:aws:iam::111122223333:role/ci"}"#;
    let sealed = || {
        let snapshot = Fixture::with_details();
        snapshot.put("last-accessed/ci.json", report);
        snapshot.seal(json!({}));
        assert_eq!(snapshot.read().unwrap().reports.len(), 1);
        snapshot
    };
    let hash = |text: &str| secateur_analyzer::document::sha256_of(text.as_bytes());

    let snapshot = sealed();
    snapshot.put("last-accessed/ci.json", "not even JSON");
    assert_eq!(
        snapshot.error(),
        format!(
            "`DIR/last-accessed/ci.json` was altered after it was collected: the manifest has SHA-256 {}, the file has {}\n\
             help: restore the file, or collect the snapshot again",
            hash(report),
            hash("not even JSON")
        )
    );

    let snapshot = sealed();
    std::fs::remove_file(snapshot.dir().join("last-accessed/ci.json")).unwrap();
    assert_eq!(
        snapshot.error(),
        format!(
            "`DIR/last-accessed/ci.json` is missing: the manifest lists it with SHA-256 {}\nhelp: restore the file, or \
             collect the snapshot again",
            hash(report)
        )
    );

    let snapshot = sealed();
    snapshot.put("notes.txt", "does not matter");
    snapshot.put("kms/eu-central-1/.DS_Store", "does not matter");
    assert!(snapshot.read().is_ok());
    snapshot.put("granting/new.json", "{}");
    assert_eq!(
        snapshot.error(),
        "`DIR/granting/new.json` was added after the snapshot was collected: the manifest does not list it\nhelp: remove \
         the file, or collect the snapshot again"
    );

    let snapshot = sealed();
    std::fs::remove_file(snapshot.dir().join(DETAILS)).unwrap();
    assert!(matches!(snapshot.read(), Err(SnapshotError::Missing { .. })));
}

#[test]
fn a_changed_manifest_changes_the_hash() {
    let snapshot = Fixture::with_details();
    snapshot.seal(json!({}));
    let before = snapshot.read().unwrap().snapshot_sha256;
    snapshot.seal(json!({"caller_arn": "arn:aws:iam::111122223333:user/me"}));
    assert_ne!(snapshot.read().unwrap().snapshot_sha256, before);
}

#[test]
fn manifests_are_read_strictly() {
    let check = |members: Value, expect: &str| {
        let snapshot = Fixture::with_details();
        snapshot.seal(members);
        assert_eq!(snapshot.error().replace('\n', " | "), expect);
    };
    check(
        json!({"format_version": 2, "files": null}),
        "`DIR/manifest.json` has format version 2, and this secateur reads version 1 | help: read it with the newer secateur \
         that wrote it, or collect with this one into another directory",
    );
    check(
        json!({"account_id": "111"}),
        "`DIR/manifest.json` has `111` as account id, which is not twelve digits | help: collect the snapshot again, from one \
         account",
    );
    check(
        json!({"account_id": "444455556666"}),
        "`DIR/account-authorization-details.json` has `arn:aws:iam::111122223333:role/ci`, and the manifest is of account \
         444455556666 in partition `aws` | help: collect the snapshot again, from one account",
    );
    check(
        json!({"partition": "aws-cn"}),
        "`DIR/account-authorization-details.json` has `arn:aws:iam::111122223333:role/ci`, and the manifest is of account \
         111122223333 in partition `aws-cn` | help: collect the snapshot again, from one account",
    );
    let zeros = "0".repeat(64);
    for name in ["../etc/x.json", "notes.json", "manifest.json", "last-accessed/.x.json"] {
        check(
            json!({"files": {name: zeros}}),
            &format!(
                "`{name}` is not a place of a snapshot (in `DIR`) | help: a file stands at the root under a name such as \
                 `regions.json`, or ends in `.json` within a folder such as `last-accessed/`; hidden files do not count"
            ),
        );
    }
    let shape = |members: Value, detail: &str| {
        let snapshot = Fixture::with_details();
        snapshot.seal(members);
        let error = snapshot.error();
        let found = error.split_once(": ").map(|(_, rest)| rest).and_then(|rest| rest.lines().next());
        assert_eq!(found, Some(detail), "{error}");
    };
    shape(
        json!({"new_member": 1}),
        "unknown field `new_member`, expected one of `format_version`, `account_id`, `partition`, `endpoint`, `caller_arn`, \
         `scope`, `started_at`, `finished_at`, `details_at`, `complete`, `gaps`, `files`",
    );
    shape(json!({"format_version": "1"}), "invalid type: string \"1\", expected an integer");
    shape(json!({"gaps": [{"subject": "s"}]}), "missing field `kind`");
    shape(
        json!({"gaps": [{"subject": "s", "kind": "k", "detail": "d", "x": 1}]}),
        "unknown field `x`, expected one of `subject`, `kind`, `detail`",
    );
    shape(json!({"files": {"regions.json": "abc"}}), "not a SHA-256 in 64 lower-case hex digits");
    shape(json!({"caller_arn": "me"}), "`me` is not an ARN (arn:partition:service:region:account:resource)");
}
