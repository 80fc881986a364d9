//! The flags of commands that call AWS.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use secateur_collector::aws::Rate;

/// Where AWS's service reference is.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/service-reference.html>.
const REFERENCE: &str = "https://servicereference.us-east-1.amazonaws.com/";

/// Where credentials come from; beside these the SDK's own chain counts.
#[derive(Debug, Args)]
#[command(next_help_heading = "AWS")]
pub(in crate::cli) struct AccessArgs {
    /// The profile [default: AWS_PROFILE]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Any Region of the partition to ask; IAM is the same in all of them [default: AWS_REGION, or that of the profile]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// A role to assume with these credentials
    #[arg(long, value_name = "ARN")]
    pub role_arn: Option<String>,
    /// The external id that the role's trust policy asks for
    #[arg(long, value_name = "ID", requires = "role_arn")]
    pub external_id: Option<String>,
    /// The name of the role's session, which CloudTrail shows [default: secateur]
    #[arg(long, value_name = "NAME", requires = "role_arn")]
    pub session_name: Option<String>,
    /// The most calls a second; `max` for as many as AWS allows. Without it, a throttle halves the pace for a minute
    #[arg(long, value_name = "N|max", env = "SECATEUR_RATE")]
    pub rate: Option<Rate>,
    /// Tell of every call, with its request id
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CollectArgs {
    /// The snapshot's directory [default: .secateur/snapshot beside secateur.toml]
    #[arg(long, value_name = "DIR", env = "SECATEUR_SNAPSHOT")]
    pub snapshot: Option<PathBuf>,
    /// Read the reports and access keys of these users and roles only, such as `role/ci`, `user/*` or an ARN. Of others what
    /// is there stays, and what is not there is no evidence. May be given several times
    #[arg(long, value_name = "GLOB")]
    pub principal: Vec<String>,
    /// Read reports of groups or policies too, or which policies grant each service
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub include: Vec<IncludeFlag>,
    /// How fine reports are; by service alone nothing can be removed from a service in use
    #[arg(long, value_name = "LEVEL", default_value = "action")]
    pub granularity: GranularityFlag,
    /// Take over reports and other evidence that is no older than this, such as 90m, 6h, 2d; 0 reads all anew
    #[arg(long, value_name = "TIME", default_value = "6h", value_parser = duration)]
    pub max_age: i64,
    /// Where AWS's service reference is; `none` does without it [default: AWS's own, where AWS itself is asked]
    #[arg(long, value_name = "URL")]
    pub service_reference: Option<String>,
    /// Print which permissions are missing, what could not be tried, how many calls there would be and how long that takes;
    /// refuse what a collection would refuse; collect nothing
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    pub access: AccessArgs,
}

impl CollectArgs {
    /// Returns where the service reference is, if it is to be read.
    pub fn reference(&self) -> Option<String> {
        match self.service_reference.as_deref() {
            Some("none") => None,
            Some(url) => Some(url.to_owned()),
            None => Some(REFERENCE.to_owned()),
        }
    }
}

/// What to read beside users and roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum IncludeFlag {
    /// Reports of groups, and who used what through them
    Groups,
    /// Reports of policies, and who used what through them
    Policies,
    /// Which policies grant each service that a report lists
    Granting,
}

/// How fine reports are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum GranularityFlag {
    /// Services and actions
    Action,
    /// Services alone
    Service,
}

/// Returns a time in seconds.
fn duration(text: &str) -> Result<i64, String> {
    let wrong = || "not a time such as 90m, 6h or 2d".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits).unwrap_or_default() {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "" if digits == "0" => 1,
        _ => return Err(wrong()),
    };
    let count: i64 = digits.parse().map_err(|_| wrong())?;
    if (0..=36_500).contains(&(count.saturating_mul(unit) / 86_400)) && count >= 0 {
        return Ok(count * unit);
    }
    Err(wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, seconds) in [("0", 0), ("45s", 45), ("90m", 5_400), ("6h", 21_600), ("2d", 172_800)] {
            assert_eq!(duration(text), Ok(seconds), "{text}");
        }
        for text in ["", "6", "h", "-1h", "6 h", "1w", "99999999999999999999d", "999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
