//! Who calls, and the way that every call goes.

use std::error::Error;
use std::fmt::{self, Debug, Formatter};
use std::future::Future;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::config::retry::RetryConfig;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use secateur_analyzer::time::UnixTime;

use super::endpoint::configured;
use super::http::{Seen, WholeXml};
use super::json::Json;
use super::line::Line;
use super::{Access, AwsError, Call, Identity, Rate, Watch};

/// The operation that CloudTrail's event history is read with.
pub(super) const LOOKUP: &str = "cloudtrail:LookupEvents";

/// CloudTrail's quota of LookupEvents a second, for an account in a Region.
///
/// See <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html>.
pub(crate) const LOOKUPS: f64 = 2.0;

/// All services, for one set of credentials. Nothing retries here: [`Session`] does.
///
/// IAM and STS are the SDK's clients; what is asked of other services has a method of its own.
#[derive(Clone)]
pub struct Clients {
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// STS.
    pub sts: aws_sdk_sts::Client,
    json: Json,
    pub(super) generation: u64,
}

impl Debug for Clients {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl Clients {
    pub(super) fn new(config: SdkConfig, seen: &Seen, generation: u64) -> Clients {
        let iam = aws_sdk_iam::config::Builder::from(&config).retry_config(RetryConfig::disabled());
        let mut iam = iam.interceptor(seen.clone()).interceptor(WholeXml);
        let mut sts = aws_sdk_sts::config::Builder::from(&config).retry_config(RetryConfig::disabled());
        // As the HTTP client takes it; what is no URL is told of before the first call.
        if let Ok(Some(url)) = configured(&config, "IAM") {
            iam = iam.endpoint_url(url);
        }
        if let Ok(Some(url)) = configured(&config, "STS") {
            sts = sts.endpoint_url(url);
        }
        Clients {
            iam: aws_sdk_iam::Client::from_conf(iam.build()),
            sts: aws_sdk_sts::Client::from_conf(sts.interceptor(WholeXml).build()),
            json: Json::new(config, seen),
            generation,
        }
    }

    /// Returns what is wrong with the endpoints without which nothing can be done.
    pub(super) fn flaw(&self) -> Option<String> {
        ["STS", "IAM"].iter().find_map(|id| configured(self.json.config(), id).err())
    }

    pub(super) fn json(&self) -> &Json {
        &self.json
    }
}

/// Who calls, how fast, and who is told.
pub struct Session {
    line: Line,
    identity: Identity,
}

impl Debug for Session {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Session {
    /// Loads credentials and asks AWS who they are.
    ///
    /// # Errors
    /// When there are none, or AWS does not take them.
    pub async fn open(access: Access, rate: Rate, watch: Arc<dyn Watch>) -> Result<Session, AwsError> {
        let call = Call::new("sts:GetCallerIdentity");
        let refused = |flaw| Err(AwsError::instead(&call, super::ErrorKind::Request, flaw));
        if let Some((flaw, help)) = access.flaw() {
            return match help {
                Some(help) => refused(flaw).map_err(|error| error.with_help(help)),
                None => refused(flaw),
            };
        }
        if let Some((flaw, help)) = access.flaw_of_profile().await {
            return Err(AwsError::instead(&call, super::ErrorKind::Credentials, flaw).with_help(help));
        }
        let line = Line::open(access, rate, watch).await;
        if let Some(flaw) = line.clients().flaw() {
            return refused(flaw);
        }
        let answer = line.call(&call, |aws| aws.sts.get_caller_identity().send()).await?;
        let lacks = |member: &str| AwsError::answer(&call, format!("the answer has no `{member}`"));
        let arn = answer.arn().and_then(|arn| arn.parse().ok()).ok_or_else(|| lacks("Arn"))?;
        let account = answer.account().ok_or_else(|| lacks("Account"))?.to_owned();
        line.stay_in(&account);
        let identity = Identity { account, arn, user_id: answer.user_id().unwrap_or_default().to_owned() };
        Ok(Session { line, identity })
    }

    /// Asks AWS again who calls: whether it takes the credentials at all.
    ///
    /// # Errors
    /// When it does not, or cannot be reached.
    pub(crate) async fn ask_who_calls(&self) -> Result<(), AwsError> {
        let call = Call::new("sts:GetCallerIdentity");
        self.line.call(&call, |aws| aws.sts.get_caller_identity().send()).await.map(drop)
    }

    /// Returns who calls.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns the endpoint of IAM, when it is not AWS's own. It is known after the first call to IAM.
    pub fn endpoint(&self) -> Option<String> {
        self.line.endpoint()
    }

    /// Returns the time at AWS, which the times of reports and events are of.
    pub fn now(&self) -> UnixTime {
        self.line.now()
    }

    /// Returns how many times credentials were loaded anew because AWS said that they had expired.
    pub fn generation(&self) -> u64 {
        self.line.generation()
    }

    /// Makes a call that only reads: it waits for its turn, and is repeated when AWS throttles, when network or AWS fail, and
    /// with new credentials when the session has expired.
    ///
    /// # Errors
    /// When it fails for good.
    pub async fn call<O, E, F>(&self, call: &Call<'_>, send: impl Fn(Arc<Clients>) -> F) -> Result<O, AwsError>
    where
        O: RequestId + Send + 'static,
        E: Error + ProvideErrorMetadata + 'static,
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>> + Send,
    {
        self.line.call(call, send).await
    }

    /// Waits until a call of that operation may go: for whoever makes it by [`once`](Session::once).
    pub async fn turn(&self, operation: &'static str) {
        self.line.turn(operation).await;
    }

    /// Makes a call once, and at once: for whoever must not repeat it blindly, and has waited for its [`turn`](Session::turn).
    ///
    /// # Errors
    /// When it fails; [`AwsError::is_ambiguous`] says whether it may have been done all the same.
    pub async fn once<O, E, F>(&self, call: &Call<'_>, send: impl FnOnce(Arc<Clients>) -> F) -> Result<O, AwsError>
    where
        O: RequestId + Send + 'static,
        E: Error + ProvideErrorMetadata + 'static,
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>> + Send,
    {
        self.line.once(call, send).await
    }

    /// Returns the HTTP connector, for what is no call to AWS's services.
    pub(crate) fn connector(&self) -> &SharedHttpConnector {
        self.line.connector()
    }

    /// Keeps to the rates that AWS has published. Whether AWS itself is asked shows with the first call, see [`Line`].
    pub(crate) fn keep_to_published_rates(&self) {
        self.line.limit(LOOKUP, LOOKUPS);
    }
}
