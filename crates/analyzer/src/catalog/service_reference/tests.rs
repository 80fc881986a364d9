use super::*;

fn error_of(file: &str, text: &str) -> String {
    parse(&[(file.to_owned(), text.as_bytes().to_vec())]).unwrap_err().to_string()
}

#[test]
fn a_service_is_read_and_what_is_not_needed_is_skipped() {
    let text = r#"{
        "Name": "s3",
        "Actions": [
            {"Name": "PutObject", "ActionConditionKeys": ["s3:x-amz-acl"],
             "Annotations": {"Properties": {"IsList": false, "IsPermissionManagement": false, "IsTaggingOnly": false,
                                            "IsWrite": true, "IsNew": true}},
             "Resources": [{"Name": "object"}],
             "SupportedBy": {"IAM Access Analyzer Policy Generation": true, "IAM Action Last Accessed": false}},
            {"Name": "Untold"}
        ],
        "ConditionKeys": [{"Name": "s3:x-amz-acl", "Types": ["String"]}],
        "Resources": [{"Name": "object", "ARNFormats": ["arn:${Partition}:s3:::${BucketName}/${ObjectName}"]}],
        "Operations": [{"Name": "PutObject", "SDK": [{"Name": "s3"}],
                        "AuthorizedActions": [{"Name": "PutObject", "Service": "s3"}, {"Name": "PutObjectAcl"}]},
                       {"Name": "NotMapped"}],
        "Version": "v1.4"
    }"#;
    let services = parse(&[("s3.json".to_owned(), text.as_bytes().to_vec())]).unwrap();
    let s3 = &services["s3"];
    assert_eq!(
        s3.actions,
        [
            ReferenceAction {
                name: "PutObject".to_owned(),
                access_level: Some(AccessLevel::Write),
                tracked: false,
                resource_types: vec!["object".to_owned()],
            },
            ReferenceAction { name: "Untold".to_owned(), access_level: None, tracked: false, resource_types: vec![] },
        ]
    );
    assert_eq!(s3.resources[0].arn_formats, ["arn:${Partition}:s3:::${BucketName}/${ObjectName}"]);
    let operations = s3.operations.as_deref().unwrap();
    assert_eq!(operations[0].authorized_actions, ["s3:PutObject", "s3:PutObjectAcl"]);
    assert!(operations[1].authorized_actions.is_empty());
}

#[test]
fn the_strongest_property_gives_the_access_level() {
    let check = |properties: &str, expect: Option<AccessLevel>| {
        let text = format!(r#"{{"Name": "x", "Actions": [{{"Name": "A", "Annotations": {properties}}}]}}"#);
        assert_eq!(parse_service("x.json", text.as_bytes()).unwrap().actions[0].access_level, expect, "{properties}");
    };
    check(r#"{"Properties": {"IsPermissionManagement": true, "IsWrite": true}}"#, Some(AccessLevel::Permissions));
    check(r#"{"Properties": {"IsTaggingOnly": true, "IsWrite": true}}"#, Some(AccessLevel::Tagging));
    check(r#"{"Properties": {"IsList": true, "IsWrite": true}}"#, Some(AccessLevel::Write));
    check(r#"{"Properties": {"IsList": true}}"#, Some(AccessLevel::List));
    check(r#"{"Properties": {}}"#, Some(AccessLevel::Read));
    check("{}", None);
    check("null", None);
}

#[test]
fn the_index_is_skipped_by_name_and_by_shape() {
    let list = r#"[{"service": "s3", "url": "https://example.com/v1/s3/s3.json"}]"#;
    let files = [
        ("catalog/index.json".to_owned(), b"whatever".to_vec()),
        ("services.json".to_owned(), list.as_bytes().to_vec()),
    ];
    assert!(parse(&files).unwrap().is_empty());
}

#[test]
fn what_is_wrong_is_named_with_its_file_and_place() {
    assert_eq!(
        error_of("a.json", "{\n  \"Name\": 3}"),
        "a.json, line 2, column 11: invalid type: integer `3`, expected a string"
    );
    assert_eq!(error_of("a.json", r#"{"Name": "s3"}"#), "a.json, line 1, column 14: missing field `Actions`");
    assert_eq!(
        error_of("a.json", r#"{"Name": "a:b", "Actions": []}"#),
        "a.json, member `Name`: `a:b` is not the name of a service"
    );
    let check = |actions: &str, expect: &str| {
        assert_eq!(error_of("a.json", &format!(r#"{{"Name": "s3", "Actions": {actions}}}"#)), expect);
    };
    check(r#"[{"Name": "A"}, {"Name": "Get*"}]"#, "a.json, action 2: `Get*` is not the name of an action");
    check(r#"[{"Name": "A"}, {"Name": "a"}]"#, "a.json, action 2: `a` stands in the file twice");
    check(
        r#"[{"Name": "A", "Resources": [{"Name": "x,y"}]}]"#,
        "a.json, action 1: `x,y` is not the name of a resource type",
    );
    check(
        r#"[], "Resources": [{"Name": "x", "ARNFormats": ["arn\t"]}]"#,
        "a.json, resource 1: `arn\t` is not the form of an ARN",
    );
    let twice = [("a.json", "s3"), ("b.json", "S3")]
        .map(|(file, name)| (file.to_owned(), format!(r#"{{"Name": "{name}", "Actions": []}}"#).into_bytes()));
    assert_eq!(
        parse(&twice).unwrap_err().to_string(),
        "b.json, member `Name`: another file is of the service `S3` too"
    );
}
