use secateur_analyzer::document::sha256_of;
use serde_json::{Value, json};

use super::super::super::inventory::SnapshotFile;
use super::super::super::place::Place;
use super::super::read_any;
use super::*;

/// What serde makes of a text, or the reason why it does not take it.
fn by_serde(reader: &QuickReader<'_>, text: &str) -> String {
    let file = SnapshotFile { name: "last-accessed/r.json".into(), path: "r.json".into(), place: Place::LastAccessed };
    match read_any(&file, text.as_bytes(), sha256_of(text.as_bytes()), reader.catalog()) {
        Ok(report) => format!("{report:?}"),
        Err(error) => error.to_string(),
    }
}

/// What is made of it quickly, if that takes it.
fn quickly(reader: &mut QuickReader<'_>, text: &str) -> Option<String> {
    reader.read(text, sha256_of(text.as_bytes())).map(|report| format!("{report:?}"))
}

fn check(reader: &mut QuickReader<'_>, text: &str, is_taken: bool) {
    let quick = quickly(reader, text);
    assert_eq!(quick.is_some(), is_taken, "{text}");
    if let Some(quick) = quick {
        assert_eq!(quick, by_serde(reader, text), "{text}");
    }
}

fn report(services: &Value) -> Value {
    json!({
        "JobStatus": "COMPLETED", "JobType": "ACTION_LEVEL", "JobCreationDate": "2026-10-10T05:00:00+00:00",
        "ServicesLastAccessed": services, "JobCompletionDate": "2026-10-10T05:00:08.123000+00:00", "IsTruncated": false,
        "Arn": "arn:aws:iam::111122223333:role/ci",
    })
}

/// Rows of actions, of which those with a time have more members.
fn actions(rows: &[(&str, Option<&str>)]) -> Value {
    let row = |(name, last): &(&str, Option<&str>)| match last {
        None => json!({"ActionName": name}),
        Some(last) => json!({"ActionName": name, "LastAccessedTime": last, "LastAccessedRegion": "eu-west-1"}),
    };
    rows.iter().map(row).collect()
}

fn service(name: &str, actions: &Value) -> Value {
    json!({"ServiceName": name, "ServiceNamespace": name, "TotalAuthenticatedEntities": 0, "TrackedActionsLastAccessed": actions})
}

/// Several reports, as different tools print them: with all that changes what is expected next.
fn samples() -> Vec<Value> {
    let time = Some("2026-08-01T00:00:00+00:00");
    let names = [
        ("CreateBucket", None),
        ("DeleteBucket", None),
        ("DeleteBucketPolicy", time),
        ("GetBucketAcl", None),
        ("GetBucketCors", None),
        ("GetBucketLogging", None),
    ];
    let [first, second, third, fourth, fifth, sixth] = names;
    vec![
        report(&json!([])),
        report(&json!([service("s3", &actions(&names))])),
        report(&json!([service("s3", &actions(&[first, third, sixth])), service("lambda", &actions(&names))])),
        report(&json!([service("s3", &actions(&[sixth, fifth, fourth, third, second, first, first, third]))])),
        report(&json!([service(
            "s3",
            &actions(&[("s3:CreateBucket", None), ("createbucket", time), second, ("Newer", None)])
        )])),
        report(&json!([service("s3", &actions(&names)), service("s3", &actions(&[first, ("DeleteBucket", time)]))])),
        report(&json!([
            service("quantum", &actions(&names)),
            service("S3", &actions(&names)),
            service("iam", &json!([]))
        ])),
        report(
            &json!([{"ServiceNamespace": "s3", "LastAuthenticated": "2026-08-01T02:00:00+02:00"}, {"ServiceNamespace": "é"}]),
        ),
    ]
}

fn printed(value: &Value) -> Vec<String> {
    let mut indented = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    serde::Serialize::serialize(value, &mut serde_json::Serializer::with_formatter(&mut indented, formatter)).unwrap();
    let indented = String::from_utf8(indented).unwrap();
    let windows = serde_json::to_string_pretty(value).unwrap().replace('\n', "\r\n");
    vec![value.to_string(), indented + "\n", windows]
}

#[test]
fn what_tools_print_is_taken_and_read_as_serde_reads_it() {
    let catalog = Catalog::shared();
    let mut reader = QuickReader::new(&catalog);
    for _ in 0..2 {
        for text in samples().iter().flat_map(printed) {
            check(&mut reader, &text, true);
        }
    }
    // Rows whose layout differs from one to the next.
    let all = samples()[1].to_string();
    check(
        &mut reader,
        &all.replacen(r#"{"ActionName":"GetBucketCors"}"#, r#"{ "ActionName" :"GetBucketCors" }"#, 1),
        true,
    );
}

#[test]
fn what_is_not_plain_is_left_to_serde() {
    let catalog = Catalog::shared();
    let mut reader = QuickReader::new(&catalog);
    let plain = samples()[1].to_string();
    check(&mut reader, &plain, true);
    for (from, to) in [
        ("CreateBucket", "Create\\u0042ucket"),
        ("\"COMPLETED\"", "\"FAILED\""),
        ("\"COMPLETED\"", "null"),
        ("\"IsTruncated\":false", "\"IsTruncated\":null"),
        ("\"IsTruncated\":false", "\"IsTruncated\":false,\"Marker\":\"m\""),
        ("\"IsTruncated\":false", "\"IsTruncated\":false,\"IsTruncated\":false"),
        ("\"IsTruncated\":false", "\"Error\":null"),
        ("\"Arn\":\"arn:aws:iam::111122223333:role/ci\"", "\"Arn\":\"ci\""),
        (",\"Arn\":\"arn:aws:iam::111122223333:role/ci\"", ""),
        ("\"TotalAuthenticatedEntities\":0", "\"TotalAuthenticatedEntities\":{}"),
        ("\"TotalAuthenticatedEntities\":0", "\"TotalAuthenticatedEntities\":-1"),
        ("\"TotalAuthenticatedEntities\":0", "\"TotalAuthenticatedEntities\":1e400"),
        ("\"ActionName\":\"CreateBucket\"", "\"ActionName\":\"CreateBucket\",\"ActionName\":\"GetBucketAcl\""),
        ("\"ActionName\":\"CreateBucket\"", "\"ActionName\":null"),
        ("\"ActionName\":\"CreateBucket\"", ""),
        ("2026-08-01T00:00:00+00:00", "soon"),
        ("2026-10-10T05:00:08.123000+00:00", "soon"),
        ("\"TotalAuthenticatedEntities\":0", "\"TotalAuthenticatedEntities\":1"),
        ("\"TotalAuthenticatedEntities\":0", "\"LastAuthenticatedEntity\":\"arn:x\""),
        ("\"ActionName\":\"CreateBucket\"", "\"ActionName\":\"CreateBucket\",\"LastAccessedEntity\":\"arn:x\""),
        ("}", "},"),
        ("]", ""),
    ] {
        let other = plain.replacen(from, to, 1);
        let other = if other == plain { plain.clone() + "x" } else { other };
        check(&mut reader, &other, false);
    }
}

#[test]
fn who_used_something_is_looked_at_where_the_time_is_missing_only() {
    let catalog = Catalog::shared();
    let mut reader = QuickReader::new(&catalog);
    let row = |more: &Value| {
        let mut row = json!({"ServiceNamespace": "s3"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        report(&json!([row])).to_string()
    };
    let time = "2026-08-01T00:00:00+00:00";
    let whole = json!({"LastAuthenticated": time, "LastAuthenticatedEntity": "arn:x", "TotalAuthenticatedEntities": 2});
    check(&mut reader, &row(&whole), true);
    let nothing =
        json!({"LastAuthenticatedEntity": null, "TotalAuthenticatedEntities": 0, "LastAuthenticatedRegion": "a"});
    check(&mut reader, &row(&nothing), true);
    for odd in [json!({"LastAuthenticatedEntity": "arn:x"}), json!({"TotalAuthenticatedEntities": 2})] {
        check(&mut reader, &row(&odd), false);
        assert!(by_serde(&reader, &row(&odd)).contains("Contradictory(\"s3 has "), "{odd}");
    }
    let action = |more: &Value| {
        let mut row = json!({"ActionName": "s3:DeleteBucket"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        report(&json!([service("s3", &json!([{"ActionName": "CreateBucket"}, row, {"ActionName": "GetBucketAcl"}]))]))
            .to_string()
    };
    check(&mut reader, &action(&json!({"LastAccessedTime": time, "LastAccessedEntity": "arn:x"})), true);
    check(&mut reader, &action(&json!({"LastAccessedEntity": null, "LastAccessedRegion": "eu-west-1"})), true);
    let odd = action(&json!({"LastAccessedEntity": "arn:x"}));
    check(&mut reader, &odd, false);
    let status = "Contradictory(\"s3:DeleteBucket has LastAccessedEntity, and no LastAccessedTime\")";
    assert!(by_serde(&reader, &odd).contains(status), "{}", by_serde(&reader, &odd));
}

/// One character more, less, or another one, anywhere: what is taken then is read as serde reads it.
#[test]
fn nothing_is_taken_that_serde_reads_in_another_way() {
    let catalog = Catalog::shared();
    let mut reader = QuickReader::new(&catalog);
    let mut taken = 0;
    for text in [samples()[1].to_string(), printed(&samples()[4]).swap_remove(1)] {
        for (at, char) in text.char_indices() {
            let (before, _) = text.split_at(at);
            let (_, after) = text.split_at(at + char.len_utf8());
            for put in ["", "\"", ",", "}", "]", "{", ":", " ", "\\", "0", "e", "\u{7}", "\"\"", "{}"] {
                for other in [format!("{before}{put}{after}"), format!("{before}{put}{char}{after}")] {
                    if let Some(quick) = quickly(&mut reader, &other) {
                        taken += 1;
                        assert_eq!(quick, by_serde(&reader, &other), "{other}");
                    }
                }
            }
        }
    }
    assert!(taken > 5_000, "{taken}");
}

/// A report as the AWS CLI prints it, with rows of all kinds.
fn by_the_cli() -> String {
    let time = "2026-08-01T00:00:00+00:00";
    let used = |name: &str| {
        json!({"ActionName": name, "LastAccessedEntity": "arn:aws:iam::111122223333:role/ci", "LastAccessedTime": time,
            "LastAccessedRegion": "eu-west-1"})
    };
    let never = |name: &str| json!({"ActionName": name});
    let services = json!([
        {"ServiceName": "Amazon S3", "LastAuthenticated": time, "ServiceNamespace": "s3",
            "LastAuthenticatedEntity": "arn:aws:iam::111122223333:role/ci", "TotalAuthenticatedEntities": 1,
            "TrackedActionsLastAccessed":
                [never("CreateBucket"), never("DeleteBucket"), used("DeleteBucketPolicy"), never("GetBucketAcl")]},
        {"ServiceName": "AWS Lambda", "ServiceNamespace": "lambda", "TotalAuthenticatedEntities": 0,
            "TrackedActionsLastAccessed": [never("AddPermission")]},
        {"ServiceName": "AWS STS", "ServiceNamespace": "sts", "TotalAuthenticatedEntities": 0},
    ]);
    indented(&report(&services), b"    ")
}

fn indented(value: &Value, by: &[u8]) -> String {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(by);
    serde::Serialize::serialize(value, &mut serde_json::Serializer::with_formatter(&mut text, formatter)).unwrap();
    String::from_utf8(text).unwrap()
}

/// The layout is known from the report before, and differs from it in one place.
#[test]
fn what_differs_from_the_layout_before_is_read_as_serde_reads_it() {
    let catalog = Catalog::shared();
    let mut reader = QuickReader::new(&catalog);
    let text = by_the_cli();
    check(&mut reader, &text, true);
    let mut taken = 0;
    for (at, _) in text.char_indices() {
        let (before, from) = text.split_at(at);
        let (_, after) = from.split_at(1);
        for put in ["", "\"", ",", "}", " ", "x", "\n"] {
            for other in [format!("{before}{put}{after}"), format!("{before}{put}{from}")] {
                if let Some(quick) = quickly(&mut reader, &other) {
                    taken += 1;
                    assert_eq!(quick, by_serde(&reader, &other), "{other}");
                }
            }
        }
        // Whatever was met meanwhile, the layout is known.
        assert!(quickly(&mut reader, &text).is_some());
    }
    assert!(taken > 5_000, "{taken}");
}

#[test]
fn members_may_come_in_any_order_and_be_left_out() {
    let catalog = Catalog::shared();
    let mut reader = QuickReader::new(&catalog);
    let text = by_the_cli();
    for (from, to) in [
        ("\"ActionName\": \"DeleteBucketPolicy\",", "\"Later\": 7,"),
        ("\"LastAccessedTime\"", "\"LastAccessedRegion\""),
        ("\"LastAccessedRegion\"", "\"LastAccessedTime\""),
        ("\"LastAccessedEntity\"", "\"LastAccessedTime\""),
        ("\"LastAccessedRegion\"", "\"ActionName\""),
        ("\"LastAccessedRegion\"", "\"New\""),
        ("\"LastAuthenticated\"", "\"LastAuthenticatedRegion\""),
        ("\"ServiceName\"", "\"ServiceNamespace\""),
        ("\"ServiceNamespace\": \"s3\"", "\"ServiceName\": \"s3\""),
        ("\"TotalAuthenticatedEntities\": 0,", ""),
        ("\"ServiceName\": \"AWS STS\",", ""),
    ] {
        check(&mut reader, &text, true);
        let other = text.replacen(from, to, 1);
        assert_ne!(other, text, "{from}");
        match quickly(&mut reader, &other) {
            Some(quick) => assert_eq!(quick, by_serde(&reader, &other), "{other}"),
            None => assert!(["ActionName", "ServiceName", "LastA"].iter().any(|part| from.contains(part)), "{other}"),
        }
    }
    // The time before and behind the name, and the actions before the namespace.
    let row = r#"{"LastAccessedTime": "2026-08-01T00:00:00Z", "ActionName": "CreateBucket"}"#;
    let other = r#"{"ActionName": "DeleteBucket", "LastAccessedTime": "2026-08-02T00:00:00Z"}"#;
    let of = |services: &str| {
        format!(
            r#"{{"Arn": "arn:aws:iam::111122223333:role/ci", "JobStatus": "COMPLETED", "ServicesLastAccessed": [{services}]}}"#
        )
    };
    let actions = format!("[{row}, {other}, {row}, {other}]");
    check(&mut reader, &of(&format!(r#"{{"ServiceNamespace": "s3", "TrackedActionsLastAccessed": {actions}}}"#)), true);
    check(
        &mut reader,
        &of(&format!(r#"{{"TrackedActionsLastAccessed": {actions}, "ServiceNamespace": "s3"}}"#)),
        false,
    );
    check(&mut reader, &of("{}"), false);
    check(&mut reader, &of(r#"{"ServiceNamespace": "s3", "TrackedActionsLastAccessed": [{}]}"#), false);
}

#[test]
fn there_may_be_more_layouts_than_are_remembered() {
    let catalog = Catalog::shared();
    let mut reader = QuickReader::new(&catalog);
    let value: Value = serde_json::from_str(&by_the_cli()).unwrap();
    for _ in 0..2 {
        for indent in 0..100 {
            check(&mut reader, &indented(&value, &b" ".repeat(indent)), true);
        }
    }
}

#[test]
fn names_may_come_in_any_order() {
    let catalog = Catalog::shared();
    let mut reader = QuickReader::new(&catalog);
    let names_of = |service: &str| -> Vec<&str> {
        let mut names: Vec<&str> =
            catalog.actions_of(catalog.service(service).unwrap()).map(|id| catalog.name(id)).collect();
        names.sort_unstable();
        names
    };
    let (s3, sts) = (names_of("s3"), names_of("sts"));
    let of = |service_name: &str, names: &[&str]| {
        let rows: Vec<(&str, Option<&str>)> = names.iter().map(|name| (*name, None)).collect();
        service(service_name, &actions(&rows))
    };
    let backwards: Vec<&str> = s3.iter().rev().copied().collect();
    let every_third: Vec<&str> = s3.iter().step_by(3).copied().collect();
    // What comes behind the last name of a service, to whom the names of the next one are next.
    let beyond: Vec<&str> = s3.iter().chain(&[""]).chain(&sts).copied().collect();
    let prefixed: Vec<String> = s3.iter().map(|name| format!("s3:{name}")).collect();
    let prefixed: Vec<&str> = prefixed.iter().map(String::as_str).collect();
    let lists = [&s3, &backwards, &every_third, &beyond, &prefixed, &sts, &s3];
    for _ in 0..2 {
        for names in lists {
            let services = json!([of("s3", names), of("sts", &sts), of("quantum", names)]);
            check(&mut reader, &indented(&report(&services), b"    "), true);
        }
    }
}
