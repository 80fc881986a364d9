use serde_json::{Value, json};

use super::*;
use crate::snapshot::fixture::{Fixture, details};
use crate::snapshot::place::DETAILS;

fn user(path: &str, name: &str) -> Value {
    let arn = format!("arn:aws:iam::111122223333:user{path}{name}");
    json!({"Path": path, "UserName": name, "UserId": format!("AIDA{name}"), "Arn": arn})
}

/// An account with `user/people/ann` and `user/bob`.
fn account() -> Fixture {
    let snapshot = Fixture::new();
    let users = json!([user("/people/", "ann"), user("/", "bob")]);
    snapshot.put(DETAILS, details(json!({"UserDetailList": users})).to_string());
    snapshot
}

fn key(user: &str, id: &str, last_used: Value) -> Value {
    json!({
        "UserName": user, "AccessKeyId": id, "Status": "Active", "CreateDate": "2024-01-09T10:00:00+00:00",
        "AccessKeyLastUsed": last_used,
    })
}

fn never() -> Value {
    json!({"ServiceName": "N/A", "Region": "N/A"})
}

fn list(keys: &[Value]) -> String {
    json!({"AccessKeyMetadata": keys, "IsTruncated": false}).to_string()
}

#[test]
fn what_is_known_of_the_last_use() {
    let check = |last_used: Value, expect: KeyLastUsed| {
        let snapshot = account();
        snapshot.put("access-keys/a.json", list(&[key("bob", "AKIA1", last_used.clone())]));
        let account = snapshot.read().unwrap();
        let keys: Vec<_> = account.access_keys.values().flatten().map(|key| key.last_used.clone()).collect();
        assert_eq!(keys, [expect], "{last_used}");
    };
    let at = |service: &str, region: &str| KeyLastUsed::At {
        time: "2026-03-23T23:12:26Z".parse().unwrap(),
        service: service.to_owned(),
        region: region.to_owned(),
    };
    check(never(), KeyLastUsed::NoRecord);
    check(json!({"LastUsedDate": null, "ServiceName": "N/A", "Region": "N/A"}), KeyLastUsed::NoRecord);
    check(
        json!({"LastUsedDate": "2026-03-23T23:12:26+00:00", "ServiceName": "s3", "Region": "N/A", "New": 1}),
        at("s3", "N/A"),
    );
    check(json!({"LastUsedDate": "2026-03-23T23:12:26Z", "ServiceName": "ec2", "Region": "r"}), at("ec2", "r"));
    check(json!({"LastUsedDate": "2026-03-24T01:12:26.5+02:00", "ServiceName": "ec2", "Region": "r"}), at("ec2", "r"));
    check(json!({"LastUsedDate": 1_774_307_546.25}), at("", ""));
    // Who leaves the date out and does not say that there is none says nothing.
    check(json!({}), KeyLastUsed::Unknown);
    check(json!({"LastUsedDate": null, "ServiceName": "s3", "Region": "r"}), KeyLastUsed::Unknown);
    check(json!(null), KeyLastUsed::Unknown);
}

#[test]
fn statuses() {
    let check = |status: Value, expect: KeyStatus| {
        let snapshot = account();
        let mut key = key("bob", "AKIA1", never());
        key["Status"] = status;
        snapshot.put("access-keys/a.json", list(&[key]));
        let account = snapshot.read().unwrap();
        assert_eq!(account.access_keys.values().next().unwrap()[0].status, expect);
    };
    check(json!("Active"), KeyStatus::Active);
    check(json!("Inactive"), KeyStatus::Inactive);
    check(json!("Expired"), KeyStatus::Expired);
    check(json!("active"), KeyStatus::Unknown("active".to_owned()));
    check(json!(null), KeyStatus::Unknown(String::new()));
}

#[test]
fn whose_keys_they_are() {
    let check = |files: &[(&str, String)], expect: &str| {
        let snapshot = account();
        files.iter().for_each(|(name, text)| snapshot.put(&format!("access-keys/{name}"), text));
        let account = snapshot.read().unwrap();
        let ids = |keys: &[AccessKey]| keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>().join("+");
        let users: Vec<String> =
            account.access_keys.iter().map(|(arn, keys)| format!("{}: {}", arn.resource(), ids(keys))).collect();
        assert_eq!(users.join(", "), expect, "{files:?}");
        assert_eq!(account.gaps.len(), usize::from(files.iter().any(|(_, text)| text.contains("true"))));
    };
    let own = |name: &str, ids: &[&str]| list(&ids.iter().map(|id| key(name, id, never())).collect::<Vec<_>>());
    let with = |text: String, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    let ann = r#""Arn":"arn:aws:iam::111122223333:user/people/ann""#;
    check(&[("any name.json", own("ann", &["AKIA2", "AKIA1"]))], "user/people/ann: AKIA1+AKIA2");
    check(&[("a.json", own("bob", &["AKIA1"])), ("b.json", own("bob", &["AKIA1"]))], "user/bob: AKIA1");
    check(&[("a.json", own("zoe", &["AKIA1"]))], "");
    check(&[("a.json", own("ANN", &["AKIA1"]))], "");
    check(&[("a.json", own("ann", &[]))], "");
    check(&[("a.json", with(own("ann", &[]), ann))], "user/people/ann: ");
    check(&[("a.json", with(own("ann", &["AKIA1"]), ann))], "user/people/ann: AKIA1");
    check(&[("a.json", with(own("ann", &["AKIA1"]), &ann.replace("111122223333", "444455556666")))], "");
    // A list that lacks pages counts as absent.
    for more in [r#""IsTruncated": true"#, r#""Marker": "true""#, r#""NextToken": "true""#] {
        let text = own("bob", &["AKIA1"]).replace(r#""IsTruncated":false"#, r#""X":0"#);
        check(&[("a.json", with(text, more)), ("b.json", own("ann", &["AKIA2"]))], "user/people/ann: AKIA2");
    }
}

#[test]
fn files_that_contradict_themselves_or_each_other() {
    let check = |files: &[(&str, String)], expect: &str| {
        let snapshot = account();
        files.iter().for_each(|(name, text)| snapshot.put(&format!("access-keys/{name}"), text));
        assert_eq!(snapshot.error().lines().next().unwrap(), expect);
    };
    let bob = |id: &str| key("bob", id, never());
    check(
        &[("a.json", list(&[bob("AKIA1")])), ("b.json", list(&[bob("AKIA2")]))],
        "two files say different things of the keys of `arn:aws:iam::111122223333:user/bob`: `DIR/access-keys/a.json` and \
         `DIR/access-keys/b.json`",
    );
    check(
        &[("a.json", list(&[bob("AKIA1"), key("ann", "AKIA2", never())]))],
        "`DIR/access-keys/a.json` is of two users: `bob` and `ann`",
    );
    check(
        &[("a.json", list(&[bob("AKIA1"), key("bob", "AKIA1", json!(null))]))],
        "`DIR/access-keys/a.json` says two things of access key `AKIA1`",
    );
    check(
        &[("a.json", "{\"AccessKeyMetadata\":[{}]}".to_owned())],
        "`DIR/access-keys/a.json` has another shape than expected at line 1, column 24: missing field `AccessKeyId`",
    );
    check(
        &[("a.json", "{}".to_owned())],
        "`DIR/access-keys/a.json` has another shape than expected at line 1, column 2: missing field `AccessKeyMetadata`",
    );
}
