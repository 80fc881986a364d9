//! Services that speak JSON and of which a call or two are made.
//!
//! Their crates in the SDK have hundreds of operations, and take longer to compile than all that is made of them here. What
//! sends and signs the requests is the SDK's own all the same: credentials and their cache, signature, timeouts, HTTP client.

use std::error::Error;
use std::fmt::{self, Debug, Display, Formatter};

use aws_config::{Region, SdkConfig};
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::service_clock_skew::ServiceClockSkewInterceptor;
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_sdk_iam::config::http::{HttpRequest, HttpResponse};
use aws_sdk_iam::error::{BoxError, ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;
use aws_smithy_runtime::client::orchestrator::operation::{Operation, OperationBuilder};
use aws_smithy_runtime::client::retries::classifiers::HttpStatusCodeClassifier;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{AuthSchemeOptionResolverParams, SharedAuthSchemeOptionResolver};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use super::endpoint::{Endpoint, Kind, Service, configured};
use super::http::{Seen, SeenTrail, TORN};

/// What an answer is, or why there is none.
pub(crate) type Sent<T> = Result<Reply<T>, SdkError<Refusal, HttpResponse>>;

/// How the operations of a service are named in requests.
#[derive(Debug)]
pub(super) enum Protocol {
    /// In a header, after this prefix.
    ///
    /// See <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>.
    Target(&'static str),
    /// By the path.
    ///
    /// See <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>.
    Path(&'static str),
}

/// An operation of a service.
#[derive(Debug)]
pub(super) struct Action {
    pub service: Service,
    pub name: &'static str,
    pub protocol: Protocol,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply<T> {
    pub value: T,
    request_id: Option<String>,
}

impl<T> RequestId for Reply<T> {
    fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// A refusal: its code and message.
#[derive(Debug)]
pub(crate) struct Refusal(ErrorMetadata);

impl Display for Refusal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// An answer of another shape than the operation's.
#[derive(Debug, thiserror::Error)]
#[error("the answer is not what AWS answers: {0}")]
pub(super) struct Misread(serde_json::Error);

/// Sends requests, for one set of credentials.
#[derive(Clone)]
pub(super) struct Json {
    config: SdkConfig,
    seen: Seen,
    /// Made once: what is cached of credentials is found again under it.
    identity: Option<SharedIdentityResolver>,
}

impl Json {
    pub fn new(config: SdkConfig, seen: &Seen) -> Json {
        let identity = config.credentials_provider().map(SharedIdentityResolver::new);
        Json { config, seen: seen.clone(), identity }
    }

    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Makes a call, once.
    pub async fn call<T>(&self, action: &'static Action, region: Option<&str>, input: &impl Serialize) -> Sent<T>
    where
        T: DeserializeOwned + Debug + Send + Sync + 'static,
    {
        let of_config = || self.config.region().map(Region::as_ref).unwrap_or_default();
        let endpoint =
            self.endpoint(&action.service, region.unwrap_or_else(of_config)).map_err(SdkError::construction_failure)?;
        let body = serde_json::to_string(input).map_err(SdkError::construction_failure)?;
        let mut operation = self.operation(action, &endpoint);
        if action.service.id == "CloudTrail" {
            // Its clock dates the event history.
            operation = operation.interceptor(self.seen.clone()).interceptor(SeenTrail(self.seen.clone()));
        }
        let operation = operation.serializer(|body| request(action, body)).deserializer(read::<T>);
        operation.build().invoke(body).await
    }

    /// Returns where the service is: where the environment or the profile says, else at AWS.
    fn endpoint(&self, service: &Service, region: &str) -> Result<Endpoint, BoxError> {
        let kind = Kind {
            fips: self.config.use_fips().unwrap_or_default(),
            dual_stack: self.config.use_dual_stack().unwrap_or_default(),
        };
        match configured(&self.config, service.id)? {
            None => Ok(service.endpoint(region, kind)),
            Some(_) if kind.fips || kind.dual_stack => {
                Err("an endpoint of its own cannot be one for FIPS or with IPv6 at the same time".into())
            }
            Some(url) => Ok(Endpoint { url, region: region.to_owned() }),
        }
    }

    fn operation(&self, action: &'static Action, endpoint: &Endpoint) -> OperationBuilder {
        let mut layer = Layer::new("secateur");
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigV4OperationSigningConfig::default());
        layer.store_put(SigningName::from_static(action.service.name));
        layer.store_put(SigningRegion::from(Region::new(endpoint.region.clone())));
        layer.store_put(ApiMetadata::new(action.service.id, env!("CARGO_PKG_VERSION")));
        if let Some(name) = self.config.app_name() {
            layer.store_put(name.clone());
        }
        let schemes = SharedAuthSchemeOptionResolver::new(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]));
        let mut components = RuntimeComponentsBuilder::new("secateur")
            .with_http_client(self.config.http_client())
            .with_sleep_impl(self.config.sleep_impl())
            .with_time_source(self.config.time_source())
            .with_identity_cache(self.config.identity_cache())
            .with_auth_scheme_option_resolver(Some(schemes))
            .with_auth_scheme(SigV4AuthScheme::new())
            .with_interceptor(ServiceClockSkewInterceptor::new())
            .with_interceptor(UserAgentInterceptor::new());
        if let Some(identity) = &self.identity {
            components.set_identity_resolver(SCHEME_ID, identity.clone());
        }
        let plugin = StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components);
        let mut operation = Operation::builder()
            .service_name(action.service.id)
            .operation_name(action.name)
            .endpoint_url(&endpoint.url)
            .no_retry()
            .retry_classifier(HttpStatusCodeClassifier::default())
            .with_connection_poisoning()
            .runtime_plugin(plugin);
        if let Some(version) = self.config.behavior_version() {
            operation = operation.behavior_version(version);
        }
        if let Some(timeouts) = self.config.timeout_config() {
            operation = operation.timeout_config(timeouts.clone());
        }
        operation
    }
}

fn request(action: &Action, body: String) -> Result<HttpRequest, BoxError> {
    let length = body.len().to_string();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    let (path, content_type, target) = match action.protocol {
        Protocol::Target(prefix) => ("/", "application/x-amz-json-1.1", Some(format!("{prefix}.{}", action.name))),
        Protocol::Path(path) => (path, "application/json", None),
    };
    request.set_uri(path)?;
    let headers = request.headers_mut();
    headers.try_insert("content-type", content_type)?;
    headers.try_insert("content-length", length)?;
    if let Some(target) = target {
        headers.try_insert("x-amz-target", target)?;
    }
    Ok(request)
}

fn read<T: DeserializeOwned>(response: &HttpResponse) -> Result<Reply<T>, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if !response.status().is_success() {
        let code = response.headers().get("x-amzn-errortype");
        return Err(OrchestratorError::operation(Refusal(metadata(code, body))));
    }
    match serde_json::from_slice(body) {
        Ok(value) => Ok(Reply { value, request_id: response.request_id().map(str::to_owned) }),
        Err(error) if error.is_eof() => Err(OrchestratorError::response(TORN.into())),
        Err(error) => Err(OrchestratorError::response(Misread(error).into())),
    }
}

/// Returns what a refusal says. Without a code, it came from somewhere on the way, or it broke off.
fn metadata(header: Option<&str>, body: &[u8]) -> ErrorMetadata {
    let body = serde_json::from_slice::<serde_json::Value>(body).unwrap_or_default();
    let text = |names: &[&str]| names.iter().find_map(|name| body.get(name)?.as_str());
    let mut made = ErrorMetadata::builder();
    if let Some(code) = [header, text(&["code"]), text(&["__type"])].into_iter().flatten().find_map(bare) {
        made = made.code(code);
    }
    if let Some(message) = text(&["message", "Message", "errorMessage"]) {
        made = made.message(message);
    }
    made.build()
}

/// Returns a code alone, of `com.amazonaws.kms#NotFoundException` and `AccessDeniedException:http://internal.amazon.com/...`.
fn bare(code: &str) -> Option<&str> {
    code.split(':').next()?.rsplit('#').next().filter(|code| !code.is_empty())
}

/// Reads a time in seconds since 1970. What is no time of ours, such as one in milliseconds or the beginning of all, is refused,
/// and not bent into one: AWS has nothing that is older than itself.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    /// The first seconds of the years 2000 and 10000.
    const BEGIN: f64 = 946_684_800.0;
    const END: f64 = 253_402_300_800.0;
    let seconds = Option::<f64>::deserialize(deserializer)?;
    match seconds.filter(|seconds| !(BEGIN..END).contains(seconds)) {
        Some(strange) => Err(D::Error::custom(format!("{strange:e} is no time in seconds since 1970"))),
        None => Ok(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, header: Option<&str>, body: &'static str) -> HttpResponse {
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        response.headers_mut().insert("x-amzn-requestid", "id-1");
        if let Some(code) = header {
            response.headers_mut().insert("x-amzn-errortype", code.to_owned());
        }
        response
    }

    fn refusal(response: &HttpResponse) -> (Option<String>, Option<String>) {
        let refused = read::<serde_json::Value>(response).unwrap_err();
        let refused = refused.as_operation_error().unwrap();
        (refused.code().map(str::to_owned), refused.message().map(str::to_owned))
    }

    #[test]
    fn a_refusal_says_its_code_wherever_it_stands() {
        let told = |code: &str, message: &str| (Some(code.to_owned()), Some(message.to_owned()));
        let body = r#"{"__type": "com.amazonaws.kms#NotFoundException", "message": "no such key"}"#;
        assert_eq!(refusal(&answer(400, None, body)), told("NotFoundException", "no such key"));
        let body = r#"{"Message": "not yours"}"#;
        let header = Some("AccessDeniedException:http://internal.amazon.com/coral/");
        assert_eq!(refusal(&answer(403, header, body)), told("AccessDeniedException", "not yours"));
        assert_eq!(refusal(&answer(400, Some(""), r#"{"__type": "X#Y", "message": "m"}"#)), told("Y", "m"));
        assert_eq!(refusal(&answer(400, Some(":"), r#"{"code": "", "__type": "Y", "Message": "m"}"#)), told("Y", "m"));
        assert_eq!(refusal(&answer(403, None, r#"{"Message": "Forbidden"}"#)), (None, Some("Forbidden".to_owned())));
        assert_eq!(refusal(&answer(502, None, "<html>")), (None, None));
    }

    #[test]
    fn an_answer_that_breaks_off_is_no_answer() {
        let whole = r#"{"Regions": [], "NextToken": null}"#;
        let reply = read::<serde_json::Value>(&answer(200, None, whole)).unwrap();
        assert_eq!(reply.request_id(), Some("id-1"));
        for end in 0..whole.len() {
            let torn = read::<serde_json::Value>(&answer(200, None, whole.get(..end).unwrap())).unwrap_err();
            assert!(torn.is_response_error(), "{end}");
        }
    }
}
