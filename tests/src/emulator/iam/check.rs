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
