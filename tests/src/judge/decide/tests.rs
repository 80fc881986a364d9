use super::*;

fn policy(statements: &str) -> Policy {
    Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
}

#[track_caller]
fn check(policies: &[Policy], action: &str, resource: &str, expect: Decision) {
    assert_eq!(decide(policies, &Request::new(action, resource)), expect, "{action} {resource}");
}

#[test]
fn deny_wins_over_allow_wins_over_nothing() {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html
    let allow = policy(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#);
    let deny = policy(r#"{"Effect":"Deny","Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::audit-*"}"#);
    let both = [allow.clone(), deny];
    check(&both, "s3:DeleteBucket", "arn:aws:s3:::audit-1", Decision::ExplicitDeny);
    check(&both, "s3:DeleteBucket", "arn:aws:s3:::other", Decision::Allowed);
    check(&both, "S3:LISTBUCKET", "arn:aws:s3:::audit-1", Decision::Allowed);
    check(&both, "sqs:SendMessage", "*", Decision::ImplicitDeny);
    check(&[], "s3:ListBucket", "*", Decision::ImplicitDeny);
}

#[test]
fn resources_by_case_and_by_exception() {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notresource.html
    let not = [policy(r#"{"Effect":"Allow","Action":"s3:*","NotResource":["arn:aws:s3:::hr","arn:aws:s3:::hr/*"]}"#)];
    check(&not, "s3:GetObject", "arn:aws:s3:::hr/pay", Decision::ImplicitDeny);
    check(&not, "s3:GetObject", "arn:aws:s3:::HR/pay", Decision::Allowed);
}

#[test]
fn all_actions_but_some() {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html
    let deny = r#"{"Effect":"Deny","NotAction":["iam:*"],"Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}"#;
    let policies = [policy(&format!(r#"{deny},{{"Effect":"Allow","NotAction":"organizations:*","Resource":"*"}}"#))];
    check(&policies, "s3:ListBucket", "*", Decision::ExplicitDeny);
    check(&policies, "iam:ListMFADevices", "*", Decision::Allowed);
    let mut request = Request::new("s3:ListBucket", "*");
    request.context.set("aws:MultiFactorAuthPresent", vec!["true".into()]);
    assert_eq!(decide(&policies, &request), Decision::Allowed);
}

#[test]
fn variables_of_resources() {
    let text = r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*"}"#;
    let policies = [policy(text)];
    let mut request = Request::new("s3:GetObject", "arn:aws:s3:::b/ann/x");
    assert_eq!(decide(&policies, &request), Decision::Undecided);
    request.context.set("aws:username", vec!["ann".into()]);
    assert_eq!(decide(&policies, &request), Decision::Allowed);
    request.context.set("aws:username", vec!["a*".into()]);
    assert_eq!(decide(&policies, &request), Decision::ImplicitDeny);
    check(&policies, "s3:GetObject", "arn:aws:s3:::c/ann/x", Decision::ImplicitDeny);
    // Without the newer language a variable is a text.
    let old = [Policy::parse(&format!(r#"{{"Statement":{text}}}"#)).unwrap()];
    check(&old, "s3:GetObject", "arn:aws:s3:::b/ann/x", Decision::ImplicitDeny);
    check(&old, "s3:GetObject", "arn:aws:s3:::b/${aws:username}/x", Decision::Allowed);
}

#[test]
fn what_is_not_known_leaves_it_open_where_it_matters() {
    let strange = r#""Resource":"*","Condition":{"StringResembles":{"k":"a"}}"#;
    let allow = policy(&format!(r#"{{"Effect":"Allow","Action":"a:*",{strange}}}"#));
    let deny = policy(&format!(r#"{{"Effect":"Deny","Action":"a:*",{strange}}}"#));
    let plain = policy(r#"{"Effect":"Allow","Action":"a:B","Resource":"*"}"#);
    check(std::slice::from_ref(&allow), "a:B", "*", Decision::Undecided);
    check(&[allow, plain.clone()], "a:B", "*", Decision::Allowed);
    check(&[deny.clone(), plain], "a:B", "*", Decision::Undecided);
    check(&[deny], "a:B", "*", Decision::ImplicitDeny);
}

#[test]
fn a_boundary_is_a_ceiling() {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    let boundary = policy(
        r#"{"Effect":"Allow","Action":["s3:*","cloudwatch:*","ec2:*"],"Resource":"*"},{"Effect":"Deny","Action":"s3:DeleteBucket","Resource":"*"}"#,
    );
    let own = [policy(r#"{"Effect":"Allow","Action":["iam:CreateUser","s3:*"],"Resource":"*"}"#)];
    let within = |action: &str| decide_within(&own, Some(&boundary), &Request::new(action, "*"));
    assert_eq!(within("iam:CreateUser"), Decision::ImplicitDeny);
    assert_eq!(within("ec2:RunInstances"), Decision::ImplicitDeny);
    assert_eq!(within("s3:ListBucket"), Decision::Allowed);
    assert_eq!(within("s3:DeleteBucket"), Decision::ExplicitDeny);
    assert_eq!(decide_within(&own, None, &Request::new("iam:CreateUser", "*")), Decision::Allowed);
}

/// All policies of up to two statements over two actions and two resources, against the rules written down as sets.
#[test]
fn equal_to_brute_force_on_small_policies() {
    let lists = [r#"["a:B"]"#, r#"["a:C"]"#, r#"["a:*"]"#, r#"["a:B","a:C"]"#];
    let about = |list: &str, name: &str| list.contains("a:*") || list.contains(name);
    let resources = [r#"["arn:aws:x:::1"]"#, r#"["arn:aws:x:::2"]"#, r#"["*"]"#];
    let on = |list: &str, arn: &str| list.contains('*') || list.contains(arn);
    let mut statements = Vec::new();
    for effect in ["Allow", "Deny"] {
        for (action, is_but) in [("Action", false), ("NotAction", true)] {
            for (resource, is_not) in [("Resource", false), ("NotResource", true)] {
                for list in lists {
                    for arns in resources {
                        let text = format!(r#"{{"Effect":"{effect}","{action}":{list},"{resource}":{arns}}}"#);
                        let applies =
                            move |name: &str, arn: &str| (about(list, name) != is_but) && (on(arns, arn) != is_not);
                        statements.push((effect, text, applies));
                    }
                }
            }
        }
    }
    let mut compared = 0;
    for (first, a, a_applies) in &statements {
        for (second, b, b_applies) in &statements {
            let both = [policy(&format!("{a},{b}"))];
            for action in ["a:B", "a:C"] {
                for arn in ["arn:aws:x:::1", "arn:aws:x:::2"] {
                    let applies = |effect: &str| {
                        (*first == effect && a_applies(action, arn)) || (*second == effect && b_applies(action, arn))
                    };
                    let expect = match (applies("Deny"), applies("Allow")) {
                        (true, _) => Decision::ExplicitDeny,
                        (false, true) => Decision::Allowed,
                        (false, false) => Decision::ImplicitDeny,
                    };
                    check(&both, action, arn, expect);
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 96 * 96 * 4);
}

/// All pairs of an identity policy and a boundary of one statement each, against the rule: a deny of either wins, and both
/// must allow.
#[test]
fn boundaries_equal_to_brute_force_on_small_policies() {
    let mut all = Vec::new();
    for effect in ["Allow", "Deny"] {
        for (member, is_but) in [("Action", false), ("NotAction", true)] {
            for name in ["a:B", "a:C", "a:*"] {
                for condition in ["", r#","Condition":{"StringEquals":{"k":"v"}}"#] {
                    let text = format!(r#"{{"Effect":"{effect}","{member}":"{name}","Resource":"*"{condition}}}"#);
                    let applies = move |action: &str, has_key: bool| {
                        ((name == "a:*" || name == action) != is_but) && (condition.is_empty() || has_key)
                    };
                    all.push((effect, policy(&text), applies));
                }
            }
        }
    }
    for (own_effect, own, own_applies) in &all {
        for (effect, boundary, applies) in &all {
            for (action, has_key) in [("a:B", false), ("a:B", true), ("a:C", false), ("a:C", true)] {
                let mut request = Request::new(action, "*");
                if has_key {
                    request.context.set("k", vec!["v".into()]);
                }
                let says = |effect: &str, applies: bool| match (effect, applies) {
                    ("Deny", true) => Decision::ExplicitDeny,
                    ("Allow", true) => Decision::Allowed,
                    _ => Decision::ImplicitDeny,
                };
                let both = [says(own_effect, own_applies(action, has_key)), says(effect, applies(action, has_key))];
                let expect = if both.contains(&Decision::ExplicitDeny) {
                    Decision::ExplicitDeny
                } else if both == [Decision::Allowed; 2] {
                    Decision::Allowed
                } else {
                    Decision::ImplicitDeny
                };
                assert_eq!(decide_within([own], Some(boundary), &request), expect, "{own:?} {boundary:?} {action}");
            }
        }
    }
}
