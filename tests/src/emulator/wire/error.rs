//! Errors, with AWS's codes and statuses.

use serde_json::json;

use super::answer::Answer;
use super::request::Protocol;
use super::xml::Xml;

/// An error that AWS answers with. In the JSON protocols some codes have the suffix `Exception`: see [`Error::code`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: String,
    status: u16,
    message: String,
}

impl Error {
    /// Any error.
    pub fn new(code: &str, status: u16, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), status, message: message.into() }
    }

    /// Something does not exist.
    pub fn no_such_entity(message: impl Into<String>) -> Self {
        Self::new("NoSuchEntity", 404, message)
    }

    /// Something exists already.
    pub fn already_exists(message: impl Into<String>) -> Self {
        Self::new("EntityAlreadyExists", 409, message)
    }

    /// Something else hangs on what is to go.
    pub fn delete_conflict(message: impl Into<String>) -> Self {
        Self::new("DeleteConflict", 409, message)
    }

    /// A quota is reached.
    pub fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::new("LimitExceeded", 409, message)
    }

    /// A parameter has a form that the service's own checks refuse.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new("InvalidInput", 400, message)
    }

    /// A parameter is missing, or is not what the API's model says.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationError", 400, message)
    }

    /// A policy document that is none.
    pub fn malformed_policy(message: impl Into<String>) -> Self {
        Self::new("MalformedPolicyDocument", 400, message)
    }

    /// Only the service that owns the role may change it.
    pub fn unmodifiable(message: impl Into<String>) -> Self {
        Self::new("UnmodifiableEntity", 400, message)
    }

    /// The caller may not.
    pub fn access_denied(message: impl Into<String>) -> Self {
        Self::new("AccessDenied", 403, message)
    }

    /// Too many calls.
    pub fn throttling() -> Self {
        Self::new("Throttling", 400, "Rate exceeded")
    }

    /// The code, as the protocol has it on the wire.
    pub fn code(&self, protocol: Protocol) -> String {
        let has_suffix = ["AccessDenied", "Throttling", "Validation", "ExpiredToken"];
        let bare = self.code.strip_suffix("Error").unwrap_or(&self.code);
        match protocol {
            Protocol::Query => self.code.clone(),
            Protocol::Rest if self.code == "Throttling" => String::from("TooManyRequestsException"),
            _ if self.code == "InvalidClientTokenId" => String::from("UnrecognizedClientException"),
            _ if self.code == "MissingAuthenticationToken" || self.code == "IncompleteSignature" => {
                format!("{}Exception", self.code)
            }
            _ if has_suffix.contains(&bare) => format!("{bare}Exception"),
            _ => self.code.clone(),
        }
    }

    /// The HTTP status. The JSON protocols answer what the client did wrong with 400, refusals by policy among it.
    pub fn status(&self, protocol: Protocol) -> u16 {
        match (protocol, self.status) {
            (Protocol::Rest, _) if self.code == "Throttling" => 429,
            (Protocol::Target, 402..=499) => 400,
            (_, status) => status,
        }
    }

    /// The words for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The error as an answer.
    pub fn answer(&self, protocol: Protocol, namespace: &str, request_id: &str) -> Answer {
        let code = self.code(protocol);
        let status = self.status(protocol);
        let fault = if self.status >= 500 { "Receiver" } else { "Sender" };
        match protocol {
            Protocol::Query => {
                let mut xml = Xml::default();
                xml.root("ErrorResponse", namespace, |xml| {
                    xml.object("Error", |xml| {
                        xml.text("Type", fault);
                        xml.text("Code", &code);
                        xml.text("Message", &self.message);
                    });
                    xml.text("RequestId", request_id);
                });
                Answer::xml(status, xml.into_bytes()).with_error(code)
            }
            Protocol::Target => {
                let body = json!({"__type": code, "message": self.message, "Message": self.message});
                Answer::json(status, &body).with_error(code)
            }
            Protocol::Rest => {
                let body = json!({"message": self.message, "errorType": code});
                Answer::json(status, &body).with_header("x-amzn-errortype", code.clone()).with_error(code)
            }
        }
    }
}
