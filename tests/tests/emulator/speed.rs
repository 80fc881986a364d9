//! How fast it is: printed, not judged; run with `--nocapture` and `--release`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use secateur_tests::emulator::Options;
use serde_json::json;

use super::cloud::Cloud;

/// Calls over one connection; returns how many bytes came.
fn calls(port: u16, form: &str, count: usize) -> usize {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-date: 20261010T060000Z\r\nauthorization: AWS4-HMAC-SHA256 \
         Credential=AKIAEMULATOROPERATOR/20261010/us-east-1/iam/aws4_request, SignedHeaders=host, Signature={}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        "0".repeat(64),
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
        println!("{name}: {:.0} calls a second", f64::from(threads * u32::try_from(each).unwrap()) / seconds);
    }
}

/// The resident memory of this process, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().trim_end_matches(" kB").parse().ok())
}

#[test]
fn the_authorization_details_of_5000_roles_come_in_pages() {
    let folder = tempfile::tempdir().unwrap();
    let document = super::cloud::allow(&["s3:GetObject", "sqs:SendMessage", "dynamodb:GetItem"]);
    let role = |at: usize| {
        json!({"RoleName": format!("role-{at:05}"), "RoleId": format!("AROA{at:017}"), "Path": "/",
            "Arn": format!("arn:aws:iam::123456789012:role/role-{at:05}"), "CreateDate": "2024-01-01T00:00:00Z",
            "AssumeRolePolicyDocument": super::cloud::TRUST,
            "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": document}]})
    };
    let roles: Vec<_> = (0..5000).map(role).collect();
    let details = json!({"UserDetailList": [], "RoleDetailList": roles, "GroupDetailList": [], "Policies": []});
    std::fs::write(folder.path().join("account-authorization-details.json"), details.to_string()).unwrap();
    let cloud = Cloud::with(Options { account: Some(folder.path().into()), ..Options::default() });
    let mut marker = String::new();
    let (mut seen, mut after_first) = (0, None);
    let start = Instant::now();
    loop {
        let mut params = vec![("MaxItems", "100")];
        if !marker.is_empty() {
            params.push(("Marker", marker.as_str()));
        }
        let reply = cloud.iam("GetAccountAuthorizationDetails", &params);
        seen += reply.texts("RoleName").len();
        let next = reply.text("Marker");
        marker = next;
        after_first = after_first.or_else(resident);
        if marker.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 5000);
    let grown = resident().zip(after_first).map(|(now, then)| now.saturating_sub(then));
    println!("5,000 roles in {:.2} s; memory grew by {grown:?} kB from the first page", start.elapsed().as_secs_f64());
}
