use super::*;

fn holds(block: &str, context: &Context) -> Truth {
    let conditions = Condition::parse_block(&Json::parse(block).unwrap()).unwrap();
    Truth::all(conditions.iter().map(|condition| condition.holds(context, true)))
}

fn with(key: &str, values: &[&str]) -> Context {
    Context::new().with(key, values)
}

#[track_caller]
fn check(block: &str, context: &Context, expect: Truth) {
    assert_eq!(holds(block, context), expect, "{block} {context:?}");
}

use Truth::{No, Unknown, Yes};

#[test]
fn operators_and_keys_must_all_hold_and_one_of_the_values() {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
    let block = r#"{"StringEquals":{"aws:PrincipalTag/department":["finance","hr","legal"],"aws:PrincipalTag/role":["audit","security"]},
                    "ArnLike":{"aws:PrincipalArn":["arn:aws:iam::222222222222:user/Ana","arn:aws:iam::222222222222:user/Mary"]}}"#;
    let right = || {
        with("aws:PrincipalTag/department", &["hr"])
            .with("aws:PrincipalTag/role", &["audit"])
            .with("aws:PrincipalArn", &["arn:aws:iam::222222222222:user/Mary"])
    };
    check(block, &right(), Yes);
    check(block, &right().with("aws:principaltag/ROLE", &["dev"]), No);
    check(block, &with("aws:PrincipalTag/department", &["hr"]), No);
}

#[test]
fn negated_operators_match_none_of_the_values() {
    let block = r#"{"StringNotEquals":{"aws:PrincipalAccount":["111122223333","444455556666"]}}"#;
    check(block, &with("aws:PrincipalAccount", &["111122223333"]), No);
    check(block, &with("aws:PrincipalAccount", &["777788889999"]), Yes);
    check(block, &Context::new(), Yes);
}

#[test]
fn a_missing_key_fails_unless_if_exists() {
    check(r#"{"StringEquals":{"k":"a"}}"#, &Context::new(), No);
    check(r#"{"StringEqualsIfExists":{"k":"a"}}"#, &Context::new(), Yes);
    check(r#"{"StringEqualsIfExists":{"k":"a"}}"#, &with("k", &["b"]), No);
    check(r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#, &Context::new(), No);
    check(r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":false}}"#, &Context::new(), Yes);
}

#[test]
fn texts() {
    check(r#"{"StringEquals":{"k":"Ab"}}"#, &with("K", &["ab"]), No);
    check(r#"{"StringEqualsIgnoreCase":{"k":"Ab"}}"#, &with("k", &["aB"]), Yes);
    check(r#"{"StringEquals":{"k":"a*"}}"#, &with("k", &["ab"]), No);
    check(r#"{"StringLike":{"k":["x","a*"]}}"#, &with("k", &["ab"]), Yes);
    check(r#"{"StringNotLike":{"k":"a*"}}"#, &with("k", &["ab"]), No);
    check(r#"{"StringLike":{"k":"A*"}}"#, &with("k", &["ab"]), No);
}

#[test]
fn numbers_dates_and_booleans() {
    check(r#"{"NumericLessThanEquals":{"s3:max-keys":10}}"#, &with("s3:max-keys", &["10"]), Yes);
    check(r#"{"NumericLessThan":{"s3:max-keys":"10"}}"#, &with("s3:max-keys", &["10"]), No);
    check(r#"{"NumericNotEquals":{"k":"10"}}"#, &with("k", &["10.0"]), No);
    check(r#"{"NumericEquals":{"k":"10"}}"#, &with("k", &["ten"]), Unknown);
    let july = with("aws:CurrentTime", &["2017-07-15T00:00:00Z"]);
    check(
        r#"{"DateGreaterThan":{"aws:CurrentTime":"2017-07-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2017-12-31T23:59:59Z"}}"#,
        &july,
        Yes,
    );
    check(r#"{"DateLessThan":{"aws:CurrentTime":"2017-07-01T00:00:00Z"}}"#, &july, No);
    check(r#"{"Bool":{"aws:SecureTransport":"false"}}"#, &with("aws:SecureTransport", &["false"]), Yes);
}

#[test]
fn addresses() {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_deny-ip.html
    let block = r#"{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]}}"#;
    check(block, &with("aws:SourceIp", &["203.0.113.9"]), No);
    check(block, &with("aws:SourceIp", &["198.51.100.1"]), Yes);
    check(
        r#"{"IpAddress":{"aws:SourceIp":"2001:db8:1234:5678::/64"}}"#,
        &with("aws:SourceIp", &["2001:db8:1234:5678::1"]),
        Yes,
    );
    check(r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, &with("aws:SourceIp", &["8.8.8.8"]), Yes);
    check(r#"{"IpAddress":{"aws:SourceIp":"anywhere"}}"#, &with("aws:SourceIp", &["8.8.8.8"]), Unknown);
}

#[test]
fn null_asks_for_the_key() {
    check(r#"{"Null":{"aws:TokenIssueTime":"true"}}"#, &Context::new(), Yes);
    check(r#"{"Null":{"aws:TokenIssueTime":"true"}}"#, &with("aws:TokenIssueTime", &["x"]), No);
    check(r#"{"Null":{"aws:TokenIssueTime":false}}"#, &with("aws:TokenIssueTime", &["x"]), Yes);
}

#[test]
fn keys_of_several_values() {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    let all = r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["environment","cost-center"]}}"#;
    check(all, &with("aws:TagKeys", &["environment"]), Yes);
    check(all, &with("aws:TagKeys", &["environment", "owner"]), No);
    check(all, &Context::new(), Yes);
    let any = r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["environment","cost-center"]}}"#;
    check(any, &with("aws:TagKeys", &["owner", "environment"]), Yes);
    check(any, &with("aws:TagKeys", &["owner"]), No);
    check(any, &Context::new(), No);
    let any_but = r#"{"ForAnyValue:StringNotEquals":{"k":["a"]}}"#;
    check(any_but, &with("k", &["a", "b"]), Yes);
    check(any_but, &with("k", &["a"]), No);
    check(r#"{"StringEquals":{"k":"a"}}"#, &with("k", &["a", "b"]), Unknown);
}

#[test]
fn variables_of_values() {
    let block = r#"{"StringLike":{"s3:prefix":["home/${aws:username}/*"]}}"#;
    check(block, &with("s3:prefix", &["home/ann/x"]).with("aws:username", &["ann"]), Yes);
    check(block, &with("s3:prefix", &["home/bob/x"]).with("aws:username", &["ann"]), No);
    check(block, &with("s3:prefix", &["home/bob/x"]).with("aws:username", &["*"]), No);
    check(block, &with("s3:prefix", &["home/bob/x"]), Unknown);
}

#[test]
fn what_is_not_known_is_not_guessed() {
    check(r#"{"StringResembles":{"k":"a"}}"#, &with("k", &["a"]), Unknown);
    check(r#"{"StringResembles":{"k":"a"},"StringEquals":{"k":"b"}}"#, &with("k", &["a"]), No);
    assert!(Condition::parse_block(&Json::parse(r#"{"Bool":{"k":"a"},"Bool":{"k":"a"}}"#).unwrap()).is_err());
}
