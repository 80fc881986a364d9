use secateur_analyzer::account::{Account, DocumentState, Principal};
use serde_json::json;

use super::super::fixture::{Fixture, details as answer, role};
use super::super::place::DETAILS;

const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;

fn account(details: &serde_json::Value) -> Account {
    let snapshot = Fixture::new();
    snapshot.put(DETAILS, details.to_string());
    snapshot.read().unwrap()
}

#[test]
fn all_that_is_kept_is_sorted() {
    let inline = |names: [&str; 2]| json!(names.map(|name| json!({"PolicyName": name, "PolicyDocument": POLICY})));
    let attached = json!([{"PolicyName": "Z", "PolicyArn": "arn:aws:iam::aws:policy/Z"},
                          {"PolicyName": "A", "PolicyArn": "arn:aws:iam::111122223333:policy/A"}]);
    let boundary =
        json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/B"});
    let account = account(&json!({
        "UserDetailList": [{
            "Path": "/team/", "UserName": "ann", "UserId": "AIDA1", "Arn": "arn:aws:iam::111122223333:user/team/ann",
            "CreateDate": "2023-03-09 10:41:45+00:00", "GroupList": ["ops", "data"], "UserPolicyList": inline(["b", "a"]),
            "AttachedManagedPolicies": attached, "PermissionsBoundary": boundary, "Tags": [{"Key": "k", "Value": "v"}],
        }],
        "RoleDetailList": [
            role("z", json!({"RoleLastUsed": {}, "AssumeRolePolicyDocument": POLICY})),
            role("a", json!({"RoleLastUsed": {"LastUsedDate": "2026-10-01T00:00:00+00:00", "Region": "us-east-1"}})),
        ],
        "GroupDetailList": [{
            "Path": "/", "GroupName": "ops", "GroupId": "AGPA1", "Arn": "arn:aws:iam::111122223333:group/ops",
            "GroupPolicyList": inline(["d", "c"]), "AttachedManagedPolicies": attached,
        }],
        "Policies": [{
            "PolicyName": "A", "PolicyId": "ANPA1", "Arn": "arn:aws:iam::111122223333:policy/A", "Path": "/",
            "DefaultVersionId": "v2", "AttachmentCount": 2, "PermissionsBoundaryUsageCount": 0, "IsAttachable": true,
            "CreateDate": "2023-03-09T10:41:45Z", "PolicyVersionList": [
                {"VersionId": "v2", "IsDefaultVersion": true, "CreateDate": "2024-03-09T10:41:45Z", "Document": POLICY},
                {"VersionId": "v1", "IsDefaultVersion": false},
            ],
        }],
    }));
    assert!(account.complete && account.gaps.is_empty());
    let names: Vec<&str> = account.principals.iter().map(|principal| principal.name.as_str()).collect();
    assert_eq!(names, ["a", "z", "ann"]);
    let ann = account.principal(&"arn:aws:iam::111122223333:user/team/ann".parse().unwrap()).unwrap();
    assert_eq!(ann.created, "2023-03-09T10:41:45Z".parse().ok());
    assert_eq!((ann.path.as_str(), ann.unique_id.as_str(), ann.tags.len()), ("/team/", "AIDA1", 1));
    assert_eq!(ann.groups, ["data", "ops"]);
    assert_eq!(ann.inline.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(ann.attached.iter().map(|arn| arn.name()).collect::<Vec<_>>(), ["A", "Z"]);
    assert_eq!(ann.boundary.as_ref().map(|arn| arn.name()), Some("B"));
    let used = |principal: &Principal| (principal.last_used.is_some(), principal.last_used_region.clone());
    let used: Vec<_> = account.principals.iter().map(used).collect();
    assert_eq!(used, [(true, Some("us-east-1".to_owned())), (false, None), (false, None)]);
    assert!(account.principals[1].trust.is_some() && account.principals[0].trust.is_none());
    assert_eq!(account.groups[0].inline.len(), 2);
    let policy = &account.policies[0];
    assert_eq!((policy.attachment_count, policy.boundary_count, &policy.tags), (Some(2), Some(0), &None));
    assert_eq!(policy.default().unwrap().document.as_ref().unwrap().text(), POLICY);
    assert!(policy.versions[1].document.is_none());
}

#[test]
fn a_policy_with_two_defaults_has_no_document_in_force() {
    let in_force = |flags: [Option<bool>; 2]| {
        let version = |(id, flag): (&str, Option<bool>)| match flag {
            Some(flag) => json!({"VersionId": id, "IsDefaultVersion": flag, "Document": POLICY}),
            None => json!({"VersionId": id, "Document": POLICY}),
        };
        let versions: Vec<serde_json::Value> = ["v2", "v1"].into_iter().zip(flags).map(version).collect();
        let account = account(&answer(json!({"Policies": [{
            "PolicyName": "A", "PolicyId": "ANPA1", "Arn": "arn:aws:iam::111122223333:policy/A", "Path": "/",
            "DefaultVersionId": "v2", "AttachmentCount": 0, "PermissionsBoundaryUsageCount": 0, "IsAttachable": true,
            "CreateDate": "2023-03-09T10:41:45Z", "PolicyVersionList": versions,
        }]})));
        account.policies[0].default().is_some_and(|version| version.document.is_some())
    };
    assert!(in_force([Some(true), Some(false)]) && in_force([None, None]) && in_force([None, Some(false)]));
    assert!(
        !in_force([Some(true), Some(true)]) && !in_force([Some(false), Some(true)]) && !in_force([None, Some(true)])
    );
    assert!(!in_force([Some(false), Some(false)]));
}

#[test]
fn what_is_listed_twice_is_merged_and_told_when_it_differs() {
    let same = account(&answer(json!({"RoleDetailList": [role("ci", json!({})), role("ci", json!({}))]})));
    assert_eq!((same.principals.len(), same.complete, same.gaps.len()), (1, true, 0));

    let changed = role("ci", json!({"CreateDate": "2026-01-01T00:00:00Z"}));
    let torn = account(&answer(json!({"RoleDetailList": [role("ci", json!({})), changed]})));
    assert_eq!((torn.principals.len(), torn.complete), (1, false));
    assert!(torn.principals[0].created.is_some());
    let gap = &torn.gaps[0];
    assert_eq!((gap.subject.as_str(), gap.kind.as_str()), ("arn:aws:iam::111122223333:role/ci", "torn-pages"));
    assert_eq!(gap.detail, "listed twice with different content: it was changed while it was collected");
}

#[test]
fn missing_pages_and_lists_are_gaps() {
    let check = |members: serde_json::Value, kind: &str, detail: &str| {
        let account = account(&answer(members.clone()));
        assert!(!account.complete, "{members}");
        let gaps: Vec<_> =
            account.gaps.iter().map(|gap| (gap.subject.as_str(), gap.kind.as_str(), gap.detail.as_str())).collect();
        assert_eq!(gaps, [("account-authorization-details.json", kind, detail)], "{members}");
    };
    let pages = "pages are missing: whoever holds a policy may be on one of them";
    check(json!({"IsTruncated": true}), "authorization-details-truncated", pages);
    check(json!({"Marker": "m"}), "authorization-details-truncated", pages);
    check(json!({"NextToken": "m"}), "authorization-details-truncated", pages);
    check(json!({"UserDetailList": null}), "authorization-details-partial", "the list `UserDetailList` is missing");
    assert!(account(&answer(json!({"IsTruncated": false, "Marker": null}))).complete);
}

#[test]
fn a_public_example_is_read_whole() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/accounts/cloudsplaining-example.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: {path} is absent");
        return;
    };
    let snapshot = Fixture::new();
    snapshot.put(DETAILS, &text);
    let account = snapshot.read().unwrap();
    // Its authors added ten entries by hand, with the account id of AWS's documentation.
    let foreign: Vec<_> = account.gaps.iter().filter(|gap| gap.kind == "other-account").collect();
    assert_eq!(foreign.len(), 10, "{foreign:?}");
    assert!(foreign.iter().all(|gap| gap.subject.contains(":012345678901:")));
    assert_eq!((account.principals.len(), account.groups.len(), account.policies.len()), (122, 5, 84));
    assert_eq!((account.id.as_str(), account.partition.as_str(), account.complete), ("200611803367", "aws", true));
    let of_principals = account
        .principals
        .iter()
        .flat_map(|principal| principal.inline.iter().map(|policy| &policy.document).chain(&principal.trust));
    let of_groups = account.groups.iter().flat_map(|group| group.inline.iter().map(|policy| &policy.document));
    let of_policies =
        account.policies.iter().flat_map(|policy| policy.versions.iter().filter_map(|v| v.document.as_ref()));
    let documents: Vec<_> = of_principals.chain(of_groups).chain(of_policies).collect();
    println!("{} documents", documents.len());
    for document in documents {
        assert!(document.is_reconstructed());
        assert!(
            !matches!(document.state(), DocumentState::Unreadable(_)),
            "{:?}\n{}",
            document.state(),
            document.text()
        );
    }
}
