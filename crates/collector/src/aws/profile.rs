//! The profile that somebody named: whether it is there, and whether it leads to credentials.
//!
//! The SDK passes over one that does not, and goes on to whatever other credentials it finds.

use std::collections::BTreeSet;

use aws_config::profile::{Profile, ProfileSet, load};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

/// What is wrong, and what helps.
pub(super) type Flaw = (String, String);

/// Settings by which the SDK finds credentials, each alone or with others; of those that lack others it tells itself.
///
/// See <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>.
const WAYS: [&str; 12] = [
    "credential_source",
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
    "sso_region",
    "sso_account_id",
    "sso_role_name",
    "login_session",
    "credential_process",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
];

/// Settings that say something of a role, and lead nowhere without it or its source.
const OF_ROLES: [&str; 4] = ["role_arn", "source_profile", "role_session_name", "external_id"];

/// Returns the profile that counts when credentials are looked for: none where those of the environment go before.
pub(super) fn named(profile: Option<&str>) -> Option<String> {
    let is_set = |name: &str| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
    let has_secret = is_set("AWS_SECRET_ACCESS_KEY") || is_set("SECRET_ACCESS_KEY");
    // A key without its secret is none: the profile comes next.
    let of_environment = || std::env::var("AWS_PROFILE").ok().filter(|_| !(is_set("AWS_ACCESS_KEY_ID") && has_secret));
    profile.map(str::to_owned).or_else(of_environment).filter(|name| !name.is_empty())
}

/// Says that a profile is not there, or leads to no credentials, and what helps.
pub(super) async fn flaw(name: &str) -> Option<Flaw> {
    // Files that cannot be parsed are told of by the SDK.
    let profiles = load(&Fs::real(), &Env::real(), &EnvConfigFiles::default(), None).await.ok()?;
    match profiles.get_profile(name) {
        None => Some(missing(name, &profiles)),
        Some(profile) => leads_nowhere(profile, |name| profiles.get_profile(name)),
    }
}

fn missing(name: &str, profiles: &ProfileSet) -> Flaw {
    let file = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let files = [("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")];
    let [config, credentials] = files.map(|(name, usual)| file(name, usual));
    let mut there: Vec<String> = profiles.profiles().map(|name| format!("`{name}`")).collect();
    there.sort();
    let (there, name_one) = match there.is_empty() {
        true => ("has any".to_owned(), ""),
        false => (format!("has it; there is {}", there.join(", ")), "name another with --profile, or "),
    };
    (
        format!("no credentials: there is no profile `{name}`: neither {config} nor {credentials} {there}"),
        format!(
            "{name_one}make it: `aws configure sso --profile {name}` for IAM Identity Center, `aws configure --profile {name}` \
             for an access key"
        ),
    )
}

/// One of a Region alone is no slip: as with the AWS CLI, credentials then come from elsewhere.
fn leads_nowhere<'a>(profile: &'a Profile, find: impl Fn(&str) -> Option<&'a Profile>) -> Option<Flaw> {
    let name = profile.name();
    if has_way(profile) {
        return None;
    }
    let why = match (profile.get("role_arn"), profile.get("source_profile")) {
        (Some(_), Some(source)) if source == name => {
            "its `source_profile` is itself, and it has no access key".to_owned()
        }
        (Some(_), _) => without_source(profile, find)?,
        (None, _) => misspelt(profile).or_else(|| of_no_role(profile))?,
    };
    Some((
        format!("no credentials: the profile `{name}` leads to none: {why}"),
        format!(
            "mend the profile: `role_arn` with a `source_profile` that has credentials, `aws configure sso --profile {name}` for \
             IAM Identity Center, or `aws configure --profile {name}` for an access key; or leave it out"
        ),
    ))
}

fn has_way(profile: &Profile) -> bool {
    WAYS.iter().any(|way| profile.get(way).is_some())
}

/// Looks for a source that is not there. Whatever else is wrong with the sources of a role the SDK tells.
fn without_source<'a>(profile: &'a Profile, find: impl Fn(&str) -> Option<&'a Profile>) -> Option<String> {
    let (mut at, mut seen) = (profile, BTreeSet::new());
    while seen.insert(at.name()) && !has_way(at) {
        let source = at.get("role_arn").and(at.get("source_profile"))?;
        match find(source) {
            Some(next) => at = next,
            None => return Some(format!("the `source_profile` of `{}` is `{source}`, which is not there", at.name())),
        }
    }
    None
}

/// Returns the word for a setting that is written as none is.
fn misspelt(profile: &Profile) -> Option<String> {
    WAYS.iter().chain(&OF_ROLES).find_map(|right| {
        let found =
            [right.replace('_', "-"), right.replace('_', "")].into_iter().find(|it| profile.get(it).is_some())?;
        Some(format!("it has `{found}`, which is no setting: that is `{right}`"))
    })
}

fn of_no_role(profile: &Profile) -> Option<String> {
    let found = OF_ROLES.iter().find(|setting| profile.get(setting).is_some())?;
    Some(format!("it has `{found}`, and no `role_arn`"))
}

#[cfg(test)]
mod tests {
    use aws_config::profile::Property;

    use super::*;

    fn profile(name: &str, settings: &[&str]) -> Profile {
        let settings = settings.iter().map(|setting| setting.split_once('=').unwrap());
        let properties = settings.map(|(key, value)| (key.to_owned(), Property::new(key.to_owned(), value.to_owned())));
        Profile::new(name.to_owned(), properties.collect())
    }

    #[test]
    fn a_profile_that_the_sdk_would_pass_over_is_told_with_what_is_wrong() {
        for (settings, said) in [
            (&["role_arn=r", "source_profile=p"][..], "its `source_profile` is itself, and it has no access key"),
            (&["role-arn=r", "region=x"], "it has `role-arn`, which is no setting: that is `role_arn`"),
            (&["sso-start-url=u"], "it has `sso-start-url`, which is no setting: that is `sso_start_url`"),
            (&["rolearn=r", "source_profile=q"], "it has `rolearn`, which is no setting: that is `role_arn`"),
            (&["role_arn=r", "source_profile=gone"], "the `source_profile` of `p` is `gone`, which is not there"),
            (&["source_profile=q"], "it has `source_profile`, and no `role_arn`"),
        ] {
            let (message, help) = leads_nowhere(&profile("p", settings), |_| None).unwrap();
            assert_eq!(message, format!("no credentials: the profile `p` leads to none: {said}"));
            assert!(help.contains("`aws configure --profile p`"), "{help}");
        }
    }

    #[test]
    fn a_profile_of_a_region_alone_and_what_the_sdk_tells_of_itself_are_left_to_it() {
        for settings in [
            &[][..],
            &["region=eu-west-1", "output=json"],
            &["aws_access_key_id=x"],
            &["role_arn=r", "source_profile=keys"],
            &["role_arn=r", "source_profile=other"],
            &["role_arn=r", "source_profile=p", "aws_access_key_id=x", "aws_secret_access_key=x"],
            &["role_arn=r", "credential_source=Environment"],
            &["role_arn=r"],
            &["sso_session=s"],
            &["credential_process=p"],
        ] {
            let (keys, other) = (
                profile("keys", &["aws_access_key_id=x", "aws_secret_access_key=x"]),
                profile("other", &["role_arn=r", "source_profile=other"]),
            );
            let find = |name: &str| [&keys, &other].into_iter().find(|profile| profile.name() == name);
            assert_eq!(leads_nowhere(&profile("p", settings), find), None, "{settings:?}");
        }
    }
}
