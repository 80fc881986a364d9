//! Whole texts, in the layouts that people and programs write.

use super::*;

/// Only these two of SQS stay.
const MESSAGES: &str = "sqs:* !sqs:SendMessage !sqs:ReceiveMessage";

#[test]
fn an_action_leaves_a_list_with_its_separator() {
    let check = |before: &str, after: &str| How::removing("sqs:PurgeQueue").check(before, after);
    check(
        &allow(r#""Action":["sqs:SendMessage","sqs:PurgeQueue","sqs:CreateQueue"]"#),
        &allow(r#""Action":["sqs:SendMessage","sqs:CreateQueue"]"#),
    );
    check(&allow(r#""Action":["sqs:PurgeQueue","sqs:SendMessage"]"#), &allow(r#""Action":["sqs:SendMessage"]"#));
    check(&allow(r#""Action":["sqs:SendMessage","sqs:PurgeQueue"]"#), &allow(r#""Action":["sqs:SendMessage"]"#));
    check(
        &allow(r#""Action" : [ "sqs:SendMessage" , "sqs:PurgeQueue" ] "#),
        &allow(r#""Action" : [ "sqs:SendMessage" ] "#),
    );
    check(
        r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "sqs:SendMessage",
        "sqs:PurgeQueue",
        "sqs:ReceiveMessage"
      ],
      "Resource": "*"
    }
  ]
}
"#,
        r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "sqs:SendMessage",
        "sqs:ReceiveMessage"
      ],
      "Resource": "*"
    }
  ]
}
"#,
    );
    // Several on a line, in groups.
    check(
        r#"{"Statement": [{"Effect": "Allow", "Resource": "*", "Action": [
    "sqs:SendMessage", "sqs:ReceiveMessage",
    "sqs:PurgeQueue", "sqs:CreateQueue"
]}]}"#,
        r#"{"Statement": [{"Effect": "Allow", "Resource": "*", "Action": [
    "sqs:SendMessage", "sqs:ReceiveMessage",
    "sqs:CreateQueue"
]}]}"#,
    );
}

#[test]
fn line_ends_and_tabs_stay() {
    let check = |before: &str, after: &str| How::removing("sqs:PurgeQueue").check(before, after);
    check(
        "{\r\n\t\"Statement\": {\r\n\t\t\"Action\": [\r\n\t\t\t\"sqs:PurgeQueue\",\r\n\t\t\t\"sqs:SendMessage\"\r\n\t\t],\r\n\t\t\"Effect\": \"Allow\",\r\n\t\t\"Resource\": \"*\"\r\n\t}\r\n}\r\n",
        "{\r\n\t\"Statement\": {\r\n\t\t\"Action\": [\r\n\t\t\t\"sqs:SendMessage\"\r\n\t\t],\r\n\t\t\"Effect\": \"Allow\",\r\n\t\t\"Resource\": \"*\"\r\n\t}\r\n}\r\n",
    );
    How::removing(MESSAGES).check(
        "{\r\n\t\"Statement\": {\r\n\t\t\"Effect\": \"Allow\",\r\n\t\t\"Resource\": \"*\",\r\n\t\t\"Action\": \"sqs:*\"\r\n\t}\r\n}\r\n\r\n  ",
        "{\r\n\t\"Statement\": {\r\n\t\t\"Effect\": \"Allow\",\r\n\t\t\"Resource\": \"*\",\r\n\t\t\"Action\": [\r\n\t\t\t\"sqs:ReceiveMessage\",\r\n\t\t\t\"sqs:SendMessage\"\r\n\t\t]\r\n\t}\r\n}\r\n\r\n  ",
    );
}

#[test]
fn a_scalar_becomes_a_list_in_its_authors_indentation() {
    let check = |before: &str, after: &str| How::removing(MESSAGES).check(before, after);
    check(&allow(r#""Action":"sqs:*""#), &allow(r#""Action":["sqs:ReceiveMessage","sqs:SendMessage"]"#));
    check(
        r#"{"Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}}"#,
        r#"{"Statement": {"Effect": "Allow", "Action": ["sqs:ReceiveMessage", "sqs:SendMessage"], "Resource": "*"}}"#,
    );
    check(
        r#"{
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sqs:*",
            "Resource": "*"
        }
    ]
}"#,
        r#"{
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "sqs:ReceiveMessage",
                "sqs:SendMessage"
            ],
            "Resource": "*"
        }
    ]
}"#,
    );
    // The statement's brace stands behind its key.
    check(
        r#"{
  "Statement": {
    "Action": "sqs:*",
    "Effect": "Allow", "Resource": "*"
  }
}"#,
        r#"{
  "Statement": {
    "Action": [
      "sqs:ReceiveMessage",
      "sqs:SendMessage"
    ],
    "Effect": "Allow", "Resource": "*"
  }
}"#,
    );
}

#[test]
fn a_statement_on_one_line_gives_its_list_lines() {
    How::removing(MESSAGES).check(
        "{\n\t\"Statement\": [\n\t\t{ \"Action\": \"sqs:*\", \"Effect\": \"Allow\", \"Resource\": \"*\" }\n\t]\n}",
        "{\n\t\"Statement\": [\n\t\t{ \"Action\": [\n\t\t\t\"sqs:ReceiveMessage\",\n\t\t\t\"sqs:SendMessage\"\n\t\t], \"Effect\": \"Allow\", \"Resource\": \"*\" }\n\t]\n}",
    );
}

#[test]
fn one_name_stays_a_scalar() {
    let how = How::removing("sqs:* !sqs:SendMessage");
    how.check(&allow(r#""Action":"sqs:*""#), &allow(r#""Action":"sqs:SendMessage""#));
    how.check(&allow(r#""Action":["sqs:*"]"#), &allow(r#""Action":["sqs:SendMessage"]"#));
}

#[test]
fn a_pattern_of_a_list_is_replaced_in_place() {
    let check = |before: &str, after: &str| How::removing(MESSAGES).check(before, after);
    check(
        &allow(r#""Action":["s3:GetObject","sqs:*","sns:Publish"]"#),
        &allow(r#""Action":["s3:GetObject","sqs:ReceiveMessage","sqs:SendMessage","sns:Publish"]"#),
    );
    check(&allow(r#""Action":["sqs:*"]"#), &allow(r#""Action":["sqs:ReceiveMessage","sqs:SendMessage"]"#));
    check(
        r#"{
  "Statement": [{
    "Effect": "Allow", "Resource": "*",
    "Action": ["sqs:*"]
  }]
}"#,
        r#"{
  "Statement": [{
    "Effect": "Allow", "Resource": "*",
    "Action": ["sqs:ReceiveMessage", "sqs:SendMessage"]
  }]
}"#,
    );
    check(
        "{\"Statement\":[{\"Effect\":\"Allow\",\"Resource\":\"*\",\"Action\":[\n  \"sqs:*\"\n]}]}",
        "{\"Statement\":[{\"Effect\":\"Allow\",\"Resource\":\"*\",\"Action\":[\n  \"sqs:ReceiveMessage\",\n  \"sqs:SendMessage\"\n]}]}",
    );
    check(
        "{\"Statement\":[{\"Effect\":\"Allow\",\"Resource\":\"*\",\"Action\":[\n  \"s3:GetObject\",\n  \"sqs:*\"\n]}]}",
        "{\"Statement\":[{\"Effect\":\"Allow\",\"Resource\":\"*\",\"Action\":[\n  \"s3:GetObject\",\n  \"sqs:ReceiveMessage\",\n  \"sqs:SendMessage\"\n]}]}",
    );
    // Removals and replacements side by side.
    check(
        &allow(r#""Action":["sqs:PurgeQueue","sqs:*","sqs:DeleteQueue","s3:GetObject","sqs:Create*"]"#),
        &allow(r#""Action":["sqs:ReceiveMessage","sqs:SendMessage","s3:GetObject"]"#),
    );
}

#[test]
fn a_list_on_one_line_is_broken_when_it_grows_long() {
    How::removing("sqs:* !sqs:*Message !sqs:ChangeMessageVisibility").check(
        r#"{
  "Statement": [
    {
      "Action": ["s3:GetObject", "sqs:*"],
      "Effect": "Allow",
      "Resource": "*"
    }
  ]
}"#,
        r#"{
  "Statement": [
    {
      "Action": [
        "s3:GetObject",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:ReceiveMessage",
        "sqs:SendMessage"
      ],
      "Effect": "Allow",
      "Resource": "*"
    }
  ]
}"#,
    );
}

#[test]
fn statements_and_documents_go() {
    let how = How::removing("sqs:*");
    how.check(&allow(r#""Action":"sqs:*""#), "");
    how.check(&allow(r#""Action":["sqs:PurgeQueue","sqs:Create*"]"#), "");
    how.check(r#"{"Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}"#, "");
    how.check(
        r#"{"Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"},{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
    );
    how.check(
        r#"{
  "Statement": [
    {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
  ],
  "Version": "2012-10-17"
}"#,
        r#"{
  "Statement": [
    {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
  ],
  "Version": "2012-10-17"
}"#,
    );
    how.check(r#"{"Statement":[]}"#, r#"{"Statement":[]}"#);
}

#[test]
fn what_denies_or_is_kept_by_its_sid_is_not_touched() {
    let how = How::removing("sqs:*");
    for statement in [
        r#"{"Effect":"Deny","Action":"sqs:*","Resource":"*"}"#,
        r#"{"Effect":"Deny","NotAction":["sqs:*","s3:*"],"Resource":"*"}"#,
        r#"{"Sid":"SecateurKeep","Effect":"Allow","Action":"sqs:*","Resource":"*"}"#,
        r#"{"Sid":"SecateurKeepQueues","Effect":"Allow","NotAction":"s3:*","Resource":"*"}"#,
    ] {
        let alone = format!(r#"{{"Statement":{statement}}}"#);
        how.check(&alone, &alone);
        let list = format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"sqs:*","Resource":"*"}},{statement}]}}"#);
        how.check(&list, &format!(r#"{{"Statement":[{statement}]}}"#));
    }
    // Any other Sid keeps nothing.
    how.check(r#"{"Statement":{"Sid":"Secateur","Effect":"Allow","Action":"sqs:*","Resource":"*"}}"#, "");
}

#[test]
fn irregular_documents_are_not_touched() {
    let how = How::removing("sqs:*");
    for statement in [
        r#"{"Effect":"Allow","Action":"sqs:*","Action":"s3:*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":["sqs:*","s3:*"],"Resource":"*","Comment":"x"}"#,
        r#"{"Effect":"Deny","Effect":"Allow","Action":["sqs:*","s3:*"],"Resource":"*"}"#,
    ] {
        let text = format!(r#"{{"Statement":{statement}}}"#);
        how.check(&text, &text);
    }
}

#[test]
fn the_authors_letters_stay() {
    let how = How::removing("s3:DeleteObject");
    how.check(
        &allow(r#""Action":["S3:getobject","S3:deleteOBJECT","s3:LIST*"]"#),
        &allow(r#""Action":["S3:getobject","s3:LIST*"]"#),
    );
    // Strings may be written in escapes: what they say counts, and what stays is written as before.
    how.check(
        &allow(r#""Action":["\u00733:GetObject","s3:Delete\u004fbject","s3:Put\u004Fbject"]"#),
        &allow(r#""Action":["\u00733:GetObject","s3:Put\u004Fbject"]"#),
    );
    How::removing("s3:* !s3:GetObject")
        .check(&allow(r#""Action":"\u00733:\u002a""#), &allow(r#""Action":"s3:GetObject""#));
    // Braces, brackets and commas in strings are letters.
    how.check(
        &allow(r#""Sid":"],[","Action":["s3:GetObject","s3:DeleteObject"],"Condition":{"StringLike":{"s3:prefix":["a, \"b\"]","{é}"]}}"#),
        &allow(r#""Sid":"],[","Action":["s3:GetObject"],"Condition":{"StringLike":{"s3:prefix":["a, \"b\"]","{é}"]}}"#),
    );
}
