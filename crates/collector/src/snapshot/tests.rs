//! The snapshot as a whole: what is read, and what does not matter.

use serde_json::{Value, json};

use super::fixture::{Fixture, details, rendered, role};
use super::place::DETAILS;
use super::*;

mod errors;
mod sealed;

/// Files of every kind, in the order that they are written.
fn files() -> Vec<(String, String)> {
    let mut files = vec![
        (
            DETAILS.to_owned(),
            details(json!({"RoleDetailList": [role("a", json!({})), role("b", json!({}))]})).to_string(),
        ),
        ("account-summary.json".to_owned(), r#"{"SummaryMap":{"Users":3}}"#.to_owned()),
        ("regions.json".to_owned(), json!({"Regions": [{"RegionName": "us-east-1"}]}).to_string()),
        ("kms/us-east-1/k.json".to_owned(), r#"{"Arn":"arn:aws:kms:us-east-1:111122223333:key/k"}"#.to_owned()),
        ("access-keys/k.json".to_owned(), r#"{"AccessKeyMetadata":[]}"#.to_owned()),
    ];
    for number in 0..40 {
        let report = json!({
            "Arn": format!("arn:aws:iam::111122223333:role/{}", number % 30), "JobStatus": "COMPLETED",
            "JobCompletionDate": format!("2026-10-10T05:{number:02}:00Z"),
            "ServicesLastAccessed": [{"ServiceNamespace": "s3", "LastAuthenticated": "2026-09-01T00:00:00Z"}],
        });
        files.push((format!("last-accessed/{}/{number}.json", number % 3), report.to_string()));
    }
    files
}

#[test]
fn neither_order_nor_threads_matter() {
    let read = |files: &[(String, String)], threads: usize| {
        let snapshot = Fixture::new();
        files.iter().for_each(|(name, content)| snapshot.put(name, content));
        rendered(&snapshot.read_with(threads).unwrap())
    };
    let files = files();
    let shuffled: Vec<_> = (0..files.len()).map(|at| files[(at * 17 + 5) % files.len()].clone()).collect();
    let backward: Vec<_> = files.iter().rev().cloned().collect();
    let expect = read(&files, 1);
    for (order, threads) in [(&files, 8), (&shuffled, 1), (&shuffled, 8), (&backward, 3)] {
        assert!(read(order, threads) == expect);
    }
}

#[test]
fn the_hash_is_that_of_the_lines_of_sha256sum() {
    let snapshot = Fixture::with_details();
    snapshot.put("regions.json", r#"{"Regions":[]}"#);
    snapshot.put("notes.txt", "not of the snapshot");
    let hash = |name: &str| secateur_analyzer::document::sha256_of(&std::fs::read(snapshot.dir().join(name)).unwrap());
    let lines = format!("{}  {DETAILS}\n{}  regions.json\n", hash(DETAILS), hash("regions.json"));
    let expect = secateur_analyzer::document::sha256_of(lines.as_bytes());
    assert_eq!(snapshot.read().unwrap().snapshot_sha256, expect);
}

#[test]
fn files_of_the_aws_cli_need_no_manifest() {
    let snapshot = Fixture::with_details();
    let account = snapshot.read().unwrap();
    assert_eq!((account.id.as_str(), account.partition.as_str()), ("111122223333", "aws"));
    assert!(account.complete);
    assert!(account.finished_at.is_none() && account.regions.is_none() && account.summary.is_none());
    assert!(account.grants.is_none() && account.endpoint.is_none() && account.caller_arn.is_none());
    // As PowerShell writes it.
    snapshot.put("regions.json", format!("\u{feff}{}", json!({"Regions": []})));
    assert_eq!(snapshot.read().unwrap().regions, Some(Vec::new()));
}

#[test]
fn regions_are_enabled_unless_they_are_disabled() {
    let snapshot = Fixture::with_details();
    let region = |name: &str, status: &str| json!({"RegionName": name, "RegionOptStatus": status});
    let regions = [
        region("us-east-1", "ENABLED_BY_DEFAULT"),
        region("ap-east-1", "DISABLED"),
        region("me-south-1", "DISABLING"),
        region("af-south-1", "ENABLING"),
        region("eu-south-2", "ENABLED"),
        region("xx-new-1", "SOMETHING_NEW"),
        region("us-east-1", "ENABLED_BY_DEFAULT"),
    ];
    snapshot.put("regions.json", json!({"Regions": regions, "NextToken": null}).to_string());
    let expect = ["af-south-1", "eu-south-2", "me-south-1", "us-east-1", "xx-new-1"].map(str::to_owned).to_vec();
    assert_eq!(snapshot.read().unwrap().regions, Some(expect));

    snapshot.put("regions.json", json!({"Regions": regions, "NextToken": "t"}).to_string());
    let account = snapshot.read().unwrap();
    assert_eq!(account.regions, None);
    assert_eq!(
        (account.gaps[0].subject.as_str(), account.gaps[0].kind.as_str()),
        ("regions.json", "regions-truncated")
    );
    assert!(account.complete);
}

#[test]
fn the_smaller_files_are_read() {
    let snapshot = Fixture::new();
    let arn = |name: &str| format!("arn:aws:iam::111122223333:policy/{name}");
    let policy = |name: &str| json!({"PolicyName": name, "PolicyId": "ANPA", "Arn": arn(name), "Path": "/", "DefaultVersionId": "v1"});
    snapshot.put(DETAILS, details(json!({"Policies": [policy("C"), policy("A"), policy("B")]})).to_string());
    snapshot.put("account-summary.json", r#"{"SummaryMap":{"PolicySizeQuota":6144,"Users":3},"Other":1}"#);
    let tags = json!([{"Key": "owner", "Value": "terraform"}]);
    snapshot.put("policy-tags/1.json", json!({"Arn": arn("A"), "Tags": tags, "IsTruncated": false}).to_string());
    snapshot.put("policy-tags/2.json", json!({"Arn": arn("A"), "Tags": tags}).to_string());
    snapshot.put("policy-tags/3.json", json!({"Arn": arn("B"), "Tags": tags, "IsTruncated": true}).to_string());
    let event =
        |time: &str, name: &str| json!({"event_time": time, "event_name": name, "event_id": "e", "role_name": "ci"});
    snapshot.put(
        "grants.json",
        json!({"format_version": 1, "from": "2026-07-12T00:00:00Z", "to": "2026-10-10T00:00:00Z", "events": [
            event("2026-10-02T00:00:00Z", "PutRolePolicy"), event("2026-10-01T00:00:00Z", "AttachRolePolicy"),
        ]})
        .to_string(),
    );
    let account = snapshot.read().unwrap();
    assert_eq!(account.summary.unwrap()["PolicySizeQuota"], 6144);
    let tags = |policy: &secateur_analyzer::account::ManagedPolicy| {
        (policy.tags.as_ref().map(Vec::len), policy.tags_lack_pages)
    };
    let tags: Vec<_> = account.policies.iter().map(|policy| (policy.name.as_str(), tags(policy))).collect();
    assert_eq!(tags, [("A", (Some(1), false)), ("B", (Some(1), true)), ("C", (None, false))]);
    assert_eq!((account.gaps[0].subject.clone(), account.gaps[0].kind.as_str()), (arn("B"), "policy-tags-truncated"));
    let grants = account.grants.unwrap();
    let names: Vec<_> = grants.events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["AttachRolePolicy", "PutRolePolicy"]);
    assert_eq!(grants.events[0].role_name.as_deref(), Some("ci"));
}

#[test]
fn snapshots_of_many_accounts_are_found() {
    let accounts = Fixture::new();
    for name in ["222222222222/a.json", "111111111111/a.json", "notes/a.json", "33333333333/a.json"] {
        accounts.put(name, "{}");
    }
    accounts.put("444444444444", "a file");
    let expect: Vec<_> = ["111111111111", "222222222222"].map(|name| accounts.dir().join(name)).to_vec();
    assert_eq!(account_dirs(accounts.dir()).unwrap(), expect);

    let one = Fixture::with_details();
    assert_eq!(account_dirs(one.dir()).unwrap(), [one.dir()]);

    let none = Fixture::new();
    assert_eq!(
        none.tell(&account_dirs(none.dir()).unwrap_err()),
        "`DIR` holds no snapshot: neither `account-authorization-details.json` nor directories named by account id\nhelp: \
         `aws iam get-account-authorization-details --output json > DIR/account-authorization-details.json`"
    );
    let missing = account_dirs(&none.dir().join("x")).unwrap_err();
    assert!(none.tell(&missing).starts_with("`DIR/x` is not a directory\nhelp: "));
}

#[test]
fn the_service_reference_of_the_day_makes_the_catalogue() {
    use secateur_analyzer::catalog::Tracked;
    let reference = |name: &str| {
        json!({"Name": "newsvc", "Actions": [{"Name": name, "SupportedBy": {"IAM Action Last Accessed": true}}]})
            .to_string()
    };
    let snapshot = Fixture::with_details();
    snapshot.put("catalog/newsvc.json", reference("Do"));
    let undated = snapshot.read().unwrap();
    assert!(undated.catalog.service("newsvc").is_none());
    assert_eq!(undated.gaps[0].kind, "catalog-undated");

    snapshot.seal(json!({}));
    let account = snapshot.read().unwrap();
    let id = account.catalog.parse_action("newsvc:Do").unwrap();
    assert!(matches!(account.catalog.tracked(id), Tracked::Yes { since: Some(_) }));
    assert!(account.catalog.parse_action("s3:GetObject").is_some());

    let wrong = Fixture::with_details();
    wrong.put("catalog/newsvc.json", reference("a,b"));
    wrong.seal(json!({}));
    let message = wrong.error();
    assert!(message.starts_with("not a service reference: DIR/catalog/newsvc.json, "), "{message}");
}
