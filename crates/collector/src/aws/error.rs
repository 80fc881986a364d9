//! What can go wrong with a call, and what mends it.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;

use super::Call;
use super::http::{NoXml, TORN};
use super::json::Misread;

/// What kind of failure it was. It decides what is done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too many calls: nothing was done.
    Throttled,
    /// There are no credentials, or AWS does not take them: nothing was done.
    Credentials,
    /// The session behind the credentials has ended: nothing was done.
    Expired,
    /// The clock of this machine is wrong, so AWS does not take what it signs: nothing was done.
    Clock,
    /// The caller may not; this is the permission that is missing, such as `iam:GetRole`.
    Denied(String),
    /// What the call is about does not exist.
    NotFound,
    /// The network or AWS failed. Whether the call was done is not known: a read is repeated, a write is looked after.
    Transient,
    /// AWS answered something that makes no sense, such as a page that says there is another and not which; or somebody on the
    /// way answered instead. Of a write nobody knows whether it was done.
    Answer,
    /// Any other refusal by AWS, by its code.
    Refused(String),
    /// The request could not be made: a configuration that makes no sense.
    Request,
}

/// A call that failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct AwsError(Box<Facts>);

#[derive(Clone, Debug, thiserror::Error)]
#[error("{operation}{}: {message}", of_subject(.subject))]
struct Facts {
    kind: ErrorKind,
    operation: &'static str,
    subject: String,
    message: String,
    code: Option<String>,
    status: Option<u16>,
    request_id: Option<String>,
    help: Option<String>,
    attempts: u32,
}

fn of_subject(subject: &str) -> String {
    if subject.is_empty() { String::new() } else { format!(" of {subject}") }
}

impl AwsError {
    /// An answer that makes no sense; what is wrong with it.
    pub fn answer(call: &Call<'_>, message: impl Into<String>) -> AwsError {
        AwsError::new(call, ErrorKind::Answer, message.into())
    }

    /// A call that was not made, and why.
    pub(crate) fn instead(call: &Call<'_>, kind: ErrorKind, message: String) -> AwsError {
        AwsError::new(call, kind, message)
    }

    /// Classifies what the SDK says.
    pub(super) fn of<E>(call: &Call<'_>, error: &SdkError<E, HttpResponse>) -> AwsError
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        // Some errors have a code and an empty message.
        let (code, said) = (error.code(), error.message().map(safe).filter(|said| !said.is_empty()));
        let said = said.as_deref();
        let status = error.raw_response().map(|response| response.status().as_u16());
        let kind = match error {
            // An error without a code is none of AWS's, or one that broke off. Less than an error is no answer to the call.
            SdkError::ServiceError(_) if code.is_none() && status.is_some_and(|status| status < 400) => {
                ErrorKind::Answer
            }
            SdkError::ServiceError(_) => kind_of_code(call, code.unwrap_or_default(), said, status.unwrap_or_default()),
            SdkError::ResponseError(_) if cause::<Misread>(error).is_some() || cause::<NoXml>(error).is_some() => {
                ErrorKind::Answer
            }
            SdkError::ResponseError(_) | SdkError::TimeoutError(_) => ErrorKind::Transient,
            SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) if credentials_cause(error).is_some() => {
                ErrorKind::Credentials
            }
            SdkError::ConstructionFailure(_) => ErrorKind::Request,
            _ => ErrorKind::Transient,
        };
        let message = match (code, said) {
            (Some(code), Some(said)) => format!("{code}: {said}"),
            (Some(code), None) => code.to_owned(),
            (None, said) => match (credentials_cause(error), status) {
                (Some(cause), _) => format!("no credentials: {}", chain(cause)),
                (None, Some(status)) if status >= 300 => {
                    said.map_or(format!("HTTP status {status}"), |said| format!("HTTP status {status}: {said}"))
                }
                _ if matches!(error, SdkError::ServiceError(_)) => misread(error),
                _ => chain(inner(error)),
            },
        };
        let mut failed = AwsError::new(call, kind, safe(&message));
        failed.0.code = code.map(str::to_owned);
        failed.0.status = status;
        failed.0.request_id = error.request_id().map(str::to_owned);
        failed
    }

    fn new(call: &Call<'_>, kind: ErrorKind, message: String) -> AwsError {
        let help = help(call, &kind);
        AwsError(Box::new(Facts {
            kind,
            operation: call.operation,
            subject: call.subject.to_owned(),
            message,
            code: None,
            status: None,
            request_id: None,
            help,
            attempts: 1,
        }))
    }

    /// Returns what kind of failure it was.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Returns the operation, such as `iam:GetRole`.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Returns what went wrong, without the operation and whom it was about.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns AWS's code, when AWS answered with one.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns whether somebody answered who says that it is his own fault: the others may be in order.
    pub(crate) fn is_of_server(&self) -> bool {
        self.0.status.is_some_and(|status| status >= 500)
    }

    /// Returns the id under which AWS finds the request again.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the command or the edit that mends it.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Returns whether nobody knows if AWS did what the call asked for.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Transient | ErrorKind::Answer)
    }

    /// Returns whether the call was repeated, and failed each time.
    pub(crate) fn was_repeated(&self) -> bool {
        self.0.attempts > 1
    }

    /// Replaces what mends it.
    #[must_use]
    pub fn with_help(mut self, help: String) -> AwsError {
        self.0.help = Some(help);
        self
    }

    /// Adds what is known beside what AWS says.
    #[must_use]
    pub(crate) fn and(mut self, more: &str) -> AwsError {
        self.0.message.push_str("; ");
        self.0.message.push_str(more);
        self
    }

    /// Says how often it was tried.
    #[must_use]
    pub(super) fn after(mut self, attempts: u32) -> AwsError {
        self.0.attempts = attempts;
        if attempts > 1 {
            self.0.message.push_str(&format!(", after {attempts} attempts"));
        }
        self
    }
}

/// What helps when nobody answers.
pub(super) const UNREACHABLE: &str = "look whether AWS can be reached (network, HTTPS_PROXY, AWS_ENDPOINT_URL), then run the same command again: it goes on \
                                      where it stopped";

/// What mends an error of this kind; of credentials only the session knows.
fn help(call: &Call<'_>, kind: &ErrorKind) -> Option<String> {
    Some(match kind {
        ErrorKind::Denied(permission) => format!(
            "allow `{permission}` for the caller; docs/permissions.md has the policy, and `secateur collect --check` tells \
             which permissions are missing"
        ),
        ErrorKind::Throttled => {
            "run the same command again later: it goes on where it stopped; `--rate N` caps the calls \
                                 a second"
                .to_owned()
        }
        ErrorKind::Transient => UNREACHABLE.to_owned(),
        ErrorKind::Answer => format!(
            "look whether a proxy (HTTPS_PROXY) or an endpoint (AWS_ENDPOINT_URL) answers instead of AWS, then run the same command \
             again; if it stays so, report it with `{}`",
            call.operation
        ),
        ErrorKind::Request => "check --region, --profile and AWS_ENDPOINT_URL".to_owned(),
        ErrorKind::Clock => {
            "set the clock of this machine: AWS refuses what was signed more than minutes before or after its \
                             own time; then run the same command again"
                .to_owned()
        }
        ErrorKind::Credentials | ErrorKind::Expired | ErrorKind::NotFound | ErrorKind::Refused(_) => return None,
    })
}

/// Codes as IAM, STS, KMS, CloudTrail and Account send them; the JSON protocols add `Exception`.
///
/// See <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>.
fn kind_of_code(call: &Call<'_>, code: &str, message: Option<&str>, status: u16) -> ErrorKind {
    match code.strip_suffix("Exception").unwrap_or(code) {
        "Throttling"
        | "Throttled"
        | "RequestLimitExceeded"
        | "TooManyRequests"
        | "RequestThrottled"
        | "ProvisionedThroughputExceeded"
        | "PriorRequestNotComplete"
        | "EC2Throttled"
        | "SlowDown"
        | "BandwidthLimitExceeded" => ErrorKind::Throttled,
        _ if status == 429 => ErrorKind::Throttled,
        // Of a service that speaks JSON it is too many calls; IAM's own, without `Exception`, is a quota that no waiting helps.
        "LimitExceeded" if code.ends_with("Exception") => ErrorKind::Throttled,
        "ExpiredToken" | "TokenRefreshRequired" => ErrorKind::Expired,
        "RequestExpired" | "RequestInTheFuture" | "RequestTimeTooSkewed" => ErrorKind::Clock,
        "SignatureDoesNotMatch" | "InvalidSignature" if message.is_some_and(is_of_clock) => ErrorKind::Clock,
        "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "SignatureDoesNotMatch"
        | "InvalidSignature"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenError" => ErrorKind::Credentials,
        "AccessDenied" | "UnauthorizedOperation" | "AuthorizationError" | "NotAuthorized" => {
            ErrorKind::Denied(permission(call, message.unwrap_or_default()))
        }
        "NoSuchEntity" | "NotFound" | "ResourceNotFound" => ErrorKind::NotFound,
        "ServiceFailure" | "InternalFailure" | "InternalError" | "ServiceUnavailable" | "RequestTimeout"
        | "KMSInternal" | "DependencyTimeout" => ErrorKind::Transient,
        _ if status >= 500 => ErrorKind::Transient,
        // AWS always says which: this answer broke off, or somebody else gave it.
        "" => ErrorKind::Transient,
        _ => ErrorKind::Refused(code.to_owned()),
    }
}

/// Returns whether a signature is refused for its time, as in `Signature expired: 20260101T000000Z is now earlier than ...`.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>.
fn is_of_clock(message: &str) -> bool {
    ["Signature expired", "Signature not yet current"].iter().any(|start| message.starts_with(start))
}

/// A word so long, and of no ARN or URL, is none that people read.
const LONGEST_WORD: usize = 100;

/// Returns what may be shown of a message. Of a signature that does not match AWS quotes the whole request, the session's
/// token with it: all after the first line is left out, whatever follows the name of a secret, and words that may be one.
fn safe(message: &str) -> String {
    let message = &without_user(message);
    const NAMES: [&str; 4] = ["x-amz-security-token", "the canonical string", "securitytoken", "sessiontoken"];
    let line = message.trim_start().lines().next().unwrap_or_default();
    let lower = line.to_ascii_lowercase();
    // ASCII keeps its length in lower case, so the places are those of the line.
    let end = NAMES.iter().filter_map(|name| lower.find(name)).min().unwrap_or(line.len());
    let is_secret = |word: &&str| word.len() > LONGEST_WORD && !word.contains(':');
    let kept = line.get(..end).unwrap_or_default().trim_end();
    if !kept.split_whitespace().any(|word| is_secret(&word)) {
        return kept.to_owned();
    }
    let words = kept.split_whitespace().map(|word| if is_secret(&word) { "(left out)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// Leaves out what stands before the host of a URL: a user, and a password.
fn without_user(message: &str) -> String {
    let Some((before, host)) = message.rsplit_once('@') else { return message.to_owned() };
    let is_edge = |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | '(');
    let start = match before.find("://") {
        Some(scheme) => scheme + 3,
        None => before.rfind(is_edge).map_or(0, |edge| edge + 1),
    };
    let user = before.get(start..).unwrap_or_default();
    // The sessions of people are named by their addresses: `assumed-role/Audit/ann@example.com`.
    let is_url = before.contains("://") || (user.contains(':') && !user.starts_with("arn:"));
    match is_url {
        true => format!("{}{host}", before.get(..start).unwrap_or_default()),
        false => message.to_owned(),
    }
}

/// Returns the permission that AWS names as missing, else that of the operation.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>.
fn permission(call: &Call<'_>, message: &str) -> String {
    let named = message.split_once("not authorized to perform: ").map(|(_, rest)| rest);
    let word = named.and_then(|rest| rest.split(|c: char| c.is_whitespace() || c == ',').next());
    let is_permission =
        |word: &&str| word.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
    word.filter(is_permission).unwrap_or(call.operation).to_owned()
}

fn credentials_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    cause(error)
}

/// Returns the first of an error's causes that is of that type.
fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// Returns what failed, without the SDK's word for when it did: that says nothing of an answer that was read, or of a request
/// that could not be made.
fn inner<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> &(dyn Error + 'static) {
    match error {
        SdkError::ResponseError(_) | SdkError::ConstructionFailure(_) => error.source().unwrap_or(error),
        _ => error,
    }
}

/// Returns what the SDK's parser finds wrong with an answer, without what it found instead.
fn misread(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    let text = innermost.to_string();
    format!("the answer is not what AWS answers: {}", text.split(" got StartEl").next().unwrap_or_default())
}

/// An error and its causes in one line, each once: the SDK's own words for the outer ones say nothing.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<AssumeRoleError>() {
            let said = [refused.code().or(Some("refused")), refused.message()].into_iter().flatten();
            let said: Vec<&str> = said.filter(|word| !word.is_empty()).collect();
            return format!("sts:AssumeRole: {}", said.join(": "));
        }
        // The SDK's list of where it looked has a line for each place.
        let text = error.to_string().replace("Attempted:\n  ", "Attempted: ").replace("\n  ", "; ");
        if text.contains(TORN) {
            return TORN.to_owned();
        }
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        cause = error.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests;
