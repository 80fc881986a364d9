//! Who keeps what others could lose.

use super::*;
use crate::plan::config::AwsManaged;
use crate::render::{Style, text};
use crate::rewrite::NotActionRewrite;

const IDLE: &str = "sqs -: CreateQueue, DeleteQueue, ListQueues\niam -: GetRole, ListRoles, UpdateAssumeRolePolicy";

/// A policy of two users, of whom one uses what `used` says.
fn shared(policy: &str, text: &str, used: &str) -> Sketch {
    let sketch = Sketch::new().principal("user/a").principal("user/b").managed(policy, text);
    let sketch =
        sketch.group("group/g").member("user/a", "group/g").member("user/b", "group/g").attach("group/g", policy);
    sketch.report("user/a", used).report("user/b", IDLE)
}

const USES_QUEUES: &str = "sqs 2026-10-09: CreateQueue=2026-10-09, DeleteQueue=2026-10-09, ListQueues=2026-10-09\n\
                           iam 2026-10-09: GetRole=2026-10-09, ListRoles=2026-10-09, UpdateAssumeRolePolicy=2026-10-09";

#[test]
fn the_riskiest_comes_first() {
    let own = document(&[&allow(
        r#""Action":["iam:GetRole","iam:ListRoles","iam:UpdateAssumeRolePolicy","sqs:DeleteQueue"]"#,
    )]);
    let plan = Case::new(shared("policy/p", &own, USES_QUEUES)).plan();
    let [blocked] = plan.blocked.as_slice() else { panic!("{:?}", plan.blocked) };
    assert_eq!(blocked.actions[0], "iam:UpdateAssumeRolePolicy");
    assert_eq!((blocked.count, blocked.others, blocked.actions.len()), (4, 1, 4));
    // What is missing comes first in the text.
    let text = text(&Plan { gaps: Vec::new(), ..plan }, Style::Plain);
    assert!(text.contains("What some holders of shared policies could lose, others keep: see below who."), "{text}");
}

#[test]
fn nobody_could_lose_what_no_document_could_leave_out() {
    let own = document(&[&allow(r#""Action":["*Queues","sqs:CreateQueue","sqs:DeleteQueue"]"#)]);
    let plan = Case::new(shared("policy/p", &own, USES_QUEUES)).plan();
    let own_copies = plan.advice.iter().filter(|advice| advice.kind == "own-copy").count();
    assert_eq!((plan.blocked.len(), own_copies, changes(&plan).len()), (0, 0, 0));
    let reasons: Vec<&str> = plan.withheld.iter().map(|own| own.reason.as_str()).collect();
    assert_eq!(reasons, ["without-colon"]);
    // A NotAction that is left to its author.
    for (not_action, number) in [(NotActionRewrite::Advise, 0), (NotActionRewrite::Extend, 1)] {
        let used = "s3 2026-10-09: DeleteBucket=2026-10-09";
        let mut sketch = shared("policy/p", &document(&[&all_of_s3("")]), used);
        sketch = sketch.report("user/b", "s3 -: DeleteBucket");
        let rewrite = RewriteSettings { not_action, ..RewriteSettings::default() };
        let plan = Case { rewrite, ..Case::new(sketch) }.plan();
        let deletes = |actions: &[String]| actions.iter().any(|action| action.starts_with("s3:"));
        assert_eq!(plan.blocked.iter().filter(|own| deletes(&own.actions)).count(), number, "{:?}", plan.blocked);
    }
}

#[test]
fn so_it_is_with_what_aws_owns_and_a_group_has() {
    let own = document(&[&allow(r#""Action":["sqs:CreateQueue","sqs:DeleteQueue"]"#)]);
    for (aws_managed, number) in [(AwsManaged::Replace, 1), (AwsManaged::Advise, 0)] {
        let rewrite = RewriteSettings { aws_managed, ..RewriteSettings::default() };
        let plan = Case { rewrite, ..Case::new(shared("policy/aws:Queues", &own, USES_QUEUES)) }.plan();
        let told: Vec<_> = plan.blocked.iter().map(|own| (own.address.as_str(), own.count, own.others)).collect();
        assert_eq!(told, [("group/g/attached/aws:Queues", 2, 1)][..number]);
    }
}
