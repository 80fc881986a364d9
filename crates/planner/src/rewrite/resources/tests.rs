use super::*;

const K: &str = "arn:aws:kms:eu-west-1:111122223333:key";

/// Cuts the keys whose ids begin with `u` out of a document, in which `K` stands for the start of a key's ARN.
fn prune(text: &str, unknown: &[UnknownName], kept: &[&str]) -> (Outcome, Vec<KeyCut>) {
    let document = PolicyDocument::parse(text.replace("K/", &format!("{K}/"))).unwrap();
    let catalog = Catalog::embedded();
    let mut set = catalog.empty_set();
    kept.iter().for_each(|pattern| set.union_with(&catalog.matches(&ActionPattern::new(pattern))));
    let is_unused = |_, resource: &str| resource.strip_prefix(K).is_some_and(|id| id.starts_with("/u"));
    let by = KeyPruning { catalog, unknown, kept: &set, is_unused: &is_unused };
    prune_resources(&document, &by)
}

/// Compares what becomes of a document: `unchanged`, `empty`, or its text.
fn check(text: &str, expect: &str) {
    let outcome = match prune(text, &[], &[]).0 {
        Outcome::Unchanged => "unchanged".to_owned(),
        Outcome::Empty => "empty".to_owned(),
        Outcome::Changed(text) => text.replace(K, "K"),
    };
    assert_eq!(outcome, expect, "{text}");
}

fn statement(action: &str, resource: &str) -> String {
    format!(r#"{{"Statement":[{{"Effect":"Allow","Action":{action},"Resource":{resource}}}]}}"#)
}

#[test]
fn keys_leave_and_the_layout_stays() {
    let check = |resource: &str, expect: &str| {
        let text = |resource: &str| statement("[ \"kms:Decrypt\" ]", resource);
        check(&text(resource), &if expect.starts_with('[') { text(expect) } else { expect.to_owned() });
    };
    check(r#"["K/u1", "K/a"]"#, r#"["K/a"]"#);
    check(r#"[ "K/a","K/u1" , "K/b" ]"#, r#"[ "K/a" , "K/b" ]"#);
    check("[\n  \"K/a\",\n  \"K/u1\",\n  \"K/u2\"\n]", "[\n  \"K/a\"\n]");
    check(r#"["K/u1","K/a","K/u1"]"#, r#"["K/a"]"#);
    check(r#"["K/a","*","K/u1"]"#, r#"["K/a","*"]"#);
    check(r#"["K/a", "K/\u0075\u0031"]"#, r#"["K/a"]"#);
    check(r#"["K/a","K/b"]"#, "unchanged");
    check(r#""K/a""#, "unchanged");
    check(r#""*""#, "unchanged");
    check("[]", "unchanged");
    // The last one leaves with its statement.
    check(r#""K/u1""#, "empty");
    check(r#"["K/u1"]"#, "empty");
    check(r#"["K/u1","K/u2"]"#, "empty");
}

#[test]
fn a_statement_without_keys_goes_and_others_stay() {
    let own = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"K/u1"}"#;
    let other = r#"{"Effect":"Deny","Action":"kms:Decrypt","Resource":["K/u1","K/a"]}"#;
    check(&format!("{{\"Statement\":[{own}, {other}]}}"), &format!("{{\"Statement\":[{other}]}}"));
    check(&format!("{{\"Statement\":{own}}}"), "empty");
    let text = format!("{{\"Statement\":[{other},{own}]}}");
    let (_, cuts) = prune(&text, &[], &[]);
    let arns = vec![format!("{K}/u1")];
    assert_eq!(cuts, [KeyCut { statement: 2, sid: None, arns, is_whole: true }]);
}

#[test]
fn only_cryptographic_actions_let_keys_leave() {
    let actions = |action: &str, is_cut: bool| {
        let text = statement(action, r#"["K/u1","K/a"]"#);
        let expect = if is_cut { statement(action, r#"["K/a"]"#) } else { "unchanged".to_owned() };
        check(&text, &expect);
    };
    for action in [
        r#""kms:Decrypt""#,
        r#""KMS:decrypt""#,
        r#"["kms:Encrypt","kms:DeriveSharedSecret","kms:GenerateMac","kms:Sign","kms:Verify","kms:VerifyMac"]"#,
        r#"["kms:GenerateDataKey*","kms:ReEncrypt*"]"#,
        r#"["kms:ReEncryptFrom","kms:ReEncryptTo","kms:GenerateDataKeyPairWithoutPlaintext"]"#,
        r#"["kms:*crypt"]"#,
        r#"["kms:*Mac"]"#,
    ] {
        actions(action, true);
    }
    for action in [
        r#""kms:*""#,
        r#""*""#,
        r#""kms:D*""#,
        r#""kms:Re*""#,
        r#""kms:Generate*""#,
        r#"["kms:Decrypt","kms:DescribeKey"]"#,
        r#"["kms:Decrypt","kms:CreateGrant"]"#,
        r#"["kms:Decrypt","s3:GetObject"]"#,
        r#""kms:GetPublicKey""#,
        r#""kms:ReEncrypt""#,
        r#""kms:NotYetInvented""#,
        r#""k*:Decrypt""#,
        r#""Decrypt""#,
        "[]",
    ] {
        actions(action, false);
    }
}

#[test]
fn what_is_not_touched() {
    let cut = statement(r#""kms:Decrypt""#, r#"["K/u1","K/a"]"#);
    check(&cut.replace("Allow", "Deny"), "unchanged");
    check(&cut.replace("\"Action\"", "\"NotAction\""), "unchanged");
    check(&cut.replace("\"Resource\"", "\"NotResource\""), "unchanged");
    check(&cut.replace("{\"Effect\"", "{\"Sid\":\"SecateurKeepKeys\",\"Effect\""), "unchanged");
    check(&cut.replace("{\"Effect\"", "{\"Comment\":\"x\",\"Effect\""), "unchanged");
    check(&cut.replace("{\"Effect\"", "{\"Sid\":\"Keys\",\"Effect\""), &{
        cut.replace("{\"Effect\"", "{\"Sid\":\"Keys\",\"Effect\"").replace("\"K/u1\",", "")
    });
    let with = |unknown: &[UnknownName], kept: &[&str], action: &str| {
        let text = statement(action, r#"["K/u1","K/a"]"#);
        prune(&text, unknown, kept).0 == Outcome::Unchanged
    };
    let name = |name: &str| [UnknownName::Action { service: "kms".to_owned(), name: name.to_owned() }];
    // A name that nobody knows may be what the key is used for, and a rule keeps what it keeps on every key.
    assert!(with(&name("GenerateDataKeyNew"), &[], r#""kms:GenerateDataKey*""#));
    assert!(!with(&name("GenerateDataKeyNew"), &[], r#""kms:Decrypt""#));
    assert!(with(&[UnknownName::Service("kms".to_owned())], &[], r#""kms:Decrypt""#));
    assert!(with(&[], &["kms:Dec*"], r#"["kms:Encrypt","kms:Decrypt"]"#));
    assert!(!with(&[], &["kms:Describe*", "s3:*"], r#"["kms:Encrypt","kms:Decrypt"]"#));
}
