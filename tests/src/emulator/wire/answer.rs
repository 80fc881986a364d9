//! An answer, before it becomes HTTP.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

/// Status, headers and body of an answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The type of the body.
    pub content_type: &'static str,
    /// More headers.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The code of the error that this is, for the log.
    pub error: Option<String>,
}

impl Answer {
    /// An answer of the Query protocol.
    pub const fn xml(status: u16, body: Vec<u8>) -> Self {
        Self { status, content_type: "text/xml", headers: Vec::new(), body, error: None }
    }

    /// An answer of a JSON protocol, or of the control endpoint.
    pub fn json(status: u16, body: &Value) -> Self {
        let body = body.to_string().into_bytes();
        Self { status, content_type: "application/json", headers: Vec::new(), body, error: None }
    }

    /// An answer of whatever shape.
    pub fn foreign(status: u16, headers: &BTreeMap<String, String>, body: &Value) -> Self {
        let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned).into_bytes();
        let headers = headers.iter().map(|(name, value)| (name.clone().into(), value.clone())).collect();
        Self { status, content_type: "application/json", headers, body, error: None }
    }

    /// Names another type of the body.
    #[must_use]
    pub const fn of_type(mut self, content_type: &'static str) -> Self {
        self.content_type = content_type;
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name.into(), value));
        self
    }

    /// Names the error that this is.
    #[must_use]
    pub fn with_error(mut self, code: String) -> Self {
        self.error = Some(code);
        self
    }
}
