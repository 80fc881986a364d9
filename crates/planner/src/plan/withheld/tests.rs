use secateur_analyzer::account::Account;
use secateur_analyzer::account::sketch::{NOW, Sketch, arn, time};
use secateur_analyzer::analysis::{Analysis, Inputs};
use secateur_analyzer::document::sha256_of;
use secateur_analyzer::rules::{KmsPruning, Rules, Settings};

use super::super::*;
use crate::rewrite::NotActionRewrite;

/// Compares what a plan withholds, and how many changes it has.
#[track_caller]
fn check(account: &Account, rewrite: RewriteSettings, changes: usize, expect: &[&str]) {
    let (settings, rules) = (Settings::default(), Rules::default());
    let inputs = Inputs::new(account, &settings, &rules, time(NOW).unwrap());
    let analysis = Analysis::new(inputs).unwrap();
    let options =
        PlanOptions { rewrite, ..PlanOptions::new(InputFile { path: "snapshot".to_owned(), sha256: sha256_of(b"") }) };
    let built = build(&analysis, &options);
    assert!(built.unproved.is_empty(), "{:?}", built.unproved);
    let line = |withheld: &Withheld| format!("{} {}: {}", withheld.address, withheld.reason, withheld.detail);
    assert_eq!(built.plan.withheld.iter().map(line).collect::<Vec<_>>(), expect);
    assert_eq!(built.plan.changes.len(), changes, "{:?}", built.plan.changes);
}

#[test]
fn a_not_action_that_cannot_be_inverted_is_said() {
    let invert = RewriteSettings { not_action: NotActionRewrite::Invert, ..RewriteSettings::default() };
    let account = |text: &str, rows: &str| {
        Sketch::new().principal("role/r").report("role/r", rows).inline("role/r", "p", text).build()
    };
    let not_inverted = |why: &str| {
        format!(
            "role/r/inline/p not-inverted: a NotAction could become an Action list, but {why}; not_action = \"extend\" adds to \
             it instead"
        )
    };
    let used = "s3 2026-10-09: GetBucketAcl=2026-10-09, DeleteBucketWebsite";
    let part = r#"{"Statement":[{"Effect":"Allow","NotAction":["ec2:*","newsvc:Del*"],"Resource":"*"}]}"#;
    let why = not_inverted("it exempts a part of a service that the catalogue does not know");
    check(&account(part, &format!("{used}\nnewsvc -")), invert, 0, &[&why]);
    check(&account(part, used), invert, 0, &[&why]);
    check(&account(&part.replace("newsvc:Del*", "newsvc:*"), used), invert, 1, &[]);
    let escaped = r#"{"Statement":[{"Effect":"Allow","Not\u0041ction":["ec2:*"],"Resource":"*"}]}"#;
    check(&account(escaped, used), invert, 0, &[&not_inverted("its key is written with escapes")]);
    check(&account(escaped, used), RewriteSettings::default(), 1, &[]);
    // Where nothing could go, nothing is said.
    let plain = r#"{"Statement":[{"Effect":"Allow","Not\u0041ction":["s3:*"],"Resource":"*"}]}"#;
    check(&account(plain, used), invert, 0, &[]);
}

#[test]
fn what_aws_owns_and_bounds_somebody_is_said_to_be_left() {
    let text = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let account = |is_boundary: bool| {
        let sketch = Sketch::new()
            .principal("role/r")
            .report("role/r", "s3 2020-10-09\nsqs 2026-10-09")
            .managed("policy/aws:P", text)
            .principal("role/o")
            .change("role/o", |own| own.boundary = arn("policy/aws:P").filter(|_| is_boundary));
        sketch.attach("role/r", "policy/aws:P").build()
    };
    let why = "policy/aws:P left-alone: used as a permissions boundary, which usage says nothing about";
    check(&account(true), RewriteSettings::default(), 0, &[why]);
    check(&account(false), RewriteSettings::default(), 1, &[]);
}

#[test]
fn a_pattern_without_a_colon_is_said_to_be_left() {
    let account = |actions: &str| {
        let text = format!("{{\"Statement\":[{{\"Effect\":\"Allow\",\"Action\":[{actions}],\"Resource\":\"*\"}}]}}");
        let rows = "s3 2026-10-09: GetBucketAcl=2026-10-09, PutBucketAcl, GetObjectAcl, DeleteBucketWebsite";
        Sketch::new().principal("role/r").report("role/r", rows).inline("role/r", "p", &text).build()
    };
    let left = |pattern: &str, number: &str| {
        format!(
            "role/r/inline/p without-colon: `{pattern}` is left as written: AWS takes no new pattern without a colon, so what it \
             allows is not certain; write `*` or SERVICE:ACTION in its place, and plan again: {number} could go"
        )
    };
    let check = |actions: &str, changes: usize, expect: &[&str]| {
        check(&account(actions), RewriteSettings::default(), changes, expect);
    };
    check(r#""*BucketAcl""#, 0, &[&left("*BucketAcl", "1 action")]);
    check(r#""s3:PutBucketAcl","s3:*BucketAcl""#, 1, &[]);
    // What it matches is in use, as far as that is known.
    check(r#""*etBucketAclx","s3:GetBucketAcl""#, 0, &[]);
    // The document goes whole only where all of it goes: nothing is written then.
    check(r#""s3:DeleteBucketWebsite","*:DeleteBucketWebsite""#, 1, &[]);
}

#[test]
fn a_document_that_aws_would_not_take_is_not_changed() {
    let account = |actions: &str, more: &str| {
        let text =
            format!("{{\"Statement\":[{{\"Effect\":\"Allow\",\"Action\":[{actions}],\"Resource\":\"*\"}}{more}]}}");
        let rows = "s3 2026-10-09: GetBucketAcl=2026-10-09, PutBucketAcl, CreateBucket=2026-10-09, DeleteBucketWebsite";
        Sketch::new().principal("role/r").report("role/r", rows).inline("role/r", "p", &text).build()
    };
    let whole = |reason: &str, pattern: &str, takes: &str, number: &str| {
        format!(
            "role/r/inline/p {reason}: `{pattern}` stands in it, and AWS takes no new pattern {takes}, so that no changed \
             document with it can be written; write `*` or SERVICE:ACTION in its place, and plan again: {number} could go"
        )
    };
    let check_in = |actions: &str, more: &str, expect: &[&str]| {
        check(&account(actions, more), RewriteSettings::default(), usize::from(expect.is_empty()), expect);
    };
    let check = |actions: &str, expect: &[&str]| check_in(actions, "", expect);
    let goes = "\"s3:DeleteBucketWebsite\"";
    let colon = |pattern: &str, number: &str| whole("without-colon", pattern, "without a colon", number);
    // What the pattern itself keeps is counted, and not said apart.
    check(&format!("{goes},\"*BucketAcl\""), &[&colon("*BucketAcl", "2 actions")]);
    check(&format!("{goes},\"s3\""), &[&colon("s3", "1 action")]);
    let wild = |pattern: &str| whole("refused-pattern", pattern, "with a wildcard before the colon", "1 action");
    for pattern in ["*:CreateBucket", "s*:CreateBucket", "s?:CreateBucket"] {
        check(&format!("{goes},\"{pattern}\""), &[&wild(pattern)]);
    }
    let other = "without the prefix of a service before the colon and a name after it";
    for pattern in [":CreateBucket", "s3:", "s3 :CreateBucket", "s_3:CreateBucket"] {
        check(&format!("{goes},\"{pattern}\""), &[&whole("refused-pattern", pattern, other, "1 action")]);
    }
    // In whatever list it stands.
    for more in [
        r#",{"Effect":"Deny","Action":"s*:Get*","Resource":"x"}"#,
        r#",{"Effect":"Deny","NotAction":"s*:Get*","Resource":"x"}"#,
        r#",{"Sid":"SecateurKeep","Effect":"Allow","Action":"s*:Get*","Resource":"x"}"#,
    ] {
        check_in(&format!("{goes},\"s3:CreateBucket\""), more, &[&wild("s*:Get*")]);
    }
    // What goes, or is written anew, is no hindrance.
    check(&format!("{goes},\"s3:CreateBucket\",\"*:DeleteBucketWebsite\""), &[]);
    check("\"s3:GetBucketAcl\",\"s*:*BucketWebsite\"", &[]);
}

#[test]
fn what_stays_for_want_of_a_colon_is_not_readmitted() {
    // It would be, were this document written: so there is no such plan.
    let text = r#"{"Statement":[{"Effect":"Allow","Action":["*BucketAcl","s3:DeleteBucketWebsite"],"Resource":"*"}]}"#;
    let rows = "s3 2026-10-09: GetBucketAcl=2026-10-09, PutBucketAcl, DeleteBucketWebsite";
    let account = Sketch::new().principal("role/r").report("role/r", rows).inline("role/r", "p", text).build();
    let (settings, rules) = (Settings::default(), Rules::default());
    let analysis = Analysis::new(Inputs::new(&account, &settings, &rules, time(NOW).unwrap())).unwrap();
    let options = PlanOptions::new(InputFile { path: "snapshot".to_owned(), sha256: sha256_of(b"") });
    let plan = build(&analysis, &options).plan;
    assert_eq!((plan.changes.as_slice(), plan.summary.readmitted), ([].as_slice(), 0));
    assert_eq!(plan.withheld.iter().map(|own| own.reason.as_str()).collect::<Vec<_>>(), ["without-colon"]);
}

#[test]
fn what_goes_with_kms_keys_counts_towards_the_limit() {
    let key = "arn:aws:kms:eu-west-1:111122223333:key/u";
    let text = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Action":["kms:ReEncryptFrom","kms:ReEncryptTo"],"Resource":"{key}"}}]}}"#
    );
    let account = Sketch::new()
        .principal("role/r")
        .report("role/r", "s3 2026-10-09\nkms 2026-10-09: Decrypt=2026-10-09")
        .kms_key(key, "2026-05-01", "2026-05-01", "-")
        .inline("role/r", "p", &text)
        .build();
    let (settings, rules) = (Settings { kms: KmsPruning::Prune, ..Settings::default() }, Rules::default());
    let analysis = Analysis::new(Inputs::new(&account, &settings, &rules, time(NOW).unwrap())).unwrap();
    let mut options = PlanOptions::new(InputFile { path: "snapshot".to_owned(), sha256: sha256_of(b"") });
    let mut with = |max: usize| {
        options.limits.max_removed_per_policy = Some(max);
        build(&analysis, &options).plan
    };
    let plan = with(2);
    let [change] = plan.changes.as_slice() else { panic!("{:?}", plan.changes) };
    assert_eq!((change.removed.len(), change.removed_actions(), change.risk.get("write")), (0, 2, Some(&2)));
    let plan = with(1);
    assert_eq!(plan.changes, []);
    let line = |withheld: &Withheld| format!("{} {}: {}", withheld.address, withheld.reason, withheld.detail);
    let why = "removes 2 actions, 2 of them with KMS keys, more than max_removed_per_policy (1)";
    assert_eq!(plan.withheld.iter().map(line).collect::<Vec<_>>(), [format!("role/r/inline/p limit: {why}")]);
}

#[test]
fn nobody_is_told_to_edit_what_aws_owns() {
    let text = "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"s3:DeleteBucketWebsite\",\"s*:CreateBucket\"],\"Resource\":\"*\"}]}";
    let sketch = Sketch::new()
        .principal("role/r")
        .report("role/r", "s3 2026-10-09: CreateBucket=2026-10-09, DeleteBucketWebsite")
        .managed("policy/aws:A", text)
        .attach("role/r", "policy/aws:A");
    let (account, settings, rules) = (sketch.build(), Settings::default(), Rules::default());
    let analysis = Analysis::new(Inputs::new(&account, &settings, &rules, time(NOW).unwrap())).unwrap();
    let rewrite = RewriteSettings { aws_managed: AwsManaged::Replace, ..RewriteSettings::default() };
    let input = InputFile { path: "snapshot".to_owned(), sha256: sha256_of(b"") };
    let plan = build(&analysis, &PlanOptions { rewrite, ..PlanOptions::new(input) }).plan;
    let refused: Vec<&Withheld> =
        plan.withheld.iter().filter(|withheld| withheld.reason == "refused-pattern").collect();
    let [refused] = refused.as_slice() else { panic!("{:?}", plan.withheld) };
    assert!(refused.detail.contains("; AWS owns it: attach a policy of your own in its place, "), "{}", refused.detail);
}
