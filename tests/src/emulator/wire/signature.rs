//! The shape of a signature. The secret is not checked: the emulator is open to whoever reaches the loopback.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html>.

use super::error::Error;

/// What the `Authorization` header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The access key that signed.
    pub access_key: String,
    /// The Region of the scope.
    pub region: String,
    /// The service of the scope.
    pub service: String,
    /// The token of a session.
    pub token: Option<String>,
}

/// What is wrong with a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// There is none.
    Missing,
    /// There is one that is not whole.
    Incomplete(String),
    /// There is one, of something else.
    Wrong(String),
}

impl SignatureError {
    /// The error that AWS answers with.
    pub fn error(&self) -> Error {
        match self {
            Self::Missing => Error::new("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
            Self::Wrong(what) => Error::new("SignatureDoesNotMatch", 403, what.clone()),
            Self::Incomplete(what) => Error::new("IncompleteSignature", 400, what.clone()),
        }
    }
}

impl Signature {
    /// Reads the headers of a request.
    pub fn read<'a>(header: impl Fn(&str) -> &'a str) -> Result<Self, SignatureError> {
        let authorization = header("authorization");
        let incomplete = |what: &str| SignatureError::Incomplete(format!("{what}. Authorization={authorization}"));
        if authorization.is_empty() {
            return Err(SignatureError::Missing);
        }
        let Some(rest) = authorization.strip_prefix("AWS4-HMAC-SHA256") else {
            return Err(SignatureError::Missing);
        };
        let part = |name: &str| {
            let mut parts = rest.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let Some(credential) = part("Credential") else {
            return Err(incomplete("Authorization header requires 'Credential' parameter"));
        };
        let Some(signed) = part("SignedHeaders") else {
            return Err(incomplete("Authorization header requires 'SignedHeaders' parameter"));
        };
        let Some(signature) = part("Signature") else {
            return Err(incomplete("Authorization header requires 'Signature' parameter"));
        };
        if header("x-amz-date").is_empty() && header("date").is_empty() {
            return Err(incomplete(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header",
            ));
        }
        if !signed.split(';').any(|name| name == "host") {
            return Err(incomplete("'Host' must be a signed header"));
        }
        if signature.len() != 64 || !signature.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(incomplete("'Signature' is not a SHA-256 in hexadecimal"));
        }
        let moment = header("x-amz-date");
        if !moment.is_empty() && !is_basic(moment) {
            return Err(incomplete(&format!("Date must be in ISO-8601 'basic format'. Got '{moment}'")));
        }
        let scope: Vec<&str> = credential.split('/').collect();
        match scope[..] {
            [access_key, date, region, service, "aws4_request"]
                if !access_key.is_empty() && date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                if let Some((day, _)) = moment.split_once('T').filter(|(day, _)| *day != date) {
                    return Err(SignatureError::Wrong(format!(
                        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != \
                         '{day}', from '{moment}'."
                    )));
                }
                let token = Some(header("x-amz-security-token")).filter(|token| !token.is_empty());
                Ok(Self {
                    access_key: access_key.to_owned(),
                    region: region.to_owned(),
                    service: service.to_owned(),
                    token: token.map(str::to_owned),
                })
            }
            _ => Err(incomplete("Credential must have exactly 5 slash-delimited elements")),
        }
    }
}

/// Whether a moment is written as `20261010T060000Z`.
fn is_basic(moment: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = moment.strip_suffix('Z').and_then(|rest| rest.split_once('T'));
    parts.is_some_and(|(day, time)| digits(day, 8) && digits(time, 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261010/us-east-1/iam/aws4_request, \
                        SignedHeaders=content-type;host;x-amz-date, \
                        Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

    fn read(authorization: &'static str) -> Result<Signature, SignatureError> {
        Signature::read(|name| match name {
            "authorization" => authorization,
            "x-amz-date" => "20261010T000000Z",
            _ => "",
        })
    }

    #[test]
    fn the_scope_names_the_service() {
        let signature = read(GOOD).unwrap();
        assert_eq!(signature.access_key, "AKIDEXAMPLE");
        assert_eq!((signature.region.as_str(), signature.service.as_str()), ("us-east-1", "iam"));
    }

    #[test]
    fn what_is_not_signed_or_not_wholly_is_told() {
        assert_eq!(read(""), Err(SignatureError::Missing));
        assert_eq!(read("Basic dXNlcg=="), Err(SignatureError::Missing));
        let truncated =
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261010/us-east-1/iam/aws4_request, SignedHeaders=host";
        let Err(error @ SignatureError::Incomplete(_)) = read(truncated) else { panic!("accepted") };
        assert_eq!(error.error().code(super::super::Protocol::Query), "IncompleteSignature");
        let another_day = GOOD.replace("/20261010/", "/20261011/");
        let at = |moment: &'static str, authorization: &str| {
            let authorization = authorization.to_owned();
            Signature::read(|name| match name {
                "authorization" => authorization.clone().leak(),
                "x-amz-date" => moment,
                _ => "",
            })
        };
        let Err(error @ SignatureError::Wrong(_)) = at("20261010T000000Z", &another_day) else { panic!("accepted") };
        assert_eq!(error.error().code(super::super::Protocol::Query), "SignatureDoesNotMatch");
        assert!(matches!(at("yesterday", GOOD), Err(SignatureError::Incomplete(_))));
        let scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/us-east-1/iam/aws4_request, SignedHeaders=host, \
                     Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        assert!(matches!(read(scope), Err(SignatureError::Incomplete(_))));
    }
}
