//! Credentials that are fetched with a token: by a web identity, and by IAM Identity Center.
//!
//! A server of the test's own stands in for STS and for the portal. Their answers are those of
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html> and
//! <https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html>.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use secateur_tests::emulator::{OPERATOR_KEY, OPERATOR_SECRET};

use super::scene::{Scene, answer};

/// Answers every request alike; returns where it is, and what it is asked: the first line, the header lines and the body.
fn server(kind: &'static str, body: String) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, asked) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let request = exchange(&stream, kind, &body);
            if tell.send(request).is_err() {
                return;
            }
        }
    });
    (url, asked)
}

fn exchange(mut stream: &TcpStream, kind: &str, body: &str) -> String {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        request.push_str(&line);
    }
    let mut content = vec![0; length];
    reader.read_exact(&mut content).unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    request + &String::from_utf8(content).unwrap()
}

/// A command that finds no key in the environment.
fn keyless(scene: &Scene, more: &[&str]) -> Command {
    let mut command = scene.command(&[&["collect", "--snapshot", "snap", "--rate", "max"], more].concat());
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        command.env_remove(name);
    }
    command
}

#[test]
fn a_web_identity_is_exchanged_for_a_session() {
    let scene = Scene::small();
    // The key that comes out is the operator's, whom the emulator knows.
    let (sts, asked) = server(
        "text/xml",
        format!(
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult>\
             <AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/ci/run</Arn><AssumedRoleId>AROAEXAMPLE:run</AssumedRoleId>\
             </AssumedRoleUser><Credentials><AccessKeyId>{OPERATOR_KEY}</AccessKeyId><SecretAccessKey>{OPERATOR_SECRET}</SecretAccessKey>\
             <SessionToken>a-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
             </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        ),
    );
    fs::write(scene.dir.path().join("token"), "the-token-of-the-pipeline").unwrap();
    let mut command = keyless(&scene, &[]);
    command.env("AWS_REGION", "eu-west-1").env("AWS_ENDPOINT_URL_STS", &sts);
    command.env("AWS_WEB_IDENTITY_TOKEN_FILE", "token").env("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/ci");
    let mut collecting = command.stderr(Stdio::null()).spawn().unwrap();
    let request = asked.recv().unwrap();
    assert!(request.contains("Action=AssumeRoleWithWebIdentity"), "{request}");
    assert!(request.contains("WebIdentityToken=the-token-of-the-pipeline"), "{request}");
    assert!(request.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fci"), "{request}");
    // The next thing that STS is asked is who calls, with the session; this server has no answer to that.
    let request = asked.recv().unwrap();
    assert!(request.contains("Action=GetCallerIdentity"), "{request}");
    assert!(request.to_ascii_lowercase().contains("x-amz-security-token: a-token"), "{request}");
    collecting.kill().unwrap();
    collecting.wait().unwrap();
}

#[test]
fn a_login_of_identity_center_is_used() {
    let scene = Scene::small();
    let (portal, asked) = server(
        "application/json",
        format!(
            "{{\"roleCredentials\":{{\"accessKeyId\":\"{OPERATOR_KEY}\",\"secretAccessKey\":\"{OPERATOR_SECRET}\",\
             \"sessionToken\":\"a-token\",\"expiration\":4070908800000}}}}"
        ),
    );
    let cache = scene.dir.path().join(".aws/sso/cache");
    fs::create_dir_all(&cache).unwrap();
    fs::write(
        scene.dir.path().join(".aws/config"),
        "[profile sso]\nsso_session = login\nsso_account_id = 111122223333\nsso_role_name = Audit\nregion = eu-west-1\n\n\
         [sso-session login]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n\
         sso_registration_scopes = sso:account:access\n",
    )
    .unwrap();
    // The file's name is the SHA-1 of the session's name, as `aws sso login` writes it.
    fs::write(
        cache.join("2736fab291f04e69b62d490c3c09361f5b82461a.json"),
        "{\"accessToken\":\"the-login\",\"expiresAt\":\"2099-01-01T00:00:00Z\",\"region\":\"eu-west-1\",\
         \"startUrl\":\"https://example.awsapps.com/start\"}",
    )
    .unwrap();
    let mut command = keyless(&scene, &["--profile", "sso"]);
    command.env("AWS_ENDPOINT_URL_SSO", &portal);
    let done = answer(command.output().unwrap());
    let request = asked.recv().unwrap();
    assert!(request.starts_with("GET /federation/credentials?role_name=Audit&account_id=111122223333 "), "{request}");
    assert!(request.to_ascii_lowercase().contains("x-amz-sso_bearer_token: the-login"), "{request}");
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(scene.manifest()["complete"], true);

    // Without the login there is a command that logs in.
    fs::remove_dir_all(&cache).unwrap();
    let mut command = keyless(&scene, &["--profile", "sso"]);
    command.env("AWS_ENDPOINT_URL_SSO", &portal);
    let done = answer(command.output().unwrap());
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.stderr.contains("help: `aws sso login --profile sso`"), "{done:?}");
}
