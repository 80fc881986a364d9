//! The HTTP client of all calls, and what is seen of each on its way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_sdk_iam::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_iam::config::timeout::TimeoutConfig;
use aws_sdk_iam::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_iam::error::BoxError;
use aws_sdk_iam::primitives::{DateTime, DateTimeFormat};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use secateur_analyzer::time::UnixTime;

use super::endpoint;

const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(60);

/// How long one attempt may take. Authorization details of a thousand entities are megabytes.
pub(super) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).operation_attempt_timeout(READ * 2).build()
}

/// Returns a connector that heeds `HTTPS_PROXY` and `NO_PROXY`, with the system's certificates.
pub(super) fn connector() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(READ).build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::Ring));
    SharedHttpConnector::new(connector.build())
}

/// Returns a client of that one connector: all services share its connections.
pub(super) fn client(connector: SharedHttpConnector) -> SharedHttpClient {
    http_client_fn(move |_, _| connector.clone())
}

/// What is seen of calls to IAM on their way.
///
/// An endpoint that is not AWS's own goes into the manifest. The clock is AWS's: its reports and events bear AWS's times, and
/// the clock of this machine may be wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Mutex<Facts>>);

#[derive(Debug, Default)]
struct Facts {
    endpoint: Option<String>,
    /// The endpoint of CloudTrail, which may be another one.
    trail: Option<String>,
    clock: Option<(UnixTime, Instant)>,
}

impl Seen {
    /// Returns the endpoint, when it is not AWS's own.
    pub(super) fn foreign_endpoint(&self) -> Option<String> {
        self.facts().endpoint.clone().filter(|seen| !is_of_aws(seen))
    }

    /// Returns whether CloudTrail was asked elsewhere than at AWS.
    pub(super) fn has_foreign_trail(&self) -> bool {
        self.facts().trail.as_ref().is_some_and(|seen| !is_of_aws(seen))
    }

    /// Returns the time at AWS; that of this machine as long as AWS has not told.
    pub(super) fn now(&self) -> UnixTime {
        match self.facts().clock {
            Some((told, at)) => told.plus(i64::try_from(at.elapsed().as_secs()).unwrap_or_default()),
            None => {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                UnixTime(i64::try_from(since.as_secs()).unwrap_or_default())
            }
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether a URL leads to AWS, in any partition.
fn is_of_aws(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    endpoint::is_of_aws(host)
}

/// Returns scheme, host and port of a URL. A user and a password in it are for nobody's eyes, and say nothing of where it
/// leads.
fn endpoint_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    Some(format!("{scheme}://{host}"))
}

/// What is seen of calls to CloudTrail on their way: where they go.
#[derive(Debug)]
pub(super) struct SeenTrail(pub(super) Seen);

impl Intercept for SeenTrail {
    fn name(&self) -> &'static str {
        "SeenTrail"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.facts().trail = endpoint_of(context.request().uri());
        Ok(())
    }
}

impl Intercept for Seen {
    fn name(&self) -> &'static str {
        "Seen"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(endpoint) = endpoint_of(context.request().uri()) {
            self.facts().endpoint.get_or_insert(endpoint);
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let told = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        if let Some(told) = told {
            self.facts().clock = Some((UnixTime(told.secs()), Instant::now()));
        }
        Ok(())
    }
}

/// Refuses an answer in XML that breaks off. The SDK's parser takes the end of the text for the end of every element: half a
/// list would pass for the whole of it.
#[derive(Debug)]
pub(super) struct WholeXml;

impl Intercept for WholeXml {
    fn name(&self) -> &'static str {
        "WholeXml"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        match response.body().bytes() {
            Some(bytes) if is_whole(bytes) => Ok(()),
            // An error may come from somewhere on the way, and then be no XML.
            Some(bytes) if !response.status().is_success() && !begins_as_xml(bytes) => Ok(()),
            Some(bytes) if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'<') => Err(NoXml.into()),
            _ => Err(TORN.into()),
        }
    }
}

/// An answer that is no XML from its first character on: it did not break off, it is somebody else's.
#[derive(Debug, thiserror::Error)]
#[error("the answer is not what AWS answers: it is no XML")]
pub(super) struct NoXml;

/// What the error says of an answer that breaks off.
pub(super) const TORN: &str = "the answer breaks off before its end";

fn begins_as_xml(bytes: &[u8]) -> bool {
    bytes.starts_with(b"<?xml") || bytes.starts_with(b"<ErrorResponse")
}

/// Returns whether the last element that ends is the first that begins.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.trim();
    while let Some(after) = rest.strip_prefix("<?").or_else(|| rest.strip_prefix("<!")) {
        let Some((_, after)) = after.split_once('>') else { return false };
        rest = after.trim_start();
    }
    let Some(begin) = rest.strip_prefix('<') else { return false };
    let name = begin.split(|c: char| c.is_whitespace() || c == '>').next().unwrap_or_default();
    !name.is_empty() && rest.ends_with(&format!("</{name}>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_breaks_off_is_told_from_a_whole_one() {
        let whole = "<?xml version=\"1.0\"?>\n<AResponse xmlns=\"https://iam\"><AResult/></AResponse>\n";
        assert!(is_whole(whole.as_bytes()));
        assert!(is_whole(b"<A></A>"));
        for end in 0..whole.trim_end().len() {
            assert!(!is_whole(&whole.as_bytes()[..end]), "{end}");
        }
    }

    #[test]
    fn an_endpoint_never_holds_a_user_or_a_password() {
        for (url, expected) in [
            ("http://bob:hunter2@127.0.0.1:4566/?x=a@b", "http://127.0.0.1:4566"),
            ("https://iam.amazonaws.com:pw@example.com/", "https://example.com"),
            ("https://iam.amazonaws.com/a@b", "https://iam.amazonaws.com"),
        ] {
            assert_eq!(endpoint_of(url).as_deref(), Some(expected));
        }
        assert!(!is_of_aws(&endpoint_of("https://iam.amazonaws.com:pw@example.com/").unwrap()));
    }

    #[test]
    fn hosts_of_aws_are_known_in_every_partition() {
        for url in [
            "https://iam.amazonaws.com",
            "https://iam.cn-north-1.amazonaws.com.cn",
            "https://iam.us-gov.amazonaws.com",
            "https://iam.global.api.aws",
            "https://kms.eu-isoe-west-1.cloud.adc-e.uk",
            "https://kms.us-iso-east-1.api.aws.ic.gov",
            "https://vpce-1.iam.us-east-1.vpce.amazonaws.com:443/x",
        ] {
            assert!(is_of_aws(url), "{url}");
        }
        for url in ["http://127.0.0.1:4566", "https://amazonaws.com.example.org", "http://iam.amazonaws.com", "x"] {
            assert!(!is_of_aws(url), "{url}");
        }
    }
}
