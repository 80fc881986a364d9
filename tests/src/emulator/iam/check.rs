//! Checks of names and paths, before anything is looked up.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names>.

use crate::emulator::wire::{Error, Params, params::constraint};

const LETTERS: &str = "+=,.@-_";

/// Reads a name of at most so many letters.
pub fn name<'a>(params: &'a Params, member: &str, longest: usize) -> Result<&'a str, Error> {
    let name = params.required(member)?;
    if name.chars().count() > longest {
        return Err(constraint(member, name, &format!("Member must have length less than or equal to {longest}")));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || LETTERS.contains(c)) {
        return Err(Error::validation(format!(
            "The specified value for {} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
            member
                .chars()
                .next()
                .map(|c| c.to_ascii_lowercase())
                .into_iter()
                .chain(member.chars().skip(1))
                .collect::<String>()
        )));
    }
    Ok(name)
}

/// Checks the names and documents that a call bears, whatever it does with them.
pub fn names(params: &Params) -> Result<(), Error> {
    for member in ["UserName", "RoleName", "GroupName", "PolicyName"] {
        if params.get(member).is_some() {
            name(params, member, 128)?;
        }
    }
    for member in ["PolicyDocument", "AssumeRolePolicyDocument"] {
        // White space counts here, other than for the quotas.
        if params.get(member).is_some_and(|document| document.chars().count() > LONGEST_DOCUMENT) {
            let words = format!("Member must have length less than or equal to {LONGEST_DOCUMENT}");
            return Err(constraint(member, "(a long text)", &words));
        }
    }
    match params.get("Description").is_none_or(|text| text.chars().count() <= 1000 && text.chars().all(is_described)) {
        true => Ok(()),
        false => Err(constraint(
            "Description",
            "(a text)",
            "Member must satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*",
        )),
    }
}

/// The longest document that a parameter may be.
///
/// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html#API_CreatePolicy_RequestParameters>.
const LONGEST_DOCUMENT: usize = 131_072;

const fn is_described(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}')
}

/// Reads a path: `/`, or words between slashes.
pub fn path(params: &Params) -> Result<String, Error> {
    let path = params.get("Path").unwrap_or("/");
    let is_path =
        path.starts_with('/') && path.ends_with('/') && path.chars().all(|c| ('\u{21}'..='\u{7e}').contains(&c));
    if !is_path || path.len() > 512 {
        return Err(Error::validation(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
        ));
    }
    Ok(path.to_owned())
}

/// Reads an ARN.
pub fn arn<'a>(params: &'a Params, member: &str) -> Result<&'a str, Error> {
    let arn = params.required(member)?;
    if arn.len() < 20 {
        return Err(constraint(member, arn, "Member must have length greater than or equal to 20"));
    }
    if arn.splitn(6, ':').count() < 6 || !arn.starts_with("arn:") {
        return Err(Error::validation(format!("ARN {arn} is not valid.")));
    }
    Ok(arn)
}
