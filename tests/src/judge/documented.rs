//! What the IAM User Guide says of its examples: each a policy of that shape, and what it allows and denies.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_examples.html>; below, the page of each.

use super::{Context, Decision, Policy, Request, decide, decide_within};
use Decision::{Allowed, ExplicitDeny, ImplicitDeny};

/// A request and the answer: action, resource, keys.
type Case<'a> = (Decision, &'a str, &'a str, &'a [(&'a str, &'a [&'a str])]);

fn policy(statements: &str) -> Policy {
    Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
}

fn request(action: &str, resource: &str, keys: &[(&str, &[&str])]) -> Request {
    let context = keys.iter().fold(Context::new(), |context, (key, values)| context.with(key, values));
    Request { action: action.to_owned(), resource: resource.to_owned(), context }
}

#[track_caller]
fn check(statements: &str, cases: &[Case<'_>]) {
    let policies = [policy(statements)];
    for (expect, action, resource, keys) in cases {
        assert_eq!(decide(&policies, &request(action, resource, keys)), *expect, "{action} {resource} {keys:?}");
    }
}

#[test]
fn access_within_dates() {
    // reference_policies_examples_aws-dates.html
    let statement = r#"{"Effect":"Allow","Action":"a:Do","Resource":"*","Condition":{
        "DateGreaterThan":{"aws:CurrentTime":"2020-04-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2020-06-30T23:59:59Z"}}}"#;
    check(
        statement,
        &[
            (Allowed, "a:Do", "*", &[("aws:CurrentTime", &["2020-05-01T00:00:00Z"])]),
            (ImplicitDeny, "a:Do", "*", &[("aws:CurrentTime", &["2020-07-01T00:00:00Z"])]),
            (ImplicitDeny, "a:Do", "*", &[("aws:CurrentTime", &["2020-04-01T00:00:00Z"])]),
        ],
    );
}

#[test]
fn regions_denied_but_for_global_services() {
    // reference_policies_examples_aws_deny-requested-region.html
    let deny = r#"{"Effect":"Deny","NotAction":["iam:*","route53:*","support:*"],"Resource":"*","Condition":{
        "StringNotEquals":{"aws:RequestedRegion":["eu-central-1","eu-west-1"]}}},{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    check(
        deny,
        &[
            (ExplicitDeny, "ec2:RunInstances", "*", &[("aws:RequestedRegion", &["us-east-1"])]),
            (Allowed, "ec2:RunInstances", "*", &[("aws:RequestedRegion", &["eu-west-1"])]),
            (Allowed, "iam:GetUser", "*", &[("aws:RequestedRegion", &["us-east-1"])]),
        ],
    );
}

#[test]
fn addresses_denied_unless_a_service_calls_for_the_principal() {
    // reference_policies_examples_aws_deny-ip.html: both operators must hold.
    let deny = r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":{
        "NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]},"Bool":{"aws:ViaAWSService":"false"}}},
        {"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let (home, away): (&[&str], &[&str]) = (&["192.0.2.7"], &["198.51.100.7"]);
    let (own, via): (&[&str], &[&str]) = (&["false"], &["true"]);
    check(
        deny,
        &[
            (Allowed, "s3:GetObject", "*", &[("aws:SourceIp", home), ("aws:ViaAWSService", own)]),
            (ExplicitDeny, "s3:GetObject", "*", &[("aws:SourceIp", away), ("aws:ViaAWSService", own)]),
            (Allowed, "s3:GetObject", "*", &[("aws:SourceIp", away), ("aws:ViaAWSService", via)]),
        ],
    );
}

#[test]
fn instances_by_their_owners_tag() {
    // reference_policies_examples_ec2_tag-owner.html
    let allow = r#"{"Effect":"Allow","Action":["ec2:StartInstances","ec2:StopInstances"],"Resource":"arn:aws:ec2:*:*:instance/*",
        "Condition":{"StringEquals":{"aws:ResourceTag/Owner":"${aws:username}"}}}"#;
    let instance = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1";
    let me: (&str, &[&str]) = ("aws:username", &["richard-roe"]);
    let (own, other): (&[&str], &[&str]) = (&["richard-roe"], &["Richard-Roe"]);
    check(
        allow,
        &[
            (Allowed, "ec2:StartInstances", instance, &[me, ("aws:resourcetag/OWNER", own)]),
            (ImplicitDeny, "ec2:StartInstances", instance, &[me, ("aws:ResourceTag/Owner", other)]),
            (ImplicitDeny, "ec2:StartInstances", instance, &[me]),
            (ImplicitDeny, "ec2:TerminateInstances", instance, &[me, ("aws:ResourceTag/Owner", own)]),
        ],
    );
}

#[test]
fn items_by_leading_keys_and_columns() {
    // reference_policies_examples_dynamodb_items.html and ..._dynamodb_attributes.html
    let allow = r#"{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query"],"Resource":"arn:aws:dynamodb:*:*:table/MyTable",
        "Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["${aws:userid}"],
        "dynamodb:Attributes":["column-1","column-2"]},"StringEqualsIfExists":{"dynamodb:Select":"SPECIFIC_ATTRIBUTES"}}}"#;
    let table = "arn:aws:dynamodb:eu-west-1:111122223333:table/MyTable";
    let me: (&str, &[&str]) = ("aws:userid", &["AIDA1"]);
    check(
        allow,
        &[
            (Allowed, "dynamodb:GetItem", table, &[me, ("dynamodb:LeadingKeys", &["AIDA1"])]),
            (ImplicitDeny, "dynamodb:GetItem", table, &[me, ("dynamodb:LeadingKeys", &["AIDA1", "AIDA2"])]),
            (ImplicitDeny, "dynamodb:GetItem", table, &[me, ("dynamodb:Attributes", &["column-1", "column-9"])]),
            (Allowed, "dynamodb:Query", table, &[me, ("dynamodb:Select", &["SPECIFIC_ATTRIBUTES"])]),
            (ImplicitDeny, "dynamodb:Query", table, &[me, ("dynamodb:Select", &["ALL_ATTRIBUTES"])]),
            (ImplicitDeny, "dynamodb:Query", "arn:aws:dynamodb:eu-west-1:111122223333:table/mytable", &[me]),
        ],
    );
}

#[test]
fn home_folders() {
    // reference_policies_examples_s3_home-directory-console.html
    let allow = r#"{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket-name","Condition":{
        "StringLike":{"s3:prefix":["","home/","home/${aws:username}/*"]}}},
        {"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::bucket-name/home/${aws:username}","arn:aws:s3:::bucket-name/home/${aws:username}/*"]}"#;
    let me: (&str, &[&str]) = ("aws:username", &["ann"]);
    check(
        allow,
        &[
            (Allowed, "s3:ListBucket", "arn:aws:s3:::bucket-name", &[me, ("s3:prefix", &[""])]),
            (Allowed, "s3:ListBucket", "arn:aws:s3:::bucket-name", &[me, ("s3:prefix", &["home/ann/x"])]),
            (ImplicitDeny, "s3:ListBucket", "arn:aws:s3:::bucket-name", &[me, ("s3:prefix", &["home/bob/x"])]),
            (ImplicitDeny, "s3:ListBucket", "arn:aws:s3:::bucket-name", &[me]),
            (Allowed, "s3:PutObject", "arn:aws:s3:::bucket-name/home/ann/a/b", &[me]),
            (ImplicitDeny, "s3:PutObject", "arn:aws:s3:::bucket-name/home/anna/a", &[me]),
        ],
    );
}

#[test]
fn without_mfa_only_what_sets_it_up() {
    // reference_policies_examples_aws_my-sec-creds-self-manage-mfa-only.html
    let deny = r#"{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","NotAction":["iam:EnableMFADevice","sts:GetSessionToken"],
        "Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}"#;
    let mfa: &[&str] = &["true"];
    check(
        deny,
        &[
            (ExplicitDeny, "s3:ListBucket", "*", &[]),
            (Allowed, "s3:ListBucket", "*", &[("aws:MultiFactorAuthPresent", mfa)]),
            (Allowed, "iam:enablemfadevice", "*", &[]),
        ],
    );
    // With Bool alone a missing key does not deny: the page warns of it.
    let weak = deny.replace("BoolIfExists", "Bool");
    check(&weak, &[(Allowed, "s3:ListBucket", "*", &[])]);
}

#[test]
fn tags_of_principal_resource_and_request() {
    // tutorial_attribute-based-access-control.html
    let abac = r#"{"Effect":"Allow","Action":["secretsmanager:CreateSecret","secretsmanager:TagResource"],"Resource":"*","Condition":{
        "StringEquals":{"aws:RequestTag/team":"${aws:PrincipalTag/team}"},
        "StringEqualsIfExists":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"},
        "ForAllValues:StringEquals":{"aws:TagKeys":["team","name"]}}}"#;
    let me: (&str, &[&str]) = ("aws:PrincipalTag/team", &["eng"]);
    let ours: (&str, &[&str]) = ("aws:RequestTag/team", &["eng"]);
    check(
        abac,
        &[
            (Allowed, "secretsmanager:CreateSecret", "*", &[me, ours, ("aws:TagKeys", &["team", "name"])]),
            (ImplicitDeny, "secretsmanager:CreateSecret", "*", &[me, ours, ("aws:TagKeys", &["team", "cost"])]),
            (ImplicitDeny, "secretsmanager:CreateSecret", "*", &[me, ("aws:RequestTag/team", &["qa"])]),
            (ImplicitDeny, "secretsmanager:CreateSecret", "*", &[me, ours, ("aws:ResourceTag/team", &["qa"])]),
        ],
    );
}

#[test]
fn any_of_several_values_and_a_key_that_must_be_there() {
    // reference_policies_condition-single-vs-multi-valued-context-keys.html: to deny where any tag is not of the list, and
    // to ask for the key since ForAllValues is true without it.
    let deny = r#"{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*","Condition":{
        "ForAllValues:StringEquals":{"aws:TagKeys":["environment"]},"Null":{"aws:TagKeys":"false"}}},
        {"Effect":"Deny","Action":"ec2:*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":["webserver"]}}}"#;
    check(
        deny,
        &[
            (Allowed, "ec2:CreateTags", "*", &[("aws:TagKeys", &["environment"])]),
            (ImplicitDeny, "ec2:CreateTags", "*", &[]),
            (ImplicitDeny, "ec2:CreateTags", "*", &[("aws:TagKeys", &["environment", "cost"])]),
            (ExplicitDeny, "ec2:CreateTags", "*", &[("aws:TagKeys", &["environment", "webserver"])]),
        ],
    );
}

#[test]
fn a_boundary_lets_only_those_with_it_be_made() {
    // access_policies_boundaries.html: what a delegated administrator may do.
    let own = [policy(
        r#"{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*","Condition":{
            "StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::123456789012:policy/XCompanyBoundaries"}}},
            {"Effect":"Deny","Action":"iam:DeleteUserPermissionsBoundary","Resource":"*"},{"Effect":"Allow","Action":["s3:*","iam:*Boundary"],"Resource":"*"}"#,
    )];
    let boundary = policy(
        r#"{"Effect":"Allow","Action":["s3:*","cloudwatch:*","ec2:*","iam:*"],"Resource":"*"},
           {"Effect":"Deny","NotAction":["s3:*","iam:*"],"NotResource":["arn:aws:ec2:*:*:instance/*"]}"#,
    );
    let ask = |action: &str, resource: &str, keys: &[(&str, &[&str])]| {
        decide_within(&own, Some(&boundary), &request(action, resource, keys))
    };
    let bounded: &[&str] = &["arn:aws:iam::123456789012:policy/XCompanyBoundaries"];
    assert_eq!(ask("iam:CreateUser", "*", &[("iam:PermissionsBoundary", bounded)]), Allowed);
    assert_eq!(ask("iam:CreateUser", "*", &[]), ImplicitDeny);
    assert_eq!(ask("iam:DeleteUserPermissionsBoundary", "*", &[]), ExplicitDeny);
    assert_eq!(ask("ec2:RunInstances", "arn:aws:ec2:us-east-1:1:instance/i", &[]), ImplicitDeny);
    assert_eq!(ask("ec2:RunInstances", "arn:aws:ec2:us-east-1:1:volume/v", &[]), ExplicitDeny);
    assert_eq!(ask("s3:GetObject", "arn:aws:s3:::b/k", &[]), Allowed);
}

#[test]
fn variables_stand_behind_the_fifth_colon_only() {
    // reference_policies_variables.html: where else one stands, nobody says what it does.
    let both =
        r#"{"Effect":"Allow","Action":"a:*","Resource":"arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username}"}"#;
    let keys: &[(&str, &[&str])] = &[("aws:PrincipalAccount", &["111122223333"]), ("aws:username", &["ann"])];
    check(
        both,
        &[
            (Decision::Undecided, "a:B", "arn:aws:iam::111122223333:user/ann", keys),
            (ImplicitDeny, "a:B", "arn:aws:iam::111122223333:user/bob", keys),
        ],
    );
}
