use super::*;

fn policy(statements: &str) -> Policy {
    Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
}

const BEFORE: &str = r#"{"Effect":"Allow","Action":["sqs:*","unknown:Thing"],"Resource":"*"},
    {"Effect":"Deny","Action":"sqs:PurgeQueue","Resource":"*"}"#;
const DENY: &str = r#"{"Effect":"Deny","Action":"sqs:PurgeQueue","Resource":"*"}"#;

/// Compares when all of sqs must go but `SendMessage`.
fn faults(after: &str) -> Vec<Fault> {
    let catalogue = Catalogue::load().unwrap();
    let mut goes = (*catalogue.matches("sqs:*")).clone();
    goes.remove_all(&catalogue.matches("sqs:SendMessage"));
    let (before, after) = (policy(BEFORE), policy(after));
    let (unknown, excused) = (BTreeSet::new(), ActionSet::new());
    let comparison = Comparison {
        catalogue: &catalogue,
        before: &[Before { policy: &before, may_go: &goes, must_go: &goes }],
        after: &[&after],
        unknown: &unknown,
        excused: &excused,
        seed: 1,
    };
    comparison.compare().faults
}

fn allow(actions: &str, rest: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":{actions},{rest}}},{DENY}"#)
}

const RIGHT: &str = r#"["sqs:SendMessage","unknown:Thing"]"#;
const EVERYWHERE: &str = r#""Resource":"*""#;

#[test]
fn what_is_right_has_no_faults() {
    assert_eq!(faults(&allow(RIGHT, EVERYWHERE)), []);
    let split = r#"{"Effect":"Allow","Action":"unknown:Thing","Resource":"*"}"#;
    assert_eq!(faults(&format!("{split},{}", allow(r#""SQS:sendmessage""#, EVERYWHERE))), []);
}

#[test]
fn what_is_wrong_is_found() {
    let kinds = |after: &str| {
        let kind = |fault: &Fault| match fault {
            Fault::Widened { .. } => "widened",
            Fault::DenyChanged { .. } => "deny",
            Fault::Lost { .. } => "lost",
            Fault::Left { .. } => "left",
        };
        faults(after).iter().map(kind).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(kinds(&allow(r#"["sqs:SendMessage"]"#, EVERYWHERE)), ["lost"], "an unknown name is gone");
    assert_eq!(kinds(&allow(r#"["unknown:Thing"]"#, EVERYWHERE)), ["lost"]);
    assert_eq!(kinds(BEFORE), ["left"]);
    assert_eq!(kinds(&allow(r#"["sqs:SendMessage","unknown:*"]"#, EVERYWHERE)), ["widened"]);
    assert_eq!(kinds(&allow(r#"["sqs*:SendMessage","unknown:Thing"]"#, EVERYWHERE)), ["widened"]);
    assert_eq!(kinds(&allow(RIGHT, r#""Resource":"arn:aws:sqs:*:*:*""#)), ["lost", "widened"]);
    let condition = r#""Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#;
    assert_eq!(kinds(&allow(RIGHT, condition)), ["lost", "widened"]);
    let without_deny =
        allow(RIGHT, EVERYWHERE).replace(DENY, r#"{"Effect":"Deny","Action":"sqs:Purge*","Resource":"*"}"#);
    assert_eq!(kinds(&without_deny), ["deny"]);
}

#[test]
fn statements_that_are_to_be_kept_keep_all() {
    let catalogue = Catalogue::load().unwrap();
    let goes = (*catalogue.matches("sqs:*")).clone();
    let before = policy(r#"{"Sid":"SecateurKeepQueues","Effect":"Allow","Action":"sqs:*","Resource":"*"}"#);
    let after = policy(r#"{"Sid":"SecateurKeepQueues","Effect":"Allow","Action":"sqs:Get*","Resource":"*"}"#);
    let (unknown, excused) = (BTreeSet::new(), ActionSet::new());
    let before = [Before { policy: &before, may_go: &goes, must_go: &goes }];
    let comparison = Comparison {
        catalogue: &catalogue,
        before: &before,
        after: &[&after],
        unknown: &unknown,
        excused: &excused,
        seed: 1,
    };
    assert!(matches!(comparison.compare().faults.first(), Some(Fault::Lost { .. })));
}
