//! Errors with their text, each with the place and with what mends it.

use super::*;

/// Reads a snapshot with role `ci` and the given files, and compares the error.
fn check_error(files: &[(&str, &str)], expect: &str) {
    let snapshot = Fixture::with_details();
    files.iter().for_each(|(name, content)| snapshot.put(name, content));
    assert_eq!(snapshot.error(), expect);
}

#[test]
fn unreadable_places_are_named() {
    let snapshot = Fixture::new();
    assert_eq!(
        snapshot.error(),
        "`DIR/account-authorization-details.json` is missing: it says who and what is in the account\nhelp: \
         `aws iam get-account-authorization-details --output json > DIR/account-authorization-details.json`"
    );
    let missing = read(&snapshot.dir().join("x"), &ReadOptions { threads: NonZeroUsize::MIN }).unwrap_err();
    assert_eq!(
        snapshot.tell(&missing),
        "`DIR/x` is not a directory\nhelp: `mkdir -p DIR/x`, then `aws iam get-account-authorization-details --output json > \
         DIR/x/account-authorization-details.json`"
    );
    check_error(
        &[("regions.json/x", "")],
        "`DIR/regions.json` is not a regular file\nhelp: move it out of the snapshot",
    );
}

#[cfg(unix)]
#[test]
fn what_the_system_refuses_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let snapshot = Fixture::with_details();
    std::os::unix::fs::symlink("nowhere", snapshot.dir().join("grants.json")).unwrap();
    assert_eq!(snapshot.error(), "cannot read `DIR/grants.json`\ncause: No such file or directory (os error 2)");

    for (bytes, shown) in [(&b"a\xff.json"[..], "a\\xFF.json"), (b"a\n.json", "a\\n.json")] {
        let snapshot = Fixture::with_details();
        snapshot.put("kms/k.json", "{}");
        std::fs::write(snapshot.dir().join("kms").join(std::ffi::OsStr::from_bytes(bytes)), "{}").unwrap();
        assert_eq!(
            snapshot.error(),
            format!(
                "the name of \"DIR/kms/{shown}\" cannot stand in a manifest: it is not UTF-8, or holds control \
                 characters\nhelp: rename it; names are free within their folder"
            )
        );
    }
}

#[test]
fn files_that_are_not_json_are_named_with_the_place_and_the_command() {
    let print = |command: &str, name: &str| {
        let addition = match name.split('/').next().unwrap_or_default() {
            "last-accessed" => ", and add the member `Arn`",
            "access-keys" => {
                ", and add `AccessKeyLastUsed` to each key, as `aws iam get-access-key-last-used` prints it"
            }
            _ => "",
        };
        format!("\nhelp: `{command} --output json > DIR/{name}`{addition}")
    };
    let report = "aws iam get-service-last-accessed-details --job-id JOB_ID";
    let check = |name: &str, content: &str, message: &str, command: &str| {
        check_error(&[(name, content)], &format!("`DIR/{name}` {message}{}", print(command, name)));
    };
    let summary = "aws iam get-account-summary";
    check("account-summary.json", "", "is not JSON at line 1, column 0: EOF while parsing a value", summary);
    check("account-summary.json", "{\n  oops", "is not JSON at line 2, column 3: key must be a string", summary);
    check(
        "account-summary.json",
        r#"{"SummaryMap":{"Users":"many"}}"#,
        "has another shape than expected at line 1, column 29: invalid type: string \"many\", expected an integer",
        summary,
    );
    check(
        "regions.json",
        r#"{"Error":1}"#,
        "has another shape than expected at line 1, column 11: missing field `Regions`",
        "aws account list-regions",
    );
    check(
        "last-accessed/a/r.json",
        r#"{"Arn":"ci"}"#,
        "has another shape than expected at line 1, column 12: `ci` is not an ARN \
         (arn:partition:service:region:account:resource)",
        report,
    );
    check(
        "last-accessed/r.json",
        r#"{"JobCompletionDate":"yesterday"}"#,
        "has another shape than expected at line 1, column 32: `yesterday` is not a time such as 2026-10-10T06:00:00Z",
        report,
    );
    check(
        "last-accessed/r.json",
        "7",
        "has another shape than expected at line 1, column 1: invalid type: integer `7`, expected an object, the answer for one \
         ARN",
        report,
    );
    check(
        "access-keys/ann.json",
        r#"{"AccessKeyMetadata":[]}{}"#,
        "is not JSON at line 1, column 25: trailing characters",
        "aws iam list-access-keys --user-name USER",
    );
    let snapshot = Fixture::with_details();
    snapshot.put("account-summary.json", b"\xff\xfe{\0}\0");
    let utf16 = "`DIR/account-summary.json` is not JSON at line 1, column 1: the text is UTF-16, and JSON is UTF-8";
    assert_eq!(snapshot.error(), format!("{utf16}{}", print(summary, "account-summary.json")));
}

#[test]
fn monsters_are_refused_or_kept() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let snapshot = Fixture::with_details();
    snapshot.put("regions.json", format!(r#"{{"Regions":[],"Deep":{deep}}}"#));
    snapshot.put("entities/e.json", format!(r#"{{"Deep":{deep}}}"#));
    assert_eq!(snapshot.read().unwrap().regions, Some(Vec::new()));
    // Nothing can be made of such documents, so they are kept.
    for document in
        [deep, serde_json::to_string(&"x".repeat(3_000_000)).unwrap(), format!("[{}1]", "1,".repeat(1_500_000))]
    {
        let text = details(json!({"RoleDetailList": [role("ci", json!({"AssumeRolePolicyDocument": "DOCUMENT"}))]}));
        snapshot.put(DETAILS, text.to_string().replace("\"DOCUMENT\"", &document));
        let account = snapshot.read().unwrap();
        assert!(account.principals[0].trust.as_ref().unwrap().policy().is_none());
    }
}

#[test]
fn files_that_say_too_little_are_named() {
    let help = "help: add the member `Arn` with the ARN that the file is about, as in \
                `\"Arn\": \"arn:aws:iam::111122223333:role/ci\"`";
    for name in ["last-accessed/r.json", "policy-tags/r.json"] {
        let message = format!("`DIR/{name}` does not say whom it is about: it has no member `Arn`\n{help}");
        check_error(&[(name, r#"{"Arn":null,"Tags":[]}"#)], &message);
    }
    let tags =
        |value: &str| json!({"Arn": "arn:aws:iam::111122223333:policy/P", "Tags": [{"Key": "k", "Value": value}]});
    check_error(
        &[("policy-tags/a.json", &tags("1").to_string()), ("policy-tags/b.json", &tags("2").to_string())],
        "two files have different tags of `arn:aws:iam::111122223333:policy/P`: `DIR/policy-tags/a.json` and \
         `DIR/policy-tags/b.json`\nhelp: remove the older one",
    );
}

#[test]
fn grants_are_read_strictly() {
    let restore = "help: restore the file, or collect the snapshot again";
    let newer = "help: read it with the newer secateur that wrote it, or collect with this one into another directory";
    let check = |content: &str, message: &str, help: &str| {
        check_error(&[("grants.json", content)], &format!("`DIR/grants.json` {message}\n{help}"));
    };
    check(r#"{"format_version":2,"new":1}"#, "has format version 2, and this secateur reads version 1", newer);
    check(r#"{"format_version":0}"#, "has format version 0, and this secateur reads version 1", restore);
    check("{}", "has another shape than expected at line 1, column 2: missing field `format_version`", restore);
    check(
        r#"{"format_version":1,"from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:00:00Z","events":[],"x":1}"#,
        "has another shape than expected at line 1, column 93: unknown field `x`, expected one of `format_version`, `from`, \
         `to`, `events`",
        restore,
    );
}

#[test]
fn the_account_must_be_clear() {
    let check = |members: Value, expect: &str| {
        let snapshot = Fixture::new();
        snapshot.put(DETAILS, details(members).to_string());
        assert_eq!(snapshot.error(), expect);
    };
    let of = |account: &str| role("x", json!({"Arn": format!("arn:aws:iam::{account}:role/x")}));
    check(
        json!({"RoleDetailList": []}),
        "`DIR/account-authorization-details.json` has no user, role, group or customer managed policy: it does not say which \
         account it is of\nhelp: collect it whole, without `--filter`: `aws iam get-account-authorization-details --output \
         json > DIR/account-authorization-details.json`",
    );
    check(
        json!({"RoleDetailList": [of("111122223333"), of("444455556666")]}),
        "`DIR/account-authorization-details.json` is of two accounts: it has `arn:aws:iam::111122223333:role/x` and \
         `arn:aws:iam::444455556666:role/x`\nhelp: keep one snapshot per account, in a directory named by the account id",
    );
    check(
        json!({"RoleDetailList": [of("mine")]}),
        "`DIR/account-authorization-details.json` has `mine` as account id, which is not twelve digits\nhelp: collect the \
         snapshot again, from one account",
    );
}
