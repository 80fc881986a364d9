//! An emulator for a test, and a client of few lines.

use std::io::{Read, Write};
use std::net::TcpStream;

use secateur_tests::emulator::{OPERATOR_KEY, Options, Running};
use serde_json::{Value, json};

/// When the clocks of tests stand still.
pub const NOW: &str = "2026-10-10T06:00:00Z";

/// The account of tests.
pub const ACCOUNT: &str = "123456789012";

/// An emulator with an account of its own.
pub struct Cloud {
    pub running: Running,
}

/// Who calls: an access key, and the token of a session.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: String,
    pub token: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Cloud {
    /// An empty account, at a clock that stands still.
    pub fn new() -> Self {
        Self::with(Options { now: Some(NOW.to_owned()), frozen: true, silent: true, ..Options::default() })
    }

    pub fn with(options: Options) -> Self {
        Self { running: Running::start(&options).unwrap() }
    }

    /// The sample account.
    pub fn acme(change: impl FnOnce(&mut Options)) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/acme/snapshot");
        let mut options = Options { account: Some(folder.into()), frozen: true, silent: true, ..Options::default() };
        change(&mut options);
        Self::with(options)
    }

    pub fn control(&self, path: &str, body: Value) -> Value {
        self.running.control("POST", path, &body).unwrap()
    }

    /// Calls IAM as the operator; the answer may be an error.
    pub fn try_iam(&self, action: &str, params: &[(&str, &str)]) -> Reply {
        self.query(&operator(), "iam", action, params).unwrap()
    }

    /// Calls IAM as the operator.
    #[track_caller]
    pub fn iam(&self, action: &str, params: &[(&str, &str)]) -> Reply {
        let reply = self.try_iam(action, params);
        assert_eq!(reply.status, 200, "{action}: {}", reply.body);
        reply
    }

    /// Calls IAM, which must refuse with that code.
    #[track_caller]
    pub fn refused(&self, action: &str, params: &[(&str, &str)], status: u16, code: &str) -> Reply {
        let reply = self.try_iam(action, params);
        assert_eq!((reply.status, reply.text("Code").as_str()), (status, code), "{action}: {}", reply.body);
        reply
    }

    /// Calls an API of the Query protocol.
    pub fn query(&self, key: &Key, service: &str, action: &str, params: &[(&str, &str)]) -> std::io::Result<Reply> {
        let version = if service == "sts" { "2011-06-15" } else { "2010-05-08" };
        let all = [("Action", action), ("Version", version)].into_iter().chain(params.iter().copied());
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        let headers =
            format!("content-type: application/x-www-form-urlencoded\r\n{}", authorization(key, service, "us-east-1"));
        self.send("/", &headers, &form)
    }

    /// Calls an API of a JSON protocol in a Region.
    pub fn json(&self, region: &str, target: &str, body: &Value) -> Reply {
        let service = if target.starts_with("Trent") { "kms" } else { "cloudtrail" };
        let headers = format!(
            "content-type: application/x-amz-json-1.1\r\nx-amz-target: {target}\r\n{}",
            authorization(&operator(), service, region)
        );
        self.send("/", &headers, &body.to_string()).unwrap()
    }

    pub fn kms(&self, region: &str, operation: &str, key: &str) -> Reply {
        self.json(region, &format!("TrentService.{operation}"), &json!({ "KeyId": key }))
    }

    /// Sends a request and reads to the end.
    pub fn send(&self, path: &str, headers: &str, body: &str) -> std::io::Result<Reply> {
        send(self.running.port(), path, headers, body)
    }

    /// Credentials of a user or of a new session of a role.
    pub fn credentials(&self, arn: &str) -> Key {
        let made = self.control("credentials", json!({ "arn": arn }));
        Key { id: made["AccessKeyId"].as_str().unwrap().into(), token: made["SessionToken"].as_str().map(Into::into) }
    }

    /// Makes a user with an inline policy; returns the ARN.
    pub fn user(&self, name: &str, document: &str) -> String {
        let arn = self.iam("CreateUser", &[("UserName", name)]).text("Arn");
        self.iam("PutUserPolicy", &[("UserName", name), ("PolicyName", "p"), ("PolicyDocument", document)]);
        arn
    }

    /// Makes a role with an inline policy; returns the ARN.
    pub fn role(&self, name: &str, document: &str) -> String {
        let arn = self.iam("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", TRUST)]).text("Arn");
        self.iam("PutRolePolicy", &[("RoleName", name), ("PolicyName", "p"), ("PolicyDocument", document)]);
        arn
    }

    /// Makes a managed policy; returns the ARN.
    pub fn policy(&self, name: &str, document: &str) -> String {
        self.iam("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", document)]).text("Arn")
    }

    pub fn used(&self, principal: &str, action: &str, time: &str, region: &str) {
        let entry = json!({"principal": principal, "action": action, "time": time, "region": region});
        self.control("usage", entry);
    }

    /// Generates a report with actions; returns the job's id.
    pub fn generate(&self, arn: &str) -> String {
        let params = [("Arn", arn), ("Granularity", "ACTION_LEVEL")];
        self.iam("GenerateServiceLastAccessedDetails", &params).text("JobId")
    }

    /// Generates a report and reads its rows.
    pub fn report(&self, arn: &str) -> Vec<Row> {
        let job = self.generate(arn);
        self.iam("GetServiceLastAccessedDetails", &[("JobId", &job), ("MaxItems", "1000")]).rows()
    }
}

/// A row of a report.
#[derive(Debug)]
pub struct Row {
    pub namespace: String,
    pub last: Option<String>,
    pub entity: Option<String>,
    pub region: Option<String>,
    pub total: String,
    /// Names and times of the tracked actions; none if the row has no list of them.
    pub actions: Option<Vec<(String, Option<String>)>>,
}

/// Lets anyone of the account assume a role.
pub const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}"#;

/// A document that allows actions on everything.
pub fn allow(actions: &[&str]) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}).to_string()
}

/// Sends a request and reads to the end.
pub fn send(port: u16, path: &str, headers: &str, body: &str) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    if length.and_then(|length| length.parse().ok()) != Some(body.len()) {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Reply { status, head: head.to_owned(), body: body.to_owned() })
}

pub fn operator() -> Key {
    Key { id: OPERATOR_KEY.to_owned(), token: None }
}

pub fn authorization(key: &Key, service: &str, region: &str) -> String {
    let token = key.token.as_ref().map(|token| format!("x-amz-security-token: {token}\r\n")).unwrap_or_default();
    format!(
        "x-amz-date: 20261010T060000Z\r\n{token}authorization: AWS4-HMAC-SHA256 \
         Credential={}/20261010/{region}/{service}/aws4_request, SignedHeaders=host;x-amz-date, Signature={}\r\n",
        key.id,
        "0".repeat(64)
    )
}

impl Reply {
    /// The text of the first element of that name.
    pub fn text(&self, element: &str) -> String {
        self.texts(element).first().cloned().unwrap_or_default()
    }

    /// The texts of all elements of that name.
    pub fn texts(&self, element: &str) -> Vec<String> {
        elements(&self.body, element)
    }

    pub fn has(&self, element: &str) -> bool {
        !self.texts(element).is_empty()
    }

    pub fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The rows of a report.
    pub fn rows(&self) -> Vec<Row> {
        let first = |row: &str, name: &str| elements(row, name).first().cloned();
        let action = |action: &str| {
            let (name, rest) = action.split_once("</ActionName>")?;
            Some((name.to_owned(), first(rest, "LastAccessedTime")))
        };
        let row = |row: &str| Row {
            namespace: first(row, "ServiceNamespace").unwrap(),
            last: first(row, "LastAuthenticated"),
            entity: first(row, "LastAuthenticatedEntity"),
            region: first(row, "LastAuthenticatedRegion"),
            total: first(row, "TotalAuthenticatedEntities").unwrap_or_default(),
            actions: first(row, "TrackedActionsLastAccessed")
                .map(|list| list.split("<ActionName>").filter_map(action).collect()),
        };
        self.body.split("<ServiceName>").skip(1).map(row).collect()
    }
}

fn elements(text: &str, element: &str) -> Vec<String> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    text.split(&open).skip(1).filter_map(|rest| rest.split(&close).next()).map(str::to_owned).collect()
}

/// Names of the tracked actions of a row that were never used.
pub fn bare(row: &Row) -> Vec<&str> {
    let actions = row.actions.iter().flatten();
    actions.filter(|(_, time)| time.is_none()).map(|(name, _)| name.as_str()).collect()
}

/// Namespaces of rows.
pub fn namespaces(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.namespace.as_str()).collect()
}
