use super::*;

#[test]
fn nobody_reads_the_password_of_an_endpoint() {
    for url in
        ["http://bob:HUNTER2@host/", "http://bob:HUN TER2@host", "bob:HUNTER2@host", "https://bob:HUN\nTER2@host"]
    {
        let told = safe(&format!("failed to apply endpoint `{url}` to request"));
        assert!(!told.contains("HUN") && !told.contains("TER2") && told.contains("host"), "{told}");
    }
    let person =
        "User: arn:aws:sts::111122223333:assumed-role/Audit/ann@example.com is not authorized to perform: iam:X";
    assert_eq!(safe(person), person);
}

#[test]
fn codes_are_told_apart() {
    let call = Call::new("iam:GetRole");
    let check = |code: &str, status: u16, expect: ErrorKind| {
        assert_eq!(kind_of_code(&call, code, None, status), expect, "{code}");
    };
    check("Throttling", 400, ErrorKind::Throttled);
    check("ThrottlingException", 400, ErrorKind::Throttled);
    check("ExpiredToken", 403, ErrorKind::Expired);
    check("ExpiredTokenException", 400, ErrorKind::Expired);
    check("UnrecognizedClientException", 400, ErrorKind::Credentials);
    check("ThrottledException", 400, ErrorKind::Throttled);
    check("ProvisionedThroughputExceededException", 400, ErrorKind::Throttled);
    check("PriorRequestNotComplete", 400, ErrorKind::Throttled);
    check("EC2ThrottledException", 400, ErrorKind::Throttled);
    check("LimitExceededException", 400, ErrorKind::Throttled);
    check("RequestExpired", 400, ErrorKind::Clock);
    // The body of an error that broke off.
    check("", 400, ErrorKind::Transient);
    check("NoSuchEntity", 404, ErrorKind::NotFound);
    check("ServiceFailure", 500, ErrorKind::Transient);
    check("Anything", 503, ErrorKind::Transient);
    // A quota of IAM's, which no waiting helps.
    check("LimitExceeded", 409, ErrorKind::Refused("LimitExceeded".to_owned()));
    check("AccessDenied", 403, ErrorKind::Denied("iam:GetRole".to_owned()));
}

#[test]
fn a_clock_that_is_wrong_is_told_from_a_key_that_is() {
    let call = Call::new("sts:GetCallerIdentity");
    let kind = |message| kind_of_code(&call, "SignatureDoesNotMatch", Some(message), 403);
    let late = "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z (20260101T003000Z - 15 min.)";
    assert_eq!(kind(late), ErrorKind::Clock);
    assert_eq!(kind("Signature not yet current: 20260101T000000Z is still later than x"), ErrorKind::Clock);
    let wrong = "The request signature we calculated does not match the signature you provided.";
    assert_eq!(kind(wrong), ErrorKind::Credentials);
    let told = AwsError::new(&call, ErrorKind::Clock, late.to_owned());
    assert!(told.help().is_some_and(|help| help.starts_with("set the clock of this machine")), "{told:?}");
}

#[test]
fn what_aws_quotes_of_a_request_is_not_shown() {
    let quoted = "The request signature we calculated does not match the signature you provided. Check your key.\n\nThe \
                  Canonical String for this request should have been\n'POST\n/\n\nhost:iam.amazonaws.com\n\
                  x-amz-security-token:IQoJb3JpZ2luX2VjEPT";
    let first = "The request signature we calculated does not match the signature you provided. Check your key.";
    assert_eq!(safe(quoted), first);
    assert_eq!(safe(&quoted.replace('\n', " ")), first);
    assert_eq!(safe(&format!("the token {} is wrong", "Ab1/".repeat(40))), "the token (left out) is wrong");
    let arn = format!("arn:aws:iam::111122223333:role/{}/x not  found", "a".repeat(200));
    assert_eq!(safe(&arn), arn);
}

#[test]
fn a_denial_names_the_permission_that_aws_names() {
    let call = Call::new("account:ListRegions");
    let message = "User: arn:aws:iam::111122223333:user/x is not authorized to perform: account:ListRegions on resource: \
                   * because no identity-based policy allows the account:ListRegions action";
    assert_eq!(permission(&call, message), "account:ListRegions");
    let other = "User: x is not authorized to perform: kms:DescribeKey because";
    assert_eq!(permission(&call, other), "kms:DescribeKey");
    assert_eq!(permission(&call, "Access Denied"), "account:ListRegions");
}
