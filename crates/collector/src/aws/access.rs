//! Where credentials come from.

use std::ffi::OsString;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::error::UNREACHABLE;
use super::{http, profile};

/// The Region whose endpoints are asked when nothing names one. IAM is one for a whole partition.
const HOME: &str = "us-east-1";

/// The name of sessions, where nobody chose one. CloudTrail shows it.
const SESSION_NAME: &str = "secateur";

/// Where credentials come from: the SDK's own chain (environment, profile, IAM Identity Center, web identity, container,
/// instance), and a role to assume with them.
///
/// Endpoints come from where the AWS CLI takes them: `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_IAM` and the like, or the profile.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The profile; none leaves it to `AWS_PROFILE`.
    pub profile: Option<String>,
    /// The Region, which decides the partition; none leaves it to `AWS_REGION` or the profile.
    pub region: Option<String>,
    /// A role to assume.
    pub role_arn: Option<String>,
    /// What the role's trust policy asks for.
    pub external_id: Option<String>,
    /// The name of the role's session.
    pub session_name: Option<String>,
}

impl Access {
    /// Says what is wrong with the environment, where the SDK would not, and what helps where it is not what was given.
    pub(super) fn flaw(&self) -> Option<(String, Option<String>)> {
        // The AWS CLI would take the profile, and the SDK takes the key: of another account, maybe.
        if let Some(profile) = &self.profile
            && std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|key| !key.is_empty())
        {
            let help = "take the key of the environment by leaving out --profile, or the profile: `env -u AWS_ACCESS_KEY_ID -u \
                        AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN` before the same command";
            let flaw = format!("AWS_ACCESS_KEY_ID is set, and goes before --profile {profile}: leave out one of them");
            return Some((flaw, Some(help.to_owned())));
        }
        let is_empty = |(name, value): &(OsString, OsString)| {
            name.to_str().is_some_and(|name| name.starts_with("AWS_ENDPOINT_URL")) && value.is_empty()
        };
        let mut empty: Vec<String> =
            std::env::vars_os().filter(is_empty).map(|(name, _)| name.to_string_lossy().into_owned()).collect();
        empty.sort();
        empty.first().map(|name| (format!("{name} is set and empty: unset it, or let it name a URL"), None))
    }

    /// Says that the profile which somebody named is not there or leads to no credentials, and what helps.
    pub(super) async fn flaw_of_profile(&self) -> Option<(String, String)> {
        profile::flaw(&profile::named(self.profile.as_deref())?).await
    }

    /// Loads the configuration. Whatever was cached of credentials before is not looked at.
    pub(super) async fn load(&self, http: &SharedHttpClient) -> SdkConfig {
        let base = self.loader(http).load().await;
        let base = match base.region() {
            Some(_) => base,
            None => base.into_builder().region(Region::from_static(HOME)).build(),
        };
        let Some(role) = &self.role_arn else { return base };
        let session = self.session_name.as_deref().unwrap_or(SESSION_NAME);
        let mut provider = AssumeRoleProvider::builder(role).session_name(session).configure(&base);
        if let Some(id) = &self.external_id {
            provider = provider.external_id(id);
        }
        let provider = SharedCredentialsProvider::new(provider.build().await);
        base.into_builder().credentials_provider(provider).build()
    }

    fn loader(&self, http: &SharedHttpClient) -> ConfigLoader {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http.clone())
            .timeout_config(http::timeouts());
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        loader
    }

    /// Returns what renews credentials that have expired or are refused.
    pub(super) fn renewal(&self, cause: &str) -> String {
        // Credentials that have to be fetched, and nobody who hands them out: they may be good.
        if cause.contains("dispatch failure") {
            return UNREACHABLE.to_owned();
        }
        let profile = self.profile.clone().or_else(|| std::env::var("AWS_PROFILE").ok());
        let of_profile = profile.as_ref().map(|name| format!(" --profile {name}")).unwrap_or_default();
        let is_single_sign_on = ["sso", "SSO", "Sso"].iter().any(|word| cause.contains(word));
        let from_environment = profile.is_none() && std::env::var_os("AWS_ACCESS_KEY_ID").is_some();
        if let Some(role) = self.role_arn.as_ref().filter(|_| cause.contains("sts:AssumeRole")) {
            return format!(
                "allow `sts:AssumeRole` on {role} for these credentials, let the role's trust policy name them, and give \
                 --external-id if it asks for one"
            );
        }
        if is_single_sign_on {
            return format!("`aws sso login{of_profile}`, then the same command again");
        }
        if std::env::var_os("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() && profile.is_none() {
            return "have the token in AWS_WEB_IDENTITY_TOKEN_FILE renewed, then run the same command again".to_owned();
        }
        if from_environment {
            return "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew (of a role, from `aws sts \
                    assume-role`), then run the same command again"
                .to_owned();
        }
        format!(
            "`aws sso login{of_profile}` for IAM Identity Center, `aws configure{of_profile}` for an access key, or name \
             another profile with --profile; then the same command again"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_reached_is_no_matter_of_credentials() {
        let access = Access { profile: Some("audit".to_owned()), ..Access::default() };
        let check = |cause: &str, expect: &str| {
            let renewal = access.renewal(cause);
            assert!(renewal.starts_with(expect), "{cause}: {renewal}");
        };
        check(
            "an error occurred while loading credentials: dispatch failure: other: connection refused",
            "look whether AWS",
        );
        check("the SSO token has expired: the session must be refreshed", "`aws sso login --profile audit`");
        check("the security token included in the request is expired", "`aws sso login --profile audit` for IAM");
    }
}
