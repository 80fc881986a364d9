//! How fast it is: printed, and judged in a release build; run with `--nocapture`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use secateur_tests::emulator::Options;
use serde_json::json;

use super::binary::Emulator;
use super::cloud::{Cloud, Key, TRUST, allow, authorization, operator, send};

/// Calls over one connection; returns how many bytes came.
fn calls(port: u16, form: &str, count: usize) -> usize {
    calls_by(&operator(), port, form, count)
}

/// The same, by somebody.
fn calls_by(key: &Key, port: u16, form: &str, count: usize) -> usize {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\n{}content-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{form}",
        authorization(key, "iam", "us-east-1"),
        form.len()
    );
    let mut bytes = 0;
    for _ in 0..count {
        stream.write_all(request.as_bytes()).unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        bytes += length;
    }
    bytes
}

#[test]
fn read_calls_a_second_are_printed() {
    let cloud = Cloud::acme(|_| ());
    let port = cloud.running.port();
    let job = cloud.generate("arn:aws:iam::111122223333:role/ci/github-deploy");
    for call in [
        "Action=GetRole&RoleName=github-deploy",
        "Action=ListAccessKeys&UserName=build-bot",
        "Action=GenerateServiceLastAccessedDetails&Arn=arn:aws:iam::111122223333:role/ci/github-deploy",
        &format!("Action=GetServiceLastAccessedDetails&JobId={job}"),
        "Action=GetAccountAuthorizationDetails&MaxItems=10",
    ] {
        let form = format!("Version=2010-05-08&{call}");
        calls(port, &form, 20);
        let (threads, each) = (4, 250);
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| assert!(calls(port, &form, each) > 0));
            }
        });
        let seconds = start.elapsed().as_secs_f64();
        let name = call.split(['=', '&']).nth(1).unwrap();
        let rate = f64::from(threads * u32::try_from(each).unwrap()) / seconds;
        println!("{name}: {rate:.0} calls a second");
        assert!(cfg!(debug_assertions) || rate >= 2_000.0, "{name}: {rate:.0} calls a second");
    }
}

/// An account of 5,000 roles, each with a document of its own.
fn of_5000_roles() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let document = |at: usize| {
        let document = allow(&["s3:GetObject", "sqs:SendMessage", "dynamodb:*", "iam:Get*"]);
        document.replace("\"*\"", &format!("\"arn:aws:*:*:*:*{at}\""))
    };
    let role = |at: usize| {
        json!({"RoleName": format!("role-{at:05}"), "RoleId": format!("AROA{at:017}"), "Path": "/",
            "Arn": format!("arn:aws:iam::123456789012:role/role-{at:05}"), "CreateDate": "2024-01-01T00:00:00Z",
            "AssumeRolePolicyDocument": TRUST,
            "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": document(at)}]})
    };
    let roles: Vec<_> = (0..5000).map(role).collect();
    let details = json!({"UserDetailList": [], "RoleDetailList": roles, "GroupDetailList": [], "Policies": []});
    std::fs::write(folder.path().join("account-authorization-details.json"), details.to_string()).unwrap();
    folder
}

#[test]
fn a_session_of_one_of_5000_roles_is_answered_as_fast() {
    let folder = of_5000_roles();
    let cloud = Cloud::with(Options { account: Some(folder.path().into()), ..Options::default() });
    let key = cloud.credentials("arn:aws:iam::123456789012:role/role-04999");
    for call in ["Action=GetRole&RoleName=role-04999", "Action=ListAttachedRolePolicies&RoleName=role-00001"] {
        let form = format!("Version=2010-05-08&{call}");
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert!(calls_by(&key, cloud.running.port(), &form, 250) > 0));
            }
        });
        let rate = 1000.0 / start.elapsed().as_secs_f64();
        println!("{call}: {rate:.0} calls a second");
        assert!(cfg!(debug_assertions) || rate >= 2_000.0, "{call}: {rate:.0} calls a second");
    }
    let start = Instant::now();
    for at in 0..500 {
        cloud.generate(&format!("arn:aws:iam::123456789012:role/role-{at:05}"));
    }
    println!("500 reports of 500 documents: {:.0} a second", 500.0 / start.elapsed().as_secs_f64());
}

#[test]
fn the_authorization_details_of_5000_roles_come_in_pages_and_memory_does_not_grow() {
    let folder = of_5000_roles();
    let emulator = Emulator::start(&["--account", folder.path().to_str().unwrap()]);
    let read_all = || {
        let (mut marker, mut seen) = (String::new(), 0);
        loop {
            let page = if marker.is_empty() { String::new() } else { format!("&Marker={marker}") };
            let form = format!("Action=GetAccountAuthorizationDetails&Version=2010-05-08&MaxItems=100{page}");
            let headers = authorization(&operator(), "iam", "us-east-1");
            let reply = send(emulator.port, "/", &headers, &form).unwrap();
            let count = reply.texts("RoleName").len();
            assert!(count <= 100, "{count}");
            (seen, marker) = (seen + count, reply.text("Marker"));
            if marker.is_empty() {
                return seen;
            }
        }
    };
    let start = Instant::now();
    assert_eq!(read_all(), 5000);
    println!("5,000 roles in {:.2} s", start.elapsed().as_secs_f64());
    let Some(before) = emulator.resident() else { return };
    for _ in 0..3 {
        assert_eq!(read_all(), 5000);
    }
    let grown = emulator.resident().unwrap().saturating_sub(before);
    println!("memory: {before} kB after the first time, {grown} kB more after the fourth");
    assert!(grown < 8_192, "{grown} kB more");
}
