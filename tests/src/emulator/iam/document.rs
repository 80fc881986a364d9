//! The checks of a policy document on its way in.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.

use std::collections::BTreeSet;

use crate::emulator::wire::Error;
use crate::judge::Json;

/// Checks an identity-based policy.
pub fn check(document: &str) -> Result<(), Error> {
    let syntax = || Error::malformed_policy("Syntax errors in policy.");
    if !document.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}')) {
        return Err(Error::validation(
            "The specified value for policyDocument is invalid. It must contain only printable ASCII characters.",
        ));
    }
    let Ok(Json::Object(members)) = Json::parse(document) else { return Err(syntax()) };
    unique(&members)?;
    if members.iter().any(|(name, _)| !matches!(name.as_str(), "Version" | "Id" | "Statement")) {
        return Err(syntax());
    }
    match member(&members, "Version") {
        None => {}
        Some(Json::Text(version)) if matches!(version.as_str(), "2012-10-17" | "2008-10-17") => {}
        Some(_) => return Err(syntax()),
    }
    let statements = match member(&members, "Statement") {
        Some(Json::List(statements)) if !statements.is_empty() => statements.iter().collect(),
        Some(object @ Json::Object(_)) => vec![object],
        _ => return Err(syntax()),
    };
    let mut sids = BTreeSet::new();
    for statement in statements {
        let Json::Object(members) = statement else { return Err(syntax()) };
        check_statement(members)?;
        if member(members, "Sid").is_some_and(|sid| !matches!(sid, Json::Text(_))) {
            return Err(syntax());
        }
        if let Some(Json::Text(sid)) = member(members, "Sid") {
            if !sid.chars().all(|c| c.is_ascii_alphanumeric()) {
                return Err(Error::malformed_policy(
                    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
                ));
            }
            if !sid.is_empty() && !sids.insert(sid) {
                return Err(Error::malformed_policy("Statement IDs (SID) in a single policy must be unique."));
            }
        }
    }
    Ok(())
}

/// Checks that a trust policy is JSON with statements.
pub fn check_trust(document: &str) -> Result<(), Error> {
    match Json::parse(document) {
        Ok(Json::Object(members)) if member(&members, "Statement").is_some() => unique(&members),
        _ => Err(Error::malformed_policy("This policy contains invalid Json")),
    }
}

fn check_statement(members: &[(String, Json)]) -> Result<(), Error> {
    const KNOWN: [&str; 7] = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    unique(members)?;
    if members.iter().any(|(name, _)| name == "Principal" || name == "NotPrincipal") {
        return Err(Error::malformed_policy("Policy document should not specify a principal."));
    }
    if members.iter().any(|(name, _)| !KNOWN.contains(&name.as_str())) {
        return Err(Error::malformed_policy("Syntax errors in policy."));
    }
    match member(members, "Effect") {
        Some(Json::Text(effect)) if effect == "Allow" || effect == "Deny" => {}
        _ => return Err(Error::malformed_policy("Syntax errors in policy.")),
    }
    let actions = one_of(members, "Action", "NotAction", "Policy statement must contain actions.")?;
    for action in &actions {
        check_action(action)?;
    }
    let resources = one_of(members, "Resource", "NotResource", "Policy statement must contain resources.")?;
    for resource in &resources {
        let is_arn = resource.splitn(6, ':').count() == 6 && resource.starts_with("arn:");
        if resource != "*" && !is_arn {
            let words = format!("Resource {resource} must be in ARN format or \"*\".");
            return Err(Error::malformed_policy(words));
        }
        let vendor = resource.split(':').nth(2).unwrap_or_default();
        if vendor.contains(['*', '?']) {
            return Err(Error::malformed_policy(format!("Vendor {vendor} is not valid")));
        }
    }
    match member(members, "Condition") {
        None => Ok(()),
        Some(Json::Object(operators)) => check_conditions(operators),
        Some(_) => Err(Error::malformed_policy("Syntax errors in policy.")),
    }
}

/// Checks that a condition block has known operators, in each of them keys, and for each of them values.
fn check_conditions(operators: &[(String, Json)]) -> Result<(), Error> {
    let syntax = || Error::malformed_policy("Syntax errors in policy.");
    unique(operators)?;
    for (operator, keys) in operators {
        if !is_operator(operator) {
            return Err(Error::malformed_policy(format!("Invalid Condition type : {operator}.")));
        }
        let Json::Object(keys) = keys else { return Err(syntax()) };
        unique(keys)?;
        let is_value = |value: &Json| matches!(value, Json::Text(_) | Json::Number(_) | Json::Bool(_));
        let are_values = |value: &Json| match value {
            Json::List(values) => values.iter().all(is_value),
            value => is_value(value),
        };
        if !keys.iter().all(|(_, value)| are_values(value)) {
            return Err(syntax());
        }
    }
    Ok(())
}

/// Whether there is such an operator, whatever its case.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.
fn is_operator(written: &str) -> bool {
    const KNOWN: [&str; 27] = [
        "stringequals",
        "stringnotequals",
        "stringequalsignorecase",
        "stringnotequalsignorecase",
        "stringlike",
        "stringnotlike",
        "numericequals",
        "numericnotequals",
        "numericlessthan",
        "numericlessthanequals",
        "numericgreaterthan",
        "numericgreaterthanequals",
        "dateequals",
        "datenotequals",
        "datelessthan",
        "datelessthanequals",
        "dategreaterthan",
        "dategreaterthanequals",
        "bool",
        "binaryequals",
        "ipaddress",
        "notipaddress",
        "arnequals",
        "arnlike",
        "arnnotequals",
        "arnnotlike",
        "null",
    ];
    let lower = written.to_lowercase();
    let set = ["forallvalues:", "foranyvalue:"].into_iter().find_map(|set| lower.strip_prefix(set));
    let name = set.unwrap_or(&lower);
    let is_if_exists = || name.strip_suffix("ifexists").is_some_and(|own| own != "null" && KNOWN.contains(&own));
    KNOWN.contains(&name) || is_if_exists()
}

fn check_action(action: &str) -> Result<(), Error> {
    if action == "*" {
        return Ok(());
    }
    let Some((vendor, name)) = action.split_once(':') else {
        let words = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
        return Err(Error::malformed_policy(words));
    };
    if vendor.contains(['*', '?']) {
        let words = "Action vendors (e.g., aws, ec2, etc.) must not contain wildcards.";
        return Err(Error::malformed_policy(words));
    }
    if vendor.is_empty() || name.is_empty() || !vendor.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(Error::malformed_policy(format!("Vendor {vendor} is not valid")));
    }
    Ok(())
}

/// The texts of the one of two members that must be there, and must not be empty.
fn one_of(members: &[(String, Json)], one: &str, other: &str, missing: &str) -> Result<Vec<String>, Error> {
    let value = match (member(members, one), member(members, other)) {
        (Some(value), None) | (None, Some(value)) => value,
        (None, None) => return Err(Error::malformed_policy(missing)),
        (Some(_), Some(_)) => return Err(Error::malformed_policy("Syntax errors in policy.")),
    };
    let text = |value: &Json| match value {
        Json::Text(text) => Some(text.clone()),
        _ => None,
    };
    let texts: Option<Vec<String>> = match value {
        Json::List(values) => values.iter().map(text).collect(),
        value => text(value).map(|text| vec![text]),
    };
    match texts {
        Some(texts) if texts.is_empty() => Err(Error::malformed_policy(missing)),
        Some(texts) => Ok(texts),
        None => Err(Error::malformed_policy("Syntax errors in policy.")),
    }
}

fn member<'a>(members: &'a [(String, Json)], name: &str) -> Option<&'a Json> {
    members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn unique(members: &[(String, Json)]) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    match members.iter().all(|(name, _)| names.insert(name)) {
        true => Ok(()),
        false => Err(Error::malformed_policy("Syntax errors in policy.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(document: &str) -> String {
        check(document).unwrap_err().message().to_owned()
    }

    #[test]
    fn what_people_write_is_taken() {
        for document in [
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
            r#"{"Statement":{"Effect":"Deny","NotAction":["iam:*"],"NotResource":"arn:aws:s3:::b/*","Condition":{}}}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"nosuch:Thing","Resource":["arn:aws:s3:::b"]}]}"#,
        ] {
            assert_eq!(check(document), Ok(()), "{document}");
        }
    }

    #[test]
    fn what_iam_refuses_is_refused() {
        assert_eq!(
            refusal(r#"{"Statement":[{"Effect":"Allow","Action":"s*:Get*","Resource":"*"}]}"#),
            "Action vendors (e.g., aws, ec2, etc.) must not contain wildcards."
        );
        let twice = r#"{"Statement":[{"Effect":"Allow","Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
        assert_eq!(refusal(twice), "Syntax errors in policy.");
        assert_eq!(refusal(r#"{"Statement":[]}"#), "Syntax errors in policy.");
        let empty = r#"{"Statement":[{"Effect":"Allow","Action":[],"Resource":"*"}]}"#;
        assert_eq!(refusal(empty), "Policy statement must contain actions.");
        let bucket = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}]}"#;
        assert_eq!(refusal(bucket), "Resource bucket must be in ARN format or \"*\".");
        let vendor = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s*:::b"}]}"#;
        assert_eq!(refusal(vendor), "Vendor s* is not valid");
        let with =
            |rest: &str| format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":"*",{rest}}}]}}"#);
        assert_eq!(refusal(&with(r#""Condition":{"Foo":{"a":"b"}}"#)), "Invalid Condition type : Foo.");
        assert_eq!(
            refusal(&with(r#""Condition":{"NullIfExists":{"a":"b"}}"#)),
            "Invalid Condition type : NullIfExists."
        );
        for rest in
            [r#""Condition":{"Bool":{"a":{}}}"#, r#""Condition":{"Bool":"a"}"#, r#""Condition":[]"#, r#""Sid":5"#]
        {
            assert_eq!(refusal(&with(rest)), "Syntax errors in policy.", "{rest}");
        }
        let set = r#""Condition":{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a",1,true]},"null":{"k":"true"}}"#;
        assert_eq!(check(&with(set)), Ok(()));
        assert_eq!(refusal(r#"{"Version":1,"Statement":[]}"#), "Syntax errors in policy.");
        let principal = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}"#;
        assert_eq!(refusal(principal), "Policy document should not specify a principal.");
    }
}
