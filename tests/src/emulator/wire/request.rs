//! A request: which service, which operation, which parameters.

use axum::http::{HeaderMap, Method, Uri};
use serde_json::Value;

use super::error::Error;
use super::params::Params;
use super::signature::{Signature, SignatureError};

/// The protocol that a request speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The Query protocol: a form, answered in XML.
    Query,
    /// JSON with the operation in `X-Amz-Target`.
    Target,
    /// JSON with the operation in the path.
    Rest,
}

/// A request, taken apart.
#[derive(Clone, Debug)]
pub struct Request {
    /// How it speaks, and so how it wants its answer.
    pub protocol: Protocol,
    /// The service that the credential is scoped to, or that the form of the request tells.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The version of the API that the Query protocol names.
    pub version: String,
    /// The parameters.
    pub params: Params,
    /// Whether the body is nothing that the protocol can be.
    pub is_malformed: bool,
    /// Who signed, or what is wrong with the signature.
    pub signature: Result<Signature, SignatureError>,
    /// What the client says of itself.
    pub user_agent: String,
}

impl Request {
    /// Takes a request apart. What is wrong with it shows when it is answered.
    pub fn read(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let signature = Signature::read(text);
        let scope = signature.as_ref().map(|signature| signature.service.clone()).unwrap_or_default();
        let user_agent = text("user-agent").to_owned();
        let target = text("x-amz-target");
        if !target.is_empty() {
            let (namespace, operation) = target.rsplit_once('.').unwrap_or(("", target));
            let service = if scope.is_empty() { service_of_target(namespace) } else { scope };
            return Self {
                protocol: Protocol::Target,
                service,
                operation: operation.to_owned(),
                version: namespace.to_owned(),
                is_malformed: !is_object(body),
                params: json_params(body),
                signature,
                user_agent,
            };
        }
        if uri.path() != "/" || scope == "account" {
            return Self {
                protocol: Protocol::Rest,
                service: if scope.is_empty() { String::from("account") } else { scope },
                operation: uri.path().trim_matches('/').to_owned(),
                version: String::new(),
                is_malformed: !is_object(body),
                params: json_params(body),
                signature,
                user_agent,
            };
        }
        let form = if method == Method::GET { uri.query().unwrap_or_default().as_bytes() } else { body };
        let params = Params::of_form(form);
        let version = params.get("Version").unwrap_or_default().to_owned();
        let by_version = if version == "2011-06-15" { "sts" } else { "iam" };
        Self {
            protocol: Protocol::Query,
            service: if scope.is_empty() { by_version.to_owned() } else { scope },
            operation: params.get("Action").unwrap_or_default().to_owned(),
            version,
            is_malformed: false,
            params,
            signature,
            user_agent,
        }
    }

    /// The namespace of answers in XML.
    pub fn namespace(&self) -> &'static str {
        match self.service.as_str() {
            "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
            _ => "https://iam.amazonaws.com/doc/2010-05-08/",
        }
    }

    /// Whether it names the version of the API that its service has, in the protocol that wants it named.
    pub fn is_of_version(&self) -> bool {
        let wanted = if self.service == "sts" { "2011-06-15" } else { "2010-05-08" };
        self.protocol != Protocol::Query || self.version == wanted
    }

    /// What AWS answers to an operation that it does not know.
    pub fn unknown_operation(&self) -> Error {
        match self.protocol {
            Protocol::Query if self.operation.is_empty() => Error::new("MissingAction", 400, "Missing Action"),
            Protocol::Query => Error::new(
                "InvalidAction",
                400,
                format!(
                    "Could not find operation {} for version {}",
                    self.operation,
                    if self.version.is_empty() { "NO_VERSION_SPECIFIED" } else { &self.version }
                ),
            ),
            Protocol::Target => Error::new("UnknownOperationException", 400, ""),
            Protocol::Rest => Error::new("UnknownOperationException", 404, ""),
        }
    }
}

/// Whether a body is an object, or nothing, which stands for one without members.
fn is_object(body: &[u8]) -> bool {
    body.is_empty() || serde_json::from_slice::<Value>(body).is_ok_and(|value| value.is_object())
}

fn json_params(body: &[u8]) -> Params {
    Params::of_json(serde_json::from_slice::<Value>(body).unwrap_or_default())
}

fn service_of_target(namespace: &str) -> String {
    let service = match namespace {
        "TrentService" => "kms",
        _ if namespace.contains("cloudtrail") || namespace.contains("CloudTrail") => "cloudtrail",
        _ => namespace,
    };
    service.to_owned()
}
